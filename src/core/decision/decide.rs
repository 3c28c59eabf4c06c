//! The decision: event and state in, new state and alert lines out.

use std::sync::Arc;
use std::time::Duration;

use super::rules::{self, Case};
use super::state::{Ack, Facts, PeriodState, ServiceState};
use super::verdict::{Suppression, Verdict};
use super::{is_blank, summary_of};
use crate::config::{AlertKeyword, DepBehavior, Service};
use crate::nouns::{AlertKind, Now, OpStatus, Wall};

/// What happened to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A monitor ended, a trap came in or stayed away.
    Result {
        /// Who says so.
        source: Source,
        /// 0 is success.
        exit: i64,
        /// First line: summary; the rest: detail.
        output: Arc<str>,
    },
    /// The daemon started (or reset, with `startupalerts_on_reset`).
    Startup,
    /// An operator acknowledged; `user: text`.
    Ack(Arc<str>),
    /// That operator disabled the service.
    Disable(Arc<str>),
}

/// Where a result comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A monitor run.
    Monitor,
    /// A trap.
    Trap,
    /// A trap that did not come.
    TrapTimeout,
}

/// What of the daemon's own condition matters to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circumstances {
    /// The scheduler is stopped.
    pub stopped: bool,
    /// The watch of the service is disabled.
    pub watch_disabled: bool,
    /// When the daemon started: the beginning of outages whose beginning nobody saw.
    pub started: Wall,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The state after the event. Alerts are not counted in it yet: see [`count`].
    pub state: ServiceState,
    /// What the alert programs are called for; `None` where the event is no occasion to alert.
    pub occasion: Option<Occasion>,
    /// The alert lines to call, by period.
    pub firing: Vec<Firing>,
    /// One for each period, in order; empty without an occasion.
    pub verdicts: Vec<Verdict>,
    /// Call the `redistribute` program.
    pub redistribute: bool,
    /// The outage that ended.
    pub downtime: Option<Downtime>,
    /// A changed summary dropped the acknowledgement.
    pub unacked: bool,
}

/// What an alert program is called for; the same for all lines of one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// Which keyword, which flag.
    pub kind: AlertKind,
    /// Exit status of the monitor; `None` where there was none.
    pub exit: Option<i64>,
    /// stdin of the alert.
    pub output: Arc<str>,
    /// The service as it was when this was decided.
    pub facts: Facts,
}

/// The alert lines of one period that are to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// Index into the service's periods.
    pub period: usize,
    /// Indices into the period's alert lines.
    pub lines: Vec<usize>,
}

/// An outage that ended: a line of the downtime log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downtime {
    /// When it began.
    pub first_failure: Wall,
    /// How long it lasted, in seconds.
    pub seconds: i64,
    /// Summary of its last failure.
    pub summary: Option<Arc<str>>,
}

/// What follows from `event`. The caller has brought `state.depend_status` up to date.
#[must_use]
pub fn decide(
    service: &Service,
    state: ServiceState,
    event: &Event,
    circumstances: Circumstances,
    now: &Now,
) -> Decision {
    let (exit, kind, output) = match event {
        Event::Result { source, exit, output } if *exit != 0 => {
            (Some(*exit), rules::kind_of(*source), output.clone())
        }
        Event::Result { exit, output, .. } => {
            return recover(service, state, *exit, output, circumstances, now);
        }
        Event::Startup => (Some(0), AlertKind::Startup, "".into()),
        Event::Ack(comment) => (None, AlertKind::Ack, comment.clone()),
        Event::Disable(user) => (None, AlertKind::Disable, user.clone()),
    };
    let mut decision = Decision::new(state);
    match event {
        Event::Result { source, exit, output } => {
            fail(service, &mut decision.state, *source, *exit, output, now)
        }
        Event::Ack(comment) => {
            decision.state.ack = Some(Box::new(Ack { at: now.wall, comment: comment.clone() }));
        }
        Event::Startup | Event::Disable(_) => {}
    }
    decision.alert(service, kind, exit, &output, circumstances, now);
    if kind.is_failure() {
        decision.state.failure_output = Some(output.clone());
        decision.state.last_output = Some(output);
    }
    decision
}

/// Keeps account of a failure, up to the point where alerts are decided.
fn fail(
    service: &Service,
    state: &mut ServiceState,
    source: Source,
    exit: i64,
    output: &Arc<str>,
    now: &Now,
) {
    state.exitval = Some(exit);
    state.failure_count = state.failure_count.saturating_add(1);
    state.consec_failures = state.consec_failures.saturating_add(1);
    state.last_failure = now.wall;
    state.last_failure_time = now.wall;
    if matches!(state.opstatus, OpStatus::Ok | OpStatus::Unknown | OpStatus::Untested) {
        state.first_failure = Some(now.wall);
    }
    state.set_opstatus(OpStatus::Fail);
    remember_output(state, output);
    if state.last_summary.as_deref().is_none_or(is_blank) {
        state.last_summary = Some(super::NO_SUMMARY.into());
    }
    state.last_failure_summary = state.last_summary.clone();
    if source == Source::Monitor && service.failure_interval.is_some() {
        state.failing_interval = true;
    }
}

