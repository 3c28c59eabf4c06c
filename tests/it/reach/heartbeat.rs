//! `heartbeat.monitor` with a service that takes it, and with some that do not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::run;
use crate::support::servers::{NAMES, make_certificates};
use crate::support::{Daemon, Place, skipped, subject, subject_is_oracle, wait};

/// A service that answers every request with `answer`, and hands on what it was asked.
fn service(answer: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut chunk = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                match socket.read(&mut chunk) {
                    Ok(size) if size > 0 => request.extend_from_slice(&chunk[..size]),
                    _ => break,
                }
            }
            let _ = socket.write_all(answer.as_bytes());
            if sender.send(String::from_utf8_lossy(&request).into_owned()).is_err() {
                return;
            }
        }
    });
    (port, requests)
}

#[test]
fn a_service_that_takes_it() {
    let (port, requests) = service("HTTP/1.1 200 OK\r\n\r\nOK");
    let url = format!("http://127.0.0.1:{port}/ping/secret?a=b");
    let request = || requests.recv_timeout(wait::PATIENCE).expect("it was asked");
    assert_eq!(run("heartbeat.monitor", &["--url", &url, "host", "other"]), (0, String::new()));
    let expect = format!(
        "GET /ping/secret?a=b HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: remon\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(request(), expect);
    assert_eq!(run("heartbeat.monitor", &["--method=post", "--url", &url]).0, 0);
    let posted = request();
    assert!(posted.starts_with("POST /ping") && posted.contains("Content-Length: 0\r\n"), "{posted}");
    let place = Place::new();
    place.write("url", &format!("\n{url}\n"));
    let file = place.path("url").to_string_lossy().into_owned();
    let (status, text) = run("heartbeat.monitor", &["--url-file", &file]);
    assert!(status == 1 && text.ends_with("must not be accessible by others\n"), "{text}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    assert_eq!(run("heartbeat.monitor", &["--url-file", &file]), (0, String::new()));
    assert!(request().starts_with("GET /ping/secret?a=b "));
}

#[test]
fn services_that_do_not() {
    let told = |port: u16, words: &[&str]| {
        let url = format!("http://127.0.0.1:{port}/secret");
        let (status, text) = run("heartbeat.monitor", &[&["--url", &url], words].concat());
        assert!(status == 1 && !text.contains("secret"), "{status} {text}");
        text.replace(&port.to_string(), "PORT")
    };
    let gone = service("HTTP/1.1 404 Not Found\r\n\r\nnot found\n");
    assert_eq!(told(gone.0, &[]), "heartbeat not taken by 127.0.0.1:PORT: HTTP status 404 not found\n");
    let other = service("SSH-2.0-x\r\n");
    assert_eq!(told(other.0, &[]), "heartbeat not taken by 127.0.0.1:PORT: the answer is no HTTP\n");
    // The kernel accepts, nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = silent.local_addr().expect("it is bound").port();
    let begun = Instant::now();
    assert_eq!(told(port, &["--timeout", "0.5"]), "heartbeat not taken by 127.0.0.1:PORT: timeout\n");
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop(silent);
    assert_eq!(
        told(port, &[]),
        "heartbeat not taken by 127.0.0.1:PORT: cannot connect: Connection refused\n"
    );
}

/// With TLS, whose certificate counts: openssl answers any request with a page.
#[test]
fn a_service_with_a_certificate() {
    let place = Place::new();
    if make_certificates(place.dir(), NAMES).is_err() {
        return skipped("heartbeat.monitor with TLS", "no openssl");
    }
    let mut server = Command::new("openssl");
    server.args(["s_server", "-quiet", "-www", "-cert", "server.pem", "-key", "server.key", "-accept"]);
    server.arg(format!("127.0.0.1:{}", place.port)).current_dir(place.dir());
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = server.spawn().expect("there is openssl");
    let up = wait::until(wait::PATIENCE, "openssl to listen", || {
        // Given up at once: it serves one after the other.
        std::net::TcpStream::connect(("127.0.0.1", place.port)).ok().map(drop)
    });
    let url = format!("https://localhost:{}/", place.port);
    let ca = |name: &str| place.path(name).to_string_lossy().into_owned();
    let good = run("heartbeat.monitor", &["--ca", &ca("ca.pem"), "--url", &url]);
    let bad = run("heartbeat.monitor", &["--ca", &ca("other-ca.pem"), "--url", &url]);
    let _ = server.kill();
    let _ = server.wait();
    up.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(good, (0, String::new()));
    let told = format!("heartbeat not taken by localhost:{}: TLS: ", place.port);
    assert!(bad.0 == 1 && bad.1.starts_with(&told), "{}", bad.1);
}

/// From mon.cf on: a ping at each run.
#[test]
fn a_daemon_that_lives_is_heard() {
    if subject_is_oracle() {
        return;
    }
    let (port, requests) = service("HTTP/1.1 204 No Content\r\n\r\n");
    let place = Place::new();
    place.write(
        "etc/mon.cf",
        &format!(
            "hostgroup us localhost\n\nwatch us\n    service heartbeat\n        interval 1s\n        \
             monitor heartbeat.monitor --url http://127.0.0.1:{port}/beat ;;\n        period\n            \
             alert file.alert x\n"
        ),
    );
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    for _ in 0..2 {
        let request = requests.recv_timeout(wait::PATIENCE).expect("it is asked at each run");
        assert!(request.starts_with("GET /beat "), "{request}");
    }
}
