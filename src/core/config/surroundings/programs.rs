//! Are the monitors and alerts there, and are they the ones that are meant?

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Kind, Span};
use super::super::lint::At;
use super::super::sink::Sink;
use super::super::suggest::nearest;
use super::super::values::{exit_range, words};
use super::{SearchPath, Seen, Sighting, Surroundings, warning};

/// Each program is looked at once, however many lines call it.
pub(super) struct Programs<'s> {
    surroundings: &'s Surroundings,
    judged: BTreeSet<(bool, String)>,
    /// By the name of a built-in program.
    usages: BTreeMap<&'s str, Usage<'s>>,
    /// Lines that name a program which is nowhere, because the directories are not there.
    homeless: [usize; 2],
}

/// The help text of a program, read once for all lines that call it.
struct Usage<'s> {
    text: &'s str,
    /// All its words such as `-p` and `--timeout`.
    options: BTreeSet<&'s str>,
}

/// The program of a line.
struct Call<'a> {
    path: &'a SearchPath,
    program: &'a str,
    arguments: &'a str,
    /// Where the program stands, and where its arguments.
    at: (Span, Span),
    line: u32,
}

impl<'s> Programs<'s> {
    pub(super) fn new(surroundings: &'s Surroundings) -> Programs<'s> {
        Programs { surroundings, judged: BTreeSet::new(), usages: BTreeMap::new(), homeless: [0; 2] }
    }

    pub(super) fn line(&mut self, at: &At<'_>, sink: &mut Sink<'_>) {
        let keyword = at.name();
        let is_monitor = keyword == "monitor";
        let is_alert = keyword == "redistribute" || keyword.ends_with("alert");
        if at.statement.kind != Kind::Setting || !(is_monitor || is_alert) || at.service.is_none() {
            return;
        }
        let surroundings: &'s Surroundings = self.surroundings;
        let path = if is_monitor { &surroundings.monitors } else { &surroundings.alerts };
        let Some(path) = path else { return };
        let text = at.rest();
        let skip = if is_monitor { 0 } else { exit_prefix(text) };
        let Some(program) = words(&text[skip..]).next() else { return };
        let start = program.as_ptr() as usize - text.as_ptr() as usize;
        let end = start + program.len();
        let rest = at.statement.rest;
        let call = Call {
            path,
            program,
            arguments: &text[end..],
            at: (rest.part(start, end), rest.part(end, text.len())),
            line: at.statement.line,
        };
        if self.judged.insert((is_monitor, program.to_owned())) && !self.is_homeless(is_monitor, &call) {
            call.judge(sink);
        }
        if let Some((name, text)) = path.builtin.get_key_value(program) {
            call.arguments(self.usages.entry(name).or_insert_with(|| Usage::of(text)), sink);
        }
    }

    /// Where no directory exists at all, one warning says so.
    fn is_homeless(&mut self, is_monitor: bool, call: &Call<'_>) -> bool {
        let SearchPath { dirs, found, builtin, .. } = call.path;
        let sighted = found.get(call.program).is_some_and(|found| !found.is_empty());
        let homeless =
            dirs.iter().all(|(_, exists)| !exists) && !sighted && !builtin.contains_key(call.program);
        self.homeless[usize::from(is_monitor)] += usize::from(homeless);
        homeless
    }

    /// Whether alerts, and whether monitors, are missed for lack of any directory.
    pub(super) fn homeless(&self) -> [bool; 2] {
        self.homeless.map(|lines| lines > 0)
    }

    pub(super) fn end(&self, seen: &Seen, sink: &mut Sink<'_>) {
        let paths = [
            (&self.surroundings.alerts, "alertdir", "alert"),
            (&self.surroundings.monitors, "mondir", "monitor"),
        ];
        for ((path, global, keyword), homeless) in paths.into_iter().zip(self.homeless) {
            let (Some(path), true) = (path, homeless > 0) else { continue };
            let line = seen.globals.get(global).or(seen.keywords.get(keyword)).or(seen.first.as_ref());
            let Some(line) = line else { continue };
            let dirs: Vec<&str> = path.dirs.iter().map(|(dir, _)| dir.as_str()).collect();
            let programs =
                if homeless == 1 { "program is".to_owned() } else { format!("{homeless} programs are") };
            let message =
                format!("{programs} not found: no directory of the `{global}` exists: {}", dirs.join(", "));
            let complaint = warning("W031", message, "no such directory").help(format!(
                "write `{global} = DIRECTORY`, several with `:` between them; a relative one is below `basedir`"
            ));
            sink.warn(line.text, line.line, complaint);
        }
    }
}

/// The length of `exit=N[-M]` and the blanks behind it.
fn exit_prefix(text: &str) -> usize {
    let first = words(text).next().unwrap_or_default();
    let is_prefix = first.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("exit="))
        && exit_range(&first[5..]).is_some();
    if is_prefix { first.len() } else { 0 }
}

