//! A small daemon without hands: whatever it wants done has been done at once, and ended badly every other time.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use remon_core::allow::AllowList;
use remon_core::auth;
use remon_core::config::{self, Config};
use remon_core::engine::{
    Answer, ClientId, Command, Effect, Ending, Engine, Event, Loaded, Program, Programs, ReadPurpose,
    Recorded, Settings, StateFile,
};
use remon_core::nouns::{Civil, Mono, Now};
use remon_core::wire::client::Client;
use remon_core::wire::reply::{self, Server};
use remon_core::wire::statefile;

/// A configuration with a little of everything.
pub(super) const CONFIG: &str = include_str!("../seeds/config/small.cf");

/// Where everything comes from.
pub(super) const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// The only client.
pub(super) const CLIENT: ClientId = ClientId(1);

/// What one event may lead to at most; more means that it never settles.
const MOST_EVENTS: usize = 10_000;

/// An engine, its time, and what it said.
pub(super) struct Daemon {
    pub(super) engine: Engine,
    pub(super) now: Now,
    /// Replies, spelled.
    pub(super) replies: Vec<String>,
    /// The connection was closed, or the daemon ended.
    pub(super) over: bool,
    config: String,
    /// What there is to be told of the past.
    record: Vec<Recorded>,
    count: u64,
}

impl Daemon {
    /// A daemon over a configuration that is known to be good, with that auth.cf; a client is connected.
    pub(super) fn new(config: &str, auth: &str) -> Daemon {
        let now = at(1_795_348_799);
        let (auth, _) = auth::parse(auth);
        let engine = Engine::new(loaded(config), auth, &now, 7);
        let (replies, config) = (Vec::new(), config.to_owned());
        let mut daemon = Daemon { engine, now, replies, over: false, config, record: Vec::new(), count: 0 };
        daemon.handle(Event::Started { stopped: false });
        daemon.handle(Event::ClientConnected { client: CLIENT, peer: LOCAL });
        daemon
    }

    /// Hands over an event, and carries out what follows from it.
    pub(super) fn handle(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        for _ in 0..MOST_EVENTS {
            let Some(event) = events.pop_front() else { return };
            for effect in self.engine.handle(event, &self.now) {
                events.extend(self.carry_out(effect));
            }
        }
        panic!("one event led to {MOST_EVENTS} others");
    }

    /// Time passes; deadlines are met.
    pub(super) fn wait(&mut self, span: Duration) {
        let mono = self.now.mono + span;
        self.now = Now { mono, ..at(self.now.wall.saturating_add(span.as_secs() as i64)) };
        if self.engine.next_deadline().is_some_and(|deadline| deadline <= mono) {
            self.handle(Event::DeadlineReached);
        }
    }

    /// A line of the client, as the listener hands it over.
    pub(super) fn say(&mut self, line: String, command: Command) {
        let line = if matches!(command, Command::Login { .. }) { String::new() } else { line };
        self.handle(Event::Command { client: CLIENT, line, command });
    }

    fn carry_out(&mut self, effect: Effect) -> Vec<Event> {
        self.count += 1;
        let odd = self.count % 2 == 1;
        let server = Server { pid: 1, hostname: "here", pid_of: &|_| Some(42) };
        match effect {
            Effect::RunMonitor { run, .. } => {
                let ending = if odd { Ending::Exited(self.count as u8) } else { Ending::Killed(9) };
                let output = "h1 is down\n220 not a status\n\0\u{e9}'\"\\".to_owned();
                return vec![Event::RunEnded { run, ending, output }];
            }
            Effect::RunAlert { alert, .. } => {
                let ending = if odd { Ending::Exited(0) } else { Ending::NotStarted("no".to_owned()) };
                return vec![Event::AlertEnded {
                    alert,
                    ending,
                    last_words: "said".to_owned(),
                    signalled: false,
                }];
            }
            Effect::Reply { answer, close, .. } => {
                self.replies.push(reply::render(&answer, &server));
                self.over |= close;
            }
            Effect::ReplyList { client, list } => {
                let answer = self.engine.list(client, &list, &self.now);
                self.replies.push(reply::render(&answer, &server));
            }
            Effect::ReplyWhy { question, .. } => {
                let why = self.engine.why(&question, &self.now, &|wall| at(wall).civil);
                let answer = why.map_or(Answer::NoRecord, |why| Answer::Why(Box::new(why)));
                self.replies.push(reply::render(&answer, &server));
            }
            Effect::ReplyRecord { .. } => {
                self.replies.push(reply::render(&Answer::Record(std::mem::take(&mut self.record)), &server));
            }
            Effect::Record { service, fact } => {
                let (id, at) = (self.record.len() as i64, self.now.wall);
                self.record.push(Recorded { id, at, last: at, times: 1, service, fact, ended: None });
            }
            Effect::Authenticate { client, user, password } => {
                let accepted = password.reveal() == "right";
                return vec![Event::Authenticated { client, user, accepted }];
            }
            Effect::ReadConfig { purpose } => return vec![self.read_config(purpose, odd)],
            Effect::ReadAuth { client } => {
                return vec![Event::AuthRead { client, auth: odd.then(|| self.engine.auth().clone()) }];
            }
            Effect::Save { files, then } => {
                files.into_iter().for_each(|file| drop(self.state(file)));
                self.replies.extend(then.map(|(_, answer)| reply::render(&answer, &server)));
            }
            Effect::Load { client, .. } => {
                let disabled = statefile::parse_disabled(&self.state(StateFile::Disabled)).0;
                let services = statefile::parse_opstatus(&self.state(StateFile::Opstatus)).0;
                return vec![Event::StateRead { client: Some(client), disabled, services }];
            }
            Effect::Close { .. } | Effect::Exit { .. } => self.over = true,
            Effect::KillRun { .. }
            | Effect::EndAlert { .. }
            | Effect::AuthChanged
            | Effect::ConfigChanged
            | Effect::Append { .. }
            | Effect::Monremote { .. }
            | Effect::Note(_)
            | Effect::Log { .. } => {}
        }
        Vec::new()
    }

