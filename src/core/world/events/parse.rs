//! From a text to events; every line is read, whatever is wrong with the others.

use super::line::{Complaint, Word, words};
use super::target::Names;
use super::{Context, LONGEST, Occurrence, Parsed, Script, What, time};
use crate::config::suggest::nearest;
use crate::config::{Diagnostic, Severity};
use crate::nouns::Wall;

pub(super) const SETTINGS: [&str; 8] = ["from", "until", "for", "zone", "seed", "takes", "begin", "missing"];

pub(super) const VERBS: [&str; 17] = [
    "ok", "up", "fail", "trap", "ack", "disable", "enable", "test", "restart", "reset", "hangup", "config",
    "due", "stop", "start", "command", "as",
];

/// Reads a text of events. What has an error is not in the script.
#[must_use]
pub fn parse(text: &str, context: &Context<'_>) -> Parsed {
    let names = Names::of(context.configs);
    let mut parser = Parser {
        context,
        names,
        script: Script::default(),
        diagnostics: Vec::new(),
        above: 0,
        open: Open::Nothing,
    };
    parser.read_settings(text);
    parser.above = parser.script.from;
    for (number, at, line) in lines(text) {
        if let Err(complaint) = parser.read_line(line, at) {
            parser.open = Open::Skipped;
            parser.complain(complaint, number);
        }
    }
    parser.script.events.sort_by_key(|event| event.at);
    (parser.script, parser.diagnostics)
}

pub(super) struct Parser<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) names: Names<'a>,
    pub(super) script: Script,
    diagnostics: Vec<Diagnostic>,
    /// The time of the event above.
    above: Wall,
    open: Open,
}

/// What a `|` line adds to.
enum Open {
    /// Nothing above has an output.
    Nothing,
    /// The line above was not understood, or not wanted: what belongs to it goes with it.
    Skipped,
    /// The events from this one on.
    From(usize),
}

/// Number, offset and text of each line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u32, usize, &str)> {
    let mut at = 0;
    (1..).zip(text.split('\n')).map(move |(number, line)| {
        let begin = at;
        at += line.len() + 1;
        (number, begin, line.trim_end_matches('\r'))
    })
}

impl Parser<'_> {
    pub(super) fn complain(&mut self, complaint: Complaint, line: u32) {
        let Complaint { code, span, message, help } = complaint;
        self.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code,
            span,
            line,
            legacy: None,
            message,
            label: String::new(),
            help,
        });
    }

    fn read_line(&mut self, line: &str, at: usize) -> Result<(), Complaint> {
        let indent = line.len() - line.trim_start().len();
        if let Some(detail) = line[indent..].strip_prefix('|') {
            return self.add_detail(detail.strip_prefix(' ').unwrap_or(detail), at + indent);
        }
        let words = words(line, at)?;
        if words.is_empty() || SETTINGS.contains(&words[0].bare()) {
            return Ok(());
        }
        if VERBS.contains(&words[0].bare()) {
            let complaint = Complaint::new("S01", words[0].span.clone(), "a time is missing before this");
            return Err(complaint.help(format!("for instance `+10m {}`", line.trim())));
        }
        let (moment, used) = time::take(&words).map_err(|complaint| misspelt(complaint, &words[0]))?;
        let span = words[0].span.start..words[used - 1].span.end;
        let from = self.script.from;
        let wall = moment
            .resolve(self.context.zone, from, self.above)
            .map_err(|problem| Complaint::new("S01", span.clone(), problem))?;
        self.above = wall.max(from);
        let Some(verb) = words.get(used) else {
            let end = words[used - 1].span.end;
            let complaint = Complaint::new("S02", end..end, "what happens at that time?");
            return Err(complaint.help(format!("events are {}", list(&VERBS))));
        };
        let whats = match self.event(verb, &words[used + 1..], line, at) {
            Err(complaint) if self.context.recorded && complaint.code == "S03" => {
                self.script.unknown.extend(words.get(used + 1).map(|word| word.text.clone()));
                self.open = Open::Skipped;
                return Ok(());
            }
            whats => whats?,
        };
        self.add(wall, span, whats)
    }

    fn add(&mut self, wall: Wall, span: std::ops::Range<usize>, whats: Vec<What>) -> Result<(), Complaint> {
        let Script { from, until, events, .. } = &mut self.script;
        if wall < *from && !self.context.recorded {
            let complaint = Complaint::new("S01", span, "that is before the simulation starts");
            return Err(complaint.help("say earlier when it starts: `from`, or --from"));
        }
        let longest = from.saturating_add(LONGEST.as_secs().cast_signed());
        if wall > until.unwrap_or(longest) {
            let complaint = Complaint::new("S01", span, "that is after the end of the simulation");
            return Err(complaint.help("let it last longer: `for`, `until`; ten years at most"));
        }
        self.open = if matches!(whats.first(), Some(What::Result { .. } | What::Trap { .. })) {
            Open::From(events.len())
        } else {
            Open::Nothing
        };
        // Of a recorded past only what lasts matters: how the services are when the simulation starts.
        let lasting = |what: &What| {
            matches!(what, What::Result { .. } | What::Disable(_) | What::Enable(_))
                || matches!(what, What::Restart(_) | What::HangUp | What::Config(_))
        };
        let wanted = whats.into_iter().filter(|what| wall >= *from || lasting(what));
        events.extend(wanted.map(|what| Occurrence { at: wall.max(*from), what }));
        Ok(())
    }

    fn add_detail(&mut self, detail: &str, at: usize) -> Result<(), Complaint> {
        let first = match self.open {
            Open::From(first) => first,
            Open::Skipped => return Ok(()),
            Open::Nothing => {
                let complaint =
                    Complaint::new("S02", at..at + 1, "nothing above has an output to add this to");
                return Err(complaint.help("`|` lines follow `fail`, `ok` or `trap`"));
            }
        };
        for event in &mut self.script.events[first..] {
            if let What::Result { output, .. } | What::Trap { output, .. } = &mut event.what {
                if output.is_empty() {
                    output.push('\n');
                }
                output.push_str(detail);
                output.push('\n');
            }
        }
        Ok(())
    }
}

pub(super) fn nothing_after(words: &[Word]) -> Result<(), Complaint> {
    words.first().map_or(Ok(()), |word| Err(unwanted(word)))
}

pub(super) fn unwanted(word: &Word) -> Complaint {
    let complaint = Complaint::new("S04", word.span.clone(), format!("`{}` is not expected here", word.text));
    if word.quoted { complaint } else { complaint.help("texts stand in quotes: \"web1 web2\"") }
}

/// A line without a time may begin with a setting, or an event, that has a slip in it.
fn misspelt(complaint: Complaint, first: &Word) -> Complaint {
    match nearest(first.bare(), SETTINGS.into_iter().chain(VERBS)) {
        Some(name) if SETTINGS.contains(&name) => complaint.help(format!("did you mean `{name}`?")),
        Some(name) => complaint.help(format!("did you mean `TIME {name}`, for instance `+10m {name}`?")),
        None => complaint,
    }
}

pub(super) fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
