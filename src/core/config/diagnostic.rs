//! What is wrong with a mon.cf, said to the operator.

use std::fmt::Write as _;
use std::ops::Range;

use super::lines::char_start;
use super::model::Located;
use super::origin::{Origins, Place};
use crate::text;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used: the original refuses it too.
    Error,
    /// The file can be used, but perhaps does not mean what its author meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// `E…` for errors, `W…` for warnings; never reused for another meaning.
    pub code: &'static str,
    /// The words in question: byte range in the text of the file.
    pub span: Range<usize>,
    /// Number of the last physical line read, which is the number that the original prints.
    pub line: u32,
    /// What the original prints: `cf error: …, line N` for errors, a line on stderr for two of the warnings.
    pub legacy: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What is wrong with the marked words, in few words; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Whether the file cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Option<String>>) -> Diagnostic {
        self.help = help.into();
        self
    }
}

/// The complaint about a file that `global` (`authfile` or `userfile`) names and that cannot be read; whether
/// it can is for the shell to find out.
#[must_use]
pub fn unreadable_file(located: &Located, global: &str) -> Diagnostic {
    let Located { value, span, line } = located;
    Diagnostic {
        severity: Severity::Error,
        code: "E007",
        span: span.0 as usize..span.1 as usize,
        line: *line,
        legacy: Some(format!("cf error: {global} '{value}' does not exist or is not readable, line {line}")),
        message: format!("the {global} `{value}` does not exist or is not readable"),
        label: "no such file, or no permission to read it".to_owned(),
        help: Some("the path is taken from the working directory unless it begins with `/`".to_owned()),
    }
}

/// The first error in the order of the file: the one that the original would stop at.
#[must_use]
pub fn first_error(diagnostics: &[Diagnostic]) -> Option<&Diagnostic> {
    diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).min_by_key(|diagnostic| diagnostic.line)
}

/// All diagnostics, one paragraph each: place and message, the line with the words underlined, help.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file_name: &str, source: &str) -> String {
    render_at(diagnostics, source, &Origins::of(file_name))
}

/// The same for a text that may have come from several files.
#[must_use]
pub fn render_at(diagnostics: &[Diagnostic], text: &str, origins: &Origins) -> String {
    let mut out = String::new();
    for (place, diagnostic) in origins.locate(text, diagnostics) {
        paragraph(&mut out, diagnostic, &place);
    }
    out
}

/// One line each, as editors read it: `file:line:column: severity: text`.
#[must_use]
pub fn render_short(diagnostics: &[Diagnostic], text: &str, origins: &Origins) -> String {
    let mut out = String::new();
    for (place, diagnostic) in origins.locate(text, diagnostics) {
        let Place { file, line, column, .. } = place;
        let Diagnostic { severity, code, message, .. } = diagnostic;
        let _ = writeln!(out, "{file}:{line}:{column}: {}: {} [{code}]", severity.word(), shown(message));
    }
    out
}

/// `2 errors, 1 warning`
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    counts(errors, diagnostics.len() - errors)
}

/// The same of numbers.
#[must_use]
pub fn counts(errors: usize, warnings: usize) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
}

fn paragraph(out: &mut String, diagnostic: &Diagnostic, place: &Place<'_>) {
    let Diagnostic { severity, code, message, label, help, .. } = diagnostic;
    let Place { file, line: number, column, text, marked, .. } = place;
    let (line, start, end) = excerpt(text, marked.0, marked.1);
    let word = severity.word();
    let gutter = " ".repeat(number.to_string().len());
    let marks = "^".repeat(line[start..end].trim_end().chars().count().max(1));
    let _ = writeln!(out, "{file}:{number}:{column}: {word}[{code}]: {}", shown(message));
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {}", shown(line).trim_end());
    let _ = writeln!(
        out,
        "{}",
        format!("{gutter} | {}{marks} {}", indent(&line[..start]), shown(label)).trim_end()
    );
    if let Some(expanded) = place.expanded {
        let _ = writeln!(out, "{gutter} = after m4: {}", shown(expanded.trim()));
    }
    if let Some(help) = help {
        let _ = writeln!(out, "{gutter} = help: {}", shown(help));
    }
    out.push('\n');
}

/// The part of a very long line around the words from `start` to `end`, and where they are in it.
fn excerpt(line: &str, start: usize, end: usize) -> (&str, usize, usize) {
    const BEFORE: usize = 100;
    const ALL: usize = 400;
    if line.len() <= ALL {
        return (line, start, end);
    }
    let from = char_start(line, start.saturating_sub(BEFORE));
    let to = char_start(line, from + ALL);
    (&line[from..to], start - from, end.min(to) - from)
}

/// Blanks as wide as `before`, whatever the width of a tab is.
fn indent(before: &str) -> String {
    before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

/// The text without what could disturb a terminal, and not endless.
#[must_use]
pub fn shown(message: &str) -> String {
    const MOST: usize = 500;
    let message = &message[..char_start(message, MOST)];
    let printable = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    text::display(message).chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(span: Range<usize>, label: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "E016",
            span,
            line: 1,
            legacy: None,
            message: "not a time".to_owned(),
            label: label.to_owned(),
            help: None,
        }
    }

    #[test]
    fn the_caret_stands_under_the_words_behind_tabs_and_wide_letters() {
        let text = "x\n\tinterval \u{e9}5 # y\n";
        let at = text.find('\u{e9}').unwrap();
        let expect =
            "f:2:11: error[E016]: not a time\n  |\n2 | \tinterval \u{e9}5 # y\n  | \t         ^^ here\n\n";
        assert_eq!(render(&[sample(at..at + 3, "here")], "f", text), expect);
    }

    #[test]
    fn any_place_can_be_rendered() {
        let text = "a\u{20ac}\n\nb";
        for start in 0..text.len() + 3 {
            for end in start..text.len() + 3 {
                assert!(render(&[sample(start..end, "")], "f", text).starts_with("f:"));
            }
        }
    }

    #[test]
    fn counts_are_english() {
        assert_eq!(summary(&[]), "0 errors, 0 warnings");
        assert_eq!(summary(&[sample(0..0, "")]), "1 error, 0 warnings");
    }
}
