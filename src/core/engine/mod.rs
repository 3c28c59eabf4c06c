//! The daemon as a value.
//!
//! Everything that can happen is an [`Event`]; everything the daemon does about it is an [`Effect`].
//! [`Engine::handle`] turns one into the other, [`Engine::next_deadline`] says when to come back without an
//! event, [`Engine::query`] answers questions. Whoever owns the engine (the run loop, a simulated world, a
//! test) brings the time and carries out the effects. There is no lock, no clock and no wait in here.

mod alerts;
mod answer;
mod attempts;
mod chatter;
mod command;
mod configure;
mod deliveries;
mod depends;
mod disabling;
mod effect;
mod errands;
mod event;
mod fact;
mod note;
mod orders;
mod query;
mod reasons;
mod reload;
mod reset;
mod results;
mod runs;
mod session;
mod snapshot;
mod timers;
mod variables;
mod verdicts;
mod why;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::auth::Auth;
use crate::config::{Globals, Service, ViewMember};
use crate::decision::{Circumstances, ServiceState};
use crate::history::Ring;
use crate::nouns::{Mono, Now, ServiceKey, Wall};
use crate::schedule::{Chance, Schedule, ServiceId};

pub use alerts::AlertId;
pub use answer::{Answer, DeliveryRow, DependencyRow, DisabledRow, OpstatusRow, RunRow};
pub use attempts::{Attempt, Outcome};
pub use command::{Command, List, Password, Question, RecordSpan, StateKind, Target, Test};
pub use configure::{Loaded, Program, Programs, Settings};
pub use effect::{Effect, Launch, Level, LogFile, ReadPurpose, StateFile, Stop, Variable};
pub use event::{ClientId, Ending, Event, Trap};
pub use fact::{Fact, Recorded};
pub use note::Note;
pub use runs::RunId;
pub use session::Session;
pub use snapshot::{Disabled, ServiceSnapshot};
pub use verdicts::{Decided, Judged, Past, Reason, Ruling};
pub use why::{Asked, AskedLine, CivilAt, PAST_TOLD, Supposed, SupposedPeriod, Why};

/// The daemon, but for its hands.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    /// As the file has them: what the next one is compared with.
    globals: Globals,
    programs: Programs,
    auth: Auth,
    services: Vec<Slot>,
    groups: BTreeMap<Arc<str>, Group>,
    aliases: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    views: BTreeMap<Arc<str>, Vec<ViewMember>>,
    schedule: Schedule,
    /// Due, but there are `maxprocs` runs already; first come, first served.
    waiting: VecDeque<ServiceId>,
    /// Due, but a monitor dependency fails, or it is an excluded period.
    held: BTreeSet<ServiceId>,
    runs: BTreeMap<RunId, runs::Run>,
    deliveries: errands::Deliveries,
    /// Counted alerts of which it is not yet known whether a program could be started.
    batches: BTreeMap<alerts::BatchId, alerts::Batch>,
    clients: BTreeMap<ClientId, Session>,
    chatter: chatter::Chatter,
    alert_history: Ring<Arc<str>>,
    failure_history: Ring<Arc<str>>,
    verdicts: verdicts::Log,
    /// How many facts were recorded that tell what happened when.
    recorded: u64,
    stopped: Option<Stopped>,
    started: Wall,
    chance: Chance,
    last_id: u64,
}

/// One service: how it is configured, how it is.
#[derive(Debug)]
struct Slot {
    group: Arc<str>,
    service: Box<Service>,
    state: ServiceState,
    running: Option<RunId>,
    /// Some monitor dependency names this service: a change of its status may free held runs.
    is_depended_on: bool,
    /// No result since the last reload.
    reloaded: bool,
    /// How many facts were recorded when its last result was.
    recorded: u64,
    /// When a run time was told last, in seconds of monotonic time.
    measured: Option<NonZeroU32>,
}

/// A hostgroup, and the watch of that name if there is one.
#[derive(Debug, Default)]
struct Group {
    hosts: Vec<Host>,
    /// There is a watch.
    watched: bool,
    /// An operator forbade its alerts.
    disabled: bool,
    /// Services of the watch, sorted by name.
    services: Vec<ServiceId>,
}

#[derive(Debug, Clone)]
struct Host {
    name: Arc<str>,
    disabled: bool,
}

/// Since when the scheduler is stopped.
#[derive(Debug, Clone, Copy)]
struct Stopped {
    wall: Wall,
    mono: Mono,
}

