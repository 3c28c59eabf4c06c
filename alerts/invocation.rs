//! What an alert is handed: words, environment, input, and the time of day.

use std::collections::BTreeMap;

use remon_core::nouns::{Civil, Wall};

/// A moment in the local time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// Date and time.
    pub civil: Civil,
    /// `UTC`, `CEST`: what the zone is called then.
    pub zone: String,
}

/// What this machine calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Its host name.
    pub host: String,
    /// The name that stands behind the @ of its local users in mail.
    pub mail_name: String,
}

/// One call of an alert.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The command line without the name of the program.
    pub words: Vec<String>,
    /// The environment, with the MON_ variables of the daemon.
    pub env: BTreeMap<String, String>,
    /// Standard input: the summary line, then the detail. Empty for alerts that do not read it.
    pub input: String,
    /// When the alert was called.
    pub now: Wall,
    /// Local time of a moment; a test hands in UTC.
    pub local: fn(Wall) -> LocalTime,
    /// Where we are.
    pub machine: Machine,
}

impl Invocation {
    /// The value of a variable, if it is set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// The first line of the input without its end, and all the rest unchanged.
    #[must_use]
    pub fn summary_and_detail(&self) -> (&str, &str) {
        self.input.split_once('\n').unwrap_or((&self.input, ""))
    }

    /// A call for tests: in UTC, on 22 November 2026, with no environment.
    #[must_use]
    pub fn sample(words: &[&str], input: &str) -> Invocation {
        let utc = |wall| LocalTime { civil: Civil::utc(wall), zone: "UTC".to_owned() };
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let machine = Machine { host: "servera".to_owned(), mail_name: "servera.example.com".to_owned() };
        Invocation {
            words,
            env: BTreeMap::new(),
            input: input.to_owned(),
            now: 1_795_346_973,
            local: utc,
            machine,
        }
    }
}

/// `Sun Nov 2 11:23:23`: the time of day without a year, the day of the month unpadded.
#[must_use]
pub fn short_time(civil: &Civil) -> String {
    let full = civil.to_string();
    let words = full.split_whitespace().take(4).collect::<Vec<_>>();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input() {
        for (input, expect) in
            [("", ("", "")), ("s", ("s", "")), ("s\n", ("s", "")), ("s\n\nd", ("s", "\nd"))]
        {
            assert_eq!(Invocation::sample(&[], input).summary_and_detail(), expect, "{input:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(short_time(&Civil::utc(1_795_346_603)), "Sun Nov 22 11:23:23");
        assert_eq!(short_time(&Civil::utc(0)), "Thu Jan 1 00:00:00");
    }
}
