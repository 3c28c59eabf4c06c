//! What the record keeps: everything that is told apart later, and enough to play it again.
//!
//! The engine hands facts out as they happen ([`super::Effect::Record`]); who keeps them knows the time. A
//! success like the one before is no fact; a failure or a trap like the one before is one that only counts.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::alerts::AlertId;
use super::effect::{Effect, Launch, StateFile};
use super::event::Ending;
use super::verdicts::Decided;
use super::{Command, Engine, Slot, Target};
use crate::config::{AlertEveryUnless, CommandLine, Period};
use crate::decision::{Event as Happening, Source};
use crate::nouns::{AlertKind, Now, OpStatus, ServiceKey, Wall};
use crate::schedule::ServiceId;

/// So many seconds after a run time of a service was told the next one is.
const MEASURED_EVERY: u32 = 1200;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A result.
    Result {
        /// It is like the one before, and counts there; of a trap that fails only where nothing was recorded since.
        again: bool,
        /// Who says so.
        source: Source,
        /// How long the run took that it is from, if it is from one.
        took: Option<Duration>,
        /// 0 is success.
        exit: i64,
        /// The status that follows.
        status: OpStatus,
        /// First line.
        summary: Arc<str>,
        /// The other lines, of a failure.
        detail: Arc<str>,
    },
    /// How long a run took: of each service one now and then, whatever came of it.
    RunTime(Duration),
    /// A status without a result: set by hand, or the time of a trap is over.
    Status(OpStatus),
    /// What was decided about an occasion; only where it is not what was decided the last time.
    Decided(Arc<Decided>),
    /// An alert program is being started.
    AlertCalled {
        /// Known as, until it ends.
        run: AlertId,
        /// The occasion.
        kind: AlertKind,
        /// Label of the period; `None` for a redistribution.
        period: Option<Arc<str>>,
        /// Line of the alert in mon.cf.
        line: u32,
        /// The program.
        program: Arc<str>,
        /// Its arguments, as written in mon.cf.
        arguments: Arc<str>,
    },
    /// An alert program has ended.
    AlertEnded {
        /// Which one.
        run: AlertId,
        /// How.
        ending: Ending,
        /// The end of what it printed.
        last_words: Arc<str>,
    },
    /// A client changed something.
    Command {
        /// Who; empty without a login.
        user: Arc<str>,
        /// In the words of the protocol.
        line: Arc<str>,
    },
    /// A configuration came into force.
    Configured {
        /// SHA-256 of the text, in hexadecimal.
        hash: Arc<str>,
    },
    /// The daemon began.
    Started {
        /// With the scheduler stopped.
        stopped: bool,
        /// With what these state files said.
        loaded: Vec<StateFile>,
    },
    /// SIGHUP: the configuration is read again.
    HangUp,
    /// The daemon ended as it should.
    Ended,
    /// So many facts could not be kept before this.
    Lost(u64),
}

/// A fact as the record has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// In the order of events.
    pub id: i64,
    /// When it happened.
    pub at: Wall,
    /// When it came the last time.
    pub last: Wall,
    /// How often.
    pub times: u64,
    /// About whom.
    pub service: Option<ServiceKey>,
    /// What.
    pub fact: Fact,
    /// Of an alert: when and how it ended, and its last words; `None` while nobody knows.
    pub ended: Option<(Wall, Ending, Arc<str>)>,
}

impl Engine {
    fn record(&self, id: ServiceId, fact: Fact, out: &mut Vec<Effect>) {
        out.push(Effect::Record { service: Some(self.key(id)), fact });
    }

    /// A result came in; `before` is the state as far as it tells results apart.
    pub(super) fn record_happening(
        &mut self,
        id: ServiceId,
        happening: &Happening,
        before: &Known,
        out: &mut Vec<Effect>,
    ) {
        let Happening::Result { source, exit, .. } = happening else { return };
        let slot = &self.services[id as usize];
        let state = &slot.state;
        // When a trap came, among all that happened, nothing else tells; a monitor runs by the clock.
        let in_order = *source != Source::Trap || *exit == 0 || slot.recorded == self.recorded;
        let again = *before == Known::of(slot) && in_order;
        if again && *exit == 0 && *source != Source::Trap {
            return;
        }
        let text = |text: &Option<Arc<str>>| text.clone().unwrap_or_default();
        let detail = if *exit == 0 { Arc::default() } else { text(&state.last_detail) };
        let (status, summary) = (state.opstatus, text(&state.last_summary));
        let took = state.monitor_duration.filter(|_| *source == Source::Monitor);
        let fact = Fact::Result { again, source: *source, took, exit: *exit, status, summary, detail };
        self.slot_mut(id).recorded = self.recorded + u64::from(!again);
        self.record(id, fact, out);
    }

