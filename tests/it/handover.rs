//! One of the two daemons ends and the other takes over its files, in both directions.
//!
//! What the operator expects of it is what he gets when the original takes over from itself: everything that was
//! disabled, acknowledged or counted goes on, every line of history stays, and no file changes but those that
//! the original would change.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use crate::differential::calls::{ALERT, MONITOR};
use crate::differential::scenario::Scenario;
use crate::differential::{drive, send_trap};
use crate::support::{
    Client, Daemon, Observation, Place, differences, oracle, skipped, source, subject, subject_is_oracle,
    wait,
};

/// Debian's configuration, as its package installs it.
const SHIPPED: &str = "/etc/mon/mon.cf";

/// Its paths, and where they lead in a test. Its programs are replaced by fake ones, so that no mail goes out.
const MOVED: &[(&str, &str)] = &[
    ("/usr/lib/mon/mon.d:/usr/lib/mon/mon-local.d", "@DIR@/mon.d"),
    ("/usr/lib/mon/alert.d", "@DIR@/alert.d"),
    ("/var/log/mon", "@DIR@/log"),
    ("/var/lib/mon", "@DIR@/state"),
    ("/etc/mon", "@DIR@/etc"),
    // Nothing runs until the scenario says so.
    ("randstart\t\t= 60s", "randstart\t\t= 0s"),
];

/// Carries out the scenario with every pair of daemons, and compares with the original after itself.
fn as_the_original_after_itself(file: &str, save: &str) {
    let (Some(oracle), Ok(shipped)) = (oracle(), std::fs::read_to_string(SHIPPED)) else {
        return skipped("handover", "the original or its mon.cf is not installed (apt-get install mon)");
    };
    let scenario = scenario(file, &shipped, save);
    let ours = subject();
    let pairs = [[&oracle, &oracle], [&oracle, &ours], [&ours, &oracle], [&ours, &ours]];
    let seen: Vec<Vec<Observation>> = std::thread::scope(|scope| {
        let drive = |pair: [&PathBuf; 2]| drive(&scenario, &pair.map(PathBuf::as_path));
        let drivers = pairs.map(|pair| scope.spawn(move || drive(pair)));
        drivers.into_iter().map(|driver| driver.join().expect("a driver reports errors")).collect()
    });
    for (name, seen_here) in
        ["from the original to ours", "from ours to the original", "from ours to ours"].iter().zip(&seen[1..])
    {
        let report = differences(&seen[0], seen_here);
        assert!(report.is_empty(), "{name} ({file}, {save}):\n{report}");
    }
}

/// The scenario with what is only known here filled in.
fn scenario(file: &str, shipped: &str, save: &str) -> Scenario {
    let text = std::fs::read_to_string(folder().join(file)).expect("the file is part of the source");
    let shipped = MOVED.iter().fold(shipped.to_owned(), |text, (from, to)| text.replace(from, to));
    let mut fakes = String::new();
    for monitor in ["fping", "http", "smtp"] {
        fakes += &format!("== script mon.d/{monitor}.monitor\n{MONITOR}");
    }
    fakes += &format!("== script alert.d/mail.alert\n{ALERT}== steps\n");
    let text = text.replace("@SHIPPED@", &shipped).replace("@SAVE@", save).replace("== steps\n", &fakes);
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn folder() -> &'static Path {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FOLDER.get_or_init(|| source().join("tests/handover"))
}

#[test]
fn after_savestate() {
    as_the_original_after_itself("keeps_everything.scenario", "command savestate all");
}

#[test]
fn after_reset_keepstate() {
    as_the_original_after_itself("short.scenario", "command reset keepstate");
}

#[test]
fn after_sighup() {
    as_the_original_after_itself("short.scenario", "hangup");
}

/// A watch with many services; of the last one something is known.
fn many_services(place: &Place, count: usize) {
    let mut config = String::from("watch web\n");
    for number in 0..count {
        config += &format!("    service s{number}\n        interval 1h\n        monitor fake.monitor\n");
    }
    place.write("etc/mon.cf", &config);
}

