//! Mail by the local mail system: `sendmail -oi -t`, which takes the recipients from the header. Where that cannot work
//! for lack of a set-id bit, by the mail server of this machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use remon_core::{reason, text};

use crate::dispatch::{Outcome, no_answer};
use crate::{deliver, privilege, sys};

/// Where the program is: the first is the original's, the second is what some mail systems have alone.
const PROGRAMS: [&str; 2] = ["/usr/lib/sendmail", "/usr/sbin/sendmail"];

/// Between two looks at the program.
const PAUSE: Duration = Duration::from_millis(3);

/// What is kept of its complaints.
const MOST_COMPLAINTS: u64 = 4096;

/// How long its complaints may come after its end, when something it started holds the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Where a mail server of this machine listens.
pub const LOCAL_SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 25);

/// How long it may take to answer at all.
const NEARBY: Duration = Duration::from_secs(5);

/// Mail for the local mail system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendmail {
    /// The program, if it is not the usual one.
    pub program: Option<String>,
    /// Envelope sender and name of the sender.
    pub from: Option<String>,
    /// The mail, with LF line ends.
    pub mail: Vec<u8>,
    /// How many it goes to. The program does not tell them apart.
    pub recipients: usize,
    /// The same mail for the server at [`LOCAL_SERVER`].
    #[cfg(feature = "smtp")]
    pub instead: Option<Box<crate::smtp::Smtp>>,
}

/// Where this machine has the program, or where the original looks for it.
#[must_use]
pub fn usual_program() -> &'static str {
    PROGRAMS.iter().find(|program| Path::new(program).exists()).unwrap_or(&PROGRAMS[0])
}

impl Sendmail {
    /// Sends.
    pub(crate) fn send(&self, limit: Duration) -> Outcome {
        let program = deliver::path(self.program());
        let Some(barred) = privilege::barring(&program) else { return self.by_program(limit) };
        let served = listens(limit).and_then(|()| self.by_server(limit));
        let bars = format!("{} has no use of its set-id bit here (NoNewPrivileges)", barred.display());
        let why = match served {
            Ok(mut outcome) => {
                // Who reads of a server that he never named wants to know why it was asked.
                let why = format!("mail: by {LOCAL_SERVER}, as {bars}");
                outcome.failures.extend((!outcome.failures.is_empty()).then_some(why));
                return outcome;
            }
            Err(why) => why,
        };
        let bars = format!("{bars}, and {LOCAL_SERVER} takes no mail: {why}; mon doctor tells the ways out");
        // A helper that is barred makes its program wait for ever. One that is barred itself may yet do, or says why not.
        let is_itself = program.canonicalize().is_ok_and(|program| program == barred);
        let outcome = if is_itself { self.by_program(limit) } else { Outcome::default() };
        if outcome.accepted > 0 {
            return outcome;
        }
        let said = outcome.failures.into_iter();
        Outcome { accepted: 0, failures: said.chain([format!("mail: {bars}")]).collect() }
    }

    fn program(&self) -> &str {
        self.program.as_deref().unwrap_or_else(|| usual_program())
    }

    fn by_program(&self, limit: Duration) -> Outcome {
        match self.run(limit) {
            Ok(()) => Outcome { accepted: self.recipients, failures: Vec::new() },
            Err(why) => Outcome::failed(format!("mail: {why}")),
        }
    }

    #[cfg(feature = "smtp")]
    fn by_server(&self, limit: Duration) -> Result<Outcome, String> {
        let mail = self.instead.as_ref().ok_or("there is no address for it")?;
        Ok(mail.send(limit))
    }

    #[cfg(not(feature = "smtp"))]
    fn by_server(&self, _: Duration) -> Result<Outcome, String> {
        Err("SMTP is not part of this build".to_owned())
    }

