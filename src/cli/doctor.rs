//! `mon doctor`: is everything there that this configuration needs? Looks, asks and logs in, but changes nothing and
//! sends nothing.

mod accounts;
mod clock;
mod configuration;
mod confinement;
mod files;
mod mirror;
mod names;
mod peers;
mod pings;
mod programs;
mod report;
mod scripts;
mod server;
mod sockets;
mod sys;
mod together;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use remon_core::config::Config;
use remon_core::text;

use self::confinement::Confinement;
use self::report::{Area, Finding, Report, Severity};
use self::sockets::Sockets;
use self::sys::User;
use super::programs as built_in;
use crate::daemon::lookout::{Flags, Places};

/// The command line cannot be meant, or we may not act for the user.
const USAGE: u8 = 2;

/// The user that Debian's package makes.
const MON: &str = "mon";

const MORE: &str = "\
Looks at the configuration, the programs that it names, the files that mon
reads and writes, the running daemon and its ports, the clock, the names of
all hosts, and at what the alerts and remote.monitor lines need: it connects
to mail and XMPP servers, logs in and goes again; it asks other mon servers
what they watch. It sends no message, starts no monitor and no alert, and
changes no file.

As root it does so as the user mon, or as the one that --user names, so that
what it can read and reach is what mon can. Other users do not see that: they
get the rest, or all of it with their own name after --user, if it is they who
run mon.

Exit status: 0 if all is well, 1 if there are warnings, 2 if there are faults,
or if the command line is wrong. Notes do not count.

--format json prints one object with the members file, user, faults,
warnings, findings; each finding has severity (fault, warning, note, ok), area
(configuration, programs, files, daemon, clock, names, alerts, peers), text
and advice.";

/// Arguments of `mon doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct DoctorArgs {
    /// The configuration file [/etc/mon/mon.cf]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The user that mon runs as; only root can choose
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// How long each server may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
    /// Ask nobody: no names, no servers, no daemon
    #[arg(long)]
    offline: bool,
    /// How to print what is found
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The flags that the daemon is started with, if any
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, what is worst first
    Text,
    /// For programs
    Json,
}

/// Whom we look at.
struct Patient {
    config: Config,
    places: Places,
    file: PathBuf,
    user: User,
    /// We are somebody whom mon has nothing to do with: what we may do says nothing about mon.
    is_stranger: bool,
    limit: Duration,
    /// Nobody is asked, not even this machine's mail server.
    is_offline: bool,
    /// How the daemon that runs is confined; `None` if none runs, or nobody may know.
    confinement: Option<Confinement>,
}

/// Looks at everything and prints what was found.
pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    let mut words = vec![OsString::from("mon")];
    words.extend(args.flags.iter().cloned());
    if let Some(file) = &args.config {
        words.extend(["-c".into(), file.clone().into_os_string()]);
    }
    let flags = match Flags::read(words) {
        Ok(flags) => flags,
        Err(why) => return built_in::complain(&format!("mon doctor: {why}"), USAGE),
    };
    // Only root sees whose sockets those are, so this comes before we act for somebody else.
    let sockets = Sockets::look();
    let (user, is_stranger) = match act_for(args.user.as_deref()) {
        Ok(found) => found,
        Err(why) => return built_in::complain(&format!("mon doctor: {why}"), USAGE),
    };
    let mut findings = Vec::from_iter(about_user(&user, is_stranger));
    let mut report = Report::default();
    let file = flags.config_path();
    let (config, of_config) = configuration::read(&file, &flags);
    findings.extend(of_config);
    if let Some(config) = config {
        let places = flags.places(&config.globals);
        let limit = Duration::from_secs(args.timeout.into());
        let confinement = confinement::of_daemon(&sockets, &places);
        let (file, user) = (file.clone(), user.clone());
        let is_offline = args.offline;
        let patient = Patient { config, places, file, user, is_stranger, limit, is_offline, confinement };
        findings.extend(look(&patient, &sockets));
        if !findings.iter().any(|found| found.area == Area::Programs && found.severity < Severity::Note) {
            findings.push(programs::all_there(&patient));
        }
    }
    report.add(findings);
    let out = match args.format {
        Format::Text => report.text(),
        Format::Json => report.json(&text::decode(file.into_os_string().into_encoded_bytes()), &user.name),
    };
    built_in::exit_after(io::stdout().lock().write_all(&text::encode(&out)), report.exit())
}

/// Becomes the user that mon runs as, if we may; are we, if not, a stranger to it?
fn act_for(name: Option<&str>) -> Result<(User, bool), String> {
    let ourselves = User::ourselves();
    let wanted = match name {
        Some(name) => User::named(name).ok_or_else(|| format!("there is no user {name}"))?,
        None => User::named(MON).unwrap_or_else(|| ourselves.clone()),
    };
    if wanted.uid == ourselves.uid {
        return Ok((ourselves, false));
    }
    if name.is_none() && ourselves.uid != 0 {
        return Ok((ourselves, true));
    }
    wanted.become_it().map_err(|error| {
        format!("cannot act for the user {}: {}", wanted.name, remon_core::reason::of(&error))
    })?;
    Ok((wanted, false))
}

fn about_user(user: &User, is_stranger: bool) -> Option<Finding> {
    let User { name, uid, .. } = user;
    if is_stranger {
        let text = format!("as {name}, what mon may read and write, and its accounts, were not looked at");
        let advice = format!("run mon doctor as root, or with --user {name} if that is whom mon runs as");
        return Some(Area::Files.note(text, advice));
    }
    let advice = "mon need not be root: make a user for it, and name it with --user";
    (*uid == 0).then(|| Area::Files.note("looked at as root, who may do everything", advice))
}

/// Everything else; what takes time is done at once.
fn look(patient: &Patient, sockets: &Sockets) -> Vec<Finding> {
    let mut findings = programs::look(patient);
    findings
        .extend(patient.confinement.iter().flat_map(|confinement| confinement::look(patient, confinement)));
    findings.extend(patient.confinement.iter().filter_map(|confinement| pings::look(patient, confinement)));
    findings.extend(clock::look(patient));
    let mut jobs = Vec::new();
    if !patient.is_stranger {
        findings.extend(files::look(patient));
        let (near, far) = accounts::look(patient);
        findings.extend(near);
        jobs.extend(far);
    }
    if patient.is_offline {
        let text = "names, servers and the daemon were not asked (--offline)";
        findings.push(Area::Daemon.note(text, ""));
        return findings;
    }
    jobs.extend(names::look(patient));
    let peers = peers::look(patient);
    jobs.push(server::look(patient, sockets, !peers.is_empty()));
    jobs.extend(peers);
    findings.extend(together::run(jobs, patient.limit));
    findings
}

/// `1 service`, `2 services`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
