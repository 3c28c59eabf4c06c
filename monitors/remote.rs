//! `remote.monitor`: what do other mon servers report?

mod ask;
mod judge;
mod passwords;
mod select;
pub mod visit;

use std::fmt::Write as _;
use std::time::Duration;

use remon_core::getopt::{self, Options, Takes};
use remon_core::{netdb, reason, text};

use self::ask::Question;
use self::judge::{Answer, LeaveOut, Rules, Seen, Style};
use self::passwords::Passwords;
use self::select::Selection;
use crate::invocation::{self, Invocation};
use crate::parallel;
use crate::report::Report;

const USAGE: &str = "usage: remote.monitor [OPTION]... SERVER[:PORT]...

Asks mon servers for their services and fails if any of them is failing.

  -p, --port N            their port (2583)
  -t, --timeout SECS      time for the whole conversation with a server (10)
      --summary           name the services in the first line:
                          SERVER([WATCH:SERVICE|SERVICE][WATCH:SERVICE])
      --bigsummary        and their summaries: SERVICE{SUMMARY}
      --alerts_sent N     only services with at least N alerts sent (1)
      --failure_duration SECS
                          only services that have failed for so long (0)
  -e, --exclude WATCH[:SERVICE]
                          not these; several with commas or several options;
                          * and ? stand for any text and any character
  -r, --restrict WATCH[:SERVICE]
                          only these
      --passwordfile FILE lines SERVER:USER:PASSWORD for servers that want it
      --acked WHAT        acknowledged failures: report (default) or ignore
      --disabled WHAT     leave out what is disabled there: services (default),
                          all (watches too) or none
      --stale             report too what was not checked for three intervals
      --undelivered       report at once what the server could not alert about:
                          its alert failed, hung, or is not there at all
  -d, --debug             tell what the servers said
  -h, --help              this text
";

/// A name after `=` is ours and must be spelled whole, so that the original's abbreviations stay clear.
const OPTIONS: [(&str, Takes); 15] = [
    ("port|p", Takes::MaybeNumber),
    ("timeout|t", Takes::MaybeNumber),
    ("summary", Takes::Nothing),
    ("bigsummary", Takes::Nothing),
    ("failure_duration", Takes::MaybeNumber),
    ("alerts_sent", Takes::MaybeNumber),
    ("debug|d", Takes::Nothing),
    ("help|h", Takes::Nothing),
    ("exclude|e", Takes::MaybeValue),
    ("restrict|r", Takes::MaybeValue),
    ("passwordfile", Takes::Value),
    ("=acked", Takes::Value),
    ("=disabled", Takes::Value),
    ("=stale", Takes::Nothing),
    ("=undelivered", Takes::Nothing),
];

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let mut options = getopt::long(&OPTIONS, &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let rules = rules(&mut options);
    let passwords = match read_passwords(options.value("passwordfile")) {
        Ok(passwords) => passwords,
        Err(complaint) => return Report::failure(complaint).with_complaints(&options.complaints),
    };
    let seen = ask_all(&options, &rules, &passwords);
    let mut report = judge::judge(&rules, &options.words, &seen);
    if options.has("debug") {
        report.detail += &told(&options.words, &seen);
    }
    with_complaints(report, &options.complaints)
}

/// What is wrong with the command line is never a success: a check may be missing that somebody relies on.
fn with_complaints(report: Report, complaints: &[String]) -> Report {
    match complaints.split_first() {
        Some((first, rest)) if report.summary.is_empty() => {
            Report { detail: report.detail, ..Report::failure(first.clone()) }.with_complaints(rest)
        }
        _ => report.with_complaints(complaints),
    }
}

fn rules(options: &mut Options) -> Rules {
    let number = |name| options.value(name).and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
    let style = match (options.has("summary"), options.has("bigsummary")) {
        (_, true) => Style::Summaries,
        (true, false) => Style::Services,
        (false, false) => Style::Hosts,
    };
    let (mut acked, mut disabled, mut complaints) = (true, LeaveOut::Services, Vec::new());
    match options.value("acked") {
        None | Some("report") => {}
        Some("ignore") => acked = false,
        Some(other) => complaints.push(format!("Option acked takes report or ignore, not \"{other}\"")),
    }
    match options.value("disabled") {
        None | Some("services") => {}
        Some("all") => disabled = LeaveOut::WatchesToo,
        Some("none") => disabled = LeaveOut::Nothing,
        Some(other) => {
            complaints.push(format!("Option disabled takes services, all or none, not \"{other}\""))
        }
    }
    let rules = Rules {
        style,
        // As in the original, 0 means the default.
        alerts_sent: if number("alerts_sent") == 0 { 1 } else { number("alerts_sent") },
        failure_duration: number("failure_duration"),
        exclude: Selection::of(options.all("exclude")),
        restrict: Selection::of(options.all("restrict")),
        disabled,
        acked,
        stale: options.has("stale"),
        undelivered: options.has("undelivered"),
        timeout: invocation::seconds(options.value("timeout"), DEFAULT_TIMEOUT),
    };
    options.complaints.append(&mut complaints);
    rules
}

