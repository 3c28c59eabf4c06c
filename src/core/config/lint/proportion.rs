//! Times of one service that do not go together, though each alone may be meant.

use super::super::ast::Statement;
use super::super::model::{CommandLine, Service};
use super::super::sink::Sink;
use super::super::values::words;
use super::alerting::{PeriodView, periods};
use super::service::ServiceView;
use super::units::{Written, between_runs};
use super::warning;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a monitor asks makes sense only if it asks so often. Others may ask anything.
const LONGEST: [(&str, u64); 14] = [
    ("fping.monitor", 4 * HOUR),
    ("ping.monitor", 4 * HOUR),
    ("loadavg.monitor", 2 * HOUR),
    ("remote.monitor", 2 * HOUR),
    ("mon.monitor", 2 * HOUR),
    ("tcp.monitor", DAY),
    ("http.monitor", DAY),
    ("smtp.monitor", DAY),
    ("imap.monitor", DAY),
    ("pop3.monitor", DAY),
    ("ssh.monitor", DAY),
    ("dns.monitor", DAY),
    ("freespace.monitor", DAY),
    ("sslcert.monitor", 8 * DAY),
];

/// Runs the checks of a service.
pub(super) fn check(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    too_seldom_for_its_program(view, sink);
    unseen_for_long(view, sink);
    traps_out_of_step(view, sink);
    for period in periods(view) {
        told_late(&period, sink);
        repeated_late(&period, sink);
        silence_of_seconds(&period, sink);
        window_too_wide(&period, sink);
        upalert_for_every_outage(&period, sink);
        upalert_for_few_outages(&period, sink);
    }
}

fn say(line: &Statement, message: String, label: &str, help: &str, sink: &mut Sink<'_>) {
    sink.warn(line.rest, line.line, warning("W067", message, label).help(help.to_owned()));
}

const UNIT: &str = "look at the unit: `s`, `m`, `h` or `d`";

fn too_seldom_for_its_program(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let (Some(line), Some(monitor)) = (view.last("interval"), &view.service.monitor) else { return };
    let Some(time) = Written::parse(view.source.slice(line.rest)) else { return };
    if is_too_seldom(view.service, time) {
        let every = span(time.seconds());
        let message = format!("{} looks only every {every}: what fails is seen late", monitor.program());
        say(line, message, "so seldom?", UNIT, sink);
    }
}

/// Whether the monitor of a service should not wait so long.
pub(super) fn is_too_seldom(service: &Service, interval: Written) -> bool {
    let Some(program) = service.monitor.as_ref().map(CommandLine::program) else { return false };
    let Some((_, most)) = LONGEST.iter().find(|(name, _)| *name == program) else { return false };
    // Who counts five hours has a reason to look so seldom, or has slipped.
    let asks_for_answers = !matches!(program, "dns.monitor" | "freespace.monitor" | "sslcert.monitor");
    let most = if asks_for_answers && interval.is_unusual() { (*most).min(4 * HOUR) } else { *most };
    interval.seconds() > most
}

/// Whether a line has hours or days in a number that nobody counts in.
fn is_unusual(view: &ServiceView<'_>, line: &Statement) -> bool {
    Written::parse(view.source.slice(line.rest)).is_some_and(|time| time.unit != 'm' && time.is_unusual())
}

/// Who looks every few seconds while a service fails does not want to learn of the failure hours late.
fn unseen_for_long(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    const FACTOR: u64 = 150;
    let service = view.service;
    let (Some(interval), Some(failing), Some(line)) =
        (service.interval, service.failure_interval, view.last("interval"))
    else {
        return;
    };
    let (interval, failing) = (interval.duration().as_secs(), failing.duration().as_secs());
    if failing >= 2 && interval >= FACTOR * failing {
        let message = format!(
            "a failure may go unseen for {}, and is then looked at every {}",
            span(interval),
            span(failing)
        );
        say(line, message, "much longer than the failure_interval", UNIT, sink);
    }
}

fn traps_out_of_step(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let service = view.service;
    let (Some(timeout), Some(duration)) = (service.traptimeout, service.trapduration) else { return };
    let (Some(line), timeout, duration) =
        (view.last("trapduration"), timeout.duration().as_secs(), duration.duration().as_secs())
    else {
        return;
    };
    let message = if duration >= 60 * timeout {
        format!(
            "silence is a failure after {}, a failure is forgotten only after {}",
            span(timeout),
            span(duration)
        )
    } else if timeout >= 400 * duration {
        format!(
            "a failure is forgotten after {}, silence is one only after {}",
            span(duration),
            span(timeout)
        )
    } else {
        return;
    };
    say(line, message, "out of proportion with the traptimeout", UNIT, sink);
}

