//! The programs that Debian's mon and mon-contrib bring: each is started exactly as the original starts it.
//!
//! Twice: a stand-in of the same name writes down everything that a program can know of how it was started; and
//! the real one is run once, and what becomes known of it is compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use crate::differential::normal;
use crate::support::{Client, Daemon, Place, both, latin1, oracle, skipped, wait};

const MONITORS: &[&str] = &["/usr/lib/mon/mon.d", "/usr/lib/mon/mon-local.d"];
const ALERTS: &[&str] = &["/usr/lib/mon/alert.d"];

/// Writes down all that there is to know about a process that was just started. A shell changes nothing of it
/// before its first command, and `/proc` tells the rest.
const STAND_IN: &str = r#"#!/bin/sh
top=${0%/*}/..
new=$top/calls/.new.$$
mkdir "$new"
stdout=other
[ -p /proc/$$/fd/1 ] && stdout=pipe
for part in cmdline environ stat limits oom_score_adj; do
    cat "/proc/$$/$part" >"$new/$part"
done
readlink "/proc/$$/cwd" >"$new/cwd"
# A child has what the shell was given, without what the shell does for itself. Its 3 is the folder it reads.
cat /proc/self/status >"$new/status"
ls -l /proc/self/fd >"$new/fd"
echo "1 -> $stdout:" >>"$new/fd"
cat >"$new/stdin"
mv "$new" "$top/calls/${0##*/}.$$"
echo "$MON_SERVICE says no"
exit 3
"#;

/// Lines of `/proc/PID/status` that are inherited: who it is, what it may do, and what it does with signals.
const STATUS: &[&str] = &[
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "SigBlk",
    "SigIgn",
    "SigCgt",
    "NoNewPrivs",
    "Seccomp",
    "CapEff",
    "Cpus_allowed",
];

/// A daemon may have been given a priority, a mask, a limit or ignored signals: its programs get the same.
const WRAPPER: &str =
    "#!/bin/sh\numask 027\nulimit -S -n 200\ntrap '' USR1\nexec nice -n 3 @PROGRAM@ \"$@\"\n";

/// The names of the programs in these folders.
fn names(folders: &[&str], suffix: &str) -> Vec<String> {
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.contains(suffix)).collect();
    names.sort();
    names
}

fn start(program: &Path, place: &Place, config: &str) -> (Daemon, Client) {
    place.write("etc/mon.cf", config);
    let mut daemon = Daemon::spawn(program, place, &[]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

/// A watch with a service for each monitor, and one that calls every alert when it fails and when it is well again.
fn stand_in_config(monitors: &[String], alerts: &[String]) -> String {
    let mut config = String::from("hostgroup all h1 h2.example.org\n\nwatch all\n");
    for name in monitors {
        config += &format!("    service {name}\n        description Is {name} well?\n        interval 1h\n");
        config += &format!("        monitor {name} -p 80 \"two words\" 'it\\'s' --opt=\"a b\" \\$x *\n");
        config += "        U_WORDS=two words\n        period\n";
    }
    config += "    service alerts\n        U_WORDS=two words\n        period\n";
    for name in alerts {
        config += &format!("            alert {name} -S \"two words\" root@localhost\n");
        config += &format!("            upalert {name} -S 'it is up' *\n");
    }
    config + "\n"
}

/// Starts every stand-in and returns what they wrote down: by program, all its calls.
fn stand_ins(program: &Path) -> BTreeMap<String, String> {
    let (monitors, alerts) = (names(MONITORS, ".monitor"), names(ALERTS, ".alert"));
    let place = Place::new();
    fs::create_dir_all(place.path("calls")).expect("our own directory is writable");
    monitors.iter().for_each(|name| place.script(&format!("mon.d/{name}"), STAND_IN));
    alerts.iter().for_each(|name| place.script(&format!("alert.d/{name}"), STAND_IN));
    place.script("wrapper", &WRAPPER.replace("@PROGRAM@", &program.to_string_lossy()));
    let config = stand_in_config(&monitors, &alerts);
    let (daemon, mut client) = start(&place.path("wrapper"), &place, &config);
    for name in &monitors {
        client.command(&format!("test monitor all {name}")).expect("the daemon serves");
    }
    let mut expected = monitors.len();
    await_calls(&place, expected);
    for status in ["1", "0"] {
        crate::differential::send_trap(
            &place,
            &[("grp", "all"), ("svc", "alerts"), ("sta", status), ("sum", "it's \"bad\""), ("dtl", "line\n")],
        );
        expected += alerts.len();
        await_calls(&place, expected);
    }
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in call_names(&place) {
        let call = call(&place, &name, daemon.pid());
        let program = name.rsplit_once('.').map_or(&*name, |(program, _)| program);
        calls.entry(program.to_owned()).or_default().push(call);
    }
    calls.values_mut().for_each(|calls| calls.sort());
    calls.into_iter().map(|(program, calls)| (program, calls.join("\n"))).collect()
}

fn call_names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("calls")).expect("the folder was made");
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).collect()
}

