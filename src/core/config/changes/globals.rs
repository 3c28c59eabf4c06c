//! The globals of two configurations.

use std::sync::Arc;

use super::{GlobalChange, KeywordChange};
use crate::config::definition::spelled;
use crate::config::model::{Globals, Located};
use crate::period::Period;
use crate::timeval::Timeval;

/// A reload is enough.
const LIVE: bool = true;
/// What the daemon has opened or written once, when it started, stays until it starts again.
const AT_START: bool = false;

/// Those that differ.
pub(super) fn between(old: &Globals, new: &Globals) -> Vec<GlobalChange> {
    let pairs = values(old).into_iter().zip(values(new));
    let differing = pairs.filter(|((.., old), (.., new))| old != new);
    let change = |((name, live, old), (.., new)): (Global, Global)| GlobalChange {
        change: KeywordChange { keyword: name.to_owned(), old, new },
        live,
    };
    differing.map(change).collect()
}

/// Name, whether a reload is enough, value.
type Global = (&'static str, bool, Option<String>);

/// Takes the globals apart without `..`: one that is not listed does not compile.
macro_rules! listed {
    ($globals:expr; $($name:ident $live:ident $text:ident,)*) => {{
        let Globals { $($name),* } = $globals;
        vec![$((stringify!($name), $live, $text($name))),*]
    }};
}

fn values(globals: &Globals) -> Vec<Global> {
    listed! { globals;
        alertdir LIVE text,
        mondir LIVE text,
        basedir LIVE text,
        cfbasedir LIVE text,
        logdir LIVE text,
        statedir LIVE text,
        histlength LIVE number,
        serverport AT_START number,
        trapport AT_START number,
        serverbind AT_START text,
        trapbind AT_START text,
        clientallow LIVE text,
        pidfile AT_START text,
        randstart LIVE span,
        maxprocs LIVE number,
        authfile LIVE file,
        authtype LIVE text,
        pamservice LIVE text,
        userfile LIVE file,
        historicfile LIVE text,
        historictime LIVE span,
        cltimeout LIVE span,
        monerrfile AT_START text,
        dtlogfile LIVE text,
        dtlogging LIVE flag,
        dep_recur_limit LIVE number,
        syslog_facility AT_START text,
        startupalerts_on_reset LIVE flag,
        monremote LIVE text,
        exclude_period LIVE period,
        alert_timeout LIVE span,
        historykeep LIVE seconds,
    }
}

fn text(value: &Option<Arc<str>>) -> Option<String> {
    value.as_deref().map(str::to_owned)
}

fn number<N: ToString>(value: &Option<N>) -> Option<String> {
    value.as_ref().map(N::to_string)
}

fn span(value: &Option<Timeval>) -> Option<String> {
    value.map(spelled)
}

fn seconds(value: &Option<u64>) -> Option<String> {
    const DAY: u64 = 86_400;
    value.map(|value| if value % DAY == 0 { format!("{}d", value / DAY) } else { format!("{value}s") })
}

fn file(value: &Option<Located>) -> Option<String> {
    value.as_ref().map(|file| file.value.to_string())
}

fn flag(value: &bool) -> Option<String> {
    value.then(|| "yes".to_owned())
}

fn period(value: &Option<Arc<Period>>) -> Option<String> {
    value.as_ref().map(|period| period.text().to_owned())
}
