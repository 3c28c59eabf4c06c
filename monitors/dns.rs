//! `dns.monitor`: do name servers have the zones they should, or answer the questions they should?

mod ask;
mod judge;
pub mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use remon_core::getopt::{self, Options, Takes};

use self::ask::Manner;
pub use self::judge::{Answer, Query, Zones, judge_queries};
use self::message::{Question, SOA};
use crate::invocation::{self, Invocation};
use crate::parallel;
use crate::report::Report;

const USAGE: &str = "usage: dns.monitor -zone ZONE... -master SERVER... [OPTION]... SERVER...
       dns.monitor -caching_only -query NAME[:TYPE[:NAME]]... [OPTION]... SERVER...

Compares the serial of each zone on every server with that of its masters; or
asks caching servers.

  -zone ZONE              a zone; several options for several zones
  -master SERVER          a server whose serial is right; the greatest of several
  -serial_threshold N     how far serials may be apart (0)
  -failsingle             fail when any master fails, not only when all do
  -caching_only           ask for names, with recursion, instead of zones
  -query NAME[:TYPE[:NAME2]]
                          a name to ask for; type A if none is named; with NAME2
                          one answer must be the same for both names
  -tcp                    ask over TCP instead of UDP
  -retry N                how often a question is sent (2)
  -retransmit SECS        until it is sent again; doubles from time to time (5)
  -timeout SECS           an end to all of it
  -port PORT              in place of port 53
  -debug                  say what each server answered
  -help                   this text

All servers are asked at the same time. Exit status: how many servers failed for
one zone or name; 251 when no master can be used, 252 when masters differ, 255
when the command line is wrong.
";

/// A name after `=` is ours and must be spelled whole, so that the original's abbreviations stay clear.
const OPTIONS: [(&str, Takes); 13] = [
    ("master", Takes::Value),
    ("zone", Takes::Value),
    ("serial_threshold", Takes::Value),
    ("caching_only", Takes::Nothing),
    ("query", Takes::Value),
    ("retry", Takes::Number),
    ("retransmit", Takes::Number),
    ("timeout", Takes::Number),
    ("tcp", Takes::Nothing),
    ("debug", Takes::Nothing),
    ("failsingle", Takes::Nothing),
    ("=help", Takes::Nothing),
    ("=port", Takes::Number),
];

const PORT: u16 = 53;
const DEFAULT_TRIES: u32 = 2;
const MOST_TRIES: i64 = 20;
const DEFAULT_RETRANSMIT: Duration = Duration::from_secs(5);

/// Exit status: the command line is wrong.
const WRONG: u8 = 255;

/// Answers by server and question.
type Answers = BTreeMap<(String, Question), Answer>;

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::long(&OPTIONS, &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let outcome = if options.has("caching_only") { queries(&options) } else { zones(&options) };
    outcome.unwrap_or_else(|refusal| refusal)
}

/// The command line is wrong: the first words become the summary.
fn refusal(words: &str, rest: &str) -> Report {
    Report { exit: WRONG, detail: rest.to_owned(), ..Report::refusal(words) }
}

/// What both modes refuse.
fn check(options: &Options, needs: &[(&str, &str)]) -> Result<(), Report> {
    if let Some((first, rest)) = options.complaints.split_first() {
        let rest = rest.iter().map(|line| format!("{line}\n")).collect::<String>();
        return Err(refusal(first, &(rest + "Problems with Options, sorry\n")));
    }
    if options.words.is_empty() {
        return Err(refusal("dns.monitor: at least one server must be specified", USAGE));
    }
    match needs.iter().find(|(option, _)| options.value(option).is_none()) {
        Some((_, words)) => Err(refusal(&format!("dns.monitor: {words}"), USAGE)),
        None => Ok(()),
    }
}

fn zones(options: &Options) -> Result<Report, Report> {
    let needs = [
        ("master", "The zone master server must be specified"),
        ("zone", "At least one zone must be specified"),
    ];
    check(options, &needs)?;
    let all = |name| options.all(name).map(str::to_owned).collect::<Vec<_>>();
    let zones = Zones {
        zones: all("zone"),
        masters: all("master"),
        servers: options.words.clone(),
        threshold: options.value("serial_threshold").and_then(getopt::leading_number).unwrap_or(0.0),
        failsingle: options.has("failsingle"),
    };
    let question = |zone: &str| Question::new(zone, SOA);
    let servers = zones.masters.iter().chain(&zones.servers);
    let wanted = servers.flat_map(|server| zones.zones.iter().map(|zone| (server.clone(), question(zone))));
    let answers = ask_all(wanted.collect(), manner(options, false)?);
    let report = zones.judge(|zone, server| found(&answers, server, question(zone)));
    Ok(told(report, options, &answers))
}

