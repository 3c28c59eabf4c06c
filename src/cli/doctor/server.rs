//! The daemon: does it run, with this program and this configuration, and are its ports its own?

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use remon_core::wire::client::{Client, ClientError};
use remon_core::{auth, text};

use super::Patient;
use super::report::{Area, Finding};
use super::sockets::{Holder, Sockets, Taken};
use super::sys::User;
use super::together::Job;
use crate::cli::link::{Link, Target};

/// The kernel tells the start of a process no closer.
const TO_THE_SECOND: Duration = Duration::from_secs(1);

/// What is known of the daemon before it is asked.
struct Known {
    host: String,
    port: u16,
    file: std::path::PathBuf,
    user: User,
    limit: Duration,
    clients: Option<Taken>,
    traps: Option<Taken>,
    trapport: u16,
    /// Does the configuration ask other servers, which then should be able to ask us?
    has_peers: bool,
    /// May somebody without a password ask what a reload would change? To be refused would be an error in its log.
    may_ask: bool,
}

pub(super) fn look(patient: &Patient, sockets: &Sockets, has_peers: bool) -> Job {
    let places = &patient.places;
    let known = Known {
        host: places.serverbind.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: places.serverport,
        file: patient.file.clone(),
        user: patient.user.clone(),
        limit: patient.limit,
        clients: sockets.tcp(address(places.serverbind.as_deref()), places.serverport).cloned(),
        traps: sockets.udp(address(places.trapbind.as_deref()), places.trapport).cloned(),
        trapport: places.trapport,
        has_peers,
        may_ask: may_ask(&places.authfile),
    };
    let what = format!("mon at port {}", known.port);
    Job { area: Area::Daemon, what, run: Box::new(move || known.look()) }
}

impl Known {
    fn look(&self) -> Vec<Finding> {
        let target = Target { host: self.host.clone(), port: self.port, patience: self.limit };
        let mut client = match target.open_session() {
            Ok(client) => client,
            Err(why) => return self.no_daemon(&why),
        };
        let mut findings = self.process();
        findings.extend(self.traps());
        if self.has_peers && self.clients.as_ref().is_some_and(|taken| taken.address.is_loopback()) {
            let text =
                format!("port {} is open to this machine only: no other mon can ask this one", self.port);
            findings
                .push(Area::Daemon.warning(text, "write an address that others reach after `serverbind`"));
        }
        findings.extend(scheduler(&mut client));
        findings.extend(self.configuration(&mut client));
        if findings.is_empty() {
            let text = format!("mon runs at port {} with what {} says now", self.port, self.file.display());
            findings.push(Area::Daemon.well(text));
        }
        findings
    }

    /// Nobody answers as mon does.
    fn no_daemon(&self, why: &str) -> Vec<Finding> {
        let (port, start) = (self.port, service("start"));
        let mut findings = match &self.clients {
            None => {
                vec![Area::Daemon.fault(format!("mon does not run: nobody listens at port {port}"), start)]
            }
            Some(taken) => {
                let who = who(taken);
                let text = format!("port {port} is taken by {who}, which does not answer as mon does: {why}");
                let advice = "if it is a mon that hangs or lets nobody in (`clientallow`), see its log; if it is \
                              something else, end it or write `serverport` in mon.cf";
                vec![Area::Daemon.fault(text, advice)]
            }
        };
        // While no mon runs, nobody should be there.
        findings.extend(self.traps.as_ref().map(|taken| {
            let text = format!("port {}/udp, for traps, is taken by {}", self.trapport, who(taken));
            Area::Daemon.fault(text, "end it, or write `trapport` in mon.cf: else mon does not start")
        }));
        findings
    }

    /// What /proc says of the process that listens.
    fn process(&self) -> Vec<Finding> {
        let Some(holder) = self.clients.as_ref().and_then(|taken| taken.holder.as_ref()) else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        let program = holder.program.as_deref().unwrap_or(Path::new(""));
        let name = program.to_string_lossy();
        let ourselves = std::env::current_exe().and_then(fs::canonicalize).unwrap_or_default();
        let (restart, pid) = (service("restart"), holder.pid);
        if let Some(old) = name.strip_suffix(" (deleted)") {
            let text = format!("process {pid} still runs a {old} that was replaced since");
            findings.push(Area::Daemon.warning(text, restart));
        } else if name.contains("perl") {
            let text = format!("process {pid} is the original mon, run by {name}");
            findings.push(Area::Daemon.warning(text, format!("{restart}, if ours is to take over")));
        } else if !name.is_empty() && program != ourselves {
            let text = format!("process {pid} runs {name}, this is {}", ourselves.display());
            findings.push(Area::Daemon.warning(text, format!("{restart}, or call that mon doctor")));
        }
        if holder.uid != self.user.uid {
            let owner = owner(holder);
            let text = format!("mon runs as {owner}, and this looks as {}", self.user.name);
            findings.push(Area::Daemon.warning(text, format!("as root: mon doctor --user {owner}")));
        }
        findings
    }

