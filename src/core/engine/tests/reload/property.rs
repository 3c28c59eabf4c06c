//! Two daemons with the same site, monitors and visitors. One is reloaded again and again.

use super::super::simulation::draw::{Dice, Site};
use super::super::simulation::witness::is_remembered;
use super::*;
use crate::schedule::Timer;

const SEEDS: std::ops::Range<u64> = 0..15;
const VISITS: u64 = 40;

/// What reaches the world outside: runs, alerts, answers to clients, lines of logs. What a reload itself says is
/// left out.
fn outcome(world: &mut World, of: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = std::mem::take(&mut world.log).into_iter();
    let seen = entries.filter_map(|entry| {
        let (service, text) = match &entry.what {
            Happened::RunStarted { service, launch } => (service.to_string(), format!("run {launch:?}")),
            Happened::RunEnded { service, outcome } => (service.to_string(), format!("end {outcome:?}")),
            Happened::RunKilled { service } => (service.to_string(), "killed".to_owned()),
            Happened::AlertCalled { service, period, kind, launch, stdin } => {
                (service.to_string(), format!("{period:?} {kind:?} {launch:?} {stdin}"))
            }
            Happened::Appended { line, .. } => (String::new(), line.clone()),
            _ => return None,
        };
        of(&service).then(|| format!("{:?} {service} {text}", entry.at.mono))
    });
    seen.collect()
}

/// Everything that is known, as a state file and as the next moments.
fn books(world: &World, of: impl Fn(&str) -> bool) -> Vec<String> {
    let engine = world.engine();
    let of_service = |id| {
        let key = engine.key(id);
        let timers = [Timer::Run, Timer::TrapTimeout, Timer::TrapDuration];
        let timers = timers.map(|timer| engine.schedule.deadline(id, timer));
        // How long the last run took is shown to clients, and not after a reload.
        let state = ServiceState { monitor_duration: None, ..engine.slot(id).state.clone() };
        let (held, waits) = (engine.held.contains(&id), engine.waiting.iter().any(|&waiting| waiting == id));
        of(&key.to_string()).then(|| format!("{key} {timers:?} {held} {waits} {state:?}"))
    };
    let mut books: Vec<String> = engine.ids().filter_map(of_service).collect();
    books.sort();
    books
}

fn draw(seed: u64, alone: bool) -> (Site, Dice) {
    let mut dice = Dice::seeded(seed);
    let mut site = Site::draw(&mut dice);
    // Startup alerts at a reset are asked for; a daemon that sends them is not the same afterwards.
    let mut unwanted = vec!["startupalerts_on_reset"];
    if alone {
        // What one service does then is nothing to the others.
        unwanted.extend([
            "maxprocs",
            "randskew",
            "depend",
            "monitordepend",
            "alertdepend",
            "hostdepend",
            "dep_behavior",
        ]);
    }
    let wanted = |line: &&str| !unwanted.contains(&line.split(' ').next().unwrap_or_default());
    site.mon_cf = site.mon_cf.lines().filter(wanted).map(|line| format!("{line}\n")).collect();
    (site, dice)
}

/// Lives through a story twice; `reload` comes by in one of the two.
fn compare(seed: u64, alone: bool, reload: impl Fn(&mut World, &Site), of: impl Fn(&str) -> bool + Copy) {
    let (site, mut dice) = draw(seed, alone);
    let mut worlds = [(); 2]
        .map(|()| World::new(&site.mon_cf, MONDAY, seed).unwrap_or_else(|errors| panic!("{errors:?}")));
    let clients = worlds.each_mut().map(|world| {
        world.start(false);
        world.connect()
    });
    for visit in 0..VISITS {
        let span = secs(dice.below(100 * 60));
        let what = dice.below(10);
        let dice_now = dice.clone();
        for (world, client) in worlds.iter_mut().zip(clients) {
            let mut dice = dice_now.clone();
            world.pass(span);
            match what {
                0..=4 => site.turn_a_monitor(world, &mut dice),
                5 => world.happen(site.draw_trap(&mut dice)),
                6 | 7 => {}
                _ => {
                    let line = site.draw_command(&mut dice);
                    // Those give back to the file what was set by hand, or to the state file what happened since.
                    if !["reset", "set", "loadstate"].iter().any(|word| line.starts_with(word)) {
                        world.say(client, &line);
                    }
                }
            }
            if alone {
                // One script for the alerts of all.
                world.script_alert("mail.alert", []);
            }
        }
        dice.below(2);
        reload(&mut worlds[1], &site);
        let seen = worlds.each_mut().map(|world| (outcome(world, of), books(world, of)));
        let place = || format!("seed {seed}, visit {visit}\n{}", site.mon_cf);
        assert_eq!(seen[0].0, seen[1].0, "{}", place());
        assert_eq!(seen[0].1, seen[1].1, "{}", place());
        if !alone {
            assert_eq!(worlds[0].next_moment(), worlds[1].next_moment(), "seed {seed}, visit {visit}");
        }
    }
}

