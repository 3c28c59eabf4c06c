//! Every way in from outside, for a second each: seeds, and whatever becomes of them by changing bytes.
//!
//! The same inputs in the same order each time; only how many fit into the time differs. `REMON_FUZZ_SECONDS` and
//! `REMON_FUZZ_SEED` change that. For hours there is `tests/fuzz/run`, which learns from what it reaches.

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::support::source;

/// Inputs do not grow beyond this: long ones are slow, and what is found is hard to read.
const MOST_BYTES: usize = 8 * 1024;

/// What parsers trip over.
const SPICES: [&[u8]; 24] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\\",
    b"\\0a",
    b"'",
    b"\"",
    b"=",
    b"{",
    b"}",
    b"(",
    b")",
    b"!",
    b"*",
    b":",
    b",",
    b"-",
    b"\xff",
    b"\xf4\x8f\xbf\xbf",
    b"0",
    b"-1",
    b"9223372036854775808",
    b"1e999",
    b"18446744073709551615",
];

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { fuzz(stringify!($name)); })*

        #[test]
        fn every_target_has_a_test() {
            let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets! { clients traps replies state auth config period depend quote pages dialogues names plugins }

fn fuzz(name: &str) {
    let target = targets::named(name);
    let seeds = seeds(name);
    let number = |variable, otherwise| {
        std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let limit = Duration::from_secs(number("REMON_FUZZ_SECONDS", 1));
    let mut chance = Chance(number("REMON_FUZZ_SEED", 7));
    seeds.iter().for_each(|seed| run(target, seed));
    let begun = Instant::now();
    while begun.elapsed() < limit {
        let mut input = chance.pick(&seeds).clone();
        for _ in 0..=chance.below(6) {
            change(&mut input, &seeds, &mut chance);
        }
        input.truncate(MOST_BYTES);
        run(target, &input);
    }
}

/// An input that breaks a promise is kept, so that it can be looked at and become a seed.
fn run(target: targets::Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
        fs::write(&path, input).expect("the target directory is writable");
        panic!("{} breaks a promise; the input is in {}", target.name, path.display());
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = source().join("tests/fuzz/seeds").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("seeds are part of the source")).collect()
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let end = (at + 1 + chance.below(16)).min(input.len()).max(at);
    match chance.below(7) {
        0 if at < input.len() => input[at] ^= 1 << chance.below(8),
        1 => insert(input, at, chance.pick::<&[u8]>(&SPICES)),
        2 => drop(input.drain(at..end)),
        // Deep nesting, long runs.
        3 => {
            let run = input[at..end].repeat(1 + chance.below(300));
            insert(input, at, &run);
        }
        4 => {
            let other = chance.pick(seeds);
            let from = chance.below(other.len() + 1);
            let length = chance.below(40).min(other.len() - from);
            insert(input, at, &other[from..from + length]);
        }
        5 => input.truncate(at),
        _ => {
            let seed: &Vec<u8> = chance.pick(seeds);
            let line = line_of(seed, chance);
            insert(input, at, &line);
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    drop(input.splice(at..at, bytes.iter().copied()));
}

fn line_of(seed: &[u8], chance: &mut Chance) -> Vec<u8> {
    let lines: Vec<&[u8]> = seed.split_inclusive(|&byte| byte == b'\n').collect();
    if lines.is_empty() { Vec::new() } else { chance.pick(&lines).to_vec() }
}

/// Chance that repeats itself. (SplitMix64.)
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % most.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
