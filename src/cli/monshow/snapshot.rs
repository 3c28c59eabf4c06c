//! What the server says, fetched once and held still.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use remon_core::nouns::Wall;
use remon_core::wire::client::{Client, ClientError};
use remon_core::wire::opstatus::StatusLine;
use remon_core::wire::quote;

use super::rcfile::Selector;

/// Group and service.
pub(super) type Key = (String, String);

/// Everything a page needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// `None` while the scheduler runs, else since when it does not.
    pub(super) stopped_since: Option<Wall>,
    pub(super) disabled: Disabled,
    /// The services asked for.
    pub(super) services: BTreeMap<Key, StatusLine>,
    /// The order of the rows, if one was asked for.
    pub(super) order: Option<Vec<Key>>,
    pub(super) descriptions: BTreeMap<Key, String>,
    /// The hosts of the group whose detail is shown.
    pub(super) hosts: Vec<String>,
    /// How the alerts of that service fared; empty for a server that does not know.
    pub(super) deliveries: Vec<StatusLine>,
}

/// What an operator has disabled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Disabled {
    pub(super) watches: BTreeSet<String>,
    pub(super) services: BTreeSet<Key>,
    pub(super) hosts: BTreeMap<String, Vec<String>>,
}

/// Asks all questions, in the order of the original.
pub(super) fn fetch<S: BufRead + Write>(
    client: &mut Client<S>,
    selection: &[Selector],
    detail: Option<&Key>,
) -> Result<Snapshot, String> {
    let mut ask = |command: &str, what: &str| client.ask(command).map_err(|error| complaint(what, &error));
    let disabled = disabled(&ask("list disabled", "could not get disabled")?);
    let stopped_since = stopped_since(&ask("list state", "could not get state")?);
    let watches = ask("list watch", "could not get opstatus")?;
    let order = if selection.is_empty() { None } else { Some(expand(selection, &watches)?) };
    let opstatus = match &order {
        None => "list opstatus".to_owned(),
        Some(keys) => keys.iter().fold("list opstatus".to_owned(), |line, (g, s)| format!("{line} {g},{s}")),
    };
    let services = ask(&opstatus, "could not get opstatus")?;
    let services = services.iter().filter_map(|line| StatusLine::parse(line));
    let services: BTreeMap<Key, _> =
        services.map(|status| (key(status.group(), status.service()), status)).collect();
    let descriptions = descriptions(&ask("list descriptions", "could not list descriptions")?);
    // A group that is not there is told of later, when the page looks for the service.
    let (hosts, deliveries) = match detail.filter(|key| services.contains_key(*key)) {
        Some(key) => {
            let hosts = hosts(&ask(&format!("list group {}", key.0), "could not list group")?);
            (hosts, deliveries(client, key)?)
        }
        None => (Vec::new(), Vec::new()),
    };
    Ok(Snapshot { stopped_since, disabled, services, order, descriptions, hosts, deliveries })
}

