//! Checks of what reaches nobody: failures that no alert tells of, and monitors that do not notice.
//!
//! | code | what |
//! |---|---|
//! | W090 | `remote.monitor` that overlooks what its server could not alert about |
//! | W091 | period none of whose alert programs is there |

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::diagnostic::{Diagnostic, Severity};
use super::super::model::{AlertKeyword, Config, Period};
use super::super::sink::Sink;
use super::service::ServiceView;
use super::warning;
use crate::timeval::is_blank;

/// More than this says nothing new.
const MOST: usize = 1_000;

/// By default `remote.monitor` reports what the other server has alerted about: where its alert program is missing
/// or fails at once, nobody hears of it.
pub(super) fn remote_monitor_overlooks(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let Some(statement) = view.last("monitor") else { return };
    let text = view.source.slice(statement.rest);
    let mut words = text.split(is_blank).filter(|word| !word.is_empty());
    let program = words.next().unwrap_or_default();
    let closes_the_hole = |word: &str| word.trim_start_matches('-') == "undelivered" && word.starts_with('-');
    if program.rsplit('/').next() != Some("remote.monitor") || words.any(closes_the_hole) {
        return;
    }
    let message =
        "this `remote.monitor` overlooks a failure that the other server cannot alert about".to_owned();
    let complaint = warning("W090", message, "reports only what was alerted about").help(
        "add `--undelivered`: it reports at once where an alert program is missing or does not get through"
            .to_owned(),
    );
    sink.warn(statement.rest.part(0, program.len()), statement.line, complaint);
}

/// The periods with alert lines of which no program is there, as `is_there` finds; `text` is that of the file.
#[must_use]
pub(in super::super) fn nobody_to_call(
    config: &Config,
    text: &str,
    is_there: impl Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    let mut known = BTreeMap::new();
    let mut missing = |program: &str| {
        if let Some(missing) = known.get(program) {
            return *missing;
        }
        let missing = !is_there(program);
        known.insert(program.to_owned(), missing);
        missing
    };
    let services = config.watches.iter().flat_map(|watch| watch.services.iter().map(move |s| (watch, s)));
    let mut found = Vec::new();
    for (watch, service) in services {
        for period in &service.periods {
            if let Some((program, line)) = nobody(period, &mut missing) {
                found.push((program, line, format!("{}:{}", watch.group, service.name)));
            }
        }
    }
    found.truncate(MOST);
    let lines = line_starts(text, &found);
    found.iter().map(|(program, line, name)| no_program(program, *line, name, text, &lines)).collect()
}

/// The first alert line of a period, if no program of those is there.
fn nobody<'p>(period: &'p Period, missing: &mut impl FnMut(&str) -> bool) -> Option<(&'p str, u32)> {
    let mut alerts = period.alerts.iter().filter(|line| line.keyword == AlertKeyword::Alert);
    let first = alerts.next()?;
    let all = missing(first.command.program()) && alerts.all(|line| missing(line.command.program()));
    all.then(|| (first.command.program(), first.command.line))
}

fn no_program(program: &str, line: u32, name: &str, text: &str, lines: &[usize]) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "W091",
        span: place_of(program, line, text, lines),
        line,
        legacy: None,
        message: format!("nobody is told when `{name}` fails: none of the period's alert programs is there"),
        label: "no such program in alertdir, and none is built in".to_owned(),
        help: Some("install it, or correct `alertdir`; it must be executable".to_owned()),
    }
}

/// Where each line begins, as far as anybody asks.
fn line_starts(text: &str, found: &[(&str, u32, String)]) -> Vec<usize> {
    let last = found.iter().map(|(_, line, _)| *line as usize).max().unwrap_or(0);
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    if last == 0 { Vec::new() } else { std::iter::once(0).chain(ends).take(last).collect() }
}

/// The program's name in a line, or the whole line; a continued one is known by its last line.
fn place_of(program: &str, line: u32, text: &str, lines: &[usize]) -> Range<usize> {
    let start = lines.get(line as usize - 1).copied().unwrap_or(0);
    let whole = text[start..].lines().next().unwrap_or_default();
    match whole.find(program) {
        Some(at) => start + at..start + at + program.len(),
        None => start..start + whole.trim_end().len(),
    }
}