fn queries(options: &Options) -> Result<Report, Report> {
    check(options, &[("query", "At least one query must be specified")])?;
    let mut queries = Vec::new();
    for word in options.all("query") {
        let mut parts = word.split(':');
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (name, kind, like) = (part().unwrap_or_default(), part(), part());
        queries.push(Query { name, kind: kind.unwrap_or_else(|| "A".to_owned()), like });
    }
    if let Some(query) = queries.iter().find(|query| message::kind(&query.kind).is_none()) {
        return Err(refusal(&format!("dns.monitor: there is no query type {}", query.kind), USAGE));
    }
    let question = |name: &str, kind: &str| Question::new(name, message::kind(kind).unwrap_or_default());
    let names = queries
        .iter()
        .flat_map(|query| Some(&query.name).into_iter().chain(&query.like).map(|name| (name, &query.kind)));
    let wanted = names.flat_map(|(name, kind)| {
        options.words.iter().map(move |server| (server.clone(), question(name, kind)))
    });
    let answers = ask_all(wanted.collect(), manner(options, true)?);
    let report = judge_queries(&queries, &options.words, |name, kind, server| {
        found(&answers, server, question(name, kind))
    });
    Ok(told(report, options, &answers))
}

fn manner(options: &Options, recurse: bool) -> Result<Manner, Report> {
    let number = |name| options.value(name).and_then(|value| value.parse::<i64>().ok()).filter(|n| *n > 0);
    let port = match options.value("port") {
        None => PORT,
        Some(port) => {
            port.parse().map_err(|_| refusal(&format!("dns.monitor: there is no port {port}"), USAGE))?
        }
    };
    Ok(Manner {
        port,
        recurse,
        // As in the original: caching servers are asked over UDP, whatever is said.
        tcp: options.has("tcp") && !recurse,
        tries: number("retry").map_or(DEFAULT_TRIES, |tries| tries.min(MOST_TRIES) as u32),
        retransmit: invocation::seconds(options.value("retransmit"), DEFAULT_RETRANSMIT),
        timeout: number("timeout").map(|seconds| Duration::from_secs(seconds.unsigned_abs())),
    })
}

/// Every question to its server, all at the same time.
fn ask_all(wanted: BTreeSet<(String, Question)>, manner: Manner) -> Answers {
    let wanted = wanted.into_iter().collect::<Vec<_>>();
    let numbers = (0..wanted.len()).map(|number| number.to_string()).collect::<Vec<_>>();
    let (questions, span) = (wanted.clone(), manner.span());
    let answers = parallel::probe_hosts(&numbers, span, move |number, deadline| {
        let (server, question) = number.parse::<usize>().ok().and_then(|number| questions.get(number))?;
        Some(manner.ask(server, question, deadline))
    });
    let answers = answers.into_iter().map(|answer| answer.flatten().unwrap_or_else(|| SILENCE.clone()));
    wanted.into_iter().zip(answers).collect()
}

/// For a server that was never heard.
static SILENCE: std::sync::LazyLock<Answer> = std::sync::LazyLock::new(|| Err("query timed out".to_owned()));

fn found<'a>(answers: &'a Answers, server: &str, question: Question) -> &'a Answer {
    answers.get(&(server.to_owned(), question)).unwrap_or(&SILENCE)
}

