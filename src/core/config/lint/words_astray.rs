//! Words that belong elsewhere: comments behind a line, the next line joined to this one.

use std::sync::Arc;

use super::super::ast::{Kind, Statement};
use super::super::lines::Source;
use super::super::sink::Sink;
use super::super::values::words;
use super::super::words as keywords;
use super::service::ServiceView;
use super::vocabulary::is_assignment;
use super::warning;
use crate::timeval;

/// The hosts of one line of a hostgroup.
pub(in super::super) fn hosts(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let text = source.slice(statement.rest);
    let mut first = true;
    for word in words(text) {
        let start = offset(text, word);
        let is_first = std::mem::replace(&mut first, false);
        if word.starts_with('#') {
            let message =
                "a comment begins on a line of its own: all words after `#` are hosts here".to_owned();
            let complaint =
                warning("W059", message, "taken as hosts").help("move it to a line above".to_owned());
            return sink.warn(statement.rest.part(start, text.len()), statement.line, complaint);
        }
        let place = statement.rest.part(start, start + word.len());
        if word == "\\" {
            let message = "a `\\` that is not the last of its line joins nothing: it is a host".to_owned();
            let complaint = warning("W043", message, "a host?").help("begin a new line after it".to_owned());
            return sink.warn(place, statement.line, complaint);
        }
        if word.starts_with('-') {
            let message = format!("`{word}` looks like an option, and monitors take it for one");
            let complaint = warning("W043", message, "a host?")
                .help("options stand in the `monitor` line, before the hosts".to_owned());
            sink.warn(place, statement.line, complaint);
        } else if let Some(near) = word.strip_suffix([',', ';']).filter(|host| !host.is_empty()) {
            let message = format!("this host is called `{word}`, to its last character");
            let complaint = warning("W043", message, "blanks separate hosts").help(format!("write `{near}`"));
            sink.warn(place, statement.line, complaint);
        } else if !is_first && keywords::RECORDS.contains(&word) {
            let message = format!("`{word}` is a host here: only the first word of a line begins a record");
            let complaint = warning("W058", message, "taken as a host")
                .help("put it on a line of its own, with a blank line before it".to_owned());
            return sink.warn(statement.rest.part(start, text.len()), statement.line, complaint);
        }
    }
}

/// Where `word`, a part of `text`, stands in it.
fn offset(text: &str, word: &str) -> usize {
    word.as_ptr() as usize - text.as_ptr() as usize
}

/// The lines of a service that take free text.
pub(super) fn check(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    for statement in view.statements {
        let keyword = view.keyword(statement);
        let text = view.source.slice(statement.rest);
        let is_command = matches!(keyword, "monitor" | "redistribute") || keyword.ends_with("alert");
        if is_command {
            trailing_comment(statement, keyword, text, sink);
        }
        if is_command || statement.kind == Kind::Env || matches!(keyword, "description" | "exclude_hosts") {
            joined(statement, text, !is_command, sink);
        }
    }
}

/// `monitor x.monitor # why`: the program gets `#` and `why`. A `#word` may be a channel or a colour.
fn trailing_comment(statement: &Statement, keyword: &str, text: &str, sink: &mut Sink<'_>) {
    let Some(hash) = words(text).find(|word| *word == "#" || word.starts_with("##")) else { return };
    let message = format!(
        "a comment begins on a line of its own: the program of this `{keyword}` line gets these words"
    );
    let complaint =
        warning("W059", message, "passed to the program").help("move it to a line above".to_owned());
    sink.warn(statement.rest.part(offset(text, hash), text.len()), statement.line, complaint);
}