fn await_calls(place: &Place, count: usize) {
    let all = wait::until(wait::PATIENCE, "every program to be called", || {
        (call_names(place).len() >= count).then_some(())
    });
    all.unwrap_or_else(|error| {
        panic!("{error}: {} of {count}\n{}", call_names(place).len(), place.read("messages"))
    });
}

/// Everything that a program can know about how it was started.
fn call(place: &Place, name: &str, daemon: u32) -> String {
    let part = |file: &str| latin1(&fs::read(place.path("calls").join(name).join(file)).unwrap_or_default());
    let is_alert = name.contains(".alert.");
    let mut lines = Vec::new();
    lines.extend(part("cmdline").split('\0').skip(1).map(|word| format!("arg {word:?}")));
    let environ = part("environ");
    let mut variables: Vec<&str> =
        environ.split('\0').filter(|entry| !entry.starts_with("MON_FIRST_SUCCESS=")).collect();
    variables.sort_unstable();
    lines.extend(variables.into_iter().map(|variable| format!("env {variable:?}")));
    let status = part("status");
    let inherited =
        status.lines().filter(|line| STATUS.iter().any(|name| line.starts_with(&format!("{name}:"))));
    lines.extend(inherited.map(|line| format!("status {}", without_signals_of_the_library(line))));
    lines.extend(part("limits").lines().map(|line| format!("limit {line}")));
    lines.push(format!("oom {} cwd {} stdin {:?}", part("oom_score_adj"), part("cwd"), part("stdin")));
    lines.extend(part("fd").lines().filter_map(|line| descriptor(line, is_alert)));
    lines.extend(relations(&part("stat"), daemon, is_alert));
    normal::text(&lines.join("\n"), place)
}

/// Signals 32 and 33 belong to the C library, which ignores them or not as it likes.
fn without_signals_of_the_library(line: &str) -> String {
    match line.split_once(":\t") {
        Some((name, mask)) if name.starts_with("Sig") => {
            let mask = u64::from_str_radix(mask, 16).unwrap_or_default();
            format!("{name} {:016x}", mask & !(0b11 << 31))
        }
        _ => line.to_owned(),
    }
}

/// `3 -> pipe`. Where the output of alerts goes is in DEVIATIONS.md.
fn descriptor(line: &str, is_alert: bool) -> Option<String> {
    let (before, target) = line.split_once(" -> ")?;
    let number = before.rsplit(' ').next()?;
    if number == "3" && target.starts_with("/proc/") || number == "1" && target.contains("/calls/") {
        return None;
    }
    if is_alert && matches!(number, "1" | "2") {
        return None;
    }
    Some(format!("fd {number} -> {}", target.split('[').next().unwrap_or_default()))
}

/// Priority, session and parent. The process group, and the parent of alerts, are in DEVIATIONS.md.
fn relations(stat: &str, daemon: u32, is_alert: bool) -> Vec<String> {
    let field = |stat: &str, number: usize| -> String {
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        // Fields are counted from 1, and two come before the parenthesis ends.
        rest.split_whitespace().nth(number - 3).unwrap_or_default().to_owned()
    };
    let parent = fs::read_to_string(format!("/proc/{daemon}/stat")).unwrap_or_default();
    let mut lines = vec![
        format!("priority {} nice {} policy {}", field(stat, 18), field(stat, 19), field(stat, 41)),
        format!(
            "same session {} same terminal {}",
            field(stat, 6) == field(&parent, 6),
            field(stat, 7) == field(&parent, 7)
        ),
    ];
    if !is_alert {
        lines.push(format!("child of the daemon {}", field(stat, 4) == daemon.to_string()));
    }
    lines
}

/// Where two maps part, for each name the lines that only one side has.
fn differences(theirs: &BTreeMap<String, String>, ours: &BTreeMap<String, String>) -> String {
    let mut report = String::new();
    let names: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for name in names {
        let (left, right) = (theirs.get(name), ours.get(name));
        if left == right {
            continue;
        }
        report += &format!("{name}\n");
        let lines = |side: Option<&String>| -> Vec<String> {
            side.map_or_else(|| vec!["(not called)".into()], |text| text.lines().map(str::to_owned).collect())
        };
        let (left, right) = (lines(left), lines(right));
        left.iter().filter(|line| !right.contains(line)).for_each(|line| report += &format!("  - {line}\n"));
        right.iter().filter(|line| !left.contains(line)).for_each(|line| report += &format!("  + {line}\n"));
    }
    report
}

#[test]
fn every_program_is_started_in_the_same_way() {
    let Some(oracle) = oracle().filter(|_| !names(MONITORS, ".monitor").is_empty()) else {
        return skipped(
            "shipped programs",
            "the original or its programs are not installed (apt-get install mon)",
        );
    };
    let (theirs, ours) = both(&oracle, stand_ins);
    assert!(theirs.len() > 10, "something was compared: {:?}", theirs.keys());
    let report = differences(&theirs, &ours);
    let shown: String = report.lines().take(60).map(|line| format!("{line}\n")).collect();
    assert!(report.is_empty(), "left is the original, right ours\n{shown}");
}

