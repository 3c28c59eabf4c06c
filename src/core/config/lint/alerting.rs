//! Alert rules that contradict each other or never come to anything.

use super::super::ast::{Kind, Statement};
use super::super::model::{AlertEveryUnless, AlertKeyword, AlertLine, ExitRange, Period, Service};
use super::super::sink::Sink;
use super::super::words;
use super::service::ServiceView;
use super::warning;
use crate::timeval::Timeval;

/// A period with its lines.
pub(super) struct PeriodView<'v> {
    pub(super) service: &'v ServiceView<'v>,
    pub(super) period: &'v Period,
    /// The `period` line.
    pub(super) head: &'v Statement,
    /// The lines below it.
    pub(super) lines: &'v [Statement],
}

impl PeriodView<'_> {
    /// The last line with that keyword: the one that counts.
    pub(super) fn last(&self, keyword: &str) -> Option<&Statement> {
        self.lines.iter().rev().find(|line| self.service.keyword(line) == keyword)
    }

    /// The alert lines that became something, each with its statement.
    pub(super) fn alerts(&self) -> impl Iterator<Item = (&Statement, &AlertLine)> {
        let lines = self
            .lines
            .iter()
            .filter(|line| self.service.keyword(line).ends_with("alert") && self.is_entered(line));
        lines.zip(&self.period.alerts)
    }

    /// A line without a program is not in the list of the period.
    fn is_entered(&self, line: &Statement) -> bool {
        !line.rest.is_empty()
    }

    fn has(&self, keyword: AlertKeyword) -> bool {
        self.period.alerts.iter().any(|alert| alert.keyword == keyword)
    }
}

/// The periods of a service with their lines.
pub(super) fn periods<'v>(view: &'v ServiceView<'v>) -> impl Iterator<Item = PeriodView<'v>> {
    let heads = view.statements.iter().enumerate().filter(|(_, line)| line.kind == Kind::Period);
    heads.zip(&view.service.periods).map(|((at, head), period)| {
        let below = &view.statements[at + 1..];
        let end = below.iter().position(|line| line.kind == Kind::Period).unwrap_or(below.len());
        PeriodView { service: view, period, head, lines: &below[..end] }
    })
}

/// A check of one period.
type Check = fn(&PeriodView<'_>, &mut Sink<'_>);

const CHECKS: &[Check] = &[
    no_alert,
    never_true,
    alertafter_out_of_reach,
    alertafter_without_unit,
    alertevery_never_asked,
    upalert_never_sent,
    upalertafter_for_nothing,
    exit_never_matches,
    exit_ranges_overlap,
    upalert_one_slip_off,
];

/// Runs all checks of all periods.
pub(super) fn check(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    for period in periods(view) {
        for check in CHECKS {
            check(&period, sink);
        }
    }
}

fn no_alert(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    // A line that lacks its program, or is no line of a period, has its own complaint; `period none` says openly
    // that nobody is to be told.
    let is_alert = |keyword: &str| keyword.ends_with("alert") || !words::PERIOD.contains(&keyword);
    let said =
        view.lines.iter().any(|line| line.kind == Kind::Setting && is_alert(view.service.keyword(line)));
    if said || view.period.spec.text().trim().eq_ignore_ascii_case("none") {
        return;
    }
    let name = &view.service.service.name;
    let message = format!("nobody is told in this period: it has no alert (service `{name}`)");
    let complaint = warning("W026", message, "no alert line below it")
        .help("add an `alert PROGRAM` line, or delete the period".to_owned());
    sink.warn(view.head.text, view.head.line, complaint);
}

fn never_true(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let spec = &view.period.spec;
    let text = view.service.source.slice(view.head.rest);
    let Some(from) = text.rfind(spec.text()) else { return };
    for part in spec.never() {
        let written = &spec.text()[part.clone()];
        let whole = spec.never().len() == spec.parts();
        let message = if whole {
            format!("`{written}` never comes: no moment is in all of it, so this period alerts nobody")
        } else {
            format!("`{written}` never comes: no moment is in all of it")
        };
        let complaint = warning("W033", message, "never true").help(
            "scales side by side must all hold; `,` between them means: one of them is enough".to_owned(),
        );
        let at = view.head.rest.part(from + part.start, from + part.end);
        sink.warn(at, view.head.line, complaint);
    }
}

/// The longest regular wait between two runs while the service fails.
fn between_failures(service: &Service) -> Option<Timeval> {
    service.failure_interval.or(service.interval)
}

