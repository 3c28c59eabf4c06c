//! The lines of the state files `disabled` and `opstatus`, in the original's format.

use std::fmt::Write as _;

use super::quote::{escape_into, unescape};
use crate::engine::{Disabled, ServiceSnapshot};
use crate::timeval::is_blank;

/// A line that says nothing that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The text of the `disabled` file.
#[must_use]
pub fn render_disabled(lines: &[Disabled]) -> String {
    let mut out = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = match line {
            Disabled::Host(host) => writeln!(out, "disable host {host}"),
            Disabled::Watch(watch) => writeln!(out, "disable watch {watch}"),
            Disabled::Service(group, service) => writeln!(out, "disable service {group} {service}"),
        };
    }
    out
}

/// Reads the text of a `disabled` file; lines that cannot be read are skipped and told.
#[must_use]
pub fn parse_disabled(text: &str) -> (Vec<Disabled>, Vec<BadLine>) {
    parse_lines(text, |line| {
        let mut words = line.split(is_blank).filter(|word| !word.is_empty()).map(str::to_owned);
        match (words.next().as_deref(), words.next().as_deref(), words.next(), words.next()) {
            (Some("disable"), Some("host"), Some(host), None) => Ok(Disabled::Host(host)),
            (Some("disable"), Some("watch"), Some(watch), None) => Ok(Disabled::Watch(watch)),
            (Some("disable"), Some("service"), Some(group), Some(service)) => {
                Ok(Disabled::Service(group, service))
            }
            _ => Err("expected `disable host H`, `disable watch W` or `disable service W S`"),
        }
    })
}

/// The text of the `opstatus` file.
#[must_use]
pub fn render_opstatus(services: &[ServiceSnapshot]) -> String {
    let mut out = String::with_capacity(services.len() * 512);
    for ServiceSnapshot { group, service, fields } in services {
        let _ = write!(out, "group={group}\tservice={service}");
        for (name, value) in fields {
            let _ = write!(out, "\t{name}=");
            push_value(&mut out, value);
        }
        out.push('\n');
    }
    out
}

/// Escapes a value so that the original reads it back as it was: it takes a `=` for the end of a name, and
/// a backslash before two hex digits for an escape.
fn push_value(out: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.find(['=', '\\']) {
        escape_into(out, &rest[..at]);
        let hex =
            |offset| rest.as_bytes().get(at + offset).is_some_and(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match rest.as_bytes()[at] {
            b'=' => out.push_str("\\3d"),
            _ if hex(1) && hex(2) => out.push_str("\\5c"),
            _ => out.push('\\'),
        }
        rest = &rest[at + 1..];
    }
    escape_into(out, rest);
}

/// Reads the text of an `opstatus` file; lines that cannot be read are skipped and told. A last line without end was
/// cut off, so its last field may not be whole and is left out.
#[must_use]
pub fn parse_opstatus(text: &str) -> (Vec<ServiceSnapshot>, Vec<BadLine>) {
    let last = text.rfind('\n').map_or(0, |end| end + 1);
    if last == text.len() {
        return parse_services(text);
    }
    let kept = text[last..].rfind('\t').map_or(text.len(), |tab| last + tab);
    let (services, mut bad) = parse_services(&text[..kept]);
    let number = text.lines().count();
    if bad.last().is_none_or(|line| line.number != number) {
        bad.push(BadLine { number, problem: "the file ends inside the last field" });
    }
    (services, bad)
}

fn parse_services(text: &str) -> (Vec<ServiceSnapshot>, Vec<BadLine>) {
    parse_lines(text, |line| {
        let (mut group, mut service, mut fields) = (None, None, Vec::new());
        for field in line.split('\t') {
            let Some((name, value)) = field.split_once('=') else { return Err("expected NAME=VALUE") };
            match name {
                "group" => group = Some(unescape(value)),
                "service" => service = Some(unescape(value)),
                _ => fields.push((name.to_owned(), unescape(value))),
            }
        }
        match (group, service) {
            (Some(group), Some(service)) => Ok(ServiceSnapshot { group, service, fields }),
            _ => Err("a line needs group= and service="),
        }
    })
}

fn parse_lines<T>(text: &str, parse: impl Fn(&str) -> Result<T, &'static str>) -> (Vec<T>, Vec<BadLine>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        if line.trim_matches(is_blank).is_empty() {
            continue;
        }
        match parse(line) {
            Ok(line) => good.push(line),
            Err(problem) => bad.push(BadLine { number: index + 1, problem }),
        }
    }
    (good, bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_lines_are_skipped_and_told() {
        let text =
            "disable host h3\ndisable watch db\nrubbish line\n\ndisable service web ping\ndisable bogus y\n";
        let (lines, bad) = parse_disabled(text);
        assert_eq!(lines.len(), 3);
        assert_eq!(bad.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 6]);
        let (services, bad) = parse_opstatus("rubbish\nservice=http\tgroup=web\top_status=1\n");
        assert_eq!((services.len(), bad.len()), (1, 1));
        assert_eq!(services[0].fields, [("op_status".to_owned(), "1".to_owned())]);
        let (services, bad) = parse_opstatus("group=a\tservice=b\top_status=0\tlast_failure=17953");
        assert_eq!(services[0].fields, [("op_status".to_owned(), "0".to_owned())]);
        assert_eq!(bad.len(), 1);
    }

    #[test]
    fn values_are_spelled_as_the_original_spells_them() {
        let mut out = String::new();
        push_value(&mut out, "bad 'x' \\ z\n\\41 a=b");
        assert_eq!(out, r"bad\20\27x\27\20\\20z\0a\5c41\20a\3db");
    }

    proptest! {
        #[test]
        fn every_value_comes_back(bytes: Vec<u8>) {
            let value = crate::text::decode(bytes);
            let fields = vec![("last_summary".to_owned(), value)];
            let before = ServiceSnapshot { group: "web".into(), service: "ping".into(), fields };
            let (after, bad) = parse_opstatus(&render_opstatus(std::slice::from_ref(&before)));
            prop_assert_eq!((after, bad), (vec![before], vec![]));
        }

        #[test]
        fn no_file_is_too_strange(text in "(?s).*") {
            let _ = (parse_opstatus(&text), parse_disabled(&text));
        }
    }
}
