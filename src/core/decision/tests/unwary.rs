//! The traps for the unwary: behaviour that somebody once got wrong.

use super::*;

#[test]
fn the_order_of_the_checks_is_the_contract() {
    // All of them apply; each line takes away the one that was named.
    check(
        "depend g:other
         period day: hr {8am-8pm}
         alertexitrange 2
         numalerts 1
         alertevery 1d
         alertafter 4
         startupalert s",
        "8h   startup         => startupalert
         1h   stop            => -
         1h   watch-disabled  => -
         1h   disable         => stopped
         1h   depend-fails    => -
         1h   fail x          => stopped
         1h   ack known       => stopped
         1h   start           => -
         1h   fail x          => watch-disabled
         1h   watch-enabled   => -
         1h   fail x          => disabled
         1h   enable          => -
         1h   fail x          => depend
         1h   depend-good     => -
         1h   fail x          => acked",
    );
    check(
        "period day: hr {8am-8pm}\nalertexitrange 2\nnumalerts 1\nalertevery 1d\nalertafter 4\nstartupalert s",
        "8h startup   => startupalert
         7h fail x    => outside
         9h fail=1 x  => exitrange
         9h fail=2 x  => numalerts",
    );
    check(
        "period\nalertevery 1d\nalertafter 3\nstartupalert s",
        "8h  startup => startupalert
         9h  fail x  => alertafter-count
         10h fail x  => alertevery
         31h fail x  => alertevery
         32h fail x  => no-line",
    );
}

#[test]
fn alertafter_within_counts_as_it_goes_and_only_where_it_is_reached() {
    let story = check(
        "period\nalert a\nalertafter 2 10m\nalertevery 1h",
        "0  fail x => alertafter-within
         1m fail x => alert
         2m fail x => alertevery
         3m fail x => alertevery",
    );
    assert_eq!(story.state.periods[0].fail_count, 2, "a check that is not reached counts nothing");
    let story = check("period\nalert a\nalertafter 3 10m", "0 fail x => alertafter-within");
    assert_eq!(story.state.periods[0].fail_count, 1, "a check that suppresses has counted");
    assert_eq!(story.state.periods[0].first_fail_time, Some(MONDAY));
}

#[test]
fn an_alert_counts_only_if_a_program_was_started() {
    let story = check(
        "period\nalert a\nupalert u\nnumalerts 1\nalertevery 1h",
        "0  unstarted fail x => alert
         1m unstarted fail x => alert
         2m fail x           => alert
         3m fail x           => numalerts",
    );
    assert_eq!(story.state.alerts_sent(&story.service), 1);
    check(
        "period\nalert a\nupalert u",
        "0  unstarted fail x => alert
         1m ok               => unpaired",
    );
}

#[test]
fn a_period_without_a_line_for_the_occasion_counts_nothing() {
    let story = check(
        "period\nalert exit=3 a\nupalert u\nnumalerts 1",
        "0  fail=1 x => no-line
         1m fail=3 x => alert
         2m fail=3 x => numalerts",
    );
    assert_eq!(story.state.periods[0].alert_sent, 1);
}

#[test]
fn disabled_services_still_keep_their_books() {
    let story = check(
        "period\nalert a\nupalert u",
        "0  disable => no-line
         1m fail x  => disabled
         2m fail x  => disabled",
    );
    let state = &story.state;
    assert_eq!((state.opstatus, state.failure_count, state.consec_failures), (OpStatus::Fail, 2, 2));
    assert_eq!(state.first_failure, Some(MONDAY + 60));
}

#[test]
fn an_upalert_carries_the_last_failing_output() {
    let story = check(
        "period\nalert a\nupalert u",
        "0  fail one/detail   => alert
         1m fail two/detail   => alert
         2m ok all is fine    => upalert",
    );
    assert_eq!(&*story.occasion().output, "two\ndetail\n");
    assert_eq!(story.occasion().exit, Some(0));
    assert_eq!(story.state.last_summary.as_deref(), Some("all is fine"));
}

#[test]
fn strict_survives_a_recovery_only_without_an_upalert() {
    check(
        "period\nalert a\nalertevery 1h strict",
        "0   fail x => alert
         1m  ok     => -
         2m  fail y => alertevery
         59m fail y => alertevery
         1h  fail y => alert",
    );
    check(
        "period\nalert a\nupalert u\nalertevery 1h strict",
        "0   fail x => alert
         1m  ok     => upalert
         2m  fail y => alert",
    );
}

#[test]
fn unack_summary_drops_the_ack_and_starts_counting_again() {
    let table = |last| {
        format!(
            "0  fail disk / full => alert
             1m ack known        => no-line
             2m fail disk / full => acked
             3m fail di sk       => acked
             4m fail disk two    => {last}"
        )
    };
    check("period\nalert a\nalertevery 1h", &table("acked"));
    let story = check("unack_summary yes\nperiod\nalert a\nalertevery 1h", &table("unacked alert"));
    assert!(story.state.ack.is_none());
    check(
        "unack_summary yes\nperiod\nalert a\nalertafter 2\nackalert k",
        "0  fail x    => alertafter-count
         1m fail x    => alert
         2m ack known => ackalert
         3m fail y    => unacked alertafter-count
         4m fail y    => alert",
    );
}

