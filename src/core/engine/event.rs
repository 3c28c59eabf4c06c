//! Everything that can happen to the daemon.

use std::net::IpAddr;
use std::sync::Arc;

use super::alerts::AlertId;
use super::command::Command;
use super::configure::Loaded;
use super::effect::ReadPurpose;
use super::runs::RunId;
use super::snapshot::{Disabled, ServiceSnapshot};
use crate::auth::Auth;

/// A connected client; numbers are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// One page that tells what wakes the daemon.
#[derive(Debug)]
pub enum Event {
    /// The listeners are up, saved state is loaded: begin.
    Started {
        /// With the scheduler stopped (`-S`).
        stopped: bool,
    },
    /// The time of [`Engine::next_deadline`](super::Engine::next_deadline) has come.
    DeadlineReached,
    /// A monitor run is over, or could not begin.
    RunEnded {
        /// Which run.
        run: RunId,
        /// How it ended.
        ending: Ending,
        /// stdout and stderr, as they came.
        output: String,
    },
    /// An alert program is over, or could not begin.
    AlertEnded {
        /// Which one.
        alert: AlertId,
        /// How it ended.
        ending: Ending,
        /// The end of what it printed.
        last_words: String,
        /// [`Effect::EndAlert`](super::Effect::EndAlert) reached it while it ran. Where that came too late, it has
        /// ended by itself.
        signalled: bool,
    },
    /// A trap that passed [`Auth::trap_gate`].
    Trap(Trap),
    /// A client connected.
    ClientConnected {
        /// From now on known as.
        client: ClientId,
        /// Where it comes from.
        peer: IpAddr,
    },
    /// A client went away.
    ClientGone {
        /// Which one.
        client: ClientId,
    },
    /// A client sent a line.
    Command {
        /// Who.
        client: ClientId,
        /// The line as it came, for the log; empty for a login.
        line: String,
        /// What it says.
        command: Command,
    },
    /// The answer to [`Effect::Authenticate`](super::Effect::Authenticate).
    Authenticated {
        /// Who asked.
        client: ClientId,
        /// Under which name.
        user: String,
        /// Whether the password was right.
        accepted: bool,
    },
    /// The answer to [`Effect::ReadConfig`](super::Effect::ReadConfig).
    ConfigRead {
        /// As asked.
        purpose: ReadPurpose,
        /// The new configuration, or what is wrong with the file, one message a line.
        result: Result<Box<Loaded>, Vec<String>>,
    },
    /// The answer to [`Effect::ReadAuth`](super::Effect::ReadAuth).
    AuthRead {
        /// Who asked; `None` after a reload that names another file.
        client: Option<ClientId>,
        /// The new rules; `None` where the file could not be read, and the old ones stay.
        auth: Option<Auth>,
    },
    /// Saved state, read at start or for `loadstate`.
    StateRead {
        /// Who asked, with `loadstate`.
        client: Option<ClientId>,
        /// Lines of the `disabled` file.
        disabled: Vec<Disabled>,
        /// Lines of the `opstatus` file.
        services: Vec<ServiceSnapshot>,
    },
    /// SIGHUP: reset and keep state.
    HangUp,
    /// SIGTERM or SIGINT.
    Terminate {
        /// Name of the signal.
        signal: &'static str,
    },
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With that exit status.
    Exited(u8),
    /// Killed by that signal.
    Killed(i32),
    /// It never began; why.
    NotStarted(String),
}

/// A trap, authenticated and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// Sender.
    pub from: IpAddr,
    /// `typ` and `spc`, for the log.
    pub kind: String,
    /// `grp`
    pub group: String,
    /// `svc`
    pub service: String,
    /// `sta`: as a monitor's exit status.
    pub status: i64,
    /// `sum`, an empty line, `dtl`: as a monitor's output.
    pub output: Arc<str>,
}
