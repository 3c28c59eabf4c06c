//! What runs when: an ordered set of deadlines.
//!
//! Ten thousand idle services cost nothing: the daemon sleeps until the first deadline of the set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::nouns::Mono;

/// Index of a service in the engine.
pub type ServiceId = u32;

/// What is due when a deadline is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The monitor is to be run.
    Run,
    /// A trap should have come by now.
    TrapTimeout,
    /// The status that a trap set ends.
    TrapDuration,
}

/// Deadlines by time, at most one for each timer of each service.
#[derive(Debug, Default)]
pub struct Schedule {
    by_time: BTreeSet<(Mono, ServiceId, Timer)>,
    by_timer: BTreeMap<(ServiceId, Timer), Mono>,
}

impl Schedule {
    /// Sets the deadline of a timer, replacing the one before.
    pub fn set(&mut self, service: ServiceId, timer: Timer, deadline: Mono) {
        self.cancel(service, timer);
        self.by_time.insert((deadline, service, timer));
        self.by_timer.insert((service, timer), deadline);
    }

    /// Forgets the deadline of a timer.
    pub fn cancel(&mut self, service: ServiceId, timer: Timer) {
        if let Some(deadline) = self.by_timer.remove(&(service, timer)) {
            self.by_time.remove(&(deadline, service, timer));
        }
    }

    /// The deadline of a timer.
    #[must_use]
    pub fn deadline(&self, service: ServiceId, timer: Timer) -> Option<Mono> {
        self.by_timer.get(&(service, timer)).copied()
    }

    /// The first deadline of all.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.by_time.first().map(|(deadline, ..)| *deadline)
    }

    /// Takes the first timer that is due at `now`, with its deadline.
    pub fn pop_due(&mut self, now: Mono) -> Option<(ServiceId, Timer, Mono)> {
        let &(deadline, service, timer) = self.by_time.first()?;
        if deadline > now {
            return None;
        }
        self.cancel(service, timer);
        Some((service, timer, deadline))
    }

    /// Gives the services other numbers; who has none any more is forgotten.
    pub fn renumber(&mut self, number: impl Fn(ServiceId) -> Option<ServiceId>) {
        let by_timer = std::mem::take(&mut self.by_timer).into_iter();
        self.by_timer = by_timer.filter_map(|((id, timer), at)| Some(((number(id)?, timer), at))).collect();
        self.by_time = self.by_timer.iter().map(|(&(id, timer), &at)| (at, id, timer)).collect();
    }

    /// Moves every deadline: the schedule stood still for `pause`.
    pub fn postpone(&mut self, pause: Duration) {
        self.by_time =
            self.by_time.iter().map(|&(deadline, id, timer)| (deadline + pause, id, timer)).collect();
        for deadline in self.by_timer.values_mut() {
            *deadline = *deadline + pause;
        }
    }
}

/// The first point of the grid `anchor`, `anchor + interval`, … that lies after `now`: a run that overran
/// its interval skips, it does not drift.
#[must_use]
pub fn next_on_grid(anchor: Mono, interval: Duration, now: Mono) -> Mono {
    let behind = now.since(anchor).as_nanos();
    let steps = behind / interval.as_nanos().max(1) + 1;
    let span = interval.as_nanos().saturating_mul(steps);
    anchor + Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
}

/// Chance, from a seed: the same seed gives the same schedule. (SplitMix64.)
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// A generator that repeats itself for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A span from zero to `most`.
    pub fn within(&mut self, most: Duration) -> Duration {
        let share = self.next() as f64 / u64::MAX as f64;
        most.mul_f64(share)
    }

    /// `span`, made longer or shorter by up to `skew`, never negative.
    pub fn skewed(&mut self, span: Duration, skew: Duration) -> Duration {
        let by = self.within(skew * 2);
        (span + by).saturating_sub(skew)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Mono {
        Mono::at(SECOND * seconds as u32)
    }

    #[test]
    fn timers_come_due_in_the_order_of_their_deadlines() {
        let mut schedule = Schedule::default();
        schedule.set(1, Timer::Run, at(30));
        schedule.set(2, Timer::Run, at(10));
        schedule.set(2, Timer::TrapTimeout, at(20));
        schedule.set(1, Timer::Run, at(5));
        assert_eq!(schedule.next_deadline(), Some(at(5)));
        assert_eq!(schedule.pop_due(at(4)), None);
        let due: Vec<_> = std::iter::from_fn(|| schedule.pop_due(at(20))).collect();
        assert_eq!(due, [(1, Timer::Run, at(5)), (2, Timer::Run, at(10)), (2, Timer::TrapTimeout, at(20))]);
        assert_eq!(schedule.next_deadline(), None);
    }

    #[test]
    fn a_pause_moves_every_deadline() {
        let mut schedule = Schedule::default();
        schedule.set(1, Timer::Run, at(30));
        schedule.postpone(SECOND * 12);
        assert_eq!(schedule.deadline(1, Timer::Run), Some(at(42)));
        assert_eq!(schedule.pop_due(at(42)), Some((1, Timer::Run, at(42))));
        schedule.cancel(1, Timer::Run);
        assert_eq!(schedule.next_deadline(), None);
    }

    #[test]
    fn deadlines_follow_their_services_to_other_numbers() {
        let mut schedule = Schedule::default();
        schedule.set(0, Timer::Run, at(10));
        schedule.set(1, Timer::Run, at(20));
        schedule.set(2, Timer::TrapTimeout, at(5));
        schedule.renumber(|id| [Some(1), None, Some(0)][id as usize]);
        let due: Vec<_> = std::iter::from_fn(|| schedule.pop_due(at(99))).collect();
        assert_eq!(due, [(0, Timer::TrapTimeout, at(5)), (1, Timer::Run, at(10))]);
    }

    #[test]
    fn the_grid_neither_drifts_nor_catches_up() {
        for (anchor, now, next) in [(10, 10, 13), (10, 12, 13), (10, 13, 16), (10, 21, 22), (10, 5, 13)] {
            assert_eq!(next_on_grid(at(anchor), SECOND * 3, at(now)), at(next), "{anchor} {now}");
        }
    }

    #[test]
    fn skew_stays_in_its_bounds() {
        let mut chance = Chance::seeded(7);
        for _ in 0..1000 {
            let span = chance.skewed(SECOND * 100, SECOND * 20);
            assert!((SECOND * 80..=SECOND * 120).contains(&span), "{span:?}");
            assert!(chance.within(SECOND * 3) <= SECOND * 3);
        }
        assert_eq!(chance.skewed(SECOND, Duration::ZERO), SECOND);
    }
}
