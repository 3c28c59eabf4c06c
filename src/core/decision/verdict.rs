//! Every "no" has a name.

use std::fmt;
use std::time::Duration;

use crate::nouns::Wall;

/// What was decided for one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its alert lines are called.
    Send,
    /// Nobody is called, and this is why.
    Suppressed(Suppression),
}

/// Why nobody is called. In the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suppression {
    /// The scheduler is stopped.
    Stopped,
    /// An operator disabled the watch.
    WatchDisabled,
    /// An operator disabled the service.
    ServiceDisabled,
    /// `depend` or `alertdepend`: what this service depends on fails.
    DependencyFailing,
    /// An operator knows of this failure.
    Acked,
    /// The time is outside the period.
    OutsidePeriod,
    /// An upalert or ackalert, but this period never alerted in this outage.
    NoAlertBefore,
    /// `no_comp_alerts`: the upalert of this outage is out already.
    UpalertSent,
    /// `upalertafter`: the outage was too short.
    UpalertAfter {
        /// How long it lasted.
        lasted: Duration,
    },
    /// `alertexitrange` leaves this exit status out.
    ExitRange,
    /// `numalerts` are out.
    NumAlerts {
        /// That many.
        sent: u32,
    },
    /// `alertevery`: too soon, and nothing new.
    AlertEvery {
        /// When the next alert may go out.
        until: Wall,
    },
    /// `alertafter N`: not yet often enough in a row.
    AlertAfterCount {
        /// Failures so far.
        failures: u32,
    },
    /// `alertafter TIMEVAL`: not yet long enough.
    AlertAfterTime {
        /// The failure must last beyond this.
        until: Wall,
    },
    /// `alertafter N TIMEVAL`: not yet often enough in the window.
    AlertAfterWithin {
        /// Failures in the window so far.
        failures: u32,
    },
    /// The period has no alert line for this occasion and exit status.
    NoAlertLine,
}

impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Suppression::Stopped => f.write_str("the scheduler is stopped"),
            Suppression::WatchDisabled => f.write_str("the watch is disabled"),
            Suppression::ServiceDisabled => f.write_str("the service is disabled"),
            Suppression::DependencyFailing => f.write_str("a service it depends on fails"),
            Suppression::Acked => f.write_str("the failure is acknowledged"),
            Suppression::OutsidePeriod => f.write_str("outside the period"),
            Suppression::NoAlertBefore => f.write_str("no alert was sent in this failure"),
            Suppression::UpalertSent => f.write_str("no_comp_alerts: the upalert is out already"),
            Suppression::UpalertAfter { lasted } => {
                write!(f, "upalertafter: the failure lasted {} s only", lasted.as_secs())
            }
            Suppression::ExitRange => f.write_str("alertexitrange leaves this exit status out"),
            Suppression::NumAlerts { sent } => write!(f, "numalerts: {sent} sent"),
            Suppression::AlertEvery { until } => write!(f, "alertevery: nothing new, and not before {until}"),
            Suppression::AlertAfterCount { failures } => write!(f, "alertafter: {failures} in a row so far"),
            Suppression::AlertAfterTime { until } => write!(f, "alertafter: must last beyond {until}"),
            Suppression::AlertAfterWithin { failures } => {
                write!(f, "alertafter: {failures} in the window so far")
            }
            Suppression::NoAlertLine => f.write_str("no alert line for this occasion"),
        }
    }
}
