//! What is known of a service between two events.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Service;
use crate::nouns::{OpStatus, Wall};
use crate::timeval::Timeval;

/// The state of a service. Times are 0 where the original starts with 0, `None` where it starts undefined:
/// the difference shows in the environment of monitors and alerts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceState {
    /// Status now.
    pub opstatus: OpStatus,
    /// Status before the last event.
    pub last_opstatus: OpStatus,
    /// An operator forbade alerts.
    pub disabled: bool,
    /// `failure_interval` is in force.
    pub failing_interval: bool,
    /// Result of the last evaluation of a dependency; `None` before the first.
    pub depend_status: Option<bool>,
    /// Exit status of the last run, or `sta` of the last trap.
    pub exitval: Option<i64>,
    /// Set while an operator knows of the failure.
    pub ack: Option<Box<Ack>>,
    /// Failures since the start.
    pub failure_count: u64,
    /// Alerts started since the start.
    pub alert_count: u64,
    /// Failures in a row.
    pub consec_failures: u32,
    /// Time of the last success.
    pub last_success: Wall,
    /// Time of the last failure of this outage; 0 after a success.
    pub last_failure: Wall,
    /// Beginning of this outage; 0 after a success, `None` before the first result.
    pub first_failure: Option<Wall>,
    /// Time of the last failure, kept over recoveries: what `dep_memory` looks at.
    pub last_failure_time: Wall,
    /// Summary of the last failure, kept likewise.
    pub last_failure_summary: Option<Arc<str>>,
    /// Start of the last run.
    pub last_check: Option<Wall>,
    /// Time of the last trap.
    pub last_trap: Wall,
    /// How long the last run took.
    pub monitor_duration: Option<Duration>,
    /// First line of the last output.
    pub last_summary: Option<Arc<str>>,
    /// The other lines of the last output.
    pub last_detail: Option<Arc<str>>,
    /// The whole last output.
    pub last_output: Option<Arc<str>>,
    /// The last failing output of this outage.
    pub failure_output: Option<Arc<str>>,
    /// One for each period of the service, in the same order.
    pub periods: Box<[PeriodState]>,
}

/// The counters of one period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeriodState {
    /// Alerts sent in this outage.
    pub alert_sent: u32,
    /// When the last alert was started; 0 after a recovery, `None` before the first alert or recovery.
    pub last_alert: Option<Wall>,
    /// First failure that `alertafter` counts from; 0 after a recovery, `None` before the first.
    pub first_fail_time: Option<Wall>,
    /// Failures in the window of `alertafter N TIMEVAL`.
    pub fail_count: u32,
    /// With `no_comp_alerts`: the upalert of this outage is out.
    pub upalert_sent: bool,
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// When it was given.
    pub at: Wall,
    /// `user: text`.
    pub comment: Arc<str>,
}

impl ServiceState {
    /// A service that was never tested.
    #[must_use]
    pub fn untested(service: &Service) -> ServiceState {
        ServiceState {
            periods: vec![PeriodState::default(); service.periods.len()].into(),
            ..Default::default()
        }
    }

    /// Changes the status and remembers the one before.
    pub fn set_opstatus(&mut self, status: OpStatus) {
        self.last_opstatus = self.opstatus;
        self.opstatus = status;
    }

    /// The interval in force.
    #[must_use]
    pub fn interval(&self, service: &Service) -> Option<Timeval> {
        if self.failing_interval { service.failure_interval.or(service.interval) } else { service.interval }
    }

    /// Alerts of this outage, of the periods that count.
    #[must_use]
    pub fn alerts_sent(&self, service: &Service) -> u32 {
        let counting =
            service.periods.iter().zip(&self.periods).filter(|(period, _)| !period.alerts_dont_count);
        counting.fold(0, |sum: u32, (_, state)| sum.saturating_add(state.alert_sent))
    }

    /// Time of the newest alert, 0 for none.
    #[must_use]
    pub fn last_alert(&self) -> Wall {
        self.periods.iter().filter_map(|period| period.last_alert).max().unwrap_or(0)
    }
}

/// What monitors and alerts are told of a service, as it was at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// MON_LAST_SUMMARY
    pub last_summary: Option<Arc<str>>,
    /// MON_LAST_OUTPUT
    pub last_output: Option<Arc<str>>,
    /// MON_LAST_FAILURE
    pub last_failure: Wall,
    /// MON_FIRST_FAILURE
    pub first_failure: Option<Wall>,
    /// MON_LAST_SUCCESS
    pub last_success: Wall,
    /// MON_DEPEND_STATUS
    pub depend_status: Option<bool>,
    /// MON_OPSTATUS
    pub opstatus: OpStatus,
    /// MON_ACK
    pub ack_comment: Option<Arc<str>>,
}

impl Facts {
    /// The facts of this moment.
    #[must_use]
    pub fn of(state: &ServiceState) -> Facts {
        Facts {
            last_summary: state.last_summary.clone(),
            last_output: state.last_output.clone(),
            last_failure: state.last_failure,
            first_failure: state.first_failure,
            last_success: state.last_success,
            depend_status: state.depend_status,
            opstatus: state.opstatus,
            ack_comment: state.ack.as_ref().map(|ack| ack.comment.clone()),
        }
    }
}
