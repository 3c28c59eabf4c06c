//! What runs when.

use super::*;

const PING: &str = "service ping\ninterval 1m\nmonitor p";

/// Runs `lines` of a watch until `end`, with these runs of the service ping; compares what was started when.
fn check(lines: &str, runs: &[Outcome], end: u64, expect: &str) {
    let mut world = web(lines);
    world.script_monitor("web", "ping", runs.to_vec());
    until(&mut world, end);
    assert_eq!(starts(&world), expect, "{lines}");
}

fn lasting(seconds: u64) -> Outcome {
    Outcome::ok().lasting(secs(seconds))
}

#[test]
fn the_first_run_comes_after_one_interval_and_then_at_a_fixed_rate_from_the_start_of_runs() {
    check(PING, &[lasting(0)], 200, "60 ping, 120 ping, 180 ping");
    check(PING, &[lasting(59)], 200, "60 ping, 120 ping, 180 ping");
    check(&PING.replace("1m", "1.5s"), &[lasting(1)], 5, "1.5 ping, 3 ping, 4.5 ping");
}

#[test]
fn a_run_that_overruns_skips_to_the_grid() {
    check(PING, &[lasting(61), lasting(0)], 250, "60 ping, 180 ping, 240 ping");
    check(PING, &[lasting(150)], 500, "60 ping, 240 ping, 420 ping");
}

#[test]
fn a_service_without_interval_never_runs() {
    check("service ping\nmonitor p", &[], 86_400, "");
    let mut world = web("service ping\nmonitor p");
    let client = world.connect();
    assert!(world.say(client, "test monitor web ping").contains("220"));
    until(&mut world, 1000);
    assert_eq!(starts(&world), "");
}

#[test]
fn never_two_runs_of_one_service() {
    let mut world = web(PING);
    world.script_monitor("web", "ping", [lasting(100)]);
    let client = world.connect();
    until(&mut world, 70);
    world.say(client, "test monitor web ping");
    assert_eq!(world.running().count(), 1);
    until(&mut world, 260);
    assert_eq!(starts(&world), "60 ping, 190 ping", "the run that was asked for is the one going on");
}

#[test]
fn maxprocs_bounds_the_runs_and_keeps_the_order() {
    let services: String =
        ["a", "b", "c", "d", "e"].map(|name| format!("service {name}\ninterval 1m\nmonitor p\n")).concat();
    let mut world = world(&format!("maxprocs = 2\nhostgroup web h\n\nwatch web\n{services}"));
    for name in ["a", "b", "c", "d", "e"] {
        world.script_monitor("web", name, [lasting(10)]);
    }
    while world.step(Mono::at(secs(150))) {
        assert!(world.running().count() <= 2);
    }
    let first = "60 a, 60 b, 70 c, 70 d, 80 e";
    assert_eq!(starts(&world), format!("{first}, 120 a, 120 b, 130 c, 130 d, 140 e"));
    assert_eq!(logged(&world, "throttled at 2 processes"), 3);
}

#[test]
fn randstart_spreads_the_first_runs() {
    let services: String = (0..50).map(|n| format!("service s{n}\ninterval 10m\nmonitor p\n")).collect();
    let story = |seed| {
        let text = format!("randstart = 30s\nhostgroup web h\n\nwatch web\n{services}");
        let mut world = World::new(&text, MONDAY, seed).expect("a good mon.cf");
        world.start(false);
        until(&mut world, 630);
        let moments = |world: &World| -> Vec<f64> {
            let starts = starts(world);
            starts.split(", ").map(|start| start.split(' ').next().unwrap().parse().unwrap()).collect()
        };
        let moments = moments(&world);
        assert_eq!(moments.len(), 100, "each twice");
        assert!(moments[..50].iter().all(|&at| (0.0..=30.0).contains(&at)), "{moments:?}");
        assert!(moments[..50].iter().any(|&at| at < 10.0) && moments[..50].iter().any(|&at| at > 20.0));
        for (first, second) in moments[..50].iter().zip(&moments[50..]) {
            assert!((second - first - 600.0).abs() < 1e-6, "then at a fixed rate");
        }
        moments
    };
    assert_eq!(story(1), story(1), "the same seed, the same schedule");
    assert_ne!(story(1), story(2));
}

#[test]
fn randskew_varies_every_wait_within_its_bounds() {
    let mut world = web("service ping\ninterval 100s\nrandskew 20s\nmonitor p");
    until(&mut world, 100_000);
    let starts = starts(&world);
    let moments: Vec<f64> =
        starts.split(", ").map(|start| start.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(moments.len() > 900);
    let waits: Vec<f64> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| (80.0..=120.0).contains(wait)));
    assert!(waits.iter().any(|&wait| wait < 85.0) && waits.iter().any(|&wait| wait > 115.0));
}