/// The failures that must follow each other take as long as a night and a day.
fn told_late(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let service = view.service.service;
    let (Some(count), None) = (view.period.alertafter_count, view.period.alertafter_time) else { return };
    let Some(between) = service.failure_interval.or(service.interval) else { return };
    let silent = between.duration().as_secs().saturating_mul(u64::from(count.saturating_sub(1)));
    let is_unusual = view.service.last("interval").is_some_and(|line| is_unusual(view.service, line));
    let most = match count {
        // A number of failures that was meant as minutes has its own complaint.
        10.. => return,
        _ if is_unusual => 4 * HOUR - 1,
        3.. => 12 * HOUR - 1,
        _ => DAY,
    };
    if let (true, Some(line)) = (silent > most, view.last("alertafter")) {
        let message = {
            let between = span(between.duration().as_secs());
            format!("{count} failures, one every {between}: the first alert comes after {}", span(silent))
        };
        let help = "ask for fewer failures, or look at the unit of the interval";
        say(line, message, "so late?", help, sink);
    }
}

/// Looked at every few minutes, told again after days.
fn repeated_late(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    const FACTOR: u64 = 500;
    let (Some(every), Some(between)) = (view.period.alertevery, between_runs(view.service.service)) else {
        return;
    };
    let (seconds, Some(line)) = (every.interval.duration().as_secs(), view.last("alertevery")) else {
        return;
    };
    // Longer ones are too long for everybody.
    if seconds > DAY && seconds <= 10 * DAY && seconds >= FACTOR * between.as_secs() {
        let message = format!(
            "looked at every {}, this service is told again only after {}",
            span(between.as_secs()),
            span(seconds)
        );
        let help = "for a single alert of an outage write `numalerts 1`; else look at the unit";
        say(line, message, "much longer than the interval", help, sink);
    }
}

/// A machine that must report every few seconds, and of which somebody is told every few hours.
fn silence_of_seconds(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    const FACTOR: u64 = 100;
    let (Some(every), Some(timeout)) = (view.period.alertevery, view.service.service.traptimeout) else {
        return;
    };
    let (every, timeout) = (every.interval.duration().as_secs(), timeout.duration().as_secs());
    let Some(line) = view.service.last("traptimeout") else { return };
    if timeout < 30 && every >= FACTOR * timeout {
        let message =
            format!("silence is a failure after {}, told again only after {}", span(timeout), span(every));
        say(line, message, "so short?", UNIT, sink);
    }
}

/// `alertafter 3 20h` of a service that fails three times in a quarter of an hour.
fn window_too_wide(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    const FACTOR: u64 = 20;
    let (Some(least), Some(line)) = (view.period.alertafter_within, view.last("alertafter")) else { return };
    let service = view.service.service;
    let Some(between) = service.failure_interval.or(service.interval) else { return };
    let needed = between.duration().as_secs().saturating_mul(u64::from(least));
    let time = words(view.service.source.slice(line.rest)).last().and_then(Written::parse);
    let Some(time) = time.filter(|time| matches!(time.unit, 'h' | 'd') && time.is_unusual()) else { return };
    if time.seconds() >= FACTOR * needed {
        let message = format!(
            "{least} failures take {}, here they may be {} apart",
            span(needed),
            span(time.seconds())
        );
        say(line, message, "so long?", UNIT, sink);
    }
}

/// No outage is shorter than the wait for the run that finds its end.
fn upalert_for_every_outage(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    let (Some(after), Some(between)) = (view.period.upalertafter, between_runs(view.service.service)) else {
        return;
    };
    let Some(line) = view.last("upalertafter") else { return };
    if after.duration() < between {
        let message = format!(
            "this `upalertafter` holds nothing back: every outage lasts until the next run, {} later",
            span(between.as_secs())
        );
        say(line, message, "shorter than the interval", "leave it out, or write a longer time", sink);
    }
}

/// A recovery that nobody hears of, whatever was told before.
fn upalert_for_few_outages(view: &PeriodView<'_>, sink: &mut Sink<'_>) {
    const FACTOR: u64 = 50;
    let (Some(after), Some(between)) = (view.period.upalertafter, between_runs(view.service.service)) else {
        return;
    };
    let (seconds, Some(line)) = (after.duration().as_secs(), view.last("upalertafter")) else { return };
    if seconds > 8 * HOUR && seconds >= FACTOR * between.as_secs() && seconds <= 7 * DAY {
        let message = format!("nobody hears of the end of an outage that is shorter than {}", span(seconds));
        say(line, message, "so long?", UNIT, sink);
    }
}

/// A span as people say it: the longest unit that makes a whole number.
fn span(seconds: u64) -> String {
    let units = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")];
    let (each, unit) =
        units.into_iter().find(|(each, _)| seconds.is_multiple_of(*each)).unwrap_or((1, "second"));
    let number = seconds / each;
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
