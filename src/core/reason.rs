//! `Connection refused`: the words of the C library for an error, as the original's `$!` has them.

use std::io;

/// The reason without the `(os error N)` that std appends and without std's own preamble to resolver errors.
#[must_use]
pub fn of(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_only() {
        assert_eq!(of(&io::Error::from_raw_os_error(111)), "Connection refused");
        assert_eq!(of(&io::Error::other("failed to lookup address information: no name")), "no name");
        assert_eq!(of(&io::Error::other("plain")), "plain");
    }
}
