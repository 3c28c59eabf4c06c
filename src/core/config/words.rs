//! The keywords of mon.cf, by the place where they may stand.

/// Begin a record.
pub(super) const RECORDS: &[&str] = &["hostgroup", "watch", "view", "alias"];

/// May be assigned outside a watch.
pub(super) const GLOBALS: &[&str] = &[
    "alertdir",
    "mondir",
    "basedir",
    "cfbasedir",
    "logdir",
    "statedir",
    "histlength",
    "serverport",
    "trapport",
    "serverbind",
    "trapbind",
    "clientallow",
    "pidfile",
    "randstart",
    "maxprocs",
    "authfile",
    "authtype",
    "pamservice",
    "userfile",
    "historicfile",
    "historictime",
    "historykeep",
    "cltimeout",
    "monerrfile",
    "dtlogfile",
    "dtlogging",
    "dep_recur_limit",
    "dep_behavior",
    "dep_memory",
    "unack_summary",
    "syslog_facility",
    "startupalerts_on_reset",
    "monremote",
    "exclude_period",
    "alert_timeout",
];

/// May stand in a service, before its first period.
pub(super) const SERVICE: &[&str] = &[
    "interval",
    "failure_interval",
    "monitor",
    "redistribute",
    "allow_empty_group",
    "description",
    "unack_summary",
    "traptimeout",
    "trapduration",
    "randskew",
    "dep_behavior",
    "dep_memory",
    "depend",
    "alertdepend",
    "monitordepend",
    "hostdepend",
    "exclude_hosts",
    "exclude_period",
];

/// May stand in a period.
pub(super) const PERIOD: &[&str] = &[
    "alert",
    "upalert",
    "ackalert",
    "disablealert",
    "startupalert",
    "alertevery",
    "alertafter",
    "upalertafter",
    "numalerts",
    "no_comp_alerts",
    "alerts_dont_count",
    "alertexitrange",
    "alert_timeout",
    "alertretry",
];

/// Whether `word` means something inside a watch.
pub(super) fn is_watch_word(word: &str) -> bool {
    matches!(word, "service" | "period") || SERVICE.contains(&word) || PERIOD.contains(&word)
}
