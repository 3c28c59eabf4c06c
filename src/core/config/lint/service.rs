//! Checks of a service once all of its lines are read.

use super::super::ast::{Kind, Span, Statement};
use super::super::lines::Source;
use super::super::model::Service;
use super::super::sink::Sink;
use super::super::words;
use super::delivery::remote_monitor_overlooks;
use super::file::Notes;
use super::warning;
use crate::timeval::is_blank;

/// A complete service with its lines.
pub(in super::super) struct ServiceView<'v> {
    pub(in super::super) source: &'v Source<'v>,
    pub(in super::super) group: &'v str,
    pub(in super::super) service: &'v Service,
    /// The `service` line and all after it.
    pub(in super::super) statements: &'v [Statement],
}

impl ServiceView<'_> {
    /// The keyword of a line.
    pub(super) fn keyword(&self, statement: &Statement) -> &str {
        self.source.slice(statement.name)
    }

    /// Whether all of its lines begin with keywords.
    pub(super) fn is_understood(&self) -> bool {
        let known = |line: &Statement| line.kind != Kind::Setting || words::is_watch_word(self.keyword(line));
        self.statements.iter().all(known)
    }

    /// The last line with that keyword: the one that counts.
    pub(super) fn last(&self, keyword: &str) -> Option<&Statement> {
        self.statements.iter().rev().find(|statement| self.keyword(statement) == keyword)
    }

    /// The lines that name a program.
    fn commands(&self) -> impl Iterator<Item = (&Statement, &str)> {
        self.statements.iter().filter_map(|statement| {
            let keyword = self.keyword(statement);
            let is_command = matches!(keyword, "monitor" | "redistribute") || keyword.ends_with("alert");
            is_command.then(|| (statement, self.source.slice(statement.rest)))
        })
    }
}

/// A check of one service.
type Check = fn(&ServiceView<'_>, &mut Sink<'_>);

const CHECKS: &[Check] = &[
    nothing_feeds_it,
    interval_without_monitor,
    monitor_without_interval,
    unbalanced_quotes,
    malformed_exit_prefix,
    glued_semicolons,
    alertevery_shorter_than_interval,
    dropped_words,
    remote_monitor_overlooks,
    super::words_astray::check,
    super::words_astray::repeated,
    super::times::check,
    super::proportion::check,
    super::ports::check,
    super::alerting::check,
];

/// Runs all checks of a service.
pub(in super::super) fn service(view: &ServiceView<'_>, notes: &mut Notes, sink: &mut Sink<'_>) {
    if notes.is_brief() {
        return;
    }
    for check in CHECKS {
        check(view, sink);
    }
    super::overlap::check(view, &mut notes.overlaps, sink);
}

fn nothing_feeds_it(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let name = &view.service.name;
    // Traps for unknown groups go to default:default, which waits for nothing else.
    let takes_any_trap = view.group == "default" && **name == *"default";
    let tried = ["monitor", "traptimeout", "interval"].iter().any(|keyword| view.last(keyword).is_some());
    if !tried && !takes_any_trap && view.is_understood() {
        let message =
            format!("nothing tells whether the service `{name}` works: it has no monitor and no traptimeout");
        let complaint = warning("W011", message, "only traps can change its status").help(
            "add `interval` and `monitor`, or `traptimeout` for a service that reports by traps".to_owned(),
        );
        sink.warn(view.statements[0].text, view.statements[0].line, complaint);
    }
}

fn interval_without_monitor(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let (Some(statement), None) = (view.last("interval"), view.last("monitor")) else { return };
    // A line that is no keyword may be the one that is missed; it has its own complaint.
    if !view.is_understood() {
        return;
    }
    let message = format!("the service `{}` has an interval, but no monitor to run", view.service.name);
    let complaint = warning("W012", message, "nothing to run")
        .help("add a `monitor PROGRAM` line before the first `period`".to_owned());
    sink.warn(statement.text, statement.line, complaint);
}

fn monitor_without_interval(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let (Some(statement), None) = (view.last("monitor"), view.last("interval")) else { return };
    if !view.is_understood() {
        return;
    }
    let message = format!(
        "the monitor of the service `{}` never runs by itself: there is no interval",
        view.service.name
    );
    let complaint = warning("W023", message, "never runs")
        .help("add an `interval` line, such as `interval 5m`, before the first `period`".to_owned());
    sink.warn(statement.text, statement.line, complaint);
}

fn unbalanced_quotes(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    for (statement, text) in view.commands().filter(|(_, text)| text.contains(['"', '\'', '\\'])) {
        if let Err(unbalanced) = crate::words::split(text) {
            let place = statement.rest.part(unbalanced.at, text.len());
            let message = format!(
                "a quote in this `{}` line is not closed: the program gets no arguments",
                view.keyword(statement)
            );
            let complaint = warning("W009", message, "opened here")
                .help("close it, or write `\\` before a quote that is meant as such".to_owned());
            sink.warn(place, statement.line, complaint);
        }
    }
}

