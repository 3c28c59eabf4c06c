//! `mon.monitor`: does a mon server answer, and does its scheduler run?

use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, WouldBlock};
use std::time::{Duration, Instant};

use remon_core::wire::client::{Client, ClientError};
use remon_core::{getopt, netdb};

use crate::invocation::{self, Invocation};
use crate::link::{self, Link, Trouble};
use crate::report::Report;
use crate::{parallel, port};

const USAGE: &str = "usage: mon.monitor [-p PORT] [-u USER -P PASSWORD] [-t SECONDS] SERVER...

Asks every mon server for the state of its scheduler; fails if any does not
answer. A scheduler that was stopped is told, and no failure.

  -p PORT      number or name of the port (2583)
  -u USER      log in first; for servers that want it for `list state`
  -P PASSWORD  with this password
  -t SECONDS   how long one server may take, all at the same time (30)
      --help   this text
";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What came of one server: its state, or why that is not known.
pub type Attempt = Result<String, String>;

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters("u:p:P:t:", &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let login = options.truthy("u").zip(options.truthy("P"));
    let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
    let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
    let hosts = &options.words;
    let attempts = match port::named(options.truthy("p"), netdb::MON_PORT) {
        Ok(port) => parallel::probe_hosts(hosts, span, move |host, deadline| {
            probe(host, port, login.as_ref(), deadline)
        }),
        Err(unknown) => hosts.iter().map(|_| Some(Err(format!("connect failed, {unknown}")))).collect(),
    };
    judge(hosts, &attempts).with_complaints(&options.complaints)
}

fn probe(host: &str, port: u16, login: Option<&(String, String)>, deadline: Instant) -> Attempt {
    match link::connect(host, port, deadline) {
        Ok(link) => converse(&mut Client::new(link), login),
        Err(Trouble::TimedOut) => Err("timeout".to_owned()),
        Err(Trouble::Unresolved(_)) => Err("could not resolve host".to_owned()),
        Err(Trouble::Failed(why)) => Err(format!("connect failed, {why}")),
        Err(other) => Err(format!("connect failed, {}", other.words())),
    }
}

fn converse(client: &mut Client<Link>, login: Option<&(String, String)>) -> Attempt {
    client.protid().map_err(|error| match error {
        // Whatever answers so is no mon.
        ClientError::Refused(_) | ClientError::Closed | ClientError::TooLong => mismatch(),
        ClientError::Io(error)
            if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) =>
        {
            mismatch()
        }
        other => words(other),
    })?;
    if let Some((user, password)) = login {
        client.login(user, password).map_err(words)?;
    }
    let lines = client.ask("list state").map_err(words)?;
    // The farewell; whether the server still hears it does not matter.
    let _ = client.send("quit");
    state(&lines)
}

/// `1 scheduler running`, or `0` and the moment when it was stopped.
fn state(lines: &[String]) -> Attempt {
    let line = lines.iter().find(|line| line.contains("scheduler")).ok_or("no answer to list state")?;
    if line.contains("scheduler running") {
        return Ok(format!("1 {line}"));
    }
    let since = line.split_once("scheduler stopped since ").map(|(_, since)| since);
    let digits = |since: &str| since.chars().take_while(char::is_ascii_digit).collect::<String>();
    let since = since.map(digits).filter(|since| !since.is_empty());
    since.map(|since| format!("0 {since}")).ok_or_else(|| format!("unknown state: {line}"))
}

fn mismatch() -> String {
    "connect failed, protocol mismatch".to_owned()
}

fn words(error: ClientError) -> String {
    match error {
        ClientError::Io(error) if matches!(error.kind(), TimedOut | WouldBlock) => "timeout".to_owned(),
        error => error.to_string(),
    }
}

/// Turns the attempts, in the order of the servers, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>]) -> Report {
    let (mut failed, mut detail) = (Vec::new(), String::new());
    for (host, attempt) in hosts.iter().zip(attempts) {
        let words = match attempt {
            Some(Ok(state)) => state,
            Some(Err(why)) => why,
            None => "timeout",
        };
        detail += &format!("{host}: {words}\n");
        if !matches!(attempt, Some(Ok(_))) {
            failed.push(host.as_str());
        }
    }
    let mut report = Report::with_detail(failed, detail);
    if report.exit == 0 {
        report.summary = "no failures".to_owned();
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let state = |line: &str| state(&[line.to_owned()]);
        assert_eq!(state("scheduler running"), Ok("1 scheduler running".to_owned()));
        assert_eq!(state("scheduler stopped since 1795346603"), Ok("0 1795346603".to_owned()));
        assert_eq!(state("scheduler asleep"), Err("unknown state: scheduler asleep".to_owned()));
        assert!(state("hello").is_err() && super::state(&[]).is_err());
    }

    #[test]
    fn the_report_of_the_original() {
        let hosts = ["b", "c", "a"].map(str::to_owned);
        let running = || Some(Ok("1 scheduler running".to_owned()));
        let report = judge(&hosts, &[None, running(), Some(Err("could not resolve host".to_owned()))]);
        assert_eq!(
            (report.text().as_str(), report.exit),
            ("a b\nb: timeout\nc: 1 scheduler running\na: could not resolve host\n", 1)
        );
        assert_eq!(judge(&hosts[..1], &[running()]).text(), "no failures\nb: 1 scheduler running\n");
        assert_eq!(judge(&[], &[]).text(), "no failures\n");
    }
}
