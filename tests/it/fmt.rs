//! `mon fmt`: golden files in tests/fmt, every good file there is, random edits of them, and how files are written.
//! `UPDATE_GOLDEN=1` rewrites the golden files; review the difference.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use remon_core::config::format::{Refusal, format};
use remon_core::config::load;
use remon_core::text::decode;

use crate::support::{Place, source};

fn fmt(args: &[&str], dir: &Path, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mon"))
        .arg("fmt")
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the built program can be started");
    // It may end without having read anything.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(source().join(folder)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "cf"));
    files.sort();
    files
}

#[test]
fn golden_files() {
    let files = files_in("tests/fmt");
    assert!(files.len() >= 3);
    for file in files {
        let (status, laid_out, complaint) = said(&fmt(&[&file.to_string_lossy()], source(), b""));
        assert_eq!((status, &*complaint), (Some(0), ""), "{}", file.display());
        let golden = file.with_extension("expected");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &laid_out).expect("the golden file can be written");
        }
        let expect = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(laid_out, expect, "UPDATE_GOLDEN=1 accepts {}", file.display());
    }
}

/// Every mon.cf at hand that the daemon would start with: ours, those of the tests, and Debian's.
fn good_texts() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> =
        ["etc", "etc/pair", "tests/config", "tests/fmt"].iter().flat_map(|folder| files_in(folder)).collect();
    files.push("/etc/mon/mon.cf".into());
    files.push("/usr/share/doc/mon/examples/very-simple.cf".into());
    let read = |path: &PathBuf| Some((path.display().to_string(), decode(fs::read(path).ok()?)));
    let mut texts: Vec<(String, String)> = files.iter().filter_map(read).collect();
    let example = "/usr/share/doc/mon/examples/example.cf.gz";
    let unpacked = Command::new("gzip").args(["-dc", example]).stderr(Stdio::null()).output();
    if let Some(output) = unpacked.ok().filter(|output| output.status.success()) {
        texts.push((example.to_owned(), decode(output.stdout)));
    }
    texts.retain(|(_, text)| !load(text).1.iter().any(|found| found.is_error()));
    assert!(texts.len() > 20);
    texts
}

/// What a text says, without where it says so: another way than the formatter's own proof.
fn meaning(text: &str) -> String {
    let said = format!("{:?}", load(text).0);
    let without_lines = without(&said, "line: ", |c| c.is_ascii_digit());
    without(&without_lines, "span: ", |c| c != ')')
}

/// Takes out what follows each `mark`, as far as `part` goes.
fn without(text: &str, mark: &str, part: impl Fn(char) -> bool) -> String {
    let mut pieces = text.split(mark);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| all + mark + piece.trim_start_matches(&part))
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

fn holds(name: &str, text: &str) {
    match format(text) {
        Ok(laid_out) => {
            assert_eq!(meaning(&laid_out), meaning(text), "{name}:\n{text}");
            assert_eq!(comments(&laid_out), comments(text), "{name}:\n{text}");
            assert_eq!(format(&laid_out).as_ref(), Ok(&laid_out), "{name}:\n{text}");
        }
        Err(Refusal::Errors(found)) => assert!(found.iter().any(|found| found.is_error()), "{name}"),
        Err(Refusal::Meaning(how)) => panic!("{name}: {how}:\n{text}"),
    }
}

