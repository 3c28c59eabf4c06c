//! The text form of a scenario; `tests/differential/README.md` describes it.

use std::time::Duration;

/// A scenario: files to lay out, configurations that must be refused, steps to take.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    /// What it shows: the first comment line.
    pub(crate) title: String,
    /// Files by kind, name and text, in the order written.
    pub(crate) sections: Vec<Section>,
    /// What to do, with the number of the line.
    pub(crate) steps: Vec<(usize, Step)>,
    /// The lines as written, for reports.
    source: Vec<String>,
}

/// A piece of text that becomes a file.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) kind: Kind,
    /// Name of a configuration, a label, or a path.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What a section is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `== config [NAME]`: a mon.cf; the one without a name is used from the start.
    Config,
    /// `== refused LABEL`: a mon.cf with which the daemon must not start.
    Refused,
    /// `== file PATH`
    File,
    /// `== script PATH`: a file that can be executed.
    Script,
}

/// One line of `== steps`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// `start [FLAG…]`
    Start(Vec<String>),
    /// `run GROUP SERVICE EXIT "OUTPUT"`
    Run { group: String, service: String, exit: String, output: String },
    /// `held GROUP SERVICE via GROUP SERVICE`
    Held { held: (String, String), witness: (String, String) },
    /// `trap KEY=VALUE…`
    Trap(Vec<(String, String)>),
    /// `command TEXT`, `command-in-order TEXT`
    Command { text: String, in_order: bool },
    /// `ours "START OF REPLY" TEXT`
    Ours { start: String, text: String },
    /// `status GROUP SERVICE`
    Status(String, String),
    /// `expect-alerts N`
    ExpectAlerts(usize),
    /// `pause SECONDS`
    Pause(Duration),
    /// `config NAME`
    UseConfig(String),
    /// `file PATH`
    ShowFile(String),
    /// `signal NAME`
    Signal(String),
    /// `hangup`
    HangUp,
    /// `ends`
    Ends,
    /// `quiet`
    Quiet,
    /// `until GROUP SERVICE FIELD=VALUE`
    Until { group: String, service: String, field: String },
    /// `copy FROM TO`
    Copy { from: String, to: String },
    /// `files`
    Files,
    /// `state-file`
    StateFile,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The number of the first line that cannot be understood, and what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Scenario, String> {
        let source = text.lines().map(|line| line.trim().to_owned()).collect();
        let mut scenario = Scenario { source, ..Scenario::default() };
        let mut in_steps = false;
        for (number, line) in (1..).zip(text.lines()) {
            let failed = |error: String| format!("line {number}: {error}");
            if let Some(header) = line.strip_prefix("== ") {
                in_steps = header.trim() == "steps";
                if !in_steps {
                    scenario.sections.push(section(header).map_err(failed)?);
                }
            } else if in_steps {
                scenario.steps.extend(step(line).map_err(failed)?.map(|step| (number, step)));
            } else if let Some(section) = scenario.sections.last_mut() {
                section.text += line;
                section.text.push('\n');
            } else if scenario.title.is_empty() {
                scenario.title = line.trim_start_matches(['#', ' ']).to_owned();
            }
        }
        if scenario.title.is_empty() || scenario.sections.is_empty() {
            return Err("a scenario begins with a comment that says what it shows, and has a section".into());
        }
        Ok(scenario)
    }

    /// A line as written; the first has number 1.
    pub(crate) fn source(&self, line: usize) -> &str {
        line.checked_sub(1).and_then(|at| self.source.get(at)).map_or("", String::as_str)
    }
}

fn section(header: &str) -> Result<Section, String> {
    let (kind, name) = header.split_once(' ').unwrap_or((header, ""));
    let kind = match kind {
        "config" => Kind::Config,
        "refused" => Kind::Refused,
        "file" => Kind::File,
        "script" => Kind::Script,
        other => return Err(format!("no such section: {other}")),
    };
    Ok(Section { kind, name: name.trim().to_owned(), text: String::new() })
}

