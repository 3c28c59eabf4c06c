//! What `play.py` tells of a scenario, and the two programs that tell its story.

use std::path::{Path, PathBuf};
use std::process::Command;

use remon_core::text;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A scenario that was played.
pub(super) struct Scene {
    pub(super) name: String,
    pub(super) place: PathBuf,
    /// What went wrong in the kit.
    pub(super) error: Option<String>,
    /// mon.cf, as often as it was written.
    configs: Vec<PathBuf>,
    /// The one of the first daemon.
    pub(super) first: Option<PathBuf>,
    /// The words that it was started with.
    argv: Vec<String>,
    /// Its state directory before.
    state: Option<PathBuf>,
    /// The words of the alerts that were called, programs first.
    pub(super) calls: Vec<Vec<String>>,
    /// The alerts that note their calls.
    pub(super) loggers: Vec<String>,
    /// Programs that are not there.
    missing: Vec<String>,
    /// Where all this was when it was played.
    was: String,
}

impl Scene {
    pub(super) fn read(line: &str) -> Option<Scene> {
        let told: Value = serde_json::from_str(line).ok()?;
        let path = |name: &str| told[name].as_str().map(PathBuf::from);
        let strings = |list: &Value| -> Option<Vec<String>> {
            list.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let words = |name: &str| strings(&told[name]);
        Some(Scene {
            name: told["name"].as_str()?.to_owned(),
            place: path("place")?,
            error: told["error"].as_str().map(str::to_owned),
            configs: words("configs")?.into_iter().map(PathBuf::from).collect(),
            first: path("first"),
            argv: words("argv")?,
            state: path("state"),
            calls: told["calls"].as_array()?.iter().map(strings).collect::<Option<_>>()?,
            loggers: words("loggers")?,
            missing: words("missing")?,
            was: told["was"].as_str()?.to_owned(),
        })
    }

    /// The record of its daemons.
    fn record(&self) -> PathBuf {
        self.place.join("state/remon/history.db")
    }

    /// What really happened, in the words of `list record`; nothing if nothing was recorded.
    pub(super) fn real(&self) -> Result<String, String> {
        if !self.record().exists() {
            return Ok(String::new());
        }
        let mut mon = self.mon("history");
        mon.args(["--format", "record", "--from", "0", "--record"]).arg(self.record());
        said(&mut mon)
    }

    /// What is simulated, up to `until`: as a record, or as a timeline.
    pub(super) fn simulated(&self, real: &str, until: i64, format: &str) -> Result<String, String> {
        let Some(first) = &self.first else { return Ok(String::new()) };
        let first = self.with_options(first)?;
        let mut mon = self.mon("simulate");
        mon.arg("-c").arg(first).arg("--replay").arg(self.record());
        mon.arg("--until").arg(format!("@{until}")).args(["--format", format]);
        if let Some(at) = self.argv.iter().position(|word| word == "-M") {
            mon.arg(format!("-M={}", self.moved(&self.argv[at + 1])));
        }
        for path in self.configs.iter().filter(|path| self.came_into_force(path, real)) {
            mon.arg("--past").arg(path);
        }
        if let Some(dir) = &self.state {
            mon.arg("--statedir").arg(dir);
        }
        for name in &self.missing {
            mon.arg("--missing").arg(name);
        }
        said(&mut mon)
    }

    /// Whether any program of its daemons ran.
    pub(super) fn has_calls(&self) -> bool {
        ["alert.log", "monitor.log"].iter().any(|log| self.place.join(log).exists())
    }

    /// The configuration with what options of the daemon say instead of it: a simulation has no such options.
    fn with_options(&self, config: &Path) -> Result<PathBuf, String> {
        let Some(at) = self.argv.iter().position(|word| word == "-m") else { return Ok(config.to_owned()) };
        let text = std::fs::read_to_string(config).map_err(|error| error.to_string())?;
        let copy = config.with_file_name("with-options.cf");
        std::fs::write(&copy, format!("{text}\nmaxprocs = {}\n", self.argv[at + 1]))
            .map_err(|error| error.to_string())?;
        Ok(copy)
    }

    /// Whether the record names it; of what m4 makes of a file that cannot be told here.
    fn came_into_force(&self, config: &Path, real: &str) -> bool {
        let text = std::fs::read(config).unwrap_or_default();
        let hash: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        config.extension().is_some_and(|extension| extension == "m4")
            || self.argv.iter().any(|word| word == "-M")
            || real.contains(&format!("sha256={hash}"))
    }

    fn mon(&self, subcommand: &str) -> Command {
        let mut mon = Command::new(env!("CARGO_BIN_EXE_mon"));
        let bin = self.place.join("bin");
        mon.arg(subcommand).env("TZ", "UTC").env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        mon
    }

    fn moved(&self, path: &str) -> String {
        path.replacen(&self.was, &self.place.to_string_lossy(), 1)
    }

    /// Without a file of the configuration there is nothing to simulate.
    pub(super) fn is_playable(&self) -> bool {
        self.first.as_deref().is_some_and(Path::exists) && self.record().exists()
    }
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(text::decode(output.stdout));
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
