//! The server that a subcommand asks: where it is, and as whom.

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::link::{PATIENCE, Target};
use super::login::{self, AuthLine, Credentials};
use super::terminal;

/// The options of `moncmd` that say whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server (MONHOST, or localhost)
    #[arg(short = 's', long, value_name = "HOST")]
    server: Option<String>,
    /// Its port, a number or a name (mon, 2583)
    #[arg(short = 'p', long, value_name = "PORT")]
    port: Option<String>,
    /// Log in first; the password is asked for on a terminal, or read from lines USER=... and PASS=... of standard input
    #[arg(short = 'a', long)]
    auth: bool,
    /// Log in as USER (name of the effective user)
    #[arg(short = 'l', long, value_name = "USER")]
    user: Option<String>,
    /// How long to wait for an answer
    #[arg(short = 't', long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

impl ServerArgs {
    /// Asks one thing; the lines of the answer, or a sentence.
    pub(crate) fn ask(&self, command: &str) -> Result<Vec<String>, String> {
        let credentials = if self.auth { Some(self.credentials()?) } else { None };
        let target = Target {
            host: Target::host(self.server.as_deref(), None),
            port: Target::port(self.port.as_deref()),
            patience: self.timeout.filter(|&secs| secs > 0).map_or(PATIENCE, Duration::from_secs),
        };
        let mut client = target.open_session()?;
        if let Some(Credentials { user, password }) = credentials {
            client.login(&user, &password).map_err(|error| format!("login failure: {error}"))?;
        }
        client.ask(command).map_err(|error| error.to_string())
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let mut given = Credentials::default();
        if io::stdin().is_terminal() {
            given.password = terminal::read_password().map_err(|error| error.to_string())?;
        } else {
            for line in login::lines(io::stdin().lock()).map_while(Result::ok) {
                match AuthLine::parse(line.trim_end_matches('\r')) {
                    Some(AuthLine::User(user)) => given.user = user,
                    Some(AuthLine::Password(password)) => given.password = password,
                    Some(AuthLine::Malformed) | None => {}
                }
            }
        }
        let from_input = Some(given.user).filter(|user| !user.is_empty());
        let user = self.user.clone().or(from_input).or_else(terminal::user_name);
        let user = user.ok_or("could not determine username")?;
        Credentials { user, password: given.password }.checked().map_err(str::to_owned)
    }
}
