//! Every place of a mon.cf where a group, service, alias, view or label is named: to go from one to the other,
//! and to rename.

use std::collections::BTreeSet;
use std::ops::Range;

use super::ast::{Kind, Span, Statement};
use super::context::Context;
use super::lines::Source;
use super::parse::{is_valid_name, period_label};
use super::values::words;
use crate::depend;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named<'s> {
    /// A hostgroup, and the watch of its name.
    Group(&'s str),
    /// A service of a group.
    Service(&'s str, &'s str),
    /// An alias.
    Alias(&'s str),
    /// A view.
    View(&'s str),
}

impl<'s> Named<'s> {
    /// The name itself.
    #[must_use]
    pub fn name(self) -> &'s str {
        match self {
            Named::Group(name) | Named::Service(_, name) | Named::Alias(name) | Named::View(name) => name,
        }
    }
}

/// What a place does with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A `hostgroup`, `service`, `alias` or `view` line.
    Defines,
    /// A `watch` line: it defines its group where there is no hostgroup.
    Watches,
    /// Anything else.
    Mentions,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence<'s> {
    /// What is named.
    pub named: Named<'s>,
    /// Whether it is defined here.
    pub role: Role,
    /// Byte range in the file.
    pub range: Range<usize>,
}

/// All names of a file in its order. `statements` are those of `source`. An alias is free text: there a name is only
/// what stands for a service that exists, `group:service`.
#[must_use]
pub fn occurrences<'s>(source: &'s Source<'_>, statements: &[Statement]) -> Vec<Occurrence<'s>> {
    let mut found = Finder { source, occurrences: Vec::new() };
    let mut around = Context::default();
    for statement in statements {
        found.statement(statement, &around);
        around.pass(source, statement);
    }
    let mut occurrences = found.occurrences;
    let texts = statements.iter().filter(|statement| statement.kind == Kind::AliasText);
    let mut told = Finder { source, occurrences: Vec::new() };
    texts.for_each(|statement| told.pairs(statement.rest, None));
    if !told.occurrences.is_empty() {
        let services: BTreeSet<Named<'_>> =
            occurrences.iter().filter(|found| found.role == Role::Defines).map(|found| found.named).collect();
        // Group and service in turn.
        let known = told.occurrences.chunks_exact(2).filter(|pair| services.contains(&pair[1].named));
        occurrences.extend(known.flatten().cloned());
        occurrences.sort_by_key(|found| found.range.start);
    }
    occurrences
}

struct Finder<'s, 't> {
    source: &'s Source<'t>,
    occurrences: Vec<Occurrence<'s>>,
}

impl<'s> Finder<'s, '_> {
    fn statement(&mut self, statement: &Statement, around: &Context<'s>) {
        let name = self.source.slice(statement.name);
        let rest = self.source.slice(statement.rest);
        match statement.kind {
            Kind::Hostgroup => self.add(Named::Group(name), Role::Defines, statement.name),
            Kind::Watch => self.add(Named::Group(name), Role::Watches, statement.name),
            Kind::Alias => self.add(Named::Alias(name), Role::Defines, statement.name),
            Kind::View => {
                self.add(Named::View(name), Role::Defines, statement.name);
                self.members(statement.rest);
            }
            Kind::Members => self.members(statement.rest),
            Kind::Service => {
                if let Some(group) = around.group.filter(|_| is_valid_name(rest)) {
                    self.add(Named::Service(group, rest), Role::Defines, statement.rest);
                }
            }
            Kind::Setting if is_dependency(name) => self.pairs(statement.rest, around.group),
            _ => {}
        }
    }

    fn add(&mut self, named: Named<'s>, role: Role, span: Span) {
        self.occurrences.push(Occurrence { named, role, range: self.source.in_file(span) });
    }

    /// `group:service` wherever it stands in the text; `SELF` is `own`.
    fn pairs(&mut self, span: Span, own: Option<&'s str>) {
        let text = self.source.slice(span);
        for (group, service) in depend::names_in(text) {
            self.pair(span, text, group, service, own);
        }
    }

    fn pair(&mut self, span: Span, text: &'s str, group: &'s str, service: &'s str, own: Option<&'s str>) {
        let place = |part: &str| {
            let at = part.as_ptr() as usize - text.as_ptr() as usize;
            span.part(at, at + part.len())
        };
        let meant = own.filter(|_| group == "SELF").unwrap_or(group);
        if meant == group {
            self.add(Named::Group(group), Role::Mentions, place(group));
        }
        self.add(Named::Service(meant, service), Role::Mentions, place(service));
    }

    fn members(&mut self, span: Span) {
        let text = self.source.slice(span);
        for word in words(text) {
            match word.split_once(':') {
                Some((group, service)) => self.pair(span, text, group, service, None),
                None => {
                    let at = word.as_ptr() as usize - text.as_ptr() as usize;
                    self.add(Named::Group(word), Role::Mentions, span.part(at, at + word.len()));
                }
            }
        }
    }
}

/// Whether the arguments of that keyword are a dependency expression.
#[must_use]
pub fn is_dependency(keyword: &str) -> bool {
    matches!(keyword, "depend" | "alertdepend" | "monitordepend" | "hostdepend")
}

/// Whether a group, service, alias or view may be called so.
#[must_use]
pub fn may_be_called(name: &str) -> bool {
    is_valid_name(name)
}

/// The label and the specification of a `period` line, of which `arguments` is what follows the keyword.
#[must_use]
pub fn label_and_spec(arguments: &str) -> (&str, &str) {
    period_label(arguments)
}

#[cfg(test)]
mod tests {
    use super::super::ast::Ast;
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let text = "hostgroup g h\n\nalias a\n see g:s, g and x:y\n\nview v g g:s\n other\n\nwatch g\n service s\n  depend \
                    SELF:t && \\\n   g:t || !other:u\n service t\n";
        let source = Source::new(text);
        let ast = Ast::of(&source);
        let found: Vec<String> = occurrences(&source, &ast.statements)
            .into_iter()
            .map(|Occurrence { named, role, range }| {
                assert_eq!(&text[range], named.name());
                format!("{named:?} {role:?}").replace('"', "")
            })
            .collect();
        assert_eq!(
            found,
            [
                "Group(g) Defines",
                "Alias(a) Defines",
                "Group(g) Mentions",
                "Service(g, s) Mentions",
                "View(v) Defines",
                "Group(g) Mentions",
                "Group(g) Mentions",
                "Service(g, s) Mentions",
                "Group(other) Mentions",
                "Group(g) Watches",
                "Service(g, s) Defines",
                "Service(g, t) Mentions",
                "Group(g) Mentions",
                "Service(g, t) Mentions",
                "Group(other) Mentions",
                "Service(other, u) Mentions",
                "Service(g, t) Defines",
            ]
        );
    }
}
