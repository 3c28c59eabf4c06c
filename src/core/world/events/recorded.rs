//! What the record of a daemon tells, as events of a simulation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Begin, LONGEST, Occurrence, What};
use crate::decision::{NO_SUMMARY, Source};
use crate::engine::{Command, Ending, Fact, Recorded, Test};
use crate::nouns::{ServiceKey, Wall};
use crate::wire::command;

/// Traps that are the same are recorded as one with a count; no more than so many of them are sent again.
const MOST_TRAPS: u64 = 1000;

/// What is known besides the record.
pub struct Known<'a> {
    /// How often a service is looked at, at most.
    pub interval: &'a dyn Fn(&ServiceKey) -> Option<Duration>,
    /// The file at hand whose contents have that SHA-256.
    pub config: &'a dyn Fn(&str) -> Option<String>,
}

/// A record, as what can be played.
#[derive(Debug, Default)]
pub struct Replay {
    /// How the first daemon began.
    pub begin: Begin,
    /// What happened.
    pub events: Vec<Occurrence>,
    /// The SHA-256 of configurations that came into force later and are not at hand.
    pub unknown: BTreeSet<String>,
}

/// The facts that came from outside, as events. What follows by itself is left out: alerts, decisions, timeouts
/// of traps, results like the one before, and a reset whose file was refused. Of traps that only counted, the record
/// has the first and the last moment; here they are evenly spread.
///
/// A result was recorded when its run ended, so it counts for a run that began before: for the one that an
/// operator asked for; else for one up to half an interval earlier, but not for that of the result before it.
#[must_use]
pub fn of_record(facts: &[Recorded], known: &Known<'_>) -> Replay {
    let mut player = Player::new(known);
    for (number, recorded) in facts.iter().enumerate() {
        player.take(number, recorded);
    }
    player.runs_end();
    // A daemon of which no more is known than that it began.
    if let Some(Reading { order, what: what @ What::Restart(_), .. }) = player.reading.take() {
        player.events.push((order, what));
    }
    player.events.sort_by_key(|(order, _)| *order);
    let events = player.events.into_iter().map(|((at, ..), what)| Occurrence { at, what });
    Replay { events: events.collect(), ..player.replay }
}

/// Goes through the facts, oldest first.
struct Player<'a> {
    known: &'a Known<'a>,
    replay: Replay,
    events: Vec<(Order, What)>,
    monitored: BTreeMap<ServiceKey, Monitored>,
    /// In this second something happened by itself: what follows in it comes after that.
    by_itself: Option<Wall>,
    /// A start, reset or SIGHUP: it happens when the configuration is read, and not at all where that is refused.
    reading: Option<Reading>,
    /// The configuration in force; none before the first one.
    hash: Option<Arc<str>>,
    begun: bool,
}

