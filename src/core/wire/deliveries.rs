//! `list deliveries`, written and read.

use std::fmt::{self, Write as _};

use super::opstatus::StatusLine;
use super::quote::escape_quoted_into;
use crate::engine::{Attempt, DeliveryRow, Outcome};

/// Appends the whole answer.
pub(super) fn write_list(out: &mut String, rows: &[DeliveryRow<'_>]) -> fmt::Result {
    rows.iter().for_each(|row| write_line(out, row));
    out.write_str("220 list deliveries completed")
}

/// Appends a line. Fields may be added at the end; those that have nothing to say are left out.
fn write_line(out: &mut String, row: &DeliveryRow<'_>) {
    let Attempt { service, period, kind, alert, line, number, at, retry_at, open, last_words, .. } =
        row.attempt;
    // Writing to a String cannot fail.
    let _ = write!(out, "time={at} group={} service={}", service.group, service.service);
    if let Some(period) = period {
        push(out, "period", period);
    }
    push(out, "kind", kind);
    push(out, "alert", alert);
    push(out, "line", line);
    let _ = write!(out, " try={number}");
    push(out, "outcome", &outcome(&row.attempt.outcome));
    let _ = write!(out, " duration={}.{:03}", row.lasted.as_secs(), row.lasted.subsec_millis());
    if *open {
        out.push_str(" undelivered=1");
    }
    if let Some(retry_at) = retry_at {
        let _ = write!(out, " retry_at={retry_at}");
    }
    push(out, "last_words", last_words);
    out.push('\n');
}

fn push(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=");
    escape_quoted_into(out, value);
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Running => "running".to_owned(),
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Exited(status) => format!("exit {status}"),
        Outcome::Killed(signal) => format!("signal {signal}"),
        Outcome::TimedOut => "timeout".to_owned(),
        Outcome::NotStarted(why) => format!("not started: {why}"),
        Outcome::GivenUp => "given up".to_owned(),
    }
}

/// What went wrong with an attempt, in one line: `mail.alert: exit 3: no route`.
pub(super) fn error_of(attempt: &Attempt) -> String {
    error_text(&attempt.alert, &outcome(&attempt.outcome), &attempt.last_words)
}

/// The same for a line of `list deliveries` that was read.
#[must_use]
pub fn error(line: &StatusLine) -> String {
    error_text(line.get("alert"), line.get("outcome"), line.get("last_words"))
}

fn error_text(alert: &str, outcome: &str, last_words: &str) -> String {
    match last_words {
        "" => format!("{alert}: {outcome}"),
        words => format!("{alert}: {outcome}: {words}"),
    }
}

/// What became of an attempt, for people: `exit 3 after 0.120 s, will be tried again`.
#[must_use]
pub fn summary(line: &StatusLine) -> String {
    let outcome = line.get("outcome");
    let mut text = match outcome {
        "running" => format!("running for {} s", line.get("duration")),
        _ => format!("{outcome} after {} s", line.get("duration")),
    };
    if line.number("retry_at") != 0 {
        text += ", will be tried again";
    }
    if !line.get("last_words").is_empty() {
        let _ = write!(text, ": {}", line.get("last_words"));
    }
    text
}
