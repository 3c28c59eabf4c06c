//! Blank lines: the classic mistake of mon.cf is one too many inside a watch, or one too few before it.

use super::super::ast::{Kind, Statement};
use super::super::diagnostic::Severity;
use super::super::lines::Source;
use super::super::sink::Sink;
use super::super::suggest::nearest;
use super::super::words;
use super::file::Notes;
use super::warning;

/// Where the reading stands between records.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The watch that the last line belonged to.
    watch: Option<Statement>,
    /// The watch that a blank line ended, and the number of that line, until the next record.
    ended: Option<(Statement, u32)>,
    ignored: Option<Ignored>,
    /// The open hostgroup, alias or view.
    open: Option<Statement>,
    /// The first line that it swallows, and how many there are in all.
    swallowed: Option<(Statement, usize)>,
}

/// Lines that nothing looks at.
#[derive(Debug)]
struct Ignored {
    first: Statement,
    last_line: u32,
    lines: usize,
    services: usize,
    /// They look like a part of the watch that ended before.
    of_watch: Option<(Statement, u32)>,
}

/// Looks at each line as it is read.
pub(in super::super) fn layout(
    notes: &mut Notes,
    source: &Source<'_>,
    statement: &Statement,
    sink: &mut Sink<'_>,
) {
    let layout = &mut notes.layout;
    match statement.kind {
        Kind::Blank => {
            if let Some(watch) = layout.watch.take() {
                layout.ended = Some((watch, statement.line));
            }
            end_swallowing(layout, source, sink);
            layout.open = None;
        }
        Kind::Watch => begin_record(layout, source, sink, Some(*statement), None),
        Kind::Hostgroup | Kind::Alias | Kind::View => {
            begin_record(layout, source, sink, None, Some(*statement))
        }
        Kind::Ignored => ignored(layout, source, statement, sink),
        Kind::Hosts | Kind::AliasText | Kind::Members => swallowed(layout, source, statement),
        _ => {}
    }
}

/// Says what is still to be said at the end of the file.
pub(super) fn end(layout: &mut Layout, source: &Source<'_>, sink: &mut Sink<'_>) {
    begin_record(layout, source, sink, None, None);
}

/// What to say when `NAME=value` is taken for an unknown global variable below a watch.
pub(in super::super) fn stray_environment(notes: &Notes, name: &str) -> Option<String> {
    if let Some(open) = notes.layout.open {
        let record = if open.kind == Kind::Hostgroup { "a hostgroup" } else { "an alias or view" };
        return Some(format!("`name = value` is a global variable even inside {record}"));
    }
    let is_environment = !name.chars().any(|c| c.is_ascii_lowercase());
    let (_, blank) = notes.layout.ended.filter(|_| is_environment)?;
    Some(format!("environment variables belong inside a watch, but the blank line {blank} has ended it"))
}

fn begin_record(
    layout: &mut Layout,
    source: &Source<'_>,
    sink: &mut Sink<'_>,
    watch: Option<Statement>,
    open: Option<Statement>,
) {
    if let Some(ignored) = layout.ignored.take() {
        report(&ignored, source, sink);
    }
    end_swallowing(layout, source, sink);
    *layout = Layout { watch, open, ..Layout::default() };
}

fn ignored(layout: &mut Layout, source: &Source<'_>, statement: &Statement, sink: &mut Sink<'_>) {
    let word = first_word(source, statement);
    let of_watch = layout.ended.filter(|_| words::is_watch_word(word));
    let is_service = usize::from(word == "service");
    let full = sink.is_full(Severity::Warning);
    let goes_on =
        |run: &Ignored| run.of_watch.is_some() || (of_watch.is_none() && (full || meant(word).is_none()));
    match &mut layout.ignored {
        Some(run) if goes_on(run) => {
            run.last_line = statement.line;
            run.lines += 1;
            run.services += is_service;
        }
        run => {
            let first = *statement;
            let begun = Ignored { first, last_line: first.line, lines: 1, services: is_service, of_watch };
            if let Some(before) = run.replace(begun) {
                report(&before, source, sink);
            }
        }
    }
}