#[test]
fn good_files_keep_their_meaning() {
    for (name, text) in good_texts() {
        assert!(format(&text).is_ok(), "{name}");
        holds(&name, &text);
    }
    let ours = fs::read_to_string(source().join("etc/demo.cf")).expect("it is part of the source");
    assert_eq!(format(&ours), Ok(ours), "our own files are laid out");
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// One slip of a tired person.
fn edit(text: &mut String, numbers: &mut Numbers) {
    let at = text.floor_char_boundary(numbers.below(text.len() + 1));
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let pieces = [
        "\n",
        "\n\n",
        "\\",
        "\\\n",
        "#",
        " ",
        "\t",
        "\r",
        "=",
        "watch g\n",
        "hostgroup x\n",
        "a = b\n",
        "\u{e9}",
    ];
    let piece = pieces[numbers.below(pieces.len())];
    match numbers.below(4) {
        0 => text.insert_str(at, piece),
        1 => text.insert_str(line, piece),
        2 if at < text.len() => drop(text.remove(at)),
        // Join two lines, or drop one.
        _ => {
            let end = text[line..].find('\n').map_or(text.len(), |newline| line + newline + 1);
            let start = if numbers.below(2) == 0 {
                line
            } else {
                text.floor_char_boundary(end.saturating_sub(1)).max(line)
            };
            text.replace_range(start..end, "");
        }
    }
}

#[test]
fn edited_files_keep_their_meaning_or_are_refused() {
    let mut numbers = Numbers(1);
    for (name, text) in good_texts().into_iter().filter(|(_, text)| text.len() < 8000) {
        for _ in 0..60 {
            let mut edited = text.clone();
            for _ in 0..=numbers.below(4) {
                edit(&mut edited, &mut numbers);
            }
            holds(&name, &edited);
        }
    }
}

const UNTIDY: &str = "hostgroup g h\n\n\nwatch g\nservice s\ntraptimeout 1m\n";
const TIDY: &str = "hostgroup g h\n\nwatch g\n    service s\n        traptimeout 1m\n";
const WRONG: &str = "watch g\nservice s\nintervall 1m\n";

#[test]
fn standard_input_goes_to_standard_output() {
    let dir = source();
    for args in [&[][..], &["-"]] {
        assert_eq!(said(&fmt(args, dir, UNTIDY.as_bytes())), (Some(0), TIDY.to_owned(), String::new()));
    }
    let latin1 = b"hostgroup g h\n# Z\xfcrich\n";
    assert_eq!(fmt(&[], dir, latin1).stdout, b"hostgroup g h\n# Z\xfcrich\n");
    let (status, out, complaint) = said(&fmt(&[], dir, WRONG.as_bytes()));
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(complaint.contains("-:3:1: error[E021]: `intervall` is not a keyword"), "{complaint}");
    assert!(complaint.ends_with("mon fmt: -: left as it is, because it has errors\n"), "{complaint}");
}

#[test]
fn check_lists_the_files_that_would_change() {
    let place = Place::new();
    let dir = place.dir();
    for (name, text) in [("untidy.cf", UNTIDY), ("tidy.cf", TIDY), ("wrong.cf", WRONG)] {
        place.write(name, text);
    }
    assert_eq!(said(&fmt(&["--check", "tidy.cf"], dir, b"")), (Some(0), String::new(), String::new()));
    let both = fmt(&["--check", "tidy.cf", "untidy.cf"], dir, b"");
    assert_eq!(said(&both), (Some(1), "untidy.cf\n".to_owned(), String::new()));
    let (status, out, complaint) = said(&fmt(&["--check", "wrong.cf", "no-such.cf"], dir, b""));
    assert_eq!((status, &*out), (Some(2), ""));
    assert!(complaint.contains("wrong.cf: left as it is") && complaint.contains("no-such.cf: No such file"));
    assert_eq!(place.read("untidy.cf"), UNTIDY);
    for args in [&["--write", "-"][..], &["--write", "--check", "tidy.cf"], &["tidy.cf", "untidy.cf"]] {
        assert_eq!(fmt(args, dir, b"").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn writing_keeps_what_a_file_is() {
    let place = Place::new();
    let dir = place.dir();
    for (name, text) in [("real.cf", UNTIDY), ("wrong.cf", WRONG), ("tidy.cf", TIDY)] {
        place.write(name, text);
    }
    fs::set_permissions(place.path("real.cf"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    symlink("real.cf", place.path("link.cf")).expect("our own directory is writable");
    let before = [fs::metadata(place.path("tidy.cf")), fs::metadata(place.path("wrong.cf"))];
    let (status, out, complaint) = said(&fmt(&["-w", "link.cf", "wrong.cf", "tidy.cf"], dir, b""));
    assert_eq!((status, &*out), (Some(1), ""), "{complaint}");
    assert_eq!((&*place.read("real.cf"), &*place.read("wrong.cf")), (TIDY, WRONG));
    assert!(fs::symlink_metadata(place.path("link.cf")).expect("it is there").is_symlink());
    assert_eq!(fs::metadata(place.path("real.cf")).expect("it is there").mode() & 0o777, 0o640);
    for (name, before) in ["tidy.cf", "wrong.cf"].iter().zip(before) {
        let after = fs::metadata(place.path(name)).expect("it is there");
        assert_eq!(after.ino(), before.expect("it is there").ino(), "{name} is not touched");
    }
    let left: Vec<_> =
        fs::read_dir(dir).expect("it can be listed").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name == "remon"), "no scratch folder stays: {left:?}");
}

#[test]
fn macros_are_left_alone() {
    let place = Place::new();
    place.write("a.m4", "define(`X', `y')dnl\n  hostgroup g X\n");
    place.write("b.m4", "# no `macros' here\n  hostgroup g x\n");
    let (status, out, complaint) = said(&fmt(&["a.m4"], place.dir(), b""));
    assert_eq!((status, &*out), (Some(1), ""));
    assert_eq!(complaint, "mon fmt: a.m4: left as it is: it uses m4 (define), which minds line breaks\n");
    // Whatever its name is.
    assert_eq!(fmt(&[], place.dir(), b"dnl x\nhostgroup g h\n").status.code(), Some(1));
    assert_eq!(said(&fmt(&["b.m4"], place.dir(), b"")).1, "# no `macros' here\nhostgroup g x\n");
}