fn malformed_exit_prefix(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let alerts = view.commands().filter(|(statement, _)| view.keyword(statement).ends_with("alert"));
    for (statement, text) in alerts {
        let head = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("exit"));
        if !head || !text[4..].trim_start_matches(is_blank).starts_with('=') {
            continue;
        }
        let first = text.split(is_blank).next().unwrap_or(text);
        let range = first.get(5..).and_then(super::super::values::exit_range);
        let (message, label) = match range {
            Some(_) if first.len() < text.len() => continue,
            Some(_) => (format!("no program follows `{first}`"), "nothing to run"),
            None if first.len() == 4 => {
                ("blanks around `=` make `=` the program".to_owned(), "no blanks here")
            }
            None => (format!("`{first}` is not a range of exit statuses"), "expected exit=N or exit=N-M"),
        };
        let complaint =
            warning("W010", message, label).help("write `exit=1 PROGRAM` or `exit=1-3 PROGRAM`".to_owned());
        sink.warn(statement.rest.part(0, first.len()), statement.line, complaint);
    }
}

fn glued_semicolons(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let Some(statement) = view.last("monitor") else { return };
    let text = view.source.slice(statement.rest);
    let first = text.split(is_blank).next().unwrap_or(text);
    if let Some(program) = first.strip_suffix(";;") {
        let complaint =
            warning("W013", format!("this runs a program called `{first}`"), "no blank before `;;`")
                .help(format!("write `{program} ;;` to run `{program}` without the hosts"));
        sink.warn(statement.rest.part(program.len(), first.len()), statement.line, complaint);
        return;
    }
    let Some(at) = text.find(';') else { return };
    let written = text[at..].split(is_blank).next().unwrap_or_default();
    let alone = text[..at].ends_with(is_blank);
    let after = text[at + written.len()..].trim_matches(is_blank);
    let (message, help) = match written {
        ";;" if alone && after.is_empty() => return,
        ";;" if alone => (
            format!("`;;` must be the last word: here the monitor gets it, `{after}` and the hosts"),
            format!("write `… {after} ;;` to run the monitor without the hosts"),
        ),
        ";" | ";;;" if after.is_empty() => (
            format!("the monitor gets `{written}` as an argument, and the hosts behind it"),
            "write ` ;;` to run the monitor without the hosts".to_owned(),
        ),
        ";;" if after.is_empty() => (
            "`;;` belongs to the word before it: the monitor gets the hosts all the same".to_owned(),
            "put a blank before `;;`".to_owned(),
        ),
        _ => return,
    };
    let place = statement.rest.part(at, at + written.len());
    sink.warn(place, statement.line, warning("W013", message, "not the end of the line").help(help));
}

fn alertevery_shorter_than_interval(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    /// `interval 1d` and `alertevery 1d` say the same and harm nobody.
    const LONGEST_EQUAL: i64 = 5 * 60;
    let Service { interval: Some(interval), failure_interval, .. } = view.service else { return };
    let between_runs = failure_interval.map_or(*interval, |while_failing| while_failing.min(*interval));
    // From the end, because the last `alertevery` of a period is the one that counts.
    let mut periods = view.service.periods.iter().rev();
    let mut period = periods.next();
    for statement in view.statements.iter().rev() {
        if statement.kind == Kind::Period {
            period = periods.next();
        } else if view.keyword(statement) == "alertevery" {
            let Some(every) = period.take().and_then(|period| period.alertevery) else { continue };
            // A moment more or less decides then, and with it whether each run alerts.
            let is_each_run = every.interval == between_runs && between_runs.whole_secs() <= LONGEST_EQUAL;
            if every.interval < between_runs || is_each_run {
                let message = format!(
                    "this `alertevery` holds nothing back: the monitor runs every {between_runs}s only"
                );
                let label =
                    if is_each_run { "not longer than the interval" } else { "shorter than the interval" };
                let complaint =
                    warning("W015", message, label).help("leave it out, or write a longer time".to_owned());
                sink.warn(statement.rest, statement.line, complaint);
            }
        }
    }
}

/// Flags take no argument; `no_comp_alerts 0` is a yes.
fn dropped_words(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    const FLAGS: [&str; 3] = ["allow_empty_group", "no_comp_alerts", "alerts_dont_count"];
    for statement in view.statements.iter().filter(|statement| !statement.rest.is_empty()) {
        let keyword = view.keyword(statement);
        if FLAGS.contains(&keyword) {
            let extra = view.source.slice(statement.rest);
            let message = format!("`{extra}` is dropped: `{keyword}` alone says yes");
            let complaint = warning("W017", message, "ignored").help("delete the line to say no".to_owned());
            sink.warn(statement.rest, statement.line, complaint);
        }
    }
}

/// Where `word` stands in the text at `span`; all of it where it does not.
pub(super) fn find(source: &Source<'_>, span: Span, word: &str) -> Span {
    source.slice(span).find(word).map_or(span, |at| span.part(at, at + word.len()))
}
