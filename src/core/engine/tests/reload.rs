//! SIGHUP and `reset keepstate`: what changed, and nothing else.

mod property;

use super::*;

/// A service that alerts once in an hour.
fn service(name: &str, lines: &str) -> String {
    let lines = if lines.is_empty() { String::new() } else { format!("{lines}\n") };
    format!(
        "service {name}\ninterval 1m\nmonitor p\n{lines}period day:\nalert mail.alert me\nupalert mail.alert me\nalertevery 1h\n"
    )
}

/// The daemon is told to read this.
fn reload(world: &mut World, mon_cf: &str) {
    world.write_mon_cf(mon_cf);
    world.happen(Event::HangUp);
}

fn say(world: &mut World, line: &str) -> String {
    let client = world.connect();
    let reply = world.say(client, line);
    world.happen(Event::ClientGone { client });
    reply
}

fn killed(world: &World) -> String {
    told(world, |happened| match happened {
        Happened::RunKilled { service } => Some(service.service.to_string()),
        _ => None,
    })
}

#[test]
fn a_run_goes_on_and_its_result_counts() {
    let mut world = web(&service("ping", ""));
    world.script_monitor("web", "ping", [Outcome::fails("down").lasting(secs(30))]);
    until(&mut world, 70);
    let more = format!("{}{}", service("another", ""), service("ping", ""));
    reload(&mut world, &web_cf(&more));
    assert_eq!(world.running().count(), 1);
    until(&mut world, 100);
    assert_eq!((alerts(&world).as_str(), killed(&world).as_str()), ("90 alert", ""));
    until(&mut world, 200);
    assert_eq!(starts(&world), "60 ping, 120 ping, 130 another, 180 ping, 190 another");
}

#[test]
fn one_line_tells_what_changed() {
    let mut world = web(&format!("{}{}{}", service("a", ""), service("b", ""), service("c", "")));
    let new = format!("{}{}{}", service("b", ""), service("c", "description x"), service("d", ""));
    reload(&mut world, &format!("serverport = 2600\n{}", web_cf(&new)));
    for line in [
        "reloaded mon.cf: 1 service added, 1 removed, 1 changed, 1 unchanged",
        "reload: web/a removed",
        "reload: web/c changed: description",
        "reload: web/d added",
        "reload: serverport changed (from the next start on)",
    ] {
        assert_eq!(logged(&world, line), 1, "{line}");
    }
}

#[test]
fn a_thousand_changes_are_not_a_thousand_lines() {
    let many = |lines: &str| (0..1000).map(|n| service(&format!("s{n}"), lines)).collect::<String>();
    let mut world = web(&many(""));
    reload(&mut world, &web_cf(&many("description x")));
    assert_eq!((logged(&world, "reload: web/s"), logged(&world, "reload: and 950 more")), (50, 1));
}

#[test]
fn what_is_gone_is_ended_and_forgotten() {
    let mut world = web(&format!("{}{}", service("gone", ""), service("ping", "")));
    world.script_monitor("web", "gone", [Outcome::fails("down").lasting(secs(30))]);
    until(&mut world, 70);
    reload(&mut world, &web_cf(&service("ping", "")));
    assert_eq!(killed(&world), "70 gone");
    until(&mut world, 130);
    assert_eq!((starts(&world).as_str(), alerts(&world).as_str()), ("60 gone, 60 ping, 120 ping", ""));
    reload(&mut world, &web_cf(&format!("{}{}", service("gone", ""), service("ping", ""))));
    assert_eq!(field(&mut world, "web:gone", "opstatus"), "7", "it comes back untested");
}

#[test]
fn another_interval_counts_from_the_last_run() {
    let with =
        |interval: &str| web_cf(&service("ping", "").replace("interval 1m", &format!("interval {interval}")));
    for (before, after, at, expect) in [
        ("1m", "5m", 70, "60 ping, 360 ping, 660 ping"),
        ("5m", "2m", 310, "300 ping, 420 ping, 540 ping, 660 ping"),
        // The last run is longer ago than the new interval: on its grid.
        ("5m", "40s", 430, "300 ping, 460 ping, 500 ping, 540 ping, 580 ping, 620 ping, 660 ping, 700 ping"),
        ("5m", "200s", 590, "300 ping, 600 ping"),
        // Never run: not later than it was announced.
        ("5m", "10m", 10, "300 ping"),
        (
            "10m",
            "1m",
            30,
            "60 ping, 120 ping, 180 ping, 240 ping, 300 ping, 360 ping, 420 ping, 480 ping, 540 ping, 600 ping, 660 ping",
        ),
    ] {
        let mut world = super::world(&with(before));
        until(&mut world, at);
        reload(&mut world, &with(after));
        until(&mut world, 700);
        assert_eq!(starts(&world), expect, "{before} to {after} at {at}");
    }
}

