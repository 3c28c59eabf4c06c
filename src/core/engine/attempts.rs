//! The book of attempts: each execution of an alert program, and how it went.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::alerts::AlertId;
use super::event::Ending;
use crate::nouns::{Mono, ServiceKey, Wall};

/// What is kept of what a program said last.
const MOST_WORDS: usize = 400;

/// One execution of an alert program.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Who was alerted about.
    pub service: ServiceKey,
    /// Label of the period; `None` for a redistribution.
    pub period: Option<Arc<str>>,
    /// `alert`, `upalert`, `testalert` … as the history has it, or `redistribute`.
    pub kind: &'static str,
    /// The program's name.
    pub alert: Arc<str>,
    /// Its line in mon.cf, program and arguments.
    pub line: Arc<str>,
    /// 1 for the first try.
    pub number: u32,
    /// When it began.
    pub at: Wall,
    /// The same for computing.
    pub started: Mono,
    /// How it went.
    pub outcome: Outcome,
    /// How long it took; `None` while it runs.
    pub lasted: Option<Duration>,
    /// When it will be tried again.
    pub retry_at: Option<Wall>,
    /// It is the last try of its alert line since the service last changed between failing and not, and it did not
    /// succeed.
    pub open: bool,
    /// The end of what it printed.
    pub last_words: Arc<str>,
}

/// How an execution went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// It ended well.
    Delivered,
    /// It ended with that status.
    Exited(u8),
    /// It was killed by that signal.
    Killed(i32),
    /// It was ended after `alert_timeout`.
    TimedOut,
    /// It never began; why.
    NotStarted(Arc<str>),
    /// It was ended, or waited in vain, because what it had to tell was over.
    GivenUp,
}

impl Outcome {
    /// The outcome of a program that ended by itself.
    pub(super) fn of(ending: &Ending) -> Outcome {
        match ending {
            Ending::Exited(0) => Outcome::Delivered,
            Ending::Exited(status) => Outcome::Exited(*status),
            Ending::Killed(signal) => Outcome::Killed(*signal),
            Ending::NotStarted(why) => Outcome::NotStarted(why.as_str().into()),
        }
    }
}

/// The last attempts, and older ones that still matter: those that run, wait for another try, or are open.
#[derive(Debug, Default)]
pub(super) struct Book {
    attempts: BTreeMap<AlertId, Attempt>,
    /// The newest ones, oldest first, which stay whether they matter or not.
    recent: VecDeque<AlertId>,
    length: usize,
}

impl Book {
    /// How many are kept; as with the histories, one more is.
    pub(super) fn set_length(&mut self, length: usize) {
        self.length = length;
    }

    /// Takes in an attempt, which is newer than all others.
    pub(super) fn add(&mut self, id: AlertId, attempt: Attempt) {
        self.attempts.insert(id, attempt);
        self.recent.push_back(id);
        while self.recent.len() > self.length.saturating_add(1) {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.let_go(oldest);
        }
    }

    pub(super) fn get(&self, id: AlertId) -> Option<&Attempt> {
        self.attempts.get(&id)
    }

    /// Changes an attempt. It goes if it does not matter any more.
    pub(super) fn change(&mut self, id: AlertId, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.attempts.get_mut(&id) {
            change(attempt);
            if self.recent.front().is_none_or(|oldest| id < *oldest) {
                self.let_go(id);
            }
        }
    }

    fn let_go(&mut self, id: AlertId) {
        let matters = |attempt: &Attempt| {
            attempt.open || attempt.retry_at.is_some() || attempt.outcome == Outcome::Running
        };
        if self.attempts.get(&id).is_some_and(|attempt| !matters(attempt)) {
            self.attempts.remove(&id);
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.values()
    }
}

/// The end of what a program said, as far as it is kept.
pub(super) fn end_of(words: &str) -> Arc<str> {
    let mut start = words.len().saturating_sub(MOST_WORDS);
    while !words.is_char_boundary(start) {
        start += 1;
    }
    words[start..].into()
}
