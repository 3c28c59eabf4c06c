//! How many slips of an editor does `mon check` notice? A thousand edits of five good files, drawn from a seed.
//!
//! An edit counts if it breaks the file or changes what it means: what runs, when, with which arguments, who is
//! told. Texts for people (descriptions, aliases, comments, names of periods) may read as they like. Whether it
//! does is judged from the configuration that comes out, without a look at what the checker says. An edit counts as
//! noticed if anything at all is said about the file, for nothing is said about the good ones.
//!
//! The run prints the rate for each kind of edit, and samples of what went by. Some of that no checker can see:
//! `interval 5m` is as good as `interval 1m`, and a host that is named once may be called anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remon_core::config::diagnostic::unreadable_file;
use remon_core::config::surroundings::{SearchPath, Sighting, Surroundings, programs_of};
use remon_core::config::{Config, Diagnostic, Period, Service, load, look_around};
use remon_core::words;

use crate::support::source;

const EDITS: usize = 1000;
const SEEDS: std::ops::RangeInclusive<u64> = 12..=15;

/// The share of edits, in a thousand, that must be noticed with each seed. Of ten others, 96.8 % at least.
const FLOOR: usize = 950;

/// One step of splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

const KINDS: [&str; 5] = ["drop a character", "join two lines", "blank line", "wrong unit", "misspelt word"];

/// An edit of that kind, somewhere.
fn edit(kind: usize, text: &str, dice: &mut Dice) -> String {
    let mut edited = text.to_owned();
    match kind {
        0 => drop(edited.remove(dice.roll(text.len()))),
        1 => {
            let ends: Vec<usize> =
                text.match_indices('\n').map(|(at, _)| at).filter(|at| at + 1 < text.len()).collect();
            let at = *dice.pick(&ends);
            let blanks = text[at + 1..].find(|c| c != ' ' && c != '\t').unwrap_or(0);
            edited.replace_range(at..at + 1 + blanks, " ");
        }
        2 => {
            let starts: Vec<usize> =
                text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len()).collect();
            edited.insert(*dice.pick(&starts), '\n');
        }
        3 => {
            let units = units(text);
            let at = *dice.pick(&units);
            let now = &text[at..=at];
            let others: Vec<&str> =
                ["", "s", "m", "h", "d", "w", "min", "sec"].into_iter().filter(|unit| *unit != now).collect();
            let unit: &str = others[dice.roll(others.len())];
            edited.replace_range(at..=at, unit);
        }
        _ => {
            let words = words_of(text);
            let (start, end) = *dice.pick(&words);
            edited.replace_range(start..end, &misspelt(&text[start..end], dice));
        }
    }
    edited
}

/// Where the units of times are.
fn units(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let is_end = |at: usize| bytes.get(at).is_none_or(|byte| byte.is_ascii_whitespace());
    let is_unit = |at: usize| matches!(bytes[at], b's' | b'm' | b'h' | b'd') && is_end(at + 1);
    let after_number = |at: usize| {
        let digits = bytes[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && bytes.get(at.wrapping_sub(digits + 1)).is_some_and(u8::is_ascii_whitespace)
    };
    (0..bytes.len()).filter(|at| is_unit(*at) && after_number(*at)).collect()
}

/// Words of at least four letters, wherever they stand.
fn words_of(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_ascii_alphabetic(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                start = None;
                if at - from >= 4 {
                    found.push((from, at));
                }
            }
            _ => {}
        }
    }
    found
}

/// Two letters swapped, one doubled, left out or hit beside.
fn misspelt(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.roll(letters.len() - 1);
    match dice.roll(4) {
        0 if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        1 => letters.insert(at, letters[at]),
        2 => letters[at] = if letters[at] == 'e' { 'r' } else { 'e' },
        _ => drop(letters.remove(at)),
    }
    letters.into_iter().collect()
}

