//! Taking in a configuration while everything goes on: SIGHUP and `reset keepstate`.
//!
//! Services are the same by group and name. What becomes of them:
//!
//! | service | what happens |
//! |---|---|
//! | unchanged | nothing: run, deadlines, status, counters, acknowledgement, disabling, place in the queue stay; only `monitor_duration` is `-1` and `depstatus` empty in `list opstatus` until the next result, as in the original |
//! | gone | its run is ended, everything about it is forgotten; alert programs that run are left to end |
//! | new | untested, with its first run as at the start (`randstart`) |
//! | changed | status, acknowledgement, disabling, histories stay, and what follows |
//!
//! What becomes of a changed one:
//!
//! | changed | what happens |
//! |---|---|
//! | monitor line, variables, `exclude_hosts`, hosts of the group | a run that is going on is ended, as it looks at what is not asked for any more, and begins again at once; else the next run comes when it would have come |
//! | `interval`, `failure_interval` | the next run is the new interval after the last one; if that is over, it comes on the grid that begins there, so that many services do not run at once, and not later than it would have |
//! | `traptimeout`, `trapduration` | likewise; what would be over already gets a whole new span, but never more than was left |
//! | periods | counters follow the period: see [`matched`] |
//! | everything else | it counts from the next result on; the result of a run that is going on is judged by it |
//!
//! A host that is added to a group is disabled if it is disabled in another one, as an operator disables hosts
//! wherever they are. A stopped scheduler stays stopped, and its pause goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::configure::{self, Loaded};
use super::effect::Effect;
use super::{Engine, Group, Slot, Stopped};
use crate::config::changes::{Changes, What};
use crate::config::{Period, Service, Watch, same_alerts, same_check};
use crate::decision::PeriodState;
use crate::nouns::{Mono, Now, ServiceKey};
use crate::schedule::{ServiceId, Timer};
use crate::timeval::Timeval;

/// The numbers of services and periods before a reload, and those afterwards. Whatever in the engine speaks of
/// a service by number asks it in [`Engine::renumber`].
#[derive(Debug, Default)]
pub(super) struct Renumbering {
    services: Vec<Option<ServiceId>>,
    /// Of changed services, by their number before; the periods of the others stay where they are.
    periods: BTreeMap<ServiceId, Vec<Option<usize>>>,
}

impl Renumbering {
    /// The number of a service now; `None` if it is gone.
    pub(super) fn service(&self, before: ServiceId) -> Option<ServiceId> {
        self.services[before as usize]
    }

    /// The numbers of a service and of one of its periods now; `None` if one of them is gone.
    pub(super) fn period(&self, before: ServiceId, period: usize) -> Option<(ServiceId, usize)> {
        let service = self.service(before)?;
        match self.periods.get(&before) {
            None => Some((service, period)),
            Some(periods) => Some((service, periods[period]?)),
        }
    }
}

/// A service that is defined anew.
struct Redefined {
    id: ServiceId,
    before: Box<Service>,
    /// Its monitor would not be called with the same words, or not with the same hosts.
    checks_other: bool,
}

impl Engine {
    /// Takes in a configuration that differs from the running one by `changes`.
    pub(super) fn reload(
        &mut self,
        loaded: Loaded,
        changes: &Changes,
        stop: bool,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if stop {
            // The time of a pause that is going on already still counts as pause.
            let mono = self.schedule_time(now.mono);
            self.stopped = Some(Stopped { wall: now.wall, mono });
        }
        let Loaded { config, settings, programs, alert_history } = loaded;
        let history_moved = ["historicfile", "historictime", "logdir", "basedir"];
        let history_moved = history_moved.iter().any(|global| changes.has_global(global));
        self.take_settings(settings, config.globals, programs, alert_history.filter(|_| history_moved));
        self.aliases = config.aliases;
        self.views = config.views;
        let redefined = self.replace_services(config.watches, changes, out);
        let before = std::mem::take(&mut self.groups);
        self.groups = configure::groups(config.hostgroups, &before);
        disable_hosts_elsewhere(&mut self.groups, &before);
        self.index_services(&before);
        self.mark_depended_on();
        let time = self.schedule_time(now.mono);
        for service in redefined.changed {
            self.adapt(&service, time, out);
        }
        for id in redefined.added {
            self.schedule_first(id, time);
        }
        self.run_those_waiting(now, out);
        if !changes.is_empty() {
            self.run_those_freed(now, out);
        }
    }

