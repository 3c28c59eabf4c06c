//! What stands in files: state, auth.cf, mon.cf.

use std::time::Duration;

use remon_core::auth::{self, TrapGate};
use remon_core::config::{self, diagnostic};
use remon_core::engine::{Event, ServiceSnapshot, StateFile, Trap};
use remon_core::wire::command;
use remon_core::wire::statefile;

use super::daemon::{CONFIG, Daemon, LOCAL, assert_is_reply};
use super::text_of;

/// State files of any content: what could be read comes back as it was, and a daemon lives on with it.
pub(super) fn state(bytes: &[u8]) {
    let text = text_of(bytes);
    let (disabled, _) = statefile::parse_disabled(&text);
    let again = statefile::parse_disabled(&statefile::render_disabled(&disabled));
    assert_eq!(again, (disabled.clone(), vec![]));
    let (services, _) = statefile::parse_opstatus(&text);
    values_come_back(&services);
    let mut daemon = Daemon::new(CONFIG, "list: all\nget: all\nack: all");
    daemon.handle(Event::StateRead { client: None, disabled, services });
    for (span, status) in [(1, 1), (3_600, 0), (1_000_000_000, 2)] {
        daemon.wait(Duration::from_secs(span));
        for (group, service) in [("web", "ping"), ("web", "http"), ("db", "sql"), ("db", "disk")] {
            let (group, service) = (group.to_owned(), service.to_owned());
            let (kind, output) = (String::new(), "a trap".into());
            daemon.handle(Event::Trap(Trap { from: LOCAL, kind, group, service, status, output }));
        }
        for line in ["list opstatus", "list disabled", "ack web ping 'a'", "list deps"] {
            daemon.say(line.to_owned(), command::parse(line));
        }
        daemon.state(StateFile::Opstatus);
        daemon.state(StateFile::Disabled);
    }
    daemon.replies.iter().for_each(|reply| assert_is_reply(reply));
}

/// Values of any content; the names, which are ours, as we spell them.
fn values_come_back(services: &[ServiceSnapshot]) {
    let named = |(at, snapshot): (usize, &ServiceSnapshot)| {
        let values = snapshot.fields.iter().map(|(_, value)| value.clone());
        let fields = values.enumerate().map(|(number, value)| (format!("field_{number}"), value)).collect();
        ServiceSnapshot { group: "web".to_owned(), service: format!("s{at}"), fields }
    };
    let before: Vec<_> = services.iter().enumerate().map(named).collect();
    assert_eq!(statefile::parse_opstatus(&statefile::render_opstatus(&before)), (before, vec![]));
}

/// auth.cf of any content: a command that it does not name stays forbidden, a trap without entry too.
pub(super) fn auth(bytes: &[u8]) {
    let text = text_of(bytes);
    let (mut auth, issues) = auth::parse(&text);
    issues.iter().for_each(|issue| assert!(issue.line > 0 && !issue.message.is_empty()));
    let lower = text.to_ascii_lowercase();
    for word in ["list", "term", "disable", "reset", "test"] {
        if !lower.contains(word) {
            assert!(!auth.permits(None, word) && !auth.permits(Some("amy"), word), "{word} is not named");
        }
    }
    if !text.contains("all") {
        assert!(!auth.permits(None, "list"), "nobody was allowed to without a name");
    }
    let names: Vec<String> = auth.trap_host_names().map(str::to_owned).collect();
    names.iter().for_each(|name| auth.resolve(name, LOCAL));
    assert_eq!(auth.unresolved().count(), 0);
    match auth.trap_gate(LOCAL, Some("amy")) {
        TrapGate::Open => assert!(text.contains('*'), "no entry lets everybody in"),
        TrapGate::Password(hash) => assert!(text.contains("amy") && text.contains(hash.expose())),
        TrapGate::Refused(_) => {}
    }
}

/// mon.cf of any content: it is explained, and a daemon that takes it runs for a while.
pub(super) fn config(bytes: &[u8]) {
    let text = text_of(bytes);
    let (_, diagnostics) = config::load(&text);
    let shown = diagnostic::render(&diagnostics, "mon.cf", &text);
    assert_eq!(shown.is_empty(), diagnostics.is_empty());
    assert!(!diagnostic::summary(&diagnostics).is_empty());
    if diagnostics.iter().any(config::Diagnostic::is_error) {
        return;
    }
    let mut daemon = Daemon::new(&text, "list: all\nreset: all");
    for span in [0, 1, 59, 86_400] {
        daemon.wait(Duration::from_secs(span));
        let lists = ["opstatus", "deps", "watch", "descriptions", "aliases", "views", "disabled", "pids"];
        for line in lists.map(|list| format!("list {list}")) {
            let command = command::parse(&line);
            daemon.say(line, command);
        }
    }
    daemon.say("reset keepstate".to_owned(), command::parse("reset keepstate"));
    assert_eq!(daemon.replies.len(), 33);
}
