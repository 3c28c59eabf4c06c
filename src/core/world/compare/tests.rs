//! What a change of the configuration does to the alerts.

use super::super::events::{self, Context};
use super::super::simulate::{self, Plan};
use super::*;
use crate::config;

const BASE: &str = "watch web\nservice ping\ninterval 1m\nmonitor p\nperiod\n";

fn told(old: &str, new: &str, text: &str) -> String {
    let (old, new) = (format!("{BASE}{old}"), format!("{BASE}{new}"));
    let configs = [config::load(&old).0, config::load(&new).0];
    let zone = Zone::default();
    let context = Context { configs: &configs, zone: &zone, from: None, recorded: false };
    let (script, diagnostics) = events::parse(text, &context);
    assert_eq!(diagnostics, []);
    let plan = Plan { until: simulate::usual_end(&script), script, seed: 1, ..Plan::default() };
    let run = |mon_cf: &str| simulate::run(mon_cf, &plan).expect("a good mon.cf");
    alerts(&run(&old), &run(&new), &zone).render()
}

const ONE_FAILURE: &str = "+10m fail web/ping \"w\"\n+20m ok web/ping\n";

#[test]
fn alerts_come_go_and_move() {
    let line = |time: &str| {
        let at = 1_704_067_200 + 600 + 60 * (time.parse::<i64>().expect("a minute") - 10);
        format!("Mon 2024-01-01 00:{time}:00  alert web/ping: a -s ping -g web -h web -t {at}")
    };
    let once = "alert a\nnumalerts 1\n";
    assert_eq!(told(once, once, ONE_FAILURE), "0 added, 0 removed, 0 moved, 1 as before\n");
    assert_eq!(
        told(once, "alert a\nnumalerts 2\n", ONE_FAILURE),
        format!("+ {}\n1 added, 0 removed, 0 moved, 1 as before\n", line("11"))
    );
    assert_eq!(
        told("alert a\nnumalerts 2\n", once, ONE_FAILURE),
        format!("- {}\n0 added, 1 removed, 0 moved, 1 as before\n", line("11"))
    );
    assert_eq!(
        told(once, "alert a\nnumalerts 1\nalertafter 3\n", ONE_FAILURE),
        format!("~ Mon 2024-01-01 00:10:00 -> {}\n0 added, 0 removed, 1 moved, 0 as before\n", line("12"))
    );
}

#[test]
fn another_command_line_is_another_alert() {
    let told = told("alert a x\nnumalerts 1\n", "alert a y\nnumalerts 1\n", ONE_FAILURE);
    assert!(told.ends_with("\n1 added, 1 removed, 0 moved, 0 as before\n"), "{told}");
}