impl<'a> Player<'a> {
    fn new(known: &'a Known<'a>) -> Player<'a> {
        Player {
            known,
            replay: Replay::default(),
            events: Vec::new(),
            monitored: BTreeMap::new(),
            by_itself: None,
            reading: None,
            hash: None,
            begun: false,
        }
    }

    fn take(&mut self, number: usize, recorded: &Recorded) {
        let Recorded { at, last, times, service, fact, .. } = recorded;
        match (fact, service) {
            (Fact::Result { source: Source::Monitor, .. }, Some(service)) => {
                self.monitored(number, recorded, service);
            }
            (Fact::Result { source: Source::Trap, exit, summary, detail, .. }, Some(service)) => {
                for at in spread(*at, *last, *times) {
                    self.push(at, number, trap(service, *exit, summary, detail));
                }
            }
            (Fact::Result { source: Source::TrapTimeout, .. } | Fact::Status(_), _) => {
                self.by_itself = Some(*at);
            }
            (Fact::Command { user, line }, _) => self.command(*at, number, user, line),
            (Fact::Started { stopped, loaded }, _) => {
                let begin = Begin { loaded: loaded.clone(), stopped: *stopped };
                self.runs_end();
                self.by_itself = None;
                // The first one is the beginning of the record.
                if self.begun || !self.events.is_empty() {
                    let order = (*at, number, 1);
                    self.reading = Some(Reading { order, what: What::Restart(begin), afresh: false });
                } else {
                    self.replay.begin = begin;
                }
                self.begun = true;
            }
            (Fact::HangUp, _) => {
                let order = (*at, number, 1);
                self.reading = Some(Reading { order, what: What::HangUp, afresh: false });
            }
            (Fact::Configured { hash }, _) => self.configured(*at, number, hash),
            _ => {}
        }
    }

    /// What came from outside.
    fn push(&mut self, at: Wall, number: usize, what: What) {
        if self.by_itself.take_if(|second| *second == at).is_some() {
            self.events.push(((at, number, 0), What::Due));
        }
        self.events.push(((at, number, 1), what));
    }

    fn monitored(&mut self, number: usize, recorded: &Recorded, service: &ServiceKey) {
        let Recorded { at, last, fact, .. } = recorded;
        let Fact::Result { again, exit, summary, detail, took, .. } = fact else { return };
        let interval = (self.known.interval)(service);
        let monitored = self.monitored.entry(service.clone()).or_default();
        let took = took.map_or(0, |took| took.as_secs());
        let asked = monitored.asked.take();
        let order = match asked {
            Some((asked, number)) => (asked, number, 0),
            None => monitored.began(at.saturating_sub_unsigned(took), number, interval),
        };
        monitored.until = Some(*last);
        let (ending, output) = (ending(*exit), output(*exit, summary, detail));
        let takes = (took > 0).then(|| Duration::from_secs(took));
        let what = What::Result { service: service.clone(), ending, output, takes };
        self.events.extend((!again).then_some((order, what)));
        // One that takes no time is over before the next event anyway.
        if order.0 != *at && (asked.is_none() || took > 0) {
            self.by_itself = Some(*at);
        }
    }

    /// Runs go no further: the daemon ends, or starts afresh. One that was asked for and of which there is no
    /// result, where every result would have been recorded, was going on until now.
    fn runs_end(&mut self) {
        for (service, Monitored { until, asked, .. }) in std::mem::take(&mut self.monitored) {
            if let (None, Some((at, number))) = (until, asked) {
                let (ending, output) = (Ending::Exited(0), String::new());
                let what = What::Result { service, ending, output, takes: Some(LONGEST) };
                self.events.push(((at, number, 0), what));
            }
        }
    }

    fn command(&mut self, at: Wall, number: usize, user: &str, line: &str) {
        let command = command::parse(line);
        if let Command::Reset { keepstate, .. } = command {
            let (order, what) = ((at, number, 1), What::Command(line.to_owned()));
            self.reading = Some(Reading { order, what, afresh: !keepstate });
            return;
        }
        if !command.changes_something() || command == Command::Term {
            return;
        }
        if let Command::Test(Test::Monitor { group, service }) = &command {
            let key = ServiceKey { group: group.as_str().into(), service: service.as_str().into() };
            self.monitored.entry(key).or_default().asked = Some((at, number));
        }
        let line = line.to_owned();
        let what = match user {
            "" => What::Command(line),
            user => What::CommandOf { user: user.to_owned(), line },
        };
        self.push(at, number, what);
    }

    fn configured(&mut self, at: Wall, number: usize, hash: &Arc<str>) {
        let before = self.hash.replace(hash.clone());
        if before.as_ref().is_some_and(|before| before != hash) {
            match (self.known.config)(hash) {
                Some(file) => self.push(at, number, What::Config(file)),
                None => {
                    self.replay.unknown.insert(hash.to_string());
                }
            }
        }
        if let Some(Reading { what, afresh, .. }) = self.reading.take() {
            if afresh {
                self.runs_end();
            }
            self.push(at, number, what);
        }
    }
}

/// Something that has the configuration read.
struct Reading {
    order: Order,
    what: What,
    /// Nothing is known of services any more.
    afresh: bool,
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
    fn began(&self, at: Wall, number: usize, interval: Option<Duration>) -> Order {
        // A second at least: the daemon began somewhere within one.
        let half = interval.map_or(0, |interval| (interval.as_secs() / 2).max(1).cast_signed());
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
    What::Trap { service: service.clone(), status, output: output(exit, summary, detail) }
}

fn output(exit: i64, summary: &str, detail: &str) -> String {
    // What is said of a failure that says nothing.
    let summary = if exit != 0 && summary == NO_SUMMARY { "" } else { summary };
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
mod tests;