/// The report, with what each server answered if that is wanted.
fn told(mut report: Report, options: &Options, answers: &Answers) -> Report {
    if options.has("debug") {
        for ((server, question), answer) in answers {
            let words = match answer {
                Ok(response) => {
                    let data = response
                        .answers
                        .iter()
                        .map(|record| format!(", {} {}", message::kind_name(record.kind), record.data));
                    response.rcode_name() + &data.collect::<String>()
                }
                Err(why) => why.clone(),
            };
            report.detail +=
                &format!("{server}: {} {}: {words}\n", question.name, message::kind_name(question.kind));
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use message::{Record, Response};

    fn soa(serial: u32) -> Answer {
        let record = Record { kind: SOA, serial: Some(serial), data: serial.to_string() };
        Ok(Response { truncated: false, authoritative: true, rcode: 0, answers: vec![record] })
    }

    fn refused() -> Answer {
        Ok(Response { truncated: false, authoritative: false, rcode: 5, answers: Vec::new() })
    }

    /// The servers of the recorded samples: `good` has 100, `old` 99, `lame` is not authoritative, the rest refuses.
    fn lab(server: &str) -> &'static Answer {
        let answer = match server {
            "good" | "twin" => soa(100),
            "old" => soa(99),
            "older" => soa(90),
            "lame" => soa(100).map(|response| Response { authoritative: false, ..response }),
            "empty" => refused().map(|response| Response { rcode: 0, ..response }),
            "silent" => Err("query timed out".to_owned()),
            _ => refused(),
        };
        Box::leak(Box::new(answer))
    }

    fn judged(zones: &str, masters: &str, servers: &str, threshold: f64, failsingle: bool) -> (String, u8) {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let zones = Zones {
            zones: list(zones),
            masters: list(masters),
            servers: list(servers),
            threshold,
            failsingle,
        };
        let report = zones.judge(|zone, server| if zone == "z" { lab(server) } else { lab("other") });
        (report.text(), report.exit)
    }

    #[test]
    fn zones_that_are_well() {
        for (masters, servers, threshold) in
            [("good", "good twin", 0.0), ("bad good", "twin", 0.0), ("good old", "old", 1.0)]
        {
            assert_eq!(judged("z", masters, servers, threshold, false), (String::new(), 0), "{masters}");
        }
    }

    #[test]
    fn servers_that_fail() {
        let (text, exit) = judged("z", "good", "twin old bad lame silent empty", 0.0, false);
        let expect = "old bad lame silent empty(z) \nZone 'z': failed servers: old bad lame silent empty\n\n\
            Query to old about z failed\nAuthoritative = yes\nAnswer count = 1\nAnswer Type = SOA\n\
            Serial number = 99, should have been 100\n\nSOA query for z from bad failed REFUSED\n\n\
            Query to lame about z failed\nAuthoritative = no\nAnswer count = 1\nAnswer Type = SOA\n\
            Serial number = 100, should have been 100\n\nSOA query for z from silent failed query timed out\n\n\
            SOA query for z from empty failed NOERROR\n    Empty answer received.  (No zone on server?)\n\n";
        assert_eq!((text.as_str(), exit), (expect, 5));
        let many = vec!["old"; 300].join(" ");
        assert_eq!(judged("z", "good", &many, 0.0, false).1, 250);
    }

    #[test]
    fn masters_that_fail() {
        let none = "(z) \nZone 'z': failed servers: \nSOA query for z from bad failed REFUSED\n\n";
        assert_eq!(judged("z", "bad", "good", 0.0, false), (none.to_owned(), 251));
        let (text, exit) = judged("z", "bad lame", "good", 0.0, false);
        assert!(
            text.contains("from bad failed") && text.contains("lame is not authoritative for z"),
            "{text}"
        );
        assert_eq!(exit, 251);
        let one = "bad(z) \nZone 'z': failed servers: bad\nSOA query for z from bad failed REFUSED\n\n";
        assert_eq!(judged("z", "good bad", "good", 0.0, true), (one.to_owned(), 251));
        let differ = "older(z) \nZone 'z': failed servers: older\n\nQuery to older about z failed\n\
            Serial number = 90, should have been 100\n\n";
        assert_eq!(judged("z", "good older", "good", 5.0, false), (differ.to_owned(), 252));
    }

    #[test]
    fn each_zone_has_its_own_servers() {
        let (text, exit) = judged("z y", "good", "old", 0.0, false);
        assert!(text.starts_with("old(z) (y) \nZone 'z': failed servers: old\n\n"), "{text}");
        assert!(
            text.ends_with("\nZone 'y': failed servers: \nSOA query for y from good failed REFUSED\n\n"),
            "{text}"
        );
        assert_eq!(exit, 251);
    }

    #[test]
    fn command_lines() {
        let text = |words: &[&str]| {
            let report = run(&Invocation::of(words));
            (report.summary, report.exit)
        };
        for (words, summary) in [
            (&["-frob", "s"][..], "Unknown option: frob"),
            (&["-retry", "x", "s"], "Value \"x\" invalid for option retry (number expected)"),
            (&[], "dns.monitor: at least one server must be specified"),
            (&["-zone", "x", "s"], "dns.monitor: The zone master server must be specified"),
            (&["-master", "m", "s"], "dns.monitor: At least one zone must be specified"),
            (&["-caching_only", "s"], "dns.monitor: At least one query must be specified"),
            (&["-cach", "-query", "a:ZORK", "s"], "dns.monitor: there is no query type ZORK"),
            (&["-port", "99999", "-zone", "z", "-master", "m", "s"], "dns.monitor: there is no port 99999"),
        ] {
            assert_eq!(text(words), (summary.to_owned(), 255), "{words:?}");
        }
    }
}
