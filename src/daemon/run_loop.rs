//! The run loop: one task owns the engine, hands it what happens and carries out what follows.

mod asking;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use remon_core::auth::Auth;
use remon_core::engine::{
    AlertId, Answer, ClientId, Effect, Engine, Event, Fact, Launch, Level, List, Loaded, Program,
    ReadPurpose, RunId, StateFile,
};
use remon_core::nouns::Mono;
use remon_core::text;
use remon_core::wire::reply::{self, Server};
use remon_core::wire::statefile;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::checkup::Checkup;
use super::clock::{self, Clock};
use super::load::{self, Errors};
use super::logging::log;
use super::login::{Doorman, Visitor};
use super::memory::Memory;
use super::message::{Inbox, Message, Reply};
use super::notify::Notifier;
use super::options::Options;
use super::record::{self, Record};
use super::runner::{AlertHandle, FILES_PER_RUN, RunHandle, Runner};
use super::site::Site;
use super::store::{Job, Store};
use super::{Sockets, listener, sys, traps};

/// Messages that wait for the engine; who sends more waits himself.
const INBOX: usize = 1024;
/// Messages taken at once, before deadlines are looked at again.
const BATCH: usize = 256;
/// Time for last replies to reach their clients.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The loop sleeps at most this long; only to have an end where there is no deadline.
const FOREVER: Duration = Duration::from_secs(86_400);

/// Runs the daemon to its end; returns its exit status.
pub(super) async fn run(options: &Options, engine: Engine, site: Site, clock: Clock, sockets: Sockets) -> u8 {
    let (inbox, mut messages) = mpsc::channel(INBOX);
    let mut shell = match Shell::start(options, engine, site, clock, inbox) {
        Ok(shell) => shell,
        Err(error) => {
            log(Level::Err, &format!("cannot start: {error}"));
            return 1;
        }
    };
    let (idle, auth, inbox) = (shell.idle.subscribe(), shell.auth.subscribe(), shell.inbox.clone());
    if let Err(error) = serve_network(sockets, idle, auth, inbox.clone()) {
        log(Level::Err, &format!("cannot start: {error}"));
        return 1;
    }
    if let Err(error) = pass_on_signals(&inbox) {
        log(Level::Err, &format!("signals will not be heard: {error}"));
    }
    shell.begin(&mut messages).await;
    let status = shell.attend(&mut messages).await;
    shell.end().await;
    status
}

/// Room for the open files of all services running at once, and all clients connected.
pub(super) fn make_room(engine: &Engine) {
    /// Sockets, logs, the runtimes' own.
    const OURS: usize = 64;
    sys::raise_descriptor_limit(OURS + listener::MAX_CLIENTS + FILES_PER_RUN * engine.services());
}

/// Clients and traps have a thread of their own: copying a long reply to a socket takes nothing from the loop.
fn serve_network(
    sockets: Sockets,
    idle: watch::Receiver<Duration>,
    auth: watch::Receiver<Arc<Auth>>,
    inbox: Inbox,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = async move {
        tokio::spawn(traps::serve(sockets.traps, auth, inbox.clone()));
        listener::serve(sockets.clients, idle, inbox).await;
    };
    std::thread::Builder::new().name("network".to_owned()).spawn(move || runtime.block_on(serve))?;
    Ok(())
}

/// SIGHUP resets, SIGTERM and SIGINT end.
fn pass_on_signals(inbox: &Inbox) -> std::io::Result<()> {
    let pass_on = |mut signals: Signal, event: fn() -> Event| {
        let inbox = inbox.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if inbox.send(Message::Event(event())).await.is_err() {
                    return;
                }
            }
        });
    };
    pass_on(signal(SignalKind::hangup())?, || Event::HangUp);
    pass_on(signal(SignalKind::terminate())?, || Event::Terminate { signal: "TERM" });
    pass_on(signal(SignalKind::interrupt())?, || Event::Terminate { signal: "INT" });
    Ok(())
}

/// The next beat of a heart; without one, never.
async fn beat(heart: &mut Option<tokio::time::Interval>) {
    match heart {
        Some(heart) => drop(heart.tick().await),
        None => std::future::pending().await,
    }
}

