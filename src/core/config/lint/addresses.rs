//! Addresses in global variables that can be none.

use std::net::{IpAddr, Ipv4Addr};

use super::super::ast::Statement;
use super::super::lines::Source;
use super::super::sink::Sink;
use super::super::values::words;
use super::warning;

/// Looks at a line `name = value`.
pub(in super::super) fn global(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let (name, text) = (source.slice(statement.name), source.slice(statement.rest));
    let wrong = match name {
        "serverbind" | "trapbind" => words(text).find(|word| !is_address_or_name(word)),
        "clientallow" => words(text).find(|word| !may_match(word)),
        _ => return,
    };
    let Some(word) = wrong else { return };
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

/// Digits and dots that are no address are no name either.
fn is_address_or_name(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !is_number || word.parse::<Ipv4Addr>().is_ok()
}

/// Whether a pattern of plain parts can be a whole IPv4 address. With anything else in it, nobody knows so cheaply.
fn may_match(pattern: &str) -> bool {
    let plain = pattern.replace("\\d+", "1").replace("\\d", "1").replace("\\.", ".");
    let is_plain = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !is_plain || plain.parse::<IpAddr>().is_ok()
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
        assert!(!may_match(r"192.0.2\d+"));
    }
}
