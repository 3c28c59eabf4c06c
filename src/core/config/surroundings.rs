//! What a mon.cf says about the machine it is for, held against that machine.
//!
//! Nothing here looks at a file: the shell looks, and hands in what it saw as [`Surroundings`]. What it could not
//! see (another machine, no state at hand) it leaves out, and then nothing is said about it.
//!
//! | code | what |
//! |---|---|
//! | W027, W028, W031 | program not found, not executable, no directory to find it in |
//! | W029, W030 | program hidden by another one, built-in hidden by a script that cannot work |
//! | W038 | monitor that takes longer than its interval |
//! | W044 to W046 | the file of the other server of a pair |
//! | W047 to W050 | who may read, write and do what |
//! | W064 | directory that is not there |
//! | W091 | alert lines of which no program is there |
//! | W053, W060 | arguments that a program of ours does not know, `;;` that it needs |

mod access;
mod pair;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Config;
use super::ast::{Kind, Span, Statement};
use super::diagnostic::Diagnostic;
use super::lines::Source;
use super::lint::{At, nobody_to_call, walk};
use super::sink::{Complaint, Sink};

/// What the shell saw.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// `mondir`; `None` if nobody looked.
    pub monitors: Option<SearchPath>,
    /// `alertdir`; `None` if nobody looked.
    pub alerts: Option<SearchPath>,
    /// Directories that global variables name: the variable, the directory, and whether it is there.
    pub dirs: Vec<(&'static str, String, bool)>,
    /// Who may do what; `None` if nobody looked.
    pub access: Option<AuthFile>,
    /// The mon.cf of the other server of a pair.
    pub peer: Option<Peer>,
    /// Seconds that the last run of a monitor took, by group and service.
    pub durations: BTreeMap<(String, String), u64>,
    /// What runs usually take, likewise.
    pub run_times: BTreeMap<(String, String), RunTime>,
}

/// What the runs of a monitor usually take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    /// Half of them took longer.
    pub median: Duration,
    /// How many were measured.
    pub runs: usize,
}

/// The directories where programs are looked for, and what is in them.
#[derive(Debug, Default)]
pub struct SearchPath {
    /// In the order in which they are searched, and whether they exist.
    pub dirs: Vec<(String, bool)>,
    /// Names of all files in them.
    pub names: BTreeSet<String>,
    /// The files for each program that the configuration names, in the order of the directories.
    pub found: BTreeMap<String, Vec<Sighting>>,
    /// What is built in, and its help text.
    pub builtin: BTreeMap<String, String>,
}

/// A file with the name of a program.
#[derive(Debug, Clone, Default)]
pub struct Sighting {
    /// Where it is.
    pub path: String,
    /// Whether it is a regular file that may be executed.
    pub executable: bool,
    /// Whether it is the same file as one before it, by another name or as a copy.
    pub copy: bool,
    /// Why it cannot work on this machine, if that is known: `it needs …`.
    pub handicap: Option<String>,
}

/// auth.cf.
#[derive(Debug, Default)]
pub struct AuthFile {
    /// Where it is looked for.
    pub path: String,
    /// What is in it; `None` for one that is not there or cannot be read.
    pub text: Option<String>,
    /// Whether there is a file of that name at all.
    pub exists: bool,
    /// Its permission bits.
    pub mode: u32,
}

/// Another server's mon.cf.
#[derive(Debug)]
pub struct Peer {
    /// Its name, for messages.
    pub file: String,
    /// What it says.
    pub config: Config,
}

/// The names of all monitors and alerts of a configuration, each once.
#[must_use]
pub fn programs_of(config: &Config) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let services = || config.watches.iter().flat_map(|watch| &watch.services);
    let monitors = services().filter_map(|service| service.monitor.as_ref());
    let lines = services().flat_map(|service| &service.periods).flat_map(|period| &period.alerts);
    let redistributions = services().filter_map(|service| service.redistribute.as_ref());
    let alerts = lines.map(|line| &line.command).chain(redistributions);
    (monitors.map(|command| command.program()).collect(), alerts.map(|command| command.program()).collect())
}

