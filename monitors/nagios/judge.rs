//! What plugins say, and what it means to mon.

use std::fmt::Write as _;

use crate::child::End;
use crate::report::Report;

/// A longer first line is cut in the summary: it is for a pager.
const LONGEST_PART: usize = 200;

/// What a plugin may find, the worst last: something that is known to be broken counts more than what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All is well.
    Ok,
    /// Something may become bad.
    Warning,
    /// The plugin could not tell, or is no plugin.
    Unknown,
    /// It is bad.
    Critical,
}

impl State {
    /// What a plugin means by the way it ended.
    #[must_use]
    pub fn of(end: End) -> State {
        match end {
            End::Exited(0) => State::Ok,
            End::Exited(1) => State::Warning,
            End::Exited(2) | End::TimedOut => State::Critical,
            End::Exited(_) | End::Signalled(_) => State::Unknown,
        }
    }

    /// The status that stands for it.
    #[must_use]
    pub fn exit(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Critical => 2,
            State::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        }
    }
}

/// The output of a plugin, in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The first line, without performance data.
    pub first: String,
    /// The lines after it, without performance data.
    pub long: Vec<String>,
    /// Performance data, as it was written.
    pub performance: Vec<String>,
}

impl Said {
    /// Takes the output apart: what follows a `|` in the first line is performance data, and so is everything after a
    /// `|` in a later one.
    #[must_use]
    pub fn read(output: &str) -> Said {
        let mut said = Said::default();
        let mut lines = output.lines().map(str::trim_end);
        let (first, data) = split(lines.next().unwrap_or_default());
        first.trim().clone_into(&mut said.first);
        said.performance.extend(data);
        let mut ended = false;
        for line in lines {
            if ended {
                said.performance.push(line.trim().to_owned());
                continue;
            }
            let (text, data) = split(line);
            ended = data.is_some();
            said.performance.extend(data);
            if !ended || !text.is_empty() {
                said.long.push(text.to_owned());
            }
        }
        said.performance.retain(|data| !data.is_empty());
        said
    }
}

fn split(line: &str) -> (&str, Option<String>) {
    let parts = line.split_once('|');
    parts.map_or((line, None), |(text, data)| (text.trim_end(), Some(data.trim().to_owned())))
}

/// What came of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It was run.
    Ran {
        /// What it said.
        said: Said,
        /// How it ended.
        end: End,
    },
    /// It was not, in words.
    NotRun(String),
}

/// What counts as a failure, and how it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Is WARNING a failure?
    pub warning_fails: bool,
    /// Is UNKNOWN?
    pub unknown_fails: bool,
    /// Is the first line of a plugin told in the summary?
    pub summaries: bool,
    /// How long a plugin may take.
    pub seconds: f64,
}

impl Rules {
    fn fails(&self, state: State) -> bool {
        match state {
            State::Ok => false,
            State::Warning => self.warning_fails,
            State::Unknown => self.unknown_fails,
            State::Critical => true,
        }
    }

