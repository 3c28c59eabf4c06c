//! Alerts that get through or not: time limits, further tries, what is told of them.

use super::*;
use crate::wire::opstatus::StatusLine;
use crate::world::Heeds;

const PING: &str = "service ping\ninterval 1m\nmonitor p\nperiod\nalertevery 1d\nalert mail.alert me\n";

/// The service fails from the first minute on.
fn failing(lines: &str) -> World {
    let mut world = web(lines);
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    world
}

fn ask(world: &mut World, line: &str) -> String {
    let client = world.connect();
    let reply = world.say(client, line);
    world.happen(Event::ClientGone { client });
    reply
}

/// `1 exit 3, 2 delivered`: tries and outcomes, as `list deliveries` tells them.
fn outcomes(world: &mut World) -> String {
    let reply = ask(world, "list deliveries");
    let lines = reply.lines().filter_map(StatusLine::parse);
    let told = lines.map(|line| {
        let marks = [("undelivered", "!"), ("retry_at", "~")];
        let marks = marks.iter().filter(|(name, _)| line.number(name) != 0).map(|(_, mark)| *mark);
        format!("{} {}{}", line.get("try"), line.get("outcome"), marks.collect::<String>())
    });
    told.collect::<Vec<_>>().join(", ")
}

/// What `list opstatus` says about delivery.
fn undelivered(world: &mut World) -> (String, String) {
    (field(world, "web:ping", "alerts_undelivered"), field(world, "web:ping", "last_alert_error"))
}

fn nothing() -> (String, String) {
    (String::new(), String::new())
}

fn one(error: &str) -> (String, String) {
    ("1".to_owned(), error.to_owned())
}

fn signals(world: &World) -> String {
    told(world, |happened| match happened {
        Happened::AlertSignalled { how } => Some(format!("{how:?}")),
        _ => None,
    })
}

#[test]
fn a_delivered_alert_leaves_no_mark_on_the_status() {
    let mut world = failing(PING);
    until(&mut world, 90);
    assert_eq!(undelivered(&mut world), nothing());
    assert!(!ask(&mut world, "list opstatus").contains("undelivered"));
    assert_eq!(outcomes(&mut world), "1 delivered");
}

#[test]
fn each_bad_end_is_told_in_its_words() {
    for (outcome, error) in [
        (Outcome::exits(3, "no route"), "mail.alert: exit 3: no route"),
        (Outcome { ending: Ending::Killed(11), ..Outcome::ok() }, "mail.alert: signal 11"),
        (Outcome::not_started(), "mail.alert: not started: no such file"),
        (Outcome::exits(1, "it's\n\"bad\" café"), "mail.alert: exit 1: it's\n\"bad\" café"),
    ] {
        let mut world = failing(PING);
        world.script_alert("mail.alert", [outcome]);
        until(&mut world, 90);
        assert_eq!(undelivered(&mut world), one(error));
        let reply = ask(&mut world, "list opstatus");
        let end = reply.lines().next().and_then(|line| line.rsplit(' ').nth(1).map(str::to_owned));
        assert_eq!(end.as_deref(), Some("alerts_undelivered=1"), "at the end of the line: {reply}");
    }
}

#[test]
fn the_whole_line_of_an_attempt() {
    let mut world = failing(&format!("{PING}alertretry 1\n"));
    world.script_alert("mail.alert", [Outcome::exits(3, "no route\n").lasting(Duration::from_millis(1250))]);
    until(&mut world, 70);
    let expect = "time=1772409660 group=web service=ping period= kind=alert alert=mail.alert \
                  line=mail.alert\\20me try=1 outcome=exit\\203 duration=1.250 undelivered=1 \
                  retry_at=1772409691 last_words=no\\20route\\0a\n220 list deliveries completed\n";
    assert_eq!(ask(&mut world, "list deliveries"), expect);
}

#[test]
fn an_alert_that_hangs_is_ended_then_killed_then_written_off() {
    let hangs = |heeds| Outcome { heeds, ..Outcome::ok().lasting(secs(86_400)) };
    for (heeds, expect, ended) in [
        (Heeds::Term, "660 Term", 660),
        (Heeds::Kill, "660 Term, 665 Kill", 665),
        (Heeds::Nothing, "660 Term, 665 Kill", 670),
    ] {
        let mut world = failing(PING);
        world.script_alert("mail.alert", [hangs(heeds)]);
        until(&mut world, ended - 1);
        assert_eq!((outcomes(&mut world).as_str(), undelivered(&mut world)), ("1 running", nothing()));
        until(&mut world, ended + 1);
        assert_eq!(signals(&world), expect);
        assert_eq!(outcomes(&mut world), "1 timeout!");
        assert_eq!(undelivered(&mut world), one("mail.alert: timeout"));
        assert_eq!(logged(&world, "has not ended after 600 s"), 1);
        // What was written off may end after all: that changes nothing.
        until(&mut world, 90_000);
        assert_eq!(outcomes(&mut world), "1 timeout, 1 timeout!");
    }
}

