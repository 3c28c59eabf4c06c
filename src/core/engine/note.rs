//! What the daemon decides, for those who watch it: a simulation tells of every decision, also of those that only
//! repeat the one before.

use std::sync::Arc;

use super::Engine;
use super::effect::Effect;
use crate::decision::Verdict;
use crate::nouns::{AlertKind, OpStatus, ServiceKey};
use crate::schedule::ServiceId;

/// One thing to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
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
    pub(super) fn note_status(&self, id: ServiceId, before: OpStatus, out: &mut Vec<Effect>) {
        let state = &self.slot(id).state;
        if state.opstatus != before {
            let summary = state.last_summary.clone().unwrap_or_default();
            let note = Note::Status { service: self.key(id), before, after: state.opstatus, summary };
            out.push(Effect::Note(note));
        }
    }

    /// Notes what was decided, if there was anything to decide.
    pub(super) fn note_verdicts(
        &self,
        id: ServiceId,
        kind: AlertKind,
        verdicts: Vec<Verdict>,
        out: &mut Vec<Effect>,
    ) {
        let labels = self.slot(id).service.periods.iter().map(|period| period.label.clone());
        let verdicts = labels.zip(verdicts).collect();
        out.push(Effect::Note(Note::Verdicts { service: self.key(id), kind, verdicts }));
    }
}
