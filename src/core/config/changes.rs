//! What one configuration changes of another: the daemon acts by it at a reload, and `mon diff` shows it.

mod globals;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::definition::{self, Line, same_definition};
use super::model::{Config, Globals, Service, ViewMember};
use crate::nouns::ServiceKey;

/// The parts of a configuration that are compared, wherever they are kept.
#[derive(Debug)]
pub struct Outline<'a> {
    /// The globals.
    pub globals: &'a Globals,
    /// Hosts by group, in their order.
    pub hostgroups: BTreeMap<&'a str, Vec<&'a str>>,
    /// Services by group and name.
    pub services: BTreeMap<(&'a Arc<str>, &'a Arc<str>), &'a Service>,
    /// Lines of text by alias.
    pub aliases: &'a BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Members by view.
    pub views: &'a BTreeMap<Arc<str>, Vec<ViewMember>>,
}

impl<'a> Outline<'a> {
    /// That of a file.
    #[must_use]
    pub fn of(config: &'a Config) -> Outline<'a> {
        let hosts = |(name, hosts): (&'a Arc<str>, &'a Vec<Arc<str>>)| {
            (&**name, hosts.iter().map(|host| &**host).collect())
        };
        let services = config.watches.iter().flat_map(|watch| {
            watch.services.iter().map(|service| ((&watch.group, &service.name), &**service))
        });
        Outline {
            globals: &config.globals,
            hostgroups: config.hostgroups.iter().map(hosts).collect(),
            services: services.collect(),
            aliases: &config.aliases,
            views: &config.views,
        }
    }
}

/// Everything that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the order of their names.
    pub services: BTreeMap<ServiceKey, What>,
    /// How many services are the same in both.
    pub unchanged: usize,
    /// Hostgroups, aliases and views.
    pub records: Vec<RecordChange>,
    /// Globals.
    pub globals: Vec<GlobalChange>,
}

/// What becomes of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one by the same name.
    Changed {
        /// What differs; empty where only the hosts do.
        keywords: Vec<KeywordChange>,
        /// The hosts of its group are not the same, or not in the same order.
        hosts: bool,
    },
}

/// One keyword. Of a keyword that may stand several times each line counts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordChange {
    /// The keyword; `period LABEL: KEYWORD` for one in a period, `NAME=` for a variable.
    pub keyword: String,
    /// Its value before; `None` where it was not set. That of a variable is never told: it is empty.
    pub old: Option<String>,
    /// Its value afterwards.
    pub new: Option<String>,
}

/// A hostgroup, alias or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Its keyword.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The entries before; `None` where there was no such record.
    pub old: Option<Vec<String>>,
    /// The entries afterwards.
    pub new: Option<Vec<String>>,
}

/// A global variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalChange {
    /// Its name and values.
    pub change: KeywordChange,
    /// A reload is enough; else the daemon must be started anew.
    pub live: bool,
}

/// Compares two configurations.
#[must_use]
pub fn between(old: &Outline<'_>, new: &Outline<'_>) -> Changes {
    let mut changes = Changes::default();
    let text = |hosts: &Vec<&str>| hosts.iter().map(|host| (*host).to_owned()).collect();
    records("hostgroup", &old.hostgroups, &new.hostgroups, text, &mut changes.records);
    let text = |lines: &Vec<Arc<str>>| lines.iter().map(|line| line.to_string()).collect();
    records("alias", old.aliases, new.aliases, text, &mut changes.records);
    let text = |members: &Vec<ViewMember>| members.iter().map(member).collect();
    records("view", old.views, new.views, text, &mut changes.records);
    changes.globals = globals::between(old.globals, new.globals);
    services(old, new, &mut changes);
    changes
}

