//! Simulated and real: the scenarios of `tests/differential` that are about alerts, by our daemon and by
//! `mon simulate`. Programs, arguments, occasions and their order must be the same.
//!
//! What a simulation leaves out is not compared: what alerts read on standard input and find in their
//! environment, replies to clients, and traps that are refused. Its time is its own, one second for each step.

use std::fmt::Write as _;
use std::process::Output;

use remon_core::words;

use crate::differential::drive;
use crate::differential::scenario::{Kind, Scenario, Step};
use crate::support::{Client, Daemon, Place, source, subject, wait};

/// One test per scenario.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { same_as_the_daemon(stringify!($name)); })*
        const COMPARED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    ack_silences_until_recovery, alert_arguments_and_environment, alert_exit_ranges, alertafter_count,
    alertafter_time, alertevery_details, alertevery_summaries, clear_timers, depend_alerts,
    config_continuations, disabled_services, disabled_singletons, failure_interval, no_comp_alerts, numalerts, period_labels,
    redistribute, startup_alerts, trap_default, traps, unack_summary, upalert_pairs,
}

/// Scenarios with alerts that cannot be compared, and why.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("client_lists", "is about replies"),
    ("depend_expressions", "waits for what must not run"),
    ("depend_hosts", "waits for what must not run"),
    ("depend_monitors", "waits for what must not run"),
    ("disabled_hosts", "waits for what must not run"),
    ("exclude_hosts", "waits for what must not run"),
    ("get_and_set", "waits for a status"),
    ("histories", "waits for a status"),
    ("keepstate_while_failing", "needs a signal at a certain moment"),
    ("login_userfile", "is about passwords"),
    ("monremote", "is about another program"),
    ("reset_takes_a_new_file", "its steps do not name the files; tests/replay has such scenarios"),
    ("scheduler_stopped", "waits for a status"),
    ("state_commands", "is about files"),
    ("trap_auth", "is about who may send traps"),
    ("trap_timeouts", "waits for a status"),
    ("wanted_differences", "is about replies"),
];

/// An alert: the words of its command line without the time, and the occasion.
type Alert = (Vec<String>, String);

#[test]
fn every_scenario_with_alerts_is_compared_or_says_why_not() {
    let files =
        std::fs::read_dir(source().join("tests/differential")).expect("the folder is part of the source");
    let mut unlisted = Vec::new();
    for path in files.flatten().map(|entry| entry.path()) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let listed =
            COMPARED.contains(&name.as_str()) || NOT_COMPARED.iter().any(|(other, _)| *other == name);
        let scenario = path.extension().is_some_and(|extension| extension == "scenario");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if scenario && !listed && text.contains("\nexpect-alerts ") {
            unlisted.push(name);
        }
    }
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

fn same_as_the_daemon(name: &str) {
    let path = source().join("tests/differential").join(name).with_extension("scenario");
    let text = std::fs::read_to_string(&path).expect("the scenarios are part of the source");
    let scenario = Scenario::parse(&text).expect("a good scenario");
    let simulated = simulate(&scenario);
    let real = run(&scenario);
    assert!(real.iter().any(|alerts| !alerts.is_empty()), "{name}: nothing to compare");
    assert_eq!(simulated.len(), real.len(), "{name}");
    for (at, (simulated, real)) in simulated.iter().zip(&real).enumerate() {
        assert_eq!(simulated, real, "{name}: the alerts that are expected at number {}", at + 1);
    }
}

/// What our daemon calls, for each `expect-alerts` of the scenario.
fn run(scenario: &Scenario) -> Vec<Vec<Alert>> {
    let seen = drive(scenario, &[&subject()]);
    let trouble: Vec<_> = seen.iter().filter(|seen| seen.unexpected).collect();
    assert!(trouble.is_empty(), "{trouble:?}");
    let lists = seen.iter().filter(|seen| seen.label.ends_with(", alerts"));
    lists.map(|list| sorted(called(&list.text))).collect()
}

/// The alerts in an observation: lines `arg "…"` and `env "…"`, up to the one that begins with `stdin`.
fn called(text: &str) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut alert = Alert::default();
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("arg ") {
            let word = unquoted(word);
            alert.0.push(if alert.0.is_empty() {
                word.rsplit('/').next().unwrap_or_default().into()
            } else {
                word
            });
        } else if let Some(value) = line.strip_prefix("env \"MON_ALERTTYPE=") {
            alert.1 = value.trim_end_matches('"').to_owned();
        } else if line.contains("stdin ") {
            alerts.push(std::mem::take(&mut alert));
        }
    }
    alerts
}

/// A word as `{:?}` writes it.
fn unquoted(word: &str) -> String {
    words::first(word).unwrap_or_default()
}

