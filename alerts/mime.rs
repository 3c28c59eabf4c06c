//! A letter as mail, built by lettre: header encoding, line lengths, MIME. Touches nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};
use remon_core::nouns::Wall;

#[cfg(any(test, feature = "smtp"))]
use crate::letter;
use crate::letter::Letter;

/// A detail longer than this is cut: many servers refuse mail of 10 MB, and base64 adds a third.
const MOST_DETAIL: usize = 4 << 20;

/// A subject longer than this is cut and repeated whole in the text: a line of a header must not exceed 998 bytes.
const MOST_SUBJECT: usize = 600;

/// A To header longer than this is folded at the commas.
const LONGEST_TO_LINE: usize = 900;

/// What a mail needs besides the letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'a> {
    /// As they stand in mon.cf: addresses, names of local users, or `Name <address>`.
    pub(crate) recipients: &'a [String],
    /// For the From header; without it the local mail system writes one.
    pub(crate) from: Option<&'a str>,
    /// The name of the alert.
    pub(crate) mailer: &'static str,
    /// For the Date header.
    pub(crate) now: Wall,
    /// What our Message-ID ends in; only with a From header.
    pub(crate) mail_name: &'a str,
}

/// The whole mail, with CRLF line ends.
///
/// # Errors
/// When the sender is no address.
pub(crate) fn compose(letter: &Letter, envelope: &Envelope<'_>) -> Result<Vec<u8>, String> {
    let (subject, text) = subject_and_text(letter);
    let to = envelope.recipients.join(",");
    let sender = match envelope.from {
        Some(from) => from.parse::<Mailbox>().map_err(|error| format!("{from}: {error}"))?,
        // lettre insists on one; it is taken out again below.
        None => {
            Mailbox::new(None, lettre::Address::new("mon", "localhost").map_err(|error| error.to_string())?)
        }
    };
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(envelope.now).unwrap_or(0));
    let body = body(text);
    let mut builder = Message::builder().from(sender).subject(subject.as_str()).date(date);
    // The envelope is our own affair; without one lettre derives it from the headers, and may find none.
    builder = builder.envelope(placeholder()?).header(MIME_VERSION_1_0).header(ContentType::TEXT_PLAIN);
    if envelope.from.is_some() {
        builder = builder.message_id(Some(message_id(envelope, &subject, &to)));
    }
    let mut message = builder.body(body).map_err(|error| error.to_string())?;
    let headers = message.headers_mut();
    if envelope.from.is_none() {
        headers.remove_raw("From");
    }
    headers.insert_raw(to_header(&to));
    headers
        .insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str("X-Mailer"), envelope.mailer.to_owned()));
    Ok(message.formatted())
}

/// The subject for the header, and the text; a subject that does not fit there begins the text.
fn subject_and_text(letter: &Letter) -> (String, String) {
    let text = letter.text(MOST_DETAIL);
    if letter.subject.len() <= MOST_SUBJECT {
        return (letter.subject.clone(), text);
    }
    let end = letter.subject.floor_char_boundary(MOST_SUBJECT);
    (format!("{} ...", &letter.subject[..end]), format!("\n{}\n{text}", letter.subject))
}

/// Seven-bit text travels as it is, all else as lettre sees fit. Control characters would be lost or changed on
/// the way, so they are encoded.
fn body(text: String) -> Body {
    // What comes with CRLF already is the same line end to every reader.
    let text = text.replace("\r\n", "\n");
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        let encoded = Body::new_with_encoding(text.clone(), ContentTransferEncoding::QuotedPrintable);
        return encoded.unwrap_or_else(|_| Body::new(text));
    }
    Body::new(text)
}

fn to_header(to: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("To");
    if !to.is_ascii() {
        return HeaderValue::new(name, to.replace(',', ", "));
    }
    let folded = if to.len() > LONGEST_TO_LINE { to.replace(',', ",\r\n ") } else { to.to_owned() };
    HeaderValue::dangerous_new_pre_encoded(name, to.to_owned(), folded)
}

fn placeholder() -> Result<lettre::address::Envelope, String> {
    let nobody = lettre::Address::new("mon", "localhost").map_err(|error| error.to_string())?;
    lettre::address::Envelope::new(None, vec![nobody]).map_err(|error| error.to_string())
}

/// The same alert to the same people has the same id: who gets it twice sees it once.
fn message_id(envelope: &Envelope<'_>, subject: &str, to: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (subject, to, envelope.now).hash(&mut hasher);
    format!("<mon.{}.{:016x}@{}>", envelope.now, hasher.finish(), envelope.mail_name)
}