#[test]
fn startup_alerts_count_towards_numalerts() {
    check(
        "period\nalert a\nupalert u\nstartupalert s\nnumalerts 1",
        "0  startup => startupalert
         1m fail x  => numalerts
         2m ok      => upalert
         3m fail x  => alert",
    );
}

#[test]
fn ack_alerts_count_towards_numalerts() {
    check(
        "unack_summary yes\nperiod\nalert a\nackalert k\nnumalerts 2",
        "0  fail x    => alert
         1m ack known => ackalert
         2m fail y    => unacked numalerts",
    );
}

#[test]
fn alerts_dont_count_hides_them_from_alerts_sent_alone() {
    let story = check(
        "period shown:\nalert a\nnumalerts 2\nperiod hidden:\nalert a\nalerts_dont_count\nnumalerts 2",
        "0  fail x => alert alert
         1m fail x => alert alert
         2m fail x => numalerts numalerts",
    );
    assert_eq!(story.state.alerts_sent(&story.service), 2);
}

#[test]
fn facts_of_a_failure_are_the_new_summary_and_the_output_before() {
    let story = check(
        "period\nalert a",
        "0  ok fine        => -
         1m fail one/more  => alert
         2m fail two/more  => alert",
    );
    let facts = &story.occasion().facts;
    assert_eq!(facts.last_summary.as_deref(), Some("two"));
    assert_eq!(facts.last_output.as_deref(), Some("one\nmore\n"));
    assert_eq!(facts.opstatus, OpStatus::Fail);
    assert_eq!(
        (facts.last_success, facts.first_failure, facts.last_failure),
        (MONDAY, Some(MONDAY + 60), MONDAY + 120)
    );
}

#[test]
fn facts_of_an_upalert_are_those_of_the_failure() {
    let story = check(
        "period\nalert a\nupalert u",
        "0  fail one   => alert
         1m ack known  => no-line
         2m ok fine    => upalert",
    );
    let facts = &story.occasion().facts;
    assert_eq!(facts.last_summary.as_deref(), Some("one"));
    assert_eq!(facts.ack_comment.as_deref(), Some("known"));
    assert_eq!((facts.opstatus, facts.last_failure), (OpStatus::Ok, MONDAY));
    assert!(story.state.ack.is_none(), "the ack ends with the outage, after the upalert");
}

#[test]
fn an_ackalert_carries_the_comment_and_no_exit_status() {
    let story = check("period\nalert a\nackalert k", "0 fail x => alert\n1m ack me: known => ackalert");
    assert_eq!((&*story.occasion().output, story.occasion().exit), ("me: known", None));
    assert_eq!(story.occasion().facts.ack_comment.as_deref(), Some("me: known"));
}

#[test]
fn a_startupalert_has_no_output_and_exit_status_zero() {
    let story = check("period\nstartupalert s", "0 startup => startupalert");
    assert_eq!((&*story.occasion().output, story.occasion().exit), ("", Some(0)));
    assert_eq!(story.state.opstatus, OpStatus::Untested, "a start is no result");
}

#[test]
fn a_failure_without_summary_gets_one_and_a_success_does_not() {
    let mut story = check("period\nalert a", "0 fail => alert");
    assert_eq!(story.state.last_summary.as_deref(), Some(NO_SUMMARY));
    story.happen(&result(Source::Monitor, 0, ""));
    assert_eq!((story.state.last_summary.as_deref(), story.state.last_detail.as_deref()), (None, None));
}

#[test]
fn first_failure_is_set_by_the_first_failure_of_an_outage() {
    let mut story = check("period\nalert a", "0 fail x => alert\n1m fail x => alert");
    assert_eq!(story.state.first_failure, Some(MONDAY));
    story.state.set_opstatus(OpStatus::Linkdown);
    story.tell("fail x");
    assert_eq!(story.state.first_failure, Some(MONDAY), "only ok, unknown and untested begin an outage");
    story.tell("ok");
    assert_eq!(story.state.first_failure, Some(0));
}

#[test]
fn an_outage_that_began_before_the_daemon_is_counted_from_its_start() {
    let mut story = Story::of("period\nalert a");
    story.state.set_opstatus(OpStatus::Fail);
    story.at(90);
    story.tell("ok");
    let downtime = story.last.as_ref().and_then(|decision| decision.downtime.as_ref());
    assert_eq!(downtime.map(|downtime| (downtime.first_failure, downtime.seconds)), Some((MONDAY, 90)));
}

#[test]
fn a_clock_set_back_makes_no_negative_spans() {
    let story = check(
        "period\nalert a\nupalert u\nupalertafter 1m",
        "1h  fail x => alert
         30m ok     => upalertafter",
    );
    let downtime = story.last.and_then(|decision| decision.downtime).expect("the outage ended");
    assert_eq!((downtime.seconds, downtime.lasted()), (-1800, std::time::Duration::ZERO));
}

#[test]
fn only_monitors_switch_to_the_failure_interval() {
    let lines = "failure_interval 10s\nperiod\nalert a";
    for (event, seconds) in [("fail x", 10), ("trap x", 60), ("timeout", 60)] {
        let mut story = Story::of(lines);
        story.tell(event);
        assert_eq!(story.state.interval(&story.service), timeval::Timeval::from_secs(seconds), "{event}");
        story.tell("ok");
        assert_eq!(story.state.interval(&story.service), timeval::Timeval::from_secs(60), "{event}");
    }
}