    /// State, and the line that tells it.
    fn read(&self, attempt: Option<&Attempt>) -> (State, String) {
        let killed = format!("plugin killed after {} s", self.seconds);
        match attempt {
            None => (State::Critical, killed),
            Some(Attempt::NotRun(why)) => (State::Unknown, why.clone()),
            Some(Attempt::Ran { said, end }) => {
                let ended = match end {
                    End::TimedOut => Some(killed),
                    End::Signalled(signal) => Some(format!("plugin ended by signal {signal}")),
                    End::Exited(0..=3) => None,
                    End::Exited(status) => Some(format!("plugin exited with status {status}")),
                };
                let nothing = said.first.is_empty() && ended.is_none();
                let first = if nothing { "plugin said nothing" } else { &said.first };
                let parts =
                    ended.iter().map(String::as_str).chain(Some(first)).filter(|part| !part.is_empty());
                (State::of(*end), parts.collect::<Vec<_>>().join(": "))
            }
        }
    }
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge_hosts(hosts: &[String], attempts: &[Option<Attempt>], rules: &Rules) -> Report {
    let (mut failed, mut detail, mut worst) = (Vec::new(), String::new(), State::Ok);
    for (host, attempt) in hosts.iter().zip(attempts) {
        let (state, line) = rules.read(attempt.as_ref());
        let _ = writeln!(detail, "{host} {}: {line}", state.word());
        rest(attempt.as_ref(), "    ", &mut detail);
        if rules.fails(state) {
            worst = worst.max(state);
            let part = format!("{host}({})", cut(&line));
            failed.push(if rules.summaries { part } else { host.clone() });
        }
    }
    let mut report = Report::with_detail(failed.iter().map(String::as_str).collect(), detail);
    report.exit = worst.exit();
    report
}

/// The report of a plugin that looks at this machine: its own words, in its own order.
#[must_use]
pub fn judge_one(attempt: &Attempt, rules: &Rules) -> Report {
    let (state, line) = rules.read(Some(attempt));
    let mut detail = String::new();
    rest(Some(attempt), "", &mut detail);
    let exit = if rules.fails(state) { state.exit() } else { 0 };
    Report { exit, detail, ..Report::failure(line) }
}

fn rest(attempt: Option<&Attempt>, indent: &str, out: &mut String) {
    let Some(Attempt::Ran { said, .. }) = attempt else { return };
    for line in &said.long {
        let _ = writeln!(out, "{}", format!("{indent}{line}").trim_end());
    }
    for data in &said.performance {
        let _ = writeln!(out, "{indent}performance data: {data}");
    }
}

/// What fits on a pager, and closes no parenthesis too early for whoever reads it.
fn cut(line: &str) -> String {
    line.chars().take(LONGEST_PART).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { warning_fails: true, unknown_fails: true, summaries: false, seconds: 0.5 };

    fn ran(output: &str, end: End) -> Option<Attempt> {
        Some(Attempt::Ran { said: Said::read(output), end })
    }

    #[test]
    fn the_parts_of_an_output() {
        for (output, first, long, performance) in [
            ("", "", "", ""),
            ("DISK OK\n", "DISK OK", "", ""),
            ("DISK OK - free| /=1MB;2;3 \n", "DISK OK - free", "", "/=1MB;2;3"),
            ("OK | a=1\nmore\n\nyet more | b=2\nc=3\n d=4\n", "OK", "more//yet more", "a=1/b=2/c=3/d=4"),
            ("OK\r\nmore\r\n", "OK", "more", ""),
            ("|a=1\n|b=2", "", "", "a=1/b=2"),
        ] {
            let said = Said::read(output);
            let told = (said.first.as_str(), said.long.join("/"), said.performance.join("/"));
            assert_eq!(told, (first, long.to_owned(), performance.to_owned()), "{output:?}");
        }
    }

    #[test]
    fn hosts() {
        let hosts = ["e", "d", "c", "b", "a"].map(str::to_owned);
        let attempts = [
            ran("OK - fine|t=1\n", End::Exited(0)),
            ran("WARNING - warm\nlong\n", End::Exited(1)),
            ran("half a", End::TimedOut),
            Some(Attempt::NotRun("cannot resolve hostname: no".to_owned())),
            None,
        ];
        let report = judge_hosts(&hosts, &attempts, &RULES);
        assert_eq!(
            report.text(),
            "a b c d\ne OK: OK - fine\n    performance data: t=1\nd WARNING: WARNING - warm\n    long\n\
             c CRITICAL: plugin killed after 0.5 s: half a\nb UNKNOWN: cannot resolve hostname: no\n\
             a CRITICAL: plugin killed after 0.5 s\n"
        );
        assert_eq!(report.exit, 2);
        let summaries = Rules { summaries: true, warning_fails: false, ..RULES };
        let report = judge_hosts(&hosts[..2], &attempts[..2], &summaries);
        assert_eq!((report.summary.as_str(), report.exit), ("", 0));
        let report = judge_hosts(&hosts[..3], &attempts[..3], &summaries);
        assert_eq!(report.summary, "c(plugin killed after 0.5 s: half a)");
    }

    #[test]
    fn the_worst_counts() {
        let hosts = ["a", "b", "c"].map(str::to_owned);
        let exit = |ends: [i32; 3], rules: &Rules| {
            judge_hosts(&hosts, &ends.map(|end| ran("x\n", End::Exited(end))), rules).exit
        };
        assert_eq!(exit([0, 0, 0], &RULES), 0);
        assert_eq!(exit([0, 1, 0], &RULES), 1);
        assert_eq!(exit([3, 1, 0], &RULES), 3);
        assert_eq!(exit([3, 1, 2], &RULES), 2);
        assert_eq!(exit([127, 0, 0], &RULES), 3);
        let lenient = Rules { warning_fails: false, unknown_fails: false, ..RULES };
        assert_eq!(exit([3, 1, 0], &lenient), 0);
        assert_eq!(exit([3, 1, 2], &lenient), 2);
    }

    #[test]
    fn this_machine() {
        let told = |output: &str, end| judge_one(&ran(output, end).expect("it ran"), &RULES);
        let report = told("DISK OK - free|/=1\n", End::Exited(0));
        assert_eq!((report.text().as_str(), report.exit), ("DISK OK - free\nperformance data: /=1\n", 0));
        assert_eq!(told("", End::Exited(2)).summary, "plugin said nothing");
        assert_eq!(
            told("", End::Signalled(11)),
            Report { exit: 3, ..Report::failure("plugin ended by signal 11") }
        );
        assert_eq!(
            told("sh: x: not found\n", End::Exited(127)).summary,
            "plugin exited with status 127: sh: x: not found"
        );
    }
}
