//! The words of the trade: what can be named in a mon.cf, on the wire and in the logs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// `group:service`: the name of a service in dependencies and views.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// Name of the watch, which is the name of its hostgroup too.
    pub group: Arc<str>,
    /// Name of the service, unique in its watch.
    pub service: Arc<str>,
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.group, self.service)
    }
}

/// Operational status of a service; the numbers are those of `list opstatus` (mon 1.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpStatus {
    /// The last result was a failure.
    Fail,
    /// The last result was a success.
    Ok,
    /// Set by hand (`set … opstatus coldstart`).
    Coldstart,
    /// Set by hand.
    Warmstart,
    /// Set by hand.
    Linkdown,
    /// Set by hand.
    Unknown,
    /// Set by hand.
    Timeout,
    /// No result yet.
    #[default]
    Untested,
    /// Reserved by the original.
    Depend,
    /// Reserved by the original.
    Warn,
}

impl OpStatus {
    const ALL: [(OpStatus, &'static str); 10] = [
        (OpStatus::Fail, "fail"),
        (OpStatus::Ok, "ok"),
        (OpStatus::Coldstart, "coldstart"),
        (OpStatus::Warmstart, "warmstart"),
        (OpStatus::Linkdown, "linkdown"),
        (OpStatus::Unknown, "unknown"),
        (OpStatus::Timeout, "timeout"),
        (OpStatus::Untested, "untested"),
        (OpStatus::Depend, "depend"),
        (OpStatus::Warn, "warn"),
    ];

    /// The number on the wire and in state files.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The status with that number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<OpStatus> {
        OpStatus::ALL.get(usize::from(code)).map(|(status, _)| *status)
    }

    /// The word for this status.
    #[must_use]
    pub fn word(self) -> &'static str {
        OpStatus::ALL[usize::from(self.code())].1
    }

    /// What `set GROUP SERVICE opstatus WORD` accepts; the original knows no word for the last two.
    #[must_use]
    pub fn from_word(word: &str) -> Option<OpStatus> {
        OpStatus::ALL[..8].iter().find(|(_, w)| *w == word).map(|(status, _)| *status)
    }

    /// Shown by `list failures`.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, OpStatus::Fail | OpStatus::Linkdown | OpStatus::Timeout)
    }

    /// Shown by `list successes`, and what a dependency needs. Untested counts as good.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(
            self,
            OpStatus::Ok | OpStatus::Coldstart | OpStatus::Warmstart | OpStatus::Unknown | OpStatus::Untested
        )
    }

    /// Shown by `list warnings`.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, OpStatus::Coldstart | OpStatus::Warmstart | OpStatus::Unknown | OpStatus::Warn)
    }
}

/// The occasion for which an alert program is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// A monitor reported a failure.
    Failure,
    /// A trap reported a failure.
    Trap,
    /// No trap came for `traptimeout`.
    TrapTimeout,
    /// The service is good again.
    Up,
    /// The daemon has started.
    Startup,
    /// An operator acknowledged the failure.
    Ack,
    /// An operator disabled the service.
    Disable,
}

impl AlertKind {
    /// One of the three kinds that report a failure and obey `alertafter`, `alertevery` and `numalerts`.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, AlertKind::Failure | AlertKind::Trap | AlertKind::TrapTimeout)
    }

    /// The flag on the alert's command line.
    #[must_use]
    pub fn flag(self) -> Option<&'static str> {
        match self {
            AlertKind::Failure | AlertKind::Startup => None,
            AlertKind::Trap => Some("-T"),
            AlertKind::TrapTimeout => Some("-O"),
            AlertKind::Up => Some("-u"),
            AlertKind::Ack => Some("-a"),
            AlertKind::Disable => Some("-D"),
        }
    }

    /// The value of MON_ALERTTYPE.
    #[must_use]
    pub fn env_word(self) -> &'static str {
        match self {
            AlertKind::Failure => "failure",
            AlertKind::Trap => "trap",
            AlertKind::TrapTimeout => "traptimeout",
            AlertKind::Up => "up",
            AlertKind::Startup => "startup",
            AlertKind::Ack => "ack",
            AlertKind::Disable => "disable",
        }
    }

    /// The first word of a line of `list alerthist` and the historicfile.
    #[must_use]
    pub fn history_word(self) -> &'static str {
        match self {
            AlertKind::Failure => "alert",
            AlertKind::Trap => "trapalert",
            AlertKind::TrapTimeout => "traptimeoutalert",
            AlertKind::Up => "upalert",
            AlertKind::Startup => "startupalert",
            AlertKind::Ack => "ackalert",
            AlertKind::Disable => "disablealert",
        }
    }
}

