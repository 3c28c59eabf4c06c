//! One logical line to one statement, by nom.
//!
//! mon.cf has no closing keywords: what a line is depends on the record it stands in, and the records do not
//! nest cleanly. A hostgroup swallows everything but `hostgroup` and `name = value`; an alias everything but
//! those and `alias`; a view everything but those and `view`. Only a watch looks at each line. That order of
//! questions is the original's (mon 1.3.6, `read_cf`) and files depend on it.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{eof, verify};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::ast::{Kind, Span, Statement};
use super::lines::{Line, Lines, Source};
use crate::timeval::is_blank;

/// The record that the next line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Record {
    #[default]
    Outside,
    Hostgroup,
    Alias,
    View,
    Watch,
}

/// A line taken apart: what it is, its name, the rest.
type Parts<'a> = (Kind, &'a str, &'a str);

/// The statements of a file, one by one.
#[derive(Debug)]
pub struct Statements<'s> {
    source: &'s Source<'s>,
    lines: Lines<'s>,
    record: Record,
}

impl<'s> Statements<'s> {
    /// The statements of `source`.
    #[must_use]
    pub fn of(source: &'s Source<'s>) -> Statements<'s> {
        Statements { source, lines: source.lines(), record: Record::Outside }
    }

    fn statement(&mut self, span: Span, line: u32) -> Statement {
        let text = self.source.slice(span);
        let (kind, name, rest) = parts(self.record, text);
        self.record = after(self.record, kind);
        let place = |part: &str| {
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            span.part(start, start + part.len())
        };
        Statement { kind, text: span, name: place(name), rest: place(rest), line }
    }
}

impl Iterator for Statements<'_> {
    type Item = Statement;

    fn next(&mut self) -> Option<Statement> {
        let (line, number) = self.lines.next()?;
        let bare = |kind, span: Span| Statement {
            kind,
            text: span,
            name: span.part(0, 0),
            rest: span,
            line: number,
        };
        Some(match line {
            Line::Comment(span) => bare(Kind::Comment, span),
            Line::Unfinished(span) => bare(Kind::Unfinished, span),
            Line::Text(span) => self.statement(span, number),
        })
    }
}

/// The record after a line of that kind.
fn after(record: Record, kind: Kind) -> Record {
    match kind {
        Kind::Blank => Record::Outside,
        Kind::Hostgroup => Record::Hostgroup,
        Kind::Alias => Record::Alias,
        Kind::View => Record::View,
        Kind::Watch => Record::Watch,
        _ => record,
    }
}

/// Asks the questions in the original's order; the first that fits wins.
fn parts(record: Record, line: &str) -> Parts<'_> {
    let head = &line[..0];
    if line.is_empty() {
        return (Kind::Blank, head, line);
    }
    let parsed = match record {
        Record::Outside => alt((global, hostgroup, alias, view, watch)).parse(line),
        Record::Hostgroup => alt((global, hostgroup, all(Kind::Hosts))).parse(line),
        Record::Alias => alt((global, hostgroup, alias, all(Kind::AliasText))).parse(line),
        Record::View => alt((global, hostgroup, alias, view, all(Kind::Members))).parse(line),
        Record::Watch => alt((hostgroup, alias, view, watch, env, setting)).parse(line),
    };
    let unparsed = if record == Record::Watch { Kind::Setting } else { Kind::Ignored };
    parsed.map_or((unparsed, head, line), |(_, parts)| parts)
}

/// `name = value`
fn global(line: &str) -> IResult<&str, Parts<'_>> {
    let (value, name) = terminated(word, (blanks, char('='), blanks)).parse(line)?;
    Ok(("", (Kind::Global, name, value)))
}

/// `hostgroup NAME [HOST…]`; the first character that no name has ends the name.
fn hostgroup(line: &str) -> IResult<&str, Parts<'_>> {
    let (hosts, name) = terminated(record_head("hostgroup"), blanks).parse(line)?;
    Ok(("", (Kind::Hostgroup, name, hosts)))
}

/// `alias NAME`, nothing more.
fn alias(line: &str) -> IResult<&str, Parts<'_>> {
    let (rest, name) = terminated(record_head("alias"), eof).parse(line)?;
    Ok(("", (Kind::Alias, name, rest)))
}

/// `view NAME MEMBER…`; a view without members is not one.
fn view(line: &str) -> IResult<&str, Parts<'_>> {
    let (members, name) = terminated(record_head("view"), blanks1).parse(line)?;
    Ok(("", (Kind::View, name, members)))
}

/// `watch NAME`, and whatever follows.
fn watch(line: &str) -> IResult<&str, Parts<'_>> {
    let (extra, name) = terminated(record_head("watch"), blanks).parse(line)?;
    Ok(("", (Kind::Watch, name, extra)))
}

/// `NAME=value`
fn env(line: &str) -> IResult<&str, Parts<'_>> {
    let first = verify(take_while1(is_env), |name: &str| !name.as_bytes()[0].is_ascii_digit());
    let (value, name) = terminated(first, char('=')).parse(line)?;
    Ok(("", (Kind::Env, name, value)))
}

