//! What name servers, fping and plugins say, and packets that may be echo replies.

use std::time::Duration;

use remon_monitors::child::{End, Ran};
use remon_monitors::dns::message::{Question, Response, SOA};
use remon_monitors::dns::{self, Zones};
use remon_monitors::icmp::{self, Kind};
use remon_monitors::nagios::{self, Said};
use remon_monitors::{fping, heartbeat};

use super::text_of;

/// A response of the DNS is read to its end, and is one only if it answers what was asked.
pub(super) fn names(bytes: &[u8]) {
    let question = Question::new("example.test", SOA);
    let id = bytes.first_chunk::<2>().map_or(0, |id| u16::from_be_bytes(*id));
    let response = Response::read(bytes, id, &question);
    assert_eq!(Response::read(bytes, id.wrapping_add(1), &question), None);
    if let Some(response) = &response {
        assert!(bytes.len() >= 12 && bytes[2] & 0x80 != 0);
        assert!(response.answers.len() * 11 <= bytes.len(), "no record is shorter");
        assert!(response.answers.iter().all(|record| record.serial.is_none() || record.kind == SOA));
    }
    let good = response.as_ref().is_some_and(|response| {
        response.authoritative && response.answers.len() == 1 && response.answers[0].serial.is_some()
    });
    let answer = response.ok_or_else(|| "query timed out".to_owned());
    let list = |word: &str| vec![word.to_owned()];
    let zones = Zones { zones: list("z"), masters: list("m"), servers: list("s"), ..Zones::default() };
    let report = zones.judge(|_, _| &answer);
    assert_eq!((report.exit == 0, report.text().is_empty()), (good, good));
    let query =
        |like: Option<&str>| dns::Query { name: "n".into(), kind: "A".into(), like: like.map(str::to_owned) };
    let some = answer.as_ref().is_ok_and(|response| !response.answers.is_empty());
    for like in [None, Some("n")] {
        let report = dns::judge_queries(&[query(like)], &list("s"), |_, _, _| &answer);
        assert_eq!(report.exit == 0, some, "a name is always like itself");
    }
    let token = *b"0123456789abcdef";
    for kind in [Kind::V4, Kind::V4Raw, Kind::V6] {
        assert!(!icmp::is_reply(kind, bytes, &token) || bytes.windows(16).any(|window| window == token));
    }
}

/// Whatever a program says, a failure has a summary, and what is said of one host never hides another.
pub(super) fn plugins(bytes: &[u8]) {
    let text = text_of(bytes);
    let hosts = ["a", "b"].map(str::to_owned);
    let seen = fping::read(&text, &hosts);
    for status in [0, 1, 2, 3, 4, 5] {
        let ran = Ran { output: Vec::new(), end: End::Exited(status) };
        let rules = fping::Rules { slow: Some("10".to_owned()), any: false };
        let report = fping::judge(&rules, &hosts, &seen, &ran, "", Duration::ZERO);
        assert!(status == 0 || report.exit != 0);
        assert!(report.exit == 0 || !report.summary.is_empty());
        assert!(!report.summary.contains('\n'));
    }
    let said = Said::read(&text);
    assert!(!said.first.contains(['\n', '|']) && said.long.iter().all(|line| !line.contains('\n')));
    for (status, exit) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)] {
        let attempt = nagios::Attempt::Ran { said: said.clone(), end: End::Exited(status) };
        let rules = nagios::Rules { warning_fails: true, unknown_fails: true, summaries: true, seconds: 1.0 };
        let report = nagios::judge_hosts(&hosts, &[Some(attempt.clone()), None], &rules);
        assert!(report.exit == 2 && report.summary.ends_with("b(plugin killed after 1 s)"));
        let report = nagios::judge_one(&attempt, &rules);
        assert_eq!(report.exit, exit);
        assert!(!report.summary.is_empty() && !report.summary.contains('\n'));
    }
    assert!(heartbeat::judge(bytes).is_err() || bytes.starts_with(b"HTTP/"));
}
