//! Statements to a checked [`Config`]; every mistake becomes a diagnostic, none ends the reading.

mod globals;
mod period;
mod records;
mod service;
mod specs;
mod watch;

use std::sync::Arc;

use super::ast::{Kind, Span, Statement};
use super::diagnostic::Diagnostic;
use super::intern::Interner;
use super::lines::{MAX_TEXT, Source};
use super::lint::{self, Notes};
use super::model::{Config, DepBehavior};
use super::parse::Statements;
use super::refusal::{self, TimeSyntax};
use super::sink::{Complaint, Sink};
use super::values;
use crate::timeval::{self, Timeval};
use records::OpenRecord;
use specs::Specs;
use watch::OpenWatch;

/// Reads a whole mon.cf: `text` is decoded, and m4 has run where it should.
///
/// All diagnostics of the file come with it, in its order. The configuration may be used if none of them is an
/// error.
#[must_use]
pub fn load(text: &str) -> (Config, Vec<Diagnostic>) {
    read(text, Notes::default())
}

/// The same without the warnings that take a second look at each service. Of a hundred thousand services they take
/// longer than all the rest.
#[must_use]
pub fn load_briefly(text: &str) -> (Config, Vec<Diagnostic>) {
    read(text, Notes::brief())
}

fn read(text: &str, notes: Notes) -> (Config, Vec<Diagnostic>) {
    let source = Source::new(text);
    let mut lowering = Lowering::new(&source, notes);
    for statement in Statements::of(&source) {
        lowering.statement(&statement);
    }
    if text.len() > MAX_TEXT {
        let end = Span { start: MAX_TEXT as u32 - 1, end: MAX_TEXT as u32 };
        lowering.sink.error(end, lowering.last_line, refusal::too_long());
    }
    lowering.finish()
}

/// The configuration as far as it is read.
struct Lowering<'s> {
    source: &'s Source<'s>,
    sink: Sink<'s>,
    config: Config,
    texts: Interner,
    specs: Specs,
    defaults: Defaults,
    record: OpenRecord,
    watch: Option<OpenWatch<'s>>,
    notes: Notes,
    /// The list of lines of the service before, to be used again.
    spare: Vec<Statement>,
    last_line: u32,
}

/// What the globals `dep_behavior`, `dep_memory` and `unack_summary` say for the services that follow.
#[derive(Default)]
struct Defaults {
    dep_behavior: DepBehavior,
    dep_memory: Option<Timeval>,
    unack_summary: bool,
}

impl<'s> Lowering<'s> {
    fn new(source: &'s Source<'s>, notes: Notes) -> Lowering<'s> {
        Lowering {
            source,
            sink: Sink::new(source),
            config: Config::default(),
            texts: Interner::default(),
            specs: Specs::default(),
            defaults: Defaults::default(),
            record: OpenRecord::default(),
            watch: None,
            notes,
            spare: Vec::new(),
            last_line: 0,
        }
    }

    fn statement(&mut self, statement: &Statement) {
        self.last_line = statement.line;
        lint::layout(&mut self.notes, self.source, statement, &mut self.sink);
        if !self.notes.is_brief() {
            lint::disguises(statement, self.source, &mut self.sink);
        }
        match statement.kind {
            Kind::Comment | Kind::Ignored => {}
            Kind::Unfinished => lint::unfinished(statement, &mut self.sink),
            Kind::Blank => self.close_records(),
            Kind::Global => self.global(statement),
            Kind::Hostgroup => self.hostgroup(statement),
            Kind::Hosts => self.hosts(statement),
            Kind::Alias => self.alias(statement),
            Kind::AliasText => self.alias_text(statement),
            Kind::View => self.view(statement),
            Kind::Members => self.members(statement),
            Kind::Watch => self.watch(statement),
            Kind::Env => self.env(statement),
            Kind::Service => self.service(statement),
            Kind::Period => self.period(statement),
            Kind::Setting => self.setting(statement),
        }
    }

    fn close_records(&mut self) {
        self.close_watch();
        self.close_record();
    }

    fn finish(mut self) -> (Config, Vec<Diagnostic>) {
        self.close_records();
        lint::whole_file(&mut self.notes, self.source, &self.config, &mut self.sink);
        self.config.watches.shrink_to_fit();
        (self.config, self.sink.into_diagnostics())
    }

    fn slice(&self, span: Span) -> &'s str {
        self.source.slice(span)
    }

    /// The shared copy of the text at `span`.
    fn text(&mut self, span: Span) -> Arc<str> {
        self.texts.text(self.source.slice(span))
    }

    fn refuse(&mut self, span: Span, line: u32, complaint: Complaint) {
        self.sink.error(span, line, complaint);
    }

    /// A time that must be more than zero.
    fn positive_time(&mut self, statement: &Statement, span: Span, syntax: &TimeSyntax) -> Option<Timeval> {
        let value = self.slice(span);
        match values::positive_time(value) {
            Ok(Some(time)) => Some(time),
            Ok(None) => {
                // The original's loop comes by once a second: that is what an interval of zero means there.
                let works_as = if syntax.zero_is_none() { None } else { Timeval::from_secs(1) };
                self.sink.warn(span, statement.line, lint::hidden_zero(value, works_as));
                works_as
            }
            Err(()) => {
                let place = if span.is_empty() { statement.text } else { span };
                self.refuse(place, statement.line, refusal::bad_time(syntax, value));
                None
            }
        }
    }

    /// A time where zero means none.
    fn time_or_zero(&mut self, statement: &Statement, syntax: &TimeSyntax) -> Option<Timeval> {
        let value = self.slice(statement.rest);
        timeval::parse(value).unwrap_or_else(|| {
            let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
            self.refuse(place, statement.line, refusal::bad_time(syntax, value));
            None
        })
    }
}
