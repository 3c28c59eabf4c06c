//! Simulated and real: every scenario of the conformance kit, by our daemon and by `mon simulate`.
//!
//!     cargo test --test replay                     all of them; the kit is looked for beside this clone
//!     cargo test --test replay -- a05 traptimeout  those whose names have one of these in them
//!     cargo test --test replay -- --kit=DIR        the kit is there
//!
//! `play.py` lets the kit drive the daemon. What the daemon recorded is then played by `mon simulate --replay` over
//! the same mon.cf, and what the simulated daemon would have recorded must be the same: every result and status, every
//! decision with its verdicts, every alert in its order; and the alerts that were really called must be those of the
//! timeline, word for word. Times may differ by what a machine takes to start a program.

mod listed;
mod proof;
mod scene;
mod story;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use listed::Seen;
use proof::Proof;
use scene::Scene;

/// Where the kit is, beside this clone.
const KIT: &str = "../shared/conformance";

fn main() -> ExitCode {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (options, patterns): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let kit = options.iter().find_map(|option| option.strip_prefix("--kit="));
    let kit = kit.map_or_else(|| source.join(KIT), PathBuf::from);
    if !kit.join("kit.py").exists() {
        println!("no {} beside this clone", kit.display());
        return ExitCode::SUCCESS;
    }
    let out = std::env::temp_dir().join(format!("remon-replay-{}", std::process::id()));
    std::fs::create_dir_all(&out).expect("a folder for what is played");
    if !play(&source.join("tests/replay/play.py"), &kit, &out, &patterns) {
        println!("what was played is kept in {}", out.display());
        return ExitCode::FAILURE;
    }
    // Who can look at it later has no use for what is as it should be.
    let _ = std::fs::remove_dir_all(&out);
    ExitCode::SUCCESS
}

/// Plays and compares; whether all that came is as it should be.
fn play(script: &Path, kit: &Path, out: &Path, patterns: &[String]) -> bool {
    let mut python = Command::new("python3");
    python.arg(script).arg(kit).arg(out).arg(env!("CARGO_BIN_EXE_mon")).args(patterns);
    let mut player = python.stdout(Stdio::piped()).spawn().expect("python3 starts");
    let lines = BufReader::new(player.stdout.take().expect("it is piped")).lines();
    let (mut passed, mut failed, mut empty, mut proof) = (0, 0, 0, Proof::default());
    for line in lines {
        let scene = Scene::read(&line.expect("a line")).expect("a line of play.py");
        let seen = listed::judge(&scene.name, story::compare(&scene));
        let proven = seen.and_then(|seen| match &seen {
            Seen::Same(stories) => proof.try_with(stories).map(|()| seen),
            _ => Ok(seen),
        });
        match proven {
            Ok(Seen::Nothing) => empty += 1,
            Ok(Seen::Same(_) | Seen::Listed) => passed += 1,
            Err(differences) => {
                failed += 1;
                println!("FAIL {}", scene.name);
                differences.iter().for_each(|line| println!("  {line}"));
            }
        }
    }
    let ended = player.wait().expect("it ends").success();
    let untried = if patterns.is_empty() { proof.untried() } else { Vec::new() };
    untried.iter().for_each(|kind| println!("FAIL no scenario could show that this is noticed: {kind}"));
    println!("{} differences put in by hand, to see that they are noticed", proof.tried());
    println!("{empty} scenarios without monitors and alerts");
    println!("{passed} passed, {failed} failed");
    ended && passed > 0 && failed == 0 && untried.is_empty()
}
