//! `ssh.monitor`: can a command be run on a host over ssh?

use std::process::Command;
use std::time::{Duration, Instant};

use remon_core::{getopt, reason, text};

use crate::child::{self, End, Ran};
use crate::icmp::{self, Silence};
use crate::invocation::{self, Invocation};
use crate::report::Report;
use crate::{parallel, resolve};

const USAGE: &str = "usage: ssh.monitor [-t SECONDS] [-p PORT] [-F FILE] [-c COMMAND] [-A] HOST...

Runs a command on every host over ssh, with the keys and known hosts of the user
that mon runs as; fails if any host does not run it. A host that does not answer
pings is left to the service that pings it, and not tried.

  -t SECONDS  how long one host may take, all hosts at the same time (60)
  -p PORT     its port (as ssh is configured)
  -F FILE     configuration for ssh in place of ~/.ssh/config
  -c COMMAND  what to run there (/usr/bin/true)
  -A          try all hosts, without a ping first
      --help  this text
";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// As many pings as the original sends, one a second, and time for the last one's reply.
const PINGS: u32 = 4;
const PING_TIME: Duration = Duration::from_secs(6);

/// ssh's own status when it is ssh that failed.
const SSH_FAILED: i32 = 255;

/// What came of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The ssh command has ended, or was ended.
    Ran(Ran),
    /// It does not answer pings, so ssh was not tried.
    NotPinged,
    /// ssh was not tried, in words.
    Failed(String),
}

/// What is run.
#[derive(Debug, Clone)]
struct Question {
    flags: Vec<String>,
    command: String,
    ping: bool,
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters("t:p:F:c:A", &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
    // Without a terminal a question can only hang.
    let mut flags = vec!["-o".to_owned(), "BatchMode=yes".to_owned()];
    for letter in ["p", "F"] {
        flags.extend(options.truthy(letter).map(|value| format!("-{letter}{value}")));
    }
    let command = options.truthy("c").unwrap_or("/usr/bin/true").to_owned();
    let question = Question { flags, command, ping: !options.has("A") };
    let hosts = invocation::distinct(&options.words);
    let attempts = parallel::probe_hosts(&hosts, span, move |host, deadline| question.ask(host, deadline));
    let limit = invocation::seconds_as_written(options.value("t"), DEFAULT_TIMEOUT);
    judge(&hosts, &attempts, &limit).with_complaints(&options.complaints)
}

impl Question {
    fn ask(&self, host: &str, deadline: Instant) -> Attempt {
        if self.ping {
            // ssh's own configuration may give the name another meaning: what has no address is for ssh to judge.
            let address = resolve::first(host, 0, deadline).ok();
            let reply =
                address.map(|address| icmp::ping(address, PINGS, deadline.min(Instant::now() + PING_TIME)));
            if let Some(Err(Silence::TimedOut | Silence::Failed(_))) = reply {
                return Attempt::NotPinged;
            }
        }
        let mut command = Command::new("ssh");
        command.args(&self.flags).args(["--", host, &self.command]);
        match child::run(command, deadline) {
            Ok(ran) => Attempt::Ran(ran),
            Err(error) => Attempt::Failed(format!("ssh cannot be run: {}", reason::of(&error))),
        }
    }
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>], limit: &str) -> Report {
    let mut lines = Vec::new();
    let mut skipped = String::new();
    for (host, attempt) in hosts.iter().zip(attempts) {
        match attempt {
            Some(Attempt::Ran(Ran { end: End::Exited(0), .. })) => {}
            Some(Attempt::NotPinged) => {
                skipped += &format!("{host} does not answer pings: ssh was not tried\n")
            }
            Some(Attempt::Failed(why)) => lines.push((host.as_str(), why.clone())),
            Some(Attempt::Ran(ran)) => lines.push((host.as_str(), said(ran) + &words(ran.end, limit))),
            None => lines.push((host.as_str(), words(End::TimedOut, limit))),
        }
    }
    lines.sort_unstable();
    let told = lines.iter().map(|(host, words)| format!("{host}:{words}\n")).collect::<String>();
    Report::with_detail(lines.iter().map(|(host, _)| *host).collect(), told + &skipped)
}

/// What ssh said, without the end of its last line.
fn said(ran: &Ran) -> String {
    let text = text::decode(ran.output.clone()).replace("\r\n", "\n");
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

fn words(end: End, limit: &str) -> String {
    match end {
        End::Exited(SSH_FAILED) => "ssh command failed".to_owned(),
        End::Exited(status) => format!("exited with status {status}"),
        End::Signalled(signal) => format!("exited with signal {signal}"),
        End::TimedOut => format!("timeout({limit})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_the_original() {
        let hosts = ["d", "c", "b", "a", "e"].map(str::to_owned);
        let ran = |output: &str, end| Some(Attempt::Ran(Ran { output: output.into(), end }));
        let attempts = [
            ran("ssh: connect to host d port 22: Connection refused\r\n", End::Exited(255)),
            ran("", End::Exited(0)),
            ran("one\ntwo\n", End::Exited(3)),
            ran("", End::TimedOut),
            Some(Attempt::NotPinged),
        ];
        let report = judge(&hosts, &attempts, "60");
        assert_eq!(
            report.text(),
            "a b d\na:timeout(60)\nb:one\ntwoexited with status 3\n\
             d:ssh: connect to host d port 22: Connection refusedssh command failed\n\
             e does not answer pings: ssh was not tried\n"
        );
        assert_eq!(judge(&hosts[..1], &[ran("", End::Signalled(9))], "60").summary, "d");
        assert_eq!(judge(&hosts[..1], &[ran("", End::Exited(0))], "60"), Report::good());
        assert_eq!(judge(&hosts[..1], &[Some(Attempt::NotPinged)], "60").exit, 0);
        assert_eq!(judge(&hosts[..1], &[None], "60").exit, 1);
    }
}
