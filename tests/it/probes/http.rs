//! `http.monitor` and nginx.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::lab::{self, Nginx, date, run};
use super::stand_in::{End, talker};
use crate::support::{Place, skipped};

/// A label of 70 characters: the resolver refuses it without asking anybody.
pub(super) const NO_NAME: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn nginx() -> Option<Nginx> {
    Nginx::start_for("http.monitor with nginx")
}

/// The status line that nginx answers to HTTP/1.0.
fn status(output: &str, host: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !line.starts_with(&format!("HOST {host}: ")));
    lines.nth(1).unwrap_or_default().trim_end().to_owned()
}

#[test]
fn pages_and_statuses() {
    let Some(nginx) = nginx() else { return };
    let port = nginx.port();
    for (path, exit, line) in [
        ("/", 0, "HTTP/1.1 200 OK"),
        ("/301", 0, "HTTP/1.1 301 Moved Permanently"),
        ("/302", 0, "HTTP/1.1 302 Moved Temporarily"),
        ("/401", 0, "HTTP/1.1 401 Unauthorized"),
        ("/303", 1, "HTTP/1.1 303 See Other"),
        ("/307", 1, "HTTP/1.1 307 Temporary Redirect"),
        ("/404", 1, "HTTP/1.1 404 Not Found"),
        ("/500", 1, "HTTP/1.1 500 Internal Server Error"),
    ] {
        let (status_of_run, output) = run("http.monitor", &["-p", &port, "-u", path, "127.0.0.1"]);
        assert_eq!((status_of_run, status(&output, "127.0.0.1").as_str()), (exit, line), "{output}");
        let first = if exit == 0 {
            "\nHOST 127.0.0.1: ok\n"
        } else {
            "127.0.0.1\nHOST 127.0.0.1: HTTP response code failure\n"
        };
        assert!(
            output.starts_with(first) && output.contains("\nServer: nginx") && output.ends_with("\n\n"),
            "{output}"
        );
    }
    assert_eq!(run("http.monitor", &["-o", "-p", &port, "127.0.0.1", "localhost"]), (0, "\n".to_owned()));
    assert_eq!(run("http.monitor", &["-p", &port]), (0, String::new()));
    run("http.monitor", &["-p", &port, "-a", "my agent/1", "-u", "/agent?x=1", "localhost"]);
    let asked = nginx.place.read("access.log");
    assert!(asked.contains("localhost|my agent/1|GET /agent?x=1 HTTP/1.0\n"), "{asked}");
    assert!(asked.contains("127.0.0.1|mon.d/http.monitor|GET /404 HTTP/1.0\n"), "{asked}");
}

#[test]
fn patterns_decide_alone() {
    let Some(nginx) = nginx() else { return };
    let port = nginx.port();
    for (pattern, path, exit, error) in [
        ("hello", "/", 0, "ok"),
        ("hello", "/500", 0, "ok"),
        ("(?i)HELLO, (?!it is good)", "/500", 0, "ok"),
        ("nginx$", "/", 0, "ok"),
        ("^HTTP/1.1 200.*nginx", "/", 0, "ok"),
        ("goodbye", "/", 1, "Regex match failed"),
    ] {
        let (status, output) = run("http.monitor", &["-p", &port, "-m", pattern, "-u", path, "127.0.0.1"]);
        assert_eq!(status, exit, "{pattern}: {output}");
        assert!(output.contains(&format!("HOST 127.0.0.1: {error}\n")), "{output}");
    }
    let (status, output) = run("http.monitor", &["-p", &port, "-m", "(", "127.0.0.1"]);
    assert!(status == 255 && output.starts_with("http.monitor: -m: "), "{output}");
}

#[test]
fn some_hosts_fail() {
    let Some(nginx) = nginx() else { return };
    let port = nginx.port();
    let (status, output) =
        run("http.monitor", &["-z", "-p", &port, "127.0.0.9", "127.0.0.2", NO_NAME, "127.0.0.1"]);
    assert_eq!(status, 1, "{output}");
    let failed = format!(
        "127.0.0.9 {NO_NAME}\nHOST 127.0.0.9: connect: Connection refused\n\nHOST {NO_NAME}: gethostbyname failure: "
    );
    assert!(output.starts_with(&failed), "{output}");
    let good: Vec<&str> = output.lines().filter(|line| line.ends_with(": ok")).collect();
    assert_eq!(good, ["HOST 127.0.0.2: ok", "HOST 127.0.0.1: ok"]);
    assert!(output.ends_with("\n\nUnknown option: z\n"), "{output}");
    if lab::ipv6() {
        let (status, output) = run("http.monitor", &["-p", &port, "::1", "[::1]"]);
        assert!(
            status == 0 && output.contains("HOST ::1: ok") && output.contains("HOST [::1]: ok"),
            "{output}"
        );
    }
}

