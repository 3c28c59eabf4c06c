//! End to end: the files we ship and the files people have, with a real daemon.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Client, Daemon, Place, oracle, skipped, source, subject, subject_is_oracle, wait};

/// What the README promises: an alert and an upalert within ten seconds. The rest is for starting up.
const DEMO_PATIENCE: Duration = Duration::from_secs(12);

/// The original has no programs built in, so it is lent Debian's.
const LENT: [&str; 4] =
    ["-s", ".:/usr/lib/mon/mon.d:/usr/lib/mon/mon-local.d", "-a", ".:/usr/lib/mon/alert.d"];

/// The demo in a tree of its own, on ports of its own, so that one that somebody runs is left alone.
fn start_demo(place: &Place) -> (Daemon, Client) {
    let own_ports =
        |text: String| text.replace("port = 25830", "port = @PORT@").replace("-p 25830", "-p @PORT@");
    let config = fs::read_to_string(source().join("etc/demo.cf")).expect("the demo is part of the source");
    let config = own_ports(config).replace("trapport = @PORT@", "trapport = @TRAPPORT@");
    fs::create_dir_all(place.path("etc/demo/state")).expect("our own directory is writable");
    place.write("etc/demo.cf", &config);
    for file in ["auth.cf", "flaky.monitor", "terminal.alert"] {
        let (from, to) = (source().join("etc/demo").join(file), place.path("etc/demo").join(file));
        fs::copy(&from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
    let lent = if subject_is_oracle() { &LENT[..] } else { &[] };
    let flags: Vec<String> = ["-c", "etc/demo.cf"].iter().chain(lent).map(|&flag| flag.to_owned()).collect();
    let mut daemon = Daemon::spawn_with(&subject(), place, place.dir(), &flags);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

#[test]
fn the_demo_alerts_and_recovers_before_the_reader_gets_bored() {
    let place = Place::new();
    let (mut daemon, mut client) = start_demo(&place);
    let alerts = || place.read("etc/demo/state/alerts.log");
    let seen = wait::until(DEMO_PATIENCE, "an alert and an upalert in the file", || {
        let text = alerts();
        (text.contains("failure demo flaky ") && text.contains("\nup demo flaky ")).then_some(())
    });
    seen.unwrap_or_else(|error| panic!("{error}: {}\n{}", alerts(), place.read("messages")));
    let failing = client.command("list failures").expect("the daemon serves");
    assert!(
        !failing.concat().contains("group=here "),
        "this machine is well, or the demo's limits are: {failing:?}"
    );
    daemon.signal("INT");
    daemon.ended(wait::PATIENCE).expect("Ctrl-C ends it");
}

#[test]
fn the_demo_sees_that_this_machine_is_well() {
    if subject_is_oracle() {
        return skipped("demo", "the original needs Perl modules for disk space that may not be here");
    }
    let place = Place::new();
    let (_daemon, mut client) = start_demo(&place);
    let mut last = Vec::new();
    let well = wait::until(wait::PATIENCE, "three services to be well", || {
        last = client.command("list opstatus here").ok()?;
        (last.iter().filter(|line| line.contains(" opstatus=1 ")).count() == 3).then_some(())
    });
    well.unwrap_or_else(|error| panic!("{error}: {last:#?}"));
}

/// How a daemon takes a configuration: the groups it watches, or the reason why it does not start.
fn takes(program: &Path, name: &str, text: &str) -> String {
    let place = Place::new();
    place.write(&format!("etc/{name}"), text);
    let mut flags = place.flags();
    flags[1] = place.path("etc").join(name).to_string_lossy().into_owned();
    flags.push("-S".into());
    let mut daemon = Daemon::spawn_with(program, &place, place.dir(), &flags);
    match daemon.ready() {
        Ok(mut client) => {
            let mut groups = client.command("list watch").expect("it answered before");
            groups.sort();
            format!("starts: {}", groups.join(" "))
        }
        Err(_) => {
            let messages = place.read("messages");
            let reason = messages.lines().find_map(|line| Some(line[line.find("cf error")?..].to_owned()));
            format!("refuses: {}", reason.unwrap_or(messages))
        }
    }
}

/// A file as text, uncompressed if need be.
fn text_of(path: &Path) -> Option<String> {
    if path.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new("gzip").arg("-dc").arg(path).output().ok()?;
        return output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned());
    }
    fs::read_to_string(path).ok()
}

#[test]
fn files_that_people_have_are_taken_as_the_original_takes_them() {
    let Some(oracle) = oracle() else {
        return skipped("shipped files", "the original is not installed (apt-get install mon)");
    };
    let examples = "/usr/share/doc/mon/examples";
    let files = ["/etc/mon/mon.cf", "example.cf.gz", "example.m4.gz", "very-simple.cf"];
    let mut compared = 0;
    for file in files {
        let Some(text) = text_of(&Path::new(examples).join(file)) else { continue };
        let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or("mon.cf");
        let name = name.trim_end_matches(".gz");
        let (ours, theirs) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| takes(&oracle, name, &text));
            (takes(&subject(), name, &text), theirs.join().expect("the original was started"))
        });
        assert_eq!(ours, theirs, "{file}: left is ours, right the original");
        compared += 1;
    }
    assert!(compared > 0, "the original is installed, but none of its files were found");
}

