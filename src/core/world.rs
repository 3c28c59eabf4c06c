//! The simulated world: a clock that can be played with, programs that follow a script.
//!
//! A [`World`] is to the engine what `src/daemon` is, but nothing in it is real: files are values, programs end
//! as scripted, and time passes only from one moment at which something happens to the next. So weeks of a
//! schedule take milliseconds, and the same mon.cf, scripts and seed always tell the same story.
//!
//! ```
//! use remon_core::world::{Happened, Outcome, World};
//! use std::time::Duration;
//!
//! let mon_cf = "watch web\nservice ping\ninterval 1m\nmonitor p\nperiod\nalert mail.alert\n";
//! let mut world = World::new(mon_cf, 1_772_409_600, 1).expect("a good mon.cf");
//! world.script_monitor("web", "ping", [Outcome::ok(), Outcome::fails("web1")]);
//! world.start(false);
//! world.pass(Duration::from_secs(120));
//! assert!(world.log.iter().any(|entry| matches!(&entry.what, Happened::AlertCalled { .. })));
//! ```

pub mod compare;
pub mod events;
mod files;
pub mod simulate;
mod story;
pub mod timeline;
mod zone;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Diagnostic;
use crate::engine::{
    AlertId, Answer, ClientId, Command, Effect, Ending, Engine, Event, Launch, List, LogFile, Question,
    RunId, StateFile, Stop,
};
use crate::nouns::{Civil, Mono, Now, ServiceKey, Wall};
use crate::wire::{command, reply};

use self::events::Begin;
use self::files::{load, parse_auth};
pub use story::{Entry, Happened, Heeds, Outcome};
pub use zone::Zone;

/// Everybody may do everything: auth.cf of a world that has not been given another.
const OPEN_AUTH: &str = "ack: all\nclear: all\ndisable: all\nenable: all\nget: all\nlist: all\nloadstate: all
reload: all\nreset: all\nsavestate: all\nservertime: all\nset: all\nstart: all\nstop: all\nterm: all\ntest: all\n";

/// Where its alert programs are.
const ALERT_DIR: &str = "/usr/lib/mon/alert.d/";

/// What will happen by itself at a moment to come.
#[derive(Debug)]
enum Coming {
    RunEnds(RunId),
    AlertEnds(AlertId, Outcome),
}

/// Outcomes in order; the last one is repeated for ever.
type Script = VecDeque<Outcome>;

/// A daemon, and everything around it.
#[derive(Debug)]
pub struct World {
    /// What happened so far; take from it what is not needed any more.
    pub log: Vec<Entry>,
    /// Whether runs are noted in it too; without them a month of a large site stays small.
    pub notes_runs: bool,
    /// How long a run takes for which there is no script.
    pub takes: Duration,
    /// Whether facts for the record are noted in it.
    pub notes_facts: bool,
    engine: Engine,
    seed: u64,
    mono: Mono,
    /// The wall clock less the monotonic one; steps of the clock change it.
    wall_offset: Wall,
    zone: Zone,
    mon_cf: Arc<str>,
    auth_cf: Arc<str>,
    state_files: BTreeMap<StateFile, String>,
    downtime_log: String,
    passwords: BTreeMap<String, String>,
    monitors: BTreeMap<ServiceKey, Script>,
    alerts: BTreeMap<String, Script>,
    running: BTreeMap<RunId, (ServiceKey, Outcome)>,
    /// The alerts that are running, and when each ends.
    alerting: BTreeMap<AlertId, (Mono, u64)>,
    /// Those that were told to end.
    signalled: BTreeSet<AlertId>,
    missing: BTreeSet<String>,
    coming: BTreeMap<(Mono, u64), Coming>,
    events: VecDeque<Event>,
    last_id: u64,
}

impl World {
    /// A world with that mon.cf at that time, in UTC; the daemon has read it and waits for [`World::start`].
    ///
    /// # Errors
    /// What is wrong with mon.cf.
    pub fn new(mon_cf: &str, wall: Wall, seed: u64) -> Result<World, Vec<Diagnostic>> {
        World::without(BTreeSet::new(), mon_cf, wall, seed)
    }

