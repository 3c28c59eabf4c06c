//! `why`: would anybody be told, and if not, which rule is it?
//!
//! The answer comes from [`decide`] itself, on a copy of the state with something supposed to happen to it: there
//! is no second reading of the rules that could be wrong. When an alert could go out next is found the same way,
//! by supposing one failure after the other, at the times when the monitor would run.

use std::sync::Arc;

use super::command::Question;
use super::reasons::{judge, spell_range};
use super::verdicts::{Judged, Past, first_line};
use super::{Engine, Slot};
use crate::config::{AlertKeyword, AlertLine, Period, Service};
use crate::decision::{Decision, Event as Happening, ServiceState, Source, Suppression, Verdict, decide};
use crate::nouns::{AlertKind, Civil, Now, OpStatus, ServiceKey, Wall};
use crate::schedule::ServiceId;
use crate::timeval::Timeval;

/// Decisions of the past that are told.
pub const PAST_TOLD: usize = 10;
/// Failures that are supposed in a row before it counts as never.
const MOST_FAILURES: usize = 2000;
/// How far ahead the opening of a period is looked for: a period that comes once a year is found.
const HORIZON_SECS: i64 = 400 * 86_400;

/// Turns a moment into local time.
pub type CivilAt<'a> = dyn Fn(Wall) -> Civil + 'a;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// About whom.
    pub key: ServiceKey,
    /// About which moment; `None`: about now.
    pub at: Option<Wall>,
    /// How it stands with the service.
    pub facts: Asked,
    /// What would follow from what may happen; empty for a moment of the past.
    pub supposed: Vec<Supposed>,
    /// What was decided, oldest first.
    pub past: Vec<Past>,
    /// Memory has no decision from before `past`: the record may.
    pub reaches_back: bool,
}

/// A service, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The time of asking.
    pub now: Wall,
    /// Line of the service in mon.cf.
    pub line: u32,
    /// Its status.
    pub opstatus: OpStatus,
    /// Since when it fails.
    pub failing_since: Option<Wall>,
    /// Failures in a row.
    pub failures: u32,
    /// The last summary.
    pub summary: Arc<str>,
    /// Time between two runs; `None` where there are none.
    pub interval: Option<Timeval>,
    /// The next run.
    pub next_check: Option<Wall>,
}

/// Something that might happen now, and what would be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supposed {
    /// What.
    pub kind: AlertKind,
    /// With that exit status.
    pub exit: Option<i64>,
    /// And that summary.
    pub summary: Arc<str>,
    /// What would be decided, for each period.
    pub periods: Vec<SupposedPeriod>,
}

/// One period, and what would be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupposedPeriod {
    /// The verdict.
    pub judged: Judged,
    /// When an alert of it could go out next; `None` where that is now, or depends on more than time.
    pub next: Option<Wall>,
    /// Its alert lines of that kind.
    pub lines: Vec<AskedLine>,
}

/// One alert line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedLine {
    /// Its line in mon.cf.
    pub line: u32,
    /// Its keyword.
    pub keyword: AlertKeyword,
    /// Its `exit=`, empty without.
    pub exit: String,
    /// Program and arguments.
    pub command: Arc<str>,
    /// Whether it would be called.
    pub called: bool,
}

impl Why {
    /// Takes in what the record has: decisions that memory has no more, oldest first.
    pub fn add_recorded(&mut self, recorded: Vec<Past>) {
        let begin = self.past.first().map_or(Wall::MAX, |past| past.at);
        let remembered = std::mem::take(&mut self.past);
        let mut all: Vec<Past> =
            recorded.into_iter().filter(|past| past.at < begin).chain(remembered).collect();
        match self.at {
            None => drop(all.drain(..all.len().saturating_sub(PAST_TOLD))),
            Some(at) => {
                let until_then = all.iter().take_while(|past| past.at <= at).count();
                all.truncate(until_then + 1);
                all.drain(..until_then.saturating_sub(1));
            }
        }
        self.past = all;
    }
}