    /// Puts the new definitions in the place of the old ones; what is known stays.
    fn replace_services(
        &mut self,
        watches: Vec<Watch>,
        changes: &Changes,
        out: &mut Vec<Effect>,
    ) -> Redefinitions {
        let names = watches
            .iter()
            .flat_map(|watch| watch.services.iter().map(|service| self.find(&watch.group, &service.name)));
        let origins: Vec<Option<ServiceId>> = names.collect();
        let mut before: Vec<Option<Slot>> =
            std::mem::take(&mut self.services).into_iter().map(Some).collect();
        let mut numbers = Renumbering { services: vec![None; before.len()], periods: BTreeMap::new() };
        let mut redefined = Redefinitions::default();
        self.services = Vec::with_capacity(origins.len());
        let services = watches
            .into_iter()
            .flat_map(|watch| watch.services.into_iter().map(move |service| (watch.group.clone(), service)));
        for ((group, service), origin) in services.zip(origins) {
            let id = self.services.len() as ServiceId;
            let kept = origin.and_then(|origin| Some((origin, before[origin as usize].take()?)));
            let Some((origin, mut slot)) = kept else {
                redefined.added.push(id);
                self.services.push(Slot::untested(group, service));
                continue;
            };
            numbers.services[origin as usize] = Some(id);
            let old = std::mem::replace(&mut slot.service, service);
            slot.is_depended_on = false;
            // Clients know by this that no run has ended yet under the new configuration.
            slot.reloaded = true;
            slot.state.monitor_duration = None;
            let key = ServiceKey { group, service: slot.service.name.clone() };
            if let Some(What::Changed { hosts, .. }) = changes.services.get(&key) {
                let periods = matched(&old.periods, &slot.service.periods);
                slot.state.periods = moved(&slot.state.periods, &periods, slot.service.periods.len());
                numbers.periods.insert(origin, periods);
                let checks_other = *hosts || !same_check(&old, &slot.service);
                redefined.changed.push(Redefined { id, before: old, checks_other });
            }
            self.services.push(slot);
        }
        self.renumber(&numbers, out);
        redefined
    }

    /// Brings everything up to date that speaks of a service or period by number.
    fn renumber(&mut self, numbers: &Renumbering, out: &mut Vec<Effect>) {
        self.schedule.renumber(|id| numbers.service(id));
        self.waiting = self.waiting.iter().filter_map(|&id| numbers.service(id)).collect();
        self.held = self.held.iter().filter_map(|&id| numbers.service(id)).collect();
        self.runs.retain(|&run, going| match numbers.service(going.service) {
            Some(id) => {
                going.service = id;
                true
            }
            None => {
                out.push(Effect::KillRun { run });
                false
            }
        });
        self.batches.retain(|_, batch| batch.renumber(numbers));
    }

    /// Lets the timers and the run of a changed service follow its new definition.
    fn adapt(&mut self, service: &Redefined, time: Mono, out: &mut Vec<Effect>) {
        let &Redefined { id, ref before, checks_other } = service;
        self.adapt_run_timer(id, before, time);
        let spans = |service: &Service| {
            [(Timer::TrapTimeout, service.traptimeout), (Timer::TrapDuration, service.trapduration)]
        };
        for ((timer, old), (_, new)) in spans(before).into_iter().zip(spans(&self.slot(id).service)) {
            self.adapt_trap_timer(id, timer, old, new, time);
        }
        if !checks_other {
            return;
        }
        let slot = &mut self.services[id as usize];
        if let Some(run) = slot.running.take() {
            self.runs.remove(&run);
            out.push(Effect::KillRun { run });
            if slot.service.interval.is_some() {
                self.schedule.set(id, Timer::Run, time);
            }
        }
    }

    fn adapt_run_timer(&mut self, id: ServiceId, before: &Service, time: Mono) {
        let slot = self.slot(id);
        let deadline = self.schedule.deadline(id, Timer::Run);
        match (slot.state.interval(before), slot.state.interval(&slot.service), deadline) {
            (_, None, _) => {
                self.schedule.cancel(id, Timer::Run);
                self.waiting.retain(|&waiting| waiting != id);
                self.held.remove(&id);
            }
            (None, Some(_), None) => {
                let traps = self.schedule.deadline(id, Timer::TrapTimeout);
                self.schedule_first(id, time);
                if let Some(traps) = traps {
                    self.schedule.set(id, Timer::TrapTimeout, traps);
                }
            }
            // A held service waits for something else than its interval.
            (Some(old), Some(new), Some(deadline)) if old != new && !self.held.contains(&id) => {
                let never_ran = slot.state.last_check.is_none();
                let next = if new < old {
                    on_grid(deadline, old.duration() - new.duration(), new.duration(), time)
                } else if never_ran {
                    deadline
                } else {
                    deadline + (new.duration() - old.duration())
                };
                self.schedule.set(id, Timer::Run, next);
            }
            _ => {}
        }
    }

