//! Checks that need the whole file, and what must be remembered for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::lines::Source;
use super::super::model::{Config, Dependency, Depends};
use super::super::sink::{Complaint, Sink};
use super::super::suggest::nearest;
use super::layout::{self, Layout};
use super::line::watch_without_hostgroup;
use super::service::{ServiceView, find};
use super::{cycle, names, overlap, pace, warning};
use crate::depend::Expr;

/// Things seen so far.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    is_brief: bool,
    pub(super) layout: Layout,
    groups: Vec<GroupNote>,
    watches: BTreeSet<Arc<str>>,
    /// Watches that stand before their hostgroup, or have none.
    made: Vec<GroupNote>,
    dependencies: Vec<ServiceLine>,
    /// First lines of the services without a period.
    silent: Vec<ServiceLine>,
    /// Where each global variable was set.
    globals: BTreeMap<Arc<str>, u32>,
    pub(super) overlaps: overlap::Cache,
}

/// A hostgroup, or a watch that got one.
#[derive(Debug)]
struct GroupNote {
    name: Arc<str>,
    span: Span,
    line: u32,
}

/// A line of the service with these places in the lists of the configuration.
#[derive(Debug)]
struct ServiceLine {
    watch: usize,
    service: usize,
    statement: Statement,
}

impl Notes {
    /// For a reading that leaves out what takes long.
    pub(in super::super) fn brief() -> Notes {
        Notes { is_brief: true, ..Notes::default() }
    }

    /// Is what takes long left out?
    pub(in super::super) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// A hostgroup begins.
    pub(in super::super) fn group(&mut self, name: &Arc<str>, statement: &Statement) {
        self.groups.push(GroupNote { name: Arc::clone(name), span: statement.name, line: statement.line });
    }

    /// A watch gets the hostgroup that is not there.
    pub(in super::super) fn made(&mut self, name: &Arc<str>, statement: &Statement) {
        self.group(name, statement);
        self.made.push(GroupNote { name: Arc::clone(name), span: statement.name, line: statement.line });
    }

    /// A global variable is set; the line where it was set before.
    pub(in super::super) fn global(&mut self, name: &Arc<str>, line: u32) -> Option<u32> {
        self.globals.insert(Arc::clone(name), line)
    }

    /// A watch has a service.
    pub(in super::super) fn watch(&mut self, name: &Arc<str>) {
        self.watches.insert(Arc::clone(name));
    }

    /// Whether a watch of that name has had a service.
    pub(in super::super) fn has_watch(&self, name: &str) -> bool {
        self.watches.contains(name)
    }

