//! Lines of clients: cut out of the stream, and understood.

use crate::engine::{Command, List, Password, Question, RecordSpan, StateKind, Target, Test};
use crate::nouns::{AlertKind, Wall};
use crate::text;
use crate::timeval::is_blank;
use crate::words;

use super::quote::unescape;

/// A line may not be longer. The longest that a real client sends names all services of a large site.
pub const MAX_LINE: usize = 64 * 1024;

/// The bytes of a client that are not yet a line.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes before this are known to hold no line end.
    searched: usize,
}

/// A client sent more than [`MAX_LINE`] without a line end.
#[derive(Debug, PartialEq, Eq)]
pub struct LineTooLong;

impl LineBuffer {
    /// Takes in what came from the socket.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line. CR, LF and any run of them that has arrived end one line (mon 1.3.6).
    ///
    /// # Errors
    /// When there is none and too much is waiting for one.
    pub fn next_line(&mut self) -> Result<Option<String>, LineTooLong> {
        let is_end = |&byte: &u8| byte == b'\n' || byte == b'\r';
        let Some(found) = self.bytes[self.searched..].iter().position(is_end) else {
            self.searched = self.bytes.len();
            return if self.bytes.len() > MAX_LINE { Err(LineTooLong) } else { Ok(None) };
        };
        let end = self.searched + found;
        if end > MAX_LINE {
            return Err(LineTooLong);
        }
        let ends = self.bytes[end..].iter().take_while(|byte| is_end(byte)).count();
        let line = self.bytes[..end].to_vec();
        self.bytes.drain(..end + ends);
        self.searched = 0;
        Ok(Some(text::decode(line)))
    }
}

/// What a line says. Command words ignore case, the words after them do not.
#[must_use]
pub fn parse(line: &str) -> Command {
    let (word, rest) = cut(line);
    match word.to_ascii_lowercase().as_str() {
        "quit" => Command::Quit,
        "version" => Command::Version,
        "protid" => Command::Protid(rest.trim_end_matches(is_blank).to_owned()),
        "login" => login(rest),
        "setview" => Command::Setview(owned(split(rest))),
        "getview" => Command::Getview,
        "checkauth" => Command::Checkauth(cut(rest).0.to_owned()),
        "list" => Command::List(list(rest)),
        "servertime" => Command::Servertime,
        "get" => get(rest),
        "set" => set(rest),
        "stop" => Command::Stop,
        "start" => Command::Start,
        "reset" => Command::Reset {
            stopped: rest.to_ascii_lowercase().contains("stopped"),
            keepstate: rest.contains("keepstate"),
        },
        "reload" => Command::Reload { known: split(rest).all(|what| what == "auth") },
        "clear" => Command::Clear(clear(rest)),
        "test" => Command::Test(test(rest)),
        "savestate" => Command::Savestate(split(rest).map(state_kind).collect()),
        "loadstate" => Command::Loadstate(split(rest).map(state_kind).collect()),
        "term" => Command::Term,
        "ack" => ack(rest),
        "disable" => Command::Disable(target(rest)),
        "enable" => Command::Enable(target(rest)),
        "dump" => Command::Dump,
        "why" => Command::Why(why(rest)),
        _ => Command::Invalid,
    }
}

/// The first word, and what follows the blanks after it.
fn cut(text: &str) -> (&str, &str) {
    let end = text.find(is_blank).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start_matches(is_blank))
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_blank).filter(|word| !word.is_empty())
}

fn owned<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words.map(str::to_owned).collect()
}

/// The first words, missing ones empty; the last one is the whole rest.
fn fields<const N: usize>(mut text: &str) -> [&str; N] {
    let mut fields = [""; N];
    for (index, field) in fields.iter_mut().enumerate() {
        (*field, text) = if index + 1 < N { cut(text) } else { (text, "") };
    }
    fields
}

fn login(rest: &str) -> Command {
    let (user, password) = cut(rest);
    Command::Login { user: user.to_owned(), password: Password::new(password.to_owned()) }
}

