//! A recording: the call in it, and its text without what no two calls have in common.

use std::fs;
use std::path::Path;

use fancy_regex::Regex;

use super::table;

/// A recorded call.
pub(super) struct Sample {
    /// As the file is called, without `.txt`.
    pub(super) name: String,
    /// `tcp.monitor`, `mail.alert`.
    pub(super) program: String,
    /// Variables that stand before the command.
    pub(super) variables: Vec<(String, String)>,
    /// The arguments.
    pub(super) words: Vec<String>,
    /// Standard error was joined to standard output.
    pub(super) joined: bool,
    /// What follows the command.
    text: String,
}

impl Sample {
    pub(super) fn read(folder: &Path, name: &str) -> Sample {
        let path = folder.join(format!("{name}.txt"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (line, text) = text.split_once('\n').unwrap_or((&text, ""));
        let line = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{name} begins with a command"));
        let joined = line.contains("(stderr joined");
        // Remarks and redirections stand behind three blanks.
        let line = table::instead(name).unwrap_or_else(|| line.split("   ").next().unwrap_or_default());
        let mut rest = line.trim_start();
        let mut variables = Vec::new();
        while let Some((name, tail)) = rest.split_once('=').filter(|(name, _)| name.starts_with("MON_")) {
            // The recording shows their values without quotes.
            let (value, tail) = tail.split_once(' ').unwrap_or((tail, ""));
            variables.push((name.to_owned(), value.to_owned()));
            rest = tail;
        }
        let mut words = split(rest);
        let program = words.remove(0);
        let program = program.rsplit('/').next().unwrap_or_default().to_owned();
        Sample { name: name.to_owned(), program, variables, words, joined, text: text.to_owned() }
    }

    /// What the original did.
    pub(super) fn expected(&self) -> String {
        normal(&self.program, &self.text)
    }
}

/// Words as a shell splits them, where only single quotes quote.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// What differs from call to call or from machine to machine: where, and what stands there instead.
const NORMAL: [(&str, &str); 16] = [
    // How long it took.
    (r"(?m)^\[exit ([0-9]+), [0-9.]+ s\]$", "[exit $1]"),
    // The usage text, which ours has in words of its own.
    (r"(?m)^\(the usage text, not reproduced\)\n", "USAGE\n"),
    (r"(?s)(?<=\n)usage: .*?\n(?=\[exit |\z)", "USAGE\n"),
    // fping: times and round trips.
    (r"(?m)^(start time|end time  ): .*$", "$1: TIME"),
    (r"(?m)^duration  : [0-9]+ seconds$", "duration  : N seconds"),
    (r"(?m)^([!-~]+) +[0-9]+\.[0-9]{2} ms$", "$1 N ms"),
    // freespace: what this machine has.
    (r"[0-9.]+(|[KMGT]?B|( inodes)) free on ", "N$2 free on "),
    // sslcert: certificates are made anew for each test.
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?", "DATE"),
    // loadavg: the load; the numbers of the pressure; the tables of processes, if there are any to tell of.
    (r"(?m)^[0-9.]+ [0-9.]+ [0-9.]+ >= ", "LOAD >= "),
    (r"avg10=[0-9.]+ avg60=[0-9.]+ avg300=[0-9.]+ total=[0-9]+", "avg10=N avg60=N avg300=N total=N"),
    (r"(?m)^Here are (D state )?processes.*\n( +.*\n)+(\n(?=Here))?", ""),
    // The originals name themselves with their folder.
    (r"(?m)^/usr/lib/mon/mon\.d/", ""),
    // The moment of an alert.
    (r"(?m)^tsp='[0-9]+'$", "tsp='NOW'"),
    (r"(?m)^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [!-~]+ [0-9]{4} -s ", "NOW -s "),
    (r"(?m)^Date: .*$", "Date: NOW"),
    // A mail's parts and number have random names.
    (r"(?m)^Message-I[Dd]: .*$", "Message-ID: ..."),
];

/// The text of a recording, or of a call of ours in the same form, without such things.
pub(super) fn normal(program: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, replacement) in NORMAL {
        let pattern = Regex::new(pattern).expect("it is written here");
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    match program {
        "http.monitor" => sections_in_order(&text),
        _ => text,
    }
}

/// The original tells its hosts in the order of a hash, which is another one each time.
fn sections_in_order(text: &str) -> String {
    let mut parts = text.split("\nHOST ");
    let head = parts.next().unwrap_or_default();
    let mut hosts = parts.map(|part| part.trim_end_matches('\n')).collect::<Vec<_>>();
    if hosts.is_empty() {
        return text.to_owned();
    }
    hosts.sort_unstable();
    format!("{}\nHOST {}\n", head.trim_end_matches('\n'), hosts.join("\n\nHOST "))
}
