//! Has every host an address?

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::time::Instant;

use remon_core::{netdb, reason};
use remon_monitors::parallel;

use super::report::{Area, Finding};
use super::together::Job;
use super::{Patient, counted};

/// So many names without an address are told one by one.
const MOST_TOLD: usize = 20;

pub(super) fn look(patient: &Patient) -> Option<Job> {
    let names = names(patient);
    if names.is_empty() {
        return None;
    }
    let limit = patient.limit;
    let run = move || {
        let (words, groups): (Vec<_>, Vec<_>) = names.into_iter().unzip();
        let deadline = Instant::now() + limit;
        let resolve = |name: &str| (name, 0).to_socket_addrs().map(drop).map_err(|error| reason::of(&error));
        let answers = parallel::probe_all(&words, deadline, resolve);
        judge(&words, &groups, &answers)
    };
    Some(Job { area: Area::Names, what: "names of hosts".to_owned(), run: Box::new(run) })
}

fn judge(names: &[String], groups: &[String], answers: &[Option<Result<(), String>>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((name, group), answer) in names.iter().zip(groups).zip(answers) {
        let why = match answer {
            Some(Ok(())) => continue,
            Some(Err(why)) => why,
            None => "the resolver does not answer in time",
        };
        findings.push(Area::Names.warning(
            format!("{name} (hostgroup {group}) has no address: {why}"),
            "correct it in mon.cf, or add it to the DNS or to /etc/hosts",
        ));
    }
    if findings.len() == names.len() && names.len() > 1 {
        let text = format!("none of {} has an address: {}", counted(names.len(), "name"), findings[0].text);
        return vec![
            Area::Names.fault(text, "does the resolver work? see /etc/resolv.conf and /etc/nsswitch.conf"),
        ];
    }
    if findings.len() > MOST_TOLD {
        let text = format!("{} more have no address", findings.len() - MOST_TOLD);
        findings.truncate(MOST_TOLD);
        findings.push(Area::Names.warning(text, "these are told when those above are mended"));
    }
    if findings.is_empty() {
        findings.push(Area::Names.well(format!("{} found", counted(names.len(), "name"))));
    }
    findings
}

/// The names in hostgroups whose hosts are handed to a monitor, with one group that each is in. What cannot be a
/// name of a host, such as a path or an address, is left out.
fn names(patient: &Patient) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for watch in &patient.config.watches {
        let hands_on = |line: &str| !line.trim_end().ends_with(";;");
        let monitors = watch.services.iter().filter_map(|service| service.monitor.as_ref());
        if !monitors.into_iter().any(|monitor| hands_on(&monitor.text)) {
            continue;
        }
        for host in patient.config.hostgroups.get(&watch.group).into_iter().flatten() {
            let (host, _) = netdb::split_port(host);
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if host.parse::<IpAddr>().is_err() && !host.is_empty() && host.chars().all(fits) {
                names.entry(host.to_owned()).or_insert_with(|| watch.group.to_string());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_address() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let nobody = judge(&words(&["a", "b"]), &words(&["g", "g"]), &[None, None]);
        assert!(
            nobody.len() == 1
                && nobody[0].text.starts_with("none of 2 names has an address: a (hostgroup g) has")
        );
        let many = (0..30).map(|n| n.to_string()).collect::<Vec<_>>();
        let answers = (0..30).map(|n| if n == 0 { Some(Ok(())) } else { None }).collect::<Vec<_>>();
        let found = judge(&many, &many, &answers);
        assert_eq!((found.len(), found[20].text.as_str()), (21, "9 more have no address"));
        let answers = [Some(Ok(())), Some(Err("no".to_owned())), None];
        let found = judge(&words(&["a", "b", "c"]), &words(&["g", "g", "h"]), &answers);
        let texts = found.iter().map(|finding| finding.text.as_str()).collect::<Vec<_>>();
        assert_eq!(
            texts,
            [
                "b (hostgroup g) has no address: no",
                "c (hostgroup h) has no address: the resolver does not answer in time"
            ]
        );
        assert_eq!(
            judge(&words(&["a"]), &words(&["g"]), &[Some(Ok(()))]),
            [Area::Names.well("1 name found")]
        );
    }
}
