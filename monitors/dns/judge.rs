//! What the answers of name servers mean.

use std::fmt::Write as _;

use super::message::{Response, SOA, kind_name};
use crate::report::Report;

/// More failed servers than this cannot be told by an exit status that has other meanings above.
const MOST_FAILED: usize = 250;

/// Exit status: no master can be used.
const NO_MASTER: u8 = 251;

/// Exit status: the masters disagree.
const MASTERS_DIFFER: u8 = 252;

/// What a server said, or why it said nothing.
pub type Answer = Result<Response, String>;

/// What is wrong with a zone, or with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    servers: Vec<String>,
    reason: String,
    exit: u8,
}

/// How the servers of a zone are compared.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    /// The zones.
    pub zones: Vec<String>,
    /// Whose serial is right.
    pub masters: Vec<String>,
    /// Who must have it.
    pub servers: Vec<String>,
    /// How far serials may be apart.
    pub threshold: f64,
    /// Is one failing master a failure?
    pub failsingle: bool,
}

impl Zones {
    /// Turns the answers, found by zone and server, into the report.
    pub fn judge<'a>(&self, answer: impl Fn(&str, &str) -> &'a Answer) -> Report {
        let (mut summary, mut detail, mut exit) = (String::new(), String::new(), 0);
        for zone in &self.zones {
            let fault = self.reference(zone, &answer).and_then(|serial| self.compare(zone, serial, &answer));
            if let Err(Fault { servers, reason, exit: status }) = fault {
                let servers = servers.join(" ");
                let _ = write!(summary, "{servers}({zone}) ");
                let _ = write!(detail, "Zone '{zone}': failed servers: {servers}\n{reason}\n");
                exit = exit.max(status);
            }
        }
        report(summary, detail, exit)
    }

    /// The serial that the masters agree about.
    fn reference<'a>(&self, zone: &str, answer: &impl Fn(&str, &str) -> &'a Answer) -> Result<u32, Fault> {
        let (mut found, mut reasons) = (Vec::new(), String::new());
        for master in &self.masters {
            match serial_of(zone, master, answer(zone, master)) {
                Ok(serial) => found.push((serial, master)),
                Err(reason) if self.failsingle => {
                    return Err(Fault { servers: vec![master.clone()], reason, exit: NO_MASTER });
                }
                Err(reason) => reasons += &reason,
            }
        }
        let (Some((most, _)), Some((least, behind))) =
            (found.iter().max_by_key(|(serial, _)| *serial), found.iter().min_by_key(|(serial, _)| *serial))
        else {
            return Err(Fault { servers: Vec::new(), reason: reasons, exit: NO_MASTER });
        };
        if self.apart(*most, *least) {
            let reason = format!(
                "\nQuery to {behind} about {zone} failed\nSerial number = {least}, should have been {most}\n"
            );
            return Err(Fault { servers: vec![(*behind).clone()], reason, exit: MASTERS_DIFFER });
        }
        Ok(*most)
    }

    fn apart(&self, one: u32, other: u32) -> bool {
        f64::from(one.abs_diff(other)) > self.threshold
    }

    /// Holds every server to that serial.
    fn compare<'a>(
        &self,
        zone: &str,
        serial: u32,
        answer: &impl Fn(&str, &str) -> &'a Answer,
    ) -> Result<(), Fault> {
        let (mut failed, mut reason) = (Vec::new(), String::new());
        for server in &self.servers {
            let words = match answer(zone, server) {
                Ok(response) if !response.answers.is_empty() => self.mismatch(zone, server, serial, response),
                other => Some(no_soa(zone, server, other)),
            };
            if let Some(words) = words {
                reason += &format!("\n{words}");
                failed.push(server.clone());
            }
        }
        let exit = failed.len().min(MOST_FAILED) as u8;
        if failed.is_empty() { Ok(()) } else { Err(Fault { servers: failed, reason, exit }) }
    }

    fn mismatch(&self, zone: &str, server: &str, serial: u32, response: &Response) -> Option<String> {
        let first = response.answers.first()?;
        let good = response.authoritative
            && response.answers.len() == 1
            && first.kind == SOA
            && first.serial.is_some_and(|its| !self.apart(its, serial));
        let its = first.serial.map(|serial| serial.to_string()).unwrap_or_default();
        (!good).then(|| {
            format!(
                "Query to {server} about {zone} failed\nAuthoritative = {}\nAnswer count = {}\nAnswer Type = {}\n\
                 Serial number = {its}, should have been {serial}\n",
                if response.authoritative { "yes" } else { "no" },
                response.answers.len(),
                kind_name(first.kind),
            )
        })
    }
}

