//! The words of the protocol: every answer, spelled.

use std::fmt::Write as _;
use std::sync::Arc;

use super::quote::{escape_into, escape_quoted_into};
use super::{deliveries, status, why};
use crate::engine::{Answer, DependencyRow, DisabledRow, RunId};

/// What a few answers say of the server's processes.
pub struct Server<'a> {
    /// Its own process id.
    pub pid: u32,
    /// Host name.
    pub hostname: &'a str,
    /// The process id of a run; nothing while it is only being started.
    pub pid_of: &'a dyn Fn(RunId) -> Option<u32>,
}

/// The protocol's version, as `version` shows it.
const VERSION: &str = "9745";

/// Spells an answer: lines, and a last line that begins with a number. In one piece, so that it can be sent
/// in one piece.
#[must_use]
pub fn render(answer: &Answer<'_>, server: &Server<'_>) -> String {
    let mut out = String::with_capacity(match answer {
        Answer::Opstatus(_, rows) => 64 + rows.len() * 512,
        _ => 128,
    });
    match short(answer) {
        Some(line) => out.push_str(line),
        None if asked(&mut out, answer) => {}
        None => long(&mut out, answer, server),
    }
    out.push('\n');
    out
}

/// The answers that are always the same.
fn short(answer: &Answer<'_>) -> Option<&'static str> {
    Some(match answer {
        Answer::InvalidCommand => "520 invalid command",
        Answer::Refused => "520 command could not be executed, unknown command",
        Answer::Quitting => "220 quitting",
        Answer::Protocol { matches: true } => "220 protocol match",
        Answer::Protocol { matches: false } => "520 protocol mismatch",
        Answer::Login { accepted: true } => "220 login accepted",
        Answer::Login { accepted: false } => "530 login unsuccessful",
        Answer::UnknownSetview => "500 Unknown setview command",
        Answer::Authorized(true) => "220 command authorized",
        Answer::Authorized(false) | Answer::CouldNotExecute => "520 command could not be executed",
        Answer::Set => "220 set completed",
        Answer::UndefinedOpstatus => "520 undefined opstatus",
        Answer::Stopped => "220 stop completed",
        Answer::Started => "220 start completed",
        Answer::Reloaded { known: true } => "220 reload completed",
        Answer::Reloaded { known: false } => "520 unknown reload command",
        Answer::ReloadFailed => "520 reload failed, the auth file cannot be used; the old rules stay",
        Answer::TimersCleared => "220 clear timers completed",
        Answer::UnknownGroup => "520 unknown group",
        Answer::UnknownClear => "520 unknown clear command",
        Answer::TestMonitor => "220 test monitor completed",
        Answer::PeriodNotDefined => "520 period not defined",
        Answer::TestAlert => "220 test alert completed",
        Answer::TestError => "520 test error",
        Answer::StateSaved => "220 savestate completed",
        Answer::SavestateNeedsArguments => "520 savestate error, arguments required",
        Answer::StateLoaded => "220 loadstate completed",
        Answer::Terminating => "220 terminating server",
        Answer::Acked => "220 ack completed",
        Answer::AckUnknownGroup => "520 unknown group",
        Answer::AckUnknownService => "520 unknown service",
        Answer::AckNotFailing => "520 service is in a non-failure state",
        Answer::WatchDisabled => "220 disable watch completed",
        Answer::ServiceDisabled => "220 disable service completed",
        Answer::DisableUnknownService => "520 disable error, unknown service",
        Answer::HostsDisabled => "220 disable host completed",
        Answer::WatchEnabled => "220 enable watch completed",
        Answer::EnableUnknownWatch => "520 enable error, unknown watch",
        Answer::Enabled => "220 enable completed",
        Answer::EnableUnknownService => "520 enable error, unknown group",
        Answer::UnknownList => "520 unknown list command",
        Answer::WhyNeedsService => "520 why error, the command is: why GROUP SERVICE [at SECONDS]",
        Answer::NoRecord => "520 list record error, there is no record",
        Answer::DtlogOff => "520 list dtlog error, dtlogging is not turned on",
        _ => return None,
    })
}

/// The answers about what was decided, and what has happened; whether it is one.
fn asked(out: &mut String, answer: &Answer<'_>) -> bool {
    match answer {
        Answer::Why(why) => {
            why::write_why(out, why);
            out.push_str("220 why completed");
        }
        Answer::Record(entries) => {
            why::write_record(out, entries);
            out.push_str("220 list record completed");
        }
        _ => return false,
    }
    true
}

/// The answers that tell something.
fn long(out: &mut String, answer: &Answer<'_>, server: &Server<'_>) {
    // Writing to a String cannot fail.
    let _ = match answer {
        Answer::Version => write!(out, "version {VERSION}\n220 version completed"),
        Answer::UnknownView(view) => write!(out, "504 unknown view {view}"),
        Answer::ViewSelected(Some(view)) => write!(out, "selecting view {view}\n220 setview completed"),
        Answer::ViewSelected(None) => write!(out, "{NO_VIEW}\n220 setview completed"),
        Answer::View(Some(view)) => write!(out, "view {view} selected\n220 getview completed"),
        Answer::View(None) => write!(out, "{NO_VIEW}\n220 getview completed"),
        Answer::Servertime(now) => write!(out, "{} {}\n220 servertime completed", now.wall, now.civil),
        Answer::Maxkeep(length) => write!(out, "maxkeep = {length}\n220 get completed"),
        Answer::Variable { key, variable, value } => {
            let _ = write!(out, "{} {} {variable}='", key.group, key.service);
            escape_quoted_into(out, value);
            out.write_str("'\n220 get completed")
        }
        Answer::VariableSet { key, variable, value } => {
            let _ = write!(out, "{} {} {variable}='", key.group, key.service);
            escape_quoted_into(out, value);
            out.write_str("'\n220 set completed")
        }
        Answer::CannotSet { variable, why } => write!(out, "520 cannot set {variable}: {why}"),
        Answer::NotDefined(group, service) => write!(out, "520 {group},{service} not defined"),
        Answer::TestNotDefined(group, service) => write!(out, "520 {group} {service} not defined"),
        Answer::Reset { errors } if errors.is_empty() => {
            write!(out, "220 reset PID {}@{}", server.pid, server.hostname)
        }
        Answer::Reset { .. } => {
            write!(out, "520 reset PID {}@{} failed, error in config file", server.pid, server.hostname)
        }
        Answer::TestConfig { errors } if errors.is_empty() => {
            out.write_str("220 test config completed OK, no errors found")
        }
        Answer::TestConfig { errors } => {
            errors.iter().for_each(|error| push_line(out, error));
            out.write_str("520 test config completed, errors found in config file")
        }
        Answer::TestReload { file, changes } => {
            push_line(out, &format!("configuration file {file}"));
            out.push_str(changes);
            out.write_str("220 test reload completed OK, no errors found")
        }
        Answer::DisableUnknownWatch(watch) => write!(out, "520 disable error, unknown watch \"{watch}\""),
        Answer::DisableUnknownHosts(hosts) => {
            write!(out, "520 disable host failed, host(s) {} do not exist", hosts.join(" "))
        }
        answer => {
            list(out, answer, server);
            Ok(())
        }
    };
}

const NO_VIEW: &str = "no view selected -- all groups will be displayed";

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// The lists.
fn list(out: &mut String, answer: &Answer<'_>, server: &Server<'_>) {
    let _ = match answer {
        Answer::Opstatus(word, rows) => {
            rows.iter().for_each(|row| status::write_line(out, row));
            write!(out, "220 list {word} completed")
        }
        Answer::DoesNotExist(group, service) => write!(out, "520 {group},{service} does not exist"),
        Answer::Descriptions(rows) => {
            for (group, service, description) in rows {
                let _ = write!(out, "{group} {service} ");
                escape_quoted_into(out, description);
                out.push('\n');
            }
            out.write_str("220 list descriptions completed")
        }
        Answer::Group(_, None) => out.write_str("520 list group error, undefined group"),
        Answer::Group(name, Some(hosts)) => {
            push_group(out, name, hosts);
            out.write_str("\n220 list group completed")
        }
        Answer::Disabled(rows) => {
            rows.iter().for_each(|row| push_disabled(out, row));
            out.write_str("220 list disabled completed")
        }
        Answer::History(word, lines) => {
            for line in lines {
                escape_into(out, line);
                out.push('\n');
            }
            write!(out, "220 list {word} completed")
        }
        Answer::Deliveries(rows) => deliveries::write_list(out, rows),
        Answer::Pids(rows) => {
            let _ = writeln!(out, "server {}", server.pid);
            for row in rows {
                if let Some(pid) = (server.pid_of)(row.run) {
                    let _ = writeln!(out, "{} {} {pid}", row.group, row.service);
                }
            }
            out.write_str("220 list pids completed")
        }
        Answer::Watch(rows) => {
            for (group, service) in rows {
                let _ = writeln!(out, "{group} {service}");
            }
            out.write_str("220 list watch completed")
        }
        Answer::State(None) => out.write_str("scheduler running\n220 list state completed"),
        Answer::State(Some(since)) => {
            write!(out, "scheduler stopped since {since}\n220 list state completed")
        }
        Answer::Aliases(rows) => {
            rows.iter().for_each(|(name, lines)| push_alias(out, name, lines));
            out.write_str("220 list aliases completed")
        }
        Answer::Aliasgroups(names) => {
            if !names.is_empty() {
                push_line(out, &names.join(" "));
            }
            out.write_str("220 list aliasgroups completed")
        }
        Answer::Deps(rows) => {
            rows.iter().for_each(|row| push_dependency(out, row));
            out.write_str("220 list deps completed")
        }
        Answer::Views(names) => write!(out, "views {}\n220 list group completed", names.join(" ")),
        // Every other answer has been spelled by the functions above.
        _ => out.write_str("520 command could not be executed"),
    };
}

fn push_disabled(out: &mut String, row: &DisabledRow<'_>) {
    let _ = match row {
        DisabledRow::Hosts(group, hosts) => writeln!(out, "group {group}: {}", hosts.join(" ")),
        DisabledRow::Watch(watch) => writeln!(out, "watch {watch}"),
        DisabledRow::Service(group, service) => writeln!(out, "watch {group} service {service}"),
    };
}

fn push_dependency(out: &mut String, row: &DependencyRow<'_>) {
    let DependencyRow { group, service, expression, services } = row;
    let _ = write!(out, "exp {group} {service} '");
    match expression {
        Some(expression) => escape_quoted_into(out, expression),
        None => out.push_str("NONE"),
    }
    let _ = write!(out, "'\ncmp {group} {service}");
    for (group, service) in services {
        let _ = write!(out, " {group}:{service}");
    }
    out.push_str(if services.is_empty() { " NONE\n" } else { "\n" });
}

fn push_alias(out: &mut String, name: &str, lines: &[Arc<str>]) {
    let _ = writeln!(out, "alias {name}");
    lines.iter().for_each(|line| push_line(out, line));
    out.push('\n');
}

fn push_group(out: &mut String, name: &str, hosts: &[(&str, bool)]) {
    let _ = write!(out, "hostgroup {name} ");
    for (index, (host, disabled)) in hosts.iter().enumerate() {
        let (blank, star) = (if index == 0 { "" } else { " " }, if *disabled { "*" } else { "" });
        let _ = write!(out, "{blank}{star}{host}");
    }
}

/// The reply to `list dtlog`: the lines of the log, without its comments.
#[must_use]
pub fn render_dtlog(log: Option<&str>) -> String {
    let Some(log) = log else { return "520 list dtlog error, cannot open dtlog\n".to_owned() };
    let mut out = String::with_capacity(log.len() + 32);
    let told =
        |line: &&str| !line.starts_with('#') && !line.trim_matches(crate::timeval::is_blank).is_empty();
    log.lines().filter(told).for_each(|line| push_line(&mut out, line));
    out.push_str("220 list dtlog completed\n");
    out
}

/// What a client is told that sent an endless line, before the connection is closed.
pub const LINE_TOO_LONG: &str = "520 line too long\n";
