//! What a period never reaches, and what two periods have in common: for warnings about a mon.cf.

use std::ops::Range;

use super::Period;
use super::sub_period::{SubPeriod, day_of_year};
use crate::nouns::Civil;

/// How the times of two periods lie to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// A moment that is in both, to the minute.
    pub both: Civil,
    /// Whether the first has times that the second has not.
    pub only_first: bool,
    /// Whether the second has times that the first has not.
    pub only_second: bool,
}

/// In 28 years in a row every day of the year falls on every day of the week.
const CALENDAR: Range<i64> = 2000..2028;

/// Where only days of the week and times of day are named, one week is as good as all.
const WEEK: Range<i64> = 1..8;
const ALL_DAYS: Range<i64> = 1..367;

/// Where years are named, those that a mon.cf may name in earnest.
const NAMED_YEARS: Range<i64> = 1970..2100;

const HOURS: usize = 24;

/// Minutes of one day, an hour each.
type Minutes = [u64; HOURS];

impl Period {
    /// How many sub-periods it has before the first mistake.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.sound.len()
    }

    /// The places of those sub-periods that hold at no time, such as `md {31} mo {Feb}`.
    #[must_use]
    pub fn never(&self) -> Vec<Range<usize>> {
        if self.sound.iter().all(SubPeriod::is_possible) {
            return Vec::new();
        }
        let pieces = super::parse::pieces(&self.text);
        let parts = pieces.into_iter().zip(&self.sound);
        parts.filter(|(_, sub)| !sub.is_possible()).map(|(place, _)| place).collect()
    }

    /// The times that both periods have in common; `None` where there are none. Periods that name seconds are
    /// not compared.
    #[must_use]
    pub fn overlap(&self, other: &Period) -> Option<Overlap> {
        let all = || self.sound.iter().chain(&other.sound);
        if all().any(|sub| !sub.every_second()) {
            return None;
        }
        let years = if all().any(|sub| sub.years.is_some()) { NAMED_YEARS } else { CALENDAR };
        let (mut both, mut only_first, mut only_second) = (None, false, false);
        let (years, days) =
            if all().all(SubPeriod::is_weekly) { (2000..2001, WEEK) } else { (years, ALL_DAYS) };
        for day in years.flat_map(|year| days.clone().map(move |yday| day_of_year(year, yday))) {
            let (left, right) = (self.minutes_of(&day), other.minutes_of(&day));
            for (hour, (left, right)) in left.into_iter().zip(right).enumerate() {
                if both.is_none() && left & right != 0 {
                    let minute = (left & right).trailing_zeros() as u8;
                    both = Some(Civil { hour: hour as u8, minute, ..day });
                }
                only_first |= left & !right != 0;
                only_second |= right & !left != 0;
            }
            if both.is_some() && only_first && only_second {
                break;
            }
        }
        both.map(|both| Overlap { both, only_first, only_second })
    }

    /// The minutes of that day that are inside.
    fn minutes_of(&self, day: &Civil) -> Minutes {
        let mut minutes = [0; HOURS];
        for sub in self.sound.iter().filter(|sub| sub.contains_day(day)) {
            for (hour, minutes) in minutes.iter_mut().enumerate() {
                *minutes |= sub.minutes_of(hour as u8);
            }
        }
        minutes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_periods_that_never_come_are_found() {
        for (spec, never) in [
            ("", &[][..]),
            ("none", &[]),
            ("wd {Mon-Fri} hr {9am-5pm}, wd {Sat}", &[]),
            ("wd {Mon} md {31} mo {Feb}", &["wd {Mon} md {31} mo {Feb}"]),
            ("wd {Sat}, md {30} mo {Feb} , wd {Sun}", &["md {30} mo {Feb}"]),
            ("md {29} mo {Feb} wd {Tue}", &[]),
            ("yd {366} yr {2026-2027}", &["yd {366} yr {2026-2027}"]),
            ("hr {}", &["hr {}"]),
            ("mo {Feb} md {30}, xx {3}", &["mo {Feb} md {30}"]),
        ] {
            let found = Period::parse(spec).never();
            let found: Vec<&str> = found.into_iter().map(|place| &spec[place]).collect();
            assert_eq!(found, never, "{spec}");
        }
    }

    #[test]
    fn common_times_are_found_to_the_minute() {
        for (first, second, expect) in [
            ("hr {9am-5pm}", "hr {5pm-9am}", Some(("09:00", true, true))),
            ("hr {9am-4pm}", "hr {5pm-8am}", None),
            ("wd {Mon-Fri}", "wd {Sat-Sun}", None),
            ("wd {Mon-Fri}", "wd {Fri-Sun}", Some(("00:00", true, true))),
            ("wd {Mon-Fri}", "wd {Mon-Fri} hr {9-17}", Some(("09:00", true, false))),
            ("wd {Mon-Fri}", "wday {2-6}", Some(("00:00", false, false))),
            ("hr {8} min {0-29}", "hr {8} min {30-59}", None),
            ("hr {8} min {0-30}", "hr {8} min {30-59}", Some(("08:30", true, true))),
            ("yr {2026}", "yr {2027}", None),
            ("yr {2026-2027} mo {Mar}", "yr {2027}", Some(("00:00", true, true))),
            ("md {29} mo {Feb} wd {Mon}", "md {29}", Some(("00:00", false, true))),
            ("none", "", None),
        ] {
            let found = Period::parse(first).overlap(&Period::parse(second));
            let found = found.map(|overlap| {
                let time = format!("{:02}:{:02}", overlap.both.hour, overlap.both.minute);
                (time, overlap.only_first, overlap.only_second)
            });
            let expect = expect.map(|(time, first, second)| (time.to_owned(), first, second));
            assert_eq!(found, expect, "{first} / {second}");
        }
    }
}
