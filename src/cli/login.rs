//! Name and password, from a terminal or from lines `user=…` and `pass=…` on standard input.

use std::io::{self, BufRead};

use remon_core::text;

/// What a client logs in with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// What is said when a half is missing.
pub(crate) const INADEQUATE: &str = "inadequate authentication information supplied";
/// What is said of an empty password.
pub(crate) const INVALID: &str = "invalid password";

impl Credentials {
    /// Both halves, or the reason why they will not do. A blank cannot be spelled in the protocol.
    pub(crate) fn checked(self) -> Result<Credentials, &'static str> {
        let good = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
        if good(&self.user) && good(&self.password) { Ok(self) } else { Err(INADEQUATE) }
    }
}

/// One of the two lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthLine {
    User(String),
    Password(String),
    /// It begins like one of them but holds no single word.
    Malformed,
}

impl AuthLine {
    /// Reads `user=NAME` or `pass=WORD`, in any case; `None` if the line is about something else.
    pub(crate) fn parse(line: &str) -> Option<AuthLine> {
        let (key, value) = line.split_once('=')?;
        let one_word = !value.is_empty() && !value.contains(char::is_whitespace);
        let make = match key.to_ascii_lowercase().as_str() {
            "user" => AuthLine::User,
            "pass" => AuthLine::Password,
            _ => return None,
        };
        Some(if one_word { make(value.to_owned()) } else { AuthLine::Malformed })
    }
}

/// Reads lines of bytes as text, without their ends.
pub(crate) fn lines(input: impl BufRead) -> impl Iterator<Item = io::Result<String>> {
    input.split(b'\n').map(|line| line.map(text::decode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_the_login() {
        for (line, expect) in [
            ("user=alice", Some(AuthLine::User("alice".into()))),
            ("PASS=s=same", Some(AuthLine::Password("s=same".into()))),
            ("Pass=", Some(AuthLine::Malformed)),
            ("user=a b", Some(AuthLine::Malformed)),
            ("ack web http user=alice", None),
            ("", None),
        ] {
            assert_eq!(AuthLine::parse(line), expect, "{line}");
        }
    }

    #[test]
    fn both_halves_are_words() {
        let check = |user: &str, password: &str| {
            Credentials { user: user.into(), password: password.into() }.checked()
        };
        assert!(check("alice", "sesame").is_ok());
        for (user, password) in [("", "x"), ("x", ""), ("a b", "x"), ("x", "a\nquit")] {
            assert_eq!(check(user, password), Err(INADEQUATE));
        }
    }
}
