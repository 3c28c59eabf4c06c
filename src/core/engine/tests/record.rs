//! The record tells enough to play it again: in which order, how long, from what beginning.

use super::*;

/// Results, in a few words each, and other facts by their names.
fn facts(world: &World) -> Vec<String> {
    let recorded = world.log.iter().filter_map(|entry| match &entry.what {
        Happened::Recorded { service, fact } => Some((service, fact)),
        _ => None,
    });
    let words = recorded.filter_map(|(service, fact)| match fact {
        Fact::Result { again, exit, took, .. } => {
            let name = service.as_ref().map_or("", |key| &key.service);
            let took = took.map_or_else(String::new, |took| format!(" in {} s", took.as_secs()));
            Some(format!("{name} {exit}{}{took}", if *again { " again" } else { "" }))
        }
        Fact::HangUp => Some("hangup".to_owned()),
        Fact::Command { line, .. } => Some(line.to_string()),
        _ => None,
    });
    words.collect()
}

/// Two services that only hear of traps, and never tell anybody.
fn two() -> World {
    let mut world = web("service a\nperiod\nupalert x\nservice b\nperiod\nupalert x");
    world.notes_facts = true;
    world
}

#[test]
fn a_trap_that_fails_as_before_has_its_place_among_the_others() {
    let mut world = two();
    for (service, status) in [("a", 1), ("a", 1), ("a", 1), ("b", 1), ("a", 1), ("a", 1), ("b", 0), ("b", 0)]
    {
        world.happen(trap("web", service, status, "s\n"));
    }
    // The second one is about the same verdict for the first time, and so on.
    assert_eq!(facts(&world), ["a 1", "a 1", "a 1 again", "b 1", "a 1", "a 1 again", "b 0", "b 0 again"]);
}

#[test]
fn a_command_in_between_is_in_between() {
    let mut world = two();
    world.happen(trap("web", "a", 1, "s\n"));
    world.happen(trap("web", "a", 1, "s\n"));
    world.happen(trap("web", "a", 1, "s\n"));
    let client = world.connect();
    world.say(client, "clear timers web a");
    world.happen(trap("web", "a", 1, "s\n"));
    assert_eq!(facts(&world)[2..], ["a 1 again", "clear timers web a", "a 1"]);
}

#[test]
fn another_detail_is_another_result_where_a_period_looks_at_it() {
    for (rule, second) in [("", "a 1 again"), (" observe_detail", "a 1")] {
        let mut world =
            web(&format!("service a\ninterval 1m\nmonitor m\nperiod\nalert x\nalertevery 1h{rule}"));
        world.notes_facts = true;
        world.script_monitor("web", "a", ["s\nd1\n", "s\nd2\n"].map(|output| Outcome::exits(1, output)));
        until(&mut world, 130);
        assert_eq!(facts(&world), ["a 1 in 0 s".to_owned(), format!("{second} in 0 s")], "{rule}");
    }
}

#[test]
fn how_long_a_monitor_ran_is_recorded() {
    let mut world = web("service a\ninterval 1m\nmonitor m");
    world.notes_facts = true;
    world.script_monitor("web", "a", [Outcome::fails("x").lasting(secs(7))]);
    until(&mut world, 70);
    assert_eq!(facts(&world), ["a 1 in 7 s"]);
}

#[test]
fn that_a_signal_came_is_recorded() {
    let mut world = two();
    world.happen(Event::HangUp);
    assert_eq!(facts(&world), ["hangup"]);
}

#[test]
fn a_new_daemon_does_not_count_on_what_the_last_one_recorded() {
    let mut world = two();
    world.happen(trap("web", "a", 1, "s\n"));
    let client = world.connect();
    world.say(client, "savestate all");
    world.crash().expect("a good mon.cf");
    world.happen(trap("web", "a", 1, "s\n"));
    assert_eq!(facts(&world), ["a 1", "savestate all", "a 1"]);
}
