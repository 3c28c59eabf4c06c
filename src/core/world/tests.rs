//! The world keeps its promises: time, scripts, files.

use super::*;

const MONDAY: Wall = 1_772_409_600;
const PING: &str = "watch web\nservice ping\ninterval 1m\nmonitor p\nperiod\nalert a\n";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn begun(mon_cf: &str) -> World {
    let mut world = World::new(mon_cf, MONDAY, 1).expect("a good mon.cf");
    world.start(false);
    world
}

fn count(world: &World, is_it: fn(&Happened) -> bool) -> usize {
    world.log.iter().filter(|entry| is_it(&entry.what)).count()
}

#[test]
fn time_goes_from_moment_to_moment_and_ends_where_it_should() {
    let mut world = begun(PING);
    assert_eq!(world.next_moment(), Some(Mono::at(secs(60))));
    assert!(!world.step(Mono::at(secs(30))));
    assert_eq!(world.now().wall, MONDAY + 30);
    assert!(world.step(Mono::at(secs(100))));
    assert_eq!(world.now().wall, MONDAY + 60);
    world.pass(secs(40));
    assert_eq!(world.now().mono, Mono::at(secs(100)));
}

#[test]
fn the_clock_may_be_set_and_the_zone_may_change() {
    let mut world = begun(PING);
    world.change_zone_at(MONDAY, -3600);
    world.change_zone_at(MONDAY + 600, 0);
    assert_eq!(world.now().civil.to_string(), "Sun Mar  1 23:00:00 2026");
    world.pass(secs(599));
    assert_eq!(world.now().civil.to_string(), "Sun Mar  1 23:09:59 2026");
    world.pass(secs(1));
    assert_eq!(world.now().civil.to_string(), "Mon Mar  2 00:10:00 2026");
    world.step_clock(-600);
    assert_eq!((world.now().wall, world.now().mono), (MONDAY, Mono::at(secs(600))));
}

#[test]
fn scripts_are_played_in_order_and_their_last_outcome_repeats() {
    let mut world = begun(PING);
    world.script_monitor("web", "ping", [Outcome::fails("x"), Outcome::ok(), Outcome::fails("y")]);
    world.pass(secs(300));
    assert_eq!(count(&world, |happened| matches!(happened, Happened::AlertCalled { .. })), 4);
    world.script_monitor("web", "ping", []);
    world.pass(secs(300));
    assert_eq!(count(&world, |happened| matches!(happened, Happened::AlertCalled { .. })), 4);
}

#[test]
fn a_crash_forgets_what_runs_and_what_was_not_saved() {
    let mut world = begun(PING);
    world.script_monitor("web", "ping", [Outcome::fails("x").lasting(secs(30))]);
    world.pass(secs(70));
    assert_eq!(world.running().count(), 1);
    world.crash().expect("a good mon.cf");
    assert_eq!(world.running().count(), 0);
    world.pass(secs(59));
    assert_eq!(count(&world, |happened| matches!(happened, Happened::RunEnded { .. })), 0);
}

#[test]
fn a_wrong_file_is_said_to_be_wrong() {
    assert!(World::new("watch web\nservice ping\ninterval soon\n", MONDAY, 1).is_err());
    let mut world = begun(PING);
    world.write_mon_cf("nonsense = 1\n");
    assert!(world.crash().is_err());
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let mon_cf = format!("randstart = 1m\n{}", PING.replace("interval 1m", "interval 1m\nrandskew 20s"));
    let story = || {
        let mut world = begun(&mon_cf);
        world.pass(secs(86_400));
        world.log.iter().map(|entry| entry.at.mono).collect::<Vec<_>>()
    };
    assert_eq!(story(), story());
}

/// How long `DAYS` of this take is the speed of a simulation; what is counted is the same each time.
#[test]
fn a_large_site_has_quiet_days() {
    const DAYS: usize = 1;
    let mut mon_cf = String::from("hostgroup site h1 h2 h3\n\nwatch site\n");
    for service in 0..200 {
        mon_cf += &format!(
            "service s{service}\ninterval 5m\nmonitor p -t 10\nperiod hr {{7-19}}\nalert a\nupalert a\nalertevery 1h\n"
        );
    }
    let mut world = begun(&mon_cf);
    world.notes_runs = false;
    let mut alerts = 0;
    for day in 0..DAYS {
        for service in 0..200 {
            let run = if (service + day) % 50 == 0 { Outcome::fails("down") } else { Outcome::ok() };
            world.script_monitor("site", &format!("s{service}"), [run.lasting(secs(2))]);
        }
        world.pass(secs(86_400));
        alerts += count(&world, |happened| matches!(happened, Happened::AlertCalled { .. }));
        world.log.clear();
    }
    assert_eq!(alerts, DAYS * 4 * 13, "each of four services, each hour from seven to eight");
}