fn list(rest: &str) -> List {
    let (what, rest) = cut(rest);
    match what {
        "descriptions" => List::Descriptions,
        "group" => List::Group(rest.trim_end_matches(is_blank).to_owned()),
        "opstatus" => List::Opstatus(split(rest).map(group_and_service).collect()),
        "disabled" => List::Disabled,
        "alerthist" => List::Alerthist,
        "deliveries" => List::Deliveries(owned(split(rest))),
        "failures" => List::Failures,
        "failurehist" => List::Failurehist,
        "successes" => List::Successes,
        "warnings" => List::Warnings,
        "pids" => List::Pids,
        "watch" => List::Watch,
        "state" => List::State,
        "aliases" => List::Aliases(owned(split(rest))),
        "aliasgroups" => List::Aliasgroups,
        "deps" => List::Deps,
        "dtlog" => List::Dtlog,
        "views" => List::Views,
        "record" => record_span(rest).map_or(List::Unknown, List::Record),
        _ => List::Unknown,
    }
}

fn group_and_service(word: &str) -> (String, Option<String>) {
    let mut parts = word.split(',');
    let group = parts.next().unwrap_or_default().to_owned();
    (group, parts.next().filter(|service| !service.is_empty()).map(str::to_owned))
}

fn get(rest: &str) -> Command {
    if rest.trim_end_matches(is_blank) == "maxkeep" {
        return Command::GetMaxkeep;
    }
    let [group, service, variable] = fields(rest).map(str::to_owned);
    Command::Get { group, service, variable: variable.trim_end_matches(is_blank).to_owned() }
}

fn set(rest: &str) -> Command {
    if let ("maxkeep", number) = cut(rest) {
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(length) = digits.parse() {
            return Command::SetMaxkeep(length);
        }
    }
    let [group, service, variable, value] = fields(rest);
    let [group, service, variable] = [group, service, variable].map(str::to_owned);
    Command::Set { group, service, variable, value: first_word(value) }
}

/// Comments and values: the first word, quotes taken off, escapes undone. What follows it is not looked at.
fn first_word(text: &str) -> String {
    unescape(&words::first(text).unwrap_or_default())
}

fn clear(rest: &str) -> Option<(String, String)> {
    let [what, group, service] = fields(rest);
    let service = cut(service).0;
    let complete = what.eq_ignore_ascii_case("timers") && !group.is_empty() && !service.is_empty();
    complete.then(|| (group.to_owned(), service.to_owned()))
}

fn test(rest: &str) -> Test {
    let (what, rest) = cut(rest);
    let kind = match what {
        "config" => return Test::Config,
        "reload" => return Test::Reload,
        "monitor" => {
            let [group, service] = fields(rest);
            return Test::Monitor { group: group.to_owned(), service: cut(service).0.to_owned() };
        }
        "alert" => AlertKind::Failure,
        "upalert" => AlertKind::Up,
        "startupalert" => AlertKind::Startup,
        "ackalert" => AlertKind::Ack,
        "disablealert" => AlertKind::Disable,
        _ => return Test::Unknown,
    };
    let [group, service, exit, period] = fields(rest);
    Test::Alert {
        kind,
        group: group.to_owned(),
        service: service.to_owned(),
        exit: exit.parse().ok(),
        period: period.trim_end_matches(is_blank).to_owned(),
    }
}

fn state_kind(word: &str) -> StateKind {
    match word {
        "disabled" => StateKind::Disabled,
        "opstatus" => StateKind::Opstatus,
        "all" => StateKind::All,
        _ => StateKind::Unknown,
    }
}

fn ack(rest: &str) -> Command {
    let [group, service, comment] = fields(rest);
    Command::Ack { group: group.to_owned(), service: service.to_owned(), comment: first_word(comment) }
}

/// `GROUP SERVICE [at SECONDS]`.
fn why(rest: &str) -> Option<Question> {
    let words: Vec<&str> = split(rest).collect();
    let at = match words[..] {
        [_, _] => None,
        [_, _, "at", at] => Some(at.parse().ok()?),
        _ => return None,
    };
    Some(Question { group: words[0].to_owned(), service: words[1].to_owned(), at })
}

/// `[GROUP SERVICE] [FROM [TO]] [each]`, times in seconds since the epoch.
fn record_span(rest: &str) -> Option<RecordSpan> {
    let mut words: Vec<&str> = split(rest).collect();
    let is_time = |word: &str| word.parse::<Wall>().is_ok();
    // A service may have that name.
    let each = match words[..] {
        [group, "each"] => is_time(group),
        [.., last] => last == "each",
        [] => false,
    };
    words.truncate(words.len() - usize::from(each));
    let service = match words[..] {
        [group, service, ..] if !is_time(group) || !is_time(service) || words.len() > 2 => {
            words.drain(..2);
            Some((group.to_owned(), service.to_owned()))
        }
        _ => None,
    };
    let time = |place: usize| words.get(place).map(|word| word.parse::<Wall>().ok());
    let (from, to) = (time(0).unwrap_or(Some(Wall::MIN))?, time(1).unwrap_or(Some(Wall::MAX))?);
    (words.len() <= 2).then_some(RecordSpan { service, from, to, each })
}

