//! `loadavg.monitor`: load average and memory use of this machine, and who is to blame.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use remon_core::{getopt, reason};

use crate::invocation::Invocation;
use crate::pressure::{self, Pressure};
use crate::processes::{self, Process};
use crate::report::Report;

const USAGE: &str = "usage: loadavg.monitor LOAD1 LOAD5 LOAD15 [PERCENT]

Fails if a load average of this machine is above its limit, or if more than
PERCENT (90) of RAM and swap together is in use. To be used with ;; at the end
of the monitor line. The detail names the busiest processes and cgroups.

  --help  this text
";

/// What is said of too few or too many words, in the words of the original.
const WRONG_WORDS: &str = "Usage min 5min 15min [%swap]";
const CGROUPS: &str = "/sys/fs/cgroup";
/// The walk through the cgroups ends here, whatever is left.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    if invocation.words.first().is_some_and(|word| word == "--help") {
        return Report::help(USAGE);
    }
    let Some(limits) = Limits::parse(&invocation.words) else {
        return Report::refusal(WRONG_WORDS);
    };
    let figures = match probe() {
        Ok(figures) => figures,
        Err(why) => return Report::failure(why),
    };
    let Some(summary) = judge(&limits, &figures) else { return Report::good() };
    // Looked at only when something is wrong: on a healthy machine the monitor reads two small files.
    let processes = processes::probe(Path::new("/proc"));
    let pressure = pressure::probe(Path::new(CGROUPS), invocation.deadline(PATIENCE));
    let detail = detail(&figures.memory, &processes, &pressure);
    Report { summary, detail, exit: 1, ..Report::default() }
}

/// The limits as they were written, for the summary repeats them so.
#[derive(Debug)]
struct Limits<'a> {
    loads: [&'a str; 3],
    percent: &'a str,
}

impl Limits<'_> {
    fn parse(words: &[String]) -> Option<Limits<'_>> {
        match words {
            [one, five, fifteen] => Some(Limits { loads: [one, five, fifteen], percent: "90" }),
            [one, five, fifteen, percent] => Some(Limits { loads: [one, five, fifteen], percent }),
            _ => None,
        }
    }
}

/// What the kernel says in two files.
#[derive(Debug, Clone, PartialEq)]
struct Figures {
    loads: [String; 3],
    memory: Memory,
}

/// Memory in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) swap_total: u64,
    pub(crate) swap_free: u64,
}

impl Memory {
    fn parse(meminfo: &str) -> Memory {
        let value = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        };
        let total = value("MemTotal").unwrap_or(0);
        Memory {
            total,
            available: value("MemAvailable").unwrap_or(total),
            swap_total: value("SwapTotal").unwrap_or(0),
            swap_free: value("SwapFree").unwrap_or(0),
        }
    }

    fn swap_used(&self) -> u64 {
        self.swap_total.saturating_sub(self.swap_free)
    }

    fn percent_used(&self) -> f64 {
        let all = (self.swap_total + self.total).max(1);
        (self.swap_used() + self.total.saturating_sub(self.available)) as f64 * 100.0 / all as f64
    }
}

fn probe() -> Result<Figures, String> {
    let read = |path: &str| {
        let complain = |error: io::Error| format!("could not read {path}: {}", reason::of(&error));
        fs::read_to_string(path).map_err(complain)
    };
    let loadavg = read("/proc/loadavg")?;
    let memory = Memory::parse(&read("/proc/meminfo")?);
    let mut words = loadavg.split_whitespace().map(str::to_owned);
    match (words.next(), words.next(), words.next()) {
        (Some(one), Some(five), Some(fifteen)) => Ok(Figures { loads: [one, five, fifteen], memory }),
        _ => Err("there is no load average in /proc/loadavg".to_owned()),
    }
}

/// The summary, if a limit is passed. It says `>=` where the comparison is `>`: so the original has it.
fn judge(limits: &Limits<'_>, figures: &Figures) -> Option<String> {
    let number = |text: &str| getopt::leading_number(text).unwrap_or(0.0);
    let mut parts = Vec::new();
    if figures.loads.iter().zip(limits.loads).any(|(load, limit)| number(load) > number(limit)) {
        parts.push(format!("{} >= {}", figures.loads.join(" "), limits.loads.join(" ")));
    }
    let (used, limit) = (figures.memory.percent_used(), number(limits.percent));
    if used > limit {
        parts.push(format!("Swap+RAM Use: {}% > {}%", used.trunc(), limit.trunc()));
    }
    (!parts.is_empty()).then(|| parts.join("   ").replace(['\n', '\r'], " "))
}

