//! What happened to the files of a place, and what a state file says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::normal;
use crate::support::{Place, latin1};

/// What the test itself writes; and what is ours alone, which the original neither reads nor changes.
const NOT_THE_DAEMONS: &[&str] = &["calls", "ctl", "messages", "state/remon"];

/// Fields that the original never sets, or counts down.
const UNCOMPARED: &[&str] =
    &["last_failure_time", "last_failure_summary", "last_failure_detail", "first_success", "trap_timer"];

/// Every file below a place with its content.
#[derive(Default)]
pub(crate) struct Listing(BTreeMap<String, Vec<u8>>);

impl Listing {
    /// Reads them all.
    pub(crate) fn of(place: &Place) -> Listing {
        let mut listing = Listing::default();
        listing.collect(place, "");
        listing
    }

    fn collect(&mut self, place: &Place, folder: &str) {
        let Ok(entries) = fs::read_dir(place.path(folder)) else { return };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if NOT_THE_DAEMONS.contains(&path.as_str()) {
                continue;
            }
            if entry.path().is_dir() {
                self.collect(place, &path);
            } else if let Ok(content) = fs::read(entry.path()) {
                // The original writes state in the order of its hashes, another one each time.
                let content = if path.starts_with("state/") { sorted(&content) } else { content };
                self.0.insert(path, content);
            }
        }
    }

    /// What became of each file since then, a line each; nothing of those that are as they were.
    pub(crate) fn since(&self, before: &Listing) -> String {
        let mut lines = Vec::new();
        for (path, content) in &self.0 {
            match before.0.get(path) {
                Some(old) if old == content => {}
                Some(old) if content.starts_with(old) => lines.push(format!("appended to {path}")),
                Some(_) => lines.push(format!("changed {path}")),
                None => lines.push(format!("new {path}")),
            }
        }
        lines.extend(
            before.0.keys().filter(|path| !self.0.contains_key(*path)).map(|path| format!("gone {path}")),
        );
        lines.join("\n")
    }
}

fn sorted(text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines.concat()
}

/// The fields of an `opstatus` file, a line each, whatever their order in the file. The group `tick`, which runs by
/// itself all the time, is left out.
pub(crate) fn state_fields(place: &Place, path: &Path) -> String {
    let Ok(bytes) = fs::read(path) else { return "<missing>".into() };
    let mut fields = Vec::new();
    for line in latin1(&bytes).lines() {
        let mut parts = line.split('\t').map(|part| part.split_once('=').unwrap_or((part, "<no value>")));
        let (group, service) = (parts.next().unwrap_or_default().1, parts.next().unwrap_or_default().1);
        let shown = parts.filter(|(name, _)| group != "tick" && !UNCOMPARED.contains(name));
        fields.extend(
            shown.map(|(name, value)| format!("{group} {service} {name}={}", normal::text(value, place))),
        );
    }
    fields.sort();
    fields.join("\n")
}
