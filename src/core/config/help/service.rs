//! Keywords of a service, `period` included.

use super::{Keyword, Where, keyword};

const fn service(
    word: &'static str,
    arguments: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Keyword {
    keyword(Where::Service, word, arguments, default, meaning)
}

pub(super) const KEYWORDS: &[Keyword] = &[
    service(
        "interval",
        "TIME",
        "the monitor never runs by itself",
        "How often the monitor runs, counted from start to start. A time is a number and `s`, `m`, `h` or `d`: `30s`, \
         `5m`, `1.5h`, `1d`.",
    ),
    service("failure_interval", "TIME", "`interval` always", "Replaces `interval` while the service fails."),
    service(
        "monitor",
        "PROGRAM [ARGUMENT...] [;;]",
        "only traps change the status",
        "The program that looks, from `mondir`. The hosts of the group are added to its arguments; a last word `;;` \
         leaves them out. Exit status 0 is good, any other a failure; the first line of its output is the summary. \
         Quotes and backslashes work as in a shell.",
    ),
    service(
        "redistribute",
        "PROGRAM [ARGUMENT...]",
        "none",
        "An alert that is called with every result, good ones too: to hand them on to another system.",
    ),
    service(
        "allow_empty_group",
        "",
        "the monitor does not run then",
        "Run the monitor even when no host is left because all are disabled or excluded.",
    ),
    service(
        "description",
        "TEXT",
        "",
        "A few words for people: clients show them, alerts and monitors get them.",
    ),
    service(
        "unack_summary",
        "[yes | no]",
        "the global `unack_summary`",
        "A changed summary drops an acknowledgement: something else fails now.",
    ),
    service(
        "traptimeout",
        "TIME",
        "none",
        "If no trap comes for so long, the service has failed: a heartbeat.",
    ),
    service(
        "trapduration",
        "TIME",
        "the status stays",
        "So long after a trap that reported a failure, the service counts as good again.",
    ),
    service(
        "randskew",
        "TIME",
        "none",
        "Each wait is longer or shorter by up to this, at random, so that services do not all run at once.",
    ),
    service(
        "dep_behavior",
        "{a | m | hm}",
        "the global `dep_behavior`",
        "What `depend` holds back: `a` alerts, `m` runs of the monitor, `hm` the single hosts that a failing \
         dependency names in its summary.",
    ),
    service(
        "dep_memory",
        "TIME",
        "the global `dep_memory`",
        "A dependency goes on counting as failing for so long after it has recovered.",
    ),
    service(
        "depend",
        "EXPRESSION",
        "none",
        "Holds back what `dep_behavior` says while the expression is false: `group:service` is true while that \
         service is good, `SELF:service` is one of this watch; `&&`, `||`, `!` and brackets join them.",
    ),
    service(
        "alertdepend",
        "EXPRESSION",
        "none",
        "While the expression is false no alert is sent; see `depend`.",
    ),
    service(
        "monitordepend",
        "EXPRESSION",
        "none",
        "While the expression is false the monitor does not run; see `depend`.",
    ),
    service(
        "hostdepend",
        "EXPRESSION",
        "none",
        "Hosts that a failing service of the expression names in its summary are left out; see `depend`.",
    ),
    service("exclude_hosts", "HOST...", "none", "Hosts of the group that the monitor does not get."),
    service("exclude_period", "PERIOD", "none", "The monitor does not run in this period."),
    service(
        "period",
        "[LABEL:] [SPECIFICATION]",
        "nobody is alerted",
        "When, and by the lines below it who, is alerted. The specification names scales: `wd {Mon-Fri} hr {9am-5pm}`. \
         All scales must hold; `,` separates alternatives; nothing means always, `none` never. Two periods of a \
         service need labels if their specifications are the same.",
    ),
];
