//! The second look at a file that is too large to be searched at start for all that may be wrong with it.
//!
//! A process of its own takes it when the daemon is up, our own executable at the lowest priority, so that it costs
//! neither time nor memory of ours. What it prints goes to the log. Its standard input is a pipe that nobody writes
//! to: it ends with us, however we end, and with the next configuration.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread::JoinHandle;

use remon_core::engine::Level;
use remon_core::text;

use super::load::{self, Search};
use super::logging::log;
use super::options::{self, Asked, Options};
use super::site::Site;
use super::sys;

/// The first word of that process; the hash of what we have read follows, then the words that we were started with.
const WORD: &str = "search-for-daemon";
/// Lines that are logged; more of them help nobody.
const MOST_LINES: usize = 100_000;
/// Bytes of each.
const MOST_LINE: usize = 4096;
/// And of all together.
const MOST_BYTES: u64 = 64 << 20;

/// The search that is going on, if there is one.
#[derive(Default)]
pub(super) struct Checkup {
    /// Closing it ends the process.
    lifeline: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Checkup {
    /// A configuration came into force: its file is searched if that was not done when it was read. A search for the
    /// one before ends. Never waits.
    pub(super) fn begin(&mut self, options: &Options, site: &Site) {
        self.lifeline = None;
        if !site.read_briefly {
            return;
        }
        let before = self.thread.take();
        let (file, hash) = (options.config_path().display().to_string(), site.config_hash.clone());
        let started = io::pipe().and_then(|(lifeline, held)| {
            self.lifeline = Some(held);
            let search = move || {
                // Two at once would take twice the memory.
                let _ = before.map(JoinHandle::join);
                report(&file, search(&hash, lifeline));
            };
            std::thread::Builder::new().name("checkup".to_owned()).spawn(search)
        });
        match started {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => report(&options.config_path().display().to_string(), Err(error)),
        }
    }
}

/// Has the file searched, and logs what is found.
fn search(hash: &str, lifeline: PipeReader) -> io::Result<ExitStatus> {
    // Ourselves, whatever lies in the place of our file by now.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("mon").args([WORD, hash]).args(std::env::args_os().skip(1));
    command.process_group(0);
    let mut child = command.stdin(lifeline).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output.take(MOST_BYTES)).split(b'\n') {
            log(Level::Warning, &text::decode(line?));
        }
    }
    child.wait()
}

fn report(file: &str, ended: io::Result<ExitStatus>) {
    let why = match ended {
        Ok(status) if status.success() => {
            return log(Level::Info, &format!("{file} has been searched for all that may be wrong with it"));
        }
        // It was told to end.
        Ok(status) if status.signal() == Some(libc::SIGTERM) => return,
        Ok(status) => status.to_string(),
        Err(error) => load::plain(&error),
    };
    let text =
        format!("{file} could not be searched for all that may be wrong with it ({why}): mon check does it");
    log(Level::Warning, &text);
}

/// What the process does, if these are its words.
pub(super) fn asked(args: &[OsString]) -> Option<ExitCode> {
    let [_, word, hash, words @ ..] = args else { return None };
    if word != WORD {
        return None;
    }
    end_with_the_daemon();
    sys::yield_to_others();
    let args = [OsString::from("mon")].into_iter().chain(words.iter().cloned()).collect();
    let Asked::Run(options) = options::parse(args) else { return Some(ExitCode::from(2)) };
    let found = load::search(&options, &hash.to_string_lossy());
    Some(match found.and_then(|found| print(&options, &found)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Nothing ever comes from standard input but its end. An m4 that hangs is not left behind.
fn end_with_the_daemon() {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        sys::signal_group(std::process::id(), libc::SIGTERM);
        // We lead no group: somebody tries this by hand.
        std::process::exit(2);
    });
}

fn print(options: &Options, found: &Search) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let file = options.config_path();
    if found.is_another {
        writeln!(out, "{} was changed since it was read; this is about what is there now", file.display())?;
    }
    for line in found.lines.iter().take(MOST_LINES) {
        out.write_all(&text::encode(&text::cut(line, MOST_LINE)))?;
        out.write_all(b"\n")?;
    }
    let more = found.lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        writeln!(out, "{}: {more} more warnings: mon check tells them", file.display())?;
    }
    out.flush()
}