/// The warnings about what the shell saw, in the order of the file. `text` is what `config` was read from.
#[must_use]
pub fn look_around(text: &str, config: &Config, surroundings: &Surroundings) -> Vec<Diagnostic> {
    let source = Source::new(text);
    let mut sink = Sink::new(&source);
    let mut programs = programs::Programs::new(surroundings);
    let mut seen = Seen::default();
    walk(&source, config, |at| {
        seen.line(at);
        programs.line(at, &mut sink);
        durations(at, surroundings, &mut sink);
        if let Some(peer) = &surroundings.peer {
            pair::line(at, peer, &mut sink);
        }
    });
    programs.end(&seen, &mut sink);
    missing_dirs(surroundings, programs.homeless(), &seen, &mut sink);
    if let Some(auth) = &surroundings.access {
        access::check(auth, config, &seen, &mut sink);
    }
    if let Some(peer) = &surroundings.peer {
        pair::whole(config, peer, &seen, &mut sink);
    }
    let mut found = sink.into_diagnostics();
    // Where no directory exists at all, a warning says so already.
    if let Some(path) =
        surroundings.alerts.as_ref().filter(|path| path.dirs.iter().any(|(_, exists)| *exists))
    {
        let is_there = |name: &str| {
            let sighted = path.found.get(name).is_some_and(|found| found.iter().any(|file| file.executable));
            sighted || path.builtin.contains_key(name)
        };
        found.extend(nobody_to_call(config, text, is_there));
        found.sort_by_key(|diagnostic| diagnostic.line);
    }
    found
}

/// The lines that warnings about the whole file stand at.
#[derive(Debug, Default)]
struct Seen {
    first: Option<Statement>,
    globals: BTreeMap<String, Statement>,
    /// The first line of each keyword inside of watches.
    keywords: BTreeMap<String, Statement>,
    /// The first line that asks another mon server.
    watcher: Option<Statement>,
}

impl Seen {
    fn line(&mut self, at: &At<'_>) {
        if matches!(at.statement.kind, Kind::Blank | Kind::Comment | Kind::Unfinished) {
            return;
        }
        self.first.get_or_insert(at.statement);
        if at.name() == "monitor" && at.service.is_some_and(|(service, _)| pair::asks_servers(service)) {
            self.watcher.get_or_insert(at.statement);
        }
        let known = match at.statement.kind {
            Kind::Global => &mut self.globals,
            Kind::Setting => &mut self.keywords,
            _ => return,
        };
        if !known.contains_key(at.name()) {
            known.insert(at.name().to_owned(), at.statement);
        }
    }

    /// The line of that global variable, or else the first line of the file.
    fn place_of(&self, globals: &[&str]) -> (Span, u32) {
        let line = globals.iter().find_map(|name| self.globals.get(*name)).or(self.first.as_ref());
        line.map_or((Span::default(), 1), |line| (line.text, line.line))
    }
}

/// Of a search path one that is missing is enough to look at its spelling; the daemon goes on without.
fn missing_dirs(surroundings: &Surroundings, homeless: [bool; 2], seen: &Seen, sink: &mut Sink<'_>) {
    // Where programs are missed for lack of any directory, that is said already.
    let path_of = |global: &'static str, path: &Option<SearchPath>, homeless: bool| {
        let dirs = path.iter().filter(|_| !homeless).flat_map(|path| path.dirs.clone());
        dirs.map(|(dir, exists)| (global, dir, exists)).collect::<Vec<_>>()
    };
    let [alerts, monitors] = homeless;
    let paths = [
        path_of("mondir", &surroundings.monitors, monitors),
        path_of("alertdir", &surroundings.alerts, alerts),
    ];
    for (global, dir, exists) in surroundings.dirs.iter().chain(paths.iter().flatten()) {
        let (Some(line), false) = (seen.globals.get(*global), exists) else { continue };
        let complaint = warning("W064", format!("there is no directory {dir}"), "names what is not there")
            .help("make it, or write another".to_owned());
        sink.warn(line.text, line.line, complaint);
    }
}

/// A run that has not ended when the next is due holds that one back.
fn durations(at: &At<'_>, surroundings: &Surroundings, sink: &mut Sink<'_>) {
    let (Some((service, _)), Some(watch)) = (at.service, at.watch) else { return };
    let Surroundings { durations, run_times, .. } = surroundings;
    let is_known = !durations.is_empty() || !run_times.is_empty();
    if !is_known || at.name() != "interval" || at.statement.kind != Kind::Setting {
        return;
    }
    let key = (watch.group.to_string(), service.name.to_string());
    let Some(interval) = service.interval else { return };
    let took = match (run_times.get(&key), durations.get(&key)) {
        (Some(RunTime { median, runs }), _) => {
            let shown = (median.as_secs_f64() * 10.0).round() / 10.0;
            Some((*median, format!("usually takes {shown}s (the median of {runs} runs)")))
        }
        (None, Some(&last)) => Some((Duration::from_secs(last), format!("took {last}s when it last ran"))),
        (None, None) => None,
    };
    if let Some((_, took)) = took.filter(|(took, _)| *took > interval.duration()) {
        let message = format!("the monitor {took}: it cannot run every {interval}s");
        let complaint = super::lint::warning("W038", message, "shorter than a run").help(
            "lengthen the interval, or give the monitor fewer hosts or a shorter time limit".to_owned(),
        );
        sink.warn(at.statement.rest, at.statement.line, complaint);
    }
}

fn warning(code: &'static str, message: String, label: &str) -> Complaint {
    super::lint::warning(code, message, label)
}
