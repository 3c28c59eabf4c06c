//! The recorded calls of the original programs in tests/samples, each made again with ours.
//!
//! A recording tells the command, the exit status and what was said. Ours must do the same against servers that answer
//! as those of the recording did ([`lab`]), or the sample is listed in [`table`] with the reason: then `NAME.ours`,
//! beside `NAME.txt`, is what ours does. `UPDATE_GOLDEN=1` rewrites these files; review the difference.
//!
//! All of it happens in a network and a mount namespace of its own, where the ports of the recording are free and a
//! few files of the machine are others. So the test starts itself once more inside.

mod alerts;
mod dns;
mod lab;
mod peers;
mod recording;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::{skipped, source};
use alerts::Receivers;
use lab::Lab;
use recording::Sample;
use table::Verdict;

const MON: &str = env!("CARGO_BIN_EXE_mon");

/// Set in the namespaces.
const INSIDE: &str = "REMON_TEST_SAMPLES_INSIDE";

/// Most of a call is waiting.
const AT_ONCE: usize = 6;

/// What belongs to Debian, and must be there.
const NEEDS: [(&str, &str); 4] = [
    ("fping.monitor", "/usr/bin/fping"),
    ("ssh.monitor", "/usr/bin/ssh"),
    ("mail.alert", "/usr/sbin/sendmail"),
    ("mailxmpp.alert", "/usr/sbin/sendmail"),
];

/// What the lab itself is made of.
const INPUTS: [&str; 2] = ["alert-input", "moncmd.list-opstatus"];

fn folder() -> PathBuf {
    source().join("tests/samples")
}

#[test]
fn every_recorded_call() {
    if std::env::var_os(INSIDE).is_some() {
        return compare_all();
    }
    let Some(flags) = ["-nm", "-Urnm"].into_iter().find(|flags| {
        let mut command = Command::new("unshare");
        command.args([flags, "ip", "link", "set", "lo", "up"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }) else {
        return skipped(
            "samples",
            "no namespaces here: root can make them, and others where the machine lets them",
        );
    };
    let mut command = Command::new("unshare");
    command.arg(flags).arg(std::env::current_exe().expect("it runs"));
    command.args(["--exact", "samples::every_recorded_call", "--nocapture"]).env(INSIDE, "1");
    let output = command.stdin(Stdio::null()).output().expect("unshare was there a moment ago");
    let said = crate::support::latin1(&[output.stdout, output.stderr].concat());
    assert!(output.status.success(), "{said}");
    // For eyes: the counts, and what was left out; the sum also where the output of tests that pass is kept back.
    said.lines().filter(|line| line.starts_with("skipped ")).for_each(|line| println!("{line}"));
    let counts = said.lines().filter(|line| line.starts_with("samples ")).collect::<Vec<_>>();
    println!("{}", counts.join("\n"));
    let _ = writeln!(std::io::stderr(), "{}", counts.last().expect("the sum is always told"));
}

/// Equal, different on purpose, not reproducible; by program.
type Counts = BTreeMap<String, [usize; 3]>;

fn compare_all() {
    let lab = Lab::new();
    let receivers = Mutex::new(Receivers::new(&lab));
    let samples = all();
    let (next, faults, counts) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Counts::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let class = judge(sample, &lab, &receivers).unwrap_or_else(|fault| {
                        faults.lock().expect("no thread panics with it").push(fault);
                        None
                    });
                    let mut counts = counts.lock().expect("no thread panics with it");
                    let count = counts.entry(sample.program.clone()).or_default();
                    class.into_iter().for_each(|class| count[class] += 1);
                }
            });
        }
    });
    let mut faults = faults.into_inner().expect("all threads have ended");
    faults.extend(unused(&samples));
    faults.sort();
    print!("{}", told(&counts.into_inner().expect("all threads have ended")));
    assert!(faults.is_empty(), "{}\n{} faults", faults.join("\n"), faults.len());
}

fn all() -> Vec<Sample> {
    let entries = fs::read_dir(folder()).expect("tests/samples is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut names =
        paths.filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".txt")?.to_owned()));
    let names = names.by_ref().filter(|name| !INPUTS.contains(&name.as_str()));
    let mut samples = names.map(|name| Sample::read(&folder(), &name)).collect::<Vec<_>>();
    // Those that wait go first, or the last one alone would be waited for.
    samples.sort_by_key(|sample| (!sample.name.contains("hang"), sample.name.clone()));
    samples
}

