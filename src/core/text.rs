//! Bytes as text, without loss.
//!
//! mon.cf, monitor output and traps are bytes in no promised encoding; the original passes them through
//! untouched. Inside remon all of it is `String`: valid UTF-8 stays as it is, and each byte that is not part
//! of valid UTF-8 becomes one character of a private plane (U+10FF00 + byte). [`encode`] is the inverse of
//! [`decode`] for every input, so nothing is ever lost on the way from a monitor to a pager.

use std::borrow::Cow;

/// First of the 256 characters that stand for stray bytes.
const STRAY: u32 = 0x10_FF00;

/// First byte of the UTF-8 form of every stray character; rare enough to make the common case one scan.
const STRAY_LEAD: u8 = 0xF4;

/// The text that stands for `bytes`. [`encode`] gives the same bytes back.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) if !has_stray(&text) => text,
        Ok(text) => decode_with_strays(text.as_bytes()),
        Err(error) => decode_with_strays(error.as_bytes()),
    }
}

/// The bytes that `text` stands for.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, [u8]> {
    if !has_stray(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match stray_byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The text as a person should see it: a stray byte shows as U+FFFD.
#[must_use]
pub fn display(text: &str) -> Cow<'_, str> {
    if !has_stray(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars().map(|c| if stray_byte(c).is_some() { char::REPLACEMENT_CHARACTER } else { c }).collect(),
    )
}

/// The beginning of a text, of at most so many bytes; three dots say where more was.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        Cow::Borrowed(text)
    } else {
        format!("{}...", &text[..text.floor_char_boundary(most)]).into()
    }
}

/// The text for a reader elsewhere, in mail or a chat: a stray byte is taken for Latin-1, which nearly all output
/// that is not UTF-8 still is here. The bytes 0x80 to 0x9f are no characters there and show as U+FFFD.
#[must_use]
pub fn readable(text: &str) -> Cow<'_, str> {
    if !has_stray(text) {
        return Cow::Borrowed(text);
    }
    let read = |c| match stray_byte(c) {
        Some(0x80..=0x9f) => char::REPLACEMENT_CHARACTER,
        Some(byte) => char::from(byte),
        None => c,
    };
    Cow::Owned(text.chars().map(read).collect())
}

fn stray_byte(c: char) -> Option<u8> {
    u32::from(c).checked_sub(STRAY).and_then(|byte| u8::try_from(byte).ok())
}

fn has_stray(text: &str) -> bool {
    text.as_bytes().contains(&STRAY_LEAD) && text.chars().any(|c| stray_byte(c).is_some())
}

fn decode_with_strays(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // A character that already is one of ours must not be taken for a stray byte later.
            match stray_byte(c) {
                Some(_) => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_stray(&mut text, byte)),
                None => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_stray(&mut text, byte));
    }
    text
}

fn push_stray(text: &mut String, byte: u8) {
    text.push(char::from_u32(STRAY + u32::from(byte)).expect("U+10FF00 to U+10FFFF are characters"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utf8_is_kept_and_stray_bytes_come_back() {
        for bytes in
            ["plain".as_bytes(), "Zürich 🛎".as_bytes(), b"\xe9t\xe9", b"\xff\x00\xfe", b"\xf4\x8f\xbf\xbf"]
        {
            assert_eq!(encode(&decode(bytes.to_vec())).as_ref(), bytes);
        }
        assert_eq!(decode("Zürich".into()), "Zürich");
        assert_eq!(display(&decode(b"d\xe9j\xe0".to_vec())), "d\u{fffd}j\u{fffd}");
        assert_eq!(readable(&decode(b"d\xe9j\xe0 \x96 Z\xc3\xbcrich".to_vec())), "déjà \u{fffd} Zürich");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, expect) in
            [("", ""), ("abc", "abc"), ("abcd", "abc..."), ("ab\u{fc}", "ab..."), ("\u{1f6ce}", "...")]
        {
            assert_eq!(cut(text, 3), expect);
        }
    }

    proptest! {
        #[test]
        fn every_byte_string_survives(bytes: Vec<u8>) {
            let text = decode(bytes.clone());
            let encoded = encode(&text);
            prop_assert_eq!(encoded.as_ref(), &bytes[..]);
        }
    }
}