    /// The same, where these programs are not there.
    ///
    /// # Errors
    /// What is wrong with mon.cf.
    pub fn without(
        missing: BTreeSet<String>,
        mon_cf: &str,
        wall: Wall,
        seed: u64,
    ) -> Result<World, Vec<Diagnostic>> {
        let now = Now { mono: Mono::default(), wall, civil: Civil::utc(wall) };
        Ok(World {
            log: Vec::new(),
            notes_runs: true,
            notes_facts: false,
            engine: Engine::new(load(mon_cf, &missing)?, parse_auth(OPEN_AUTH), &now, seed),
            seed,
            mono: now.mono,
            wall_offset: wall,
            zone: Zone::default(),
            takes: Duration::ZERO,
            mon_cf: mon_cf.into(),
            auth_cf: OPEN_AUTH.into(),
            state_files: BTreeMap::new(),
            downtime_log: String::new(),
            passwords: BTreeMap::new(),
            monitors: BTreeMap::new(),
            alerts: BTreeMap::new(),
            running: BTreeMap::new(),
            alerting: BTreeMap::new(),
            signalled: BTreeSet::new(),
            missing,
            coming: BTreeMap::new(),
            events: VecDeque::new(),
            last_id: 0,
        })
    }

    /// The daemon begins as it was told to.
    pub fn begin(&mut self, Begin { loaded, stopped }: &Begin) {
        let state = self.read_state(loaded, None);
        self.happen(state);
        self.start(*stopped);
    }

    /// The daemon begins; `stopped`: with the scheduler stopped.
    pub fn start(&mut self, stopped: bool) {
        self.happen(Event::Started { stopped });
    }

    /// The daemon and all its programs vanish; a new one reads mon.cf, auth.cf and the state files, and begins.
    ///
    /// # Errors
    /// What is wrong with mon.cf.
    pub fn crash(&mut self) -> Result<(), Vec<Diagnostic>> {
        self.restart(&Begin { loaded: vec![StateFile::Disabled, StateFile::Opstatus], stopped: false })
    }

    /// The same, with a new daemon that begins as it is told to.
    ///
    /// # Errors
    /// What is wrong with mon.cf.
    pub fn restart(&mut self, begin: &Begin) -> Result<(), Vec<Diagnostic>> {
        let (loaded, auth) = (load(&self.mon_cf, &self.missing)?, parse_auth(&self.auth_cf));
        self.seed = self.seed.wrapping_add(1);
        self.engine = Engine::new(loaded, auth, &self.now(), self.seed);
        self.running.clear();
        self.alerting.clear();
        self.signalled.clear();
        self.coming.clear();
        self.begin(begin);
        Ok(())
    }

    /// How the next runs of a service go; the last one is repeated. Without a script all is well.
    pub fn script_monitor(&mut self, group: &str, service: &str, runs: impl IntoIterator<Item = Outcome>) {
        let key = ServiceKey { group: group.into(), service: service.into() };
        self.monitors.insert(key, runs.into_iter().collect());
    }

    /// How the next executions of an alert program go, likewise.
    pub fn script_alert(&mut self, program: &str, runs: impl IntoIterator<Item = Outcome>) {
        self.alerts.insert(program.to_owned(), runs.into_iter().collect());
    }

    /// A program is not there any more; the daemon notices when it reads mon.cf again.
    pub fn remove_program(&mut self, name: &str) {
        self.missing.insert(name.to_owned());
    }

    /// Writes another mon.cf; the daemon reads it on reset.
    pub fn write_mon_cf(&mut self, text: &str) {
        self.mon_cf = text.into();
    }

    /// Writes a state file; the daemon reads it when it begins, or on `loadstate`.
    pub fn write_state(&mut self, file: StateFile, text: &str) {
        self.state_files.insert(file, text.to_owned());
    }

    /// Writes another auth.cf; the daemon reads it on `reload auth`.
    pub fn write_auth_cf(&mut self, text: &str) {
        self.auth_cf = text.into();
    }

    /// Makes a user known to the machine.
    pub fn set_password(&mut self, user: &str, password: &str) {
        self.passwords.insert(user.to_owned(), password.to_owned());
    }

    /// From `wall` on, local time is UTC and that many seconds: the beginning or end of summer time.
    pub fn change_zone_at(&mut self, wall: Wall, seconds_east: i64) {
        self.zone.change_at(wall, seconds_east);
    }

    /// Local time is that of this zone.
    pub fn set_zone(&mut self, zone: Zone) {
        self.zone = zone;
    }

