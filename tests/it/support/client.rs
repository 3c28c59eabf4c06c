//! A raw client of the TCP protocol: it sends bytes and reads replies, and understands neither.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::wait;

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// Received, not yet handed out.
    rest: Vec<u8>,
}

impl Client {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(port: u16) -> std::io::Result<Client> {
        Client::connect_to(("127.0.0.1", port))
    }

    /// Connects to a port of any machine.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect_to(server: impl ToSocketAddrs) -> std::io::Result<Client> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(wait::PATIENCE))?;
        Ok(Client { stream, rest: Vec::new() })
    }

    /// How long to wait for an answer, or for room to send, before it counts as missing.
    pub(crate) fn set_patience(&self, limit: Duration) {
        self.stream.set_read_timeout(Some(limit)).expect("the limit is not zero");
        self.stream.set_write_timeout(Some(limit)).expect("the limit is not zero");
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the daemon has gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|error| format!("cannot send: {error}"))
    }

    /// The lines of one reply, up to and including the one that begins with a status code.
    ///
    /// # Errors
    /// When the connection ends first, or nothing comes.
    pub(crate) fn reply(&mut self) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let done = is_status(&line);
            lines.push(line);
            if done {
                return Ok(lines);
            }
        }
    }

    /// Sends one command and returns its reply.
    ///
    /// # Errors
    /// As [`Client::reply`].
    pub(crate) fn command(&mut self, command: &str) -> Result<Vec<String>, String> {
        self.send(format!("{command}\n").as_bytes())?;
        self.reply().map_err(|error| format!("{command}: {error}"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(latin1(&line[..end]));
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err("connection closed".into()),
                Ok(size) => self.rest.extend_from_slice(&chunk[..size]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("no reply: {error}")),
            }
        }
    }
}

/// Bytes as text, one character each, so that nothing is lost and nothing has to be valid.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn is_status(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 3 && bytes[..3].iter().all(u8::is_ascii_digit) && bytes[3] == b' '
}
