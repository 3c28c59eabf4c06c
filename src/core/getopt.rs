//! Command lines as the Perl originals read them, in two families.
//!
//! [`letters`] is Getopt::Std: `-p80` and `-p 80`, bundles, and the first other word ends the options. [`long`]
//! is Getopt::Long: `--opt v`, `--opt=v`, `-opt v`, unique abbreviations in any case, options between the words.
//! Neither gives up on an unknown option: it becomes a complaint and reading goes on, for a mon.cf in the field
//! may carry leftovers that never hurt.

use std::collections::BTreeMap;

/// A command line, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    values: BTreeMap<String, Vec<String>>,
    /// What is not an option.
    pub words: Vec<String>,
    /// `Unknown option: z` and the like, in order.
    pub complaints: Vec<String>,
}

impl Options {
    /// Was the flag given?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The last value given, however empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|all| all.last()).map(String::as_str)
    }

    /// The last value, unless it is what Perl takes for false: the scripts spell defaults `$opt || default`,
    /// so that `0` and the empty word select the default.
    #[must_use]
    pub fn truthy(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !matches!(*value, "" | "0"))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.values.entry(name.to_owned()).or_default().push(value.to_owned());
    }
}

/// Reads single-letter options; `spec` is Getopt::Std's, as in `"p:t:h"`. `--help` is known without asking.
#[must_use]
pub fn letters(spec: &str, argv: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = argv.iter();
    while let Some(word) = words.as_slice().first() {
        let Some(bundle) = word.strip_prefix('-').filter(|bundle| !bundle.is_empty()) else { break };
        words.next();
        match bundle {
            "-" => break,
            "-help" => options.set("help", "1"),
            _ => read_bundle(spec, bundle, &mut words, &mut options),
        }
    }
    options.words = words.cloned().collect();
    options
}

fn read_bundle(spec: &str, bundle: &str, words: &mut std::slice::Iter<'_, String>, options: &mut Options) {
    for (at, letter) in bundle.char_indices() {
        let name = letter.to_string();
        let rest = &bundle[at + letter.len_utf8()..];
        match spec.split_once(letter).filter(|_| letter != ':') {
            None => options.complaints.push(format!("Unknown option: {letter}")),
            Some((_, after)) if !after.starts_with(':') => options.set(&name, "1"),
            Some(_) if !rest.is_empty() => return options.set(&name, rest),
            Some(_) => match words.next() {
                Some(value) => return options.set(&name, value),
                None => options.complaints.push(format!("Option {letter} requires an argument")),
            },
        }
    }
}

/// What follows a long option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: a flag.
    Nothing,
    /// A value.
    Value,
    /// A whole number.
    Number,
}

/// Reads long options; `spec` names each and says what follows it.
#[must_use]
pub fn long(spec: &[(&str, Takes)], argv: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            options.words.extend(words.cloned());
            break;
        }
        match word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|option| !option.is_empty()) {
            Some(option) => read_long(spec, option, &mut words, &mut options),
            None => options.words.push(word.clone()),
        }
    }
    options
}

fn read_long(
    spec: &[(&str, Takes)],
    option: &str,
    words: &mut std::slice::Iter<'_, String>,
    options: &mut Options,
) {
    let (given, attached) =
        option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let (name, takes) = match find_long(spec, given) {
        Ok(found) => found,
        Err(complaint) => return options.complaints.push(complaint),
    };
    let value = match (takes, attached) {
        (Takes::Nothing, None) => Some("1"),
        (Takes::Nothing, Some(_)) => {
            return options.complaints.push(format!("Option {given} does not take an argument"));
        }
        (_, Some(value)) => Some(value),
        (_, None) => words.next_if_value(),
    };
    match value {
        None => options.complaints.push(format!("Option {given} requires an argument")),
        Some(value) if takes == Takes::Number && value.parse::<i64>().is_err() => {
            options.complaints.push(format!("Value \"{value}\" invalid for option {given} (number expected)"))
        }
        Some(value) => options.set(name, value),
    }
}

/// The next word, unless it looks like an option: `--server --port 1` lacks a server.
trait NextValue<'a> {
    fn next_if_value(&mut self) -> Option<&'a str>;
}