    /// The wall clock is set forward, or back, by that many seconds.
    pub fn step_clock(&mut self, seconds: i64) {
        self.wall_offset += seconds;
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Now {
        let wall = self.wall_offset + self.mono.since_origin().as_secs() as Wall;
        Now { mono: self.mono, wall, civil: self.zone.civil(wall) }
    }

    /// The daemon.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The monitors that are running.
    pub fn running(&self) -> impl Iterator<Item = &ServiceKey> {
        self.running.values().map(|(service, _)| service)
    }

    /// When something will happen by itself.
    #[must_use]
    pub fn next_moment(&self) -> Option<Mono> {
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        [coming, self.engine.next_deadline()].into_iter().flatten().min()
    }

    /// Goes to the next moment at which something happens by itself, and lets that happen. False when there is
    /// none up to `end`; then it is `end`.
    pub fn step(&mut self, end: Mono) -> bool {
        let Some(moment) = self.next_moment().filter(|&moment| moment <= end) else {
            self.mono = self.mono.max(end);
            return false;
        };
        self.mono = self.mono.max(moment);
        // Deadlines go first, as in the run loop.
        if self.engine.next_deadline().is_some_and(|deadline| deadline <= self.mono) {
            self.happen(Event::DeadlineReached);
            let next = self.engine.next_deadline();
            assert!(next.is_none_or(|next| next > self.mono), "a deadline stays reached: time stands still");
        } else if let Some((_, coming)) = self.coming.pop_first() {
            self.arrive(coming);
        }
        true
    }

    /// Lets everything end that ends at this moment; what is due at it waits.
    pub fn settle(&mut self) {
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= self.mono) {
            let coming = first.remove();
            self.arrive(coming);
        }
    }

    /// Lets that much time pass, with everything that happens in it.
    pub fn pass(&mut self, span: Duration) {
        let end = self.mono + span;
        while self.step(end) {}
    }

    /// The machine is held up: time passes, and the daemon notices nothing until afterwards.
    pub fn stall(&mut self, span: Duration) {
        self.mono = self.mono + span;
    }

