//! The fault matrix of two servers that watch each other, with real servers in namespaces of their own.
//!
//!     cargo test --test pair                       our daemon on both servers
//!     cargo test --test pair -- perl-remon         the original on A, ours on B
//!     cargo test --test pair -- remon-remon/cut    one row
//!     cargo test --test pair -- --without-faults   each row must fail if its fault does not happen
//!     cargo test --test pair -- --with-noise       each row must fail if one message too many arrives
//!     cargo test --test pair -- --without-exclude  the row about --exclude must fail without it
//!
//! Several worlds stand side by side, each in a process of its own (this program again, as the first process of new
//! namespaces); rows are dealt out to them. What a world is made of ends with its process.

mod collector;
mod pairing;
mod rows;
mod scene;
mod servers;
mod site;
mod space;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with tests/it, which uses the rest")]
mod support;
mod table;
mod worker;
mod world;

use std::path::Path;
use std::process::{Command, ExitCode};

use pairing::Pairing;
use rows::Row;
use scene::Mode;

/// What is played without arguments.
const DEFAULT: &str = "remon-remon";

/// Programs and files that a world is made of, and the packages that have them.
const NEEDED: [(&str, &str); 8] = [
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/openssl", "openssl"),
    ("/usr/bin/prosody", "prosody"),
    ("/usr/sbin/postfix", "postfix"),
    ("/usr/bin/fping", "fping"),
    ("/usr/lib/mon/mon.d/fping.monitor", "mon"),
    ("/usr/lib/mon/mon.d/ssh.monitor", "mon"),
];

fn main() -> ExitCode {
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    if let [first, pairing, mode, dir] = &words[..]
        && first == worker::WORLD
    {
        return worker::serve(pairing, mode, Path::new(dir));
    }
    let flags = [
        ("--without-faults", Mode::WithoutFaults),
        ("--with-noise", Mode::WithNoise),
        ("--without-exclude", Mode::WithoutExclude),
    ];
    let flag = flags.into_iter().find(|(flag, _)| words.iter().any(|word| word == flag));
    let mode = flag.map_or(Mode::Real, |(_, mode)| mode);
    let mut filters =
        words.iter().filter(|word| !word.starts_with('-')).map(String::as_str).collect::<Vec<_>>();
    if filters.is_empty() {
        filters.push(DEFAULT);
    }
    if let Some(why) = impossible() {
        support::skipped("pair", &why);
        return ExitCode::SUCCESS;
    }
    let matrices = pairing::ALL.map(|pairing| (pairing, chosen(pairing, mode, &filters)));
    let played = matrices.into_iter().filter(|(_, rows)| !rows.is_empty());
    // All of them, whatever came of the first.
    let results = played.map(|(pairing, rows)| play(pairing, mode, &rows)).collect::<Vec<_>>();
    let good = results.into_iter().all(|good| good);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The rows that the arguments name, in full or in part.
fn chosen(pairing: Pairing, mode: Mode, filters: &[&str]) -> Vec<&'static Row> {
    let named = |row: &&Row| filters.iter().any(|filter| format!("{pairing}/{}", row.name).contains(filter));
    let meant = |row: &&Row| match mode {
        // Where no fault is expected, none can be left out.
        Mode::WithoutFaults => row.name != "calm",
        Mode::WithoutExclude => row.name == "exclude",
        Mode::Real | Mode::WithNoise => true,
    };
    rows::ALL.iter().filter(named).filter(meant).collect()
}

fn play(pairing: Pairing, mode: Mode, rows: &[&'static Row]) -> bool {
    if pairing.has(pairing::Program::Original) && support::oracle().is_none() {
        support::skipped(&format!("pair {pairing}"), "the original is not installed (package mon)");
        return true;
    }
    let begun = std::time::Instant::now();
    let results = worker::play(pairing, mode, rows);
    let good = table::print(pairing, mode, &results);
    println!("{} rows, {:.0} s", rows.len(), begun.elapsed().as_secs_f64());
    good
}

/// Why no world can be made here.
fn impossible() -> Option<String> {
    if let Some((file, package)) = NEEDED.iter().find(|(file, _)| !Path::new(file).exists()) {
        return Some(format!("no {file} (package {package})"));
    }
    if site::faketime().is_none() {
        return Some("no libfaketime (package faketime)".to_owned());
    }
    let line =
        "ip link add a0 type veth peer name a1 && ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_forward";
    let output = Command::new("unshare").args(worker::KINDS).args(["sh", "-c", line]).output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(format!("no network namespaces here; root may make them: {}", said.trim()))
        }
        Err(error) => Some(format!("unshare: {error}")),
    }
}