impl Engine {
    /// A daemon that has read its configuration and not started yet. `seed` decides all that is left to chance.
    #[must_use]
    pub fn new(loaded: Loaded, auth: Auth, now: &Now, seed: u64) -> Engine {
        let mut engine = Engine {
            alert_history: Ring::new(loaded.settings.maxkeep),
            failure_history: Ring::new(loaded.settings.maxkeep),
            settings: Settings::default(),
            globals: Globals::default(),
            programs: Programs::default(),
            auth,
            services: Vec::new(),
            groups: BTreeMap::new(),
            aliases: BTreeMap::new(),
            views: BTreeMap::new(),
            schedule: Schedule::default(),
            waiting: VecDeque::new(),
            held: BTreeSet::new(),
            runs: BTreeMap::new(),
            deliveries: errands::Deliveries::default(),
            batches: BTreeMap::new(),
            clients: BTreeMap::new(),
            chatter: chatter::Chatter::default(),
            verdicts: verdicts::Log::default(),
            // A service that has recorded nothing yet is behind.
            recorded: 1,
            stopped: None,
            started: now.wall,
            chance: Chance::seeded(seed),
            last_id: 0,
        };
        engine.configure(loaded, now);
        engine
    }

    /// Takes in what happened; returns what is to be done about it, in order.
    pub fn handle(&mut self, event: Event, now: &Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Started { stopped } => self.start_up(stopped, now, out),
            Event::DeadlineReached => {
                self.deliveries_due(now, out);
                self.run_what_is_due(now, out);
            }
            Event::RunEnded { run, ending, output } => self.run_ended(run, ending, output, now, out),
            Event::AlertEnded { alert, ending, last_words, signalled } => {
                self.alert_ended(alert, (&ending, signalled), &last_words, now, out)
            }
            Event::Trap(trap) => self.trap_received(trap, now, out),
            Event::ClientConnected { client, peer } => self.client_connected(client, peer, now, out),
            Event::ClientGone { client } => self.client_gone(client),
            Event::Command { client, line, command } => self.command(client, &line, command, now, out),
            Event::Authenticated { client, user, accepted } => {
                self.authenticated(client, user, accepted, now, out)
            }
            Event::ConfigRead { purpose, result } => self.config_read(purpose, result, now, out),
            Event::AuthRead { client, auth } => self.auth_read(client, auth, out),
            Event::StateRead { client, disabled, services } => {
                self.restore(&disabled, &services, now, out);
                self.run_those_held(now, out);
                out.extend(client.map(|client| Effect::reply(client, Answer::StateLoaded)));
            }
            Event::HangUp => self.hang_up(out),
            Event::Terminate { signal } => self.terminate(signal, out),
        }
        let is_news = |effect: &&Effect| matches!(effect, Effect::Record { fact, .. } if fact.is_news());
        self.recorded += effects.iter().filter(is_news).count() as u64;
        effects
    }

    /// When [`Event::DeadlineReached`] is due; never before that does the daemon need to wake by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let schedule = self.schedule.next_deadline().filter(|_| self.stopped.is_none());
        // Alerts that were sent are followed whatever the scheduler does.
        [schedule, self.deliveries.next_deadline()].into_iter().flatten().min()
    }

    fn start_up(&mut self, stopped: bool, now: &Now, out: &mut Vec<Effect>) {
        if stopped {
            self.stopped = Some(Stopped { wall: now.wall, mono: now.mono });
        }
        out.push(Effect::log(Level::Info, "mon server started"));
        self.send_startup_alerts(now, out);
    }

    /// How many services there are.
    #[must_use]
    pub fn services(&self) -> usize {
        self.services.len()
    }

    fn find(&self, group: &str, service: &str) -> Option<ServiceId> {
        let ids = &self.groups.get(group)?.services;
        let position = ids.binary_search_by(|&id| (*self.slot(id).service.name).cmp(service)).ok()?;
        Some(ids[position])
    }

    fn slot(&self, id: ServiceId) -> &Slot {
        &self.services[id as usize]
    }

    fn key(&self, id: ServiceId) -> ServiceKey {
        let slot = self.slot(id);
        ServiceKey { group: slot.group.clone(), service: slot.service.name.clone() }
    }

    fn slot_mut(&mut self, id: ServiceId) -> &mut Slot {
        &mut self.services[id as usize]
    }

    fn ids(&self) -> std::ops::Range<ServiceId> {
        0..self.services.len() as ServiceId
    }

    fn circumstances(&self, id: ServiceId) -> Circumstances {
        let watch_disabled = self.groups.get(&self.slot(id).group).is_some_and(|group| group.disabled);
        Circumstances { stopped: self.stopped.is_some(), watch_disabled, started: self.started }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Group {
    /// The hosts that are not disabled.
    fn enabled_hosts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.hosts.iter().filter(|host| !host.disabled).map(|host| &host.name)
    }
}

#[cfg(test)]
mod tests;
