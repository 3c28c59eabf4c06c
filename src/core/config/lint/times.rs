//! Times that are well-formed and can hardly be meant.

use std::time::Duration;

use super::super::ast::Kind;
use super::super::sink::Sink;
use super::service::ServiceView;
use super::warning;
use crate::timeval::{self, Timeval};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Longer than this nobody waits on purpose.
const LONGEST: [(&str, u64, &str); 9] = [
    ("interval", 8 * DAY, "between two runs of the monitor"),
    ("failure_interval", 2 * DAY, "between two runs while the service fails"),
    ("traptimeout", 40 * DAY, "without a trap before anybody is told"),
    ("trapduration", 7 * DAY, "until a trap is forgotten"),
    ("dep_memory", DAY, "that a failure holds back what depends on it"),
    ("alertevery", 10 * DAY, "until somebody is told again"),
    ("alertafter", 7 * DAY, "of failure before anybody is told"),
    ("upalertafter", 7 * DAY, "of failure before a recovery is told"),
    ("randskew", DAY, "by which each wait may differ"),
];

/// Runs the checks of a service.
pub(super) fn check(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    for statement in view.statements.iter().filter(|statement| statement.kind == Kind::Setting) {
        let keyword = view.keyword(statement);
        let Some((_, longest, what)) = LONGEST.iter().find(|(word, ..)| *word == keyword) else { continue };
        let text = view.source.slice(statement.rest);
        let time = super::super::values::words(text).find_map(|word| timeval::parse(word).flatten());
        let has_interval = view.service.interval.is_some();
        if let Some(message) = time.and_then(|time| too_short(keyword, time, has_interval)) {
            let complaint = warning("W055", message.to_owned(), "so short?")
                .help("look at the unit: `s`, `m`, `h` or `d`".to_owned());
            sink.warn(statement.rest, statement.line, complaint);
        }
        if let Some(time) = time.filter(|time| time.duration() > Duration::from_secs(*longest)) {
            let days = time.duration().as_secs_f64() / DAY as f64;
            let message = format!("that makes {days:.0} days {what}");
            let complaint = warning("W055", message, "so long?")
                .help("look at the unit: `s`, `m`, `h` or `d`".to_owned());
            sink.warn(statement.rest, statement.line, complaint);
        }
    }
    unlike_the_interval(view, sink);
}

/// What is wrong with a time that is too short.
fn too_short(keyword: &str, time: Timeval, has_interval: bool) -> Option<&'static str> {
    let shorter_than = |seconds| time.duration() < Duration::from_secs(seconds);
    match keyword {
        "interval" | "failure_interval" if shorter_than(2) => {
            Some("a program started every second leaves the machine little rest")
        }
        // With an interval, that is what it is compared with.
        "alertevery" if shorter_than(10) && !has_interval => {
            Some("an alert every few seconds holds nothing back")
        }
        _ => None,
    }
}

/// Times that make sense only in proportion to the interval.
fn unlike_the_interval(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    /// A service that fails is looked at more often; who spares a slow monitor does not go further than this.
    const SLOWER: u32 = 4;
    let Some(interval) = view.service.interval else { return };
    let longer = |time: Option<Timeval>, factor: u32| {
        time.filter(|time| time.duration() >= interval.duration().saturating_mul(factor))
    };
    if let (Some(time), Some(line)) =
        (longer(view.service.failure_interval, SLOWER), view.last("failure_interval"))
    {
        let message = format!(
            "a failing service is looked at every {time}s, a good one every {interval}s: recovery shows late"
        );
        let complaint = warning("W055", message, "much longer than the interval")
            .help("`failure_interval` is there to look more often; check the units".to_owned());
        sink.warn(line.rest, line.line, complaint);
    }
    if let (Some(time), Some(line)) = (longer(view.service.randskew, 1), view.last("randskew")) {
        let message = format!("each wait of {interval}s may be longer or shorter by {time}s");
        let complaint = warning("W055", message, "not less than the interval")
            .help("write a part of the interval, such as a tenth".to_owned());
        sink.warn(line.rest, line.line, complaint);
    }
}

/// The same for a global variable.
pub(in super::super) fn global(name: &str, time: Option<Timeval>) -> Option<super::super::sink::Complaint> {
    let (least, most) = match name {
        "randstart" => (0, HOUR / 3),
        "cltimeout" => (10, DAY),
        "dep_memory" => (0, 4 * HOUR),
        _ => return None,
    };
    let seconds = time?.duration().as_secs();
    if (least..=most).contains(&seconds) {
        return None;
    }
    let effect = match name {
        "randstart" => "the first run of a monitor may come that late after a start",
        "cltimeout" if seconds < least => "clients are closed while somebody types",
        "cltimeout" => "forgotten clients stay that long",
        _ => "a failure holds back what depends on it for that long",
    };
    Some(
        warning("W055", format!("`{name}` of {seconds}s: {effect}"), "meant so?")
            .help("look at the unit: `s`, `m`, `h` or `d`".to_owned()),
    )
}
