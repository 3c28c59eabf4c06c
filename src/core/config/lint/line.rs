//! Checks of single lines, called where the line is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::lines::Source;
use super::super::model::Config;
use super::super::sink::{Complaint, Sink};
use super::super::values::words;
use super::warning;
use crate::depend::ParseError;
use crate::timeval::Timeval;

pub(in super::super) fn unfinished(statement: &Statement, sink: &mut Sink<'_>) {
    let message = "this line is dropped: it ends in `\\`, but the file ends".to_owned();
    let complaint = warning("W021", message, "never finished").help("delete the `\\` at its end".to_owned());
    sink.warn(statement.text, statement.line, complaint);
}

/// A time such as `00s`, which the original takes for more than zero.
pub(in super::super) fn hidden_zero(value: &str, works_as: Option<Timeval>) -> Complaint {
    let effect = if works_as.is_some() { "works as one second" } else { "has no effect" };
    warning("W019", format!("`{value}` is zero, and {effect}"), "zero")
        .help("write the time that you mean".to_owned())
}

/// Text, or a number out of bounds, where a global variable needs a number.
pub(in super::super) fn not_a_number(name: &str, value: &str, taken_as: i64) -> Complaint {
    let taken_as = match name {
        "serverport" | "trapport" => format!("port {}", taken_as as u16),
        "maxprocs" if taken_as <= 0 => "no limit".to_owned(),
        _ => taken_as.max(0).to_string(),
    };
    let message = match value {
        "" => format!("`{name}` has no value; it is taken as {taken_as}"),
        _ => format!("`{value}` is not a number for `{name}`; it is taken as {taken_as}"),
    };
    warning("W016", message, "expected a number")
}

/// A word for yes or no that the original does not know is a no.
pub(in super::super) fn odd_flag(name: &str, value: &str, statement: &Statement, sink: &mut Sink<'_>) {
    let is_flag = matches!(name, "dtlogging" | "startupalerts_on_reset");
    let known = ["yes", "no", "true", "false", "on", "off", "1", "0"];
    if !is_flag || known.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return;
    }
    let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
    let complaint =
        warning("W016", format!("`{value}` is neither yes nor no for `{name}`"), "expected yes or no");
    sink.warn(place, statement.line, complaint.help("write `yes` or `no`".to_owned()));
}

pub(in super::super) fn period_sometimes_invalid(spec: &str, problem: Option<&str>) -> Complaint {
    let reason = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    warning("W006", format!("`{spec}` is not a valid period at all times{reason}"), "not valid").help(
        "whenever this part decides, the period counts as over; the original mon refuses to start at such a time"
            .to_owned(),
    )
}

