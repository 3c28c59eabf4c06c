//! Child processes: monitors and alerts are started, listened to and reaped here, and nowhere else.
//!
//! Starting a process blocks until it has been made, so it happens on two threads of its own. Each child gets
//! its own process group, one pipe for stdout and stderr together, and a bound on what is kept of it.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remon_core::engine::{AlertId, Ending, Event, Launch, RunId};
use remon_core::text;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::message::{Inbox, Message};
use super::sys;

/// Threads that start processes.
const STARTERS: usize = 2;
/// What is kept of a monitor's output; the rest is read, counted and dropped.
const MAX_OUTPUT: usize = 1024 * 1024;
/// What is kept of the end of an alert's output.
const MAX_LAST_WORDS: usize = 2048;
/// Linux refuses a longer argument or variable (128 KiB with its name).
const MAX_WORD: usize = 120 * 1024;
/// A run that is not wanted any more has this long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// The error of exec for a script that names no interpreter.
const ENOEXEC: i32 = 8;

/// Starts what it is given, in order.
pub(super) struct Runner {
    jobs: Sender<Job>,
}

/// One child to be.
struct Job {
    launch: Launch,
    role: Role,
}

/// What it is for.
enum Role {
    Monitor { run: RunId, kill: oneshot::Receiver<()> },
    Alert { alert: AlertId, stdin: Arc<str> },
    Message,
}

impl Runner {
    /// Starts the starters. The queue is not bounded: the engine never asks for more than one run of a service,
    /// and the run loop must not wait.
    pub(super) fn start(runtime: &Handle, inbox: &Inbox) -> io::Result<Runner> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..STARTERS {
            let starter = Starter { queue: queue.clone(), runtime: runtime.clone(), inbox: inbox.clone() };
            std::thread::Builder::new().name(format!("starter-{number}")).spawn(move || starter.work())?;
        }
        Ok(Runner { jobs })
    }

    /// Starts a monitor. Dropping what is returned does nothing; sending ends the run.
    pub(super) fn monitor(&self, run: RunId, launch: Launch) -> oneshot::Sender<()> {
        let (killer, kill) = oneshot::channel();
        self.submit(Job { launch, role: Role::Monitor { run, kill } });
        killer
    }

    /// Starts an alert.
    pub(super) fn alert(&self, alert: AlertId, launch: Launch, stdin: Arc<str>) {
        self.submit(Job { launch, role: Role::Alert { alert, stdin } });
    }

    /// Starts a program that nobody waits for.
    pub(super) fn forget(&self, launch: Launch) {
        self.submit(Job { launch, role: Role::Message });
    }

    fn submit(&self, job: Job) {
        // The starters end when this sender is gone, not before.
        let _ = self.jobs.send(job);
    }
}

struct Starter {
    queue: Arc<Mutex<Receiver<Job>>>,
    runtime: Handle,
    inbox: Inbox,
}

impl Starter {
    fn work(self) {
        // Makes the children known to the runtime that will wait for them.
        let _context = self.runtime.enter();
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { launch, role }) = next else { return };
            let started = start(&launch, matches!(role, Role::Alert { .. }));
            self.attend(started, role);
        }
    }

    /// Leaves a started child to a task of its own.
    fn attend(&self, started: io::Result<Started>, role: Role) {
        let inbox = self.inbox.clone();
        match role {
            Role::Monitor { run, kill } => {
                if let Ok(Started { child, .. }) = &started
                    && let Some(pid) = child.id()
                {
                    let _ = inbox.blocking_send(Message::Event(Event::RunStarted { run, pid }));
                }
                self.runtime.spawn(async move {
                    let (ending, kept) = follow_monitor(started, kill).await;
                    let event = Event::RunEnded { run, ending, output: kept.into_text() };
                    let _ = inbox.send(Message::Event(event)).await;
                });
            }
            Role::Alert { alert, stdin } => {
                self.runtime.spawn(async move {
                    let (ending, last_words) = follow_alert(started, &stdin).await;
                    let _ = inbox.send(Message::Event(Event::AlertEnded { alert, ending, last_words })).await;
                });
            }
            Role::Message => {
                self.runtime.spawn(async move { follow_alert(started, "").await });
            }
        }
    }
}

/// A child and the reading end of its output.
struct Started {
    child: Child,
    output: pipe::Receiver,
}

/// Starts a program. A script without `#!` is run by the shell, as Perl's exec does it.
fn start(launch: &Launch, wants_stdin: bool) -> io::Result<Started> {
    let path = os_string(&launch.program.path);
    match spawn(path.clone(), None, launch, wants_stdin) {
        Err(error) if error.raw_os_error() == Some(ENOEXEC) => {
            spawn("/bin/sh".into(), Some(path), launch, wants_stdin)
        }
        started => started,
    }
}

