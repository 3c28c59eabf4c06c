//! `smtp.monitor`, `pop3.monitor`, `imap.monitor` with Postfix, Dovecot, and servers that are none.

use std::time::{Duration, Instant};

use super::http::NO_NAME;
use super::lab::{self, Dovecot};
use super::stand_in::{End, talker};
use crate::support::servers::Postfix;
use crate::support::skipped;

/// A certificate that is good for two days and was made in this very second has two whole days left.
fn run(name: &str, words: &[&str]) -> (i32, String) {
    let (status, output) = lab::run(name, words);
    (status, output.replace("2 days left", "1 day left"))
}

const RULE: &str = "==============================================================================";

#[test]
fn smtp_with_postfix() {
    let postfix = match Postfix::start() {
        Ok(postfix) => postfix,
        Err(why) => return skipped("smtp.monitor with postfix", &why),
    };
    let port = postfix.port().to_string();
    let tls_port = postfix.tls_port().to_string();
    let ca = postfix.dir.join("ca.pem").to_string_lossy().into_owned();
    let lines = "220 mail.test ESMTP Postfix\r\n250 mail.test\r\n221 2.0.0 Bye\r\n";
    let good =
        |host: &str, more: &str| format!("{host} succeeded\ndetail for {host}\n{RULE}\n{lines}{more}\n");
    assert_eq!(
        run("smtp.monitor", &["-p", &port, "127.0.0.1"]),
        (0, format!("\n\n{}", good("127.0.0.1", "")))
    );
    let (status, output) = run("smtp.monitor", &["-p", &port, "127.0.0.9", "127.0.0.1", NO_NAME]);
    assert_eq!(status, 1);
    let refused = format!(
        "127.0.0.9 {NO_NAME}\n127.0.0.9 failed with error Unable to create SMTP connection to port {port}: \
         Connection refused\ndetail for 127.0.0.9\n{RULE}\nno detail\n\n{NO_NAME} failed with error cannot resolve hostname: "
    );
    assert!(output.starts_with(&refused), "{output}");
    assert!(output.ends_with(&format!("no detail\n\n\n{}", good("127.0.0.1", ""))), "{output}");
    let expiry =
        format!("certificate expires {}, 1 day left\n", lab::expiry(&postfix.dir.join("server.pem")));
    let (status, output) = run("smtp.monitor", &["--tls", "--ca", &ca, "-p", &tls_port, "localhost"]);
    assert_eq!((status, output), (0, format!("\n\n{}", good("localhost", &expiry))));
    let (status, output) = run("smtp.monitor", &["--starttls", "--ca", &ca, "-p", &port, "localhost"]);
    assert_eq!(status, 0, "{output}");
    assert!(
        output.contains("250-STARTTLS\r\n") && output.contains("220 2.0.0 Ready to start TLS\r\n"),
        "{output}"
    );
    assert!(output.ends_with(&format!("250 mail.test\r\n221 2.0.0 Bye\r\n{expiry}\n")), "{output}");
    let (status, output) =
        run("smtp.monitor", &["--starttls", "--ca", &ca, "-p", &port, "127.0.0.1", "127.0.0.2"]);
    assert!(status == 1 && output.starts_with("127.0.0.2\n"), "postfix listens at 127.0.0.1 only: {output}");
    let (status, output) =
        run("smtp.monitor", &["--starttls", "--days", "14", "--ca", &ca, "-p", &port, "localhost"]);
    let soon = format!("localhost\nlocalhost failed with error TLS: {expiry}");
    assert!(status == 1 && output.starts_with(&soon), "{output}");
    let other = postfix.dir.join("other-ca.pem").to_string_lossy().into_owned();
    let (status, output) = run("smtp.monitor", &["--tls", "--ca", &other, "-p", &tls_port, "localhost"]);
    assert!(
        status == 1 && output.contains("failed with error TLS: the certificate is of no authority"),
        "{output}"
    );
}

#[test]
fn smtp_with_servers_that_are_none() {
    for (says, end, error, heard) in [
        (&["554 no thanks\r\n"][..], End::HangUp, "did not receive 220 greeting", "554 no thanks\r\n"),
        (&[""], End::HangUp, "did not receive 220 greeting", "no detail\n"),
        (
            &["220 lab\r\n", "550 go away\r\n"],
            End::HangUp,
            "did not get 250 response to HELO",
            "220 lab\r\n550 go away\r\n",
        ),
        (
            &["220 lab\r\n", "250 hi\r\n", "500 no\r\n"],
            End::HangUp,
            "did not get 221 response to quit",
            "220 lab\r\n250 hi\r\n500 no\r\n",
        ),
        (&["220 lab\r\n"], End::SayNothingMore, "timeout", "220 lab\r\n"),
        (&[""], End::SayNothingMore, "timeout", "no detail\n"),
    ] {
        let port = talker(says, end);
        let (status, output) = run("smtp.monitor", &["-t", "2", "-p", &port, "127.0.0.1"]);
        let expect = format!(
            "127.0.0.1\n127.0.0.1 failed with error {error}\ndetail for 127.0.0.1\n{RULE}\n{heard}\n\n"
        );
        assert_eq!((status, output), (1, expect), "{says:?}");
    }
    let port = talker(&["220 lab\r\n", "250-lab\r\n250 HELP\r\n"], End::HangUp);
    let (status, output) = run("smtp.monitor", &["--starttls", "--insecure", "-p", &port, "127.0.0.1"]);
    assert!(
        status == 1 && output.contains("failed with error the server does not offer STARTTLS\n"),
        "{output}"
    );
    assert_eq!(run("smtp.monitor", &[]), (0, "\n\n".to_owned()));
}

