//! Traps: those that come, those that do not, those that wear off.

use super::*;

#[test]
fn a_trap_is_a_result() {
    let mut world = web("service ping\nperiod\nalert a arg\nupalert u");
    world.pass(secs(10));
    world.happen(trap("web", "ping", 3, "down\n\ndetail"));
    let (args, env, stdin) = last_alert(&world);
    assert_eq!(args, ["-s", "ping", "-g", "web", "-h", "h1 h2", "-t", "1772409610", "-T", "arg"]);
    assert!(env.contains(&"MON_RETVAL=3".to_owned()) && env.contains(&"MON_ALERTTYPE=trap".to_owned()));
    assert_eq!(stdin, "down\n\ndetail");
    world.happen(trap("web", "ping", 0, "up"));
    assert_eq!(alerts(&world), "10 trapalert, 10 upalert");
    assert_eq!(field(&mut world, "web:ping", "last_trap"), "1772409610");
}

#[test]
fn a_missing_trap_fails_again_and_again() {
    let mut world = web("service ping\ntraptimeout 1m\nperiod\nalert a\nupalert u");
    until(&mut world, 150);
    world.happen(trap("web", "ping", 0, ""));
    until(&mut world, 280);
    assert_eq!(
        alerts(&world),
        "60 traptimeoutalert, 120 traptimeoutalert, 150 upalert, 210 traptimeoutalert, 270 traptimeoutalert"
    );
    assert_eq!(field(&mut world, "web:ping", "last_summary"), "trap timeout");
}

#[test]
fn a_trap_wears_off_after_trapduration_without_an_upalert() {
    let mut world = web("service ping\ntrapduration 30s\nperiod\nalert a\nupalert u");
    until(&mut world, 10);
    world.happen(trap("web", "ping", 2, "x"));
    until(&mut world, 30);
    world.happen(trap("web", "ping", 2, "x"));
    until(&mut world, 59);
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "0");
    until(&mut world, 60);
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "1");
    assert_eq!(field(&mut world, "web:ping", "exitval"), "2", "it is no result");
    assert_eq!(alerts(&world), "10 trapalert, 30 trapalert");
}

#[test]
fn timers_of_traps_stand_still_while_the_scheduler_does() {
    let mut world = web("service ping\ntraptimeout 1m\nperiod\nalert a");
    let client = world.connect();
    until(&mut world, 20);
    world.say(client, "stop");
    until(&mut world, 500);
    world.say(client, "start");
    until(&mut world, 545);
    assert_eq!(alerts(&world), "540 traptimeoutalert");
}

#[test]
fn a_trap_that_comes_while_stopped_counts_from_when_the_scheduler_stood_still() {
    let mut world = web("service ping\ntraptimeout 1m\nperiod\nalert a");
    let client = world.connect();
    until(&mut world, 20);
    world.say(client, "stop");
    until(&mut world, 500);
    world.happen(trap("web", "ping", 0, ""));
    until(&mut world, 600);
    world.say(client, "start");
    until(&mut world, 665);
    assert_eq!(alerts(&world), "660 traptimeoutalert", "a minute of running time, not more");
}

#[test]
fn a_timeout_that_is_due_at_the_moment_of_a_stop_is_not_forgotten() {
    let mut world = web("service ping\ntraptimeout 1m\nperiod\nalert a");
    let client = world.connect();
    until(&mut world, 59);
    world.stall(secs(2));
    world.say(client, "stop");
    until(&mut world, 100);
    world.say(client, "start");
    until(&mut world, 190);
    assert_eq!(alerts(&world), "100 traptimeoutalert, 160 traptimeoutalert");
}

#[test]
fn traps_for_unknown_groups_go_to_the_default_and_say_so() {
    let mut world = world("watch default\nservice default\nperiod\nalert a\n\nwatch web\nservice ping\n");
    world.happen(trap("nowhere", "ping", 1, "x"));
    let (args, env, _) = last_alert(&world);
    assert_eq!(args[..4], ["-s", "default", "-g", "default"]);
    assert!(env.contains(&"MON_TRAP_INTENDED=nowhere:ping".to_owned()));
    world.happen(trap("web", "nothing", 1, "x"));
    assert_eq!(alerts(&world), "0 trapalert", "an unknown service of a known group is dropped");
    assert_eq!(logged(&world, "unknown service web/nothing dropped"), 1);
}

#[test]
fn traps_for_nobody_are_dropped() {
    let mut world = web("service ping");
    world.happen(trap("nowhere", "ping", 1, "x"));
    assert_eq!(logged(&world, "dropped"), 1);
    assert_eq!(field(&mut world, "web:ping", "opstatus"), "7");
}