impl Call<'_> {
    fn judge(&self, sink: &mut Sink<'_>) {
        let none = Vec::new();
        let found = self.path.found.get(self.program).unwrap_or(&none);
        let is_builtin = self.path.builtin.contains_key(self.program);
        let mut usable = found.iter().filter(|sighting| sighting.executable);
        match (usable.next(), found.first()) {
            (Some(used), _) => {
                self.hidden(used, usable, sink);
                if is_builtin {
                    self.handicapped(used, sink);
                }
            }
            (None, Some(file)) => {
                let message = match is_builtin {
                    true => format!(
                        "{} may not be executed: the built-in `{}` runs in its place",
                        file.path, self.program
                    ),
                    false => format!("{} may not be executed: this line never runs anything", file.path),
                };
                let complaint =
                    warning("W028", message, "not executable").help(format!("chmod +x {}", file.path));
                sink.warn(self.at.0, self.line, complaint);
            }
            (None, None) if is_builtin => {}
            (None, None) => {
                let dirs: Vec<&str> = self.path.dirs.iter().map(|(dir, _)| dir.as_str()).collect();
                let known = self.path.names.iter().chain(self.path.builtin.keys()).map(String::as_str);
                let help = nearest(self.program, known).map(|near| format!("did you mean `{near}`?"));
                let message = format!("there is no program `{}` in {}", self.program, dirs.join(", "));
                sink.warn(self.at.0, self.line, warning("W027", message, "not found").help(help));
            }
        }
    }

    fn hidden<'f>(&self, used: &Sighting, others: impl Iterator<Item = &'f Sighting>, sink: &mut Sink<'_>) {
        let others: Vec<&str> = others.filter(|other| !other.copy).map(|other| other.path.as_str()).collect();
        if let [hidden, ..] = others[..] {
            let message = format!("this is {}, which stands before {hidden} on the search path", used.path);
            let complaint = warning("W029", message, "there are two of this name")
                .help("delete or rename the one that is not meant".to_owned());
            sink.warn(self.at.0, self.line, complaint);
        }
    }

    fn handicapped(&self, used: &Sighting, sink: &mut Sink<'_>) {
        let Some(handicap) = &used.handicap else { return };
        let message = format!(
            "{} cannot work on this machine: {handicap}; our own `{}` could",
            used.path, self.program
        );
        let complaint = warning("W030", message, "hides the built-in one").help(format!(
            "put a link to mon of this name into a directory that comes first, or rename {}",
            used.path
        ));
        sink.warn(self.at.0, self.line, complaint);
    }

    /// Where a word stands among the arguments; all of them for one that was quoted.
    fn place_of(&self, word: &str) -> Span {
        let found = words(self.arguments).find(|written| *written == word);
        found.map_or(self.at.1, |found| {
            let start = found.as_ptr() as usize - self.arguments.as_ptr() as usize;
            self.at.1.part(start, start + found.len())
        })
    }

    /// The arguments, held against the help text of a program that is built in. An installed one of its name has
    /// the same options.
    fn arguments(&self, usage: &Usage<'_>, sink: &mut Sink<'_>) {
        let Ok(all) = crate::words::split(self.arguments.trim_start_matches(crate::timeval::is_blank)) else {
            return;
        };
        if usage.text.contains("used with ;;") && all.last().is_none_or(|last| last != ";;") {
            let message =
                format!("`{}` does not want the hosts, but gets them as more arguments", self.program);
            let complaint =
                warning("W060", message, "hosts follow here").help("end the line with ` ;;`".to_owned());
            sink.warn(self.at.0, self.line, complaint);
        }
        for word in all.iter().filter(|word| *word != ";;") {
            let Some(why) = odd_argument(self.program, word) else { continue };
            let complaint = warning("W053", format!("`{word}` {why}"), "not what it takes")
                .help(format!("`mon run {} --help` tells more", self.program));
            sink.warn(self.place_of(word), self.line, complaint);
        }
        let limits = all.iter().filter(|word| *word != ";;").count();
        if self.program == "loadavg.monitor" && !matches!(limits, 0 | 3 | 4) {
            let message = format!("`{}` takes three limits, and perhaps a percentage", self.program);
            let complaint = warning("W053", message, "not so many words").help(
                "write one for 1, 5 and 15 minutes each, as in `loadavg.monitor 20 10 6 ;;`".to_owned(),
            );
            sink.warn(self.at.1, self.line, complaint);
        }
        let own = own_words(usage.text, &all);
        if usage.text.contains("HOST") && own.iter().any(|word| word == "-") {
            let complaint = warning("W053", "`-` alone is no option".to_owned(), "a letter is missing")
                .help("write the whole option, such as `-p`".to_owned());
            sink.warn(self.place_of("-"), self.line, complaint);
        }
        for (at, word) in own.iter().enumerate().filter(|(at, word)| usage.lost_dash(own, *at, word)) {
            let message =
                format!("`{word}` is taken as a host; `-{word}` is an option of `{}`", self.program);
            let meant = format!("did you mean `-{word} {}`?", own.get(at + 1).map_or("", String::as_str));
            sink.warn(self.place_of(word), self.line, warning("W053", message, "without `-`").help(meant));
        }
        for word in own {
            let Some(name) = usage.unknown_option(word) else { continue };
            let known = &usage.options;
            let near = nearest(name, known.iter().map(|option| option.trim_start_matches('-')));
            let help = match near
                .and_then(|near| known.iter().find(|option| option.trim_start_matches('-') == near))
            {
                Some(near) if near.len() > 2 => format!("did you mean `{near}`?"),
                _ => format!("it knows {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` has no option `{word}`", self.program);
            let at = self
                .arguments
                .find(word.as_str())
                .map_or(self.at.1, |at| self.at.1.part(at, at + word.len()));
            sink.warn(at, self.line, warning("W053", message, "unknown option").help(help));
        }
    }
}

