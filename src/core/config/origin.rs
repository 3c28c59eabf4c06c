//! Where a line of the configuration was written: in the file itself, or in one that m4 read.
//!
//! `m4 -s` says before each change of place where the following lines come from. The text that is checked is m4's
//! plain output, as in the original; the output with these lines in it is only a map of it.

use std::borrow::Cow;

use super::diagnostic::Diagnostic;
use super::lines::char_start;

/// The way back from the text that was checked to the files that it came from.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// Names and texts of the files; the first is the one that was asked for.
    files: Vec<(String, Option<String>)>,
    /// For each line of the text, its file and its line there. Empty: each line is where it is.
    lines: Vec<(u32, u32)>,
    /// Whether the text is m4's output, and nothing is known about where its lines come from.
    lost: bool,
}

/// Where a diagnostic points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name of the file.
    pub file: Cow<'a, str>,
    /// Line, from 1.
    pub line: usize,
    /// First marked character, from 1.
    pub column: usize,
    /// One past the last marked character of that line.
    pub end_column: usize,
    /// The line as it is written there.
    pub text: &'a str,
    /// The marked bytes of it.
    pub marked: (usize, usize),
    /// The line as m4 made it, where that is another one.
    pub expanded: Option<&'a str>,
}

impl Origins {
    /// The text is the file of that name.
    #[must_use]
    pub fn of(file: &str) -> Origins {
        Origins { files: vec![(file.to_owned(), None)], ..Origins::default() }
    }

    /// The text is what m4 made of the file of that name, and nobody knows how.
    #[must_use]
    pub fn lost(file: &str) -> Origins {
        Origins { lost: true, ..Origins::of(file) }
    }

    /// The text is m4's output for the file of that name, and `synced` is its output with `-s`; `None` if the two
    /// are not the same but for the lines that `-s` adds.
    #[must_use]
    pub fn synced(file: &str, text: &str, synced: &str) -> Option<Origins> {
        let mut origins = Origins::of(file);
        let (mut at, mut number) = (0, 1);
        let mut plain = text.split_inclusive('\n');
        for line in synced.split_inclusive('\n') {
            if let Some((line, name)) = sync_line(line) {
                number = line;
                at = name.map_or(at, |name| origins.number_of(name));
                continue;
            }
            if plain.next() != Some(line) {
                return None;
            }
            origins.lines.push((at, number));
            number += 1;
        }
        plain.next().is_none().then_some(origins)
    }

    fn number_of(&mut self, name: &str) -> u32 {
        let known = self.files.iter().position(|(file, _)| file == name);
        known.unwrap_or_else(|| {
            self.files.push((name.to_owned(), None));
            self.files.len() - 1
        }) as u32
    }

    /// The files whose text is needed to show their lines.
    pub fn files_mut(&mut self) -> impl Iterator<Item = (&str, &mut Option<String>)> {
        let expanded = !self.lines.is_empty();
        self.files.iter_mut().filter(move |_| expanded).map(|(name, text)| (&**name, text))
    }

    /// Where each diagnostic points to, in the order of the text.
    #[must_use]
    pub fn locate<'a>(
        &'a self,
        text: &'a str,
        diagnostics: &'a [Diagnostic],
    ) -> Vec<(Place<'a>, &'a Diagnostic)> {
        let mut order: Vec<&Diagnostic> = diagnostics.iter().collect();
        order.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        let mut cursor = Cursor { text, at: 0, number: 1 };
        let mut files = vec![None; self.files.len()];
        let place = |diagnostic: &'a Diagnostic| {
            cursor.advance(diagnostic.span.start);
            let line = cursor.line();
            let start = char_start(line, diagnostic.span.start.saturating_sub(cursor.at));
            let end = char_start(line, diagnostic.span.end.saturating_sub(cursor.at)).max(start);
            (self.place(line, cursor.number, (start, end), &mut files), diagnostic)
        };
        order.into_iter().map(place).collect()
    }

    /// The place of the bytes `marked` of `line`, which has that `number`. `files` are the lines of the files, once
    /// they were needed.
    fn place<'a>(
        &'a self,
        line: &'a str,
        number: usize,
        marked: (usize, usize),
        files: &mut [Option<Vec<&'a str>>],
    ) -> Place<'a> {
        let Some(&(at, there)) = self.lines.get(number - 1) else {
            let name = self.files.first().map_or("", |(name, _)| name);
            let file = if self.lost { Cow::Owned(format!("{name} (after m4)")) } else { Cow::Borrowed(name) };
            return Place::of(file, number, line, marked, None);
        };
        let (name, text) = &self.files[at as usize];
        let lines =
            files[at as usize].get_or_insert_with(|| text.as_deref().unwrap_or_default().lines().collect());
        let written = (there as usize).checked_sub(1).and_then(|there| lines.get(there)).copied();
        let file = Cow::Borrowed(name.as_str());
        match written {
            Some(written) if written != line => {
                let marked = found_again(line, marked, written);
                Place::of(file, there as usize, written, marked, Some(line))
            }
            _ => Place::of(file, there as usize, line, marked, None),
        }
    }
}