#[test]
fn many_intervals_that_become_shorter_cause_no_storm() {
    let with = |interval: &str| {
        let services: String = (0..600)
            .map(|n| service(&format!("s{n}"), "").replace("interval 1m", &format!("interval {interval}")))
            .collect();
        format!("randstart = 10m\n{}", web_cf(&services))
    };
    let mut world = super::world(&with("10m"));
    until(&mut world, 1800);
    reload(&mut world, &with("1m"));
    world.log.clear();
    until(&mut world, 1860);
    let mut by_second = BTreeMap::new();
    for entry in world.log.iter().filter(|entry| matches!(entry.what, Happened::RunStarted { .. })) {
        *by_second.entry(entry.at.mono.since_origin().as_secs()).or_insert(0) += 1;
    }
    let most = by_second.values().max().copied().unwrap_or(0);
    assert_eq!(by_second.values().sum::<i32>(), 600, "all within the new interval");
    assert!(most < 40, "{most} in one second");
}

#[test]
fn another_monitor_line_ends_the_run_and_begins_it_again() {
    let mut world = web(&service("ping", ""));
    world.script_monitor("web", "ping", [Outcome::fails("old").lasting(secs(30)), Outcome::ok()]);
    until(&mut world, 70);
    reload(&mut world, &web_cf(&service("ping", "").replace("monitor p", "monitor q -x")));
    until(&mut world, 140);
    assert_eq!((killed(&world).as_str(), starts(&world).as_str()), ("70 ping", "60 ping, 70 ping, 130 ping"));
    assert_eq!(last_launch(&world).args, ["-x", "h1", "h2"]);
    assert_eq!(alerts(&world), "", "what the old monitor would have said is not heard");
}

#[test]
fn another_host_ends_the_run_and_begins_it_again_and_is_disabled_if_it_is_elsewhere() {
    let two = |hosts: &str| {
        format!("hostgroup db h3 h4\n\nwatch db\n{}\n{}", service("sql", ""), web_cf(&service("ping", "")))
            .replace("web h1 h2", &format!("web {hosts}"))
    };
    let mut world = super::world(&two("h1 h2"));
    say(&mut world, "disable host h3");
    world.script_monitor("web", "ping", [Outcome::ok().lasting(secs(30)), Outcome::ok()]);
    until(&mut world, 70);
    reload(&mut world, &two("h1 h5 h3"));
    assert_eq!((killed(&world).as_str(), last_launch(&world).args.join(" ").as_str()), ("70 ping", "h1 h2"));
    until(&mut world, 71);
    assert_eq!(last_launch(&world).args, ["h1", "h5"], "h3 is disabled");
    assert_eq!(starts(&world), "60 sql, 60 ping, 70 ping");
}

#[test]
fn other_hosts_of_a_service_that_rests_leave_its_time() {
    let mut world = web(&service("ping", ""));
    until(&mut world, 70);
    reload(&mut world, &web_cf(&service("ping", "")).replace("h2", "h2 h3"));
    until(&mut world, 130);
    assert_eq!(starts(&world), "60 ping, 120 ping");
    assert_eq!(last_launch(&world).args, ["h1", "h2", "h3"]);
}

#[test]
fn an_outage_goes_on_through_any_change_of_its_periods() {
    let base = service("ping", "");
    let unlabelled = base.replace("period day:", "period wd {Sun-Sat}");
    for (old, new) in [
        (&base, base.replace("day:", "night:")),
        (&base, base.replace("day:", "day: hr {0-23}")),
        (&base, base.replace("alert mail.alert me", "alert mail.alert you")),
        (&base, base.replace("alertevery 1h", "alertevery 2h")),
        (&base, format!("{base}period other: hr {{3}}\nalert o.alert")),
        (&unlabelled, unlabelled.replace("Sun-Sat", "Mon-Sun")),
        (
            &unlabelled,
            unlabelled.replace("wd {Sun-Sat}", "hr {0-23}").replace("mail.alert me", "mail.alert you"),
        ),
    ] {
        let mut world = web(old);
        let down = || std::iter::repeat_n(Outcome::fails("down"), 5);
        world.script_monitor("web", "ping", down().chain([Outcome::ok()]));
        until(&mut world, 150);
        reload(&mut world, &web_cf(&new));
        until(&mut world, 400);
        assert_eq!(alerts(&world), "60 alert, 360 upalert", "{new}");
        assert_eq!(last_alert(&world).2, "down\n", "it still says what the failure was");
    }
}

#[test]
fn a_period_that_is_new_in_an_outage_tells_its_people() {
    let mut world = web(&service("ping", ""));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    until(&mut world, 150);
    reload(
        &mut world,
        &web_cf(&format!("{}period boss:\nalert boss.alert\nalertevery 1h", service("ping", ""))),
    );
    until(&mut world, 400);
    assert_eq!(alerts(&world), "60 alert, 180 alert");
    assert!(last_alert(&world).0.len() == 8, "that of the boss has no words");
}

