//! hostgroup, alias and view records.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::model::{HostGroup, ViewMember};
use super::super::values::words;
use super::{Lowering, lint};

/// The record that more lines may still be added to.
#[derive(Default)]
pub(super) enum OpenRecord {
    #[default]
    None,
    Hostgroup(Arc<str>, HostGroup, Vec<(Span, u32)>),
    /// An alias without lines does not exist, so this one is entered with its first line.
    Alias(Arc<str>),
    View(Arc<str>, Vec<ViewMember>, BTreeSet<ViewMember>),
}

impl Lowering<'_> {
    /// Enters the open hostgroup or view. A second one of the same name replaces the first.
    pub(super) fn close_record(&mut self) {
        match std::mem::take(&mut self.record) {
            OpenRecord::None | OpenRecord::Alias(_) => {}
            OpenRecord::Hostgroup(name, mut hosts, places) => {
                lint::repeated_hosts(&name, &hosts, &places, self.source, &mut self.sink);
                hosts.shrink_to_fit();
                self.config.hostgroups.insert(name, hosts);
            }
            OpenRecord::View(name, mut members, _) => {
                members.shrink_to_fit();
                self.config.views.insert(name, members);
            }
        }
    }

    pub(super) fn hostgroup(&mut self, statement: &Statement) {
        self.close_records();
        let name = self.text(statement.name);
        lint::hostgroup_again(&self.config, &name, statement, &mut self.sink);
        lint::hostgroup_name_cut(statement, self.source, &mut self.sink);
        self.notes.group(&name, statement);
        self.record = OpenRecord::Hostgroup(name, Vec::new(), Vec::new());
        self.hosts(statement);
    }

    pub(super) fn hosts(&mut self, statement: &Statement) {
        let text = self.source.slice(statement.rest);
        if let OpenRecord::Hostgroup(_, hosts, places) = &mut self.record {
            hosts.extend(words(text).map(|host| self.texts.text(host)));
            places.push((statement.rest, statement.line));
            lint::odd_hosts(statement, self.source, &mut self.sink);
        }
    }

    pub(super) fn alias(&mut self, statement: &Statement) {
        self.close_records();
        self.record = OpenRecord::Alias(self.text(statement.name));
    }

    pub(super) fn alias_text(&mut self, statement: &Statement) {
        let text = self.text(statement.rest);
        if let OpenRecord::Alias(name) = &self.record {
            self.config.aliases.entry(Arc::clone(name)).or_default().push(text);
        }
    }

    pub(super) fn view(&mut self, statement: &Statement) {
        self.close_records();
        self.record = OpenRecord::View(self.text(statement.name), Vec::new(), BTreeSet::new());
        self.members(statement);
    }

    pub(super) fn members(&mut self, statement: &Statement) {
        let text = self.source.slice(statement.rest);
        if let OpenRecord::View(_, members, seen) = &mut self.record {
            for word in words(text) {
                let member = match word.split_once(':') {
                    Some((group, service)) => {
                        ViewMember::Service(self.texts.text(group), self.texts.text(service))
                    }
                    None => ViewMember::Group(self.texts.text(word)),
                };
                if seen.insert(member.clone()) {
                    members.push(member);
                }
            }
        }
    }
}
