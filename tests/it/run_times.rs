//! Monitors that take longer than their interval, known from the record; with a real daemon.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Output;

use crate::support::{Client, Daemon, Place, skipped, subject, subject_is_oracle, wait};

const MON_CF: &str = "statedir = @DIR@/state
authfile = @DIR@/etc/auth.cf
mondir = @DIR@/mon.d
alertdir = @DIR@/alert.d
serverbind = 127.0.0.1
trapbind = 127.0.0.1
hostgroup web h1

watch web
    service slow
        interval 1s
        monitor slow.monitor
        period
            alert fake.alert
    service quick
        interval 1s
        monitor quick.monitor
        period
            alert fake.alert
";

/// What `mon check` says of it, with the number of seconds left out.
const EXPECTED: &str = "@DIR@/etc/mon.cf:11:18: warning[W038]: the monitor usually takes Ns (the median of 3 runs): it cannot run every 1s
   |
11 |         interval 1s
   |                  ^^ shorter than a run
   = help: lengthen the interval, or give the monitor fewer hosts or a shorter time limit";

fn start(place: &Place) -> (Daemon, Client) {
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

fn check(place: &Place, words: &[&str], as_nobody: bool) -> Output {
    const NOBODY: u32 = 65_534;
    let mut command = place.command(&subject());
    command.arg("check").args(words.iter().map(|word| place.fill(word)));
    if as_nobody {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().expect("it was built")
}

/// What is said of run times as it is printed, without what differs from run to run.
fn plain(place: &Place, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).replace(&place.dir().display().to_string(), "@DIR@");
    let text = text.split("\n\n").find(|finding| finding.contains("W038")).unwrap_or_default();
    let Some((before, rest)) = text.split_once("usually takes ") else { return text.to_owned() };
    let (seconds, after) = rest.split_once('s').unwrap_or((rest, ""));
    assert!(seconds.parse::<f64>().is_ok_and(|seconds| (1.2..60.0).contains(&seconds)), "{text}");
    format!("{before}usually takes Ns{after}")
}

/// Waits until a run of `slow` has ended since the last reset.
fn wait_for_run(place: &Place, client: &mut Client) {
    wait::until(wait::PATIENCE, "a run", || {
        let status = client.command("list opstatus web,slow").expect("answered").swap_remove(0);
        (status.contains("monitor_duration=") && !status.contains("monitor_duration=-1")).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
}

#[test]
fn an_interval_shorter_than_the_usual_run_is_told_from_the_record() {
    if subject_is_oracle() {
        return skipped("run times", "the original keeps none");
    }
    let place = Place::new();
    place.write("etc/mon.cf", MON_CF);
    place.script("mon.d/slow.monitor", "#!/bin/sh\nsleep 1.2\n");
    place.script("mon.d/quick.monitor", "#!/bin/sh\n");
    place.script("alert.d/fake.alert", "#!/bin/sh\n");
    place.write("etc/auth.cf", "list: all\nreset: all\n");
    let before = plain(&place, &check(&place, &["@DIR@/etc/mon.cf"], false));
    assert_eq!(before, "", "nothing is known yet");
    let (mut daemon, mut client) = start(&place);
    // One run in twenty minutes is measured; a reset begins anew.
    for _ in 0..2 {
        wait_for_run(&place, &mut client);
        client.command("reset").expect("answered");
    }
    wait_for_run(&place, &mut client);
    let told = || {
        let text = plain(&place, &check(&place, &["@DIR@/etc/mon.cf"], false));
        text.contains("W038").then_some(text)
    };
    let text = wait::until(wait::PATIENCE, "three run times", told);
    assert_eq!(text.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages"))), EXPECTED);
    // The daemon says the same of itself; and the record can be named.
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let record = ["--elsewhere", "--state", "@DIR@/state/remon/history.db", "@DIR@/etc/mon.cf"];
    assert_eq!(plain(&place, &check(&place, &record, false)), EXPECTED);
    let (_daemon, _client) = start(&place);
    let messages = place.read("messages");
    assert!(messages.contains("warning[W038]: the monitor usually takes 1."), "{messages}");
    // Whoever may not read the record is told of everything else.
    let db = place.path("state/remon/history.db");
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let nobody = check(&place, &["@DIR@/etc/mon.cf"], true);
    if nobody.status.code().is_some() && !nobody.stdout.is_empty() {
        let text = plain(&place, &nobody);
        assert!(!text.contains("W038") && nobody.stderr.is_empty(), "{text}");
    }
}
