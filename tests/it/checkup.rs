//! A file that is too large to be searched at start is searched afterwards, with real daemons.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Daemon, Place, skipped, subject, subject_is_oracle, wait};

/// More than the daemon searches at start.
const LARGE: usize = 9 << 20;

/// What is odd in it needs a look at a whole service, at the machine, or at neither.
const MON_CF: &str = "hostgroup web h1 h1

watch web
    service http
        interval 5m
        monitor nowhere.monitor
        period day:
            alert fake.alert
            alertevery 1m
    service ping
        interval 1m
        monitor fake.monitor
";

fn ballast(bytes: usize) -> String {
    let line = format!("# {}\n", "x".repeat(997));
    line.repeat(bytes / line.len() + 1)
}

fn place(config: &str) -> Place {
    let place = Place::new();
    place.script("mon.d/fake.monitor", "#!/bin/sh\n");
    place.script("alert.d/fake.alert", "#!/bin/sh\n");
    place.write("etc/mon.cf", config);
    place
}

fn start(place: &Place, extra: &[&str]) -> Daemon {
    let extra: Vec<String> = extra.iter().map(|word| place.fill(word)).collect();
    let mut daemon = Daemon::spawn(&subject(), place, &extra);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    daemon
}

/// Waits until the log has `part` so many times.
fn logged(place: &Place, part: &str, times: usize) {
    wait::until(wait::PATIENCE, part, || {
        (place.read("messages").matches(part).count() >= times).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
}

/// The warnings about mon.cf, without the time of day; each is there once.
fn warnings(place: &Place) -> BTreeSet<String> {
    let text = place.read("messages");
    let lines: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once("/etc/mon.cf:")?.1)).collect();
    let dir = place.dir().display().to_string();
    let once: BTreeSet<String> = lines.iter().map(|line| line.replace(&dir, "@DIR@")).collect();
    assert_eq!(once.len(), lines.len(), "none is told twice:\n{text}");
    once
}

const DONE: &str = "has been searched for all that may be wrong with it";
const BEGUN: &str = "is searched for meanwhile";

/// The processes of that daemon that search. What they start looks like them for a moment, but has another parent.
fn searching(place: &Place, daemon: &Daemon) -> Vec<u32> {
    let words = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let searches = |pid: &u32| String::from_utf8_lossy(&words(*pid)).starts_with("mon\0search-for-daemon\0");
    let parent = daemon.pid().to_string();
    let is_ours = |pid: &u32| of_stat(*pid, 1).is_some_and(|found| found == parent);
    place.processes().into_iter().filter(searches).filter(is_ours).collect()
}

/// A field of what the system tells of a process; they are counted from the one after its name.
fn of_stat(pid: u32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(field).map(str::to_owned)
}

#[test]
fn every_warning_is_logged_for_a_file_of_every_size() {
    if subject_is_oracle() {
        return skipped("checkup", "the original has no such warnings");
    }
    let small = place(MON_CF);
    let _daemon = start(&small, &[]);
    let expected = warnings(&small);
    assert!(
        expected.len() >= 4 && expected.iter().any(|line| line.contains("nowhere.monitor")),
        "{expected:?}"
    );
    assert!(!small.read("messages").contains(BEGUN));
    for m4 in [&[][..], &["-M", "/usr/bin/m4"]] {
        let large = place(&(MON_CF.to_owned() + &ballast(LARGE)));
        let daemon = start(&large, m4);
        logged(&large, DONE, 1);
        assert_eq!(warnings(&large), expected, "{m4:?}");
        // What comes with a reload is searched likewise: one more, at its place.
        large.write("etc/mon.cf", &(MON_CF.to_owned() + "        nonsense\n" + &ballast(LARGE)));
        daemon.signal("HUP");
        logged(&large, "nonsense", 1);
        large.write("etc/mon.cf", &(MON_CF.replace("h1 h1", "h1 h2") + &ballast(LARGE)));
        daemon.signal("HUP");
        logged(&large, DONE, 2);
        // One after the other: a file that is refused is not searched, and nobody searches any more.
        assert!(searching(&large, &daemon).is_empty());
    }
}

/// Stands in for m4: what the daemon reads it copies; where `hang` is, it keeps who searches waiting.
const M4: &str = "#!/bin/sh
if [ -e @DIR@/hang ] && grep -q search-for-daemon /proc/$PPID/cmdline
then exec sleep 600
fi
cat \"$1\"
";

#[test]
fn a_reload_replaces_the_search_and_it_ends_with_the_daemon() {
    if subject_is_oracle() {
        return skipped("checkup", "the original does not search");
    }
    for signal in ["TERM", "KILL"] {
        let place = place(&(MON_CF.to_owned() + &ballast(LARGE)));
        place.script("m4", M4);
        place.write("hang", "");
        let mut daemon = start(&place, &["-M", "@DIR@/m4"]);
        let one = |not: u32| {
            let found = || searching(&place, &daemon).first().copied().filter(|pid| *pid != not);
            wait::until(wait::PATIENCE, "the search", found).unwrap_or_else(|error| panic!("{error}"))
        };
        let first = one(0);
        let is_humble = || (of_stat(first, 16).as_deref() == Some("19")).then_some(());
        wait::until(wait::PATIENCE, "the lowest priority", is_humble).expect("it yields to others");
        daemon.signal("HUP");
        let second = one(first);
        assert_eq!(searching(&place, &daemon), [second], "never two at once");
        daemon.signal(signal);
        daemon.ended(wait::PATIENCE).expect("it ends");
        wait::until(wait::PATIENCE, "the end of the search", || place.processes().is_empty().then_some(()))
            .expect("it ends with the daemon, and so does m4");
        assert!(!place.read("messages").contains("could not be searched"), "{}", place.read("messages"));
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_told_as_it_is_now() {
    if subject_is_oracle() {
        return skipped("checkup", "the original does not search");
    }
    let place = place(&(MON_CF.to_owned() + &ballast(LARGE)));
    // What the daemon reads and what is there afterwards differ.
    place.script(
        "m4",
        "#!/bin/sh\ngrep -q search-for-daemon /proc/$PPID/cmdline && echo nonsense\ncat \"$1\"\n",
    );
    let _daemon = start(&place, &["-M", "@DIR@/m4"]);
    logged(&place, DONE, 1);
    let text = place.read("messages");
    assert!(text.contains("was changed since it was read; this is about what is there now"), "{text}");
    assert!(text.contains("nowhere.monitor"), "{text}");
}