/// Not run for real: they ask or tell the world outside, wait for a name server, use a modem or a mailbox, or send
/// mail by the server of this machine, if it has one.
const NOT_FOR_REAL: &[&str] = &[
    "dialin.monitor",
    "dialin.monitor.wrap",
    "dns-query.monitor",
    "mailloop.monitor",
    "pubcookielogin.monitor",
    "rbl.monitor",
    "smtp_rt.monitor",
    "smtpswaks.monitor",
    "webapp.monitor",
];

/// What these find depends on the moment, not on who started them. That they end is compared.
const UNSTEADY: &[&str] = &["deleted-mapped.monitor", "deleted-mapped.monitor.real"];

/// These use one library for SNMP, which says to the first of them what it has made. Who is first is chance.
const ONE_LIBRARY: &[&str] = &[
    "bgp.monitor",
    "cisco-env.monitor",
    "hpnp.monitor",
    "netsnmp-exec.monitor",
    "netsnmp-freespace.monitor",
    "netsnmp-proc.monitor",
    "netwarefree.monitor",
    "ospf.monitor",
    "printmib.monitor",
    "process-full-command-line.monitor",
    "rptr.monitor",
    "snmp_interface.monitor",
    "snmpvar.monitor",
    "storage.monitor",
];

/// For the slowest, which gives up after half a minute on a machine with much to do.
const LONGEST: Duration = Duration::from_secs(60);

/// Alerts that stay on this machine, and arguments with which they do nothing there. Those that hand mail to the
/// server of this machine, or call for programs and services that are gone, have their stand-ins only.
const REAL_ALERTS: &[&str] = &[
    "file.alert -d @DIR@/log alerts.log",
    "irc.alert -S 127.0.0.1",
    "test.alert",
    "qpage.alert",
    "slackxmpp.alert",
];

/// Runs every real program once, against this machine, and returns what became known: exit values and summaries.
fn real_results(program: &Path) -> BTreeMap<String, String> {
    let place = Place::new();
    let mut config = String::from("hostgroup all 127.0.0.1\n\nwatch all\n");
    let mut services = names(MONITORS, ".monitor");
    services.retain(|name| !NOT_FOR_REAL.contains(&&**name));
    for name in &services {
        link_from(MONITORS, &place, "mon.d", name);
        // What the SNMP library leaves behind stays in the test's directory.
        let settings = "        SNMP_PERSISTENT_DIR=@DIR@/log\n";
        config += &format!("    service {name}\n        interval 1h\n        monitor {name}\n{settings}");
    }
    config += "    service alerts\n        period\n";
    for alert in REAL_ALERTS {
        link_from(ALERTS, &place, "alert.d", alert.split(' ').next().unwrap_or_default());
        config += &format!("            alert {alert}\n");
    }
    let (_daemon, mut client) = start(program, &place, &config);
    let trap = [("grp", "all"), ("svc", "alerts"), ("sta", "1"), ("sum", "it is bad")];
    crate::differential::send_trap(&place, &trap);
    for name in &services {
        client.command(&format!("test monitor all {name}")).expect("the daemon serves");
    }
    let mut results = BTreeMap::new();
    let all = wait::until(LONGEST, "every monitor to end", || {
        for line in client.command("list opstatus all").ok()? {
            results.extend(result(&line, &place));
        }
        (results.len() == services.len()).then_some(())
    });
    services.retain(|name| !results.contains_key(name));
    all.unwrap_or_else(|error| panic!("{error}; still running: {services:?}"));
    let history = client.command("list alerthist").expect("the daemon serves");
    let mut history: Vec<String> = history.iter().map(|line| normal::text(line, &place)).collect();
    history.sort();
    results.insert("alerts".into(), history.join("\n"));
    let messages = place.read("messages");
    assert!(!messages.contains("could not be started"), "{messages}");
    results
}

fn link_from(folders: &[&str], place: &Place, folder: &str, name: &str) {
    let program = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    let program = program.unwrap_or_else(|| panic!("{name} is not in {folders:?}"));
    symlink(program, place.path(folder).join(name)).expect("our own directory is writable");
}

/// Name and result of a run that has ended.
fn result(line: &str, place: &Place) -> Option<(String, String)> {
    let field = |name: &str| line.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let (service, exit, summary) = (field("service")?, field("exitval")?, field("last_summary")?);
    if field("monitor_running")? != "0" || exit == "undef" {
        return None;
    }
    let text = match service {
        _ if UNSTEADY.contains(&service) => "ended".to_owned(),
        _ if ONE_LIBRARY.contains(&service) => format!("exit {exit}"),
        _ => format!("exit {exit}, summary {}", normal::text(summary, place)),
    };
    Some((service.to_owned(), text))
}

#[test]
fn every_program_comes_to_the_same_result() {
    let Some(oracle) = oracle().filter(|_| !names(MONITORS, ".monitor").is_empty()) else {
        return skipped(
            "shipped programs",
            "the original or its programs are not installed (apt-get install mon)",
        );
    };
    let (theirs, ours) = both(&oracle, real_results);
    let report = differences(&theirs, &ours);
    assert!(report.is_empty(), "left is the original, right ours\n{report}");
}
