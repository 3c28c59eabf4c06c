//! Characters that nobody sees, or takes for others: what a copy from a web page or a mail leaves behind.

use super::super::ast::{Kind, Span, Statement};
use super::super::lines::Source;
use super::super::sink::Sink;
use super::warning;

/// What is wrong with a character where mon looks for blanks, quotes and dashes.
fn disguised(c: char) -> Option<(&'static str, &'static str)> {
    const STRAY_NBSP: u32 = 0x10_FFA0;
    Some(match c {
        '\u{a0}' | '\u{202f}' | '\u{2007}' => ("a no-break space", "a blank"),
        // Latin-1's, as one byte.
        _ if u32::from(c) == STRAY_NBSP => ("a no-break space", "a blank"),
        '\u{2000}'..='\u{200a}' | '\u{3000}' => ("a blank of another width", "a blank"),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => ("an invisible character", "nothing"),
        '\u{2018}' | '\u{2019}' => ("a curly quote", "`'`"),
        '\u{201c}' | '\u{201d}' | '\u{201e}' => ("a curly quote", "`\"`"),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => ("a long dash", "`-`"),
        _ => return None,
    })
}

/// Looks at one line. In comments and texts for people all of this is welcome.
pub(in super::super) fn disguises(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let text = source.slice(statement.text);
    let is_prose = matches!(statement.kind, Kind::Comment | Kind::AliasText)
        || (statement.kind == Kind::Setting && source.slice(statement.name) == "description");
    if text.is_ascii() || is_prose {
        return;
    }
    let Some((at, c)) = text.char_indices().find(|(_, c)| disguised(*c).is_some()) else { return };
    let (what, instead) = disguised(c).unwrap_or_default();
    let code = u32::from(c);
    let shown =
        if code > 0x10_FF00 { format!("byte {:02X}", code - 0x10_FF00) } else { format!("U+{code:04X}") };
    let (message, label) = match what {
        "a curly quote" | "a long dash" => {
            (format!("{what} ({shown}) means nothing to mon"), "a letter like any other")
        }
        _ => (format!("{what} ({shown}) separates nothing: it is part of the word"), "belongs to this word"),
    };
    let complaint = warning("W042", message, label).help(format!("write {instead} in its place"));
    sink.warn(word_around(statement.text, text, at, c), statement.line, complaint);
}

/// The word that holds the character at `at`.
fn word_around(span: Span, text: &str, at: usize, c: char) -> Span {
    let is_blank = crate::timeval::is_blank;
    let start = text[..at].rfind(is_blank).map_or(0, |blank| blank + 1);
    let after = at + c.len_utf8();
    let end = text[after..].find(is_blank).map_or(text.len(), |blank| after + blank);
    span.part(start, end)
}
