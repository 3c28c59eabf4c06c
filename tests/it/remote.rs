//! `remote.monitor` beside the Perl one, both asking the same daemon; and servers that are none.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Place, oracle, skipped, subject, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");
const PERL: &str = "/usr/lib/mon/mon.d/remote.monitor";

/// Two groups; `web/http` and `db/mysql` fail with an alert each, `web/acked` is acknowledged, `db/off` disabled,
/// the whole watch `dark` too, and `db/quiet` fails without anybody being told.
const CONFIG: &str =
    "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\nauthtype = userfile\nuserfile = @DIR@/etc/users\n
hostgroup web h1 h2\n\nhostgroup db h3\n\nhostgroup dark h4\n
watch web
  service http
    interval 1h
    monitor bad.monitor web pages
    period
      alert note.alert
  service ping
    interval 1h
    monitor good.monitor
  service acked
    interval 1h
    monitor bad.monitor
    period
      alert note.alert
\nwatch db
  service mysql
    interval 1h
    monitor bad.monitor
    period
      alert note.alert
  service off
    interval 1h
    monitor bad.monitor
    period
      alert note.alert
  service quiet
    interval 1h
    monitor bad.monitor
\nwatch dark
  service lamp
    interval 1h
    monitor bad.monitor
    period
      alert note.alert
";

/// Every service that has to fail before anything is compared, and whether an alert is part of it.
const FAILING: [(&str, &str, bool); 6] = [
    ("web", "http", true),
    ("web", "acked", true),
    ("db", "mysql", true),
    ("db", "off", true),
    ("db", "quiet", false),
    ("dark", "lamp", true),
];

/// Options after the port; the host follows.
const MATRIX: &[&[&str]] = &[
    &[],
    &["--summary"],
    &["--bigsummary"],
    &["--summary", "--bigsummary"],
    &["--bigs", "--alerts", "1"],
    &["--summary", "--alerts_sent", "0"],
    &["--summary", "--alerts_sent", "2"],
    &["--summary", "--alerts_sent"],
    &["--summary", "--failure_duration", "100000"],
    &["--summary", "--failure_duration=0"],
    &["--summary", "--exclude", "web:http"],
    &["--summary", "--exclude", "db"],
    &["--summary", "-e", "web", "--timeout", "20"],
    &["--summary", "--restrict", "web"],
    &["--summary", "--restrict", ":http"],
    &["--summary", "-r", "web:mysql"],
    &["--summary", "--restrict", "web", "--exclude", "web:http"],
    &["-summary", "-t", "20"],
    &["--summary", "--acke"],
    &["--help"],
];

fn start(program: &Path) -> (Place, Daemon, Client) {
    let place = Place::new();
    place.write("etc/mon.cf", CONFIG);
    // The password is "sesame".
    place.write("etc/users", "alice:abnqrLigH.z/s\n");
    place.script(
        "mon.d/bad.monitor",
        "#!/bin/sh\necho \"h1 caf\u{e9} it's \\\"bad\\\" $1\"\necho detail\nexit 1\n",
    );
    place.script("mon.d/good.monitor", "#!/bin/sh\necho fine\nexit 0\n");
    place.script("alert.d/note.alert", "#!/bin/sh\ncat >/dev/null\nexit 0\n");
    let mut daemon = Daemon::spawn(program, &place, &[]);
    let mut client = daemon.ready().unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
    for (watch, service, alerts) in FAILING {
        client.command(&format!("test monitor {watch} {service}")).expect("the daemon serves");
        let wanted = if alerts { " alerts_sent=1 " } else { " opstatus=0 " };
        let failing = wait::until(wait::PATIENCE, &format!("{watch}/{service} to fail"), || {
            let lines = client.command(&format!("list opstatus {watch},{service}")).ok()?;
            lines.iter().any(|line| line.contains(" opstatus=0 ") && line.contains(wanted)).then_some(())
        });
        failing.unwrap_or_else(|why| panic!("{why}"));
    }
    for command in ["ack web acked we know", "disable service db off", "disable watch dark"] {
        let reply = client.command(command).expect("the daemon serves");
        assert!(reply.last().is_some_and(|line| line.starts_with("220")), "{command}: {reply:?}");
    }
    (place, daemon, client)
}

