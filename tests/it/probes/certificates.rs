//! `sslcert.monitor` and certificates of every kind.

use std::fs;
use std::time::{Duration, Instant};

use super::http::NO_NAME;
use super::lab::{self, Dovecot, Nginx, date, output, run};
use crate::support::servers::Postfix;
use crate::support::{Place, skipped};

fn nginx() -> Option<Nginx> {
    Nginx::start_for("sslcert.monitor with nginx")
}

#[test]
fn dates_and_names() {
    let Some(nginx) = nginx() else { return };
    let port = nginx.tls_port();
    let (status, output) = run("sslcert.monitor", &["-p", &port, "127.0.0.1", "127.0.0.6", "127.0.0.6"]);
    let good = format!("Expiry {1}\n127.0.0.1 expires {0}\n127.0.0.6 expires {1}\n", date(400), date(100));
    assert_eq!((status, output), (0, good));
    for (host, item, line) in [
        ("127.0.0.2", "expired", format!("127.0.0.2(127.0.0.2) expired at {}T", date(-30))),
        ("127.0.0.3", "expires soon", format!("127.0.0.3(127.0.0.3) expires at {}T", date(5))),
        (
            "127.0.0.4",
            "no commonName in cert",
            "127.0.0.4 doesn't have it's name as a commonName or altName\n".into(),
        ),
        ("127.0.0.5", "post dated", format!("127.0.0.5 has not before date {}T", date(3))),
    ] {
        let (status, output) = run("sslcert.monitor", &["-p", &port, host]);
        assert!(status == 1 && output.starts_with(&format!("{host}({item}) \n{line}")), "{output}");
    }
    let (status, output) = run("sslcert.monitor", &["-p", &port, "-w", "3", "127.0.0.3"]);
    assert_eq!((status, output), (0, format!("Expiry {0}\n127.0.0.3 expires {0}\n", date(5))));
    let (status, output) = run("sslcert.monitor", &["-p", &port, "-w", "200", "127.0.0.1", "127.0.0.6"]);
    assert!(status == 1 && output.starts_with("127.0.0.6(expires soon) \n"), "{output}");
}

#[test]
fn no_certificate() {
    let Some(nginx) = nginx() else { return };
    let (port, refused) = (nginx.port(), lab::refused());
    let (status, output) = run("sslcert.monitor", &["-p", &refused, "127.0.0.1", NO_NAME]);
    let unavailable = format!(
        "127.0.0.1(unavailable) {NO_NAME}(not found) \nCan't connect to 127.0.0.1(127.0.0.1) port {refused} via TCP. \
         (Connection refused)\nNo A or AAAA record for {NO_NAME}. ("
    );
    assert!(status == 1 && output.starts_with(&unavailable), "{output}");
    let (status, output) = run("sslcert.monitor", &["-p", &port, "127.0.0.1"]);
    let bare =
        format!("127.0.0.1(no SSL cert) \n127.0.0.1 port {port} doesn't give certificate, not SSL server?\n");
    assert_eq!((status, output), (1, bare));
    let (_silent, silent) = lab::silent();
    let begun = Instant::now();
    let (status, output) = run("sslcert.monitor", &["-t", "1", "-p", &silent, "127.0.0.1"]);
    let hang = format!(
        "127.0.0.1(Can't connect SSL) \nCan't connect SSL for 127.0.0.1(127.0.0.1) port {silent}: timeout\n"
    );
    assert_eq!((status, output), (1, hang));
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(run("sslcert.monitor", &[]), (0, "Expiry \n".to_owned()));
    let (status, output) = run("sslcert.monitor", &["--starttls", "gopher", "h"]);
    assert_eq!((status, output.as_str()), (1, "sslcert.monitor: --starttls: there is no way for gopher\n"));
}

#[test]
fn chains_only_when_asked() {
    let Some(nginx) = nginx() else { return };
    let (port, ca) = (nginx.tls_port(), nginx.ca());
    assert_eq!(run("sslcert.monitor", &["-p", &port, "--ca", &ca, "127.0.0.1"]).0, 0);
    let (status, output) = run("sslcert.monitor", &["-p", &port, "--verify", "127.0.0.1"]);
    let words = "127.0.0.1(not trusted) \n127.0.0.1(127.0.0.1): the certificate is of no authority that is trusted here\n";
    // A machine that trusts no authority at all says that instead.
    let nobody = "sslcert.monitor: this machine trusts no certificate authority\n";
    assert!(status == 1 && (output == words || output == nobody), "{output}");
}

#[test]
fn starttls() {
    match Postfix::start() {
        Ok(postfix) => {
            let port = postfix.port().to_string();
            let expiry = lab::expiry(&postfix.dir.join("server.pem"));
            let (status, output) =
                run("sslcert.monitor", &["--starttls", "smtp", "-w", "1", "-p", &port, "localhost"]);
            assert_eq!((status, output), (0, format!("Expiry {0}\nlocalhost expires {0}\n", expiry)));
        }
        Err(why) => skipped("sslcert.monitor with postfix", &why),
    }
    if let Some(dovecot) = Dovecot::start_for("sslcert.monitor with dovecot") {
        for (protocol, port) in [("imap", dovecot.imap().0), ("pop3", dovecot.pop3().0)] {
            let words = ["--starttls", protocol, "-w", "1", "-p", &port, "127.0.0.1"];
            let good = format!("Expiry {0}\n127.0.0.1 expires {0}\n", dovecot.expiry());
            assert_eq!(run("sslcert.monitor", &words), (0, good));
        }
    }
}

/// Names need a hosts file of their own: a mount namespace has one, which root may make.
#[test]
fn wildcards_and_names_with_several_addresses() {
    let Some(nginx) = nginx() else { return };
    let place = Place::new();
    let hosts = "127.0.0.1 localhost good.probes.test www.wild.probes.test deep.er.wild.probes.test\n\
                 127.0.0.1 two.wild.probes.test\n127.0.0.9 two.wild.probes.test\n";
    fs::write(place.path("hosts"), hosts).expect("our own directory is writable");
    let port = nginx.tls_port();
    let ask = |words: &[&str]| {
        let monitor = [env!("CARGO_BIN_EXE_mon"), "run", "sslcert.monitor", "-p", &port];
        let command = lab::with_file(&place.path("hosts"), "/etc/hosts", &[&monitor[..], words].concat());
        command.map(|mut command| output(&mut command))
    };
    if ask(&[]).is_none() {
        return skipped("sslcert.monitor with names", "only root may make a mount namespace");
    }
    let ask = |words: &[&str]| ask(words).expect("it worked before");
    let until = date(400);
    let good =
        format!("Expiry {until}\ngood.probes.test expires {until}\nwww.wild.probes.test expires {until}\n");
    assert_eq!(ask(&["-s", "1", "good.probes.test", "www.wild.probes.test"]), (0, good));
    let deep = "deep.er.wild.probes.test";
    let (status, output) = ask(&[deep]);
    assert!(status == 1 && output.starts_with(&format!("{deep}(no commonName in cert) \n")), "{output}");
    let two = format!(
        "two.wild.probes.test(unavailable) \nCan't connect to two.wild.probes.test(127.0.0.9) port {port} via TCP. \
         (Connection refused)\n"
    );
    assert_eq!(ask(&["-4", "two.wild.probes.test"]), (1, two));
}
