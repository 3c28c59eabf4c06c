//! What the unit takes away from the daemon that runs: set-id bits of programs, and writing. It says nothing where no
//! daemon runs, or where nothing is taken away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use remon_alerts::{privilege, sendmail};

use super::Patient;
use super::report::{Area, Finding};
use super::sockets::Sockets;
use super::sys::{self, Wish};
use crate::daemon::lookout::Places;
use crate::daemon::set_id::{self, Need};

/// The link that the package makes where a mon was in use before; what stands there lifts NoNewPrivileges.
const DROP_IN: &str = "/etc/systemd/system/mon.service.d/set-id.conf";

/// What to do without that link.
pub(super) const LIFT: &str = "as root: mkdir -p /etc/systemd/system/mon.service.d\n\
                    ln -s /usr/share/remon/set-id.conf /etc/systemd/system/mon.service.d/\n\
                    systemctl daemon-reload; systemctl restart mon";

/// What the unit leaves open for writing.
const WRITABLE: [&str; 4] = ["/var/lib/mon", "/var/state/mon", "/var/log/mon", "/run/mon"];

/// What stays closed with the drop-in, too.
const CLOSED: [&str; 3] = ["/usr", "/boot", "/etc"];

/// How a process is confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confinement {
    /// Set-id bits have no effect for what it starts.
    is_barred: bool,
    /// It may hand on the right to ping.
    may_ping: bool,
    mounts: Vec<Mount>,
}

/// The bit of CAP_NET_RAW.
const NET_RAW: u64 = 1 << 13;

/// May what a process starts ping, by the text of its `/proc/PID/status`? Its own capabilities end with it, but for
/// those called ambient.
fn may_ping(status: &str) -> bool {
    let ambient = status.lines().find_map(|line| line.strip_prefix("CapAmb:"));
    ambient.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & NET_RAW != 0)
}

/// A file system, as the process sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    at: PathBuf,
    /// Which part of the file system is there.
    root: String,
    is_read_only: bool,
}

impl Confinement {
    /// Of that process. Only root sees the mounts of others, so it comes before we act for
    /// somebody else.
    pub(super) fn of(pid: u32) -> Option<Confinement> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        let is_barred = privilege::says_barred(&status);
        let mounts = mounts.lines().filter_map(mount).collect();
        Some(Confinement { is_barred, may_ping: may_ping(&status), mounts })
    }

    /// Have set-id bits no effect for what it starts?
    pub(super) fn is_barred(&self) -> bool {
        self.is_barred
    }

    /// May what it starts ping?
    pub(super) fn may_ping(&self) -> bool {
        self.may_ping
    }

    /// The mount that `path` is in.
    fn mount_of(&self, path: &Path) -> Option<&Mount> {
        // Of several at one place the last is seen.
        let over = self.mounts.iter().filter(|mount| path.starts_with(&mount.at));
        over.max_by_key(|mount| mount.at.components().count())
    }
}

/// A line of mountinfo: number, parent, device, root, place, options.
fn mount(line: &str) -> Option<Mount> {
    let words = line.split(' ').collect::<Vec<_>>();
    let (root, at, options) = (words.get(3)?, words.get(4)?, words.get(5)?);
    // The kernel writes blanks in names as octal numbers.
    let plain = |text: &str| {
        text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
    };
    let is_read_only = options.split(',').any(|option| option == "ro");
    Some(Mount { at: plain(at).into(), root: plain(root), is_read_only })
}

/// The confinement of the daemon of these places, if one runs.
pub(super) fn of_daemon(sockets: &Sockets, places: &Places) -> Option<Confinement> {
    let holder = sockets.any_tcp(places.serverport)?.holder.as_ref()?;
    sockets.confinement(holder.pid).cloned()
}

/// What the daemon lacks for what its configuration needs, and what it has without need.
pub(super) fn look(patient: &Patient, confinement: &Confinement) -> Vec<Finding> {
    let places = &patient.places;
    let needs = set_id::needs(&patient.config, &places.mondirs, &places.alertdirs);
    let written = written(patient);
    let mut findings = Vec::new();
    if confinement.is_barred {
        findings.extend(needs.iter().filter(|need| !need.is_own_mail).map(barred));
    } else if fs::symlink_metadata(DROP_IN).is_ok() {
        let limit = patient.limit;
        // Mail of our own goes to port 25 without the drop-in, if that is open.
        let has_server = !patient.is_offline && sendmail::listens(limit).is_ok();
        findings.push(drop_in(&needs, &written, has_server));
    }
    findings.extend(written.iter().filter_map(|path| unwritable(path, confinement)));
    findings
}

fn barred(need: &Need) -> Finding {
    let Need { program, file, .. } = need;
    let text = format!(
        "{program} uses {}, whose set-id bit does nothing below mon: its unit has NoNewPrivileges",
        file.display()
    );
    // A script may only speak of it.
    Area::Programs.warning(text, LIFT)
}