fn start(place: &Place) -> (Daemon, Client) {
    let mut daemon = Daemon::spawn(&subject(), place, &["-l".into(), "all".into()]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

/// Damaged state: its name, the text of the files, how many services are known after loading, whether hosts are
/// disabled after loading, how many lines are complained of.
type Damage = (&'static str, &'static str, &'static str, usize, usize, usize);

const DAMAGES: &[Damage] = &[
    ("whole", "group=web\tservice=s0\top_status=0\n", "disable watch web\n", 1, 1, 0),
    ("empty", "", "", 0, 0, 0),
    ("rubbish", "rubbish\n\u{1}\u{ff}\n", "hello\ndisable\n", 0, 0, 4),
    ("a hole", "\0\0\0\0\0\0\ngroup=web\tservice=s0\top_status=0\n", "\0\0\0\ndisable watch web\n", 1, 1, 2),
    (
        "cut off",
        "group=web\tservice=s0\top_status=0\tlast_failure=17",
        "disable watch web\ndisable wa",
        1,
        1,
        2,
    ),
    ("no number", "group=web\tservice=s0\top_status=banana\tack=x\n", "disable host\n", 0, 0, 1),
    ("no service", "group=web\top_status=0\n", "disable service web\n", 0, 0, 2),
];

#[test]
fn damaged_state_is_told_and_kept_and_stops_nothing() {
    if subject_is_oracle() {
        return skipped("damaged state", "the original reports no damage and keeps no copy");
    }
    for &(name, opstatus, disabled, known, disableds, complaints) in DAMAGES {
        let place = Place::new();
        many_services(&place, 2);
        place.write("state/opstatus", opstatus);
        place.write("state/disabled", disabled);
        let (_daemon, mut client) = start(&place);
        let failures = client.command("list failures").expect("it serves");
        let failing = failures.len() - 1;
        let off = client.command("list disabled").expect("it serves").len() - 1;
        assert_eq!((failing, off), (known, disableds), "{name}: {failures:?}");
        let messages = place.read("messages");
        let told = messages.lines().filter(|line| line.contains("; skipped")).count();
        assert_eq!(told, complaints, "{name}: {messages}");
        client.command("savestate all").expect("it serves");
        for (file, before) in [("opstatus", opstatus), ("disabled", disabled)] {
            let complained = messages.lines().any(|line| line.contains(file) && line.contains("; skipped"));
            let copy = place.path(&format!("state/remon/{file}.damaged"));
            let kept = std::fs::read_to_string(copy).ok();
            let expected = complained.then(|| before.to_owned());
            assert_eq!(kept, expected, "{name}: the copy of {file}");
            assert_ne!(place.read(&format!("state/{file}")), before.to_owned() + "x", "{name}");
        }
    }
}

#[test]
fn copies_of_damaged_state_do_not_replace_each_other() {
    if subject_is_oracle() {
        return skipped("damaged state", "the original keeps no copy");
    }
    let place = Place::new();
    many_services(&place, 1);
    let (_daemon, mut client) = start(&place);
    for damage in ["first\n", "second\n", "second\n", "first\n"] {
        place.write("state/opstatus", damage);
        client.command("loadstate opstatus").expect("it serves");
    }
    assert_eq!(place.read("state/remon/opstatus.damaged"), "first\n");
    assert_eq!(place.read("state/remon/opstatus.damaged.2"), "second\n");
    assert!(!place.path("state/remon/opstatus.damaged.3").exists());
}

#[test]
fn odd_places_for_state_files_are_respected() {
    let place = Place::new();
    many_services(&place, 1);
    place.write("elsewhere", "");
    std::fs::set_permissions(place.path("elsewhere"), Permissions::from_mode(0o640)).expect("it is ours");
    symlink(place.path("elsewhere"), place.path("state/opstatus")).expect("the folder is ours");
    symlink("/dev/null", place.path("state/disabled")).expect("the folder is ours");
    let (_daemon, mut client) = start(&place);
    client.command("disable watch web").expect("it serves");
    client.command("savestate all").expect("it serves");
    assert!(place.read("elsewhere").contains("service=s0"), "the link leads there");
    let mode = place.path("elsewhere").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "who may read it stays");
    for link in ["state/opstatus", "state/disabled"] {
        assert!(place.path(link).is_symlink(), "{link} is still a link");
    }
    let null = Path::new("/dev/null").metadata().expect("every system has it");
    assert!(!null.is_file(), "and /dev/null a device");
}

/// A whole file has a line for each service, and its last line an end.
fn is_whole(text: &str, services: usize) -> bool {
    let whole = |line: &str| line.starts_with("group=web\tservice=s") && line.contains("\ttrap_timer=");
    text.ends_with('\n') && text.lines().count() == services && text.lines().all(whole)
}

#[test]
fn a_killed_daemon_leaves_a_whole_state_file() {
    if subject_is_oracle() {
        return skipped("kill", "the original writes in place and leaves what it had written");
    }
    const SERVICES: usize = 1000;
    const KILLS: usize = 8;
    let place = Place::new();
    many_services(&place, SERVICES);
    for round in 0..KILLS {
        let (mut daemon, mut client) = start(&place);
        // Written at least once, so that there is something to lose; then again and again until the end.
        client.command("savestate all").expect("it serves");
        let (saved, counted) = channel();
        let saving =
            std::thread::spawn(
                move || {
                    while client.command("savestate all").is_ok() && saved.send(()).is_ok() {}
                },
            );
        // Killed at another moment of a save each time, while somebody reads all the time.
        let mut left = 1 + round;
        while left > 0 {
            let text = place.read("state/opstatus");
            assert!(is_whole(&text, SERVICES), "while saving: {} bytes", text.len());
            left -= counted.try_iter().count().min(left);
        }
        daemon.signal("KILL");
        daemon.ended(wait::PATIENCE).expect("nothing survives that");
        drop(counted);
        saving.join().expect("the client ends with its connection");
        let text = place.read("state/opstatus");
        assert!(is_whole(&text, SERVICES), "after the kill: {} bytes", text.len());
        let names: Vec<_> = std::fs::read_dir(place.path("state")).expect("it is there").flatten().collect();
        let strange = names
            .iter()
            .map(|name| name.file_name())
            .filter(|name| !["opstatus", "disabled", "remon"].iter().any(|known| name == known));
        assert_eq!(strange.count(), 0, "only the original's files, and one folder of ours: {names:?}");
    }
}

#[test]
fn a_value_with_an_equals_sign_survives_both_ways() {
    let Some(oracle) = oracle() else {
        return skipped("equals sign", "the original is not installed (apt-get install mon)");
    };
    // The original after itself loses such a value: it takes the last `=` for the end of the name.
    for pair in [[&oracle, &subject()], [&subject(), &oracle]] {
        let place = Place::new();
        many_services(&place, 1);
        let spawn = |program: &Path| {
            let mut daemon = Daemon::spawn(program, &place, &["-l".into(), "all".into()]);
            let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
            (daemon, client)
        };
        let (mut first, mut client) = spawn(pair[0]);
        send_trap(&place, &[("grp", "web"), ("svc", "s0"), ("sta", "1"), ("sum", "a=b=c")]);
        let taken = wait::until(wait::PATIENCE, "the trap to be taken in", || {
            client.command("list failures").ok().filter(|lines| lines.len() > 1)
        });
        taken.unwrap_or_else(|error| panic!("{error}"));
        client.command("savestate all").expect("it serves");
        first.signal("TERM");
        first.ended(wait::PATIENCE).expect("it ends");
        let (_second, mut client) = spawn(pair[1]);
        let status = client.command("list opstatus web,s0").expect("it serves").concat();
        assert!(status.contains("a=b=c"), "{pair:?}: {status}");
    }
}
