//! The other mon servers that remote.monitor asks: do they answer, and do they watch us?

use std::net::{IpAddr, ToSocketAddrs as _};
use std::time::Duration;

use remon_monitors::remote::visit::{Line, Server};

use super::mirror::{self, Ourselves, Watcher};
use super::report::{Area, Finding};
use super::together::Job;
use super::{Patient, counted};
use crate::cli::programs;

/// A job for each server that a line of mon.cf asks.
pub(super) fn look(patient: &Patient) -> Vec<Job> {
    let us = Ourselves { names: names(), port: patient.places.serverport };
    let mut jobs = Vec::new();
    for watcher in watchers(patient) {
        let name = format!("{}:{}", watcher.watch, watcher.service);
        for complaint in watcher.line.complaints.clone() {
            let text = format!("{name}: {complaint}");
            let run = move || vec![Area::Peers.fault(text, "correct the monitor line in mon.cf")];
            jobs.push(Job { area: Area::Peers, what: name.clone(), run: Box::new(run) });
        }
        for server in watcher.line.servers.clone() {
            let (us, watcher, limit) = (us.clone(), watcher.clone(), patient.limit);
            let what = format!("{name}: {}", server.word);
            let run = move || visit(&us, &watcher, &server, limit);
            jobs.push(Job { area: Area::Peers, what, run: Box::new(run) });
        }
    }
    jobs
}

/// The services that ask other servers.
fn watchers(patient: &Patient) -> Vec<Watcher> {
    let mut watchers = Vec::new();
    for watch in &patient.config.watches {
        let hosts = patient.config.hostgroups.get(&watch.group).into_iter().flatten();
        let hosts = hosts.map(|host| host.to_string()).collect::<Vec<_>>();
        for service in &watch.services {
            let line = service.monitor.as_ref().and_then(|line| Line::of_monitor(&line.text, &hosts, true));
            watchers.extend(line.map(|line| Watcher {
                watch: watch.group.to_string(),
                service: service.name.to_string(),
                line,
            }));
        }
    }
    watchers
}

fn visit(us: &Ourselves, watcher: &Watcher, server: &Server, limit: Duration) -> Vec<Finding> {
    let visit = match server.visit(limit) {
        Ok(visit) => visit,
        Err(why) => {
            let text = format!("{}:{}: {}: {why}", watcher.watch, watcher.service, server.word);
            return vec![Area::Peers.fault(text, advice(&why, &server.word))];
        }
    };
    let resolve = |name: &str| -> Vec<IpAddr> {
        (name, 0)
            .to_socket_addrs()
            .map(|found| found.map(|address| address.ip()).collect())
            .unwrap_or_default()
    };
    let mut findings = mirror::compare(us, watcher, server, &visit, resolve);
    if findings.is_empty() {
        let services = counted(visit.services.len(), "service");
        findings.push(Area::Peers.well(format!("{}: {services}, it watches this server", server.word)));
    }
    findings
}

fn advice(why: &str, there: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if says(&["login", "not authorized", "does not tell"]) {
        return format!(
            "name a file with a line SERVER:USER:PASSWORD by --passwordfile, or let everybody `list` in the auth.cf of {there}"
        );
    }
    if says(&["closed the connection"]) {
        return format!("let this machine in: `clientallow` in the mon.cf of {there}");
    }
    if says(&["no address"]) {
        return "correct the name in mon.cf, or add it to the DNS or to /etc/hosts".to_owned();
    }
    if says(&["no mon"]) {
        return "is the port right?".to_owned();
    }
    format!("is mon running on {there}, and does a firewall or its `serverbind` keep us out?")
}

/// What this machine is called.
fn names() -> Vec<String> {
    let machine = programs::machine();
    let short = machine.host.split('.').next().unwrap_or_default().to_owned();
    let mut names = vec![machine.host, machine.mail_name, short];
    // `localhost` says nothing about which machine it is.
    names.retain(|name| !name.is_empty() && name != "localhost");
    names
}
