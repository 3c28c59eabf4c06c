//! What is worth keeping of what the daemon decides: nobody is told, but somebody may ask later.

use std::sync::Arc;

use super::Engine;
use super::effect::Effect;
use crate::decision::Verdict;
use crate::nouns::{AlertKind, OpStatus, ServiceKey};
use crate::schedule::ServiceId;

/// One thing to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The status of a service is another one.
    Status {
        /// Whose.
        service: ServiceKey,
        /// What it was.
        before: OpStatus,
        /// What it is.
        after: OpStatus,
        /// First line of the last output.
        summary: Arc<str>,
    },
    /// Something happened about which alerts could be sent.
    Verdicts {
        /// About whom.
        service: ServiceKey,
        /// What for.
        kind: AlertKind,
        /// One for each period, by its label, in the order of the file.
        verdicts: Vec<(Arc<str>, Verdict)>,
    },
}

impl Engine {
    /// Notes the status of a service if it is not what it was before.
    pub(super) fn record_status(&self, id: ServiceId, before: OpStatus, out: &mut Vec<Effect>) {
        let state = &self.slot(id).state;
        if state.opstatus != before {
            let summary = state.last_summary.clone().unwrap_or_default();
            let record = Record::Status { service: self.key(id), before, after: state.opstatus, summary };
            out.push(Effect::Record(record));
        }
    }

    /// Notes what was decided, if there was anything to decide.
    pub(super) fn record_verdicts(
        &self,
        id: ServiceId,
        kind: AlertKind,
        verdicts: Vec<Verdict>,
        out: &mut Vec<Effect>,
    ) {
        let labels = self.slot(id).service.periods.iter().map(|period| period.label.clone());
        let verdicts = labels.zip(verdicts).collect();
        out.push(Effect::Record(Record::Verdicts { service: self.key(id), kind, verdicts }));
    }
}
