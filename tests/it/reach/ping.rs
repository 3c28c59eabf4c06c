//! `ping.monitor` and `fping.monitor`, in networks of their own where somebody must not answer.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{MON, NO_NAME, command, in_own_network, original, output, theirs};
use crate::support::{Place, skipped};

/// Says what a test cannot do without root.
const NO_ROOT: &str = "only root can make a network namespace";

/// Runs a monitor in a network of its own; ping sockets are open to root if `sockets`, else only raw ones are.
fn alone(sockets: bool, words: &[&str]) -> Option<(i32, String)> {
    let groups = if sockets { "0 0" } else { "1 0" };
    let mut command = in_own_network(groups, &[&[MON, "run"], words].concat())?;
    Some(output(&mut command))
}

#[test]
fn hosts_that_answer_and_hosts_that_do_not() {
    for sockets in [true, false] {
        let ping = |words: &[&str]| alone(sockets, &[&["ping.monitor"], words].concat());
        let Some(good) = ping(&["127.0.0.1", "127.0.0.2", "localhost"]) else {
            return skipped("ping.monitor", NO_ROOT);
        };
        assert_eq!(good, (0, String::new()), "sockets: {sockets}");
        let begun = Instant::now();
        let (status, text) =
            ping(&["-t", "1", "192.0.2.2", "127.0.0.1", NO_NAME, "192.0.2.1", "203.0.113.1"])
                .expect("as before");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let mut lines = text.lines();
        assert_eq!(
            (status, lines.next()),
            (1, Some(format!("192.0.2.2 {NO_NAME} 192.0.2.1 203.0.113.1").as_str()))
        );
        assert_eq!(lines.next(), Some("192.0.2.2: no reply from 192.0.2.2"));
        let unresolved = lines.next().unwrap_or_default();
        assert!(unresolved.starts_with(&format!("{NO_NAME}: cannot resolve hostname: ")), "{text}");
        let rest = "192.0.2.1: no reply from 192.0.2.1\n203.0.113.1: cannot send to 203.0.113.1: Network is unreachable";
        assert_eq!(lines.collect::<Vec<_>>().join("\n"), rest);
        // One request a second, and the last one waits for the rest of the time.
        let begun = Instant::now();
        assert_eq!(ping(&["-c", "3", "-t", "2.5", "192.0.2.1"]).map(|(status, _)| status), Some(1));
        assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

#[test]
fn ipv6() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return skipped("ping.monitor -6", "no IPv6 here");
    }
    for sockets in [true, false] {
        let Some(good) = alone(sockets, &["ping.monitor", "::1", "-6"]) else {
            return skipped("ping.monitor -6", NO_ROOT);
        };
        assert_eq!(good, (0, String::new()));
    }
    let none = alone(true, &["ping.monitor", "-6", "127.0.0.1"]).expect("as before");
    assert_eq!(none, (1, "127.0.0.1\n127.0.0.1: it has no IPv6 address\n".to_owned()));
}

/// Whoever may open neither socket asks the program: here one that answers for 127.0.0.1 alone.
#[test]
fn the_program_is_asked_last() {
    let place = Place::new();
    place.script("ping", "#!/bin/sh\necho \"$*\" >&2\nfor last; do :; done\n[ \"$last\" = 127.0.0.1 ]\n");
    let dir = std::env::temp_dir().join(format!("remon-ping-{}", std::process::id()));
    let copied = std::fs::create_dir_all(&dir).is_ok()
        && std::fs::copy(MON, dir.join("mon")).is_ok()
        && std::fs::copy(place.path("ping"), dir.join("ping")).is_ok();
    assert!(copied, "the temporary directory is writable");
    let run = |path: &str| {
        let script = "PATH=\"$0\" exec /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups -- \"$@\"";
        let mon = dir.join("mon").to_string_lossy().into_owned();
        let path = path.to_owned();
        let words =
            ["sh", "-c", script, &path, &mon, "run", "ping.monitor", "-t", "5", "127.0.0.1", "192.0.2.1"];
        in_own_network("1 0", &words).map(|mut command| output(&mut command))
    };
    let asked = run(&format!("{}:/usr/bin:/bin", dir.display()));
    let without = run(&format!("{}", dir.join("nowhere").display()));
    let _ = std::fs::remove_dir_all(&dir);
    let Some(asked) = asked else { return skipped("ping.monitor by the program ping", NO_ROOT) };
    assert_eq!(asked, (1, "192.0.2.1\n192.0.2.1: no reply from 192.0.2.1\n".to_owned()));
    let why = "no ping socket (Operation not permitted), and the program ping: No such file or directory";
    let told = format!("127.0.0.1 192.0.2.1\n127.0.0.1: {why}\n192.0.2.1: {why}\n");
    assert_eq!(without, Some((1, told)));
}

