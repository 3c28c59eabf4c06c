//! The canonical layout of a mon.cf: `mon fmt`.
//!
//! Records begin at the margin, their lines one step in, the lines of a service two and those of a period three;
//! one blank line stands between records. Order, comments, continued lines and the words themselves stay. Blank
//! lines mean something in a mon.cf, so none is added or dropped but where a record ends anyway, and all of it is
//! proven: what was laid out is read again, and must say the same ([`meaning`]).

mod comments;
mod meaning;

use super::ast::{Kind, Statement};
use super::diagnostic::Diagnostic;
use super::lines::{MAX_TEXT, Source};
use super::load;
use super::parse::Statements;
use crate::timeval::is_blank;

/// One level of indentation.
const STEP: usize = 4;

/// Why a text is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has errors: what its lines belong to is not certain. All diagnostics of the file.
    Errors(Vec<Diagnostic>),
    /// Laid out it would mean something else; how it differs. Never seen so far.
    Meaning(&'static str),
}

/// The text in canonical layout.
///
/// # Errors
/// When the text has errors, or would change its meaning.
pub fn format(text: &str) -> Result<String, Refusal> {
    let (config, diagnostics) = load(text);
    if text.len() > MAX_TEXT || diagnostics.iter().any(Diagnostic::is_error) {
        return Err(Refusal::Errors(diagnostics));
    }
    let laid_out = lay_out(text);
    meaning::same(text, config, &laid_out).map_err(Refusal::Meaning)?;
    Ok(laid_out)
}

/// A logical line on its way to its place.
struct Item<'s> {
    kind: Kind,
    statement: Statement,
    /// Its physical lines, without blanks at their ends.
    lines: Vec<&'s str>,
    /// Where its text begins now, a tab counted as one step.
    column: usize,
    /// Columns to put before it; `None` leaves the line as it is.
    indent: Option<usize>,
    /// A record is open before it.
    in_record: bool,
}

impl Item<'_> {
    /// The first line of a record.
    fn is_head(&self) -> bool {
        matches!(self.kind, Kind::Hostgroup | Kind::Alias | Kind::View | Kind::Watch)
    }
}

fn lay_out(text: &str) -> String {
    let source = Source::new(text);
    let mut items = items(&source, text);
    comments::indent(&mut items);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut blank = false;
    for (at, item) in items.iter().enumerate() {
        if item.kind == Kind::Blank && item.indent.is_some() {
            blank = true;
            continue;
        }
        if (blank || begins_record(&items, at)) && !out.is_empty() {
            out.push('\n');
        }
        blank = false;
        write(&mut out, item, &source);
    }
    out
}

/// Whether a record begins here, with the comments that stand right above it at the margin.
fn begins_record(items: &[Item<'_>], at: usize) -> bool {
    let at_margin = |item: &Item<'_>| item.kind == Kind::Comment && item.indent == Some(0);
    let leads_to_head = items[at..].iter().find(|item| !at_margin(item)).is_some_and(|item| item.is_head());
    leads_to_head && !at.checked_sub(1).is_some_and(|before| at_margin(&items[before]))
}

/// The statements with their physical lines; comments are still without a place.
fn items<'s>(source: &Source<'_>, text: &'s str) -> Vec<Item<'s>> {
    let mut physical = text.split('\n');
    let mut read = 0;
    let mut depth = Depth::default();
    Statements::of(source)
        .map(|statement| {
            let count = (statement.line - read) as usize;
            read = statement.line;
            let lines: Vec<&str> =
                physical.by_ref().take(count).map(|line| line.trim_end_matches(is_blank)).collect();
            let in_record = depth.in_record;
            // A blank line can be continued, too, with comments inside.
            let plain = statement.kind != Kind::Blank || !lines.iter().any(|line| line.contains('#'));
            let indent = depth.of(statement.kind).filter(|_| plain);
            let column = column(lines.first().copied().unwrap_or_default());
            Item { kind: statement.kind, statement, lines, column, indent, in_record }
        })
        .collect()
}

/// How deep the lines are that follow.
#[derive(Default)]
struct Depth {
    in_record: bool,
    in_period: bool,
}

impl Depth {
    /// The indentation of the next line, which is of that kind.
    fn of(&mut self, kind: Kind) -> Option<usize> {
        match kind {
            Kind::Comment | Kind::Ignored | Kind::Unfinished => return None,
            Kind::Blank => self.in_record = false,
            Kind::Hostgroup | Kind::Alias | Kind::View | Kind::Watch => self.in_record = true,
            Kind::Service => self.in_period = false,
            Kind::Period => self.in_period = true,
            _ => {}
        }
        let steps = match kind {
            Kind::Hosts | Kind::AliasText | Kind::Members | Kind::Service => 1,
            Kind::Period => 2,
            Kind::Setting | Kind::Env => 2 + usize::from(self.in_period),
            _ => 0,
        };
        Some(steps * STEP)
    }
}

fn column(line: &str) -> usize {
    let blanks = line.chars().take_while(|&c| is_blank(c));
    blanks.map(|c| if c == '\t' { STEP } else { 1 }).sum()
}

fn write(out: &mut String, item: &Item<'_>, source: &Source<'_>) {
    let mut put = |indent: usize, line: &str| {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
        out.push('\n');
    };
    match (item.indent, &item.lines[..]) {
        (None, lines) => lines.iter().for_each(|line| put(0, line)),
        (Some(indent), [_]) => put(indent, &single(&item.statement, source)),
        (Some(indent), lines) => {
            for (number, line) in lines.iter().enumerate() {
                let indent = indent + if number == 0 { 0 } else { STEP };
                put(indent, line.trim_start_matches(is_blank));
            }
        }
    }
}

/// A line of its own: one blank between keyword, name and the rest, which stays as it is.
fn single(statement: &Statement, source: &Source<'_>) -> String {
    let Statement { kind, text, name, rest, .. } = *statement;
    let (text, name_text, rest_text) = (source.slice(text), source.slice(name), source.slice(rest));
    // `hostgroup web/1` has no blank between name and host. It is a mistake that must stay visible.
    let apart = rest.start > name.end;
    match kind {
        Kind::Global => format!("{name_text} = {rest_text}").trim_end().to_owned(),
        Kind::Hostgroup | Kind::Alias | Kind::View | Kind::Watch if apart || rest.is_empty() => {
            let keyword = text.split(is_blank).next().unwrap_or_default();
            format!("{keyword} {name_text} {rest_text}").trim_end_matches(is_blank).to_owned()
        }
        Kind::Service | Kind::Period | Kind::Setting if apart => format!("{name_text} {rest_text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
