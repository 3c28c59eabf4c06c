//! Physical lines to logical lines: comments, `\` continuations, blanks at either end.
//!
//! Nearly every logical line is a slice of the file. The few that were joined from several physical lines live
//! in an arena of their own, whose places follow those of the file: a [`Span`] at or beyond the length of the
//! file means the arena, and [`Source::in_file`] finds the way back.

use std::ops::Range;

use super::ast::Span;
use crate::timeval::is_blank;

/// The longest text that is read, so that every place fits 32 bits; no mon.cf comes near it.
pub const MAX_TEXT: usize = 1 << 30;

/// A file, and its continued lines joined.
#[derive(Debug)]
pub struct Source<'a> {
    text: &'a str,
    arena: String,
    pieces: Vec<Piece>,
    joins: Vec<Join>,
}

/// A part of a joined line that is one slice of the file.
#[derive(Debug, Clone, Copy)]
struct Piece {
    arena: u32,
    file: u32,
}

/// A logical line made of several physical ones.
#[derive(Debug, Clone, Copy)]
struct Join {
    /// Where its first physical line begins, and where the line after its last begins.
    file: Span,
    /// The joined text.
    joined: Span,
    physical_lines: u32,
    /// False when the file ends before the line does.
    finished: bool,
}

/// A logical line and what it is without looking at its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Text to be parsed; empty for a blank line.
    Text(Span),
    /// A comment line, from its `#`.
    Comment(Span),
    /// A continued line without an end.
    Unfinished(Span),
}

impl<'a> Source<'a> {
    /// Finds and joins the continued lines of `text`; what is beyond [`MAX_TEXT`] is not looked at.
    #[must_use]
    pub fn new(text: &'a str) -> Source<'a> {
        let text = &text[..char_start(text, MAX_TEXT)];
        let mut source = Source { text, arena: String::new(), pieces: Vec::new(), joins: Vec::new() };
        let mut at = 0;
        // Only a line with a backslash can be continued; most files have next to none.
        while let Some(found) = text[at..].find('\\') {
            let start = text[..at + found].rfind('\n').map_or(0, |newline| newline + 1).max(at);
            at = source.join_from(start);
        }
        source
    }

    /// Joins what begins at the physical line at `start`; returns where the next logical line begins.
    fn join_from(&mut self, start: usize) -> usize {
        let arena_start = self.text.len() + self.arena.len();
        let (mut at, mut physical_lines, mut finished) = (start, 0, false);
        while at < self.text.len() && !finished {
            let end = line_end(self.text, at);
            let line = &self.text[at..end];
            let leading = line.len() - line.trim_start_matches(is_blank).len();
            physical_lines += 1;
            if !line[leading..].starts_with('#') {
                let kept = line.trim_end_matches(is_blank).strip_suffix('\\');
                finished = kept.is_none();
                if finished && physical_lines == 1 {
                    return end;
                }
                let kept = kept.unwrap_or(line);
                let leading = leading.min(kept.len());
                self.pieces.push(Piece { arena: self.arena.len() as u32, file: (at + leading) as u32 });
                self.arena.push_str(&kept[leading..]);
            } else if physical_lines == 1 {
                return end;
            }
            at = end;
        }
        let joined = Span { start: arena_start as u32, end: (self.text.len() + self.arena.len()) as u32 };
        let file = Span { start: start as u32, end: at as u32 };
        self.joins.push(Join { file, joined, physical_lines, finished });
        at
    }

    /// The text at `span`.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let (start, end) = (span.start as usize, span.end as usize);
        let slice = match start.checked_sub(self.text.len()) {
            Some(start) => self.arena.get(start..end - self.text.len()),
            None => self.text.get(start..end),
        };
        slice.unwrap_or_default()
    }

    /// Where `span` is in the file. A place in a joined line may cover several physical lines.
    #[must_use]
    pub fn in_file(&self, span: Span) -> Range<usize> {
        let Some(start) = (span.start as usize).checked_sub(self.text.len()) else {
            return span.start as usize..span.end as usize;
        };
        let start_in_file = self.arena_to_file(start);
        match (span.end as usize).checked_sub(self.text.len() + 1) {
            Some(last) if last >= start => start_in_file..self.arena_to_file(last) + 1,
            _ => start_in_file..start_in_file,
        }
    }

