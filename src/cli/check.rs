//! `mon check [FILE]`: everything that is wrong with a configuration file, at once.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use remon_core::config::{Diagnostic, diagnostic};

use crate::daemon::load::{nobody_to_call, read_checked};

/// Nothing, or warnings only.
const FINE: u8 = 0;
/// The daemon refuses this file.
const REFUSED: u8 = 1;
/// There is no file to say anything about.
const UNREADABLE: u8 = 2;

/// Arguments of `mon check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The configuration file
    #[arg(default_value = "/etc/mon/mon.cf")]
    file: PathBuf,
    /// Run the file through m4 first, as is always done for a name that ends in `.m4`
    #[arg(short = 'M', long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "m4")]
    m4: Option<OsString>,
}

/// Checks the file and prints what is wrong. Exit status: 0 if the daemon can use it, 1 if not, 2 if it cannot
/// be read.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let name = args.file.display().to_string();
    let m4 = args.m4.clone().or_else(|| name.ends_with(".m4").then(|| "m4".into()));
    match read_checked(&args.file, m4.as_deref()) {
        Ok((config, text, mut diagnostics)) => {
            diagnostics.extend(nobody_to_call(&config, &text));
            ExitCode::from(report(&text, &diagnostics, &name, m4.is_some()))
        }
        Err(error) => {
            eprintln!("mon check: {error}");
            ExitCode::from(UNREADABLE)
        }
    }
}

fn report(text: &str, diagnostics: &[Diagnostic], name: &str, expanded: bool) -> u8 {
    let name = if expanded { format!("{name} (after m4)") } else { name.to_owned() };
    let paragraphs = diagnostic::render(diagnostics, &name, text);
    let note =
        if expanded && !diagnostics.is_empty() { "Lines are counted in the output of m4.\n" } else { "" };
    let summary = diagnostic::summary(diagnostics);
    // A reader that has seen enough (`| head`) is no reason to complain.
    let _ = io::stdout().lock().write_all(format!("{paragraphs}{note}{summary}\n").as_bytes());
    if diagnostics.iter().any(Diagnostic::is_error) { REFUSED } else { FINE }
}
