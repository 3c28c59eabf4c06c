//! A page for each code: what it means, a wrong and a right example.
//!
//! The pages are text, in `explain/`: `=== CODE TITLE`, some words, and the files of the two examples after
//! `--- wrong` and `--- right`. A mon.cf stands for itself; what else an example needs follows under its name:
//! `auth.cf`, `peer.cf` (the other server's mon.cf), `state` (of `--state`), `files` (as `ls -l` might show them).

use std::sync::OnceLock;

/// The name of the file that an example is about.
pub const MAIN: &str = "mon.cf";

/// What is to be known about a code.
#[derive(Debug)]
pub struct Page {
    /// `W015`
    pub code: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it means and why it matters, in lines.
    pub text: &'static str,
    /// Files that have it.
    pub wrong: Example,
    /// The same without it.
    pub right: Example,
}

/// The files of an example; there are none where it would be too long.
#[derive(Debug, Default)]
pub struct Example(Vec<(&'static str, &'static str)>);

impl Example {
    /// Names and texts, the mon.cf first.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied()
    }

    /// The text of the file of that name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&'static str> {
        self.files().find(|(file, _)| *file == name).map(|(_, text)| text)
    }
}

/// All pages, by code.
pub fn pages() -> std::slice::Iter<'static, Page> {
    static PAGES: OnceLock<Vec<Page>> = OnceLock::new();
    const TEXTS: [&str; 2] = [include_str!("explain/errors.txt"), include_str!("explain/warnings.txt")];
    let read = || TEXTS.iter().flat_map(|text| text.split("=== ").skip(1)).map(page_of).collect();
    PAGES.get_or_init(read).iter()
}

/// All codes that there are, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    pages().map(|page| page.code)
}

/// The page of a code, in capitals or not.
#[must_use]
pub fn page(code: &str) -> Option<&'static Page> {
    pages().find(|page| page.code.eq_ignore_ascii_case(code))
}

fn page_of(text: &'static str) -> Page {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (code, title) = head.split_once(' ').unwrap_or((head, ""));
    let mut parts = sections(rest);
    let words = parts.next().unwrap_or_default().trim_end();
    let mut page = Page { code, title, text: words, wrong: Example::default(), right: Example::default() };
    for part in parts {
        let (head, text) = part.split_once('\n').unwrap_or((part, ""));
        let head = head.trim_start_matches("--- ");
        let (which, name) = head.split_once(' ').unwrap_or((head, MAIN));
        let example = if which == "wrong" { &mut page.wrong } else { &mut page.right };
        example.0.push((name, text));
    }
    page
}

/// The text up to the first line that begins with `--- `, then from each such line to the next.
fn sections(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.find("\n--- ").map(|at| at + 1);
        rest = end.map(|end| &text[end..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::surroundings::{AuthFile, Peer, SearchPath, Sighting, Surroundings, look_around};
    use super::super::{Diagnostic, load};
    use super::*;
    use crate::wire::opstatus::StatusLine;

    /// These need a gigabyte, or a file that cannot be read; `tests/config` has the second.
    const WITHOUT_EXAMPLE: [&str; 2] = ["E000", "E007"];

    /// Help texts of programs that an example may take for built in.
    const USAGES: [(&str, &str); 3] = [
        ("tcp.monitor", "usage: tcp.monitor [-p PORT] [-t SECONDS] HOST..."),
        ("loadavg.monitor", "usage: loadavg.monitor\nTo be used with ;; at the end."),
        ("mailxmpp.alert", "usage: mailxmpp.alert [-m ADDRESS] [-x JID]"),
    ];

    /// What the files of an example come to.
    fn surroundings(example: &Example) -> Surroundings {
        let mut seen = Surroundings::default();
        if let Some(text) = example.file("peer.cf") {
            seen.peer = Some(Peer { file: "peer.cf".to_owned(), config: load(text).0 });
        }
        for line in example.file("state").unwrap_or_default().lines().filter_map(StatusLine::parse) {
            let service = (line.group().to_owned(), line.service().to_owned());
            seen.durations.insert(service, line.get("monitor_duration").parse().unwrap());
        }
        let Some(files) = example.file("files") else { return seen };
        let auth = files.lines().find(|line| line.ends_with(" auth.cf"));
        if auth.is_some()
            || !files.contains(".cf") && example.file(MAIN).is_some_and(|text| text.contains("serverbind"))
        {
            let others = auth.map_or(0, |line| if line[7..].starts_with('r') { 0o644 } else { 0o640 });
            let text = example.file("auth.cf").map(str::to_owned);
            seen.access =
                Some(AuthFile { path: "auth.cf".to_owned(), text, exists: auth.is_some(), mode: others });
        }
        if files.contains(".d/") {
            seen.monitors = Some(search_path(files, ".monitor", &["local.d", "mon.d"]));
            seen.alerts = Some(search_path(files, ".alert", &["alert.d"]));
        }
        seen
    }

    fn search_path(files: &str, suffix: &str, dirs: &[&str]) -> SearchPath {
        let dirs = dirs.iter().map(|dir| ((*dir).to_owned(), files.contains(&format!(" {dir}/"))));
        let mut path = SearchPath { dirs: dirs.collect(), ..SearchPath::default() };
        for line in files.lines() {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            let name = words[1].split_once('/').unwrap().1;
            path.names.insert(name.to_owned());
            let handicap = words.get(2).map(|why| (*why).to_owned());
            let executable = words[0].contains('x');
            let sighting = Sighting { path: words[1].to_owned(), executable, copy: false, handicap };
            path.found.entry(name.to_owned()).or_default().push(sighting);
        }
        let built_in = USAGES.iter().filter(|(name, _)| name.ends_with(suffix));
        path.builtin = built_in
            .map(|(name, usage)| ((*name).to_owned(), (*usage).to_owned()))
            .collect::<BTreeMap<_, _>>();
        path
    }

    fn found(example: &Example) -> Vec<Diagnostic> {
        let text = example.file(MAIN).unwrap();
        let (config, mut diagnostics) = load(text);
        diagnostics.extend(look_around(text, &config, &surroundings(example)));
        diagnostics
    }

    #[test]
    fn every_example_is_what_it_claims_to_be() {
        let mut wrong = String::new();
        for page in pages().filter(|page| !WITHOUT_EXAMPLE.contains(&page.code)) {
            if !found(&page.wrong).iter().any(|diagnostic| diagnostic.code == page.code) {
                wrong += &format!("{}: the wrong example: {:#?}\n", page.code, found(&page.wrong));
            }
            if !found(&page.right).is_empty() {
                wrong += &format!("{}: the right example: {:#?}\n", page.code, found(&page.right));
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    #[test]
    fn pages_are_complete_and_in_order() {
        assert!(codes().is_sorted() && codes().count() > 70);
        for page in pages() {
            assert!(!page.title.is_empty() && !page.text.is_empty(), "{}", page.code);
            assert_eq!(
                page.wrong.files().count() == 0,
                WITHOUT_EXAMPLE.contains(&page.code),
                "{}",
                page.code
            );
        }
        assert_eq!(page("w015").map(|page| page.code), Some("W015"));
        assert!(page("W").is_none());
    }
}