    /// Hands the daemon an event from outside (a trap, a signal), and does what it wants done.
    pub fn happen(&mut self, event: Event) {
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            let now = self.now();
            for effect in self.engine.handle(event, &now) {
                self.carry_out(effect);
            }
        }
    }

    /// A client connects from this machine.
    pub fn connect(&mut self) -> ClientId {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// A client connects from that address.
    pub fn connect_from(&mut self, peer: IpAddr) -> ClientId {
        let client = ClientId(self.next_id());
        self.happen(Event::ClientConnected { client, peer });
        client
    }

    /// A client says a line; returns what it is answered at once.
    pub fn say(&mut self, client: ClientId, line: &str) -> String {
        let command = command::parse(line);
        let line = if matches!(command, Command::Login { .. }) { String::new() } else { line.to_owned() };
        self.order(client, line, command)
    }

    /// The same, for a command that is understood already; `line` is what the log says of it.
    pub fn order(&mut self, client: ClientId, line: String, command: Command) -> String {
        let begin = self.log.len();
        self.happen(Event::Command { client, line, command });
        let replies = self.log[begin..].iter().filter_map(|entry| match &entry.what {
            Happened::Replied { client: to, text } if *to == client => Some(text.as_str()),
            _ => None,
        });
        replies.collect()
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn note(&mut self, what: Happened) {
        if !self.notes_runs && matches!(what, Happened::RunStarted { .. } | Happened::RunEnded { .. }) {
            return;
        }
        let at = self.now();
        self.log.push(Entry { at, what });
    }

    fn arrive(&mut self, coming: Coming) {
        match coming {
            // A run that was killed has nothing to say any more.
            Coming::RunEnds(run) => {
                if let Some((service, outcome)) = self.running.remove(&run) {
                    let Outcome { ending, output, .. } = outcome.clone();
                    self.note(Happened::RunEnded { service, outcome });
                    self.happen(Event::RunEnded { run, ending, output });
                }
            }
            Coming::AlertEnds(alert, Outcome { ending, output, .. }) => {
                self.alerting.remove(&alert);
                let signalled = self.signalled.remove(&alert);
                self.happen(Event::AlertEnded { alert, ending, last_words: output, signalled });
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::RunMonitor { run, service, launch } => self.run_monitor(run, service, launch),
            Effect::KillRun { run } => {
                if let Some((service, _)) = self.running.remove(&run) {
                    self.note(Happened::RunKilled { service });
                }
            }
            Effect::RunAlert { alert, service, period, kind, launch, stdin } => {
                let name = launch.program.path.rsplit('/').next().unwrap_or_default();
                let outcome = self.alerts.get_mut(name).map_or_else(Outcome::ok, next_of);
                let id = self.next_id();
                let end = (self.mono + outcome.lasts, id);
                self.coming.insert(end, Coming::AlertEnds(alert, outcome));
                self.alerting.insert(alert, end);
                self.note(Happened::AlertCalled { service, period, kind, launch, stdin });
            }
            Effect::EndAlert { alert, how } => self.end_alert(alert, how),
            Effect::Reply { client, answer, close } => self.answer(client, &answer, close),
            Effect::ReplyList { client, list } => self.answer_list(client, &list),
            Effect::Close { client } => self.close(client),
            Effect::Authenticate { client, user, password } => {
                let accepted = self.passwords.get(&user).is_some_and(|right| right == password.reveal());
                self.events.push_back(Event::Authenticated { client, user, accepted });
            }
            Effect::ReadConfig { purpose } => self.read_config(purpose),
            Effect::ReadAuth { client } => {
                let auth = Some(parse_auth(&self.auth_cf));
                self.events.push_back(Event::AuthRead { client, auth });
            }
            Effect::AuthChanged | Effect::ConfigChanged => {}
            Effect::Save { files, then } => {
                files.into_iter().for_each(|file| self.save(file));
                if let Some((client, answer)) = then {
                    self.answer(client, &answer, false);
                }
            }
            Effect::Load { files, client } => {
                let state = self.read_state(&files, Some(client));
                self.events.push_back(state);
            }
            Effect::Append { log, line } => {
                if log == LogFile::Downtime {
                    self.downtime_log += &format!("{line}\n");
                }
                self.note(Happened::Appended { log, line });
            }
            Effect::ReplyWhy { client, question } => self.answer_why(client, &question),
            Effect::ReplyRecord { client, .. } => self.answer(client, &Answer::NoRecord, false),
            Effect::Record { service, fact } => {
                if self.notes_facts {
                    self.note(Happened::Recorded { service, fact });
                }
            }
            Effect::Monremote { words } => self.note(Happened::RemoteTold { words }),
            Effect::Note(note) => self.note(Happened::Noted { note }),
            Effect::Log { level, text } => self.note(Happened::Logged { level, text }),
            Effect::Exit { status } => self.note(Happened::Exited { status }),
        }
    }

    /// The program ends at once, if it heeds the signal. One that has ended already, which the daemon has not heard
    /// yet, notices nothing.
    fn end_alert(&mut self, alert: AlertId, how: Stop) {
        let Some(end) = self.alerting.get(&alert).copied().filter(|(end, _)| *end > self.mono) else {
            return;
        };
        self.note(Happened::AlertSignalled { how });
        self.signalled.insert(alert);
        let Some(Coming::AlertEnds(_, outcome)) = self.coming.get(&end) else { return };
        let signal = match (outcome.heeds, how) {
            (Heeds::Term, Stop::Term) => 15,
            (Heeds::Term | Heeds::Kill, Stop::Kill) => 9,
            (Heeds::Kill | Heeds::Nothing, _) => return,
        };
        self.coming.remove(&end);
        let (ending, last_words) = (Ending::Killed(signal), String::new());
        self.alerting.remove(&alert);
        let signalled = self.signalled.remove(&alert);
        self.events.push_back(Event::AlertEnded { alert, ending, last_words, signalled });
    }

    fn run_monitor(&mut self, run: RunId, service: ServiceKey, launch: Launch) {
        let outcome =
            self.monitors.get_mut(&service).map_or_else(|| Outcome::ok().lasting(self.takes), next_of);
        let id = self.next_id();
        self.coming.insert((self.mono + outcome.lasts, id), Coming::RunEnds(run));
        self.running.insert(run, (service.clone(), outcome));
        self.note(Happened::RunStarted { service, launch });
    }

    fn answer(&mut self, client: ClientId, answer: &Answer<'_>, close: bool) {
        let text = reply::render(answer, &server());
        self.note(Happened::Replied { client, text });
        if close {
            self.close(client);
        }
    }

    fn answer_list(&mut self, client: ClientId, list: &List) {
        let text = match self.engine.list(client, list, &self.now()) {
            Answer::Dtlog => reply::render_dtlog(Some(&self.downtime_log)),
            answer => reply::render(&answer, &server()),
        };
        self.note(Happened::Replied { client, text });
    }

    fn answer_why(&mut self, client: ClientId, question: &Question) {
        let civil_at = |wall| self.zone.civil(wall);
        let answer = match self.engine.why(question, &self.now(), &civil_at) {
            Some(why) => Answer::Why(Box::new(why)),
            None => Answer::TestNotDefined(question.group.clone(), question.service.clone()),
        };
        self.answer(client, &answer, false);
    }

    fn close(&mut self, client: ClientId) {
        self.note(Happened::Closed { client });
        self.events.push_back(Event::ClientGone { client });
    }
}

fn next_of(script: &mut Script) -> Outcome {
    let next = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
    next.unwrap_or_else(Outcome::ok)
}

/// A world without processes: a run is its own process id.
fn server() -> reply::Server<'static> {
    reply::Server { pid: 1, hostname: "world", pid_of: &|run| Some(run.0 as u32) }
}

#[cfg(test)]
mod tests;
