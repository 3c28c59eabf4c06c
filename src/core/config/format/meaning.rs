//! Do two texts say the same? The proof that laying out changed nothing.

use crate::config::ast::{Kind, Statement};
use crate::config::lines::Source;
use crate::config::model::{Config, Depends, RuleLines, Service};
use crate::config::parse::Statements;
use crate::config::{Diagnostic, load};
use crate::timeval::is_blank;

/// Whether `new` says what `old` does, whose configuration is `config`; if not, what differs.
pub(super) fn same(old: &str, config: Config, new: &str) -> Result<(), &'static str> {
    same_statements(old, new)?;
    if !comments(old).eq(comments(new)) {
        return Err("a comment would change");
    }
    let (again, diagnostics) = load(new);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err("the result would have errors");
    }
    if without_places(config) != without_places(again) {
        return Err("the configuration would change");
    }
    Ok(())
}

fn same_statements(old: &str, new: &str) -> Result<(), &'static str> {
    let (old, new) = (Source::new(old), Source::new(new));
    let (mut left, mut right) = (statements(&old), statements(&new));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ok(()),
            (Some(left), Some(right)) if left.kind != right.kind => {
                return Err("a line would belong to something else");
            }
            (Some(left), Some(right))
                if old.slice(left.name) == new.slice(right.name)
                    && old.slice(left.rest) == new.slice(right.rest) => {}
            _ => return Err("a line would change"),
        }
    }
}

/// All but blank lines: whether these still mean the same shows in the kinds of the others.
fn statements<'s>(source: &'s Source<'s>) -> impl Iterator<Item = Statement> {
    Statements::of(source).filter(|statement| statement.kind != Kind::Blank)
}

/// Comments inside continued lines too, which are no statements.
fn comments(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_matches(is_blank)).filter(|line| line.starts_with('#'))
}

/// The configuration with nothing in it that tells where it was read.
fn without_places(mut config: Config) -> Config {
    let globals = &mut config.globals;
    for located in [&mut globals.authfile, &mut globals.userfile].into_iter().flatten() {
        (located.span, located.line) = ((0, 0), 0);
    }
    let services = config.watches.iter_mut().flat_map(|watch| &mut watch.services);
    services.for_each(|service| forget_lines(service));
    config
}

fn forget_lines(service: &mut Service) {
    service.line = 0;
    for command in [&mut service.monitor, &mut service.redistribute].into_iter().flatten() {
        command.line = 0;
    }
    if let Some(depends) = service.depends.as_deref_mut() {
        let Depends { depend, alertdepend, monitordepend, hostdepend } = depends;
        for dependency in [depend, alertdepend, monitordepend, hostdepend].into_iter().flatten() {
            dependency.line = 0;
        }
    }
    for period in &mut service.periods {
        period.line = 0;
        period.rule_lines = RuleLines::default();
        period.alertevery.iter_mut().for_each(|every| every.line = 0);
        period.alerts.iter_mut().for_each(|alert| alert.command.line = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::same;
    use crate::config::load;

    #[test]
    fn every_difference_in_meaning_is_noticed() {
        let text = "hostgroup a h1\n\nwatch a\n# c\n    service s\n        interval 1m\n        monitor m\n";
        let prove = |new: &str| same(text, load(text).0, new);
        assert_eq!(prove(text), Ok(()));
        assert_eq!(prove(&text.replace("    ", "\t").replace("\n\n", "\n\n\n")), Ok(()));
        for (from, to) in [
            ("\n\nwatch", "\nwatch"),
            ("watch a\n", "watch a\n\n"),
            ("1m", "2m"),
            ("1m", "1m "),
            ("# c", "# d"),
            ("# c\n", ""),
            ("monitor m\n", "monitor m\n\nwatch b\n"),
        ] {
            let new = text.replace(from, to);
            assert_ne!(new, text);
            assert_eq!(prove(&new).is_err(), to != "1m ", "{from:?} to {to:?}");
        }
    }
}