#[test]
fn an_alert_that_ended_in_time_unheard_got_through() {
    let mut world = failing(&format!("{PING}alertretry 3\n"));
    world.script_alert("mail.alert", [Outcome::ok().lasting(secs(20))]);
    until(&mut world, 70);
    // The daemon was stopped (SIGSTOP), or the machine: the deadline is looked at first.
    world.stall(secs(3_600));
    world.pass(secs(60));
    assert_eq!((outcomes(&mut world).as_str(), signals(&world).as_str()), ("1 delivered", ""));
}

#[test]
fn a_period_limits_the_time_more_than_the_whole_file() {
    let hangs = || [Outcome::ok().lasting(secs(3_500))];
    for (head, line, ended) in [
        ("", "", 660),
        ("alert_timeout = 2m\n", "", 180),
        ("", "alert_timeout 90s", 150),
        ("alert_timeout = 2m\n", "alert_timeout 1h", 3_660),
    ] {
        let mut world = super::world(&format!("{head}{}", web_cf(&format!("{PING}{line}"))));
        world.script_monitor("web", "ping", [Outcome::fails("down")]);
        world.script_alert("mail.alert", hangs());
        until(&mut world, 3_700);
        // Within an hour the program ends by itself.
        let expect = if ended > 3_600 { String::new() } else { format!("{ended} Term") };
        assert_eq!(signals(&world), expect, "{head}{line}");
    }
}

#[test]
fn a_stopped_scheduler_does_not_keep_a_hanging_alert_alive() {
    let mut world = failing(PING);
    world.script_alert("mail.alert", [Outcome::ok().lasting(secs(86_400))]);
    until(&mut world, 70);
    assert!(ask(&mut world, "stop").starts_with("220"));
    until(&mut world, 700);
    assert_eq!(outcomes(&mut world), "1 timeout!");
}

#[test]
fn tries_follow_with_pauses_that_double() {
    let mut world = failing(&format!("{PING}alertretry 3\nnumalerts 1\n"));
    world.script_alert("mail.alert", [Outcome::exits(1, "")]);
    until(&mut world, 3_600);
    assert_eq!(alerts(&world), "60 alert, 90 alert, 150 alert, 270 alert");
    assert_eq!(outcomes(&mut world), "1 exit 1, 2 exit 1, 3 exit 1, 4 exit 1!");
    assert_eq!(undelivered(&mut world).0, "1");
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "1", "counted once");
    assert_eq!(ask(&mut world, "list alerthist").lines().count(), 2, "noted once");
    let appended = told(&world, |happened| matches!(happened, Happened::Appended { .. }).then(String::new));
    assert_eq!(appended, "60 ", "written once");
}

#[test]
fn a_try_is_the_same_call_and_the_first_that_gets_through_is_the_last() {
    let mut world = failing(&format!("{PING}alertretry 9 10s\n"));
    world.script_alert("mail.alert", [Outcome::exits(1, "x"), Outcome::exits(2, "y"), Outcome::ok()]);
    until(&mut world, 65);
    let first = last_alert(&world);
    assert_eq!(undelivered(&mut world), one("mail.alert: exit 1: x"));
    until(&mut world, 85);
    assert_eq!(undelivered(&mut world), one("mail.alert: exit 2: y"));
    until(&mut world, 3_600);
    assert_eq!(alerts(&world), "60 alert, 70 alert, 90 alert");
    assert_eq!(last_alert(&world), first, "arguments, environment and input are those of the first call");
    assert_eq!(
        (undelivered(&mut world), outcomes(&mut world).as_str()),
        (nothing(), "1 exit 1, 2 exit 2, 3 delivered")
    );
}