#[test]
fn an_alert_in_flight_finds_its_count_after_its_service_moved() {
    let mut world = web(&service("ping", ""));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    world.script_alert("mail.alert", [Outcome::not_started().lasting(secs(30)), Outcome::ok()]);
    until(&mut world, 70);
    let new = format!(
        "{}{}",
        service("another", ""),
        service("ping", "").replace("period day:", "period x: hr {3}\nperiod day:")
    );
    reload(&mut world, &web_cf(&new));
    until(&mut world, 100);
    assert_eq!(field(&mut world, "web:ping", "alerts_sent"), "0", "nobody was told");
    until(&mut world, 130);
    assert_eq!(alerts(&world), "60 alert, 120 alert");
}

#[test]
fn timers_of_traps_count_from_the_last_trap() {
    let with =
        |timeout: &str| web_cf(&format!("service beat\ntraptimeout {timeout}\nperiod\nalert mail.alert\n"));
    for (before, after, expect) in [
        ("10m", "20m", "1300 traptimeoutalert"),
        ("10m", "5m", "400 traptimeoutalert"),
        // The new time is over already: one more chance, but not more than was left.
        ("10m", "30s", "230 traptimeoutalert"),
        ("250s", "90s", "290 traptimeoutalert"),
    ] {
        let mut world = super::world(&with(before));
        until(&mut world, 100);
        world.happen(trap("web", "beat", 0, "fine"));
        until(&mut world, 200);
        reload(&mut world, &with(after));
        while alerts(&world).is_empty() {
            world.pass(secs(1));
        }
        assert_eq!(alerts(&world), expect, "{before} to {after}");
    }
}

#[test]
fn what_waits_goes_on_waiting_in_its_place() {
    let three = |first: &str| {
        format!(
            "maxprocs = 1\n{}",
            web_cf(&format!("{first}{}{}{}", service("a", ""), service("b", ""), service("c", "")))
        )
    };
    let mut world = super::world(&three(""));
    for name in ["a", "b", "c"] {
        world.script_monitor("web", name, [Outcome::ok().lasting(secs(10))]);
    }
    until(&mut world, 65);
    reload(&mut world, &three(&service("zero", "")));
    until(&mut world, 89);
    assert_eq!(starts(&world), "60 a, 70 b, 80 c");
}

#[test]
fn a_run_that_a_dependency_holds_back_is_freed_with_it() {
    let two = |depend: &str| web_cf(&format!("{}service parent\n", service("ping", depend)));
    let mut world = super::world(&two("depend web:parent\ndep_behavior m"));
    say(&mut world, "set web parent opstatus fail");
    until(&mut world, 130);
    reload(&mut world, &two("depend web:parent\ndep_behavior m\ndescription x"));
    assert_eq!(starts(&world), "", "it is held back still");
    reload(&mut world, &two(""));
    assert_eq!(starts(&world), "130 ping");
    until(&mut world, 190);
    assert_eq!(starts(&world), "130 ping, 190 ping");
}

#[test]
fn a_stopped_scheduler_stays_stopped_and_its_pause_counts() {
    let mut world = web(&service("ping", ""));
    until(&mut world, 70);
    say(&mut world, "stop");
    until(&mut world, 100);
    say(&mut world, "reset keepstate stopped");
    until(&mut world, 200);
    reload(&mut world, &web_cf(&format!("{}{}", service("ping", ""), service("new", ""))));
    until(&mut world, 300);
    assert_eq!(starts(&world), "60 ping");
    say(&mut world, "start");
    until(&mut world, 361);
    assert_eq!(starts(&world), "60 ping, 350 ping, 360 new");
}

#[test]
fn startup_alerts_are_sent_again_only_where_asked_for() {
    let lines = format!("{}startupalert mail.alert hello\n", service("ping", ""));
    for (global, expect) in
        [("", "0 startupalert"), ("startupalerts_on_reset = yes\n", "0 startupalert, 70 startupalert")]
    {
        let mut world = super::world(&format!("{global}{}", web_cf(&lines)));
        until(&mut world, 70);
        world.happen(Event::HangUp);
        assert_eq!(alerts(&world), expect);
    }
}

#[test]
fn test_reload_tells_what_would_change_and_changes_nothing() {
    let mut world = web(&service("ping", ""));
    let unchanged = "configuration file /etc/mon/mon.cf\n1 service unchanged\n220 test reload completed OK, no errors found\n";
    assert_eq!(say(&mut world, "test reload"), unchanged);
    world.write_mon_cf(&web_cf(&service("ping", "").replace("1m", "90s")));
    let reply = say(&mut world, "test reload");
    assert!(
        reply.contains("web/ping changed\n    interval: 1m -> 90s\n1 service changed, 0 unchanged\n220 "),
        "{reply}"
    );
    say(&mut world, "set web ping interval 90");
    assert_eq!(say(&mut world, "test reload"), unchanged, "what was set by hand counts");
    world.write_mon_cf("rubbish = 1\n");
    assert!(say(&mut world, "test reload").contains("\n520 "));
    until(&mut world, 100);
    assert_eq!(starts(&world), "90 ping");
}
