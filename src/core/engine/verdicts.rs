//! What was decided lately, and why: a bounded log in memory.
//!
//! A decision equal to the one before about the same service only counts there; so a service that has been held
//! back all night takes one entry.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::effect::Effect;
use super::{Engine, reasons};
use crate::decision::{Decision, Verdict};
use crate::nouns::{AlertKind, Now, OpStatus, ServiceKey, Wall};
use crate::schedule::ServiceId;

/// Decisions that are kept, of all services together: at some 400 bytes each less than 2 MiB.
const MOST: usize = 4096;

/// What was decided about one occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What happened.
    pub kind: AlertKind,
    /// Exit status; `None` where there is none.
    pub exit: Option<i64>,
    /// Summary of the failure, or what the operator said.
    pub summary: Arc<str>,
    /// One for each period, in the order of mon.cf; none where no period could have anything to send.
    pub periods: Vec<Judged>,
}

/// What was decided for one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Its label.
    pub period: Arc<str>,
    /// Its line in mon.cf.
    pub line: u32,
    /// And that is it.
    pub ruling: Ruling,
}

/// Sent, or not and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The alert lines that were called, by their lines in mon.cf.
    Sent(Vec<u32>),
    /// Nobody was told.
    Held(Reason),
}

/// The rule that held an alert back, with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its name: the keyword of mon.cf, where it has one.
    pub rule: Cow<'static, str>,
    /// Its line in mon.cf; 0 where it has none.
    pub line: u32,
    /// Counters and times, by name; `reasons.rs` says which.
    pub details: Vec<(Cow<'static, str>, String)>,
}

/// A decision as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When it was taken.
    pub at: Wall,
    /// When it was the same for the last time.
    pub last: Wall,
    /// How often.
    pub times: u64,
    /// The decision.
    pub decided: Arc<Decided>,
}

/// The decisions of all services, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<(ServiceKey, Vec<Verdict>, Past)>,
    /// How many have gone: entries are numbered through.
    gone: u64,
    /// The newest entry of each service that has any.
    newest: BTreeMap<ServiceKey, u64>,
}

impl Log {
    /// Counts a decision where it is the same as the last one about that service.
    fn again(&mut self, key: &ServiceKey, like: &Like<'_>, at: Wall) -> bool {
        let Some(place) = self.newest.get(key).map(|number| (number - self.gone) as usize) else {
            return false;
        };
        let Some((_, verdicts, past)) = self.entries.get_mut(place) else { return false };
        let same =
            *verdicts == like.verdicts && past.decided.kind == like.kind && past.decided.exit == like.exit;
        if same {
            past.times += 1;
            past.last = at;
        }
        same
    }

    fn push(&mut self, key: ServiceKey, verdicts: Vec<Verdict>, past: Past) {
        if self.entries.len() >= MOST
            && let Some((oldest, ..)) = self.entries.pop_front()
        {
            if self.newest.get(&oldest) == Some(&self.gone) {
                self.newest.remove(&oldest);
            }
            self.gone += 1;
        }
        self.newest.insert(key.clone(), self.gone + self.entries.len() as u64);
        self.entries.push_back((key, verdicts, past));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The decisions about one service, newest first.
    pub(super) fn of<'a>(&'a self, key: &'a ServiceKey) -> impl Iterator<Item = &'a Past> {
        self.entries.iter().rev().filter(move |(whose, ..)| whose == key).map(|(.., past)| past)
    }
}

/// What must be equal for two decisions to be one.
struct Like<'a> {
    verdicts: &'a [Verdict],
    kind: AlertKind,
    exit: Option<i64>,
}

impl Engine {
    /// Notes a decision, with reasons as they are at this moment: before alerts are counted.
    pub(super) fn note_decision(
        &mut self,
        id: ServiceId,
        decision: &Decision,
        before: OpStatus,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let (kind, exit) = match &decision.occasion {
            Some(occasion) => (occasion.kind, occasion.exit),
            // A recovery of which nobody wants to hear.
            None if before == OpStatus::Fail && self.slot(id).state.opstatus == OpStatus::Ok => {
                (AlertKind::Up, Some(0))
            }
            None => return,
        };
        let key = self.key(id);
        if self.verdicts.again(&key, &Like { verdicts: &decision.verdicts, kind, exit }, now.wall) {
            return;
        }
        let summary = decision.occasion.as_ref().map_or("", |occasion| first_line(&occasion.output));
        let decided = Arc::new(Decided {
            kind,
            exit,
            summary: summary.into(),
            periods: reasons::judge(self, id, &self.slot(id).state, decision, now),
        });
        let past = Past { at: now.wall, last: now.wall, times: 1, decided: decided.clone() };
        self.verdicts.push(key, decision.verdicts.clone(), past);
        self.record_decision(id, decided, out);
    }
}

pub(super) fn first_line(output: &str) -> &str {
    let line = output.split('\n').next().unwrap_or_default();
    // What is blank says nothing.
    if line.trim().is_empty() { "" } else { line }
}