#[test]
fn a_timed_out_try_is_followed_by_another() {
    let mut world = failing(&format!("{PING}alertretry 1 20s\nalert_timeout 1m\n"));
    world.script_alert("mail.alert", [Outcome::ok().lasting(secs(600)), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 140 alert");
    assert_eq!(outcomes(&mut world), "1 timeout, 2 delivered");
}

#[test]
fn each_line_stands_for_itself() {
    let mut world = failing(&format!("{PING}alert sms.alert you\nalert pager.alert\n"));
    world.script_alert("mail.alert", [Outcome::exits(1, "first")]);
    world.script_alert("sms.alert", [Outcome::exits(2, "second").lasting(secs(5))]);
    until(&mut world, 70);
    assert_eq!(undelivered(&mut world), ("2".to_owned(), "sms.alert: exit 2: second".to_owned()));
    assert_eq!(outcomes(&mut world), "1 exit 1!, 1 exit 2!, 1 delivered");
}

#[test]
fn equal_lines_of_one_period_are_two() {
    let mut world = failing(&format!("{PING}alert mail.alert me\nalertretry 1 20s\n"));
    world.script_alert("mail.alert", [Outcome::exits(1, "")]);
    until(&mut world, 300);
    assert_eq!(alerts(&world), "60 alert, 60 alert, 80 alert, 80 alert");
    assert_eq!(undelivered(&mut world).0, "2");
}

#[test]
fn what_is_over_is_not_tried_again() {
    let mut world = failing(&format!("{PING}alertretry 3 90s\nupalert mail.alert me\n"));
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::ok()]);
    world.script_alert("mail.alert", [Outcome::exits(1, ""), Outcome::ok()]);
    until(&mut world, 3_600);
    assert_eq!(alerts(&world), "60 alert, 120 upalert");
    assert_eq!(
        (outcomes(&mut world).as_str(), undelivered(&mut world)),
        ("1 exit 1, 1 delivered", nothing())
    );
    assert_eq!(logged(&world, "not tried again: the failure is over"), 1);
}

#[test]
fn a_running_try_of_what_is_over_is_ended_but_a_first_call_is_not() {
    let lines = format!("{PING}alertretry 3 10s\nupalert mail.alert me\n");
    let mut world = failing(&lines);
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::ok()]);
    world
        .script_alert("mail.alert", [Outcome::exits(1, ""), Outcome::ok().lasting(secs(300)), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!(
        (alerts(&world).as_str(), signals(&world).as_str()),
        ("60 alert, 70 alert, 120 upalert", "120 Term")
    );
    assert_eq!(outcomes(&mut world), "1 exit 1, 2 given up, 1 delivered");
    let mut world = failing(&lines);
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::ok()]);
    world.script_alert("mail.alert", [Outcome::exits(1, "").lasting(secs(300)), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!((alerts(&world).as_str(), signals(&world).as_str()), ("60 alert, 120 upalert", ""));
    assert_eq!(outcomes(&mut world), "1 exit 1, 1 delivered", "its end does not count any more");
    assert_eq!(undelivered(&mut world), nothing());
}

#[test]
fn an_upalert_is_tried_again_until_the_next_failure() {
    let lines = format!("{PING}alertretry 9 30s\nupalert up.alert me\n");
    let mut world = failing(&lines);
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::ok()]);
    world.script_alert("up.alert", [Outcome::exits(1, "no"), Outcome::exits(1, "no"), Outcome::ok()]);
    until(&mut world, 160);
    assert_eq!(undelivered(&mut world), one("up.alert: exit 1: no"), "an all-clear that did not get through");
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 120 upalert, 150 upalert, 210 upalert");
    assert_eq!(undelivered(&mut world), nothing());
    let mut world = failing(&lines);
    let runs = [Outcome::fails("down"), Outcome::ok(), Outcome::fails("again")];
    world.script_monitor("web", "ping", runs);
    world.script_alert("up.alert", [Outcome::exits(1, "no")]);
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 120 upalert, 150 upalert, 180 alert");
    assert_eq!(undelivered(&mut world), nothing());
}

#[test]
fn whoever_knows_of_a_failure_is_not_told_again() {
    for (command, why) in [
        ("ack web ping known", "the failure is acknowledged"),
        ("disable service web ping", "the service is disabled"),
        ("disable watch web", "the watch is disabled"),
    ] {
        let mut world = failing(&format!("{PING}alertretry 3\n"));
        world.script_alert("mail.alert", [Outcome::exits(1, "")]);
        until(&mut world, 70);
        assert!(ask(&mut world, command).starts_with("220"));
        until(&mut world, 600);
        assert_eq!(alerts(&world), "60 alert", "{command}");
        assert_eq!(logged(&world, &format!("is not tried again: {why}")), 1, "{command}");
        assert_eq!(undelivered(&mut world).0, "1", "that it was not delivered stays true");
    }
}

#[test]
fn a_new_call_of_a_line_takes_the_place_of_its_tries() {
    let mut world = failing(&format!("{PING}alertevery 1s\nalertretry 9 50s\n"));
    world.script_alert("mail.alert", [Outcome::exits(1, "")]);
    until(&mut world, 245);
    assert_eq!(alerts(&world), "60 alert, 110 alert, 120 alert, 170 alert, 180 alert, 230 alert, 240 alert");
    assert_eq!(undelivered(&mut world).0, "1");
}

