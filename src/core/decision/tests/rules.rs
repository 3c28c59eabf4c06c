//! Every rule of the decision by itself.

use super::*;

/// A period that alerts without limits.
const PLAIN: &str = "period\nalert a\nupalert u\n";

fn period(lines: &str) -> String {
    format!("{PLAIN}{lines}\n")
}

#[test]
fn every_failure_alerts_and_a_recovery_ends_it() {
    check(
        PLAIN,
        "0  ok      => -
         1m fail x  => alert
         2m fail x  => alert
         3m ok      => upalert
         4m ok      => -
         5m trap x  => trapalert
         6m timeout => traptimeoutalert
         7m ok      => upalert",
    );
}

#[test]
fn a_stopped_scheduler_silences_everything() {
    check(
        &format!("redistribute r\n{PLAIN}ackalert k\nstartupalert s"),
        "0  fail x  => redistribute alert
         1m stop    => -
         2m fail x  => stopped
         3m ack by me => stopped
         4m startup => stopped
         5m ok      => stopped
         6m start   => -
         7m fail x  => redistribute alert",
    );
}

#[test]
fn redistribute_is_called_for_every_result_whatever_else_is_silent() {
    check(
        &format!("redistribute r\n{PLAIN}"),
        "0  ok       => redistribute unpaired
         1m fail x   => redistribute alert
         2m watch-disabled => -
         3m fail x   => redistribute watch-disabled
         4m ok       => redistribute watch-disabled
         5m watch-enabled => -
         6m ack by me => redistribute unpaired
         7m fail x   => redistribute acked",
    );
}

#[test]
fn disabled_watches_and_services_are_silent_and_a_watch_is_named_first() {
    check(
        PLAIN,
        "0  fail x         => alert
         1m disable        => no-line
         2m fail x         => disabled
         3m watch-disabled => -
         4m fail x         => watch-disabled
         5m watch-enabled  => -
         6m ok             => disabled
         7m enable         => -
         8m fail x         => alert",
    );
}

#[test]
fn a_failing_dependency_silences_failures_but_no_recovery_and_no_startup() {
    check(
        &format!("depend g:other\n{PLAIN}startupalert s\nackalert k"),
        "0  depend-fails   => -
         1  startup        => startupalert
         1m fail x         => depend
         2m depend-good    => -
         3m fail x         => alert
         4m depend-fails   => -
         5m ack by me      => depend
         6m ok             => upalert
         7m depend-unknown => -
         8m fail x         => depend",
    );
}

#[test]
fn only_dependencies_of_alerts_silence() {
    for (lines, verdict) in [
        ("depend g:other", "depend"),
        ("alertdepend g:other", "depend"),
        ("monitordepend g:other", "alert"),
        ("hostdepend g:other", "alert"),
        ("depend g:other\ndep_behavior m", "alert"),
        ("depend g:other\ndep_behavior hm", "alert"),
        ("depend g:other\nalertdepend g:third\ndep_behavior m", "depend"),
    ] {
        check(&format!("{lines}\n{PLAIN}"), &format!("0 depend-fails => -\n1 fail x => {verdict}"));
    }
}

#[test]
fn an_ack_silences_failures_until_the_recovery() {
    check(
        &period("ackalert k"),
        "0  fail x      => alert
         1m ack known   => ackalert
         2m fail x      => acked
         3m fail y      => acked
         4m startup     => acked
         5m disable     => no-line
         6m enable      => -
         7m ok          => upalert
         8m fail x      => alert",
    );
}

#[test]
fn periods_alert_in_their_time_only() {
    check(
        "period day: hr {9am-5pm}\nalert a\nupalert u\nperiod night: hr {6pm-8am}\nalert a\nupalert u",
        "8h  fail x => outside alert
         9h  fail x => alert outside
         17.999h fail x => alert outside
         18h fail x => outside alert
         18.5h ok   => outside upalert",
    );
}

#[test]
fn alertexitrange_looks_at_the_exit_status_of_failures() {
    let table = "0 fail=1 x => exitrange
                 1 fail=2 x => alert
                 2 fail=4 x => alert
                 3 fail=5 x => exitrange
                 4 trap=3 x => trapalert
                 5 ok       => upalert";
    check(&period("alertexitrange 2-4"), table);
    check(&period("alertexitrange 3"), "0 fail=2 x => exitrange\n1 fail=3 x => alert\n2 ok => upalert");
}

#[test]
fn exit_prefixes_pick_lines() {
    let lines =
        "period\nalert exit=1 one\nalert exit=2-4 more\nalert any\nupalert exit=0 u\nupalert exit=1 v";
    for (event, called) in [
        ("fail=1 x", &["one", "any"][..]),
        ("fail=2 x", &["more", "any"]),
        ("fail=4 x", &["more", "any"]),
        ("fail=5 x", &["any"]),
    ] {
        let mut story = Story::of(lines);
        assert_eq!(story.tell(event), "alert");
        assert_eq!(story.lines(), called, "{event}");
        assert_eq!(story.tell("ok"), "upalert");
        assert_eq!(story.lines(), ["u"], "an upalert's exit status is 0");
    }
    check("period\nalert exit=2 two\nupalert u", "0 fail=1 x => no-line\n1 ok => unpaired");
}

