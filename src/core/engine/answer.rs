//! What a client is told, not yet spelled.

use std::sync::Arc;
use std::time::Duration;

use super::attempts::Attempt;
use super::fact::Recorded;
use super::runs::RunId;
use super::why::Why;
use crate::config::Service;
use crate::decision::ServiceState;
use crate::nouns::{Now, ServiceKey, Wall};

/// An answer. The words of the protocol are in `wire::reply`.
#[derive(Debug)]
pub enum Answer<'a> {
    /// The line is no command.
    InvalidCommand,
    /// auth.cf does not permit it, or there is no such command.
    Refused,
    /// `quit`
    Quitting,
    /// `version`
    Version,
    /// `protid`
    Protocol {
        /// Ours.
        matches: bool,
    },
    /// `login`
    Login {
        /// Whether it was accepted.
        accepted: bool,
    },
    /// `setview` with more than one word.
    UnknownSetview,
    /// `setview` of a view that is not there.
    UnknownView(String),
    /// The view that was just selected, or none.
    ViewSelected(Option<String>),
    /// `getview`
    View(Option<String>),
    /// `checkauth`
    Authorized(bool),
    /// `servertime`
    Servertime(Now),
    /// `get maxkeep`
    Maxkeep(usize),
    /// `get`
    Variable {
        /// Of which service.
        key: ServiceKey,
        /// As asked.
        variable: String,
        /// Empty where not set.
        value: String,
    },
    /// `set maxkeep`, `set … opstatus`
    Set,
    /// `set` of any other variable.
    VariableSet {
        /// Of which service.
        key: ServiceKey,
        /// As asked.
        variable: String,
        /// As set.
        value: String,
    },
    /// `set … opstatus` with a word that is no status.
    UndefinedOpstatus,
    /// `set` of a variable that cannot be set, or to a value that it cannot have.
    CannotSet {
        /// As asked.
        variable: String,
        /// Why not.
        why: &'static str,
    },
    /// `get`, `set` of a service that is not there.
    NotDefined(String, String),
    /// `stop`
    Stopped,
    /// `start`
    Started,
    /// `reset`
    Reset {
        /// What is wrong with the file; empty when all went well.
        errors: Vec<String>,
    },
    /// `reload`
    Reloaded {
        /// Whether all of it was known.
        known: bool,
    },
    /// `reload auth` with a file that cannot be read.
    ReloadFailed,
    /// `clear timers`
    TimersCleared,
    /// `clear timers` of a service that is not there.
    UnknownGroup,
    /// `clear` of anything else.
    UnknownClear,
    /// `test monitor`
    TestMonitor,
    /// `test monitor`, `test alert` of a service that is not there.
    TestNotDefined(String, String),
    /// `test alert` in a period that is not there.
    PeriodNotDefined,
    /// `test alert`
    TestAlert,
    /// `test config`
    TestConfig {
        /// What is wrong with the file; empty when nothing is.
        errors: Vec<String>,
    },
    /// `test reload`
    TestReload {
        /// The configuration file that the daemon reads.
        file: Arc<str>,
        /// What it would change, for a person to read.
        changes: String,
    },
    /// `test` of anything else.
    TestError,
    /// `savestate`
    StateSaved,
    /// `savestate` of nothing.
    SavestateNeedsArguments,
    /// `loadstate`
    StateLoaded,
    /// `term`
    Terminating,
    /// `ack`
    Acked,
    /// `ack` in a watch that is not there.
    AckUnknownGroup,
    /// `ack` of a service that is not there.
    AckUnknownService,
    /// `ack` of a service that does not fail.
    AckNotFailing,
    /// `disable watch`
    WatchDisabled,
    /// `disable watch` of one that is not there.
    DisableUnknownWatch(String),
    /// `disable service`
    ServiceDisabled,
    /// `disable service` of one that is not there.
    DisableUnknownService,
    /// `disable host`
    HostsDisabled,
    /// `disable host` of some that are not there.
    DisableUnknownHosts(Vec<String>),
    /// `enable watch`
    WatchEnabled,
    /// `enable watch` of one that is not there.
    EnableUnknownWatch,
    /// `enable service`, `enable host`
    Enabled,
    /// `enable service` of one that is not there.
    EnableUnknownService,
    /// `disable` and `enable` of anything else.
    CouldNotExecute,
    /// `list` of something unknown.
    UnknownList,
    /// `list descriptions`
    Descriptions(Vec<(&'a str, &'a str, &'a str)>),
    /// `list group`; `None` for one that is not there. True: the host is disabled.
    Group(&'a str, Option<Vec<(&'a str, bool)>>),
    /// `list opstatus`, `failures`, `successes`, `warnings`: the word, and the services.
    Opstatus(&'static str, Vec<OpstatusRow<'a>>),
    /// `list opstatus` of a service that is not there.
    DoesNotExist(&'a str, &'a str),
    /// `list disabled`
    Disabled(Vec<DisabledRow<'a>>),
    /// `list alerthist`, `list failurehist`: the word, and the lines.
    History(&'static str, Vec<&'a str>),
    /// `list deliveries`
    Deliveries(Vec<DeliveryRow<'a>>),
    /// `list pids`
    Pids(Vec<RunRow<'a>>),
    /// `list watch`
    Watch(Vec<(&'a str, &'a str)>),
    /// `list state`: since when the scheduler is stopped.
    State(Option<Wall>),
    /// `list aliases`
    Aliases(Vec<(&'a str, &'a [Arc<str>])>),
    /// `list aliasgroups`
    Aliasgroups(Vec<&'a str>),
    /// `list deps`
    Deps(Vec<DependencyRow<'a>>),
    /// `why` without group and service, or with a time that is none.
    WhyNeedsService,
    /// `why`
    Why(Box<Why>),
    /// `list record`
    Record(Vec<Recorded>),
    /// `list record` where no record is kept, or where it cannot be read.
    NoRecord,
    /// `list dtlog`: the shell reads the file.
    Dtlog,
    /// `list dtlog` without a log.
    DtlogOff,
    /// `list views`
    Views(Vec<&'a str>),
}

/// One line of `list opstatus`.
#[derive(Debug, Clone, Copy)]
pub struct OpstatusRow<'a> {
    /// Name of the watch.
    pub group: &'a str,
    /// Configuration.
    pub service: &'a Service,
    /// State.
    pub state: &'a ServiceState,
    /// Whole seconds to the next run.
    pub timer: u64,
    /// A run is going on.
    pub running: bool,
    /// No result since the last reload: like the original we do not show then how its dependency was.
    pub reloaded: bool,
    /// The time of asking.
    pub now: Wall,
    /// Alert lines of the current failure whose last try did not succeed.
    pub undelivered: usize,
    /// The newest of these tries.
    pub last_undelivered: Option<&'a Attempt>,
}

/// One line of `list deliveries`.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryRow<'a> {
    /// What was tried.
    pub attempt: &'a Attempt,
    /// How long it took, or takes already.
    pub lasted: Duration,
}

/// One line of `list disabled`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisabledRow<'a> {
    /// Hosts of a group.
    Hosts(&'a str, Vec<&'a str>),
    /// A watch.
    Watch(&'a str),
    /// A service.
    Service(&'a str, &'a str),
}

/// One line of `list pids`. The engine names runs; whoever started their processes knows the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRow<'a> {
    /// Name of the watch.
    pub group: &'a str,
    /// Name of the service.
    pub service: &'a str,
    /// What is running.
    pub run: RunId,
}

/// One service of `list deps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyRow<'a> {
    /// Name of the watch.
    pub group: &'a str,
    /// Name of the service.
    pub service: &'a str,
    /// Its `depend`.
    pub expression: Option<&'a str>,
    /// Group and service of what stands in it.
    pub services: Vec<(&'a str, &'a str)>,
}
