//! What the original refuses, in its words and in ours.
//!
//! The `legacy` sentences are those of mon 1.3.6, which scripts and people search logs for. Where the original
//! loses the bad value (`invalid time interval ''`) ours shows it.

use super::sink::Complaint;
use super::suggest::nearest;
use super::values::leading_number;
use super::words;
use crate::timeval::{self, Timeval};

/// A keyword that takes a time, and the original's words around a bad one.
pub(super) struct TimeSyntax {
    /// The keyword or global.
    pub(super) word: &'static str,
    before: &'static str,
    after: &'static str,
}

impl TimeSyntax {
    /// Whether a zero that the original lets pass means the same as no such line.
    pub(super) fn zero_is_none(&self) -> bool {
        matches!(self.word, "alertevery" | "upalertafter" | "dep_memory" | "alert_timeout" | "alertretry")
    }
}

macro_rules! time_syntax {
    ($($name:ident: $word:literal, $before:literal, $after:literal;)*) => {
        $(pub(super) const $name: TimeSyntax = TimeSyntax { word: $word, before: $before, after: $after };)*
    };
}

time_syntax! {
    RANDSTART: "randstart", "bad value", "for randstart option (syntax: randstart = timeval)";
    HISTORICTIME: "historictime", "bad value", "for historictime command (syntax: historictime = timeval)";
    HISTORYKEEP: "historykeep", "bad value", "for historykeep command (syntax: historykeep = timeval)";
    CLTIMEOUT: "cltimeout", "bad value", "for cltimeout command (syntax: cltimeout = secs)";
    DEP_MEMORY: "dep_memory", "bad value", "for dep_memory option (syntax: dep_memory = timeval)";
    INTERVAL: "interval", "invalid time interval", "(syntax: interval = {positive number}{smhd})";
    FAILURE_INTERVAL: "failure_interval", "invalid interval",
        "(syntax: failure_interval = {positive number}{smhd})";
    TRAPTIMEOUT: "traptimeout", "invalid traptimeout interval",
        "(syntax: traptimeout = {positive number}{smhd})";
    TRAPDURATION: "trapduration", "invalid trapduration interval",
        "(syntax: trapduration = {positive number}{smhd})";
    RANDSKEW: "randskew", "invalid randskew time interval", "(syntax: randskew = {positive number}{smhd})";
    ALERTEVERY: "alertevery", "invalid time interval",
        "(syntax: alertevery {positive number}{smhd} [ strict | observe_detail | ignore_summary ])";
    ALERTAFTER: "alertafter", "invalid time interval",
        "(syntax: alertafter = [{positive integer}] [{positive number}{smhd}])";
    UPALERTAFTER: "upalertafter", "invalid upalertafter specification",
        "(syntax: upalertafter = {positive number}{smhd})";
    ALERT_TIMEOUT: "alert_timeout", "invalid alert_timeout", "(syntax: alert_timeout {positive number}{smhd})";
    ALERT_TIMEOUT_GLOBAL: "alert_timeout", "bad value", "for alert_timeout option (syntax: alert_timeout = timeval)";
    ALERTRETRY: "alertretry", "invalid time interval",
        "(syntax: alertretry {positive integer} [{positive number}{smhd}])";
}

fn complaint(code: &'static str, legacy: String, message: String, label: &str) -> Complaint {
    Complaint { code, legacy: Some(legacy), message, label: label.to_owned(), help: None }
}

impl Complaint {
    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Complaint {
        self.help = help.into();
        self
    }
}

/// A time that is none, or zero where it must not be.
pub(super) fn bad_time(syntax: &TimeSyntax, value: &str) -> Complaint {
    let TimeSyntax { word, before, after } = syntax;
    let legacy = format!("{before} '{value}' {after}");
    let (message, label) = match (value, timeval::parse(value)) {
        ("", _) => (format!("`{word}` needs a time"), "a time must follow"),
        (_, Some(_)) => (format!("`{value}` is no time for `{word}`: it must be more than zero"), "zero"),
        _ => (format!("`{value}` is not a time"), "expected a number and one of s, m, h, d"),
    };
    complaint("E016", legacy, message, label).help(time_help(word, value))
}

