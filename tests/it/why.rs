//! `why`, the record behind it, and what becomes of it when disks and daemons fail; with real daemons.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::{Client, Daemon, Place, skipped, source, subject, subject_is_oracle, wait};

/// `web/http` fails every second; its period begins in line 6.
const MON_CF: &str =
    "hostgroup web h\n\nwatch web\nservice http\ninterval 1s\nperiod P:\nmonitor down.monitor\n";

/// A place whose one service fails, with these lines in its period, from line 8 on.
fn failing(rules: &str) -> Place {
    let place = Place::new();
    let mon_cf = MON_CF.replace("period P:\nmonitor down.monitor\n", "monitor down.monitor\nperiod P:");
    place.write("etc/mon.cf", &format!("{mon_cf} {rules}\n"));
    place.script("mon.d/down.monitor", "#!/bin/sh\necho \"h: no answer\"\n[ -e \"${0%/*}/../up\" ]\n");
    place.script("alert.d/note.alert", "#!/bin/sh\ncat >/dev/null\necho told >>\"${0%/*}/../told\"\n");
    place
}

fn start(place: &Place) -> (Daemon, Client) {
    let mut daemon = Daemon::spawn(&subject(), place, &["-d".to_owned()]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

/// `mon SUBCOMMAND WORDS`, asking the daemon of that place.
fn mon(place: &Place, words: &[&str]) -> Output {
    let port = place.port.to_string();
    let mut command = place.command(&subject());
    command.args(words).args(["-s", "127.0.0.1", "-p", &port]).output().expect("it was built")
}

fn printed(place: &Place, words: &[&str]) -> String {
    let output = mon(place, words);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Asks until the answer holds `part`.
fn wait_for(place: &Place, words: &[&str], part: &str) -> String {
    wait::until(wait::PATIENCE, part, || Some(printed(place, words)).filter(|text| text.contains(part)))
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", printed(place, words), place.read("messages")))
}

fn logged(place: &Place, part: &str) {
    wait::until(wait::PATIENCE, part, || place.read("messages").contains(part).then_some(()))
        .unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
}

const WHY: [&str; 3] = ["why", "web", "http"];
const DB: &str = "state/remon/history.db";

#[test]
fn after_numalerts_after_an_ack_and_out_of_the_period() {
    if subject_is_oracle() {
        return skipped("why", "the original has no `why`");
    }
    let rules = "\nalert note.alert\nupalert note.alert\n# two are enough\nnumalerts 2\nperiod never: wd {Mon} md {31} mo {Feb}\nalert note.alert";
    let place = failing(rules);
    let (_daemon, mut client) = start(&place);
    let text = wait_for(&place, &WHY, "numalerts 2 (line 11): 2 of 2 alerts of this failure are out");
    for part in [
        "web/http (line 4) has been failing since ",
        "  period P (line 7): would not be sent\n",
        "    no more before it has recovered\n",
        "       line 8   alert note.alert\n",
        "  period never (line 12): would not be sent\n    outside the period: wd {Mon} md {31} mo {Feb}\n",
        "If it recovered now:\n  period P (line 7): would be sent\n    -> line 9   upalert note.alert\n",
        "      period P (line 7): sent, line 8\n",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    client.command("ack web http looking").expect("it is answered");
    let text = wait_for(&place, &WHY, "acknowledged at ");
    assert!(text.contains(": looking\n    not before it has recovered and fails again\n"), "{text}");
    client.command("disable service web http").expect("it is answered");
    wait_for(&place, &WHY, "    the service is disabled\n    not before it is enabled\n");
    // Every occasion is there, and how the alerts ended.
    let history = wait_for(&place, &["history", "web/http"], "disable service web http");
    for part in [
        "web/http fails, exit 1: h: no answer",
        "web/http decided about: failure, exit 1: h: no answer",
        "web/http failure alert (line 8): note.alert: ended well after ",
        "web/http command: ack web http looking",
    ] {
        assert!(history.contains(part), "{part}:\n{history}");
    }
    assert_eq!(history.matches("note.alert: ended well").count(), 2);
    assert_eq!(place.read("told"), "told\ntold\n");
}

#[test]
fn what_cannot_be_answered_is_said_and_what_is_not_permitted_is_refused() {
    if subject_is_oracle() {
        return skipped("why", "the original has no `why`");
    }
    let place = failing("\nalert note.alert");
    place.write("etc/auth.cf", "list: amy\nget: all\n");
    let (_daemon, mut client) = start(&place);
    let refused = |words: &[&str], part: &str| {
        let output = mon(&place, words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && text.contains(part), "{words:?}: {text}");
    };
    refused(&WHY, "mon why: 520 command could not be executed, unknown command");
    refused(&["history", "web", "http"], "mon history: 520 command could not be executed");
    assert_eq!(client.command("why web http").expect("answered").len(), 1);
    refused(&["why", "web"], "the service is missing");
    refused(&["why", "web", "http", "--at", "soon"], "`soon` is not a time: 14:05, -2h");
}

#[test]
fn the_record_answers_after_a_restart_also_after_a_kill() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    for signal in ["TERM", "KILL"] {
        let place = failing("\nalert note.alert\nnumalerts 1");
        let (mut daemon, mut client) = start(&place);
        let before = wait_for(&place, &["history", "web/http"], "numalerts 1 (line 9): 1 of 1 alerts");
        assert!(before.contains("sent, line 8"), "{before}");
        // A success ends it, so that what is asked for is not what goes on.
        place.write("up", "");
        wait_for(&place, &["history", "web/http"], "web/http is ok: h: no answer");
        let moment = client.command("servertime").expect("answered")[0].split(' ').next().map(str::to_owned);
        let moment = moment.expect("a time");
        daemon.signal(signal);
        daemon.ended(wait::PATIENCE).expect("it ends");
        let (_daemon, _client) = start(&place);
        let text = printed(&place, &["why", "web", "http"]);
        assert!(
            text.contains("not sent: numalerts 1 (line 9): 1 of 1 alerts of this failure are out"),
            "{text}"
        );
        let text = printed(&place, &["why", "web", "http", "--at", &moment]);
        assert!(text.contains("  recovery\n") && !text.contains("If it"), "{text}");
        let all = printed(&place, &["history"]);
        let ends = all.matches("the daemon ended").count();
        assert_eq!(
            (all.matches("the daemon started").count(), ends),
            (2, usize::from(signal == "TERM")),
            "{all}"
        );
        assert_eq!(all.matches("configuration read, SHA-256 ").count(), 2);
        let hash = Command::new("sha256sum").arg(place.path("etc/mon.cf")).output().expect("coreutils");
        let hash = String::from_utf8_lossy(&hash.stdout).split(' ').next().map(str::to_owned);
        assert!(all.contains(&hash.expect("a hash")), "{all}");
    }
}

#[test]
fn where_there_is_a_record_a_kill_right_after_the_start_loses_nothing() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    fs::create_dir(place.path("state/remon")).expect("it is ours");
    for round in 1..=3 {
        let (mut daemon, _client) = start(&place);
        let begin = std::time::Instant::now();
        // Nobody asks the daemon: that would have it written.
        let starts_and_failures = || {
            let db = rusqlite::Connection::open(place.path(DB)).ok()?;
            let count = "SELECT (SELECT count(*) FROM event WHERE what = 'start'), sum(times) FROM result";
            db.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).ok()
        };
        let written = || starts_and_failures().filter(|seen: &(i64, i64)| seen.0 == round && seen.1 >= round);
        wait::until(wait::PATIENCE, "facts", written).unwrap_or_else(|error| panic!("{error}"));
        assert!(begin.elapsed() < Duration::from_secs(12), "at once: {:?}", begin.elapsed());
        daemon.signal("KILL");
        daemon.ended(wait::PATIENCE).expect("it ends");
    }
}

#[test]
fn killed_in_the_middle_of_writing_again_and_again() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = Place::new();
    let mut mon_cf = "hostgroup web h\n\nwatch web\n".to_owned();
    for number in 0..40 {
        mon_cf += &format!(
            "service s{number}\ninterval 1s\nmonitor flap.monitor\nperiod\nalert note.alert\nupalert note.alert\n"
        );
    }
    place.write("etc/mon.cf", &format!("randstart = 1s\n{mon_cf}"));
    place.script("mon.d/flap.monitor", "#!/bin/sh\ndate +%N\ndate +%S | grep -q '[02468]$'\n");
    place.script("alert.d/note.alert", "#!/bin/sh\ncat >/dev/null\n");
    let mut seen = 0;
    for round in 1..=4 {
        let (mut daemon, _client) = start(&place);
        let facts = wait::until(wait::PATIENCE, "more facts", || {
            Some(printed(&place, &["history"]).lines().count()).filter(|&count| count > seen + 60)
        });
        seen = facts.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
        daemon.signal("KILL");
        daemon.ended(wait::PATIENCE).expect("it ends");
        assert!(!place.read("messages").contains("damaged"), "round {round}: {}", place.read("messages"));
    }
    let (_daemon, _client) = start(&place);
    let all = printed(&place, &["history"]);
    assert!(all.lines().count() >= seen && all.matches("the daemon started").count() == 5, "{all}");
}