/// Makes the call and says which class the sample is in; `None` if the servers for it are not installed here.
fn judge(sample: &Sample, lab: &Lab, receivers: &Mutex<Receivers>) -> Result<Option<usize>, String> {
    let verdict = table::verdict(&sample.name);
    let golden = folder().join(format!("{}.ours", sample.name));
    if let Verdict::NotHere(why) = verdict {
        println!("samples {} cannot be made again: {why}", sample.name);
        return Ok(Some(2));
    }
    let Some(ours) = call(sample, lab, receivers) else { return Ok(None) };
    let (theirs, ours) = (sample.expected(), recording::normal(&sample.program, &ours));
    let equal = ours == theirs;
    match verdict {
        Verdict::Equal if equal => Ok(Some(0)),
        Verdict::Equal => Err(parted(sample, "it is as recorded", &theirs, &ours)),
        Verdict::Differs(why) if equal => {
            Err(format!("{}: it is as recorded, so this has no place in the table: {why}", sample.name))
        }
        // Its golden file may not be written yet.
        Verdict::Broken(_) if std::env::var_os("UPDATE_GOLDEN").is_some() => Ok(Some(1)),
        Verdict::Broken(intended) => {
            let wanted = Sample::read(&folder(), &intended).expected();
            let wanted = fs::read_to_string(folder().join(format!("{intended}.ours"))).unwrap_or(wanted);
            if wanted == ours {
                Ok(Some(1))
            } else {
                Err(parted(sample, &format!("it is as {intended}"), &wanted, &ours))
            }
        }
        _ if std::env::var_os("UPDATE_GOLDEN").is_some() => {
            fs::write(&golden, &ours).map_err(|error| format!("{}: {error}", golden.display()))?;
            Ok(Some(1))
        }
        _ => {
            let kept = fs::read_to_string(&golden).unwrap_or_default();
            if kept == ours { Ok(Some(1)) } else { Err(parted(sample, "it is as in .ours", &kept, &ours)) }
        }
    }
}

fn call(sample: &Sample, lab: &Lab, receivers: &Mutex<Receivers>) -> Option<String> {
    let missing = |(program, file): &&(&str, &str)| sample.program == *program && !Path::new(file).exists();
    if let Some((_, file)) = NEEDS.iter().find(missing) {
        skipped(&sample.name, &format!("no {file}"));
        return None;
    }
    if sample.program.ends_with(".alert") {
        // One at a time, as they share those who receive.
        return receivers.lock().expect("no thread panics with it").record(sample, lab);
    }
    Some(lab.record(sample))
}

fn parted(sample: &Sample, expectation: &str, expected: &str, found: &str) -> String {
    format!("{}: not true that {expectation}\n--- expected\n{expected}--- found\n{found}", sample.name)
}

/// Entries of the table and golden files that belong to nothing.
fn unused(samples: &[Sample]) -> Vec<String> {
    let known = |name: &str| samples.iter().any(|sample| sample.name == name);
    let listed = table::names()
        .filter(|name| !known(name))
        .map(|name| format!("{name} is in the table, but not there"));
    let entries = fs::read_dir(folder()).expect("tests/samples is there");
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let goldens = files.filter_map(|name| name.strip_suffix(".ours").map(str::to_owned));
    let stale = goldens.filter(|name| !matches!(table::verdict(name), Verdict::Differs(_)));
    listed.chain(stale.map(|name| format!("{name}.ours belongs to no entry of the table"))).collect()
}

fn told(counts: &Counts) -> String {
    let mut text = String::new();
    let mut sum = [0; 3];
    let mut line = |program: &str, [equal, differs, elsewhere]: [usize; 3]| {
        text += &format!(
            "samples {program:<18} {equal:>3} equal {differs:>3} differ on purpose {elsewhere:>3} not reproducible\n"
        );
    };
    for (program, count) in counts {
        line(program, *count);
        sum = [sum[0] + count[0], sum[1] + count[1], sum[2] + count[2]];
    }
    line("all", sum);
    text
}

/// A directory for one call.
fn room(lab: &Path, name: &str) -> PathBuf {
    let dir = lab.join(name);
    fs::create_dir_all(&dir).expect("our own directory is writable");
    dir
}
