//! Where in a mon.cf a line stands: what may be written there.

use super::ast::{Kind, Statement};
use super::lines::Source;

/// What surrounds a line; names are places in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
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

impl Place {
    /// The place after a statement that stands here.
    #[must_use]
    pub fn after(self, kind: Kind) -> Place {
        match kind {
            Kind::Blank => Place::Outside,
            Kind::Hostgroup => Place::Hostgroup,
            Kind::Alias => Place::Alias,
            Kind::View => Place::View,
            Kind::Watch => Place::Watch,
            Kind::Service => Place::Service,
            Kind::Period if self != Place::Watch => Place::Period,
            _ => self,
        }
    }
}

/// The place of a line, with the names around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surroundings<'s> {
    /// What surrounds the line.
    pub place: Place,
    /// The watch around it.
    pub group: Option<&'s str>,
    /// The service around it.
    pub service: Option<&'s str>,
}

impl<'s> Surroundings<'s> {
    /// What surrounds the physical line of that number, from 1: what the lines before it have opened.
    #[must_use]
    pub fn of_line(source: &'s Source<'_>, statements: &[Statement], line: u32) -> Surroundings<'s> {
        let mut found = Surroundings::default();
        for statement in statements.iter().take_while(|statement| statement.line < line) {
            found.pass(source, statement);
        }
        found
    }

    /// Goes on to the line after `statement`.
    pub fn pass(&mut self, source: &'s Source<'_>, statement: &Statement) {
        let place = self.place.after(statement.kind);
        match statement.kind {
            Kind::Watch => (self.group, self.service) = (Some(source.slice(statement.name)), None),
            Kind::Service => self.service = Some(source.slice(statement.rest)),
            _ if !matches!(place, Place::Watch | Place::Service | Place::Period) => {
                (self.group, self.service) = (None, None);
            }
            _ => {}
        }
        self.place = place;
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
        for (line, place, group, service) in [
            ("x = 1", Place::Outside, None, None),
            ("  i", Place::Hostgroup, None, None),
            ("\nwatch", Place::Outside, None, None),
            ("  service", Place::Watch, Some("g"), None),
            ("   monitor", Place::Service, Some("g"), Some("s")),
            ("   period", Place::Service, Some("g"), Some("s")),
            ("    alert", Place::Period, Some("g"), Some("s")),
            (" z", Place::Outside, None, None),
        ] {
            let number = text[..text.find(line).unwrap()].matches('\n').count() as u32 + 1;
            let expect = Surroundings { place, group, service };
            assert_eq!(Surroundings::of_line(&source, &ast.statements, number), expect, "{line:?}");
        }
    }
}