impl<'a> NextValue<'a> for std::slice::Iter<'a, String> {
    fn next_if_value(&mut self) -> Option<&'a str> {
        let next = self.as_slice().first()?;
        let is_option = next.len() > 1 && next.starts_with('-') && next.parse::<f64>().is_err();
        if is_option { None } else { self.next().map(String::as_str) }
    }
}

fn find_long<'s>(spec: &[(&'s str, Takes)], given: &str) -> Result<(&'s str, Takes), String> {
    let lower = given.to_lowercase();
    let candidates =
        spec.iter().filter(|(name, _)| !lower.is_empty() && name.to_lowercase().starts_with(&lower));
    let candidates = candidates.collect::<Vec<_>>();
    if let Some(exact) = candidates.iter().find(|(name, _)| name.len() == lower.len()) {
        return Ok(**exact);
    }
    match candidates[..] {
        [] => Err(format!("Unknown option: {lower}")),
        [one] => Ok(*one),
        _ => {
            let names = candidates.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            Err(format!("Option {given} is ambiguous ({names})"))
        }
    }
}

/// The number a Perl script would see in `text`: a sign and the leading digits, with a fraction if there is one.
#[must_use]
pub fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = sign + digits(sign);
    let end = if text[whole..].starts_with('.') { whole + 1 + digits(whole + 1) } else { whole };
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split_whitespace()
            .map(|word| if word == "''" { String::new() } else { word.to_owned() })
            .collect()
    }

    fn show(options: &Options) -> String {
        let values = options.values.iter().map(|(name, all)| format!("{name}={}", all.join(",")));
        let values = values.collect::<Vec<_>>().join(" ");
        format!("{values}|{}|{}", options.words.join(" "), options.complaints.join("; "))
    }

    #[test]
    fn single_letters() {
        for (line, expect) in [
            ("-p 80 -t3 a b", "p=80 t=3|a b|"),
            ("-p80 a -t 3", "p=80|a -t 3|"),
            ("-hp80 a", "h=1 p=80|a|"),
            ("-z -p 1 a", "p=1|a|Unknown option: z"),
            ("-zhq a", "h=1|a|Unknown option: z; Unknown option: q"),
            ("-- -p 1", "|-p 1|"),
            ("-p", "||Option p requires an argument"),
            ("-p 1 -p 2", "p=1,2||"),
            ("- a", "|- a|"),
            ("--help a", "help=1|a|"),
            ("-p -t x", "p=-t|x|"),
            ("-: x", "|x|Unknown option: :"),
        ] {
            assert_eq!(show(&letters("p:t:h", &argv(line))), expect, "{line}");
        }
    }

    #[test]
    fn long_words() {
        let spec = [
            ("server", Takes::Value),
            ("showall", Takes::Nothing),
            ("port", Takes::Number),
            ("full", Takes::Nothing),
        ];
        for (line, expect) in [
            ("--server h --full x", "full=1 server=h|x|"),
            ("x -server=h --FULL", "full=1 server=h|x|"),
            ("--se h --sh", "server=h showall=1||"),
            ("--s h", "|h|Option s is ambiguous (server, showall)"),
            ("--port x", "||Value \"x\" invalid for option port (number expected)"),
            ("--port=12", "port=12||"),
            ("--Zork --full", "full=1||Unknown option: zork"),
            ("--server --full", "full=1||Option server requires an argument"),
            ("--full=1", "||Option full does not take an argument"),
            ("--full -- --server h", "full=1|--server h|"),
            ("- a", "|- a|"),
        ] {
            assert_eq!(show(&long(&spec, &argv(line))), expect, "{line}");
        }
    }

    #[test]
    fn false_values_select_the_default() {
        let options = letters("p:t:u:", &argv("-p 0 -t '' -u 00"));
        assert_eq!((options.truthy("p"), options.truthy("t"), options.truthy("u")), (None, None, Some("00")));
        assert_eq!(options.value("p"), Some("0"));
    }

    #[test]
    fn numbers_as_perl_sees_them() {
        for (text, number) in [
            ("10", Some(10.0)),
            ("1.5s", Some(1.5)),
            ("80abc", Some(80.0)),
            ("-2.5x", Some(-2.5)),
            ("-", None),
            ("1.", Some(1.0)),
            ("5é", Some(5.0)),
            ("1.2.3", Some(1.2)),
            ("x", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }
}
