//! Lines of a service before its first period.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::diagnostic::Severity;
use super::super::model::{CommandLine, Dependency, Depends, Period, Service};
use super::super::refusal::{
    self, DEP_MEMORY, FAILURE_INTERVAL, INTERVAL, RANDSKEW, TRAPDURATION, TRAPTIMEOUT,
};
use super::super::values;
use super::period::OpenPeriod;
use super::{Defaults, Lowering, lint};
use crate::depend::Expr;

/// A service that more lines may still be added to.
pub(super) struct OpenService {
    pub(super) service: Service,
    pub(super) env: Vec<(Arc<str>, Arc<str>)>,
    pub(super) periods: Vec<Period>,
    pub(super) period: Option<OpenPeriod>,
    /// What its periods are called so far.
    pub(super) labels: BTreeSet<Arc<str>>,
    /// Its lines, for the checks that look at them once the service is complete.
    pub(super) statements: Vec<Statement>,
}

impl OpenService {
    /// `spare` is the list of the service before, to be used again.
    pub(super) fn new(
        name: Arc<str>,
        at: &Statement,
        defaults: &Defaults,
        mut spare: Vec<Statement>,
    ) -> OpenService {
        let service = Service {
            name,
            interval: None,
            failure_interval: None,
            randskew: None,
            traptimeout: None,
            trapduration: None,
            dep_memory: defaults.dep_memory,
            dep_behavior: defaults.dep_behavior,
            depends: None,
            monitor: None,
            redistribute: None,
            allow_empty_group: false,
            description: None,
            unack_summary: defaults.unack_summary,
            exclude_hosts: Box::default(),
            exclude_period: None,
            env: Box::default(),
            periods: Box::default(),
            line: at.line,
        };
        spare.clear();
        spare.push(*at);
        OpenService {
            service,
            env: Vec::new(),
            periods: Vec::new(),
            period: None,
            labels: BTreeSet::new(),
            statements: spare,
        }
    }

    /// The complete service, and its lines.
    pub(super) fn close(mut self) -> (Service, Vec<Statement>) {
        self.close_period();
        self.service.env = self.env.into_boxed_slice();
        self.service.periods = self.periods.into_boxed_slice();
        (self.service, self.statements)
    }

    pub(super) fn close_period(&mut self) {
        self.periods.extend(self.period.take().map(OpenPeriod::close));
    }
}

impl Lowering<'_> {
    pub(super) fn setting(&mut self, statement: &Statement) {
        let Some(service) = self.open_service(statement) else { return };
        if service.period.is_some() {
            self.period_setting(statement);
        } else {
            self.service_setting(statement);
        }
    }

    fn service_setting(&mut self, statement: &Statement) {
        match self.slice(statement.name) {
            word @ ("interval" | "failure_interval" | "traptimeout" | "trapduration" | "randskew"
            | "dep_memory") => {
                self.service_time(statement, word);
            }
            word @ ("depend" | "alertdepend" | "monitordepend" | "hostdepend") => {
                self.dependency(statement, word)
            }
            "monitor" => {
                let command = self.command(statement, statement.rest);
                self.with_service(|service| service.monitor = command);
            }
            "redistribute" => {
                let command = self.command(statement, statement.rest);
                self.with_service(|service| service.redistribute = command);
            }
            "allow_empty_group" => self.with_service(|service| service.allow_empty_group = true),
            "description" => {
                let text = Some(self.text(statement.rest));
                self.with_service(|service| service.description = text);
            }
            "unack_summary" => {
                // Documented as optional, but the original refuses it without an argument.
                let flag = if statement.rest.is_empty() { Some(true) } else { self.unack_summary(statement) };
                self.with_service(|service| service.unack_summary = flag.unwrap_or_default());
            }
            "dep_behavior" => {
                let behavior = self.dep_behavior(statement, " (syntax: dep_behavior = {m|a})");
                self.with_service(|service| service.dep_behavior = behavior.unwrap_or_default());
            }
            "exclude_hosts" => {
                let text = self.slice(statement.rest);
                let hosts = values::words(text).map(|host| self.texts.text(host)).collect();
                self.with_service(|service| service.exclude_hosts = hosts);
            }
            "exclude_period" => {
                let spec = self.exclude_period(statement);
                self.with_service(|service| service.exclude_period = spec);
            }
            _ => self.unknown_syntax(statement, false),
        }
    }

    fn service_time(&mut self, statement: &Statement, word: &str) {
        let syntax = match word {
            "interval" => &INTERVAL,
            "failure_interval" => &FAILURE_INTERVAL,
            "traptimeout" => &TRAPTIMEOUT,
            "trapduration" => &TRAPDURATION,
            "randskew" => &RANDSKEW,
            _ => &DEP_MEMORY,
        };
        let time = self.positive_time(statement, statement.rest, syntax);
        self.with_service(|service| match word {
            "interval" => service.interval = time,
            "failure_interval" => service.failure_interval = time,
            "traptimeout" => service.traptimeout = time,
            "trapduration" => service.trapduration = time,
            "randskew" => service.randskew = time,
            _ => service.dep_memory = time,
        });
    }

    fn dependency(&mut self, statement: &Statement, word: &str) {
        let written = self.slice(statement.rest);
        let group = self.watch.as_ref().map_or("", |watch| &watch.group);
        let text = if written.contains("SELF:") {
            self.texts.text(&written.replace("SELF:", &format!("{group}:")))
        } else {
            self.texts.text(written)
        };
        let expr = Expr::parse(&text);
        if text.is_empty() {
            self.sink.warn(statement.text, statement.line, lint::empty_dependency(word));
        } else if let Err(error) = &expr {
            lint::bad_dependency(statement, written, group, error, &mut self.sink);
        }
        let dependency = (!text.is_empty()).then_some(Dependency { text, expr, line: statement.line });
        self.with_service(|service| {
            let depends = service.depends.get_or_insert_with(Box::<Depends>::default);
            match word {
                "depend" => depends.depend = dependency,
                "alertdepend" => depends.alertdepend = dependency,
                "monitordepend" => depends.monitordepend = dependency,
                _ => depends.hostdepend = dependency,
            }
        });
    }

    /// The program and arguments at `span`; nothing is no program.
    pub(super) fn command(&mut self, statement: &Statement, span: Span) -> Option<CommandLine> {
        if span.is_empty() {
            let word = self.slice(statement.name);
            self.sink.warn(statement.text, statement.line, lint::no_program(word));
            return None;
        }
        Some(CommandLine { text: self.text(span), line: statement.line })
    }

    pub(super) fn unknown_syntax(&mut self, statement: &Statement, in_period: bool) {
        if self.sink.is_full(Severity::Error) {
            return;
        }
        let (line, word) = (self.slice(statement.text), self.slice(statement.name));
        let place = if word.is_empty() { statement.text } else { statement.name };
        self.refuse(place, statement.line, refusal::unknown_syntax(line, word, in_period));
    }

    fn with_service(&mut self, change: impl FnOnce(&mut Service)) {
        if let Some(open) = self.watch.as_mut().and_then(|watch| watch.service.as_deref_mut()) {
            change(&mut open.service);
        }
    }
}
