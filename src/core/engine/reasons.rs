//! Which rule held an alert back: its line in mon.cf and its counters, for those who ask why.
//!
//! Nothing is decided here. `decision` gives the verdict; this says what stands behind it at that moment.

use std::borrow::Cow;
use std::sync::Arc;

use super::Engine;
use super::verdicts::{Judged, Reason, Ruling};
use crate::config::{AlertEveryUnless, AlertLine, ExitRange, Period, PeriodRule};
use crate::decision::{Decision, ServiceState, Suppression, Verdict, keyword_for};
use crate::nouns::{AlertKind, Now};
use crate::schedule::ServiceId;

/// The verdicts of a decision, each with its reason. `state` is the service after the decision, before any alert
/// is counted.
pub(super) fn judge(
    engine: &Engine,
    id: ServiceId,
    state: &ServiceState,
    decision: &Decision,
    now: &Now,
) -> Vec<Judged> {
    let Some(occasion) = &decision.occasion else { return Vec::new() };
    let service = &engine.slot(id).service;
    let verdicts = service.periods.iter().zip(&decision.verdicts).enumerate();
    let judge = |(index, (period, verdict)): (usize, (&Period, &Verdict))| {
        let ruling = match verdict {
            Verdict::Send => {
                let firing = decision.firing.iter().filter(|firing| firing.period == index);
                let lines = firing.flat_map(|firing| &firing.lines);
                Ruling::Sent(lines.map(|&line| period.alerts[line].command.line).collect())
            }
            Verdict::Suppressed(why) => {
                let (kind, exit) = (occasion.kind, occasion.exit);
                Ruling::Held(Case { engine, id, state, period, index, kind, exit, now }.reason(why))
            }
        };
        Judged { period: period.label.clone(), line: period.line, ruling }
    };
    verdicts.map(judge).collect()
}

/// What a suppression is explained with.
struct Case<'a> {
    engine: &'a Engine,
    id: ServiceId,
    state: &'a ServiceState,
    period: &'a Period,
    index: usize,
    kind: AlertKind,
    exit: Option<i64>,
    now: &'a Now,
}