fn detail(memory: &Memory, processes: &[Process], pressure: &Pressure) -> String {
    let mut detail = processes::tables(processes, memory.total);
    let (used, total) = (bytes(memory.swap_used() * 1024), bytes(memory.swap_total * 1024));
    detail += &format!("\nSwap Used: {used} / {total}\n");
    detail + &pressure.text()
}

/// `916MB`: three significant digits, the next unit at 1000.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let (mut number, mut unit) = (count as f64, 0);
    while number >= 1000.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        return format!("{number:.0}B");
    }
    let decimals = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    let digits = format!("{number:.decimals$}");
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits}{}B", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(words: &[&str], loads: &str, memory: Memory) -> String {
        let words = words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let limits = Limits::parse(&words).expect("three or four words");
        let mut loads = loads.split(' ').map(str::to_owned);
        let loads = std::array::from_fn(|_| loads.next().expect("three loads"));
        judge(&limits, &Figures { loads, memory }).unwrap_or_default()
    }

    #[test]
    fn limits() {
        let idle = Memory { total: 1000, available: 985, swap_total: 0, swap_free: 0 };
        for (words, expect) in [
            (&["100", "100", "100"][..], ""),
            (&["3.28", "1.53", "0.62"], ""),
            (&["0", "100", "100"], "3.28 1.53 0.62 >= 0 100 100"),
            (&["100", "100", "0.61"], "3.28 1.53 0.62 >= 100 100 0.61"),
            (&["100", "100", "100", "0"], "Swap+RAM Use: 1% > 0%"),
            (&["100", "100", "100", "1.5"], ""),
            (&["-1", "-1", "-1", "0"], "3.28 1.53 0.62 >= -1 -1 -1   Swap+RAM Use: 1% > 0%"),
            (&["x", "9", "9"], "3.28 1.53 0.62 >= x 9 9"),
        ] {
            assert_eq!(summary(words, "3.28 1.53 0.62", idle), expect, "{words:?}");
        }
        let full = Memory { total: 1000, available: 50, swap_total: 1000, swap_free: 40 };
        assert_eq!(summary(&["9", "9", "9"], "0 0 0", full), "Swap+RAM Use: 95% > 90%");
        assert_eq!(summary(&["9", "9", "9"], "0 0 0", Memory::default()), "");
    }

    #[test]
    fn memory_of_a_kernel() {
        let memory =
            Memory::parse("MemTotal:  2048 kB\nMemAvailable:   1024 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n");
        assert_eq!(memory, Memory { total: 2048, available: 1024, swap_total: 10, swap_free: 4 });
        assert_eq!(memory.swap_used(), 6);
        assert_eq!(Memory::parse("MemTotal: 7 kB\njunk").available, 7);
    }

    #[test]
    fn sizes() {
        for (count, expect) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "0.98KB"),
            (1536, "1.5KB"),
            (1 << 20, "1MB"),
            (10 << 20, "10MB"),
            (960_495_616, "916MB"),
            (12_500_000, "11.9MB"),
            (u64::MAX, "16EB"),
        ] {
            assert_eq!(bytes(count), expect, "{count}");
        }
    }

    #[test]
    fn wrong_numbers_of_words() {
        for words in [&[][..], &["1", "2"], &["1", "2", "3", "4", "5"]] {
            let report = run(&Invocation::of(words));
            assert_eq!((report.text().as_str(), report.exit), ("Usage min 5min 15min [%swap]\n", 1));
        }
    }

    #[test]
    fn this_machine() {
        assert_eq!(run(&Invocation::of(&["99999", "99999", "99999", "100"])), Report::good());
        let report = run(&Invocation::of(&["-1", "-1", "-1"]));
        assert!(
            report.summary.ends_with(">= -1 -1 -1") && report.detail.contains("\nSwap Used: "),
            "{report:?}"
        );
    }
}
