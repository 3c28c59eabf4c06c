//! `disable` and `enable`: what an operator forbids to alert, or takes out of the host lists.

use super::Engine;
use super::answer::Answer;
use super::command::Target;
use super::effect::{Effect, StateFile};
use super::event::ClientId;
use crate::decision::Event as Happening;
use crate::nouns::Now;

impl Engine {
    pub(super) fn disable(&mut self, client: ClientId, target: Target, now: &Now, out: &mut Vec<Effect>) {
        let answer = match target {
            Target::Unknown => Err(Answer::CouldNotExecute),
            Target::Watch(watch) => {
                if self.set_watch_disabled(&watch, true) {
                    self.tell_remote(format!("disable watch {watch}"), out);
                    Ok(Answer::WatchDisabled)
                } else {
                    Err(Answer::DisableUnknownWatch(watch))
                }
            }
            Target::Service(group, service) => match self.find(&group, &service) {
                None => Err(Answer::DisableUnknownService),
                Some(id) => {
                    // Decided before the service is disabled: afterwards nothing would be sent any more.
                    let user = self.user(client).into();
                    self.happen(id, &Happening::Disable(user), None, now, out);
                    self.slot_mut(id).state.disabled = true;
                    self.tell_remote(format!("disable service {group} {service}"), out);
                    Ok(Answer::ServiceDisabled)
                }
            },
            Target::Hosts(hosts) => {
                let unknown: Vec<String> =
                    hosts.iter().filter(|host| !self.has_enabled(host)).cloned().collect();
                if unknown.is_empty() {
                    hosts.iter().for_each(|host| self.set_host_and_lonely_watches(host, true, out));
                    Ok(Answer::HostsDisabled)
                } else {
                    Err(Answer::DisableUnknownHosts(unknown))
                }
            }
        };
        out.push(saved_then(client, answer));
    }

    pub(super) fn enable(&mut self, client: ClientId, target: Target, out: &mut Vec<Effect>) {
        let answer = match target {
            Target::Unknown => Err(Answer::CouldNotExecute),
            Target::Watch(watch) => {
                if self.set_watch_disabled(&watch, false) {
                    self.tell_remote(format!("enable watch {watch}"), out);
                    Ok(Answer::WatchEnabled)
                } else {
                    Err(Answer::EnableUnknownWatch)
                }
            }
            Target::Service(group, service) => match self.find(&group, &service) {
                None => Err(Answer::EnableUnknownService),
                Some(id) => {
                    self.slot_mut(id).state.disabled = false;
                    self.tell_remote(format!("enable service {group} {service}"), out);
                    Ok(Answer::Enabled)
                }
            },
            Target::Hosts(hosts) => {
                hosts.iter().for_each(|host| self.set_host_and_lonely_watches(host, false, out));
                Ok(Answer::Enabled)
            }
        };
        out.push(saved_then(client, answer));
    }

    /// A watch whose only host is disabled has nothing left to look at: it goes along with its host.
    fn set_host_and_lonely_watches(&mut self, host: &str, disabled: bool, out: &mut Vec<Effect>) {
        let word = if disabled { "disable" } else { "enable" };
        let lonely = |group: &super::Group| matches!(&group.hosts[..], [only] if *only.name == *host);
        let groups: Vec<_> =
            self.groups.iter().filter(|(_, group)| lonely(group)).map(|(name, _)| name.clone()).collect();
        for group in groups {
            self.set_watch_disabled(&group, disabled);
            self.tell_remote(format!("{word} watch {group}"), out);
        }
        self.set_host_disabled(host, disabled);
        self.tell_remote(format!("{word} host {host}"), out);
    }

    /// Whether some group has that host, not disabled.
    fn has_enabled(&self, host: &str) -> bool {
        self.groups.values().any(|group| group.enabled_hosts().any(|name| **name == *host))
    }

    /// Whether there is such a watch.
    pub(super) fn set_watch_disabled(&mut self, watch: &str, disabled: bool) -> bool {
        match self.groups.get_mut(watch) {
            Some(group) if group.watched => {
                group.disabled = disabled;
                true
            }
            _ => false,
        }
    }

    /// Whether any group has that host.
    pub(super) fn set_host_disabled(&mut self, host: &str, disabled: bool) -> bool {
        let mut found = false;
        for entry in self.groups.values_mut().flat_map(|group| &mut group.hosts).filter(|h| *h.name == *host)
        {
            entry.disabled = disabled;
            found = true;
        }
        found
    }
}

/// What was changed is on disk before the operator is told so.
fn saved_then(client: ClientId, answer: Result<Answer<'static>, Answer<'static>>) -> Effect {
    match answer {
        Ok(answer) => Effect::Save { files: vec![StateFile::Disabled], then: Some((client, answer)) },
        Err(answer) => Effect::reply(client, answer),
    }
}