/// A success: the outage, if there was one, ends.
fn recover(
    service: &Service,
    state: ServiceState,
    exit: i64,
    output: &Arc<str>,
    circumstances: Circumstances,
    now: &Now,
) -> Decision {
    let mut decision = Decision::new(state);
    let was_failing = decision.state.opstatus == OpStatus::Fail;
    decision.state.exitval = Some(exit);
    if was_failing {
        decision.downtime = Some(end_of_outage(&mut decision.state, circumstances, now));
    }
    decision.state.set_opstatus(OpStatus::Ok);
    let has_upalert =
        service.periods.iter().flat_map(|p| &p.alerts).any(|line| line.keyword == AlertKeyword::Upalert);
    if service.redistribute.is_some() || (was_failing && has_upalert) {
        // The upalert tells what the failure was, not that all is fine now.
        let failing_output = decision.state.last_output.clone().unwrap_or_default();
        decision.alert(service, AlertKind::Up, Some(0), &failing_output, circumstances, now);
    }
    start_afresh(service, &mut decision.state);
    remember_output(&mut decision.state, output);
    decision.state.last_output = Some(output.clone());
    decision.state.last_success = now.wall;
    decision
}

fn end_of_outage(state: &mut ServiceState, circumstances: Circumstances, now: &Now) -> Downtime {
    let first_failure = match state.first_failure {
        Some(seen) if seen != 0 => seen,
        _ => circumstances.started,
    };
    state.first_failure = Some(first_failure);
    Downtime {
        first_failure,
        seconds: now.wall.saturating_sub(first_failure),
        summary: state.last_summary.clone(),
    }
}

/// Forgets the outage: acknowledgement, counters, timers.
fn start_afresh(service: &Service, state: &mut ServiceState) {
    state.ack = None;
    state.first_failure = Some(0);
    state.last_failure = 0;
    state.consec_failures = 0;
    state.failure_output = None;
    state.failing_interval = false;
    for (period, state) in service.periods.iter().zip(&mut state.periods) {
        let strict =
            period.alertevery.is_some_and(|every| every.unless == crate::config::AlertEveryUnless::Never);
        if !strict {
            state.last_alert = Some(0);
        }
        state.first_fail_time = Some(0);
        state.alert_sent = 0;
    }
}

fn remember_output(state: &mut ServiceState, output: &Arc<str>) {
    let (summary, detail) = match output.split_once('\n') {
        _ if output.is_empty() => (None, None),
        Some((summary, detail)) => (Some(summary), Some(detail)),
        None => (Some(&**output), None),
    };
    // Most results repeat the one before: then nothing is copied.
    if state.last_summary.as_deref() != summary {
        state.last_summary = summary.map(Arc::from);
    }
    if state.last_detail.as_deref() != detail {
        state.last_detail = detail.map(Arc::from);
    }
}

impl Decision {
    fn new(state: ServiceState) -> Decision {
        Decision {
            state,
            occasion: None,
            firing: Vec::new(),
            verdicts: Vec::new(),
            redistribute: false,
            downtime: None,
            unacked: false,
        }
    }

    /// Decides about an occasion, in the order of SPEC's section 6.
    fn alert(
        &mut self,
        service: &Service,
        kind: AlertKind,
        exit: Option<i64>,
        output: &Arc<str>,
        circumstances: Circumstances,
        now: &Now,
    ) {
        self.redistribute = service.redistribute.is_some() && !circumstances.stopped;
        let mut silence = forbidden(service, &self.state, kind, circumstances);
        if silence.is_none() && kind.is_failure() {
            self.unacked = drop_outdated_ack(service, &mut self.state, output);
        }
        let operator_is_concerned = matches!(kind, AlertKind::Up | AlertKind::Ack | AlertKind::Disable);
        if silence.is_none() && self.state.ack.is_some() && !operator_is_concerned {
            silence = Some(Suppression::Acked);
        }
        self.occasion = Some(Occasion { kind, exit, output: output.clone(), facts: Facts::of(&self.state) });
        let previous_output = self.state.failure_output.clone().unwrap_or_default();
        let case = Case {
            now,
            kind,
            exit,
            output,
            summary: summary_of(output),
            previous_output: &previous_output,
            previous_summary: summary_of(&previous_output),
            consec_failures: self.state.consec_failures,
            first_failure: self.state.first_failure.unwrap_or(0),
        };
        for (index, period) in service.periods.iter().enumerate() {
            let verdict = match &silence {
                Some(reason) => Err(reason.clone()),
                None => rules::check(&case, period, &mut self.state.periods[index])
                    .and_then(|()| lines_for(&period.alerts, &case)),
            };
            self.verdicts.push(match verdict {
                Ok(lines) => {
                    self.firing.push(Firing { period: index, lines });
                    Verdict::Send
                }
                Err(reason) => Verdict::Suppressed(reason),
            });
        }
    }
}

