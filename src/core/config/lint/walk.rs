//! A second way through the lines of a file, beside the configuration that they became.

use super::super::ast::{Kind, Statement};
use super::super::lines::Source;
use super::super::model::{Config, Service, Watch};
use super::super::parse::Statements;

/// Where the way has come to.
pub(in super::super) struct At<'w> {
    pub(in super::super) source: &'w Source<'w>,
    pub(in super::super) statement: Statement,
    /// The watch that the line is in.
    pub(in super::super) watch: Option<&'w Watch>,
    /// The service that the line is in, and its places in the lists of the configuration.
    pub(in super::super) service: Option<(&'w Service, (usize, usize))>,
    /// What the last hostgroup, view or alias is called.
    pub(in super::super) record: &'w str,
}

impl<'w> At<'w> {
    /// The keyword of a line of a service, the name of a record.
    pub(in super::super) fn name(&self) -> &'w str {
        self.source.slice(self.statement.name)
    }

    /// What follows it.
    pub(in super::super) fn rest(&self) -> &'w str {
        self.source.slice(self.statement.rest)
    }
}

/// Calls `visit` with each line. Watches and services are entered in the order of the file, those that are errors
/// too, so counting finds them again.
pub(in super::super) fn walk<'w>(source: &'w Source<'w>, config: &'w Config, mut visit: impl FnMut(&At<'w>)) {
    let mut watches = 0;
    let mut services: Option<usize> = None;
    let mut in_watch = false;
    let mut record = "";
    for statement in Statements::of(source) {
        match statement.kind {
            Kind::Watch | Kind::Blank | Kind::Hostgroup | Kind::Alias | Kind::View => {
                watches += usize::from(services.take().is_some());
                in_watch = statement.kind == Kind::Watch;
                record = source.slice(statement.name);
            }
            Kind::Service if in_watch => services = Some(services.map_or(0, |count| count + 1)),
            _ => {}
        }
        let watch = services.and_then(|_| config.watches.get(watches));
        let service = services
            .zip(watch)
            .and_then(|(index, watch)| Some((&**watch.services.get(index)?, (watches, index))));
        visit(&At { source, statement, watch, service, record });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_finds_its_service() {
        let text = "watch a\nbad line\n\nwatch b\nservice one\ninterval 1m\nservice /\n\nlost\nwatch c\nservice two\n\
                    monitor x\nhostgroup h y\nwatch d\n\nwatch b\nservice three\nperiod\n";
        let (config, _) = super::super::super::load(text);
        let source = Source::new(text);
        let mut seen = Vec::new();
        walk(&source, &config, |at| {
            let service = at.service.map_or("-", |(service, _)| &*service.name);
            seen.push(format!("{} {service}", at.watch.map_or("-", |watch| &*watch.group)));
        });
        let expect = [
            "- -", "- -", "- -", "- -", "b one", "b one", "b /", "- -", "- -", "- -", "c two", "c two",
            "- -", "- -", "- -", "- -", "b three", "b three",
        ];
        assert_eq!(seen, expect);
    }
}
