//! Filling in templates: what an alert is about, put into JSON, an address or plain text.
//!
//! What a value may contain nobody knows: it comes from monitors, and so from whoever they talk to. So a value is
//! always spelled as the place asks where it stands: in JSON as a JSON value, quotes included, in an address
//! percent-encoded. A name that there is none of is an error, since an empty text in a pager helps nobody.

use std::collections::BTreeMap;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use remon_core::getopt::Options;
use remon_core::nouns::{Civil, OpStatus, Wall};
use remon_core::text;

use crate::invocation::Invocation;
use crate::letter::Letter;

/// Where the text will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In JSON: values are JSON values.
    Json,
    /// In an address: values are percent-encoded.
    Address,
    /// Anywhere: values stand as they are.
    Plain,
}

/// What templates may name.
#[derive(Debug, Clone)]
pub(crate) struct Values(Value);

impl PartialEq for Values {
    fn eq(&self, other: &Values) -> bool {
        self.0 == other.0
    }
}

impl Eq for Values {}

/// The moments that mon tells in the environment: what a template calls them.
const MOMENTS: [(&str, &str); 4] = [
    ("first_failure", "MON_FIRST_FAILURE"),
    ("last_failure", "MON_LAST_FAILURE"),
    ("first_success", "MON_FIRST_SUCCESS"),
    ("last_success", "MON_LAST_SUCCESS"),
];

/// The texts there.
const TEXTS: [(&str, &str); 4] = [
    ("description", "MON_DESCRIPTION"),
    ("ack", "MON_ACK"),
    ("last_summary", "MON_LAST_SUMMARY"),
    ("last_output", "MON_LAST_OUTPUT"),
];

impl Values {
    /// All that is known of an alert.
    pub(crate) fn of(options: &Options, invocation: &Invocation) -> Values {
        let letter = Letter::of(options, invocation);
        let (summary, _) = invocation.summary_and_detail();
        let summary = text::readable(options.value("S").unwrap_or(summary)).into_owned();
        let option = |name| text::readable(options.value(name).unwrap_or_default()).into_owned();
        let time = option("t").parse::<Wall>().unwrap_or(invocation.now);
        let up = options.has("u");
        let kind = invocation.variable("MON_ALERTTYPE").unwrap_or(if up { "up" } else { "failure" });
        let status = invocation.variable("MON_OPSTATUS").and_then(|code| code.parse().ok());
        let status = status.and_then(OpStatus::from_code).map(OpStatus::word);
        let (group, service) = (option("g"), option("s"));
        let id = id(&[&group, &service, kind, &time.to_string(), &summary]);
        let hosts = option("h").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let retval = invocation.variable("MON_RETVAL").and_then(|code| code.parse::<i64>().ok());
        let mut all = vec![
            ("up", Value::from(up)),
            ("kind", Value::from(kind)),
            ("group", Value::from(group)),
            ("service", Value::from(service)),
            ("hosts", Value::from(hosts)),
            ("summary", Value::from(summary)),
            ("detail", Value::from(letter.detail)),
            ("subject", Value::from(letter.subject)),
            ("status", Value::from(status.unwrap_or(if up { "ok" } else { "fail" }))),
            ("retval", retval.map_or_else(|| Value::from(()), Value::from)),
            ("time", Value::from(time)),
            ("noticed", Value::from(letter.noticed)),
            ("server", Value::from(invocation.machine.host.clone())),
            ("id", Value::from(id)),
        ];
        for (name, variable) in MOMENTS {
            // Of what has never been mon says 0 or nothing.
            let moment = invocation.variable(variable).and_then(|moment| moment.parse::<Wall>().ok());
            let moment = moment.filter(|moment| *moment > 0);
            all.push((name, moment.map_or_else(|| Value::from(()), Value::from)));
        }
        for (name, variable) in TEXTS {
            all.push((name, Value::from(text::readable(invocation.variable(variable).unwrap_or_default()))));
        }
        Values(Value::from(all.into_iter().collect::<BTreeMap<_, _>>()))
    }

