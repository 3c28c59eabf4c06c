//! The definition of a service apart from where it stands in the file: is it the same as that one, and as text.
//!
//! Both functions take the structures apart without `..`: a new keyword does not compile until it is compared
//! and shown.

use super::model::{
    AlertEvery, AlertEveryUnless, AlertLine, AlertRetry, CommandLine, Dependency, Depends, ExitRange, Period,
    Service,
};
use crate::timeval::Timeval;

/// A keyword and its value. One that stands in a period begins with `period LABEL: `; that of a variable ends
/// with `=`.
pub(super) type Line = (String, String);

/// Whether two services are defined alike; the lines of the file at which they stand do not count, nor does how
/// a span of time is spelled.
#[must_use]
pub fn same_definition(one: &Service, other: &Service) -> bool {
    let Service {
        name,
        interval,
        failure_interval,
        randskew,
        traptimeout,
        trapduration,
        dep_memory,
        dep_behavior,
        depends,
        monitor: _,
        redistribute,
        allow_empty_group: _,
        description,
        unack_summary,
        exclude_hosts: _,
        exclude_period,
        env: _,
        periods,
        line: _,
    } = one;
    let spans = [*interval, *failure_interval, *randskew, *traptimeout, *trapduration, *dep_memory];
    let other_spans = [
        other.interval,
        other.failure_interval,
        other.randskew,
        other.traptimeout,
        other.trapduration,
        other.dep_memory,
    ];
    *name == other.name
        && spans == other_spans
        && *dep_behavior == other.dep_behavior
        && dependencies(depends.as_deref()) == dependencies(other.depends.as_deref())
        && same_check(one, other)
        && words(redistribute) == words(&other.redistribute)
        && *description == other.description
        && *unack_summary == other.unack_summary
        && *exclude_period == other.exclude_period
        && periods.len() == other.periods.len()
        && periods.iter().zip(&other.periods).all(|(one, other)| same_period(one, other))
}

/// Whether the monitors of two services do the same: words, variables and which hosts of the group they get.
#[must_use]
pub fn same_check(one: &Service, other: &Service) -> bool {
    words(&one.monitor) == words(&other.monitor)
        && one.exclude_hosts == other.exclude_hosts
        && one.allow_empty_group == other.allow_empty_group
        && one.env == other.env
}

fn same_period(one: &Period, other: &Period) -> bool {
    let Period {
        label,
        spec,
        alerts,
        alertevery,
        alertafter_count,
        alertafter_time,
        alertafter_within,
        upalertafter,
        numalerts,
        no_comp_alerts,
        alerts_dont_count,
        alertexitrange,
        alert_timeout,
        alertretry,
        line: _,
        rule_lines: _,
    } = one;
    *label == other.label
        && *spec == other.spec
        && alertevery.map(every) == other.alertevery.map(every)
        && *alertafter_count == other.alertafter_count
        && *alertafter_time == other.alertafter_time
        && *alertafter_within == other.alertafter_within
        && *upalertafter == other.upalertafter
        && *numalerts == other.numalerts
        && *no_comp_alerts == other.no_comp_alerts
        && *alerts_dont_count == other.alerts_dont_count
        && *alertexitrange == other.alertexitrange
        && *alert_timeout == other.alert_timeout
        && *alertretry == other.alertretry
        && same_alerts(alerts, &other.alerts)
}

/// Whether the same programs are called on the same occasions.
#[must_use]
pub fn same_alerts(one: &[AlertLine], other: &[AlertLine]) -> bool {
    let parts = |AlertLine { keyword, exit, command }: &AlertLine| (*keyword, *exit, command.text.clone());
    one.iter().map(parts).eq(other.iter().map(parts))
}

fn words(command: &Option<CommandLine>) -> Option<&str> {
    command.as_ref().map(|command| &*command.text)
}

/// The expressions, as written: what they mean follows from it.
fn dependencies(depends: Option<&Depends>) -> [Option<&str>; 4] {
    let Some(Depends { depend, alertdepend, monitordepend, hostdepend }) = depends else { return [None; 4] };
    [depend, alertdepend, monitordepend, hostdepend]
        .map(|dependency| dependency.as_ref().map(|Dependency { text, .. }| &**text))
}