fn services(old: &Outline<'_>, new: &Outline<'_>, changes: &mut Changes) {
    let key = |(group, service): (&Arc<str>, &Arc<str>)| ServiceKey {
        group: group.clone(),
        service: service.clone(),
    };
    for &name in old.services.keys().filter(|name| !new.services.contains_key(*name)) {
        changes.services.insert(key(name), What::Removed);
    }
    // The groups are few, and asked for many times.
    let groups = new.hostgroups.iter();
    let differing: BTreeSet<&str> = groups
        .filter(|(name, hosts)| old.hostgroups.get(*name) != Some(hosts))
        .map(|(name, _)| *name)
        .collect();
    for (&name, service) in &new.services {
        let Some(before) = old.services.get(&name) else {
            changes.services.insert(key(name), What::Added);
            continue;
        };
        let hosts = differing.contains(&**name.0);
        let same = same_definition(before, service);
        if same && !hosts {
            changes.unchanged += 1;
            continue;
        }
        let keywords =
            if same { Vec::new() } else { lines(&definition::lines(before), &definition::lines(service)) };
        changes.services.insert(key(name), What::Changed { keywords, hosts });
    }
}

/// The keywords of both, each once, in the order of the manual, which both lists follow.
fn keywords<'a>(old: &'a [Line], new: &'a [Line]) -> Vec<&'a str> {
    let mut keywords: Vec<&str> = Vec::new();
    let mut fresh = new.iter().map(|(keyword, _)| keyword.as_str());
    for (keyword, _) in old {
        if new.iter().any(|(other, _)| other == keyword) && !keywords.contains(&keyword.as_str()) {
            // Those that are new stand before the next one that both have.
            keywords.extend(fresh.by_ref().take_while(|other| other != keyword));
        }
        keywords.push(keyword);
    }
    keywords.extend(fresh);
    let mut seen = BTreeSet::new();
    keywords.retain(|keyword| seen.insert(*keyword));
    keywords
}

/// The keywords whose lines differ.
fn lines(old: &[Line], new: &[Line]) -> Vec<KeywordChange> {
    let of = |lines: &[Line], keyword: &str| -> Vec<String> {
        lines.iter().filter(|(name, _)| name == keyword).map(|(_, value)| value.clone()).collect()
    };
    let mut changes = Vec::new();
    for keyword in keywords(old, new) {
        let (mut before, mut after) = (of(old, keyword), of(new, keyword));
        if before == after {
            continue;
        }
        let moved = KeywordChange {
            keyword: keyword.to_owned(),
            old: Some(before.join(", ")),
            new: Some(after.join(", ")),
        };
        before.retain(|value| match after.iter().position(|other| other == value) {
            Some(at) => {
                after.remove(at);
                false
            }
            None => true,
        });
        if before.is_empty() && after.is_empty() {
            changes.push(moved);
        }
        for at in 0..before.len().max(after.len()) {
            let (old, new) = (before.get(at).cloned(), after.get(at).cloned());
            changes.push(KeywordChange { keyword: keyword.to_owned(), old, new });
        }
    }
    // A variable may hold a password.
    for change in changes.iter_mut().filter(|change| change.keyword.ends_with('=')) {
        for value in [&mut change.old, &mut change.new].into_iter().flatten() {
            value.clear();
        }
    }
    changes
}

fn records<K: Ord + AsRef<str>, V: PartialEq>(
    kind: &'static str,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    text: impl Fn(&V) -> Vec<String>,
    changes: &mut Vec<RecordChange>,
) {
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name)).map(|(name, v)| (name, Some(v), None));
    let there = new.iter().map(|(name, v)| (name, old.get(name), Some(v)));
    for (name, old, new) in gone.chain(there).filter(|(_, old, new)| old != new) {
        let name = name.as_ref().to_owned();
        changes.push(RecordChange { kind, name, old: old.map(&text), new: new.map(&text) });
    }
}

fn member(member: &ViewMember) -> String {
    match member {
        ViewMember::Group(group) => group.to_string(),
        ViewMember::Service(group, service) => format!("{group}:{service}"),
    }
}

