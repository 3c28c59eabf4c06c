//! Dependencies: runs that are held, alerts that are withheld, hosts that are explained.

use super::*;

const NET: &str = "watch net\nservice ping\n";

fn pair(net_lines: &str, http_lines: &str) -> World {
    world(&format!(
        "hostgroup net router\n\nhostgroup web www1 www2\n\n{NET}{net_lines}\n\nwatch web\nservice http\ninterval 1m\nmonitor p\n{http_lines}\n"
    ))
}

#[test]
fn a_failing_monitor_dependency_holds_a_run_and_frees_it_at_once() {
    for lines in ["depend net:ping\ndep_behavior m", "monitordepend net:ping"] {
        let mut world = pair("", lines);
        until(&mut world, 70);
        world.happen(trap("net", "ping", 1, "down"));
        until(&mut world, 290);
        assert_eq!(field(&mut world, "web:http", "timer"), "0", "held is due");
        world.happen(trap("net", "ping", 0, "up"));
        until(&mut world, 400);
        assert_eq!(starts(&world), "60 http, 290 http, 350 http", "{lines}");
        assert_eq!(field(&mut world, "web:http", "depstatus"), "1");
    }
}

#[test]
fn a_held_run_is_freed_by_a_status_set_by_hand_and_by_the_end_of_a_trap() {
    let mut world = pair("trapduration 2m", "monitordepend net:ping");
    let client = world.connect();
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 130);
    assert_eq!(starts(&world), "120 http", "the trap's time was over");
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 200);
    world.say(client, "set net ping opstatus ok");
    assert_eq!(starts(&world), "120 http, 200 http");
}

#[test]
fn dep_memory_holds_for_a_while_after_the_recovery() {
    let mut world = pair("dep_memory 2m", "monitordepend net:ping");
    until(&mut world, 30);
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 40);
    world.happen(trap("net", "ping", 0, "up"));
    until(&mut world, 220);
    assert_eq!(starts(&world), "151 http, 211 http");
}

#[test]
fn a_chain_of_monitor_dependencies_is_freed_from_its_far_end() {
    let mut world = world(
        "watch a\nservice s\n\nwatch b\nservice s\nmonitordepend a:s\n\nwatch c\nservice s\ninterval 1m\nmonitor p\nmonitordepend b:s\n",
    );
    world.happen(trap("a", "s", 1, "down"));
    until(&mut world, 100);
    assert_eq!(starts(&world), "");
    world.happen(trap("a", "s", 0, "up"));
    assert_eq!(starts(&world), "100 s", "b never changed, but what it depends on did");
}

#[test]
fn an_alert_dependency_lets_monitors_run_and_withholds_alerts() {
    for lines in ["depend net:ping", "alertdepend net:ping"] {
        let mut world = pair("", &format!("{lines}\nperiod\nalert a\nupalert u"));
        world.script_monitor("web", "http", [Outcome::fails("x")]);
        world.happen(trap("net", "ping", 1, "down"));
        until(&mut world, 130);
        assert_eq!((starts(&world).as_str(), alerts(&world).as_str()), ("60 http, 120 http", ""));
        world.happen(trap("net", "ping", 0, "up"));
        until(&mut world, 190);
        assert_eq!(alerts(&world), "180 alert");
    }
}

#[test]
fn dep_memory_withholds_alerts_too() {
    let mut world = pair("dep_memory 90s", "depend net:ping\nperiod\nalert a");
    world.script_monitor("web", "http", [Outcome::fails("x")]);
    until(&mut world, 30);
    world.happen(trap("net", "ping", 1, "down"));
    world.happen(trap("net", "ping", 0, "up"));
    until(&mut world, 190);
    assert_eq!(alerts(&world), "180 alert", "120 is the last second that it remembers");
}

#[test]
fn hosts_named_in_a_failing_summary_are_left_out() {
    for lines in ["depend net:ping\ndep_behavior hm", "hostdepend net:ping"] {
        let mut world = pair("", lines);
        world.happen(trap("net", "ping", 1, "www1 router"));
        until(&mut world, 60);
        assert_eq!(last_launch(&world).args, ["www2"], "{lines}");
        world.happen(trap("net", "ping", 0, "www1 is back"));
        until(&mut world, 120);
        assert_eq!(last_launch(&world).args, ["www1", "www2"], "{lines}");
    }
}

#[test]
fn loops_unknown_services_and_broken_expressions_hold_back() {
    for (depend, complaints) in
        [("web:http", 1), ("net:nothing", 0), ("net:ping net:ping", 1), ("nowhere:ping", 0)]
    {
        let mut world = pair("", &format!("depend {depend}\nperiod\nalert a"));
        world.script_monitor("web", "http", [Outcome::fails("x")]);
        until(&mut world, 70);
        assert_eq!((starts(&world).as_str(), alerts(&world).as_str()), ("60 http", ""), "{depend}");
        assert_eq!(logged(&world, "cannot be evaluated"), complaints, "{depend}");
    }
}

#[test]
fn a_good_dependency_is_an_expression_that_is_true() {
    for (depend, alerts_at) in [
        ("net:ping", ""),
        ("! net:ping", "60 alert"),
        ("net:ping || web:http2", "60 alert"),
        ("net:ping && web:http2", ""),
        ("SELF:http2", "60 alert"),
    ] {
        let mut world = pair("", &format!("depend {depend}\nperiod\nalert a\nservice http2"));
        world.script_monitor("web", "http", [Outcome::fails("x")]);
        world.happen(trap("net", "ping", 1, "down"));
        until(&mut world, 70);
        assert_eq!(alerts(&world), alerts_at, "{depend}");
    }
}

#[test]
fn a_held_run_is_freed_by_state_that_is_loaded_and_by_another_dep_behavior() {
    let mut world = pair("", "monitordepend net:ping");
    let client = world.connect();
    world.say(client, "savestate opstatus");
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 70);
    world.say(client, "loadstate opstatus");
    assert_eq!(starts(&world), "70 http");

    let mut world = pair("", "depend net:ping\ndep_behavior m");
    let client = world.connect();
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 70);
    world.say(client, "set web http dep_behavior a");
    assert_eq!(starts(&world), "70 http");
    world.say(client, "set web http dep_behavior m");
    until(&mut world, 140);
    world.happen(trap("net", "ping", 0, "up"));
    assert_eq!(starts(&world), "70 http, 140 http");
}

#[test]
fn a_dependency_that_became_one_by_hand_frees_too() {
    let mut world = pair("", "depend net:ping");
    let client = world.connect();
    world.say(client, "set web http dep_behavior m");
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 70);
    assert_eq!(starts(&world), "");
    world.happen(trap("net", "ping", 0, "up"));
    assert_eq!(starts(&world), "70 http");
}

#[test]
fn held_runs_stay_held_while_the_scheduler_is_stopped() {
    let mut world = pair("", "monitordepend net:ping");
    let client = world.connect();
    world.happen(trap("net", "ping", 1, "down"));
    until(&mut world, 90);
    world.say(client, "stop");
    world.happen(trap("net", "ping", 0, "up"));
    until(&mut world, 200);
    assert_eq!(starts(&world), "");
    world.say(client, "start");
    until(&mut world, 270);
    assert_eq!(starts(&world), "200 http, 260 http");
}
