//! What happens: the words of an event line after its time.

use std::time::Duration;

use super::line::{Complaint, Word};
use super::parse::{Parser, VERBS, list, nothing_after, unwanted};
use super::{Begin, LONGEST, What, time};
use crate::config::suggest::nearest;
use crate::engine::{Command, Ending, StateFile, Target};
use crate::nouns::ServiceKey;
use crate::wire::command;

const TESTS: [&str; 5] = ["alert", "upalert", "startupalert", "ackalert", "disablealert"];

impl Parser<'_> {
    pub(super) fn event(
        &self,
        verb: &Word,
        words: &[Word],
        line: &str,
        at: usize,
    ) -> Result<Vec<What>, Complaint> {
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
            "restart" => Ok(vec![What::Restart(begin(words)?)]),
            "hangup" => nothing_after(words).map(|()| vec![What::HangUp]),
            "due" => nothing_after(words).map(|()| vec![What::Due]),
            "config" => {
                let [file, rest @ ..] = words else {
                    let complaint = Complaint::new("S04", verb.span.clone(), "a file is missing");
                    return Err(complaint.help("`config FILE`: mon.cf as it is from then on"));
                };
                nothing_after(rest)?;
                Ok(vec![What::Config(file.text.clone())])
            }
            "stop" | "start" => nothing_after(words).map(|()| vec![What::Command(verb.text.clone())]),
            "reset" => {
                let unknown = words.iter().find(|word| !["keepstate", "stopped"].contains(&word.bare()));
                nothing_after(unknown.map_or(&[], std::slice::from_ref))?;
                let words: Vec<&str> = std::iter::once(verb).chain(words).map(Word::bare).collect();
                Ok(vec![What::Command(words.join(" "))])
            }
            "command" => Ok(vec![What::Command(command(verb, words, line, at)?)]),
            "as" => {
                let [user, rest @ ..] = words else {
                    let complaint = Complaint::new("S04", verb.span.clone(), "a user is missing");
                    return Err(complaint.help("for instance `as amy ack web ping 'on it'`"));
                };
                let (user, line) = (user.text.clone(), command(verb, rest, line, at)?);
                Ok(vec![What::CommandOf { user, line }])
            }
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
}

/// Any command, in the words of the protocol; or as one text in quotes.
fn command(verb: &Word, words: &[Word], line: &str, at: usize) -> Result<String, Complaint> {
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Err(Complaint::new("S04", verb.span.clone(), "a command is missing"));
    };
    let text = match words {
        [whole] if whole.quoted => &whole.text,
        _ => &line[first.span.start - at..last.span.end - at],
    };
    let refused = match command::parse(text) {
        Command::Invalid => "the daemon knows no such command",
        Command::Quit | Command::Login { .. } | Command::Setview(_) => "nobody needs to in a simulation",
        _ => return Ok(text.to_owned()),
    };
    Err(Complaint::new("S04", first.span.start..last.span.end, refused))
}

/// The words of `restart` and `begin`.
pub(super) fn begin(words: &[Word]) -> Result<Begin, Complaint> {
    let mut begin = Begin::default();
    for word in words {
        match word.bare() {
            "stopped" => begin.stopped = true,
            "disabled" => begin.loaded = vec![StateFile::Disabled],
            "opstatus" => begin.loaded = vec![StateFile::Opstatus],
            "all" => begin.loaded = vec![StateFile::Disabled, StateFile::Opstatus],
            _ => return Err(unwanted(word)),
        }
    }
    Ok(begin)
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
