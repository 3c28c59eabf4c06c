//! Who is told: the alert decision, as a function.
//!
//! [`decide`] takes a service as configured, its state, what happened and the time, and returns the new state,
//! a verdict for every period and the alert lines to call. It knows no clock, no process and no other service.

mod decide;
mod rules;
mod state;
mod verdict;

pub use decide::{
    Circumstances, Decision, Downtime, Event, Firing, Occasion, Source, count, decide, keyword_for, uncount,
};
pub use state::{Ack, Facts, PeriodState, ServiceState};
pub use verdict::{Suppression, Verdict};

/// What stands where a failure has no summary.
pub const NO_SUMMARY: &str = "(NO SUMMARY)";

/// The first line of an output, or [`NO_SUMMARY`] where that is blank.
#[must_use]
pub fn summary_of(output: &str) -> &str {
    let first = output.split('\n').next().unwrap_or_default();
    if is_blank(first) { NO_SUMMARY } else { first }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(crate::timeval::is_blank)
}

#[cfg(test)]
mod tests;
