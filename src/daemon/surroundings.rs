//! Looking at this machine for what a mon.cf says about it: programs, auth.cf, Perl modules.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use remon_core::config::Config;
use remon_core::config::surroundings::{AuthFile, SearchPath, Sighting, Surroundings, programs_of};
use remon_core::text;

use super::options::Options;
use super::record;
use super::site::Site;
use crate::cli::programs;

/// What is around a daemon that is started here without options.
pub(crate) fn around_here(config: &Config, more: Surroundings) -> Surroundings {
    around(&Site::resolve(&Options::default(), &config.globals), config, more)
}

/// What is around a daemon of that site; `more` is what else is known.
pub(super) fn around(site: &Site, config: &Config, more: Surroundings) -> Surroundings {
    let (monitors, alerts) = programs_of(config);
    // Who names a record wants that one.
    let run_times = if more.run_times.is_empty() { record::run_times(site) } else { more.run_times };
    Surroundings {
        monitors: Some(search_path(&site.mondirs, &monitors, programs::monitor_usages())),
        alerts: Some(search_path(&site.alertdirs, &alerts, programs::alert_usages())),
        dirs: dirs(site),
        access: Some(auth_file(&site.authfile)),
        run_times,
        ..more
    }
}

/// The directories that may be named.
fn dirs(site: &Site) -> Vec<(&'static str, String, bool)> {
    let parent = |file: &Option<PathBuf>| file.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let named = [
        ("cfbasedir", Some(site.cfbasedir.clone())),
        ("statedir", Some(site.statedir.clone())),
        ("logdir", Some(site.logdir.clone())),
        ("dtlogfile", parent(&site.dtlogfile)),
        ("historicfile", parent(&site.historicfile)),
    ];
    let there =
        |(global, dir): (&'static str, Option<PathBuf>)| dir.map(|dir| (global, shown(&dir), dir.is_dir()));
    named.into_iter().filter_map(there).collect()
}

fn shown(path: &Path) -> String {
    text::decode(path.as_os_str().as_bytes().to_vec())
}

fn search_path(dirs: &[PathBuf], programs: &BTreeSet<&str>, builtin: BTreeMap<String, String>) -> SearchPath {
    let listed = dirs.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let names = listed.map(|entry| text::decode(entry.file_name().as_bytes().to_vec())).collect();
    let found = programs.iter().map(|name| ((*name).to_owned(), sightings(name, dirs))).collect();
    SearchPath { dirs: dirs.iter().map(|dir| (shown(dir), dir.is_dir())).collect(), names, found, builtin }
}

/// The files of that name, and what is to be known of each.
fn sightings(name: &str, dirs: &[PathBuf]) -> Vec<Sighting> {
    let name = text::encode(name);
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut found = Vec::new();
    for dir in dirs {
        let path = dir.join(OsStr::from_bytes(&name));
        let Ok(file) = std::fs::metadata(&path) else { continue };
        let executable = file.is_file() && file.permissions().mode() & 0o111 != 0;
        let copy = seen.iter().any(|before| same_file(before, &path));
        let handicap = if executable { handicap(&path) } else { None };
        found.push(Sighting { path: shown(&path), executable, copy, handicap });
        seen.push(path);
    }
    found
}

/// Whether two paths lead to one file, or to two with the same bytes.
fn same_file(one: &Path, other: &Path) -> bool {
    if std::fs::canonicalize(one).ok() == std::fs::canonicalize(other).ok() {
        return true;
    }
    let length = |path: &Path| std::fs::metadata(path).map(|file| file.len()).ok();
    length(one) == length(other) && script(one).is_some() && script(one) == script(other)
}

/// The text of a script; a large file is none.
fn script(path: &Path) -> Option<String> {
    const MOST: u64 = 256 << 10;
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MOST);
    let bytes = if is_small { std::fs::read(path).ok()? } else { return None };
    bytes.starts_with(b"#!").then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Why this script cannot do its work here. Only what the scripts of Debian's mon are known to stumble over.
fn handicap(path: &Path) -> Option<String> {
    const MAILER: &str = "/usr/lib/sendmail";
    let script = script(path)?;
    let code = || script.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    if code().any(|line| line.starts_with("use BSD::Resource")) && !has_perl_module("BSD/Resource.pm") {
        return Some("it needs the Perl module BSD::Resource (Debian: libbsd-resource-perl)".to_owned());
    }
    (code().any(|line| line.contains(MAILER)) && !Path::new(MAILER).exists())
        .then(|| format!("it sends mail by {MAILER}, which is not there"))
}

/// Looks where Debian's Perl does.
fn has_perl_module(file: &str) -> bool {
    let list = |dir: &str| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |dirs: Vec<PathBuf>| {
        dirs.into_iter().flat_map(|dir| {
            std::fs::read_dir(dir)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .collect::<Vec<_>>()
        })
    };
    let libraries = || list("/usr/lib").chain(list("/usr/local/lib"));
    let fixed = ["/etc/perl", "/usr/share/perl5"].map(PathBuf::from).into_iter();
    let shared = list("/usr/share/perl").chain(list("/usr/local/share/perl"));
    let versions = below(libraries().flat_map(|dir| [dir.join("perl5"), dir.join("perl")]).collect());
    let direct = libraries().flat_map(|dir| [dir.join("perl5"), dir.join("perl-base")]);
    fixed.chain(shared).chain(versions).chain(direct).any(|dir| dir.join(file).is_file())
}

fn auth_file(path: &Path) -> AuthFile {
    let found = std::fs::metadata(path).ok();
    let is_file = found.as_ref().is_some_and(|file| file.is_file());
    AuthFile {
        path: shown(path),
        text: if is_file { std::fs::read(path).ok().map(text::decode) } else { None },
        exists: found.is_some(),
        mode: found.map_or(0, |file| file.permissions().mode()),
    }
}
