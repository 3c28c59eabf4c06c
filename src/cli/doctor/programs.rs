//! The monitors and alerts: are they there, can they run, and which of two is it?

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use remon_core::config::Config;
use remon_core::config::surroundings::programs_of;

use super::report::{Area, Finding};
use super::scripts::{self, Handicap};
use super::sys::{self, Wish};
use super::{Patient, counted};
use crate::cli::programs::{self, path};

/// Monitors are looked for in other places than alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Monitor,
    Alert,
}

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut hidden = Vec::new();
    for (role, name) in named(&patient.config) {
        let (dirs, is_built_in) = match role {
            Role::Monitor => (&patient.places.mondirs, programs::is_builtin_monitor(name)),
            Role::Alert => (&patient.places.alertdirs, programs::is_builtin_alert(name)),
        };
        let files = files(name, dirs);
        match files.iter().find(|file| is_executable(file)) {
            Some(used) => {
                findings.extend(judge(name, used, is_built_in));
                if is_built_in && !is_ours(used) {
                    hidden.push(used.display().to_string());
                }
            }
            None if is_built_in => {}
            None => findings.extend(closed(name, dirs)),
        }
    }
    if !hidden.is_empty() {
        let text = format!("used in place of the built-in programs: {}", hidden.join(", "));
        let advice = "that is how it should be if you want these; to use the built-in ones, put links to mon \
                      of these names into a directory that stands first in mondir and alertdir";
        findings.push(Area::Programs.note(text, advice));
    }
    findings
}

/// What is said where nothing is wrong with any.
pub(super) fn all_there(patient: &Patient) -> Finding {
    Area::Programs.well(format!("{} found", counted(named(&patient.config).len(), "program")))
}

/// Every program that the configuration names.
fn named(config: &Config) -> BTreeSet<(Role, &str)> {
    let (monitors, alerts) = programs_of(config);
    let monitors = monitors.into_iter().map(|name| (Role::Monitor, name));
    monitors.chain(alerts.into_iter().map(|name| (Role::Alert, name))).collect()
}

/// The files of that name, in the order in which they are looked for.
pub(super) fn files(name: &str, dirs: &[PathBuf]) -> Vec<PathBuf> {
    let paths = dirs.iter().map(|dir| dir.join(path(name)));
    paths.filter(|path| fs::metadata(path).is_ok_and(|found| found.is_file())).collect()
}

fn is_executable(path: &PathBuf) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// A link to this program is it.
pub(super) fn is_ours(path: &Path) -> bool {
    let ourselves = std::env::current_exe().and_then(fs::canonicalize);
    ourselves.is_ok_and(|ourselves| fs::canonicalize(path).is_ok_and(|path| path == ourselves))
}

/// A directory that hides what is in it; a program that is nowhere is told by the configuration's check.
fn closed(name: &str, dirs: &[PathBuf]) -> Option<Finding> {
    let closed = dirs.iter().find_map(|dir| sys::closed_way(&dir.join("x")))?;
    let text = format!("{name} may be in {}, which may not be entered", closed.display());
    Some(Area::Programs.fault(text, format!("chmod o+rx {}", closed.display())))
}

/// What is to be said of the program that is used.
fn judge(name: &str, used: &Path, is_built_in: bool) -> Vec<Finding> {
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
    findings
}
