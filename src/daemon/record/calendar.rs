//! Is the clock to be trusted? What is forgotten because it is old does not come back when the clock is set right.

use std::time::{Duration, Instant};

use remon_core::nouns::Wall;

/// A clock that goes wrong by more than this was set.
const OFF: u64 = 3600;
/// A record that ends so many seconds ago is of a machine that was off for long, or the clock is wrong.
const LONG_AGO: Wall = 30 * 86_400;
/// In doubt nothing is forgotten for so long: somebody will have seen it.
const DOUBT: Duration = Duration::from_secs(86_400);

/// What is known of the clock.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// A moment, on both clocks.
    seen: Option<(Instant, Wall)>,
    doubt_until: Option<Instant>,
}

impl Calendar {
    /// A record is opened that ends then.
    pub(super) fn opened(&mut self, now: (Instant, Wall), newest: Option<Wall>) {
        if newest.is_some_and(|newest| now.1.saturating_sub(newest) > LONG_AGO) {
            self.doubt_until = Some(now.0 + DOUBT);
        }
        self.seen.get_or_insert(now);
    }

    /// Whether what is old now may go.
    pub(super) fn may_forget(&mut self, (instant, wall): (Instant, Wall)) -> bool {
        if let Some((then, at)) = self.seen.replace((instant, wall)) {
            let passed = i64::try_from((instant - then).as_secs()).unwrap_or(i64::MAX);
            if wall.abs_diff(at.saturating_add(passed)) > OFF {
                self.doubt_until = Some(instant + DOUBT);
            }
        }
        self.doubt_until.is_none_or(|until| instant >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::clock::instant_now;
    use super::*;

    const NOW: Wall = 1_795_350_000;

    #[test]
    fn a_clock_that_was_set_is_not_trusted_for_a_day() {
        let start = instant_now();
        let after = |hours: u64| start + Duration::from_secs(hours * 3600);
        let wall = |hours: Wall| NOW + hours * 3600;
        let mut calendar = Calendar::default();
        calendar.opened((start, NOW), Some(NOW - 600));
        assert!(calendar.may_forget((start, NOW)));
        assert!(calendar.may_forget((after(1), wall(1) + 3599)), "a little is no matter");
        // Forward by ten years, as after a flat battery; and back.
        let decade = 10 * 365 * 24;
        assert!(!calendar.may_forget((after(2), wall(2 + decade))));
        assert!(!calendar.may_forget((after(3), wall(3 + decade))));
        assert!(!calendar.may_forget((after(4), wall(4))));
        assert!(!calendar.may_forget((after(27), wall(27))));
        assert!(calendar.may_forget((after(28), wall(28))));
    }

    #[test]
    fn a_record_that_ends_long_ago_is_left_alone_for_a_day() {
        let start = instant_now();
        let mut calendar = Calendar::default();
        calendar.opened((start, NOW), Some(NOW - 31 * 86_400));
        assert!(!calendar.may_forget((start, NOW)));
        assert!(calendar.may_forget((start + DOUBT, NOW + 86_400)));
        let mut calendar = Calendar::default();
        calendar.opened((start, NOW), None);
        assert!(calendar.may_forget((start, NOW)));
    }
}
