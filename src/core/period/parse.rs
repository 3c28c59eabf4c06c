//! From the text of a period to its sub-periods and mistakes.
//!
//! Time::Period takes the text apart by substitution; what that accepts is broader than its manual says
//! (`mo {janitor}`, `yd {10x}`), and all of it is accepted here. Quirks are marked where they live.

use std::ops::Range;

use super::Problem;
use super::sub_period::{SubPeriod, YearDays};
use crate::timeval::is_blank;

/// What a specification says.
pub(super) struct Reading {
    /// The sub-periods before the first broken one.
    pub(super) sound: Vec<SubPeriod>,
    /// In the order of the text.
    pub(super) problems: Vec<Problem>,
}

/// Reads a specification.
pub(super) fn read(text: &str) -> Reading {
    let lower = text.to_ascii_lowercase();
    let spec = Piece { at: 0, text: &lower }.trimmed();
    let mut reader = Reader { original: text, problems: Vec::new() };
    let sound = match spec.text {
        "" => vec![SubPeriod::ALWAYS],
        "none" => Vec::new(),
        _ => reader.sub_periods(spec),
    };
    Reading { sound, problems: reader.problems }
}

/// The places of the sub-periods of a text that has some.
pub(super) fn pieces(text: &str) -> Vec<Range<usize>> {
    between_commas(Piece { at: 0, text }.trimmed()).into_iter().map(Piece::span).collect()
}

/// A part of the text, and where it stands.
#[derive(Clone, Copy)]
struct Piece<'a> {
    at: usize,
    text: &'a str,
}

impl<'a> Piece<'a> {
    fn slice(self, range: Range<usize>) -> Piece<'a> {
        Piece { at: self.at + range.start, text: &self.text[range] }
    }

    fn trimmed(self) -> Piece<'a> {
        let start = self.text.len() - self.text.trim_start_matches(is_blank).len();
        let end = self.text.trim_end_matches(is_blank).len();
        self.slice(start..end.max(start))
    }

    fn before(self, position: usize) -> Piece<'a> {
        self.slice(0..position)
    }

    fn after(self, position: usize) -> Piece<'a> {
        self.slice(position + 1..self.text.len())
    }

    fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// What a scale counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Years,
    Months,
    Weeks,
    YearDays,
    MonthDays,
    WeekDays,
    Hours,
    Minutes,
    Seconds,
}