/// A point in monotonic time, counted from an arbitrary origin; scheduling knows no other time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mono(u64);

impl Mono {
    /// The point `since_origin` after the origin; the last one there is for more than 580 years.
    #[must_use]
    pub fn at(since_origin: Duration) -> Mono {
        Mono(u64::try_from(since_origin.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Time since the origin.
    #[must_use]
    pub fn since_origin(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// How much later `self` is than `earlier`; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Mono {
    type Output = Mono;

    fn add(self, span: Duration) -> Mono {
        Mono(self.0.saturating_add(Mono::at(span).0))
    }
}

/// Seconds since the epoch: the time of records, and of everything printed.
pub type Wall = i64;

/// Broken-down local time, as periods see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// Year, in full.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub mday: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Day of the week, 0 (Sunday) to 6.
    pub wday: u8,
    /// Day of the year, 1 to 366.
    pub yday: u16,
}

impl Civil {
    /// The civil time of `wall` in UTC: for simulated worlds and tests, which need no time zone.
    #[must_use]
    pub fn utc(wall: Wall) -> Civil {
        let days = wall.div_euclid(86_400);
        let second_of_day = wall.rem_euclid(86_400);
        // Days are counted from 1 March of year 0, so that a leap day is the last day of its year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let mday = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let before_month = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
        let yday = before_month + mday + i64::from(leap && month > 2);
        Civil {
            year: year as i32,
            month: month as u8,
            mday: mday as u8,
            hour: (second_of_day / 3600) as u8,
            minute: (second_of_day / 60 % 60) as u8,
            second: (second_of_day % 60) as u8,
            wday: (days + 4).rem_euclid(7) as u8,
            yday: yday as u16,
        }
    }
}

/// `Sun Nov  2 11:41:09 2026`: what C's ctime and Perl's localtime print.
impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (day, month) =
            (DAYS[usize::from(self.wday % 7)], MONTHS[usize::from(self.month.clamp(1, 12)) - 1]);
        let Civil { mday, hour, minute, second, year, .. } = self;
        write!(f, "{day} {month} {mday:2} {hour:02}:{minute:02}:{second:02} {year}")
    }
}

/// One moment, in the three ways the daemon looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For scheduling.
    pub mono: Mono,
    /// For records.
    pub wall: Wall,
    /// For periods.
    pub civil: Civil,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_time_of_known_moments() {
        for (wall, text, yday) in [
            (0, "Thu Jan  1 00:00:00 1970", 1),
            (951_782_400, "Tue Feb 29 00:00:00 2000", 60),
            (1_795_348_799, "Sun Nov 22 11:59:59 2026", 326),
            (4_107_542_399, "Sun Feb 28 23:59:59 2100", 59),
            (-1, "Wed Dec 31 23:59:59 1969", 365),
        ] {
            let civil = Civil::utc(wall);
            assert_eq!((civil.to_string().as_str(), civil.yday), (text, yday), "{wall}");
        }
    }

    #[test]
    fn status_codes_are_those_of_the_original() {
        for code in 0..10 {
            assert_eq!(OpStatus::from_code(code).map(OpStatus::code), Some(code));
        }
        assert_eq!(OpStatus::from_code(10), None);
        assert_eq!(OpStatus::from_word("warn"), None);
    }
}
