//! What the record of a daemon tells, as events of a simulation.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Occurrence, What};
use crate::decision::Source;
use crate::engine::{Command, Ending, Fact, Recorded, Test};
use crate::nouns::{ServiceKey, Wall};
use crate::wire::command;

/// Traps that are the same are recorded as one with a count; no more than so many of them are sent again.
const MOST_TRAPS: u64 = 1000;

/// The facts that came from outside, as events. What follows by itself is left out: alerts, decisions, timeouts
/// of traps, results like the one before. Of traps that only counted, the record has the first and the last
/// moment; here they are evenly spread.
///
/// A result was recorded when its run ended, so it counts for a run that began before: for the one that an
/// operator asked for; else for one up to half an interval earlier, but not for that of the result before it.
#[must_use]
pub fn of_record(facts: &[Recorded], interval: impl Fn(&ServiceKey) -> Option<Duration>) -> Vec<Occurrence> {
    let mut events: Vec<(Order, What)> = Vec::new();
    let mut monitored: BTreeMap<ServiceKey, Monitored> = BTreeMap::new();
    for (number, recorded) in facts.iter().enumerate() {
        let Recorded { at, last, times, service, fact, .. } = recorded;
        let order = (*at, number, 1);
        match (fact, service) {
            (Fact::Result { source: Source::Monitor, again, exit, summary, detail, .. }, Some(service)) => {
                let known = monitored.entry(service.clone()).or_default();
                let order = known.began(*at, number, interval(service));
                known.until = Some(*last);
                let (ending, output) = (ending(*exit), output(summary, detail));
                let what = What::Result { service: service.clone(), ending, output, takes: None };
                events.extend((!again).then_some((order, what)));
            }
            (Fact::Result { source: Source::Trap, exit, summary, detail, .. }, Some(service)) => {
                let moments = spread(*at, *last, *times);
                events.extend(moments.map(|at| ((at, number, 1), trap(service, *exit, summary, detail))));
            }
            (Fact::Command { line, .. }, _) => {
                let command = command::parse(line);
                if command.changes_something() && command != Command::Term {
                    events.push((order, What::Command(line.to_string())));
                }
                if let Command::Test(Test::Monitor { group, service }) = command {
                    let key = ServiceKey { group: group.into(), service: service.into() };
                    monitored.entry(key).or_default().asked = Some((*at, number));
                }
            }
            // The first one is the beginning of the record.
            (Fact::Started, _) if !events.is_empty() => events.push((order, What::Restart(Vec::new()))),
            _ => {}
        }
    }
    events.sort_by_key(|(order, _)| *order);
    events.into_iter().map(|((at, ..), what)| Occurrence { at, what }).collect()
}

/// When something happens: the second, the number of the fact, and 0 for what must be known before it.
type Order = (Wall, usize, u8);

/// What is known of a service so far.
#[derive(Default)]
struct Monitored {
    /// When its last result came for the last time.
    until: Option<Wall>,
    /// The last run that an operator asked for. Of one whose result was that of the run before, the record has no
    /// result of its own.
    asked: Option<(Wall, usize)>,
}

impl Monitored {
    /// Where among the events the result belongs of a run that ended at `at`.
    fn began(&mut self, at: Wall, number: usize, interval: Option<Duration>) -> Order {
        if let Some((asked, number)) = self.asked.take() {
            return (asked, number, 0);
        }
        let half = interval.map_or(0, |interval| interval.as_secs().cast_signed() / 2);
        let earliest = self.until.map_or(Wall::MIN, |until| until.saturating_add(1));
        (at.saturating_sub(half).max(earliest).min(at), number, 0)
    }
}

/// A monitor that was killed has a status too, as a shell would say it: 128 and the signal.
fn ending(exit: i64) -> Ending {
    match u8::try_from(exit) {
        Ok(status) => Ending::Exited(status),
        Err(_) => Ending::Exited(1),
    }
}

fn trap(service: &ServiceKey, exit: i64, summary: &str, detail: &str) -> What {
    let status = exit.clamp(0, 255);
    What::Trap { service: service.clone(), status, output: output(summary, detail) }
}

fn output(summary: &str, detail: &str) -> String {
    match (summary, detail) {
        ("", "") => String::new(),
        (summary, "") => format!("{summary}\n"),
        (summary, detail) => format!("{summary}\n{}\n", detail.strip_suffix('\n').unwrap_or(detail)),
    }
}