/// The serial that a master gives, or what is wrong with its answer.
fn serial_of(zone: &str, master: &str, answer: &Answer) -> Result<u32, String> {
    let response = match answer {
        Ok(response) if !response.answers.is_empty() => response,
        other => return Err(no_soa(zone, master, other)),
    };
    match &response.answers[..] {
        _ if !response.authoritative => Err(format!("{master} is not authoritative for {zone}\n")),
        [record] => record.serial.ok_or_else(|| {
            format!(
                "Query for SOA for {zone} from {master} failed: return type = {}\n",
                kind_name(record.kind)
            )
        }),
        _ => Err(format!("Too many answers for SOA query to {master} for {zone}\n")),
    }
}

fn no_soa(zone: &str, server: &str, answer: &Answer) -> String {
    let mut words = format!("SOA query for {zone} from {server} failed {}\n", failure(answer));
    if answer.as_ref().is_ok_and(|response| response.rcode == 0) {
        words += "    Empty answer received.  (No zone on server?)\n";
    }
    words
}

fn failure(answer: &Answer) -> String {
    answer.as_ref().map_or_else(String::clone, Response::rcode_name)
}

/// A query to a caching server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is asked for.
    pub name: String,
    /// The type, as it was written.
    pub kind: String,
    /// Another name whose data must have something in common.
    pub like: Option<String>,
}

/// Turns the answers, found by name, type and server, into the report.
pub fn judge_queries<'a>(
    queries: &[Query],
    servers: &[String],
    answer: impl Fn(&str, &str, &str) -> &'a Answer,
) -> Report {
    let (mut summary, mut detail, mut most) = (String::new(), String::new(), 0);
    for query in queries {
        let Query { name, kind, like } = query;
        let (mut failed, mut reason) = (0, String::new());
        for server in servers {
            let like = like.as_deref().map(|other| (other, answer(other, kind, server)));
            if let Some(words) = query.fault(server, answer(name, kind, server), like) {
                failed += 1;
                let _ = write!(summary, "{name}@{server} ");
                reason += &words;
            }
        }
        if failed > 0 {
            summary.push(' ');
            let _ = writeln!(detail, "{reason}");
        }
        most = most.max(failed);
    }
    report(summary, detail, most.min(MOST_FAILED) as u8)
}

impl Query {
    fn fault(&self, server: &str, answer: &Answer, like: Option<(&str, &Answer)>) -> Option<String> {
        let Query { name, kind, .. } = self;
        let records = |answer: &Answer| {
            answer.as_ref().map_or_else(|_| Vec::new(), |response| response.answers.clone())
        };
        let no_answer = |name: &str, answer: &Answer| {
            format!("\n{kind} query for {name} from {server} failed {}\n", failure(answer))
        };
        let ours = records(answer);
        if ours.is_empty() {
            return Some(no_answer(name, answer));
        }
        let (other, theirs) = like?;
        if records(theirs).iter().any(|their| ours.iter().any(|our| our.data == their.data)) {
            return None;
        }
        let why = if records(theirs).is_empty() { no_answer(other, theirs) } else { String::new() };
        Some(format!("{why}Query {name}:{kind} failed to match {other}\n"))
    }
}

fn report(summary: String, detail: String, exit: u8) -> Report {
    if exit == 0 { Report::good() } else { Report { detail, exit, ..Report::failure(summary) } }
}
