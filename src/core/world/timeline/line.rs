//! One line of a timeline, as text.

use std::fmt::Write as _;

use super::super::Zone;
use crate::engine::Ending;
use crate::nouns::{Civil, Now, ServiceKey, Wall};

/// What was so from one moment to another, and how often.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) from: Now,
    pub(super) to: Now,
    pub(super) count: u64,
    pub(super) word: &'static str,
    /// What it is about; the count stands behind it.
    pub(super) about: String,
    pub(super) text: String,
}

/// Year, month and day.
pub(super) type Day = (i32, u8, u8);

impl Line {
    pub(super) fn render(&self, out: &mut String, day: &mut Option<Day>) {
        let Line { from, to, count, word, about, text } = self;
        begin_day(out, day, &from.civil);
        let mut time = clock(&from.civil);
        if to.wall != from.wall {
            let same_day = day_of(&from.civil) == day_of(&to.civil);
            let Civil { month, mday, .. } = to.civil;
            let date = format!("{} {month:02}-{mday:02} ", weekday(&to.civil));
            time += &format!("-{}{}", if same_day { "" } else { &date }, clock(&to.civil));
        }
        let count = if *count == 1 { String::new() } else { format!(", {count} times") };
        let text = format!("{about}{count}{text}");
        // A line stays a line, whatever a monitor printed.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(out, "{}", format!("{time:<17} {word:<12} {text}").trim_end());
    }
}

/// Clocks go forward or back.
pub(super) fn clock_change(
    out: &mut String,
    day: &mut Option<Day>,
    zone: &Zone,
    at: Wall,
    before: i64,
    after: i64,
) {
    let old = Civil::utc(at + before);
    let new = zone.civil(at);
    begin_day(out, day, &old);
    let way = if after > before { "forward" } else { "back" };
    let text = format!("clocks go {way} to {}", clock(&new));
    let _ = writeln!(out, "{:<17} {:<12} {text}", clock(&old), "clock");
}

fn begin_day(out: &mut String, day: &mut Option<Day>, civil: &Civil) {
    let today = day_of(civil);
    if *day != Some(today) {
        *day = Some(today);
        let Civil { year, month, mday, .. } = civil;
        let _ = writeln!(out, "{} {year}-{month:02}-{mday:02}", weekday(civil));
    }
}

fn day_of(civil: &Civil) -> Day {
    (civil.year, civil.month, civil.mday)
}

fn weekday(civil: &Civil) -> &'static str {
    ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][usize::from(civil.wday % 7)]
}

/// `02:00:05`
pub(super) fn clock(civil: &Civil) -> String {
    format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second)
}

/// `Mon 02:00:05`
pub(super) fn day_and_clock(civil: &Civil) -> String {
    format!("{} {}", weekday(civil), clock(civil))
}

/// `web/ping`, with the label of the period where it has one.
pub(super) fn about(service: &ServiceKey, period: Option<&str>) -> String {
    let ServiceKey { group, service } = service;
    match period {
        Some(label) if !label.is_empty() => format!("{group}/{service} [{label}]"),
        _ => format!("{group}/{service}"),
    }
}

/// How a run ended, in few words.
pub(super) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Exited(0) => "ok".to_owned(),
        Ending::Exited(1) => "fail".to_owned(),
        Ending::Exited(status) => format!("fail (exit {status})"),
        Ending::Killed(signal) => format!("fail (signal {signal})"),
        Ending::NotStarted(_) => "fail (not started)".to_owned(),
    }
}

/// What a status does not say of the run that it comes from.
pub(super) fn odd_ending(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Exited(0 | 1) => None,
        Ending::Exited(status) => Some(format!(", exit {status}")),
        Ending::Killed(signal) => Some(format!(", signal {signal}")),
        Ending::NotStarted(_) => Some(", not started".to_owned()),
    }
}

/// A word as a shell takes it back.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c) || !c.is_ascii();
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
