//! `mon why` and `mon history`: why was nobody told, and what has happened?

mod history;
mod reasons;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use remon_core::nouns::Wall;
use remon_core::text::encode;
use remon_core::wire::why::{Told, spell_record};

use super::server::ServerArgs;
use super::simulate::Format;
use super::{localtime, when};
use crate::daemon::record::Reader;
use crate::daemon::zone;

/// The question could not be asked, or was refused.
const TROUBLE: u8 = 1;

/// Would anybody be told if this service failed now, and if not, which rule holds it back?
///
/// Asks the running daemon. For each period and alert line of the service it says whether it would be called,
/// or which rule of mon.cf holds it back, with that rule's line, its counters, and when an alert could go out next;
/// then what was decided lately. With --at: what was decided then.
#[derive(Debug, clap::Args)]
pub(crate) struct WhyArgs {
    /// The group, or GROUP/SERVICE
    group: String,
    /// The service
    service: Option<String>,
    /// What was decided then: 14:05, -2h, "2026-11-22 14:05", or seconds since the epoch
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// What has happened to a service, from the daemon's record
///
/// Results, decisions, alerts and their outcomes, and what operators did, oldest first.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The group, or GROUP/SERVICE; without it everything is shown
    group: Option<String>,
    /// The service
    service: Option<String>,
    /// From this time on: 14:05, -2h, "2026-11-22 14:05", or seconds since the epoch
    #[arg(long, value_name = "TIME", default_value = "-1d", allow_hyphen_values = true)]
    from: String,
    /// Up to this time (now)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Ask this file instead of the daemon, which may be gone: STATEDIR/remon/history.db, or a copy of it
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// `record`: for programs, in the words of `list record`
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Results like the one before one by one, each with its time and how long the monitor ran
    #[arg(long)]
    each: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks, and prints the answer.
pub(crate) fn run(args: &WhyArgs) -> ExitCode {
    let answer = || {
        let (group, service) = names(&args.group, args.service.as_deref())?;
        let at = args.at.as_deref().map(moment).transpose()?;
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        let lines = args.server.ask(&format!("why {group} {service}{at}"))?;
        Ok(text::render(&read(&lines), &localtime::civil))
    };
    finish("why", answer())
}

/// Asks, and prints the answer.
pub(crate) fn run_history(args: &HistoryArgs) -> ExitCode {
    let answer = || {
        let whose = args.group.as_deref().map(|group| names(group, args.service.as_deref())).transpose()?;
        let from = moment(&args.from)?;
        let to = args.to.as_deref().map_or_else(|| Ok(localtime::now()), moment)?;
        let lines = match &args.record {
            Some(file) => recorded(file, whose.as_ref(), (from, to), args.each)?,
            None => {
                let whose = whose.map_or_else(String::new, |(group, service)| format!("{group} {service} "));
                let each = if args.each { " each" } else { "" };
                args.server.ask(&format!("list record {whose}{from} {to}{each}"))?
            }
        };
        Ok(match args.format {
            Format::Text => history::render(&read(&lines), args.each, &localtime::civil),
            Format::Record => lines.into_iter().map(|line| line + "\n").collect(),
        })
    };
    finish("history", answer())
}

/// What the daemon would answer that has this record.
fn recorded(
    file: &Path,
    whose: Option<&(String, String)>,
    (from, to): (Wall, Wall),
    each: bool,
) -> Result<Vec<String>, String> {
    let whose = whose.map(|(group, service)| (group.as_str(), service.as_str()));
    let entries = Reader::open(file).and_then(|reader| reader.everything(whose, from, to, usize::MAX, each));
    let entries = entries.map_err(|problem| format!("cannot read {}: {problem}", file.display()))?;
    Ok(spell_record(&entries).lines().map(str::to_owned).collect())
}

fn read(lines: &[String]) -> Vec<Told> {
    lines.iter().map(|line| Told::read(line).cleaned(plain)).collect()
}

/// On one line, and nothing in it that a terminal would obey: monitors print what others tell them.
fn plain(value: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    value.trim_end().replace('\n', " | ").chars().map(shown).collect()
}

/// `web http`, or `web/http`; neither may hold what would be another word of the command.
fn names(group: &str, service: Option<&str>) -> Result<(String, String), String> {
    let both = match service {
        Some(service) => Some((group, service)),
        None => group.split_once(['/', ':']),
    };
    let (group, service) = both.ok_or("the service is missing: GROUP SERVICE, or GROUP/SERVICE")?;
    let bad = |name: &str| name.is_empty() || name.contains(char::is_whitespace);
    if bad(group) || bad(service) {
        return Err(format!("`{group}` `{service}` is no group and service"));
    }
    Ok((group.to_owned(), service.to_owned()))
}

fn moment(text: &str) -> Result<Wall, String> {
    when::parse(text, localtime::now(), &zone::local())
}

fn finish(subcommand: &str, answer: Result<String, String>) -> ExitCode {
    match answer {
        // A reader that has seen enough (`| head`) is no reason to complain.
        Ok(text) => {
            let _ = io::stdout().lock().write_all(&encode(&text));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("mon {subcommand}: {problem}");
            ExitCode::from(TROUBLE)
        }
    }
}