/// Name and value; times are seconds since the epoch, spans are seconds.
type Detail = (Cow<'static, str>, String);

fn detail(name: &'static str, value: impl ToString) -> Detail {
    (name.into(), value.to_string())
}

fn reason(rule: &'static str, line: u32, details: Vec<Detail>) -> Reason {
    Reason { rule: rule.into(), line, details }
}

impl Case<'_> {
    fn reason(&self, why: &Suppression) -> Reason {
        let Case { engine, period, .. } = self;
        let at = |rule: PeriodRule| period.line_of(rule);
        match why {
            Suppression::Stopped => {
                let since = engine.stopped.map_or(0, |stopped| stopped.wall);
                reason("stop", 0, vec![detail("since", since)])
            }
            Suppression::WatchDisabled => reason("disable-watch", 0, vec![]),
            Suppression::ServiceDisabled => reason("disable-service", 0, vec![]),
            Suppression::DependencyFailing => self.dependency(),
            Suppression::Acked => {
                let ack = self.state.ack.as_deref();
                let by: Arc<str> = ack.map(|ack| ack.comment.clone()).unwrap_or_default();
                let since = ack.map_or(0, |ack| ack.at);
                let mut details = vec![detail("since", since), detail("comment", by)];
                if engine.slot(self.id).service.unack_summary {
                    details.push(detail("unack", 1));
                }
                reason("ack", 0, details)
            }
            Suppression::OutsidePeriod => {
                reason("period", period.line, vec![detail("spec", period.spec.text())])
            }
            Suppression::NoAlertBefore => reason("no-alert-before", 0, vec![]),
            Suppression::UpalertSent => reason("no_comp_alerts", at(PeriodRule::NoCompAlerts), vec![]),
            Suppression::UpalertAfter { lasted } => {
                let least = period.upalertafter.map_or(0, |least| least.whole_secs());
                let details = vec![detail("lasted", lasted.as_secs()), detail("least", least)];
                reason("upalertafter", at(PeriodRule::UpalertAfter), details)
            }
            Suppression::ExitRange => {
                let range = period.alertexitrange.map(spell_range).unwrap_or_default();
                let details = vec![detail("exit", self.exit.unwrap_or(0)), detail("range", range)];
                reason("alertexitrange", at(PeriodRule::ExitRange), details)
            }
            Suppression::NumAlerts { sent } => {
                let details = vec![detail("sent", sent), detail("most", period.numalerts.unwrap_or(0))];
                reason("numalerts", at(PeriodRule::NumAlerts), details)
            }
            Suppression::AlertEvery { until } => {
                let every = period.alertevery;
                let span = every.map_or(0, |every| every.interval.whole_secs());
                let unless = every.map_or("", |every| unless_word(every.unless));
                let last = self.state.periods[self.index].last_alert.unwrap_or(0);
                let details = vec![
                    detail("every", span),
                    detail("last", last),
                    detail("until", until),
                    detail("unless", unless),
                ];
                reason("alertevery", at(PeriodRule::AlertEvery), details)
            }
            Suppression::AlertAfterCount { .. }
            | Suppression::AlertAfterTime { .. }
            | Suppression::AlertAfterWithin { .. } => self.alertafter(why),
            Suppression::NoAlertLine => self.no_line(),
        }
    }

    fn alertafter(&self, why: &Suppression) -> Reason {
        let Case { period, .. } = self;
        let first = self.state.periods[self.index].first_fail_time.unwrap_or(self.now.wall);
        let span = period.alertafter_time.map_or(0, |span| span.whole_secs());
        let (rule, details) = match why {
            Suppression::AlertAfterTime { until } => {
                let details = vec![detail("span", span), detail("first", first), detail("until", until)];
                (PeriodRule::AlertAfterTime, details)
            }
            Suppression::AlertAfterWithin { failures } => {
                let least = period.alertafter_within.unwrap_or(0);
                let details = vec![
                    detail("failures", failures),
                    detail("least", least),
                    detail("window", span),
                    detail("first", first),
                ];
                (PeriodRule::AlertAfterTime, details)
            }
            Suppression::AlertAfterCount { failures } => {
                let least = period.alertafter_count.unwrap_or(0);
                (PeriodRule::AlertAfterCount, vec![detail("failures", failures), detail("least", least)])
            }
            _ => (PeriodRule::AlertAfterCount, Vec::new()),
        };
        reason("alertafter", period.line_of(rule), details)
    }

    /// The dependency, and the services in it that fail, or did so until lately (`dep_memory`).
    fn dependency(&self) -> Reason {
        let Some((dependency, culprits)) = self.engine.alert_dependency_culprits(self.id, self.now) else {
            return reason("depend", 0, vec![]);
        };
        let depends = self.engine.slot(self.id).service.depends.as_deref();
        let is_own = depends.and_then(|depends| depends.alertdepend.as_ref());
        let own = is_own.is_some_and(|own| std::ptr::eq(own, dependency));
        let names: Vec<String> =
            culprits.iter().map(|(group, service)| format!("{group}/{service}")).collect();
        let mut details = vec![detail("expression", &dependency.text), detail("failing", names.join(","))];
        if dependency.expr.is_err() {
            details.push(detail("broken", 1));
        }
        reason(if own { "alertdepend" } else { "depend" }, dependency.line, details)
    }

    /// Every rule of the period is content, and yet there is nobody to call.
    fn no_line(&self) -> Reason {
        let keyword = keyword_for(self.kind);
        let mut lines = self.period.alerts.iter().filter(|line| line.keyword == keyword);
        let word = detail("keyword", keyword.word());
        match lines.next() {
            None => reason("no-alert-line", 0, vec![word]),
            Some(first) => {
                let ranges: Vec<String> =
                    std::iter::once(first).chain(lines).filter_map(line_range).collect();
                let exit = detail("exit", self.exit.unwrap_or(0));
                reason("exit", first.command.line, vec![word, exit, detail("range", ranges.join(","))])
            }
        }
    }
}

/// `5`, `5-9`.
pub(super) fn spell_range(range: ExitRange) -> String {
    let ExitRange { first, last } = range;
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn line_range(line: &AlertLine) -> Option<String> {
    line.exit.map(spell_range)
}

/// What breaks the silence, as the word in mon.cf has it.
fn unless_word(unless: AlertEveryUnless) -> &'static str {
    match unless {
        AlertEveryUnless::SummaryChanged => "summary",
        AlertEveryUnless::OutputChanged => "observe_detail",
        AlertEveryUnless::Recovered => "ignore_summary",
        AlertEveryUnless::Never => "strict",
    }
}
