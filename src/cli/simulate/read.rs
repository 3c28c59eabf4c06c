//! The files of a simulation.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

use remon_core::config::{Config, Diagnostic, diagnostic};
use remon_core::text;

use super::Trouble;
use crate::daemon::load::read_checked;

/// More than any history of a month; what is larger is no text that somebody wrote.
const MOST_BYTES: u64 = 256 << 20;

/// A text, and what to call it.
#[derive(Default)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
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
            Ok(_) => Ok(Source { name, text: text::decode(bytes) }),
        }
    }
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
    Ok((Source { name, text }, config))
}
