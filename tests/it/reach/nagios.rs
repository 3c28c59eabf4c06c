//! `nagios.monitor` with the plugins of monitoring-plugins-basic, and with some that misbehave.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{NO_NAME, command, output, run};
use crate::support::{Daemon, Place, skipped, subject, subject_is_oracle, wait};

const PLUGINS: &str = "/usr/lib/nagios/plugins";

fn plugin(name: &str) -> bool {
    let there = Path::new(PLUGINS).join(name).exists();
    if !there {
        skipped(name, "it is not installed (package monitoring-plugins-basic)");
    }
    there
}

/// A web server at 127.0.0.1 only.
fn web() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let _ = std::io::Read::read(&mut socket, &mut [0; 4096]);
                let _ = socket
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n");
            });
        }
    });
    port
}

#[test]
fn plugins_of_debian() {
    if !plugin("check_http") || !plugin("check_tcp") || !plugin("check_disk") {
        return;
    }
    let port = web();
    let http = ["check_http", "-H", "$HOST", "-I", "$HOSTADDRESS$", "-p", &port, "-s", "hello", "--"];
    let (status, text) = run("nagios.monitor", &[&http[..], &["127.0.0.1", "localhost"]].concat());
    assert_eq!((status, text.lines().next()), (0, Some("")), "{text}");
    assert!(
        text.contains("\n127.0.0.1 OK: HTTP OK: HTTP/1.1 200 OK - ") && text.contains("\nlocalhost OK: "),
        "{text}"
    );
    assert!(text.contains("\n    performance data: time="), "{text}");
    let tcp = ["check_tcp", "-H", "$HOSTADDRESS$", "-p", &port, "-t", "10", "--"];
    let (status, text) = run("nagios.monitor", &[&tcp[..], &["127.0.0.9", "127.0.0.1", NO_NAME]].concat());
    assert_eq!((status, text.lines().next()), (2, Some(format!("127.0.0.9 {NO_NAME}").as_str())), "{text}");
    assert!(text.contains("\n127.0.0.9 CRITICAL: ") && text.contains("\n127.0.0.1 OK: TCP OK - "), "{text}");
    assert!(text.contains(&format!("\n{NO_NAME} UNKNOWN: cannot resolve hostname: ")), "{text}");
    let (status, text) = run("nagios.monitor", &["check_disk", "-w", "0%", "-c", "0%", "-p", "/"]);
    assert!(status == 0 && text.starts_with("DISK OK") && text.contains("\nperformance data: /="), "{text}");
    let (status, text) = run("nagios.monitor", &["check_disk", "-w", "100%", "-c", "100%", "-p", "/"]);
    assert!(status == 2 && text.starts_with("DISK CRITICAL"), "{text}");
}

/// A folder with plugins that do as their argument says.
fn own_plugins() -> (Place, String) {
    let place = Place::new();
    place.script(
        "check_as_told",
        "#!/bin/sh\ncase $1 in\n\
         h-ok) echo 'OK - fine|t=1' ;;\n\
         h-warning) echo 'WARNING - warm'; exit 1 ;;\n\
         h-unknown) echo 'UNKNOWN - what'; exit 3 ;;\n\
         h-critical) echo 'CRITICAL - hot'; echo more; exit 2 ;;\n\
         h-silent) exit 2 ;;\n\
         h-crash) kill -SEGV $$ ;;\n\
         h-hang) echo begun; sleep 1000 & echo $! >@DIR@/child; wait ;;\n\
         h-exec) echo $$ >@DIR@/new; mv @DIR@/new @DIR@/plugin; exec sleep 1000 ;;\n\
         *) echo \"OK - $*\" ;;\nesac\n",
    );
    place.write("check_text", "no program\n");
    let folder = place.dir().to_string_lossy().into_owned();
    (place, folder)
}

#[test]
fn states_and_what_counts_as_failure() {
    let (_place, folder) = own_plugins();
    let told = |options: &[&str], hosts: &[&str]| {
        let words = [&["--plugins", &folder], options, &["check_as_told", "$HOST", "--"], hosts].concat();
        let (status, text) = run("nagios.monitor", &words);
        (status, text.lines().next().unwrap_or_default().to_owned(), text)
    };
    let all = ["h-ok", "h-warning", "h-unknown", "h-critical", "h-silent", "h-crash"];
    let (status, first, text) = told(&[], &all);
    assert_eq!((status, first.as_str()), (2, "h-crash h-critical h-silent h-unknown h-warning"));
    assert_eq!(
        text.split_once('\n').map(|(_, detail)| detail),
        Some(
            "h-ok OK: OK - fine\n    performance data: t=1\nh-warning WARNING: WARNING - warm\n\
             h-unknown UNKNOWN: UNKNOWN - what\nh-critical CRITICAL: CRITICAL - hot\n    more\n\
             h-silent CRITICAL: plugin said nothing\nh-crash UNKNOWN: plugin ended by signal 11\n"
        )
    );
    let (status, first, _) = told(&["--warning=ok", "--unknown", "ok"], &all);
    assert_eq!((status, first.as_str()), (2, "h-critical h-silent"));
    let (status, first, _) = told(&["--summary", "--unknown=ok"], &["h-warning", "h-unknown", "h-ok"]);
    assert_eq!((status, first.as_str()), (1, "h-warning(WARNING - warm)"));
    let (status, first, _) = told(&["--warning=ok"], &["h-warning", "h-ok"]);
    assert_eq!((status, first.as_str()), (0, ""));
    assert_eq!(told(&[], &[]).0, 0);
}

