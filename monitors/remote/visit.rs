//! A look at another mon server before it counts: is it there, does it let us in, and what does it ask about us?

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use remon_core::wire::client::{Client, ClientError};
use remon_core::wire::opstatus::StatusLine;
use remon_core::{getopt, netdb, words};

use super::ask;
use super::judge::{Disabled, Scheduler, Seen};
use super::select::Selection;
use super::{OPTIONS, read_passwords, rules};
use crate::link::{self, Link, Trouble};

/// What a line with remote.monitor says.
#[derive(Debug, Clone)]
pub struct Line {
    /// Whom it asks.
    pub servers: Vec<Server>,
    /// What is wrong with it.
    pub complaints: Vec<String>,
    exclude: Selection,
}

/// One server that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// As it stands in mon.cf.
    pub word: String,
    /// Name or address.
    pub host: String,
    /// Its port; `None` for one that is no number.
    pub port: Option<u16>,
    login: Option<(String, String)>,
}

/// What was found at a server.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Its services.
    pub services: Vec<StatusLine>,
    /// The hosts of the groups whose services ask other mon servers.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// Its scheduler does not run.
    pub stopped: bool,
    /// Seconds that its clock is ahead of ours.
    pub clock_ahead: Option<i64>,
    /// Our address as seen from there, and its own.
    pub addresses: Option<(IpAddr, IpAddr)>,
    disabled: Disabled,
}

impl Line {
    /// Reads the words behind `remote.monitor`, and the password file that they name if `with_passwords`.
    #[must_use]
    pub fn read(words: &[String], with_passwords: bool) -> Line {
        let mut options = getopt::long(&OPTIONS, words);
        let exclude = rules(&mut options).exclude;
        let file = options.value("passwordfile").filter(|_| with_passwords);
        let passwords = read_passwords(file).unwrap_or_else(|complaint| {
            options.complaints.push(complaint);
            Default::default()
        });
        let default_port = options.truthy("port");
        let server = |word: &String| {
            let (host, port) = netdb::split_port(word);
            let port = port.or(default_port).map_or(Some(netdb::MON_PORT), |port| port.parse().ok());
            let login = passwords.find(word, host);
            let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
            Server { word: word.clone(), host: host.to_owned(), port, login }
        };
        Line { servers: options.words.iter().map(server).collect(), complaints: options.complaints, exclude }
    }

    /// Reads a whole monitor line, as mon.cf and `list opstatus` have it; `hosts` are those of the group, which are
    /// asked unless the line ends in `;;`. `None` if it is about another monitor.
    #[must_use]
    pub fn of_monitor(text: &str, hosts: &[String], with_passwords: bool) -> Option<Line> {
        let (text, hosts) = match text.trim().strip_suffix(";;") {
            Some(text) => (text.trim_end(), &[][..]),
            None => (text.trim(), hosts),
        };
        let mut words = words::split(text).ok()?;
        if words.first()?.rsplit('/').next() != Some("remote.monitor") {
            return None;
        }
        words.extend(hosts.iter().cloned());
        Some(Line::read(&words[1..], with_passwords))
    }

    /// Does it leave out that service?
    #[must_use]
    pub fn excludes(&self, watch: &str, service: &str) -> bool {
        self.exclude.names(watch, service)
    }

    /// What it leaves out by name, as watch and service; one of them may be empty.
    pub fn excluded(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exclude.plain()
    }
}

impl Server {
    /// Asks.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn visit(&self, limit: Duration) -> Result<Visit, String> {
        let deadline = Instant::now() + limit;
        let port = self.port.ok_or("there is no such port")?;
        let link = link::connect(&self.host, port, deadline).map_err(|error| match error {
            Trouble::TimedOut => words_of(Seen::TimedOut, limit),
            Trouble::Unresolved(_) => "the name has no address".to_owned(),
            Trouble::Failed(why) => why,
            other => other.words(),
        })?;
        self.converse(Client::new(link)).map_err(|seen| words_of(seen, limit))
    }

    fn converse(&self, mut client: Client<Link>) -> Result<Visit, Seen> {
        let addresses = client.stream().addresses();
        ask::announce(&mut client)?;
        if let Some((user, password)) = &self.login {
            ask::log_in(&mut client, user, password)?;
        }
        let lines = client.ask("list opstatus").map_err(|error| ask::failure(error, Seen::NoStatus))?;
        let services = ask::services(&lines).map_err(Seen::NoStatus)?;
        let disabled = ask::disabled(&mut client)?;
        let clock_ahead = ask::server_time(&mut client)?.map(|time| time.saturating_sub(ask::our_time()));
        let stopped = ask::scheduler(&mut client)? == Scheduler::Stopped;
        let mut hosts = BTreeMap::new();
        for service in services.iter().filter(|service| asks_servers(service)) {
            let group = service.group().to_owned();
            let told = hosts_of(&mut client, &group)?;
            hosts.insert(group, told);
        }
        let _ = client.send("quit");
        Ok(Visit { services, hosts, stopped, clock_ahead, addresses, disabled })
    }
}

