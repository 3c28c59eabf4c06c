//! The way to encryption in the protocols that begin without: greeting, question, agreement.

use std::io::{BufRead, Write};

use crate::dialogue::Dialogue;
use crate::link::Trouble;

/// A protocol that can change to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `STARTTLS`, after `EHLO`.
    Smtp,
    /// `STLS`.
    Pop3,
    /// `STARTTLS`.
    Imap,
}

impl Protocol {
    /// The protocol of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Protocol> {
        let all = [("smtp", Protocol::Smtp), ("pop3", Protocol::Pop3), ("imap", Protocol::Imap)];
        all.into_iter().find(|(name, _)| *name == word).map(|(_, protocol)| protocol)
    }

    /// Brings the conversation to the point where encryption begins.
    ///
    /// # Errors
    /// When the server does not go along.
    pub fn start<S: BufRead + Write>(self, dialogue: &mut Dialogue<S>) -> Result<(), Trouble> {
        match self {
            Protocol::Smtp => {
                reply(dialogue, "220", "did not receive 220 greeting")?;
                dialogue.say(&format!("EHLO {}", crate::sys::host_name()))?;
                let offers = reply(dialogue, "250", "did not get 250 response to EHLO")?;
                let is_starttls =
                    |line: &String| line.get(4..).is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS"));
                if !offers.iter().any(is_starttls) {
                    return Err(unexpected("the server does not offer STARTTLS"));
                }
                dialogue.say("STARTTLS")?;
                reply(dialogue, "220", "did not get 220 response to STARTTLS").map(drop)
            }
            Protocol::Pop3 => {
                positive(dialogue, "greeting")?;
                dialogue.say("STLS")?;
                positive(dialogue, "STLS")
            }
            Protocol::Imap => {
                banner(dialogue)?;
                tagged(dialogue, "A0", "STARTTLS", "starttls")
            }
        }
    }
}

fn unexpected(words: &str) -> Trouble {
    Trouble::Unexpected(words.to_owned())
}

/// SMTP: the lines of one reply, which must have this code.
///
/// # Errors
/// The words in `otherwise` if it has another.
pub fn reply<S: BufRead + Write>(
    dialogue: &mut Dialogue<S>,
    code: &str,
    otherwise: &str,
) -> Result<Vec<String>, Trouble> {
    let mut lines = Vec::new();
    loop {
        let line = dialogue.hear()?.ok_or_else(|| unexpected(otherwise))?;
        let rest = line.strip_prefix(code).ok_or_else(|| unexpected(otherwise))?;
        let more = rest.starts_with('-');
        if !more && !rest.is_empty() && !rest.starts_with(' ') {
            return Err(unexpected(otherwise));
        }
        lines.push(line);
        if !more {
            return Ok(lines);
        }
    }
}

/// POP3: an answer that begins with `+OK`.
///
/// # Errors
/// What came instead, and after what.
pub fn positive<S: BufRead + Write>(dialogue: &mut Dialogue<S>, after: &str) -> Result<(), Trouble> {
    match dialogue.hear()? {
        Some(line) if line.starts_with("+OK") => Ok(()),
        Some(line) => Err(Trouble::Unexpected(format!("bad response to {after}: {line}"))),
        None => Err(Trouble::Unexpected(format!("no response to {after}"))),
    }
}

/// IMAP: the line that a server begins with.
///
/// # Errors
/// When it is another.
pub fn banner<S: BufRead + Write>(dialogue: &mut Dialogue<S>) -> Result<(), Trouble> {
    let line = dialogue.hear()?.unwrap_or_default();
    let good = ["* OK", "* PREAUTH", "* BYE"].iter().any(|banner| line.starts_with(banner));
    if good { Ok(()) } else { Err(unexpected("No IMAP banner received")) }
}

/// IMAP: a command, and the answer to it, which must be OK. Lines in between are about something else.
///
/// # Errors
/// What the answer was, or that there was none.
pub fn tagged<S: BufRead + Write>(
    dialogue: &mut Dialogue<S>,
    tag: &str,
    command: &str,
    name: &str,
) -> Result<(), Trouble> {
    dialogue.say(&format!("{tag} {command}"))?;
    while let Some(line) = dialogue.hear()? {
        match line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
            Some(answer) if answer == "OK" || answer.starts_with("OK ") => return Ok(()),
            Some(answer) => return Err(Trouble::Unexpected(format!("bad response to {name}: {answer}"))),
            None => {}
        }
    }
    Err(Trouble::Unexpected(format!("No response to {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::Canned;

    fn start(protocol: Protocol, said: &str) -> (Result<(), Trouble>, String) {
        let mut canned = Canned::new(said.as_bytes());
        let result = protocol.start(&mut Dialogue::new(&mut canned));
        (result, canned.heard())
    }

    #[test]
    fn the_way_to_encryption() {
        for (protocol, said, heard) in [
            (Protocol::Smtp, "220 m\r\n250-m\r\n250-starttls\r\n250 HELP\r\n220 go\r\n", "STARTTLS\r\n"),
            (Protocol::Pop3, "+OK m\r\n+OK go\r\n", "STLS\r\n"),
            (Protocol::Imap, "* OK m\r\n* idle talk\r\nA0 OK go\r\n", "A0 STARTTLS\r\n"),
        ] {
            let (result, all) = start(protocol, said);
            assert_eq!(result, Ok(()), "{protocol:?}");
            assert!(all.ends_with(heard), "{all}");
        }
    }

    #[test]
    fn servers_that_do_not_go_along() {
        for (protocol, said, words) in [
            (Protocol::Smtp, "", "did not receive 220 greeting"),
            (Protocol::Smtp, "220x\r\n", "did not receive 220 greeting"),
            (Protocol::Smtp, "220 m\r\n500 what\r\n", "did not get 250 response to EHLO"),
            (Protocol::Smtp, "220 m\r\n250-m\r\n250 NOSTARTTLS\r\n", "the server does not offer STARTTLS"),
            (Protocol::Smtp, "220\r\n250 STARTTLS\r\n454 no\r\n", "did not get 220 response to STARTTLS"),
            (Protocol::Pop3, "+OK m\r\n-ERR no\r\n", "bad response to STLS: -ERR no"),
            (Protocol::Pop3, "+OK m\r\n", "no response to STLS"),
            (Protocol::Imap, "220 m\r\n", "No IMAP banner received"),
            (Protocol::Imap, "* OK m\r\nA0 BAD no\r\n", "bad response to starttls: BAD no"),
        ] {
            assert_eq!(start(protocol, said).0, Err(unexpected(words)), "{said}");
        }
    }
}
