//! Checks that need the whole file, and what must be remembered for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::lines::Source;
use super::super::model::{Config, Dependency, Depends};
use super::super::sink::{Complaint, Sink};
use super::super::suggest::nearest;
use super::layout::{self, Layout};
use super::service::{ServiceView, find};
use super::warning;
use crate::depend::Expr;

/// Things seen so far.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    pub(super) layout: Layout,
    groups: Vec<GroupNote>,
    watches: BTreeSet<Arc<str>>,
    dependencies: Vec<DependencyNote>,
}

/// A hostgroup, or a watch that got one.
#[derive(Debug)]
struct GroupNote {
    name: Arc<str>,
    span: Span,
    line: u32,
}

/// A dependency line of the service with these places in the lists of the configuration.
#[derive(Debug)]
struct DependencyNote {
    watch: usize,
    service: usize,
    statement: Statement,
}

impl Notes {
    /// A hostgroup begins.
    pub(in super::super) fn group(&mut self, name: &Arc<str>, statement: &Statement) {
        self.groups.push(GroupNote { name: Arc::clone(name), span: statement.name, line: statement.line });
    }

    /// A watch has a service.
    pub(in super::super) fn watch(&mut self, name: &Arc<str>) {
        self.watches.insert(Arc::clone(name));
    }

    /// Whether a watch of that name has had a service.
    pub(in super::super) fn has_watch(&self, name: &str) -> bool {
        self.watches.contains(name)
    }

    /// Remembers the dependency lines of a service.
    pub(in super::super) fn dependencies(&mut self, view: &ServiceView<'_>, watch: usize, service: usize) {
        if view.service.depends.is_some() {
            let lines =
                view.statements.iter().filter(|statement| view.keyword(statement).ends_with("depend"));
            self.dependencies.extend(lines.map(|&statement| DependencyNote { watch, service, statement }));
        }
    }
}

/// Runs all checks of the file.
pub(in super::super) fn whole_file(
    notes: &mut Notes,
    source: &Source<'_>,
    config: &Config,
    sink: &mut Sink<'_>,
) {
    layout::end(&mut notes.layout, source, sink);
    hostgroups_without_watch(notes, sink);
    unknown_services(notes, source, config, sink);
}

fn hostgroups_without_watch(notes: &Notes, sink: &mut Sink<'_>) {
    let mut said = BTreeSet::new();
    for GroupNote { name, span, line } in notes.groups.iter().rev() {
        if !notes.watches.contains(name) && said.insert(name) {
            let legacy = Some(format!("Warning: hostgroup {name} has no watch assigned to it!"));
            let complaint = warning(
                "W005",
                format!("no watch for the hostgroup `{name}`"),
                "nothing watches these hosts",
            )
            .help(format!("add a `watch {name}`, or delete the hostgroup"));
            sink.warn(*span, *line, Complaint { legacy, ..complaint });
        }
    }
}

/// Names of services by group, sorted.
type Known<'c> = BTreeMap<&'c str, Vec<&'c str>>;

fn unknown_services(notes: &Notes, source: &Source<'_>, config: &Config, sink: &mut Sink<'_>) {
    if notes.dependencies.is_empty() {
        return;
    }
    let known = known_services(config);
    let is_known =
        |group, service| known.get(group).is_some_and(|names| names.binary_search(&service).is_ok());
    let mut helped = 0;
    for note in &notes.dependencies {
        let Some(expr) = note.expr(source, config) else { continue };
        for (group, service) in expr.services().filter(|&(group, service)| !is_known(group, service)) {
            let message = format!(
                "there is no service `{group}:{service}`: this dependency counts as failing for good"
            );
            let help = if helped < MOST_HELP { nearest_service(group, service, &known) } else { None };
            helped += 1;
            let complaint = warning("W008", message, "unknown service").help(help);
            sink.warn(place_of(source, note.statement.rest, group, service), note.statement.line, complaint);
        }
    }
}

/// Searching a large file for similar names takes long; whoever has so many wrong ones has another problem.
const MOST_HELP: usize = 100;

impl DependencyNote {
    /// The expression, unless it is broken or a later line of the same keyword replaces it.
    fn expr<'c>(&self, source: &Source<'_>, config: &'c Config) -> Option<&'c Expr> {
        let service = config.watches.get(self.watch)?.services.get(self.service)?;
        let dependency = of_keyword(service.depends.as_deref()?, source.slice(self.statement.name))?;
        dependency.expr.as_ref().ok().filter(|_| dependency.line == self.statement.line)
    }
}

fn known_services(config: &Config) -> Known<'_> {
    let mut known = Known::new();
    for watch in &config.watches {
        let names = known.entry(&*watch.group).or_default();
        names.extend(watch.services.iter().map(|service| &*service.name));
    }
    known.values_mut().for_each(|names| names.sort_unstable());
    known
}

/// Where the text at `span` names the service, by its group or by `SELF`.
fn place_of(source: &Source<'_>, span: Span, group: &str, service: &str) -> Span {
    match find(source, span, &format!("{group}:{service}")) {
        place if place == span => find(source, span, &format!("SELF:{service}")),
        place => place,
    }
}

fn of_keyword<'d>(depends: &'d Depends, keyword: &str) -> Option<&'d Dependency> {
    match keyword {
        "depend" => depends.depend.as_ref(),
        "alertdepend" => depends.alertdepend.as_ref(),
        "monitordepend" => depends.monitordepend.as_ref(),
        _ => depends.hostdepend.as_ref(),
    }
}

fn nearest_service(group: &str, service: &str, known: &Known<'_>) -> Option<String> {
    match known.get(group) {
        Some(names) => Some(match nearest(service, names.iter().copied()) {
            Some(near) => format!("did you mean `{group}:{near}`?"),
            None => format!("the watch `{group}` has: {}", listed(names)),
        }),
        None => nearest(group, known.keys().copied()).map(|near| format!("did you mean `{near}:{service}`?")),
    }
}

/// The first few of a list of words.
fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 6;
    let more = if words.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", words[..words.len().min(SHOWN)].join(", "))
}
