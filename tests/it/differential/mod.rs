//! The same scenario against the original and ours; whatever can be observed must be the same.
//!
//! Scenarios are plain text in `tests/differential/`, described in its README. Each runs in two places at once:
//! one with the oracle, one with the candidate. `DEVIATIONS.md` beside them says where we differ on purpose.

pub(crate) mod calls;
mod drive;
mod files;
pub(crate) mod normal;
pub(crate) mod scenario;

use std::path::PathBuf;

use crate::support::{both, differences, oracle, skipped, source};
pub(crate) use drive::{drive, send_trap};
use scenario::Scenario;

/// One test per scenario file, so that the test runner names, filters and counts them.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { same_as_the_original(stringify!($name)); })*
        const LISTED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    ack_silences_until_recovery, alert_arguments_and_environment, alert_exit_ranges,
    alertafter_count, alertafter_time, alertevery_details, alertevery_summaries, auth_reload,
    clear_timers, client_lists, config_continuations, config_records, config_refused_globals,
    config_refused_periods, config_refused_services, depend_alerts, depend_expressions,
    depend_hosts, depend_monitors, disabled_hosts, disabled_services, disabled_singletons,
    exclude_hosts, failure_interval, get_and_set, histories, keepstate_while_failing,
    login_trustlocal, login_userfile, monremote, no_comp_alerts, numalerts, period_labels,
    redistribute, reset_takes_a_new_file, scheduler_stopped, startup_alerts, state_commands,
    trap_auth, trap_default, trap_timeouts, traps, unack_summary, upalert_pairs, views,
    wanted_differences,
}

/// The files and the list above must agree: a scenario that no test names would never run.
#[test]
fn every_scenario_is_listed() {
    let files = std::fs::read_dir(folder()).expect("the folder is part of the source");
    let names = files
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".scenario")?.to_owned()));
    let mut found: Vec<String> = names.collect();
    found.sort();
    assert_eq!(found, LISTED, "tests/differential/*.scenario and the list in tests/it/differential/mod.rs");
}

fn folder() -> PathBuf {
    source().join("tests/differential")
}

fn same_as_the_original(name: &str) {
    let Some(oracle) = oracle() else {
        return skipped(name, "the original is not installed (apt-get install mon), nothing to compare with");
    };
    let path = folder().join(name).with_extension("scenario");
    let text = std::fs::read_to_string(&path).expect("the list of scenarios matches the folder");
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (theirs, ours) = both(&oracle, |program| drive(&scenario, &[program]));
    let report = differences(&theirs, &ours);
    assert!(report.is_empty(), "{}: {}\n{report}", path.display(), scenario.title);
}
