//! Values as the original reads them: times, numbers, flags, ranges.

use super::model::ExitRange;
use crate::timeval::{self, Timeval, is_blank};

/// A time that must not be zero. `Ok(None)` is one that the original takes for more than zero although it is
/// not: only the text `0s` and a computed zero count as zero there, so `00s` and `0.0s` pass.
pub(super) fn positive_time(text: &str) -> Result<Option<Timeval>, ()> {
    match timeval::parse(text) {
        Some(Some(time)) => Ok(Some(time)),
        Some(None) => {
            let text = text.trim_matches(is_blank);
            let number = &text[..text.len() - 1];
            let in_seconds = text.ends_with(['s', 'S']);
            let zero =
                if in_seconds { number == "0" } else { number.bytes().all(|b| matches!(b, b'0' | b'.')) };
            if zero { Err(()) } else { Ok(None) }
        }
        None => Err(()),
    }
}

/// A span that may be long: a timeval, or a number of weeks. In seconds; zero is zero.
pub(super) fn long_time(text: &str) -> Option<u64> {
    const DAYS_PER_WEEK: u64 = 7;
    let (text, times) = match text.strip_suffix(['w', 'W']) {
        Some(weeks) => (format!("{weeks}d"), DAYS_PER_WEEK),
        None => (text.to_owned(), 1),
    };
    Some(timeval::parse(&text)?.map_or(0, |span| span.duration().as_secs().saturating_mul(times)))
}

/// A number as Perl reads it: the digits at the beginning, 0 where there are none, and whether that is all.
pub(super) fn leading_number(text: &str) -> (i64, bool) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    // Only digits that do not fit are left: the largest number is as good.
    let number = if end == 0 { 0 } else { digits[..end].parse().unwrap_or(i64::MAX) };
    (sign * number, end > 0 && end == digits.len())
}

/// A whole number of the config, all digits; too large ones are cut to the largest.
pub(super) fn count(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// `N` or `N-M`.
pub(super) fn exit_range(text: &str) -> Option<ExitRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(ExitRange { first: count(first)?, last: count(last)? })
}

/// `unack_summary`: any text with a `y` is yes, any other with an `n` is no.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        _ if text.contains(['y', 'Y']) => Some(true),
        _ if text.contains(['n', 'N']) => Some(false),
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// `dtlogging`: a number equal to 1, `yes` or `true`.
pub(super) fn dtlogging(text: &str) -> bool {
    matches!(text, "yes" | "true") || perl_float(text) == 1.0
}

/// `startupalerts_on_reset`: begins with 1, ends in `on`, or has `yes` or `true` in it.
pub(super) fn startupalerts_on_reset(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with('1') || text.contains("yes") || text.contains("true") || text.ends_with("on")
}

/// The longest beginning of `text` that is a number, as Perl's `==` sees it.
fn perl_float(text: &str) -> f64 {
    (1..=text.len().min(40))
        .rev()
        .filter_map(|end| text.get(..end))
        .filter(|head| {
            head.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        })
        .find_map(|head| head.parse().ok())
        .unwrap_or(0.0)
}

/// Words between blanks.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_blank).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused_only_as_the_original_writes_it() {
        for (text, expect) in [
            ("0s", Err(())),
            ("0m", Err(())),
            ("0.0h", Err(())),
            ("00s", Ok(None)),
            ("0.0s", Ok(None)),
            ("5", Err(())),
            ("", Err(())),
            ("2S", Ok(Timeval::from_secs(2))),
        ] {
            assert_eq!(positive_time(text), expect, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_like_perl() {
        for (text, expect) in [
            ("20", (20, true)),
            ("abc", (0, false)),
            ("12x", (12, false)),
            ("-3", (-3, true)),
            ("", (0, false)),
            ("99999999999999999999", (i64::MAX, true)),
        ] {
            assert_eq!(leading_number(text), expect, "{text}");
        }
        for (text, expect) in [("1", true), ("01", true), ("1.0", true), ("1abc", true), ("1e0", true)] {
            assert_eq!(dtlogging(text), expect, "{text}");
        }
        for text in ["no", "0", "", "true1", "Yes", "11", "on"] {
            assert!(!dtlogging(text), "{text}");
        }
    }

    #[test]
    fn flags_are_read_like_the_original() {
        for (text, expect) in [
            ("yes", Some(true)),
            ("maybe", Some(true)),
            ("No", Some(false)),
            ("1", Some(true)),
            ("2", None),
            ("", None),
        ] {
            assert_eq!(yes_or_no(text), expect, "{text}");
        }
        for (text, expect) in [("1x", true), ("oh yes", true), ("ON", true), ("only", false), ("0", false)] {
            assert_eq!(startupalerts_on_reset(text), expect, "{text}");
        }
    }
}