/// Everything that a configuration does, in words of no beauty.
fn meaning(config: &Config) -> String {
    let globals = format!("{:?}", config.globals);
    let mut out = without(&without(&globals, "span: ", ')'), "line: ", ' ');
    let _ = write!(out, "\n{:?}\n{:?}\n", config.hostgroups, config.views);
    for watch in &config.watches {
        for service in &watch.services {
            let _ = writeln!(out, "{} {}", watch.group, service.name);
            service_meaning(&mut out, service);
        }
    }
    out
}

fn service_meaning(out: &mut String, service: &Service) {
    let Service { interval, failure_interval, randskew, traptimeout, trapduration, dep_memory, .. } = service;
    let times = (interval, failure_interval, randskew, traptimeout, trapduration, dep_memory);
    let flags = (service.dep_behavior, service.allow_empty_group, service.unack_summary);
    let spec = service.exclude_period.as_deref().map(|spec| spec_meaning(&format!("{spec:?}")));
    let _ = writeln!(out, " {times:?} {flags:?} {:?} {:?} {spec:?}", service.exclude_hosts, service.env);
    if let Some(depends) = &service.depends {
        for line in [&depends.depend, &depends.alertdepend, &depends.monitordepend, &depends.hostdepend] {
            let expr =
                line.as_ref().map(|line| line.expr.as_ref().map_or("broken".to_owned(), ToString::to_string));
            let _ = writeln!(out, " {expr:?}");
        }
    }
    for command in [&service.monitor, &service.redistribute] {
        let words = command.as_ref().map(|command| (command.program(), words::split(command.arguments())));
        let _ = writeln!(out, " {words:?}");
    }
    service.periods.iter().for_each(|period| period_meaning(out, period));
}

fn period_meaning(out: &mut String, period: &Period) {
    let after =
        (period.alertafter_count, period.alertafter_time, period.alertafter_within, period.upalertafter);
    let every = period.alertevery.map(|every| (every.interval, every.unless));
    let delivery = (period.alert_timeout, period.alertretry);
    let rules = (every, delivery, period.numalerts, period.no_comp_alerts, period.alerts_dont_count);
    let spec = spec_meaning(&format!("{:?}", period.spec));
    let _ = writeln!(out, "  {spec} {after:?} {rules:?} {:?}", period.alertexitrange);
    for alert in &period.alerts {
        let words = words::split(alert.command.arguments());
        let _ =
            writeln!(out, "   {:?} {:?} {} {words:?}", alert.keyword, alert.exit, alert.command.program());
    }
}

/// The times of a period, without the words.
fn spec_meaning(debug: &str) -> String {
    debug.split_once("sound:").map_or(debug, |(_, times)| times).to_owned()
}

/// `text` without what begins with `from`, up to `to`.
fn without(text: &str, from: &str, to: char) -> String {
    let mut parts = text.split(from);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once(to).map_or("", |(_, rest)| rest))
}

/// The machine that the good files are for: its directories, the programs in them, and each auth.cf.
struct Machine {
    dirs: BTreeSet<String>,
    authfiles: BTreeSet<String>,
    programs: BTreeSet<String>,
    usages: [BTreeMap<String, String>; 2],
}

impl Machine {
    fn of(configs: &[Config]) -> Machine {
        let mut machine = Machine {
            dirs: BTreeSet::new(),
            authfiles: BTreeSet::new(),
            programs: BTreeSet::new(),
            usages: [monitors(), alerts()],
        };
        for config in configs {
            let (monitors, alerts) = programs_of(config);
            let globals = &config.globals;
            for (dirs, names) in [(&globals.mondir, monitors), (&globals.alertdir, alerts)] {
                let last = dirs.as_deref().unwrap_or_default().rsplit(':').next().unwrap_or_default();
                machine.programs.extend(names.into_iter().map(|name| format!("{last}/{name}")));
            }
            let lists =
                [&globals.mondir, &globals.alertdir, &globals.statedir, &globals.logdir, &globals.cfbasedir];
            let dirs = lists.into_iter().flatten().flat_map(|list| list.split(':'));
            machine.dirs.extend(dirs.chain(historic_dir(config)).map(str::to_owned));
            machine.authfiles.extend(globals.authfile.iter().map(|named| named.value.to_string()));
        }
        machine
    }