/// What was probably meant by `value`.
fn time_help(keyword: &str, value: &str) -> String {
    if timeval::parse(value).is_some() {
        return "for none, delete the line".to_owned();
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let squeezed: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(after_equals) = squeezed.strip_prefix('=') {
        return format!("inside a watch there is no `=`: write `{keyword} {after_equals}`");
    }
    if digits(value) && leading_number(value).0 > 0 {
        return format!("the unit is missing: `{value}s`, `{value}m`, `{value}h` or `{value}d`");
    }
    if squeezed != value && matches!(timeval::parse(&squeezed), Some(Some(_))) {
        return format!("write it without blanks: `{squeezed}`");
    }
    let unit_at = squeezed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(squeezed.len());
    let (number, unit) = squeezed.split_at(unit_at);
    if digits(number) && !unit.is_empty() {
        match (unit.to_ascii_lowercase().as_str(), number.parse::<f64>()) {
            ("w" | "wk" | "week" | "weeks", Ok(weeks)) => {
                return format!("a week is 7d: write `{}d`", weeks * 7.0);
            }
            ("y" | "yr" | "year" | "years", Ok(years)) => {
                return format!("a year is 365d: write `{}d`", years * 365.0);
            }
            (
                "min" | "mins" | "minute" | "minutes" | "sec" | "secs" | "second" | "seconds" | "hr" | "hrs"
                | "hour" | "hours" | "day" | "days",
                _,
            ) => {
                return format!(
                    "the unit is one letter: write `{number}{}`",
                    &unit[..1].to_ascii_lowercase()
                );
            }
            _ => {}
        }
    }
    "write a number and a unit: `30s`, `5m`, `1.5h`, `2d`".to_owned()
}

pub(super) fn unknown_variable(name: &str) -> Complaint {
    let legacy = format!("unknown variable '{name}'");
    let message = format!("`{name}` is not a global variable");
    let help = if words::is_watch_word(name) {
        Some(format!("`{name}` belongs inside a watch, and without `=`"))
    } else {
        nearest(name, words::GLOBALS.iter().copied()).map(|known| format!("did you mean `{known}`?"))
    };
    complaint("E001", legacy, message, "unknown variable").help(help)
}

pub(super) fn bad_dep_behavior(value: &str, syntax: &str) -> Complaint {
    let legacy = format!("unknown dependency behavior '{value}'{syntax}");
    complaint("E003", legacy, format!("`{value}` is not a dependency behavior"), "expected a, m or hm")
        .help("`a` holds back alerts, `m` runs of the monitor, `hm` single hosts of its arguments".to_owned())
}

pub(super) fn bad_unack_summary(value: &str) -> Complaint {
    let legacy = format!("invalid unack_summary value '{value}' (syntax: unack_summary [0|1|y|yes|n|no])");
    complaint("E004", legacy, format!("`{value}` is neither yes nor no"), "expected yes or no")
        .help("write `yes` or `no`".to_owned())
}

/// `keyword` is `period` or `exclude_period`; `problem` is the first thing wrong with the specification.
pub(super) fn malformed_period(keyword: &str, spec: &str, problem: Option<&str>) -> Complaint {
    let legacy = format!(
        "malformed {keyword} '{spec}' (the specified time period is not valid as per Time::Period::inPeriod)"
    );
    let message = format!("`{spec}` is not a period: {}", problem.unwrap_or("it is invalid at every time"));
    complaint("E005", legacy, message, "not valid").help(
        "write `scale {ranges}` once or more, such as `wd {Mon-Fri} hr {9am-5pm}`; `,` separates alternatives"
            .to_owned(),
    )
}

pub(super) fn watch_defined_twice(group: &str) -> Complaint {
    let message = format!("there is a watch `{group}` already");
    complaint("E010", format!("watch '{group}' already defined"), message, "second watch of this name")
        .help("put the services of both into one watch".to_owned())
}

pub(super) fn env_without_service(name: &str) -> Complaint {
    let legacy = "environment variable defined without a service".to_owned();
    let message = format!("the environment variable `{name}` belongs to no service");
    complaint("E011", legacy, message, "no `service` line before it")
        .help("move it below the `service` line whose monitor and alerts need it".to_owned())
}

pub(super) fn invalid_service_tag(tag: &str) -> Complaint {
    let message = match tag {
        "" => "`service` needs a name".to_owned(),
        _ => format!("`{tag}` is not a name for a service"),
    };
    let fixed: String = tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let help = (!tag.is_empty()).then(|| format!("perhaps `service {fixed}`"));
    complaint(
        "E012",
        format!("invalid service tag '{tag}'"),
        message,
        "letters, digits, `_`, `.` and `-` only",
    )
    .help(help)
}

pub(super) fn service_defined_twice(service: &str, group: &str) -> Complaint {
    let legacy = format!("service {service} already defined for watch group {group}");
    let message = format!("the watch `{group}` has a service `{service}` already");
    complaint("E013", legacy, message, "second service of this name").help("give it another name".to_owned())
}

pub(super) fn no_service(keyword: &str) -> Complaint {
    let legacy = "need to specify service in watch record".to_owned();
    let help = match nearest(keyword, ["service"]) {
        Some(service) => format!("did you mean `{service}`?"),
        None => "a watch begins with a `service NAME` line".to_owned(),
    };
    complaint(
        "E014",
        legacy,
        format!("`{keyword}` stands before the first service of its watch"),
        "no service yet",
    )
    .help(help)
}

pub(super) fn period_defined_twice(label: &str, group: &str, service: &str) -> Complaint {
    let legacy = format!("period '{label}' already defined for watch group {group} service {service}");
    let message = match label {
        "" => format!("the service `{service}` has a period without a label already"),
        _ => format!("the service `{service}` has a period `{label}` already"),
    };
    complaint("E015", legacy, message, "second period of this name")
        .help("put a label of its own before it: `period NAME: …`".to_owned())
}

pub(super) fn invalid_alertafter(value: &str) -> Complaint {
    let legacy = format!("invalid interval specification '{value}'");
    let help = match timeval::parse(value).flatten() {
        Some(time) => format!("here a time is a whole number of s, m or h: `{}`", whole_time(time)),
        None => "write `alertafter 3`, `alertafter 30m` or `alertafter 3 30m`".to_owned(),
    };
    let message = match value {
        "" => "`alertafter` needs a number, a time, or both".to_owned(),
        _ => format!("`alertafter {value}` says neither how often nor how long"),
    };
    complaint("E017", legacy, message, "expected N, TIME or N TIME").help(help)
}

/// The time in the largest unit that needs no fraction.
fn whole_time(time: Timeval) -> String {
    match time.whole_secs() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

pub(super) fn alertafter_never(value: &str) -> Complaint {
    let legacy =
        " interval & alertafter not sensible. No alerts can be generated with those parameters".to_owned();
    let message = format!("`alertafter {value}` can never be reached at this service's interval");
    complaint("E018", legacy, message, "so many failures do not fit into this time")
        .help("lengthen the time to at least N times the interval, or lower the number".to_owned())
}

pub(super) fn invalid_numalerts(value: &str) -> Complaint {
    let legacy = format!("-numeric arg '{value}' (syntax: numalerts = {{positive integer}}");
    complaint("E019", legacy, format!("`{value}` is not a number of alerts"), "expected a whole number")
        .help("write how many alerts an outage may cause; without this line there is no limit".to_owned())
}

pub(super) fn invalid_alertexitrange(value: &str) -> Complaint {
    let legacy = format!("invalid exit code range '{value}'");
    complaint("E020", legacy, format!("`{value}` is not a range of exit statuses"), "expected N or N-M")
        .help("write one status or one range: `1` or `1-3`".to_owned())
}

/// The original has no such keyword; the sentence is in its manner.
pub(super) fn invalid_alertretry(value: &str) -> Complaint {
    let legacy = format!(
        "invalid alertretry '{value}' (syntax: alertretry {{positive integer}} [{{positive number}}{{smhd}}])"
    );
    let help = match timeval::parse(value).flatten() {
        Some(_) => format!("say how often first: `alertretry 3 {value}`"),
        None => "write `alertretry 3`, or `alertretry 3 30s` with the time before the first try".to_owned(),
    };
    let message = match value {
        "" => "`alertretry` needs a number of tries".to_owned(),
        _ => format!("`alertretry {value}` is neither a number of tries nor that and a time"),
    };
    complaint("E030", legacy, message, "expected N or N TIME").help(help)
}

/// `proxy=x`: as an environment variable it would be right in capitals.
fn lower_case_variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches(timeval::is_blank);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits =
        !name.is_empty() && name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit());
    (fits && !words::is_watch_word(name)).then(|| (name, value.trim_start_matches(timeval::is_blank)))
}

