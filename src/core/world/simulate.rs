//! A simulation from its start to its end: events are made to happen, and what follows is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::events::{Occurrence, Script, What};
use super::timeline::{Collector, Timeline};
use super::{Outcome, World, Zone};
use crate::config::{self, Config, Diagnostic};
use crate::engine::{Command, Event, StateFile, Trap};
use crate::nouns::{Mono, Now, Wall};
use crate::wire::command;

/// What is simulated.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What happens from outside, and when all begins.
    pub script: Script,
    /// Local time.
    pub zone: Zone,
    /// When it ends.
    pub until: Wall,
    /// Decides what is left to chance: `randstart`, `randskew`.
    pub seed: u64,
    /// How long a run takes of which no event says so.
    pub takes: Duration,
    /// Nothing is summed up.
    pub all: bool,
    /// What a daemon would record is kept too.
    pub facts: bool,
    /// The texts of the files that `config` events name.
    pub configs: BTreeMap<String, String>,
    /// What the state files say when the daemon begins.
    pub state: BTreeMap<StateFile, String>,
}

/// Chance, where nobody says anything else.
pub const DEFAULT_SEED: u64 = 1;

/// How long a simulation goes on after its last event: long enough to see most of what follows.
const AFTER_LAST_EVENT: Wall = 3600;

/// How long it is if nothing happens.
const WITHOUT_EVENTS: Wall = 86_400;

/// When a simulation ends of which nothing says so.
#[must_use]
pub fn usual_end(script: &Script) -> Wall {
    let last = script.events.last().map(|event| event.at.saturating_add(AFTER_LAST_EVENT));
    last.unwrap_or(script.from.saturating_add(WITHOUT_EVENTS))
}

/// Carries out a simulation.
///
/// # Errors
/// What is wrong with mon.cf.
pub fn run(mon_cf: &str, plan: &Plan) -> Result<Timeline, Vec<Diagnostic>> {
    let mut world = World::without(plan.script.missing.clone(), mon_cf, plan.script.from, plan.seed)?;
    world.set_zone(plan.zone.clone());
    world.takes = plan.takes;
    world.notes_facts = plan.facts;
    plan.state.iter().for_each(|(file, text)| world.write_state(*file, text));
    let texts = std::iter::once(mon_cf).chain(plan.configs.values().map(String::as_str));
    let configs: Vec<Config> = texts.map(|text| config::load(text).0).collect();
    let collector = Collector::new(&configs, &plan.zone, plan.all);
    let mut simulation = Simulation { world, collector, plan };
    simulation.begin();
    for event in plan.script.events.iter().filter(|event| event.at <= plan.until) {
        if !simulation.pass_until(event.at) {
            return Ok(simulation.collector.finish());
        }
        simulation.happen(event)?;
    }
    if simulation.pass_until(plan.until) {
        simulation.end();
    }
    Ok(simulation.collector.finish())
}

struct Simulation<'a> {
    world: World,
    collector: Collector,
    plan: &'a Plan,
}

impl Simulation<'_> {
    fn begin(&mut self) {
        let services = self.world.engine().services();
        let text = format!("the daemon begins, {services} service{}", if services == 1 { "" } else { "s" });
        self.collector.note(&self.now(), "start", text);
        // Results of the first moment are there when the daemon begins.
        self.world.begin(&self.plan.script.begin);
        self.collect();
    }

    fn end(&mut self) {
        self.collector.note(&self.now(), "end", String::new());
    }

    fn now(&self) -> Now {
        self.world.now()
    }

    /// Lets time pass, up to just before `wall`: what is due at that moment comes after what happens at it.
    /// False when the daemon has ended.
    fn pass_until(&mut self, wall: Wall) -> bool {
        const JUST_BEFORE: Duration = Duration::from_nanos(1);
        let target = Duration::from_secs(wall.saturating_sub(self.plan.script.from).max(0).cast_unsigned());
        let end = Mono::at(target.saturating_sub(JUST_BEFORE));
        while self.now().mono < end {
            let more = self.world.step(end);
            if !self.collect() {
                return false;
            }
            if !more {
                break;
            }
        }
        self.world.stall(Mono::at(target).since(self.now().mono));
        true
    }

    /// Hands over what was noted; false when the daemon has ended.
    fn collect(&mut self) -> bool {
        let mut goes_on = true;
        for entry in self.world.log.drain(..) {
            goes_on &= !matches!(entry.what, super::Happened::Exited { .. });
            self.collector.take(entry);
        }
        goes_on
    }

    fn happen(&mut self, Occurrence { what, .. }: &Occurrence) -> Result<(), Vec<Diagnostic>> {
        self.collector.event(&self.now(), what);
        match what {
            What::Result { service, ending, output, takes } => {
                let (ending, output) = (ending.clone(), output.clone());
                let lasts = takes.unwrap_or(self.plan.takes);
                let outcome = Outcome { lasts, ending, output, ..Outcome::ok() };
                self.world.script_monitor(&service.group, &service.service, [outcome]);
            }
            What::Trap { service, status, output } => self.world.happen(Event::Trap(Trap {
                from: std::net::Ipv4Addr::LOCALHOST.into(),
                kind: "trap".to_owned(),
                group: service.group.to_string(),
                service: service.service.to_string(),
                status: *status,
                output: output.as_str().into(),
            })),
            What::Ack { service, comment } => {
                let (group, service) = (service.group.to_string(), service.service.to_string());
                let command = Command::Ack { group, service, comment: comment.clone() };
                self.obey(what.first_line(), command, "");
            }
            What::Disable(target) => self.obey(what.first_line(), Command::Disable(target.clone()), ""),
            What::Enable(target) => self.obey(what.first_line(), Command::Enable(target.clone()), ""),
            What::Command(line) => self.obey(line.clone(), command::parse(line), ""),
            What::CommandOf { user, line } => self.obey(line.clone(), command::parse(line), user),
            What::Restart(begin) => {
                self.collector.note(&self.now(), "start", "a new daemon begins".to_owned());
                self.world.restart(begin)?;
            }
            What::HangUp => self.world.happen(Event::HangUp),
            What::Config(name) => {
                let text = self.plan.configs.get(name).map_or("", String::as_str);
                self.world.write_mon_cf(text);
            }
            What::Due => while self.world.step(self.now().mono) {},
        }
        // A run that was asked for and takes no time is over before the next event of this moment.
        self.world.settle();
        self.collect();
        Ok(())
    }

    /// An operator gives a command, logged in where there is a name; that it is refused is worth a line.
    fn obey(&mut self, line: String, command: Command, user: &str) {
        let client = self.world.connect();
        if !user.is_empty() {
            self.world.happen(Event::Authenticated { client, user: user.to_owned(), accepted: true });
        }
        let reply = self.world.order(client, line, command);
        self.world.happen(Event::ClientGone { client });
        self.collect();
        // The last line of a reply has its number.
        if let Some(refusal) = reply.lines().last().filter(|line| line.starts_with('5')) {
            self.collector.note(&self.now(), "refused", refusal.to_owned());
        }
    }
}
