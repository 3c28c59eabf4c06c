//! What a client can say, understood but not yet permitted.

use std::fmt;

use crate::nouns::{AlertKind, Wall};

/// One line of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// No command of this protocol.
    Invalid,
    /// `quit`
    Quit,
    /// `version`
    Version,
    /// `protid N`: the number as written.
    Protid(String),
    /// `login USER PASSWORD`
    Login {
        /// Empty where missing.
        user: String,
        /// Empty where missing.
        password: Password,
    },
    /// `setview [NAME]`: the words.
    Setview(Vec<String>),
    /// `getview`
    Getview,
    /// `checkauth COMMAND`: the first word.
    Checkauth(String),
    /// `list …`
    List(List),
    /// `servertime`
    Servertime,
    /// `get maxkeep`
    GetMaxkeep,
    /// `get GROUP SERVICE VARIABLE`
    Get {
        /// Group.
        group: String,
        /// Service.
        service: String,
        /// Variable.
        variable: String,
    },
    /// `set maxkeep N`
    SetMaxkeep(usize),
    /// `set GROUP SERVICE VARIABLE VALUE`
    Set {
        /// Group.
        group: String,
        /// Service.
        service: String,
        /// Variable.
        variable: String,
        /// Value, unescaped.
        value: String,
    },
    /// `stop`
    Stop,
    /// `start`
    Start,
    /// `reset [stopped] [keepstate]`
    Reset {
        /// Stop the scheduler.
        stopped: bool,
        /// Keep what is known.
        keepstate: bool,
    },
    /// `reload auth`; false for anything else to reload.
    Reload {
        /// All words are `auth`.
        known: bool,
    },
    /// `clear timers GROUP SERVICE`; `None` for anything else.
    Clear(Option<(String, String)>),
    /// `test …`
    Test(Test),
    /// `savestate KIND…`
    Savestate(Vec<StateKind>),
    /// `loadstate KIND…`
    Loadstate(Vec<StateKind>),
    /// `term`
    Term,
    /// `ack GROUP SERVICE COMMENT`
    Ack {
        /// Group.
        group: String,
        /// Service.
        service: String,
        /// Comment, unescaped.
        comment: String,
    },
    /// `disable …`
    Disable(Target),
    /// `enable …`
    Enable(Target),
    /// `why GROUP SERVICE [at TIME]`; `None` for other words.
    Why(Option<Question>),
    /// `dump`: for the original's authors; not offered.
    Dump,
}

impl Command {
    /// The word that auth.cf permits or denies; `None` for what everybody may say.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Command::Invalid
            | Command::Quit
            | Command::Version
            | Command::Protid(_)
            | Command::Login { .. }
            | Command::Setview(_)
            | Command::Getview
            | Command::Checkauth(_) => None,
            // A question like those of `list`; who may see the lists may ask it.
            Command::List(_) | Command::Why(_) => Some("list"),
            Command::Servertime => Some("servertime"),
            Command::GetMaxkeep | Command::Get { .. } => Some("get"),
            Command::SetMaxkeep(_) | Command::Set { .. } => Some("set"),
            Command::Stop => Some("stop"),
            Command::Start => Some("start"),
            Command::Reset { .. } => Some("reset"),
            Command::Reload { .. } => Some("reload"),
            Command::Clear(_) => Some("clear"),
            Command::Test(_) => Some("test"),
            Command::Savestate(_) => Some("savestate"),
            Command::Loadstate(_) => Some("loadstate"),
            Command::Term => Some("term"),
            Command::Ack { .. } => Some("ack"),
            Command::Disable(_) => Some("disable"),
            Command::Enable(_) => Some("enable"),
            Command::Dump => Some("dump"),
        }
    }
}

impl Command {
    /// Whether it may change anything; the others only ask.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        !matches!(self.word(), None | Some("list" | "servertime" | "get" | "dump"))
    }
}

/// What `why` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Group.
    pub group: String,
    /// Service.
    pub service: String,
    /// About what was decided then, in seconds since the epoch; `None`: about now.
    pub at: Option<Wall>,
}

/// What `list record` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSpan {
    /// Group and service; `None` for everything.
    pub service: Option<(String, String)>,
    /// From this second on.
    pub from: Wall,
    /// Up to this one.
    pub to: Wall,
    /// Equal results one by one.
    pub each: bool,
}

/// What `list` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Not known.
    Unknown,
    /// `descriptions`
    Descriptions,
    /// `group NAME`
    Group(String),
    /// `opstatus [GROUP[,SERVICE]…]`
    Opstatus(Vec<(String, Option<String>)>),
    /// `disabled`
    Disabled,
    /// `alerthist`
    Alerthist,
    /// `deliveries [GROUP [SERVICE]]`
    Deliveries(Vec<String>),
    /// `failures`
    Failures,
    /// `failurehist`
    Failurehist,
    /// `successes`
    Successes,
    /// `warnings`
    Warnings,
    /// `pids`
    Pids,
    /// `watch`
    Watch,
    /// `state`
    State,
    /// `aliases [NAME…]`
    Aliases(Vec<String>),
    /// `aliasgroups`
    Aliasgroups,
    /// `deps`
    Deps,
    /// `dtlog`
    Dtlog,
    /// `views`
    Views,
    /// `record GROUP SERVICE [FROM [TO]]`
    Record(RecordSpan),
}

/// What `test` tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Not known.
    Unknown,
    /// `config`
    Config,
    /// `reload`: what would it change?
    Reload,
    /// `monitor GROUP SERVICE`
    Monitor {
        /// Group.
        group: String,
        /// Service.
        service: String,
    },
    /// `alert|upalert|… GROUP SERVICE RETVAL PERIOD`
    Alert {
        /// Which alert lines; `Failure` for plain `alert`.
        kind: AlertKind,
        /// Group.
        group: String,
        /// Service.
        service: String,
        /// The exit status that the alert is told.
        exit: Option<i64>,
        /// Label of the period, or its spec.
        period: String,
    },
}

/// What is disabled or enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Neither watch, service nor host.
    Unknown,
    /// `watch NAME`
    Watch(String),
    /// `service GROUP SERVICE`
    Service(String, String),
    /// `host NAME…`
    Hosts(Vec<String>),
}

/// What `savestate` and `loadstate` move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// `disabled`
    Disabled,
    /// `opstatus`
    Opstatus,
    /// `all`
    All,
    /// Anything else: accepted, and nothing happens.
    Unknown,
}

/// A password: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: String) -> Password {
        Password(text)
    }

    /// The password itself, for the one who checks it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
