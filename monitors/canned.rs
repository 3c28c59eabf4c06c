//! A connection whose other side has said everything beforehand: for tests of parsers, and for fuzzing them.

use std::io::{self, BufRead, Cursor, Read, Write};

/// What the other side says, and what it heard.
#[derive(Debug, Default)]
pub struct Canned {
    says: Cursor<Vec<u8>>,
    heard: Vec<u8>,
}

impl Canned {
    /// The other side will say this and hang up.
    #[must_use]
    pub fn new(says: &[u8]) -> Canned {
        Canned { says: Cursor::new(says.to_vec()), heard: Vec::new() }
    }

    /// What it was told.
    #[must_use]
    pub fn heard(&self) -> String {
        remon_core::text::decode(self.heard.clone())
    }
}

impl Read for Canned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.says.read(buffer)
    }
}

impl BufRead for Canned {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.says.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.says.consume(amount);
    }
}

impl Write for Canned {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