fn alertafter_out_of_reach(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let (Some(least), Some(window)) = (view.period.alertafter_within, view.period.alertafter_time) else {
        return;
    };
    let service = view.service.service;
    // With the interval alone it is an error already; the failure_interval is what the original forgets.
    let (Some(slow), Some(line)) = (service.failure_interval, view.last("alertafter")) else { return };
    let spread = |wait: Timeval| wait.duration().saturating_mul(least.saturating_sub(1));
    let needed = spread(slow);
    let is_refused = service.interval.is_some_and(|interval| spread(interval) >= window.duration());
    if needed > window.duration() && !is_refused {
        let message = format!(
            "{least} failures never fit into {window}s: while the service fails, it is looked at every {slow}s only"
        );
        let complaint = warning("W035", message, "never reached with this failure_interval")
            .help(format!("allow more than {}s, or ask for fewer failures", needed.as_secs()));
        sink.warn(line.rest, line.line, complaint);
    }
}

fn alertafter_without_unit(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    const MANY: u32 = 10;
    const LONG: u64 = 2 * 3600;
    let Some(count) = view.period.alertafter_count.filter(|&count| count >= MANY) else { return };
    let (Some(between), Some(line)) = (between_failures(view.service.service), view.last("alertafter"))
    else {
        return;
    };
    let silent = between.duration().saturating_mul(count - 1).as_secs();
    if silent >= LONG {
        let hours = silent as f64 / 3600.0;
        let message =
            format!("`alertafter {count}` is {count} failures: the first alert comes after {hours:.1} hours");
        let complaint = warning("W039", message, "a number of failures, not a time")
            .help(format!("for a time add its unit: `alertafter {count}m`"));
        sink.warn(line.rest, line.line, complaint);
    }
}

fn alertevery_never_asked(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let (Some(1), Some(every)) = (view.period.numalerts, view.period.alertevery) else { return };
    let Some(line) = view.last("alertevery") else { return };
    // `strict` holds back the first alert of the next outage, too.
    if every.unless != AlertEveryUnless::Never {
        let message =
            "this `alertevery` holds nothing back: `numalerts 1` allows a single alert of an outage";
        let complaint = warning("W036", message.to_owned(), "there is no second alert")
            .help("raise or delete `numalerts` to be told again, or delete this line".to_owned());
        sink.warn(line.text, line.line, complaint);
    }
}

fn upalert_never_sent(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    // Whatever alert of the period went out first makes the pair.
    let others = [AlertKeyword::Alert, AlertKeyword::Startupalert, AlertKeyword::Disablealert];
    if view.period.no_comp_alerts || others.into_iter().any(|keyword| view.has(keyword)) {
        return;
    }
    for (keyword, word) in [(AlertKeyword::Upalert, "upalert"), (AlertKeyword::Ackalert, "ackalert")] {
        let Some((line, _)) = view.alerts().find(|(_, alert)| alert.keyword == keyword) else { continue };
        let message = format!(
            "this `{word}` is never sent: one follows only an alert of its own period, and here is no `alert` line"
        );
        let complaint = warning("W037", message, "has nothing to follow").help(
            "add an `alert` line to this period, or `no_comp_alerts` to send it all the same".to_owned(),
        );
        sink.warn(line.text, line.line, complaint);
    }
}

fn upalertafter_for_nothing(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let (Some(_), false) = (view.period.upalertafter, view.has(AlertKeyword::Upalert)) else { return };
    let Some(line) = view.last("upalertafter") else { return };
    let complaint = warning(
        "W037",
        "`upalertafter` has no effect: this period has no `upalert`".to_owned(),
        "nothing to hold back",
    )
    .help("add an `upalert PROGRAM` line, or delete this one".to_owned());
    sink.warn(line.text, line.line, complaint);
}

/// Statuses that a program can end with, and those that count as a failure.
const STATUSES: ExitRange = ExitRange { first: 0, last: 255 };
const FAILURES: ExitRange = ExitRange { first: 1, last: 255 };

fn meet(left: ExitRange, right: ExitRange) -> bool {
    left.first.max(right.first) <= left.last.min(right.last)
}

