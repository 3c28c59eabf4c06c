//! The same scenario against the original and ours; whatever can be observed must be the same.
//!
//! Scenarios are plain text in `tests/differential/`, described in its README. Each runs in two places at once:
//! one with the oracle, one with the candidate. `DEVIATIONS.md` beside them says where we differ on purpose.

mod calls;
mod drive;
mod normal;
mod scenario;

use std::path::PathBuf;

use crate::support::{oracle, skipped, source, subject};
use drive::{Observation, drive};
use scenario::Scenario;

/// One test per scenario file, so that the test runner names, filters and counts them.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { same_as_the_original(stringify!($name)); })*
        const LISTED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    ack_silences_until_recovery, alert_arguments_and_environment, alert_exit_ranges, alertafter_count,
    alertafter_time, alertevery_details, alertevery_summaries, client_lists, config_continuations,
    config_records, config_refused_globals, config_refused_periods, config_refused_services, depend_alerts,
    depend_expressions, depend_hosts, depend_monitors, disabled_hosts, disabled_services, exclude_hosts,
    failure_interval, histories, keepstate_while_failing, no_comp_alerts, numalerts, period_labels, redistribute, reset_takes_a_new_file,
    scheduler_stopped, startup_alerts, traps, unack_summary, upalert_pairs, views, wanted_differences,
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
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| drive(&scenario, &oracle));
        let ours = drive(&scenario, &subject());
        (theirs.join().expect("a driver reports errors, it does not panic"), ours)
    });
    let report = differences(&theirs, &ours);
    assert!(report.is_empty(), "{}: {}\n{report}", path.display(), scenario.title);
}

/// Where the two lists part, as lines with `-` for the original and `+` for ours.
fn differences(theirs: &[Observation], ours: &[Observation]) -> String {
    let mut report = String::new();
    for at in 0..theirs.len().max(ours.len()) {
        let (left, right) = (theirs.get(at), ours.get(at));
        let label = left.or(right).map_or("", |observation| &observation.label);
        match left {
            _ if left != right => report += &format!("{label}\n"),
            Some(both) if both.unexpected => {
                report += &format!("{label}: the scenario expects otherwise\n{}\n", both.text)
            }
            _ => continue,
        }
        let lines = |side: Option<&Observation>| -> Vec<String> {
            side.map_or_else(
                || vec!["(nothing observed)".into()],
                |it| it.text.lines().map(str::to_owned).collect(),
            )
        };
        let (left, right) = (lines(left), lines(right));
        left.iter().filter(|line| !right.contains(line)).for_each(|line| report += &format!("  - {line}\n"));
        right.iter().filter(|line| !left.contains(line)).for_each(|line| report += &format!("  + {line}\n"));
    }
    report
}
