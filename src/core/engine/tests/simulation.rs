//! A seed draws a site, what its monitors say, its operators and its accidents; days pass; some things must
//! hold at every step. A failure prints its seed: put it into `REPLAY` to see that story alone.

pub(super) mod draw;
pub(super) mod witness;

use super::*;
use draw::{Dice, Site};
use witness::Witness;

/// Seeds of one test run; a few seconds in debug.
const SEEDS: std::ops::Range<u64> = 0..30;

/// A seed to look at, instead of all.
const REPLAY: Option<u64> = None;

/// Five days, in which operators come by again and again.
const VISITS: u64 = 120;
const LONGEST_WAIT: u64 = 100 * 60;

#[test]
fn whatever_happens_the_invariants_hold() {
    for seed in REPLAY.map_or(SEEDS, |seed| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| story(seed));
        if let Err(panic) = outcome {
            let said = panic.downcast_ref::<String>().cloned();
            panic!("seed {seed}: {}", said.unwrap_or_else(|| "see above".to_owned()));
        }
    }
}

fn story(seed: u64) {
    let mut dice = Dice::seeded(seed);
    let site = Site::draw(&mut dice);
    let mut world = World::new(&site.mon_cf, MONDAY, seed)
        .unwrap_or_else(|errors| panic!("the site that was drawn is wrong: {errors:?}\n{}", site.mon_cf));
    let mut witness = Witness::of(&site);
    world.start(false);
    let mut client = world.connect();
    for _ in 0..VISITS {
        let end = world.now().mono + secs(dice.below(LONGEST_WAIT));
        loop {
            let more = world.step(end);
            witness.look(&mut world);
            if !more {
                break;
            }
        }
        match dice.below(12) {
            0 => client = crash(&mut world, client, &mut witness),
            1 => world.step_clock(dice.below(7200) as i64 - 3600),
            2 => world.stall(secs(dice.below(600))),
            3..=6 => site.turn_a_monitor(&mut world, &mut dice),
            7 | 8 => world.happen(site.draw_trap(&mut dice)),
            _ => {
                let line = site.draw_command(&mut dice);
                witness.expect(&line);
                world.say(client, &line);
            }
        }
        witness.look(&mut world);
    }
    assert!(witness.runs > 0 || site.scheduled == 0, "nothing ever ran: {}", site.mon_cf);
}

/// Saves, crashes, and comes back as it was.
fn crash(world: &mut World, client: ClientId, witness: &mut Witness) -> ClientId {
    world.say(client, "savestate all");
    let state = |world: &World| (world.engine().disabled(), world.engine().snapshots(&world.now()));
    let before = state(world);
    witness.look(world);
    world.crash().expect("it was good before");
    witness.expect_crash();
    let after = state(world);
    assert_eq!(before.0, after.0, "what was disabled stays so");
    for (before, after) in before.1.iter().zip(&after.1) {
        // A timer starts anew; startup alerts of the new daemon count at once.
        let counts = |name: &str| name.contains("alert");
        let timer = |name: &str| name == "trap_timer";
        let kept = |snapshot: &ServiceSnapshot| -> Vec<(String, String)> {
            let fields = snapshot.fields.iter().filter(|(name, _)| !counts(name) && !timer(name));
            fields.cloned().collect()
        };
        assert_eq!(kept(before), kept(after), "{}:{}", before.group, before.service);
    }
    world.connect()
}
