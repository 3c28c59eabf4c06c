//! `mon simulate`, by its command line: golden timelines, comparisons, mistakes, and what the daemon does.

mod daemon;
mod files;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Place, source};

fn folder() -> PathBuf {
    source().join("tests/simulate")
}

/// Runs it where the files are, so that their names are all of the path that shows.
fn simulate(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mon"));
    command.arg("simulate").args(args).current_dir(folder).env("TZ", "UTC").output().expect("it starts")
}

fn transcript(output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{stdout}{stderr}# exit status {}\n", output.status.code().expect("not killed"))
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` rewrites it.
fn golden(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, actual).expect("the golden file can be written");
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(expected == actual, "{}: UPDATE_GOLDEN=1 accepts this:\n{actual}", path.display());
}

#[test]
fn every_file_of_events_has_its_golden_timeline() {
    let mut seen = 0;
    for path in std::fs::read_dir(folder()).expect("tests/simulate can be listed").flatten().map(|e| e.path())
    {
        if path.extension().is_some_and(|extension| extension == "events") {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a UTF-8 name");
            golden(
                &path.with_extension("expected"),
                &transcript(&simulate(&folder(), &["-c", "site.cf", name])),
            );
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} files");
}

#[test]
fn the_pair_does_what_its_kept_timeline_says() {
    let pair = source().join("etc/pair");
    let args = ["-c", "servera.cf", "servera.events"];
    let told = simulate(&pair, &args);
    assert_eq!(status(&told), Some(0), "{}", transcript(&told));
    golden(&pair.join("servera.expected"), &String::from_utf8_lossy(&told.stdout));
    let compared = simulate(&pair, &[&args[..], &["--expect", "servera.expected"]].concat());
    assert_eq!(transcript(&compared), "# exit status 0\n");
}

#[test]
fn a_difference_is_told_and_is_exit_status_1() {
    let place = Place::new();
    let told = simulate(&folder(), &["-c", "site.cf", "night.events"]);
    let kept = String::from_utf8_lossy(&told.stdout).into_owned();
    let expect = |text: &str| {
        place.write("kept", text);
        let kept = place.path("kept");
        simulate(&folder(), &["-c", "site.cf", "night.events", "--expect", &kept.to_string_lossy()])
    };
    assert_eq!(transcript(&expect(&kept)), "# exit status 0\n");
    assert_eq!(transcript(&expect(&format!("\n# why\n{kept}\n"))), "# exit status 0\n");
    let alert = kept.lines().find(|line| line.contains(" alert ")).expect("an alert");
    assert_eq!(transcript(&expect(&format!("...\n{alert}\n...\n"))), "# exit status 0\n");
    let other = expect(&kept.replacen(" fail ", " fial ", 1));
    let said = transcript(&other);
    assert!(said.starts_with("--- /") && said.contains("\n+++ simulated\n@@ -"), "{said}");
    assert!(said.ends_with("# exit status 1\n"), "{said}");
    let missing = simulate(&folder(), &["-c", "site.cf", "night.events", "--expect", "no-such-file"]);
    assert_eq!(status(&missing), Some(2));
}

#[test]
fn a_new_configuration_is_compared_with_the_old_one() {
    let place = Place::new();
    let old = std::fs::read_to_string(folder().join("site.cf")).expect("part of the source");
    place.write("old.cf", &old);
    place.write("new.cf", &old.replace("numalerts 2", "numalerts 1").replace("interval 5m", "interval 4m"));
    let events = folder().join("night.events");
    let diff = |old: &str, new: &str| simulate(place.dir(), &["--diff", old, new, &events.to_string_lossy()]);
    let same = transcript(&diff("old.cf", "old.cf"));
    assert!(
        same.starts_with("0 added, 0 removed, 0 moved, ") && same.ends_with("# exit status 0\n"),
        "{same}"
    );
    golden(&folder().join("diff.golden"), &transcript(&diff("old.cf", "new.cf")));
}

#[test]
fn options_say_what_a_file_says() {
    let file = simulate(&folder(), &["-c", "site.cf", "night.events"]);
    let again = simulate(&folder(), &["-c", "site.cf", "night.events"]);
    assert_eq!(file, again, "the same input tells the same story");
    let place = Place::new();
    place.write("a.events", "+10m fail web/ping\n+50m ok web/ping\n");
    let by_file = simulate(&folder(), &["-c", "site.cf", &place.path("a.events").to_string_lossy()]);
    let by_option =
        simulate(&folder(), &["-c", "site.cf", "--fail", "web/ping@10m..50m", "--until", "+110m"]);
    assert_eq!(transcript(&by_file), transcript(&by_option));
    let kept = by_file.stdout;
    let dated =
        simulate(&folder(), &["-c", "site.cf", "--from", "2026-11-23 02:00", "--for", "2h", "--seed", "5"]);
    let dated = transcript(&dated);
    assert!(dated.contains(", chance 5\n") && dated.contains("\nMon 2026-11-23\n02:00:00 "), "{dated}");
    assert!(dated.contains("\n04:00:00          end\n"), "{dated}");
    assert!(!kept.is_empty() && kept != dated.into_bytes());
    let now = simulate(&folder(), &["-c", "site.cf", "--from", "now", "--for", "1m"]);
    assert_eq!(status(&now), Some(0));
}

#[test]
fn what_cannot_be_simulated_is_exit_status_2() {
    for (args, said) in [
        (&["-c", "no-such.cf"][..], "mon simulate: config file no-such.cf does not exist\n"),
        (&["-c", "site.cf", "no-such.events"], "mon simulate: cannot read no-such.events: "),
        (&["-c", "site.cf", "--for", "10"], "mon simulate: --for wants a time with its unit"),
        (&["-c", "site.cf", "--from", "yesterday"], "mon simulate: --from: `yesterday` is no time\n"),
        (&["-c", "site.cf", "--until", "2020-01-01 00:00"], "mon simulate: the end must be after the start"),
        (&["-c", "site.cf", "--fail", "web/pign@10m"], "--fail web/pign@10m:1:11: error[S03]: no watch has"),
    ] {
        let output = simulate(&folder(), args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.starts_with(said), "{args:?}: {told}");
        assert_eq!((status(&output), output.stdout.len()), (Some(2), 0), "{args:?}");
    }
    let place = Place::new();
    place.write("bad.cf", "watch web\nservice ping\ninterval soon\n");
    let bad = simulate(place.dir(), &["-c", "bad.cf"]);
    assert_eq!(status(&bad), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).starts_with("bad.cf:3:"), "{}", transcript(&bad));
}

#[test]
fn a_recorded_history_is_replayed() {
    let place = Place::new();
    place.write("history", "@1795399500 fail web/ping exit 2 \"w1\"\n    | no answer\n@1795399600 fail gone/x\n@1795403100 ok web/ping\n");
    let told = transcript(&simulate(
        &folder(),
        &["-c", "site.cf", "--replay", &place.path("history").to_string_lossy()],
    ));
    assert!(told.contains("# left out, as there is no gone/x\n"), "{told}");
    assert!(told.contains("event        fail web/ping exit 2 \"w1\"\n"), "{told}");
    assert!(told.contains(" (was ok, exit 2): w1\n") && told.ends_with("# exit status 0\n"), "{told}");
}

#[test]
fn the_readme_shows_what_it_prints() {
    let args = ["-c", "site.cf", "--from", "2026-11-23 06:30", "--fail", "web/ping@10m..50m"];
    let told = simulate(&folder(), &args);
    let told = String::from_utf8_lossy(&told.stdout);
    let lines = told.lines().filter(|line| !line.starts_with('#')).map(|line| format!("    {line}\n"));
    let readme = std::fs::read_to_string(source().join("README.md")).expect("part of the source");
    assert!(readme.contains(&lines.collect::<String>()), "{told}");
}

#[test]
fn the_help_has_examples_that_can_be_typed() {
    let help = String::from_utf8(simulate(&folder(), &["--help"]).stdout).expect("UTF-8");
    assert!(help.contains("mon simulate -c mon.cf --fail web/ping@10m..50m\n"), "{help}");
    // Every event in it is one.
    let place = Place::new();
    let events = help.split("`#` begins a comment:\n").nth(1).and_then(|rest| rest.split("Times: ").next());
    let ends = |line: &str| line.find("   ").filter(|_| !line.contains('|')).map_or(line.len(), |at| at);
    let kept = events
        .expect("the list of events")
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(['+', '@', '|', 'M', '2', '0']));
    let mut text = String::new();
    for line in kept {
        let (time, what) = line.split_once("  ").unwrap_or((line, ""));
        let what = what.trim_start();
        text += &if line.starts_with('|') {
            "| detail\n".to_owned()
        } else {
            format!("{time} {}\n", &what[..ends(what)])
        };
    }
    assert!(text.lines().count() >= 10, "{text}");
    place.write("help.events", &text);
    let site = std::fs::read_to_string(folder().join("site.cf")).expect("part of the source");
    place.write(
        "site.cf",
        &site.replace(
            "service http",
            "service raid\n    traptimeout 1d\n    period\n    alert a\n    service http",
        ),
    );
    place.write("mon.cf.new", &site);
    let told =
        simulate(place.dir(), &["-c", "site.cf", "help.events", "--from", "2026-11-20 00:00", "--for", "9d"]);
    assert_eq!(status(&told), Some(0), "{text}\n{}", transcript(&told));
}