    /// What `mon check` would see of it; the same questions as in the shell, asked of lists.
    fn surroundings(&self, config: &Config) -> Surroundings {
        let globals = &config.globals;
        let (monitors, alerts) = programs_of(config);
        let historic =
            historic_dir(config).map(|dir| ("historicfile", dir.to_owned(), self.dirs.contains(dir)));
        let named =
            [("statedir", &globals.statedir), ("logdir", &globals.logdir), ("cfbasedir", &globals.cfbasedir)];
        let dirs = named.into_iter().filter_map(|(name, dir)| {
            let dir = dir.as_deref()?;
            Some((name, dir.to_owned(), self.dirs.contains(dir)))
        });
        Surroundings {
            monitors: Some(self.search_path(globals.mondir.as_deref(), &monitors, &self.usages[0])),
            alerts: Some(self.search_path(globals.alertdir.as_deref(), &alerts, &self.usages[1])),
            dirs: dirs.chain(historic).collect(),
            ..Surroundings::default()
        }
    }

    fn search_path(
        &self,
        list: Option<&str>,
        programs: &BTreeSet<&str>,
        builtin: &BTreeMap<String, String>,
    ) -> SearchPath {
        let dirs: Vec<&str> = list.unwrap_or("/nowhere").split(':').map(str::trim).collect();
        let find = |name: &&str| {
            let paths =
                dirs.iter().map(|dir| format!("{dir}/{name}")).filter(|path| self.programs.contains(path));
            // Two of the files keep their programs in different directories; each is the same program.
            let sighting =
                |(index, path)| Sighting { path, executable: true, copy: index > 0, handicap: None };
            let sightings = paths.enumerate().map(sighting);
            ((*name).to_owned(), sightings.collect())
        };
        let names =
            self.programs.iter().filter_map(|path| path.rsplit_once('/')).map(|(_, name)| name.to_owned());
        SearchPath {
            dirs: dirs.iter().map(|dir| ((*dir).to_owned(), self.dirs.contains(*dir))).collect(),
            names: names.collect(),
            found: programs.iter().map(find).collect(),
            builtin: builtin.clone(),
        }
    }

    fn check(&self, text: &str) -> (Config, Vec<Diagnostic>) {
        let (config, mut found) = load(text);
        found.extend(look_around(text, &config, &self.surroundings(&config)));
        let authfile = config.globals.authfile.as_ref();
        let missing = authfile.filter(|named| !self.authfiles.contains(&*named.value));
        found.extend(missing.map(|named| unreadable_file(named, "authfile")));
        (config, found)
    }
}

/// Where the history is written.
fn historic_dir(config: &Config) -> Option<&str> {
    config.globals.historicfile.as_deref()?.rsplit_once('/').map(|(dir, _)| dir)
}

fn monitors() -> BTreeMap<String, String> {
    let usage = |monitor: &remon_monitors::Monitor| {
        let (words, started) = (vec!["--help".to_owned()], std::time::Instant::now());
        let invocation = remon_monitors::Invocation { words, env: BTreeMap::new(), started };
        (monitor.name.to_owned(), (monitor.run)(&invocation).text())
    };
    remon_monitors::MONITORS.iter().map(usage).collect()
}

fn alerts() -> BTreeMap<String, String> {
    remon_alerts::ALERTS.iter().map(|alert| (alert.name.to_owned(), alert.usage.to_owned())).collect()
}

/// What came of the edits of one kind.
#[derive(Default)]
struct Tally {
    harmless: usize,
    harmful: usize,
    noticed: usize,
    missed: Vec<String>,
}