/// The address of a recipient for the SMTP envelope: what stands in angle brackets, or the word itself. The name of
/// a local user is one at `mail_name`.
///
/// # Errors
/// When it is no address.
#[cfg(any(test, feature = "smtp"))]
pub(crate) fn address(recipient: &str, mail_name: &str) -> Result<lettre::Address, String> {
    let inner = recipient.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inner, _)| inner);
    let word = letter::line(inner.unwrap_or(recipient)).trim().to_owned();
    let full = if word.contains('@') { word } else { format!("{word}@{mail_name}") };
    full.parse().map_err(|error| format!("{recipient}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Invocation;
    use remon_core::{getopt, text};

    const WORDS: [&str; 10] =
        ["-s", "http", "-g", "web", "-h", "hostA hostB hostC", "-t", "1795346603", "-l", "3600"];

    fn letter(input: &[u8]) -> Letter {
        let invocation = Invocation::sample(&WORDS, &text::decode(input.to_vec()));
        Letter::of(&getopt::letters(letter::LETTERS, &invocation.words), &invocation)
    }

    fn mail(input: &[u8], recipients: &[&str], from: Option<&str>) -> String {
        let recipients = recipients.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (mailer, now) = ("mail.alert", 1_795_346_973);
        let envelope =
            Envelope { recipients: &recipients, from, mailer, now, mail_name: "servera.example.com" };
        let bytes = compose(&letter(input), &envelope).expect("it can be composed");
        String::from_utf8(bytes).expect("mail is ASCII")
    }

    #[test]
    fn the_mail_of_the_original() {
        let mail = mail(b"hostA hostB\ndetail line one\n\ttabbed\n\nlast", &["root@localhost", "ops"], None);
        let expect = "Subject: ALERT web/http: hostA hostB (Sun Nov 22 11:23:23)\r\n\
            Date: Sun, 22 Nov 2026 11:29:33 +0000\r\nMIME-Version: 1.0\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\
            To: root@localhost,ops\r\nX-Mailer: mail.alert\r\n\
            \r\n\r\nGroup                 : web\r\nService               : http\r\n\
            Time noticed          : Sun Nov 22 11:23:23 2026\r\nSecs until next alert : 3600\r\n\
            Members \t      : hostA hostB hostC\r\n\r\nDetailed text (if any) follows:\r\n\
            -------------------------------\r\ndetail line one\r\n\ttabbed\r\n\r\nlast";
        assert_eq!(mail, expect);
    }

    #[test]
    fn nothing_adds_a_header() {
        let (head, _) = mail(
            b"x\r\nBcc: eve@example.com\n",
            &["a\nBcc: eve@example.com"].map(|word| {
                // What compose is handed has been through letter::line.
                Box::leak(letter::line(word).into_boxed_str()) as &str
            }),
            Some("mon@example.com"),
        )
        .split_once("\r\n\r\n")
        .map(|(head, body)| (head.to_owned(), body.to_owned()))
        .expect("there is an empty line");
        assert!(head.lines().all(|line| !line.starts_with("Bcc")), "{head}");
        assert!(
            head.contains("From: mon@example.com\r\n") && head.contains("\r\nMessage-ID: <mon."),
            "{head}"
        );
    }

    #[test]
    fn any_language_and_any_byte() {
        for input in [&b"Z\xfcrich\n"[..], "Zürich\n".as_bytes()] {
            let mail = mail(input, &["ops"], None);
            assert!(
                mail.is_ascii() && mail.contains("Subject: ALERT web/http: =?utf-8?b?WsO8cmljaA==?="),
                "{mail}"
            );
        }
        let mail = mail(b"s\n\x1b[31mred\x00\rx\n", &["ops"], None);
        assert!(mail.contains("Content-Transfer-Encoding: quoted-printable\r\n"), "{mail}");
        assert!(mail.contains("\r\n=1B[31mred=00=0Dx\r\n"), "{mail}");
    }

    #[test]
    fn long_lines() {
        let word = "x".repeat(3000);
        let mail = mail(format!("{word}\n{word}\n").as_bytes(), &vec!["ops@example.com"; 200], None);
        assert!(mail.split("\r\n").all(|line| line.len() <= 998), "{mail}");
        let text = mail.replace("=\r\n", "");
        assert_eq!(text.matches(&word).count(), 2, "the summary is whole in the text, and so is the detail");
    }

    #[test]
    fn addresses() {
        let address = |word| address(word, "servera.example.com").map(|address| address.to_string());
        assert_eq!(address("root").as_deref(), Ok("root@servera.example.com"));
        assert_eq!(address("ops@example.com").as_deref(), Ok("ops@example.com"));
        assert_eq!(address("Ops <ops@example.com>").as_deref(), Ok("ops@example.com"));
        assert!(address("a b@example.com").is_err() && address("<>").is_err());
    }
}