/// What the simulation calls, likewise.
fn simulate(scenario: &Scenario) -> Vec<Vec<Alert>> {
    let (events, moments) = events(scenario);
    let mon_cf =
        scenario.sections.iter().find(|section| section.kind == Kind::Config && section.name.is_empty());
    let place = Place::new();
    place.write("etc/mon.cf", &mon_cf.expect("a configuration").text);
    place.write("scenario.events", &events);
    let told = simulated(&place, &["-c", "etc/mon.cf", "scenario.events"]);
    let mut alerts: Vec<(u64, Alert)> = told.lines().filter_map(alert_line).collect();
    let mut lists = Vec::new();
    for moment in moments {
        let later = alerts.iter().position(|(at, _)| *at > moment).unwrap_or(alerts.len());
        lists.push(sorted(alerts.drain(..later).map(|(_, alert)| alert).collect()));
    }
    assert_eq!(alerts, [], "alerts nobody expected\n{told}");
    lists
}

fn simulated(place: &Place, args: &[&str]) -> String {
    let Output { status, stdout, stderr } = place
        .command(env!("CARGO_BIN_EXE_mon").as_ref())
        .arg("simulate")
        .args(args)
        .output()
        .expect("it starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}

/// The steps as events, a second each, and when alerts are counted.
fn events(scenario: &Scenario) -> (String, Vec<u64>) {
    let mut text = String::from("zone UTC\nfrom 2024-01-01 00:00\n");
    let (mut second, mut moments) = (0, Vec::new());
    for (_, step) in &scenario.steps {
        let event = match step {
            Step::Start(flags) if flags.is_empty() => continue,
            Step::Start(flags) => {
                assert_eq!(flags, &["-S"], "other flags are not for a simulation");
                "stop".to_owned()
            }
            Step::Run { group, service, exit, output } => {
                let verb = if exit == "0" { "ok" } else { "fail" };
                let exit = if exit == "0" { String::new() } else { format!("exit {exit}") };
                let name = format!("{group}/{service}");
                let _ = writeln!(text, "+{}s {verb} {name} {exit} {output:?}", second + 1);
                format!("test monitor {name}")
            }
            Step::Trap(pairs) => match trap(pairs) {
                Some(trap) => trap,
                None => continue,
            },
            Step::Command { text, .. } => format!("command {text}"),
            Step::ExpectAlerts(_) => {
                moments.push(second);
                continue;
            }
            // A simulation knows whole seconds only.
            Step::Pause(span) => {
                second += span.as_secs() + 1;
                continue;
            }
            Step::Status(..) | Step::ShowFile(_) | Step::Quiet | Step::StateFile => continue,
            other => panic!("not for a simulation: {other:?}"),
        };
        second += 1;
        let _ = writeln!(text, "+{second}s {event}");
    }
    let _ = writeln!(text, "for {}s", second + 5);
    (text, moments)
}

/// A trap; nothing for one that the daemon does not take.
fn trap(pairs: &[(String, String)]) -> Option<String> {
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if field("pro").is_some() {
        return None;
    }
    let (group, service) = (field("grp").unwrap_or_default(), field("svc").unwrap_or_default());
    let (status, summary) = (field("sta").unwrap_or("1"), field("sum").unwrap_or("summary"));
    Some(format!("trap {group}/{service} exit {status} {summary:?}\n  |\n  | detail"))
}

/// The second and the alert of a line such as `00:00:02  alert  web/ping: fake.alert -s ping …`.
fn alert_line(line: &str) -> Option<(u64, Alert)> {
    let mut columns = line.split_whitespace();
    let (clock, word) = (columns.next()?, columns.next()?);
    let occasion = match word {
        "alert" => "failure",
        "testalert" => "test",
        "trapalert" => "trap",
        "traptimeoutalert" => "traptimeout",
        "upalert" => "up",
        "ackalert" => "ack",
        "disablealert" => "disable",
        "startupalert" => "startup",
        "redistribute" => REDISTRIBUTE,
        _ => return None,
    };
    let mut parts = clock.split(':').map(|part| part.parse::<u64>().expect("a time"));
    let seconds = parts.by_ref().fold(0, |sum, part| sum * 60 + part);
    let command = &line[line.find("fake.alert").or_else(|| line.find("other.alert"))?..];
    let mut argv = words::split(command).expect("quoted for a shell");
    assert_eq!(argv[8].len(), 10, "the time: {line}");
    argv[8] = "<time>".to_owned();
    Some((seconds, (argv, occasion.to_owned())))
}

/// A redistribution has the occasion of what it is about, which a timeline does not tell.
const REDISTRIBUTE: &str = "redistribute";

/// Periods have no order in the original, so the alerts of one moment have none here. The occasion of a
/// redistribution is not compared: in the scenarios it is a call of other.alert without words of its own.
fn sorted(mut alerts: Vec<Alert>) -> Vec<Alert> {
    for (argv, occasion) in &mut alerts {
        if argv[0] == "other.alert" && argv.len() <= 10 {
            *occasion = REDISTRIBUTE.to_owned();
        }
    }
    alerts.sort();
    alerts
}

/// Nothing is forced: a schedule of seconds, alerts by count and time, and a trap that stays away.
const SCHEDULE: &str = "\
watch web
    service ping
        interval 1s
        monitor fake.monitor
        period
            alert fake.alert down
            upalert fake.alert up
            alertafter 3
            alertevery 2s
            numalerts 2
    service beat
        traptimeout 2s
        period
            alert fake.alert silent
            numalerts 1
";

#[test]
fn a_schedule_of_its_own_calls_the_same_alerts() {
    let place = Place::new();
    crate::differential::calls::install(&place);
    place.write("etc/mon.cf", SCHEDULE);
    let events = "zone UTC\n+0s fail web/ping exit 1 \"x\"\n+20s ok web/ping\nfor 30s\n";
    place.write("schedule.events", events);
    let told = simulated(&place, &["-c", "etc/mon.cf", "schedule.events"]);
    let expect: Vec<Alert> = told.lines().filter_map(alert_line).map(|(_, alert)| alert).collect();
    crate::differential::calls::set_result(&place, "web", "ping", "1", "x\n");
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    let mut client = daemon.ready().expect("the daemon starts");
    let mut seen = wait_for_alerts(&place, Vec::new(), 3);
    crate::differential::calls::set_result(&place, "web", "ping", "0", "");
    seen = wait_for_alerts(&place, seen, 4);
    still_only(&place, &mut client, &mut seen);
    // The two services are independent of each other; each has its order.
    for service in ["ping", "beat"] {
        let of = |alerts: &[Alert]| -> Vec<Alert> {
            alerts.iter().filter(|(argv, _)| argv[2] == service).cloned().collect()
        };
        assert_eq!(of(&seen), of(&expect), "{told}");
    }
    assert_eq!(expect.len(), 4, "{told}");
}

/// Takes the alerts that were called, in the order in which they were, until there are so many.
fn wait_for_alerts(place: &Place, mut seen: Vec<Alert>, count: usize) -> Vec<Alert> {
    wait::until(wait::PATIENCE, "alerts", || {
        for call in crate::differential::calls::take(place) {
            if call.kind == "alert" {
                seen.extend(called(&call.text));
            }
        }
        (seen.len() >= count).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {seen:?}"));
    seen
}

/// The next good run sends nothing more.
fn still_only(place: &Place, client: &mut Client, seen: &mut Vec<Alert>) {
    client.command("test monitor web ping").expect("an answer");
    wait::until(wait::PATIENCE, "a run", || {
        let calls = crate::differential::calls::take(place);
        seen.extend(calls.iter().filter(|call| call.kind == "alert").flat_map(|call| called(&call.text)));
        calls.iter().any(|call| call.kind == "monitor").then_some(())
    })
    .expect("the monitor runs");
}

/// Everything is forced, so that nothing depends on how fast the machine is.
const RECORDED: &str = "\
watch web
    service ping
        interval 1h
        monitor fake.monitor
        period
            alert fake.alert down
            upalert fake.alert up
            ackalert fake.alert known
            alertafter 2
    service raid
        period
            alert fake.alert trapped
";

#[test]
fn the_record_of_a_daemon_is_played_again() {
    let place = Place::new();
    crate::differential::calls::install(&place);
    place.write("etc/mon.cf", RECORDED);
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    let mut client = daemon.ready().expect("the daemon starts");
    let mut seen = Vec::new();
    for (exit, alerts) in [("1", 0), ("2", 1), ("1", 2), ("0", 4)] {
        crate::differential::calls::set_result(&place, "web", "ping", exit, "x\n");
        client.command("test monitor web ping").expect("an answer");
        wait::until(wait::PATIENCE, "the run", || {
            let line = client.command("list opstatus web,ping").ok()?.swap_remove(0);
            let done = line.contains(&format!(" exitval={exit} ")) && line.contains(" monitor_running=0");
            done.then_some(())
        })
        .expect("the result is taken in");
        if alerts == 2 {
            // Two programs that run at the same time end in any order.
            seen = wait_for_alerts(&place, seen, 2);
            client.command("ack web ping seen").expect("an answer");
            // What is acknowledged is silent: the alert of the ack is the third.
            seen = wait_for_alerts(&place, seen, 3);
        } else {
            seen = wait_for_alerts(&place, seen, alerts);
        }
    }
    crate::differential::send_trap(&place, &[("grp", "web"), ("svc", "raid"), ("sta", "1"), ("sum", "disk")]);
    seen = wait_for_alerts(&place, seen, 5);
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let told = simulated(&place, &["-c", "etc/mon.cf", "--replay", "state/remon/history.db"]);
    let played: Vec<Alert> = told.lines().filter_map(alert_line).map(|(_, alert)| alert).collect();
    assert_eq!(played, seen, "{told}");
    let events =
        simulated(&place, &["-c", "etc/mon.cf", "--replay", "state/remon/history.db", "--print-events"]);
    place.write("again.events", &events);
    let again = simulated(&place, &["-c", "etc/mon.cf", "again.events"]);
    let played: Vec<Alert> = again.lines().filter_map(alert_line).map(|(_, alert)| alert).collect();
    assert_eq!(played, seen, "{events}\n{again}");
}
