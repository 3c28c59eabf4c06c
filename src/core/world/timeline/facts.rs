//! The record of a simulated daemon, in memory: what the real one would keep, counted as there.

use std::collections::BTreeMap;

use crate::engine::{AlertId, Fact, Recorded};
use crate::nouns::{ServiceKey, Wall};

/// Facts in the order of events.
#[derive(Debug, Default)]
pub struct Facts {
    entries: Vec<Recorded>,
    /// The newest result of each service.
    results: BTreeMap<ServiceKey, usize>,
    /// Alerts that have not ended.
    alerts: BTreeMap<AlertId, usize>,
}

impl Facts {
    /// All of them, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Recorded] {
        &self.entries
    }

    /// Keeps a fact; a result like the one before counts there, and an end belongs to its alert.
    pub(super) fn take(&mut self, at: Wall, service: Option<ServiceKey>, fact: Fact) {
        let number = self.entries.len();
        match (&fact, &service) {
            (Fact::Result { again, .. }, Some(key)) => {
                let before = self.results.get(key).copied();
                if let Some(before) = before.filter(|_| *again).and_then(|n| self.entries.get_mut(n)) {
                    (before.last, before.times) = (at, before.times + 1);
                    return;
                }
                self.results.insert(key.clone(), number);
            }
            (Fact::Status(_), Some(key)) => {
                self.results.insert(key.clone(), number);
            }
            (Fact::AlertCalled { run, .. }, _) => {
                self.alerts.insert(*run, number);
            }
            (Fact::AlertEnded { run, ending, last_words }, _) => {
                let called = self.alerts.remove(run).and_then(|called| self.entries.get_mut(called));
                if let Some(called) = called {
                    called.ended = Some((at, ending.clone(), last_words.clone()));
                }
                return;
            }
            _ => {}
        }
        let id = i64::try_from(number).unwrap_or(i64::MAX);
        self.entries.push(Recorded { id, at, last: at, times: 1, service, fact, ended: None });
    }
}
