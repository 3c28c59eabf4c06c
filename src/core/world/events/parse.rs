//! From a text to events; every line is read, whatever is wrong with the others.

use std::time::Duration;

use super::line::{Complaint, Word, words};
use super::target::Names;
use super::time::{self, Moment};
use super::{Context, DEFAULT_FROM, LONGEST, Occurrence, Parsed, Script, What};
use crate::config::suggest::nearest;
use crate::config::{Diagnostic, Severity};
use crate::engine::{Command, Ending, StateFile, Target};
use crate::nouns::{Civil, ServiceKey, Wall};
use crate::wire::command;

const SETTINGS: [&str; 6] = ["from", "until", "for", "zone", "seed", "takes"];

const VERBS: [&str; 14] = [
    "ok", "up", "fail", "trap", "ack", "disable", "enable", "test", "restart", "reset", "hangup", "stop",
    "start", "command",
];

const TESTS: [&str; 5] = ["alert", "upalert", "startupalert", "ackalert", "disablealert"];

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

struct Parser<'a> {
    context: &'a Context<'a>,
    names: Names<'a>,
    script: Script,
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
fn lines(text: &str) -> impl Iterator<Item = (u32, usize, &str)> {
    let mut at = 0;
    (1..).zip(text.split('\n')).map(move |(number, line)| {
        let begin = at;
        at += line.len() + 1;
        (number, begin, line.trim_end_matches('\r'))
    })
}

