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