#[test]
fn servers_that_never_answer_cost_one_timeout_together() {
    let (_silent, port) = lab::silent();
    let begun = Instant::now();
    let (status, output) = run("http.monitor", &["-t", "1", "-p", &port, "127.0.0.1", "localhost"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let expect = "127.0.0.1 localhost\nHOST 127.0.0.1: timeout after 1 seconds\n\nHOST localhost: timeout after 1 seconds\n\n";
    assert_eq!((status, output.as_str()), (1, expect));
    let (status, output) = run("http.monitor", &["-t", "1", "--tls", "--insecure", "-p", &port, "127.0.0.1"]);
    assert_eq!((status, output.as_str()), (1, "127.0.0.1\nHOST 127.0.0.1: timeout after 1 seconds\n\n"));
}

#[test]
fn half_an_answer_is_enough_if_it_is_a_good_one() {
    let port = talker(&["HTTP/1.0 200 OK\r\nA: b\r\n\r\nhel"], End::SayNothingMore);
    let good = "\nHOST 127.0.0.1: ok\nHTTP/1.0 200 OK\r\nA: b\n\n";
    assert_eq!(run("http.monitor", &["-t", "3", "-p", &port, "127.0.0.1"]), (0, good.to_owned()));
    let (status, output) = run("http.monitor", &["-t", "3", "-m", "hello", "-p", &port, "127.0.0.1"]);
    assert!(
        status == 1 && output.starts_with("127.0.0.1\nHOST 127.0.0.1: timeout after 3 seconds\n"),
        "{output}"
    );
    let port = talker(&[""], End::HangUp);
    let closed = "127.0.0.1\nHOST 127.0.0.1: HTTP response code failure\n\n";
    assert_eq!(run("http.monitor", &["-p", &port, "127.0.0.1"]), (1, closed.to_owned()));
}

#[test]
fn https_checks_the_certificate() {
    let Some(nginx) = nginx() else { return };
    let (port, ca) = (nginx.tls_port(), nginx.ca());
    let words = ["--tls", "--ca", &ca, "-p", &port];
    let all = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "localhost"];
    let (status, output) = run("http.monitor", &[&words[..], &all].concat());
    assert_eq!(status, 1);
    assert!(output.starts_with("127.0.0.2 127.0.0.4 127.0.0.5\n"), "{output}");
    for (host, error) in [
        ("127.0.0.2", format!("TLS: the certificate expired at {}", date(-30))),
        ("127.0.0.4", "TLS: the certificate is not for 127.0.0.4\n".to_owned()),
        ("127.0.0.5", format!("TLS: the certificate is not valid before {}", date(3))),
    ] {
        assert!(output.contains(&format!("HOST {host}: {error}")), "{error} in {output}");
    }
    for (host, days) in [("127.0.0.1", 400), ("127.0.0.3", 5)] {
        let (_, rest) = output.split_once(&format!("HOST {host}: ok\n")).expect("it is well");
        let certificate = format!("\ncertificate expires {}, {} days left\n\n", date(days), days - 1);
        assert!(rest.contains(&certificate), "{certificate} in {output}");
    }
    let (status, output) =
        run("http.monitor", &[&words[..], &["--days", "30", "127.0.0.1", "127.0.0.3"]].concat());
    let soon = format!("127.0.0.3\nHOST 127.0.0.3: TLS: certificate expires {}, 4 days left\n", date(5));
    assert!(status == 1 && output.starts_with(&soon), "{output}");
}

#[test]
fn https_trusts_nobody_else() {
    let Some(nginx) = nginx() else { return };
    let port = nginx.tls_port();
    let other = nginx.place.path("other-ca.pem").to_string_lossy().into_owned();
    let (status, output) = run("http.monitor", &["--tls", "--ca", &other, "-p", &port, "127.0.0.1"]);
    let unknown =
        "127.0.0.1\nHOST 127.0.0.1: TLS: the certificate is of no authority that is trusted here\n\n";
    assert_eq!((status, output.as_str()), (1, unknown));
    let (status, output) = run("http.monitor", &["--tls", "--insecure", "-p", &port, "127.0.0.2"]);
    assert_eq!(status, 0, "{output}");
    assert!(output.contains(&format!("certificate expired {}, 30 days ago\n", date(-30))), "{output}");
    let (status, output) = run("http.monitor", &["--tls", "--ca", "/no/such/file", "127.0.0.1"]);
    assert_eq!((status, output.as_str()), (1, "http.monitor: /no/such/file: No such file or directory\n"));
    // The port without TLS.
    let (status, output) = run("http.monitor", &["--tls", "--insecure", "-p", &nginx.port(), "127.0.0.1"]);
    let bare = "127.0.0.1\nHOST 127.0.0.1: TLS: the server does not speak it\n\n";
    assert_eq!((status, output.as_str()), (1, bare));
}

/// A name server that never answers: the C library would ask it again and again.
#[test]
fn name_servers_that_never_answer_keep_to_the_limit() {
    let test = "http.monitor with a silent name server";
    let Ok(_silent) = UdpSocket::bind("127.0.0.77:53") else { return skipped(test, "no port 53 for us") };
    let place = Place::new();
    place.write("resolv.conf", "nameserver 127.0.0.77\noptions timeout:30\n");
    let words = [
        env!("CARGO_BIN_EXE_mon"),
        "run",
        "http.monitor",
        "-t",
        "1",
        "slow.probes.test",
        "slower.probes.test",
    ];
    let Some(mut command) = lab::with_file(&place.path("resolv.conf"), "/etc/resolv.conf", &words) else {
        return skipped(test, "only root may make a mount namespace");
    };
    let begun = Instant::now();
    let why = "gethostbyname failure: the resolver did not answer in time";
    let expect = format!(
        "slow.probes.test slower.probes.test\nHOST slow.probes.test: {why}\n\nHOST slower.probes.test: {why}\n\n"
    );
    assert_eq!(lab::output(&mut command), (1, expect));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
