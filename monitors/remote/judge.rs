//! From what the servers said to what is reported. Touches nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use remon_core::wire::deliveries;
use remon_core::wire::opstatus::StatusLine;

use super::select::Selection;
use crate::report::Report;

/// A clock that is off by less than this is not worth a line; asking takes its time too.
const CLOCK_TOLERANCE_SECS: i64 = 5;

/// A service that missed so many runs is stale.
const MISSED_INTERVALS: i64 = 3;

/// What came of asking one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// It did not answer in time.
    TimedOut,
    /// There is no mon, and why.
    NotConnected(String),
    /// It refused the login.
    NoLogin(String),
    /// It did not tell the status of its services.
    NoStatus(String),
    /// It did not tell what is disabled.
    NoDisabled(String),
    /// It answered.
    Answer(Box<Answer>),
}

/// What a server said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) services: Vec<StatusLine>,
    pub(super) disabled: Disabled,
    /// Its attempts to alert, if it was asked and told.
    pub(super) deliveries: Vec<StatusLine>,
    pub(super) scheduler: Scheduler,
    /// Its clock, if it was asked and told, and ours at that moment.
    pub(super) server_time: Option<i64>,
    pub(super) our_time: i64,
}

/// What is disabled on a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Disabled {
    watches: BTreeSet<String>,
    services: BTreeSet<(String, String)>,
}

impl Disabled {
    /// Reads the reply to `list disabled`; the error is a line that does not belong there.
    pub(super) fn parse(lines: &[String]) -> Result<Disabled, String> {
        let mut disabled = Disabled::default();
        for line in lines {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["watch", watch] => drop(disabled.watches.insert(watch.to_owned())),
                ["watch", watch, "service", service] => {
                    disabled.services.insert((watch.to_owned(), service.to_owned()));
                }
                ["group", group, ..] if group.ends_with(':') => {}
                _ => return Err(line.clone()),
            }
        }
        Ok(disabled)
    }
}

/// The reply to `list state`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Scheduler {
    #[default]
    Unknown,
    Running,
    Stopped,
}

impl Scheduler {
    pub(super) fn parse(lines: &[String]) -> Scheduler {
        match lines.first().map(String::as_str) {
            Some("scheduler running") => Scheduler::Running,
            Some(line) if line.starts_with("scheduler stopped") => Scheduler::Stopped,
            _ => Scheduler::Unknown,
        }
    }
}

/// How much the first line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Hosts,
    Services,
    Summaries,
}

/// Which of the services that the server disabled are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaveOut {
    Nothing,
    /// As the original: a disabled watch does not count.
    Services,
    WatchesToo,
}

/// What the options ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) style: Style,
    pub(super) alerts_sent: i64,
    pub(super) failure_duration: i64,
    pub(super) exclude: Selection,
    pub(super) restrict: Selection,
    pub(super) disabled: LeaveOut,
    pub(super) acked: bool,
    pub(super) stale: bool,
    pub(super) undelivered: bool,
    pub(super) timeout: Duration,
}

/// A service that is reported.
struct Finding<'a> {
    watch: &'a str,
    service: &'a str,
    /// For `--bigsummary`.
    text: String,
    /// For the detail, each with its line end.
    lines: String,
}

/// Turns what was seen, in the order of the hosts, into the report.
pub(super) fn judge(rules: &Rules, hosts: &[String], seen: &[Seen]) -> Report {
    let (mut items, mut detail) = (Vec::new(), "\n".to_owned());
    for (host, seen) in hosts.iter().zip(seen) {
        let Some((item, lines)) = failure(rules, host, seen) else { continue };
        items.push(if rules.style == Style::Hosts { host.clone() } else { item });
        detail += &format!("Details for {host} failure :\n{lines}\n\n");
    }
    if items.is_empty() {
        return Report::good();
    }
    Report { detail, ..Report::failure(items.join(" ")) }
}

/// The item for the first line and the text for the detail, if the host has failed.
fn failure(rules: &Rules, host: &str, seen: &Seen) -> Option<(String, String)> {
    let simple = |word: &str, line: String| Some((format!("{host}:{word}"), one_line(&line)));
    match seen {
        Seen::TimedOut => {
            simple(&format!("TIMEOUT({})", rules.timeout.as_secs()), "Timeout connection".to_owned())
        }
        Seen::NotConnected(why) => simple("CONNECT", format!("Connection failed: {why}")),
        Seen::NoLogin(why) => simple("LOGIN", format!("Login failed: {why}")),
        Seen::NoStatus(why) => simple("list_opstatus", format!("list_opstatus failed:{why}")),
        Seen::NoDisabled(why) => simple("list_disabled", format!("list_disabled failed:{why}")),
        Seen::Answer(answer) => {
            let found = findings(rules, answer);
            let lines = found.iter().map(|finding| finding.lines.as_str()).collect::<String>();
            let lines = lines + &clock(answer);
            (!found.is_empty()).then(|| (format!("{host}({})", items(rules.style, &found)), lines))
        }
    }
}

