//! Somebody who reads XMPP messages: a client so plain that it shares no code with what it tests.

use std::io::{Error, Read as _, Result, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::servers::PASSWORD;

/// A session without encryption.
pub(crate) struct Reader {
    stream: TcpStream,
    /// Received, not yet handed out.
    rest: String,
    bytes: Vec<u8>,
}

impl Reader {
    /// Logs `user` in at `xmpp.test`.
    pub(crate) fn log_in(port: u16, user: &str) -> Reader {
        let limit = Some(Duration::from_secs(20));
        let reader = Reader::log_in_at(("127.0.0.1", port), "xmpp.test", user, limit);
        reader.unwrap_or_else(|error| panic!("{user} cannot log in: {error}"))
    }

    /// Logs `user` in at the server of `domain`, which may be silent for `limit`.
    ///
    /// # Errors
    /// When it is not there, or says something else than expected.
    pub(crate) fn log_in_at(
        server: impl ToSocketAddrs,
        domain: &str,
        user: &str,
        limit: Option<Duration>,
    ) -> Result<Reader> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(limit)?;
        let mut reader = Reader { stream, rest: String::new(), bytes: Vec::new() };
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        reader.say(&open)?;
        reader.until("</stream:features>")?;
        let secret = base64(format!("\0{user}\0{PASSWORD}").as_bytes());
        reader.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"
        ))?;
        reader.until("<success")?;
        reader.until(">")?;
        reader.say(&open)?;
        reader.until("</stream:features>")?;
        reader.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")?;
        reader.until("</iq>")?;
        // Once it answers what comes after our presence, messages reach us.
        reader.say(&format!(
            "<presence/><iq type='get' id='p' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))?;
        reader.until("id='p'")?;
        Ok(reader)
    }

    /// Enters a room, which is made if there is none.
    pub(crate) fn enter(&mut self, room: &str) {
        let presence =
            format!("<presence to='{room}/reader'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        let entered = self.say(&presence).and_then(|()| self.until("code='110'"));
        entered.and_then(|_| self.until("</presence>")).unwrap_or_else(|error| panic!("{room}: {error}"));
    }

    /// The next message that has a body: who it is from, and the body.
    pub(crate) fn message(&mut self) -> (String, String) {
        self.next_message().unwrap_or_else(|error| panic!("no message: {error}: {}", self.rest))
    }

    /// The next message that has a body, if the server lasts as long.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn next_message(&mut self) -> Result<(String, String)> {
        loop {
            self.until("<message")?;
            let message = self.until("</message>")?;
            let Some((_, rest)) = message.split_once("<body>") else { continue };
            let body = rest.split("</body>").next().unwrap_or_default();
            let from = message.split("from='").nth(1).and_then(|rest| rest.split('\'').next());
            return Ok((from.unwrap_or_default().to_owned(), unescape(body)));
        }
    }

    fn say(&mut self, xml: &str) -> Result<()> {
        self.stream.write_all(xml.as_bytes())
    }

    /// What comes up to and including `mark`.
    fn until(&mut self, mark: &str) -> Result<String> {
        loop {
            if let Some(at) = self.rest.find(mark) {
                let after = self.rest.split_off(at + mark.len());
                return Ok(std::mem::replace(&mut self.rest, after));
            }
            let mut chunk = [0; 16 * 1024];
            let size = self.stream.read(&mut chunk)?;
            if size == 0 {
                return Err(Error::other(format!("closed before {mark}: {}", self.rest)));
            }
            self.bytes.extend_from_slice(&chunk[..size]);
            // A character may be cut in two by the network.
            let whole = match std::str::from_utf8(&self.bytes) {
                Ok(_) => self.bytes.len(),
                Err(error) => error.valid_up_to(),
            };
            let text = self.bytes.drain(..whole).collect::<Vec<u8>>();
            self.rest.push_str(&String::from_utf8(text).expect("it was checked"));
        }
    }
}

fn unescape(xml: &str) -> String {
    let xml = xml.replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'").replace("&quot;", "\"");
    xml.replace("&#10;", "\n").replace("&#9;", "\t").replace("&amp;", "&")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}
