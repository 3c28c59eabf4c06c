//! What mon reads and writes: may it, and may others?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Patient;
use super::report::{Area, Finding};
use super::sys::{self, Wish};

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let places = &patient.places;
    findings.extend(state(patient));
    for log in &places.logs {
        findings.extend(appended(patient, log));
    }
    let user = &patient.user.name;
    let readable = |file: &Path, what: &str| {
        let why = sys::may(file, Wish::Read).err()?;
        let shown = file.display();
        let advice = match (file.exists(), sys::closed_way(file)) {
            (_, Some(dir)) => format!("let {user} enter {}", dir.display()),
            (true, None) => format!("chgrp {user} {shown}; chmod 640 {shown}"),
            (false, None) => format!("write it: {what}"),
        };
        Some(Area::Files.fault(format!("{shown} cannot be read: {why}"), advice))
    };
    findings.extend(open_to_others(&patient.file, 0o002, "whoever writes it runs programs as mon"));
    if let Some(file) = &places.userfile {
        findings.extend(readable(file, "users and hashed passwords, as `htpasswd -d` makes them"));
        findings.extend(open_to_others(file, 0o006, "it holds hashes of passwords"));
    }
    if let Some(pidfile) = &places.pidfile {
        findings.extend(process_id(user, pidfile));
    }
    if findings.is_empty() {
        let text = format!("{} and all that mon reads are as they should be", places.statedir.display());
        findings.push(Area::Files.well(text));
    }
    findings
}

/// The state directory, and what is in it.
fn state(patient: &Patient) -> Vec<Finding> {
    let (dir, user) = (&patient.places.statedir, &patient.user.name);
    let shown = dir.display();
    let lost = "acknowledgements and disabled services are forgotten at the next start";
    if !dir.is_dir() {
        let advice = format!("install -d -o {user} -m 750 {shown}");
        let text = format!("{shown} (statedir) is no directory: {lost}");
        return vec![Area::Files.fault(text, advice)];
    }
    if let Err(why) = sys::may(dir, Wish::Fill) {
        let text = format!("{user} cannot write to {shown} (statedir): {why}: {lost}");
        return vec![Area::Files.fault(text, format!("chown {user} {shown}; chmod u+rwx {shown}"))];
    }
    let mut findings = Vec::new();
    findings.extend(open_to_others(dir, 0o002, "whoever writes to it disables services"));
    for path in fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let wish = if path.is_dir() { Wish::Fill } else { Wish::Write };
        let may = sys::may(&path, Wish::Read).and_then(|()| sys::may(&path, wish));
        if let Err(why) = may {
            let text = format!("{user} cannot read and write {}: {why}", path.display());
            findings.push(Area::Files.fault(text, format!("chown -R {user} {}", path.display())));
        }
    }
    findings
}

/// A file that mon appends to, and makes if there is none.
pub(super) fn appended(patient: &Patient, file: &Path) -> Option<Finding> {
    let user = &patient.user.name;
    let shown = file.display();
    if file.exists() {
        let why = sys::may(file, Wish::Write).err()?;
        let text = format!("{user} cannot write to {shown}: {why}");
        return Some(Area::Files.fault(text, format!("chown {user} {shown}; chmod u+w {shown}")));
    }
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let why = sys::may(dir, Wish::Fill).err()?;
    let text = format!("{user} cannot make {shown}: {}: {why}", dir.display());
    Some(Area::Files.fault(text, format!("install -d -o {user} -m 750 {}", dir.display())))
}

/// A process that is started as root writes it before it is another; otherwise it is nobody's loss but the init
/// script's.
fn process_id(user: &str, pidfile: &Path) -> Option<Finding> {
    let dir = pidfile.parent()?;
    let may = match pidfile.exists() {
        true => sys::may(pidfile, Wish::Write),
        false => sys::may(dir, Wish::Fill),
    };
    let why = may.err()?;
    let text = format!("{user} cannot write {}: {why}", pidfile.display());
    let advice =
        "nothing is to be done where systemd starts mon; else see to the directory, or write `pidfile =`";
    Some(Area::Files.note(text, advice))
}

/// A file that others may do more with than they should.
fn open_to_others(path: &Path, too_much: u32, why: &str) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let shown = path.display();
    let (what, flags) = match mode & too_much {
        0 => return None,
        4 => ("read", "o-r"),
        _ => ("write", if too_much & 4 == 4 { "o-rw" } else { "o-w" }),
    };
    let text = format!("everybody can {what} {shown} (mode {mode:o}): {why}");
    Some(Area::Files.fault(text, format!("chmod {flags} {shown}")))
}