/// One kind of `scale {ranges}`.
struct Scale {
    counts: Counts,
    names: [&'static str; 2],
    /// Lowest and highest number.
    limits: (u32, u32),
    /// What a value is called …
    value: &'static str,
    /// … and what it may be.
    allowed: &'static str,
}

const fn scale(
    counts: Counts,
    names: [&'static str; 2],
    limits: (u32, u32),
    value: &'static str,
    allowed: &'static str,
) -> Scale {
    Scale { counts, names, limits, value, allowed }
}

#[rustfmt::skip]
const SCALES: [Scale; 9] = [
    scale(Counts::Years, ["yr", "year"], (1970, u32::MAX), "a year", "0 to 99 or from 1970 on"),
    scale(Counts::Months, ["mo", "month"], (1, 12), "a month", "Jan to Dec or 1 to 12"),
    scale(Counts::Weeks, ["wk", "week"], (1, 6), "a week of the month", "1 to 6"),
    scale(Counts::YearDays, ["yd", "yday"], (1, 366), "a day of the year", "1 to 366"),
    scale(Counts::MonthDays, ["md", "mday"], (1, 31), "a day of the month", "1 to 31"),
    scale(Counts::WeekDays, ["wd", "wday"], (1, 7), "a day of the week", "Sun to Sat or 1 (Sunday) to 7"),
    scale(Counts::Hours, ["hr", "hour"], (0, 23), "an hour", "0 to 23, 12am to 11pm or 12noon"),
    scale(Counts::Minutes, ["min", "minute"], (0, 59), "a minute", "0 to 59"),
    scale(Counts::Seconds, ["sec", "second"], (0, 59), "a second", "0 to 59"),
];
const SCALE_NAMES: &str = "yr, mo, wk, yd, md, wd, hr, min or sec";
const EXAMPLE: &str = "a scale is followed by its ranges in braces, as in `wd {Mon-Fri}`";

/// Ranges of one sub-period, collected scale by scale. A scale given twice is the union of its ranges; one
/// without any range (`wd {}`) never holds, hence the difference between no set and an empty one.
#[derive(Default)]
struct Collected {
    years: Option<Vec<(u32, u32)>>,
    ydays: Option<Box<YearDays>>,
    sets: [Option<u64>; SCALES.len()],
}

impl Collected {
    fn open(&mut self, counts: Counts) {
        match counts {
            Counts::Years => drop(self.years.get_or_insert_default()),
            Counts::YearDays => drop(self.ydays.get_or_insert_default()),
            _ => drop(self.sets[counts as usize].get_or_insert(0)),
        }
    }

    fn add(&mut self, counts: Counts, first: u32, last: u32) {
        match counts {
            Counts::Years => self.years.get_or_insert_default().push((first, last)),
            Counts::YearDays => insert(self.ydays.get_or_insert_default().as_mut_slice(), first, last),
            _ => insert(std::slice::from_mut(self.sets[counts as usize].get_or_insert(0)), first, last),
        }
    }

    fn sub_period(self) -> SubPeriod {
        let set = |counts: Counts| self.sets[counts as usize].unwrap_or(u64::MAX);
        SubPeriod {
            minutes: set(Counts::Minutes),
            seconds: set(Counts::Seconds),
            mdays: set(Counts::MonthDays) as u32,
            hours: set(Counts::Hours) as u32,
            months: set(Counts::Months) as u16,
            weeks: set(Counts::Weeks) as u8,
            wdays: set(Counts::WeekDays) as u8,
            years: self.years.map(Vec::into_boxed_slice),
            ydays: self.ydays,
        }
    }
}

/// Adds `first` to `last`, around the end if reversed: then everything above and below is in, a leap second too.
fn insert(set: &mut [u64], first: u32, last: u32) {
    let is_in = |value: u32| match first <= last {
        true => first <= value && value <= last,
        false => first <= value || value <= last,
    };
    for (word, base) in set.iter_mut().zip((0u32..).step_by(64)) {
        *word |= (0..64).filter(|bit| is_in(base + bit)).fold(0, |bits, bit| bits | 1 << bit);
    }
}

struct Reader<'a> {
    /// The text as the operator wrote it, for messages; positions in it are those in lower case.
    original: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn sub_periods(&mut self, spec: Piece) -> Vec<SubPeriod> {
        let mut sound = Vec::new();
        for piece in between_commas(spec) {
            let sub_period = self.sub_period(piece);
            if self.problems.is_empty() {
                sound.push(sub_period);
            }
        }
        sound
    }

    fn sub_period(&mut self, piece: Piece) -> SubPeriod {
        let mut collected = Collected::default();
        if piece.text.is_empty() {
            self.problem(piece.at..piece.at + 1, "nothing stands before this comma".into());
        }
        let mut rest = piece;
        while !rest.text.is_empty() {
            let Some((name, ranges, behind)) = self.braces(rest) else { break };
            self.scale(name, ranges, &mut collected);
            rest = behind.trimmed();
        }
        collected.sub_period()
    }

    /// Takes `name {ranges}` off the front. Braces do not nest.
    fn braces<'b>(&mut self, piece: Piece<'b>) -> Option<(Piece<'b>, Piece<'b>, Piece<'b>)> {
        let brace = |piece: Piece| piece.text.find(['{', '}']);
        let is_open = |piece: Piece, at: usize| piece.text.as_bytes()[at] == b'{';
        let Some(first) = brace(piece) else {
            let (span, written) = (piece.span(), self.written(piece));
            let hint = match piece.text {
                "none" => "it must stand alone",
                "never" => "to say never, write `none`",
                "always" => "an empty period is always",
                _ => EXAMPLE,
            };
            self.problem(span, format!("`{written}` is not a scale with ranges: {hint}"));
            return None;
        };
        let at = piece.at + first;
        if !is_open(piece, first) {
            self.problem(at..at + 1, "this `}` has no `{`".into());
            return None;
        }
        let inside = piece.after(first);
        match brace(inside) {
            None => {
                let hint = "a comma begins a new sub-period, ranges are separated by blanks";
                self.problem(at..at + 1, format!("this `{{` is never closed ({hint})"));
                None
            }
            Some(second) if is_open(inside, second) => {
                let at = inside.at + second;
                self.problem(at..at + 1, "a `{` inside of braces".into());
                None
            }
            Some(second) => {
                Some((piece.before(first).trimmed(), inside.before(second), inside.after(second)))
            }
        }
    }

