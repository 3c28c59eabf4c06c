//! `mon fmt [FILE…]`: configuration files in canonical layout.

use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use remon_core::config::format::{Refusal, format};
use remon_core::config::{diagnostic, m4};
use remon_core::text;

use super::programs::complain;
use crate::daemon::replace::replace;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// Laid out, or already so.
const FINE: u8 = 0;
/// A file would change (`--check`), or is left as it is because of what is in it.
const NOT_FINE: u8 = 1;
/// A file cannot be read or written.
const UNREADABLE: u8 = 2;

/// Arguments of `mon fmt`.
#[derive(Debug, clap::Args)]
pub(crate) struct FmtArgs {
    /// Files to lay out; `-` or none is standard input
    files: Vec<PathBuf>,
    /// Write the result back to the files; otherwise it goes to standard output
    #[arg(short, long, conflicts_with = "check")]
    write: bool,
    /// Only list the files that would change; exit status 1 if there are any
    #[arg(long)]
    check: bool,
}

/// Lays out each file. Exit status: the worst of all.
pub(crate) fn run(args: &FmtArgs) -> ExitCode {
    let stdin = [PathBuf::from(STDIN)];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    if args.write && files.iter().any(|file| file.as_os_str() == STDIN) {
        return complain("mon fmt: --write needs files, and standard input is none", UNREADABLE);
    }
    if files.len() > 1 && !args.write && !args.check {
        return complain("mon fmt: several files need --write or --check", UNREADABLE);
    }
    ExitCode::from(files.iter().map(|file| one(args, file)).max().unwrap_or(FINE))
}

fn one(args: &FmtArgs, file: &Path) -> u8 {
    match read(file) {
        Ok(bytes) => lay_out(args, file, bytes),
        Err(error) => said(&format!("mon fmt: {}: {error}", file.display()), UNREADABLE),
    }
}

fn lay_out(args: &FmtArgs, file: &Path, bytes: Vec<u8>) -> u8 {
    let name = file.display().to_string();
    let old = text::decode(bytes);
    let new = match formatted(&old, file) {
        Ok(new) => new,
        Err(why) => return said(&why.complaint(&name, &old), NOT_FINE),
    };
    if args.check {
        return if new == old { FINE } else { printed(name.as_bytes(), NOT_FINE, true) };
    }
    if !args.write {
        return printed(&text::encode(&new), FINE, false);
    }
    // A file that is as it should be keeps its time of change.
    match if new == old { Ok(()) } else { replace(file, &text::encode(&new)) } {
        Ok(()) => FINE,
        Err(error) => said(&format!("mon fmt: {name}: {error}"), UNREADABLE),
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file.as_os_str() != STDIN {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a text is left as it is.
pub(super) enum Untouched {
    /// It uses m4, by this word.
    Macros(String),
    /// See [`Refusal`].
    Refused(Refusal),
}

impl Untouched {
    /// What to tell, with the diagnostics of `text` where it has errors.
    fn complaint(&self, name: &str, text: &str) -> String {
        let Untouched::Refused(Refusal::Errors(diagnostics)) = self else {
            return format!("mon fmt: {name}: {}", self.reason());
        };
        let errors: Vec<_> = diagnostics.iter().filter(|found| found.is_error()).cloned().collect();
        let shown = diagnostic::render(&errors, name, text);
        format!("{shown}mon fmt: {name}: {}", self.reason())
    }

    /// The reason in a sentence.
    pub(super) fn reason(&self) -> String {
        match self {
            Untouched::Macros(word) => {
                format!("left as it is: it uses m4 ({word}), which minds line breaks")
            }
            Untouched::Refused(Refusal::Errors(_)) => "left as it is, because it has errors".to_owned(),
            Untouched::Refused(Refusal::Meaning(how)) => {
                format!("left as it is: {how}. This is a fault of mon fmt; please report it")
            }
        }
    }
}

/// The text of a file in canonical layout.
pub(super) fn formatted(text: &str, file: &Path) -> Result<String, Untouched> {
    match macros(text, file) {
        Some(word) => Err(Untouched::Macros(word.to_owned())),
        None => format(text).map_err(Untouched::Refused),
    }
}

/// The first word of the file that m4 would replace, if m4 is meant to: what mon reads is not this text then.
pub(super) fn macros<'t>(text: &'t str, file: &Path) -> Option<&'t str> {
    // mon itself runs files of this name through m4, others where the command line says so.
    let is_for_m4 = file.as_os_str().as_bytes().ends_with(b".m4") || m4::is_evident(text);
    m4::first_use(text).filter(|_| is_for_m4)
}

fn said(message: &str, status: u8) -> u8 {
    let _ = complain(message, 0);
    status
}

/// Prints, and says 2 if nobody took it.
fn printed(bytes: &[u8], status: u8, line: bool) -> u8 {
    let end: &[u8] = if line { b"\n" } else { b"" };
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.write_all(end)).and_then(|()| stdout.flush()) {
        Ok(()) => status,
        // A reader that has seen enough (`| head`) is no reason to complain.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
        Err(_) => UNREADABLE,
    }
}
