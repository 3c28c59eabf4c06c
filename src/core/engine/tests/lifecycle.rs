//! Start, alerts and their programs, histories, reset.

use super::*;

const PING: &str =
    "service ping\ninterval 1m\nmonitor p\nperiod\nalert mail.alert me\nupalert mail.alert me\n";

fn failing(lines: &str) -> World {
    let mut world = web(lines);
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    world
}

/// What a new client is told.
fn ask(world: &mut World, line: &str) -> String {
    let client = world.connect();
    let reply = world.say(client, line);
    world.happen(Event::ClientGone { client });
    reply
}

fn obeys(world: &mut World, line: &str) {
    let reply = ask(world, line);
    assert!(reply.starts_with("220"), "{line}: {reply}");
}

#[test]
fn startup_alerts_are_called_at_the_start_with_what_there_is() {
    let mut world = web(&format!("{PING}startupalert mail.alert hello\nnumalerts 1"));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    let (args, env, stdin) = last_alert(&world);
    assert_eq!(args, ["-s", "ping", "-g", "web", "-h", "h1 h2", "-t", "1772409600", "hello"]);
    assert!(env.contains(&"MON_ALERTTYPE=startup".to_owned()) && env.contains(&"MON_RETVAL=0".to_owned()));
    assert_eq!(stdin, "");
    until(&mut world, 130);
    assert_eq!(alerts(&world), "0 startupalert", "it counts towards numalerts");
}

#[test]
fn startup_alerts_at_a_reset_where_wanted() {
    let lines = format!("{PING}startupalert mail.alert hello");
    let mut world = web(&lines);
    obeys(&mut world, "reset");
    assert_eq!(alerts(&world), "0 startupalert");
    let mut world = super::world(&format!("startupalerts_on_reset = yes\n{}", web_cf(&lines)));
    obeys(&mut world, "reset");
    assert_eq!(alerts(&world), "0 startupalert, 0 startupalert");
}

#[test]
fn an_alert_is_told_what_the_operator_needs() {
    let mut world = failing(&PING.replace("monitor", "description two words\nCOLOUR=blue\nmonitor"));
    until(&mut world, 60);
    let (args, env, stdin) = last_alert(&world);
    assert_eq!(args, ["-s", "ping", "-g", "web", "-h", "h1 h2", "-t", "1772409660", "me"]);
    assert_eq!(stdin, "down\n");
    for variable in [
        "COLOUR=blue",
        "MON_GROUP=web",
        "MON_SERVICE=ping",
        "MON_LAST_SUMMARY=down",
        "MON_LAST_FAILURE=1772409660",
        "MON_FIRST_FAILURE=1772409660",
        "MON_LAST_SUCCESS=0",
        "MON_DESCRIPTION=two words",
        "MON_STATEDIR=/var/lib/mon",
        "MON_RETVAL=1",
        "MON_OPSTATUS=0",
        "MON_ALERTTYPE=failure",
    ] {
        assert!(env.contains(&variable.to_owned()), "{variable} is missing: {env:?}");
    }
}

#[test]
fn an_alert_that_cannot_be_started_does_not_count() {
    let mut world = failing(&format!("{PING}numalerts 1"));
    world.script_alert("mail.alert", [Outcome::not_started(), Outcome::not_started(), Outcome::ok()]);
    until(&mut world, 300);
    assert_eq!(alerts(&world), "60 alert, 120 alert, 180 alert");
    assert_eq!(logged(&world, "could not be started"), 2);
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "1");
}

#[test]
fn one_program_that_starts_is_enough_to_count() {
    let mut world = failing(&format!("{PING}alert sms.alert me\nnumalerts 1"));
    world.script_alert("sms.alert", [Outcome::not_started()]);
    until(&mut world, 200);
    assert_eq!(alerts(&world), "60 alert, 60 alert");
}

