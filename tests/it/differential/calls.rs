//! The fake monitor and the fake alert: real scripts that write down how they were called.

use std::fs;

use super::normal;
use crate::support::{Place, latin1};

/// Writes down its call, then says and returns what `ctl/GROUP.SERVICE` holds. `/proc` gives arguments and
/// environment byte for byte, which a shell could not print faithfully.
pub(crate) const MONITOR: &str = r#"#!/bin/sh
top=${0%/*}/..
new=$top/calls/.new.$$
mkdir "$new"
cat /proc/$$/cmdline >"$new/argv"
cat /proc/$$/environ >"$new/env"
pwd -P >"$new/cwd"
mv "$new" "$top/calls/monitor.$$"
control=$top/ctl/$MON_GROUP.$MON_SERVICE
[ -f "$control.exit" ] || { echo fine; exit 0; }
read -r code <"$control.exit"
cat "$control.out"
exit "$code"
"#;

/// Writes down its call and what it was given on standard input.
pub(crate) const ALERT: &str = r#"#!/bin/sh
top=${0%/*}/..
new=$top/calls/.new.$$
mkdir "$new"
cat /proc/$$/cmdline >"$new/argv"
cat /proc/$$/environ >"$new/env"
pwd -P >"$new/cwd"
cat >"$new/stdin"
mv "$new" "$top/calls/alert.$$"
"#;

/// Variables whose value differs from run to run without meaning; MON_FIRST_SUCCESS is in DEVIATIONS.md.
const UNCOMPARED: &[&str] = &["MON_FIRST_SUCCESS"];

/// One call of a fake program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// `monitor` or `alert`.
    pub(crate) kind: String,
    /// Group and service it was called for.
    pub(crate) service: (String, String),
    /// Everything about it that must be the same on both sides.
    pub(crate) text: String,
}

/// Installs the programs.
pub(crate) fn install(place: &Place) {
    for folder in ["calls", "ctl"] {
        fs::create_dir_all(place.path(folder)).expect("our own directory is writable");
    }
    place.script("mon.d/fake.monitor", MONITOR);
    place.script("alert.d/fake.alert", ALERT);
    place.script("alert.d/other.alert", ALERT);
}

/// Sets what the fake monitor of a service will say and return.
pub(crate) fn set_result(place: &Place, group: &str, service: &str, exit: &str, output: &str) {
    place.write(&format!("ctl/{group}.{service}.out"), output);
    place.write(&format!("ctl/{group}.{service}.exit"), &format!("{exit}\n"));
}

/// Takes the calls made since the last time.
pub(crate) fn take(place: &Place) -> Vec<Call> {
    let Ok(entries) = fs::read_dir(place.path("calls")) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let finished: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    let mut calls: Vec<Call> = finished.iter().map(|name| read(place, name)).collect();
    for name in &finished {
        let _ = fs::remove_dir_all(place.path("calls").join(name));
    }
    calls.sort();
    calls
}

fn read(place: &Place, name: &str) -> Call {
    let part = |file: &str| fs::read(place.path("calls").join(name).join(file)).unwrap_or_default();
    let argv = strings(&part("argv"));
    let env = strings(&part("env"));
    let variable = |wanted: &str| -> String {
        let value = env.iter().find_map(|entry| entry.strip_prefix(wanted)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    };
    // The first word is the shell that runs the script.
    let mut text: String = argv.iter().skip(1).map(|word| format!("arg {word:?}\n")).collect();
    let mut shown: Vec<&String> = env.iter().filter(|entry| is_compared(entry)).collect();
    shown.sort();
    shown.iter().for_each(|entry| text += &format!("env {entry:?}\n"));
    text += &format!("cwd {}stdin {:?}\n", latin1(&part("cwd")), latin1(&part("stdin")));
    let kind = name.split('.').next().unwrap_or_default().to_owned();
    Call { kind, service: (variable("MON_GROUP"), variable("MON_SERVICE")), text: normal::text(&text, place) }
}

/// Only what the daemon adds: its own variables, and those that scenarios set.
fn is_compared(entry: &str) -> bool {
    let name = entry.split('=').next().unwrap_or_default();
    (name.starts_with("MON_") || name.starts_with("U_")) && !UNCOMPARED.contains(&name)
}

fn strings(bytes: &[u8]) -> Vec<String> {
    let mut parts: Vec<String> = bytes.split(|&byte| byte == 0).map(latin1).collect();
    parts.pop();
    parts
}