/// Only what differs from run to run is left out.
fn timeless(text: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some((word, _)) if ["start time", "end time  ", "duration  "].contains(&word) => {
            format!("{word}: T\n")
        }
        _ => match line.rsplit_once(' ').and_then(|(rest, ms)| Some((rest.rsplit_once(' ')?.0, ms))) {
            Some((host, "ms")) => format!("{host} N ms\n"),
            _ => format!("{line}\n"),
        },
    };
    text.lines().map(line).collect()
}

/// fping, real and as a stand-in that says what only other networks make it say: the original and ours alike.
#[test]
fn fping_beside_the_original() {
    let Some(program) = original("fping.monitor") else { return };
    let place = Place::new();
    let same = |words: &[&str], path: &str| {
        let (status, text) = output(&mut command("fping.monitor", words, path));
        let (their_status, their_text) = theirs(&program, words, path);
        assert_eq!(
            (status, timeless(&text)),
            (their_status, timeless(&their_text)),
            "{words:?}; left is ours"
        );
    };
    if Path::new("/usr/bin/fping").exists() {
        for words in
            [&["127.0.0.1", "127.0.0.2"][..], &["-s", "0.00001", "127.0.0.1"], &["-a", "127.0.0.1"], &[]]
        {
            same(words, "/bin");
        }
    } else {
        skipped("fping.monitor with fping", "it is not installed");
    }
    let stand_in = |says: &str, status: u8| {
        place.script("bin/fping", &format!("#!/bin/sh\ncat <<'EOF'\n{says}EOF\nexit {status}\n"));
    };
    std::fs::create_dir_all(place.path("bin")).expect("our own directory is writable");
    let path = place.path("bin").to_string_lossy().into_owned();
    let mixed = "hosta is alive (1.50 ms)\nhostgone address not found\nhostc is alive (250 ms)\nhostb is unreachable\n";
    for (says, status, words) in [
        (mixed, 2, &["-s", "100", "-r", "5", "hosta", "hostb", "hostc", "hostgone"][..]),
        (mixed, 2, &["-a", "hosta", "hostb", "hostc", "hostgone"]),
        ("hostb is unreachable\n", 1, &["hostb"]),
        ("hostb is unreachable\n", 1, &["-a", "hostb"]),
        ("", 4, &["hostb"]),
        ("", 77, &["hostb"]),
        ("", 0, &["-r", "0", "-t", "0", "hostb"]),
    ] {
        stand_in(says, status);
        same(words, &path);
    }
}

/// What the original does not know of today's fping, and what it takes for success.
#[test]
fn fping_as_it_is_today() {
    let place = Place::new();
    if Path::new("/usr/bin/fping").exists() {
        let (status, text) = super::run("fping.monitor", &["-r", "1", "-t", "200", "127.0.0.1", NO_NAME]);
        assert_eq!((status, text.lines().next()), (2, Some(NO_NAME)), "{text}");
        assert!(text.contains(&format!("\naddress not found for {NO_NAME}\n\n{NO_NAME} : ")), "{text}");
        assert!(text.contains("reachable hosts                          rtt"), "{text}");
        let (status, text) = super::run("fping.monitor", &["-z", "-a", "-r", "1", "-t", "200", NO_NAME]);
        assert_eq!((status, text.lines().last()), (1, Some("Unknown option: z")), "{text}");
        let words = ["fping.monitor", "-r", "1", "-t", "100", "127.0.0.1", "192.0.2.1"];
        match alone(false, &words) {
            None => skipped("fping.monitor with a silent host", NO_ROOT),
            Some((status, text)) => {
                assert_eq!((status, text.lines().next()), (1, Some("192.0.2.1")), "{text}");
                assert!(text.contains("unreachable hosts\n") && text.contains("\n127.0.0.1   "), "{text}");
            }
        }
    }
    let nowhere = || Command::new(MON);
    let missing = output(nowhere().env_clear().env("PATH", place.dir()).args(["run", "fping.monitor", "h"]));
    assert_eq!(missing, (127, "fping: cannot be run: No such file or directory\n".to_owned()));
    place.script("fping", "#!/bin/sh\nkill -KILL $$\n");
    let path = place.dir().to_string_lossy().into_owned();
    let (status, text) = output(&mut command("fping.monitor", &["h"], &path));
    assert_eq!((status, text.lines().next()), (1, Some("fping was ended by signal 9")));
    // No word of a host reaches a shell.
    place.script("fping", "#!/bin/sh\nfor host; do :; done\necho \"$host is alive (1 ms)\"\n");
    place.script("traceroute", "#!/bin/sh\necho \"traceroute $*\"\n");
    let trick = format!("$(touch<{}/x)", place.dir().display());
    let (status, text) = output(&mut command("fping.monitor", &["-T", &trick], &path));
    assert!(status == 0 && text.contains(&trick), "{text}");
    place.script("fping", "#!/bin/sh\necho 'a is unreachable'\nexit 1\n");
    let (status, text) = output(&mut command("fping.monitor", &["-T", "a"], &path));
    assert!(status == 1 && text.ends_with("traceroute -w 3 -- a\n\n"), "{text}");
}
