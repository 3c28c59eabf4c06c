//! The answer to `why`, for people.

use remon_core::nouns::Wall;
use remon_core::wire::why::Told;

use super::reasons::{Clock, Local, reason, span, waits_for};

/// The whole answer.
pub(super) fn render(lines: &[Told], local: &Local<'_>) -> String {
    let Some(service) = lines.iter().find(|line| line.word == "service") else {
        return "the server's answer cannot be understood\n".to_owned();
    };
    let clock = Clock { now: service.number("now"), of_the_past: false, local };
    let mut out = head(service, &clock);
    let (mut kind, mut exit, mut first_decision) = ("", "", true);
    for line in lines {
        match line.word.as_str() {
            "suppose" => {
                nobody_if_empty(&mut out);
                (kind, exit) = (line.get("what"), line.get("exit"));
                out += &format!("\n{}\n", supposed(kind, exit));
            }
            "period" => out += &period(line, kind, &clock),
            "alert" => out += &alert(line, exit),
            "decision" => {
                nobody_if_empty(&mut out);
                if std::mem::take(&mut first_decision) {
                    out += "\nWhat was decided";
                    out += if service.maybe("asked").is_some() { ":\n" } else { " lately:\n" };
                }
                out += &decision(line, &clock);
            }
            "verdict" => out += &verdict(line, &Clock { of_the_past: true, ..clock }),
            _ => {}
        }
    }
    nobody_if_empty(&mut out);
    if first_decision {
        out += "\n";
        out += &nothing_decided(service, &clock);
    }
    out
}

/// Nothing follows the heading of what was supposed.
fn nobody_if_empty(out: &mut String) {
    if out.ends_with(" now:\n") || out.ends_with("):\n") {
        *out += "  there is no period, so nobody is told\n";
    }
}

fn nothing_decided(service: &Told, clock: &Clock<'_>) -> String {
    match service.time("asked") {
        Some(asked) => format!("Nothing is known from before {}.\n", clock.time(asked)),
        None => "Nothing has been decided about it yet.\n".to_owned(),
    }
}

fn head(service: &Told, clock: &Clock<'_>) -> String {
    let name = format!("{}/{} (line {})", service.get("group"), service.get("service"), service.get("line"));
    if let Some(asked) = service.time("asked") {
        return format!("{name}, at {}\n", clock.time(asked));
    }
    let mut text = match (service.get("opstatus"), service.time("failing_since")) {
        ("fail", Some(since)) => {
            let failures = match service.number("failures") {
                1 => "1 failure".to_owned(),
                failures => format!("{failures} failures in a row"),
            };
            format!("{name} has been failing since {}, {failures}", clock.distant(since))
        }
        ("fail", None) => format!("{name} fails"),
        ("ok", _) => format!("{name} is ok"),
        ("untested", _) => format!("{name} has not been tested yet"),
        (status, _) => format!("{name} is in state {status}"),
    };
    if !service.get("summary").is_empty() {
        text += &format!("\n  {}", service.get("summary"));
    }
    if let Some(interval) = service.maybe("interval") {
        let every = interval.parse().map_or_else(|_| format!("{interval}s"), span);
        text += &format!("\n  runs every {every}");
        text +=
            &service.time("next_check").map_or(String::new(), |at| format!(", next at {}", clock.time(at)));
    }
    text + "\n"
}

fn supposed(kind: &str, exit: &str) -> String {
    match kind {
        "failure" => format!("If it failed now (exit {exit}):"),
        "trap" => format!("If a trap said now that it fails (status {exit}):"),
        "up" => "If it recovered now:".to_owned(),
        "ack" => "If somebody acknowledged it now:".to_owned(),
        "disable" => "If somebody disabled it now:".to_owned(),
        "startup" => "If the daemon started now:".to_owned(),
        other => format!("If there were an occasion of kind {other} now:"),
    }
}

fn period(line: &Told, kind: &str, clock: &Clock<'_>) -> String {
    let name = period_name(line);
    if line.get("sent") == "1" {
        return format!("  {name}: would be sent\n");
    }
    let mut text = format!("  {name}: would not be sent\n    {}\n", reason(line, clock));
    let failing = matches!(kind, "failure" | "trap");
    let next = match line.time("next") {
        Some(next) if failing => {
            Some(format!("an alert goes out at {} if it fails until then", clock.distant(next)))
        }
        Some(next) => Some(format!("the period begins at {}", clock.distant(next))),
        None if failing => waits_for(line).map(str::to_owned),
        None => None,
    };
    text += &next.map_or(String::new(), |next| format!("    {next}\n"));
    text
}

/// `period office (line 8)`; without a label the period is its specification, or nothing.
fn period_name(line: &Told) -> String {
    match line.get("label") {
        "" => format!("period (line {})", line.get("line")),
        label => format!("period {label} (line {})", line.get("line")),
    }
}

fn alert(line: &Told, exit: &str) -> String {
    let range = line.maybe("exit").map_or(String::new(), |range| format!(" exit={range}"));
    let called = line.get("called") == "1";
    let mark = if called { "->" } else { "  " };
    let number = format!("line {}", line.get("line"));
    let mut text = format!("    {mark} {number:8} {}{range} {}", line.get("keyword"), line.get("command"));
    let wanted = line.maybe("exit").is_none_or(|range| contains(range, exit));
    if !called && !wanted {
        text += &format!("   (not for exit {exit})");
    }
    text + "\n"
}

fn contains(range: &str, exit: &str) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<i64>().ok();
    match (number(first), number(last), number(exit)) {
        (Some(first), Some(last), Some(exit)) => (first..=last).contains(&exit),
        _ => true,
    }
}

/// `  14:02:10   failure, exit 1: connection refused`
pub(super) fn decision(line: &Told, clock: &Clock<'_>) -> String {
    let (at, last, times) = (line.number("at"), line.number("last"), line.number("times"));
    format!("  {}  {}{}\n", clock.time(at), occasion(line, line.get("what")), again(at, last, times, clock))
}

/// `failure, exit 1: connection refused`
pub(super) fn occasion(line: &Told, kind: &str) -> String {
    let summary = line.get("summary");
    let colon = if summary.is_empty() { String::new() } else { format!(": {summary}") };
    match kind {
        "up" => "recovery".to_owned(),
        "startup" => "start of the daemon".to_owned(),
        "ack" => format!("acknowledged{colon}"),
        "disable" => format!("disabled{colon}"),
        "traptimeout" => format!("no trap came{colon}"),
        kind => format!("{kind}, exit {}{colon}", line.get("exit")),
    }
}

/// ` (12 times, the last at 14:20:00)`
pub(super) fn again(at: Wall, last: Wall, times: i64, clock: &Clock<'_>) -> String {
    if times <= 1 {
        return String::new();
    }
    let last = if last == at { String::new() } else { format!(", the last at {}", clock.time(last)) };
    format!(" ({times} times{last})")
}

pub(super) fn verdict(line: &Told, clock: &Clock<'_>) -> String {
    let name = period_name(line);
    if line.get("sent") == "1" {
        let lines = line.get("lines");
        let word = if lines.contains(',') { "lines" } else { "line" };
        return format!("      {name}: sent, {word} {}\n", lines.replace(',', ", "));
    }
    format!("      {name}: not sent: {}\n", reason(line, clock))
}