/// So many moments from the first to the last one.
fn spread(first: Wall, last: Wall, times: u64) -> impl Iterator<Item = Wall> {
    let times = times.clamp(1, MOST_TRAPS).cast_signed();
    let span = last.saturating_sub(first).max(0);
    let step = move |n: Wall| i128::from(span) * i128::from(n) / i128::from((times - 1).max(1));
    (0..times).map(move |n| first + Wall::try_from(step(n)).unwrap_or(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nouns::OpStatus;

    fn fact(at: Wall, fact: Fact) -> Recorded {
        let service = Some(ServiceKey { group: "web".into(), service: "ping".into() });
        Recorded { id: at, at, last: at, times: 1, service, fact, ended: None }
    }

    fn result(source: Source, again: bool, exit: i64, detail: &str) -> Fact {
        let status = if exit == 0 { OpStatus::Ok } else { OpStatus::Fail };
        let (took, summary) = (None, "w1".into());
        Fact::Result { again, source, took, exit, status, summary, detail: detail.into() }
    }

    #[test]
    fn facts_from_outside_are_events_and_what_follows_from_them_is_not() {
        let command = |line: &str| Fact::Command { user: "amy".into(), line: line.into() };
        let traps = Recorded { last: 270, times: 4, ..fact(240, result(Source::Trap, true, 2, "")) };
        let facts = [
            fact(100, Fact::Started),
            fact(110, result(Source::Monitor, false, 3, "no answer\n\nat all\n")),
            fact(120, result(Source::Monitor, true, 3, "")),
            fact(130, command("ack web ping \"on it\"")),
            fact(140, command("list opstatus")),
            fact(150, command("term")),
            fact(160, Fact::Started),
            fact(170, result(Source::Monitor, false, 0, "")),
            fact(180, result(Source::TrapTimeout, false, 1, "")),
            fact(190, Fact::Status(OpStatus::Ok)),
            traps,
        ];
        let expect = "\
@110 fail web/ping exit 3 \"w1\"
    | no answer
    | 
    | at all
@130 command ack web ping \"on it\"
@160 restart
@170 ok web/ping \"w1\"
@240 trap web/ping exit 2 \"w1\"
@250 trap web/ping exit 2 \"w1\"
@260 trap web/ping exit 2 \"w1\"
@270 trap web/ping exit 2 \"w1\"
";
        assert_eq!(super::super::spell(&of_record(&facts, |_| None)), expect);
    }

    #[test]
    fn a_result_counts_for_the_run_that_it_came_from() {
        let test = || Fact::Command { user: "".into(), line: "test monitor web ping".into() };
        let facts = [
            fact(1000, result(Source::Monitor, false, 1, "")),
            Recorded { last: 1240, ..fact(1060, result(Source::Monitor, true, 1, "")) },
            fact(1243, result(Source::Monitor, false, 0, "")),
            fact(1302, test()),
            fact(1302, result(Source::Monitor, false, 1, "")),
            // Its result was the same.
            fact(1302, test()),
            fact(1302, test()),
            fact(1302, result(Source::Monitor, false, 2, "")),
        ];
        let events = of_record(&facts, |_| Some(Duration::from_secs(60)));
        let told: Vec<String> = events.iter().map(|e| format!("{} {}", e.at, e.what.first_line())).collect();
        let expect = [
            "970 fail web/ping \"w1\"",
            "1241 ok web/ping \"w1\"",
            "1302 fail web/ping \"w1\"",
            "1302 test monitor web/ping",
            "1302 test monitor web/ping",
            "1302 fail web/ping exit 2 \"w1\"",
            "1302 test monitor web/ping",
        ];
        assert_eq!(told, expect);
    }

    #[test]
    fn odd_statuses_are_still_failures() {
        for (exit, expect) in [(0, Ending::Exited(0)), (137, Ending::Exited(137)), (-1, Ending::Exited(1))] {
            assert_eq!(ending(exit), expect);
        }
        assert_eq!(ending(300), Ending::Exited(1));
        assert_eq!(spread(10, 5, 3).collect::<Vec<_>>(), [10, 10, 10]);
        assert_eq!(spread(0, Wall::MAX / 2, u64::MAX).count(), 1000);
    }
}
