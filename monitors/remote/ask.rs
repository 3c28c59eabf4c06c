//! One conversation with one mon server.

use std::time::{Instant, SystemTime};

use remon_core::text;
use remon_core::wire::client::{Client, ClientError};
use remon_core::wire::opstatus::StatusLine;

use super::judge::{Answer, Disabled, Scheduler, Seen};
use crate::link::{self, Link, Trouble};

/// Whom to ask, and what for.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) host: String,
    pub(super) port: u16,
    /// Name and password, where the server wants them.
    pub(super) login: Option<(String, String)>,
    /// Is the state of the scheduler wanted too?
    pub(super) state: bool,
    /// Is it wanted how alerts fared?
    pub(super) deliveries: bool,
    pub(super) deadline: Instant,
}

impl Question {
    /// Asks.
    pub(super) fn ask(&self) -> Seen {
        match link::connect(&self.host, self.port, self.deadline) {
            Ok(link) => self.converse(Client::new(link)).unwrap_or_else(|failure| failure),
            Err(Trouble::TimedOut) => Seen::TimedOut,
            Err(Trouble::Unresolved(_)) => Seen::NotConnected("could not resolve host".to_owned()),
            Err(Trouble::Failed(why)) => Seen::NotConnected(format!("connect failed, {why}")),
            Err(other) => Seen::NotConnected(format!("connect failed, {}", other.words())),
        }
    }

    fn converse(&self, mut client: Client<Link>) -> Result<Seen, Seen> {
        announce(&mut client)?;
        if let Some((user, password)) = &self.login {
            log_in(&mut client, user, password)?;
        }
        let lines = client.ask("list opstatus").map_err(|error| failure(error, Seen::NoStatus))?;
        let services = services(&lines).map_err(Seen::NoStatus)?;
        let disabled = disabled(&mut client)?;
        let mut answer = Answer { services, disabled, ..Answer::default() };
        let failing = answer.services.iter().any(|service| service.get("opstatus") == "0");
        if self.deliveries && failing {
            answer.deliveries = deliveries(&mut client)?;
        }
        if self.state || failing {
            answer.server_time = server_time(&mut client)?;
            answer.our_time = our_time();
        }
        if self.state {
            answer.scheduler = scheduler(&mut client)?;
        }
        // The farewell; whether the server still hears it does not matter.
        let _ = client.send("quit");
        Ok(Seen::Answer(Box::new(answer)))
    }
}

/// Says which protocol we speak.
pub(super) fn announce(client: &mut Client<Link>) -> Result<(), Seen> {
    client.protid().map_err(|error| match settled(error) {
        // Whatever answers so is no mon.
        ClientError::Refused(_) | ClientError::Closed | ClientError::TooLong => {
            Seen::NotConnected("connect failed, protocol mismatch".to_owned())
        }
        other => failure(other, Seen::NotConnected),
    })
}

/// What a broken conversation is to the monitor: a time-out is told as such wherever it happens.
pub(super) fn failure(error: ClientError, make: fn(String) -> Seen) -> Seen {
    let timed_out = |error: &std::io::Error| {
        matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock)
    };
    match settled(error) {
        ClientError::Io(error) if timed_out(&error) => Seen::TimedOut,
        error => make(error.to_string()),
    }
}

/// A server that has gone is told alike, whether we were reading or writing just then.
fn settled(error: ClientError) -> ClientError {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match error {
        ClientError::Io(error)
            if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) =>
        {
            ClientError::Closed
        }
        error => error,
    }
}

pub(super) fn log_in(client: &mut Client<Link>, user: &str, password: &str) -> Result<(), Seen> {
    let missing = match (user, password) {
        ("", _) => "no username",
        (_, "") => "no password",
        _ if [user, password].iter().any(|word| word.contains(char::is_whitespace)) => {
            "a blank cannot be spelled in the protocol"
        }
        _ => return client.login(user, password).map_err(|error| failure(error, Seen::NoLogin)),
    };
    Err(Seen::NoLogin(missing.to_owned()))
}

/// The services of the reply, or what is wrong with it. A line that is none must not pass for a service that is
/// well.
pub(super) fn services(lines: &[String]) -> Result<Vec<StatusLine>, String> {
    lines.iter().map(|line| service(line).ok_or_else(|| malformed(line))).collect()
}

fn service(line: &str) -> Option<StatusLine> {
    let service = StatusLine::parse(line)?;
    let number = |name| service.get(name).parse::<i64>().is_ok();
    let absent_or_number = |name| service.get(name).is_empty() || number(name);
    let good = number("opstatus") && absent_or_number("alerts_sent") && absent_or_number("failure_duration");
    good.then_some(service)
}

fn malformed(line: &str) -> String {
    let shown = text::display(line).chars().filter(|c| !c.is_control()).take(60).collect::<String>();
    format!("malformed line \"{shown}\"")
}

/// What is disabled there. A server that does not tell us is taken to have disabled nothing: so nothing is hidden.
pub(super) fn disabled(client: &mut Client<Link>) -> Result<Disabled, Seen> {
    match client.ask("list disabled") {
        Ok(lines) => Disabled::parse(&lines).map_err(|line| Seen::NoDisabled(malformed(&line))),
        Err(ClientError::Refused(_)) => Ok(Disabled::default()),
        Err(error) => Err(failure(error, Seen::NoDisabled)),
    }
}

/// How its alerts fared, as far as it tells us: the original does not know.
fn deliveries(client: &mut Client<Link>) -> Result<Vec<StatusLine>, Seen> {
    match client.ask("list deliveries") {
        Ok(lines) => Ok(lines.iter().filter_map(|line| StatusLine::parse(line)).collect()),
        Err(ClientError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(failure(error, Seen::NoStatus)),
    }
}

/// The clock of the server; `None` if it does not tell us.
pub(super) fn server_time(client: &mut Client<Link>) -> Result<Option<i64>, Seen> {
    let seconds = |lines: Vec<String>| lines.first()?.split_whitespace().next()?.parse().ok();
    match client.ask("servertime") {
        Ok(lines) => Ok(seconds(lines)),
        Err(ClientError::Refused(_)) => Ok(None),
        Err(error) => Err(failure(error, Seen::NoStatus)),
    }
}

pub(super) fn scheduler(client: &mut Client<Link>) -> Result<Scheduler, Seen> {
    match client.ask("list state") {
        Ok(lines) => Ok(Scheduler::parse(&lines)),
        Err(ClientError::Refused(_)) => Ok(Scheduler::Unknown),
        Err(error) => Err(failure(error, Seen::NoStatus)),
    }
}

pub(super) fn our_time() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
