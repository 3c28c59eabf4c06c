//! The monitors and alerts that a configuration can use, and the options of those that are built in. Others are
//! named only: asking them would mean running them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use remon_alerts::ALERTS;
use remon_core::config::Globals;
use remon_monitors::{Invocation, MONITORS};

use crate::daemon::load::program_dirs;

/// Which programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Monitors,
    Alerts,
}

impl Shelf {
    /// The one that a keyword takes its program from.
    pub(super) fn of(keyword: &str) -> Option<Shelf> {
        match keyword {
            "monitor" => Some(Shelf::Monitors),
            "alert" | "upalert" | "ackalert" | "disablealert" | "startupalert" | "redistribute" => {
                Some(Shelf::Alerts)
            }
            _ => None,
        }
    }

    fn dirs(self, globals: &Globals) -> Vec<PathBuf> {
        let (monitors, alerts) = program_dirs(globals);
        if self == Shelf::Monitors { monitors } else { alerts }
    }

    fn built_in(self) -> BTreeMap<&'static str, &'static str> {
        match self {
            Shelf::Monitors => MONITORS.iter().map(|monitor| (monitor.name, monitor.about)).collect(),
            Shelf::Alerts => ALERTS.iter().map(|alert| (alert.name, alert.about)).collect(),
        }
    }

    /// Names, each with a few words: what a built-in one does, where another is.
    pub(super) fn programs(self, globals: &Globals) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> =
            self.built_in().into_iter().map(|(name, about)| (name.to_owned(), about.to_owned())).collect();
        // The first folder of the path wins, so it is written last.
        for dir in self.dirs(globals).iter().rev() {
            let Ok(entries) = std::fs::read_dir(dir) else { continue };
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| is_program(path)) {
                if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                    found.insert(name.to_owned(), path.display().to_string());
                }
            }
        }
        found
    }

    /// What the program says of itself, if it is built in.
    pub(super) fn usage(self, name: &str) -> Option<String> {
        match self {
            Shelf::Monitors => {
                let monitor = remon_monitors::find(name)?;
                Some((monitor.run)(&Invocation::of(&["--help"])).text())
            }
            Shelf::Alerts => remon_alerts::find(name).map(|alert| alert.usage.to_owned()),
        }
    }

    /// What is known of a program.
    pub(super) fn page(self, name: &str, globals: &Globals) -> Option<String> {
        let installed = self.dirs(globals).iter().map(|dir| dir.join(name)).find(|path| is_program(path));
        if let Some(path) = installed {
            return Some(format!("`{}`", path.display()));
        }
        Some(format!("```\n{}```\nbuilt in", self.usage(name)?))
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The options that a usage text lists, each with the rest of its line.
pub(super) fn options(usage: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut lines = usage.lines().filter(|line| line.starts_with(' ')).map(str::trim_start).peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with('-') {
            continue;
        }
        let (head, about) = line.split_once("  ").unwrap_or((line, ""));
        // A long option leaves no room: what it does stands below.
        let below = lines.peek().filter(|below| about.is_empty() && !below.starts_with('-'));
        let about = below.copied().unwrap_or(about).trim_start();
        let words = head.split([' ', ',', '=', '[', '|']).filter(|word| is_option(word));
        found.extend(words.map(|word| (word, about)));
    }
    found
}

fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word.starts_with('-') && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_from_the_usage_text() {
        let usage = "usage: x [-a] HOST\n\n  -p PORT, --port=PORT  the port (23)\n      --help  this text\n  -x\n      below\n  - no\n";
        let expect =
            [("-p", "the port (23)"), ("--port", "the port (23)"), ("--help", "this text"), ("-x", "below")];
        assert_eq!(options(usage), expect);
    }

    #[test]
    fn built_in_programs_have_their_options() {
        for (shelf, name, option) in [
            (Shelf::Monitors, "tcp.monitor", "-p"),
            (Shelf::Monitors, "remote.monitor", "--exclude"),
            (Shelf::Alerts, "file.alert", "-d"),
            (Shelf::Alerts, "mailxmpp.alert", "--room"),
        ] {
            let usage = shelf.usage(name).unwrap();
            assert!(
                options(&usage).iter().any(|(word, about)| *word == option && !about.is_empty()),
                "{usage}"
            );
        }
    }
}
