//! Reading configuration: mon.cf with all that belongs to it, and auth.cf.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use remon_alerts::privilege;
use remon_core::auth::{self, Auth};
use remon_core::config::{
    self, Config, Diagnostic, Globals, Located, Origins, Place, Surroundings, diagnostic,
};
use remon_core::engine::{Level, Loaded, Program, Programs};
use remon_core::text;
use sha2::{Digest as _, Sha256};

use super::logging::log;
use super::login;
use super::options::Options;
use super::site::Site;
use super::{set_id, surroundings};
use crate::cli::programs;

/// A file of more bytes, some thirty thousand services, is not searched at start for all that may be wrong: that would
/// take longer than all the rest. It is done when the daemon is up ([`super::checkup`]).
const HUGE: usize = 8 << 20;

/// What is wrong with a configuration.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// In the original's words, one a line.
    pub(super) lines: Vec<String>,
    /// In ours, with places and help.
    pub(super) rendered: String,
}

impl Errors {
    /// Tells the log where each of them is; what a client gets is the first one's line alone, as from the original.
    pub(super) fn log(&self) {
        let places = self.rendered.split("\n\n").filter_map(|paragraph| paragraph.lines().next());
        places.for_each(|line| log(Level::Err, line));
    }
}

impl From<String> for Errors {
    fn from(line: String) -> Errors {
        Errors { lines: vec![line], rendered: String::new() }
    }
}

/// Reads mon.cf and everything that it points to.
pub(super) fn load(options: &Options) -> Result<(Site, Loaded), Errors> {
    options.randstart()?;
    if let Some(basedir) =
        options.basedir.as_deref().filter(|dir| !dir.is_empty() && !Path::new(dir).is_dir())
    {
        return Err(format!("basedir {basedir} does not exist").into());
    }
    let path = options.config_path();
    let text = text::decode(read(&path, options.m4().as_deref()).map_err(|error| error.to_string())?);
    let is_huge = text.len() > HUGE;
    let (config, diagnostics) = check_with(if is_huge { config::load_briefly } else { config::load }, &text);
    if diagnostics.iter().any(Diagnostic::is_error) {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        let lines = errors.filter_map(|error| error.legacy.clone()).collect();
        let origins = origins(&path, options.m4().as_deref(), &text);
        return Err(Errors { lines, rendered: diagnostic::render_at(&diagnostics, &text, &origins) });
    }
    let site =
        Site { config_hash: hash(&text), read_briefly: is_huge, ..Site::resolve(options, &config.globals) };
    let mut warnings = diagnostics;
    if is_huge {
        let shown = path.display();
        log(Level::Info, &format!("{shown} is large: what may be wrong with it is searched for meanwhile"));
    } else {
        let seen = surroundings::around(&site, &config, Surroundings::default());
        warnings.extend(config::look_around(&text, &config, &seen));
    }
    if !warnings.is_empty() {
        let origins = origins(&path, options.m4().as_deref(), &text);
        for (place, warning) in origins.locate(&text, &warnings) {
            warn(&place, warning);
        }
    }
    drop(text);
    let settings = site.settings(options, &config.globals)?;
    complain_of_missing_dirs(&site);
    login::complain_of_authtypes(&site);
    let programs = find_programs(&config, &site);
    if !is_huge && privilege::is_barred() {
        complain_of_set_id(&config, &site);
    }
    let alert_history = site.historicfile.as_deref().map(|file| read_history(file, &config));
    Ok((site, Loaded { config, settings, programs, alert_history }))
}

/// What a brief reading did not tell.
pub(super) struct Search {
    /// The text is not the one that was read then: all of it is told, errors too.
    pub(super) is_another: bool,
    /// As the log has them.
    pub(super) lines: Vec<String>,
}

/// Searches a file for all that may be wrong with it; `told` is the hash of the text that was read briefly.
pub(super) fn search(options: &Options, told: &str) -> io::Result<Search> {
    let (path, m4) = (options.config_path(), options.m4());
    let text = text::decode(read(&path, m4.as_deref())?);
    let is_another = hash(&text) != told;
    let (config, mut found) = check_text(&text);
    if !is_another {
        let key = |found: &Diagnostic| (found.line, found.code, found.message.clone());
        let (_, before) = check_with(config::load_briefly, &text);
        let before: BTreeSet<_> = before.iter().map(key).collect();
        found.retain(|diagnostic| !before.contains(&key(diagnostic)));
    }
    let site = Site::resolve(options, &config.globals);
    let seen = surroundings::around(&site, &config, Surroundings::default());
    found.extend(config::look_around(&text, &config, &seen));
    found.sort_by_key(|diagnostic| diagnostic.line);
    let origins = origins(&path, m4.as_deref(), &text);
    let lines = origins.locate(&text, &found).iter().map(|(place, warning)| logged(place, warning)).collect();
    Ok(Search { is_another, lines })
}