impl Changes {
    /// Whether the two are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.records.is_empty() && self.globals.is_empty()
    }

    /// Whether that global differs.
    #[must_use]
    pub fn has_global(&self, name: &str) -> bool {
        self.globals.iter().any(|global| global.change.keyword == name)
    }

    /// `2 services added, 1 changed, 14 unchanged`
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |wanted: fn(&What) -> bool| self.services.values().filter(|what| wanted(what)).count();
        let counts = [
            (count(|what| *what == What::Added), "added"),
            (count(|what| *what == What::Removed), "removed"),
            (count(|what| matches!(what, What::Changed { .. })), "changed"),
            (self.unchanged, "unchanged"),
        ];
        let mut parts: Vec<String> = Vec::new();
        for (n, word) in counts.into_iter().filter(|(n, word)| *n > 0 || *word == "unchanged") {
            let services = if !parts.is_empty() {
                ""
            } else if n == 1 {
                " service"
            } else {
                " services"
            };
            parts.push(format!("{n}{services} {word}"));
        }
        parts.join(", ")
    }

    /// One line for each thing that differs: what and which, without values.
    pub fn headlines(&self) -> impl Iterator<Item = String> {
        let services = self.services.iter().map(|(key, what)| headline(key, what));
        let records = self.records.iter().map(|record| {
            let word = record_word(record);
            format!("{} {} {word}", record.kind, record.name)
        });
        let globals = self.globals.iter().map(|global| {
            let note = if global.live { "" } else { NOT_LIVE };
            format!("{} changed{note}", global.change.keyword)
        });
        globals.chain(records).chain(services)
    }

    /// All of it, for a person: globals, records, services, and a last line that counts.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        for GlobalChange { change, live } in &self.globals {
            let note = if *live { "" } else { NOT_LIVE };
            let _ = writeln!(out, "global {}{note}", shown(change));
        }
        for record in &self.records {
            render_record(record, &mut out);
        }
        for (key, what) in &self.services {
            let _ = writeln!(out, "{}", headline(key, what).split(": ").next().unwrap_or_default());
            if let What::Changed { keywords, hosts } = what {
                keywords.iter().for_each(|change| {
                    let _ = writeln!(out, "    {}", shown(change));
                });
                if *hosts {
                    let _ = writeln!(out, "    hosts of {}", key.group);
                }
            }
        }
        let _ = writeln!(out, "{}", self.summary());
        out
    }
}

const NOT_LIVE: &str = " (from the next start on)";

fn headline(key: &ServiceKey, what: &What) -> String {
    let name = format!("{}/{}", key.group, key.service);
    match what {
        What::Added => format!("{name} added"),
        What::Removed => format!("{name} removed"),
        What::Changed { keywords, hosts } => {
            let mut names: Vec<&str> = keywords.iter().map(|change| change.keyword.as_str()).collect();
            names.dedup();
            names.extend(hosts.then_some("hosts"));
            format!("{name} changed: {}", names.join(", "))
        }
    }
}

fn record_word(record: &RecordChange) -> &'static str {
    match (&record.old, &record.new) {
        (None, _) => "added",
        (_, None) => "removed",
        (Some(_), Some(_)) => "changed",
    }
}

fn render_record(record: &RecordChange, out: &mut String) {
    let RecordChange { kind, name, old, new } = record;
    let _ = writeln!(out, "{kind} {name} {}", record_word(record));
    let (Some(old), Some(new)) = (old, new) else { return };
    let list = |mark: char, from: &[String], not_in: &[String]| -> Vec<String> {
        let not_in: BTreeSet<&String> = not_in.iter().collect();
        from.iter()
            .filter(|entry| !not_in.contains(entry))
            .map(|entry| format!("    {mark} {entry}\n"))
            .collect()
    };
    let lines = [list('-', old, new), list('+', new, old)].concat();
    let moved = vec!["    another order\n".to_owned()];
    (if lines.is_empty() { moved } else { lines }).iter().for_each(|line| out.push_str(line));
}

/// `interval: 1m -> 5m`, `+ alert mail.alert root`
fn shown(change: &KeywordChange) -> String {
    let KeywordChange { keyword, old, new } = change;
    let (mark, value) = match (old, new) {
        (Some(_), Some(_)) if keyword.ends_with('=') => return format!("{keyword} has another value"),
        (Some(old), Some(new)) => return format!("{keyword}: {old} -> {new}"),
        (Some(old), None) => ('-', old.as_str()),
        (None, new) => ('+', new.as_deref().unwrap_or_default()),
    };
    format!("{mark} {keyword} {value}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