/// What a line outside all records that begins with `word` was probably meant to be.
fn meant(word: &str) -> Option<String> {
    match word {
        "view" => return Some("a view needs a name and at least one member: `view NAME GROUP…`".to_owned()),
        "alias" => return Some("an alias has a name only: `alias NAME`".to_owned()),
        _ if words::RECORDS.contains(&word) => {
            return Some(format!("`{word}` needs a name of letters, digits, `_`, `.` and `-`"));
        }
        _ if words::GLOBALS.contains(&word) => {
            return Some(format!("a global variable needs `=`: `{word} = VALUE`"));
        }
        _ if words::is_watch_word(word) => return None,
        _ => {}
    }
    if let Some(near) = nearest(word, words::RECORDS.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    nearest(word, words::GLOBALS.iter().copied()).map(|near| format!("did you mean `{near} = VALUE`?"))
}

fn report(ignored: &Ignored, source: &Source<'_>, sink: &mut Sink<'_>) {
    let Ignored { first, last_line, lines, services, of_watch } = ignored;
    let these = match lines {
        1 => "this line is".to_owned(),
        2 => "this line and the next are".to_owned(),
        _ => format!("this line and {} more, down to line {last_line}, are", lines - 1),
    };
    let complaint = match of_watch {
        Some((watch, blank)) => {
            let group = source.slice(watch.name);
            let lost = match services {
                0 => String::new(),
                1 => "; the service in it is not monitored".to_owned(),
                n => format!("; the {n} services in it are not monitored"),
            };
            let message =
                format!("{these} ignored: the blank line {blank} has ended the watch `{group}`{lost}");
            warning("W001", message, "belongs to no watch").help(format!(
                "delete line {blank}, or put a `#` on it: a watch must not have blank lines inside"
            ))
        }
        None => {
            let word = first_word(source, first);
            let orphan = words::is_watch_word(word)
                .then(|| format!("`{word}` belongs inside a watch: `watch NAME` must stand above it"));
            let help = meant(word).or(orphan);
            warning("W002", format!("{these} ignored: outside of all records"), "not in a record").help(help)
        }
    };
    sink.warn(first.text, first.line, complaint);
}

fn swallowed(layout: &mut Layout, source: &Source<'_>, statement: &Statement) {
    if let Some((_, lines)) = &mut layout.swallowed {
        *lines += 1;
        return;
    }
    let word = first_word(source, statement);
    let alone = source.slice(statement.text) == word;
    // A host may be called `monitor`, but hardly two words that make a line of a watch.
    if !alone && (words::RECORDS.contains(&word) || words::is_watch_word(word)) {
        layout.swallowed = Some((*statement, 1));
    }
}

fn end_swallowing(layout: &mut Layout, source: &Source<'_>, sink: &mut Sink<'_>) {
    let (Some((first, lines)), Some(open)) = (layout.swallowed.take(), layout.open) else { return };
    let (record, taken_as) = match open.kind {
        Kind::Hostgroup => ("hostgroup", "hosts"),
        Kind::Alias => ("alias", "text"),
        _ => ("view", "members"),
    };
    let (word, name) = (first_word(source, &first), source.slice(open.name));
    let these = match lines {
        1 => format!("this `{word}` line is"),
        2 => format!("this `{word}` line and the next are"),
        _ => format!("this `{word}` line and the {} below it are", lines - 1),
    };
    let message = format!("{these} taken as {taken_as} of the {record} `{name}`");
    let complaint = warning("W003", message, &format!("still inside the {record}"))
        .help(format!("put a blank line before it: nothing else ends the {record}"));
    sink.warn(first.text, first.line, complaint);
}

fn first_word<'s>(source: &'s Source<'_>, statement: &Statement) -> &'s str {
    let text = source.slice(statement.text);
    text.split(crate::timeval::is_blank).next().unwrap_or(text)
}
