//! What a person reads, against golden files: `tests/why/NAME.reply`, `NAME.record` and `NAME.each` are what a
//! server answers, `NAME.expected` what is printed. `UPDATE_GOLDEN=1` rewrites them; review the difference.

use std::path::{Path, PathBuf};

use remon_core::nouns::Civil;

use super::reasons::Local;
use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/why")
}

#[test]
fn every_answer_is_printed_as_its_golden_file_says() {
    let mut differing = Vec::new();
    let mut compared = 0;
    for entry in std::fs::read_dir(folder()).expect("tests/why can be listed") {
        let path = entry.expect("an entry").path();
        let render: fn(&[Told], &Local<'_>) -> String =
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("reply") => text::render,
                Some("record") => |lines: &[Told], local: &Local<'_>| history::render(lines, false, local),
                Some("each") => |lines: &[Told], local: &Local<'_>| history::render(lines, true, local),
                _ => continue,
            };
        let reply = std::fs::read_to_string(&path).expect("it can be read");
        let lines: Vec<String> = reply.lines().map(str::to_owned).collect();
        let lines = read(&lines);
        let actual = render(&lines, &Civil::utc);
        let golden = path.with_extension("expected");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &actual).expect("the golden file can be written");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != actual {
            differing.push(format!("--- {}\n{actual}", path.display()));
        }
        compared += 1;
    }
    assert!(compared > 5, "the golden files were not found");
    assert!(differing.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", differing.join("\n"));
}

#[test]
fn an_answer_that_is_none() {
    assert_eq!(text::render(&[], &Civil::utc), "the server's answer cannot be understood\n");
    assert_eq!(history::render(&[], true, &Civil::utc), "Nothing is recorded.\n");
}

#[test]
fn group_and_service() {
    let both = |group: &str, service: &str| Ok((group.to_owned(), service.to_owned()));
    assert_eq!(names("web", Some("http")), both("web", "http"));
    assert_eq!(names("web/http", None), both("web", "http"));
    assert_eq!(names("web:http", None), both("web", "http"));
    for (group, service) in [("web", None), ("", Some("x")), ("web", Some("a at 5")), ("web/", None)] {
        assert!(names(group, service).is_err(), "{group} {service:?}");
    }
}

#[test]
fn spans_have_two_units_at_most() {
    for (seconds, expect) in
        [(0, "0s"), (59, "59s"), (60, "1m"), (3661, "1h1m"), (3605, "1h"), (200_000, "2d7h"), (-5, "0s")]
    {
        assert_eq!(reasons::span(seconds), expect);
    }
}