/// Exit status and output of the candidate and of the original.
fn run(mut command: Command, words: &[&str]) -> (Option<i32>, String) {
    command.args(words).stdin(Stdio::null());
    let output = command.output().expect("the program can be started");
    (output.status.code(), crate::support::latin1(&output.stdout))
}

fn ours(place: &Place) -> Command {
    let mut command = place.command(Path::new(MON));
    command.args(["run", "remote.monitor"]);
    command
}

fn compare(program: &Path, perl: &Path) {
    let (place, _daemon, _client) = start(program);
    let several = ["127.0.0.1", "127.0.0.9", "nosuch.invalid"];
    let cases = MATRIX.iter().map(|options| (*options, &several[..1]));
    let cases = cases.chain(MATRIX[..3].iter().map(|options| (*options, &several[..]))).collect::<Vec<_>>();
    // The original answers one command a second: many ask it at the same time.
    let differences = thread::scope(|scope| {
        let place = &place;
        let runs =
            cases.iter().map(|(options, hosts)| scope.spawn(move || difference(place, perl, options, hosts)));
        let runs = runs.collect::<Vec<_>>();
        runs.into_iter().filter_map(|run| run.join().expect("no run panics")).collect::<String>()
    });
    assert!(differences.is_empty(), "\n{differences}");
}

/// What differs between the two programs for one command line.
fn difference(place: &Place, perl: &Path, options: &[&str], hosts: &[&str]) -> Option<String> {
    let port = place.port.to_string();
    let words = [&["-p", &port], options, hosts].concat();
    let (expect, got) = (run(place.command(perl), &words), run(ours(place), &words));
    let same = match options {
        // The usage text is our own.
        ["--help"] => (expect.0, got.0) == (Some(0), Some(0)),
        // A word that is no option is told, at the end.
        _ if options.contains(&"--acke") => {
            got.0 == expect.0 && got.1 == format!("{}Unknown option: acke\n", expect.1)
        }
        _ => expect == got,
    };
    (!same).then(|| format!("{words:?}\n  expect {expect:?}\n  got    {got:?}\n"))
}

fn perl() -> Option<PathBuf> {
    Path::new(PERL).is_file().then(|| PERL.into())
}

#[test]
fn the_same_report_of_our_daemon() {
    match perl() {
        Some(perl) => compare(&subject(), &perl),
        None => skipped("the_same_report_of_our_daemon", "no Perl remote.monitor (package mon)"),
    }
}

#[test]
fn the_same_report_of_the_original_daemon() {
    match (oracle(), perl()) {
        (Some(oracle), Some(perl)) => compare(&oracle, &perl),
        _ => skipped("the_same_report_of_the_original_daemon", "no original (package mon)"),
    }
}

/// The Perl one with its option repaired, as in the release it takes no value.
fn repaired(place: &Place, perl: &Path) -> PathBuf {
    let text = fs::read(perl).expect("it was found");
    let text = crate::support::latin1(&text).replace("\"passwordfile|:s\"", "\"passwordfile:s\"");
    place.script("repaired.monitor", &text);
    place.path("repaired.monitor")
}

