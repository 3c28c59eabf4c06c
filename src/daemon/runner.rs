//! Child processes: monitors and alerts are started, listened to and reaped here, and nowhere else.
//!
//! Starting a process blocks until it has been made, so it happens on two threads of its own. Each child gets
//! its own process group, one pipe for stdout and stderr together, and a bound on what is kept of it.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use remon_core::engine::{AlertId, Ending, Event, Launch, RunId, Stop};
use remon_core::text;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::message::{Inbox, Message};
use super::spawn::{Process, Start};
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
/// The next messenger sets out after this, whatever became of the one before.
const MESSENGER_PATIENCE: Duration = Duration::from_secs(60);
/// Runs scripts that name no interpreter.
const SHELL: &CStr = c"/bin/sh";
/// What a pipe holds, on Linux, unless somebody asked for more.
const PIPE_SIZE: usize = 64 * 1024;
/// Open files of a run: its output, and the descriptor that tells its end.
pub(super) const FILES_PER_RUN: usize = 2;

/// Hands children to be to the threads that start them.
pub(super) struct Runner {
    starters: Vec<UnboundedSender<Job>>,
    next: usize,
    messengers: UnboundedSender<Launch>,
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

/// An alert that was handed over.
#[derive(Debug)]
pub(super) struct AlertHandle {
    stop: UnboundedSender<Stop>,
}

impl AlertHandle {
    /// Ends the alert with all its children, one way or the other.
    pub(super) fn end(&self, how: Stop) {
        // One that is just ending needs no ending.
        let _ = self.stop.send(how);
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
    Alert { alert: AlertId, stdin: Arc<str>, stop: UnboundedReceiver<Stop> },
}

impl Runner {
    /// Starts the starters: each is a thread with a runtime of its own, which also listens to the children that
    /// it started, so that a run wakes two threads and not five.
    ///
    /// Their queues are not bounded: the engine never asks for more than one run of a service, and the run
    /// loop must not wait.
    pub(super) fn start(inbox: &Inbox) -> io::Result<Runner> {
        let starter = |number| {
            let (jobs, queue) = unbounded_channel();
            start_thread(format!("starter-{number}"), work(queue, inbox.clone()))?;
            Ok(jobs)
        };
        let (messengers, queue) = unbounded_channel();
        start_thread("messenger".to_owned(), one_by_one(queue))?;
        Ok(Runner { starters: (0..STARTERS).map(starter).collect::<io::Result<_>>()?, next: 0, messengers })
    }

    /// Starts a monitor.
    pub(super) fn monitor(&mut self, run: RunId, launch: Launch) -> RunHandle {
        let (sender, kill) = oneshot::channel();
        let pid = Arc::new(AtomicU32::new(0));
        self.submit(Job { launch, role: Role::Monitor { run, pid: pid.clone(), kill } });
        RunHandle { kill: sender, pid }
    }

    /// Starts an alert.
    pub(super) fn alert(&mut self, alert: AlertId, launch: Launch, stdin: Arc<str>) -> AlertHandle {
        let (sender, stop) = unbounded_channel();
        self.submit(Job { launch, role: Role::Alert { alert, stdin, stop } });
        AlertHandle { stop: sender }
    }

    /// Starts a program that carries a message; when the one before it has ended.
    pub(super) fn send_messenger(&self, launch: Launch) {
        // The thread ends when this sender is gone, not before.
        let _ = self.messengers.send(launch);
    }

    fn submit(&mut self, job: Job) {
        self.next = (self.next + 1) % self.starters.len();
        // The starters end when this sender is gone, not before.
        let _ = self.starters[self.next].send(job);
    }
}

/// Runs `work` on a thread and a runtime of its own.
fn start_thread(name: String, work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name).spawn(move || runtime.block_on(work))?;
    Ok(())
}

/// Messages arrive in the order in which things happened: `disable` before `enable`. A messenger that does not
/// come back is not waited for longer than [`MESSENGER_PATIENCE`].
async fn one_by_one(mut queue: UnboundedReceiver<Launch>) {
    while let Some(launch) = queue.recv().await {
        let started = start(&launch, false);
        let (_, nothing) = unbounded_channel();
        let errand = tokio::spawn(async move { follow_alert(started, "", nothing).await });
        // It goes on by itself; its output and its end are still looked after.
        let _ = tokio::time::timeout(MESSENGER_PATIENCE, errand).await;
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
            pid.store(started.as_ref().map_or(0, |started| started.child.id()), Ordering::Relaxed);
            let (ending, kept) = follow_monitor(started, kill).await;
            Event::RunEnded { run, ending, output: kept.into_text() }
        }
        Role::Alert { alert, stdin, stop } => {
            let (ending, last_words, signalled) = follow_alert(started, &stdin, stop).await;
            Event::AlertEnded { alert, ending, last_words, signalled }
        }
    };
    // The run loop is gone only when all is over.
    let _ = inbox.send(Message::Event(event)).await;
}

/// A child, the reading end of its output, and the writing end of its stdin.
struct Started {
    child: Process,
    output: pipe::Receiver,
    stdin: Option<pipe::Sender>,
}

/// Starts a program. A script without `#!` is run by the shell, as Perl's exec does it.
fn start(launch: &Launch, wants_stdin: bool) -> io::Result<Started> {
    let path = c_string(&launch.program.path);
    let called = launch.program.called.as_deref().map_or_else(|| path.clone(), c_string);
    let mut args: Vec<CString> =
        [called].into_iter().chain(launch.args.iter().map(|word| c_string(word))).collect();
    match spawn(&path, &args, launch, wants_stdin) {
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            args.splice(..1, [SHELL.to_owned(), path]);
            spawn(SHELL, &args, launch, wants_stdin)
        }
        started => started,
    }
}