/// The engine and everything it acts through.
struct Shell {
    options: Arc<Options>,
    engine: Engine,
    site: Arc<Site>,
    clock: Clock,
    inbox: Inbox,
    runner: Runner,
    store: Store,
    record: Record,
    record_writer: record::Writer,
    checkup: Checkup,
    doorman: Doorman,
    hostname: String,
    /// By client: where it comes from, and the way to its task.
    clients: BTreeMap<ClientId, (IpAddr, mpsc::Sender<Reply>)>,
    /// Why mon.cf is read, and will be read again: one reading after the other, so that the newest file wins.
    readings: VecDeque<ReadPurpose>,
    /// The runs that are going on.
    runs: BTreeMap<RunId, RunHandle>,
    alerts: BTreeMap<AlertId, AlertHandle>,
    idle: watch::Sender<Duration>,
    auth: watch::Sender<Arc<Auth>>,
    notifier: Notifier,
    memory: Memory,
    exit: Option<u8>,
}

impl Shell {
    fn start(
        options: &Options,
        engine: Engine,
        site: Site,
        clock: Clock,
        inbox: Inbox,
    ) -> std::io::Result<Shell> {
        let (record, record_writer) = Record::start(&site)?;
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Ok(Shell {
            options: Arc::new(options.clone()),
            runner: Runner::start(&inbox)?,
            store: Store::start(&site, clock.now().wall, inbox.clone())?,
            record,
            record_writer,
            checkup: Checkup::default(),
            doorman: Doorman::new(),
            hostname: hostname.trim().to_owned(),
            clients: BTreeMap::new(),
            readings: VecDeque::new(),
            runs: BTreeMap::new(),
            alerts: BTreeMap::new(),
            idle: watch::Sender::new(site.cltimeout),
            auth: watch::Sender::new(Arc::new(engine.auth().clone())),
            notifier: Notifier::from_environment(),
            memory: Memory::start()?,
            exit: None,
            engine,
            site: Arc::new(site),
            clock,
            inbox,
        })
    }

    /// Saved state comes back before anything else happens.
    async fn begin(&mut self, messages: &mut mpsc::Receiver<Message>) {
        let files = match self.options.loadstate.as_deref() {
            None => vec![],
            Some("opstatus") => vec![StateFile::Opstatus],
            Some("all") => vec![StateFile::Disabled, StateFile::Opstatus],
            Some("disabled") => vec![StateFile::Disabled],
            Some(other) => {
                log(
                    Level::Err,
                    &format!("-l {other}: disabled, opstatus or all is wanted; nothing is loaded"),
                );
                vec![]
            }
        };
        // Who asks meanwhile is answered from the state that was saved, not from none.
        let mut early = Vec::new();
        if !files.is_empty() {
            self.store.submit(Job::Load(files.clone(), None));
            while let Some(message) = messages.recv().await {
                if matches!(message, Message::Event(Event::StateRead { .. })) {
                    self.take(message);
                    break;
                }
                early.push(message);
            }
        }
        self.keep(None, Fact::Started { stopped: self.options.stopped, loaded: files });
        self.keep_configuration();
        self.handle(Event::Started { stopped: self.options.stopped });
        early.into_iter().for_each(|message| self.take(message));
        self.notifier.ready(self.engine.services());
        self.checkup.begin(&self.options, &self.site);
    }

