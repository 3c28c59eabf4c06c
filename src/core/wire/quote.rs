//! `a\20b`: values without blanks, quotes or control bytes.
//!
//! The spelling is that of the original and of its Perl client library: every byte up to 32 or above 126, and
//! both quotes, become a backslash and two lower-case hex digits. Inside quotes and in opstatus lines a backslash
//! is doubled; [`unescape`] does *not* undo that, as the library does not either, so a backslash doubles at
//! every hop. Scripts in the field know this.

use std::borrow::Cow;

use crate::text;

/// What becomes of a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Kept,
    Doubled,
}

const HEX: [u8; 16] = *b"0123456789abcdef";

/// The text with its special bytes spelled out; a backslash stays one.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut out, text);
    out
}

/// As [`escape`], with backslashes doubled: values of opstatus fields, and whatever stands in quotes.
#[must_use]
pub fn escape_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape_quoted_into(&mut out, text);
    out
}

/// Appends [`escape`] of `text` without a string of its own; `list opstatus` calls this per field.
pub fn escape_into(out: &mut String, text: &str) {
    append(out, text, Backslash::Kept);
}

/// Appends [`escape_quoted`] of `text`.
pub fn escape_quoted_into(out: &mut String, text: &str) {
    append(out, text, Backslash::Doubled);
}

/// The text that `escaped` spells. Anything that is not a well-formed escape stands for itself.
#[must_use]
pub fn unescape(escaped: &str) -> String {
    if !escaped.contains('\\') {
        return escaped.to_owned();
    }
    let bytes = text::encode(escaped);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match hex_pair(byte, tail) {
            Some(value) => {
                out.push(value);
                &tail[2..]
            }
            None => {
                out.push(byte);
                tail
            }
        };
    }
    text::decode(out)
}

fn hex_pair(byte: u8, tail: &[u8]) -> Option<u8> {
    match (byte, tail) {
        (b'\\', [high, low, ..]) => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
        _ => None,
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Copies runs of clean bytes in one go; most of a status line is clean.
fn append(out: &mut String, text: &str, backslash: Backslash) {
    match text::encode(text) {
        Cow::Borrowed(bytes) => {
            let mut clean_from = 0;
            for (at, &byte) in bytes.iter().enumerate() {
                if !is_clean(byte, backslash) {
                    // Both ends stand at a clean (ASCII) or special byte; a run never cuts a character.
                    out.push_str(text.get(clean_from..at).unwrap_or_default());
                    push_special(out, byte);
                    clean_from = at + 1;
                }
            }
            out.push_str(text.get(clean_from..).unwrap_or_default());
        }
        Cow::Owned(bytes) => bytes.iter().for_each(|&byte| match is_clean(byte, backslash) {
            true => out.push(char::from(byte)),
            false => push_special(out, byte),
        }),
    }
}

fn is_clean(byte: u8, backslash: Backslash) -> bool {
    match byte {
        b'"' | b'\'' => false,
        b'\\' => backslash == Backslash::Kept,
        33..=126 => true,
        _ => false,
    }
}

fn push_special(out: &mut String, byte: u8) {
    out.push('\\');
    match byte {
        b'\\' => out.push('\\'),
        _ => {
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_spelling_of_the_original() {
        for (plain, escaped, quoted) in [
            ("", "", ""),
            ("plain", "plain", "plain"),
            ("a b", r"a\20b", r"a\20b"),
            ("it's \"so\"\n", r"it\27s\20\22so\22\0a", r"it\27s\20\22so\22\0a"),
            (r"back\slash", r"back\slash", r"back\\slash"),
            ("Zürich", r"Z\c3\bcrich", r"Z\c3\bcrich"),
            ("~\x7f\0", r"~\7f\00", r"~\7f\00"),
        ] {
            assert_eq!(escape(plain), escaped, "{plain:?}");
            assert_eq!(escape_quoted(plain), quoted, "{plain:?}");
            assert_eq!(unescape(escaped), plain, "{escaped:?}");
        }
        let stray = text::decode(b"d\xe9j\xe0".to_vec());
        assert_eq!(escape(&stray), r"d\e9j\e0");
        assert_eq!(unescape(r"d\e9j\e0"), stray);
    }

    #[test]
    fn unescaping_takes_only_lower_case_pairs() {
        for (escaped, plain) in [
            (r"\", r"\"),
            (r"a\2", r"a\2"),
            (r"\2G", r"\2G"),
            (r"\AB", r"\AB"),
            // A doubled backslash stays two, and its second half may begin an escape.
            (r"back\\slash", r"back\\slash"),
            (r"\\20x", "\\ x"),
            (r"\5c20", r"\20"),
        ] {
            assert_eq!(unescape(escaped), plain, "{escaped}");
        }
        let stray = text::decode(b"\xff\\20\xfe".to_vec());
        assert_eq!(text::encode(&unescape(&stray)).as_ref(), b"\xff \xfe");
    }

    proptest! {
        #[test]
        fn whatever_has_no_backslash_comes_back(bytes: Vec<u8>) {
            let plain = text::decode(bytes.into_iter().filter(|b| *b != b'\\').collect());
            prop_assert_eq!(unescape(&escape(&plain)), plain.clone());
            prop_assert_eq!(unescape(&escape_quoted(&plain)), plain);
        }

        #[test]
        fn escaped_text_is_one_clean_word(bytes: Vec<u8>) {
            let plain = text::decode(bytes);
            for escaped in [escape(&plain), escape_quoted(&plain)] {
                prop_assert!(escaped.bytes().all(|b| (33..=126).contains(&b) && b != b'\'' && b != b'"'));
            }
        }

        #[test]
        fn no_text_upsets_unescape(escaped in "[\\\\0-9a-fx \u{e9}\u{10fffe}]*") {
            let _ = unescape(&escaped);
        }
    }
}
