//! What is reported of what: golden text, the layout of the original.

use super::*;

/// A server with a failing, a well and a timed-out service, and one that has been failing for long.
const LINES: &[&str] = &[
    "group=web service=http opstatus=0 alerts_sent=2 failure_duration=40 last_check=960 interval=10 ack=0 last_summary=hostA\\20hostB",
    "group=web service=ping opstatus=1 alerts_sent=0 last_check=990 interval=10 last_summary=",
    "group=db service=mysql opstatus=0 alerts_sent=1 failure_duration=1800 ack=1 last_check=999 interval=10 last_summary=(NO\\20SUMMARY)",
    "group=db service=slow opstatus=6 alerts_sent=3 last_check=999 interval=10",
];

fn rules() -> Rules {
    Rules {
        style: Style::Services,
        alerts_sent: 1,
        failure_duration: 0,
        exclude: Selection::default(),
        restrict: Selection::default(),
        disabled: LeaveOut::Services,
        acked: true,
        stale: false,
        undelivered: false,
        timeout: Duration::from_secs(10),
    }
}

fn answer(lines: &[&str], disabled: &[&str]) -> Answer {
    let disabled = disabled.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    Answer {
        services: lines.iter().map(|line| StatusLine::parse(line).expect("a good line")).collect(),
        disabled: Disabled::parse(&disabled).expect("good lines"),
        deliveries: Vec::new(),
        scheduler: Scheduler::Running,
        server_time: Some(1000),
        our_time: 1000,
    }
}

/// The first line, for one server `S`.
fn summary(rules: &Rules, answer: Answer) -> String {
    judge(rules, &["S".to_owned()], &[Seen::Answer(Box::new(answer))]).summary
}

fn selection(value: &str) -> Selection {
    Selection::of([value].into_iter())
}

#[test]
fn the_layout_of_the_original() {
    let hosts = ["a".to_owned(), "b".to_owned(), "c".to_owned(), "d".to_owned()];
    let well = answer(&LINES[1..2], &[]);
    let seen = [
        Seen::NotConnected("connect failed, Connection refused".to_owned()),
        Seen::Answer(Box::new(well)),
        Seen::Answer(Box::new(answer(LINES, &[]))),
        Seen::TimedOut,
    ];
    let report = judge(&rules(), &hosts, &seen);
    let expect = "a:CONNECT c([db:mysql][web:http]) d:TIMEOUT(10)\n\n\
        Details for a failure :\nConnection failed: connect failed, Connection refused\n\n\
        Details for c failure :\nWatch db, service mysql, failed with summary : (NO SUMMARY)\n\
        Watch web, service http, failed with summary : hostA hostB\n\n\n\
        Details for d failure :\nTimeout connection\n\n";
    assert_eq!((report.text().as_str(), report.exit), (expect, 1));
    let plain = judge(&Rules { style: Style::Hosts, ..rules() }, &hosts, &seen);
    assert_eq!((plain.summary.as_str(), plain.detail), ("a c d", report.detail));
    let big = judge(&Rules { style: Style::Summaries, ..rules() }, &hosts, &seen);
    assert_eq!(big.summary, "a:CONNECT c([db:mysql{(NO SUMMARY)}][web:http{hostA hostB}]) d:TIMEOUT(10)");
    assert_eq!(judge(&rules(), &hosts[1..2], &seen[1..2]), Report::good());
}

#[test]
fn what_counts() {
    let all = "S([db:mysql][web:http])";
    for (rules, expect) in [
        (rules(), all),
        (Rules { alerts_sent: 2, ..rules() }, "S([web:http])"),
        (Rules { failure_duration: 1800, ..rules() }, "S([db:mysql])"),
        (Rules { failure_duration: 1801, ..rules() }, ""),
        (Rules { acked: false, ..rules() }, "S([web:http])"),
        (Rules { exclude: selection("db"), ..rules() }, "S([web:http])"),
        (Rules { exclude: selection("db,w*:h?tp"), ..rules() }, ""),
        (Rules { restrict: selection(":http"), ..rules() }, "S([web:http])"),
        (Rules { restrict: selection("web:long"), ..rules() }, ""),
        (Rules { restrict: selection("*"), exclude: selection("*:mysql"), ..rules() }, "S([web:http])"),
    ] {
        assert_eq!(summary(&rules, answer(LINES, &[])), expect, "{rules:?}");
    }
    let twice = [LINES[0], "group=web service=http opstatus=1 alerts_sent=2"];
    assert_eq!(summary(&rules(), answer(&twice, &[])), "", "the last line on a service counts");
}

#[test]
fn what_is_disabled() {
    let lines = ["watch web service http", "watch db", "group web: hostA *hostB"];
    for (disabled, expect) in [
        (LeaveOut::Services, "S([db:mysql])"),
        (LeaveOut::WatchesToo, ""),
        (LeaveOut::Nothing, "S([db:mysql][web:http])"),
    ] {
        assert_eq!(summary(&Rules { disabled, ..rules() }, answer(LINES, &lines)), expect);
    }
    for bad in ["", "watch", "group web hostA", "frobnicate", "watch a service b c"] {
        assert_eq!(Disabled::parse(&[bad.to_owned()]), Err(bad.to_owned()));
    }
}