/// One step; nothing for an empty line or a comment.
fn step(line: &str) -> Result<Option<Step>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    if let "command" | "command-in-order" = verb {
        return Ok(Some(Step::Command { text: rest.to_owned(), in_order: verb != "command" }));
    }
    let words = words(rest)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let step = match (verb, words.as_slice()) {
        ("start", flags) => Step::Start(owned(flags)),
        ("run", [group, service, exit, output]) => Step::Run {
            group: (*group).into(),
            service: (*service).into(),
            exit: (*exit).into(),
            output: (*output).into(),
        },
        ("held", [group, service, "via", other, witness]) => Step::Held {
            held: ((*group).into(), (*service).into()),
            witness: ((*other).into(), (*witness).into()),
        },
        ("trap", pairs) => Step::Trap(pairs.iter().map(|pair| key_value(pair)).collect::<Result<_, _>>()?),
        ("ours", [start, text @ ..]) => Step::Ours { start: (*start).into(), text: text.join(" ") },
        ("status", [group, service]) => Step::Status((*group).into(), (*service).into()),
        ("expect-alerts", [count]) => Step::ExpectAlerts(number(count)?),
        ("pause", [seconds]) => Step::Pause(span(seconds)?),
        ("config", [name]) => Step::UseConfig((*name).into()),
        ("file", [path]) => Step::ShowFile((*path).into()),
        ("signal", [name]) => Step::Signal((*name).into()),
        ("hangup", []) => Step::HangUp,
        ("ends", []) => Step::Ends,
        ("quiet", []) => Step::Quiet,
        ("until", [group, service, field]) => {
            Step::Until { group: (*group).into(), service: (*service).into(), field: (*field).into() }
        }
        ("copy", [from, to]) => Step::Copy { from: (*from).into(), to: (*to).into() },
        ("files", []) => Step::Files,
        ("state-file", []) => Step::StateFile,
        _ => return Err(format!("no such step, or not with these words: {line}")),
    };
    Ok(Some(step))
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn key_value(pair: &str) -> Result<(String, String), String> {
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("not KEY=VALUE: {pair}"))?;
    Ok((key.into(), value.into()))
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn span(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("not a number of seconds: {text}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{text}: {error}"))
}

/// Splits at blanks. Double quotes keep blanks together; inside them `\n`, `\t`, `\"` and `\\` stand for one character.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut at_start = true;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' if !quoted => {
                at_start = true;
                continue;
            }
            '"' => quoted = !quoted,
            _ => {}
        }
        if at_start {
            words.push(String::new());
            at_start = false;
        }
        let word = words.last_mut().expect("one was just pushed or there before");
        match c {
            '"' => {}
            '\\' if quoted => word.push(escaped(chars.next())?),
            other => word.push(other),
        }
    }
    if quoted { Err(format!("a quote is missing: {text}")) } else { Ok(words) }
}

fn escaped(c: Option<char>) -> Result<char, String> {
    match c {
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\')) => Ok(c),
        other => Err(format!("no such escape: {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        let scenario = Scenario::parse(&format!("# title\n== config\nx\n== steps\n{text}\n")).expect(text);
        scenario.steps.into_iter().map(|(_, step)| step).collect()
    }

    #[test]
    fn words_are_split_like_a_reader_would() {
        let text = |s: &str| words(s).expect(s);
        assert_eq!(text("a  b"), ["a", "b"]);
        assert_eq!(text(r#"sum="two words" x"#), ["sum=two words", "x"]);
        assert_eq!(text(r#""" "a\nb" "\"q\\""#), ["", "a\nb", "\"q\\"]);
        assert!(words("\"open").is_err());
    }

    #[test]
    fn steps_are_read_and_comments_are_not() {
        let run =
            Step::Run { group: "g".into(), service: "s".into(), exit: "1".into(), output: "a b\n".into() };
        assert_eq!(steps("# note\n\nrun g s 1 \"a b\\n\"\nexpect-alerts 2"), [run, Step::ExpectAlerts(2)]);
        assert_eq!(
            steps("trap grp=g sta=1"),
            [Step::Trap(vec![("grp".into(), "g".into()), ("sta".into(), "1".into())])]
        );
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_its_line() {
        let broken =
            Scenario::parse("# title\n== config\n== steps\nrun too few\n").expect_err("run wants four words");
        assert!(broken.starts_with("line 4: "), "{broken}");
    }
}
