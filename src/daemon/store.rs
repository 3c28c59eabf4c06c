//! Files that the daemon writes: state, downtime log, alert history. One thread, in order; a full or hanging
//! disk is its trouble alone.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use remon_core::engine::{Answer, ClientId, Event, Level, LogFile, StateFile};
use remon_core::nouns::Wall;
use remon_core::text;
use remon_core::wire::statefile::{self, BadLine};

use super::load::plain;
use super::logging::log;
use super::message::{Inbox, Message};
use super::replace::{keep_damaged, replace};
use super::site::Site;

/// The thread and the way to it.
pub(super) struct Store {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

/// One thing to do with files.
pub(super) enum Job {
    /// The files are elsewhere from now on; the downtime log begins anew.
    Moved(Box<Site>, Wall),
    /// Replace state files; then tell.
    Save(Vec<(StateFile, String)>, Option<(ClientId, Answer<'static>)>),
    /// Read state files.
    Load(Vec<StateFile>, Option<ClientId>),
    /// Add a line to a log.
    Append(LogFile, String),
    /// Read the downtime log for a client.
    ReadDowntime(ClientId),
}

impl Store {
    /// Starts the thread.
    pub(super) fn start(site: &Site, now: Wall, inbox: Inbox) -> io::Result<Store> {
        let (jobs, queue) = channel();
        let keeper = Keeper { site: site.clone(), inbox };
        let thread =
            std::thread::Builder::new().name("store".to_owned()).spawn(move || keeper.work(&queue))?;
        let store = Store { jobs, thread };
        store.submit(Job::Moved(Box::new(site.clone()), now));
        Ok(store)
    }

    /// Queues a job. Not bounded: the run loop must not wait, and what is queued is small.
    pub(super) fn submit(&self, job: Job) {
        // The thread ends when this sender is gone, not before.
        let _ = self.jobs.send(job);
    }

    /// Waits until everything is written.
    pub(super) fn finish(self) {
        drop(self.jobs);
        // A panic of that thread has been reported by it.
        let _ = self.thread.join();
    }
}

/// The names of the state files, as the original has them.
fn file_name(file: StateFile) -> &'static str {
    match file {
        StateFile::Disabled => "disabled",
        StateFile::Opstatus => "opstatus",
    }
}

struct Keeper {
    site: Site,
    inbox: Inbox,
}

impl Keeper {
    fn work(mut self, queue: &Receiver<Job>) {
        for job in queue {
            match job {
                Job::Moved(site, now) => {
                    self.site = *site;
                    self.begin_downtime_log(now);
                }
                Job::Save(files, then) => self.save(&files, then),
                Job::Load(files, client) => self.load(&files, client),
                Job::Append(file, line) => self.append(file, &line),
                Job::ReadDowntime(client) => {
                    let log = self.site.dtlogfile.as_deref().and_then(|file| std::fs::read(file).ok());
                    self.tell(Message::DowntimeRead { client, log: log.map(text::decode) });
                }
            }
        }
    }

    fn tell(&self, message: Message) {
        // The run loop is gone only when all is over.
        let _ = self.inbox.blocking_send(message);
    }

    fn save(&self, files: &[(StateFile, String)], then: Option<(ClientId, Answer<'static>)>) {
        for (file, text) in files {
            let path = self.site.statedir.join(file_name(*file));
            if let Err(error) = replace(&path, &text::encode(text)) {
                log(Level::Err, &format!("could not write state file {}: {}", path.display(), plain(&error)));
            }
        }
        if let Some((client, answer)) = then {
            self.tell(Message::Saved { client, answer });
        }
    }

    fn load(&self, files: &[StateFile], client: Option<ClientId>) {
        let read = |file| files.contains(&file).then(|| read_state(&self.site.statedir, file));
        let disabled = read(StateFile::Disabled);
        // Asked for both, the original gives up when the first cannot be read: state without its other half
        // is not what was saved.
        let services =
            if matches!(disabled, Some(None)) { None } else { read(StateFile::Opstatus).flatten() };
        let disabled = disabled.flatten().map(|text| statefile::parse_disabled(&text)).unwrap_or_default();
        let services = services.map(|text| statefile::parse_opstatus(&text)).unwrap_or_default();
        report(&disabled.1, &self.site.statedir, StateFile::Disabled);
        report(&services.1, &self.site.statedir, StateFile::Opstatus);
        let event = Event::StateRead { client, disabled: disabled.0, services: services.0 };
        self.tell(Message::Event(event));
    }

    fn append(&self, file: LogFile, line: &str) {
        let path = match file {
            LogFile::Downtime => &self.site.dtlogfile,
            LogFile::Alerts => &self.site.historicfile,
        };
        if let Some(path) = path {
            append(path, &[&text::encode(line), &b"\n"[..]].concat());
        }
    }

    fn begin_downtime_log(&self, now: Wall) {
        if let Some(path) = &self.site.dtlogfile {
            let head = format!(
                "#\n# downtime log start {now}\n\
                 # time back up, group, service, first failure, downtime, interval, summary\n#\n"
            );
            append(path, head.as_bytes());
        }
    }
}

/// In one write, so that a reader never sees half a line.
fn append(path: &Path, bytes: &[u8]) {
    let appended =
        OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| file.write_all(bytes));
    if let Err(error) = appended {
        log(Level::Err, &format!("could not append to {}: {}", path.display(), plain(&error)));
    }
}

fn read_state(statedir: &Path, file: StateFile) -> Option<String> {
    let path = statedir.join(file_name(file));
    match std::fs::read(&path) {
        Ok(bytes) => Some(text::decode(bytes)),
        Err(error) => {
            log(Level::Err, &format!("could not read state file {}: {}", path.display(), plain(&error)));
            None
        }
    }
}

/// A damaged file is told line by line, and kept: the next save replaces it.
fn report(bad: &[BadLine], statedir: &Path, file: StateFile) {
    if bad.is_empty() {
        return;
    }
    let path = statedir.join(file_name(file));
    for BadLine { number, problem } in bad {
        log(Level::Err, &format!("{}, line {number}: {problem}; skipped", path.display()));
    }
    match keep_damaged(&path) {
        Ok(copy) => log(Level::Err, &format!("the damaged file is kept as {}", copy.display())),
        Err(error) => log(Level::Err, &format!("the damaged file could not be kept: {}", plain(&error))),
    }
}
