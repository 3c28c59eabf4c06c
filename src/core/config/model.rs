//! The checked configuration: types that cannot hold what mon.cf must not say.
//!
//! There can be a hundred thousand services, so shared text is `Arc<str>` (interned while lowering: equal
//! text is stored once) and lists are boxed slices.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::depend::Expr;
use crate::period::Period as PeriodSpec;
use crate::timeval::Timeval;

/// A whole mon.cf that may be run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// `name = value` lines.
    pub globals: Globals,
    /// Hosts by group, in the order of the file; groups made for a `watch` without one included.
    pub hostgroups: BTreeMap<Arc<str>, HostGroup>,
    /// Watches in the order of the file.
    pub watches: Vec<Watch>,
    /// Lines of text by alias.
    pub aliases: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Members by view.
    pub views: BTreeMap<Arc<str>, Vec<ViewMember>>,
}

/// The hosts of a group, in the order of the file.
pub type HostGroup = Vec<Arc<str>>;

/// What a view shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViewMember {
    /// `group`: every service of it.
    Group(Arc<str>),
    /// `group:service`.
    Service(Arc<str>, Arc<str>),
}

/// The global variables that the file sets; what it leaves out is `None`, and the command line wins over both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Globals {
    /// Search path of alerts, `:`-separated, as written.
    pub alertdir: Option<Arc<str>>,
    /// Search path of monitors, `:`-separated, as written.
    pub mondir: Option<Arc<str>>,
    /// Base of the relative directories.
    pub basedir: Option<Arc<str>>,
    /// Base of the configuration files.
    pub cfbasedir: Option<Arc<str>>,
    /// Directory of downtime and history logs.
    pub logdir: Option<Arc<str>>,
    /// Directory of the state files.
    pub statedir: Option<Arc<str>>,
    /// Length of the alert and failure histories (`histlength`, `-k`, `set maxkeep`).
    pub histlength: Option<usize>,
    /// TCP port of the client protocol.
    pub serverport: Option<u16>,
    /// UDP port of traps.
    pub trapport: Option<u16>,
    /// Address or host name to listen on for clients.
    pub serverbind: Option<Arc<str>>,
    /// Address or host name to listen on for traps.
    pub trapbind: Option<Arc<str>>,
    /// Patterns of client addresses, blank-separated, as written.
    pub clientallow: Option<Arc<str>>,
    /// Where the process id goes; empty for nowhere.
    pub pidfile: Option<Arc<str>>,
    /// First runs are spread at random over this time.
    pub randstart: Option<Timeval>,
    /// Most monitors running at once; `None` for no limit.
    pub maxprocs: Option<usize>,
    /// Authentication file.
    pub authfile: Option<Located>,
    /// Ways of authentication, tried in this order.
    pub authtype: Option<Arc<str>>,
    /// PAM service name.
    pub pamservice: Option<Arc<str>>,
    /// Password file of authtype `userfile`.
    pub userfile: Option<Located>,
    /// How many seconds the record (`history.db`) reaches back; 0 for no record.
    pub historykeep: Option<u64>,
    /// Alert history file.
    pub historicfile: Option<Arc<str>>,
    /// How far back the alert history is read at start; `None` for all of it.
    pub historictime: Option<Timeval>,
    /// Idle clients are closed after this (30 s where not set).
    pub cltimeout: Option<Timeval>,
    /// Where a daemon's (`-f`) stdout and stderr go.
    pub monerrfile: Option<Arc<str>>,
    /// Downtime log file.
    pub dtlogfile: Option<Arc<str>>,
    /// Whether the downtime log is written.
    pub dtlogging: bool,
    /// How deep dependencies may nest (10 where not set).
    pub dep_recur_limit: Option<u32>,
    /// Syslog facility name.
    pub syslog_facility: Option<Arc<str>>,
    /// Whether a reset sends startup alerts again.
    pub startupalerts_on_reset: bool,
    /// Command called with each operator's test, enable and disable.
    pub monremote: Option<Arc<str>>,
    /// No monitor runs in this period.
    pub exclude_period: Option<Arc<PeriodSpec>>,
    /// An alert program that runs for longer is ended (10 minutes where not set).
    pub alert_timeout: Option<Timeval>,
}

/// A value whose check needs the world (is that file readable?), with its place for the complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The value as written.
    pub value: Arc<str>,
    /// Byte range of the value in the file's text.
    pub span: (u32, u32),
    /// Number of the last physical line of the logical line.
    pub line: u32,
}