#[test]
fn equal_failures_are_there_one_by_one_with_their_run_times() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert\nnumalerts 1");
    let (_daemon, _client) = start(&place);
    let text = wait_for(&place, &["history", "web/http"], "h: no answer (3 times, the last at ");
    assert_eq!(text.matches("web/http fails, exit 1").count(), 1, "{text}");
    let text = printed(&place, &["history", "web/http", "--each"]);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("web/http fails, exit 1")).collect();
    assert!(lines.len() >= 3, "{text}");
    let ran = |line: &&str| {
        let took = line.split_once("h: no answer (ran ").and_then(|(_, took)| took.strip_suffix("s)"));
        took.and_then(|took| took.parse::<f64>().ok()).is_some_and(|took| (0.0..60.0).contains(&took))
    };
    assert!(lines.iter().all(ran), "{text}");
    let times: Vec<&str> = lines.iter().map(|line| &line[..19]).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "each at its own time:\n{text}");
}

#[test]
fn a_damaged_record_is_kept_and_a_new_one_begins() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    fs::create_dir_all(place.path("state/remon")).expect("it is ours");
    place.write(DB, &"rubbish\n".repeat(2000));
    let (_daemon, _client) = start(&place);
    logged(&place, "is damaged (file is not a database): kept as ");
    wait_for(&place, &["history", "web/http"], "web/http fails");
    assert_eq!(place.read("state/remon/history.db.damaged"), "rubbish\n".repeat(2000));
    let mode = |file: &str| fs::metadata(place.path(file)).expect("it is there").permissions().mode();
    assert_eq!(mode(DB) & 0o137, 0, "it is not for others");
}

