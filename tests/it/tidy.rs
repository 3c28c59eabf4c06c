//! The architecture, kept by a test: who may use whom, who may touch the world, how long things may get.
//!
//! Each rule reads the source as text and fails with the sentence to read. The lists of exceptions are part of
//! the rule: an entry says why, and an entry that is no longer needed fails too.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::source;

/// Modules of src/core by layer. A module uses lower layers and its own; the crate docs say what each is for.
const LAYERS: &[(usize, &[&str])] = &[
    (0, &["text", "nouns", "timeval", "words", "getopt", "netdb", "reason", "url"]),
    (1, &["period", "depend", "auth", "allow"]),
    (2, &["config"]),
    (3, &["decision", "schedule", "history"]),
    (4, &["engine"]),
    (5, &["wire", "world"]),
];

/// What pure code may not name: it has no clock, file, socket, process, environment or thread. Addresses are
/// values, so `std::net` itself is not on the list.
const DOORS: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "Instant::now",
    "SystemTime::now",
];

/// Crates that do input and output.
const WORLDLY_CRATES: &[&str] = &["tokio", "mio", "libc", "jiff", "tracing"];

/// Files that may hold `unsafe`, and why no safe way exists.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("src/daemon/sys.rs", "what std does not wrap: fork, setsid, getpwnam, crypt"),
    ("src/daemon/memory.rs", "giving pages back is a matter of C: malloc_trim, madvise, dl_iterate_phdr"),
    ("src/daemon/pam.rs", "libpam speaks C"),
    ("src/daemon/spawn.rs", "std gives children SIGPIPE back; posix_spawn and pidfd without it"),
    ("monitors/sys.rs", "statvfs and the like, for which std has no door"),
    ("alerts/sys.rs", "std can only signal a child, not its process group"),
    ("src/cli/doctor/sys.rs", "what std does not wrap: getpwnam, setresuid, faccessat, adjtimex"),
    ("src/cli/terminal.rs", "std cannot turn the echo of a terminal off"),
    ("monitors/tcp.rs", "one test makes a listener with a full queue"),
];

/// The one file of the daemon that reads the clock.
const CLOCK: &str = "src/daemon/clock.rs";

/// A file should fit in one reading; the tests at its end are not counted.
const FILE_LIMIT: usize = 500;

/// Longer files, and why they are better whole.
const LONG_FILES: &[(&str, &str)] = &[];

/// A function should fit on one screen.
const FUNCTION_LIMIT: usize = 70;

/// Longer functions as (file, name, why it is better whole).
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// A source file, as it is and reduced to code.
struct Source {
    /// Relative to the top, with `/`.
    path: String,
    text: String,
    /// The text without what stands in comments and strings; lines are kept.
    code: String,
}

impl Source {
    /// The code before the tests at the end of the file; nothing of a file that holds only tests.
    fn production(&self) -> &str {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return "";
        }
        let end = self.code.find("#[cfg(test)]\nmod ").unwrap_or(self.code.len());
        &self.code[..end]
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    fn line_of(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }
}

#[test]
fn core_modules_use_lower_layers_only() {
    check(|source, complain| {
        let Some(module) = core_module(&source.path) else { return };
        let Some(own) = layer(module) else {
            return complain(format!(
                "{}: module `{module}` has no layer: give it one in LAYERS",
                source.path
            ));
        };
        for used in used_modules(source.production()) {
            match layer(&used) {
                Some(other) if other > own => complain(format!(
                    "{}: `{module}` (layer {own}) uses `{used}` (layer {other}): a layer uses only lower ones",
                    source.path
                )),
                Some(_) => {}
                None => complain(format!("{}: uses `{used}`, which has no layer in LAYERS", source.path)),
            }
        }
        if module == "decision" && source.production().contains("config::ast") {
            complain(format!("{}: decisions are about the configuration, not about its syntax", source.path));
        }
    });
}

#[test]
fn core_knows_no_world() {
    check(|source, complain| {
        if !source.is_in("src/core/") {
            return;
        }
        for door in DOORS {
            for line in lines_with(source.production(), door) {
                complain(format!(
                    "{}:{line}: `{door}`: src/core decides, src/daemon acts; hand the value in",
                    source.path
                ));
            }
        }
    });
    let manifest = read(&source().join("src/core/Cargo.toml"));
    for name in WORLDLY_CRATES {
        let names_it = manifest.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(name));
        assert!(!names_it, "src/core/Cargo.toml: `{name}` touches the world, which is src/daemon's part");
    }
}