impl Visit {
    /// A visit of which no more is known than this.
    #[must_use]
    pub fn of(services: Vec<StatusLine>, addresses: Option<(IpAddr, IpAddr)>) -> Visit {
        Visit { services, addresses, ..Visit::default() }
    }

    /// The services that ask other mon servers, with what they ask.
    pub fn watchers(&self) -> impl Iterator<Item = (&StatusLine, Line)> {
        self.services.iter().filter_map(|service| {
            let hosts = self.hosts.get(service.group()).map_or(&[][..], Vec::as_slice);
            Some((service, Line::of_monitor(service.get("monitor"), hosts, false)?))
        })
    }

    /// Is that service disabled there?
    #[must_use]
    pub fn is_disabled(&self, watch: &str, service: &str) -> bool {
        self.disabled.has_service(watch, service) || self.disabled.has_watch(watch)
    }
}

fn asks_servers(service: &StatusLine) -> bool {
    Line::of_monitor(service.get("monitor"), &[], false).is_some()
}

/// `hostgroup NAME h1 h2`; a server that does not tell us has none.
fn hosts_of(client: &mut Client<Link>, group: &str) -> Result<Vec<String>, Seen> {
    match client.ask(&format!("list group {group}")) {
        Ok(lines) => {
            let words = lines.iter().filter_map(|line| line.strip_prefix("hostgroup "));
            let hosts = words.flat_map(|line| line.split_whitespace().skip(1));
            Ok(hosts.filter(|host| !host.starts_with('*')).map(str::to_owned).collect())
        }
        Err(ClientError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(ask::failure(error, Seen::NoStatus)),
    }
}

fn words_of(seen: Seen, limit: Duration) -> String {
    match seen {
        Seen::TimedOut => format!("no answer within {} s", limit.as_secs_f64()),
        Seen::NotConnected(why) if why.contains("protocol mismatch") => {
            "what answers there is no mon".to_owned()
        }
        Seen::NotConnected(why) => why,
        Seen::NoLogin(why) => format!("login: {why}"),
        Seen::NoStatus(why) => format!("it does not tell the status of its services: {why}"),
        Seen::NoDisabled(why) => format!("it does not tell what is disabled: {why}"),
        Seen::Answer(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let read = |text: &str| {
            let hosts = ["h1".to_owned()];
            let line = Line::of_monitor(text, &hosts, false)?;
            let servers = line.servers.iter().map(|server| format!("{}:{:?}", server.host, server.port));
            Some((servers.collect::<Vec<_>>().join(" "), line.excludes("a", "b")))
        };
        for (text, expect) in [
            ("remote.monitor", Some(("h1:Some(2583)", false))),
            ("remote.monitor -p 99 --exclude a:b s t:7 ;;", Some(("s:Some(99) t:Some(7)", true))),
            ("/usr/lib/mon/mon.d/remote.monitor --exclude=a [::1]:x ;;", Some(("::1:None", true))),
            ("fping.monitor s", None),
            ("remote.monitor 's", None),
            ("", None),
        ] {
            let expect = expect.map(|(servers, excludes): (&str, bool)| (servers.to_owned(), excludes));
            assert_eq!(read(text), expect, "{text}");
        }
    }

    #[test]
    fn a_server_that_is_not_there() {
        let line = Line::of_monitor("remote.monitor 127.0.0.9:1 127.0.0.1:x ;;", &[], false)
            .expect("it is remote.monitor");
        let visit = |index: usize| line.servers[index].visit(Duration::from_secs(5)).map(|_| ());
        assert_eq!(visit(0), Err("Connection refused".to_owned()));
        assert_eq!(visit(1), Err("there is no such port".to_owned()));
    }
}
