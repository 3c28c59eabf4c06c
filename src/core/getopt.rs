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

    /// Every value given, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).into_iter().flatten().map(String::as_str)
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
    letters_and_words(spec, &[], argv)
}

/// As [`letters`], and knows whole words besides: `--smtp HOST`, `--smtp=HOST`. What the original had in letters
/// alone can so be asked for more without taking one of its letters.
#[must_use]
pub fn letters_and_words(spec: &str, long: &[(&str, Takes)], argv: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = argv.iter();
    while let Some(word) = words.as_slice().first() {
        let Some(bundle) = word.strip_prefix('-').filter(|bundle| !bundle.is_empty()) else { break };
        words.next();
        match bundle {
            "-" => break,
            "-help" => options.set("help", "1"),
            _ if is_word(long, bundle) => read_long(long, &bundle[1..], &mut words, &mut options),
            _ => read_bundle(spec, bundle, &mut words, &mut options),
        }
    }
    options.words = words.cloned().collect();
    options
}

/// Is this bundle `-word` or `-word=value` for a word of the list? Abbreviations do not count.
fn is_word(long: &[(&str, Takes)], bundle: &str) -> bool {
    let name = bundle.strip_prefix('-').map(|rest| rest.split('=').next().unwrap_or(rest));
    long.iter().any(|(word, _)| Some(*word) == name)
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
    /// A value, or nothing, which stands for the empty one: Getopt::Long's `:s`.
    MaybeValue,
    /// A whole number, or nothing, which stands for 0: Getopt::Long's `:i`.
    MaybeNumber,
}

/// Reads long options; `spec` names each and says what follows it.
///
/// `port|p` gives an option a second name; its values are found under the first. A name after `=` must be spelled
/// whole: so an option that we add cannot make an abbreviation ambiguous that was clear to the original.
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
        (Takes::MaybeValue, None) => Some(words.next_if_value().unwrap_or_default()),
        (Takes::MaybeNumber, None) => Some(words.next_if_number().unwrap_or("0")),
        (_, None) => words.next_if_value(),
    };
    let numeric = matches!(takes, Takes::Number | Takes::MaybeNumber);
    match value {
        None => options.complaints.push(format!("Option {given} requires an argument")),
        Some(value) if numeric && value.parse::<i64>().is_err() => {
            options.complaints.push(format!("Value \"{value}\" invalid for option {given} (number expected)"))
        }
        Some(value) => options.set(name, value),
    }
}

/// The next word, unless it looks like an option: `--server --port 1` lacks a server.
trait NextValue<'a> {
    fn next_if_value(&mut self) -> Option<&'a str>;

    /// The next word, if it is a whole number.
    fn next_if_number(&mut self) -> Option<&'a str>;
}

impl<'a> NextValue<'a> for std::slice::Iter<'a, String> {
    fn next_if_value(&mut self) -> Option<&'a str> {
        let next = self.as_slice().first()?;
        let is_option = next.len() > 1 && next.starts_with('-') && next.parse::<f64>().is_err();
        if is_option { None } else { self.next().map(String::as_str) }
    }

    fn next_if_number(&mut self) -> Option<&'a str> {
        self.as_slice().first()?.parse::<i64>().ok()?;
        self.next().map(String::as_str)
    }
}

fn find_long<'s>(spec: &[(&'s str, Takes)], given: &str) -> Result<(&'s str, Takes), String> {
    let lower = given.to_lowercase();
    let names = |entry: &'s str| entry.trim_start_matches('=').split('|');
    let found = |(entry, takes): &(&'s str, Takes)| (names(entry).next().unwrap_or(entry), *takes);
    if let Some(exact) = spec.iter().find(|(entry, _)| names(entry).any(|name| name.to_lowercase() == lower))
    {
        return Ok(found(exact));
    }
    let begins = |entry: &'s str| names(entry).any(|name| name.to_lowercase().starts_with(&lower));
    let candidates =
        spec.iter().filter(|(entry, _)| !lower.is_empty() && !entry.starts_with('=') && begins(entry));
    match candidates.collect::<Vec<_>>()[..] {
        [] => Err(format!("Unknown option: {lower}")),
        [one] => Ok(found(one)),
        ref several => {
            let names = several.iter().map(|entry| found(entry).0).collect::<Vec<_>>().join(", ");
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
    fn letters_with_whole_words() {
        let long = [("smtp", Takes::Value), ("tls", Takes::Nothing)];
        for (line, expect) in [
            ("-s web --smtp h:25 -u a", "s=web smtp=h:25 u=1|a|"),
            ("--smtp=h --tls a --tls", "smtp=h tls=1|a --tls|"),
            ("--tl h", "|h|Unknown option: -; Unknown option: t; Unknown option: l"),
            ("--smtp", "||Option smtp requires an argument"),
            ("-- --tls", "|--tls|"),
        ] {
            assert_eq!(show(&letters_and_words("s:u", &long, &argv(line))), expect, "{line}");
        }
    }

    #[test]
    fn second_names_and_optional_values() {
        let spec = [
            ("port|p", Takes::MaybeNumber),
            ("passwordfile", Takes::Value),
            ("exclude|e", Takes::MaybeValue),
            ("=stale", Takes::Nothing),
            ("summary", Takes::Nothing),
        ];
        for (line, expect) in [
            ("-p 3 h", "port=3|h|"),
            ("--port h", "port=0|h|"),
            ("--po 7 -e a -e b:c --exclude --s", "exclude=a,b:c, port=7 summary=1||"),
            ("--stale --sta", "stale=1||Unknown option: sta"),
            ("--port=x", "||Value \"x\" invalid for option port (number expected)"),
        ] {
            assert_eq!(show(&long(&spec, &argv(line))), expect, "{line}");
        }
        assert_eq!(long(&spec, &argv("-e a -e b")).all("exclude").collect::<Vec<_>>(), ["a", "b"]);
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
