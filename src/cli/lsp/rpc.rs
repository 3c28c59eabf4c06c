//! Messages as the Language Server Protocol frames them: a header with a length, then JSON.

use std::io::{self, BufRead, Read as _, Write};

use serde_json::{Value, json};

/// Longer messages are skipped; no mon.cf comes near it.
const MOST_BYTES: u64 = 256 << 20;
/// Longer lines of a header are no header.
const MOST_HEADER: u64 = 8 << 10;

/// What came in.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// A JSON object.
    Message(Value),
    /// Something else, and what is wrong with it. The next message may be good.
    Malformed(String),
    /// Nothing more.
    End,
}

/// The next message.
pub(super) fn read(input: &mut impl BufRead) -> Incoming {
    let length = match header(input) {
        Ok(Some(length)) => length,
        Ok(None) => return Incoming::Malformed("no Content-Length in the header".to_owned()),
        Err(_) => return Incoming::End,
    };
    let mut body = Vec::new();
    let mut bytes = input.by_ref().take(length);
    if length > MOST_BYTES {
        let _ = io::copy(&mut bytes, &mut io::sink());
        return Incoming::Malformed(format!("a message of {length} bytes is too long"));
    }
    match bytes.read_to_end(&mut body) {
        Ok(read) if read as u64 == length => {}
        _ => return Incoming::End,
    }
    match serde_json::from_slice(&body) {
        Ok(message @ Value::Object(_)) => Incoming::Message(message),
        Ok(_) => Incoming::Malformed("a message is a JSON object".to_owned()),
        Err(error) => Incoming::Malformed(error.to_string()),
    }
}

/// The length that the header gives; the error is the end of the input.
fn header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MOST_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if line.trim().is_empty() {
            return Ok(length);
        }
        // Wherever it stands in the line: whatever garbage came before, this is where a message begins.
        if let Some((_, value)) = line.rsplit_once("content-length:") {
            length = value.trim().parse().ok();
        }
    }
}

/// Sends a message.
pub(super) fn write(output: &mut impl Write, mut message: Value) -> io::Result<()> {
    message["jsonrpc"] = json!("2.0");
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Failure {
    /// No JSON, or no message.
    pub(super) const PARSE: i32 = -32700;
    /// A message that is no request.
    pub(super) const INVALID: i32 = -32600;
    /// A method that nobody knows.
    pub(super) const NO_METHOD: i32 = -32601;
    /// Wrong parameters.
    pub(super) const PARAMS: i32 = -32602;
    /// Before `initialize`.
    pub(super) const NOT_INITIALIZED: i32 = -32002;
    /// The client no longer wants an answer.
    pub(super) const CANCELLED: i32 = -32800;
    /// The request is a good one, but cannot be done.
    pub(super) const FAILED: i32 = -32803;

    pub(super) fn new(code: i32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    /// The parameter `name` is missing, or not what it should be.
    pub(super) fn params(name: &str) -> Failure {
        Failure::new(Failure::PARAMS, format!("parameter `{name}` is missing or wrong"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_messages_are_found_behind_bad_ones() {
        let frame = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut bytes = format!("{}{}{}", frame("{\"a\":1}"), frame("{\"a\":"), frame("[1]"));
        bytes += "X: y\r\n\r\n";
        bytes += &format!("garbage\ncontent-length:  7 \r\nContent-Type: x\r\n\r\n{}", "{\"b\":2}");
        bytes += "gluedContent-Length: 9999\r\n\r\n{}";
        let mut input = bytes.as_bytes();
        let mut next = || match read(&mut input) {
            Incoming::Message(message) => message.to_string(),
            Incoming::Malformed(_) => "malformed".to_owned(),
            Incoming::End => "end".to_owned(),
        };
        for expect in ["{\"a\":1}", "malformed", "malformed", "malformed", "{\"b\":2}", "end", "end"] {
            assert_eq!(next(), expect);
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, json!({"result": "\u{20ac}"})).unwrap();
        let expect = json!({"jsonrpc": "2.0", "result": "\u{20ac}"});
        assert_eq!(read(&mut &bytes[..]), Incoming::Message(expect));
    }
}