    /// Remembers what of a service can be judged at the end only.
    pub(in super::super) fn service(&mut self, view: &ServiceView<'_>, watch: usize, service: usize) {
        // A line that is no keyword may be the period.
        if view.service.periods.is_empty() && view.service.redistribute.is_none() && view.is_understood() {
            self.silent.push(ServiceLine { watch, service, statement: view.statements[0] });
        }
        if view.service.depends.is_some() {
            let lines =
                view.statements.iter().filter(|statement| view.keyword(statement).ends_with("depend"));
            self.dependencies.extend(lines.map(|&statement| ServiceLine { watch, service, statement }));
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
    watches_without_hostgroup(notes, sink);
    hostgroups_without_hosts(notes, config, sink);
    unknown_services(notes, source, config, sink);
    circular_dependencies(notes, source, config, sink);
    services_without_period(notes, config, sink);
    if !notes.is_brief {
        names::check(source, config, sink);
        pace::check(source, config, sink);
    }
}

/// The hostgroup of a watch is looked for at the end, so that a similar name below it can be told.
fn watches_without_hostgroup(notes: &Notes, sink: &mut Sink<'_>) {
    for GroupNote { name, span, line } in &notes.made {
        let groups =
            || notes.groups.iter().filter(|group| notes.made.iter().all(|made| made.span != group.span));
        let below = groups().find(|group| group.name == *name);
        let near = || {
            let unwatched = groups().filter(|group| !notes.watches.contains(&group.name));
            nearest(name, unwatched.map(|group| &*group.name))
        };
        sink.warn(*span, *line, watch_without_hostgroup(name, below.map(|group| group.line), near));
    }
}

/// The original does not run a monitor for nobody.
fn hostgroups_without_hosts(notes: &Notes, config: &Config, sink: &mut Sink<'_>) {
    for GroupNote { name, span, line } in &notes.groups {
        if config.hostgroups.get(name).is_none_or(|hosts| !hosts.is_empty()) {
            continue;
        }
        let services =
            config.watches.iter().filter(|watch| watch.group == *name).flat_map(|watch| &watch.services);
        let idle = services.filter(|service| service.monitor.is_some() && !service.allow_empty_group).count();
        if idle > 0 {
            let message = format!("no host in the hostgroup `{name}`: the monitors of its watch never run");
            let complaint = warning("W056", message, "no hosts").help(
                "name at least one host, or write `allow_empty_group` in services that need none".to_owned(),
            );
            sink.warn(*span, *line, complaint);
        }
    }
}

fn circular_dependencies(notes: &Notes, source: &Source<'_>, config: &Config, sink: &mut Sink<'_>) {
    for circle in cycle::cycles(config) {
        let named = |&(watch, service): &cycle::Place| {
            let watch = &config.watches[watch];
            format!("{}:{}", watch.group, watch.services[service].name)
        };
        let Some(&first) = circle.first() else { continue };
        let Some(note) = notes.dependencies.iter().find(|note| (note.watch, note.service) == first) else {
            continue;
        };
        let way: Vec<String> = circle.iter().chain([&first]).map(named).collect();
        let message = match way.len() {
            2 => format!("`{}` depends on itself: when it fails, nobody is told", way[0]),
            _ => format!(
                "these depend on each other in a circle: {}; when they fail, nobody is told",
                way.join(" -> ")
            ),
        };
        let (group, service) = way[1].split_once(':').unwrap_or_default();
        let complaint = warning("W032", message, "leads back to here").help(
            "a service depends on what it needs, such as the router in front of it; take one of these lines out".to_owned(),
        );
        sink.warn(place_of(source, note.statement.rest, group, service), note.statement.line, complaint);
    }
}

/// A service that others depend on need not tell anybody itself.
fn services_without_period(notes: &Notes, config: &Config, sink: &mut Sink<'_>) {
    if notes.silent.is_empty() {
        return;
    }
    let services = config.watches.iter().flat_map(|watch| &watch.services);
    let needed: BTreeSet<(&str, &str)> =
        services.flat_map(|service| cycle::expressions(service)).flat_map(Expr::services).collect();
    for ServiceLine { watch, service, statement } in &notes.silent {
        let Some(watch) = config.watches.get(*watch) else { continue };
        let Some(service) = watch.services.get(*service).map(|service| &*service.name) else { continue };
        if needed.contains(&(&*watch.group, service)) {
            continue;
        }
        let message = format!("nobody is told when the service `{service}` fails: it has no period");
        let complaint = warning("W025", message, "no `period` below it")
            .help("add a `period` line and an `alert` line below it; `period` alone means always".to_owned());
        sink.warn(statement.text, statement.line, complaint);
    }
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
pub(super) type Known<'c> = BTreeMap<&'c str, Vec<&'c str>>;

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

impl ServiceLine {
    /// The expression, unless it is broken or a later line of the same keyword replaces it.
    fn expr<'c>(&self, source: &Source<'_>, config: &'c Config) -> Option<&'c Expr> {
        let service = config.watches.get(self.watch)?.services.get(self.service)?;
        let dependency = of_keyword(service.depends.as_deref()?, source.slice(self.statement.name))?;
        dependency.expr.as_ref().ok().filter(|_| dependency.line == self.statement.line)
    }
}

pub(super) fn known_services(config: &Config) -> Known<'_> {
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