impl Parser<'_> {
    fn complain(&mut self, complaint: Complaint, line: u32) {
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

    /// `from` first: the others may be counted from it.
    fn read_settings(&mut self, text: &str) {
        let found: Vec<(u32, Vec<Word>)> = lines(text)
            .filter_map(|(number, at, line)| Some((number, words(line, at).ok()?)))
            .filter(|(_, words)| words.first().is_some_and(|word| SETTINGS.contains(&word.bare())))
            .collect();
        let from = found.iter().filter(|(_, words)| words[0].bare() == "from");
        let mut given = None;
        for (number, words) in from {
            match self.absolute(&words[1..], &words[0]) {
                Ok(wall) => given = Some(wall),
                Err(complaint) => self.complain(complaint, *number),
            }
        }
        self.script.from = self.context.from.or(given).unwrap_or_else(|| self.usual_from(text));
        for (number, words) in found.iter().filter(|(_, words)| words[0].bare() != "from") {
            if let Err(complaint) = self.setting(words) {
                self.complain(complaint, *number);
            }
        }
    }

    /// Midnight of the first event that has a date; else the beginning of a year that began on a Monday.
    fn usual_from(&self, text: &str) -> Wall {
        let zone = self.context.zone;
        let dated = lines(text).find_map(|(_, at, line)| {
            let (moment, _) = time::take(&words(line, at).ok()?).ok()?;
            let dated = matches!(moment, Moment::Date { .. } | Moment::Epoch(_));
            dated.then(|| moment.resolve(zone, 0, 0).ok())?
        });
        let (date, time) = dated.map_or(DEFAULT_FROM, |wall| {
            let Civil { year, month, mday, .. } = zone.civil(wall);
            ((year, month, mday), (0, 0, 0))
        });
        // There are zones in which summer time begins at midnight.
        let moments = zone.moments(date, time).unwrap_or_default();
        moments.first().copied().or(dated).unwrap_or_default()
    }

    fn absolute(&self, words: &[Word], keyword: &Word) -> Result<Wall, Complaint> {
        let (moment, used) = time::take(words).map_err(|complaint| placed(complaint, keyword))?;
        nothing_after(&words[used..])?;
        let span = words[0].span.start..words[used - 1].span.end;
        if !matches!(moment, Moment::Date { .. } | Moment::Epoch(_)) {
            let complaint = Complaint::new("S01", span, "a simulation starts at a date and time");
            return Err(complaint.help("for instance `from 2026-11-23 02:00`"));
        }
        moment.resolve(self.context.zone, 0, 0).map_err(|problem| Complaint::new("S01", span, problem))
    }

    fn setting(&mut self, words: &[Word]) -> Result<(), Complaint> {
        let (keyword, arguments) = (&words[0], &words[1..]);
        let first = arguments.first().map_or("", Word::bare);
        let wanted = |what: &str| {
            let span = arguments.first().unwrap_or(keyword).span.clone();
            Complaint::new("S04", span, format!("after `{}` stands {what}", keyword.text))
        };
        let mut used = 1;
        match keyword.bare() {
            "until" => {
                let (moment, words) =
                    time::take(arguments).map_err(|complaint| placed(complaint, keyword))?;
                used = words;
                let (zone, from) = (self.context.zone, self.script.from);
                let until = moment.resolve(zone, from, from).map_err(|problem| wanted(&problem))?;
                let longest = from.saturating_add(LONGEST.as_secs().cast_signed());
                if until <= from || until > longest {
                    return Err(wanted("a time after the start of the simulation, by ten years at most"));
                }
                self.script.until = Some(until);
            }
            "for" => {
                let span = time::span(first).filter(|span| !span.is_zero() && *span <= LONGEST);
                let span = span.ok_or_else(|| wanted("a time with its unit, such as `3d`"))?;
                self.script.until = Some(self.script.from.saturating_add(span.as_secs().cast_signed()));
            }
            "seed" => {
                let seed = first.parse().map_err(|_| wanted("a number"))?;
                self.script.seed = Some(seed);
            }
            "takes" => {
                let span = time::span(first).filter(|span| *span <= LONGEST);
                self.script.takes = Some(span.ok_or_else(|| wanted("a time with its unit, such as `2s`"))?);
            }
            // Whoever made the zone has read it.
            _ if arguments.is_empty() => return Err(wanted("the name of a zone, such as `Europe/Berlin`")),
            _ => {}
        }
        nothing_after(&arguments[used..])
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
        let (moment, used) = time::take(&words)?;
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
        let lasting = |what: &What| !matches!(what, What::Trap { .. } | What::Ack { .. } | What::Command(_));
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

    fn event(&self, verb: &Word, words: &[Word], line: &str, at: usize) -> Result<Vec<What>, Complaint> {
        match verb.bare() {
            "ok" | "up" | "fail" => self.result(verb, words),
            "trap" => self.trap(verb, words),
            "ack" => {
                let (services, rest) = self.services(verb, words)?;
                let (comment, rest) = match rest {
                    [comment, rest @ ..] if comment.quoted => (comment.text.clone(), rest),
                    _ => (String::new(), rest),
                };
                nothing_after(rest)?;
                let ack = |service| What::Ack { service, comment: comment.clone() };
                Ok(services.into_iter().map(ack).collect())
            }
            "disable" => Ok(self.targets(verb, words)?.into_iter().map(What::Disable).collect()),
            "enable" => Ok(self.targets(verb, words)?.into_iter().map(What::Enable).collect()),
            "test" => self.test(verb, words),
            "restart" => {
                let files = match words.first().map_or("", Word::bare) {
                    "disabled" => vec![StateFile::Disabled],
                    "opstatus" => vec![StateFile::Opstatus],
                    "all" => vec![StateFile::Disabled, StateFile::Opstatus],
                    _ => return nothing_after(words).map(|()| vec![What::Restart(Vec::new())]),
                };
                nothing_after(&words[1..]).map(|()| vec![What::Restart(files)])
            }
            "hangup" => nothing_after(words).map(|()| vec![What::HangUp]),
            "stop" | "start" => nothing_after(words).map(|()| vec![What::Command(verb.text.clone())]),
            "reset" => {
                let unknown = words.iter().find(|word| !["keepstate", "stopped"].contains(&word.bare()));
                nothing_after(unknown.map_or(&[], std::slice::from_ref))?;
                let words: Vec<&str> = std::iter::once(verb).chain(words).map(Word::bare).collect();
                Ok(vec![What::Command(words.join(" "))])
            }
            "command" => self.command(verb, words, line, at),
            word => {
                let complaint =
                    Complaint::new("S02", verb.span.clone(), format!("`{}` is no event", verb.text));
                Err(match nearest(word, VERBS) {
                    Some(name) => complaint.help(format!("did you mean `{name}`?")),
                    None => complaint.help(format!("events are {}", list(&VERBS))),
                })
            }
        }
    }

    /// The services that the first word names, and the words after it.
    fn services<'w>(
        &self,
        verb: &Word,
        words: &'w [Word],
    ) -> Result<(Vec<ServiceKey>, &'w [Word]), Complaint> {
        let [name, rest @ ..] = words else {
            let complaint = Complaint::new("S04", verb.span.clone(), "a service is missing");
            return Err(complaint.help(format!("for instance `{} GROUP/SERVICE`", verb.text)));
        };
        Ok((self.names.find(name)?, rest))
    }

    fn result(&self, verb: &Word, words: &[Word]) -> Result<Vec<What>, Complaint> {
        let fails = verb.bare() == "fail";
        let (mut services, rest) = self.services(verb, words)?;
        let monitored = services.iter().any(|service| self.names.is_monitored(service));
        services.retain(|service| self.names.is_monitored(service));
        if !monitored {
            let complaint = Complaint::new(
                "S03",
                words[0].span.clone(),
                format!("no monitor looks at `{}`", words[0].text),
            );
            let help = format!("say what comes in: `trap {} exit {}`", words[0].text, u8::from(fails));
            return Err(complaint.help(help));
        }
        let said = Said::read(rest)?;
        let ending = said.ending.unwrap_or(Ending::Exited(u8::from(fails)));
        if fails == (ending == Ending::Exited(0)) {
            let what = if fails { "exit status 0 is a success" } else { "that is no success" };
            return Err(Complaint::new("S04", rest[0].span.clone(), what).help(if fails {
                "write `ok`"
            } else {
                "write `fail`"
            }));
        }
        let output = |service: &ServiceKey| match &said.summary {
            Some(summary) => line_of(summary),
            None if fails => line_of(&self.names.all_hosts(&service.group)),
            None => String::new(),
        };
        let result = |service: ServiceKey| What::Result {
            ending: ending.clone(),
            output: output(&service),
            takes: said.takes,
            service,
        };
        Ok(services.into_iter().map(result).collect())
    }

    fn trap(&self, verb: &Word, words: &[Word]) -> Result<Vec<What>, Complaint> {
        let (services, rest) = match self.services(verb, words) {
            Ok(found) => found,
            // The watch `default` takes what nobody else does.
            Err(complaint) => match words.first().and_then(|word| word.text.split_once('/')) {
                Some((group, service)) if self.names.has_default() && !group.is_empty() => {
                    (vec![ServiceKey { group: group.into(), service: service.into() }], &words[1..])
                }
                _ => return Err(complaint),
            },
        };
        let (fine, rest) = match rest {
            [word, rest @ ..] if word.bare() == "ok" => (true, rest),
            rest => (false, rest),
        };
        let said = Said::read(rest)?;
        let status = match said.ending {
            None => i64::from(!fine),
            Some(Ending::Exited(status)) if !fine => i64::from(status),
            Some(_) => {
                let complaint = Complaint::new("S04", rest[0].span.clone(), "a trap has an exit status only");
                return Err(complaint.help("write `trap GROUP/SERVICE exit N \"summary\"`"));
            }
        };
        let trap = |service: ServiceKey| {
            let output = said.summary.as_ref().map_or(String::new(), |summary| line_of(summary));
            What::Trap { service, status, output }
        };
        Ok(services.into_iter().map(trap).collect())
    }

    fn targets(&self, verb: &Word, words: &[Word]) -> Result<Vec<Target>, Complaint> {
        let service = |key: ServiceKey| Target::Service(key.group.to_string(), key.service.to_string());
        let missing = || {
            let complaint =
                Complaint::new("S04", verb.span.clone(), format!("what does this {}?", verb.text));
            complaint.help(format!("`{0} GROUP/SERVICE`, `{0} watch GROUP` or `{0} host HOST…`", verb.text))
        };
        match words {
            [kind, rest @ ..] if kind.bare() == "watch" => {
                let name = rest.first().ok_or_else(missing)?;
                nothing_after(&rest[1..])?;
                Ok(vec![Target::Watch(self.names.watch(name)?)])
            }
            [kind, rest @ ..] if kind.bare() == "host" => {
                let hosts: Result<Vec<String>, Complaint> =
                    rest.iter().map(|word| self.names.host(word)).collect();
                let hosts = hosts?;
                if hosts.is_empty() { Err(missing()) } else { Ok(vec![Target::Hosts(hosts)]) }
            }
            [kind, rest @ ..] if kind.bare() == "service" && !rest.is_empty() => self.targets(verb, rest),
            [name, rest @ ..] => {
                nothing_after(rest)?;
                Ok(self.names.find(name)?.into_iter().map(service).collect())
            }
            [] => Err(missing()),
        }
    }

    fn test(&self, verb: &Word, words: &[Word]) -> Result<Vec<What>, Complaint> {
        let kind = words.first().map_or("", Word::bare);
        if kind != "monitor" && !TESTS.contains(&kind) {
            let span = words.first().unwrap_or(verb).span.clone();
            let complaint = Complaint::new("S04", span, "what is tested?");
            return Err(complaint.help(format!("`test monitor GROUP/SERVICE`, or {}", list(&TESTS))));
        }
        let (services, rest) = self.services(&words[0], &words[1..])?;
        if kind == "monitor" {
            nothing_after(rest)?;
            let test = |key: ServiceKey| What::Command(format!("test monitor {} {}", key.group, key.service));
            return Ok(services.into_iter().map(test).collect());
        }
        let said = Said::read(rest)?;
        let exit = match said.ending {
            Some(Ending::Exited(status)) => status,
            _ => u8::from(kind == "alert"),
        };
        let test = |key: ServiceKey| {
            let first = || self.names.first_period(&key).map(|label| label.to_string()).unwrap_or_default();
            let period = said.summary.clone().unwrap_or_else(first);
            What::Command(format!("test {kind} {} {} {exit} {period}", key.group, key.service))
        };
        Ok(services.into_iter().map(test).collect())
    }

    /// Any command, in the words of the protocol.
    fn command(&self, verb: &Word, words: &[Word], line: &str, at: usize) -> Result<Vec<What>, Complaint> {
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return Err(Complaint::new("S04", verb.span.clone(), "a command is missing"));
        };
        let text = &line[first.span.start - at..last.span.end - at];
        let refused = match command::parse(text) {
            Command::Invalid => "the daemon knows no such command",
            Command::Quit | Command::Login { .. } | Command::Setview(_) => "nobody needs to in a simulation",
            _ => return Ok(vec![What::Command(text.to_owned())]),
        };
        Err(Complaint::new("S04", first.span.start..last.span.end, refused))
    }
}