#[test]
fn the_pair_is_taken_and_the_checker_has_no_complaint() {
    for name in ["servera.cf", "serverb.cf"] {
        let path = source().join("etc/pair").join(name);
        let text = fs::read_to_string(&path).expect("the pair is part of the source");
        let taken = takes(&subject(), name, &text);
        let watches_the_other = match name {
            "servera.cf" => taken.contains("servera monserverb") && taken.contains("serverb ping"),
            _ => taken.contains("serverb monservera") && taken.contains("servera ping"),
        };
        assert!(watches_the_other, "{name}: {taken}");
        if subject_is_oracle() {
            skipped("pair", "the original has no `check`");
            continue;
        }
        let output = Command::new(subject()).arg("check").arg(&path).output().expect("the binary was built");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "mon check {}: {said}", path.display());
    }
}

/// What the alerts of the pair leave behind: their arguments, a line each.
const NOTED: &str = "#!/bin/sh\ncat >/dev/null\necho \"$*\" >>\"${0%/*}/../told\"\n";

/// One server of the pair, with everything every second and its peer on this machine.
fn start_pair_server(place: &Place, name: &str, peer: &str, peer_port: u16) -> (Daemon, Client) {
    let text =
        fs::read_to_string(source().join("etc/pair").join(format!("{name}.cf"))).expect("part of the source");
    let at_peer = format!(" 127.0.0.1:{peer_port} ;;");
    let text = text.replace("/etc/mon/auth.cf", &place.path("etc/auth.cf").display().to_string());
    let text = text.replace("interval 5m", "interval 1s").replace("interval 1m", "interval 1s");
    let text = text.replace("randstart = 60s", "").replace(&format!(" {peer} ;;"), &at_peer);
    assert!(text.contains(&at_peer), "{name} asks its peer");
    place.write("etc/mon.cf", &text);
    place.script("alert.d/mailxmpp.alert", NOTED);
    ["mon.d/fping.monitor", "mon.d/ssh.monitor"].iter().for_each(|path| place.script(path, "#!/bin/sh\n"));
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

#[test]
fn when_one_of_the_pair_dies_the_other_tells_once_and_tells_when_it_is_back() {
    if subject_is_oracle() {
        return skipped("pair", "the original's remote.monitor takes no port with its host");
    }
    let (a, b) = (Place::new(), Place::new());
    let (_servera, mut ask) = start_pair_server(&a, "servera", "serverb", b.port);
    let (serverb, _) = start_pair_server(&b, "serverb", "servera", a.port);
    let told = |kind: &str| {
        let about = |line: &&str| {
            line.contains("-s monserverb -g servera") && line.contains(" -u ") == (kind == "up")
        };
        a.read("told").lines().filter(about).count()
    };
    let mut sees = |status: &str| {
        let line = ask.command("list opstatus servera,monserverb").expect("the daemon serves").concat();
        line.contains(status).then_some(())
    };
    wait::until(wait::PATIENCE, "servera to see serverb well", || sees("opstatus=1 ")).expect("both run");
    let before = told("up");

    serverb.signal("KILL");
    wait::until(wait::PATIENCE, "an alert from servera", || (told("down") > 0).then_some(()))
        .expect("it is dead");
    let (_serverb, _) = start_pair_server(&b, "serverb", "servera", a.port);
    let back = wait::until(wait::PATIENCE, "an upalert", || (told("up") > before).then_some(()));
    back.unwrap_or_else(|error| panic!("{error}: {}\n{}", a.read("told"), a.read("messages")));
    assert_eq!(
        (told("up") - before, b.read("told").lines().filter(|l| l.contains("monservera")).count()),
        (1, 0)
    );
}

/// Notes as [`NOTED`], and fails while there is a file `blocked`.
const BLOCKABLE: &str = "#!/bin/sh\ncat >/dev/null\nhere=\"${0%/*}/..\"\ntest -e \"$here/blocked\" && exit 2\n\
                         echo \"$*\" >>\"$here/told\"\n";

#[test]
fn what_one_of_the_pair_cannot_tell_the_other_tells_at_once() {
    if subject_is_oracle() {
        return skipped("pair", "the original does not follow its alerts");
    }
    let (a, b) = (Place::new(), Place::new());
    for place in [&a, &b] {
        let failing_at_will = "#!/bin/sh\ntest ! -e \"${0%/*}/../bad\" && exit 0\necho full\nexit 1\n";
        place.script("mon.d/freespace.monitor", failing_at_will);
        place.script("mon.d/loadavg.monitor", "#!/bin/sh\n");
    }
    let (_servera, _) = start_pair_server(&a, "servera", "serverb", b.port);
    a.script("alert.d/mailxmpp.alert", BLOCKABLE);
    let (_serverb, mut ask) = start_pair_server(&b, "serverb", "servera", a.port);
    let about = |place: &Place, service: &str, up: bool| {
        let wanted = |line: &&str| line.contains(&format!("-s {service} ")) && line.contains(" -u ") == up;
        place.read("told").lines().filter(wanted).count()
    };
    let wait_for = |what: &str, place: &Place, service: &str, up: bool, count: usize| {
        wait::until(wait::PATIENCE, what, || (about(place, service, up) >= count).then_some(()))
            .unwrap_or_else(|why| panic!("{why}: {}{}", place.read("told"), place.read("messages")));
    };
    let mut checks_again = || {
        let mut last_check = |_| {
            let line = ask.command("list opstatus serverb,monservera").expect("the daemon serves").concat();
            line.split_once("last_check=").and_then(|(_, rest)| rest.split(' ').next()?.parse::<i64>().ok())
        };
        let before = last_check(()).unwrap_or(0);
        let later = || last_check(()).filter(|at| *at > before + 1).map(|_| ());
        wait::until(wait::PATIENCE, "serverb to look again", later).expect("it looks every second");
    };
    // The peer may have been down for a moment at the start.
    checks_again();
    let at_the_start = about(&b, "monservera", false);

    // An alert that gets through is enough: the other one waits for half an hour.
    a.write("bad", "");
    wait_for("an alert from servera", &a, "freespace", false, 1);
    checks_again();
    assert_eq!(about(&b, "monservera", false), at_the_start, "{}", b.read("told"));
    std::fs::remove_file(a.path("bad")).expect("it is there");
    wait_for("an upalert from servera", &a, "freespace", true, 1);

    a.write("blocked", "");
    a.write("bad", "");
    wait_for("an alert from serverb", &b, "monservera", false, at_the_start + 1);
    assert_eq!(about(&a, "freespace", false), 1);
    let ups = about(&b, "monservera", true);
    std::fs::remove_file(a.path("bad")).expect("it is there");
    wait_for("an upalert from serverb", &b, "monservera", true, ups + 1);
}
