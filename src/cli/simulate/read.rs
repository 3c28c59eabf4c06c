//! The files of a simulation.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use remon_core::config::{Config, Diagnostic, diagnostic};
use remon_core::engine::StateFile;
use remon_core::nouns::{ServiceKey, Wall};
use remon_core::text;
use remon_core::world::events::{self, Begin, Known, Replay};

use super::Trouble;
use crate::daemon::load::{hash, read_checked};
use crate::daemon::record::{Reader, is_record};

/// More than any history of a month; what is larger is no text that somebody wrote.
const MOST_BYTES: u64 = 256 << 20;

/// A text, and what to call it.
#[derive(Default)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
    /// What it names that is not at hand.
    pub(super) unknown: BTreeSet<String>,
}

impl Source {
    /// A file, or standard input.
    pub(super) fn read(path: &Path) -> Result<Source, Trouble> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let read = if name == "-" {
            std::io::stdin().take(MOST_BYTES + 1).read_to_end(&mut bytes)
        } else {
            std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        };
        match read {
            Err(error) => Err(format!("mon simulate: cannot read {name}: {error}")),
            Ok(_) if bytes.len() as u64 > MOST_BYTES => Err(format!("mon simulate: {name} is too large")),
            Ok(_) => Ok(Source { name, text: text::decode(bytes), ..Source::default() }),
        }
    }
}

/// A recorded history as a text of events: a text already, or the record that a daemon keeps.
///
/// `texts` are those of the configurations that may come into force in it, by the names of their files.
pub(super) fn history(
    path: &Path,
    from: Option<Wall>,
    configs: &[Config],
    texts: &BTreeMap<String, String>,
) -> Result<Source, Trouble> {
    if !is_record(path) {
        return Source::read(path);
    }
    let name = path.display().to_string();
    let trouble = |problem| format!("mon simulate: cannot read the record {name}: {problem}");
    let reader = Reader::open(path).map_err(trouble)?;
    // How things stood comes first: a service that failed before may fail still.
    let begin = from.unwrap_or(0);
    let mut facts = reader.state_before(begin).map_err(trouble)?;
    facts.extend(reader.events(begin, Wall::MAX).map_err(trouble)?);
    let mut text = facts.first().map_or(String::new(), |fact| format!("from @{}\n", fact.at));
    let files: BTreeMap<String, &str> =
        texts.iter().map(|(name, text)| (hash(text), name.as_str())).collect();
    let known = Known {
        interval: &|key| interval(configs, key),
        config: &|hash| files.get(hash).map(|&name| name.to_owned()),
    };
    let Replay { begin, events, unknown } = events::of_record(&facts, &known);
    if begin != Begin::default() {
        text += &format!("begin{}\n", begin.words());
    }
    let unknown = unknown.into_iter().map(|hash| format!("configuration with the SHA-256 {hash}"));
    Ok(Source { name, text: text + &events::spell(&events), unknown: unknown.collect() })
}

/// A file that a text of events names: beside that text.
pub(super) fn beside(events: Option<&Path>, name: &str) -> PathBuf {
    events.and_then(Path::parent).map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

/// The state files of a daemon; one that is not there says nothing.
pub(super) fn state(dir: &Path) -> Result<BTreeMap<StateFile, String>, Trouble> {
    let mut state = BTreeMap::new();
    for (file, name) in [(StateFile::Disabled, "disabled"), (StateFile::Opstatus, "opstatus")] {
        let path = dir.join(name);
        if path.exists() {
            state.insert(file, Source::read(&path)?.text);
        }
    }
    if !dir.is_dir() {
        return Err(format!("mon simulate: there is no directory {}", dir.display()));
    }
    Ok(state)
}

/// The shortest interval at which the service is looked at.
fn interval(configs: &[Config], key: &ServiceKey) -> Option<Duration> {
    let watch = configs.iter().flat_map(|config| &config.watches).find(|watch| watch.group == key.group)?;
    let service = watch.services.iter().find(|service| service.name == key.service)?;
    [service.interval, service.failure_interval].into_iter().flatten().map(|span| span.duration()).min()
}

/// A configuration, as text and understood. That auth.cf is not here, or not for us to read, is no matter.
pub(super) fn config(path: &Path, m4: Option<&OsStr>) -> Result<(Source, Config), Trouble> {
    const UNREADABLE_FILE: &str = "E007";
    let name = path.display().to_string();
    let m4 = m4.or_else(|| name.ends_with(".m4").then(|| OsStr::new("m4")));
    let (config, text, mut diagnostics) =
        read_checked(path, m4).map_err(|error| format!("mon simulate: {error}"))?;
    diagnostics.retain(|diagnostic| diagnostic.is_error() && diagnostic.code != UNREADABLE_FILE);
    if diagnostics.iter().any(Diagnostic::is_error) {
        let errors = diagnostic::render(&diagnostics, &name, &text);
        return Err(format!(
            "{errors}mon simulate: {name} cannot be used: {}",
            diagnostic::summary(&diagnostics)
        ));
    }
    Ok((Source { name, text, ..Source::default() }, config))
}
