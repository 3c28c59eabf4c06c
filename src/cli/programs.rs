//! From a name to a program: one executable answers to all of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use remon_alerts::Alert;
use remon_core::text;
use remon_monitors::Monitor;

use super::{localtime, moncmd, monfailures, monshow};

/// More input than this no alert gets: the daemon bounds what it keeps from a monitor long before.
const MOST_INPUT: u64 = 64 << 20;

/// A program that is built in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    /// A client of the server; it is handed its whole command line, its own name first.
    Client(RunClient),
    /// A monitor.
    Monitor(&'static Monitor),
    /// An alert.
    Alert(&'static Alert),
}

/// What runs a client.
pub(crate) type RunClient = fn(Vec<OsString>) -> ExitCode;

/// The clients, by name. `monshow.cgi` is what the web server calls it.
const CLIENTS: [(&str, RunClient); 4] = [
    ("moncmd", moncmd::run),
    ("monfailures", monfailures::run),
    ("monshow", monshow::run),
    ("monshow.cgi", monshow::run),
];

/// The program of exactly that name, suffix included: no script of the operator is ever taken for ours.
#[must_use]
pub(crate) fn by_name(name: &str) -> Option<Program> {
    let client = CLIENTS.iter().find(|(client, _)| *client == name).map(|(_, run)| Program::Client(*run));
    client
        .or_else(|| remon_monitors::find(name).map(Program::Monitor))
        .or_else(|| remon_alerts::find(name).map(Program::Alert))
}

/// The program that the file name of `argv0` calls for.
#[must_use]
pub(crate) fn by_argv0(argv0: &OsStr) -> Option<Program> {
    by_name(std::path::Path::new(argv0).file_name()?.to_str()?)
}

/// All names, with a few words on each.
pub(crate) fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
    let clients = [
        ("moncmd", "send commands to a mon server"),
        ("monfailures", "list the failures a mon server knows"),
        ("monshow", "show the status of services, as text or web page"),
    ];
    let monitors = remon_monitors::MONITORS.iter().map(|monitor| (monitor.name, monitor.about));
    let alerts = remon_alerts::ALERTS.iter().map(|alert| (alert.name, alert.about));
    clients.into_iter().chain(monitors).chain(alerts)
}

/// May the daemon run its own executable for this monitor?
#[must_use]
pub(crate) fn is_builtin_monitor(name: &str) -> bool {
    remon_monitors::find(name).is_some()
}

/// May the daemon run its own executable for this alert?
#[must_use]
pub(crate) fn is_builtin_alert(name: &str) -> bool {
    remon_alerts::find(name).is_some()
}

/// The help text of every built-in monitor.
pub(crate) fn monitor_usages() -> BTreeMap<String, String> {
    let usage = |monitor: &Monitor| {
        let words = vec!["--help".to_owned()];
        let invocation = remon_monitors::Invocation { words, env: BTreeMap::new(), started: Instant::now() };
        (monitor.run)(&invocation).text()
    };
    remon_monitors::MONITORS.iter().map(|monitor| (monitor.name.to_owned(), usage(monitor))).collect()
}

/// The help text of every built-in alert.
pub(crate) fn alert_usages() -> BTreeMap<String, String> {
    remon_alerts::ALERTS.iter().map(|alert| (alert.name.to_owned(), alert.usage.to_owned())).collect()
}

impl Program {
    /// Runs it; `argv` begins with the name it is called by.
    #[must_use]
    pub(crate) fn run(self, argv: Vec<OsString>) -> ExitCode {
        match self {
            Program::Client(run) => run(argv),
            Program::Monitor(monitor) => run_monitor(monitor, words(argv)),
            Program::Alert(alert) => run_alert(alert, words(argv)),
        }
    }
}

fn run_monitor(monitor: &Monitor, words: Vec<String>) -> ExitCode {
    let invocation = remon_monitors::Invocation { words, env: environment(), started: Instant::now() };
    let report = (monitor.run)(&invocation);
    exit_after(report.print(&mut io::stdout().lock(), &mut io::stderr().lock()), report.exit)
}

fn run_alert(alert: &Alert, words: Vec<String>) -> ExitCode {
    let (now, local) = (localtime::now(), localtime::local);
    let (env, input, machine) = (environment(), String::new(), machine());
    let mut invocation = remon_alerts::Invocation { words, env, input, now, local, machine };
    if alert.wants_help(&invocation) {
        return exit_after(io::stdout().write_all(alert.usage.as_bytes()), 0);
    }
    if alert.reads_input {
        let mut bytes = Vec::new();
        if let Err(error) = io::stdin().take(MOST_INPUT).read_to_end(&mut bytes) {
            return complain(&format!("{}: could not read the alert: {error}", alert.name), 1);
        }
        invocation.input = text::decode(bytes);
    }
    let message = (alert.compose)(&invocation);
    for complaint in message.complaints() {
        let _ = complain(complaint, 0);
    }
    match remon_alerts::deliver(&message) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string(), error.exit),
    }
}

/// Says something on standard error and turns `status` into an exit status.
pub(crate) fn complain(message: &str, status: u8) -> ExitCode {
    let mut line = text::encode(message).into_owned();
    line.push(b'\n');
    exit_after(io::stderr().write_all(&line), status)
}

/// The exit status after printing: 1 if nobody took what was printed and all else went well.
pub(crate) fn exit_after(printed: io::Result<()>, status: u8) -> ExitCode {
    ExitCode::from(if printed.is_err() { status.max(1) } else { status })
}

/// The command line without the name of the program.
pub(crate) fn words(argv: Vec<OsString>) -> Vec<String> {
    argv.into_iter().skip(1).map(|word| text::decode(word.into_vec())).collect()
}

/// The file that `name` stands for, whatever bytes it is made of.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&text::encode(name)))
}

/// What this machine calls itself; Debian keeps its name for mail apart.
pub(super) fn machine() -> remon_alerts::Machine {
    let line = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
    };
    let host = line("/proc/sys/kernel/hostname").unwrap_or_else(|| "localhost".to_owned());
    let mail_name = line("/etc/mailname").unwrap_or_else(|| host.clone());
    remon_alerts::Machine { host, mail_name }
}

fn environment() -> BTreeMap<String, String> {
    let pair =
        |(name, value): (OsString, OsString)| (text::decode(name.into_vec()), text::decode(value.into_vec()));
    std::env::vars_os().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_program() {
        for (name, about) in list() {
            assert!(by_name(name).is_some() && !about.is_empty(), "{name}");
        }
        assert!(matches!(by_name("tcp.monitor"), Some(Program::Monitor(_))));
        assert!(matches!(by_name("file.alert"), Some(Program::Alert(_))));
        assert!(matches!(by_argv0(OsStr::new("/usr/bin/monshow")), Some(Program::Client(_))));
        for name in ["mon", "tcp", "Moncmd", "tcp.monitor.sh", "monshow ", ""] {
            assert!(by_name(name).is_none(), "{name}");
        }
        assert!(by_argv0(OsStr::new("/")).is_none());
    }

    #[test]
    fn what_the_daemon_asks() {
        assert!(is_builtin_monitor("loadavg.monitor") && !is_builtin_monitor("file.alert"));
        assert!(is_builtin_alert("file.alert") && !is_builtin_alert("tcp.monitor"));
    }
}
