//! Keywords of a period.

use super::{Keyword, Where, keyword};

const fn period(
    word: &'static str,
    arguments: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Keyword {
    keyword(Where::Period, word, arguments, default, meaning)
}

pub(super) const KEYWORDS: &[Keyword] = &[
    period(
        "alert",
        "[exit=N[-M]] PROGRAM [ARGUMENT...]",
        "",
        "A program from `alertdir` that is called when the service fails; with `exit=` only for these exit statuses \
         of the monitor. It gets the monitor's output on standard input. There can be several.",
    ),
    period(
        "upalert",
        "[exit=N[-M]] PROGRAM [ARGUMENT...]",
        "",
        "Called when the service is good again, if an alert was sent before in this period; `no_comp_alerts` lifts \
         that condition.",
    ),
    period(
        "ackalert",
        "[exit=N[-M]] PROGRAM [ARGUMENT...]",
        "",
        "Called when somebody acknowledges the failure; it gets the comment on standard input.",
    ),
    period(
        "disablealert",
        "[exit=N[-M]] PROGRAM [ARGUMENT...]",
        "",
        "Called when somebody disables the service; it gets the name of the user on standard input.",
    ),
    period(
        "startupalert",
        "PROGRAM [ARGUMENT...]",
        "",
        "Called when the daemon starts, and at a reset where `startupalerts_on_reset` says so.",
    ),
    period(
        "alertevery",
        "TIME [observe_detail | ignore_summary | summary | strict]",
        "every failing run alerts",
        "After an alert, no other for so long, unless the summary changes. `observe_detail`: unless any of the output \
         changes. `ignore_summary`: whatever changes. `strict`: whatever changes, and even if the service was good in \
         between.",
    ),
    period(
        "alertafter",
        "N | TIME | N TIME",
        "the first failure alerts",
        "Alert only after N failures in a row, after the failure has lasted for TIME, or after N failures within TIME. \
         Here a time is a whole number and `s`, `m` or `h`.",
    ),
    period("upalertafter", "TIME", "none", "No upalert for a failure that was over before so long."),
    period("numalerts", "N", "no limit", "At most so many alerts for one failure."),
    period(
        "no_comp_alerts",
        "",
        "only where an alert was sent before",
        "Call upalerts and ackalerts even if this period has sent no alert for the failure.",
    ),
    period("alerts_dont_count", "", "they count", "Alerts of this period are not counted in `alerts_sent`."),
    period(
        "alertexitrange",
        "N[-M]",
        "every one but 0",
        "Alert only for these exit statuses of the monitor.",
    ),
    period(
        "alert_timeout",
        "TIME",
        "the global one",
        "An alert program of this period that runs for longer is ended and counts as not delivered.",
    ),
    period(
        "alertretry",
        "N [TIME]",
        "none",
        "An alert that was not delivered is tried up to N more times: after TIME (30s), then after twice as long, \
         and so on.",
    ),
];
