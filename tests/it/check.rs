//! `mon check` against golden files: every `tests/config/NAME.cf` and what is said about it, `NAME.expected`.
//! `UPDATE_GOLDEN=1` rewrites them; review the difference.

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

fn transcript(output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{stdout}{stderr}exit status {}\n", output.status.code().expect("not killed"))
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
        let actual = transcript(&check(&[&name]));
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
        let output = check(&[&name]);
        let silent = output.stdout == b"0 errors, 0 warnings\n";
        assert_eq!(silent, name.starts_with("good-"), "{name}");
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
    // Any program that takes a file and writes text will do for m4.
    let output = check(&["--m4=cat", "unknown-global.cf"]);
    let text = transcript(&output);
    assert!(text.contains("unknown-global.cf (after m4):1:1: error[E001]"), "{text}");
    assert!(text.contains("Lines are counted in the output of m4.\n"), "{text}");
    assert_eq!(check(&["--m4=/nonexistent/m4", "good-empty.cf"]).status.code(), Some(2));
    assert_eq!(check(&["--m4=false", "good-empty.cf"]).status.code(), Some(2));
}