#[test]
fn an_alert_that_fails_or_takes_its_time_counts_and_holds_up_nothing() {
    let mut world = failing(&format!("{PING}numalerts 2"));
    world.script_alert("mail.alert", [Outcome::exits(1, "no route").lasting(secs(500))]);
    until(&mut world, 700);
    assert_eq!(alerts(&world), "60 alert, 120 alert");
    assert_eq!(starts(&world).split(", ").count(), 11);
    assert_eq!(logged(&world, "failed with status 1: no route"), 2);
}

#[test]
fn a_late_end_of_an_alert_from_before_a_reset_counts_nothing_back() {
    for (reset, counted) in [("reset", "1"), ("reset keepstate", "0")] {
        let mut world = failing(&format!("{PING}numalerts 1"));
        world.script_alert("mail.alert", [Outcome::not_started().lasting(secs(80)), Outcome::ok()]);
        until(&mut world, 70);
        obeys(&mut world, reset);
        until(&mut world, 129);
        let sent = field(&mut world, "web:ping", "alerts_sent");
        assert_eq!(sent, if reset == "reset" { "0" } else { "1" }, "{reset}: nothing is known yet");
        until(&mut world, 145);
        assert_eq!(field(&mut world, "web:ping", "alerts_sent"), counted, "{reset}");
    }
}

#[test]
fn a_redistribution_is_called_with_every_result_and_leaves_no_trace() {
    let mut world = failing("service ping\ninterval 1m\nmonitor p\nredistribute r.alert x");
    world.script_monitor("web", "ping", [Outcome::ok(), Outcome::fails("down"), Outcome::ok()]);
    until(&mut world, 190);
    assert_eq!(alerts(&world), "0 redistribute, 60 redistribute, 120 redistribute, 180 redistribute");
    assert_eq!(last_alert(&world).0[8..], ["-u", "x"]);
    assert!(ask(&mut world, "list alerthist").starts_with("220"), "not in the history");
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "0");
}

#[test]
fn histories_hold_one_more_than_their_length() {
    let mut world = super::world(&format!("histlength = 3\n{}", web_cf(PING)));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    until(&mut world, 600);
    let lines = |world: &mut World, list| ask(world, list).lines().count() - 1;
    assert_eq!((lines(&mut world, "list alerthist"), lines(&mut world, "list failurehist")), (4, 4));
    let newest = ask(&mut world, "list failurehist").lines().nth(3).map(str::to_owned);
    assert_eq!(newest.as_deref(), Some("web\\20ping\\201772410200\\20down"), "the oldest went first");
    obeys(&mut world, "set maxkeep 5");
    until(&mut world, 1200);
    assert_eq!((lines(&mut world, "list alerthist"), lines(&mut world, "list failurehist")), (6, 6));
    obeys(&mut world, "reset");
    assert_eq!(lines(&mut world, "list failurehist"), 6, "histories survive a reset");
}

#[test]
fn the_downtime_log_tells_each_outage() {
    let mut world = super::world(&format!("dtlogging = yes\n{}", web_cf(PING)));
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::fails("down"), Outcome::ok()]);
    until(&mut world, 190);
    let log = ask(&mut world, "list dtlog");
    assert_eq!(log.lines().next(), Some("1772409780 web ping 1772409660 120 60 down"), "{log}");
}

#[test]
fn a_plain_reset_keeps_disabled_hosts_and_watches_and_forgets_the_rest() {
    let mut world = failing(&format!("{PING}service other\n"));
    until(&mut world, 70);
    for line in ["ack web ping known", "disable host h1", "disable watch web", "disable service web other"] {
        obeys(&mut world, line);
    }
    obeys(&mut world, "reset");
    let disabled = ask(&mut world, "list disabled");
    assert!(disabled.contains("group web: h1") && disabled.contains("watch web"), "{disabled}");
    assert!(!disabled.contains("service"), "{disabled}");
    for (name, value) in [("opstatus", "7"), ("ack", "0"), ("alerts_sent", "0"), ("timer", "60")] {
        assert_eq!(field(&mut world, "web:ping", name), value, "{name}");
    }
}

