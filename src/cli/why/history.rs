//! The answer to `list record`, for people.

use remon_core::wire::why::Told;

use super::reasons::{Clock, Local, span};
use super::text::{again, occasion, verdict};

/// The whole answer, oldest first; with run times where results are told one by one.
pub(super) fn render(lines: &[Told], each: bool, local: &Local<'_>) -> String {
    if lines.is_empty() {
        return "Nothing is recorded.\n".to_owned();
    }
    // Dates in full: there is no day of asking that could be left out.
    let clock = Clock { now: i64::MIN / 2, of_the_past: true, local };
    let line = |line: &Told| match line.word.as_str() {
        "fact" => fact(line, each, &clock),
        "verdict" => verdict(line, &clock),
        _ => String::new(),
    };
    lines.iter().map(line).collect()
}

fn fact(line: &Told, each: bool, clock: &Clock<'_>) -> String {
    let (at, last, times) = (line.number("at"), line.number("last"), line.number("times"));
    let whose = match (line.maybe("group"), line.maybe("service")) {
        (Some(group), Some(service)) => format!("{group}/{service} "),
        _ => String::new(),
    };
    let took = line.maybe("took").filter(|_| each).map_or(String::new(), |took| format!(" (ran {took}s)"));
    format!("{}  {whose}{}{took}{}\n", clock.time(at), what(line, clock), again(at, last, times, clock))
}

fn what(line: &Told, clock: &Clock<'_>) -> String {
    match line.get("what") {
        "result" => result(line),
        "status" => format!("set to {}", line.get("opstatus")),
        "decision" => format!("decided about: {}", occasion(line, line.get("occasion"))),
        "alert" => alert(line, clock),
        "command" if line.get("user").is_empty() => format!("command: {}", line.get("text")),
        "command" => format!("command of {}: {}", line.get("user"), line.get("text")),
        "configuration" => format!("configuration read, SHA-256 {}", line.get("sha256")),
        "start" => started(line),
        "hangup" => "SIGHUP: the configuration is read again".to_owned(),
        "end" => "the daemon ended".to_owned(),
        "lost" => format!("{} facts could not be recorded before this", line.get("facts")),
        other => other.to_owned(),
    }
}

fn started(line: &Told) -> String {
    let stopped = line.maybe("stopped").map_or("", |_| ", with the scheduler stopped");
    let loaded = line
        .maybe("loaded")
        .map_or(String::new(), |files| format!(", with the saved state: {}", files.replace(' ', ", ")));
    format!("the daemon started{stopped}{loaded}")
}

fn result(line: &Told) -> String {
    let status = match line.get("opstatus") {
        "fail" => format!("fails, exit {}", line.get("exit")),
        status => format!("is {status}"),
    };
    let source = match line.get("source") {
        "trap" => " by trap",
        "traptimeout" => ", no trap came",
        _ => "",
    };
    let summary = line.get("summary");
    if summary.is_empty() { format!("{status}{source}") } else { format!("{status}{source}: {summary}") }
}

fn alert(line: &Told, clock: &Clock<'_>) -> String {
    let outcome = match line.time("ended") {
        None => "no end is known".to_owned(),
        Some(ended) => {
            let took = span(ended.saturating_sub(line.number("at")));
            match (line.maybe("status"), line.maybe("signal"), line.maybe("unstarted")) {
                (Some("0"), ..) => format!("ended well after {took}"),
                (Some(status), ..) => format!("failed with status {status} after {took}"),
                (_, Some(signal), _) => format!("was killed by signal {signal} after {took}"),
                (.., Some(why)) => format!("could not be started: {why}"),
                _ => format!("ended at {}", clock.time(ended)),
            }
        }
    };
    let words = line.get("words");
    let words = if words.is_empty() || line.maybe("unstarted").is_some() {
        String::new()
    } else {
        format!(": {}", words)
    };
    let program = line.get("program").rsplit('/').next().unwrap_or_default();
    let arguments = match line.get("arguments") {
        "" => String::new(),
        arguments => format!(" {arguments}"),
    };
    let place = line.get("line");
    format!("{} alert (line {place}): {program}{arguments}: {outcome}{words}", line.get("occasion"))
}