/// `below` is the line of a hostgroup of that name that comes too late, `near` finds one of a similar name.
pub(super) fn watch_without_hostgroup<'n>(
    group: &str,
    below: Option<u32>,
    near: impl FnOnce() -> Option<&'n str>,
) -> Complaint {
    let legacy = Some(format!("Warning: watch group {group} defined with no corresponding hostgroup."));
    let message =
        format!("no hostgroup `{group}` above this watch: one is made whose only host is `{group}`");
    let help = match (below, near()) {
        (Some(line), _) => format!("the hostgroup `{group}` stands in line {line}: move it above this watch"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("write `hostgroup {group} HOST…` and a blank line before the watch"),
    };
    Complaint { legacy, ..warning("W004", message, "no such hostgroup so far").help(help) }
}

pub(in super::super) fn watch_without_services(group: &str, statement: &Statement, sink: &mut Sink<'_>) {
    let complaint = warning("W018", format!("the watch `{group}` has no services"), "nothing is watched")
        .help("a `service NAME` line must follow, without a blank line between".to_owned());
    sink.warn(statement.text, statement.line, complaint);
}

pub(in super::super) fn words_after_watch(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    if !statement.rest.is_empty() {
        let extra = source.slice(statement.rest);
        let complaint = warning("W017", format!("`{extra}` is dropped: a watch has a name only"), "ignored");
        sink.warn(statement.rest, statement.line, complaint);
    }
}

pub(in super::super) fn hostgroup_again(
    config: &Config,
    name: &Arc<str>,
    statement: &Statement,
    sink: &mut Sink<'_>,
) {
    if config.hostgroups.contains_key(name) {
        let message = format!("the hostgroup `{name}` is defined again: the hosts from before are forgotten");
        let complaint = warning("W022", message, "second hostgroup of this name")
            .help("put all hosts into one hostgroup, above the watches that use it".to_owned());
        sink.warn(statement.name, statement.line, complaint);
    }
}

/// `hostgroup web/1 h1` is a group `web` with a host `/1`.
pub(in super::super) fn hostgroup_name_cut(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    if !statement.rest.is_empty() && statement.rest.start == statement.name.end {
        let (name, hosts) = (source.slice(statement.name), source.slice(statement.rest));
        let first = words(hosts).next().unwrap_or(hosts);
        let message = format!("this hostgroup is called `{name}`, and `{first}` is its first host");
        let complaint = warning("W024", message, "the name ends before this")
            .help("names are made of letters, digits, `_`, `.` and `-`".to_owned());
        sink.warn(statement.rest.part(0, first.len()), statement.line, complaint);
    }
}

/// `places` are the words that the hosts come from, with their lines.
pub(in super::super) fn repeated_hosts(
    group: &str,
    hosts: &[Arc<str>],
    places: &[(Span, u32)],
    source: &Source<'_>,
    sink: &mut Sink<'_>,
) {
    let mut seen = BTreeSet::new();
    if hosts.iter().all(|host| seen.insert(host)) {
        return;
    }
    let mut seen = BTreeSet::new();
    for &(span, line) in places {
        let text = source.slice(span);
        for host in words(text).filter(|host| !seen.insert(*host)) {
            let at = host.as_ptr() as usize - text.as_ptr() as usize;
            let message = format!("`{host}` is named twice in the hostgroup `{group}`");
            let complaint = warning("W014", message, "named before")
                .help("name it once: a monitor would get it twice".to_owned());
            sink.warn(span.part(at, at + host.len()), line, complaint);
        }
    }
}

/// A keyword such as `alert` alone on its line.
pub(in super::super) fn no_program(keyword: &str) -> Complaint {
    warning("W020", format!("`{keyword}` names no program"), "nothing to run")
        .help(format!("write `{keyword} PROGRAM [ARGUMENT…]`, or delete the line"))
}

pub(in super::super) fn empty_dependency(keyword: &str) -> Complaint {
    warning("W020", format!("`{keyword}` has no expression and is left out"), "nothing to depend on")
        .help(format!("write `{keyword} GROUP:SERVICE`, or delete the line"))
}

/// `written` is the expression before `SELF:` was replaced by `group`.
pub(in super::super) fn bad_dependency(
    statement: &Statement,
    written: &str,
    group: &str,
    error: &ParseError,
    sink: &mut Sink<'_>,
) {
    let (start, end) =
        (before_replacement(written, group, error.span.0), before_replacement(written, group, error.span.1));
    let place = statement.rest.part(start, end.max(start + 1));
    let message = format!("this dependency cannot be evaluated: {}", error.message);
    let complaint = warning("W007", message, "here")
        .help("as it is, the dependency counts as failing, and holds back what depends on it".to_owned());
    sink.warn(place, statement.line, complaint);
}

/// Where the byte `at` of the text came from that has `group:` for each `SELF:` of `written`.
fn before_replacement(written: &str, group: &str, at: usize) -> usize {
    let (self_len, group_len) = ("SELF".len(), group.len());
    let (mut from, mut to) = (0, 0);
    for (start, _) in written.match_indices("SELF:") {
        if to + (start - from) + group_len > at {
            break;
        }
        to += start - from + group_len;
        from = start + self_len;
    }
    // Inside a replaced name every byte belongs to its beginning.
    let plain = from + at.saturating_sub(to);
    match written[from..].find("SELF:") {
        Some(next) if plain > from + next => from + next,
        _ => plain.min(written.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::before_replacement;

    #[test]
    fn places_are_found_behind_replaced_names() {
        let written = "SELF:a && SELF:b x";
        let replaced = written.replace("SELF:", "webservers:");
        for (needle, original) in [("webservers:a", 0), (":a", 4), ("&&", 7), (":b", 14), (" x", 16)] {
            let at = replaced.find(needle).unwrap();
            assert_eq!(before_replacement(written, "webservers", at), original, "{needle}");
        }
        assert_eq!(before_replacement(written, "webservers", replaced.len()), written.len());
        assert_eq!(before_replacement("a:b", "g", 2), 2);
    }
}
