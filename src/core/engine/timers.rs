//! Deadlines reached: which monitors run now, and which must wait.

use std::time::Duration;

use super::configure::LOOK_AGAIN;
use super::effect::{Effect, Level};
use super::{Engine, Stopped};
use crate::nouns::{Mono, Now, OpStatus};
use crate::schedule::{ServiceId, Timer, next_on_grid};

impl Engine {
    /// Runs whatever has come due; called by the run loop, and after anything that may free held runs.
    pub(super) fn run_what_is_due(&mut self, now: &Now, out: &mut Vec<Effect>) {
        if self.stopped.is_some() {
            return;
        }
        while let Some((id, timer, deadline)) = self.schedule.pop_due(now.mono) {
            match timer {
                Timer::Run => self.run_if_allowed(id, deadline, now, out),
                Timer::TrapTimeout => self.trap_timed_out(id, now, out),
                Timer::TrapDuration => self.set_opstatus(id, OpStatus::Ok, now, out),
            }
        }
    }

    /// Starts a due run unless something forbids it; then the run stays due.
    fn run_if_allowed(&mut self, id: ServiceId, deadline: Mono, now: &Now, out: &mut Vec<Effect>) {
        let slot = self.slot(id);
        if slot.running.is_some() {
            // It overran its interval. The next run is the one after.
            if let Some(interval) = slot.state.interval(&slot.service) {
                self.schedule.set(id, Timer::Run, next_on_grid(deadline, interval.duration(), now.mono));
            }
        } else if let Some(wait) = self.excluded_for(id, now) {
            self.held.insert(id);
            self.schedule.set(id, Timer::Run, now.mono + wait);
        } else if self.settings.maxprocs.is_some_and(|most| self.runs.len() >= most) {
            if self.waiting.is_empty() {
                out.push(Effect::log(Level::Info, format!("throttled at {} processes", self.runs.len())));
            }
            if !self.waiting.contains(&id) {
                self.waiting.push_back(id);
            }
        } else if !self.monitor_may_run(id, now, out) {
            self.held.insert(id);
        } else {
            self.held.remove(&id);
            self.run_monitor(id, deadline, now, out);
        }
    }

    /// How long an `exclude_period` keeps the service from running; `None`: it does not.
    fn excluded_for(&self, id: ServiceId, now: &Now) -> Option<Duration> {
        let own = self.slot(id).service.exclude_period.as_ref();
        let mut periods = self.settings.exclude_period.iter().chain(own);
        periods.any(|period| period.contains(&now.civil)).then(|| {
            // Periods change on whole seconds of civil time, most often of whole minutes.
            LOOK_AGAIN
                .saturating_sub(Duration::from_secs(u64::from(now.civil.second)))
                .max(Duration::from_secs(1))
        })
    }

    /// A run ended: those who waited for their turn go first.
    pub(super) fn run_those_waiting(&mut self, now: &Now, out: &mut Vec<Effect>) {
        if self.stopped.is_some() {
            return;
        }
        while self.settings.maxprocs.is_none_or(|most| self.runs.len() < most) {
            let Some(id) = self.waiting.pop_front() else { break };
            self.run_if_allowed(id, now.mono, now, out);
        }
    }

    /// The status of a service changed that others depend on: held runs may be free now.
    pub(super) fn run_those_held(&mut self, now: &Now, out: &mut Vec<Effect>) {
        if self.stopped.is_some() {
            return;
        }
        for id in std::mem::take(&mut self.held) {
            self.run_if_allowed(id, now.mono, now, out);
        }
    }

    /// Dependencies may have changed with the configuration: runs that nothing holds back any more begin.
    pub(super) fn run_those_freed(&mut self, now: &Now, out: &mut Vec<Effect>) {
        if self.stopped.is_some() {
            return;
        }
        let is_free = |id: &ServiceId| self.excluded_for(*id, now).is_none() && self.is_free_to_run(*id, now);
        let free: Vec<ServiceId> = self.held.iter().copied().filter(is_free).collect();
        for id in free {
            self.held.remove(&id);
            self.run_if_allowed(id, now.mono, now, out);
        }
    }

    /// Whole seconds to the next run, as `list opstatus` shows them: 0 for a run that is due or going on.
    pub(super) fn seconds_to_next_run(&self, id: ServiceId, now: Mono) -> u64 {
        if self.slot(id).running.is_some() || self.held.contains(&id) {
            return 0;
        }
        let now = self.schedule_time(now);
        let left =
            self.schedule.deadline(id, Timer::Run).map_or(Duration::ZERO, |deadline| deadline.since(now));
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    /// The time from which deadlines are counted: it stands still while the scheduler is stopped, because
    /// [`Engine::start`] moves every deadline by the pause.
    pub(super) fn schedule_time(&self, now: Mono) -> Mono {
        self.stopped.map_or(now, |stopped| stopped.mono)
    }

    pub(super) fn stop(&mut self, now: &Now) {
        self.stopped.get_or_insert(Stopped { wall: now.wall, mono: now.mono });
    }

    /// Goes on where the schedule was stopped: the time in between does not count.
    pub(super) fn start(&mut self, now: &Now, out: &mut Vec<Effect>) {
        let Some(stopped) = self.stopped.take() else { return };
        self.schedule.postpone(now.mono.since(stopped.mono));
        // What became due while stopped (`test monitor`), or just before, happens at once.
        self.run_what_is_due(now, out);
        self.run_those_waiting(now, out);
        self.run_those_held(now, out);
    }
}
