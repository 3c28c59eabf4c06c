//! Taking in a configuration: at start, and on reset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Group, Host, Slot};
use crate::allow::AllowList;
use crate::config::{Config, DepBehavior, Globals, HostGroup, Service};
use crate::decision::ServiceState;
use crate::nouns::{Mono, Now};
use crate::period::Period;
use crate::schedule::{Schedule, ServiceId, Timer};
use crate::timeval::Timeval;

/// Every IPv4 address; as in the original.
const DEFAULT_CLIENTALLOW: &str = r"\d+.\d+.\d+.\d+";
const DEFAULT_HISTLENGTH: usize = 100;
const DEFAULT_DEP_RECUR_LIMIT: u32 = 10;

/// A configuration with all that the world had to say about it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// mon.cf
    pub config: Config,
    /// Its globals, together with the command line.
    pub settings: Settings,
    /// Where the programs are.
    pub programs: Programs,
    /// The lines of the historicfile that are young enough; `None` without such a file.
    pub alert_history: Option<Vec<Arc<str>>>,
}

/// The globals that the engine lives by; the command line has been laid over them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Length of the histories.
    pub maxkeep: usize,
    /// Most runs at once.
    pub maxprocs: Option<usize>,
    /// First runs are spread over this.
    pub randstart: Option<Timeval>,
    /// How deep dependencies nest.
    pub dep_recur_limit: u32,
    /// No runs in this period.
    pub exclude_period: Option<Arc<Period>>,
    /// Startup alerts at a reset too.
    pub startupalerts_on_reset: bool,
    /// How long an alert may run; `None` for what is built in.
    pub alert_timeout: Option<Timeval>,
    /// There is a downtime log.
    pub dtlogging: bool,
    /// There is a `monremote` command.
    pub monremote: bool,
    /// Who may connect.
    pub clientallow: AllowList,
    /// MON_STATEDIR
    pub statedir: Arc<str>,
    /// MON_LOGDIR
    pub logdir: Arc<str>,
    /// MON_CFBASEDIR
    pub cfbasedir: Arc<str>,
    /// The configuration file itself.
    pub config_file: Arc<str>,
}

/// The programs that mon.cf names, as far as they were found.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// By the first word of a monitor line.
    pub monitors: BTreeMap<String, Program>,
    /// By the first word of an alert line.
    pub alerts: BTreeMap<String, Program>,
}

/// A program that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Absolute path of the executable.
    pub path: Arc<str>,
    /// The name it is called by, where the path does not say it: a program built into ours.
    pub called: Option<Arc<str>>,
}

impl Settings {
    /// What mon.cf alone says; the rest is as built in.
    #[must_use]
    pub fn of(globals: &Globals) -> Settings {
        Settings {
            maxkeep: globals.histlength.unwrap_or(DEFAULT_HISTLENGTH),
            maxprocs: globals.maxprocs.filter(|&most| most > 0),
            randstart: globals.randstart,
            dep_recur_limit: globals.dep_recur_limit.unwrap_or(DEFAULT_DEP_RECUR_LIMIT),
            exclude_period: globals.exclude_period.clone(),
            startupalerts_on_reset: globals.startupalerts_on_reset,
            alert_timeout: globals.alert_timeout,
            dtlogging: globals.dtlogging,
            monremote: globals.monremote.as_deref().is_some_and(|command| !command.is_empty()),
            clientallow: AllowList::parse(globals.clientallow.as_deref().unwrap_or(DEFAULT_CLIENTALLOW)),
            ..Settings::default()
        }
    }
}

impl Programs {
    /// Looks for every program that the configuration names, once.
    pub fn look_up(
        config: &Config,
        monitor: impl FnMut(&str) -> Option<Program>,
        alert: impl FnMut(&str) -> Option<Program>,
    ) -> Programs {
        let services = || config.watches.iter().flat_map(|watch| &watch.services);
        let monitors =
            services().filter_map(|service| service.monitor.as_ref()).map(|monitor| monitor.program());
        let lines = services().flat_map(|service| &service.periods).flat_map(|period| &period.alerts);
        let redistributions = services().filter_map(|service| service.redistribute.as_ref());
        let alerts = lines.map(|line| &line.command).chain(redistributions).map(|command| command.program());
        Programs { monitors: found(monitors, monitor), alerts: found(alerts, alert) }
    }
}

fn found<'a>(
    names: impl Iterator<Item = &'a str>,
    mut find: impl FnMut(&str) -> Option<Program>,
) -> BTreeMap<String, Program> {
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().filter_map(|name| Some((name.to_owned(), find(name)?))).collect()
}

impl Program {
    /// How logs and histories name it.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.called.as_deref().unwrap_or(&self.path)
    }
}

