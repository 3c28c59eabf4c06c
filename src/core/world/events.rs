//! What happens in a simulation: a text that people write, and that a recorded history can be written into.
//!
//! One event a line, `TIME WHAT`; lines that begin with `|` add to the output of the line above; `#` begins a
//! comment. [`parse()`] finds every mistake at once, [`spell`] is its inverse.
//!
//! ```text
//! from 2026-11-23 02:00
//! +10m        fail web/ping "web1 web2"
//!             | web1: no answer
//! +25m        ack web/ping "on it"
//! Mon 03:00   ok web/ping
//! ```

mod line;
mod parse;
mod recorded;
mod settings;
mod target;
mod time;
mod verb;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Zone;
use crate::config::{Config, Diagnostic};
use crate::engine::{Command, Ending, StateFile, Target, Test};
use crate::nouns::{ServiceKey, Wall};
use crate::wire::command;

pub use parse::parse;
pub use recorded::{Known, Replay, of_record};
pub use time::{Moment, span};

/// Where a simulation begins of which nothing says so: on a Monday, the first of a month and of a year.
pub const DEFAULT_FROM: ((i32, u8, u8), (u8, u8, u8)) = ((2024, 1, 1), (0, 0, 0));

/// The longest simulation: what is longer was not meant.
pub const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

/// A text of events, understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// `from`: when the daemon starts; else midnight of the first event that has a date, else [`DEFAULT_FROM`].
    pub from: Wall,
    /// `until` or `for`: when the simulation ends.
    pub until: Option<Wall>,
    /// `seed`: decides what is left to chance.
    pub seed: Option<u64>,
    /// `takes`: how long a run takes of which no event says so.
    pub takes: Option<Duration>,
    /// `begin`: how the daemon begins.
    pub begin: Begin,
    /// `missing`: programs that are not there.
    pub missing: BTreeSet<String>,
    /// In the order in which they happen; events of one moment in the order of the text.
    pub events: Vec<Occurrence>,
    /// Names that a recorded history has and the configuration has not.
    pub unknown: BTreeSet<String>,
}

/// How a daemon begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begin {
    /// It reads these state files (`-l`).
    pub loaded: Vec<StateFile>,
    /// Its scheduler is stopped (`-S`).
    pub stopped: bool,
}

/// Something that happens at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When.
    pub at: Wall,
    /// What.
    pub what: What,
}

/// What can happen in a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `ok`, `fail`: from now on the monitor of a service ends so.
    Result {
        /// Whose.
        service: ServiceKey,
        /// How; what is not said of its length is left to the simulation.
        ending: Ending,
        /// stdout and stderr.
        output: String,
        /// How long it takes.
        takes: Option<Duration>,
    },
    /// `trap`: one comes in.
    Trap {
        /// The names in it, which the configuration need not know.
        service: ServiceKey,
        /// Its `sta`.
        status: i64,
        /// Its summary and detail.
        output: String,
    },
    /// `ack`
    Ack {
        /// Whose failure.
        service: ServiceKey,
        /// What the operator says.
        comment: String,
    },
    /// `disable`
    Disable(Target),
    /// `enable`
    Enable(Target),
    /// `restart`: the daemon ends, and a new one begins.
    Restart(Begin),
    /// `hangup`: SIGHUP.
    HangUp,
    /// `config`: mon.cf is replaced by that file; who reads it next finds it so.
    Config(String),
    /// `due`: what is due at that moment happens before the events below.
    Due,
    /// Any other command of a client, in the words of the protocol.
    Command(String),
    /// `as`: the command of a client who has logged in under that name.
    CommandOf {
        /// The name.
        user: String,
        /// In the words of the protocol.
        line: String,
    },
}

/// What events are read against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Names must be known to one of these.
    pub configs: &'a [Config],
    /// Local time.
    pub zone: &'a Zone,
    /// When the simulation begins, whatever the text says.
    pub from: Option<Wall>,
    /// A recorded history: names that are not known (any more) are left out, and told in [`Script::unknown`].
    pub recorded: bool,
}

/// The zone that a text asks for, which is needed to read the rest of it.
#[must_use]
pub fn zone_of(text: &str) -> Option<&str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut settings = lines.map(|line| line.trim().split_once(char::is_whitespace).unwrap_or_default());
    settings.find(|(keyword, _)| *keyword == "zone").map(|(_, name)| name.trim())
}

/// The files that `config` lines name, which are needed to read the rest: names in it may be known to them only.
#[must_use]
pub fn configs_of(text: &str) -> BTreeSet<String> {
    let events = text.lines().filter_map(|line| {
        let words = line::words(line, 0).ok()?;
        let (_, used) = time::take(&words).ok()?;
        match &words[used..] {
            [verb, file, ..] if verb.bare() == "config" => Some(file.text.clone()),
            _ => None,
        }
    });
    events.collect()
}

/// Reads a time as people give it on a command line; `from` is what `+10m` is counted from.
///
/// # Errors
/// What is wrong with it.
pub fn moment(text: &str, zone: &Zone, from: Wall) -> Result<Wall, String> {
    let words = line::words(text, 0).map_err(|complaint| complaint.message)?;
    let (moment, used) = time::take(&words).map_err(|complaint| complaint.message)?;
    if used < words.len() {
        return Err(format!("`{}` is more than a time", text.trim()));
    }
    moment.resolve(zone, from, from)
}