#[test]
fn logins() {
    let Some(perl) = perl() else { return skipped("logins", "no Perl remote.monitor (package mon)") };
    let mut programs = vec![subject()];
    programs.extend(oracle());
    for program in programs {
        let (place, _daemon, mut client) = start(&program);
        let restricted = "command section\nlist: alice\n\ntrap section\n";
        place.write("etc/auth.cf", restricted);
        place.write("good", "# servers\n127.0.0.1:alice:sesame\n");
        place.write("bad", "127.0.0.1:alice:wrong\n");
        let reply = client.command("reload auth").expect("the daemon serves");
        assert!(reply.last().is_some_and(|line| line.starts_with("220")), "{reply:?}");
        let (port, repaired) = (place.port.to_string(), repaired(&place, &perl));
        for file in ["good", "bad"] {
            for style in ["--summary", "--bigsummary", "--timeout=9"] {
                let words = ["-p", &port, style, "--passwordfile", file, "127.0.0.1"];
                let (expect, got) = (run(place.command(&repaired), &words), run(ours(&place), &words));
                assert_eq!(got, expect, "{words:?} against {}", program.display());
                assert!(!got.1.contains("sesame") && !got.1.contains("wrong"), "{got:?}");
            }
        }
        let words = ["-p", &port, "--summary", "127.0.0.1"];
        let refused = "127.0.0.1:list_opstatus\n\nDetails for 127.0.0.1 failure :\n\
                       list_opstatus failed:520 command could not be executed, unknown command\n\n";
        assert_eq!(run(place.command(&perl), &words), (Some(1), refused.to_owned()));
        assert_eq!(run(ours(&place), &words), (Some(1), refused.to_owned()));
    }
}

#[test]
fn beyond_the_original() {
    let (place, _daemon, mut client) = start(&subject());
    let port = place.port.to_string();
    let first_line = |options: &[&str]| {
        let words = [&["-p", &port, "--summary"], options, &["127.0.0.1"]].concat();
        run(ours(&place), &words).1.lines().next().unwrap_or_default().to_owned()
    };
    for (options, expect) in [
        (&["-e", "web:acked", "-e", "dark"][..], "[db:mysql][web:http]"),
        (&["-e", "web:a*,d?rk, db:my*"], "[web:http]"),
        (&["-r", "w*:http", "-r", "db"], "[db:mysql][web:http]"),
        (&["--acked", "ignore"], "[dark:lamp][db:mysql][web:http]"),
        (&["--disabled", "all"], "[db:mysql][web:acked|http]"),
        (&["--disabled", "none"], "[dark:lamp][db:mysql|off][web:acked|http]"),
        (&["--stale", "--undelivered"], "[dark:lamp][db:mysql][web:acked|http]"),
    ] {
        assert_eq!(first_line(options), format!("127.0.0.1({expect})"), "{options:?}");
    }
    let with_port = format!("localhost:{port}");
    let (status, output) = run(ours(&place), &["--summary", "-r", "web:http", &with_port]);
    assert_eq!((status, output.lines().next()), (Some(1), Some(format!("{with_port}([web:http])").as_str())));
    client.command("stop").expect("the daemon serves");
    assert_eq!(first_line(&["--stale", "-r", "web:ping"]), "", "nothing is overdue yet");
}

#[test]
fn what_is_no_longer_checked() {
    let mut programs = vec![subject()];
    programs.extend(oracle());
    for program in programs {
        let place = Place::new();
        let config = "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\n\nhostgroup web h1\n\nwatch web\n  service tick\n    \
                      interval 1s\n    monitor good.monitor\n  service idle\n    monitor good.monitor\n    period\n";
        place.write("etc/mon.cf", config);
        place.script("mon.d/good.monitor", "#!/bin/sh\necho fine\nexit 0\n");
        let mut daemon = Daemon::spawn(&program, &place, &[]);
        let mut client = daemon.ready().unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
        let checked = wait::until(wait::PATIENCE, "a first check", || {
            let lines = client.command("list opstatus web,tick").ok()?;
            lines.iter().any(|line| line.contains(" opstatus=1 ")).then_some(())
        });
        checked.unwrap_or_else(|why| panic!("{}: {why}", program.display()));
        let port = place.port.to_string();
        let words = ["-p", &port, "--bigsummary", "--stale", "127.0.0.1"];
        assert_eq!(run(ours(&place), &words), (Some(0), String::new()), "{}", program.display());
        client.command("stop").expect("the daemon serves");
        let stale = wait::until(wait::PATIENCE, "tick to be stale", || {
            let (status, output) = run(ours(&place), &words);
            (status == Some(1)).then_some(output)
        });
        let stale = stale.unwrap_or_else(|why| panic!("{}: {why}", program.display()));
        assert!(stale.starts_with("127.0.0.1([web:tick{not checked for "), "{stale}");
        assert!(stale.contains("at an interval of 1 s, as the scheduler is stopped\n"), "{stale}");
    }
}

