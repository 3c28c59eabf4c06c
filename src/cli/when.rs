//! Times as a person writes them: `14:05`, `-2h`, `2026-11-22 14:05`, or seconds since the epoch.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use remon_core::nouns::Wall;
use remon_core::timeval;

/// What is said of a word that is no time.
const SYNTAX: &str = "not a time: 14:05, -2h, \"2026-11-22 14:05\" and seconds since the epoch are";

/// The time that `text` means, asked at `now`. A time of day is the last one that has been.
///
/// # Errors
/// When it means none; in words.
pub(crate) fn parse(text: &str, now: Wall, zone: &TimeZone) -> Result<Wall, String> {
    let text = text.trim();
    let found = back(text, now)
        .or_else(|| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())))
        .or_else(|| time_of_day(text, now, zone))
        .or_else(|| date_and_time(text, zone));
    found.ok_or_else(|| format!("`{text}` is {SYNTAX}"))
}

/// `-2h`: so long ago.
fn back(text: &str, now: Wall) -> Option<Wall> {
    let span = timeval::parse(text.strip_prefix('-')?)?;
    Some(now.saturating_sub(span.map_or(0, |span| span.whole_secs())))
}

fn clock_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| {
        let digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    parts.next().is_none().then(|| Time::new(hour, minute, second, 0).ok()).flatten()
}

fn time_of_day(text: &str, now: Wall, zone: &TimeZone) -> Option<Wall> {
    let time = clock_time(text)?;
    let today = zone.to_datetime(jiff::Timestamp::from_second(now).ok()?).date();
    let days = [Some(today), today.yesterday().ok()];
    days.into_iter().flatten().filter_map(|day| wall(day.to_datetime(time), zone)).find(|at| *at <= now)
}

fn date_and_time(text: &str, zone: &TimeZone) -> Option<Wall> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:00"));
    let date: Date = date.parse().ok()?;
    wall(date.to_datetime(clock_time(time.trim())?), zone)
}

/// A time that there is twice is the first of the two, one that there is not is what clocks then show.
fn wall(time: DateTime, zone: &TimeZone) -> Option<Wall> {
    Some(zone.to_zoned(time).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun Nov 22 12:00:00 2026 UTC.
    const NOON: Wall = 1_795_348_800;

    #[test]
    fn times_of_a_person() {
        for (text, expect) in [
            ("11:59", Some(NOON - 60)),
            ("12:00", Some(NOON)),
            ("12:00:01", Some(NOON + 1 - 86_400)),
            ("9:05", Some(NOON - 10_500)),
            ("-2h", Some(NOON - 7_200)),
            ("-0s", Some(NOON)),
            ("2026-11-22 11:00", Some(NOON - 3_600)),
            ("2026-11-22T11:00:30", Some(NOON - 3_570)),
            ("2026-11-23", Some(NOON + 43_200)),
            ("1795348800", Some(NOON)),
            ("0", Some(0)),
            ("", None),
            ("soon", None),
            ("24:00", None),
            ("12:60", None),
            ("-2", None),
            ("+1h", None),
            ("2026-02-30 1:00", None),
            ("1:2:3:4", None),
            ("14", Some(14)),
        ] {
            assert_eq!(parse(text, NOON, &TimeZone::UTC).ok(), expect, "{text}");
        }
    }

    #[test]
    fn local_time_and_the_hour_that_is_missing() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a POSIX rule");
        let at = |text| parse(text, NOON, &zone);
        assert_eq!(at("12:30"), Ok(NOON - 1800), "13:00 it is there");
        assert_eq!(at("2026-03-29 02:30"), at("2026-03-29 03:30"));
        assert_eq!(at("2026-10-25 02:30"), Ok(1_792_888_200), "the first of two");
    }
}
