//! A conversation in lines, as mail servers have it: what is said, what is heard, all of it bounded.

use std::io::{BufRead, Read as _, Write};

use remon_core::text;

use crate::link::{Link, Trouble};

/// The longest line that is waited for; the standards know none beyond a few hundred bytes.
const LONGEST_LINE: u64 = 8 << 10;

/// A server that says more than this does not stop.
const MOST_HEARD: usize = 256 << 10;

/// One conversation over any stream of bytes.
#[derive(Debug)]
pub struct Dialogue<S> {
    stream: S,
    heard: Vec<u8>,
}

impl<S: BufRead + Write> Dialogue<S> {
    /// Begins to talk.
    pub fn new(stream: S) -> Dialogue<S> {
        Dialogue { stream, heard: Vec::new() }
    }

    /// The next line, without its end; `None` when the other side has hung up.
    ///
    /// # Errors
    /// When nothing comes in time, the connection breaks, or there is no end to it.
    pub fn hear(&mut self) -> Result<Option<String>, Trouble> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line);
        self.heard.extend(&line);
        let length = read.map_err(|error| Trouble::of(&error))?;
        if length as u64 == LONGEST_LINE && !line.ends_with(b"\n") || self.heard.len() > MOST_HEARD {
            return Err(Trouble::Unexpected("the server does not stop talking".to_owned()));
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            line.pop();
        }
        Ok((length > 0).then(|| text::decode(line)))
    }

    /// Says a line; its end is added.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn say(&mut self, line: &str) -> Result<(), Trouble> {
        let bytes = [&text::encode(line), b"\r\n".as_slice()].concat();
        let sent = self.stream.write_all(&bytes).and_then(|()| self.stream.flush());
        sent.map_err(|error| Trouble::of(&error))
    }

    /// Everything that was heard, as it came.
    #[must_use]
    pub fn heard(&self) -> String {
        text::decode(self.heard.clone())
    }
}

impl Dialogue<Link> {
    /// The same conversation over what `encrypt` makes of the connection, and what else it yields.
    ///
    /// # Errors
    /// Those of `encrypt`; what was heard until then stays with `self`.
    pub(crate) fn encrypted<T>(
        self,
        encrypt: impl FnOnce(Link) -> Result<(Link, T), Trouble>,
    ) -> Result<(Dialogue<Link>, T), (Trouble, String)> {
        let Dialogue { stream, heard } = self;
        match encrypt(stream) {
            Ok((stream, told)) => Ok((Dialogue { stream, heard }, told)),
            Err(trouble) => Err((trouble, text::decode(heard))),
        }
    }
}