impl Engine {
    /// Replaces the configuration. Services start untested; disabled hosts and watches stay disabled.
    pub(super) fn configure(&mut self, loaded: Loaded, now: &Now) {
        let Loaded { config, settings, programs, alert_history } = loaded;
        self.take_settings(settings, config.globals, programs, alert_history);
        self.aliases = config.aliases;
        self.views = config.views;
        let before = std::mem::take(&mut self.groups);
        self.groups = groups(config.hostgroups, &before);
        self.services = Vec::with_capacity(config.watches.iter().map(|watch| watch.services.len()).sum());
        // Batches speak of services by number; the numbers are given anew.
        self.batches.clear();
        for watch in config.watches {
            let slots =
                watch.services.into_iter().map(|service| Slot::untested(watch.group.clone(), service));
            self.services.extend(slots);
        }
        self.index_services(&before);
        self.mark_depended_on();
        self.schedule_all(now);
    }

    pub(super) fn take_settings(
        &mut self,
        settings: Settings,
        globals: Globals,
        programs: Programs,
        alert_history: Option<Vec<Arc<str>>>,
    ) {
        self.alert_history.set_length(settings.maxkeep);
        self.failure_history.set_length(settings.maxkeep);
        self.deliveries.book.set_length(settings.maxkeep);
        if let Some(lines) = alert_history {
            self.alert_history.refill(lines);
        }
        self.settings = settings;
        self.globals = globals;
        self.programs = programs;
    }

    /// Puts the services under their groups; watches that were disabled before stay so.
    pub(super) fn index_services(&mut self, before: &BTreeMap<Arc<str>, Group>) {
        for (id, slot) in self.services.iter().enumerate() {
            let group = self.groups.entry(slot.group.clone()).or_default();
            if !group.watched {
                group.watched = true;
                group.disabled = before.get(&slot.group).is_some_and(|group| group.disabled);
            }
            group.services.push(id as ServiceId);
        }
        for group in self.groups.values_mut() {
            group.services.sort_by(|&a, &b| {
                self.services[a as usize].service.name.cmp(&self.services[b as usize].service.name)
            });
            group.services.shrink_to_fit();
        }
    }

    pub(super) fn mark_depended_on(&mut self) {
        let mut names = BTreeSet::new();
        for slot in &self.services {
            for (group, service) in monitor_dependencies(&slot.service) {
                names.insert((group.to_owned(), service.to_owned()));
            }
        }
        for (group, service) in names {
            if let Some(id) = self.find(&group, &service) {
                self.slot_mut(id).is_depended_on = true;
            }
        }
    }

    fn schedule_all(&mut self, now: &Now) {
        self.schedule = Schedule::default();
        self.waiting.clear();
        self.held.clear();
        for id in self.ids() {
            self.schedule_first(id, now.mono);
        }
        if let Some(stopped) = &mut self.stopped {
            // Deadlines are counted from now; so the scheduler stands still from now on.
            stopped.mono = now.mono;
        }
    }

    /// Sets the timers of a service that is new, counted from `start`.
    pub(super) fn schedule_first(&mut self, id: ServiceId, start: Mono) {
        let service = &self.slot(id).service;
        let (interval, traptimeout) = (service.interval, service.traptimeout);
        if let Some(interval) = interval {
            let first = match self.settings.randstart {
                Some(spread) => self.chance.within(spread.duration()),
                None => interval.duration(),
            };
            self.schedule.set(id, Timer::Run, start + first);
        }
        if let Some(timeout) = traptimeout {
            self.schedule.set(id, Timer::TrapTimeout, start + timeout.duration());
        }
    }
}

impl Slot {
    pub(super) fn untested(group: Arc<str>, service: Box<Service>) -> Slot {
        let state = ServiceState::untested(&service);
        let (running, measured, recorded) = (None, None, 0);
        Slot { group, state, service, running, is_depended_on: false, reloaded: false, recorded, measured }
    }
}

/// The hostgroups; a host that was disabled in a group is so in the group of that name.
pub(super) fn groups(
    hostgroups: BTreeMap<Arc<str>, HostGroup>,
    before: &BTreeMap<Arc<str>, Group>,
) -> BTreeMap<Arc<str>, Group> {
    let group = |(name, hosts): (Arc<str>, HostGroup)| {
        let before = before.get(&name).into_iter().flat_map(|group| &group.hosts);
        let disabled: BTreeSet<&str> = before.filter(|host| host.disabled).map(|host| &*host.name).collect();
        let host = |name: Arc<str>| Host { disabled: disabled.contains(&*name), name };
        let hosts = hosts.into_iter().map(host).collect();
        (name, Group { hosts, ..Group::default() })
    };
    hostgroups.into_iter().map(group).collect()
}

/// The services that decide whether this one's monitor may run.
fn monitor_dependencies(service: &Service) -> impl Iterator<Item = (&str, &str)> {
    let depends = service.depends.as_deref();
    let depend = depends
        .and_then(|depends| depends.depend.as_ref())
        .filter(|_| service.dep_behavior == DepBehavior::Monitors);
    let monitordepend = depends.and_then(|depends| depends.monitordepend.as_ref());
    let parsed = [depend, monitordepend].into_iter().flatten().filter_map(|depend| depend.expr.as_ref().ok());
    parsed.flat_map(|expr| expr.services())
}

/// How long the daemon sleeps at most before it looks again whether an excluded period is over. Periods are
/// in civil time, which may be set or jump; a minute is what an operator will forgive.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(60);
