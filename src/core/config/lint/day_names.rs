//! Names in periods that are read as others: only the first letters count.

use super::super::ast::Statement;
use super::super::lines::Source;
use super::super::sink::Sink;
use super::warning;

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// `wd {MonFri}` is `wd {Mon}`. Looks at the words in the braces of a line that has a period.
pub(in super::super) fn read_as_another(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let text = source.slice(statement.rest);
    for (open, _) in text.match_indices('{') {
        let scale =
            text[..open].trim_end().rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        let (names, letters): (&[&str], usize) = match &*scale.to_ascii_lowercase() {
            "wd" | "wday" => (&DAYS, 2),
            "mo" | "month" => (&MONTHS, 3),
            _ => continue,
        };
        let inside = text[open + 1..].split(['{', '}']).next().unwrap_or_default();
        for word in inside.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
            let lower = word.to_ascii_lowercase();
            let read = names.iter().find(|name| lower.starts_with(&name[..letters]));
            let Some(read) =
                read.filter(|name| !name.starts_with(&*lower) && lower != "tues" && lower != "thurs")
            else {
                continue;
            };
            let at = word.as_ptr() as usize - text.as_ptr() as usize;
            let message = format!(
                "`{word}` is read as `{}`: only the first {letters} letters count",
                &word[..letters.max(3).min(word.len())]
            );
            let complaint = warning("W063", message, "no such name")
                .help(format!("did you mean `{}`?", suggestion(&lower, read, names, letters)));
            sink.warn(statement.rest.part(at, at + word.len()), statement.line, complaint);
        }
    }
}

/// `wd {Mon-Fri} hr {9-17} wd {Sat}` is one sub-period, in which the hours hold on all six days.
pub(in super::super) fn scale_twice(statement: &Statement, source: &Source<'_>, sink: &mut Sink<'_>) {
    let text = source.slice(statement.rest);
    let mut seen: Vec<String> = Vec::new();
    let mut rest = 0;
    for (open, _) in text.match_indices('{') {
        // A brace inside of braces is a mistake of another kind.
        let Some(before) = text.get(rest..open) else { return };
        if before.contains(',') {
            seen.clear();
        }
        let name = before.trim_end().rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        rest = open + text[open..].find('}').map_or(1, |close| close + 1);
        // Both names of a scale begin with the same letters, but for those of months and minutes.
        let scale = match &*name.to_ascii_lowercase() {
            "wday" => "wd".to_owned(),
            "mday" => "md".to_owned(),
            "yday" => "yd".to_owned(),
            "hour" => "hr".to_owned(),
            short => short.to_owned(),
        };
        if !scale.is_empty() && seen.contains(&scale) {
            let at = name.as_ptr() as usize - text.as_ptr() as usize;
            let message = format!("`{name}` stands twice in one part: the other scales hold for both");
            let complaint = warning("W065", message, "the second").help(
                "put a `,` before it to begin an alternative, or write all ranges into one pair of braces"
                    .to_owned(),
            );
            return sink.warn(statement.rest.part(at, at + name.len()), statement.line, complaint);
        }
        seen.push(scale);
    }
}

/// `Mon-Fri` for `monfri`, else the name.
fn suggestion(word: &str, read: &str, names: &[&str], letters: usize) -> String {
    let short = |name: &str| {
        let (first, rest) = name.split_at(1);
        format!("{}{}", first.to_ascii_uppercase(), &rest[..2])
    };
    let second = names.iter().find(|name| word.len() > 3 && word[3..].starts_with(&name[..letters]));
    match second {
        Some(second) => format!("{}-{}", short(read), short(second)),
        None => short(read),
    }
}