#[test]
fn failure_interval_replaces_the_interval_while_failing() {
    let fails = || Outcome::fails("down").lasting(secs(2));
    check(
        "service ping\ninterval 5m\nfailure_interval 10s\nmonitor p",
        &[fails(), fails(), fails(), lasting(2), lasting(2)],
        1000,
        "300 ping, 312 ping, 322 ping, 332 ping, 634 ping, 934 ping",
    );
}

#[test]
fn a_global_exclude_period_holds_every_run_and_lets_go_within_a_minute() {
    let mut world = world(
        "exclude_period = hr {0}\nhostgroup web h\n\nwatch web\nservice ping\ninterval 7m\nmonitor p\n",
    );
    until(&mut world, 4500);
    assert_eq!(starts(&world), "3600 ping, 4020 ping, 4440 ping");
}

#[test]
fn an_exclude_period_of_a_service_holds_that_service_alone() {
    let mut world = web(
        "service ping\ninterval 25m\nmonitor p\nexclude_period hr {0} min {20-39}\nservice other\ninterval 25m\nmonitor p",
    );
    until(&mut world, 4000);
    assert_eq!(starts(&world), "1500 other, 2400 ping, 3000 other, 3900 ping");
}

#[test]
fn an_exclude_period_follows_the_wall_clock_and_summer_time() {
    // Held in the hour after midnight; at 0:30 the clocks go forward by an hour.
    let mut world = web("service ping\ninterval 10m\nmonitor p\nexclude_period hr {0}");
    world.change_zone_at(MONDAY + 1800, 3600);
    until(&mut world, 2500);
    assert_eq!(starts(&world), "1800 ping, 2400 ping");

    let mut world = web("service ping\ninterval 10m\nmonitor p\nexclude_period hr {0}");
    until(&mut world, 700);
    world.step_clock(3600);
    until(&mut world, 800);
    assert_eq!(starts(&world), "720 ping", "a minute at most after the clock was set");
}

#[test]
fn a_clock_that_is_set_does_not_move_the_schedule() {
    for step in [-7200, 86_400] {
        let mut world = web(PING);
        until(&mut world, 90);
        world.step_clock(step);
        until(&mut world, 200);
        assert_eq!(starts(&world), "60 ping, 120 ping, 180 ping");
    }
}

#[test]
fn stop_freezes_the_timers_and_start_lets_them_go_on() {
    let mut world = web(PING);
    let client = world.connect();
    until(&mut world, 70);
    assert!(world.say(client, "stop").contains("220"));
    until(&mut world, 1000);
    assert_eq!(world.engine().next_deadline(), None, "a stopped daemon does not wake");
    assert_eq!(field(&mut world, "web:ping", "timer"), "50");
    assert!(world.say(client, "start").contains("220"));
    until(&mut world, 1120);
    assert_eq!(starts(&world), "60 ping, 1050 ping, 1110 ping");
}

#[test]
fn nobody_takes_the_place_of_a_run_that_ends_while_stopped() {
    let mut world = world(
        "maxprocs = 1\nhostgroup web h\n\nwatch web\nservice a\ninterval 1m\nmonitor p\nservice b\ninterval 1m\nmonitor p\n",
    );
    world.script_monitor("web", "a", [lasting(30)]);
    let client = world.connect();
    until(&mut world, 70);
    world.say(client, "stop");
    until(&mut world, 100);
    assert_eq!(starts(&world), "60 a");
    world.say(client, "start");
    assert_eq!(starts(&world), "60 a, 100 b");
}

#[test]
fn a_run_that_ends_while_stopped_counts_its_wait_from_the_stop() {
    let mut world = web("service ping\ninterval 10m\nfailure_interval 20s\nmonitor p");
    world.script_monitor("web", "ping", [Outcome::fails("x").lasting(secs(30))]);
    let client = world.connect();
    until(&mut world, 610);
    world.say(client, "stop");
    until(&mut world, 5000);
    world.say(client, "start");
    until(&mut world, 5021);
    assert_eq!(starts(&world), "600 ping, 5020 ping");
}

#[test]
fn intervals_set_and_timers_cleared_while_stopped_count_from_the_start() {
    for line in ["set web ping interval 60", "clear timers web ping"] {
        let mut world = web(PING);
        let client = world.connect();
        until(&mut world, 30);
        world.say(client, "stop");
        until(&mut world, 500);
        assert!(world.say(client, line).contains("220"));
        until(&mut world, 1000);
        world.say(client, "start");
        until(&mut world, 1061);
        assert_eq!(starts(&world), "1060 ping", "{line}");
    }
}

