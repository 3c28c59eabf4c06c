//! The rule that held an alert back, as a sentence.

use remon_core::nouns::{Civil, Wall};
use remon_core::wire::why::Told;

/// Local time of a moment.
pub(super) type Local<'a> = dyn Fn(Wall) -> Civil + 'a;

/// Times and spans, as seen from a moment.
pub(super) struct Clock<'a> {
    pub(super) now: Wall,
    /// What is told happened at another time than now: then it says nothing how long ago it was.
    pub(super) of_the_past: bool,
    pub(super) local: &'a Local<'a>,
}

impl Clock<'_> {
    /// `14:05:00` where that is on the day of asking, else `2026-11-22 14:05:00`.
    pub(super) fn time(&self, at: Wall) -> String {
        let (then, now) = ((self.local)(at), (self.local)(self.now));
        let Civil { year, month, mday, hour, minute, second, .. } = then;
        let clock = format!("{hour:02}:{minute:02}:{second:02}");
        if (year, month, mday) == (now.year, now.month, now.mday) {
            return clock;
        }
        format!("{year}-{month:02}-{mday:02} {clock}")
    }

    /// `14:05:00 (12m ago)`, `14:05:00 (in 12m)`.
    pub(super) fn distant(&self, at: Wall) -> String {
        let time = self.time(at);
        match self.now.saturating_sub(at) {
            _ if self.of_the_past => time,
            0 => time,
            past if past > 0 => format!("{time} ({} ago)", span(past)),
            future => format!("{time} (in {})", span(future.saturating_neg())),
        }
    }
}

/// `45s`, `12m`, `1h30m`, `3d4h`: two units are enough.
pub(super) fn span(seconds: i64) -> String {
    const UNITS: [(i64, char); 4] = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let mut left = seconds.max(0);
    let mut text = String::new();
    for (index, (size, unit)) in UNITS.iter().enumerate() {
        let number = left / size;
        if number > 0 {
            text += &format!("{number}{unit}");
            left -= number * size;
            if let Some((next, unit)) = UNITS.get(index + 1).filter(|(next, _)| left >= *next) {
                text += &format!("{}{unit}", left / next);
            }
            break;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `numalerts 2 (line 12): 2 of 2 alerts of this failure are out`.
pub(super) fn reason(told: &Told, clock: &Clock<'_>) -> String {
    let get = |name: &str| told.get(&format!("why_{name}")).to_owned();
    let number = |name: &str| told.number(&format!("why_{name}"));
    let line = told.number("rule_line");
    let at = |words: String| if line > 0 { format!("{words} (line {line})") } else { words };
    match told.get("rule") {
        "stop" => format!("the scheduler has been stopped since {}", clock.time(number("since"))),
        "disable-watch" => "the watch is disabled".to_owned(),
        "disable-service" => "the service is disabled".to_owned(),
        rule @ ("depend" | "alertdepend") => at(rule.to_owned()) + &dependency(told),
        "ack" => {
            let comment = get("comment");
            let by = if comment.is_empty() { String::new() } else { format!(": {comment}") };
            format!("acknowledged at {}{by}", clock.time(number("since")))
        }
        "period" => format!("outside the period: {}", get("spec")),
        "no-alert-before" => "no alert was sent in this failure".to_owned(),
        "no_comp_alerts" => at("no_comp_alerts".to_owned()) + ": the upalert of this failure is out already",
        "upalertafter" => {
            at(format!("upalertafter {}", span(number("least"))))
                + &format!(": the failure has lasted {}", span(number("lasted")))
        }
        "alertexitrange" => {
            at(format!("alertexitrange {}", get("range"))) + &format!(": the exit status is {}", get("exit"))
        }
        "numalerts" => {
            let (sent, most) = (get("sent"), get("most"));
            at(format!("numalerts {most}")) + &format!(": {sent} of {most} alerts of this failure are out")
        }
        "alertevery" => alertevery(told, clock, at),
        "alertafter" => alertafter(told, clock, at),
        "no-alert-line" => format!("it has no `{}` line", get("keyword")),
        "exit" => format!(
            "no `{}` line is for exit {} (line {line} is for exit {})",
            get("keyword"),
            get("exit"),
            get("range")
        ),
        other => at(other.to_owned()),
    }
}

fn dependency(told: &Told) -> String {
    let (expression, failing) = (told.get("why_expression"), told.get("why_failing"));
    match failing {
        "" if told.get("why_broken") == "1" => format!(": `{expression}` cannot be evaluated"),
        "" => format!(": `{expression}` is not good"),
        one if !one.contains(',') => format!(": {one} fails"),
        several => format!(": {} fail", several.replace(',', ", ")),
    }
}

fn alertevery(told: &Told, clock: &Clock<'_>, at: impl Fn(String) -> String) -> String {
    let unless = match told.get("why_unless") {
        "summary" => String::new(),
        word => format!(" {word}"),
    };
    let every = span(told.number("why_every"));
    let (last, until) = (told.number("why_last"), told.number("why_until"));
    let last = if last > 0 { format!("last alert at {}, ", clock.distant(last)) } else { String::new() };
    let or = match told.get("why_unless") {
        "summary" => " or with another summary",
        "observe_detail" => " or with other output",
        _ => "",
    };
    at(format!("alertevery {every}{unless}")) + &format!(": {last}next at {}{or}", clock.time(until))
}

fn alertafter(told: &Told, clock: &Clock<'_>, at: impl Fn(String) -> String) -> String {
    let (failures, least) = (told.get("why_failures"), told.get("why_least"));
    let first = told.number("why_first");
    if let Some(window) = told.maybe("why_window") {
        let window = span(window.parse().unwrap_or(0));
        return at(format!("alertafter {least} {window}"))
            + &format!(": {failures} of {least} failures since {}", clock.time(first));
    }
    if let Some(until) = told.time("why_until") {
        return at(format!("alertafter {}", span(told.number("why_span"))))
            + &format!(": failing since {}, and has to until {}", clock.time(first), clock.time(until));
    }
    at(format!("alertafter {least}")) + &format!(": {failures} of {least} failures in a row")
}

/// What an alert waits for that time alone does not bring.
pub(super) fn waits_for(told: &Told) -> Option<&'static str> {
    Some(match told.get("rule") {
        "stop" => "not before the scheduler is started",
        "disable-watch" | "disable-service" => "not before it is enabled",
        "depend" | "alertdepend" => "not before what it depends on is well",
        "ack" if told.get("why_unack") == "1" => "not before it has recovered, or fails with another summary",
        "ack" => "not before it has recovered and fails again",
        "numalerts" => "no more before it has recovered",
        "alertexitrange" | "exit" => "only for another exit status",
        "alertafter" => "with more failures",
        _ => return None,
    })
}
