//! Dependencies that are known too late.

use std::collections::BTreeMap;

use super::super::ast::Kind;
use super::super::lines::Source;
use super::super::model::{Config, Service};
use super::super::sink::Sink;
use super::cycle::expressions;
use super::service::find;
use super::walk::walk;
use super::warning;

/// How many times as often a service may be looked at as what it depends on.
const FASTER: u32 = 5;

/// A service that fails because of another is told on its own while that one is still believed to be well.
pub(super) fn check(source: &Source<'_>, config: &Config, sink: &mut Sink<'_>) {
    let services = || {
        config.watches.iter().flat_map(|watch| watch.services.iter().map(move |service| (watch, &**service)))
    };
    if services().all(|(_, service)| service.depends.is_none()) {
        return;
    }
    let known: BTreeMap<(&str, &str), &Service> =
        services().map(|(watch, service)| ((&*watch.group, &*service.name), service)).collect();
    walk(source, config, |at| {
        let (Some((service, _)), Kind::Setting) = (at.service, at.statement.kind) else { return };
        if !at.name().ends_with("depend") {
            return;
        }
        let Some(interval) = service.interval else { return };
        let needed = expressions(service).flat_map(|expr| expr.services());
        let slow = needed.filter_map(|name| Some((name, known.get(&name)?.interval?)));
        let limit = interval.duration().saturating_mul(FASTER);
        for ((group, name), theirs) in slow.filter(|(_, theirs)| theirs.duration() >= limit) {
            let text = source.slice(at.statement.rest);
            let names = [format!("{group}:{name}"), format!("SELF:{name}")];
            let Some(written) = names.iter().find(|name| text.contains(name.as_str())) else { continue };
            let message = format!(
                "`{group}:{name}` is looked at every {theirs}s, this service every {interval}s: it fails long before what it depends on is known to fail"
            );
            let complaint = warning("W061", message, "known too late")
                .help("look at what others depend on at least as often as at them".to_owned());
            sink.warn(find(source, at.statement.rest, written), at.statement.line, complaint);
        }
    });
}
