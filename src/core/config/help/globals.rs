//! Global variables.

use super::{Keyword, Where, keyword};

const fn global(
    word: &'static str,
    arguments: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Keyword {
    keyword(Where::Global, word, arguments, default, meaning)
}

pub(super) const KEYWORDS: &[Keyword] = &[
    global(
        "alertdir",
        "DIR[:DIR...]",
        "`/usr/local/lib/mon/alert.d:alert.d`",
        "Where alerts are looked for, in this order. Relative ones are below `basedir`.",
    ),
    global(
        "mondir",
        "DIR[:DIR...]",
        "`/usr/local/lib/mon/mon.d:mon.d`",
        "Where monitors are looked for, in this order. Relative ones are below `basedir`.",
    ),
    global(
        "basedir",
        "DIR",
        "`/usr/lib/mon`",
        "What relative `alertdir`, `mondir`, `logdir` and `statedir` are below.",
    ),
    global(
        "cfbasedir",
        "DIR",
        "`/etc/mon`",
        "Where `authfile` and `userfile` are, if their paths are relative.",
    ),
    global(
        "logdir",
        "DIR",
        "`/var/log/mon`, if it exists",
        "Where the downtime log and the history file are, if their paths are relative.",
    ),
    global(
        "statedir",
        "DIR",
        "`/var/state/mon` or `/var/lib/mon`, whichever exists",
        "Where the state is kept: what is disabled, acknowledged, failing.",
    ),
    global("histlength", "NUMBER", "100", "How many alerts and failures are kept for clients to list."),
    global("serverport", "PORT", "the service `mon` of `/etc/services`, or 2583", "TCP port for clients."),
    global("trapport", "PORT", "the service `mon` of `/etc/services`, or 2583", "UDP port for traps."),
    global("serverbind", "ADDRESS", "all addresses", "Where clients may connect to."),
    global("trapbind", "ADDRESS", "all addresses", "Where traps may be sent to."),
    global(
        "clientallow",
        "PATTERN...",
        "every address may",
        "Addresses from which clients may connect. Each pattern must match the whole address; `.` stands for itself, \
         `\\d`, `[...]`, `*`, `+` and `?` work as in regular expressions: `127.0.0.1 10.0.0.\\d+`.",
    ),
    global(
        "pidfile",
        "PATH",
        "`/run/mon/mon.pid` or `/run/mon.pid`",
        "Where the process id goes; empty for nowhere.",
    ),
    global(
        "randstart",
        "TIME",
        "each service first runs after its interval",
        "The first runs are spread at random over this time, so that they do not all come at once.",
    ),
    global("maxprocs", "NUMBER", "no limit", "How many monitors may run at once. The others wait."),
    global(
        "authfile",
        "PATH",
        "`auth.cf`",
        "Who may give which commands, and send which traps. It must be readable.",
    ),
    global(
        "authtype",
        "TYPE...",
        "`getpwnam`",
        "How passwords of clients are checked, tried in this order: `getpwnam` and `shadow` (the accounts of this \
         machine), `userfile`, `pam`, `trustlocal` (whoever connects from this machine is believed).",
    ),
    global("pamservice", "NAME", "`passwd`", "The PAM service of `authtype = pam`."),
    global(
        "userfile",
        "PATH",
        "`monusers.cf`",
        "Users and crypted passwords of `authtype = userfile`, `user : password`. It must be readable.",
    ),
    global(
        "historicfile",
        "PATH",
        "no such file",
        "Every alert is appended to it, and the history is read from it at start.",
    ),
    global("historictime", "TIME", "all of it", "How far back `historicfile` is read at start."),
    global("cltimeout", "TIME", "`30s`", "A client that says nothing for so long is closed."),
    global(
        "monerrfile",
        "PATH",
        "`/dev/null`",
        "Where standard output and error of the daemon go once it runs in the background.",
    ),
    global("dtlogfile", "PATH", "`downtime.log`", "The downtime log: a line for each failure that is over."),
    global("dtlogging", "yes | no", "no", "Whether the downtime log is written."),
    global("dep_recur_limit", "NUMBER", "10", "How deep dependencies of dependencies are followed."),
    global(
        "dep_behavior",
        "{a | m | hm}",
        "`a`",
        "What a failing `depend` holds back in the services below: alerts, runs of the monitor, or single hosts.",
    ),
    global(
        "dep_memory",
        "TIME",
        "none",
        "In the services below, a dependency goes on counting as failing for so long after it has recovered.",
    ),
    global(
        "unack_summary",
        "yes | no",
        "no",
        "In the services below, a changed summary drops an acknowledgement: something else fails now.",
    ),
    global("syslog_facility", "FACILITY", "`daemon`", "Where in syslog the messages go."),
    global(
        "startupalerts_on_reset",
        "yes | no",
        "no",
        "Whether a reset sends startup alerts, as a start does.",
    ),
    global(
        "monremote",
        "PROGRAM",
        "none",
        "Called when a client tests, enables, disables or acknowledges something, to tell other mon servers.",
    ),
    global("exclude_period", "PERIOD", "none", "No monitor runs in this period."),
    global(
        "alert_timeout",
        "TIME",
        "`10m`",
        "An alert program that runs for longer is ended and counts as not delivered. A period may say otherwise.",
    ),
    global(
        "historykeep",
        "TIME",
        "`90d`",
        "How far back the record of what happened (`history.db`) reaches; `w` are weeks, `0d` is no record.",
    ),
];
