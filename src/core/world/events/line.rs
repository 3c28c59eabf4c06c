//! Words of an event line, each with its place.

use std::fmt::Write as _;
use std::ops::Range;

/// Something that cannot be understood, and where.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) code: &'static str,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(super) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Complaint {
        Complaint { code, span, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }
}

/// A word: bare, or in double quotes with `\n`, `\r`, `\t`, `\"` and `\\`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// In the text of the file, quotes included.
    pub(super) span: Range<usize>,
    pub(super) quoted: bool,
}

impl Word {
    /// The word, if it is bare: no quoted text is ever taken for a keyword.
    pub(super) fn bare(&self) -> &str {
        if self.quoted { "" } else { &self.text }
    }
}

/// Splits a line, which begins at `at` in its file, at blanks, up to a comment.
pub(super) fn words(line: &str, at: usize) -> Result<Vec<Word>, Complaint> {
    let mut words = Vec::new();
    let mut rest = line.char_indices().peekable();
    while let Some(&(start, c)) = rest.peek() {
        if c.is_whitespace() {
            rest.next();
        } else if c == '#' {
            break;
        } else if c == '"' {
            rest.next();
            let (text, end) = inside_quotes(line, at, start, &mut rest)?;
            words.push(Word { text, span: at + start..at + end, quoted: true });
        } else {
            let mut end = start;
            while let Some((from, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && *c != '"') {
                end = from + c.len_utf8();
            }
            words.push(Word { text: line[start..end].to_owned(), span: at + start..at + end, quoted: false });
        }
    }
    Ok(words)
}

/// The text up to the closing quote, and where that ends.
fn inside_quotes(
    line: &str,
    at: usize,
    start: usize,
    rest: &mut impl Iterator<Item = (usize, char)>,
) -> Result<(String, usize), Complaint> {
    let mut text = String::new();
    while let Some((from, c)) = rest.next() {
        match c {
            '"' => return Ok((text, from + 1)),
            '\\' => match rest.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c @ ('"' | '\\'))) => text.push(c),
                other => {
                    let end = other.map_or(line.len(), |(from, c)| from + c.len_utf8());
                    let complaint = Complaint::new("S05", at + from..at + end, "no such escape");
                    return Err(complaint.help("write `\\n`, `\\r`, `\\t`, `\\\"` or `\\\\`"));
                }
            },
            c => text.push(c),
        }
    }
    let complaint = Complaint::new("S05", at + start..at + line.len(), "this quote is never closed");
    Err(complaint.help("end the text with `\"`; a quote inside is written `\\\"`"))
}

/// The text in quotes, so that [`words`] gives it back.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '"' | '\\' => {
                let _ = write!(out, "\\{c}");
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// The text as one word, in quotes only where it must be.
pub(super) fn word(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.starts_with('#')
        && !text.contains(|c: char| c.is_whitespace() || c == '"' || c == '\\');
    if plain { text.to_owned() } else { quoted(text) }
}