    /// A run ended: tells how long it took, if that was not told lately. A sample is enough to know what is usual.
    pub(super) fn record_run_time(
        &mut self,
        id: ServiceId,
        took: Duration,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let second = u32::try_from(now.mono.since_origin().as_secs()).unwrap_or(u32::MAX);
        let measured = &mut self.slot_mut(id).measured;
        if measured.is_none_or(|last| second.saturating_sub(last.get()) >= MEASURED_EVERY) {
            *measured = NonZeroU32::new(second.max(1));
            self.record(id, Fact::RunTime(took), out);
        }
    }

    pub(super) fn record_status(&self, id: ServiceId, before: OpStatus, out: &mut Vec<Effect>) {
        let status = self.slot(id).state.opstatus;
        if status != before {
            self.record(id, Fact::Status(status), out);
        }
    }

    pub(super) fn record_decision(&self, id: ServiceId, decided: Arc<Decided>, out: &mut Vec<Effect>) {
        self.record(id, Fact::Decided(decided), out);
    }

    /// Returns what was recorded, for the next try of the same.
    pub(super) fn record_call(
        &self,
        id: ServiceId,
        (run, kind, period): (AlertId, AlertKind, Option<usize>),
        (launch, command): (&Launch, &CommandLine),
        out: &mut Vec<Effect>,
    ) -> Fact {
        let fact = Fact::AlertCalled {
            run,
            kind,
            period: period.map(|period| self.slot(id).service.periods[period].label.clone()),
            line: command.line,
            program: launch.program.shown().into(),
            arguments: command.arguments().into(),
        };
        self.record(id, fact.clone(), out);
        fact
    }
}

impl Fact {
    /// Whether the record tells by it in which order things happened.
    pub(super) fn is_news(&self) -> bool {
        !matches!(self, Fact::Result { again: true, .. } | Fact::AlertEnded { .. } | Fact::RunTime(_))
    }

    /// The same call once more, known as `run`.
    pub(super) fn again(mut self, again: AlertId) -> Fact {
        if let Fact::AlertCalled { run, .. } = &mut self {
            *run = again;
        }
        self
    }
}

impl Effect {
    /// An alert is over; who keeps it finds the call by its number.
    pub(super) fn alert_is_over(run: AlertId, ending: &Ending, last_words: &str) -> Effect {
        let fact = Fact::AlertEnded { run, ending: ending.clone(), last_words: last_words.into() };
        Effect::Record { service: None, fact }
    }

    /// A client said something that may change something.
    pub(super) fn said(user: Option<&str>, line: &str, command: &Command) -> Effect {
        let key = |group: &str, service: &str| ServiceKey { group: group.into(), service: service.into() };
        let service = match command {
            Command::Ack { group, service, .. }
            | Command::Set { group, service, .. }
            | Command::Disable(Target::Service(group, service))
            | Command::Enable(Target::Service(group, service))
            | Command::Clear(Some((group, service))) => Some(key(group, service)),
            _ => None,
        };
        let fact = Fact::Command { user: user.unwrap_or_default().into(), line: line.into() };
        Effect::Record { service, fact }
    }
}

/// What tells one result from the next.
#[derive(Debug, PartialEq)]
pub(super) struct Known {
    status: OpStatus,
    exit: Option<i64>,
    summary: Option<Arc<str>>,
    /// Where some period looks at it.
    detail: Option<Arc<str>>,
}

impl Known {
    pub(super) fn of(slot: &Slot) -> Known {
        let state = &slot.state;
        let observes = |period: &Period| {
            period.alertevery.as_ref().is_some_and(|every| every.unless == AlertEveryUnless::OutputChanged)
        };
        let observed = slot.service.periods.iter().any(observes);
        let detail = state.last_detail.as_ref().filter(|_| observed).cloned();
        // No summary and an empty one look the same in the record.
        let summary = state.last_summary.as_ref().filter(|summary| !summary.is_empty()).cloned();
        Known { status: state.opstatus, exit: state.exitval, summary, detail }
    }
}
