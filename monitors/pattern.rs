//! Perl's regular expressions, for options that take one.
//!
//! As in Perl a text is bytes, `.` takes line ends too (the scripts match with `/s`), and `$` is also before a last
//! line end. Look-around and back-references work; what has no end in sight is given up and told.

use std::sync::Arc;

use fancy_regex::{BytesMode, Regex, RegexBuilder};

/// Steps back that one search may take: enough for what people write, far less than a second.
const MOST_STEPS: usize = 1_000_000;

/// A pattern; copies share it.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Regex>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let mut builder = RegexBuilder::new(text);
        builder.bytes_mode(BytesMode::Ascii).unicode_mode(false).dot_matches_new_line(true);
        builder
            .backtrack_limit(MOST_STEPS)
            .build()
            .map(|regex| Pattern(Arc::new(regex)))
            .map_err(|error| one_line(&error))
    }

    /// Is it somewhere in these bytes?
    ///
    /// # Errors
    /// When finding out takes too long.
    pub fn is_in(&self, bytes: &[u8]) -> Result<bool, String> {
        let search = |bytes: &[u8]| self.0.is_match(bytes).map_err(|error| one_line(&error));
        if search(bytes)? {
            return Ok(true);
        }
        bytes.strip_suffix(b"\n").map_or(Ok(false), search)
    }
}

fn one_line(error: &fancy_regex::Error) -> String {
    let words = error.to_string();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_perl() {
        for (pattern, text, found) in [
            ("hello", &b"HTTP/1.0 200 OK\r\n\r\nhello\n"[..], true),
            ("^HTTP.*hello$", b"HTTP/1.0 200 OK\r\n\r\nhello\n", true),
            ("hello\\z", b"hello\n\n", false),
            ("(?i)HELLO", b"hello", true),
            ("hello", b"Hello", false),
            ("a(?!b)", b"ab", false),
            ("(?<=b)c", b"bc", true),
            ("(\\w)\\1", b"xyyz", true),
            ("\\bok\\b", b"not ok.", true),
            ("caf\u{e9}", "un caf\u{e9}".as_bytes(), true),
            ("a.c", b"a\xffc", true),
            ("^\\S+\\s\\d{3}", b"HTTP/1.1 200", true),
            ("", b"x", true),
        ] {
            assert_eq!(Pattern::new(pattern).and_then(|pattern| pattern.is_in(text)), Ok(found), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for pattern in ["(", "[a", "*", "(?<n", "\\"] {
            assert!(
                Pattern::new(pattern).is_err_and(|why| !why.is_empty() && !why.contains('\n')),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_has_no_end_is_given_up() {
        let pattern = Pattern::new("(?=(a+)+$)(a|aa)+\\1c").expect("it is a pattern");
        let begun = std::time::Instant::now();
        let answer = pattern.is_in("a".repeat(5_000).as_bytes());
        assert!(answer.is_err() || answer == Ok(false), "{answer:?}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
