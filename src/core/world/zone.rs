//! Local time in a simulated world: how far clocks are from UTC, and from which moments on.

use std::collections::BTreeMap;

use crate::nouns::{Civil, Wall};

/// A time zone, as the list of its changes. Without any it is UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// Local time less UTC in seconds, from these moments on.
    offsets: BTreeMap<Wall, i64>,
}

impl Zone {
    /// From `wall` on, local time is UTC and that many seconds.
    pub fn change_at(&mut self, wall: Wall, seconds_east: i64) {
        self.offsets.insert(wall, seconds_east);
    }

    /// Local time less UTC at a moment, in seconds.
    #[must_use]
    pub fn offset(&self, wall: Wall) -> i64 {
        self.offsets.range(..=wall).next_back().map_or(0, |(_, east)| *east)
    }

    /// What clocks show at a moment.
    #[must_use]
    pub fn civil(&self, wall: Wall) -> Civil {
        Civil::utc(wall.saturating_add(self.offset(wall)))
    }

    /// The moments at which clocks show this, earliest first: none where they skip it in spring, two where they
    /// show it again in autumn. `None`: no calendar has such a day or time.
    #[must_use]
    pub fn moments(&self, date: (i32, u8, u8), time: (u8, u8, u8)) -> Option<Vec<Wall>> {
        let local = seconds(date, time)?;
        let mut offsets: Vec<i64> = self.offsets.values().copied().chain([0]).collect();
        offsets.sort_unstable_by_key(|&east| std::cmp::Reverse(east));
        offsets.dedup();
        let candidates = offsets.into_iter().map(|east| local - east);
        Some(candidates.filter(|&wall| wall + self.offset(wall) == local).collect())
    }

    /// The changes of the clocks after a moment, up to another one: when, and the offsets before and after.
    pub fn changes(&self, after: Wall, until: Wall) -> impl Iterator<Item = (Wall, i64, i64)> {
        let range = (after < until).then(|| self.offsets.range(after + 1..=until));
        let changes = range.into_iter().flatten().map(|(&at, &east)| (at, self.offset(at - 1), east));
        changes.filter(|(_, before, after)| before != after)
    }
}

/// Seconds from the epoch to that time in UTC, of years that people write.
fn seconds((year, month, mday): (i32, u8, u8), (hour, minute, second): (u8, u8, u8)) -> Option<Wall> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59
    {
        return None;
    }
    // Days by the Gregorian rule, with March as the first month: then the leap day is the last of its year.
    let years = i64::from(year) - i64::from(month < 3);
    let month_from_march = (i64::from(month) + 9) % 12;
    let days = 365 * years + years / 4 - years / 100 + years / 400;
    let days = days + (153 * month_from_march + 2) / 5 + i64::from(mday) - 1 - 719_468;
    let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let wall = days * 86_400 + of_day;
    let shown = Civil::utc(wall);
    // The 31st of a shorter month would be a day of the next one.
    ((shown.month, shown.mday) == (month, mday)).then_some(wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        let mut zone = Zone::default();
        for (wall, east) in [(1_761_440_400, 3600), (1_774_746_000, 7200), (1_792_890_000, 3600)] {
            zone.change_at(wall, east);
        }
        zone
    }

    #[test]
    fn clocks_skip_an_hour_in_spring_and_repeat_one_in_autumn() {
        let zone = berlin();
        let moments = |date, time| zone.moments(date, time).expect("a day of the calendar");
        assert_eq!(moments((2026, 3, 29), (1, 59, 59)), [1_774_745_999]);
        assert_eq!(moments((2026, 3, 29), (2, 30, 0)), []);
        assert_eq!(moments((2026, 3, 29), (3, 0, 0)), [1_774_746_000]);
        assert_eq!(moments((2026, 10, 25), (2, 30, 0)), [1_792_888_200, 1_792_891_800]);
        assert_eq!(zone.civil(1_774_746_000).to_string(), "Sun Mar 29 03:00:00 2026");
        let changes: Vec<_> = zone.changes(1_774_745_999, 1_792_890_000).collect();
        assert_eq!(changes, [(1_774_746_000, 3600, 7200), (1_792_890_000, 7200, 3600)]);
        assert_eq!(zone.changes(5, 5).count() + zone.changes(6, 5).count(), 0);
    }

    #[test]
    fn what_no_calendar_has() {
        for (date, time) in [
            ((2026, 2, 29), (0, 0, 0)),
            ((2026, 4, 31), (0, 0, 0)),
            ((2026, 13, 1), (0, 0, 0)),
            ((2026, 0, 1), (0, 0, 0)),
            ((2026, 1, 0), (0, 0, 0)),
            ((2026, 1, 1), (24, 0, 0)),
            ((1969, 1, 1), (0, 0, 0)),
        ] {
            assert_eq!(Zone::default().moments(date, time), None, "{date:?} {time:?}");
        }
    }

    #[test]
    fn every_moment_is_found_again() {
        let zone = berlin();
        for wall in (0..4_000_000_000_i64).step_by(9_876_543) {
            let Civil { year, month, mday, hour, minute, second, .. } = zone.civil(wall);
            let moments = zone.moments((year, month, mday), (hour, minute, second));
            assert!(moments.is_some_and(|moments| moments.contains(&wall)), "{wall}");
        }
    }
}
