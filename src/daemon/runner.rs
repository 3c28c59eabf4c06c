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
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use remon_core::engine::{AlertId, Ending, Event, Launch, RunId};
use remon_core::text;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
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

/// Hands children to be to the threads that start them.
pub(super) struct Runner {
    starters: Vec<UnboundedSender<Job>>,
    next: usize,
}

/// A run that was handed over.
#[derive(Debug)]
pub(super) struct RunHandle {
    kill: oneshot::Sender<()>,
    pid: Arc<AtomicU32>,
}

impl RunHandle {
    /// Ends the run with all its children.
    pub(super) fn kill(self) {
        // A run that is just ending needs no ending.
        let _ = self.kill.send(());
    }

    /// The process, once there is one.
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|&pid| pid != 0)
    }
}

/// One child to be.
struct Job {
    launch: Launch,
    role: Role,
}

/// What it is for.
enum Role {
    Monitor { run: RunId, pid: Arc<AtomicU32>, kill: oneshot::Receiver<()> },
    Alert { alert: AlertId, stdin: Arc<str> },
    Message,
}

impl Runner {
    /// Starts the starters: each is a thread with a runtime of its own, which also listens to the children that
    /// it started, so that a run wakes two threads and not five.
    ///
    /// Their queues are not bounded: the engine never asks for more than one run of a service, and the run
    /// loop must not wait.
    pub(super) fn start(inbox: &Inbox) -> io::Result<Runner> {
        let starter = |number| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (jobs, queue) = unbounded_channel();
            let work = work(queue, inbox.clone());
            std::thread::Builder::new()
                .name(format!("starter-{number}"))
                .spawn(move || runtime.block_on(work))?;
            Ok(jobs)
        };
        Ok(Runner { starters: (0..STARTERS).map(starter).collect::<io::Result<_>>()?, next: 0 })
    }

    /// Starts a monitor.
    pub(super) fn monitor(&mut self, run: RunId, launch: Launch) -> RunHandle {
        let (sender, kill) = oneshot::channel();
        let pid = Arc::new(AtomicU32::new(0));
        self.submit(Job { launch, role: Role::Monitor { run, pid: pid.clone(), kill } });
        RunHandle { kill: sender, pid }
    }

    /// Starts an alert.
    pub(super) fn alert(&mut self, alert: AlertId, launch: Launch, stdin: Arc<str>) {
        self.submit(Job { launch, role: Role::Alert { alert, stdin } });
    }

    /// Starts a program that nobody waits for.
    pub(super) fn forget(&mut self, launch: Launch) {
        self.submit(Job { launch, role: Role::Message });
    }

    fn submit(&mut self, job: Job) {
        self.next = (self.next + 1) % self.starters.len();
        // The starters end when this sender is gone, not before.
        let _ = self.starters[self.next].send(job);
    }
}

/// A starter's day: start what is asked for, and leave each child to a task.
async fn work(mut queue: UnboundedReceiver<Job>, inbox: Inbox) {
    while let Some(Job { launch, role }) = queue.recv().await {
        let started = start(&launch, matches!(role, Role::Alert { .. }));
        tokio::spawn(attend(started, role, inbox.clone()));
        // What the children said meanwhile has its turn before the next one is started.
        tokio::task::yield_now().await;
    }
}

/// Follows a child to its end, and tells of it.
async fn attend(started: io::Result<Started>, role: Role, inbox: Inbox) {
    let event = match role {
        Role::Monitor { run, pid, kill } => {
            let id = started.as_ref().ok().and_then(|started| started.child.id());
            pid.store(id.unwrap_or(0), Ordering::Relaxed);
            let (ending, kept) = follow_monitor(started, kill).await;
            Event::RunEnded { run, ending, output: kept.into_text() }
        }
        Role::Alert { alert, stdin } => {
            let (ending, last_words) = follow_alert(started, &stdin).await;
            Event::AlertEnded { alert, ending, last_words }
        }
        Role::Message => {
            follow_alert(started, "").await;
            return;
        }
    };
    // The run loop is gone only when all is over.
    let _ = inbox.send(Message::Event(event)).await;
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