fn read_passwords(file: Option<&str>) -> Result<Passwords, String> {
    let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(Passwords::default()) };
    let bytes = std::fs::read(invocation::path(file))
        .map_err(|error| format!("Can't open {file}: {}", reason::of(&error)))?;
    Passwords::parse(&text::decode(bytes))
        .map_err(|line| format!("{file} line {line} is not SERVER:USER:PASSWORD"))
}

/// Asks every server at the same time, each within its own time.
fn ask_all(options: &Options, rules: &Rules, passwords: &Passwords) -> Vec<Seen> {
    let default_port = options.truthy("port").map(str::to_owned);
    let (timeout, state, passwords) = (rules.timeout, rules.stale, passwords.clone());
    let deliveries = rules.undelivered;
    let probe = move |word: &str| {
        let (host, port) = netdb::split_port(word);
        let port =
            match port.or(default_port.as_deref()).map_or(Some(netdb::MON_PORT), |port| port.parse().ok()) {
                Some(port) => port,
                None => return Seen::NotConnected("there is no such port".to_owned()),
            };
        let login = passwords.find(word, host);
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let deadline = std::time::Instant::now() + timeout;
        Question { host: host.to_owned(), port, login, state, deliveries, deadline }.ask()
    };
    let seen = parallel::probe_all(&options.words, parallel::deadline(options.words.len(), timeout), probe);
    seen.into_iter().map(|seen| seen.unwrap_or(Seen::TimedOut)).collect()
}

/// What `--debug` adds.
fn told(hosts: &[String], seen: &[Seen]) -> String {
    let mut out = String::new();
    for (host, seen) in hosts.iter().zip(seen) {
        let _ = writeln!(out, "testing mon server {host} :");
        let Seen::Answer(answer) = seen else {
            let _ = writeln!(out, "{seen:?}");
            continue;
        };
        let Answer { services, disabled, scheduler, server_time, .. } = &**answer;
        for service in services {
            let fields = service.iter().map(|(name, value)| format!("{name}={}", value.escape_debug()));
            let _ = writeln!(out, "{}", fields.collect::<Vec<_>>().join(" "));
        }
        let _ = writeln!(out, "{disabled:?}\n{scheduler:?}, its clock: {server_time:?}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[&str]) -> (String, u8) {
        let report = run(&Invocation::of(words));
        (report.text(), report.exit)
    }

    #[test]
    fn nobody_to_ask() {
        assert_eq!(text(&["-p", "12583"]), (String::new(), 0));
    }

    #[test]
    fn a_wrong_option_is_never_a_success() {
        assert_eq!(text(&["--zork"]), ("Unknown option: zork\n".to_owned(), 1));
        assert_eq!(text(&["--port=x", "--zork"]).1, 1);
        let acked = "Option acked takes report or ignore, not \"no\"\n";
        assert_eq!(text(&["--acked", "no"]), (acked.to_owned(), 1));
    }

    #[test]
    fn password_files_that_will_not_do() {
        let (output, exit) = text(&["--passwordfile", "/nonexistent", "127.0.0.1"]);
        assert_eq!((output.as_str(), exit), ("Can't open /nonexistent: No such file or directory\n", 1));
        let (output, exit) = text(&["--passwordfile", "/dev/zero/x"]);
        assert_eq!((output.starts_with("Can't open"), exit), (true, 1));
    }

    #[test]
    fn servers_that_are_not_there() {
        let (output, exit) = text(&["--summary", "-t", "5", "127.0.0.9:1", "h:x", &"x".repeat(70)]);
        let long = "x".repeat(70);
        let expect = format!(
            "127.0.0.9:1:CONNECT h:x:CONNECT {long}:CONNECT\n\n\
             Details for 127.0.0.9:1 failure :\nConnection failed: connect failed, Connection refused\n\n\
             Details for h:x failure :\nConnection failed: there is no such port\n\n\
             Details for {long} failure :\nConnection failed: could not resolve host\n\n"
        );
        assert_eq!((output, exit), (expect, 1));
    }
}