#[test]
fn a_plugin_that_hangs_is_killed_with_what_it_started() {
    let (place, folder) = own_plugins();
    let begun = Instant::now();
    let words = ["--plugins", &folder, "-t", "1", "check_as_told", "$HOST", "--", "h-hang", "h-ok"];
    let (status, text) = run("nagios.monitor", &words);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!((status, text.lines().next()), (2, Some("h-hang")));
    assert!(text.contains("h-hang CRITICAL: plugin killed after 1 s: begun\n"), "{text}");
    let child = place.read("child");
    let stat = format!("/proc/{}/stat", child.trim());
    let gone = || std::fs::read_to_string(&stat).map_or(Some(()), |stat| stat.contains(") Z ").then_some(()));
    wait::until(wait::PATIENCE, "the child of the plugin to be gone", gone)
        .unwrap_or_else(|why| panic!("{why}"));
}

/// Whoever ends the monitor, as mon does when it ends, ends the plugin.
#[test]
fn a_plugin_does_not_outlive_its_monitor() {
    let (place, folder) = own_plugins();
    let words = ["--plugins", &folder, "check_as_told", "$HOST", "--", "h-exec"];
    let mut monitor = command("nagios.monitor", &words, "/bin").spawn().expect("it can be started");
    let plugin = || place.read("plugin").trim().parse::<u32>().ok();
    let plugin =
        wait::until(wait::PATIENCE, "the plugin to run", plugin).unwrap_or_else(|why| panic!("{why}"));
    monitor.kill().expect("it runs");
    let _ = monitor.wait();
    let stat = format!("/proc/{plugin}/stat");
    let gone = || std::fs::read_to_string(&stat).map_or(Some(()), |stat| stat.contains(") Z ").then_some(()));
    wait::until(wait::PATIENCE, "the plugin to be gone", gone).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn hosts_do_not_wait_for_each_other() {
    let place = Place::new();
    // Each waits until all have begun.
    place.script(
        "check_all",
        "#!/bin/sh\n: >@DIR@/state/$1\nwhile [ $(ls @DIR@/state | wc -l) -lt 8 ]; do sleep 0.05; done\necho OK\n",
    );
    let folder = place.dir().to_string_lossy().into_owned();
    let hosts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let words = ["--plugins", &folder, "-t", "60", "check_all", "$HOST", "--"];
    assert_eq!(run("nagios.monitor", &[&words[..], &hosts].concat()).0, 0);
}

#[test]
fn what_is_wrong_with_the_command_line_is_told() {
    let (place, folder) = own_plugins();
    for (words, expect) in [
        (&[][..], "no plugin is named; see --help"),
        (&["check_as_told", "$HOST", "h"], "there is no -- between the arguments and the hosts; see --help"),
        (
            &["check_as_told", "x", "--", "h"],
            "no argument has $HOST or $HOSTADDRESS$, so all hosts would be the same; see --help",
        ),
        (&["--warning=maybe", "check_as_told"], "--warning takes ok or fail, not \"maybe\""),
        (&["./check_nix", "$HOST", "--", "h"], "there is no ./check_nix"),
    ] {
        let told = run("nagios.monitor", &[&["--plugins", folder.as_str()], words].concat());
        assert_eq!(told, (3, format!("nagios.monitor: {expect}\n")), "{words:?}");
    }
    let text = place.path("check_text").to_string_lossy().into_owned();
    assert_eq!(run("nagios.monitor", &[&text]), (3, format!("nagios.monitor: {text} is not executable\n")));
    let mut missing = command("nagios.monitor", &["--plugins", &folder, "check_nix"], "/bin");
    let missing = output(missing.env("PATH", "/bin"));
    assert_eq!(missing, (3, format!("nagios.monitor: there is no plugin check_nix in {folder}:/bin\n")));
}

/// From mon.cf on: the `$`, the `--`, the hosts behind it, and `;;` arrive as they are meant.
#[test]
fn lines_of_a_configuration() {
    if subject_is_oracle() {
        return;
    }
    let (place, folder) = own_plugins();
    place.write(
        "etc/mon.cf",
        &format!(
            "hostgroup hosts h-ok h-critical\n\nwatch hosts\n    service each\n        interval 1h\n        \
             monitor nagios.monitor --plugins {folder} check_as_told $HOST --\n        period\n            \
             alert file.alert x\n    service local\n        interval 1h\n        \
             monitor nagios.monitor --plugins {folder} check_as_told 'two words' ;;\n        period\n            \
             alert file.alert x\n"
        ),
    );
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    let mut client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    let mut told = |service: &str, expect: &str| {
        client.command(&format!("test monitor hosts {service}")).expect("the daemon serves");
        let seen = || {
            let status = client.command("list opstatus").expect("the daemon serves").join("\n");
            status.contains(expect).then_some(())
        };
        wait::until(wait::PATIENCE, expect, seen)
            .unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
    };
    told("each", "h-critical\\20CRITICAL:\\20CRITICAL\\20-\\20hot");
    told("local", "OK\\20-\\20two\\20words");
}
