//! SIGHUP, `reset` and `mon diff` with a real daemon: what changed, and nothing else.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Place, skipped, source, subject, wait};

/// Writes down its arguments, takes as long as `time` says, and ends as `exit` says.
const MONITOR: &str = "#!/bin/sh
echo \"$MON_SERVICE $*\" >>@DIR@/runs
read -r time <@DIR@/time && sleep \"$time\"
read -r code <@DIR@/exit
echo \"said by $0\"
exit \"$code\"
";

const ALERT: &str = "#!/bin/sh\necho \"$MON_SERVICE $MON_ALERTTYPE\" >>@DIR@/alerts\n";

/// One service that alerts once an hour, and a second one.
const CONFIG: &str = "hostgroup web h1 h2

watch web
    service ping
        interval 1h
        monitor fake.monitor
        period day:
            alert fake.alert
            upalert fake.alert
            alertevery 1h
    service other
        interval 1h
        monitor fake.monitor
";

struct Lab {
    place: Place,
    daemon: Daemon,
    client: Client,
}

impl Lab {
    fn start(config: &str) -> Lab {
        let place = Place::new();
        place.script("mon.d/fake.monitor", MONITOR);
        place.script("alert.d/fake.alert", ALERT);
        place.write("time", "0\n");
        place.write("exit", "0\n");
        place.write("etc/mon.cf", config);
        let mut daemon = Daemon::spawn(&subject(), &place, &[]);
        let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
        Lab { place, daemon, client }
    }

    fn say(&mut self, command: &str) -> Vec<String> {
        self.client
            .command(command)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.place.read("messages")))
    }

    /// Writes the file, sends the signal, and waits until the log says so many times what came of it.
    fn hang_up(&self, config: &str, times: usize, said: &str) {
        self.place.write("etc/mon.cf", config);
        self.daemon.signal("HUP");
        self.until(said, || (self.place.read("messages").matches(said).count() >= times).then_some(()));
    }

    fn until<T>(&self, what: &str, probe: impl FnMut() -> Option<T>) -> T {
        wait::until(wait::PATIENCE, what, probe)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.place.read("messages")))
    }

    fn status(&mut self, service: &str) -> String {
        self.say(&format!("list opstatus web,{service}")).swap_remove(0)
    }

    /// Lets the monitor of `ping` run to its end, which is the `times`th one.
    fn run(&mut self, exit: u8, field: &str) {
        self.place.write("exit", &format!("{exit}\n"));
        let before = self.lines("runs");
        self.say("test monitor web ping");
        self.until("the monitor to begin", || (self.lines("runs") > before).then_some(()));
        let client = &mut self.client;
        let ended = wait::until(wait::PATIENCE, field, || {
            let line = client.command("list opstatus web,ping").ok()?.swap_remove(0);
            (line.contains(" monitor_running=0") && line.contains(field)).then_some(())
        });
        ended.unwrap_or_else(|error| panic!("{error}\n{}", self.place.read("messages")));
    }

    fn lines(&self, file: &str) -> usize {
        let text = self.place.read(file);
        if text == "<missing>" { 0 } else { text.lines().count() }
    }

    /// `mon diff` with the port of the daemon.
    fn diff(&self, files: &[&str]) -> (Option<i32>, String) {
        let port = self.place.port.to_string();
        let mut command = self.place.command(&subject());
        command.args(["diff", "-s", "127.0.0.1", "-p", &port]).args(files);
        told(&command.output().expect("the built program can be started"))
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), format!("{stdout}{stderr}"))
}

const TAKEN: &str = "reloaded mon.cf: ";
const KEPT: &str = "the configuration was not replaced";

#[test]
fn a_bad_file_changes_nothing_whoever_asks() {
    let mut lab = Lab::start(CONFIG);
    lab.run(1, " opstatus=0 ");
    lab.place.write("time", "600\n");
    lab.say("test monitor web other");
    lab.until("the monitor to begin", || (lab.lines("runs") == 2).then_some(()));
    let bad = CONFIG.replace("interval 1h", "interval soon");
    lab.hang_up(&bad, 1, KEPT);
    for command in ["reset", "reset keepstate", "reset stopped"] {
        let reply = lab.say(command);
        let last = reply.last().map(String::as_str).unwrap_or_default();
        assert!(
            last.starts_with("520 reset PID ") && last.ends_with(" failed, error in config file"),
            "{reply:?}"
        );
    }
    let log = lab.place.read("messages");
    let finding = "error reading config file: cf error: ";
    assert_eq!(
        (log.matches(finding).count(), log.matches("line 5").count()),
        (8, 4),
        "each error, each time: {log}"
    );
    assert!(lab.status("ping").contains(" opstatus=0 "));
    assert!(lab.status("other").contains(" monitor_running=1"), "what ran goes on");
    assert_eq!(lab.say("list state")[0], "scheduler running");
}

