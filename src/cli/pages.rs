//! `mon pages DIR`: manual pages and shell completions for everything that is built in, for who makes a package.
//!
//! Nothing is written twice: each page is what the program says about itself when it is asked for help.

mod man;
mod shell;
mod usage;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

use super::programs;
use usage::Usage;

/// A program or a subcommand, and what it says about itself.
struct Entry {
    /// `mon`, `mon check`, `moncmd`, `tcp.monitor`.
    name: String,
    about: String,
    usage: Usage,
}

impl Entry {
    /// The section of the manual: what any user may call is in 1.
    fn section(&self) -> u8 {
        if self.is_client() { 1 } else { 8 }
    }

    /// Called by a name of its own, by hand; neither `mon` nor what only `mon` calls.
    fn is_client(&self) -> bool {
        !self.name.starts_with("mon ") && self.name != "mon" && !self.name.contains('.')
    }
}

/// Writes `DIR/man/*` and `DIR/mon.{bash,zsh,fish}`. `mon` has the subcommands.
pub(crate) fn run(dir: Option<&OsStr>, mon: &clap::Command) -> ExitCode {
    let Some(dir) = dir else { return programs::complain("usage: mon pages DIR", 2) };
    match entries(mon).and_then(|entries| write(Path::new(dir), &entries)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => programs::complain(&format!("mon pages: {error}"), 1),
    }
}

fn entries(mon: &clap::Command) -> io::Result<Vec<Entry>> {
    let entry = |name: &str, about: &str, text: &str| Entry {
        name: name.to_owned(),
        about: about.to_owned(),
        usage: usage::parse(text),
    };
    let mut entries = vec![entry("mon", "monitor hosts and services, tell about problems", &help(&["-h"])?)];
    for subcommand in mon.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
        let name = format!("mon {}", subcommand.get_name());
        entries.push(entry(&name, &about, &help(&[subcommand.get_name(), "--help"])?));
    }
    for (name, about) in programs::list() {
        entries.push(entry(name, about, &help(&["run", name, "--help"])?));
    }
    Ok(entries)
}

/// What this executable prints when it is called so. A client may say it on standard error.
fn help(words: &[&str]) -> io::Result<String> {
    let output = Command::new(std::env::current_exe()?).args(words).stdin(Stdio::null()).output()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(dir: &Path, entries: &[Entry]) -> io::Result<()> {
    fs::create_dir_all(dir.join("man"))?;
    for entry in entries {
        let file = format!("{}.{}", entry.name.replace(' ', "-"), entry.section());
        fs::write(dir.join("man").join(file), man::page(entry))?;
    }
    fs::write(dir.join("mon.bash"), shell::bash(entries))?;
    fs::write(dir.join("mon.zsh"), shell::zsh(entries))?;
    fs::write(dir.join("mon.fish"), shell::fish(entries))
}
