//! Questions: what the lists show. Nothing here changes anything.

use std::sync::Arc;

use super::answer::{Answer, DeliveryRow, DependencyRow, DisabledRow, OpstatusRow, RunRow};
use super::attempts::Attempt;
use super::command::List;
use super::event::ClientId;
use super::runs::{Run, RunId};
use super::{Engine, Slot};
use crate::config::ViewMember;
use crate::depend::names_in;
use crate::nouns::{Now, OpStatus};
use crate::schedule::ServiceId;

impl Engine {
    /// What `list` shows to a client, in its view. The answer borrows: render it at once.
    #[must_use]
    pub fn list<'a>(&'a self, client: ClientId, list: &'a List, now: &Now) -> Answer<'a> {
        let view = self.session(client).and_then(|session| session.view.as_deref());
        let view = View { members: view.map(|name| self.views.get(name).map_or(&[][..], |members| members)) };
        match list {
            List::Unknown => Answer::UnknownList,
            List::Descriptions => Answer::Descriptions(self.visible(view).map(description).collect()),
            List::Group(name) => Answer::Group(name, self.hosts(name)),
            List::Opstatus(asked) if asked.is_empty() => self.opstatus_of("opstatus", view, |_| true, now),
            List::Opstatus(asked) => self.opstatus_asked(asked, now),
            List::Failures => self.opstatus_of("failures", view, OpStatus::is_failure, now),
            List::Successes => self.opstatus_of("successes", view, OpStatus::is_success, now),
            List::Warnings => self.opstatus_of("warnings", view, OpStatus::is_warning, now),
            List::Disabled => Answer::Disabled(self.disabled_rows(view)),
            List::Alerthist => {
                Answer::History("alerthist", self.alert_history.iter().map(|line| &**line).collect())
            }
            List::Deliveries(asked) => self.deliveries_asked(asked, view, now),
            List::Failurehist => {
                Answer::History("failurehist", self.failure_history.iter().map(|line| &**line).collect())
            }
            List::Pids => Answer::Pids(self.runs()),
            List::Watch => {
                Answer::Watch(self.visible(view).map(|slot| (&*slot.group, &*slot.service.name)).collect())
            }
            List::State => Answer::State(self.stopped.map(|stopped| stopped.wall)),
            List::Aliases(names) => Answer::Aliases(self.aliases_named(names)),
            List::Aliasgroups => Answer::Aliasgroups(self.aliases.keys().map(|name| &**name).collect()),
            List::Deps => Answer::Deps(self.visible(view).map(dependency_row).collect()),
            List::Dtlog if self.settings.dtlogging => Answer::Dtlog,
            List::Dtlog => Answer::DtlogOff,
            // Whoever keeps the record answers this.
            List::Record(_) => Answer::NoRecord,
            List::Views => Answer::Views(self.views.keys().map(|name| &**name).collect()),
        }
    }

    fn visible<'a>(&'a self, view: View<'a>) -> impl Iterator<Item = &'a Slot> {
        self.services.iter().filter(move |slot| view.shows(&slot.group, &slot.service.name))
    }

