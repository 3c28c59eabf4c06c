//! The only door to the clock and to the time zone.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use remon_core::nouns::{Civil, Mono, Now, Wall};
use remon_core::world::Zone;

/// Seconds since the epoch, now.
pub(crate) fn wall() -> Wall {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs() as Wall,
        Err(before) => -(before.duration().as_secs() as Wall),
    }
}

/// This instant, for limits that no schedule depends on.
pub(super) fn instant_now() -> Instant {
    Instant::now()
}

/// The clock of the daemon: monotonic time counts from its start.
pub(super) struct Clock {
    origin: Instant,
    zone: LocalZone,
    /// The last second that was asked for; most moments are in the same one.
    second: Cell<(Wall, Civil)>,
}

impl Clock {
    /// A clock that starts now.
    pub(super) fn start() -> Clock {
        let (zone, wall) = (LocalZone::new(), wall());
        Clock { origin: Instant::now(), second: Cell::new((wall, zone.civil(wall))), zone }
    }

    /// This moment.
    pub(super) fn now(&self) -> Now {
        let wall = wall();
        if self.second.get().0 != wall {
            self.second.set((wall, self.zone.civil(wall)));
        }
        Now { mono: Mono::at(self.origin.elapsed()), wall, civil: self.second.get().1 }
    }

    /// Local time of any moment.
    pub(super) fn civil(&self, wall: Wall) -> Civil {
        self.zone.civil(wall)
    }

    /// The instant of a deadline, for those who sleep until then.
    pub(super) fn instant(&self, deadline: Mono) -> Instant {
        let far = std::time::Duration::from_secs(86_400 * 365);
        self.origin.checked_add(deadline.since_origin()).unwrap_or_else(|| Instant::now() + far)
    }

    /// A number that differs from start to start: all that is random follows from it.
    pub(super) fn seed(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(32)
    }
}

/// The time zone of this process.
#[derive(Debug, Clone)]
pub(crate) struct LocalZone(TimeZone);

impl LocalZone {
    /// The zone C would use.
    pub(crate) fn new() -> LocalZone {
        LocalZone(super::zone::local())
    }

    /// The zone of that name, or of that POSIX rule.
    pub(crate) fn named(name: &str) -> Option<LocalZone> {
        TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok().map(LocalZone)
    }

    /// All changes of its clocks that a simulation may come across, as a value.
    pub(crate) fn changes(&self) -> Zone {
        const AFTER: Wall = 4_102_444_800; // The year 2100.
        let mut zone = Zone::default();
        let offset = |at: Timestamp| i64::from(self.0.to_offset(at).seconds());
        zone.change_at(Wall::MIN, offset(Timestamp::UNIX_EPOCH));
        for change in self.0.following(Timestamp::UNIX_EPOCH) {
            let at = change.timestamp();
            if at.as_second() >= AFTER {
                break;
            }
            zone.change_at(at.as_second(), i64::from(change.offset().seconds()));
        }
        zone
    }

    /// Broken-down local time, of any second there is.
    pub(crate) fn civil(&self, wall: Wall) -> Civil {
        let (near, cycles) = within_calendar(wall);
        let local = self.0.to_datetime(near);
        Civil {
            year: i32::try_from(cycles * 400 + i64::from(local.year())).unwrap_or(i32::MAX),
            month: local.month() as u8,
            mday: local.day() as u8,
            hour: local.hour() as u8,
            minute: local.minute() as u8,
            second: local.second() as u8,
            wday: local.weekday().to_sunday_zero_offset() as u8,
            yday: local.day_of_year() as u16,
        }
    }

    /// Local time and its offset, `2026-11-22T12:00:00+01:00`; years beyond 9999 are shown as earlier ones.
    pub(crate) fn iso(&self, wall: Wall) -> String {
        let (at, _) = within_calendar(wall);
        at.display_with_offset(self.0.to_offset(at)).to_string()
    }
}

/// After 400 years the calendar repeats itself, days of the week included: a time that jiff does not reach
/// (it ends with the year 9999) is an earlier or later one and so many cycles.
fn within_calendar(wall: Wall) -> (Timestamp, i64) {
    const CYCLE_SECS: i64 = 146_097 * 86_400;
    match Timestamp::from_second(wall) {
        Ok(at) => (at, 0),
        Err(_) => {
            let near = Timestamp::from_second(wall.rem_euclid(CYCLE_SECS)).unwrap_or(Timestamp::UNIX_EPOCH);
            (near, wall.div_euclid(CYCLE_SECS))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> LocalZone {
        LocalZone(TimeZone::get(name).or_else(|_| TimeZone::posix(name)).expect("a zone of this machine"))
    }

    #[test]
    fn civil_time_of_known_moments() {
        for (name, wall, civil, yday) in [
            ("UTC", 0, "Thu Jan  1 00:00:00 1970", 1),
            ("Europe/Berlin", 1_774_745_999, "Sun Mar 29 01:59:59 2026", 88),
            ("Europe/Berlin", 1_774_746_000, "Sun Mar 29 03:00:00 2026", 88),
            ("Asia/Kolkata", -1, "Thu Jan  1 05:29:59 1970", 1),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 253_402_300_799, "Sat Jan  1 00:59:59 10000", 1),
        ] {
            let local = zone(name).civil(wall);
            assert_eq!((local.to_string().as_str(), local.yday), (civil, yday), "{name} {wall}");
        }
    }

    #[test]
    fn utc_is_that_of_the_pure_core_at_all_times() {
        let utc = LocalZone(TimeZone::UTC);
        for wall in (-400_000_000_000..400_000_000_000).step_by(12_345_677) {
            assert_eq!(utc.civil(wall), Civil::utc(wall), "{wall}");
        }
        for wall in [i64::MIN, i64::MAX] {
            utc.civil(wall);
        }
    }

    #[test]
    fn a_simulated_zone_shows_what_the_real_one_does() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "CET-1CEST,M3.5.0,M10.5.0/3"]
        {
            let local = LocalZone::named(name).expect("a zone of this machine");
            let simulated = local.changes();
            for wall in (0..4_102_444_800_i64).step_by(1_234_567) {
                assert_eq!(simulated.civil(wall), local.civil(wall), "{name} {wall}");
            }
        }
        assert!(LocalZone::named("Europe/Nowhere").is_none());
    }

    #[test]
    fn iso_shows_the_offset() {
        assert_eq!(zone("Europe/Berlin").iso(1_774_746_000), "2026-03-29T03:00:00+02:00");
    }
}