fn spawn(path: &CStr, args: &[CString], launch: &Launch, wants_stdin: bool) -> io::Result<Started> {
    let (reader, writer) = io::pipe()?;
    let env: Vec<CString> =
        launch.env.iter().map(|(name, value)| c_string(&format!("{name}={value}"))).collect();
    let (input, stdin) = if wants_stdin {
        let (input, stdin) = io::pipe()?;
        (OwnedFd::from(input), Some(pipe::Sender::from_owned_fd(OwnedFd::from(stdin))?))
    } else {
        (OwnedFd::from(File::open("/dev/null")?), None)
    };
    let start = Start { path, args, env: &env, stdin: input.as_fd(), output: writer.as_fd() };
    let child = Process::start(&start)?;
    // Our copies of the child's ends are closed here: as long as one is open the output has no end.
    drop((input, writer));
    Ok(Started { child, output: pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, stdin })
}

/// The bytes of a text, without what the system cannot pass on: NUL, and more than fits.
fn c_string(word: &str) -> CString {
    let mut bytes = text::encode(word).into_owned();
    bytes.retain(|&byte| byte != 0);
    bytes.truncate(MAX_WORD);
    CString::new(bytes).unwrap_or_default()
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
    let Started { child, mut output, .. } = match started {
        Ok(started) => started,
        Err(error) => return (Ending::NotStarted(super::load::plain(&error)), kept),
    };
    let leader = child.id();
    let status = {
        let end = read_to_end(child.wait(), &mut output, |chunk| kept.add(chunk, MAX_OUTPUT));
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
    leader: u32,
    mut end: std::pin::Pin<&mut impl Future<Output = io::Result<ExitStatus>>>,
) -> io::Result<ExitStatus> {
    sys::signal_group(leader, libc::SIGTERM);
    match tokio::time::timeout(GRACE, &mut end).await {
        Ok(status) => status,
        Err(_) => {
            sys::signal_group(leader, libc::SIGKILL);
            end.await
        }
    }
}

/// Reads until the output ends and the child is reaped. A grandchild may keep the pipe open: what counts is the
/// child's end, after which only what is already there is read: as much as a pipe holds, for it may go on writing.
async fn read_to_end(
    ended: impl Future<Output = io::Result<ExitStatus>>,
    output: &mut pipe::Receiver,
    mut keep: impl FnMut(&[u8]),
) -> io::Result<ExitStatus> {
    let mut chunk = vec![0; 16 * 1024];
    let mut open = true;
    tokio::pin!(ended);
    let status = loop {
        tokio::select! {
            biased;
            // First, or a grandchild that writes without end would hide it.
            status = &mut ended => break status,
            read = output.read(&mut chunk), if open => match read {
                Ok(length) if length > 0 => keep(&chunk[..length]),
                _ => open = false,
            },
        }
    };
    let mut left = PIPE_SIZE;
    while open && left > 0 {
        match output.try_read(&mut chunk) {
            Ok(length) if length > 0 => {
                keep(&chunk[..length]);
                left = left.saturating_sub(length);
            }
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

/// How an alert ends, what it says last, and whether it is ended by us.
async fn follow_alert(
    started: io::Result<Started>,
    stdin: &str,
    mut stop: UnboundedReceiver<Stop>,
) -> (Ending, String, bool) {
    let Started { child, mut output, stdin: pipe } = match started {
        Ok(started) => started,
        Err(error) => return (Ending::NotStarted(super::load::plain(&error)), String::new(), false),
    };
    // An alert that does not read its input holds up nobody: the writing goes on beside the waiting.
    if let Some(pipe) = pipe {
        let bytes = text::encode(stdin).into_owned();
        tokio::spawn(feed(pipe, bytes));
    }
    let mut last_words = Vec::new();
    let put_down = AtomicBool::new(false);
    let status = {
        let end = read_to_end(reap(&child, &put_down), &mut output, |chunk| {
            last_words.extend_from_slice(chunk);
            let surplus = last_words.len().saturating_sub(MAX_LAST_WORDS);
            last_words.drain(..surplus);
        });
        tokio::pin!(end);
        loop {
            tokio::select! {
                biased;
                status = &mut end => break status,
                Some(how) = stop.recv() => {
                    put_down.store(true, Ordering::Relaxed);
                    let signal = match how { Stop::Term => libc::SIGTERM, Stop::Kill => libc::SIGKILL };
                    sys::signal_group(child.id(), signal);
                }
            }
        }
    };
    let words = String::from_utf8_lossy(&last_words).trim().to_owned();
    (ending_of(status), words, put_down.into_inner())
}

/// Waits for the end of an alert. What is left of one that had to be ended goes with it; what one that ended by
/// itself has left behind is its own affair.
async fn reap(child: &Process, put_down: &AtomicBool) -> io::Result<ExitStatus> {
    child.ended().await?;
    if put_down.load(Ordering::Relaxed) {
        sys::signal_group(child.id(), libc::SIGKILL);
    }
    child.wait().await
}

/// Many alerts ignore their input and end before it is written: a closed pipe is no error.
async fn feed(mut pipe: pipe::Sender, bytes: Vec<u8>) {
    use tokio::io::AsyncWriteExt as _;
    let _ = pipe.write_all(&bytes).await;
}