fn spawn(
    program: OsString,
    script: Option<OsString>,
    launch: &Launch,
    wants_stdin: bool,
) -> io::Result<Started> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(program);
    if let Some(name) = &launch.program.called {
        command.arg0(os_string(name));
    }
    command
        .args(script)
        .args(launch.args.iter().map(|word| os_string(word)))
        .envs(launch.env.iter().map(|(name, value)| (os_string(name), os_string(value))))
        .stdin(if wants_stdin { Stdio::piped() } else { Stdio::null() })
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0);
    sys::start_as_the_original(&mut command);
    let child = command.spawn()?;
    // The command still holds the writing ends: as long as it lives the output has no end.
    drop(command);
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok(Started { child, output })
}

/// The bytes of a text, without what the system cannot pass on: NUL, and more than fits.
fn os_string(word: &str) -> OsString {
    let bytes = text::encode(word);
    let mut bytes: Vec<u8> = if bytes.contains(&0) {
        bytes.iter().copied().filter(|&byte| byte != 0).collect()
    } else {
        bytes.into_owned()
    };
    bytes.truncate(MAX_WORD);
    OsString::from_vec(bytes)
}

/// What is kept of an output.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: usize,
}

impl Kept {
    fn add(&mut self, chunk: &[u8], most: usize) {
        let room = most.saturating_sub(self.bytes.len()).min(chunk.len());
        self.bytes.extend_from_slice(&chunk[..room]);
        self.dropped += chunk.len() - room;
    }

    fn into_text(mut self) -> String {
        if self.dropped > 0 {
            let note = format!("\n({} more bytes of output were dropped)\n", self.dropped);
            self.bytes.extend_from_slice(note.as_bytes());
        }
        text::decode(self.bytes)
    }
}

async fn follow_monitor(started: io::Result<Started>, kill: oneshot::Receiver<()>) -> (Ending, Kept) {
    let mut kept = Kept::default();
    let Started { mut child, mut output } = match started {
        Ok(started) => started,
        Err(error) => return (Ending::NotStarted(super::load::plain(&error)), kept),
    };
    let leader = child.id();
    let status = {
        let end = read_to_end(&mut child, &mut output, |chunk| kept.add(chunk, MAX_OUTPUT));
        tokio::pin!(end);
        tokio::select! {
            biased;
            status = &mut end => status,
            Ok(()) = kill => put_down(leader, end).await,
        }
    };
    (ending_of(status), kept)
}

/// Ends a run with all its children: kindly, then not.
async fn put_down(
    leader: Option<u32>,
    mut end: std::pin::Pin<&mut impl Future<Output = io::Result<ExitStatus>>>,
) -> io::Result<ExitStatus> {
    leader.iter().for_each(|&leader| sys::signal_group(leader, libc::SIGTERM));
    match tokio::time::timeout(GRACE, &mut end).await {
        Ok(status) => status,
        Err(_) => {
            leader.iter().for_each(|&leader| sys::signal_group(leader, libc::SIGKILL));
            end.await
        }
    }
}

/// Reads until the output ends and the child is reaped. A grandchild may keep the pipe open: what counts is the
/// child's end, after which only what is already there is read.
async fn read_to_end(
    child: &mut Child,
    output: &mut pipe::Receiver,
    mut keep: impl FnMut(&[u8]),
) -> io::Result<ExitStatus> {
    let mut chunk = vec![0; 16 * 1024];
    let mut open = true;
    let status = loop {
        tokio::select! {
            biased;
            read = output.read(&mut chunk), if open => match read {
                Ok(length) if length > 0 => keep(&chunk[..length]),
                _ => open = false,
            },
            status = child.wait() => break status,
        }
    };
    while open {
        match output.try_read(&mut chunk) {
            Ok(length) if length > 0 => keep(&chunk[..length]),
            _ => open = false,
        }
    }
    status
}

fn ending_of(status: io::Result<ExitStatus>) -> Ending {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code as u8),
            (None, signal) => Ending::Killed(signal.unwrap_or_default()),
        },
        Err(error) => Ending::NotStarted(format!("its end was missed: {error}")),
    }
}

async fn follow_alert(started: io::Result<Started>, stdin: &str) -> (Ending, String) {
    let Started { mut child, mut output } = match started {
        Ok(started) => started,
        Err(error) => return (Ending::NotStarted(super::load::plain(&error)), String::new()),
    };
    // An alert that does not read its input holds up nobody: the writing goes on beside the waiting.
    if let Some(pipe) = child.stdin.take() {
        let bytes = text::encode(stdin).into_owned();
        tokio::spawn(feed(pipe, bytes));
    }
    let mut last_words = Vec::new();
    let status = read_to_end(&mut child, &mut output, |chunk| {
        last_words.extend_from_slice(chunk);
        let surplus = last_words.len().saturating_sub(MAX_LAST_WORDS);
        last_words.drain(..surplus);
    })
    .await;
    let words = String::from_utf8_lossy(&last_words).trim().to_owned();
    (ending_of(status), words)
}

/// Many alerts ignore their input and end before it is written: a closed pipe is no error.
async fn feed(mut pipe: tokio::process::ChildStdin, bytes: Vec<u8>) {
    use tokio::io::AsyncWriteExt as _;
    let _ = pipe.write_all(&bytes).await;
}
