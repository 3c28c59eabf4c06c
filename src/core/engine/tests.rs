//! The daemon in a simulated world: what runs when, who is told, what survives.

mod clients;
mod deliveries;
mod dependencies;
mod lifecycle;
mod record;
mod reload;
mod schedule;
mod simulation;
mod snapshots;
mod traps;
mod why;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::*;
use crate::nouns::Civil;
use crate::world::{Happened, Outcome, World};

/// Monday, 2 March 2026, 0:00 UTC: where every test begins.
const MONDAY: Wall = 1_772_409_600;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A world that has just started. Lines of the table are trimmed by mon.cf itself.
fn world(mon_cf: &str) -> World {
    let mut world = prepared(mon_cf);
    world.start(false);
    world
}

fn prepared(mon_cf: &str) -> World {
    World::new(mon_cf, MONDAY, 7).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// One watch `web` with the hosts h1 and h2, and these lines in it.
fn web(lines: &str) -> World {
    world(&web_cf(lines))
}

fn web_cf(lines: &str) -> String {
    format!("hostgroup web h1 h2\n\nwatch web\n{lines}\n")
}

/// Lets time pass until so many seconds after the beginning.
fn until(world: &mut World, seconds: u64) {
    let gone = world.now().mono.since_origin();
    world.pass(secs(seconds).saturating_sub(gone));
}

fn trap(group: &str, service: &str, status: i64, output: &str) -> Event {
    Event::Trap(Trap {
        from: IpAddr::V4(Ipv4Addr::LOCALHOST),
        kind: "0 0".to_owned(),
        group: group.to_owned(),
        service: service.to_owned(),
        status,
        output: output.into(),
    })
}

/// `60 ping, 120 ping`: when which service's monitor was started.
fn starts(world: &World) -> String {
    told(world, |happened| match happened {
        Happened::RunStarted { service, .. } => Some(service.service.to_string()),
        _ => None,
    })
}

/// `60 alert, 120 upalert`: when which alerts were called.
fn alerts(world: &World) -> String {
    told(world, |happened| match happened {
        Happened::AlertCalled { kind, period: Some(_), .. } => Some(kind.history_word().to_owned()),
        Happened::AlertCalled { period: None, .. } => Some("redistribute".to_owned()),
        _ => None,
    })
}

fn told(world: &World, word: impl Fn(&Happened) -> Option<String>) -> String {
    let told = world.log.iter().filter_map(|entry| {
        let at = entry.at.mono.since_origin().as_secs_f64();
        Some(format!("{at} {}", word(&entry.what)?))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn logged(world: &World, part: &str) -> usize {
    let is_it = |entry: &&crate::world::Entry| matches!(&entry.what, Happened::Logged { text, .. } if text.contains(part));
    world.log.iter().filter(is_it).count()
}

/// What the last alert was called with: arguments, variables as `NAME=value`, what it read.
fn last_alert(world: &World) -> (Vec<String>, Vec<String>, String) {
    let last = world.log.iter().rev().find_map(|entry| match &entry.what {
        Happened::AlertCalled { launch, stdin, .. } => Some((launch, stdin)),
        _ => None,
    });
    let (launch, stdin) = last.expect("an alert was called");
    let env = launch.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (launch.args.clone(), env, stdin.to_string())
}

fn last_launch(world: &World) -> &Launch {
    let last = world.log.iter().rev().find_map(|entry| match &entry.what {
        Happened::RunStarted { launch, .. } => Some(launch),
        _ => None,
    });
    last.expect("a monitor was started")
}

/// A field of a service's line of `list opstatus`.
fn field(world: &mut World, service: &str, name: &str) -> String {
    let client = world.connect();
    let reply = world.say(client, &format!("list opstatus {}", service.replace(':', ",")));
    world.happen(Event::ClientGone { client });
    let line = crate::wire::opstatus::StatusLine::parse(reply.lines().next().unwrap_or_default());
    line.unwrap_or_else(|| panic!("{service}: {reply}")).get(name).to_owned()
}