#[test]
fn the_same_file_again_changes_nothing_that_can_be_seen() {
    for seed in SEEDS {
        compare(seed, false, |world, _| world.happen(Event::HangUp), |_| true);
    }
}

#[test]
fn comments_and_other_lines_change_nothing_either() {
    let commented = |world: &mut World, site: &Site| {
        super::reload(world, &format!("# a line more\n\n{}# and one\n", site.mon_cf));
    };
    for seed in SEEDS {
        compare(seed, false, commented, |_| true);
    }
}

#[test]
fn one_service_that_changes_leaves_the_others_alone() {
    let changed = |world: &mut World, site: &Site| {
        let lines =
            ["interval 7m", "description changed", "monitor q -y", "traptimeout 33m", "period late: hr {22}"];
        let line = lines[world.now().wall as usize % lines.len()];
        let mut rest = site.mon_cf.replacen("service s0\n", "service s0\n@\n", 1);
        let own = rest.find("@\n").unwrap_or_default();
        let keyword = line.split(' ').next().unwrap_or_default();
        let (head, tail) = rest.split_at(own);
        let end = tail.find("\nservice ").or_else(|| tail.find("\n\n")).unwrap_or(tail.len());
        let (service, others) = tail.split_at(end);
        let service: Vec<&str> = service
            .lines()
            .filter(|other| keyword == "period" || other.split(' ').next() != Some(keyword))
            .collect();
        let service = service.join("\n").replace('@', line);
        rest = format!("{head}{service}{others}");
        super::reload(world, &rest);
    };
    for seed in SEEDS {
        compare(seed, true, changed, |service| !service.is_empty() && service != "g0:s0");
    }
}

/// The books are in order, whatever was there before.
fn check_books(world: &World, place: &str) {
    let engine = world.engine();
    let running = engine.services.iter().filter(|slot| slot.running.is_some()).count();
    assert_eq!((running, world.running().count()), (engine.runs.len(), engine.runs.len()), "{place}");
    for (run, going) in &engine.runs {
        assert_eq!(engine.slot(going.service).running, Some(*run), "{place}: a run belongs to its service");
    }
    for id in engine.ids() {
        let (slot, key) = (engine.slot(id), engine.key(id));
        assert_eq!(slot.state.periods.len(), slot.service.periods.len(), "{place}: {key}");
        assert_eq!(engine.find(&key.group, &key.service), Some(id), "{place}: {key}");
        // What was held when a stopped scheduler lost its reason begins with the scheduler.
        assert!(engine.stopped.is_some() || is_remembered(engine, id), "{place}: {key} is forgotten");
        let waits_for_traps = engine.schedule.deadline(id, Timer::TrapTimeout).is_some();
        assert_eq!(waits_for_traps, slot.service.traptimeout.is_some(), "{place}: {key}");
        assert!(engine.waiting.iter().filter(|&&waiting| waiting == id).count() <= 1, "{place}: {key}");
    }
    let is_known = |id: &ServiceId| (*id as usize) < engine.services.len();
    assert!(engine.waiting.iter().all(is_known) && engine.held.iter().all(is_known), "{place}");
}

#[test]
fn any_file_may_follow_any_other() {
    for seed in SEEDS {
        let mut dice = Dice::seeded(seed);
        let mut site = Site::draw(&mut dice);
        let mut world = World::new(&site.mon_cf, MONDAY, seed).unwrap_or_else(|errors| panic!("{errors:?}"));
        world.start(false);
        let client = world.connect();
        for visit in 0..VISITS {
            world.pass(secs(dice.below(60 * 60)));
            site.turn_a_monitor(&mut world, &mut dice);
            let line = site.draw_command(&mut dice);
            if !line.starts_with("set ") {
                world.say(client, &line);
            }
            site = Site::draw(&mut dice);
            super::reload(&mut world, &site.mon_cf);
            check_books(&world, &format!("seed {seed}, visit {visit}, {line}"));
        }
        world.say(client, "start");
        world.pass(secs(2 * 60 * 60));
        check_books(&world, &format!("seed {seed}, at the end"));
    }
}
