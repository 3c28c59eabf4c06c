//! `30s`, `1.5h`: spans of time as mon.cf spells them.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// A span of time that is not zero, to the microsecond. Zero has no meaning for an interval, and
/// where the original allows it (`dep_memory = 0s`) it means "none", which is `Option::None` here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeval(NonZeroU64);

const MICROS: f64 = 1e6;

impl Timeval {
    /// The span of that many whole seconds; `None` for zero.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Option<Timeval> {
        match NonZeroU64::new(seconds.saturating_mul(1_000_000)) {
            Some(micros) => Some(Timeval(micros)),
            None => None,
        }
    }

    /// The same span for the standard library.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.0.get())
    }

    /// Whole seconds, cut.
    #[must_use]
    pub fn whole_secs(self) -> i64 {
        (self.0.get() / 1_000_000) as i64
    }
}

/// The number of seconds, with a fraction only where there is one, as `list opstatus` prints it.
impl fmt::Display for Timeval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0.get() / 1_000_000, self.0.get() % 1_000_000);
        if micros == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{micros:06}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl fmt::Debug for Timeval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}s")
    }
}

/// Reads `NUMBER[.FRACTION]` and one of `s m h d` (any case), blanks around it allowed.
/// `Some(None)` is a well-formed zero; `None` is not a timeval.
#[must_use]
pub fn parse(text: &str) -> Option<Option<Timeval>> {
    let text = text.trim_matches(is_blank);
    let unit = text.chars().next_back()?;
    let seconds_per_unit = match unit.to_ascii_lowercase() {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if ![whole, fraction]
        .iter()
        .all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let micros = number.parse::<f64>().ok()? * seconds_per_unit * MICROS;
    Some(NonZeroU64::new(micros.round() as u64).map(Timeval))
}

/// What Perl's `\s` matches in a byte string.
#[must_use]
pub fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fractions_and_case() {
        for (text, seconds) in [
            ("90s", "90"),
            ("3m", "180"),
            ("1.5h", "5400"),
            ("2d", "172800"),
            ("1H", "3600"),
            ("0.5d", "43200"),
            ("  7s ", "7"),
            ("0.5s", "0.5"),
            ("007s", "7"),
            ("1.333m", "79.98"),
        ] {
            let span = parse(text).flatten().unwrap_or_else(|| panic!("{text} is a timeval"));
            assert_eq!(span.to_string(), seconds, "{text}");
        }
        assert_eq!(parse("0s"), Some(None));
        for text in ["", "10", "5 m", "1w", "s", "-5s", "1.s", ".5s", "1e3s", "5sm", "1.2.3s", "5x", "5é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