#[test]
fn a_monitor_that_runs_is_heard_and_runs_once() {
    let mut lab = Lab::start(CONFIG);
    lab.place.write("time", "3\n");
    lab.place.write("exit", "1\n");
    lab.say("test monitor web ping");
    lab.until("the monitor to begin", || (lab.lines("runs") == 1).then_some(()));
    let mut before = Vec::new();
    let client = &mut lab.client;
    wait::until(wait::PATIENCE, "its process id", || {
        before = client.command("list pids").ok()?;
        (before.len() == 3).then_some(())
    })
    .expect("it runs");
    lab.hang_up(&CONFIG.replace("service other", "service another"), 1, TAKEN);
    assert_eq!(lab.say("list pids"), before, "the same process");
    lab.until("the alert", || (lab.lines("alerts") == 1).then_some(()));
    assert!(lab.status("ping").contains(" opstatus=0 "));
    assert!(lab.status("another").contains(" opstatus=7 "));
    assert_eq!(lab.place.read("runs"), "ping h1 h2\n");
    let log = lab.place.read("messages");
    assert!(log.contains("1 service added, 1 removed, 1 unchanged"), "{log}");
}

#[test]
fn an_acknowledgement_stays() {
    let mut lab = Lab::start(CONFIG);
    lab.run(1, " opstatus=0 ");
    lab.say("ack web ping busy");
    lab.say("disable service web other");
    lab.hang_up(&CONFIG.replace("alertevery 1h", "alertevery 1s"), 1, TAKEN);
    let status = lab.status("ping");
    assert!(status.contains("busy") && !status.contains(" ack=0 "), "{status}");
    lab.place.write("time", "1\n");
    lab.run(2, " exitval=2 ");
    assert_eq!(lab.place.read("alerts"), "ping failure\n", "acknowledged is acknowledged");
    assert!(lab.say("list disabled").concat().contains("other"));
    // Saved as well, for whoever starts next.
    assert!(lab.place.read("state/opstatus").contains("busy"));
    assert_eq!(lab.place.read("state/disabled"), "disable service web other\n");
}

#[test]
fn nobody_is_told_twice_and_the_end_of_the_outage_is_told() {
    let mut lab = Lab::start(CONFIG);
    lab.run(1, " opstatus=0 ");
    lab.until("the alert", || (lab.lines("alerts") == 1).then_some(()));
    for (times, config) in [
        CONFIG.to_owned(),
        CONFIG.replace("period day:", "period always:"),
        CONFIG.replace("period day:", "period always: hr {0-23}"),
        CONFIG.replace("period day:", "period wd {Sun-Sat}"),
    ]
    .iter()
    .enumerate()
    {
        lab.hang_up(config, times + 1, TAKEN);
        lab.run(times as u8 + 2, &format!(" exitval={} ", times + 2));
    }
    assert_eq!(lab.place.read("alerts"), "ping failure\n");
    lab.run(0, " opstatus=1 ");
    lab.until("the upalert", || (lab.place.read("alerts") == "ping failure\nping up\n").then_some(()));
}

#[test]
fn a_host_more_is_looked_at() {
    let mut lab = Lab::start(CONFIG);
    lab.place.write("time", "600\n");
    lab.say("test monitor web ping");
    lab.until("the monitor to begin", || (lab.lines("runs") == 1).then_some(()));
    lab.place.write("time", "0\n");
    lab.hang_up(&CONFIG.replace("h1 h2", "h1 h2 h3"), 1, TAKEN);
    lab.until("the run to begin again", || {
        (lab.place.read("runs") == "ping h1 h2\nping h1 h2 h3\n").then_some(())
    });
    lab.until("its end", || lab.place.processes().len().eq(&1).then_some(()));
    lab.run(0, " opstatus=1 ");
}

#[test]
fn a_plain_reset_starts_afresh() {
    let mut lab = Lab::start(CONFIG);
    lab.run(1, " opstatus=0 ");
    assert!(lab.say("reset")[0].starts_with("220 "));
    assert!(lab.status("ping").contains(" opstatus=7 "));
}

#[test]
fn other_rules_hold_from_the_reload_on() {
    // The flag of the place would win over the file: a daemon without it.
    let place = Place::new();
    let config = format!("authfile = {}\n{CONFIG}", place.path("etc/auth.cf").display());
    place.write("etc/mon.cf", &config);
    place.write("etc/closed.cf", "command section\nlist: all\n\ntrap section\n");
    let mut flags = place.flags();
    let at = flags.iter().position(|flag| flag == "-A").expect("it is there");
    flags.drain(at..at + 2);
    let mut daemon = Daemon::spawn_with(&subject(), &place, place.dir(), &flags);
    let mut client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    assert_eq!(
        client.command("checkauth stop").expect("it answers").last().map(|line| line[..3].to_owned()),
        Some("220".into())
    );
    place.write("etc/mon.cf", &config.replace("auth.cf", "closed.cf"));
    daemon.signal("HUP");
    let closed = wait::until(wait::PATIENCE, "the other rules", || {
        let reply = client.command("checkauth stop").ok()?;
        reply.last().filter(|line| line.starts_with("520")).map(|_| ())
    });
    closed.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
}

