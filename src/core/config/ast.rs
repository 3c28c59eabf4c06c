//! Statements of a mon.cf with their places; comments and blank lines included.
//!
//! A statement holds no text, only places in a [`Source`], so a file of a million lines costs 36 bytes per
//! line here and nothing at all when the statements are lowered as they come.

use super::lines::Source;
use super::parse::Statements;

/// A place in the text of a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether it covers nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The part of this place from byte `start` to byte `end` of its text.
    #[must_use]
    pub fn part(self, start: usize, end: usize) -> Span {
        let at = |offset: usize| {
            self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end)
        };
        Span { start: at(start), end: at(end.max(start)) }
    }
}

/// What a logical line is, which depends on the record that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An empty line: the end of a record.
    Blank,
    /// `# …`
    Comment,
    /// A continued line that the end of the file cut off: the original drops it.
    Unfinished,
    /// `name = value`, outside a watch.
    Global,
    /// `hostgroup NAME [HOST…]`
    Hostgroup,
    /// More hosts.
    Hosts,
    /// `alias NAME`
    Alias,
    /// A line of an alias.
    AliasText,
    /// `view NAME MEMBER…`
    View,
    /// More members of a view.
    Members,
    /// `watch NAME`
    Watch,
    /// `NAME=value`, inside a watch.
    Env,
    /// `service NAME`
    Service,
    /// `period [LABEL:] [SPEC]`
    Period,
    /// Any other line of a watch: `keyword arguments`, known or not.
    Setting,
    /// Outside all records and not the beginning of one: silently skipped by the original.
    Ignored,
}

/// One logical line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// All of it, without blanks at either end.
    pub text: Span,
    /// The name that a record, global or environment line gives; the keyword of a setting.
    pub name: Span,
    /// What follows: hosts, members, value, arguments.
    pub rest: Span,
    /// Number of its last physical line, from 1: the number in the original's messages.
    pub line: u32,
}

/// All statements of a file.
#[derive(Debug)]
pub struct Ast<'s> {
    /// Where the statements' places point to.
    pub source: &'s Source<'s>,
    /// In the order of the file.
    pub statements: Vec<Statement>,
}

impl<'s> Ast<'s> {
    /// The statements of `source`.
    #[must_use]
    pub fn of(source: &'s Source<'s>) -> Ast<'s> {
        Ast { source, statements: Statements::of(source).collect() }
    }
}