#[test]
fn reset_keepstate_and_sighup_keep_acks_counters_and_disabled_services() {
    for hang_up in [false, true] {
        let mut world = failing(&format!("{PING}service other\n"));
        until(&mut world, 130);
        obeys(&mut world, "ack web ping known");
        obeys(&mut world, "disable service web other");
        if hang_up {
            world.happen(Event::HangUp);
        } else {
            obeys(&mut world, "reset keepstate");
        }
        for (name, value) in [("opstatus", "0"), ("ack", "1772409730"), ("alerts_sent", "2")] {
            assert_eq!(field(&mut world, "web:ping", name), value, "{name}");
        }
        assert!(ask(&mut world, "list disabled").contains("other"));
        until(&mut world, 400);
        assert_eq!(alerts(&world), "60 alert, 120 alert", "still acknowledged");
    }
}

#[test]
fn a_reset_ends_what_runs_and_begins_the_schedule_anew() {
    let mut world = web(PING);
    world.script_monitor("web", "ping", [Outcome::fails("late").lasting(secs(50))]);
    until(&mut world, 70);
    obeys(&mut world, "reset");
    assert_eq!(world.running().count(), 0);
    assert!(world.log.iter().any(|entry| matches!(entry.what, Happened::RunKilled { .. })));
    until(&mut world, 129);
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "7", "what was killed is not heard");
    until(&mut world, 131);
    assert_eq!(starts(&world), "60 ping, 130 ping");
}

#[test]
fn a_run_that_was_forgotten_has_nothing_to_say() {
    let mut world = web(PING);
    world.happen(Event::RunEnded { run: RunId(99), ending: Ending::Exited(1), output: "x".to_owned() });
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "7");
}

#[test]
fn a_reset_takes_the_new_file_or_leaves_everything_as_it_is() {
    let mut world = failing(PING);
    until(&mut world, 70);
    world.write_mon_cf("watch web\nservice ping\ninterval nonsense\n");
    let reply = ask(&mut world, "reset");
    assert!(reply.contains("520"), "{reply}");
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "0");
    world.write_mon_cf(&web_cf("service pong\ninterval 10s\nmonitor p"));
    obeys(&mut world, "reset stopped");
    until(&mut world, 200);
    obeys(&mut world, "start");
    until(&mut world, 211);
    assert_eq!(starts(&world), "60 ping, 210 pong");
}

#[test]
fn monremote_hears_of_what_operators_do() {
    let mut world = super::world(&format!("monremote = /bin/tell\n{}", web_cf(PING)));
    for line in
        ["disable service web ping", "enable service web ping", "disable watch web", "disable host h1"]
    {
        obeys(&mut world, line);
    }
    let words = told(&world, |happened| match happened {
        Happened::RemoteTold { words } => Some(words.clone()),
        _ => None,
    });
    let expect =
        "0 disable service web ping, 0 enable service web ping, 0 disable watch web, 0 disable host h1";
    assert_eq!(words, expect);
}

#[test]
fn signals_end_with_one_and_term_with_zero() {
    let status = |world: &World| {
        let mut exits = world.log.iter().rev().filter_map(|entry| match entry.what {
            Happened::Exited { status } => Some(status),
            _ => None,
        });
        exits.next()
    };
    let mut world = web(PING);
    world.happen(Event::Terminate { signal: "TERM" });
    assert_eq!(status(&world), Some(1));
    obeys(&mut world, "term");
    assert_eq!(status(&world), Some(0));
}

#[test]
fn a_test_alert_is_called_uncounted_and_without_its_prefix() {
    let mut world =
        web("service ping\ninterval 1m\nmonitor p\nperiod day:\nalert exit=3 mail.alert x\nnumalerts 1");
    assert!(ask(&mut world, "test alert web ping 1 day").starts_with("220"));
    let (args, env, stdin) = last_alert(&world);
    assert_eq!(args[8..], ["x"]);
    assert!(env.contains(&"MON_ALERTTYPE=test".to_owned()), "{env:?}");
    assert_eq!((stdin.lines().next(), alerts(&world).as_str()), (Some("test"), "0 alert"));
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "0");
    assert!(ask(&mut world, "test alert web ping 1 night").contains("520"));
}
