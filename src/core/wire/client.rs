//! The client's half of the protocol, over anything that can be read and written.
//!
//! A request is a line; a reply is any number of data lines and one status line, `220 …` or `5xx …`. The server
//! is not trusted: a line and a whole reply have a limit each, so the worst it can do is waste a bounded amount
//! of memory. Time limits belong to the stream handed in; this module has no clock.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use crate::text;

/// The protocol version that clients announce with `protid`.
pub const PROTOCOL_ID: u32 = 9745;

/// Longest line taken: an opstatus line carries all output of a monitor, three characters a byte at worst.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// Largest reply kept: `list opstatus` of ten thousand services is some 20 MB.
pub const MAX_REPLY_BYTES: usize = 128 << 20;

/// What a line costs besides its bytes, however short it is: its String and the least the allocator gives.
const LINE_OVERHEAD: usize = 64;

/// One line of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Data, without its line end.
    Data(String),
    /// The line that ends the reply.
    Status(Status),
}

/// `220 list state completed`: how a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The three digits.
    pub code: u16,
    /// The whole line, digits included, as the server sent it.
    pub line: String,
}

impl Status {
    /// The status in `line`; `None` if it is a data line.
    ///
    /// Only 2xx and 5xx count: the original takes any three digits, and so trips over a group named `100`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Status> {
        let [hundreds @ (b'2' | b'5'), tens @ b'0'..=b'9', ones @ b'0'..=b'9', blank, ..] = line.as_bytes()
        else {
            return None;
        };
        let digit = |byte: &u8| u16::from(byte - b'0');
        let code = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
        blank.is_ascii_whitespace().then(|| Status { code, line: line.to_owned() })
    }

    /// Did the server do what it was asked?
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The data lines, in order.
    pub lines: Vec<String>,
    /// How it ended.
    pub status: Status,
}

/// Why there is no (good) reply.
#[derive(Debug)]
pub enum ClientError {
    /// Reading or writing failed; a time-out shows here.
    Io(io::Error),
    /// The server closed the connection in the middle of a reply.
    Closed,
    /// A line above [`MAX_LINE_BYTES`] or a reply above [`MAX_REPLY_BYTES`].
    TooLong,
    /// A command that would not stay one line.
    NotOneLine,
    /// The server said no; this is its status line.
    Refused(Status),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Io(error) if is_timeout(error) => f.write_str("the server did not answer in time"),
            ClientError::Io(error) => write!(f, "connection broken: {}", crate::reason::of(error)),
            ClientError::Closed => f.write_str("the server closed the connection"),
            ClientError::TooLong => f.write_str("the server's answer is too long"),
            ClientError::NotOneLine => f.write_str("a command must be one line"),
            ClientError::Refused(status) => f.write_str(&text::display(&status.line)),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> ClientError {
        ClientError::Io(error)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// One session with a server.
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
}

impl<S: BufRead + Write> Client<S> {
    /// A client on a stream that is connected already; nothing is sent.
    pub fn new(stream: S) -> Client<S> {
        Client { stream }
    }

    /// The stream below, for whoever must move its deadline.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Sends one command.
    ///
    /// # Errors
    /// When it holds a line end, or cannot be written.
    pub fn send(&mut self, command: &str) -> Result<(), ClientError> {
        if command.contains(['\n', '\r']) {
            return Err(ClientError::NotOneLine);
        }
        let mut line = text::encode(command).into_owned();
        line.push(b'\n');
        self.stream.write_all(&line)?;
        Ok(self.stream.flush()?)
    }

