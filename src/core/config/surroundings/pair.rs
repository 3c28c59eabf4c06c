//! Two servers that watch each other: does each file say of the other what that one says of itself?

use super::super::ast::Kind;
use super::super::lint::At;
use super::super::model::{CommandLine, Config, Service, Watch};
use super::super::sink::Sink;
use super::super::suggest::nearest;
use super::super::values::words;
use super::{Peer, Seen, warning};

/// Lines of a service that asks other mon servers.
pub(super) fn line(at: &At<'_>, peer: &Peer, sink: &mut Sink<'_>) {
    let (Some((service, _)), Kind::Setting) = (at.service, at.statement.kind) else { return };
    if !asks_servers(service) {
        return;
    }
    match at.name() {
        "monitor" => excluded(at, peer, sink),
        name if name.ends_with("alert") => same_server(at, peer, sink),
        _ => {}
    }
}

/// Whether it runs remote.monitor.
pub(super) fn asks_servers(service: &Service) -> bool {
    service
        .monitor
        .as_ref()
        .is_some_and(|monitor| monitor.program().rsplit('/').next() == Some("remote.monitor"))
}

/// Services that ask other servers, with their groups.
fn watchers(config: &Config) -> impl Iterator<Item = (&Watch, &Service)> {
    let services =
        config.watches.iter().flat_map(|watch| watch.services.iter().map(move |service| (watch, &**service)));
    services.filter(|(_, service)| asks_servers(service))
}

/// What `--exclude` names.
fn exclusions(monitor: &CommandLine) -> Vec<String> {
    let all = crate::words::split(monitor.arguments()).unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = all.iter();
    while let Some(word) = rest.next() {
        let Some(option) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        if !name.is_empty() && "exclude".starts_with(name) {
            let value = value.map(str::to_owned).or_else(|| rest.next().cloned()).unwrap_or_default();
            found.extend(value.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    found
}

fn excluded(at: &At<'_>, peer: &Peer, sink: &mut Sink<'_>) {
    let Some(monitor) = at.service.and_then(|(service, _)| service.monitor.as_ref()) else { return };
    for name in exclusions(monitor).iter().filter(|name| !name.contains(['*', '?'])) {
        let (group, service) =
            name.split_once(':').map_or((&**name, None), |(group, service)| (group, Some(service)));
        let watch = peer.config.watches.iter().find(|watch| *watch.group == *group);
        let found = service.and_then(|service| watch?.services.iter().find(|known| *known.name == *service));
        let (code, message, label, help) = match (watch, service, found) {
            (None, ..) => {
                let near = nearest(group, peer.config.watches.iter().map(|watch| &*watch.group));
                let message = format!("{} has no watch `{group}`: nothing is excluded", peer.file);
                ("W044", message, "not there", near.map(|near| format!("did you mean `{near}`?")))
            }
            (Some(watch), Some(service), None) => {
                let near = nearest(service, watch.services.iter().map(|known| &*known.name));
                let message = format!(
                    "the watch `{group}` of {} has no service `{service}`: nothing is excluded",
                    peer.file
                );
                ("W044", message, "not there", near.map(|near| format!("did you mean `{group}:{near}`?")))
            }
            (Some(_), Some(_), Some(found)) if !asks_servers(found) => {
                let watcher = watchers(&peer.config).next();
                let message = format!(
                    "`{name}` of {} does not ask this server: its failures are then told by nobody here",
                    peer.file
                );
                let help = watcher
                    .map(|(watch, service)| format!("perhaps `--exclude {}:{}`", watch.group, service.name));
                ("W045", message, "not what watches this server", help)
            }
            _ => continue,
        };
        let text = at.rest();
        let place = text
            .find(&**name)
            .map_or(at.statement.rest, |start| at.statement.rest.part(start, start + name.len()));
        sink.warn(place, at.statement.line, warning(code, message, label).help(help));
    }
}

/// The servers that XMPP messages of this line go through, by their addresses after `-x`.
fn chat_servers(text: &str) -> impl Iterator<Item = &str> {
    let all: Vec<&str> = words(text).collect();
    let values: Vec<&str> = all.windows(2).filter(|pair| pair[0] == "-x").map(|pair| pair[1]).collect();
    values
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter_map(|address| address.split_once('@'))
        .map(|(_, host)| host)
}

fn same_server(at: &At<'_>, peer: &Peer, sink: &mut Sink<'_>) {
    let text = at.rest();
    let theirs = || {
        let services = watchers(&peer.config).flat_map(|(_, service)| &service.periods);
        services.flat_map(|period| &period.alerts).flat_map(|alert| chat_servers(&alert.command.text))
    };
    let Some(host) = chat_servers(text).find(|host| theirs().any(|other| other == *host)) else { return };
    let message =
        format!("both servers send their XMPP messages by `{host}`: when it is down, neither tells anybody");
    let complaint = warning("W046", message, "the same server")
        .help("let each of the two send by a server of its own".to_owned());
    let start = host.as_ptr() as usize - text.as_ptr() as usize;
    sink.warn(at.statement.rest.part(start, start + host.len()), at.statement.line, complaint);
}

/// What the two files have to have in common.
pub(super) fn whole(config: &Config, peer: &Peer, seen: &Seen, sink: &mut Sink<'_>) {
    let (ours, theirs): (Vec<_>, Vec<_>) = (watchers(config).collect(), watchers(&peer.config).collect());
    let (span, line) = match seen.watcher {
        Some(line) => (line.text, line.line),
        None => seen.place_of(&[]),
    };
    let mut complain = |message: String, label: &str, help: String| {
        sink.warn(span, line, warning("W045", message, label).help(help));
    };
    match (&ours[..], &theirs[..]) {
        ([], []) => complain(
            format!(
                "neither this file nor {} asks the other server: no service runs remote.monitor",
                peer.file
            ),
            "not a pair",
            "add a service with `monitor remote.monitor … ;;` to both; etc/pair has an example".to_owned(),
        ),
        ([], [(watch, service), ..]) => complain(
            format!(
                "{} asks this server ({}:{}), but this file does not ask that one",
                peer.file, watch.group, service.name
            ),
            "no remote.monitor here",
            "add a service with `monitor remote.monitor … ;;`".to_owned(),
        ),
        ([(watch, service), ..], []) => complain(
            format!(
                "{}:{} asks the other server, but {} does not ask this one",
                watch.group, service.name, peer.file
            ),
            "not answered",
            format!("add a service with `monitor remote.monitor … ;;` to {}", peer.file),
        ),
        (ours, [(watch, service), ..]) => {
            let excluded =
                ours.iter().filter_map(|(_, service)| service.monitor.as_ref()).flat_map(exclusions);
            // A name that leads nowhere has its own warning.
            if excluded.count() == 0 {
                complain(
                    format!(
                        "when this server fails, {} says so, and this one reports that as a failure of the other",
                        peer.file
                    ),
                    "excludes nothing",
                    format!(
                        "add `--exclude {}:{}` to the line that asks that server",
                        watch.group, service.name
                    ),
                );
            }
        }
    }
    if let ([(_, ours)], [(watch, theirs)]) = (&ours[..], &theirs[..])
        && ours.interval != theirs.interval
    {
        let time = |service: &Service| service.interval.map_or("no".to_owned(), |time| format!("{time}s"));
        complain(
            format!("{} asks every {}, this file every {}", peer.file, time(theirs), time(ours)),
            "not the same interval",
            format!("write the same `interval` here and in {}:{} of {}", watch.group, theirs.name, peer.file),
        );
    }
}
