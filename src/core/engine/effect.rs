//! Everything the daemon does.

use std::borrow::Cow;
use std::sync::Arc;

use super::alerts::AlertId;
use super::answer::Answer;
use super::command::{List, Password, Question, RecordSpan};
use super::configure::Program;
use super::event::ClientId;
use super::fact::Fact;
use super::note::Note;
use super::runs::RunId;
use crate::nouns::{AlertKind, ServiceKey};

/// One thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Start a monitor; answer with `RunEnded`.
    RunMonitor {
        /// The name of the run.
        run: RunId,
        /// Whose monitor it is.
        service: ServiceKey,
        /// What to start.
        launch: Launch,
    },
    /// End a run: its result is not wanted any more.
    KillRun {
        /// Which one.
        run: RunId,
    },
    /// Start an alert; answer with `AlertEnded`.
    RunAlert {
        /// The name of the alert run.
        alert: AlertId,
        /// Who is alerted about.
        service: ServiceKey,
        /// Label of the period that the alert line stands in; `None` for a redistribution.
        period: Option<Arc<str>>,
        /// The occasion.
        kind: AlertKind,
        /// What to start.
        launch: Launch,
        /// What it reads.
        stdin: Arc<str>,
    },
    /// End an alert that runs for too long, with all its children. It answers with `AlertEnded` all the same.
    EndAlert {
        /// Which one.
        alert: AlertId,
        /// How.
        how: Stop,
    },
    /// Answer a client.
    Reply {
        /// Whom.
        client: ClientId,
        /// What.
        answer: Answer<'static>,
        /// And close the connection.
        close: bool,
    },
    /// Answer a client with [`Engine::list`](super::Engine::list): rendered at once, so that nothing is copied.
    ReplyList {
        /// Whom.
        client: ClientId,
        /// What was asked.
        list: List,
    },
    /// Answer a client with [`Engine::why`](super::Engine::why), and with what the record knows besides.
    ReplyWhy {
        /// Whom.
        client: ClientId,
        /// What was asked.
        question: Question,
    },
    /// Answer a client with a stretch of the record.
    ReplyRecord {
        /// Whom.
        client: ClientId,
        /// What was asked.
        span: RecordSpan,
    },
    /// Close a connection without a word.
    Close {
        /// Whose.
        client: ClientId,
    },
    /// Check a password; answer with `Authenticated`.
    Authenticate {
        /// Who asks.
        client: ClientId,
        /// The name.
        user: String,
        /// The password.
        password: Password,
    },
    /// Read and check mon.cf; answer with `ConfigRead`.
    ReadConfig {
        /// What for.
        purpose: ReadPurpose,
    },
    /// Read auth.cf; answer with `AuthRead`.
    ReadAuth {
        /// Who asks; `None` after a reload that names another file.
        client: Option<ClientId>,
    },
    /// The rules changed: whoever checks traps needs to know.
    AuthChanged,
    /// The configuration was replaced: logs begin anew, listeners look at their limits.
    ConfigChanged,
    /// Replace state files.
    Save {
        /// Which ones.
        files: Vec<StateFile>,
        /// Who is told what once they are written.
        then: Option<(ClientId, Answer<'static>)>,
    },
    /// Read state files; answer with `StateRead`.
    Load {
        /// Which ones.
        files: Vec<StateFile>,
        /// Who asks.
        client: ClientId,
    },
    /// Append a line to a log of ours.
    Append {
        /// Which one.
        log: LogFile,
        /// Without line end.
        line: String,
    },
    /// Keep a fact in the record.
    Record {
        /// About whom.
        service: Option<ServiceKey>,
        /// What happened.
        fact: Fact,
    },
    /// Run the `monremote` command with these words.
    Monremote {
        /// For instance `disable watch web`.
        words: String,
    },
    /// For those who watch; there is nothing to do.
    Note(Note),
    /// Write to the log.
    Log {
        /// How urgent.
        level: Level,
        /// Without line end; may hold anything a monitor printed.
        text: String,
    },
    /// End the daemon.
    Exit {
        /// Its exit status.
        status: u8,
    },
}

impl Effect {
    pub(super) fn log(level: Level, text: impl Into<String>) -> Effect {
        Effect::Log { level, text: text.into() }
    }

    pub(super) fn reply(client: ClientId, answer: Answer<'static>) -> Effect {
        Effect::Reply { client, answer, close: false }
    }
}

/// How a program is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM: it may clean up.
    Term,
    /// SIGKILL.
    Kill,
}

/// A program with its arguments and what is added to its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// What to start.
    pub program: Program,
    /// Arguments, without the program's name.
    pub args: Vec<String>,
    /// Variables, the last of a name wins.
    pub env: Vec<(Variable, Arc<str>)>,
}

/// The name of a variable; ours are known when this is compiled.
pub type Variable = Cow<'static, str>;

/// Why mon.cf is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPurpose {
    /// `test config`: only to look.
    Test(ClientId),
    /// `test reload`: to say what a reload would change.
    Compare(ClientId),
    /// `reset` or SIGHUP.
    Reset {
        /// Who asked; `None` for SIGHUP.
        client: Option<ClientId>,
        /// With what is known of services that stay.
        keepstate: bool,
        /// And stop the scheduler.
        stopped: bool,
    },
}

/// The state files, named as in `savestate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateFile {
    /// What is disabled.
    Disabled,
    /// The state of the services.
    Opstatus,
}

/// The logs that the daemon keeps itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFile {
    /// `dtlogfile`
    Downtime,
    /// `historicfile`
    Alerts,
}

/// Urgency of a log line, as syslog has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody is called.
    Alert,
    /// A service failed.
    Crit,
    /// Something of ours does not work.
    Err,
    /// Something looks wrong.
    Warning,
    /// Worth noting.
    Notice,
    /// Everyday life.
    Info,
    /// Why nobody was called.
    Debug,
}