#[test]
fn one_file_reads_the_clock() {
    check(|source, complain| {
        let bound = source.is_in("src/daemon/") || source.is_in("src/core/");
        if !bound || source.path == CLOCK {
            return;
        }
        for line in lines_with(source.production(), "::now(") {
            complain(format!("{}:{line}: only {CLOCK} reads the clock; time is an argument", source.path));
        }
    });
}

#[test]
fn unsafe_has_a_reason() {
    let mut used = Vec::new();
    check(|source, complain| {
        let lines = lines_with_word(&source.code, "unsafe");
        if lines.is_empty() {
            return;
        }
        used.push(source.path.clone());
        if !UNSAFE_FILES.iter().any(|(path, _)| *path == source.path) {
            complain(format!(
                "{}:{}: `unsafe` needs an entry with its reason in UNSAFE_FILES",
                source.path, lines[0]
            ));
        }
    });
    no_stale_entries(UNSAFE_FILES.iter().map(|(path, _)| *path), &used);
}

#[test]
fn every_file_says_what_it_is_for() {
    check(|source, complain| {
        if !source.text.starts_with("//! ") {
            complain(format!("{}: the first line is `//! ` and the role of the file", source.path));
        }
    });
}

#[test]
fn nothing_is_left_for_later() {
    check(|source, complain| {
        for mark in ["todo!(", "unimplemented!(", "#[ignore"] {
            for line in lines_with(&source.code, mark) {
                complain(format!(
                    "{}:{line}: `{mark}`: finish it, or assert today's behaviour and say why",
                    source.path
                ));
            }
        }
    });
}

#[test]
fn files_fit_in_one_reading() {
    let mut long = Vec::new();
    check(|source, complain| {
        let lines = source.production().lines().count();
        if lines <= FILE_LIMIT {
            return;
        }
        long.push(source.path.clone());
        if !LONG_FILES.iter().any(|(path, _)| *path == source.path) {
            complain(format!("{}: {lines} lines: split it, or give the reason in LONG_FILES", source.path));
        }
    });
    no_stale_entries(LONG_FILES.iter().map(|(path, _)| *path), &long);
}

#[test]
fn functions_fit_on_one_screen() {
    let mut long = Vec::new();
    check(|source, complain| {
        for (name, line, length) in functions(source) {
            if length <= FUNCTION_LIMIT {
                continue;
            }
            long.push(format!("{} {name}", source.path));
            if !LONG_FUNCTIONS.iter().any(|(path, entry, _)| *path == source.path && *entry == name) {
                complain(format!(
                    "{}:{line}: `{name}` has {length} lines: split it, or give the reason in LONG_FUNCTIONS",
                    source.path
                ));
            }
        }
    });
    let entries: Vec<String> =
        LONG_FUNCTIONS.iter().map(|(path, name, _)| format!("{path} {name}")).collect();
    no_stale_entries(entries.iter().map(String::as_str), &long);
}

/// Runs a rule over every source file, and fails with all complaints at once.
fn check(mut rule: impl FnMut(&Source, &mut dyn FnMut(String))) {
    let mut report = String::new();
    for source in sources() {
        rule(&source, &mut |complaint| writeln!(report, "{complaint}").expect("a string takes everything"));
    }
    assert!(report.is_empty(), "\n{report}");
}

/// An entry for a file that is there and does not need it is a promise nobody keeps.
fn no_stale_entries<'a>(entries: impl Iterator<Item = &'a str>, needed: &[String]) {
    let exists = |entry: &str| entry.split(' ').next().is_some_and(|path| source().join(path).exists());
    let stale: Vec<&str> =
        entries.filter(|entry| exists(entry) && !needed.iter().any(|path| path == entry)).collect();
    assert!(stale.is_empty(), "no longer needed, so take it from the list: {stale:?}");
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "monitors", "alerts", "tests"] {
        collect(&source().join(folder), &mut paths);
    }
    assert!(paths.len() > 10, "the source tree is not where this test looks for it");
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

