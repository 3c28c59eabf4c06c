//! What the alerts need: files, programs, and accounts at servers, to which we log in without sending anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use remon_alerts::need::{self, Kind, Need};
use remon_alerts::{Invocation, Message, privilege, sendmail};
use remon_core::config::{AlertKeyword, Service, Watch};
use remon_core::words;

use super::confinement::{Confinement, LIFT};
use super::report::{Area, Finding};
use super::sys::{self, Wish};
use super::together::Job;
use super::{Patient, files};
use crate::cli::{localtime, programs};

/// What can be said at once, and what takes servers.
pub(super) fn look(patient: &Patient) -> (Vec<Finding>, Vec<Job>) {
    let mut findings = Vec::new();
    let mut needs = BTreeMap::<Kind, (Need, String)>::new();
    for watch in &patient.config.watches {
        for service in &watch.services {
            let place = format!("{}/{}", watch.group, service.name);
            for message in messages(patient, watch, service) {
                if matches!(&message, Message::Send(dispatch) if dispatch.ways.is_empty()) {
                    let text = format!("{place}: an alert has nobody to tell");
                    findings.push(Area::Alerts.fault(text, "add a recipient to the alert line in mon.cf"));
                }
                for need in need::needs(&message) {
                    needs.entry(need.kind.clone()).or_insert_with(|| (need, place.clone()));
                }
            }
        }
    }
    let (far, near): (Vec<_>, Vec<_>) = needs.into_values().partition(|(need, _)| need.is_far());
    findings.extend(near.into_iter().filter_map(|(need, place)| nearby(patient, &need, &place)));
    let jobs = far.into_iter().map(|(need, place)| job(patient, need, place)).collect();
    (findings, jobs)
}

/// The files that alerts append to.
pub(super) fn appended(patient: &Patient) -> Vec<PathBuf> {
    let services = patient
        .config
        .watches
        .iter()
        .flat_map(|watch| watch.services.iter().map(move |service| (watch, service)));
    let needs = services
        .flat_map(|(watch, service)| messages(patient, watch, service))
        .flat_map(|message| need::needs(&message));
    let file = |need: Need| if let Kind::File(file) = need.kind { Some(file) } else { None };
    needs.filter_map(file).collect()
}

/// What the alerts of a service would say; of programs by other names we know nothing.
fn messages(patient: &Patient, watch: &Watch, service: &Service) -> Vec<Message> {
    let lines = service.periods.iter().flat_map(|period| &period.alerts);
    let lines = lines.map(|line| (&line.command, line.keyword == AlertKeyword::Upalert));
    let lines = lines.chain(service.redistribute.iter().map(|line| (line, false)));
    let hosts = patient.config.hostgroups.get(&watch.group).map_or(&[][..], Vec::as_slice).join(" ");
    let mut messages = Vec::new();
    for (line, is_up) in lines {
        let Some(alert) = remon_alerts::find(line.program()) else { continue };
        // A line with an open quote is none; `mon check` says so.
        let Ok(own) = words::split(line.arguments()) else { continue };
        let given = ["-s", &*service.name, "-g", &*watch.group, "-h", &hosts, "-t", "0"];
        let mut words = given.map(str::to_owned).to_vec();
        words.extend(is_up.then(|| "-u".to_owned()));
        words.extend(own);
        messages.push((alert.compose)(&invocation(patient, words, service)));
    }
    messages
}

fn invocation(patient: &Patient, words: Vec<String>, service: &Service) -> Invocation {
    let user = &patient.user;
    let known = [
        ("HOME", user.home.as_str()),
        ("USER", &user.name),
        ("LOGNAME", &user.name),
        ("MON_RETVAL", "1"),
        ("MON_OPSTATUS", "0"),
        ("MON_ALERTTYPE", "failure"),
    ];
    let mut env = known
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    env.extend(service.env.iter().map(|(name, value)| (name.to_string(), value.to_string())));
    let (now, local, machine) = (localtime::now(), localtime::local, programs::machine());
    Invocation { words, env, input: "mon doctor\n".to_owned(), now, local, machine }
}

/// Files and programs.
fn nearby(patient: &Patient, need: &Need, place: &str) -> Option<Finding> {
    match &need.kind {
        Kind::File(file) => files::appended(patient, file).map(|found| Finding {
            area: Area::Alerts,
            text: format!("{place}: {}", found.text),
            ..found
        }),
        Kind::Program(program) => {
            let Err(why) = sys::may(program, Wish::Execute) else { return barred(patient, program, place) };
            let text = format!("{place}: no mail leaves: {}: {why}", program.display());
            let advice =
                "install a mail system (postfix, exim4, msmtp-mta), or name a mail server with --smtp HOST";
            Some(Area::Alerts.fault(text, advice))
        }
        Kind::Impossible(why) => {
            let text = format!("{place}: {why}");
            Some(Area::Alerts.fault(text, advice(patient, &need.kind, why)))
        }
        _ => None,
    }
}