    async fn attend(&mut self, messages: &mut mpsc::Receiver<Message>) -> u8 {
        let mut batch = Vec::with_capacity(BATCH);
        let sleep = tokio::time::sleep(FOREVER);
        tokio::pin!(sleep);
        // Two signs of life in the time of one, so that one may be late.
        let mut heart = self.notifier.watchdog().map(|limit| tokio::time::interval(limit / 2));
        if let Some(heart) = &mut heart {
            heart.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        // The deadline that the sleep is set for; nothing once it has gone off.
        let mut set_for: Option<Option<Mono>> = None;
        loop {
            if let Some(status) = self.exit {
                return status;
            }
            let deadline = self.engine.next_deadline();
            if set_for != Some(deadline) {
                sleep.as_mut().reset(self.instant(deadline));
                set_for = Some(deadline);
            }
            tokio::select! {
                biased;
                () = beat(&mut heart) => self.notifier.alive(),
                () = sleep.as_mut() => {
                    set_for = None;
                    self.handle(Event::DeadlineReached);
                }
                _ = messages.recv_many(&mut batch, BATCH) => {
                    for message in batch.drain(..) {
                        self.take(message);
                        self.meet_deadline();
                    }
                }
            }
        }
    }

    /// Many messages, or a costly one, do not make a monitor late.
    fn meet_deadline(&mut self) {
        if self.engine.next_deadline().is_some_and(|deadline| deadline <= self.clock.now().mono) {
            self.handle(Event::DeadlineReached);
        }
    }

    fn instant(&self, deadline: Option<Mono>) -> Instant {
        Instant::from_std(match deadline {
            Some(deadline) => self.clock.instant(deadline),
            None => clock::instant_now() + FOREVER,
        })
    }

    /// Lets clients read their last reply, and the store write what it has.
    async fn end(mut self) {
        self.notifier.stopping();
        self.clients.clear();
        drop(self.inbox);
        self.record.keep(self.clock.now().wall, None, Fact::Ended);
        self.record.close();
        let (store, record) = (self.store, self.record_writer);
        let finished = tokio::task::spawn_blocking(move || {
            store.finish();
            record.join();
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        // A hanging disk does not keep the daemon from ending.
        let _ = tokio::time::timeout(LAST_WORDS, finished).await;
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Event(event) => {
                if let Event::ClientGone { client } = &event {
                    self.clients.remove(client);
                } else if let Event::RunEnded { run, .. } = &event {
                    self.runs.remove(run);
                } else if let Event::AlertEnded { alert, .. } = &event {
                    self.alerts.remove(alert);
                }
                self.handle(event);
            }
            Message::Connected { client, peer, replies } => {
                self.clients.insert(client, (peer, replies));
                self.handle(Event::ClientConnected { client, peer });
            }
            Message::ConfigRead { purpose, result } => self.config_read(purpose, *result),
            Message::Asked { client, answer } => self.reply(client, &answer, false),
            Message::Saved { client, answer } => self.reply(client, &answer, false),
            Message::DowntimeRead { client, log } => {
                self.send(client, &reply::render_dtlog(log.as_deref()), false)
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.memory.used();
        let now = self.clock.now();
        for effect in self.engine.handle(event, &now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::RunMonitor { run, launch, .. } => {
                let handle = self.runner.monitor(run, launch);
                self.runs.insert(run, handle);
            }
            Effect::KillRun { run } => {
                if let Some(handle) = self.runs.remove(&run) {
                    handle.kill();
                }
            }
            Effect::RunAlert { alert, launch, stdin, .. } => {
                let handle = self.runner.alert(alert, launch, stdin);
                self.alerts.insert(alert, handle);
            }
            Effect::EndAlert { alert, how } => {
                if let Some(handle) = self.alerts.get(&alert) {
                    handle.end(how);
                }
            }
            Effect::Reply { client, answer, close } => self.reply(client, &answer, close),
            Effect::ReplyList { client, list } => self.reply_list(client, &list),
            Effect::ReplyWhy { client, question } => self.reply_why(client, &question),
            Effect::ReplyRecord { client, span } => self.reply_record(client, span),
            Effect::Record { service, fact } => self.keep(service, fact),
            Effect::Close { client } => self.send(client, "", true),
            Effect::Authenticate { client, user, password } => {
                if let Some((peer, _)) = self.clients.get(&client) {
                    let visitor = Visitor { client, peer: *peer, user, password };
                    self.doorman.check(visitor, self.site.clone(), self.inbox.clone());
                }
            }
            Effect::ReadConfig { purpose } => {
                self.readings.push_back(purpose);
                if self.readings.len() == 1 {
                    self.read_config(purpose);
                }
            }
            Effect::ReadAuth { client } => self.read_auth(client),
            Effect::AuthChanged => {
                self.auth.send_replace(Arc::new(self.engine.auth().clone()));
            }
            Effect::ConfigChanged => {
                make_room(&self.engine);
                self.idle.send_replace(self.site.cltimeout);
                self.record.move_to(&self.site);
                self.keep_configuration();
                self.checkup.begin(&self.options, &self.site);
                self.store.submit(Job::Moved(Box::new((*self.site).clone()), self.clock.now().wall));
            }
            Effect::Save { files, then } => {
                let files = files.into_iter().map(|file| (file, self.state(file))).collect();
                self.store.submit(Job::Save(files, then));
            }
            Effect::Load { files, client } => self.store.submit(Job::Load(files, Some(client))),
            Effect::Append { log, line } => self.store.submit(Job::Append(log, line)),
            Effect::Monremote { words } => self.tell_remote(&words),
            Effect::Note(_) => {}
            Effect::Log { level, text } => log(level, &text),
            Effect::Exit { status } => self.exit = Some(status),
        }
    }

    fn state(&self, file: StateFile) -> String {
        match file {
            StateFile::Disabled => statefile::render_disabled(&self.engine.disabled()),
            StateFile::Opstatus => statefile::render_opstatus(&self.engine.snapshots(&self.clock.now())),
        }
    }

    fn reply(&self, client: ClientId, answer: &Answer<'_>, close: bool) {
        let pid_of = |run: RunId| self.runs.get(&run).and_then(RunHandle::pid);
        let server = Server { pid: std::process::id(), hostname: &self.hostname, pid_of: &pid_of };
        self.send(client, &reply::render(answer, &server), close);
    }

    fn reply_list(&self, client: ClientId, list: &List) {
        match self.engine.list(client, list, &self.clock.now()) {
            Answer::Dtlog => self.store.submit(Job::ReadDowntime(client)),
            answer => self.reply(client, &answer, false),
        }
    }

    /// Never waits: a client's task asks for one reply at a time, so there is always room for it.
    fn send(&self, client: ClientId, text: &str, close: bool) {
        if let Some((_, replies)) = self.clients.get(&client) {
            let _ = replies.try_send(Reply { bytes: text::encode(text).into_owned(), close });
        }
    }

    fn read_config(&self, purpose: ReadPurpose) {
        let (options, inbox) = (self.options.clone(), self.inbox.clone());
        if matches!(purpose, ReadPurpose::Reset { .. }) {
            self.notifier.reloading();
        }
        tokio::task::spawn_blocking(move || {
            // A mistake of ours in there is reported by the panic; it must not be the last reading.
            let result = std::panic::catch_unwind(|| load::load(&options).inspect_err(Errors::log));
            let broken =
                |_| Err(Errors::from("the file could not be read: a mistake in mon itself".to_owned()));
            let result = Box::new(result.unwrap_or_else(broken));
            // The run loop is gone only when all is over.
            let _ = inbox.blocking_send(Message::ConfigRead { purpose, result });
        });
    }

    /// The engine takes the configuration if it wants it; then the shell follows.
    fn config_read(&mut self, purpose: ReadPurpose, result: Result<(Site, Loaded), Errors>) {
        let result = match result {
            Ok((site, loaded)) => {
                if matches!(purpose, ReadPurpose::Reset { .. }) {
                    self.site = Arc::new(site);
                }
                Ok(Box::new(loaded))
            }
            Err(errors) => Err(errors.lines),
        };
        let is_reset = matches!(purpose, ReadPurpose::Reset { .. });
        self.handle(Event::ConfigRead { purpose, result });
        if is_reset {
            self.notifier.ready(self.engine.services());
            self.memory.reloaded();
        }
        self.readings.pop_front();
        if let Some(&next) = self.readings.front() {
            self.read_config(next);
        }
    }

    fn read_auth(&self, client: Option<ClientId>) {
        let (site, inbox) = (self.site.clone(), self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            let auth = load::auth(&site.authfile)
                .inspect_err(|error| log(Level::Err, &format!("the old rules stay: {error}")))
                .ok();
            let _ = inbox.blocking_send(Message::Event(Event::AuthRead { client, auth }));
        });
    }

    /// The command is a line for the shell, as the original's system() had it.
    fn tell_remote(&self, words: &str) {
        let Some(command) = &self.site.monremote else { return };
        let program = Program { path: "/bin/sh".into(), called: None };
        let args = vec!["-c".to_owned(), format!("{command} {words}")];
        self.runner.send_messenger(Launch { program, args, env: Vec::new() });
    }
}