    fn read_config(&self, purpose: ReadPurpose, fine: bool) -> Event {
        let result =
            if fine { Ok(Box::new(loaded(&self.config))) } else { Err(vec!["cf error: 220 no".to_owned()]) };
        Event::ConfigRead { purpose, result }
    }

    /// The text of a state file; it must come back as it was.
    pub(super) fn state(&self, file: StateFile) -> String {
        match file {
            StateFile::Disabled => {
                let before = self.engine.disabled();
                let text = statefile::render_disabled(&before);
                assert_eq!(statefile::parse_disabled(&text), (before, vec![]));
                text
            }
            StateFile::Opstatus => {
                let before = self.engine.snapshots(&self.now);
                let text = statefile::render_opstatus(&before);
                assert_eq!(statefile::parse_opstatus(&text), (before, vec![]));
                text
            }
        }
    }
}

/// A reply is any lines and then one that begins with 2xx or 5xx, as a client of ours reads it.
pub(super) fn assert_is_reply(text: &str) {
    let bytes = remon_core::text::encode(text).into_owned();
    let length = bytes.len() as u64;
    let mut client = Client::new(std::io::Cursor::new(bytes));
    let read = client.reply();
    assert!(read.is_ok(), "no client understands this reply: {text:?}");
    assert_eq!(client.stream().position(), length, "something stands behind the end of this reply: {text:?}");
}

fn at(wall: i64) -> Now {
    Now { mono: Mono::at(Duration::from_secs(1)), wall, civil: Civil::utc(wall) }
}

fn loaded(text: &str) -> Loaded {
    let (config, diagnostics) = config::load(text);
    let error = config::diagnostic::first_error(&diagnostics);
    assert!(error.is_none(), "not a good configuration: {error:?}");
    let globals = &config.globals;
    let settings = Settings {
        maxkeep: globals.histlength.unwrap_or(5),
        maxprocs: globals.maxprocs,
        randstart: globals.randstart,
        dep_recur_limit: globals.dep_recur_limit.unwrap_or(10),
        exclude_period: globals.exclude_period.clone(),
        startupalerts_on_reset: globals.startupalerts_on_reset,
        dtlogging: false,
        monremote: true,
        clientallow: AllowList::parse(r"\d+.\d+.\d+.\d+"),
        ..Settings::default()
    };
    Loaded { programs: programs(&config), config, settings, alert_history: None }
}

/// Every program that is named is there, but for those with a `missing` in the name.
fn programs(config: &Config) -> Programs {
    let found = |names: BTreeSet<&str>| {
        let names = names.into_iter().filter(|name| !name.contains("missing"));
        names.map(|name| (name.to_owned(), Program { path: name.into(), called: None })).collect()
    };
    let services = || config.watches.iter().flat_map(|watch| &watch.services);
    let monitors = services().filter_map(|service| service.monitor.as_ref()).map(|monitor| monitor.program());
    let lines = services().flat_map(|service| &service.periods).flat_map(|period| &period.alerts);
    Programs {
        monitors: found(monitors.collect()),
        alerts: found(lines.map(|line| line.command.program()).collect()),
    }
}