/// `[web:http|ping][db:mysql]`, with what is wrong behind each service if that is asked for.
fn items(style: Style, found: &[Finding<'_>]) -> String {
    let mut by_watch = BTreeMap::<&str, Vec<String>>::new();
    for Finding { watch, service, text, .. } in found {
        let item = match style {
            Style::Summaries => format!("{service}{{{text}}}"),
            Style::Hosts | Style::Services => (*service).to_owned(),
        };
        by_watch.entry(watch).or_default().push(item);
    }
    by_watch.iter().map(|(watch, items)| format!("[{watch}:{}]", items.join("|"))).collect()
}

fn findings<'a>(rules: &Rules, answer: &'a Answer) -> Vec<Finding<'a>> {
    // As in the client library, the last of two lines on one service counts; the order is that of bytes.
    let services = answer.services.iter().map(|status| ((status.group(), status.service()), status));
    let services = services.collect::<BTreeMap<_, _>>();
    let wanted = services.into_values().filter(|status| is_wanted(rules, &answer.disabled, status));
    wanted
        .filter_map(|status| failing(rules, answer, status).or_else(|| stale(rules, answer, status)))
        .collect()
}

fn is_wanted(rules: &Rules, disabled: &Disabled, status: &StatusLine) -> bool {
    let (watch, service) = (status.group(), status.service());
    let left_out = match rules.disabled {
        LeaveOut::Nothing => false,
        LeaveOut::Services => disabled.has_service(watch, service),
        LeaveOut::WatchesToo => disabled.watches.contains(watch) || disabled.has_service(watch, service),
    };
    !left_out
        && (rules.restrict.is_empty() || rules.restrict.names(watch, service))
        && !rules.exclude.names(watch, service)
}

impl Disabled {
    pub(super) fn has_watch(&self, watch: &str) -> bool {
        self.watches.contains(watch)
    }

    pub(super) fn has_service(&self, watch: &str, service: &str) -> bool {
        self.services.contains(&(watch.to_owned(), service.to_owned()))
    }
}

fn failing<'a>(rules: &Rules, answer: &Answer, status: &'a StatusLine) -> Option<Finding<'a>> {
    if status.number("opstatus") != 0 || (!rules.acked && status.number("ack") != 0) {
        return None;
    }
    let undelivered = if rules.undelivered { undelivered(answer, status) } else { None };
    let long_enough = status.number("alerts_sent") >= rules.alerts_sent
        && status.number("failure_duration") >= rules.failure_duration;
    if undelivered.is_none() && !long_enough {
        return None;
    }
    let (watch, service, text) = (status.group(), status.service(), one_line(status.get("last_summary")));
    let mut lines = format!("Watch {watch}, service {service}, failed with summary : {text}\n");
    if let Some(error) = undelivered {
        lines += &format!("    its alert was not delivered: {error}\n");
    }
    Some(Finding { watch, service, text, lines })
}

/// Why an alert about the service was not delivered, if one was not. A server whose alert program is missing tells
/// of it in the list of its attempts alone.
fn undelivered(answer: &Answer, status: &StatusLine) -> Option<String> {
    if status.number("alerts_undelivered") > 0 {
        return Some(match status.get("last_alert_error") {
            "" => "it does not say why".to_owned(),
            error => one_line(error),
        });
    }
    let about = |line: &&StatusLine| {
        line.number("undelivered") > 0 && (line.group(), line.service()) == (status.group(), status.service())
    };
    answer.deliveries.iter().rfind(about).map(|line| one_line(&deliveries::error(line)))
}

/// A service that nobody looks at any more is as bad as one that fails.
fn stale<'a>(rules: &Rules, answer: &'a Answer, status: &'a StatusLine) -> Option<Finding<'a>> {
    let (interval, last_check) = (status.number("interval"), status.number("last_check"));
    // Without an interval it runs when somebody asks; held back by a dependency it has a reason.
    if !rules.stale || interval <= 0 || last_check <= 0 || status.get("depstatus") == "0" {
        return None;
    }
    let stopped = answer.scheduler == Scheduler::Stopped;
    // While it fails, failure_interval counts, which the server does not tell. It tells that a run is due.
    let waiting = status.number("opstatus") == 0 && status.number("timer") > 0;
    let age = answer.server_time.unwrap_or(answer.our_time).saturating_sub(last_check);
    if age <= interval.saturating_mul(MISSED_INTERVALS) || (waiting && !stopped) {
        return None;
    }
    let (watch, service, text) = (status.group(), status.service(), format!("not checked for {age} s"));
    let why = if stopped { ", as the scheduler is stopped" } else { "" };
    let lines = format!("Watch {watch}, service {service}, {text}, at an interval of {interval} s{why}\n");
    Some(Finding { watch, service, text, lines })
}

/// A line on the clock of the server, if it is off.
fn clock(answer: &Answer) -> String {
    let Some(server_time) = answer.server_time else { return String::new() };
    match server_time.saturating_sub(answer.our_time) {
        ahead if ahead >= CLOCK_TOLERANCE_SECS => format!("Its clock is {ahead} s ahead of ours\n"),
        ahead if ahead <= -CLOCK_TOLERANCE_SECS => format!("Its clock is {} s behind ours\n", -ahead),
        _ => String::new(),
    }
}

/// What a server says must not begin a line of its own.
fn one_line(text: &str) -> String {
    text.trim_end_matches(['\n', '\r']).replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