#[test]
fn without_a_state_directory_or_with_historykeep_zero_there_is_no_record() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    let mon_cf = place.read("etc/mon.cf");
    place.write("etc/mon.cf", &format!("historykeep = 0d\n{mon_cf}"));
    let (_daemon, mut client) = start(&place);
    wait_for(&place, &WHY, "sent, line 9");
    let answer = client.command("list record web http").expect("answered");
    assert_eq!(answer, ["520 list record error, there is no record"]);
    assert!(!place.path(DB).exists());
    // It can be had without a restart; and lost, and had again.
    place.write("etc/mon.cf", &format!("historykeep = 2w\n{mon_cf}"));
    client.command("reset keepstate").expect("answered");
    wait_for(&place, &["history", "web/http"], "web/http fails");
    fs::rename(place.path("state"), place.path("gone")).expect("it is ours");
    place.write("up", "");
    // The open file is written on, wherever it is: monitoring goes on in any case.
    wait_for(&place, &WHY, "web/http (line 5) is ok");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_once_and_tried_again() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    // Nobody can make a folder where a file is, not even root.
    place.write("state/remon", "in the way\n");
    let (_daemon, _client) = start(&place);
    logged(&place, "cannot be written: File exists; monitoring goes on, and it is tried again");
    wait_for(&place, &WHY, "sent, line 8");
    fs::remove_file(place.path("state/remon")).expect("it is ours");
    logged(&place, "is written again");
    wait_for(&place, &["history"], "facts could not be recorded before this");
    assert_eq!(place.read("messages").matches("cannot be written").count(), 1, "{}", place.read("messages"));
}

