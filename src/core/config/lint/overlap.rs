//! Periods that hold at the same time and tell the same people.

use std::collections::BTreeMap;

use super::super::model::{AlertKeyword, AlertLine, Period};
use super::super::sink::Sink;
use super::alerting::{PeriodView, periods};
use super::service::ServiceView;
use super::warning;
use crate::nouns::Civil;
use crate::period::Overlap;

/// How two specifications lie to each other; most services of a file use the same few.
#[derive(Debug, Default)]
pub(super) struct Cache(BTreeMap<(Box<str>, Box<str>), Option<Overlap>>);

/// So many different pairs are compared; more are not a file that somebody wrote.
const MOST_PAIRS: usize = 2_000;

impl Cache {
    fn overlap(&mut self, left: &Period, right: &Period) -> Option<Overlap> {
        let key = (left.spec.text().into(), right.spec.text().into());
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        if self.0.len() >= MOST_PAIRS {
            return None;
        }
        let found = left.spec.overlap(&right.spec);
        self.0.insert(key, found.clone());
        found
    }
}

/// Looks at every pair of periods of a service.
pub(super) fn check(view: &ServiceView<'_>, cache: &mut Cache, sink: &mut Sink<'_>) {
    /// A service with more periods is made by a program.
    const MOST_PERIODS: usize = 50;
    if view.service.periods.len() < 2 || view.service.periods.len() > MOST_PERIODS {
        return;
    }
    let all: Vec<PeriodView<'_>> = periods(view).collect();
    for (later, right) in all.iter().enumerate() {
        for left in &all[..later] {
            let Some(program) = same_alert(left.period, right.period) else { continue };
            let Some(overlap) = cache.overlap(left.period, right.period) else { continue };
            // One inside the other with rules of its own is how an alert is stepped up; edges that meet are not.
            let edges = overlap.only_first && overlap.only_second;
            if !edges && !same_rules(left.period, right.period) {
                continue;
            }
            let message = format!(
                "{} is in this period and in the one of line {}: `{program}` is then called twice",
                moment(&overlap.both),
                left.period.line
            );
            let help = if edges {
                "end one where the other begins; the last hour of a range is in it, so 5pm is followed by 6pm"
            } else {
                "delete one of the two, or give it other alerts or rules"
            };
            let at = if right.head.rest.is_empty() { right.head.text } else { right.head.rest };
            sink.warn(at, right.head.line, warning("W034", message, "overlaps").help(help.to_owned()));
            break;
        }
    }
}

/// The program of an alert line that both have: for the same statuses, in the same words.
fn same_alert<'p>(left: &'p Period, right: &Period) -> Option<&'p str> {
    let same = |one: &AlertLine, other: &AlertLine| {
        (one.keyword, one.exit) == (other.keyword, other.exit) && one.command.text == other.command.text
    };
    let failures = left.alerts.iter().filter(|alert| alert.keyword == AlertKeyword::Alert);
    let mut both = failures.filter(|alert| right.alerts.iter().any(|other| same(alert, other)));
    both.next().map(|alert| alert.command.program())
}

fn same_rules(left: &Period, right: &Period) -> bool {
    let rules = |period: &Period| {
        (
            (period.alertevery, period.alertafter_count, period.alertafter_time, period.alertafter_within),
            (period.numalerts, period.alertexitrange),
        )
    };
    rules(left) == rules(right)
}

/// `Mon 17:00`
fn moment(at: &Civil) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let day = DAYS.get(usize::from(at.wday)).copied().unwrap_or_default();
    format!("{day} {:02}:{:02}", at.hour, at.minute)
}