/// SHA-256, in hexadecimal.
pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text::encode(text)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads and checks a file; the errors that need this machine are among the others, in the order of the file.
pub(crate) fn read_checked(path: &Path, m4: Option<&OsStr>) -> io::Result<(Config, String, Vec<Diagnostic>)> {
    let text = text::decode(read(path, m4)?);
    let (config, diagnostics) = check_text(&text);
    Ok((config, text, diagnostics))
}

/// Checks a text as [`read_checked`] does a file.
pub(crate) fn check_text(text: &str) -> (Config, Vec<Diagnostic>) {
    check_with(config::load, text)
}

fn check_with(load: fn(&str) -> (Config, Vec<Diagnostic>), text: &str) -> (Config, Vec<Diagnostic>) {
    let (config, mut diagnostics) = load(text);
    diagnostics.extend(unreadable(config.globals.authfile.as_ref(), "authfile"));
    diagnostics.extend(unreadable(config.globals.userfile.as_ref(), "userfile"));
    diagnostics.sort_by_key(|diagnostic| diagnostic.line);
    (config, diagnostics)
}

/// Where a daemon without options would look for monitors, and where for alerts.
pub(crate) fn program_dirs(globals: &Globals) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let site = Site::resolve(&Options::default(), globals);
    (site.mondirs, site.alertdirs)
}

/// Reads and checks a file for another machine: the files that it names need not be on this one.
pub(crate) fn read_for_elsewhere(
    path: &Path,
    m4: Option<&OsStr>,
) -> io::Result<(Config, String, Vec<Diagnostic>)> {
    let text = text::decode(read(path, m4)?);
    let (config, diagnostics) = config::load(&text);
    Ok((config, text, diagnostics))
}

/// The bytes of a configuration file, through m4 where asked for.
fn read(path: &Path, m4: Option<&OsStr>) -> io::Result<Vec<u8>> {
    let shown = path.display();
    if !path.is_file() {
        return Err(io::Error::other(format!("config file {shown} does not exist")));
    }
    let Some(m4) = m4 else {
        return std::fs::read(path).map_err(|error| {
            io::Error::other(format!("could not open cf file: {shown}: {}", plain(&error)))
        });
    };
    let output = Command::new(m4).arg(path).stdin(Stdio::null()).output().map_err(|error| {
        io::Error::other(format!("could not open m4 pipe of cf file: {shown}: {}", plain(&error)))
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("m4 failed on cf file {shown}: {said}")))
}

fn unreadable(file: Option<&Located>, global: &str) -> Option<Diagnostic> {
    let located = file?;
    let path = text::encode(&located.value).into_owned();
    let path = Path::new(OsStr::from_bytes(&path));
    // Opening is the only sure test, but opening a pipe would wait for its other end.
    let readable = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => std::fs::File::open(path).is_ok(),
        found => found.is_ok(),
    };
    (!readable).then(|| diagnostic::unreadable_file(located, global))
}

/// Where the lines of `text` were written, which was read from that file through that m4. The second run of m4 is
/// for the map only; where it says something else, the places are those in m4's output.
pub(crate) fn origins(path: &Path, m4: Option<&OsStr>, text: &str) -> Origins {
    let name = path.display().to_string();
    let Some(m4) = m4 else { return Origins::of(&name) };
    let output = Command::new(m4).arg("-s").arg(path).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let synced =
        output.ok().filter(|output| output.status.success()).map(|output| text::decode(output.stdout));
    let Some(mut origins) = synced.and_then(|synced| Origins::synced(&name, text, &synced)) else {
        return Origins::lost(&name);
    };
    for (name, text) in origins.files_mut() {
        *text = std::fs::read(name).ok().map(text::decode);
    }
    origins
}

