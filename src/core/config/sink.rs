//! Where diagnostics are collected while a file is read.

use super::ast::Span;
use super::diagnostic::{Diagnostic, Severity};
use super::lines::Source;

/// More of either severity help nobody and would let a wrong file of a gigabyte fill the memory.
const MOST: usize = 10_000;

/// Collects diagnostics; never stops at the first.
#[derive(Debug)]
pub(super) struct Sink<'s> {
    source: &'s Source<'s>,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// What is wrong, without the place.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    /// `E…` or `W…`.
    pub(super) code: &'static str,
    /// The original's words without `cf error: ` and the line number; for a warning its whole line on stderr.
    pub(super) legacy: Option<String>,
    /// See [`Diagnostic::message`].
    pub(super) message: String,
    /// See [`Diagnostic::label`].
    pub(super) label: String,
    /// See [`Diagnostic::help`].
    pub(super) help: Option<String>,
}

impl<'s> Sink<'s> {
    pub(super) fn new(source: &'s Source<'s>) -> Sink<'s> {
        Sink { source, diagnostics: Vec::new(), errors: 0, warnings: 0 }
    }

    /// Takes an error at `span` in the logical line that ends at `line`.
    pub(super) fn error(&mut self, span: Span, line: u32, complaint: Complaint) {
        self.errors += 1;
        if self.errors <= MOST {
            let legacy = complaint.legacy.as_deref().unwrap_or_default();
            let legacy = Some(format!("cf error: {legacy}, line {line}"));
            self.push(Severity::Error, span, line, Complaint { legacy, ..complaint });
        }
    }

    /// Whether another error, or another warning, would only be counted.
    pub(super) fn is_full(&self, severity: Severity) -> bool {
        let count = if severity == Severity::Error { self.errors } else { self.warnings };
        count >= MOST
    }

    /// Takes a warning.
    pub(super) fn warn(&mut self, span: Span, line: u32, complaint: Complaint) {
        self.warnings += 1;
        if self.warnings <= MOST {
            self.push(Severity::Warning, span, line, complaint);
        }
    }

    fn push(&mut self, severity: Severity, span: Span, line: u32, complaint: Complaint) {
        let Complaint { code, legacy, message, label, help } = complaint;
        let span = self.source.in_file(span);
        self.diagnostics.push(Diagnostic { severity, code, span, line, legacy, message, label, help });
    }

    /// All of them in the order of the file.
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        self.diagnostics
    }
}