/// `keyword arguments`; blanks between the two are not needed.
fn setting(line: &str) -> IResult<&str, Parts<'_>> {
    let (arguments, keyword) = terminated(word, blanks).parse(line)?;
    let kind = match keyword {
        "service" => Kind::Service,
        "period" => Kind::Period,
        _ => Kind::Setting,
    };
    Ok(("", (kind, keyword, arguments)))
}

/// The whole line, as it is.
fn all(kind: Kind) -> impl Fn(&str) -> IResult<&str, Parts<'_>> {
    move |line| Ok(("", (kind, &line[..0], line)))
}

/// `keyword NAME`
fn record_head<'a>(
    keyword: &'static str,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    preceded((tag(keyword), blanks1), take_while1(is_name))
}

/// The label of a period and its specification: `LABEL: SPEC`, or `SPEC` which then is the label too.
pub(super) fn period_label(arguments: &str) -> (&str, &str) {
    let first = verify(word, |label: &str| !label.as_bytes()[0].is_ascii_digit());
    let mut label = terminated(first, (blanks, char(':'), blanks));
    label.parse(arguments).map_or((arguments, arguments), |(spec, label)| (label, spec))
}

/// Whether a hostgroup, alias, view, watch or service may be called so.
pub(super) fn is_valid_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name)
}

fn word(line: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_').parse(line)
}

fn blanks(line: &str) -> IResult<&str, &str> {
    take_while(is_blank).parse(line)
}

fn blanks1(line: &str) -> IResult<&str, &str> {
    take_while1(is_blank).parse(line)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn is_env(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Kind name|rest` of each line.
    fn statements(text: &str) -> Vec<String> {
        let source = Source::new(text);
        Statements::of(&source)
            .map(|s| format!("{:?} {}|{}", s.kind, source.slice(s.name), source.slice(s.rest)))
            .collect()
    }

    #[test]
    fn a_line_is_what_its_record_makes_of_it() {
        for (record, line, expect) in [
            ("", "a = b = c", "Global a|b = c"),
            ("", "a=", "Global a|"),
            ("", "hostgroup web h1 h2", "Hostgroup web|h1 h2"),
            ("", "hostgroup web/1", "Hostgroup web|/1"),
            ("", "hostgroup /", "Ignored |hostgroup /"),
            ("", "alias x", "Alias x|"),
            ("", "alias x y", "Ignored |alias x y"),
            ("", "view x", "Ignored |view x"),
            ("", "view x y", "View x|y"),
            ("", "watch web x", "Watch web|x"),
            ("", "service x", "Ignored |service x"),
            ("hostgroup g", "watch web", "Hosts |watch web"),
            ("hostgroup g", "a=b", "Global a|b"),
            ("hostgroup g", "hostgroup h", "Hostgroup h|"),
            ("hostgroup g", "alias h", "Hosts |alias h"),
            ("alias a", "view x y", "AliasText |view x y"),
            ("alias a", "alias b", "Alias b|"),
            ("view a b", "watch c", "Members |watch c"),
            ("view a b", "alias c", "Alias c|"),
            ("watch w", "a = b", "Setting a|= b"),
            ("watch w", "A1=b c", "Env A1|b c"),
            ("watch w", "A = b", "Setting A|= b"),
            ("watch w", "1A=b", "Setting 1A|=b"),
            ("watch w", "service x y", "Service service|x y"),
            ("watch w", "service-x", "Service service|-x"),
            ("watch w", "period", "Period period|"),
            ("watch w", "periods", "Setting periods|"),
            ("watch w", "/bin/x", "Setting |/bin/x"),
            ("watch w", "hostgroup x", "Hostgroup x|"),
            ("watch w", "watch", "Setting watch|"),
        ] {
            let text = format!("{record}\n{line}\n");
            assert_eq!(statements(&text)[1], expect, "{record} / {line}");
        }
    }

    #[test]
    fn an_empty_line_ends_every_record_and_a_comment_none() {
        let kinds = statements("watch a\n# c\nx\n\nx\nhostgroup b\n\nwatch c");
        let expect = [
            "Watch a|",
            "Comment |# c",
            "Setting x|",
            "Blank |",
            "Ignored |x",
            "Hostgroup b|",
            "Blank |",
            "Watch c|",
        ];
        assert_eq!(kinds, expect);
    }

    #[test]
    fn a_period_is_called_by_its_label_or_its_specification() {
        for (arguments, label, spec) in [
            ("WORK: wd {Mon}", "WORK", "wd {Mon}"),
            ("a_1 :x", "a_1", "x"),
            ("LAB:", "LAB", ""),
            ("wd {Mon}", "wd {Mon}", "wd {Mon}"),
            ("9x: none", "9x: none", "9x: none"),
            ("", "", ""),
        ] {
            assert_eq!(period_label(arguments), (label, spec), "{arguments}");
        }
    }

    #[test]
    fn the_tree_keeps_every_line() {
        let source = Source::new("a\n\n# c\nb \\\n c\n");
        let ast = crate::config::ast::Ast::of(&source);
        let lines: Vec<u32> = ast.statements.iter().map(|statement| statement.line).collect();
        assert_eq!(lines, [1, 2, 3, 5]);
        assert!(size_of::<Statement>() <= 36);
    }
}