/// Words that came before the encryption began would be taken for words that came by it.
#[test]
fn nothing_is_slipped_in_before_the_encryption() {
    let port =
        talker(&["220 lab\r\n", "250 STARTTLS\r\n", "220 go\r\n250 forged\r\n221 forged\r\n"], End::HangUp);
    let (status, output) = run("smtp.monitor", &["--starttls", "--insecure", "-p", &port, "127.0.0.1"]);
    let error = "failed with error TLS: the server speaks before the encryption begins\n";
    assert!(status == 1 && output.contains(error), "{output}");
}

#[test]
fn pop3_and_imap_with_dovecot() {
    let Some(dovecot) = Dovecot::start_for("pop3.monitor and imap.monitor with dovecot") else { return };
    let ca = dovecot.ca();
    let expiry = |host: &str| format!("\n{host}: certificate expires {}, 1 day left\n", dovecot.expiry());
    let well = (0, String::new());
    for (name, (port, tls_port), unable) in [
        ("pop3.monitor", dovecot.pop3(), "127.0.0.9: Connection refused\n"),
        ("imap.monitor", dovecot.imap(), "\n127.0.0.9: Unable to connect: Connection refused\n"),
    ] {
        assert_eq!(run(name, &["-p", &port, "127.0.0.1", "localhost"]), well);
        let (status, output) = run(name, &["-p", &port, "127.0.0.1", NO_NAME, "127.0.0.9"]);
        assert!(status == 1 && output.starts_with(&format!("127.0.0.9 {NO_NAME}\n")), "{output}");
        assert!(output.contains(&format!("\n{NO_NAME}: cannot resolve hostname: ")), "{output}");
        assert!(output.ends_with(unable.trim_start()), "{output}");
        assert_eq!(
            run(name, &["--tls", "--ca", &ca, "-p", &tls_port, "localhost"]),
            (0, expiry("localhost"))
        );
        assert_eq!(
            run(name, &["--starttls", "--ca", &ca, "-p", &port, "127.0.0.1"]),
            (0, expiry("127.0.0.1"))
        );
        let (status, output) =
            run(name, &["--starttls", "--ca", &ca, "--days", "9", "-p", &port, "127.0.0.1"]);
        assert!(status == 1 && output.contains("127.0.0.1: TLS: certificate expires "), "{output}");
        // The name is none of those in the certificate; nobody else is trusted.
        let (status, output) = run(name, &["--tls", "-p", &tls_port, "localhost"]);
        assert!(
            status == 1 && output.contains("localhost: TLS: the certificate is of no authority"),
            "{output}"
        );
    }
    let (imap, _) = dovecot.imap();
    assert_eq!(run("imap.monitor", &["-m", "INBOX", "-p", &imap, "127.0.0.1"]), well);
    assert_eq!(run("imap.monitor", &["--nologin", "-p", &imap, "127.0.0.1"]), well);
    let (status, output) = run("imap.monitor", &["-m", "nosuchbox", "-p", &imap, "127.0.0.1"]);
    assert!(
        status == 1 && output.starts_with("127.0.0.1\n\n127.0.0.1: bad response to examine: NO "),
        "{output}"
    );
}

#[test]
fn pop3_with_servers_that_are_none() {
    for (says, end, error) in [
        (&["-ERR go away\r\n"][..], End::HangUp, "bad response to greeting: -ERR go away"),
        (&["+OK lab\r\n", "-ERR no\r\n"], End::HangUp, "bad response to quit: -ERR no"),
        (&[""], End::HangUp, "no response to greeting"),
        (&["+OK lab\r\n"], End::SayNothingMore, "timeout(2)"),
    ] {
        let port = talker(says, end);
        let (status, output) = run("pop3.monitor", &["-t", "2", "-p", &port, "127.0.0.1"]);
        assert_eq!((status, output), (1, format!("127.0.0.1\n127.0.0.1: {error}\n")), "{says:?}");
    }
    assert_eq!(run("pop3.monitor", &[]), (0, String::new()));
}

#[test]
fn imap_with_servers_that_are_none() {
    for (says, end, error) in [
        (&["220 lab\r\n"][..], End::HangUp, "No IMAP banner received\n"),
        (
            &["* OK lab\r\n", "A1 NO anonymous refused\r\n"],
            End::HangUp,
            "bad response to login: NO anonymous refused\n",
        ),
        (&["* OK lab\r\n"], End::HangUp, "No response to login\n"),
        (&["* OK lab\r\n"], End::SayNothingMore, "**** Time Out\n\n"),
    ] {
        let port = talker(says, end);
        let (status, output) = run("imap.monitor", &["-t", "2", "-p", &port, "127.0.0.1"]);
        assert_eq!((status, output), (1, format!("127.0.0.1\n\n127.0.0.1: {error}")), "{says:?}");
    }
    assert_eq!(run("imap.monitor", &[]), (0, String::new()));
}

#[test]
fn a_flood_and_a_silence_end_in_time() {
    let flood = talker(&["220-x\r\n220-"], End::SayNothingMore);
    let (_silent, silent) = lab::silent();
    for (name, timeout) in
        [("smtp.monitor", " timeout\n"), ("pop3.monitor", ": timeout(1)\n"), ("imap.monitor", "Time Out\n")]
    {
        for (port, words) in [
            (&silent, &[][..]),
            (&silent, &["--tls", "--insecure"]),
            (&silent, &["--starttls", "--insecure"]),
            (&flood, &[]),
        ] {
            let begun = Instant::now();
            let hosts = ["127.0.0.1", "localhost"];
            let (status, output) = run(name, &[words, &["-t", "1", "-p", port], &hosts].concat());
            assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
            assert!(status == 1 && output.starts_with("127.0.0.1 localhost\n"), "{output}");
            assert!(port == &flood || output.contains(timeout), "{output}");
        }
    }
}