/// Two lines that have become one: a keyword, and behind it what only that keyword takes.
fn joined(statement: &Statement, text: &str, is_prose: bool, sink: &mut Sink<'_>) {
    let all: Vec<&str> = words(text).collect();
    // Whoever writes a sentence may name a variable.
    let is_list = !is_prose || statement.kind == Kind::Env;
    let from = usize::from(!is_prose);
    for at in from..all.len() {
        let (word, next) = (all[at], all.get(at + 1).copied());
        // What follows an option may be its value.
        let is_value =
            at > 0 && all[at - 1].starts_with('-') && matches!(word, "service" | "description" | "hostgroup");
        let is_variable = is_list && at > 0 && is_assignment(word) && !text.contains(['"', '\'']);
        if is_value || !(is_variable || begins_a_line(word, next, is_prose)) {
            continue;
        }
        let message = format!("`{word}` begins a line of its own, but here it is part of the line before");
        let complaint =
            warning("W058", message, "not a line of its own").help("begin a new line before it".to_owned());
        return sink.warn(statement.rest.part(offset(text, word), text.len()), statement.line, complaint);
    }
}

/// Whether `word` and the `next` one look like a line of a watch; in prose nearly every keyword is an English word.
fn begins_a_line(word: &str, next: Option<&str>, is_prose: bool) -> bool {
    if !keywords::is_watch_word(word) && !keywords::RECORDS.contains(&word) {
        return false;
    }
    let Some(next) = next else { return word.contains('_') || (!is_prose && word == "period") };
    let is_scale = |word: &str| matches!(word, "wd" | "hr" | "md" | "mo" | "yd" | "wk" | "min");
    match word {
        "monitor" => next.ends_with(".monitor"),
        "alert" | "upalert" | "ackalert" | "disablealert" | "startupalert" => {
            next.ends_with(".alert") || next.starts_with("exit=")
        }
        "period" => next.ends_with(':') || is_scale(next) || next.contains('{'),
        "depend" | "alertdepend" | "monitordepend" | "hostdepend" => {
            next.contains(':') && !next.ends_with(':')
        }
        "numalerts" | "alertafter" if next.bytes().all(|b| b.is_ascii_digit()) => true,
        "service" | "description" | "hostgroup" => !is_prose,
        _ => word.contains('_') || timeval::parse(next).is_some(),
    }
}

/// The environment variables and keywords that a later line of the same service or period replaces.
pub(super) fn repeated(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let mut seen: Vec<(&str, u32)> = Vec::new();
    for statement in &view.statements[1..] {
        let keyword = view.keyword(statement);
        match statement.kind {
            Kind::Period => seen.clear(),
            // Its three forms go together; alert lines are a list.
            Kind::Setting if keyword == "alertafter" || keyword.ends_with("alert") => {}
            Kind::Setting | Kind::Env => {
                if let Some((_, line)) = seen.iter().find(|(word, _)| *word == keyword) {
                    let message = format!("this `{keyword}` replaces the one in line {line}");
                    let complaint = warning("W057", message, "said before")
                        .help("keep the line that you mean, delete the other".to_owned());
                    sink.warn(statement.text, statement.line, complaint);
                }
                seen.push((keyword, statement.line));
            }
            _ => {}
        }
    }
}

/// A value that holds another assignment.
pub(in super::super) fn joined_global(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let text = source.slice(statement.rest);
    let Some(equals) = text.find('=') else { return };
    let before = text[..equals].trim_end_matches(timeval::is_blank);
    let name = before.rsplit(timeval::is_blank).next().unwrap_or_default();
    if name.len() < before.len() && keywords::GLOBALS.contains(&name) {
        let message = format!("`{name}` begins a line of its own, but here it is part of the line before");
        let complaint =
            warning("W058", message, "not a line of its own").help("begin a new line before it".to_owned());
        sink.warn(statement.rest.part(offset(text, name), text.len()), statement.line, complaint);
    }
}

/// A global variable that is set again.
pub(in super::super) fn global_again(
    name: &Arc<str>,
    before: u32,
    statement: &Statement,
    sink: &mut Sink<'_>,
) {
    let message = format!("this `{name}` replaces the one in line {before}");
    let complaint = warning("W057", message, "said before")
        .help("keep the line that you mean, delete the other".to_owned());
    sink.warn(statement.text, statement.line, complaint);
}