/// The definition as text, keyword by keyword in the order of the manual; what is not set is left out.
pub(super) fn lines(service: &Service) -> Vec<Line> {
    let Service {
        name: _,
        interval,
        failure_interval,
        randskew,
        traptimeout,
        trapduration,
        dep_memory,
        dep_behavior,
        depends,
        monitor,
        redistribute,
        allow_empty_group,
        description,
        unack_summary,
        exclude_hosts,
        exclude_period,
        env,
        periods,
        line: _,
    } = service;
    let mut out = Lines { prefix: String::new(), lines: Vec::new() };
    out.add("description", description.as_deref());
    out.add("interval", interval.map(spelled));
    out.add("failure_interval", failure_interval.map(spelled));
    out.add("randskew", randskew.map(spelled));
    out.add("traptimeout", traptimeout.map(spelled));
    out.add("trapduration", trapduration.map(spelled));
    out.add("monitor", words(monitor));
    out.add("redistribute", words(redistribute));
    out.add("allow_empty_group", allow_empty_group.then_some(""));
    out.add("unack_summary", unack_summary.then_some("yes"));
    out.add("exclude_hosts", (!exclude_hosts.is_empty()).then(|| exclude_hosts.join(" ")));
    out.add("exclude_period", exclude_period.as_ref().map(|period| period.text()));
    let keywords = ["depend", "alertdepend", "monitordepend", "hostdepend"];
    for (keyword, text) in keywords.into_iter().zip(dependencies(depends.as_deref())) {
        out.add(keyword, text);
    }
    out.add("dep_behavior", Some(dep_behavior.word()));
    out.add("dep_memory", dep_memory.map(spelled));
    for (name, value) in env {
        out.add(&format!("{name}="), Some(&**value));
    }
    for period in periods {
        period_lines(period, &mut out);
    }
    out.lines
}

fn period_lines(period: &Period, out: &mut Lines) {
    let Period {
        label,
        spec,
        alerts,
        alertevery,
        alertafter_count,
        alertafter_time,
        alertafter_within,
        upalertafter,
        numalerts,
        no_comp_alerts,
        alerts_dont_count,
        alertexitrange,
        alert_timeout,
        alertretry,
        line: _,
        rule_lines: _,
    } = period;
    let head = format!("period {label}");
    out.prefix.clear();
    out.add(head.trim_end(), Some(spec.text()));
    out.prefix = format!("{}: ", head.trim_end());
    for AlertLine { keyword, exit, command } in alerts {
        let exit = exit.map(|exit| format!("exit={} ", range(exit))).unwrap_or_default();
        out.add(keyword.word(), Some(format!("{exit}{}", command.text)));
    }
    out.add("alertevery", alertevery.map(every));
    let within = alertafter_within.or(*alertafter_count).map(|count| count.to_string());
    let alertafter: Vec<String> = within.into_iter().chain(alertafter_time.map(spelled)).collect();
    out.add("alertafter", (!alertafter.is_empty()).then(|| alertafter.join(" ")));
    out.add("upalertafter", upalertafter.map(spelled));
    out.add("numalerts", numalerts.map(|most| most.to_string()));
    out.add("no_comp_alerts", no_comp_alerts.then_some(""));
    out.add("alerts_dont_count", alerts_dont_count.then_some(""));
    out.add("alertexitrange", alertexitrange.map(range));
    out.add("alert_timeout", alert_timeout.map(spelled));
    let retry = |AlertRetry { tries, pause }: AlertRetry| format!("{tries} {}", spelled(pause));
    out.add("alertretry", alertretry.map(retry));
}

/// Lines as they gather; the prefix says in which period.
struct Lines {
    prefix: String,
    lines: Vec<Line>,
}

impl Lines {
    fn add(&mut self, keyword: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.lines.push((format!("{}{keyword}", self.prefix), value.into()));
        }
    }
}

/// A span in the largest unit that needs no fraction.
pub(super) fn spelled(span: Timeval) -> String {
    let seconds = span.duration().as_secs();
    let whole = span.duration().subsec_nanos() == 0;
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    match units.into_iter().find(|(unit, _)| whole && seconds.is_multiple_of(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{span}s"),
    }
}

fn range(range: ExitRange) -> String {
    let ExitRange { first, last } = range;
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn every(every: AlertEvery) -> String {
    let AlertEvery { interval, unless, line: _ } = every;
    let word = match unless {
        AlertEveryUnless::SummaryChanged => "",
        AlertEveryUnless::OutputChanged => " observe_detail",
        AlertEveryUnless::Recovered => " ignore_summary",
        AlertEveryUnless::Never => " strict",
    };
    format!("{}{word}", spelled(interval))
}