/// `watch NAME`: services that share a hostgroup.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// The name, which is the name of the hostgroup too.
    pub group: Arc<str>,
    /// Services in the order of the file. Boxed, because they move into the engine one by one: what moves is a
    /// pointer, and a hundred thousand of them leave no second copy behind.
    pub services: Vec<Box<Service>>,
}

/// `service NAME` and what follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Unique in its watch.
    pub name: Arc<str>,
    /// Time between the starts of two runs; `None`: never runs by itself.
    pub interval: Option<Timeval>,
    /// Replaces `interval` while the service fails.
    pub failure_interval: Option<Timeval>,
    /// Each wait is longer or shorter by up to this.
    pub randskew: Option<Timeval>,
    /// No trap for this long is a failure.
    pub traptimeout: Option<Timeval>,
    /// A trap's status turns to ok after this.
    pub trapduration: Option<Timeval>,
    /// A dependency on this service stays bad for so long after a failure.
    pub dep_memory: Option<Timeval>,
    /// What `depend` holds back.
    pub dep_behavior: DepBehavior,
    /// Dependencies, for the services that have any.
    pub depends: Option<Box<Depends>>,
    /// The monitor line; `None` for services fed by traps.
    pub monitor: Option<CommandLine>,
    /// Called with every result.
    pub redistribute: Option<CommandLine>,
    /// Run the monitor even when no host is left.
    pub allow_empty_group: bool,
    /// Free text.
    pub description: Option<Arc<str>>,
    /// A changed summary drops an acknowledgement.
    pub unack_summary: bool,
    /// Hosts that are left out of the monitor's arguments.
    pub exclude_hosts: Box<[Arc<str>]>,
    /// No run in this period.
    pub exclude_period: Option<Arc<PeriodSpec>>,
    /// `NAME=value` lines in the order of the file; the last of a name wins.
    pub env: Box<[(Arc<str>, Arc<str>)]>,
    /// In the order of the file.
    pub periods: Box<[Period]>,
    /// Line of the `service` keyword.
    pub line: u32,
}

/// The words after `monitor`, `redistribute` or `alert`: a program and its arguments, not yet split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// As written, without the keyword.
    pub text: Arc<str>,
    /// Line in the file.
    pub line: u32,
}

impl CommandLine {
    /// The program: the first blank-separated word, taken literally.
    #[must_use]
    pub fn program(&self) -> &str {
        self.text.split(crate::timeval::is_blank).next().unwrap_or_default()
    }

    /// What follows the program, as written.
    #[must_use]
    pub fn arguments(&self) -> &str {
        self.text[self.program().len()..].trim_start_matches(crate::timeval::is_blank)
    }
}

/// What a failing `depend` holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DepBehavior {
    /// `a`: alerts.
    #[default]
    Alerts,
    /// `m`: monitors.
    Monitors,
    /// `hm`: single hosts of the monitor's arguments.
    Hosts,
}

impl DepBehavior {
    /// The word in mon.cf.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            DepBehavior::Alerts => "a",
            DepBehavior::Monitors => "m",
            DepBehavior::Hosts => "hm",
        }
    }
}

/// The dependency expressions of a service, `SELF:` already replaced.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Depends {
    /// `depend`: its effect is that of `dep_behavior`.
    pub depend: Option<Dependency>,
    /// `alertdepend`.
    pub alertdepend: Option<Dependency>,
    /// `monitordepend`.
    pub monitordepend: Option<Dependency>,
    /// `hostdepend`.
    pub hostdepend: Option<Dependency>,
}

/// One dependency line.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// As written, with `SELF:` replaced by the group: what `list deps` shows.
    pub text: Arc<str>,
    /// Parsed; `Err` for one that the original fails to evaluate too, which suppresses.
    pub expr: Result<Expr, crate::depend::ParseError>,
    /// Line in the file.
    pub line: u32,
}

