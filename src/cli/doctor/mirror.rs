//! Two servers that watch each other: does the other one say of us what we say of it? Touches nothing.

use std::net::IpAddr;

use remon_monitors::remote::visit::{Line, Server, Visit};

use super::report::{Area, Finding};

/// A clock that is off by less is not worth a line; asking takes its time too.
const CLOCK_TOLERANCE_SECS: i64 = 5;

/// We, as others may name us.
#[derive(Debug, Clone)]
pub(super) struct Ourselves {
    /// This machine, in capitals and small letters as it likes.
    pub(super) names: Vec<String>,
    /// Our port for clients.
    pub(super) port: u16,
}

/// A service of ours that asks other servers.
#[derive(Debug, Clone)]
pub(super) struct Watcher {
    pub(super) watch: String,
    pub(super) service: String,
    pub(super) line: Line,
}

impl Watcher {
    fn name(&self) -> String {
        format!("{}:{}", self.watch, self.service)
    }
}

/// What is to be said of a server that answered. `resolve` says which addresses a name has.
pub(super) fn compare(
    us: &Ourselves,
    ours: &Watcher,
    server: &Server,
    visit: &Visit,
    resolve: impl Fn(&str) -> Vec<IpAddr>,
) -> Vec<Finding> {
    let area = Area::Peers;
    let there = &server.word;
    let mut findings = Vec::new();
    if visit.stopped {
        let text = format!("{there}: its scheduler is stopped: it watches nothing");
        findings.push(area.fault(text, format!("moncmd -s {there} start")));
    }
    findings.extend(clock(there, visit));
    findings.extend(excludes_nothing(ours, there, visit));
    let asks_us = |line: &Line| line.servers.iter().any(|server| is_us(us, server, visit, &resolve));
    let theirs = visit.watchers().filter(|(_, line)| asks_us(line)).collect::<Vec<_>>();
    if theirs.is_empty() {
        let text = format!(
            "{there} does not ask this server, as far as it tells: nobody notices when this mon dies"
        );
        let advice = format!(
            "write a service with `monitor remote.monitor --exclude {} THIS_SERVER ;;` into the mon.cf of {there}; \
             etc/pair shows both files",
            ours.name()
        );
        findings.push(area.warning(text, advice));
    }
    for (service, line) in theirs {
        let name = format!("{}:{}", service.group(), service.service());
        if visit.is_disabled(service.group(), service.service()) {
            let text = format!("{there}: {name}, which watches this server, is disabled");
            let advice =
                format!("moncmd -s {there} enable service {} {}", service.group(), service.service());
            findings.push(area.warning(text, advice));
        }
        if !ours.line.excludes(service.group(), service.service()) {
            let text = format!(
                "{} does not exclude {name} of {there}: when this server fails, each reports that the other reports",
                ours.name()
            );
            findings.push(
                area.warning(text, format!("add --exclude {name} to the monitor line of {}", ours.name())),
            );
        }
        if !line.excludes(&ours.watch, &ours.service) {
            let text = format!(
                "{there}: {name} does not exclude {} of this server: when {there} fails, each reports that the other \
                 reports",
                ours.name()
            );
            let advice = format!("add --exclude {} to the monitor line of {name} on {there}", ours.name());
            findings.push(area.warning(text, advice));
        }
    }
    findings
}

fn clock(there: &str, visit: &Visit) -> Option<Finding> {
    let ahead = visit.clock_ahead.filter(|ahead| ahead.abs() >= CLOCK_TOLERANCE_SECS)?;
    let how = if ahead > 0 { "ahead of" } else { "behind" };
    let text = format!("{there}: its clock is {} s {how} ours", ahead.abs());
    Some(Area::Peers.warning(text, "let a time service keep both clocks (chrony, systemd-timesyncd)"))
}

/// Names after `--exclude` that lead nowhere. One line may ask several servers, so that a name need not be on each.
fn excludes_nothing(ours: &Watcher, there: &str, visit: &Visit) -> Vec<Finding> {
    if ours.line.servers.len() > 1 {
        return Vec::new();
    }
    let is_there = |(watch, service): &(&str, &str)| {
        let fits = |pattern: &str, name: &str| pattern.is_empty() || pattern == name;
        visit.services.iter().any(|status| fits(watch, status.group()) && fits(service, status.service()))
    };
    let finding = |(watch, service): (&str, &str)| {
        let name = if service.is_empty() { watch.to_owned() } else { format!("{watch}:{service}") };
        let text = format!("{} excludes {name}, which {there} does not have", ours.name());
        Area::Peers.warning(text, "correct the name after --exclude")
    };
    ours.line.excluded().filter(|entry| !is_there(entry)).map(finding).collect()
}

