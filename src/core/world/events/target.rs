//! Names in events: services, watches and hosts that the configuration knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::line::{Complaint, Word};
use crate::config::suggest::nearest;
use crate::config::{Config, Service};
use crate::nouns::ServiceKey;

/// What can be named.
pub(super) struct Names<'a> {
    configs: &'a [Config],
    /// Services by `GROUP/SERVICE`; a recorded history names them often.
    known: BTreeMap<String, ServiceKey>,
    /// Those that a monitor looks at, in one configuration at least.
    monitored: BTreeSet<ServiceKey>,
}

impl<'a> Names<'a> {
    pub(super) fn of(configs: &'a [Config]) -> Names<'a> {
        let mut names = Names { configs, known: BTreeMap::new(), monitored: BTreeSet::new() };
        for (key, service) in services(configs) {
            if service.monitor.is_some() && service.interval.is_some() {
                names.monitored.insert(key.clone());
            }
            names.known.insert(shown(&key), key);
        }
        names
    }

    /// The services that `GROUP/SERVICE` names; either part may be `*`.
    pub(super) fn find(&self, word: &Word) -> Result<Vec<ServiceKey>, Complaint> {
        let text = &word.text;
        let parts = text.split_once('/').or_else(|| text.split_once(':'));
        let fits = |key: &ServiceKey| match parts {
            Some((group, "*")) if group != "*" => *key.group == *group,
            Some(("*", "*")) => true,
            Some(("*", service)) => *key.service == *service,
            _ => key.to_string() == *text,
        };
        if let Some(key) = self.known.get(text) {
            return Ok(vec![key.clone()]);
        }
        let found: BTreeSet<ServiceKey> = self.known.values().filter(|key| fits(key)).cloned().collect();
        if found.is_empty() {
            Err(self.unknown(word, parts.is_some()))
        } else {
            Ok(found.into_iter().collect())
        }
    }

    fn unknown(&self, word: &Word, has_both_parts: bool) -> Complaint {
        let known = &self.known;
        let span = word.span.clone();
        let text = &word.text;
        if !has_both_parts {
            let complaint = Complaint::new("S03", span, format!("`{text}` is no GROUP/SERVICE"));
            let of_group: Vec<&String> =
                known.keys().filter(|name| name.starts_with(&format!("{text}/"))).collect();
            return match of_group[..] {
                [] => complaint.help(format!(
                    "for instance `{}`",
                    known.keys().next().map_or("web/ping", String::as_str)
                )),
                [only] => complaint.help(format!("write `{only}`")),
                _ => complaint.help(format!("write `{}`, or `{text}/*` for all of them", of_group[0])),
            };
        }
        let complaint = Complaint::new("S03", span, format!("no watch has the service `{text}`"));
        let spelled = text.replacen(':', "/", usize::from(!text.contains('/')));
        match nearest(&spelled, known.keys().map(String::as_str)) {
            Some(name) => complaint.help(format!("did you mean `{name}`?")),
            None => {
                let group = spelled.split('/').next().unwrap_or_default();
                let same: Vec<&str> = known
                    .keys()
                    .filter(|name| name.split('/').next() == Some(group))
                    .map(String::as_str)
                    .collect();
                if same.is_empty() {
                    complaint
                } else {
                    complaint.help(format!("`{group}` has {}", listed(&same)))
                }
            }
        }
    }

    /// Whether a monitor looks at the service.
    pub(super) fn is_monitored(&self, key: &ServiceKey) -> bool {
        self.monitored.contains(key)
    }

    /// Whether traps for names that nobody knows find a service: those of the watch `default`.
    pub(super) fn has_default(&self) -> bool {
        self.known.values().any(|key| &*key.group == "default")
    }

    /// The label of the first period of a service.
    pub(super) fn first_period(&self, key: &ServiceKey) -> Option<Arc<str>> {
        let (_, service) = services(self.configs).find(|(other, _)| other == key)?;
        Some(service.periods.first()?.label.clone())
    }

    /// What a monitor says that names all hosts of the group.
    pub(super) fn all_hosts(&self, group: &str) -> String {
        let hosts = self.configs.iter().find_map(|config| config.hostgroups.get(group));
        let hosts: Vec<&str> = hosts.into_iter().flatten().map(|host| &**host).collect();
        hosts.join(" ")
    }

    pub(super) fn watch(&self, word: &Word) -> Result<String, Complaint> {
        let known: BTreeSet<&str> =
            self.configs.iter().flat_map(|config| &config.watches).map(|watch| &*watch.group).collect();
        one_of(word, &known, "there is no watch")
    }

    pub(super) fn host(&self, word: &Word) -> Result<String, Complaint> {
        let groups = self.configs.iter().flat_map(|config| config.hostgroups.values());
        let known: BTreeSet<&str> = groups.flatten().map(|host| &**host).collect();
        one_of(word, &known, "no hostgroup has the host")
    }
}

fn services(configs: &[Config]) -> impl Iterator<Item = (ServiceKey, &Service)> {
    let watches = configs.iter().flat_map(|config| &config.watches);
    watches.flat_map(|watch| {
        watch.services.iter().map(|service| {
            (ServiceKey { group: watch.group.clone(), service: service.name.clone() }, &**service)
        })
    })
}

fn one_of(word: &Word, known: &BTreeSet<&str>, problem: &str) -> Result<String, Complaint> {
    if known.contains(word.text.as_str()) {
        return Ok(word.text.clone());
    }
    let complaint = Complaint::new("S03", word.span.clone(), format!("{problem} `{}`", word.text));
    Err(match nearest(&word.text, known.iter().copied()) {
        Some(name) => complaint.help(format!("did you mean `{name}`?")),
        None => complaint,
    })
}

fn shown(key: &ServiceKey) -> String {
    format!("{}/{}", key.group, key.service)
}

/// Some of the names, so that a large group does not fill the screen.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 6;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