    /// Reads the next line of a reply.
    ///
    /// # Errors
    /// When the connection ends or breaks, or the line is longer than a line may be.
    pub fn next_line(&mut self) -> Result<Line, ClientError> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            let full = bytes.len() > MAX_LINE_BYTES;
            return Err(if full { ClientError::TooLong } else { ClientError::Closed });
        }
        let line = text::decode(bytes);
        Ok(Status::parse(&line).map_or_else(|| Line::Data(line), Line::Status))
    }

    /// Reads a reply to its end.
    ///
    /// # Errors
    /// As [`Client::next_line`]; a reply that says no is not an error here.
    pub fn reply(&mut self) -> Result<Reply, ClientError> {
        let (mut lines, mut size) = (Vec::new(), 0);
        loop {
            match self.next_line()? {
                Line::Status(status) => return Ok(Reply { lines, status }),
                Line::Data(line) => {
                    size += line.len() + LINE_OVERHEAD;
                    if size > MAX_REPLY_BYTES {
                        return Err(ClientError::TooLong);
                    }
                    lines.push(line);
                }
            }
        }
    }

    /// Sends a command and returns the data lines of a reply that says yes.
    ///
    /// # Errors
    /// As [`Client::reply`], and [`ClientError::Refused`].
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>, ClientError> {
        self.send(command)?;
        let reply = self.reply()?;
        if reply.status.is_ok() { Ok(reply.lines) } else { Err(ClientError::Refused(reply.status)) }
    }

    /// Announces our protocol version, as every client but moncmd does first.
    ///
    /// # Errors
    /// When the server speaks another protocol, or none.
    pub fn protid(&mut self) -> Result<(), ClientError> {
        self.ask(&format!("protid {PROTOCOL_ID}")).map(drop)
    }

    /// Logs in. The protocol has no way to spell a blank in a name or password.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn login(&mut self, user: &str, password: &str) -> Result<(), ClientError> {
        self.ask(&format!("login {user} {password}")).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A stream that plays back what a server said and records what it was sent.
    struct Script {
        said: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.said.read(buffer)
        }
    }

    impl BufRead for Script {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.said.fill_buf()
        }

        fn consume(&mut self, amount: usize) {
            self.said.consume(amount);
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn client(said: &[u8]) -> Client<Script> {
        Client::new(Script { said: Cursor::new(said.to_vec()), heard: Vec::new() })
    }

    #[test]
    fn a_session() {
        let mut client =
            client(b"220 protocol match\n220 login accepted\nscheduler running\n220 list state completed\n");
        client.protid().expect("the protocol matches");
        client.login("alice", "sesame").expect("the login is good");
        assert_eq!(client.ask("list state").expect("it is allowed"), ["scheduler running"]);
        assert_eq!(client.stream().heard, b"protid 9745\nlogin alice sesame\nlist state\n");
        assert!(matches!(client.ask("list watch"), Err(ClientError::Closed)));
    }

    #[test]
    fn status_lines_and_data_lines() {
        for (line, code) in [
            ("220 done", Some(220)),
            ("530 login unsuccessful", Some(530)),
            ("520\tx", Some(520)),
            ("220", None),
            ("2201 x", None),
            ("100 web", None),
            ("1795346756 Sun", None),
            (" 220 x", None),
        ] {
            assert_eq!(Status::parse(line).map(|status| status.code), code, "{line}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_server() {
        let error = client(b"x\n520 invalid command\n").ask("frobnicate").expect_err("it is refused");
        assert_eq!(error.to_string(), "520 invalid command");
    }

    #[test]
    fn a_command_is_one_line() {
        let mut client = client(b"");
        assert!(matches!(client.send("list state\nquit"), Err(ClientError::NotOneLine)));
        assert!(client.stream().heard.is_empty());
    }

    #[test]
    fn replies_that_break_off() {
        for said in [&b""[..], b"data\n", b"220 no line end", b"\xff\xfe"] {
            assert!(matches!(client(said).ask("x"), Err(ClientError::Closed)), "{said:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let endless = vec![b'x'; MAX_LINE_BYTES + 2];
        assert!(matches!(client(&endless).ask("x"), Err(ClientError::TooLong)));
    }

    #[test]
    fn a_reply_without_end_is_given_up() {
        let endless = b"\n".repeat(MAX_REPLY_BYTES / LINE_OVERHEAD + 1);
        assert!(matches!(client(&endless).ask("x"), Err(ClientError::TooLong)));
    }

    #[test]
    fn bytes_pass_unharmed() {
        let lines = client(b"caf\xe9\n220 ok\n").ask("x").expect("it says yes");
        assert_eq!(text::encode(&lines[0]).as_ref(), b"caf\xe9");
    }
}