/// Why the monitor of that name cannot have been meant to get this word.
fn odd_argument(program: &str, word: &str) -> Option<&'static str> {
    match program {
        "freespace.monitor" => {
            let space = word.split(':').nth(1);
            let is_tiny =
                space.is_some_and(|space| space.parse::<u64>().is_ok_and(|kib| (1..1024).contains(&kib)));
            match space {
                _ if !word.starts_with('/') => Some("is no mount point: those begin with `/`"),
                Some("0" | "0%") => Some("asks for nothing: so much is always free"),
                None | Some("") => Some("does not say how much must be free: PATH:SPACE"),
                _ if is_tiny => Some("asks for less than a megabyte: a number alone is in KiB"),
                _ => None,
            }
        }
        "loadavg.monitor" if word.parse::<f64>() == Ok(0.0) => Some("is a limit that is always exceeded"),
        "loadavg.monitor" if word.parse::<f64>().is_err() => Some("is not a number"),
        _ => None,
    }
}

impl<'s> Usage<'s> {
    fn of(text: &'s str) -> Usage<'s> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with('-'));
        let options = words
            .filter(|word| word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphanumeric()))
            .collect();
        Usage { text, options }
    }

    /// `p 443` where the help text knows `-p`: a letter that is an option of a monitor, and no option's value.
    fn lost_dash(&self, own: &[String], at: usize, word: &str) -> bool {
        let is_value = at.checked_sub(1).is_some_and(|before| own[before].starts_with('-'));
        let is_name = word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_number = |next: &String| next.bytes().all(|byte| byte.is_ascii_digit());
        // A whole word may be a host; the first of several is not called as an option by chance.
        let has_value =
            own.get(at + 1).is_some_and(|next| if word.len() == 1 { is_number(next) } else { at == 0 });
        let is_known = || self.options.contains(format!("-{word}").as_str());
        is_name && !is_value && has_value && self.text.contains("HOST") && is_known()
    }

    /// The name in `word`, if that is an option that the help text does not know. A long option may be cut short and
    /// begin with one dash; a letter may have its value, or more letters, behind it.
    fn unknown_option<'w>(&self, word: &'w str) -> Option<&'w str> {
        let name = word.strip_prefix('-')?.trim_start_matches('-');
        let name = name.split('=').next().unwrap_or(name);
        let letter = name.chars().next().filter(char::is_ascii_alphabetic)?;
        // Some programs spell their long options with one dash.
        let is_long = self.options.iter().any(|option| {
            let long = option.trim_start_matches('-');
            long.len() > 1 && long.starts_with(name)
        });
        let is_letter = !word.starts_with("--") && self.options.contains(format!("-{letter}").as_str());
        // A program without options of its own takes what looks like one for something else.
        let has_options = self.options.iter().any(|option| !matches!(*option, "-h" | "--help"));
        (!is_long && !is_letter && has_options).then_some(name)
    }
}

/// The words that are for the program itself: behind a plugin stand those of the plugin.
fn own_words<'w>(usage: &str, all: &'w [String]) -> &'w [String] {
    let runs_plugin = usage.lines().next().is_some_and(|line| line.contains(" PLUGIN"));
    let plugin = all.iter().position(|word| runs_plugin && !word.starts_with('-'));
    &all[..plugin.unwrap_or(all.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = "usage: x [-p PORT]...\n\n  -p, --port N   a port - of x\n      --exclude=WATCH\n  -zone ZONE\n  -h, --help, and see y for `--zed`.\n";

    #[test]
    fn options_come_from_the_help_text() {
        let usage = Usage::of(USAGE);
        let known: Vec<&str> = usage.options.iter().copied().collect();
        assert_eq!(known, ["--exclude", "--help", "--port", "--zed", "-h", "-p", "-zone"]);
        for (word, expect) in [
            ("-p", None),
            ("-p80", None),
            ("--port=3", None),
            ("--ex", None),
            ("-exclude", None),
            ("-zone", None),
            ("-q", Some("q")),
            ("--prot", Some("prot")),
            ("--exlude=a:b", Some("exlude")),
            ("host", None),
            ("-1", None),
            ("-", None),
        ] {
            assert_eq!(usage.unknown_option(word), expect, "{word}");
        }
        let words = ["--summary", "check_http", "-H", "x"].map(str::to_owned);
        assert_eq!(own_words("usage: nagios.monitor [OPTION]... PLUGIN [ARG]...\n", &words), &words[..1]);
        assert_eq!(own_words(USAGE, &words), words);
    }
}
