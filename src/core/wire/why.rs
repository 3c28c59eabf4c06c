//! The replies to `why` and `list record`, and how a client reads them.
//!
//! Each line is a word and `name=value` pairs. Values are escaped so that they hold no blank and come back as they
//! were (a backslash is `\5c`, which the original's own escaping cannot say). Times are seconds since the epoch,
//! spans are seconds; new names may come, in any place.
//!
//! ```text
//! service group=web service=http now=… line=12 opstatus=fail failing_since=… failures=4 summary=… interval=60 next_check=…
//! suppose what=failure exit=1 summary=…                         one for each thing that might happen now
//! period label=… line=15 sent=0 rule=numalerts rule_line=17 why_sent=3 why_most=3 [next=…]
//! alert line=16 keyword=alert [exit=1-3] called=0 command=…     the lines of that period
//! decision at=… last=… times=4 what=failure exit=1 summary=…    what was decided, oldest first
//! verdict label=… line=15 sent=1 lines=16,17                    one for each period of it
//! fact at=… last=… times=1 group=… service=… what=result …      the lines of `list record`
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::opstatus::Fields;
use super::quote;
use crate::decision::Source;
use crate::engine::{
    Asked, AskedLine, Decided, Ending, Fact, Judged, Past, Reason, Recorded, Ruling, StateFile, Supposed, Why,
};
use crate::nouns::Wall;

/// `name=value` with a blank before it; nothing without a value.
fn push(out: &mut String, name: &str, value: impl Display) {
    let value = value.to_string();
    // Writing to a String cannot fail.
    let _ = write!(out, " {name}={}", escape(&value));
}

fn push_if<T: Display>(out: &mut String, name: &str, value: Option<T>) {
    value.into_iter().for_each(|value| push(out, name, value));
}

fn escape(text: &str) -> String {
    text.split('\\').map(quote::escape).collect::<Vec<_>>().join("\\5c")
}

/// The reply to `why`, without its last line.
pub(super) fn write_why(out: &mut String, why: &Why) {
    let Asked { now, line, opstatus, failing_since, failures, summary, interval, next_check } = &why.facts;
    out.push_str("service");
    push(out, "group", &why.key.group);
    push(out, "service", &why.key.service);
    push(out, "now", now);
    push_if(out, "asked", why.at);
    push(out, "line", line);
    push(out, "opstatus", opstatus.word());
    push_if(out, "failing_since", *failing_since);
    push(out, "failures", failures);
    push(out, "summary", summary);
    push_if(out, "interval", *interval);
    push_if(out, "next_check", *next_check);
    out.push('\n');
    why.supposed.iter().for_each(|supposed| write_supposed(out, supposed));
    why.past.iter().for_each(|past| write_past(out, past));
}

fn write_supposed(out: &mut String, supposed: &Supposed) {
    out.push_str("suppose");
    push(out, "what", supposed.kind.env_word());
    push_if(out, "exit", supposed.exit);
    push(out, "summary", &supposed.summary);
    out.push('\n');
    for period in &supposed.periods {
        out.push_str("period");
        write_judged(out, &period.judged);
        push_if(out, "next", period.next);
        out.push('\n');
        for AskedLine { line, keyword, exit, command, called } in &period.lines {
            out.push_str("alert");
            push(out, "line", line);
            push(out, "keyword", keyword.word());
            push_if(out, "exit", Some(exit).filter(|exit| !exit.is_empty()));
            push(out, "called", u8::from(*called));
            push(out, "command", command);
            out.push('\n');
        }
    }
}

fn write_past(out: &mut String, past: &Past) {
    out.push_str("decision");
    push(out, "at", past.at);
    push(out, "last", past.last);
    push(out, "times", past.times);
    write_decided(out, &past.decided);
    out.push('\n');
    for judged in &past.decided.periods {
        out.push_str("verdict");
        write_judged(out, judged);
        out.push('\n');
    }
}

fn write_decided(out: &mut String, decided: &Decided) {
    push(out, "what", decided.kind.env_word());
    push_if(out, "exit", decided.exit);
    push(out, "summary", &decided.summary);
}

fn write_judged(out: &mut String, judged: &Judged) {
    push(out, "label", &judged.period);
    push(out, "line", judged.line);
    out.push_str(&spell_ruling(&judged.ruling));
}

/// ` sent=1 lines=16,17` or ` sent=0 rule=… rule_line=… …`: also how the record keeps it.
#[must_use]
pub fn spell_ruling(ruling: &Ruling) -> String {
    let mut out = String::new();
    match ruling {
        Ruling::Sent(lines) => {
            let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
            push(&mut out, "sent", 1);
            push(&mut out, "lines", lines.join(","));
        }
        Ruling::Held(Reason { rule, line, details }) => {
            push(&mut out, "sent", 0);
            push(&mut out, "rule", rule);
            push(&mut out, "rule_line", line);
            for (name, value) in details {
                let _ = write!(out, " why_{name}={}", escape(value));
            }
        }
    }
    out
}

/// What [`spell_ruling`] says.
#[must_use]
pub fn read_ruling(text: &str) -> Ruling {
    let fields = Told::read(text);
    if fields.get("sent") == "1" {
        return Ruling::Sent(fields.get("lines").split(',').filter_map(|line| line.parse().ok()).collect());
    }
    let details = fields
        .fields
        .iter()
        .filter_map(|(name, value)| Some((Cow::Owned(name.strip_prefix("why_")?.to_owned()), value.clone())));
    let rule = fields.get("rule").to_owned().into();
    Ruling::Held(Reason { rule, line: fields.number("rule_line") as u32, details: details.collect() })
}

/// A record as text: the lines of `list record`, without the last one.
#[must_use]
pub fn spell_record(entries: &[Recorded]) -> String {
    let mut out = String::new();
    write_record(&mut out, entries);
    out
}

