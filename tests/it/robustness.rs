//! What monitors and clients may do to a daemon without anybody else noticing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Place, subject, subject_is_oracle, wait};

/// How long any other client may have to wait, whatever else goes on.
const PROMPT: Duration = Duration::from_secs(1);

/// One at a time: each of these tests loads the machine, and measures how long others wait.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that could disturb the next.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A daemon over one configuration, and a connection.
fn start(place: &Place, config: &str) -> (Daemon, Client) {
    place.write("etc/mon.cf", config);
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

/// A watch with one service of this name for each monitor line.
fn watch(services: &[(String, &str)]) -> String {
    let mut text = String::from("watch web\n");
    for (name, monitor) in services {
        text += &format!("    service {name}\n        interval 1h\n        monitor {monitor} ;;\n");
    }
    text
}

/// A new client asks something small, and must get the answer at once.
fn assert_prompt(place: &Place) {
    let asked = Instant::now();
    let mut client = Client::connect(place.port).expect("the daemon listens");
    client.set_patience(PROMPT);
    client.command("version").unwrap_or_else(|error| panic!("another client was kept waiting: {error}"));
    assert!(asked.elapsed() < PROMPT, "another client waited {:?}", asked.elapsed());
}

/// Waits for a service to have this text in its status, while every other client is served promptly.
fn until_status(place: &Place, client: &mut Client, service: &str, wanted: &str) -> String {
    let found = wait::until(Duration::from_secs(60), &format!("{service} to show `{wanted}`"), || {
        assert_prompt(place);
        let line = client.command(&format!("list opstatus web,{service}")).ok()?.swap_remove(0);
        line.contains(wanted).then_some(line)
    });
    found.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_killed_monitor_is_a_failure_and_nothing_more() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/sleepy.monitor", "#!/bin/sh\necho $$ >@DIR@/sleepy.pid\nexec sleep 600\n");
    let (_daemon, mut client) = start(&place, &watch(&[("sleepy".into(), "sleepy.monitor")]));
    client.command("test monitor web sleepy").expect("the daemon serves");
    let pid = wait::until(wait::PATIENCE, "the monitor to run", || {
        place.read("sleepy.pid").trim().parse::<u32>().ok()
    });
    let pid = pid.unwrap_or_else(|error| panic!("{error}"));
    let status =
        std::process::Command::new("sh").args(["-c", "kill -s KILL \"$0\"", &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the monitor was still there");
    let line = until_status(&place, &mut client, "sleepy", " monitor_running=0");
    // The original takes a death by signal for success.
    let expected = if subject_is_oracle() { " opstatus=1 " } else { " opstatus=0 " };
    assert!(line.contains(expected), "{line}");
}

#[test]
fn a_hundred_megabytes_of_output_are_cut_short() {
    let _alone = alone();
    let place = Place::new();
    let script = "#!/bin/sh\necho flood\nhead -c 100000000 /dev/zero | tr '\\0' x\nexit 3\n";
    place.script("mon.d/flood.monitor", script);
    let (daemon, mut client) = start(&place, &watch(&[("flood".into(), "flood.monitor")]));
    client.command("test monitor web flood").expect("the daemon serves");
    let line = until_status(&place, &mut client, "flood", " exitval=3 ");
    assert!(line.contains(" last_summary=flood "), "the summary is the first line: {:.300}", line);
    if !subject_is_oracle() {
        assert!(line.len() < 5_000_000, "{} bytes were kept", line.len());
        let peak = peak_memory(daemon.pid());
        assert!(peak < 100_000, "it took {peak} KiB of memory");
    }
}

/// The most memory a process ever had, in KiB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the daemon lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux always tells");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn five_hundred_monitors_at_once_are_only_work() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/slow.monitor", "#!/bin/sh\nsleep 2\necho done\nexit 0\n");
    let services: Vec<(String, &str)> =
        (0..500).map(|number| (format!("s{number}"), "slow.monitor")).collect();
    let (_daemon, mut client) = start(&place, &watch(&services));
    for (name, _) in &services {
        client.command(&format!("test monitor web {name}")).expect("the daemon serves");
    }
    let all = wait::until(Duration::from_secs(90), "all 500 to have run", || {
        assert_prompt(&place);
        let good = client.command("list successes").ok()?;
        (good.len() > services.len()).then_some(())
    });
    all.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_client_that_never_reads_harms_only_itself() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/wordy.monitor", "#!/bin/sh\nhead -c 20000 /dev/zero | tr '\\0' x\nexit 1\n");
    let (_daemon, mut client) = start(&place, &watch(&[("wordy".into(), "wordy.monitor")]));
    client.command("test monitor web wordy").expect("the daemon serves");
    until_status(&place, &mut client, "wordy", " exitval=1 ");
    let mut deaf = Client::connect(place.port).expect("the daemon listens");
    deaf.set_patience(PROMPT);
    // Some 200 MB of replies, if anybody took them. The daemon may also stop taking commands: then sending ends.
    let flood = "list opstatus web,wordy\n".repeat(1000);
    for _ in 0..10 {
        if deaf.send(flood.as_bytes()).is_err() {
            break;
        }
        assert_prompt(&place);
    }
    client.command("test monitor web wordy").expect("the daemon serves");
    until_status(&place, &mut client, "wordy", " monitor_running=0");
}