fn load(path: &Path) -> Source {
    let text = read(path);
    let relative = path.strip_prefix(source()).expect("it was found below the top");
    Source { path: relative.to_string_lossy().into_owned(), code: code_only(&text), text }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The top-level module a file of src/core belongs to; `None` for other files and for lib.rs.
fn core_module(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/core/")?;
    let module = rest.split('/').next()?.trim_end_matches(".rs");
    (module != "lib" && !rest.starts_with("tests/")).then_some(module)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().find(|(_, modules)| modules.contains(&module)).map(|(layer, _)| *layer)
}

/// The top-level modules named after `crate::`, alone or in braces.
fn used_modules(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let outside = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &code[at + "crate::".len()..];
        if outside {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(group) => used.extend(names_in_group(group)),
            None => used.push(leading_name(rest)),
        }
    }
    // A capital begins an item at the top of the crate, not a module.
    used.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    used.sort();
    used.dedup();
    used
}

/// The first names of the entries of `{a::b, c::{d, e}, f}`, whose opening brace is already behind us.
fn names_in_group(group: &str) -> Vec<String> {
    let mut names = vec![leading_name(group.trim_start())];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(leading_name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn lines_with(code: &str, wanted: &str) -> Vec<usize> {
    (1..).zip(code.lines()).filter(|(_, line)| line.contains(wanted)).map(|(number, _)| number).collect()
}

fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let has = |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word);
    (1..).zip(code.lines()).filter(|(_, line)| has(line)).map(|(number, _)| number).collect()
}

/// Name, first line and length of every function that has a body.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let code = &source.code;
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name = leading_name(&code[at + 3..]);
        // A function type has no name, a declaration in a trait no body.
        let Some(open) = code[at..].find(['{', ';']).map(|offset| at + offset) else { continue };
        if name.is_empty() || code.as_bytes()[open] == b';' {
            continue;
        }
        let first = source.line_of(at);
        found.push((name, first, source.line_of(closing_brace(code, open)) - first + 1));
    }
    found
}

fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The text with everything in comments and strings taken out. Line ends stay, so that numbers agree.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = skipped_length(rest);
        if length == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        rest = &rest[length..];
    }
    code
}

/// How many bytes at the start of `text` are a comment, a string or a character; 0 when it is code.
fn skipped_length(text: &str) -> usize {
    let until =
        |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    match text.as_bytes() {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => until("*/", 2),
        [b'"', ..] => quoted_length(text),
        [b'r', b'"', ..] => until("\"", 2),
        [b'r', b'#', b'"', ..] => until("\"#", 3),
        [b'r', b'#', b'#', b'"', ..] => until("\"##", 4),
        [b'\'', b'\\', ..] => until("'", 3),
        // One character between quotes; anything longer is the name of a lifetime.
        [b'\'', ..] => {
            let length = text[1..].chars().next().map_or(0, |c| 1 + c.len_utf8());
            if text[length..].starts_with('\'') && length > 1 { length + 1 } else { 0 }
        }
        _ => 0,
    }
}

fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let code = |text: &str| code_only(text);
        assert_eq!(code("a // unsafe\nb"), "a \nb");
        assert_eq!(code("f(\"}\\\"{\", '{', '\\'', b'x') /* } */"), "f(, , , b) ");
        assert_eq!(code("r#\"a \" {\"# fn f<'a>(x: &'a str) {}"), " fn f<'a>(x: &'a str) {}");
        assert_eq!(code("\"one\ntwo\"\nx"), "\n\nx");
    }

    #[test]
    fn uses_are_found_alone_and_in_braces() {
        let code = "use crate::{config::{Model, ast}, nouns::Now,\n    text};\nfn f() { crate::wire::go() } use mycrate::no;";
        assert_eq!(used_modules(code), ["config", "nouns", "text", "wire"]);
    }

    #[test]
    fn functions_are_measured_from_name_to_brace() {
        let text =
            "fn a() {\n    if x {\n    }\n}\ntrait T {\n    fn b();\n    fn c() {}\n}\ntype F = fn (u8);\n";
        let source = Source { path: "x".into(), text: text.into(), code: code_only(text) };
        assert_eq!(functions(&source), [("a".into(), 1, 4), ("c".into(), 7, 1)]);
    }
}
