//! The checks of one period, one function each, in the order that is the contract.
//!
//! Some checks count as they go, so a check may change the period's state even where it suppresses, and a
//! check that is not reached counts nothing.

use super::decide::Source;
use super::state::PeriodState;
use super::verdict::Suppression;
use crate::config::{AlertEveryUnless, Period};
use crate::nouns::{AlertKind, Now, Wall};

/// What the checks look at besides the period.
pub(super) struct Case<'a> {
    pub(super) now: &'a Now,
    pub(super) kind: AlertKind,
    pub(super) exit: Option<i64>,
    pub(super) output: &'a str,
    pub(super) summary: &'a str,
    /// Output and summary of the failure before this one; of the same outage.
    pub(super) previous_output: &'a str,
    pub(super) previous_summary: &'a str,
    pub(super) consec_failures: u32,
    /// Beginning of the outage; 0 for none.
    pub(super) first_failure: Wall,
}

type Check = fn(&Case<'_>, &Period, &mut PeriodState) -> Result<(), Suppression>;

const CHECKS: [Check; 10] = [
    inside_period,
    paired_with_an_alert,
    one_upalert_per_outage,
    upalertafter,
    alertexitrange,
    numalerts,
    alertevery,
    alertafter_count,
    alertafter_time,
    alertafter_within,
];

/// How many of [`CHECKS`] apply to every kind; the others are for failures alone.
const GENERAL: usize = 4;

/// Runs the checks in order up to the first that suppresses.
pub(super) fn check(case: &Case<'_>, period: &Period, state: &mut PeriodState) -> Result<(), Suppression> {
    let reached = if case.kind.is_failure() { CHECKS.len() } else { GENERAL };
    CHECKS[..reached].iter().try_for_each(|check| check(case, period, state))
}

fn inside_period(case: &Case<'_>, period: &Period, _: &mut PeriodState) -> Result<(), Suppression> {
    unless(period.spec.contains(&case.now.civil), || Suppression::OutsidePeriod)
}

fn paired_with_an_alert(
    case: &Case<'_>,
    period: &Period,
    state: &mut PeriodState,
) -> Result<(), Suppression> {
    let needs_pair = matches!(case.kind, AlertKind::Up | AlertKind::Ack) && !period.no_comp_alerts;
    unless(!needs_pair || state.alert_sent > 0, || Suppression::NoAlertBefore)
}

fn one_upalert_per_outage(
    case: &Case<'_>,
    period: &Period,
    state: &mut PeriodState,
) -> Result<(), Suppression> {
    let repeated = case.kind == AlertKind::Up && period.no_comp_alerts && state.upalert_sent;
    unless(!repeated, || Suppression::UpalertSent)
}

fn upalertafter(case: &Case<'_>, period: &Period, _: &mut PeriodState) -> Result<(), Suppression> {
    let (AlertKind::Up, Some(least)) = (case.kind, period.upalertafter) else { return Ok(()) };
    let lasted =
        std::time::Duration::from_secs(case.now.wall.saturating_sub(case.first_failure).max(0) as u64);
    unless(case.first_failure == 0 || lasted >= least.duration(), || Suppression::UpalertAfter { lasted })
}

fn alertexitrange(case: &Case<'_>, period: &Period, _: &mut PeriodState) -> Result<(), Suppression> {
    let meant = period.alertexitrange.is_none_or(|range| range.contains(case.exit.unwrap_or(0)));
    unless(meant, || Suppression::ExitRange)
}

fn numalerts(_: &Case<'_>, period: &Period, state: &mut PeriodState) -> Result<(), Suppression> {
    let more = period.numalerts.is_none_or(|most| state.alert_sent < most);
    unless(more, || Suppression::NumAlerts { sent: state.alert_sent })
}

fn alertevery(case: &Case<'_>, period: &Period, state: &mut PeriodState) -> Result<(), Suppression> {
    let Some(every) = period.alertevery else { return Ok(()) };
    let news = match every.unless {
        AlertEveryUnless::SummaryChanged => case.previous_summary != case.summary,
        AlertEveryUnless::OutputChanged => case.previous_output != case.output,
        AlertEveryUnless::Recovered | AlertEveryUnless::Never => false,
    };
    let until = state.last_alert.unwrap_or(0).saturating_add(every.interval.whole_secs());
    unless(news || case.now.wall >= until, || Suppression::AlertEvery { until })
}

fn alertafter_count(case: &Case<'_>, period: &Period, _: &mut PeriodState) -> Result<(), Suppression> {
    let failures = case.consec_failures;
    let enough = period.alertafter_count.is_none_or(|least| failures >= least);
    unless(enough, || Suppression::AlertAfterCount { failures })
}

fn alertafter_time(case: &Case<'_>, period: &Period, state: &mut PeriodState) -> Result<(), Suppression> {
    let (None, Some(least)) = (period.alertafter_within, period.alertafter_time) else { return Ok(()) };
    let first = state.first_fail_time.filter(|&first| first != 0).unwrap_or(case.now.wall);
    state.first_fail_time = Some(first);
    let until = first.saturating_add(least.whole_secs());
    unless(case.now.wall > until, || Suppression::AlertAfterTime { until })
}

fn alertafter_within(case: &Case<'_>, period: &Period, state: &mut PeriodState) -> Result<(), Suppression> {
    let (Some(least), Some(window)) = (period.alertafter_within, period.alertafter_time) else {
        return Ok(());
    };
    let window_is_open =
        case.now.wall.saturating_sub(state.first_fail_time.unwrap_or(0)) <= window.whole_secs();
    if window_is_open {
        state.fail_count = state.fail_count.saturating_add(1);
    } else {
        state.fail_count = 1;
    }
    if state.fail_count == 1 {
        state.first_fail_time = Some(case.now.wall);
    }
    unless(state.fail_count >= least, || Suppression::AlertAfterWithin { failures: state.fail_count })
}

fn unless(fine: bool, suppression: impl FnOnce() -> Suppression) -> Result<(), Suppression> {
    if fine { Ok(()) } else { Err(suppression()) }
}

/// The kind of alert that a failing result of that source is.
pub(super) fn kind_of(source: Source) -> AlertKind {
    match source {
        Source::Monitor => AlertKind::Failure,
        Source::Trap => AlertKind::Trap,
        Source::TrapTimeout => AlertKind::TrapTimeout,
    }
}