    fn adapt_trap_timer(
        &mut self,
        id: ServiceId,
        timer: Timer,
        old: Option<Timeval>,
        new: Option<Timeval>,
        time: Mono,
    ) {
        match (old, new, self.schedule.deadline(id, timer)) {
            (_, None, _) => self.schedule.cancel(id, timer),
            (Some(old), Some(new), Some(deadline)) if old != new => {
                let (old, new) = (old.duration(), new.duration());
                let left = deadline.since(time);
                let next = match old.checked_sub(new) {
                    None => deadline + (new - old),
                    Some(less) if left > less => time + (left - less),
                    Some(_) => deadline.min(time + new),
                };
                self.schedule.set(id, timer, next);
            }
            // The time counts from now on; that of a status, from the next trap on.
            (None, Some(new), None) if timer == Timer::TrapTimeout => {
                self.schedule.set(id, timer, time + new.duration());
            }
            _ => {}
        }
    }
}

/// The services that are not what they were.
#[derive(Default)]
struct Redefinitions {
    changed: Vec<Redefined>,
    added: Vec<ServiceId>,
}

/// A deadline that comes `less` sooner; if that is over, the next point of the grid of `interval` that begins
/// there, but not later than it was.
fn on_grid(deadline: Mono, less: Duration, interval: Duration, time: Mono) -> Mono {
    let left = deadline.since(time);
    if left > less {
        return time + (left - less);
    }
    let late = (less - left).as_nanos() % interval.as_nanos().max(1);
    let late = Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX));
    deadline.min(time + interval.saturating_sub(late))
}

/// For each period of the old definition, which one it is in the new one. They belong together by the first of
/// these that finds a partner: the same label; the same times, for one that was renamed; the same alerts, for
/// one whose times changed and that has no label; nothing else left on either side.
fn matched(old: &[Period], new: &[Period]) -> Vec<Option<usize>> {
    let mut partner: Vec<Option<usize>> = vec![None; old.len()];
    let rules: [fn(&Period, &Period) -> bool; 3] = [
        |old, new| old.label == new.label,
        |old, new| old.spec == new.spec,
        |old, new| same_alerts(&old.alerts, &new.alerts),
    ];
    for rule in rules {
        for (at, period) in
            old.iter().enumerate().filter(|(at, _)| partner[*at].is_none()).collect::<Vec<_>>()
        {
            partner[at] = (0..new.len()).find(|&to| !partner.contains(&Some(to)) && rule(period, &new[to]));
        }
    }
    let mut alone = (0..old.len()).filter(|&at| partner[at].is_none());
    let mut free = (0..new.len()).filter(|&to| !partner.contains(&Some(to)));
    if let (Some(at), None, Some(to), None) = (alone.next(), alone.next(), free.next(), free.next()) {
        partner[at] = Some(to);
    }
    partner
}

/// The counters where their periods are now; a new period begins with none.
fn moved(counters: &[PeriodState], partner: &[Option<usize>], length: usize) -> Box<[PeriodState]> {
    let mut now = vec![PeriodState::default(); length];
    for (counters, to) in counters.iter().zip(partner) {
        if let Some(to) = to {
            now[*to] = counters.clone();
        }
    }
    now.into()
}

/// A host that was disabled somewhere is so in the groups that it is added to.
fn disable_hosts_elsewhere(groups: &mut BTreeMap<Arc<str>, Group>, before: &BTreeMap<Arc<str>, Group>) {
    let hosts = before.values().flat_map(|group| &group.hosts);
    let disabled: BTreeSet<&str> = hosts.filter(|host| host.disabled).map(|host| &*host.name).collect();
    if disabled.is_empty() {
        return;
    }
    for (name, group) in groups {
        let had = before.get(name).into_iter().flat_map(|group| &group.hosts);
        let had: BTreeSet<&str> = had.map(|host| &*host.name).collect();
        for host in group.hosts.iter_mut().filter(|host| !had.contains(&*host.name)) {
            host.disabled = disabled.contains(&*host.name);
        }
    }
}