#[test]
fn undelivered_alerts_are_reported_at_once() {
    let line = "group=web service=http opstatus=0 alerts_sent=0 failure_duration=3 alerts_undelivered=2 \
                last_alert_error=mail.alert:\\20exit\\202 last_summary=x";
    let patient = Rules { failure_duration: 1800, ..rules() };
    assert_eq!(summary(&patient, answer(&[line], &[])), "");
    let eager = Rules { undelivered: true, ..patient };
    let report = judge(&eager, &["S".to_owned()], &[Seen::Answer(Box::new(answer(&[line], &[])))]);
    let expect = "S([web:http])\n\nDetails for S failure :\nWatch web, service http, failed with summary : x\n    \
                  its alert was not delivered: mail.alert: exit 2\n\n\n";
    assert_eq!(report.text(), expect);
    // The original says nothing about delivery, so nothing changes for it.
    assert_eq!(summary(&eager, answer(LINES, &[])), "S([db:mysql])");
    let delivered = line.replace("alerts_undelivered=2", "alerts_undelivered=0");
    assert_eq!(summary(&eager, answer(&[&delivered], &[])), "");
    let well = line.replace("opstatus=0", "opstatus=1");
    assert_eq!(summary(&eager, answer(&[&well], &[])), "");
}

#[test]
fn a_missing_alert_program_is_in_the_list_of_attempts_alone() {
    let line = "group=web service=http opstatus=0 alerts_sent=0 failure_duration=3 last_summary=x";
    let attempt = "time=1 group=web service=http kind=alert alert=mail.alert try=1 \
                   outcome=not\\20started:\\20no\\20such\\20program duration=0.000 undelivered=1 last_words=";
    let eager = Rules { undelivered: true, failure_duration: 1800, ..rules() };
    for (attempt, rules, expect) in [
        (attempt.to_owned(), &eager, "S([web:http])"),
        (attempt.to_owned(), &self::rules(), ""),
        (attempt.replace("undelivered=1 ", ""), &eager, ""),
        (attempt.replace("service=http", "service=ping"), &eager, ""),
    ] {
        let deliveries = StatusLine::parse(&attempt).into_iter().collect();
        let told = Answer { deliveries, ..answer(&[line], &[]) };
        let report = judge(rules, &["S".to_owned()], &[Seen::Answer(Box::new(told))]);
        assert_eq!(report.summary, expect, "{attempt}");
        let why = "its alert was not delivered: mail.alert: not started: no such program\n";
        assert_eq!(report.detail.contains(why), !expect.is_empty(), "{}", report.detail);
    }
}

#[test]
fn what_nobody_looks_at_is_stale() {
    let rules = Rules { stale: true, style: Style::Summaries, ..rules() };
    let stale = "S([web:x{not checked for 31 s}])";
    let line = "group=web service=x opstatus=1 interval=10 last_check=969 timer=0";
    for (line, expect) in [
        (line.to_owned(), stale),
        (line.replace("969", "970"), ""),
        (line.replace("interval=10", ""), ""),
        (line.replace("969", ""), ""),
        (line.replace("969", "0"), ""),
        (format!("{line} depstatus=0"), ""),
        (format!("{line} depstatus=1"), stale),
        // Long after a failure the next run may be far, when failure_interval says so.
        (line.replace("opstatus=1", "opstatus=0").replace("timer=0", "timer=900"), ""),
    ] {
        assert_eq!(summary(&rules, answer(&[&line], &[])), expect, "{line}");
    }
    let stopped = Answer { scheduler: Scheduler::Stopped, ..answer(&[line], &[]) };
    let report = judge(&rules, &["S".to_owned()], &[Seen::Answer(Box::new(stopped))]);
    assert!(report.detail.contains("at an interval of 10 s, as the scheduler is stopped\n"), "{report:?}");
    assert_eq!(summary(&self::rules(), answer(&[line], &[])), "", "only on request");
    let off = Answer { server_time: None, our_time: 2000, ..answer(&[line], &[]) };
    assert_eq!(summary(&rules, off), "S([web:x{not checked for 1031 s}])");
}

#[test]
fn clocks() {
    for (server_time, line) in [
        (None, ""),
        (Some(1004), ""),
        (Some(1005), "Its clock is 5 s ahead of ours\n"),
        (Some(-1000), "Its clock is 2000 s behind ours\n"),
    ] {
        assert_eq!(clock(&Answer { server_time, our_time: 1000, ..Answer::default() }), line);
    }
}

#[test]
fn a_server_cannot_begin_lines() {
    let line = "group=web service=http opstatus=0 alerts_sent=1 last_summary=a\\0aDetails\\20for\\0db";
    let report = judge(&rules(), &["S".to_owned()], &[Seen::Answer(Box::new(answer(&[line], &[])))]);
    assert!(report.detail.contains("with summary : a Details for b\n"), "{}", report.detail);
}

#[test]
fn states_of_the_scheduler() {
    for (line, state) in [
        ("scheduler running", Scheduler::Running),
        ("scheduler stopped since 1795346593", Scheduler::Stopped),
        ("what", Scheduler::Unknown),
    ] {
        assert_eq!(Scheduler::parse(&[line.to_owned()]), state);
    }
    assert_eq!(Scheduler::parse(&[]), Scheduler::Unknown);
}