impl<'a> Place<'a> {
    fn of(
        file: Cow<'a, str>,
        line: usize,
        text: &'a str,
        marked: (usize, usize),
        expanded: Option<&'a str>,
    ) -> Place<'a> {
        let column = text[..marked.0].chars().count() + 1;
        let end_column = column + text[marked.0..marked.1].chars().count();
        Place { file, line, column, end_column, text, marked, expanded }
    }
}

/// The marked words of `line` in the line that it was made from; all of that one if they are not in it.
fn found_again(line: &str, marked: (usize, usize), written: &str) -> (usize, usize) {
    let words = &line[marked.0..marked.1];
    if written.get(marked.0..marked.1) == Some(words) {
        return marked;
    }
    match written.find(words) {
        Some(start) if !words.is_empty() => (start, start + words.len()),
        _ => (
            written.len() - written.trim_start().len(),
            written.trim_end().len().max(written.len() - written.trim_start().len()),
        ),
    }
}

/// `#line 12` or `#line 12 "file"`.
fn sync_line(line: &str) -> Option<(u32, Option<&str>)> {
    let rest = line.strip_prefix("#line ")?.trim_end_matches(['\n', '\r']);
    let (number, name) = rest.split_once(' ').map_or((rest, None), |(number, name)| (number, Some(name)));
    let name = match name {
        None => None,
        Some(name) => Some(name.strip_prefix('"')?.strip_suffix('"')?),
    };
    Some((number.parse().ok()?, name))
}

/// A physical line of the text: counted on from one diagnostic to the next, so a long file is read once.
struct Cursor<'a> {
    text: &'a str,
    /// Where the line begins.
    at: usize,
    number: usize,
}

impl<'a> Cursor<'a> {
    fn advance(&mut self, offset: usize) {
        let offset = char_start(self.text, offset);
        while let Some(newline) = self.text[self.at..offset.max(self.at)].find('\n') {
            self.at += newline + 1;
            self.number += 1;
        }
    }

    fn line(&self) -> &'a str {
        self.text[self.at..].lines().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{diagnostic, load};

    const SYNCED: &str = "#line 3 \"a.m4\"\nwatch g\n#line 1 \"inc\"\nservice s\n  foo\n#line 5 \"a.m4\"\n interval 5\n\
                          #line 6\n x\n#line 6\n y\n";

    #[test]
    fn places_are_those_of_the_files_that_m4_read() {
        let text = "watch g\nservice s\n  foo\n interval 5\n x\n y\n";
        let mut origins = Origins::synced("a.m4", text, SYNCED).unwrap();
        for (name, text) in origins.files_mut() {
            let file = if name == "inc" {
                "service s\n  foo\n"
            } else {
                "1\n2\nwatch g\ninclude(inc)\n interval BAD\nMACRO\n"
            };
            *text = Some(file.to_owned());
        }
        let (_, diagnostics) = load(text);
        let located = origins.locate(text, &diagnostics);
        let seen: Vec<String> = located
            .iter()
            .filter(|(_, diagnostic)| diagnostic.is_error())
            .map(|(place, _)| {
                format!("{}:{}:{} {}", place.file, place.line, place.column, place.expanded.unwrap_or("-"))
            })
            .collect();
        assert_eq!(seen, ["inc:2:3 -", "a.m4:5:2  interval 5", "a.m4:6:1  x", "a.m4:6:1  y"]);
        let rendered = diagnostic::render_at(&diagnostics, text, &origins);
        assert!(rendered.contains("  = after m4: interval 5\n"), "{rendered}");
    }

    #[test]
    fn output_that_differs_is_no_map() {
        assert!(Origins::synced("a", "x\ny\n", "#line 1 \"a\"\nx\ny\n").is_some());
        for synced in ["#line 1 \"a\"\nx\n", "x\ny\nz\n", "x\nz\n"] {
            assert!(Origins::synced("a", "x\ny\n", synced).is_none(), "{synced}");
        }
        // A comment of the file's own that looks like m4's.
        assert!(Origins::synced("a", "#line 7\nx\n", "#line 1 \"a\"\n#line 7\nx\n").is_none());
    }
}
