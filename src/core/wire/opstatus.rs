//! `group=web service=http opstatus=0 …`: reading one line of `list opstatus`.

use std::collections::BTreeMap;

use super::quote;
use crate::nouns::OpStatus;

/// The fields of one service, unescaped, by name; a name that comes twice keeps its last value.
///
/// Lenient as the Perl client library is: unknown fields are kept, missing ones read as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusLine {
    fields: BTreeMap<String, String>,
}

impl StatusLine {
    /// Reads a line; `None` if it names no group or no service, for such lines are none of ours.
    #[must_use]
    pub fn parse(line: &str) -> Option<StatusLine> {
        let fields = Fields { rest: line }
            .map(|(name, value)| (name.to_owned(), quote::unescape(value)))
            .collect::<BTreeMap<_, _>>();
        let status = StatusLine { fields };
        (!status.group().is_empty() && !status.service().is_empty()).then_some(status)
    }

    /// The value of a field, empty if the line has none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// A field that is a number; zero if it is absent or something else.
    #[must_use]
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).parse().unwrap_or(0)
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.get("group")
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.get("service")
    }

    /// The operational status; `None` for a number we do not know.
    #[must_use]
    pub fn opstatus(&self) -> Option<OpStatus> {
        self.get("opstatus").parse().ok().and_then(OpStatus::from_code)
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The `name=value` pairs of a line as they stand there, still escaped.
///
/// A value is what stands between single quotes, or everything up to the next blank.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    /// The pairs of `line`.
    #[must_use]
    pub fn of(line: &'a str) -> Fields<'a> {
        Fields { rest: line }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let (name, rest) = self.rest.trim_start().split_once('=').filter(|(name, _)| !name.is_empty())?;
        let quoted = rest.strip_prefix('\'').and_then(|inner| inner.split_once('\''));
        let (value, rest) = quoted.unwrap_or_else(|| rest.split_at(word_end(rest)));
        self.rest = rest;
        Some((name, value))
    }
}

fn word_end(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(line: &str) -> String {
        Fields::of(line).map(|(name, value)| format!("<{name}|{value}>")).collect()
    }

    #[test]
    fn fields_are_split_as_the_client_library_does() {
        for (line, expect) in [
            ("", ""),
            ("a=1 b= c=x", "<a|1><b|><c|x>"),
            ("a='b c' d='' e=f", "<a|b c><d|><e|f>"),
            ("a=x=y b", "<a|x=y>"),
            ("  a=1\tb=2", "<a|1><b|2>"),
            ("a='open b=2", "<a|'open><b|2>"),
            ("noise", ""),
            ("=x a=1", ""),
        ] {
            assert_eq!(pairs(line), expect, "{line}");
        }
    }

    #[test]
    fn a_recorded_line() {
        let line = r"group=web service=long opstatus=0 exitval=1 timer=17 last_traphost= depend= last_summary=\27a\27\20back\\slash last_detail=d\0a first_failure=1795346593";
        let status = StatusLine::parse(line).expect("it has group and service");
        assert_eq!((status.group(), status.service()), ("web", "long"));
        assert_eq!(status.opstatus(), Some(OpStatus::Fail));
        assert_eq!(status.get("last_summary"), r"'a' back\\slash");
        assert_eq!(status.get("last_detail"), "d\n");
        assert_eq!((status.number("first_failure"), status.number("depend")), (1_795_346_593, 0));
        assert_eq!(status.get("no_such_field"), "");
    }

    #[test]
    fn lines_without_group_or_service_are_dropped() {
        for line in ["", "group=web", "service=http", "group= service=http", "220 done"] {
            assert_eq!(StatusLine::parse(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn escaped_values_come_back(bytes: Vec<u8>) {
            let value = crate::text::decode(bytes.into_iter().filter(|b| *b != b'\\').collect());
            let line = format!("group=g service=s last_summary={} tail=1", quote::escape_quoted(&value));
            let status = StatusLine::parse(&line).expect("it has group and service");
            prop_assert_eq!(status.get("last_summary"), value.as_str());
            prop_assert_eq!(status.get("tail"), "1");
        }

        #[test]
        fn no_line_upsets_the_reader(line: String) {
            let _ = StatusLine::parse(&line);
        }
    }
}