/// The same, after what is there already.
pub(super) fn write_record(out: &mut String, entries: &[Recorded]) {
    for entry in entries {
        out.push_str("fact");
        push(out, "at", entry.at);
        push(out, "last", entry.last);
        push(out, "times", entry.times);
        if let Some(key) = &entry.service {
            push(out, "group", &key.group);
            push(out, "service", &key.service);
        }
        write_fact(out, &entry.fact);
        if let Some((at, ending, words)) = &entry.ended {
            push(out, "ended", at);
            write_ending(out, ending);
            push(out, "words", words);
        }
        out.push('\n');
        if let Fact::Decided(decided) = &entry.fact {
            for judged in &decided.periods {
                out.push_str("verdict");
                write_judged(out, judged);
                out.push('\n');
            }
        }
    }
}

fn write_fact(out: &mut String, fact: &Fact) {
    let what = |out: &mut String, word: &str| push(out, "what", word);
    match fact {
        Fact::Result { again: _, source, took, exit, status, summary, detail } => {
            what(out, "result");
            push(out, "source", source_word(*source));
            push_if(out, "took", took.map(|took| format!("{:.3}", took.as_secs_f64())));
            push(out, "exit", exit);
            push(out, "opstatus", status.word());
            push(out, "summary", summary);
            push_if(out, "detail", Some(detail).filter(|detail| !detail.is_empty()));
        }
        Fact::RunTime(took) => {
            what(out, "run-time");
            push(out, "took", format!("{:.3}", took.as_secs_f64()));
        }
        Fact::Status(status) => {
            what(out, "status");
            push(out, "opstatus", status.word());
        }
        Fact::Decided(decided) => {
            what(out, "decision");
            push(out, "occasion", decided.kind.env_word());
            push_if(out, "exit", decided.exit);
            push(out, "summary", &decided.summary);
        }
        Fact::AlertCalled { kind, period, line, program, arguments, .. } => {
            what(out, "alert");
            push(out, "occasion", kind.env_word());
            push_if(out, "label", period.as_deref());
            push(out, "line", line);
            push(out, "program", program);
            push(out, "arguments", arguments);
        }
        Fact::AlertEnded { .. } => what(out, "alert-ended"),
        Fact::Command { user, line } => {
            what(out, "command");
            push(out, "user", user);
            push(out, "text", line);
        }
        Fact::Configured { hash } => {
            what(out, "configuration");
            push(out, "sha256", hash);
        }
        Fact::Started { stopped, loaded } => {
            what(out, "start");
            push_if(out, "stopped", stopped.then_some(1));
            push_if(out, "loaded", Some(state_words(loaded)).filter(|words| !words.is_empty()));
        }
        Fact::HangUp => what(out, "hangup"),
        Fact::Ended => what(out, "end"),
        Fact::Lost(facts) => {
            what(out, "lost");
            push(out, "facts", facts);
        }
    }
}

fn write_ending(out: &mut String, ending: &Ending) {
    match ending {
        Ending::Exited(status) => push(out, "status", status),
        Ending::Killed(signal) => push(out, "signal", signal),
        Ending::NotStarted(why) => push(out, "unstarted", why),
    }
}

/// The words for state files, as in `savestate`.
#[must_use]
pub fn state_words(files: &[StateFile]) -> String {
    let word = |file: &StateFile| match file {
        StateFile::Disabled => "disabled",
        StateFile::Opstatus => "opstatus",
    };
    files.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The word for where a result comes from.
#[must_use]
pub fn source_word(source: Source) -> &'static str {
    match source {
        Source::Monitor => "monitor",
        Source::Trap => "trap",
        Source::TrapTimeout => "traptimeout",
    }
}

/// A line as a client reads it: its word, and its values by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The first word.
    pub word: String,
    fields: BTreeMap<String, String>,
}

impl Told {
    /// Reads a line; every line means something.
    #[must_use]
    pub fn read(line: &str) -> Told {
        let (word, rest) = match line.split_once(' ') {
            Some((word, rest)) if !word.contains('=') => (word, rest),
            _ => ("", line),
        };
        let fields = Fields::of(rest).map(|(name, value)| (name.to_owned(), quote::unescape(value)));
        Told { word: word.to_owned(), fields: fields.collect() }
    }

    /// A value; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The same line, each of its values made fit.
    #[must_use]
    pub fn cleaned(self, clean: impl Fn(&str) -> String) -> Told {
        let fields = self.fields.into_iter().map(|(name, value)| (name, clean(&value)));
        Told { fields: fields.collect(), word: self.word }
    }

    /// All values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A value where there is one.
    #[must_use]
    pub fn maybe(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A number; 0 where there is none.
    #[must_use]
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).parse().unwrap_or(0)
    }

    /// A time.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Wall> {
        self.get(name).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ruling_comes_back_as_it_was(
            rule in "[a-z=_-]{1,12}",
            line: u32,
            details in proptest::collection::btree_map("[a-z_]{1,8}", any::<String>(), 0..4),
        ) {
            let details = details.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
            let ruling = Ruling::Held(Reason { rule: rule.into(), line, details });
            let spelled = spell_ruling(&ruling);
            prop_assert!(!spelled.contains('\n'));
            prop_assert_eq!(read_ruling(&spelled), ruling);
        }

        #[test]
        fn lines_of_alerts_come_back(lines: Vec<u32>) {
            let ruling = Ruling::Sent(lines);
            prop_assert_eq!(read_ruling(&spell_ruling(&ruling)), ruling);
        }

        #[test]
        fn whatever_a_server_says_is_a_line(line: String) {
            let told = Told::read(&line);
            prop_assert!(told.iter().count() <= line.len());
        }
    }
}
