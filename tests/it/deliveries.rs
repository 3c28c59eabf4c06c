//! Alert programs that do not get through, and who is told of it: real programs, and real clients that ask.

use std::path::Path;
use std::process::Stdio;

use crate::support::{Client, Daemon, Place, latin1, skipped, subject, subject_is_oracle, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");

/// A service for each way to end; the alert program is named after it.
const WAYS: [&str; 7] = ["well", "three", "killed", "hangs", "broken", "absent", "leaves"];

/// Services of the watch `web`, each with its alert and these lines in its period.
fn config(services: &[&str], lines: &str) -> String {
    let mut text = String::from("alert_timeout = 5m\n\nhostgroup web h1\n\nwatch web\n");
    for service in services {
        text += &format!(
            "  service {service}\n    interval 1h\n    monitor bad.monitor\n    period\n      \
             alert {service}.alert an argument\n      {lines}\n"
        );
    }
    text
}

fn write_programs(place: &Place) {
    // It fails until there is a file `good`.
    place
        .script("mon.d/bad.monitor", "#!/bin/sh\ntest -e \"${0%/*}/../good\" && exit 0\necho down\nexit 1\n");
    for (name, text) in [
        ("well", "cat >/dev/null\nexit 0"),
        ("three", "echo no route to \"it's\" host >&2\nexit 3"),
        ("killed", "kill -KILL $$"),
        // Neither it nor its child heeds TERM, and the child would outlive it.
        ("hangs", "trap '' TERM\necho waiting\nsleep 301 &\nsleep 302\nsleep 303"),
        // What it leaves behind holds its output open, and writes as fast as it can.
        ("leaves", "yes still here &\nexit 0"),
    ] {
        place.script(&format!("alert.d/{name}.alert"), &format!("#!/bin/sh\n{text}\n"));
    }
    place.script("alert.d/broken.alert", "#!/nonexistent/interpreter\n");
    place.write("alert.d/absent.alert", "#!/bin/sh\nexit 0\n");
}

fn start(place: &Place) -> (Daemon, Client) {
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    let client = daemon.ready().unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
    (daemon, client)
}

/// Asks until a line of the answer has all these words; returns it.
fn wait_for(client: &mut Client, place: &Place, command: &str, words: &[&str]) -> String {
    let mut last = Vec::new();
    let found = wait::until(wait::PATIENCE, &format!("{words:?} in {command}"), || {
        last = client.command(command).ok()?;
        last.iter().find(|line| words.iter().all(|word| line.contains(word))).cloned()
    });
    found.unwrap_or_else(|why| panic!("{why}: {last:#?}\n{}", place.read("messages")))
}

/// The output of a program of ours that asks the daemon.
fn ask(place: &Place, words: &[&str]) -> (Option<i32>, String) {
    let mut command = place.command(Path::new(MON));
    let output = command.arg("run").args(words).stdin(Stdio::null()).output().expect("it was built");
    (output.status.code(), latin1(&output.stdout) + &latin1(&output.stderr))
}

#[test]
fn every_way_to_end_is_told_where_it_is_looked_for() {
    if subject_is_oracle() {
        return skipped("deliveries", "the original does not follow its alerts");
    }
    let place = Place::new();
    write_programs(&place);
    let text = config(&WAYS, "alertevery 1d")
        .replace("hangs.alert an argument\n", "hangs.alert an argument\n      alert_timeout 1s\n");
    place.write("etc/mon.cf", &text);
    let (_daemon, mut client) = start(&place);
    for way in WAYS {
        client.command(&format!("test monitor web {way}")).expect("the daemon serves");
    }
    for (way, outcome, words) in [
        ("well", "delivered", ""),
        ("three", "exit\\203", "no\\20route\\20to\\20it\\27s\\20host"),
        ("killed", "signal\\209", ""),
        ("hangs", "timeout", "waiting"),
        ("broken", "not\\20started:\\20No\\20such\\20file\\20or\\20directory", ""),
        ("absent", "not\\20started:\\20no\\20such\\20program\\20in\\20alertdir", ""),
        ("leaves", "delivered", "still\\20here"),
    ] {
        let [service, outcome] = [format!(" service={way} "), format!(" outcome={outcome} ")];
        let line = wait_for(&mut client, &place, "list deliveries", &[&service, &outcome]);
        // What is left behind may not have said anything by then.
        let said = line.contains(&format!(" last_words={words}")) || way == "leaves";
        assert!(said && line.contains(&format!(" line={way}.alert\\20an\\20argument try=1 ")), "{line}");
        let status = client.command(&format!("list opstatus web,{way}")).expect("the daemon serves");
        let tell = status[0].split_once(" alerts_undelivered=1 last_alert_error=").map(|(_, error)| error);
        match way {
            "well" | "absent" | "leaves" => assert!(!status[0].contains("undelivered"), "{}", status[0]),
            _ => assert!(
                tell.is_some_and(|error| error.starts_with(&format!("{way}.alert:"))),
                "{}",
                status[0]
            ),
        }
    }
    the_peer_reports_it(&place);
    monshow_shows_it(&place);
    // The whole process group went, not only its leader.
    let gone = wait::until(wait::PATIENCE, "the children of hangs.alert to go", || {
        let sleeps = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(b"sleep\x0030")
        };
        (!place.processes().iter().any(sleeps)).then_some(())
    });
    gone.unwrap_or_else(|why| panic!("{why}"));
    the_end_of_the_failure_ends_it(&place, &mut client);
}