    /// The template with everything filled in.
    ///
    /// # Errors
    /// When the template cannot be read, with its line, or names what there is none of.
    pub(crate) fn fill(&self, template: &str, place: Place) -> Result<String, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let escape = if place == Place::Json { AutoEscape::Json } else { AutoEscape::None };
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment.set_formatter(move |out, state, value| match place {
            Place::Json => minijinja::escape_formatter(out, state, value),
            _ if value.is_undefined() => Err(ErrorKind::UndefinedError.into()),
            Place::Address => Ok(out.write_str(&percent_encoded(&spelled(value)))?),
            Place::Plain => Ok(out.write_str(&spelled(value))?),
        });
        environment.add_filter("iso", iso);
        environment.render_str(template, &self.0).map_err(|error| self.explain(&error))
    }

    /// What is wrong, and where.
    fn explain(&self, error: &Error) -> String {
        let line = error.line().map_or_else(String::new, |line| format!("line {line}: "));
        if error.kind() == ErrorKind::UndefinedError {
            let names = self.0.try_iter().into_iter().flatten().map(|name| name.to_string());
            let names = names.collect::<Vec<_>>().join(" ");
            return format!("{line}it names what there is none of; there are: {names}");
        }
        let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        format!("{line}{}{detail}", error.kind())
    }
}

/// The same for the same alert, so that a second try does not count as another one.
fn id(parts: &[&str]) -> String {
    // FNV-1a with 64 bits. Nobody gains by making two alerts look the same.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// A value outside JSON: of nothing nothing is said.
fn spelled(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => String::new(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        _ => value.to_string(),
    }
}

/// All but letters, digits and `-._~` as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `2026-11-22T11:23:23Z`; of no moment nothing.
fn iso(moment: Value) -> Result<String, Error> {
    if moment.kind() == ValueKind::None {
        return Ok(String::new());
    }
    let Civil { year, month, mday, hour, minute, second, .. } = Civil::utc(i64::try_from(moment)?);
    Ok(format!("{year:04}-{month:02}-{mday:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::getopt;

    fn fill(template: &str, place: Place) -> Result<String, String> {
        let words = ["-s", "http", "-g", "web", "-h", "a b", "-t", "1795346603"];
        let mut invocation = Invocation::sample(&words, "it's \"down\"\nline\n</script>\u{7}");
        invocation.env.insert("MON_RETVAL".to_owned(), "3".to_owned());
        invocation.env.insert("MON_FIRST_FAILURE".to_owned(), "1795346000".to_owned());
        invocation.env.insert("MON_LAST_SUCCESS".to_owned(), "0".to_owned());
        Values::of(&getopt::letters(crate::letter::LETTERS, &invocation.words), &invocation)
            .fill(template, place)
    }

    #[test]
    fn values_are_spelled_as_the_place_asks() {
        let template = "{{ summary }} {{ hosts }} {{ retval }} {{ last_success }} {{ up }}";
        let json = fill(template, Place::Json).expect("it is good");
        assert_eq!(json.replace("\\u0027", "'"), r#""it's \"down\"" ["a","b"] 3 null false"#);
        let plain = fill("{{ summary }} {{ group }}/{{ service }}", Place::Plain);
        assert_eq!(plain.as_deref(), Ok("it's \"down\" web/http"));
        let address =
            fill("https://h/{{ summary }}/{{ group ~ '/' }}{{ last_success }}?t={{ time }}", Place::Address);
        assert_eq!(address.as_deref(), Ok("https://h/it%27s%20%22down%22/web%2F?t=1795346603"));
    }

    #[test]
    fn moments() {
        let template =
            "{{ time|iso }} {{ (time + 86400)|iso }} {{ first_failure|iso }} [{{ last_success|iso }}]";
        let expect = "2026-11-22T11:23:23Z 2026-11-23T11:23:23Z 2026-11-22T11:13:20Z []";
        assert_eq!(fill(template, Place::Plain).as_deref(), Ok(expect));
    }

    #[test]
    fn an_alert_keeps_its_id() {
        let id = fill("{{ id }}", Place::Plain).expect("it is good");
        assert_eq!(fill("{{ id }}", Place::Plain), Ok(id.clone()));
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (template, expect) in [
            ("a\n{{ sumary }}", "line 2: it names what there is none of; there are: ack description detail"),
            ("{% if up %}", "line 1: syntax error: unexpected end of input"),
            ("{{ summary|nofilter }}", "line 1: unknown filter"),
            ("{{ summary|iso }}", "line 1: invalid operation"),
        ] {
            for place in [Place::Json, Place::Address, Place::Plain] {
                let said = fill(template, place).expect_err(template);
                assert!(said.starts_with(expect), "{template}: {said}");
            }
        }
    }
}
