//! What servers answer our monitors: pages, lines, certificates.

use remon_core::text::encode;
use remon_monitors::canned::Canned;
use remon_monitors::certificate::Validity;
use remon_monitors::dialogue::Dialogue;
use remon_monitors::imap::Visit;
use remon_monitors::starttls::Protocol;
use remon_monitors::{Attempt, Pattern, Trouble, http, imap, pop3, smtp};

/// An answer over HTTP, and a certificate: a definite verdict, and a report in which it cannot pass for another host's.
pub(super) fn pages(bytes: &[u8]) {
    let pattern = Pattern::new("(?i)h.llo(?!x)|(.)\\1{3}$").expect("it is a pattern");
    let page = http::examine(bytes, Some(&pattern));
    assert!(bytes.starts_with(&encode(&page.header)), "what is told was sent, byte for byte");
    assert!(!page.good_status || bytes.starts_with(b"HTTP/"));
    let without = http::examine(bytes, None);
    assert_eq!((without.good_status, &without.header), (page.good_status, &page.header));
    let answer = http::Answer { page: without.clone(), broken: None, certificate: None };
    let report = http::judge(&["h".to_owned()], &[Some(Ok(answer))], "30", false);
    assert_eq!((report.exit, report.summary.as_str()), if without.good_status { (0, "") } else { (1, "h") });
    if let Some(validity) = Validity::read(bytes) {
        for now in [i64::MIN, 0, 1_795_305_600, i64::MAX] {
            assert!(!validity.words(now).is_empty());
            let _ = validity.days_left(now);
        }
    }
}

/// Whatever a server says, the conversation ends, and well only if what it began with says so.
pub(super) fn dialogues(bytes: &[u8]) {
    let talk = |good: &[&[u8]], converse: &dyn Fn(&mut Dialogue<&mut Canned>) -> Result<(), Trouble>| {
        let mut canned = Canned::new(bytes);
        let mut dialogue = Dialogue::new(&mut canned);
        let outcome = converse(&mut dialogue);
        let heard = dialogue.heard();
        assert!(outcome.is_err() || good.iter().any(|good| bytes.starts_with(good)), "{outcome:?}");
        assert!(bytes.starts_with(&encode(&heard)), "what is told was sent, byte for byte");
        assert!(canned.heard().lines().count() <= 4, "it says a few words, not many");
        Attempt { outcome, heard, certificate: None }
    };
    let hosts = ["h".to_owned()];
    let attempt = talk(&[b"220"], &|dialogue| smtp::converse(dialogue, "us", false));
    let good = attempt.outcome.is_ok();
    assert_eq!(smtp::judge(&hosts, &[Some(attempt)], "25").exit == 0, good);
    let attempt = talk(&[b"+OK"], &|dialogue| pop3::converse(dialogue, false));
    let good = attempt.outcome.is_ok();
    assert_eq!(pop3::judge(&hosts, &[Some(attempt)], "30").exit == 0, good);
    let visit = Visit::Login(Some("INBOX".to_owned()));
    let attempt =
        talk(&[b"* OK", b"* PREAUTH", b"* BYE"], &|dialogue| imap::converse(dialogue, &visit, false));
    let good = attempt.outcome.is_ok();
    assert_eq!(imap::judge(&hosts, &[Some(attempt)]).exit == 0, good);
    for protocol in [Protocol::Smtp, Protocol::Pop3, Protocol::Imap] {
        talk(&[b"220", b"+OK", b"* "], &|dialogue| protocol.start(dialogue));
    }
}
