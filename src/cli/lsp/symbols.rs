//! The outline of a file: records, the services of a watch, their periods.

use remon_core::config::ast::{Ast, Kind, Span, Statement};
use remon_core::config::lines::Source;
use serde_json::{Value, json};

use super::document::Document;

/// Kinds of the protocol that come nearest.
const NAMESPACE: u8 = 3;
const CLASS: u8 = 5;
const METHOD: u8 = 6;
const VARIABLE: u8 = 13;
const STRING: u8 = 15;
const ARRAY: u8 = 18;
const EVENT: u8 = 24;

/// A thing of the outline that may still grow.
struct Open {
    level: usize,
    name: String,
    detail: &'static str,
    kind: u8,
    chosen: std::ops::Range<usize>,
    start: usize,
    end: usize,
    children: Vec<Value>,
}

pub(super) fn symbols(document: &Document) -> Value {
    let source = Source::new(&document.text);
    let mut outline = Outline { document, done: Vec::new(), open: Vec::new() };
    for statement in &Ast::of(&source).statements {
        outline.statement(&source, statement);
    }
    outline.close(0);
    outline.done.into()
}

struct Outline<'d> {
    document: &'d Document,
    done: Vec<Value>,
    /// From the record down to the period.
    open: Vec<Open>,
}

impl Outline<'_> {
    fn statement(&mut self, source: &Source<'_>, statement: &Statement) {
        let Statement { name, rest, .. } = *statement;
        match statement.kind {
            Kind::Blank => self.close(0),
            Kind::Global => self.begin(source, statement, (usize::MAX, VARIABLE, ""), name),
            Kind::Hostgroup => self.begin(source, statement, (0, ARRAY, "hostgroup"), name),
            Kind::Alias => self.begin(source, statement, (0, STRING, "alias"), name),
            Kind::View => self.begin(source, statement, (0, NAMESPACE, "view"), name),
            Kind::Watch => self.begin(source, statement, (0, CLASS, "watch"), name),
            Kind::Service => self.begin(source, statement, (1, METHOD, "service"), rest),
            Kind::Period if rest.is_empty() => self.begin(source, statement, (2, EVENT, ""), name),
            Kind::Period => self.begin(source, statement, (2, EVENT, "period"), rest),
            Kind::Comment | Kind::Ignored | Kind::Unfinished => {}
            _ => self.grow(source.in_file(statement.text).end),
        }
    }

    fn begin(&mut self, source: &Source<'_>, at: &Statement, what: (usize, u8, &'static str), name: Span) {
        let (level, kind, detail) = what;
        let (text, chosen) = (source.in_file(at.text), source.in_file(name));
        if level != usize::MAX {
            self.close(level);
        }
        self.grow(text.end);
        // A client must not be given an empty name.
        let name = Some(source.slice(name)).filter(|name| !name.is_empty()).unwrap_or("?").to_owned();
        let chosen = if chosen.is_empty() { text.clone() } else { chosen };
        let new = Open {
            level,
            name,
            detail,
            kind,
            chosen,
            start: text.start,
            end: text.end,
            children: Vec::new(),
        };
        if level == usize::MAX {
            // A global is complete, and does not end the record that it stands in.
            let symbol = self.symbol(new);
            self.add(symbol, 0);
        } else {
            self.open.push(new);
        }
    }

    /// Everything open goes on at least to there.
    fn grow(&mut self, end: usize) {
        self.open.iter_mut().for_each(|open| open.end = open.end.max(end));
    }

    /// Ends what is open at that level and below.
    fn close(&mut self, level: usize) {
        while let Some(open) = self.open.pop_if(|open| open.level >= level) {
            let symbol = self.symbol(open);
            let depth = self.open.len();
            self.add(symbol, depth);
        }
    }

    fn add(&mut self, symbol: Value, depth: usize) {
        match depth.checked_sub(1).and_then(|parent| self.open.get_mut(parent)) {
            Some(parent) => parent.children.push(symbol),
            None => self.done.push(symbol),
        }
    }

    fn symbol(&self, open: Open) -> Value {
        let Open { name, detail, kind, chosen, start, end, children, .. } = open;
        json!({
            "name": name,
            "detail": detail,
            "kind": kind,
            "range": self.document.range(&(start..end)),
            "selectionRange": self.document.range(&chosen),
            "children": children,
        })
    }
}
