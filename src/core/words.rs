//! Words of a monitor or alert line, split the way a shell would, without a shell.
//!
//! The rules are those of Perl's Text::ParseWords 3.31, `quotewords('\s+', 0, …)`: blanks separate; a backslash
//! takes the next character literally; inside of double quotes it does so too; inside of single quotes it
//! stays, but a quote after it does not close. Adjacent pieces are one word.

use std::fmt;

use crate::timeval::is_blank;

/// A quote that is never closed, or a backslash with nothing behind it. The original then silently takes the
/// line for one without any words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unbalanced {
    /// Byte offset of the quote or backslash in the line.
    pub at: usize,
}

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quote is never closed, or a backslash has nothing behind it")
    }
}

impl std::error::Error for Unbalanced {}

/// The words of `line`. As in the original, blanks at the beginning are preceded by an empty word and blanks at
/// the end are followed by one; mon.cf lines have neither.
///
/// # Errors
/// Where a quote is not closed; then there are no words at all.
pub fn split(line: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' | '\'' => quoted(c, &mut rest, &mut word).ok_or(Unbalanced { at })?,
            '\\' => word.push(rest.next().ok_or(Unbalanced { at })?.1),
            _ if is_blank(c) => {
                words.push(std::mem::take(&mut word));
                while rest.next_if(|(_, c)| is_blank(*c)).is_some() {}
            }
            _ => word.push(c),
        }
    }
    if !line.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// The first word of `line`, if it has any: what `ack` and `set` make of a quoted value.
#[must_use]
pub fn first(line: &str) -> Option<String> {
    split(line).ok()?.into_iter().next()
}

/// Adds what stands before the closing `quote`; `None` if there is none.
fn quoted(quote: char, rest: &mut impl Iterator<Item = (usize, char)>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()?.1 {
            c if c == quote => return Some(()),
            '\\' => {
                if quote == '\'' {
                    word.push('\\');
                }
                word.push(rest.next()?.1);
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words() {
        for (line, expect) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("fping.monitor -t 5000", &["fping.monitor", "-t", "5000"]),
            ("a \t b", &["a", "b"]),
            (r#"-s "two words" x"#, &["-s", "two words", "x"]),
            (r#"-s 'two words' x"#, &["-s", "two words", "x"]),
            ("a '' b", &["a", "", "b"]),
            (r#""""#, &[""]),
            (r#"pre"mid dle"'post x'"#, &["premid dlepost x"]),
            (r"a\ b c\\d", &["a b", r"c\d"]),
            (r#""a\"b" "c\d""#, &["a\"b", "cd"]),
            (r"'a\'b' 'c\\d'", &[r"a\'b", r"c\\d"]),
            (r#"it\'s \"q\""#, &["it's", "\"q\""]),
            ("\"a 'b' c\" 'd \"e\" f'", &["a 'b' c", "d \"e\" f"]),
            ("\"two\nlines\" \u{b}x", &["two\nlines", "x"]),
            ("nul\0 \u{a0}é", &["nul\0", "\u{a0}é"]),
            (" a", &["", "a"]),
            ("a ", &["a", ""]),
            (" ", &["", ""]),
            ("\\\n", &["\n"]),
        ] {
            assert_eq!(split(line), Ok(expect.iter().map(ToString::to_string).collect()), "{line:?}");
            assert_eq!(first(line).as_deref(), expect.first().copied(), "{line:?}");
        }
    }

    #[test]
    fn unbalanced_lines_have_no_words() {
        for (line, at) in [
            ("it's", 2),
            ("a \"b", 2),
            ("a\\", 1),
            ("é 'x\\'", 3),
            (r#""a\""#, 0),
            (r#"'a'"b"#, 3),
            ("'\"", 0),
        ] {
            assert_eq!(split(line), Err(Unbalanced { at }), "{line:?}");
            assert_eq!(first(line), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in prop::collection::vec(".{0,6}", 1..5)) {
            let quote = |word: &String| format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
            let line = words.iter().map(quote).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line), Ok(words));
        }

        #[test]
        fn any_line_is_split(line: String) {
            if let Err(Unbalanced { at }) = split(&line) {
                prop_assert!(matches!(line.as_bytes()[at], b'"' | b'\'' | b'\\'));
            }
        }
    }
}