/// Mail that does not leave by its program, as the daemon may not use set-id bits: has it another way?
fn barred(patient: &Patient, mailer: &Path, place: &str) -> Option<Finding> {
    let is_barred = patient.confinement.as_ref().is_some_and(Confinement::is_barred);
    let file = if is_barred { privilege::needed_by(mailer)? } else { return None };
    let bars = format!("{} does nothing below mon: its unit has NoNewPrivileges", file.display());
    let server = sendmail::LOCAL_SERVER;
    if patient.is_offline {
        return None;
    }
    Some(match sendmail::listens(patient.limit) {
        Ok(()) => {
            Area::Alerts.note(format!("{place}: mail goes to {server}, as the set-id bit of {bars}"), "")
        }
        Err(why) => {
            let text = format!(
                "{place}: no mail leaves: the set-id bit of {bars}, and nothing takes mail at {server}: {why}"
            );
            let advice =
                format!("let the mail system listen there, name a mail server with --smtp HOST, or\n{LIFT}");
            Area::Alerts.fault(text, advice)
        }
    })
}

fn job(patient: &Patient, need: Need, place: String) -> Job {
    let what = name(&need.kind);
    let asked = what.clone();
    let limit = patient.limit;
    // All that the advice depends on, so that the job borrows nothing.
    let (user, kind) = (patient.user.clone(), need.kind.clone());
    let run = move || match need.try_out(limit) {
        Ok(reached) if reached.is_empty() => vec![Area::Alerts.well(asked)],
        Ok(reached) => vec![Area::Alerts.well(format!("{asked}: {reached}"))],
        Err(why) => {
            // What is wrong with the file names it already.
            let names_it = matches!(&kind, Kind::Xmpp(file, _) if why.contains(file.as_str()));
            let asked = if names_it { "XMPP account".to_owned() } else { asked };
            vec![Area::Alerts.fault(format!("{place}: {asked}: {why}"), advice_for(&user.name, &kind, &why))]
        }
    };
    Job { area: Area::Alerts, what, run: Box::new(run) }
}

/// What the operator calls it.
fn name(kind: &Kind) -> String {
    match kind {
        Kind::File(file) => file.display().to_string(),
        Kind::Program(program) => program.display().to_string(),
        Kind::Mail(server, None, _) => format!("mail server {server}"),
        Kind::Mail(server, Some(file), _) => format!("mail server {server}, login of {file}"),
        Kind::Xmpp(file, _) => format!("XMPP account of {file}"),
        Kind::WebHook(host, _) => format!("web hook at {host}"),
        Kind::Trap(server) => format!("traps to {server}"),
        Kind::Impossible(_) => "alert".to_owned(),
    }
}

fn advice(patient: &Patient, kind: &Kind, why: &str) -> String {
    advice_for(&patient.user.name, kind, why)
}

/// What to do, from the words of what went wrong.
fn advice_for(user: &str, kind: &Kind, why: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let file = match kind {
        Kind::Mail(_, Some(file), _) | Kind::Xmpp(file, _) => file.as_str(),
        _ => "the file",
    };
    if says(&["you must own", "must not be accessible", "cannot read", "Permission denied"]) {
        return format!("as root: chown {user} {file}; chmod 600 {file}");
    }
    if says(&["syntax error", "names no", "no correct config"]) {
        return format!(
            "write {file} anew: `username: …`, `password: …` and, for XMPP, `jserver: …`, a line each"
        );
    }
    if says(&["refused the login", "login: "]) {
        return format!("correct name and password in {file}; ask the administrator of that server for them");
    }
    if says(&["UnknownIssuer", "CA", "certificate", "Certificate"]) {
        return "let the server show a certificate that is valid, or name its authority with --ca FILE"
            .to_owned();
    }
    if says(&["refused", "no answer", "timed out", "unreachable", "No route"]) {
        return "is that server up, is the port right, does a firewall let this machine reach it?".to_owned();
    }
    if says(&["resolve", "not known", "no address associated", "Temporary failure"]) {
        return "correct the name in mon.cf, or add it to the DNS or to /etc/hosts".to_owned();
    }
    "correct the alert line in mon.cf; `mon run NAME --help` tells the options".to_owned()
}
