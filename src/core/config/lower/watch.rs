//! `watch NAME` and what opens and closes in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::ast::{Kind, Statement};
use super::super::model::Watch;
use super::super::refusal;
use super::service::OpenService;
use super::{Lowering, lint};

/// The watch whose services are being read.
pub(super) struct OpenWatch<'s> {
    pub(super) group: Arc<str>,
    /// Its place in the list, from its first service on: the original knows no watch without services.
    pub(super) index: Option<usize>,
    /// Names of its services.
    pub(super) names: BTreeSet<&'s str>,
    pub(super) service: Option<Box<OpenService>>,
    /// Whether it has been said that lines stand before the first service.
    pub(super) missed_service: bool,
    /// The `watch` line.
    pub(super) statement: Statement,
}

impl<'s> Lowering<'s> {
    pub(super) fn watch(&mut self, statement: &Statement) {
        self.close_records();
        let group = self.text(statement.name);
        if !self.config.hostgroups.contains_key(&group) {
            self.notes.made(&group, statement);
            self.config.hostgroups.insert(Arc::clone(&group), vec![Arc::clone(&group)]);
        }
        if self.notes.has_watch(&group) {
            self.refuse(statement.name, statement.line, refusal::watch_defined_twice(&group));
        }
        lint::words_after_watch(statement, self.source, &mut self.sink);
        self.watch = Some(OpenWatch {
            group,
            index: None,
            names: BTreeSet::new(),
            service: None,
            missed_service: false,
            statement: *statement,
        });
    }

    /// Enters the open service and forgets the open watch.
    pub(super) fn close_watch(&mut self) {
        self.close_service();
        if let Some(watch) = self.watch.take() {
            match watch.index {
                Some(index) => self.config.watches[index].services.shrink_to_fit(),
                None if watch.missed_service => {}
                None => lint::watch_without_services(&watch.group, &watch.statement, &mut self.sink),
            }
        }
    }

    pub(super) fn close_service(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        let Some(open) = watch.service.take() else { return };
        let index = *watch.index.get_or_insert_with(|| {
            self.notes.watch(&watch.group);
            self.config.watches.push(Watch { group: Arc::clone(&watch.group), services: Vec::new() });
            self.config.watches.len() - 1
        });
        let services = &mut self.config.watches[index].services;
        let (service, statements) = open.close();
        let view = lint::ServiceView {
            source: self.source,
            group: &watch.group,
            service: &service,
            statements: &statements,
        };
        lint::service(&view, &mut self.notes, &mut self.sink);
        self.notes.service(&view, index, services.len());
        services.push(Box::new(service));
        self.spare = statements;
    }

    pub(super) fn service(&mut self, statement: &Statement) {
        self.close_service();
        let name = self.slice(statement.rest);
        let Some(watch) = &mut self.watch else { return };
        if !super::super::parse::is_valid_name(name) {
            let place = if name.is_empty() { statement.text } else { statement.rest };
            self.sink.error(place, statement.line, refusal::invalid_service_tag(name));
        } else if !watch.names.insert(name) {
            let complaint = refusal::service_defined_twice(name, &watch.group);
            self.sink.error(statement.rest, statement.line, complaint);
        }
        let name = self.texts.text(name);
        let spare = std::mem::take(&mut self.spare);
        watch.service = Some(Box::new(OpenService::new(name, statement, &self.defaults, spare)));
    }

    /// The open service; where there is none, says so once for each watch.
    pub(super) fn open_service(&mut self, statement: &Statement) -> Option<&mut OpenService> {
        let watch = self.watch.as_mut()?;
        if watch.service.is_none() && !watch.missed_service {
            watch.missed_service = true;
            let word = self.source.slice(statement.name);
            let complaint = match statement.kind {
                Kind::Env => refusal::env_without_service(word),
                _ => refusal::no_service(word),
            };
            let place = if word.is_empty() { statement.text } else { statement.name };
            self.sink.error(place, statement.line, complaint);
        }
        let service = watch.service.as_deref_mut()?;
        service.statements.push(*statement);
        Some(service)
    }

    pub(super) fn env(&mut self, statement: &Statement) {
        let (name, value) = (self.text(statement.name), self.text(statement.rest));
        if let Some(service) = self.open_service(statement) {
            service.env.push((name, value));
        }
    }
}