impl Engine {
    /// Answers `why`; `None` for a service that is not there.
    #[must_use]
    pub fn why(&self, question: &Question, now: &Now, civil_at: &CivilAt<'_>) -> Option<Why> {
        let id = self.find(&question.group, &question.service)?;
        let key = self.key(id);
        let supposed = match question.at {
            None => self.suppose_all(id, now, civil_at),
            Some(_) => Vec::new(),
        };
        let (past, reaches_back) = self.past(&key, question.at);
        Some(Why { at: question.at, facts: self.asked(id, now), supposed, past, reaches_back, key })
    }

    /// The last decisions; or those on both sides of a moment.
    fn past(&self, key: &ServiceKey, at: Option<Wall>) -> (Vec<Past>, bool) {
        let newest_first: Vec<&Past> = self.verdicts.of(key).collect();
        let (skip, take) = match at {
            None => (0, PAST_TOLD),
            Some(at) => {
                let later = newest_first.iter().take_while(|past| past.at > at).count();
                (later.saturating_sub(1), if later > 0 { 2 } else { 1 })
            }
        };
        let mut past: Vec<Past> = newest_first.into_iter().skip(skip).take(take).cloned().collect();
        let complete = past.len() == take && at.is_none_or(|at| past.last().is_some_and(|p| p.at <= at));
        past.reverse();
        (past, !complete)
    }

    fn asked(&self, id: ServiceId, now: &Now) -> Asked {
        let Slot { service, state, .. } = self.slot(id);
        let fails = state.opstatus == OpStatus::Fail;
        Asked {
            now: now.wall,
            line: service.line,
            opstatus: state.opstatus,
            failing_since: state.first_failure.filter(|&first| fails && first != 0),
            failures: state.consec_failures,
            summary: state.last_summary.clone().unwrap_or_default(),
            interval: state.interval(service),
            next_check: self.next_check(id, now),
        }
    }

    fn next_check(&self, id: ServiceId, now: &Now) -> Option<Wall> {
        let Slot { service, state, .. } = self.slot(id);
        state.interval(service)?;
        (self.stopped.is_none())
            .then(|| now.wall.saturating_add(self.seconds_to_next_run(id, now.mono) as Wall))
    }

    /// What may happen to a service now. That it fails is always asked; the rest where it can happen, and where
    /// there is a line for it.
    fn suppose_all(&self, id: ServiceId, now: &Now, civil_at: &CivilAt<'_>) -> Vec<Supposed> {
        let Slot { service, state, .. } = self.slot(id);
        let has = |keyword| service.periods.iter().flat_map(|p| &p.alerts).any(|l| l.keyword == keyword);
        let fails = state.opstatus == OpStatus::Fail;
        let may_be_acked = !matches!(state.opstatus, OpStatus::Ok | OpStatus::Untested);
        let recovery = Happening::Result { source: source_of(service), exit: 0, output: "".into() };
        let happenings = [
            (true, failure(service, state)),
            (fails && has(AlertKeyword::Upalert), recovery),
            (may_be_acked && has(AlertKeyword::Ackalert), Happening::Ack("".into())),
            (has(AlertKeyword::Disablealert), Happening::Disable("".into())),
            (has(AlertKeyword::Startupalert), Happening::Startup),
        ];
        let wanted = happenings.into_iter().filter(|(wanted, _)| *wanted);
        wanted.filter_map(|(_, happening)| self.suppose(id, &happening, now, civil_at)).collect()
    }

    fn suppose(
        &self,
        id: ServiceId,
        happening: &Happening,
        now: &Now,
        civil_at: &CivilAt<'_>,
    ) -> Option<Supposed> {
        let service = &self.slot(id).service;
        let mut decision = decide(service, self.copy(id, now), happening, self.circumstances(id), now);
        let state = std::mem::take(&mut decision.state);
        let judged = judge(self, id, &state, &decision, now);
        let occasion = decision.occasion.as_ref()?;
        let fails = occasion.kind.is_failure();
        let period = |(index, judged): (usize, Judged)| SupposedPeriod {
            next: match &decision.verdicts[index] {
                Verdict::Suppressed(_) if fails => self.next_alert(id, index, happening, now, civil_at),
                Verdict::Suppressed(Suppression::OutsidePeriod) => {
                    service.periods[index].spec.next_change(now.wall, civil_at, HORIZON_SECS)
                }
                _ => None,
            },
            lines: asked_lines(&service.periods[index], &decision, index),
            judged,
        };
        Some(Supposed {
            kind: occasion.kind,
            exit: occasion.exit,
            summary: first_line(&occasion.output).into(),
            periods: judged.into_iter().enumerate().map(period).collect(),
        })
    }