/// The lines in which two texts differ.
fn changed(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str]| lines.get(same).map_or(String::new(), |line| line.trim().to_owned());
    format!("{}  ->  {}", line(&old), line(&new))
}

/// The texts of the mon.cf of a folder. The rules were made with the misses of five files in view; how they fare with
/// others is seen by hand, with `REMON_MUTATION_FILES=silent`.
fn good_files() -> Vec<String> {
    let name = std::env::var("REMON_MUTATION_FILES").unwrap_or("good".to_owned());
    let folder = source().join("tests/config").join(name);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the good files are there").flatten().map(|e| e.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "cf"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

/// The good files, the machine they are for, and what they mean.
struct Ground {
    files: Vec<String>,
    machine: Machine,
    meanings: Vec<String>,
}

impl Ground {
    fn new() -> Ground {
        let files = good_files();
        assert!(files.len() >= 5);
        let configs: Vec<Config> = files.iter().map(|text| load(text).0).collect();
        let machine = Machine::of(&configs);
        for text in &files {
            let (_, found) = machine.check(text);
            assert!(found.is_empty(), "a good file is silent: {found:#?}");
        }
        Ground { files, machine, meanings: configs.iter().map(meaning).collect() }
    }

    /// A thousand edits, of each kind as many.
    fn edits(&self, seed: u64) -> [Tally; 5] {
        let mut dice = Dice(seed);
        let mut tallies: [Tally; 5] = Default::default();
        for number in 0..EDITS {
            let (kind, file) = (number % KINDS.len(), dice.roll(self.files.len()));
            let edited = edit(kind, &self.files[file], &mut dice);
            let (config, found) = self.machine.check(&edited);
            let tally = &mut tallies[kind];
            // An error comes from the reading alone; what the warnings say is not asked.
            if !found.iter().any(Diagnostic::is_error) && meaning(&config) == self.meanings[file] {
                tally.harmless += 1;
                continue;
            }
            tally.harmful += 1;
            match found.is_empty() {
                false => tally.noticed += 1,
                true => tally.missed.push(changed(&self.files[file], &edited)),
            }
        }
        tallies
    }
}

#[test]
fn most_slips_of_an_editor_are_noticed() {
    let ground = Ground::new();
    // Other seeds by hand, as in `REMON_MUTATION_SEEDS=101-120`.
    let by_hand = std::env::var("REMON_MUTATION_SEEDS").ok();
    let seeds = match by_hand.as_deref().and_then(|range| range.split_once('-')) {
        Some((first, last)) => first.parse().expect("a number")..=last.parse().expect("a number"),
        None => SEEDS,
    };
    let (mut harmful, mut noticed) = (0, 0);
    for seed in seeds.clone() {
        println!("seed {seed}:");
        let (edits, seen) = report(&ground.edits(seed));
        assert!(
            by_hand.is_some() || seen * 1000 >= edits * FLOOR,
            "{seen} of {edits} is below {FLOOR} in a thousand"
        );
        harmful += edits;
        noticed += seen;
    }
    println!("seeds {seeds:?}: {noticed} of {harmful} ({:.2} %)", percent(noticed, harmful));
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// Prints the rates and returns the sums.
fn report(tallies: &[Tally]) -> (usize, usize) {
    const SAMPLES: usize = 100;
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (harmful, noticed) = (sum(|tally| tally.harmful), sum(|tally| tally.noticed));
    println!(
        "of {EDITS} edits {harmful} change the meaning or break the file; {noticed} ({:.1} %) are noticed",
        percent(noticed, harmful)
    );
    for (kind, tally) in KINDS.iter().zip(tallies) {
        let Tally { harmless, harmful, noticed, missed } = tally;
        println!(
            "{kind}: {noticed} of {harmful} ({:.1} %), {harmless} change nothing",
            percent(*noticed, *harmful)
        );
        missed.iter().take(SAMPLES).for_each(|line| println!("    {line}"));
    }
    (harmful, noticed)
}