    fn run(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut child =
            self.start().map_err(|error| format!("could not open pipe to mail: {}", reason::of(&error)))?;
        let written = feed(&mut child, self.mail.clone());
        let complaints = listen(&mut child);
        let status = loop {
            match child.try_wait().map_err(|error| reason::of(&error))? {
                Some(status) => break status,
                None if Instant::now() >= deadline => {
                    sys::kill_group(child.id());
                    let _ = child.wait();
                    return Err(no_answer(limit));
                }
                None => thread::sleep(PAUSE),
            }
        };
        let taken = written.recv_timeout(LAST_WORDS).unwrap_or(false);
        if status.success() && taken {
            return Ok(());
        }
        let said = complaints.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let what = match (status.success(), status.code()) {
            (true, _) => "sendmail did not read the mail".to_owned(),
            (false, Some(code)) => format!("sendmail ended with status {code}"),
            (false, None) => format!("sendmail was ended by {status}"),
        };
        Err(if said.is_empty() { what } else { format!("{what}: {said}") })
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(deliver::path(self.program()));
        command.args(["-oi", "-t"]);
        if let Some(from) = &self.from {
            // The address is one word, whatever it holds: no shell is between us.
            command.args(["-f", from, "-F", from]);
        }
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    }
}

/// Does anything listen at [`LOCAL_SERVER`]?
///
/// # Errors
/// Why it does not.
pub fn listens(limit: Duration) -> Result<(), String> {
    let connected = TcpStream::connect_timeout(&LOCAL_SERVER, limit.min(NEARBY));
    connected.map(drop).map_err(|error| reason::of(&error))
}

/// Writes the mail from a thread, as a program that does not read would hold us up. Tells whether all was taken.
fn feed(child: &mut Child, mail: Vec<u8>) -> Receiver<bool> {
    let (sender, taken) = mpsc::channel();
    if let Some(mut stdin) = child.stdin.take() {
        thread::spawn(move || {
            let whole = stdin.write_all(&mail).is_ok();
            drop(stdin);
            let _ = sender.send(whole);
        });
    }
    taken
}

/// Reads its complaints from a thread, as something it left behind may hold the pipe open for ever.
fn listen(child: &mut Child) -> Receiver<String> {
    let (sender, said) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut kept = Vec::new();
            let _ = (&mut stderr).take(MOST_COMPLAINTS).read_to_end(&mut kept);
            drop(sender.send(text::decode(kept)));
            // Go on reading, or it blocks.
            let _ = io::copy(&mut stderr, &mut io::sink());
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(program: &str, limit_ms: u64) -> Outcome {
        let mail = Sendmail {
            program: Some(program.to_owned()),
            from: None,
            mail: b"To: a\n\nx\n".repeat(20_000),
            recipients: 2,
            #[cfg(feature = "smtp")]
            instead: None,
        };
        mail.send(Duration::from_millis(limit_ms))
    }

    fn script(text: &str) -> String {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("remon-sendmail-{}-{count}", std::process::id()));
        // Written by a process of its own: a child that another test starts meanwhile would hold a file that we
        // have open for writing, and the system runs no program that somebody may still write to.
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$0" && chmod 755 "$0""#;
        let written = Command::new("/bin/sh").arg("-c").arg(write).arg(&path).arg(text).status();
        assert!(written.is_ok_and(|status| status.success()), "{}", path.display());
        path.to_str().expect("it is plain text").to_owned()
    }

    #[test]
    fn what_the_program_does_is_told() {
        for (text, expect) in [
            ("cat >/dev/null", None),
            (
                "cat >/dev/null; echo 'no such user' >&2; exit 67",
                Some("sendmail ended with status 67: no such user"),
            ),
            ("exit 0", Some("sendmail did not read the mail")),
            ("cat >/dev/null; kill -9 $$", Some("sendmail was ended by signal: 9 (SIGKILL)")),
            (
                "cat >/dev/null; (sleep 60; echo x >&2) & echo bad >&2; exit 1",
                Some("sendmail ended with status 1"),
            ),
        ] {
            let program = script(text);
            let begun = Instant::now();
            let outcome = outcome(&program, 20_000);
            let _ = std::fs::remove_file(&program);
            assert!(begun.elapsed() < Duration::from_secs(15), "{text}");
            let failures = expect.map(|why| format!("mail: {why}"));
            assert_eq!(outcome.failures, failures.into_iter().collect::<Vec<_>>(), "{text}");
            assert_eq!(outcome.accepted, if expect.is_none() { 2 } else { 0 });
        }
        let missing = outcome("/nonexistent/sendmail", 1000);
        assert_eq!(missing.failures, ["mail: could not open pipe to mail: No such file or directory"]);
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_it_started() {
        let program = script("sleep 600 & wait");
        let begun = Instant::now();
        let outcome = outcome(&program, 300);
        let _ = std::fs::remove_file(&program);
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(outcome.failures, ["mail: no answer within 0.3 s"]);
    }
}
