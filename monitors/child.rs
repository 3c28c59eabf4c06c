//! A program that is run by a monitor: its output is bounded, and so is its time, whatever it starts.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys;

/// Of what a program says, this much is kept; the rest is read and forgotten, so that it does not wait for us.
const MOST_BYTES: usize = 1 << 20;

/// How long a program's last words may take to arrive once it has ended. Whoever still holds its output then is
/// something that it left behind.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// These threads only wait.
const STACK_BYTES: usize = 64 << 10;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal.
    Signalled(i32),
    /// It did not, and was killed with all that it had started.
    TimedOut,
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Standard output and standard error, as they came.
    pub output: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// Runs a program with nothing on standard input, until it has ended or the deadline has come.
///
/// # Errors
/// When it cannot be started or watched.
pub(crate) fn run(mut command: Command, deadline: Instant) -> io::Result<Ran> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    sys::die_with_us(&mut command);
    let mut child = command.spawn()?;
    // It holds our ends of the pipe, whose end would else never be read.
    drop(command);
    let watched = watch(&child, reader, deadline);
    if !matches!(watched, Ok((_, true))) {
        sys::kill_group(child.id());
    }
    reaped(&mut child, watched)
}

fn reaped(child: &mut Child, watched: io::Result<(Vec<u8>, bool)>) -> io::Result<Ran> {
    let status = child.wait()?;
    let (output, ended) = watched?;
    let end = match (ended, status.code()) {
        (false, _) => End::TimedOut,
        (true, Some(code)) => End::Exited(code),
        (true, None) => End::Signalled(status.signal().unwrap_or_default()),
    };
    Ok(Ran { output, end })
}

enum Event {
    /// Nobody can say anything more.
    Closed,
    /// The program itself has ended.
    Ended,
}

/// What the child says, and whether it ended before the deadline.
fn watch(
    child: &Child,
    reader: impl Read + Send + 'static,
    deadline: Instant,
) -> io::Result<(Vec<u8>, bool)> {
    let (sender, events) = mpsc::channel();
    let output = Arc::new(Mutex::new(Vec::new()));
    let (kept, closed, pid) = (Arc::clone(&output), sender.clone(), child.id());
    let start = |work: Box<dyn FnOnce() + Send>| thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    start(Box::new(move || keep(reader, &kept, &closed)))?;
    start(Box::new(move || {
        sys::await_end(pid);
        let _ = sender.send(Event::Ended);
    }))?;
    let (mut ended, mut until) = (false, deadline);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(Event::Closed) => {}
            Ok(Event::Ended) => {
                ended = true;
                until = deadline.min(Instant::now() + LAST_WORDS);
            }
            // Both have come, or the time is up.
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => break,
        }
    }
    let output = std::mem::take(&mut *output.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((output, ended))
}

/// Reads to the end, and keeps the beginning.
fn keep(mut reader: impl Read, kept: &Mutex<Vec<u8>>, closed: &Sender<Event>) {
    let mut chunk = [0; 4096];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(size) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = MOST_BYTES.saturating_sub(kept.len());
                kept.extend_from_slice(&chunk[..size.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = closed.send(Event::Closed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> (Ran, Duration) {
        let begun = Instant::now();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        (run(command, begun + limit).expect("there is a shell"), begun.elapsed())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn output_and_ends() {
        let said = |script| shell(script, LONG).0;
        assert_eq!(
            said("echo a; echo b >&2; exit 3"),
            Ran { output: b"a\nb\n".to_vec(), end: End::Exited(3) }
        );
        assert_eq!(said("kill -TERM $$").end, End::Signalled(15));
        assert_eq!(said("read x; echo \"<$x>\"").output, b"<>\n");
        assert!(run(Command::new("/nonexistent"), Instant::now() + LONG).is_err());
    }

    #[test]
    fn endless_output_is_read_and_mostly_forgotten() {
        let (ran, _) = shell("head -c 3000000 /dev/zero", LONG);
        assert_eq!((ran.output.len(), ran.end), (MOST_BYTES, End::Exited(0)));
    }

    #[test]
    fn what_it_started_dies_with_it() {
        let (ran, took) = shell("echo begun; sleep 1000 & echo $!; wait", Duration::from_millis(300));
        assert_eq!(ran.end, End::TimedOut);
        assert!(took < Duration::from_secs(20), "{took:?}");
        let text = String::from_utf8(ran.output).expect("digits");
        let pid = text.lines().nth(1).expect("the number of the process").to_owned();
        let gone = || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Err(_) => true,
            // Until somebody reaps it.
            Ok(stat) => stat.contains(") Z "),
        };
        let patience = Instant::now() + Duration::from_secs(20);
        while !gone() {
            assert!(Instant::now() < patience, "process {pid} lives on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_it_leaves_behind_is_not_waited_for() {
        let (ran, took) = shell("sleep 30 & echo done", LONG);
        assert_eq!(ran, Ran { output: b"done\n".to_vec(), end: End::Exited(0) });
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