    fn arena_to_file(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.arena as usize <= offset);
        match after.checked_sub(1).and_then(|i| self.pieces.get(i)) {
            Some(piece) => piece.file as usize + (offset - piece.arena as usize),
            None => self.text.len(),
        }
    }

    /// The logical lines, each with the number of its last physical line.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines { source: self, at: 0, number: 0, next_join: 0 }
    }

    /// `span` without the blanks at either end.
    fn trim(&self, span: Span) -> Span {
        let text = self.slice(span);
        let start = text.len() - text.trim_start_matches(is_blank).len();
        span.part(start, text.trim_end_matches(is_blank).len())
    }
}

/// The beginning of the character at byte `at`, or the end of the text.
pub(super) fn char_start(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}

/// Where the physical line after the one at `at` begins.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// See [`Source::lines`].
#[derive(Debug)]
pub struct Lines<'s> {
    source: &'s Source<'s>,
    at: usize,
    number: u32,
    next_join: usize,
}

impl Lines<'_> {
    fn joined(&mut self) -> Option<Line> {
        let join = *self.source.joins.get(self.next_join)?;
        if join.file.start as usize != self.at {
            return None;
        }
        self.next_join += 1;
        self.at = join.file.end as usize;
        self.number += join.physical_lines;
        let text = self.source.trim(join.joined);
        Some(if join.finished { Line::Text(text) } else { Line::Unfinished(text) })
    }

    fn physical(&mut self) -> Line {
        let end = line_end(self.source.text, self.at);
        let text = self.source.trim(Span { start: self.at as u32, end: end as u32 });
        self.at = end;
        self.number += 1;
        if self.source.slice(text).starts_with('#') { Line::Comment(text) } else { Line::Text(text) }
    }
}

impl Iterator for Lines<'_> {
    type Item = (Line, u32);

    fn next(&mut self) -> Option<(Line, u32)> {
        if self.at >= self.source.text.len() {
            return None;
        }
        let line = self.joined().unwrap_or_else(|| self.physical());
        Some((line, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logical lines of `text` as `number:text`, comments with their `#`.
    fn logical(text: &str) -> Vec<String> {
        let source = Source::new(text);
        source
            .lines()
            .map(|(line, number)| match line {
                Line::Text(span) | Line::Comment(span) => format!("{number}:{}", source.slice(span)),
                Line::Unfinished(span) => format!("{number}?{}", source.slice(span)),
            })
            .collect()
    }

    #[test]
    fn lines_are_joined_as_the_original_does() {
        for (text, expect) in [
            ("", &[] as &[&str]),
            ("a", &["1:a"]),
            ("\t a b \r\n\n c", &["1:a b", "2:", "3:c"]),
            ("foo\\\n  bar\nx", &["2:foobar", "3:x"]),
            ("foo \\ \t\r\n  bar", &["2:foo bar"]),
            ("a \\\n# note\n b", &["3:a b"]),
            ("a \\\n# note \\\n b\\\nc", &["4:a bc"]),
            ("# note \\\nb", &["1:# note \\", "2:b"]),
            ("a \\\n\n\nb", &["2:a", "3:", "4:b"]),
            ("a\\\\\nb", &["2:a\\b"]),
            ("a\\b\nc", &["1:a\\b", "2:c"]),
            ("\\\n\\\nx", &["3:x"]),
            ("x\na \\", &["1:x", "2?a"]),
            ("a \\\n# only a comment follows", &["2?a"]),
            ("   \\   \n   ", &["2:"]),
        ] {
            assert_eq!(logical(text), expect, "{text:?}");
        }
    }

    #[test]
    fn places_in_joined_lines_lead_back_to_the_file() {
        let text = "one\ninterval \\\n  # note\n   5m\\\n  x\ntwo\n";
        let source = Source::new(text);
        let (Line::Text(span), 5) = source.lines().nth(1).unwrap() else { panic!("a joined line") };
        assert_eq!(source.slice(span), "interval 5mx");
        for (start, end, expect) in [(0, 8, "interval"), (9, 11, "5m"), (11, 12, "x"), (9, 12, "5m\\\n  x")] {
            assert_eq!(&text[source.in_file(span.part(start, end))], expect);
        }
        let end = source.in_file(span.part(12, 12));
        assert!(end.is_empty() && end.start <= text.len());
    }
}