fn warn(place: &Place<'_>, warning: &Diagnostic) {
    // The two warnings that the original prints keep their words; they go to stderr as there.
    if let Some(line) = &warning.legacy {
        eprintln!("{line}");
    }
    log(Level::Warning, &logged(place, warning));
}

fn logged(place: &Place<'_>, found: &Diagnostic) -> String {
    let Place { file, line, column, .. } = place;
    let message = diagnostic::shown(&found.message);
    format!("{file}:{line}:{column}: {}[{}]: {message}", found.severity.word(), found.code)
}

fn complain_of_missing_dirs(site: &Site) {
    let dirs = [&site.statedir, &site.logdir].into_iter().chain(&site.mondirs).chain(&site.alertdirs);
    for dir in dirs.filter(|dir| !dir.is_dir()) {
        log(Level::Notice, &format!("{} does not exist", dir.display()));
    }
}

/// Programs that cannot do their work without a bit that this process may not hand on.
fn complain_of_set_id(config: &Config, site: &Site) {
    for need in set_id::needs(config, &site.mondirs, &site.alertdirs) {
        let (program, file) = (&need.program, need.file.display());
        let bars = format!("{program}: {file} has no use of its set-id bit here (NoNewPrivileges)");
        match need.is_own_mail {
            true => log(Level::Notice, &format!("{bars}: mail goes to port 25 of this machine")),
            false => log(Level::Warning, &format!("{bars}: mon doctor tells what to do")),
        }
    }
}

/// Finds every program that the configuration names: in the search path, else among those built in.
fn find_programs(config: &Config, site: &Site) -> Programs {
    let ourselves: Option<Arc<str>> =
        std::env::current_exe().ok().map(|path| Arc::from(path.to_string_lossy()));
    let find = |name: &str, dirs: &[PathBuf], is_builtin: fn(&str) -> bool| {
        let program = in_search_path(name, dirs).or_else(|| {
            let path = ourselves.clone().filter(|_| is_builtin(name))?;
            Some(Program { path, called: Some(name.into()) })
        });
        if program.is_none() {
            log(Level::Err, &format!("{name} not found in any of {dirs:?}, and it is not built in"));
        }
        program
    };
    Programs::look_up(
        config,
        |name| find(name, &site.mondirs, programs::is_builtin_monitor),
        |name| find(name, &site.alertdirs, programs::is_builtin_alert),
    )
}

fn in_search_path(name: &str, dirs: &[PathBuf]) -> Option<Program> {
    let executable = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let name = text::encode(name);
    let path = dirs.iter().map(|dir| dir.join(OsStr::from_bytes(&name))).find(executable)?;
    let path: OsString = path.into();
    Some(Program { path: text::decode(path.as_bytes().to_vec()).into(), called: None })
}

/// The lines of the historicfile, as far back as `historictime` says.
fn read_history(file: &Path, config: &Config) -> Vec<Arc<str>> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            log(Level::Err, &format!("could not read history from {}: {}", file.display(), plain(&error)));
            return Vec::new();
        }
    };
    let oldest = config.globals.historictime.map(|span| super::clock::wall() - span.whole_secs());
    let recent = |line: &&str| {
        let time = line.split_whitespace().nth(3).and_then(|time| time.parse().ok()).unwrap_or(0);
        oldest.is_none_or(|oldest| time >= oldest)
    };
    let text = text::decode(bytes);
    let told = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().filter(told).filter(recent).map(Arc::from).collect()
}

/// Reads auth.cf; what cannot be used is an error that stops a start, and leaves the old rules on a reload.
pub(super) fn auth(path: &Path) -> Result<Auth, String> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("could not open {}: {}", path.display(), plain(&error)))?;
    let (mut auth, issues) = auth::parse(&text::decode(bytes));
    for issue in &issues {
        if issue.fatal {
            return Err(format!("could not parse line {} of auth file", issue.line));
        }
        log(Level::Err, &format!("{}, line {}: {}", path.display(), issue.line, issue.message));
    }
    let names: Vec<String> = auth.trap_host_names().map(str::to_owned).collect();
    for name in names {
        resolve(&name).into_iter().for_each(|address| auth.resolve(&name, address));
    }
    for issue in auth.unresolved() {
        log(Level::Err, &format!("{}, line {}: {}", path.display(), issue.line, issue.message));
    }
    Ok(auth)
}

fn resolve(name: &str) -> Vec<IpAddr> {
    (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

/// An error in the words of the C library, without Rust's number behind it.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
