//! What a line of a mon.cf stands in: what may be written there.

use super::ast::{Kind, Statement};
use super::lines::Source;

/// What surrounds a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inside {
    /// Outside all records.
    #[default]
    Outside,
    /// Among the hosts of a hostgroup.
    Hostgroup,
    /// Among the lines of an alias.
    Alias,
    /// Among the members of a view.
    View,
    /// In a watch, before its first service.
    Watch,
    /// In a service, before its first period.
    Service,
    /// In a period.
    Period,
}

impl Inside {
    /// What surrounds the line after a statement that stands here.
    #[must_use]
    pub fn after(self, kind: Kind) -> Inside {
        match kind {
            Kind::Blank => Inside::Outside,
            Kind::Hostgroup => Inside::Hostgroup,
            Kind::Alias => Inside::Alias,
            Kind::View => Inside::View,
            Kind::Watch => Inside::Watch,
            Kind::Service => Inside::Service,
            Kind::Period if self != Inside::Watch => Inside::Period,
            _ => self,
        }
    }
}

/// The same with the names around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context<'s> {
    /// What surrounds the line.
    pub inside: Inside,
    /// The watch around it.
    pub group: Option<&'s str>,
    /// The service around it.
    pub service: Option<&'s str>,
}

impl<'s> Context<'s> {
    /// What surrounds the physical line of that number, from 1: what the lines before it have opened.
    #[must_use]
    pub fn of_line(source: &'s Source<'_>, statements: &[Statement], line: u32) -> Context<'s> {
        let mut found = Context::default();
        for statement in statements.iter().take_while(|statement| statement.line < line) {
            found.pass(source, statement);
        }
        found
    }

    /// Goes on to the line after `statement`.
    pub fn pass(&mut self, source: &'s Source<'_>, statement: &Statement) {
        let inside = self.inside.after(statement.kind);
        match statement.kind {
            Kind::Watch => (self.group, self.service) = (Some(source.slice(statement.name)), None),
            Kind::Service => self.service = Some(source.slice(statement.rest)),
            _ if !matches!(inside, Inside::Watch | Inside::Service | Inside::Period) => {
                (self.group, self.service) = (None, None);
            }
            _ => {}
        }
        self.inside = inside;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ast::Ast;
    use super::*;

    #[test]
    fn a_line_is_surrounded_by_what_is_open_before_it() {
        let text = "x = 1\nhostgroup g h\n  i\n\n\nwatch g\n  service s\n   monitor m\n   period\n    alert a\n\n z\n";
        let source = Source::new(text);
        let ast = Ast::of(&source);
        for (line, inside, group, service) in [
            ("x = 1", Inside::Outside, None, None),
            ("  i", Inside::Hostgroup, None, None),
            ("\nwatch", Inside::Outside, None, None),
            ("  service", Inside::Watch, Some("g"), None),
            ("   monitor", Inside::Service, Some("g"), Some("s")),
            ("   period", Inside::Service, Some("g"), Some("s")),
            ("    alert", Inside::Period, Some("g"), Some("s")),
            (" z", Inside::Outside, None, None),
        ] {
            let number = text[..text.find(line).unwrap()].matches('\n').count() as u32 + 1;
            let expect = Context { inside, group, service };
            assert_eq!(Context::of_line(&source, &ast.statements, number), expect, "{line:?}");
        }
    }
}