/// `remote.monitor --undelivered` reports at once what did not get through, also where there is no program.
fn the_peer_reports_it(place: &Place) {
    let port = place.port.to_string();
    let patient = ["remote.monitor", "-p", &port, "--summary", "--failure_duration=1800", "127.0.0.1"];
    assert_eq!(ask(place, &patient), (Some(0), String::new()));
    let (exit, text) = ask(place, &[&patient[..], &["--undelivered"]].concat());
    assert_eq!(
        (exit, text.lines().next()),
        (Some(1), Some("127.0.0.1([web:absent|broken|hangs|killed|three])"))
    );
    for line in [
        "its alert was not delivered: three.alert: exit 3: no route to it's host\n",
        "its alert was not delivered: hangs.alert: timeout: waiting\n",
        "its alert was not delivered: absent.alert: not started: no such program in alertdir\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

fn monshow_shows_it(place: &Place) {
    let port = place.port.to_string();
    let detail = ["--server", "127.0.0.1", "--port", &port, "--detail", "web,three"];
    let (exit, text) = ask(place, &[&["monshow"], &detail[..]].concat());
    assert_eq!(exit, Some(0), "{text}");
    let shown = text.split_once("\nalerts\n------\n").map_or("", |(_, alerts)| alerts);
    assert!(shown.contains(" alert three.alert: exit 3 after "), "{text}");
    assert!(shown.contains(" s: no route to it's host\n"), "{text}");
    let (_, json) = ask(place, &[&["monshow", "--json"], &detail[..]].concat());
    assert!(json.contains(r#""deliveries": [{"#) && json.contains(r#""outcome": "exit 3""#), "{json}");
    place.write(".monshowrc", "set host 127.0.0.1\nset port @PORT@\n");
    let mut page = place.command(Path::new(MON));
    page.args(["run", "monshow"]).env("REQUEST_METHOD", "GET").env("SCRIPT_NAME", "/monshow.cgi");
    let page = page.env("QUERY_STRING", "detail=web,three").output().expect("it was built");
    let page = latin1(&page.stdout);
    let shown = page.split_once("<h2>Alerts</h2>").map_or("", |(_, alerts)| alerts);
    assert!(shown.contains(" alert three.alert: exit 3 after "), "{page}");
    let (_, moncmd) =
        ask(place, &["moncmd", "-s", "127.0.0.1", "-p", &port, "list", "deliveries", "web", "three"]);
    assert!(moncmd.lines().count() == 2 && moncmd.contains(" outcome=exit\\203 "), "{moncmd}");
}

fn the_end_of_the_failure_ends_it(place: &Place, client: &mut Client) {
    place.write("good", "");
    client.command("test monitor web three").expect("the daemon serves");
    let line = wait_for(client, place, "list opstatus web,three", &[" opstatus=1 "]);
    assert!(!line.contains("undelivered"), "{line}");
    assert!(
        !client.command("list deliveries web three").expect("it serves").concat().contains("undelivered=1")
    );
}

#[test]
fn a_try_that_gets_through_is_the_same_call_and_is_counted_once() {
    if subject_is_oracle() {
        return skipped("deliveries", "the original does not follow its alerts");
    }
    let place = Place::new();
    write_programs(&place);
    // Notes all it is given but for what a shell adds; the third time it gets through.
    place.script(
        "alert.d/third.alert",
        "#!/bin/sh\nhere=\"${0%/*}/..\"\n{ echo \"$*\"; cat; env | grep '^MON_' | sort; } >\"$here/call.$$\"\n\
         echo x >>\"$here/calls\"\ntest \"$(wc -l <\"$here/calls\")\" -ge 3\n",
    );
    place.write("etc/mon.cf", &format!("historicfile = history\n{}", config(&["third"], "alertretry 5 1s")));
    let (_daemon, mut client) = start(&place);
    client.command("test monitor web third").expect("the daemon serves");
    wait_for(&mut client, &place, "list deliveries", &[" try=1 ", " outcome=exit\\201 "]);
    wait_for(&mut client, &place, "list deliveries", &[" try=3 ", " outcome=delivered "]);
    let status = client.command("list opstatus web,third").expect("the daemon serves").concat();
    assert!(status.contains(" alerts_sent=1 ") && !status.contains("undelivered"), "{status}");
    assert_eq!(client.command("list alerthist").expect("it serves").len(), 2, "one line, and 220");
    let calls = std::fs::read_dir(place.dir()).expect("it is ours").flatten();
    let calls = calls.filter(|entry| entry.file_name().to_string_lossy().starts_with("call."));
    let calls: Vec<_> = calls.map(|entry| std::fs::read(entry.path()).expect("it was written")).collect();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| *call == calls[0]), "{}", latin1(&calls.join(&b'\n')));
    assert!(latin1(&calls[0]).contains("down\n") && latin1(&calls[0]).contains("MON_ALERTTYPE=failure"));
    wait::until(wait::PATIENCE, "the historicfile", || {
        (place.read("log/history").lines().count() == 1).then_some(())
    })
    .unwrap_or_else(|why| panic!("{why}: {}", place.read("log/history")));
}

#[test]
fn what_is_pending_outlives_a_reset_and_is_told_at_the_end() {
    if subject_is_oracle() {
        return skipped("deliveries", "the original does not follow its alerts");
    }
    let place = Place::new();
    write_programs(&place);
    place.write("etc/mon.cf", &config(&["three", "hangs"], "alertretry 5 1h"));
    let (mut daemon, mut client) = start(&place);
    for service in ["three", "hangs"] {
        client.command(&format!("test monitor web {service}")).expect("the daemon serves");
    }
    wait_for(&mut client, &place, "list deliveries", &[" service=three ", " retry_at="]);
    wait_for(&mut client, &place, "list deliveries", &[" service=hangs ", " outcome=running "]);
    client.command("reset keepstate").expect("the daemon serves");
    let line = wait_for(&mut client, &place, "list opstatus web,three", &[" alerts_undelivered=1 "]);
    assert!(line.contains(" opstatus=0 "), "{line}");
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let log = place.read("messages");
    assert!(
        log.contains("alert three.alert for web/three was not delivered and will not be tried again"),
        "{log}"
    );
    assert!(log.contains("1 alert programs are still running"), "{log}");
}
