//! Addresses in global variables that can be none.

use std::net::{IpAddr, Ipv4Addr};

use super::super::ast::Statement;
use super::super::lines::Source;
use super::super::sink::Sink;
use super::super::suggest::nearest;
use super::super::values::words;
use super::warning;

/// The ways to log in; `shadow` has a word of its own from the daemon.
const AUTHTYPES: [&str; 5] = ["getpwnam", "pam", "shadow", "trustlocal", "userfile"];

/// Looks at a line `name = value`.
pub(in super::super) fn global(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let (name, text) = (source.slice(statement.name), source.slice(statement.rest));
    let wrong = match name {
        "serverbind" | "trapbind" => words(text).find(|word| !is_address_or_name(word)),
        "clientallow" => words(text).find(|word| !may_match(word)),
        _ => return,
    };
    let Some(word) = wrong else {
        let Some(word) = words(text).find(|word| is_almost_this_machine(word)) else { return };
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let complaint = warning("W054", format!("the address `{word}` is almost `127.0.0.1`"), "a slip?")
            .help("did you mean `127.0.0.1`?".to_owned());
        return sink.warn(statement.rest.part(at, at + word.len()), statement.line, complaint);
    };
    let at = word.as_ptr() as usize - text.as_ptr() as usize;
    let (message, help) = match name {
        "clientallow" => (
            format!("no address looks like `{word}`: it lets nobody in"),
            "a pattern must match a whole address: `127.0.0.1`, `192\\.0\\.2\\.\\d+`",
        ),
        _ => (format!("`{word}` is not an address"), "write an address such as `127.0.0.1`, or a host name"),
    };
    let complaint = warning("W062", message, "not an address").help(help.to_owned());
    sink.warn(statement.rest.part(at, at + word.len()), statement.line, complaint);
}

/// 127 with a digit missing, or two that changed places.
fn is_almost_this_machine(word: &str) -> bool {
    matches!(word.strip_suffix(".0.0.1"), Some("12" | "17" | "27" | "172" | "217"))
}

/// `authtype`: nobody can log in by what there is not.
pub(in super::super) fn authtypes(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    if source.slice(statement.name) != "authtype" {
        return;
    }
    let text = source.slice(statement.rest);
    for word in words(text).filter(|word| !AUTHTYPES.contains(word)) {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let help = match nearest(word, AUTHTYPES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", AUTHTYPES.join(", ")),
        };
        let message = format!("there is no authtype `{word}`: nobody can log in by it");
        let complaint = warning("W068", message, "unknown").help(help);
        sink.warn(statement.rest.part(at, at + word.len()), statement.line, complaint);
    }
}

/// Digits and dots that are no address are no name either.
fn is_address_or_name(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !is_number || word.parse::<Ipv4Addr>().is_ok()
}

/// Whether a pattern of plain parts can be a whole IPv4 address. With anything else in it, nobody knows so cheaply.
fn may_match(pattern: &str) -> bool {
    let plain = pattern.replace("\\d+", "1").replace("\\d", "1").replace("\\.", ".");
    let is_plain = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // `\2` is what a second pair of parentheses has matched, and there is none.
    let refers = plain.split('\\').skip(1).any(|rest| rest.starts_with(|c: char| ('1'..='9').contains(&c)));
    let is_sound = !refers || plain.contains('(');
    is_sound && (!is_plain || plain.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_address_is_told_from_what_may() {
        for word in ["127.0.0.1", "::1", "localhost", "mon.example.org", "0.0.0.0"] {
            assert!(is_address_or_name(word), "{word}");
        }
        for word in ["127.0.0.", "127..0.1", "1270.0.0.1", "127.0.0"] {
            assert!(!is_address_or_name(word) && !may_match(word), "{word}");
        }
        for pattern in
            ["127.0.0.1", r"192\.0\.2\.\d+", r"10.\d+.\d+.\d", "10.*", "[0-9.]+", "::1", r"10\.0\.[01]\.1"]
        {
            assert!(may_match(pattern), "{pattern}");
        }
        assert!(!may_match(r"192.0.2\d+") && !may_match(r"192\.0\2\.\d+"));
        assert!(is_almost_this_machine("27.0.0.1") && !is_almost_this_machine("10.0.0.1"));
    }
}
