//! May the built-in monitors that ping do so below the daemon that runs? Otherwise every host is down for them.

use std::fs;
use std::path::Path;

use remon_core::config::surroundings::programs_of;

use super::Patient;
use super::confinement::Confinement;
use super::programs::{files, is_ours};
use super::report::{Area, Finding};

/// The built-in monitors that ping.
const PINGERS: [&str; 3] = ["fping.monitor", "ping.monitor", "ssh.monitor"];

/// Which groups may ping without any capability.
const GROUPS: &str = "/proc/sys/net/ipv4/ping_group_range";

/// The program that is asked last. Debian gives it the capability, which NoNewPrivileges takes away.
const FPING: [&str; 2] = ["/usr/bin/fping", "/usr/sbin/fping"];

pub(super) fn look(patient: &Patient, confinement: &Confinement) -> Option<Finding> {
    let (monitors, _) = programs_of(&patient.config);
    let mut pingers = PINGERS.iter().filter(|name| monitors.contains(*name));
    let is_built_in =
        |name: &&&str| files(name, &patient.places.mondirs).first().is_none_or(|file| is_ours(file));
    let name = pingers.find(is_built_in)?;
    let has_fping = FPING.iter().any(|fping| Path::new(fping).exists()) && !confinement.is_barred();
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    let is_root = patient.user.uid == 0;
    if is_root || confinement.may_ping() || has_fping || holds(&groups, patient.user.gid) {
        return None;
    }
    let text = format!("{name} may not ping: mon has no CAP_NET_RAW for it, and its group no ping sockets");
    let advice = "as root: sysctl -w net.ipv4.ping_group_range='0 2147483647' (and a line in /etc/sysctl.d), or let \
                  mon's unit say AmbientCapabilities=CAP_NET_RAW, or install fping where nothing takes its rights";
    Some(Area::Programs.fault(text, advice))
}

/// Is the group in that range? One that ends before it begins holds none.
fn holds(range: &str, group: u32) -> bool {
    let mut ends = range.split_whitespace().map(str::parse::<u32>);
    matches!((ends.next(), ends.next()), (Some(Ok(first)), Some(Ok(last))) if (first..=last).contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_may_ping() {
        assert!(holds("0\t2147483647\n", 65534) && holds("5 5", 5));
        assert!(!holds("1\t0\n", 0) && !holds("1\t0\n", 1) && !holds("", 0) && !holds("5 9", 10));
    }
}