/// Is this server, as the other one names it, ours?
fn is_us(us: &Ourselves, server: &Server, visit: &Visit, resolve: impl Fn(&str) -> Vec<IpAddr>) -> bool {
    if server.port != Some(us.port) {
        return false;
    }
    if us.names.iter().any(|name| name.eq_ignore_ascii_case(&server.host)) {
        return true;
    }
    let Some((our_address, _)) = visit.addresses else { return false };
    let addresses = match server.host.parse() {
        Ok(address) => vec![address],
        Err(_) => resolve(&server.host),
    };
    // A loopback address is always the other machine itself, unless it is the one that we are on.
    addresses.contains(&our_address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::wire::opstatus::StatusLine;

    fn watcher(monitor: &str) -> Watcher {
        let line = Line::of_monitor(monitor, &[], false).expect("it is remote.monitor");
        Watcher { watch: "servera".to_owned(), service: "monserverb".to_owned(), line }
    }

    fn findings(monitor: &str, theirs: &[&str], change: impl Fn(&mut Visit)) -> Vec<String> {
        let services = theirs.iter().map(|text| {
            let quoted = text.replace(' ', "\\20");
            let line = format!("group=serverb service=monservera opstatus=1 monitor={quoted}");
            StatusLine::parse(&line).expect("it has group and service")
        });
        let ours = watcher(monitor);
        let addresses = Some(([192, 0, 2, 1].into(), [192, 0, 2, 2].into()));
        let mut visit = Visit::of(services.collect(), addresses);
        change(&mut visit);
        let us =
            Ourselves { names: vec!["servera".to_owned(), "servera.example.com".to_owned()], port: 2583 };
        let resolve = |name: &str| {
            if name == "mon-a" { vec![[192, 0, 2, 1].into()] } else { vec![[192, 0, 2, 9].into()] }
        };
        let server = &ours.line.servers[0];
        compare(&us, &ours, server, &visit, resolve).into_iter().map(|finding| finding.text).collect()
    }

    const OURS: &str = "remote.monitor --exclude serverb:monservera serverb ;;";

    #[test]
    fn a_pair_that_is_one() {
        for them in ["servera", "SERVERA.example.com", "192.0.2.1", "mon-a", "x mon-a:2583"] {
            let theirs = format!("remote.monitor --exclude servera:monserverb {them} ;;");
            assert_eq!(findings(OURS, &[&theirs], |_| {}), [""; 0], "{them}");
        }
    }

    #[test]
    fn what_a_pair_lacks() {
        let good = "remote.monitor --exclude servera:monserverb servera ;;";
        let unwatched =
            "serverb does not ask this server, as far as it tells: nobody notices when this mon dies";
        for them in ["fping.monitor", "remote.monitor other ;;", "remote.monitor servera:99 ;;"] {
            assert_eq!(findings(OURS, &[them], |_| {}), [unwatched], "{them}");
        }
        let alone = findings(OURS, &[], |_| {});
        assert_eq!(alone[0], "servera:monserverb excludes serverb:monservera, which serverb does not have");
        assert_eq!(alone[1..], [unwatched]);
        let found = findings("remote.monitor serverb ;;", &[good], |_| {});
        assert!(
            found.len() == 1
                && found[0].starts_with("servera:monserverb does not exclude serverb:monservera of")
        );
        let found = findings(OURS, &["remote.monitor servera ;;"], |_| {});
        assert!(
            found.len() == 1
                && found[0].starts_with("serverb: serverb:monservera does not exclude servera:monser")
        );
        let found = findings(OURS, &[good], |visit| {
            (visit.stopped, visit.clock_ahead) = (true, Some(-7));
        });
        assert_eq!(
            found,
            [
                "serverb: its scheduler is stopped: it watches nothing",
                "serverb: its clock is 7 s behind ours"
            ]
        );
        let close = findings(OURS, &[good], |visit| visit.clock_ahead = Some(4));
        assert!(close.is_empty(), "{close:?}");
    }
}
