//! Times of events: `+10m`, `Mon 02:00`, `02:00`, `2026-11-23 02:00`, `2026-11-23T02:00:00+01:00`, `@1795352643`.

use std::time::Duration;

use super::super::Zone;
use super::line::{Complaint, Word};
use crate::nouns::{Civil, Wall};
use crate::timeval;

/// A time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// `+10m`: so long after the start of the simulation.
    After(Duration),
    /// `@N`: seconds since the epoch.
    Epoch(Wall),
    /// A date and a time, local unless an offset is given.
    Date {
        /// Year, month, day.
        date: (i32, u8, u8),
        /// Hour, minute, second.
        time: (u8, u8, u8),
        /// `+01:00` or `Z`: seconds east of UTC.
        offset: Option<i64>,
    },
    /// A time, and perhaps a day of the week: the first one at or after the event above.
    Next {
        /// 0 is Sunday.
        wday: Option<u8>,
        /// Hour, minute, second.
        time: (u8, u8, u8),
    },
}

/// Three letters are enough, more are checked too.
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const HELP: &str = "times are `+10m` (from the start), `02:00`, `Mon 02:00`, `2026-11-23 02:00`, \
                    `2026-11-23T02:00:00+01:00` or `@1795352643`";

/// A sum of times with units, such as `90s` or `1d12h`, in whole seconds.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let parts = text.split_inclusive(|c: char| c.is_ascii_alphabetic());
    let mut any = false;
    for part in parts {
        let part = timeval::parse(part).filter(|_| !part.contains(timeval::is_blank))?;
        sum = sum.checked_add(part.map_or(Duration::ZERO, timeval::Timeval::duration))?;
        any = true;
    }
    (any && sum.subsec_nanos() == 0).then_some(sum)
}

/// The time at the beginning of a line, and how many words it takes.
pub(super) fn take(words: &[Word]) -> Result<(Moment, usize), Complaint> {
    let Some(first) = words.first() else {
        return Err(Complaint::new("S01", 0..0, "a time is missing").help(HELP));
    };
    let second = words.get(1).map_or("", Word::bare);
    let wrong = |what: String| Complaint::new("S01", first.span.clone(), what).help(HELP);
    let text = first.bare();
    if let Some(after) = text.strip_prefix('+') {
        let after = span(after).filter(|after| *after <= super::LONGEST);
        return after.map(|after| (Moment::After(after), 1)).ok_or_else(|| {
            wrong(format!("`{text}` is no time: after `+` stand numbers with a unit, s, m, h or d"))
        });
    }
    if let Some(epoch) = text.strip_prefix('@') {
        let epoch = epoch.parse().ok().filter(|epoch| (0..=253_402_300_799).contains(epoch));
        let problem = || wrong(format!("`{text}` is no time: after `@` stand seconds since 1970"));
        return epoch.map(|epoch| (Moment::Epoch(epoch), 1)).ok_or_else(problem);
    }
    if let Some(time) = clock(text) {
        return Ok((Moment::Next { wday: None, time }, 1));
    }
    if let Some(wday) = weekday(text) {
        let time = clock(second).ok_or_else(|| wrong(format!("after `{text}` a time is missing")))?;
        return Ok((Moment::Next { wday: Some(wday), time }, 2));
    }
    if let Some((day, rest)) = text.split_once('T').filter(|(day, _)| date(day).is_some()) {
        let (time, offset) = clock_and_offset(rest)
            .ok_or_else(|| wrong(format!("`{text}`: after the `T` stands a time such as 02:00:00+01:00")))?;
        let date = date(day).unwrap_or_default();
        return Ok((Moment::Date { date, time, offset }, 1));
    }
    if let Some(date) = date(text) {
        let (time, offset) = clock_and_offset(second)
            .ok_or_else(|| wrong(format!("after the date `{text}` a time is missing")))?;
        return Ok((Moment::Date { date, time, offset }, 2));
    }
    let what = if first.quoted { "a time is wanted here".to_owned() } else { format!("`{text}` is no time") };
    Err(wrong(what))
}

fn weekday(text: &str) -> Option<u8> {
    let lower = text.to_ascii_lowercase();
    let found = DAYS.iter().position(|day| lower.len() >= 3 && day.starts_with(&lower))?;
    u8::try_from(found).ok()
}

/// `2026-11-23`
fn date(text: &str) -> Option<(i32, u8, u8)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = year.len() == 4 && parts.next().is_none();
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
    let day =
        (i32::from(number(year)?), u8::try_from(number(month)?).ok()?, u8::try_from(number(day)?).ok()?);
    shaped.then_some(day)
}

/// `02:00`, `02:00:30`
fn clock(text: &str) -> Option<(u8, u8, u8)> {
    let mut parts = text.split(':').map(|part| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok())?
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        None => 0,
        Some(second) => second?,
    };
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
}

/// `02:00+01:00`, `02:00Z`, or without either.
fn clock_and_offset(text: &str) -> Option<((u8, u8, u8), Option<i64>)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((clock(time)?, Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((clock(text)?, None)) };
    let (hours, minutes, _) = clock(&text[at + 1..])?;
    let east = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    Some((clock(&text[..at])?, Some(if text[at..].starts_with('-') { -east } else { east })))
}

impl Moment {
    /// The moment that is meant, where the simulation starts at `from` and the event above is at `last`.
    ///
    /// # Errors
    /// When clocks never show that time; of two moments that clocks show it is the first.
    pub fn resolve(self, zone: &Zone, from: Wall, last: Wall) -> Result<Wall, String> {
        match self {
            Moment::After(span) => Ok(from.saturating_add(span.as_secs().cast_signed())),
            Moment::Epoch(wall) => Ok(wall),
            Moment::Date { date, time, offset: Some(east) } => {
                let utc = Zone::default().moments(date, time).ok_or("there is no such date")?;
                Ok(utc.first().copied().unwrap_or_default() - east)
            }
            Moment::Date { date, time, offset: None } => {
                let moments = zone.moments(date, time).ok_or("there is no such date")?;
                moments.first().copied().ok_or_else(|| SKIPPED.to_owned())
            }
            Moment::Next { wday, time } => next(zone, wday, time, last),
        }
    }
}

const SKIPPED: &str = "clocks skip that time: summer time begins";

/// The first moment at or after `last` at which clocks show that.
fn next(zone: &Zone, wday: Option<u8>, time: (u8, u8, u8), last: Wall) -> Result<Wall, String> {
    // The day before too: the first of two moments may lie behind `last`, and its day with it.
    // Days are counted from noon to noon: from 23:00, so many seconds later may be two days later.
    let Civil { hour, minute, second, .. } = zone.civil(last);
    let noon = last + 3600 * (12 - i64::from(hour)) - 60 * i64::from(minute) - i64::from(second);
    for days in -1..=8 {
        let Civil { year, month, mday, .. } = zone.civil(noon + days * 86_400);
        let moments = zone.moments((year, month, mday), time).unwrap_or_default();
        let fits = |wall: &Wall| *wall >= last && wday.is_none_or(|wday| zone.civil(*wall).wday == wday);
        if let Some(wall) = moments.into_iter().find(fits) {
            return Ok(wall);
        }
    }
    Err(SKIPPED.to_owned())
}
