//! Hosts that are spelled unlike their neighbours in the hostgroup, though each stands there once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Kind, Span};
use super::super::model::Config;
use super::super::sink::{Complaint, Sink};
use super::super::values::words;
use super::names::forms;
use super::slips::{Slip, is_misspelt};
use super::walk::At;
use super::warning;

/// A host in the file.
#[derive(Debug, Clone, Copy)]
struct Host<'w> {
    name: &'w str,
    at: Span,
    line: u32,
}

impl<'w> Host<'w> {
    /// The letters that it begins with.
    fn family(self) -> &'w str {
        let letters = self.name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.name.len());
        &self.name[..letters]
    }

    /// What follows them.
    fn rest(self) -> &'w str {
        &self.name[self.family().len()..]
    }

    /// Whether both may belong to one series: of the same domain and form, and not of the same number.
    fn is_sibling(self, other: Host<'_>) -> bool {
        let is_numbered = |host: Host<'_>| host.rest().starts_with(|c: char| c.is_ascii_digit());
        other.rest() != self.rest()
            && other.domain() == self.domain()
            && is_numbered(other) == is_numbered(self)
    }

    fn domain(self) -> Option<&'w str> {
        self.name.split_once('.').map(|(_, domain)| domain)
    }
}

/// A hostgroup while it is read.
#[derive(Debug, Default)]
struct Group<'w> {
    name: &'w str,
    hosts: Vec<Host<'w>>,
}

/// What is found while the lines are read.
pub(super) struct Neighbours<'w> {
    domains: BTreeSet<&'w str>,
    group: Group<'w>,
    found: Found<'w>,
}

impl<'w> Neighbours<'w> {
    pub(super) fn of(config: &'w Config) -> Neighbours<'w> {
        let hosts = config.hostgroups.values().flat_map(|hosts| hosts.iter());
        let domains = hosts.filter_map(|host| host.split_once('.').map(|(_, domain)| domain)).collect();
        Neighbours { domains, group: Group::default(), found: Vec::new() }
    }

    pub(super) fn line(&mut self, at: &At<'w>) {
        match at.statement.kind {
            Kind::Hostgroup => {
                let next = Group { name: at.name(), ..Group::default() };
                std::mem::replace(&mut self.group, next).judge(&self.domains, &mut self.found);
                self.group.line(at);
            }
            Kind::Hosts => self.group.line(at),
            _ => {}
        }
    }

    /// To be called behind the last line; `said` are the places that have their complaint already.
    pub(super) fn end(mut self, said: &[Span], sink: &mut Sink<'_>) {
        self.group.judge(&self.domains, &mut self.found);
        let said: BTreeMap<u32, u32> = said.iter().map(|span| (span.start, span.end)).collect();
        for (host, complaint) in self.found {
            let before = said.range(..host.at.end).next_back();
            if before.is_none_or(|(_, end)| *end <= host.at.start) {
                sink.warn(host.at, host.line, complaint);
            }
        }
    }
}

type Found<'w> = Vec<(Host<'w>, Complaint)>;

