//! What the package is made of: pages for everything that is built in, configuration files that dpkg need not ask about.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Place, skipped, source, subject};

/// The names that `mon run` lists.
fn built_in() -> Vec<String> {
    let output = Command::new(subject()).arg("run").output().expect("the subject is there");
    let text = String::from_utf8(output.stderr).expect("names are ASCII");
    let names = text.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_program_has_its_page_and_completions() {
    let place = Place::new();
    let made = Command::new(subject()).arg("pages").arg(place.dir()).output().expect("the subject is there");
    assert!(made.status.success(), "{made:?}");
    let names = built_in();
    assert!(names.len() >= 15 && names.iter().any(|name| name == "mail.alert"), "{names:?}");
    let completions = ["mon.bash", "mon.zsh", "mon.fish"]
        .map(|file| std::fs::read_to_string(place.dir().join(file)).expect("the completions are written"));
    for name in &names {
        let section = if name.contains('.') { 8 } else { 1 };
        let page = std::fs::read_to_string(place.dir().join(format!("man/{name}.{section}")));
        let page = page.unwrap_or_else(|error| panic!("{name} has no page: {error}"));
        // Only that one has no options.
        let complete = page.contains("\n.SH OPTIONS\n") || name == "test.alert";
        assert!(page.contains("\n.SH SYNOPSIS\n") && complete, "{name}:\n{page}");
        assert!(completions.iter().all(|text| text.contains(name.as_str())), "{name} is not completed");
    }
    for page in ["mon.8", "mon-check.8", "mon-period.8"] {
        assert!(place.dir().join("man").join(page).exists(), "{page}");
    }
}

/// What bash offers for a line that is being typed.
fn offered(file: &Path, words: &[&str]) -> String {
    let script = format!(
        ". {}; COMP_WORDS=({}); COMP_CWORD={}; _mon {}; echo \"${{COMPREPLY[*]}}\"",
        file.display(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words[0],
    );
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash is there");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("names are ASCII").trim_end().to_owned()
}

#[test]
fn bash_completes() {
    let place = Place::new();
    let status =
        Command::new(subject()).arg("pages").arg(place.dir()).status().expect("the subject is there");
    assert!(status.success());
    let file = place.dir().join("mon.bash");
    assert_eq!(offered(&file, &["mon", "che"]), "check");
    assert_eq!(offered(&file, &["mon", "run", "mailx"]), "mailxmpp.alert");
    assert_eq!(offered(&file, &["mon", "run", "mailxmpp.alert", "--roo"]), "--room");
    assert_eq!(offered(&file, &["/usr/bin/monshow", "--det"]), "--detail");
    assert_eq!(offered(&file, &["mon", "period", "--ne"]), "--next");
}

#[test]
fn where_pages_cannot_be_written_it_says_so() {
    let run = |words: &[&str]| {
        Command::new(subject()).args(words).stdin(Stdio::null()).output().expect("the subject is there")
    };
    let without = run(&["pages"]);
    assert_eq!(without.status.code(), Some(2));
    let nowhere = run(&["pages", "/dev/null/x"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).starts_with("mon pages: "), "{nowhere:?}");
}

#[test]
fn the_configuration_files_are_those_of_debian() {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${Conffiles}", "mon"]).output();
    let listed = query.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if listed.is_empty() {
        return skipped("package", "the package mon is not installed (apt-get install mon)");
    }
    for name in ["mon.cf", "auth.cf", "monshowrc"] {
        let file = source().join("etc/debian/conffiles").join(name);
        let sum = Command::new("md5sum").arg(&file).output().expect("md5sum is there").stdout;
        let sum = String::from_utf8_lossy(&sum).split(' ').next().unwrap_or_default().to_owned();
        assert!(listed.contains(&format!("/etc/mon/{name} {sum}")), "{name} is {sum}; mon has\n{listed}");
    }
}