fn target(rest: &str) -> Target {
    let (what, rest) = cut(rest);
    let rest = rest.trim_end_matches(is_blank);
    match what {
        "watch" => Target::Watch(rest.to_owned()),
        "service" => {
            let (group, service) = cut(rest);
            Target::Service(group.to_owned(), service.to_owned())
        }
        "host" => Target::Hosts(owned(split(rest))),
        _ => Target::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Answer, ClientId, Effect, Engine, Event, Loaded};
    use crate::nouns::{Civil, Mono, Now};
    use proptest::prelude::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut lines = Vec::new();
        for piece in pieces {
            buffer.extend(piece.as_bytes());
            while let Ok(Some(line)) = buffer.next_line() {
                lines.push(line);
            }
        }
        lines
    }

    #[test]
    fn any_run_of_line_ends_that_has_arrived_ends_one_line() {
        assert_eq!(lines(&["version\r\nlist"]), ["version"]);
        assert_eq!(lines(&["a\n\n\nb\r", "\r\n", "c\n"]), ["a", "b", "", "c"]);
        assert_eq!(lines(&["li", "st", " watch", "\n"]), ["list watch"]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut buffer = LineBuffer::default();
        buffer.extend(&[b'x'; MAX_LINE]);
        assert_eq!(buffer.next_line(), Ok(None));
        buffer.extend(b"x");
        assert_eq!(buffer.next_line(), Err(LineTooLong));
    }

    #[test]
    fn command_words_ignore_case_the_others_do_not() {
        assert_eq!(parse("LIST watch"), Command::List(List::Watch));
        assert_eq!(parse("List WATCH"), Command::List(List::Unknown));
        assert_eq!(parse(" list watch"), Command::Invalid);
        assert_eq!(parse("listwatch"), Command::Invalid);
        assert_eq!(parse(""), Command::Invalid);
        assert_eq!(parse("list watch   "), Command::List(List::Watch));
    }

    #[test]
    fn arguments() {
        let asked = vec![("web".to_owned(), None), ("db".to_owned(), Some("sql".to_owned()))];
        assert_eq!(parse("list opstatus web  db,sql"), Command::List(List::Opstatus(asked)));
        assert_eq!(parse("set maxkeep 7"), Command::SetMaxkeep(7));
        let (group, service) = ("web".to_owned(), "ping".to_owned());
        assert_eq!(
            parse(r"ack web ping 'by\20me \22q\22' and more"),
            Command::Ack {
                group: group.clone(),
                service: service.clone(),
                comment: "by me \"q\"".to_owned()
            }
        );
        assert_eq!(
            parse("test alert web ping 5 wd {Mon-Fri} hr {1am-2am}"),
            Command::Test(Test::Alert {
                kind: AlertKind::Failure,
                group,
                service,
                exit: Some(5),
                period: "wd {Mon-Fri} hr {1am-2am}".to_owned()
            })
        );
        assert_eq!(
            parse("disable host h1  h2"),
            Command::Disable(Target::Hosts(vec!["h1".into(), "h2".into()]))
        );
        assert_eq!(parse("reload auth bogus"), Command::Reload { known: false });
        assert_eq!(parse("clear timers web"), Command::Clear(None));
    }

    #[test]
    fn a_password_keeps_its_blanks_and_is_never_shown() {
        let command = parse("login amy  se cret");
        assert!(!format!("{command:?}").contains("cret"));
        let Command::Login { password, .. } = command else { panic!("a login") };
        assert_eq!(password.reveal(), "se cret");
    }

    /// A line for each command; the number of its variant, so that none is forgotten.
    fn number(command: &Command) -> usize {
        match command {
            Command::Invalid => 0,
            Command::Quit => 1,
            Command::Version => 2,
            Command::Protid(_) => 3,
            Command::Login { .. } => 4,
            Command::Setview(_) => 5,
            Command::Getview => 6,
            Command::Checkauth(_) => 7,
            Command::List(_) => 8,
            Command::Servertime => 9,
            Command::GetMaxkeep => 10,
            Command::Get { .. } => 11,
            Command::SetMaxkeep(_) => 12,
            Command::Set { .. } => 13,
            Command::Stop => 14,
            Command::Start => 15,
            Command::Reset { .. } => 16,
            Command::Reload { .. } => 17,
            Command::Clear(_) => 18,
            Command::Test(_) => 19,
            Command::Savestate(_) => 20,
            Command::Loadstate(_) => 21,
            Command::Term => 22,
            Command::Ack { .. } => 23,
            Command::Disable(_) => 24,
            Command::Enable(_) => 25,
            Command::Dump => 26,
            Command::Why(_) => 27,
        }
    }

    const ONE_OF_EACH: [&str; 28] = [
        "bogus",
        "quit",
        "version",
        "protid 9745",
        "login amy x",
        "setview",
        "getview",
        "checkauth list",
        "list watch",
        "servertime",
        "get maxkeep",
        "get a b c",
        "set maxkeep 3",
        "set a b c d",
        "stop",
        "start",
        "reset",
        "reload auth",
        "clear timers a b",
        "test config",
        "savestate all",
        "loadstate all",
        "term",
        "ack a b c",
        "disable host h",
        "enable host h",
        "dump",
        "why a b",
    ];

    /// What an engine does with a line, when auth.cf is this.
    fn effects(auth: &str, line: &str) -> Vec<Effect> {
        let now = Now { mono: Mono::default(), wall: 0, civil: Civil::utc(0) };
        let mut loaded = Loaded::default();
        loaded.settings.clientallow = crate::allow::AllowList::parse("10.0.0.1");
        let mut engine = Engine::new(loaded, crate::auth::parse(auth).0, &now, 0);
        let client = ClientId(1);
        engine.handle(Event::ClientConnected { client, peer: [10, 0, 0, 1].into() }, &now);
        let effects =
            engine.handle(Event::Command { client, line: line.to_owned(), command: parse(line) }, &now);
        effects.into_iter().filter(|effect| !matches!(effect, Effect::Log { .. })).collect()
    }

    fn is_refusal(effects: &[Effect]) -> bool {
        matches!(effects, [Effect::Reply { answer: Answer::Refused, close: false, .. }])
    }

    #[test]
    fn every_command_that_has_a_word_passes_the_gate() {
        let others = |word: &str| {
            let words =
                ONE_OF_EACH.iter().filter_map(|line| parse(line).word()).filter(|other| *other != word);
            words.map(|other| format!("{other}: all\n")).collect::<String>()
        };
        for (index, line) in ONE_OF_EACH.iter().enumerate() {
            let command = parse(line);
            assert_eq!(number(&command), index, "{line}");
            let Some(word) = command.word() else {
                assert!(!is_refusal(&effects("", line)), "{line} needs no permission");
                continue;
            };
            assert!(is_refusal(&effects("", line)), "{line} needs permission");
            assert!(is_refusal(&effects(&others(word), line)), "{line} needs its own permission");
            assert!(is_refusal(&effects(&format!("{word}: AUTH_ANY"), line)), "{line} needs a login");
            let permitted = effects(&format!("{word}: all"), line);
            // `dump` is there for nobody.
            assert_eq!(is_refusal(&permitted), command == Command::Dump, "{line} is permitted");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(line in ".*") {
            let _ = parse(&line);
        }
    }

    #[test]
    fn a_stretch_of_the_record() {
        let span = |line: &str| match parse(line) {
            Command::List(List::Record(span)) => {
                let service = span.service.map(|(group, service)| format!("{group}/{service}"));
                let end = |at: Wall| if at.unsigned_abs() > 9999 { "-".to_owned() } else { at.to_string() };
                format!("{service:?} {} {} {}", end(span.from), end(span.to), span.each)
            }
            other => format!("{other:?}"),
        };
        for (line, expect) in [
            ("list record", "None - - false"),
            ("list record each", "None - - true"),
            ("list record 5", "None 5 - false"),
            ("list record 5 each", "None 5 - true"),
            ("list record 5 9 each", "None 5 9 true"),
            ("list record web http each", "Some(\"web/http\") - - true"),
            ("list record web http 5 9 each", "Some(\"web/http\") 5 9 true"),
            ("list record web each", "Some(\"web/each\") - - false"),
            ("list record web each 5 each", "Some(\"web/each\") 5 - true"),
            ("list record each each each", "Some(\"each/each\") - - true"),
            ("list record web http 5 9 7", "List(Unknown)"),
        ] {
            assert_eq!(span(line), expect, "{line}");
        }
    }
}
