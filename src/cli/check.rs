//! `mon check [FILE…]`: everything that is wrong with configuration files, at once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use remon_core::config::surroundings::{Peer, RunTime, Surroundings};
use remon_core::config::{Config, Diagnostic, Origins, Place, diagnostic, look_around};
use remon_core::text;
use remon_core::wire::opstatus::StatusLine;

use super::json::Json;
use crate::daemon::load::{origins, read_checked, read_for_elsewhere};
use crate::daemon::record::{Reader, is_record};
use crate::daemon::surroundings::around_here;

/// Nothing, or warnings only.
const FINE: u8 = 0;
/// The daemon refuses this file.
const REFUSED: u8 = 1;
/// There is no file to say anything about.
const UNREADABLE: u8 = 2;

const MORE: &str = "\
Exit status: 0 if the daemon can use every file (there may be warnings), 1 if it
refuses one, 2 if one cannot be read or the command line is wrong.

`mon explain CODE` tells more about a code such as W001, with examples.

--format short prints one line for each finding, as editors read it:
    FILE:LINE:COLUMN: error|warning: TEXT [CODE]
--format json prints one object for each, a line each, with these members:
    file, line, column       where it begins, counted from 1, in characters
    end_column               one past the last marked character of that line
    severity, code           \"error\" or \"warning\"; E and W with three digits
    message, label, help     what is wrong; the same of the marked words; what to
                             write instead (null where nothing can be said)
    text, expanded           the line; what m4 made of it (null: it is the same)";

/// Arguments of `mon check`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct CheckArgs {
    /// The configuration files
    #[arg(default_value = "/etc/mon/mon.cf")]
    files: Vec<PathBuf>,
    /// Run the file through m4 first, as is always done for a name that ends in `.m4`
    #[arg(short = 'M', long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "m4")]
    m4: Option<OsString>,
    /// How to print what is found
    #[arg(long, value_enum, default_value = "long")]
    format: Format,
    /// The mon.cf of the other server of a pair, to be held against this one
    #[arg(long, value_name = "FILE")]
    peer: Option<PathBuf>,
    /// Where the run times of monitors are, if not in the record of the daemon here: another record (history.db), or
    /// what `moncmd list opstatus` prints, from FILE or `-`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The files are for another machine: do not look for their programs and auth.cf on this one
    #[arg(long)]
    elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A paragraph for each, with the line and its words underlined
    Long,
    /// A line for each
    Short,
    /// An object for each
    Json,
}

/// Checks the files and prints what is wrong.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let aside = match Aside::read(args) {
        Ok(aside) => aside,
        Err(error) => return unreadable(&error),
    };
    let mut worst = FINE;
    let mut counts = (0, 0);
    for file in &args.files {
        worst = worst.max(match check(file, args, &aside, &mut counts) {
            Ok(status) => status,
            Err(error) => {
                let _ = unreadable(&error);
                UNREADABLE
            }
        });
    }
    if args.format == Format::Long && worst != UNREADABLE {
        say(&format!("{}\n", diagnostic::counts(counts.0, counts.1)));
    }
    ExitCode::from(worst)
}

fn unreadable(error: &io::Error) -> ExitCode {
    eprintln!("mon check: {error}");
    ExitCode::from(UNREADABLE)
}

/// A reader that has seen enough (`| head`) is no reason to complain.
fn say(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

fn check(file: &Path, args: &CheckArgs, aside: &Aside, counts: &mut (usize, usize)) -> io::Result<u8> {
    let m4 = m4_for(file, args);
    let m4 = m4.as_deref();
    let read = if args.elsewhere { read_for_elsewhere } else { read_checked };
    let (config, text, mut diagnostics) = read(file, m4)?;
    let mut seen = Surroundings {
        durations: aside.durations.clone(),
        run_times: aside.run_times.clone(),
        ..Surroundings::default()
    };
    if let Some((peer, config)) = &aside.peer {
        seen.peer = Some(Peer { file: peer.clone(), config: config.clone() });
    }
    if !args.elsewhere {
        seen = around_here(&config, seen);
    }
    diagnostics.extend(look_around(&text, &config, &seen));
    let origins = if diagnostics.is_empty() { Origins::default() } else { origins(file, m4, &text) };
    say(&match args.format {
        Format::Long => diagnostic::render_at(&diagnostics, &text, &origins),
        Format::Short => diagnostic::render_short(&diagnostics, &text, &origins),
        Format::Json => {
            let located = origins.locate(&text, &diagnostics);
            located.iter().map(|(place, diagnostic)| object(place, diagnostic).text()).collect()
        }
    });
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    *counts = (counts.0 + errors, counts.1 + diagnostics.len() - errors);
    Ok(if errors > 0 { REFUSED } else { FINE })
}

fn m4_for(file: &Path, args: &CheckArgs) -> Option<OsString> {
    let by_name = file.extension().is_some_and(|extension| extension == "m4");
    args.m4.clone().or_else(|| by_name.then(|| "m4".into()))
}

/// What is read beside the files themselves.
#[derive(Debug, Default)]
struct Aside {
    peer: Option<(String, Config)>,
    durations: BTreeMap<(String, String), u64>,
    run_times: BTreeMap<(String, String), RunTime>,
}

impl Aside {
    fn read(args: &CheckArgs) -> io::Result<Aside> {
        let mut aside = Aside::default();
        if let Some(peer) = &args.peer {
            let (config, ..) = read_for_elsewhere(peer, m4_for(peer, args).as_deref())?;
            aside.peer = Some((peer.display().to_string(), config));
        }
        if let Some(record) = args.state.as_deref().filter(|state| is_record(state)) {
            aside.run_times =
                Reader::open(record).and_then(|reader| reader.run_times()).map_err(|problem| {
                    io::Error::other(format!("could not read the record {}: {problem}", record.display()))
                })?;
        } else if let Some(state) = &args.state {
            let text = read_state(state).map_err(|error| {
                io::Error::new(error.kind(), format!("could not read {}: {error}", state.display()))
            })?;
            aside.durations =
                text.lines().filter_map(StatusLine::parse).filter_map(|line| duration(&line)).collect();
        }
        Ok(aside)
    }
}

fn read_state(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    match path.to_str() {
        Some("-") => io::stdin().read_to_end(&mut bytes)?,
        _ => std::fs::File::open(path)?.read_to_end(&mut bytes)?,
    };
    Ok(text::decode(bytes))
}

/// How long the last run of a service took; -1 stands for none yet.
fn duration(line: &StatusLine) -> Option<((String, String), u64)> {
    let seconds = line.get("monitor_duration").parse().ok()?;
    Some(((line.group().to_owned(), line.service().to_owned()), seconds))
}

fn object(place: &Place<'_>, diagnostic: &Diagnostic) -> Json {
    let number = |number: usize| Json::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let maybe = |text: Option<&str>| text.map_or(Json::Null, Json::str);
    let fields = [
        ("file", Json::str(&place.file)),
        ("line", number(place.line)),
        ("column", number(place.column)),
        ("end_column", number(place.end_column)),
        ("severity", Json::str(diagnostic.severity.word())),
        ("code", Json::str(diagnostic.code)),
        ("message", Json::str(&diagnostic.message)),
        ("label", Json::str(&diagnostic.label)),
        ("help", maybe(diagnostic.help.as_deref())),
        ("text", Json::str(place.text)),
        ("expanded", maybe(place.expanded)),
    ];
    Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