/// The reason why the service may not alert at all, if there is one.
fn forbidden(
    service: &Service,
    state: &ServiceState,
    kind: AlertKind,
    circumstances: Circumstances,
) -> Option<Suppression> {
    let reasons = [
        (circumstances.stopped, Suppression::Stopped),
        (circumstances.watch_disabled, Suppression::WatchDisabled),
        (state.disabled, Suppression::ServiceDisabled),
        (
            !matches!(kind, AlertKind::Up | AlertKind::Startup) && dependency_is_failing(service, state),
            Suppression::DependencyFailing,
        ),
    ];
    reasons.into_iter().find_map(|(applies, reason)| applies.then_some(reason))
}

/// Not known to be good counts as failing: a broken expression, an unknown service or a loop suppresses.
fn dependency_is_failing(service: &Service, state: &ServiceState) -> bool {
    let depends = service.depends.as_deref().is_some_and(|depends| {
        depends.alertdepend.is_some()
            || (depends.depend.is_some() && service.dep_behavior == DepBehavior::Alerts)
    });
    depends && state.depend_status != Some(true)
}

/// `unack_summary`: a failure with another summary is not the one that was acknowledged.
fn drop_outdated_ack(service: &Service, state: &mut ServiceState, output: &str) -> bool {
    let without_blanks = |text: &str| text.replace(crate::timeval::is_blank, "");
    let previous = state.failure_output.as_deref().unwrap_or_default();
    let outdated = state.ack.is_some()
        && service.unack_summary
        && without_blanks(summary_of(output)) != without_blanks(summary_of(previous));
    if outdated {
        state.ack = None;
        state.consec_failures = 1;
        for period in &mut state.periods {
            (period.last_alert, period.first_fail_time, period.fail_count) = (Some(0), Some(0), 0);
        }
    }
    outdated
}

/// The lines of a period that are meant for the occasion.
fn lines_for(lines: &[crate::config::AlertLine], case: &Case<'_>) -> Result<Vec<usize>, Suppression> {
    let keyword = keyword_for(case.kind);
    let meant = |line: &crate::config::AlertLine| {
        line.keyword == keyword && line.exit.is_none_or(|range| range.contains(case.exit.unwrap_or(0)))
    };
    let meant: Vec<usize> = (0..lines.len()).filter(|&index| meant(&lines[index])).collect();
    if meant.is_empty() { Err(Suppression::NoAlertLine) } else { Ok(meant) }
}

/// The keyword of the lines that are called for that kind.
#[must_use]
pub fn keyword_for(kind: AlertKind) -> AlertKeyword {
    match kind {
        AlertKind::Failure | AlertKind::Trap | AlertKind::TrapTimeout => AlertKeyword::Alert,
        AlertKind::Up => AlertKeyword::Upalert,
        AlertKind::Startup => AlertKeyword::Startupalert,
        AlertKind::Ack => AlertKeyword::Ackalert,
        AlertKind::Disable => AlertKeyword::Disablealert,
    }
}

/// Counts the alert of a period, of which at least one program is being started.
pub fn count(service: &Service, state: &mut ServiceState, period: usize, kind: AlertKind, now: &Now) {
    let no_comp_alerts = service.periods[period].no_comp_alerts;
    let PeriodState { alert_sent, last_alert, upalert_sent, .. } = &mut state.periods[period];
    if kind == AlertKind::Up {
        (*alert_sent, *last_alert) = (0, Some(0));
        *upalert_sent |= no_comp_alerts;
    } else {
        *alert_sent = alert_sent.saturating_add(1);
        *last_alert = Some(now.wall);
        *upalert_sent = false;
    }
}

/// Takes back a count, because none of the programs could be started after all: nobody was told.
pub fn uncount(state: &mut ServiceState, period: usize) {
    if let Some(period) = state.periods.get_mut(period) {
        period.alert_sent = period.alert_sent.saturating_sub(1);
        period.last_alert = Some(0);
    }
}

impl Downtime {
    /// How long the outage lasted; never negative, even when the clock was set back.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        Duration::from_secs(self.seconds.max(0) as u64)
    }
}
