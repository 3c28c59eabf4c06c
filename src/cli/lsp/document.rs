//! An open file: its text, and the way between bytes and the client's positions, which count UTF-16 units.

use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use remon_core::config::{self, Config, Diagnostic, Surroundings, look_around};
use remon_core::text::display;
use serde_json::{Value, json};

use super::rpc::Failure;
use crate::cli::fmt::macros;
use crate::daemon::load::check_text;
use crate::daemon::surroundings::around_here;

/// A file as the editor has it.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) path: PathBuf,
    /// Where each line begins.
    lines: Vec<usize>,
    version: Value,
    /// It is for another machine: what it names need not be on this one.
    elsewhere: bool,
    checked: Option<(Config, Vec<Diagnostic>)>,
    /// Diagnostics of this text have been published.
    pub(super) published: bool,
}

impl Document {
    pub(super) fn new(uri: &str, text: String, version: Value, elsewhere: bool) -> Document {
        let lines = line_starts(&text);
        Document { lines, text, path: path(uri), version, elsewhere, checked: None, published: false }
    }

    /// Takes a change of the text: of a range, or all of it.
    pub(super) fn change(&mut self, change: &Value) -> Result<(), Failure> {
        let new = change["text"].as_str().ok_or_else(|| Failure::params("text"))?;
        if change["range"].is_null() {
            self.text = new.to_owned();
        } else {
            let range = self.range_of(&change["range"])?;
            self.text.replace_range(range, new);
        }
        self.lines = line_starts(&self.text);
        (self.checked, self.published) = (None, false);
        Ok(())
    }

    pub(super) fn set_version(&mut self, version: Value) {
        self.version = version;
    }

    pub(super) fn version(&self) -> &Value {
        &self.version
    }

    /// Macros are in it: what mon reads is not this text. The macros could run programs, so m4 is not asked.
    pub(super) fn uses_m4(&self) -> bool {
        macros(&self.text, &self.path).is_some()
    }

    /// Finds out what the text says and what is wrong with it, as `mon check` does.
    pub(super) fn checked(&mut self) {
        if self.checked.is_none() {
            let (config, mut diagnostics) =
                if self.elsewhere { config::load(&self.text) } else { check_text(&self.text) };
            let nothing = Surroundings::default();
            let seen = if self.elsewhere { nothing } else { around_here(&config, nothing) };
            diagnostics.extend(look_around(&self.text, &config, &seen));
            self.checked = Some((config, if self.uses_m4() { Vec::new() } else { diagnostics }));
        }
    }

    /// What is wrong with the text, once it has been [`Document::checked`].
    pub(super) fn diagnostics(&self) -> &[Diagnostic] {
        self.checked.as_ref().map_or(&[], |(_, diagnostics)| diagnostics)
    }

    /// What the text says, once it has been [`Document::checked`].
    pub(super) fn config(&self) -> Option<&Config> {
        self.checked.as_ref().map(|(config, _)| config)
    }

    /// A diagnostic as the protocol has it.
    pub(super) fn shown(&self, diagnostic: &Diagnostic) -> Value {
        let Diagnostic { span, code, message, label, help, .. } = diagnostic;
        let label = if label.is_empty() { String::new() } else { format!(" ({label})") };
        let help = help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        json!({
            "range": self.range(span),
            "severity": if diagnostic.is_error() { 1 } else { 2 },
            "code": code,
            "source": "mon",
            "message": display(&format!("{message}{label}{help}")),
        })
    }

    /// The byte at a client's position; what is beyond a line is its end.
    pub(super) fn offset(&self, position: &Value) -> Result<usize, Failure> {
        let number = |name: &str| {
            let number = position[name].as_u64().ok_or_else(|| Failure::params("position"))?;
            Ok(usize::try_from(number).unwrap_or(usize::MAX))
        };
        let (line, character) = (number("line")?, number("character")?);
        let Some(&start) = self.lines.get(line) else { return Ok(self.text.len()) };
        let mut units = 0;
        for (at, c) in self.line(start).char_indices() {
            // A position inside a character is that of the character.
            if units + c.len_utf16() > character {
                return Ok(start + at);
            }
            units += c.len_utf16();
        }
        Ok(start + self.line(start).len())
    }

    pub(super) fn range_of(&self, range: &Value) -> Result<Range<usize>, Failure> {
        let (start, end) = (self.offset(&range["start"])?, self.offset(&range["end"])?);
        Ok(start.min(end)..end.max(start))
    }

    /// The client's position of a byte.
    pub(super) fn position(&self, offset: usize) -> Value {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let before = &self.text[self.lines[line]..offset];
        json!({"line": line, "character": before.chars().map(char::len_utf16).sum::<usize>()})
    }

    pub(super) fn range(&self, range: &Range<usize>) -> Value {
        json!({"start": self.position(range.start), "end": self.position(range.end.max(range.start))})
    }

    /// The number of the line, from 0, that byte is in.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset) - 1
    }

    /// Where a line begins, counted from 0.
    pub(super) fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line that begins there, without its end.
    fn line(&self, start: usize) -> &str {
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        line.strip_suffix('\r').unwrap_or(line)
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The file that `file://…` names, with its `%20` undone; whatever else a client may call it is a name as well.
fn path(uri: &str) -> PathBuf {
    let encoded = uri.strip_prefix("file://").unwrap_or(uri);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, more @ ..] = rest {
        let escaped = more
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &more[2..] } else { more };
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("file:///etc/mon/m%20%C3%A9.cf", text.to_owned(), json!(1), true)
    }

    #[test]
    fn positions_count_utf16_units() {
        let text = "a\u{e9}\u{1f6ce}b\r\n\n\u{20ac}";
        let document = document(text);
        assert_eq!(document.path.to_str(), Some("/etc/mon/m \u{e9}.cf"));
        for (needle, line, character) in [
            ("a", 0, 0),
            ("\u{e9}", 0, 1),
            ("\u{1f6ce}", 0, 2),
            ("b", 0, 4),
            ("\r", 0, 5),
            ("\u{20ac}", 2, 0),
        ] {
            let (offset, position) =
                (text.find(needle).unwrap(), json!({"line": line, "character": character}));
            assert_eq!(document.position(offset), position, "{needle:?}");
            assert_eq!(document.offset(&position).unwrap(), offset, "{needle:?}");
        }
        let at = |line: u64, character: u64| {
            document.offset(&json!({"line": line, "character": character})).unwrap()
        };
        assert_eq!(at(0, 3), text.find('\u{1f6ce}').unwrap(), "inside a surrogate pair");
        assert_eq!(at(0, 99), text.find('\r').unwrap());
        assert_eq!((at(9, 0), at(2, 5)), (text.len(), text.len()));
        assert!(document.offset(&json!({"line": -1})).is_err());
    }

    #[test]
    fn changes_of_ranges_and_of_all_give_the_same_text() {
        let mut document = document("one\ntw\u{1f6ce}o\n");
        let range = json!({"start": {"line": 1, "character": 2}, "end": {"line": 1, "character": 4}});
        document.change(&json!({"range": range, "text": "x\ny"})).unwrap();
        assert_eq!(document.text, "one\ntwx\nyo\n");
        assert_eq!(document.position(8), json!({"line": 2, "character": 0}));
        document.change(&json!({"text": ""})).unwrap();
        assert_eq!(document.position(0), json!({"line": 0, "character": 0}));
        assert!(document.change(&json!({"range": 1, "text": ""})).is_err());
    }
}
