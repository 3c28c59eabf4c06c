//! What a simulation takes from other files: configurations that come later, saved state, what a daemon recorded.

use crate::support::{Daemon, Place, subject};

use super::{simulate, status, transcript};

const BEFORE: &str =
    "watch web\nservice ping\ninterval 1m\nmonitor fake.monitor\nperiod\nalert before.alert\n";
const AFTER: &str = "watch web\nservice ping\ninterval 1m\nmonitor fake.monitor\nperiod\nalert after.alert\n";

/// The alerts of a timeline: when, and which program.
fn alerts(told: &str) -> Vec<(&str, &str)> {
    let words = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| words.get(1) == Some(&"alert")).map(|words| (words[0], words[3])).collect()
}

#[test]
fn another_configuration_comes_into_force_with_the_next_reset() {
    let place = Place::new();
    place.write("a.cf", BEFORE);
    place.write("etc/b.cf", AFTER);
    let events = "+0s fail web/ping\n+90s config b.cf\n+150s reset keepstate\n+190s config ../a.cf\n+200s restart\nfor 5m\n";
    place.write("etc/some.events", events);
    let told = transcript(&simulate(place.dir(), &["-c", "a.cf", "etc/some.events"]));
    let expect = [
        ("00:01:00", "before.alert"),
        ("00:02:00", "before.alert"),
        ("00:03:00", "after.alert"),
        ("00:04:20", "before.alert"),
    ];
    assert_eq!(alerts(&told), expect, "{told}");
    place.write("etc/some.events", "+90s config no-such.cf\n");
    let told = transcript(&simulate(place.dir(), &["-c", "a.cf", "etc/some.events"]));
    assert!(told.starts_with("mon simulate: config file etc/no-such.cf does not exist\n"), "{told}");
    place.write("etc/some.events", "+90s config\n");
    let told = transcript(&simulate(place.dir(), &["-c", "a.cf", "etc/some.events"]));
    assert!(told.starts_with("etc/some.events:1:6: error[S04]: a file is missing\n"), "{told}");
}

#[test]
fn a_daemon_begins_stopped_or_with_what_was_saved() {
    let place = Place::new();
    place.write("a.cf", BEFORE);
    place.write("state/disabled", "disable service web ping\n");
    let with = |events: &str, more: &[&str]| {
        place.write("some.events", &format!("+0s fail web/ping\nfor 90s\n{events}"));
        transcript(&simulate(place.dir(), &[&["-c", "a.cf", "some.events"], more].concat()))
    };
    assert_eq!(alerts(&with("", &["--statedir", "state"])).len(), 1, "nobody said that it is read");
    let told = with("begin all\n", &["--statedir", "state"]);
    assert!(alerts(&told).is_empty() && told.contains(" no alert     web/ping: "), "{told}");
    assert_eq!(alerts(&with("begin all\n", &[])).len(), 1);
    assert_eq!(alerts(&with("begin stopped\n", &[])).len(), 0);
    assert_eq!(alerts(&with("missing before.alert\n", &[])).len(), 0);
    let told = with("", &["--missing", "before.alert"]);
    assert!(alerts(&told).is_empty() && told.contains("# before.alert is not there\n"), "{told}");
    for (events, said) in [
        ("begin opstatsu\n", "some.events:3:7: error[S04]: `opstatsu` is not expected here\n"),
        ("missing\n", "some.events:3:1: error[S04]: after `missing` stands the name of a program\n"),
        ("+1s due now\n", "some.events:3:9: error[S04]: `now` is not expected here\n"),
        ("+1s as amy\n", "some.events:3:5: error[S04]: a command is missing\n"),
    ] {
        let told = with(events, &[]);
        assert!(told.starts_with(said), "{told}");
    }
    let told = with("", &["--statedir", "no-such"]);
    assert!(told.starts_with("mon simulate: there is no directory no-such\n"), "{told}");
}

#[test]
fn a_record_is_read_without_its_daemon_and_played_with_the_configurations_of_its_time() {
    let place = Place::new();
    crate::differential::calls::install(&place);
    place.write(
        "etc/mon.cf",
        &format!("startupalerts_on_reset = yes\n{}", BEFORE.replace("alert b", "startupalert b")),
    );
    let mut daemon = Daemon::spawn(&subject(), &place, &["-S".to_owned()]);
    let mut client = daemon.ready().expect("the daemon starts");
    place.write("before.cf", &place.read("etc/mon.cf"));
    place.write("after.cf", &place.read("etc/mon.cf").replace("before", "after"));
    place.write("etc/mon.cf", &place.read("after.cf"));
    for line in ["start", "reset"] {
        client.command(line).expect("an answer");
    }
    place.write("etc/mon.cf", "watch web\nservice ping\ninterval soon\n");
    client.command("reset").expect("an answer");
    daemon.signal("TERM");
    daemon.ended(crate::support::wait::PATIENCE).expect("it ends");
    let record = "state/remon/history.db";
    let mon = |args: &[&str]| {
        let mut command = place.command(env!("CARGO_BIN_EXE_mon").as_ref());
        let output = command.args(args).output().expect("it starts");
        assert!(output.status.success(), "{}", transcript(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let history = mon(&["history", "--record", record]);
    assert!(history.contains("  the daemon started, with the scheduler stopped\n"), "{history}");
    let facts = mon(&["history", "--record", record, "--format", "record"]);
    assert!(facts.contains(" what=start stopped=1\n") && facts.contains(" text=reset\n"), "{facts}");
    let none = mon(&["history", "web/pong", "--record", record]);
    assert_eq!(none, "Nothing is recorded.\n");
    let replay = ["-c", "before.cf", "--replay", record];
    let told = transcript(&simulate(place.dir(), &[&replay[..], &["--past", "after.cf"]].concat()));
    assert!(told.contains(" event        config after.cf\n") && told.contains(": after.alert "), "{told}");
    assert_eq!(told.matches("event        command reset\n").count(), 1, "the other one was refused: {told}");
    let told = transcript(&simulate(place.dir(), &replay));
    assert!(told.contains("# left out, as there is no configuration with the SHA-256 "), "{told}");
    let told = transcript(&simulate(place.dir(), &[&replay[..], &["--format", "record"]].concat()));
    assert!(told.contains(" what=command user= text=reset\n"), "{told}");
    let wrong = simulate(place.dir(), &["-c", "before.cf", "--past", "after.cf"]);
    assert_eq!(status(&wrong), Some(2), "there is nothing to replay");
}