    /// The state as the decision would find it.
    fn copy(&self, id: ServiceId, now: &Now) -> ServiceState {
        let depend_status = self.alert_dependency_now(id, now);
        ServiceState { depend_status, ..self.slot(id).state.clone() }
    }

    /// When the period would send an alert, if from now on the service did nothing but fail.
    fn next_alert(
        &self,
        id: ServiceId,
        period: usize,
        failure: &Happening,
        now: &Now,
        civil_at: &CivilAt<'_>,
    ) -> Option<Wall> {
        let Slot { service, .. } = self.slot(id);
        let mut state = self.copy(id, now);
        let circumstances = self.circumstances(id);
        // Nobody knows when the next trap comes: then only time can be waited for.
        let runs = state.interval(service).is_some() && service.monitor.is_some();
        let mut at = self.next_check(id, now).filter(|_| runs).unwrap_or(now.wall);
        for _ in 0..MOST_FAILURES {
            let then = Now { mono: now.mono, wall: at, civil: civil_at(at) };
            let decision = decide(service, state, failure, circumstances, &then);
            state = decision.state;
            let earliest = match &decision.verdicts[period] {
                Verdict::Send => return Some(at),
                Verdict::Suppressed(Suppression::OutsidePeriod) => {
                    service.periods[period].spec.next_change(at, civil_at, HORIZON_SECS)?
                }
                Verdict::Suppressed(Suppression::AlertEvery { until }) => *until,
                Verdict::Suppressed(Suppression::AlertAfterTime { until }) => until.saturating_add(1),
                Verdict::Suppressed(
                    Suppression::AlertAfterCount { .. } | Suppression::AlertAfterWithin { .. },
                ) if runs => at,
                Verdict::Suppressed(_) => return None,
            };
            let interval =
                state.interval(service).filter(|_| runs).map_or(1, |span| span.whole_secs().max(1));
            // Failures that nobody would look at are counted, not supposed one by one.
            let steps = (earliest.saturating_sub(at).max(1) as u64).div_ceil(interval as u64);
            let passed_over = u32::try_from(steps - 1).unwrap_or(u32::MAX);
            if runs {
                state.consec_failures = state.consec_failures.saturating_add(passed_over);
            }
            at = at.saturating_add(interval.saturating_mul(steps as i64));
        }
        None
    }
}

/// The failure that is going on, once more; or one that nobody has seen.
fn failure(service: &Service, state: &ServiceState) -> Happening {
    let source = source_of(service);
    let output = match &state.failure_output {
        Some(output) if state.opstatus == OpStatus::Fail => output.clone(),
        _ => "it fails\n".into(),
    };
    let exit = state.exitval.filter(|&exit| exit != 0).unwrap_or(1);
    Happening::Result { source, exit, output }
}

fn source_of(service: &Service) -> Source {
    if service.monitor.is_some() { Source::Monitor } else { Source::Trap }
}

/// The lines of a period that are there for such an occasion.
fn asked_lines(period: &Period, decision: &Decision, index: usize) -> Vec<AskedLine> {
    let keyword = decision.occasion.as_ref().map(|occasion| crate::decision::keyword_for(occasion.kind));
    let called = |line: usize| decision.firing.iter().any(|f| f.period == index && f.lines.contains(&line));
    let ask = |(number, line): (usize, &AlertLine)| AskedLine {
        line: line.command.line,
        keyword: line.keyword,
        exit: line.exit.map(spell_range).unwrap_or_default(),
        command: line.command.text.clone(),
        called: called(number),
    };
    let lines = period.alerts.iter().enumerate().filter(|(_, line)| Some(line.keyword) == keyword);
    lines.map(ask).collect()
}