#[test]
fn ipv6() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return skipped("ipv6", "this machine has none") };
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let _ = socket.write_all(b"220 ok\n220 list opstatus completed\n220 list disabled completed\n");
            let mut sink = [0; 512];
            while socket.read(&mut sink).is_ok_and(|size| size > 0) {}
        }
    });
    let place = Place::new();
    let with_port = format!("[::1]:{port}");
    let port = port.to_string();
    assert_eq!(run(ours(&place), &["-p", &port, "::1"]), (Some(0), String::new()));
    assert_eq!(run(ours(&place), &["-p", "1", &with_port]), (Some(0), String::new()));
}

/// A server that says `greeting` and then what `answer` makes of each line; `None` is silence.
fn server(greeting: &'static [u8], close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut socket = socket;
                let _ = socket.write_all(greeting);
                let mut sink = [0; 512];
                // Silence lasts until the client goes; who closes reads first, or the kernel drops what was said.
                while socket.read(&mut sink).is_ok_and(|size| size > 0) && !close {}
            });
        }
    });
    port
}

#[test]
fn servers_that_are_none_are_failures_in_time() {
    let place = Place::new();
    let half = b"220 protocol match\ngroup=web service=http opstatus=1 alerts_sent=0\ngroup=web serv";
    let garbled = b"220 ok\ngroup=web service=http opstatus=fine\n220 list opstatus completed\n220 done\n";
    let blank = b"220 ok\n\n220 list opstatus completed\n220 list disabled completed\n";
    let strange = b"220 ok\n220 list opstatus completed\nnonsense\n220 list disabled completed\n";
    let half_disabled = b"220 ok\n220 list opstatus completed\n";
    let no_mon = "Connection failed: connect failed, protocol mismatch";
    for (greeting, close, item, detail) in [
        (&b""[..], false, "TIMEOUT(1)", "Timeout connection"),
        (half, false, "TIMEOUT(1)", "Timeout connection"),
        (b"220 ok\n", false, "TIMEOUT(1)", "Timeout connection"),
        (b"", true, "CONNECT", no_mon),
        (b"\x00\xff garbage without end", true, "CONNECT", no_mon),
        (b"554 go away\n", false, "CONNECT", no_mon),
        (half, true, "list_opstatus", "list_opstatus failed:the server closed the connection"),
        (b"220 ok\n500 what\n", false, "list_opstatus", "list_opstatus failed:500 what"),
        (
            garbled,
            false,
            "list_opstatus",
            "list_opstatus failed:malformed line \"group=web service=http opstatus=fine\"",
        ),
        (blank, false, "list_opstatus", "list_opstatus failed:malformed line \"\""),
        (strange, false, "list_disabled", "list_disabled failed:malformed line \"nonsense\""),
        (half_disabled, true, "list_disabled", "list_disabled failed:the server closed the connection"),
    ] {
        let port = server(greeting, close);
        let begun = Instant::now();
        let got = run(ours(&place), &["-p", &port, "-t", "1", "--summary", "127.0.0.1"]);
        assert!(begun.elapsed() < Duration::from_secs(5), "{greeting:?} took {:?}", begun.elapsed());
        let expect = format!("127.0.0.1:{item}\n\nDetails for 127.0.0.1 failure :\n{detail}\n\n");
        assert_eq!(got, (Some(1), expect), "{}", crate::support::latin1(greeting));
    }
}

#[test]
fn silent_servers_cost_one_timeout_together() {
    let place = Place::new();
    let port = server(b"", false);
    let begun = Instant::now();
    let words = [&["-p", &port, "-t", "1"][..], &["127.0.0.1"; 30]].concat();
    let (status, output) = run(ours(&place), &words);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((status, output.lines().next()), (Some(1), Some(["127.0.0.1"; 30].join(" ").as_str())));
}
