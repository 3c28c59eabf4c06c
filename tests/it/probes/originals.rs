//! The same options, the same servers: the Perl programs and ours must say the same.
//!
//! `smtp.monitor`, `pop3.monitor` and `imap.monitor` cannot work as shipped, for today's Perl refuses their call of
//! `hostname`; so copies in which that one call is mended speak for them.

use std::path::Path;
use std::process::Command;

use super::lab::{self, Nginx, output, run};
use super::stand_in::{End, talker};
use crate::support::{Place, skipped};

const FOLDER: &str = "/usr/lib/mon/mon.d";

/// The original, or a copy that can work; `None` if it is not installed.
fn original(place: &Place, name: &str) -> Option<std::path::PathBuf> {
    let shipped = Path::new(FOLDER).join(name);
    let Ok(text) = std::fs::read_to_string(&shipped) else {
        skipped(name, "the original is not installed (apt-get install mon)");
        return None;
    };
    if !text.contains("&hostname") {
        return Some(shipped);
    }
    place.script(name, &text.replace("&hostname", "hostname()"));
    Some(place.path(name))
}

/// Both say the same to these words.
fn same(program: &Path, name: &str, words: &[&str]) {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").args(words);
    // A second may have passed between the two.
    let undated = |(status, text): (i32, String)| {
        let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("Date: "));
        (status, lines.collect::<String>())
    };
    let theirs = undated(output(&mut command));
    assert_eq!(undated(run(name, words)), theirs, "{name} {words:?}; left is ours");
}

#[test]
fn http() {
    let place = Place::new();
    let Some(program) = original(&place, "http.monitor") else { return };
    let Some(nginx) = Nginx::start_for("http.monitor beside the original") else { return };
    let (port, slow) = (nginx.port(), talker(&[""], End::SayNothingMore));
    let half = talker(&["HTTP/1.0 200 OK\nA: b\r\n\r\nhello\n"], End::SayNothingMore);
    let bare = talker(&["HTTP/1.0 200 OK"], End::HangUp);
    let odd = talker(&["HTTP/1.0 500 caf\u{e9}\r\n\r\n\r\n"], End::HangUp);
    let host = "127.0.0.1";
    for words in [
        &["-p", &port, host][..],
        &["-p", &port, "-o", host, "127.0.0.2"],
        &["-op", &port, host, host],
        &["-p", &port, "-u", "/404", host],
        &["-p", &port, "-u", "/401", host],
        &["-p", &port, "-u", "/303", host],
        &["-p", &port, "-u", "/500", "-m", "hello", host],
        &["-p", &port, "-m", "good.?bye", host],
        &["-p", &port, "-m", "nginx$", host],
        &["-p", &port, "-m", "(\\w)\\1", host],
        &["-p", &port, "-m", "0", host],
        &["-p", &port, "-m", "", "-u", "", host],
        &["-p", &port, "-u", "/404", "--", host],
        &["-p", &port],
        &["-t", "2", "-p", &slow, host],
        &["-t", "2", "-p", &slow, "-m", "x", host],
        &["-t", "2", "-p", &half, host],
        &["-t", "2", "-p", &half, "-m", "hello", host],
        &["-t", "2", "-p", &half, "-m", "bye", host],
        &["-p", &bare, host],
        &["-p", &bare, "-m", "OK", host],
        &["-p", &odd, host],
    ] {
        same(&program, "http.monitor", words);
    }
}

#[test]
fn smtp() {
    let place = Place::new();
    let Some(program) = original(&place, "smtp.monitor") else { return };
    let host = "127.0.0.1";
    for (says, end) in [
        (&["220 lab ESMTP\r\n", "250 lab\r\n", "221 bye\r\n"][..], End::HangUp),
        (&["220-a\r\n220 lab\r\n", "250-a\r\n250-b\r\n250 c\r\n", "221 bye\r\n"], End::HangUp),
        (&["554 no\r\n"], End::HangUp),
        (&["220 lab\r\n", "550 no\r\n"], End::HangUp),
        (&["220 lab\r\n", "250 hi\r\n", "500 no\r\n"], End::HangUp),
        (&[""], End::HangUp),
        (&["220 lab\r\n"], End::SayNothingMore),
        (&[""], End::SayNothingMore),
    ] {
        same(&program, "smtp.monitor", &["-t", "2", "-p", &talker(says, end), host]);
    }
    same(&program, "smtp.monitor", &[]);
}

#[test]
fn pop3() {
    let place = Place::new();
    let Some(program) = original(&place, "pop3.monitor") else { return };
    let host = "127.0.0.1";
    for (says, end) in [
        (&["+OK lab\r\n", "+OK bye\r\n"][..], End::HangUp),
        (&["+OK lab\r\n"], End::SayNothingMore),
        (&[""], End::SayNothingMore),
    ] {
        same(&program, "pop3.monitor", &["-t", "2", "-p", &talker(says, end), host]);
    }
    same(&program, "pop3.monitor", &["-p", &lab::refused(), host, "127.0.0.2"]);
    same(&program, "pop3.monitor", &[]);
}

#[test]
fn imap() {
    let place = Place::new();
    let Some(program) = original(&place, "imap.monitor") else { return };
    let host = "127.0.0.1";
    for (says, end) in [
        (&["* OK lab\r\n", "A1 OK in\r\n", "A3 OK out\r\n"][..], End::HangUp),
        (&["* PREAUTH lab\r\n", "* idle\r\nA1 OK in\r\n", "* BYE\r\nA3 OK out\r\n"], End::HangUp),
        (&["+OK lab\r\n"], End::HangUp),
        (&["* OK lab\r\n", "A1 OK in\r\n", "A3 BAD out\n"], End::HangUp),
        (&["* OK lab\r\n", "A1 NO anonymous refused\n"], End::HangUp),
        (&["* BYE lab\r\n"], End::HangUp),
        (&[""], End::SayNothingMore),
    ] {
        same(&program, "imap.monitor", &["-t", "2", "-p", &talker(says, end), host]);
    }
    let mailbox = talker(
        &["* OK lab\r\n", "A1 OK in\r\n", "A2 OK [READ-ONLY] there\r\n", "A3 OK out\r\n"],
        End::HangUp,
    );
    same(&program, "imap.monitor", &["-m", "INBOX", "-p", &mailbox, host]);
    let none = talker(&["* OK lab\r\n", "A1 OK in\r\n", "A2 NO none\n"], End::HangUp);
    same(&program, "imap.monitor", &["-m", "INBOX", "-p", &none, host]);
    same(&program, "imap.monitor", &[]);
}