    fn row(&self, id: ServiceId, now: &Now) -> OpstatusRow<'_> {
        let slot = self.slot(id);
        let (undelivered, last_undelivered) = self.deliveries.undelivered(&self.key(id));
        OpstatusRow {
            group: &slot.group,
            service: &slot.service,
            state: &slot.state,
            timer: self.seconds_to_next_run(id, now.mono),
            running: slot.running.is_some(),
            reloaded: slot.reloaded,
            now: now.wall,
            undelivered,
            last_undelivered,
        }
    }

    fn opstatus_of<'a>(
        &'a self,
        word: &'static str,
        view: View<'a>,
        wanted: impl Fn(OpStatus) -> bool,
        now: &Now,
    ) -> Answer<'a> {
        let ids = self.ids().filter(|&id| {
            let slot = self.slot(id);
            wanted(slot.state.opstatus) && view.shows(&slot.group, &slot.service.name)
        });
        Answer::Opstatus(word, ids.map(|id| self.row(id, now)).collect())
    }

    /// The services asked for by name; one that is not there spoils the whole answer, as in the original.
    fn opstatus_asked<'a>(&'a self, asked: &'a [(String, Option<String>)], now: &Now) -> Answer<'a> {
        let mut rows = Vec::new();
        for (group, service) in asked {
            match service {
                Some(service) => match self.find(group, service) {
                    Some(id) => rows.push(self.row(id, now)),
                    None => return Answer::DoesNotExist(group, service),
                },
                None => {
                    let ids = self.groups.get(group.as_str()).map_or(&[][..], |group| &group.services);
                    rows.extend(ids.iter().map(|&id| self.row(id, now)));
                }
            }
        }
        Answer::Opstatus("opstatus", rows)
    }

    /// The attempts about a service, a watch, or all; newest last.
    fn deliveries_asked<'a>(&'a self, asked: &'a [String], view: View<'a>, now: &Now) -> Answer<'a> {
        let (group, service) = (asked.first(), asked.get(1));
        let known = match (group, service) {
            (Some(group), Some(service)) => self.find(group, service).is_some(),
            (Some(group), None) => self.groups.contains_key(group.as_str()),
            (None, _) => true,
        };
        if !known {
            let text = |word: Option<&'a String>| word.map_or("", String::as_str);
            return Answer::DoesNotExist(text(group), text(service));
        }
        let is_asked = |attempt: &&Attempt| {
            group.is_none_or(|group| *attempt.service.group == **group)
                && service.is_none_or(|service| *attempt.service.service == **service)
                && view.shows(&attempt.service.group, &attempt.service.service)
        };
        let row = |attempt: &'a Attempt| DeliveryRow {
            attempt,
            lasted: attempt.lasted.unwrap_or_else(|| now.mono.since(attempt.started)),
        };
        Answer::Deliveries(self.deliveries.book.iter().filter(is_asked).map(row).collect())
    }

    fn hosts(&self, group: &str) -> Option<Vec<(&str, bool)>> {
        let group = self.groups.get(group)?;
        Some(group.hosts.iter().map(|host| (&*host.name, host.disabled)).collect())
    }

    fn disabled_rows<'a>(&'a self, view: View<'a>) -> Vec<DisabledRow<'a>> {
        let mut rows = Vec::new();
        for (name, group) in &self.groups {
            let hosts: Vec<&str> = group.hosts.iter().filter(|h| h.disabled).map(|h| &*h.name).collect();
            if !hosts.is_empty() && view.shows_group(name) {
                rows.push(DisabledRow::Hosts(name, hosts));
            }
        }
        for (name, group) in &self.groups {
            if group.disabled && view.shows_group(name) {
                rows.push(DisabledRow::Watch(name));
            }
            let disabled = group.services.iter().map(|&id| self.slot(id)).filter(|slot| slot.state.disabled);
            let visible = disabled.filter(|slot| view.shows(name, &slot.service.name));
            rows.extend(visible.map(|slot| DisabledRow::Service(name, &slot.service.name)));
        }
        rows
    }

    fn runs(&self) -> Vec<RunRow<'_>> {
        let row = |(&run, going_on): (&RunId, &Run)| {
            let slot = self.slot(going_on.service);
            RunRow { group: &slot.group, service: &slot.service.name, run }
        };
        self.runs.iter().map(row).collect()
    }

    /// The aliases of those names, or all; a name that is none has no lines.
    fn aliases_named<'a>(&'a self, names: &'a [String]) -> Vec<(&'a str, &'a [Arc<str>])> {
        if names.is_empty() {
            return self.aliases.iter().map(|(name, lines)| (&**name, &lines[..])).collect();
        }
        let lines = |name: &str| self.aliases.get(name).map_or(&[][..], |lines| lines);
        names.iter().map(|name| (name.as_str(), lines(name))).collect()
    }
}

/// What a client wants to see; without members: everything.
#[derive(Clone, Copy)]
struct View<'a> {
    members: Option<&'a [ViewMember]>,
}

impl View<'_> {
    fn shows_group(self, name: &str) -> bool {
        self.shows_member(|member| matches!(member, ViewMember::Group(group) if **group == *name))
    }

    fn shows(self, group: &str, service: &str) -> bool {
        self.shows_group(group)
            || self.shows_member(
                |member| matches!(member, ViewMember::Service(g, s) if **g == *group && **s == *service),
            )
    }

    fn shows_member(self, is_it: impl Fn(&ViewMember) -> bool) -> bool {
        self.members.is_none_or(|members| members.iter().any(is_it))
    }
}

fn description(slot: &Slot) -> (&str, &str, &str) {
    (&slot.group, &slot.service.name, slot.service.description.as_deref().unwrap_or_default())
}

/// `list deps` shows `depend` alone, whatever other dependencies there are.
fn dependency_row(slot: &Slot) -> DependencyRow<'_> {
    let depend = slot.service.depends.as_deref().and_then(|depends| depends.depend.as_ref());
    let services = depend.map_or_else(Vec::new, |depend| names_in(&depend.text).collect());
    DependencyRow {
        group: &slot.group,
        service: &slot.service.name,
        expression: depend.map(|depend| &*depend.text),
        services,
    }
}