#[test]
fn numalerts_bounds_an_outage() {
    let story = check(
        &period("numalerts 2"),
        "0  fail x => alert
         1m fail y => alert
         2m fail z => numalerts
         3m ok     => upalert
         4m fail x => alert",
    );
    assert_eq!(story.state.periods[0].alert_sent, 1);
}

#[test]
fn alertevery_waits_unless_the_summary_changes() {
    let table = "0   fail a/1 => alert
                 1m  fail a/2 => alertevery
                 2m  fail b   => alert
                 3m  fail b   => alertevery
                 4m  fail a   => alert
                 13m fail a   => alertevery
                 14m fail a   => alert
                 15m ok       => upalert
                 16m fail a   => alert";
    check(&period("alertevery 10m"), table);
    check(&period("alertevery 10m summary"), table);
}

#[test]
fn alertevery_observe_detail_looks_at_the_whole_output() {
    check(
        &period("alertevery 10m observe_detail"),
        "0   fail a/1 => alert
         1m  fail a/1 => alertevery
         2m  fail a/2 => alert
         3m  fail a/2 => alertevery",
    );
}

#[test]
fn alertevery_ignore_summary_waits_whatever_changes_until_a_recovery() {
    check(
        &period("alertevery 10m ignore_summary"),
        "0   fail a => alert
         1m  fail b => alertevery
         10m fail b => alert
         11m ok     => upalert
         12m fail b => alert",
    );
}

#[test]
fn alertafter_count_wants_failures_in_a_row() {
    check(
        &period("alertafter 3"),
        "0  fail x => alertafter-count
         1m fail x => alertafter-count
         2m ok     => unpaired
         3m fail x => alertafter-count
         4m fail x => alertafter-count
         5m fail x => alert
         6m fail x => alert
         7m ok     => upalert",
    );
}

#[test]
fn alertafter_time_counts_from_the_first_failure_and_must_be_exceeded() {
    check(
        &period("alertafter 2m"),
        "0   fail x => alertafter-time
         60  fail x => alertafter-time
         120 fail x => alertafter-time
         121 fail x => alert
         130 ok     => upalert
         140 fail x => alertafter-time",
    );
}

#[test]
fn alertafter_time_counts_from_the_first_failure_that_the_period_sees() {
    check(
        "period hr {1am-11pm}\nalert a\nalertafter 5m",
        "30m fail x => outside
         1h  fail x => alertafter-time
         65m fail x => alertafter-time
         66m fail x => alert",
    );
}

#[test]
fn alertafter_within_wants_so_many_failures_in_a_window() {
    check(
        &period("alertafter 3 10m"),
        "0    fail x => alertafter-within
         1m   fail x => alertafter-within
         2m   ok     => unpaired
         3m   fail x => alertafter-within
         4m   fail x => alertafter-within
         13m  fail x => alert
         14m  fail x => alertafter-within
         24m  fail x => alertafter-within
         25m  fail x => alertafter-within",
    );
}

#[test]
fn upalertafter_is_about_the_length_of_the_outage() {
    check(
        &period("upalertafter 5m"),
        "0    fail x => alert
         299  ok     => upalertafter
         10m  fail x => alert
         15m  ok     => upalert",
    );
}

#[test]
fn no_comp_alerts_lets_upalerts_and_ackalerts_out_alone_once() {
    let table = |verdicts: [&str; 5]| {
        let events = ["0 fail x", "1m ack known", "2m fail x", "3m ok", "5m ok"];
        let lines: Vec<String> = events.iter().zip(verdicts).map(|(e, v)| format!("{e} => {v}")).collect();
        lines.join("\n")
    };
    let quiet = "alertafter 9\nackalert k";
    check(&period(quiet), &table(["alertafter-count", "unpaired", "acked", "unpaired", "-"]));
    let alone = format!("{quiet}\nno_comp_alerts");
    check(&period(&alone), &table(["alertafter-count", "ackalert", "acked", "upalert", "-"]));
}

#[test]
fn no_comp_alerts_means_one_upalert_until_the_next_alert() {
    check(
        &period("alertafter 2\nno_comp_alerts"),
        "0  fail x => alertafter-count
         1m ok     => upalert
         2m fail x => alertafter-count
         3m ok     => upalert-sent
         4m fail x => alertafter-count
         5m fail x => alert
         6m ok     => upalert",
    );
}

#[test]
fn a_disablealert_tells_who_did_it() {
    let story = check(&period("disablealert d"), "0 fail x => alert\n1m disable => disablealert");
    assert_eq!((story.lines(), &*story.occasion().output), (vec!["d"], "operator"));
}

#[test]
fn each_period_decides_for_itself() {
    check(
        "period now:\nalert a\nnumalerts 1\nperiod later:\nalert a\nalertafter 3\nperiod up:\nupalert u\nno_comp_alerts",
        "0  fail x => alert alertafter-count no-line
         1m fail x => numalerts alertafter-count no-line
         2m fail x => numalerts alert no-line
         3m ok     => no-line no-line upalert",
    );
}
