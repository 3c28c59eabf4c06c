//! `mon diff`: what would a reload change?

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use remon_core::config::changes::{self, Outline};
use remon_core::config::{Config, Diagnostic, diagnostic};
use remon_core::text;
use remon_core::wire::client::{Client, Reply};

use super::link::{Link, PATIENCE, Target};
use super::login::Credentials;
use super::{programs, terminal};
use crate::daemon::load::read_checked;

/// The two are the same.
const SAME: u8 = 0;
/// They differ.
const DIFFERENT: u8 = 1;
/// One of them cannot be read, or is refused.
const TROUBLE: u8 = 2;

/// Arguments of `mon diff`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without FILE the running daemon says what a reload would change. With one FILE it is \
compared with what the daemon runs, which must be what its configuration file says; with two, the second with \
the first. Exit status: 0 no difference, 1 differences, 2 something could not be read or is refused."
)]
pub(crate) struct DiffArgs {
    /// None, one or two configuration files
    #[arg(value_name = "FILE", num_args = 0..=2)]
    files: Vec<PathBuf>,
    /// Run the files through m4 first, as is always done for a name that ends in `.m4`
    #[arg(short = 'M', long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "m4")]
    m4: Option<OsString>,
    /// The server
    #[arg(short = 's', long, value_name = "HOST")]
    server: Option<String>,
    /// Its port, a number or a name
    #[arg(short = 'p', long)]
    port: Option<String>,
    /// Log in as this user; the password is asked for, or read from standard input
    #[arg(short = 'l', long = "user", value_name = "USER")]
    user: Option<String>,
}

/// Prints the differences.
pub(crate) fn run(args: &DiffArgs) -> ExitCode {
    let answer = match args.files.as_slice() {
        [] => ask_daemon(args).map(|(_, text)| text),
        [new] => against_daemon(args, new),
        [old, new, ..] => between(args, old, new),
    };
    match answer {
        Err(why) => programs::complain(&format!("mon diff: {why}"), TROUBLE),
        Ok(text) => {
            // A single line is the one that counts: nothing differs.
            let status = if text.lines().count() == 1 { SAME } else { DIFFERENT };
            programs::exit_after(io::stdout().lock().write_all(&text::encode(&text)), status)
        }
    }
}

fn between(args: &DiffArgs, old: &Path, new: &Path) -> Result<String, String> {
    let (old, new) = (read(args, old)?, read(args, new)?);
    Ok(changes::between(&Outline::of(&old), &Outline::of(&new)).render())
}

/// What the daemon runs it tells nobody, as there may be passwords in it. But it says whether its file still says
/// the same.
fn against_daemon(args: &DiffArgs, new: &Path) -> Result<String, String> {
    let (running, changes) = ask_daemon(args)?;
    if changes.lines().count() > 1 {
        return Err(format!(
            "the daemon does not run what {running} says now, so there is nothing to compare with; \
             mon diff without FILE shows what differs"
        ));
    }
    between(args, Path::new(&running), new)
}

/// The daemon's configuration file, and what it would change.
fn ask_daemon(args: &DiffArgs) -> Result<(String, String), String> {
    let host = Target::host(args.server.as_deref(), None);
    let target = Target { host, port: Target::port(args.port.as_deref()), patience: PATIENCE };
    let mut client = target.open_session()?;
    if let Some(user) = &args.user {
        log_in(&mut client, user)?;
    }
    let asked = client.send("test reload").and_then(|()| client.reply());
    let Reply { lines, status } = asked.map_err(|error| error.to_string())?;
    if !status.is_ok() {
        // What is wrong with the file, or that the server has not heard of this command.
        return Err([lines.as_slice(), &[status.line]].concat().join("\n"));
    }
    let file = lines.first().and_then(|line| line.strip_prefix("configuration file "));
    let file = file.ok_or("the server does not know what a reload would change")?.to_owned();
    Ok((file, lines[1..].iter().map(|line| format!("{line}\n")).collect()))
}

fn log_in(client: &mut Client<Link>, user: &str) -> Result<(), String> {
    let password = terminal::read_password().map_err(|error| error.to_string())?;
    let Credentials { user, password } = Credentials { user: user.to_owned(), password }.checked()?;
    client.login(&user, &password).map_err(|error| format!("login failure: {error}"))
}

fn read(args: &DiffArgs, path: &Path) -> Result<Config, String> {
    let name = path.display().to_string();
    let m4 = args.m4.clone().or_else(|| name.ends_with(".m4").then(|| "m4".into()));
    let (config, text, mut diagnostics) =
        read_checked(path, m4.as_deref()).map_err(|error| error.to_string())?;
    diagnostics.retain(Diagnostic::is_error);
    if diagnostics.is_empty() {
        return Ok(config);
    }
    Err(format!("the daemon refuses {name}\n\n{}", diagnostic::render(&diagnostics, &name, &text)))
}
