//! JSON, as much of it as the clients print.

use std::fmt::{self, Write};

use remon_core::nouns::OpStatus;
use remon_core::text;
use remon_core::wire::opstatus::StatusLine;

/// Fields of an opstatus line that are numbers wherever they are not empty.
const NUMBERS: [&str; 22] = [
    "ack",
    "alerts_sent",
    "alerts_undelivered",
    "exitval",
    "failure_duration",
    "first_failure",
    "interval",
    "last_alert",
    "last_check",
    "last_failure",
    "last_opstatus",
    "last_success",
    "last_trap",
    "monitor_duration",
    "monitor_running",
    "opstatus",
    "randskew",
    "retry_at",
    "time",
    "timer",
    "try",
    "undelivered",
];

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    /// Names and values, in the order to print them.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A text value.
    pub(crate) fn str(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    /// All fields of a service, and the word for its status.
    pub(crate) fn of_status(status: &StatusLine) -> Json {
        let word = status.opstatus().map_or("unknown", OpStatus::word);
        let mut fields = vec![("status".to_owned(), Json::str(word))];
        fields.extend(status.iter().map(|(name, value)| (name.to_owned(), field(name, value))));
        Json::Object(fields)
    }

    /// All fields of a line that is about something else than a status.
    pub(crate) fn of_line(line: &StatusLine) -> Json {
        Json::Object(line.iter().map(|(name, value)| (name.to_owned(), field(name, value))).collect())
    }

    /// The value on a line of its own.
    pub(crate) fn text(&self) -> String {
        format!("{self}\n")
    }
}

/// A field without a value (`exitval=undef`, `last_check=`) is null where it ought to be a number.
fn field(name: &str, value: &str) -> Json {
    if NUMBERS.contains(&name) { value.parse().map_or(Json::Null, Json::Number) } else { Json::str(value) }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(number) => write!(f, "{number}"),
            Json::Text(text) => write_text(f, text),
            Json::List(values) => {
                write_all(f, '[', values, |f, value| write!(f, "{value}"))?;
                f.write_char(']')
            }
            Json::Object(fields) => {
                write_all(f, '{', fields, |f, (name, value)| {
                    write_text(f, name)?;
                    write!(f, ": {value}")
                })?;
                f.write_char('}')
            }
        }
    }
}

fn write_all<T>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        write(f, item)?;
    }
    Ok(())
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    // JSON must be UTF-8: a stray byte can only show as U+FFFD.
    for c in text::display(text).chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let object = Json::Object(vec![
            ("a \"b\"".into(), Json::List(vec![Json::Number(-1), Json::Null, Json::Bool(true)])),
            ("c".into(), Json::str("x\\y\n\t\u{1}é")),
            ("d".into(), Json::Object(Vec::new())),
        ]);
        assert_eq!(object.to_string(), r#"{"a \"b\"": [-1, null, true], "c": "x\\y\n\t\u0001é", "d": {}}"#);
        let stray = text::decode(b"\xff".to_vec());
        assert_eq!(Json::Text(stray).to_string(), "\"\u{fffd}\"");
    }

    #[test]
    fn a_service() {
        let status = StatusLine::parse("group=g service=s opstatus=7 exitval=undef depend= timer=5")
            .expect("it is one");
        assert_eq!(
            Json::of_status(&status).to_string(),
            r#"{"status": "untested", "depend": "", "exitval": null, "group": "g", "opstatus": 7, "service": "s", "timer": 5}"#
        );
    }
}