impl<'w> Group<'w> {
    fn line(&mut self, at: &At<'w>) {
        let text = at.rest();
        let host = |name: &'w str| {
            let start = name.as_ptr() as usize - text.as_ptr() as usize;
            Host { name, at: at.statement.rest.part(start, start + name.len()), line: at.statement.line }
        };
        self.hosts.extend(words(text).map(host));
    }

    fn judge(&self, domains: &BTreeSet<&str>, found: &mut Found<'w>) {
        self.almost_the_group(found);
        for host in &self.hosts {
            glued_to_domain(*host, domains, found);
        }
        self.families(found);
        self.without_dash(found);
    }

    /// A group of one host that has its name, and one that has it but for a slip.
    fn almost_the_group(&self, found: &mut Found<'w>) {
        let near_localhost = |host: &&Host<'_>| is_misspelt(host.name, "localhost");
        if let [host] = self.hosts[..]
            && is_misspelt(host.name, self.name)
        {
            found.push((
                host,
                almost(format!("the only host of `{}` is `{}`", self.name, host.name), self.name),
            ));
        } else {
            let hosts = self.hosts.iter().filter(near_localhost);
            found.extend(hosts.map(|host| {
                (*host, almost(format!("the host `{}` is almost `localhost`", host.name), "localhost"))
            }));
        }
    }

    /// `camera-front` beside `camea-back`: each has its own number or place, so both were meant to begin the same.
    fn families(&self, found: &mut Found<'w>) {
        let mut families: BTreeMap<&str, Vec<Host<'w>>> = BTreeMap::new();
        for host in self.hosts.iter().filter(|host| host.family().len() >= 2 && is_series(host.rest())) {
            families.entry(host.family()).or_default().push(*host);
        }
        if families.len() < 2 {
            return;
        }
        let mut shortened: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for family in families.keys() {
            forms(family).for_each(|form| shortened.entry(form).or_default().push(family));
        }
        let mut said: BTreeSet<&str> = BTreeSet::new();
        for (family, hosts) in &families {
            let [host] = hosts[..] else { continue };
            let fits = |known: &str| {
                is_family_slip(family, known, families[known].len())
                    && families[known].iter().all(|other| host.is_sibling(*other))
            };
            let mut near = forms(family).filter_map(|form| shortened.get(&form)).flatten().copied();
            let Some(known) = near.find(|known| fits(known)) else { continue };
            let siblings = &families[known];
            // Of two that stand there once each, either may be the wrong one.
            let message = format!("the host `{}` stands beside `{}`", host.name, siblings[0].name);
            if siblings.len() > 1 {
                found.push((host, almost(message, &format!("{known}{}", host.rest()))));
            } else if said.insert(known) && !said.contains(family) {
                let help = format!(
                    "if both are of a kind, write `{known}{}`, or `{family}{}`",
                    host.rest(),
                    siblings[0].rest()
                );
                found.push((host, warning("W054", message, "a slip?").help(help)));
            }
            said.insert(family);
        }
    }

    /// `printer204` beside `printer-101` and `printer-102`.
    fn without_dash(&self, found: &mut Found<'w>) {
        let dashed =
            |host: &&Host<'_>| host.rest().strip_prefix('-').is_some_and(|rest| is_number(first_label(rest)));
        let mut families: BTreeMap<&str, usize> = BTreeMap::new();
        self.hosts.iter().filter(dashed).for_each(|host| *families.entry(host.family()).or_default() += 1);
        if families.is_empty() {
            return;
        }
        let plain = |host: &&Host<'_>| host.family().len() >= 3 && is_number(first_label(host.rest()));
        let all: Vec<Host<'_>> = self.hosts.iter().filter(plain).copied().collect();
        for host in &all {
            let alone = all.iter().take(2).filter(|other| other.family() == host.family()).count() == 1;
            if let (true, Some(2..)) = (alone && all.len() < 3, families.get(host.family())) {
                let meant = format!("{}-{}", host.family(), host.rest());
                found.push((
                    *host,
                    almost(format!("the host `{}` has no `-`, unlike its neighbours", host.name), &meant),
                ));
            }
        }
    }
}

fn first_label(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether what follows the first letters of a host tells it from others of its kind.
fn is_series(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '_')
}

/// Two names that are near may be two names (`hamburg-1`, `homburg-2`); a letter that is missing or there twice is
/// not. The more siblings there are, the less is needed.
fn is_family_slip(family: &str, known: &str, siblings: usize) -> bool {
    match (Slip::between(family, known), siblings) {
        (Some(Slip::Swapped | Slip::LostInside | Slip::Doubled | Slip::LostFirst), 2..) => known.len() >= 3,
        (Some(Slip::Changed), 3..) => known.len() >= 5,
        (Some(Slip::Changed), _) => false,
        _ => is_misspelt(family, known),
    }
}

/// `web1shop.example` in a file of `web2.shop.example`.
fn glued_to_domain<'w>(host: Host<'w>, domains: &BTreeSet<&str>, found: &mut Found<'w>) {
    let label = first_label(host.name);
    let ends = label.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at + 1);
    for end in ends.filter(|end| label[*end..].starts_with(|c: char| c.is_ascii_alphabetic())) {
        let (name, domain) = host.name.split_at(end);
        if name.starts_with(|c: char| c.is_ascii_alphabetic())
            && domain.contains('.')
            && domains.contains(domain)
        {
            let message = format!("the host `{}` has no `.` before `{domain}`, which others have", host.name);
            return found.push((host, almost(message, &format!("{name}.{domain}"))));
        }
    }
}

fn almost(message: String, meant: &str) -> Complaint {
    warning("W054", message, "a slip?").help(format!("did you mean `{meant}`?"))
}