#[test]
fn test_monitor_while_stopped_stays_pending() {
    let mut world = prepared(&web_cf(PING));
    world.start(true);
    let client = world.connect();
    until(&mut world, 100);
    assert!(world.say(client, "test monitor web ping").contains("220"));
    until(&mut world, 200);
    assert_eq!(starts(&world), "");
    world.say(client, "start");
    until(&mut world, 320);
    assert_eq!(starts(&world), "200 ping, 260 ping, 320 ping");
}

#[test]
fn test_monitor_brings_the_next_run_forward() {
    let mut world = web(PING);
    let client = world.connect();
    until(&mut world, 15);
    world.say(client, "test monitor web ping");
    until(&mut world, 140);
    assert_eq!(starts(&world), "15 ping, 75 ping, 135 ping");
}

#[test]
fn results_of_runs_that_end_while_stopped_are_kept_and_alert_nobody() {
    let mut world = web("service ping\ninterval 1m\nmonitor p\nperiod\nalert a");
    world.script_monitor("web", "ping", [Outcome::fails("down").lasting(secs(20))]);
    let client = world.connect();
    until(&mut world, 70);
    world.say(client, "stop");
    until(&mut world, 300);
    assert_eq!((field(&mut world, "web:ping", "opstatus"), alerts(&world)), ("0".into(), String::new()));
    world.say(client, "start");
    until(&mut world, 380);
    assert_eq!((starts(&world).as_str(), alerts(&world).as_str()), ("60 ping, 350 ping", "370 alert"));
}

#[test]
fn set_interval_and_clear_timers_count_from_now() {
    let mut world = web(PING);
    let client = world.connect();
    until(&mut world, 50);
    world.say(client, "clear timers web ping");
    until(&mut world, 130);
    world.say(client, "set web ping interval 20");
    until(&mut world, 175);
    assert_eq!(starts(&world), "110 ping, 150 ping, 170 ping");
}

#[test]
fn a_monitor_without_hosts_does_not_run_unless_it_may() {
    let mut world = web(
        "service ping\ninterval 1m\nmonitor p x\nservice empty\ninterval 1m\nmonitor p y\nallow_empty_group\nservice bare\ninterval 1m\nmonitor p ;;",
    );
    let client = world.connect();
    until(&mut world, 60);
    assert_eq!(starts(&world), "60 ping, 60 empty, 60 bare");
    assert!(world.say(client, "disable host h1 h2").contains("220"));
    world.log.clear();
    until(&mut world, 120);
    assert_eq!(starts(&world), "120 empty, 120 bare");
    assert_eq!(logged(&world, "no host arguments"), 1);
}

#[test]
fn disabled_and_excluded_hosts_are_left_out_of_the_words() {
    let mut world = world(
        "hostgroup web h1 h2 h3\n\nwatch web\nservice ping\ninterval 1m\nmonitor p -t \"a b\"\nexclude_hosts h2\nVAR=x\n",
    );
    let client = world.connect();
    until(&mut world, 60);
    assert_eq!(last_launch(&world).args, ["-t", "a b", "h1", "h3"]);
    world.say(client, "disable host h3");
    until(&mut world, 120);
    assert_eq!(last_launch(&world).args, ["-t", "a b", "h1"]);
}

#[test]
fn a_monitor_that_cannot_be_started_or_is_killed_is_a_failure() {
    let mut world = web("service ping\ninterval 1m\nmonitor p\nperiod\nalert a");
    let killed = Outcome { ending: Ending::Killed(9), ..Outcome::ok() };
    world.script_monitor("web", "ping", [Outcome::not_started(), killed, Outcome::exits(3, "three")]);
    for (at, exit) in [(60, "1"), (120, "137"), (180, "3")] {
        until(&mut world, at);
        assert_eq!(field(&mut world, "web:ping", "exitval"), exit);
    }
    assert_eq!(alerts(&world), "60 alert, 120 alert, 180 alert");
}

#[test]
fn every_disabled_service_still_runs() {
    let mut world = web("service ping\ninterval 1m\nmonitor p\nperiod\nalert a");
    world.script_monitor("web", "ping", [Outcome::fails("x")]);
    let client = world.connect();
    world.say(client, "disable service web ping");
    until(&mut world, 130);
    world.say(client, "enable service web ping");
    world.say(client, "disable watch web");
    until(&mut world, 190);
    world.say(client, "enable watch web");
    until(&mut world, 250);
    assert_eq!(starts(&world), "60 ping, 120 ping, 180 ping, 240 ping");
    assert_eq!(alerts(&world), "240 alert");
}
