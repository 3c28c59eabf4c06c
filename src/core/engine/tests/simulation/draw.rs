//! Everything that is left to chance: the site, its troubles, what its operators do.

use super::*;
use std::fmt::Write as _;

/// Chance from a seed (an LCG, and its upper bits).
#[derive(Clone)]
pub(in super::super) struct Dice(u64);

impl Dice {
    pub(in super::super) fn seeded(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }

    /// A number below `n`, which is not 0.
    pub(in super::super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A site that was drawn.
pub(in super::super) struct Site {
    pub(in super::super) mon_cf: String,
    /// `(group, service)`
    pub(in super::super) services: Vec<(String, String)>,
    /// How many of them have an interval.
    pub(in super::super) scheduled: usize,
    pub(in super::super) maxprocs: Option<usize>,
}

const SERVICE_LINES: [&str; 10] = [
    "failure_interval 90s",
    "randskew 40s",
    "unack_summary yes",
    "exclude_period hr {2-4}",
    "traptimeout 47m",
    "trapduration 20m",
    "dep_memory 10m",
    "redistribute r.alert x",
    "allow_empty_group",
    "exclude_hosts h4",
];

const PERIOD_LINES: [&str; 12] = [
    "upalert up.alert",
    "startupalert hello.alert",
    "ackalert ack.alert",
    "disablealert off.alert",
    "alertevery 30m",
    "alertevery 1h strict",
    "alertevery 20m observe_detail",
    "alertafter 3",
    "alertafter 2 3h",
    "alertafter 15m",
    "no_comp_alerts",
    "upalertafter 10m",
];

impl Site {
    pub(in super::super) fn draw(dice: &mut Dice) -> Site {
        let mut site = Site { mon_cf: String::new(), services: Vec::new(), scheduled: 0, maxprocs: None };
        if dice.one_in(3) {
            site.maxprocs = Some(1 + dice.below(3) as usize);
            let _ = writeln!(site.mon_cf, "maxprocs = {}", 1.max(site.maxprocs.unwrap_or(1)));
        }
        let globals = [
            "randstart = 2m",
            "exclude_period = wd {Sun} hr {3}",
            "startupalerts_on_reset = yes",
            "dtlogging = yes",
        ];
        for global in globals {
            if dice.one_in(3) {
                let _ = writeln!(site.mon_cf, "{global}");
            }
        }
        for group in 0..1 + dice.below(4) {
            let hosts = ["h1", "h1 h2", "h2 h3 h4"][dice.below(3) as usize];
            let _ = write!(site.mon_cf, "hostgroup g{group} {hosts}\n\nwatch g{group}\n");
            for service in 0..1 + dice.below(4) {
                site.draw_service(dice, &format!("g{group}"), &format!("s{service}"));
            }
            site.mon_cf.push('\n');
        }
        site
    }

    fn draw_service(&mut self, dice: &mut Dice, group: &str, service: &str) {
        let _ = writeln!(self.mon_cf, "service {service}");
        if !dice.one_in(6) {
            self.scheduled += 1;
            let interval = [120, 300, 1000, 3600][dice.below(4) as usize];
            let _ = writeln!(self.mon_cf, "interval {interval}s\nmonitor p");
        }
        if let Some((group, parent)) = self.services.get(dice.below(8) as usize) {
            let keyword = dice.pick(&["depend", "monitordepend", "alertdepend", "hostdepend"]);
            let behavior = dice.pick(&["a", "m", "hm"]);
            let _ = writeln!(self.mon_cf, "{keyword} {group}:{parent}\ndep_behavior {behavior}");
        }
        for line in SERVICE_LINES {
            if dice.one_in(6) {
                let _ = writeln!(self.mon_cf, "{line}");
            }
        }
        for (label, spec) in [("all", ""), ("day", " hr {8-17}"), ("week", " wd {Mon-Fri}")] {
            if label == "all" || dice.one_in(3) {
                let _ = writeln!(self.mon_cf, "period {label}:{spec}\nalert mail.alert {label}");
                draw_period(dice, &mut self.mon_cf);
            }
        }
        self.services.push((group.to_owned(), service.to_owned()));
    }

    /// From now on the monitor of some service says something else, and takes its time.
    pub(in super::super) fn turn_a_monitor(&self, world: &mut World, dice: &mut Dice) {
        let (group, service) = self.draw_name(dice);
        let runs: Vec<Outcome> = (0..1 + dice.below(5)).map(|_| draw_outcome(dice)).collect();
        world.script_monitor(group, service, runs);
        if dice.one_in(4) {
            let runs: Vec<Outcome> = (0..1 + dice.below(3)).map(|_| draw_outcome(dice)).collect();
            world.script_alert("mail.alert", runs);
        }
    }

    fn draw_name(&self, dice: &mut Dice) -> &(String, String) {
        &self.services[dice.below(self.services.len() as u64) as usize]
    }

    pub(in super::super) fn draw_trap(&self, dice: &mut Dice) -> Event {
        let (group, service) = self.draw_name(dice);
        trap(group, service, dice.below(3) as i64, dice.pick(&["fine", "h1 down", "h2 down\n\ndetail", ""]))
    }

    pub(in super::super) fn draw_command(&self, dice: &mut Dice) -> String {
        let (group, service) = self.draw_name(dice);
        let line = dice.pick(&[
            "ack G S known",
            "ack G S known",
            "disable service G S",
            "enable service G S",
            "enable service G S",
            "disable watch G",
            "enable watch G",
            "disable host h1",
            "enable host h1",
            "enable host h1",
            "stop",
            "stop",
            "start",
            "start",
            "start",
            "reset",
            "reset keepstate",
            "test monitor G S",
            "clear timers G S",
            "set G S opstatus ok",
            "set G S interval 77",
            "set G S dep_behavior m",
            "set G S dep_behavior a",
            "loadstate all",
            "savestate all",
            "test alert G S 1 all",
            "list opstatus",
            "list disabled",
        ]);
        line.replace('G', group).replace('S', service)
    }
}

fn draw_period(dice: &mut Dice, mon_cf: &mut String) {
    // A keyword stands once in a period.
    let mut seen = Vec::new();
    for line in PERIOD_LINES {
        let keyword = line.split(' ').next().unwrap_or_default();
        if dice.one_in(4) && !seen.contains(&keyword) {
            seen.push(keyword);
            let _ = writeln!(mon_cf, "{line}");
        }
    }
    if dice.one_in(3) {
        let _ = writeln!(mon_cf, "numalerts {}", 1 + dice.below(3));
    }
}

fn draw_outcome(dice: &mut Dice) -> Outcome {
    let outcome = match dice.below(8) {
        0 => Outcome::not_started(),
        1 => Outcome { ending: Ending::Killed(15), ..Outcome::fails("killed") },
        2..=4 => Outcome::ok(),
        _ => Outcome::fails(dice.pick(&["h1", "h2 h1", "", "all\ndetail"])),
    };
    outcome.lasting(secs([0, 1, 5, 100, 2000][dice.below(5) as usize]))
}