    fn scale(&mut self, name: Piece, ranges: Piece, collected: &mut Collected) {
        let Some(scale) = SCALES.iter().find(|scale| scale.names.contains(&name.text)) else {
            match name.text.is_empty() {
                true => self.problem(name.at..name.at + 1, format!("no scale before this brace: {EXAMPLE}")),
                false => {
                    let message = format!("`{}` is not a scale: {SCALE_NAMES}", self.written(name));
                    self.problem(name.span(), message);
                }
            }
            return;
        };
        collected.open(scale.counts);
        let ranges = ranges.trimmed();
        // The original looks at the first line only.
        let line = ranges.text.find('\n').map_or(ranges, |end| ranges.before(end));
        for range in Ranges(line) {
            if let Some((first, last)) = self.range(scale, range) {
                collected.add(scale.counts, first, last);
            }
        }
    }

    /// `a` or `a-b`; the last dash is the one that counts.
    fn range(&mut self, scale: &Scale, range: Piece) -> Option<(u32, u32)> {
        let Some(dash) = range.text.rfind('-') else {
            let value = match scale.counts {
                Counts::YearDays => loose_number(range.text).filter(|day| (1..=366).contains(day)),
                _ => scale.read(range.text),
            };
            return self.or_problem(scale, range, value).map(|value| (value, value));
        };
        let (from, to) = (range.before(dash).trimmed(), range.after(dash).trimmed());
        if from.text.is_empty() || to.text.is_empty() {
            let message = format!("`{}` lacks a value beside its dash", self.written(range));
            self.problem(range.span(), message);
            return None;
        }
        let first = self.or_problem(scale, from, scale.read(from.text));
        let last = self.or_problem(scale, to, scale.read(to.text));
        first.zip(last)
    }

    fn or_problem(&mut self, scale: &Scale, piece: Piece, value: Option<u32>) -> Option<u32> {
        if value.is_none() {
            let message = format!("`{}` is not {} ({})", self.written(piece), scale.value, scale.allowed);
            self.problem(piece.span(), message);
        }
        value
    }

    fn problem(&mut self, span: Range<usize>, message: String) {
        self.problems.push(Problem { span, message });
    }

    fn written(&self, piece: Piece) -> &str {
        &self.original[piece.span()]
    }
}

/// The sub-periods. Commas at the end are ignored, at the beginning and in the middle they are not.
fn between_commas(spec: Piece) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = spec;
    while let Some(comma) = rest.text.find(',') {
        pieces.push(rest.before(comma).trimmed());
        rest = rest.after(comma);
    }
    pieces.push(rest.trimmed());
    while pieces.last().is_some_and(|piece| piece.text.is_empty()) {
        pieces.pop();
    }
    pieces
}

/// The ranges in a pair of braces, separated by blanks. Blanks around a dash do not separate if they stand
/// between two words the first of which is not itself the end of a range: `1 - 3` is one range, `1 - 3 - 5`
/// is `1-3`, `-` and `5`.
struct Ranges<'a>(Piece<'a>);