/// The drop-in is in force: does anything need it?
fn drop_in(needs: &[Need], written: &BTreeSet<PathBuf>, has_server: bool) -> Finding {
    let needs = needs.iter().filter(|need| !(need.is_own_mail && has_server));
    let needs = needs.map(|need| format!("{} ({})", need.program, need.file.display()));
    let is_below = |path: &PathBuf, dirs: &[&str]| dirs.iter().any(|dir| path.starts_with(dir));
    let elsewhere = written.iter().filter(|path| !is_below(path, &WRITABLE) && !is_below(path, &CLOSED));
    let elsewhere = elsewhere.map(|path| format!("writing to {}", path.display()));
    let all = needs.chain(elsewhere).collect::<Vec<_>>();
    if !all.is_empty() {
        let text = format!("{DROP_IN} keeps mon's unit open for {}", all.join(", "));
        return Area::Daemon.note(text, "");
    }
    let text = format!("{DROP_IN} keeps mon's unit open, and nothing in mon.cf is seen to need that");
    let advice = format!(
        "if no script starts a set-id program by another one, or writes elsewhere than to /var/lib/mon, /var/log/mon \
         and a /tmp of its own,\nas root: rm {DROP_IN}\nsystemctl daemon-reload; systemctl restart mon"
    );
    Area::Daemon.note(text, advice)
}

/// The directories that the daemon and its built-in alerts write to.
fn written(patient: &Patient) -> BTreeSet<PathBuf> {
    let places = &patient.places;
    let parent = |file: &PathBuf| file.parent().map(Path::to_path_buf);
    let logs = places.logs.iter().filter_map(parent);
    let appended = super::accounts::appended(patient).into_iter().filter_map(|file| parent(&file));
    [places.statedir.clone()]
        .into_iter()
        .chain(logs)
        .chain(appended)
        .filter(|path| path.is_absolute())
        .collect()
}

/// A directory that mon could write to, if its unit let it; or that is another one for mon than for everybody.
fn unwritable(dir: &Path, confinement: &Confinement) -> Option<Finding> {
    let mount = confinement.mount_of(&fs::canonicalize(dir).ok()?)?;
    let shown = dir.display();
    if mount.root.contains("/systemd-private-") {
        let text = format!("what mon writes to {shown} nobody else sees: its unit has PrivateTmp");
        return Some(Area::Files.warning(text, "let it write below /var/log/mon or /var/lib/mon"));
    }
    if !mount.is_read_only || sys::may(dir, Wish::Fill).is_err() {
        return None;
    }
    let text = format!("mon cannot write to {shown}: its unit makes that read-only");
    let advice = format!(
        "as root: systemctl edit mon, and there:\n[Service]\nReadWritePaths={shown}\nthen systemctl restart mon"
    );
    Some(Area::Files.fault(text, advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confinement(mountinfo: &str) -> Confinement {
        Confinement { is_barred: true, may_ping: true, mounts: mountinfo.lines().filter_map(mount).collect() }
    }

    #[test]
    fn the_mounts_of_a_unit() {
        let seen = confinement(
            "21 20 254:1 / / ro,nosuid,relatime shared:1 - ext4 /dev/vda1 rw\n\
             22 21 254:1 /var/lib/mon /var/lib/mon rw,nosuid - ext4 /dev/vda1 rw\n\
             23 21 0:23 /systemd-private-1-mon.service-2/tmp /tmp rw - tmpfs tmpfs rw\n\
             24 21 0:24 / /srv/two\\040words ro - ext4 /dev/vdb rw\n\
             25 21 0:25 / /srv/two\\040words rw - ext4 /dev/vdc rw\nnonsense\n",
        );
        let is_read_only = |path: &str| seen.mount_of(Path::new(path)).map(|mount| mount.is_read_only);
        for (path, expect) in [
            ("/", true),
            ("/var/lib/monitor", true),
            ("/var/lib/mon/x", false),
            ("/tmp", false),
            ("/srv/two words", false),
        ] {
            assert_eq!(is_read_only(path), Some(expect), "{path}");
        }
        assert!(confinement("").mount_of(Path::new("/")).is_none());
    }

    #[test]
    fn who_may_ping() {
        assert!(may_ping("Name:\tmon\nCapAmb:\t0000000000002000\n"));
        assert!(
            !may_ping("Name:\tmon\nCapEff:\t0000000000002000\nCapAmb:\t0000000000000000\n") && !may_ping("")
        );
    }

    #[test]
    fn whom_the_drop_in_is_for() {
        let own = Need { program: "a.monitor".to_owned(), file: "/usr/bin/sudo".into(), is_own_mail: false };
        let mail =
            Need { program: "mail.alert".to_owned(), file: "/usr/sbin/postdrop".into(), is_own_mail: true };
        let dirs = |list: &[&str]| list.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let usual = dirs(&["/var/lib/mon", "/var/log/mon"]);
        let needed = drop_in(&[own], &usual, true);
        assert!(
            needed.text.ends_with("open for a.monitor (/usr/bin/sudo)") && needed.advice.is_empty(),
            "{needed:?}"
        );
        let elsewhere = drop_in(&[], &dirs(&["/srv/mon", "/var/lib/mon"]), true);
        assert!(elsewhere.text.ends_with("open for writing to /srv/mon"), "{elsewhere:?}");
        let idle = drop_in(std::slice::from_ref(&mail), &usual, true);
        let alone = drop_in(&[mail], &usual, false);
        assert!(alone.text.ends_with("open for mail.alert (/usr/sbin/postdrop)"), "{alone:?}");
        assert!(idle.advice.contains("rm /etc/systemd/system/mon.service.d/set-id.conf"), "{idle:?}");
    }
}