/// A keyword that is unknown where it stands, of a line in a service (`in_period`: after a `period` line).
pub(super) fn unknown_syntax(line: &str, keyword: &str, in_period: bool) -> Complaint {
    let legacy = format!("unknown syntax [{line}]");
    let (message, help) = misplaced(keyword, in_period).unwrap_or_else(|| {
        let known = words::SERVICE.iter().chain(words::PERIOD).chain(words::RECORDS).copied();
        if let Some((name, value)) = lower_case_variable(line) {
            let message = format!("`{name}` is not a keyword, and not the name of an environment variable");
            let help = format!(
                "those are in capitals, without blanks around `=`: `{}={value}`",
                name.to_ascii_uppercase()
            );
            return (message, Some(help));
        }
        let help = nearest(keyword, known.chain(["service", "period"]))
            .map(|word| format!("did you mean `{word}`?"));
        (format!("`{}` is not a keyword", if keyword.is_empty() { line } else { keyword }), help)
    });
    complaint("E021", legacy, message, "unknown here").help(help)
}

/// For a keyword that would be right in another place.
fn misplaced(keyword: &str, in_period: bool) -> Option<(String, Option<String>)> {
    if in_period && words::SERVICE.contains(&keyword) {
        let help = "move it above the first `period` line of its service";
        return Some((format!("`{keyword}` does not belong to a period"), Some(help.to_owned())));
    }
    if !in_period && words::PERIOD.contains(&keyword) {
        let help = "put a `period` line before it; `period` alone means always";
        return Some((format!("`{keyword}` belongs to a period"), Some(help.to_owned())));
    }
    if words::GLOBALS.contains(&keyword) {
        let help = "global variables stand outside all watches: end the watch by a blank line, or move it up";
        return Some((format!("`{keyword}` is a global variable"), Some(help.to_owned())));
    }
    words::RECORDS.contains(&keyword).then(|| {
        let help = "a name must follow, made of letters, digits, `_`, `.` and `-`; a view needs members, too";
        (format!("this `{keyword}` line is incomplete"), Some(help.to_owned()))
    })
}

/// A file too long to be read.
pub(super) fn too_long() -> Complaint {
    let message = "the file is longer than a gigabyte".to_owned();
    complaint("E000", "configuration file too long".to_owned(), message, "nothing after this is read")
}