/// A server that does not know the command has nothing to tell.
fn deliveries<S: BufRead + Write>(client: &mut Client<S>, key: &Key) -> Result<Vec<StatusLine>, String> {
    match client.ask(&format!("list deliveries {} {}", key.0, key.1)) {
        Ok(lines) => Ok(lines.iter().filter_map(|line| StatusLine::parse(line)).collect()),
        Err(ClientError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(complaint("could not list deliveries", &error)),
    }
}

fn complaint(what: &str, error: &ClientError) -> String {
    format!("{what}: {error}")
}

fn key(group: &str, service: &str) -> Key {
    (group.to_owned(), service.to_owned())
}

fn stopped_since(lines: &[String]) -> Option<Wall> {
    lines
        .iter()
        .find_map(|line| line.strip_prefix("scheduler stopped since ")?.split(' ').next()?.parse().ok())
}

/// `group G: h1 h2`, `watch G service S`, `watch G`.
fn disabled(lines: &[String]) -> Disabled {
    let mut disabled = Disabled::default();
    for line in lines {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words[..] {
            ["group", group, ..] if group.ends_with(':') => {
                let hosts = disabled.hosts.entry(group.trim_end_matches(':').to_owned()).or_default();
                hosts.extend(words[2..].iter().map(|host| (*host).to_owned()));
            }
            ["watch", group, "service", service] => drop(disabled.services.insert(key(group, service))),
            ["watch", group, ..] => drop(disabled.watches.insert(group.to_owned())),
            _ => {}
        }
    }
    disabled
}

/// The services that the selectors mean, in their order. The original takes a selection of nothing for one of
/// everything; we say that there is no such thing.
fn expand(selection: &[Selector], watches: &[String]) -> Result<Vec<Key>, String> {
    let known = watches.iter().filter_map(|line| line.trim().split_once(char::is_whitespace));
    let known = known.map(|(group, service)| key(group, service.trim())).collect::<Vec<_>>();
    let mut chosen: Vec<Key> = Vec::new();
    for selector in selection {
        let means = |(group, service): &&Key| {
            *group == selector.group && selector.service.as_ref().is_none_or(|only| only == service)
        };
        chosen.extend(known.iter().filter(means).cloned());
    }
    if chosen.is_empty() {
        let names = selection.iter().map(|selector| match &selector.service {
            Some(service) => format!("{}:{service}", selector.group),
            None => selector.group.clone(),
        });
        return Err(format!("no such watch or service: {}", names.collect::<Vec<_>>().join(" ")));
    }
    Ok(chosen)
}

fn descriptions(lines: &[String]) -> BTreeMap<Key, String> {
    let description = |line: &String| {
        let mut words = line.splitn(3, ' ');
        let key = key(words.next()?, words.next()?);
        Some((key, quote::unescape(words.next().unwrap_or_default())))
    };
    lines.iter().filter_map(description).collect()
}

/// `hostgroup G h1 *h2`; a star marks a disabled host.
fn hosts(lines: &[String]) -> Vec<String> {
    let words = lines.first().map(|line| line.split_whitespace().skip(2));
    words.into_iter().flatten().map(|host| host.trim_start_matches('*').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn disabled_things() {
        let disabled = disabled(&lines("group web: a b\nwatch db\nwatch web service http\nnoise\n"));
        assert_eq!(disabled.hosts["web"], ["a", "b"]);
        assert!(disabled.watches.contains("db") && disabled.watches.len() == 1);
        assert!(disabled.services.contains(&key("web", "http")));
    }

    #[test]
    fn the_scheduler() {
        assert_eq!(stopped_since(&lines("scheduler running")), None);
        assert_eq!(stopped_since(&lines("scheduler stopped since 1795346593 x")), Some(1_795_346_593));
    }

    #[test]
    fn selections() {
        let watches = lines("web ping\nweb http\ndb mysql");
        let select = |words: &str| {
            let selector = |word: &str| {
                let (group, service) =
                    word.split_once(':').map_or((word, None), |(g, s)| (g, Some(s.to_owned())));
                Selector { group: group.to_owned(), service }
            };
            let chosen = expand(&words.split(' ').map(selector).collect::<Vec<_>>(), &watches)?;
            Ok::<_, String>(chosen.into_iter().map(|(g, s)| format!("{g}:{s}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(select("web").as_deref(), Ok("web:ping web:http"));
        assert_eq!(select("db web:http nosuch").as_deref(), Ok("db:mysql web:http"));
        assert_eq!(select("nosuch web:x"), Err("no such watch or service: nosuch web:x".to_owned()));
    }

    #[test]
    fn descriptions_and_hosts() {
        let descriptions = descriptions(&lines(
            r"web http web\20pages
db slow ",
        ));
        assert_eq!(descriptions[&key("web", "http")], "web pages");
        assert_eq!(descriptions[&key("db", "slow")], "");
        assert_eq!(hosts(&lines("hostgroup web a *b c")), ["a", "b", "c"]);
        assert!(hosts(&[]).is_empty());
    }
}