impl<'a> Iterator for Ranges<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let piece = self.0.trimmed();
        let text = piece.text.as_bytes();
        let mut at = 0;
        while at < text.len() && !is_blank(char::from(text[at])) {
            at = match skip(text, at, is_word) {
                end if end > at => joined_word(text, end).unwrap_or(end),
                _ => at + 1,
            };
        }
        self.0 = piece.slice(at..text.len());
        (at > 0).then(|| piece.before(at))
    }
}

/// If after `at` come a dash and a word, perhaps with blanks around the dash: the end of that word.
fn joined_word(text: &[u8], at: usize) -> Option<usize> {
    let blank = |byte: u8| is_blank(char::from(byte));
    let dash = skip(text, at, blank);
    let word = skip(text, dash + 1, blank);
    let end = skip(text, word, is_word);
    (text.get(dash) == Some(&b'-') && end > word).then_some(end)
}

fn skip(text: &[u8], at: usize, of: impl Fn(u8) -> bool) -> usize {
    text.iter().skip(at).position(|byte| !of(*byte)).map_or(text.len().max(at), |length| at + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Scale {
    fn read(&self, word: &str) -> Option<u32> {
        let value = match self.counts {
            Counts::Months => named(word, &MONTHS),
            Counts::WeekDays => named(word, &DAYS),
            Counts::Hours => hour(word),
            _ => number(word),
        }?;
        let short_year = self.counts == Counts::Years && value <= 99;
        (short_year || (self.limits.0..=self.limits.1).contains(&value)).then_some(value)
    }
}

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const DAYS: [&[u8]; 7] = [b"su", b"mo", b"tu", b"we", b"th", b"fr", b"sa"];

/// A name is whatever has a letter in it, and is cut to the length of the known ones: `Tuesblah` is Tuesday.
fn named(word: &str, names: &[&[u8]]) -> Option<u32> {
    if !word.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return number(word);
    }
    (1..).zip(names).find(|(_, name)| word.as_bytes().starts_with(name)).map(|(value, _)| value)
}

/// `17`, `5pm`, `12am` (0), `12noon`; but `13am` is 13 and `0pm` is 12.
fn hour(word: &str) -> Option<u32> {
    let (digits, suffix) = word.split_at(skip(word.as_bytes(), 0, |byte| byte.is_ascii_digit()));
    let written = number(digits)?;
    match (written, suffix) {
        (12, "am") => Some(0),
        (12, "pm" | "noon") => Some(12),
        (_, "pm") => Some(written.saturating_add(12)),
        (_, "" | "am") => Some(written),
        _ => None,
    }
}

/// Digits only, as many as one likes.
fn number(word: &str) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let add = |value: u32, byte: u8| value.saturating_mul(10).saturating_add(u32::from(byte - b'0'));
    digits.then(|| word.bytes().fold(0, add))
}

/// What Perl makes of a word in arithmetic: the number at its front. A single day of the year is counted
/// down before it is checked, so there `10x`, `+10` and `1e1` are day 10.
fn loose_number(word: &str) -> Option<u32> {
    let text = word.as_bytes();
    let digits = |at: usize| skip(text, at, |byte| byte.is_ascii_digit());
    let sign = usize::from(text.first() == Some(&b'+'));
    let whole = digits(sign);
    let mantissa = if text.get(whole) == Some(&b'.') { digits(whole + 1) } else { whole };
    let exponent = if text.get(mantissa) == Some(&b'e') {
        let start = mantissa + 1 + usize::from(text.get(mantissa + 1) == Some(&b'+'));
        Some(digits(start)).filter(|end| *end > start)
    } else {
        None
    };
    let value = word.get(..exponent.unwrap_or(mantissa))?.parse::<f64>().ok()?;
    (value.fract() == 0.0 && (0.0..1e9).contains(&value)).then_some(value as u32)
}
