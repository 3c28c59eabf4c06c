//! One sub-period: for each scale the set of values it may have.

use crate::nouns::Civil;

/// Sets of values are bit masks: value *n*, as the operator writes it, is bit *n*. A scale that is not named
/// may have any value. The day of the year needs 366 bits and years are without end, so these two stand
/// apart, and cost nothing where they are not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SubPeriod {
    /// Ranges of years as written: up to 99 they belong to the century in which they are looked at.
    pub(super) years: Option<Box<[(u32, u32)]>>,
    /// Day of the year, 1 to 366.
    pub(super) ydays: Option<Box<YearDays>>,
    /// Minutes, 0 to 59.
    pub(super) minutes: u64,
    /// Seconds, 0 to 59.
    pub(super) seconds: u64,
    /// Day of the month, 1 to 31.
    pub(super) mdays: u32,
    /// Hours, 0 to 23.
    pub(super) hours: u32,
    /// Months, 1 to 12.
    pub(super) months: u16,
    /// Weeks of the month, 1 to 6, which begin on Sunday.
    pub(super) weeks: u8,
    /// Days of the week, 1 (Sunday) to 7.
    pub(super) wdays: u8,
}

/// A set of days of the year.
pub(super) type YearDays = [u64; 6];

/// A stretch of time within which the coarser fields of a civil time stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Hour,
    Minute,
}

const HOURS: u64 = (1 << 24) - 1;
const SIXTY: u64 = (1 << 60) - 1;

impl Unit {
    /// The set of all parts of the unit: hours of a day, minutes of an hour, seconds of a minute.
    pub(super) fn parts(self) -> u64 {
        match self {
            Unit::Day => HOURS,
            Unit::Hour | Unit::Minute => SIXTY,
        }
    }

    /// Seconds until the unit around `at` ends, if nobody changes the clock; at least one.
    pub(super) fn seconds_left(self, at: &Civil) -> i64 {
        let (hour, minute, second) = (i64::from(at.hour), i64::from(at.minute), i64::from(at.second));
        let left = match self {
            Unit::Day => 86_400 - hour * 3600 - minute * 60 - second,
            Unit::Hour => 3600 - minute * 60 - second,
            Unit::Minute => 60 - second,
        };
        left.max(1)
    }
}

impl SubPeriod {
    /// The sub-period without any scale, which always holds.
    pub(super) const ALWAYS: SubPeriod = SubPeriod {
        years: None,
        ydays: None,
        minutes: u64::MAX,
        seconds: u64::MAX,
        mdays: u32::MAX,
        hours: u32::MAX,
        months: u16::MAX,
        weeks: u8::MAX,
        wdays: u8::MAX,
    };

    /// Whether all scales hold at that time.
    pub(super) fn contains(&self, at: &Civil) -> bool {
        has(self.hours, at.hour)
            && has(self.minutes, at.minute)
            && has(self.seconds, at.second)
            && self.contains_day(at)
    }

    /// For which parts of the `unit` around `at` (hours of its day, …) this surely holds from their beginning
    /// to their end. `None` if it holds nowhere in the unit.
    pub(super) fn surely_within(&self, at: &Civil, unit: Unit) -> Option<u64> {
        let reached = match unit {
            Unit::Day => true,
            Unit::Hour => has(self.hours, at.hour),
            Unit::Minute => has(self.hours, at.hour) && has(self.minutes, at.minute),
        };
        if !reached || !self.has_time_of_day() || !self.contains_day(at) {
            return None;
        }
        let every_second = self.seconds & SIXTY == SIXTY;
        let every_minute = every_second && self.minutes & SIXTY == SIXTY;
        Some(match unit {
            Unit::Day if every_minute => u64::from(self.hours),
            Unit::Hour if every_second => self.minutes,
            Unit::Minute => self.seconds,
            Unit::Day | Unit::Hour => 0,
        })
    }

    /// Whether there is any time at which this holds: `md {31} mo {Feb}` never does.
    pub(super) fn is_possible(&self) -> bool {
        // The days of a year depend on its first day and its length only: one year of each kind is enough.
        let mut seen = [false; 14];
        self.has_time_of_day()
            && (1..=9999).any(|year| {
                let (first, last) = (day_of_year(year, 1), day_of_year(year, 366));
                let kind = usize::from(first.wday) + if last.year == first.year { 7 } else { 0 };
                self.contains_year(first.year)
                    && !std::mem::replace(&mut seen[kind], true)
                    && (1..=366).any(|yday| self.contains_day(&day_of_year(year, yday)))
            })
    }

    fn has_time_of_day(&self) -> bool {
        u64::from(self.hours) & HOURS != 0 && self.minutes & SIXTY != 0 && self.seconds & SIXTY != 0
    }

    /// Whether it is the same every week.
    pub(super) fn is_weekly(&self) -> bool {
        self.years.is_none()
            && self.ydays.is_none()
            && (self.mdays, self.months, self.weeks) == (u32::MAX, u16::MAX, u8::MAX)
    }

    /// Whether it does not tell one second of a minute from another.
    pub(super) fn every_second(&self) -> bool {
        self.seconds & SIXTY == SIXTY
    }

    /// The minutes of that hour at which this holds, on a day on which it may.
    pub(super) fn minutes_of(&self, hour: u8) -> u64 {
        if has(self.hours, hour) { self.minutes & SIXTY } else { 0 }
    }

    pub(super) fn contains_day(&self, at: &Civil) -> bool {
        has(self.wdays, at.wday.saturating_add(1))
            && has(self.mdays, at.mday)
            && has(self.months, at.month)
            && has(self.weeks, week_of_month(at))
            && self.ydays.as_ref().is_none_or(|days| has_day(days, at.yday))
            && self.contains_year(at.year)
    }

    fn contains_year(&self, year: i32) -> bool {
        self.years.as_ref().is_none_or(|ranges| {
            ranges.iter().any(|(one, other)| {
                let (one, other) = (full_year(*one, year), full_year(*other, year));
                // Years do not wrap around: a reversed range is turned.
                (one.min(other)..=one.max(other)).contains(&i64::from(year))
            })
        })
    }
}

fn has(set: impl Into<u64>, value: u8) -> bool {
    value < 64 && set.into() >> value & 1 == 1
}

fn has_day(set: &YearDays, yday: u16) -> bool {
    let (word, bit) = (usize::from(yday / 64), yday % 64);
    set.get(word).is_some_and(|word| word >> bit & 1 == 1)
}

/// 1 to 6: the first of the month is in week 1 whatever day it is, each Sunday after it begins another.
fn week_of_month(at: &Civil) -> u8 {
    at.mday.saturating_add(5).saturating_sub(at.wday) / 7 + 1
}

/// A year as written, in full: up to 99 it gets the first two digits of the present year.
fn full_year(written: u32, present: i32) -> i64 {
    if written > 99 {
        return i64::from(written);
    }
    let mut century = present;
    while century > 99 {
        century /= 10;
    }
    i64::from(century) * 100 + i64::from(written)
}

/// The civil time of midnight on the `yday`th day counted from the first of January (day 1).
pub(super) fn day_of_year(year: i64, yday: i64) -> Civil {
    let leap_days = |years: i64| years / 4 - years / 100 + years / 400;
    let days = 365 * (year - 1970) + leap_days(year - 1) - leap_days(1969) + yday - 1;
    Civil::utc(days * 86_400)
}
