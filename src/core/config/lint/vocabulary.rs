//! Services and variables that are called almost as what they are about.

use std::collections::BTreeMap;

use super::super::ast::{Kind, Span};
use super::super::lines::Source;
use super::super::model::{Config, Service};
use super::super::sink::Sink;
use super::super::values::words;
use super::slips::{Slip, is_misspelt};
use super::walk::{At, walk};
use super::warning;

/// What services are called everywhere. Each of them is spelled right, however near it is to another.
const WELL_KNOWN: [&str; 78] = [
    "backup",
    "bind",
    "certificate",
    "certs",
    "cups",
    "daily",
    "database",
    "dhcp",
    "disk",
    "fping",
    "freespace",
    "ftps",
    "heartbeat",
    "hpnp",
    "http",
    "https",
    "imap",
    "imaps",
    "ircd",
    "jabber",
    "kerberos",
    "latency",
    "ldap",
    "ldaps",
    "load",
    "loadavg",
    "mailq",
    "memory",
    "mongodb",
    "msql",
    "mysql",
    "mysqld",
    "named",
    "netbios",
    "nfsd",
    "nightly",
    "nntp",
    "nntps",
    "ntpd",
    "oracle",
    "ping",
    "ping6",
    "pop2",
    "pop3",
    "pop3s",
    "postfix",
    "postgres",
    "postgresql",
    "printer",
    "process",
    "proxy",
    "queue",
    "radius",
    "raid",
    "redis",
    "rsync",
    "rsyncd",
    "samba",
    "security",
    "sieve",
    "slapd",
    "smart",
    "smtp",
    "smtps",
    "snmp",
    "sntp",
    "squid",
    "sshd",
    "sslcert",
    "ssmtp",
    "submission",
    "swap",
    "telnet",
    "temperature",
    "updates",
    "uptime",
    "weekly",
    "whois",
];

/// Parts of the names of variables.
const PARTS: [&str; 8] =
    ["ADDRESS", "COMMUNITY", "CONFIG", "PASSWORD", "SECRET", "SERVER", "TIMEOUT", "VERSION"];

/// Runs the checks; `said` are the places that have their complaint already.
pub(super) fn check(source: &Source<'_>, config: &Config, said: &[Span], sink: &mut Sink<'_>) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for service in config.watches.iter().flat_map(|watch| &watch.services) {
        *names.entry(&service.name).or_default() += 1;
    }
    // A file has few kinds of services; in one that has many, those that stand most often will do.
    const MOST: usize = 64;
    let mut often: Vec<(&str, usize)> =
        names.iter().filter(|(_, times)| **times >= 3).map(|(name, times)| (*name, *times)).collect();
    often.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let often: Vec<&str> = often.into_iter().take(MOST).map(|(name, _)| name).collect();
    walk(source, config, |at| {
        let Some((service, _)) = at.service else { return };
        match at.statement.kind {
            Kind::Service => {
                let is_alone = names.get(&*service.name) == Some(&1) && !WELL_KNOWN.contains(&&*service.name);
                // What is said already is seldom, and looking for it takes long.
                let near = Some(service).filter(|_| is_alone).and_then(|service| meant(service, &often));
                if let Some((known, why)) = near.filter(|_| !said.contains(&at.statement.rest)) {
                    let message = format!("the service `{}` is almost `{known}`, {why}", service.name);
                    let complaint =
                        warning("W054", message, "a slip?").help(format!("did you mean `{known}`?"));
                    sink.warn(at.statement.rest, at.statement.line, complaint);
                }
            }
            Kind::Env => variable(at, service, sink),
            _ => {}
        }
    });
}

/// What a service is called after, and where that stands.
fn meant(service: &Service, often: &[&str]) -> Option<(String, &'static str)> {
    let name = &*service.name;
    let near = |known: &&str| is_misspelt(name, known);
    // Where a name stands often, a shorter one is known as well.
    let near_often = |known: &&str| {
        let is_short = known.len() == 4 && name.len() >= 3;
        near(known)
            || (is_short
                && matches!(
                    Slip::between(name, known),
                    Some(Slip::Swapped | Slip::LostInside | Slip::Doubled)
                ))
    };
    // The monitor says it as well, so less is needed; `sshd` and `ssh.monitor` are still two words.
    let is_short_stem = |known: &&str| {
        let slip = Slip::between(name, known);
        known.len() == 4
            && matches!(slip, Some(Slip::Swapped | Slip::LostInside | Slip::Doubled | Slip::Changed))
    };
    if let Some(program) = stem(service).filter(|known| near(known) || is_short_stem(known)) {
        return Some((program.to_owned(), "after which its monitor is called"));
    }
    if let Some(known) = often.iter().copied().find(near_often) {
        return Some((known.to_owned(), "as others are called"));
    }
    let near_well_known = |known: &&str| {
        near(known)
            || (known.len() == 4 && matches!(Slip::between(name, known), Some(Slip::Swapped | Slip::Doubled)))
    };
    if let Some(known) = WELL_KNOWN.iter().copied().find(near_well_known) {
        return Some((known.to_owned(), "as such a service is called"));
    }
    let alerts = service.periods.iter().flat_map(|period| &period.alerts);
    let texts =
        service.description.iter().map(|text| &**text).chain(alerts.map(|alert| alert.command.arguments()));
    let mut spoken = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphabetic()));
    let known = spoken.find(|word| near(word) && *word != name)?;
    Some((known.to_owned(), "a word of its own lines"))
}

/// What the monitor is called, without `.monitor`.
fn stem(service: &Service) -> Option<&str> {
    let program = service.monitor.as_ref()?.program();
    program.rsplit('/').next()?.strip_suffix(".monitor")
}

fn variable(at: &At<'_>, service: &Service, sink: &mut Sink<'_>) {
    let name = at.name();
    let program = stem(service).map(str::to_ascii_uppercase);
    for part in name.split('_') {
        let is_program =
            name.starts_with(part) && program.as_deref().is_some_and(|program| is_misspelt(part, program));
        let known = program.as_deref().filter(|_| is_program);
        let Some(known) = known.or_else(|| PARTS.iter().copied().find(|known| is_misspelt(part, known)))
        else {
            continue;
        };
        let start = part.as_ptr() as usize - name.as_ptr() as usize;
        let message = format!("the variable `{name}` is almost `{}`", name.replacen(part, known, 1));
        let complaint = warning("W054", message, "a slip?").help(format!("did you mean `{known}`?"));
        return sink.warn(at.statement.name.part(start, start + part.len()), at.statement.line, complaint);
    }
}

/// A word such as `RADIUS_TIMEOUT=5`, which begins a line of its own.
pub(super) fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    name.len() >= 6
        && name.contains('_')
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && words(name).count() == 1
}
