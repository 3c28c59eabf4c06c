//! The monitors and alerts: are they there, can they run, and which of two is it?

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use remon_core::config::Config;

use super::report::{Area, Finding};
use super::sys::{self, Wish};
use super::{Patient, counted, scripts};
use crate::cli::programs::{self, path};

/// Monitors are looked for in other places than alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Monitor,
    Alert,
}

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let named = named(&patient.config);
    let mut findings = Vec::new();
    let mut hidden = Vec::new();
    for ((role, name), service) in &named {
        let (dirs, is_built_in) = match role {
            Role::Monitor => (&patient.places.mondirs, programs::is_builtin_monitor(name)),
            Role::Alert => (&patient.places.alertdirs, programs::is_builtin_alert(name)),
        };
        let files = files(name, dirs);
        match files.iter().find(|file| is_executable(file)) {
            Some(used) => {
                findings.extend(judge(name, used, &files, is_built_in));
                if is_built_in && !is_ours(used) {
                    hidden.push(used.display().to_string());
                }
            }
            None if is_built_in => {}
            None => findings.push(missing(name, service, dirs, &files)),
        }
    }
    if findings.is_empty() {
        findings.push(Area::Programs.well(format!("{} found", counted(named.len(), "program"))));
    }
    if !hidden.is_empty() {
        let text = format!("used in place of the built-in programs: {}", hidden.join(", "));
        let advice = "that is how it should be if you want these; to use the built-in ones, put links to mon \
                      of these names into a directory that stands first in mondir and alertdir";
        findings.push(Area::Programs.note(text, advice));
    }
    findings
}

/// Every program that the configuration names, and a service that does.
fn named(config: &Config) -> BTreeMap<(Role, String), String> {
    let mut named = BTreeMap::new();
    let mut add = |role, program: &str, service: &str| {
        named.entry((role, program.to_owned())).or_insert_with(|| service.to_owned());
    };
    for watch in &config.watches {
        for service in &watch.services {
            let place = format!("{}/{}", watch.group, service.name);
            service.monitor.iter().for_each(|line| add(Role::Monitor, line.program(), &place));
            service.redistribute.iter().for_each(|line| add(Role::Alert, line.program(), &place));
            let alerts = service.periods.iter().flat_map(|period| &period.alerts);
            alerts.for_each(|line| add(Role::Alert, line.command.program(), &place));
        }
    }
    named
}

/// The files of that name, in the order in which they are looked for.
fn files(name: &str, dirs: &[PathBuf]) -> Vec<PathBuf> {
    let paths = dirs.iter().map(|dir| dir.join(path(name)));
    paths.filter(|path| fs::metadata(path).is_ok_and(|found| found.is_file())).collect()
}

fn is_executable(path: &PathBuf) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// A link to this program is it.
fn is_ours(path: &Path) -> bool {
    let ourselves = std::env::current_exe().and_then(fs::canonicalize);
    ourselves.is_ok_and(|ourselves| fs::canonicalize(path).is_ok_and(|path| path == ourselves))
}

fn missing(name: &str, service: &str, dirs: &[PathBuf], files: &[PathBuf]) -> Finding {
    if let Some(file) = files.first() {
        let text = format!("{} ({service}) may not be executed", file.display());
        return Area::Programs.fault(text, format!("chmod 755 {}", file.display()));
    }
    if let Some(closed) = dirs.iter().find_map(|dir| sys::closed_way(&dir.join("x"))) {
        let text = format!("{name} ({service}) is not seen: {} may not be entered", closed.display());
        return Area::Programs.fault(text, format!("chmod o+rx {}", closed.display()));
    }
    let dirs = dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("{name} ({service}) is not in {dirs}, and not built in");
    Area::Programs.fault(text, "correct the name in mon.cf, or install the program")
}

/// What is to be said of the program that is used.
fn judge(name: &str, used: &Path, files: &[PathBuf], is_built_in: bool) -> Vec<Finding> {
    let shown = used.display();
    let mut findings = Vec::new();
    if let Err(why) = sys::may(used, Wish::Execute) {
        findings.push(Area::Programs.fault(format!("{shown}: {why}"), format!("chmod o+rx {shown}")));
    }
    if fs::metadata(used).is_ok_and(|found| found.permissions().mode() & 0o002 != 0) {
        let text = format!("{shown} can be changed by everybody, and mon runs it");
        findings.push(Area::Programs.fault(text, format!("chmod o-w {shown}")));
    }
    if let Some(Handicap { what, package }) = scripts::handicap(used) {
        let mut advice = package;
        if is_built_in {
            advice += &format!("\nor take {shown} away: the built-in {name} is used then");
        }
        findings.push(Area::Programs.fault(format!("{shown} cannot work: {what}"), advice));
    }
    let others = files.iter().filter(|file| file.as_path() != used && is_executable(file));
    let others = others.filter(|other| !is_same(used, other)).map(|other| other.display().to_string());
    let others = others.collect::<Vec<_>>();
    if !others.is_empty() {
        let text = format!("{shown} hides {}", others.join(", "));
        findings.push(Area::Programs.warning(text, "remove or rename the one that is not meant"));
    }
    findings
}

/// One file under two names, or a copy.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let length = |path: &Path| fs::metadata(path).map(|file| file.len()).ok();
    real(one) == real(other) || (length(one) == length(other) && fs::read(one).ok() == fs::read(other).ok())
}

pub(super) use scripts::Handicap;
