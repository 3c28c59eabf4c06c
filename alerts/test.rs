//! `test.alert`: note that an alert was called, and how.

use remon_core::nouns::Civil;

use crate::deliver::Message;
use crate::invocation::{Invocation, LocalTime};

/// What `--help` prints.
pub const USAGE: &str = "usage: test.alert [WORD]...

Appends a line with the time and all words of the call to
/var/log/mon/test.alert.log. Standard input is not read.
";

/// Where the original writes, whatever mon.cf says.
const LOG: &str = "/var/log/mon/test.alert.log";

/// The line for the log.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let LocalTime { civil, zone } = (invocation.local)(invocation.now);
    let text = format!("{} {}\n", date(&civil, &zone), invocation.words.join(" "));
    Message::Append { path: LOG.to_owned(), text, complaints: Vec::new() }
}

/// `Sun Nov 22 11:29:33 UTC 2026`: date(1) in the C locale.
fn date(civil: &Civil, zone: &str) -> String {
    let full = civil.to_string();
    match full.rsplit_once(' ') {
        Some((before, year)) => format!("{before} {zone} {year}"),
        None => full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_original() {
        let words =
            ["-s", "http", "-g", "web", "-h", "hostA hostB hostC", "-t", "1795346603", "-l", "3600", "x"];
        let Message::Append { path, text, .. } = compose(&Invocation::sample(&words, "ignored")) else {
            panic!("it appends")
        };
        assert_eq!(path, "/var/log/mon/test.alert.log");
        assert_eq!(
            text,
            "Sun Nov 22 11:29:33 UTC 2026 -s http -g web -h hostA hostB hostC -t 1795346603 -l 3600 x\n"
        );
    }

    #[test]
    fn days_are_padded_as_date_does() {
        assert_eq!(date(&Civil::utc(0), "CET"), "Thu Jan  1 00:00:00 CET 1970");
    }
}