/// A file system of half a megabyte, gone with the test.
struct Small<'a>(&'a Place);

impl<'a> Small<'a> {
    fn mount(place: &'a Place) -> Option<Small<'a>> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k,mode=755", "remon-test"])
            .arg(place.path("state"))
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Small(place))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path("state")).output();
    }
}

#[test]
fn a_full_disk_is_told_and_monitoring_goes_on() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    let Some(_small) = Small::mount(&place) else {
        return skipped("full disk", "only root can mount a small file system");
    };
    let (_daemon, _client) = start(&place);
    wait_for(&place, &["history", "web/http"], "web/http fails");
    let _ = fs::write(place.path("state/ballast"), vec![b'x'; 1 << 20]);
    // Long summaries, all different, so that there is something to write.
    place.script("mon.d/down.monitor", "#!/bin/sh\ndate +%s.%N.$(printf '%0900d' 0)\nexit 1\n");
    logged(&place, "cannot be written: database or disk is full; monitoring goes on");
    let told = place.read("told").len();
    wait::until(wait::PATIENCE, "more alerts", || (place.read("told").len() > told + 5).then_some(()))
        .expect("monitoring goes on");
    printed(&place, &WHY);
    fs::remove_file(place.path("state/ballast")).expect("it is ours");
    logged(&place, "is written again");
    wait_for(&place, &["history"], "facts could not be recorded before this");
}

#[test]
fn a_folder_for_reading_only_is_told_once() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    let Some(_small) = Small::mount(&place) else {
        return skipped(
            "read-only directory",
            "only root can mount one, and root alone may write everywhere",
        );
    };
    let remount = |how: &str| {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(place.path("state")).output();
        assert!(done.is_ok_and(|output| output.status.success()), "remounted {how}");
    };
    remount("ro");
    let (_daemon, _client) = start(&place);
    logged(&place, "cannot be written: Read-only file system; monitoring goes on");
    wait_for(&place, &WHY, "sent, line 8");
    remount("rw");
    logged(&place, "is written again");
    wait_for(&place, &["history", "web/http"], "web/http fails");
}

#[test]
fn many_ask_the_record_at_once_while_it_is_written() {
    if subject_is_oracle() {
        return skipped("why", "the original has no record");
    }
    let place = failing("\nalert note.alert");
    let (_daemon, _client) = start(&place);
    wait_for(&place, &["history", "web/http"], "sent, line 8");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(place.port).expect("it listens");
                client.set_patience(Duration::from_secs(60));
                for _ in 0..10 {
                    let all = client.command("list record").expect("it is answered");
                    assert!(
                        all.len() > 3 && all.last().is_some_and(|last| last.starts_with("220")),
                        "{all:?}"
                    );
                    let why = client.command("why web http at 1").expect("it is answered");
                    assert!(why.last().is_some_and(|last| last == "220 why completed"), "{why:?}");
                }
            });
        }
    });
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = fs::read_to_string(source().join("README.md")).expect("it is part of the source");
    let screen = fs::read_to_string(source().join("tests/why/readme.expected")).expect("likewise");
    let indented: String = screen
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect();
    assert!(readme.contains(indented.trim_end()), "README.md shows something else than\n{indented}");
}