#[test]
fn the_newest_call_of_a_line_decides() {
    // Each call hangs and is called anew before it is ended: still it is known that nothing got through.
    let mut world = failing(&PING.replace("alertevery 1d", "alertevery 1s"));
    world.script_alert("mail.alert", [Outcome::ok().lasting(secs(86_400))]);
    until(&mut world, 700);
    assert_eq!(undelivered(&mut world), one("mail.alert: timeout"));
    // A slow call that fails after a later one got through.
    let mut world = failing(&PING.replace("alertevery 1d", "alertevery 1s"));
    world.script_alert("mail.alert", [Outcome::exits(1, "").lasting(secs(90)), Outcome::ok()]);
    until(&mut world, 160);
    assert_eq!(
        (outcomes(&mut world).as_str(), undelivered(&mut world)),
        ("1 exit 1, 1 delivered", nothing())
    );
}

#[test]
fn an_alert_that_cannot_be_started_counts_once_a_try_begins() {
    let mut world = failing(&format!("{PING}numalerts 1\nalertretry 2 30s\n"));
    world.script_alert("mail.alert", [Outcome::not_started(), Outcome::exits(1, ""), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 90 alert, 150 alert");
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "1");
    // If none begins, nobody was told, and the next failure is told anew.
    let mut world = failing(&format!("{PING}numalerts 1\nalertretry 1 30s\n"));
    let never = Outcome::not_started;
    world.script_alert("mail.alert", [never(), never(), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 90 alert, 120 alert");
}

#[test]
fn a_count_is_not_taken_back_from_the_next_failure() {
    let mut world = failing(&format!("{PING}numalerts 1\n"));
    let runs = [Outcome::fails("x"), Outcome::ok(), Outcome::fails("y")];
    world.script_monitor("web", "ping", runs);
    world.script_alert("mail.alert", [Outcome::not_started().lasting(secs(150)), Outcome::ok()]);
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 180 alert");
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "1");
}

#[test]
fn a_missing_program_is_told_by_list_deliveries_alone() {
    let mut world = failing(PING);
    world.remove_program("mail.alert");
    assert!(ask(&mut world, "reset").starts_with("220"));
    until(&mut world, 130);
    assert_eq!(alerts(&world), "");
    assert_eq!(undelivered(&mut world), nothing(), "as the original's line");
    let why = "not started: no such program in alertdir";
    assert_eq!(outcomes(&mut world), format!("1 {why}, 1 {why}!"), "the newest is the one that counts");
    world.script_monitor("web", "ping", [Outcome::ok()]);
    until(&mut world, 190);
    assert_eq!(outcomes(&mut world), format!("1 {why}, 1 {why}"));
}

#[test]
fn tests_and_redistributions_are_followed_but_not_counted() {
    let mut world = failing(&PING.replace("period\n", "redistribute r.alert\nperiod\nalertretry 2\n"));
    world.script_alert("r.alert", [Outcome::exits(1, "")]);
    world.script_alert("mail.alert", [Outcome::ok(), Outcome::exits(4, "")]);
    until(&mut world, 70);
    assert!(ask(&mut world, "test alert web ping 1 ").starts_with("220"));
    until(&mut world, 115);
    assert_eq!(outcomes(&mut world), "1 delivered, 1 exit 1, 1 delivered, 1 exit 4");
    assert_eq!(undelivered(&mut world), nothing());
    let reply = ask(&mut world, "list deliveries");
    assert!(reply.contains(" kind=testalert ") && reply.contains(" kind=redistribute "), "{reply}");
}

#[test]
fn keepstate_keeps_what_is_under_way() {
    let lines = format!("{PING}alertretry 3 30s\n");
    let mut world = failing(&lines);
    world.script_alert("mail.alert", [Outcome::exits(1, "no"), Outcome::exits(1, "no"), Outcome::ok()]);
    until(&mut world, 70);
    world.write_mon_cf(&format!(
        "hostgroup a x\n\nwatch a\nservice s\ninterval 1h\nmonitor p\n\n{}",
        web_cf(&lines)
    ));
    assert!(ask(&mut world, "reset keepstate").starts_with("220"));
    assert_eq!(undelivered(&mut world), one("mail.alert: exit 1: no"));
    until(&mut world, 600);
    assert_eq!(alerts(&world), "60 alert, 90 alert, 150 alert");
    assert_eq!(undelivered(&mut world), nothing());
}

#[test]
fn a_reset_ends_what_has_no_place_any_more() {
    let lines = format!("{PING}alertretry 3 30s\n");
    for (mon_cf, command) in [
        (web_cf(&lines), "reset"),
        (web_cf(&lines.replace("mail.alert me", "mail.alert you")), "reset keepstate"),
        (web_cf("service other\ninterval 1h\nmonitor p"), "reset keepstate"),
    ] {
        let mut world = failing(&lines);
        world.script_alert("mail.alert", [Outcome::exits(1, "")]);
        until(&mut world, 70);
        world.write_mon_cf(&mon_cf);
        assert!(ask(&mut world, command).starts_with("220"));
        until(&mut world, 110);
        assert_eq!(
            (alerts(&world).as_str(), outcomes(&mut world).as_str()),
            ("60 alert", "1 exit 1"),
            "{mon_cf}"
        );
        assert_eq!(logged(&world, "is not tried again"), 1, "{command}");
    }
    // A program that runs is followed all the same.
    let mut world = failing(PING);
    world.script_alert("mail.alert", [Outcome::ok().lasting(secs(86_400))]);
    until(&mut world, 70);
    world.write_mon_cf(&web_cf("service other\ninterval 1h\nmonitor p"));
    assert!(ask(&mut world, "reset keepstate").starts_with("220"));
    until(&mut world, 700);
    assert_eq!(outcomes(&mut world), "1 timeout");
}

#[test]
fn the_book_is_as_long_as_the_histories_and_keeps_what_matters() {
    let mut mon_cf = String::from("histlength = 3\nhostgroup web h\n\nwatch web\n");
    for service in 0..9 {
        mon_cf += &format!("service s{service}\ninterval 1m\nmonitor p\nperiod\nalert a{service}.alert\n");
    }
    let mut world = super::world(&mon_cf);
    for service in 0..9 {
        world.script_monitor("web", &format!("s{service}"), [Outcome::fails("x"), Outcome::ok()]);
    }
    world.script_alert("a0.alert", [Outcome::exits(1, "")]);
    world.script_alert("a1.alert", [Outcome::ok().lasting(secs(30))]);
    until(&mut world, 70);
    assert_eq!(
        outcomes(&mut world),
        "1 exit 1!, 1 running, 1 delivered, 1 delivered, 1 delivered, 1 delivered"
    );
    until(&mut world, 100);
    assert_eq!(outcomes(&mut world).split(", ").count(), 5, "one that has ended well goes");
    until(&mut world, 130);
    assert_eq!(outcomes(&mut world).split(", ").count(), 4, "and one that is over");
    assert!(ask(&mut world, "list deliveries web s8").lines().count() == 2);
    assert!(ask(&mut world, "list deliveries web").lines().count() == 5);
    assert_eq!(ask(&mut world, "list deliveries web s99"), "520 web,s99 does not exist\n");
    assert_eq!(ask(&mut world, "list deliveries nosuch"), "520 nosuch, does not exist\n");
}

#[test]
fn ten_thousand_alerts_leave_as_little_as_one() {
    let mut world = failing(&PING.replace("alertevery 1d", "alertevery 1s\nalertretry 2"));
    world.notes_runs = false;
    world.script_alert("mail.alert", [Outcome::exits(1, &"x".repeat(5_000))]);
    for _ in 0..100 {
        world.pass(secs(6_000));
        world.log.clear();
    }
    let reply = ask(&mut world, "list deliveries");
    assert_eq!(reply.lines().count(), 102);
    assert!(reply.len() < 102 * 700, "last words have a limit: {}", reply.len());
}

#[test]
fn the_end_of_the_daemon_tells_what_is_left_undone() {
    for end in ["term", ""] {
        let mut world = failing(&format!("{PING}alertretry 3 10m\nalert slow.alert\n"));
        world.script_alert("mail.alert", [Outcome::exits(1, "")]);
        world.script_alert("slow.alert", [Outcome::ok().lasting(secs(300))]);
        until(&mut world, 70);
        if end.is_empty() {
            world.happen(Event::Terminate { signal: "TERM" });
        } else {
            ask(&mut world, end);
        }
        assert_eq!(logged(&world, "alert mail.alert for web/ping was not delivered"), 1);
        assert_eq!(logged(&world, "1 alert programs are still running"), 1);
    }
}

#[test]
fn a_view_narrows_the_list() {
    let mut world = super::world(&format!("{}\nview none db\n", web_cf(PING)));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    until(&mut world, 70);
    let client = world.connect();
    assert_eq!(world.say(client, "list deliveries").lines().count(), 2);
    world.say(client, "setview none");
    assert_eq!(world.say(client, "list deliveries").lines().count(), 1);
}