    fn traps(&self) -> Option<Finding> {
        let port = self.trapport;
        let Some(taken) = &self.traps else {
            let text = format!("nobody takes traps at port {port}/udp");
            return Some(
                Area::Daemon
                    .warning(text, format!("{}, with the flags that mon doctor has", service("restart"))),
            );
        };
        let pid = |taken: &Taken| taken.holder.as_ref().map(|holder| holder.pid);
        let ours = self.clients.as_ref().and_then(pid)?;
        (pid(taken)? != ours).then(|| {
            let text = format!("port {port}/udp, for traps, is taken by {}, not by mon", who(taken));
            Area::Daemon.fault(text, "end it and restart mon")
        })
    }

    /// Does the daemon run what its file says now?
    fn configuration(&self, client: &mut Client<Link>) -> Option<Finding> {
        if !self.may_ask {
            return self.age();
        }
        let answer = client.send("test reload").and_then(|()| client.reply());
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                return Some(Area::Daemon.warning(format!("mon stopped answering: {error}"), "see its log"));
            }
        };
        if !reply.status.is_ok() {
            return self.age();
        }
        let file = reply.lines.first().and_then(|line| line.strip_prefix("configuration file "))?;
        if fs::canonicalize(file).ok() != fs::canonicalize(&self.file).ok() {
            let text = format!("mon runs {file}, and this is about {}", self.file.display());
            return Some(Area::Daemon.warning(text, format!("mon doctor -c {file}")));
        }
        // The last line says that nothing differs, or how much.
        let changes = reply.lines.len().checked_sub(2).filter(|changes| *changes > 0)?;
        let last = reply.lines.last().filter(|_| changes > 0)?;
        let text = format!("{file} was changed since mon read it: {last}");
        Some(Area::Daemon.warning(
            text,
            "mon diff shows what a reload changes; moncmd -l USER reset keepstate does it, and SIGHUP",
        ))
    }

    /// A daemon that does not tell: is the file younger than the process?
    fn age(&self) -> Option<Finding> {
        let started = self.clients.as_ref()?.holder.as_ref()?.started?;
        let written = fs::metadata(&self.file).ok()?.modified().ok()?;
        (written > started + TO_THE_SECOND).then(|| {
            let text = format!(
                "{} was changed after mon was started; whether it has read it since, it tells to users only",
                self.file.display()
            );
            Area::Daemon.note(text, "mon diff -l USER, or moncmd -l USER reset keepstate")
        })
    }
}

/// What starts or ends the daemon on this machine.
fn service(verb: &str) -> String {
    // As sd_booted(3) has it.
    match Path::new("/run/systemd/system").is_dir() {
        true => format!("systemctl {verb} mon"),
        false => format!("service mon {verb}"),
    }
}

/// A name is not asked for: it may be any address.
fn address(bound: Option<&str>) -> IpAddr {
    bound.and_then(|bound| bound.parse().ok()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn may_ask(authfile: &Path) -> bool {
    let text = fs::read(authfile).map(text::decode).unwrap_or_default();
    auth::parse(&text).0.permits(None, "test")
}

fn scheduler(client: &mut Client<Link>) -> Option<Finding> {
    match client.ask("list state") {
        Ok(lines) => {
            let stopped = lines.first().filter(|line| line.starts_with("scheduler stopped"))?;
            Some(Area::Daemon.fault(format!("{stopped}: nothing is watched"), "moncmd -l USER start"))
        }
        Err(ClientError::Refused(_)) => None,
        Err(error) => Some(Area::Daemon.fault(format!("mon stopped answering: {error}"), "see its log")),
    }
}

/// `postgres (process 4711, user postgres)`.
fn who(taken: &Taken) -> String {
    match &taken.holder {
        Some(holder) => format!("{} (process {}, user {})", holder.name, holder.pid, owner(holder)),
        None => "a process of another user (root sees whose)".to_owned(),
    }
}

fn owner(holder: &Holder) -> String {
    User::numbered(holder.uid).map_or_else(|| holder.uid.to_string(), |user| user.name)
}