/// What is said of a result.
#[derive(Default)]
struct Said {
    ending: Option<Ending>,
    takes: Option<Duration>,
    summary: Option<String>,
}

impl Said {
    fn read(words: &[Word]) -> Result<Said, Complaint> {
        let mut said = Said::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = |what: &str| {
                let wanted = format!("after `{}` stands {what}", word.text);
                rest.next()
                    .ok_or_else(|| Complaint::new("S04", word.span.clone(), wanted.clone()))
                    .map(|v| (v, wanted))
            };
            match word.bare() {
                "exit" => {
                    let (value, wanted) = value("an exit status, 0 to 255")?;
                    let status = value
                        .bare()
                        .parse()
                        .map_err(|_| Complaint::new("S04", value.span.clone(), wanted))?;
                    said.ending = Some(Ending::Exited(status));
                }
                "signal" => {
                    let (value, wanted) = value("the number of a signal, 1 to 64")?;
                    let signal = value.bare().parse().ok().filter(|signal| (1..=64).contains(signal));
                    let signal = signal.ok_or_else(|| Complaint::new("S04", value.span.clone(), wanted))?;
                    said.ending = Some(Ending::Killed(signal));
                }
                "not-started" => {
                    let (value, _) = value("why, in quotes")?;
                    said.ending = Some(Ending::NotStarted(value.text.clone()));
                }
                "takes" => {
                    let (value, wanted) = value("a time with its unit, such as `30s`")?;
                    let span = time::span(value.bare()).filter(|span| *span <= LONGEST);
                    said.takes = Some(span.ok_or_else(|| Complaint::new("S04", value.span.clone(), wanted))?);
                }
                _ if word.quoted && said.summary.is_none() => said.summary = Some(word.text.clone()),
                _ => return Err(unwanted(word)),
            }
        }
        Ok(said)
    }
}

/// What a monitor prints that says so: an output is made of lines.
fn line_of(summary: &str) -> String {
    if summary.is_empty() || summary.ends_with('\n') { summary.to_owned() } else { format!("{summary}\n") }
}

fn nothing_after(words: &[Word]) -> Result<(), Complaint> {
    words.first().map_or(Ok(()), |word| Err(unwanted(word)))
}

fn unwanted(word: &Word) -> Complaint {
    let complaint = Complaint::new("S04", word.span.clone(), format!("`{}` is not expected here", word.text));
    if word.quoted { complaint } else { complaint.help("texts stand in quotes: \"web1 web2\"") }
}

/// A complaint about words that are not there stands at the keyword that wants them.
fn placed(complaint: Complaint, keyword: &Word) -> Complaint {
    if complaint.span.is_empty() { Complaint { span: keyword.span.clone(), ..complaint } } else { complaint }
}

fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