fn exit_never_matches(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let whole = view.period.alertexitrange;
    if let (Some(range), Some(line)) = (whole, view.last("alertexitrange"))
        && (range.first > range.last || !meet(range, FAILURES))
    {
        let complaint = never_matches(range, "a failing monitor ends with 1 to 255");
        sink.warn(line.rest, line.line, complaint);
        return;
    }
    for (line, alert) in view.alerts() {
        let Some(range) = alert.exit else { continue };
        let reason = match alert.keyword {
            _ if range.first > range.last => "the first is greater than the last",
            AlertKeyword::Alert if !meet(range, FAILURES) => "a failing monitor ends with 1 to 255",
            AlertKeyword::Alert if whole.is_some_and(|whole| !meet(range, whole)) => {
                "the `alertexitrange` of this period lets none of it pass"
            }
            AlertKeyword::Upalert | AlertKeyword::Startupalert if !range.contains(0) => {
                "the status of a success is 0"
            }
            _ if !meet(range, STATUSES) => "a program ends with 0 to 255",
            _ => continue,
        };
        let text = view.service.source.slice(line.rest);
        let prefix = text.find(crate::timeval::is_blank).unwrap_or(text.len());
        sink.warn(line.rest.part(0, prefix), line.line, never_matches(range, reason));
    }
}

fn never_matches(range: ExitRange, reason: &str) -> super::super::sink::Complaint {
    let ExitRange { first, last } = range;
    let message = format!("the exit status is never in {first}-{last}: {reason}");
    let help = if first > last {
        format!("write it the other way round: `{last}-{first}`")
    } else {
        "write statuses that the monitor really ends with, or delete the range".to_owned()
    };
    warning("W040", message, "never matches").help(help)
}

fn exit_ranges_overlap(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let alerts: Vec<(&Statement, &AlertLine)> = view.alerts().collect();
    for (later, (line, alert)) in alerts.iter().enumerate() {
        for (_, before) in alerts[..later].iter().filter(|(_, before)| before.keyword == alert.keyword) {
            let Some(message) = overlap(before, alert) else { continue };
            let complaint = warning("W041", message, "sent as well as the one above")
                .help("make the ranges end where the next begins, or delete one of the lines".to_owned());
            sink.warn(line.rest, line.line, complaint);
            break;
        }
    }
}

/// What two lines of one occasion do together that can hardly be meant. A line for a part of another's statuses
/// that tells somebody else (the boss, for the worst ones) is meant.
fn overlap(before: &AlertLine, alert: &AlertLine) -> Option<String> {
    let same = before.command.text == alert.command.text;
    match (before.exit, alert.exit) {
        (None, None) if same => Some("this line stands here twice: everybody is told twice".to_owned()),
        (None, Some(_)) | (Some(_), None) if same => Some(
            "the same alert stands here with and without `exit=`: some failures are told twice".to_owned(),
        ),
        (Some(left), Some(right)) if meet(left, right) => {
            let (first, last) = (left.first.max(right.first), left.last.min(right.last));
            let nested = (left.first <= right.first && right.last <= left.last)
                || (right.first <= left.first && left.last <= right.last);
            let both =
                if first == last { format!("status {first}") } else { format!("statuses {first} to {last}") };
            (same || !nested).then(|| format!("two `exit=` ranges overlap: {both} sends both alerts"))
        }
        _ => None,
    }
}

/// An upalert for somebody whom no alert of the service tells, but for one letter.
fn upalert_one_slip_off(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let all: Vec<&AlertLine> =
        view.service.service.periods.iter().flat_map(|period| &period.alerts).collect();
    let told = |keyword: AlertKeyword| all.iter().filter(move |alert| alert.keyword == keyword);
    for (line, alert) in view.alerts().filter(|(_, alert)| alert.keyword != AlertKeyword::Alert) {
        let same = told(AlertKeyword::Alert).any(|other| other.command.text == alert.command.text);
        if same {
            continue;
        }
        let Some(near) =
            told(AlertKeyword::Alert).find(|other| is_one_off(&alert.command.text, &other.command.text))
        else {
            continue;
        };
        let message = format!("this is one letter off from the `alert` in line {}", near.command.line);
        let complaint =
            warning("W054", message, "a slip?").help(format!("did you mean `{}`?", near.command.text));
        sink.warn(line.rest, line.line, complaint);
    }
}

/// Whether one character too many, too few, changed or swapped makes one line of the other. Digits number things.
fn is_one_off(one: &str, other: &str) -> bool {
    const SHORT: usize = 8;
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 1 || one.len() < SHORT {
        return false;
    }
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let rest = one.len().min(other.len()) - same;
    let same_end = one.iter().rev().zip(other.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (left, right) = (&one[same..one.len() - same_end], &other[same..other.len() - same_end]);
    let is_swap = matches!((left, right), ([a, b], [c, d]) if a == d && b == c);
    let is_one = left.len().max(right.len()) == 1;
    (is_swap || is_one) && left.iter().chain(right).all(|c| !c.is_ascii_digit())
}