/// `period [LABEL:] [SPEC]` and what follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The label, or the spec where there is none: unique in its service.
    pub label: Arc<str>,
    /// When alerts of this period are sent.
    pub spec: Arc<PeriodSpec>,
    /// Alert lines of all kinds in the order of the file.
    pub alerts: Box<[AlertLine]>,
    /// `alertevery`.
    pub alertevery: Option<AlertEvery>,
    /// `alertafter N`.
    pub alertafter_count: Option<u32>,
    /// `alertafter TIMEVAL`, and the window of `alertafter N TIMEVAL`.
    pub alertafter_time: Option<Timeval>,
    /// The N of `alertafter N TIMEVAL`.
    pub alertafter_within: Option<u32>,
    /// An outage must have lasted this long to be worth an upalert.
    pub upalertafter: Option<Timeval>,
    /// Most alerts of one outage; `None` for no limit.
    pub numalerts: Option<u32>,
    /// Upalerts and ackalerts also where no alert was sent before.
    pub no_comp_alerts: bool,
    /// Alerts of this period do not show in `alerts_sent`.
    pub alerts_dont_count: bool,
    /// Only these exit statuses alert in this period.
    pub alertexitrange: Option<ExitRange>,
    /// An alert program of this period that runs for longer is ended; the global one where not set.
    pub alert_timeout: Option<Timeval>,
    /// `alertretry`: what follows when an alert was not delivered; `None` for nothing.
    pub alertretry: Option<AlertRetry>,
    /// Line of the `period` keyword.
    pub line: u32,
    /// Where its other rules stand.
    pub rule_lines: RuleLines,
}

/// A rule of a period that may hold an alert back, and has a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodRule {
    /// `alertevery`
    AlertEvery,
    /// `alertafter N`
    AlertAfterCount,
    /// `alertafter TIMEVAL`, `alertafter N TIMEVAL`
    AlertAfterTime,
    /// `upalertafter`
    UpalertAfter,
    /// `numalerts`
    NumAlerts,
    /// `alertexitrange`
    ExitRange,
    /// `no_comp_alerts`
    NoCompAlerts,
}

/// How many lines below `period` the rules stand. A byte each: they fill what alignment leaves over in a
/// [`Period`], so that a hundred thousand of them need no more room. 0 where there is none, or too far away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleLines([u8; 6]);

impl RuleLines {
    /// `alertevery` keeps its line itself.
    fn place(rule: PeriodRule) -> Option<usize> {
        (rule as usize).checked_sub(1)
    }
}

impl Period {
    /// The line of a rule; that of `period` where the rule has none, or is more than 255 lines below.
    #[must_use]
    pub fn line_of(&self, rule: PeriodRule) -> u32 {
        match RuleLines::place(rule) {
            None => self.alertevery.map_or(self.line, |every| every.line),
            Some(place) => self.line + u32::from(self.rule_lines.0[place]),
        }
    }

    pub(super) fn note_line(&mut self, rule: PeriodRule, line: u32) {
        if let Some(place) = RuleLines::place(rule) {
            self.rule_lines.0[place] = u8::try_from(line.saturating_sub(self.line)).unwrap_or(0);
        }
    }
}

/// Which of the alert keywords a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKeyword {
    /// `alert`
    Alert,
    /// `upalert`
    Upalert,
    /// `startupalert`
    Startupalert,
    /// `ackalert`
    Ackalert,
    /// `disablealert`
    Disablealert,
}

impl AlertKeyword {
    /// The word in mon.cf.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AlertKeyword::Alert => "alert",
            AlertKeyword::Upalert => "upalert",
            AlertKeyword::Startupalert => "startupalert",
            AlertKeyword::Ackalert => "ackalert",
            AlertKeyword::Disablealert => "disablealert",
        }
    }
}

/// One alert line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// When it is called.
    pub keyword: AlertKeyword,
    /// The `exit=N[-M]` prefix.
    pub exit: Option<ExitRange>,
    /// Program and arguments, without the prefix.
    pub command: CommandLine,
}

/// `N` or `N-M`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitRange {
    /// Lowest exit status.
    pub first: u32,
    /// Highest exit status.
    pub last: u32,
}

impl ExitRange {
    /// Whether that exit status is meant.
    #[must_use]
    pub fn contains(self, exit: i64) -> bool {
        i64::from(self.first) <= exit && exit <= i64::from(self.last)
    }
}

/// `alertretry N [TIMEVAL]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRetry {
    /// Most tries after the first one; more than zero.
    pub tries: u32,
    /// Wait before the first of them; each one after it waits twice as long as the one before.
    pub pause: Timeval,
}

/// `alertevery TIMEVAL [WORD]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertEvery {
    /// No second alert within this time …
    pub interval: Timeval,
    /// … unless this changed.
    pub unless: AlertEveryUnless,
    /// Line in the file.
    pub line: u32,
}

/// What breaks the silence of `alertevery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertEveryUnless {
    /// `summary` or no word: another summary line.
    #[default]
    SummaryChanged,
    /// `observe_detail`: any other output.
    OutputChanged,
    /// `ignore_summary`: nothing, until the service recovers.
    Recovered,
    /// `strict`: nothing, not even a recovery.
    Never,
}