#[test]
fn two_signals_end_with_the_newest_file() {
    let lab = Lab::start(CONFIG);
    for round in 1..=20 {
        lab.place.write("etc/mon.cf", &CONFIG.replace("service other", &format!("service round{round}")));
        lab.daemon.signal("HUP");
    }
    let mut client = Client::connect(lab.place.port).expect("the daemon listens");
    lab.until("the newest file", || {
        client.command("list watch").ok()?.concat().contains("web round20").then_some(())
    });
    assert!(client.command("reset keepstate").expect("it answers")[0].starts_with("220 "));
    assert!(client.command("list watch").expect("it answers").concat().contains("web round20"));
}

#[test]
fn ten_thousand_services_are_reloaded_while_others_are_served() {
    let many = |first: &str| {
        let mut text = String::from("watch web\n");
        for number in 0..10_000 {
            let interval = if number == 0 { first } else { "1h" };
            text += &format!(
                "    service s{number}\n        interval {interval}\n        monitor fake.monitor\n        period day:\n            alert fake.alert\n            alertevery 1h\n"
            );
        }
        text
    };
    let lab = Lab::start(&many("1h"));
    lab.place.write("etc/mon.cf", &many("2h"));
    lab.daemon.signal("HUP");
    let mut client = Client::connect(lab.place.port).expect("the daemon listens");
    let mut longest = Duration::ZERO;
    lab.until("the reload", || {
        let asked = Instant::now();
        client.command("version").ok()?;
        longest = longest.max(asked.elapsed());
        lab.place.read("messages").contains("1 service changed, 9999 unchanged").then_some(())
    });
    // Of a build without optimisation on a loaded machine; the optimised one takes a tenth of a second.
    assert!(longest < Duration::from_secs(8), "a client waited {longest:?}");
}

#[test]
fn mon_diff_tells_what_the_daemon_would_do() {
    let lab = Lab::start(CONFIG);
    let running = lab.place.path("etc/mon.cf").display().to_string();
    assert_eq!(lab.diff(&[]), (Some(0), "2 services unchanged\n".into()));
    let new = CONFIG.replace("service other", "service another");
    lab.place.write("etc/new.cf", &new);
    let change = "web/another added\nweb/other removed\n1 service added, 1 removed, 1 unchanged\n";
    assert_eq!(lab.diff(&["etc/new.cf"]), (Some(1), change.into()));
    lab.place.write("etc/mon.cf", &new);
    assert_eq!(lab.diff(&[]), (Some(1), change.into()));
    let (status, text) = lab.diff(&["etc/new.cf"]);
    assert_eq!(status, Some(2));
    assert!(text.contains(&format!("the daemon does not run what {running} says now")), "{text}");
    lab.hang_up(&new, 1, TAKEN);
    assert_eq!(lab.diff(&[]), (Some(0), "2 services unchanged\n".into()));
    lab.place.write("etc/mon.cf", &CONFIG.replace("1h", "soon"));
    let (status, text) = lab.diff(&[]);
    assert!(status == Some(2) && text.contains("line 5") && text.contains("520 "), "{text}");
}

#[test]
fn mon_diff_without_daemon() {
    let place = Place::new();
    let port = place.port.to_string();
    let output = place.command(&subject()).args(["diff", "-s", "127.0.0.1", "-p", &port]).output();
    let (status, text) = told(&output.expect("the built program can be started"));
    assert!(status == Some(2) && text.starts_with("mon diff: Could not connect to server"), "{text}");
}

/// `mon diff mon.cf NAME` for every other file of `tests/diff`, against `NAME.expected`.
#[test]
fn two_files_get_their_golden_answer() {
    let folder = source().join("tests/diff");
    let mut differing = Vec::new();
    for name in ["changed.cf", "same.m4", "refused.cf", "missing.cf"] {
        if name.ends_with(".m4") && !Path::new("/usr/bin/m4").exists() {
            skipped("mon diff through m4", "m4 is not installed");
            continue;
        }
        let output = Command::new(subject())
            .args(["diff", "mon.cf", name])
            .current_dir(&folder)
            .output()
            .expect("it starts");
        let (status, text) = told(&output);
        let actual = format!("{text}exit status {}\n", status.expect("not killed"));
        let golden = folder.join(Path::new(name).with_extension("expected"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &actual).expect("the golden file can be written");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != actual {
            differing.push(format!("--- {name}\n{actual}"));
        }
    }
    assert!(differing.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", differing.join("\n"));
}