/// The events of `--fail SERVICE@FROM[..UNTIL][=SUMMARY]`, as a text.
#[must_use]
pub fn from_option(verb: &str, value: &str) -> String {
    let (value, summary) = match value.split_once('=') {
        Some((value, summary)) => (value, format!(" {}", line::quoted(summary))),
        None => (value, String::new()),
    };
    let (service, span) = value.rsplit_once('@').unwrap_or((value, "0s"));
    let time = |text: &str| match span_of(text) {
        true => format!("+{text}"),
        false => text.to_owned(),
    };
    match span.split_once("..") {
        Some((begin, end)) if !end.is_empty() => {
            format!("{} {verb} {service}{summary}\n{} ok {service}\n", time(begin), time(end))
        }
        Some((begin, _)) => format!("{} {verb} {service}{summary}\n", time(begin)),
        None => format!("{} {verb} {service}{summary}\n", time(span)),
    }
}

fn span_of(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && span(text).is_some()
}

/// The events as a text that [`parse()`] reads; each has its time in seconds since the epoch.
#[must_use]
pub fn spell(events: &[Occurrence]) -> String {
    let mut out = String::new();
    for Occurrence { at, what } in events {
        out += &format!("@{at} {}\n", what.first_line());
        for detail in what.detail() {
            out += &format!("    | {detail}\n");
        }
    }
    out
}

impl Script {
    /// The text of a simulation that can be kept.
    #[must_use]
    pub fn spell(&self) -> String {
        let mut out = format!("from @{}\n", self.from);
        if self.begin != Begin::default() {
            out += &format!("begin{}\n", self.begin.words());
        }
        for program in &self.missing {
            out += &format!("missing {}\n", line::word(program));
        }
        out + &spell(&self.events)
    }
}

impl Begin {
    /// The words after `restart` and `begin`, each with a blank before it.
    #[must_use]
    pub fn words(&self) -> String {
        let files = match self.loaded[..] {
            [] => "",
            [StateFile::Disabled] => " disabled",
            [StateFile::Opstatus] => " opstatus",
            _ => " all",
        };
        format!("{files}{}", if self.stopped { " stopped" } else { "" })
    }
}

impl What {
    /// The line of an event, without its time.
    #[must_use]
    pub fn first_line(&self) -> String {
        let name = |key: &ServiceKey| line::word(&format!("{}/{}", key.group, key.service));
        match self {
            What::Result { service, ending, output, takes } => {
                let verb = if *ending == Ending::Exited(0) { "ok" } else { "fail" };
                let ending = match ending {
                    Ending::Exited(0 | 1) => String::new(),
                    Ending::Exited(status) => format!(" exit {status}"),
                    Ending::Killed(signal) => format!(" signal {signal}"),
                    Ending::NotStarted(why) => format!(" not-started {}", line::quoted(why)),
                };
                let takes = takes.map_or(String::new(), |takes| format!(" takes {}s", takes.as_secs()));
                // That nothing is said is usual where all is well.
                let said = if verb == "ok" && output.is_empty() { String::new() } else { summary(output) };
                format!("{verb} {}{ending}{takes}{said}", name(service))
            }
            What::Trap { service, status, output } => {
                format!("trap {} exit {status}{}", name(service), summary(output))
            }
            What::Ack { service, comment } => format!("ack {} {}", name(service), line::quoted(comment)),
            What::Disable(target) => format!("disable {}", target_words(target)),
            What::Enable(target) => format!("enable {}", target_words(target)),
            What::Restart(begin) => format!("restart{}", begin.words()),
            What::HangUp => "hangup".to_owned(),
            What::Config(file) => format!("config {}", line::word(file)),
            What::Due => "due".to_owned(),
            What::Command(line) => match command::parse(line) {
                // So that its name is looked at when it is read again.
                Command::Test(Test::Monitor { group, service }) => {
                    format!("test monitor {}", line::word(&format!("{group}/{service}")))
                }
                _ => format!("command {}", command_words(line)),
            },
            What::CommandOf { user, line } => format!("as {} {}", line::word(user), command_words(line)),
        }
    }

    /// The lines of its output after the first.
    fn detail(&self) -> impl Iterator<Item = &str> {
        let output = match self {
            What::Result { output, .. } | What::Trap { output, .. } => output,
            _ => "",
        };
        let detail = output.split_once('\n').map_or("", |(_, detail)| detail);
        let lines = (!detail.is_empty() && !output.contains('\r'))
            .then(|| detail.strip_suffix('\n').unwrap_or(detail).split('\n'));
        lines.into_iter().flatten()
    }
}

/// The first line of an output; all of it, where the others would not survive on lines of their own.
fn summary(output: &str) -> String {
    let shown = if output.contains('\r') { output } else { output.split('\n').next().unwrap_or_default() };
    format!(" {}", line::quoted(shown))
}

/// A command; as one text, where its words would be read as others here.
fn command_words(line: &str) -> String {
    if line.contains(['"', '\\', '#']) { line::quoted(line) } else { line.to_owned() }
}

fn target_words(target: &Target) -> String {
    match target {
        Target::Unknown => "service ?".to_owned(),
        Target::Watch(watch) => format!("watch {}", line::word(watch)),
        Target::Service(group, service) => format!("service {}", line::word(&format!("{group}/{service}"))),
        Target::Hosts(hosts) => {
            let hosts: Vec<String> = hosts.iter().map(|host| line::word(host)).collect();
            format!("host {}", hosts.join(" "))
        }
    }
}

/// The diagnostics of a text, and the script if there were none that are errors.
pub type Parsed = (Script, Vec<Diagnostic>);
