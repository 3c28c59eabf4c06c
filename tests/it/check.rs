//! `mon check` against golden files: every `tests/config/NAME.cf` and what is said about it, `NAME.expected`.
//! `UPDATE_GOLDEN=1` rewrites them; review the difference. A first line `# mon check OPTION…` says how a file is
//! checked; without it this machine is left out, so that the answer is the same on every one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn config_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

/// Runs `mon check` where the files are, so that their names are all of the path that shows.
fn check(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mon"))
        .arg("check")
        .args(args)
        .current_dir(config_dir())
        .output()
        .expect("the built program can be started")
}

/// Checks a file of the collection as its first line asks.
fn check_as_asked(name: &str) -> Output {
    let text = std::fs::read(config_dir().join(name)).expect("it was listed");
    let first = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned();
    let asked: Vec<&str> = match first.strip_prefix("# mon check") {
        Some(options) => options.split_whitespace().collect(),
        None => vec!["--elsewhere"],
    };
    check(&[&asked[..], &[name]].concat())
}

fn transcript(output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let text = format!("{stdout}{stderr}exit status {}\n", output.status.code().expect("not killed"));
    text.replace(&format!("{}/", config_dir().display()), "")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(config_dir())
        .expect("tests/config can be listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a UTF-8 name"))
        .filter(|name| name.ends_with(".cf") || name.ends_with(".m4"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_file_gets_its_golden_answer() {
    let mut differing = Vec::new();
    for name in names() {
        let golden = config_dir().join(Path::new(&name).with_extension("expected"));
        let actual = transcript(&check_as_asked(&name));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &actual).expect("the golden file can be written");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != actual {
            differing.push(format!("--- {name}\n{actual}"));
        }
    }
    assert!(differing.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", differing.join("\n"));
}

#[test]
fn good_files_are_silent_and_the_others_are_not() {
    for name in names() {
        let output = check_as_asked(&name);
        let silent = output.stdout == b"0 errors, 0 warnings\n";
        assert_eq!(silent, name.starts_with("good-"), "{name}\n{}", transcript(&output));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_exit_status_2() {
    let output = check(&["no-such-file.cf"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .starts_with("mon check: config file no-such-file.cf does not exist")
    );
}

#[test]
fn m4_runs_first_where_it_is_asked_for() {
    // Any program that takes a file and writes text will do for m4. This one leaves the lines where they are …
    let text = transcript(&check(&["--elsewhere", "--m4=cat", "unknown-global.cf"]));
    assert!(
        text.contains("\nunknown-global.cf:") || text.starts_with("unknown-global.cf:1:1: error[E001]"),
        "{text}"
    );
    // … and this one says nothing about where they come from.
    let text = transcript(&check(&["--elsewhere", "--m4=tac", "unknown-global.cf"]));
    assert!(text.contains("unknown-global.cf (after m4):10:1: error[E001]"), "{text}");
    assert_eq!(check(&["--m4=/nonexistent/m4", "good-empty.cf"]).status.code(), Some(2));
    assert_eq!(check(&["--m4=false", "good-empty.cf"]).status.code(), Some(2));
}

#[test]
fn sixty_mistakes_that_people_make() {
    let wrong = names().into_iter().filter(|name| !name.starts_with("good-"));
    assert!(wrong.count() >= 60);
}

#[test]
fn several_files_are_checked_in_turn_and_the_worst_counts() {
    let output = check(&[
        "--elsewhere",
        "--format=short",
        "good-empty.cf",
        "host-twice.cf",
        "unknown-global.cf",
        "none.cf",
    ]);
    let text = transcript(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("host-twice.cf:2:6: warning:") && text.contains("unknown-global.cf:1:1: error:"),
        "{text}"
    );
    assert!(text.contains("mon check: config file none.cf does not exist"), "{text}");
    assert_eq!(check(&["--elsewhere", "host-twice.cf", "unknown-global.cf"]).status.code(), Some(1));
    assert_eq!(check(&["--elsewhere", "good-empty.cf", "host-twice.cf"]).status.code(), Some(0));
}

#[test]
fn editors_and_programs_get_a_line_for_each_finding() {
    let short = check(&["--elsewhere", "--format=short", "several-mistakes-at-once.cf"]);
    let json = check(&["--elsewhere", "--format=json", "several-mistakes-at-once.cf"]);
    let (short, json) = (String::from_utf8_lossy(&short.stdout), String::from_utf8_lossy(&json.stdout));
    assert_eq!(short.lines().count(), json.lines().count());
    for (short, json) in short.lines().zip(json.lines()) {
        let mut parts = short.splitn(5, ':');
        let mut part = || parts.next().unwrap_or_default().trim();
        let (file, line, column, severity, text) = (part(), part(), part(), part(), part());
        let (message, code) = text.rsplit_once(" [").expect("a code at the end");
        let begins =
            format!("{{\"file\": \"{file}\", \"line\": {line}, \"column\": {column}, \"end_column\": ");
        let middle = format!(
            ", \"severity\": \"{severity}\", \"code\": \"{}\", \"message\": ",
            code.trim_end_matches(']')
        );
        assert!(
            json.starts_with(&begins) && json.contains(&middle) && json.ends_with('}'),
            "{short}\n{json}"
        );
        assert!(!message.is_empty());
    }
}

/// A file whose mode matters, and one that cannot be there: neither can be kept in the source.
#[test]
fn auth_files_are_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = crate::support::Place::new();
    let auth = "command section\nlist: all\ntrap section\n192.0.2.7 sensor abFZSxKKdq5s6\n";
    place.write("auth.cf", auth);
    let config = format!(
        "serverbind = 127.0.0.1\nauthfile = {}\n\nhostgroup g h\n\nwatch g\n service s\n  traptimeout 1m\n  period\n   alert file.alert\n",
        place.path("auth.cf").display()
    );
    place.write("mon.cf", &config);
    let codes = |mode: u32| {
        std::fs::set_permissions(place.path("auth.cf"), std::fs::Permissions::from_mode(mode))
            .expect("it is ours");
        let output = check(&["--format=short", &place.path("mon.cf").display().to_string()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .filter_map(|line| Some(line.rsplit_once('[')?.1.trim_end_matches(']').to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(0o640), [""; 0]);
    assert_eq!(codes(0o644), ["W048"]);
    assert_eq!(codes(0o642), ["W048"]);
    std::fs::remove_file(place.path("auth.cf")).expect("it is ours");
    let output = check(&["--format=short", &place.path("mon.cf").display().to_string()]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("[E007]"));
}

fn explain(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mon")).arg("explain").args(args).output().expect("it can be started")
}

#[test]
fn every_code_of_the_collection_has_a_page() {
    let list = explain(&[]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let mut seen = std::collections::BTreeSet::new();
    for name in names() {
        let golden = std::fs::read_to_string(config_dir().join(Path::new(&name).with_extension("expected")));
        let golden = golden.expect("every file has its answer");
        let codes = golden.split(['[', ']']).filter(|word| word.len() == 4 && word.starts_with(['E', 'W']));
        seen.extend(codes.map(str::to_owned));
    }
    for code in &seen {
        assert!(list.contains(&format!("\n{code}  ")), "{code} is not in the list");
        let page = explain(&[code]);
        let text = String::from_utf8_lossy(&page.stdout).into_owned();
        assert!(page.status.success() && text.starts_with(code.as_str()), "{code}");
    }
    // The other way round: what has a page has a file that shows it, but for what no small file can show.
    let alone = ["E000", "W048", "W030"];
    let missing: Vec<&str> = list
        .lines()
        .map(|line| &line[..4])
        .filter(|code| !seen.contains(*code) && !alone.contains(code))
        .collect();
    assert!(missing.is_empty(), "no file in tests/config shows {missing:?}");
    assert_eq!(explain(&["W999"]).status.code(), Some(1));
}

/// The daemon says at start and at a reset what `mon check` says, and goes on with what it has if the new file is bad.
#[test]
fn the_daemon_uses_the_same_checker() {
    use crate::support::{Daemon, Place, subject, subject_is_oracle, wait};
    if subject_is_oracle() {
        return crate::support::skipped("checker", "the original has none");
    }
    let place = Place::new();
    place.write("etc/mon.cf", "hostgroup g h\n\nwatch g\n service s\n  interval 1h\n  monitor nowhere.monitor\n  period\n   upalert file.alert\n");
    let mut daemon = Daemon::spawn(&subject(), &place, &["-d".to_owned()]);
    let mut client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    let logged = |words: &str| {
        let seen =
            wait::until(wait::PATIENCE, words, || place.read("messages").contains(words).then_some(()));
        seen.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    };
    let name = place.path("etc/mon.cf").display().to_string();
    logged(&format!("{name}:6:11: warning[W027]: there is no program `nowhere.monitor`"));
    logged(&format!("{name}:8:4: warning[W037]"));
    place.write("etc/mon.cf", "hostgroup g h\n\nwatch g\n service s\n  intervall 1h\n  traptimeout 5\n");
    let reply = client.command("reset").expect("the daemon serves").concat();
    assert!(reply.contains("error in config file"), "{reply}");
    logged(&format!("{name}:5:3: error[E021]: `intervall` is not a keyword"));
    logged(&format!("{name}:6:15: error[E016]"));
    let watched = client.command("list watch").expect("the old configuration is still there").concat();
    assert!(watched.contains("g s"), "{watched}");
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let golden = std::fs::read_to_string(config_dir().join("readme.expected")).expect("it has its answer");
    let shown: String =
        golden.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect();
    let shown = shown.rsplit_once("    exit status").map_or("", |(shown, _)| shown);
    let readme = std::fs::read_to_string(crate::support::source().join("README.md")).expect("there is one");
    assert!(
        readme.contains(&format!("    $ mon check readme.cf\n{shown}")),
        "put this into the README:\n{shown}"
    );
}

/// Files of many sites, each in its administrator's own way: a rule that has something to say about one is wrong.
#[test]
fn what_careful_people_write_is_silent() {
    let folder = config_dir().join("silent");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("it can be listed").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    for path in paths {
        let output = check(&["--elsewhere", &path.display().to_string()]);
        assert_eq!(transcript(&output), "0 errors, 0 warnings\nexit status 0\n", "{}", path.display());
    }
}

/// What is said of files that nobody asked us to judge must be true. Debian's example has these mistakes: a group
/// called `new` that was meant to be `news`, watches without hosts, an operator missing, services half written.
#[test]
fn files_that_are_shipped_get_no_false_warning() {
    let ours = crate::support::source().join("etc");
    for name in ["demo.cf", "pair/servera.cf", "pair/serverb.cf"] {
        let output = check(&["--elsewhere", &ours.join(name).display().to_string()]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0 errors, 0 warnings\n", "{name}");
    }
    let example = Path::new("/usr/share/doc/mon/examples/example.cf.gz");
    if !Path::new("/etc/mon/mon.cf").is_file() || !example.is_file() {
        return crate::support::skipped("shipped files", "Debian's package mon is not installed");
    }
    // Its programs are there, and its auth.cf.
    let output = check(&["--elsewhere", "/etc/mon/mon.cf"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0 errors, 0 warnings\n", "/etc/mon/mon.cf");
    let unpacked =
        Command::new("gzip").args(["-dc".as_ref(), example.as_os_str()]).output().expect("gzip is there");
    let place = crate::support::Place::new();
    std::fs::write(place.path("example.cf"), unpacked.stdout).expect("our own directory is writable");
    let output = check(&["--elsewhere", "--format=short", &place.path("example.cf").display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let codes: Vec<&str> =
        text.lines().filter_map(|line| line.get(line.len().checked_sub(5)?..line.len() - 1)).collect();
    assert_eq!(codes, ["W005", "W007", "W004", "W011", "W023", "W004", "W004"], "{text}");
}

/// The aim is 200 ms with the release build on an idle machine; what it took is printed, for no test may depend on
/// how busy a machine is.
#[test]
fn ten_thousand_services_are_checked_at_once() {
    use std::fmt::Write as _;
    let mut text = String::from("serverbind = 127.0.0.1\n\n");
    for group in 0..1000 {
        let _ = writeln!(text, "hostgroup group{group} host{group}a.example.org host{group}b.example.org\n");
    }
    for group in 0..1000 {
        let _ = writeln!(text, "watch group{group}");
        for service in 0..10 {
            let _ = write!(
                text,
                "    service service{service}\n        interval 5m\n        monitor fping.monitor -t {service}\n        \
                 period DAY: wd {{Mon-Fri}} hr {{8am-5pm}}\n            alertevery 1h\n            alert mail.alert ops@example.org\n        \
                 period NIGHT: wd {{Mon-Fri}} hr {{6pm-7am}}, wd {{Sat-Sun}}\n            alertevery 4h\n            alert mail.alert ops@example.org\n"
            );
        }
        text.push('\n');
    }
    let place = crate::support::Place::new();
    place.write("many.cf", &text);
    let started = std::time::Instant::now();
    let output = check(&["--elsewhere", &place.path("many.cf").display().to_string()]);
    println!("10,000 services checked in {} ms", started.elapsed().as_millis());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0 errors, 0 warnings\n");
}
