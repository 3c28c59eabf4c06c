//! A web hook: one HTTP request, as Slack and what is like it take it.

use std::time::Duration;

use remon_core::reason;
pub use remon_core::url::Url;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::dispatch::{Outcome, no_answer};
use crate::tls;

/// What is read of an answer: its first line, and enough of the rest to say what is wrong.
const MOST_ANSWER: usize = 8192;

/// What Slack and its like take.
pub(crate) const JSON: &str = "application/json";

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// Where to. Whoever knows the address may write there, so it is a secret.
    pub url: Url,
    /// The file with the only CA to trust.
    pub ca: Option<String>,
    /// `POST`, as a rule.
    pub method: String,
    /// Names and values, besides those that every request has. A value may be a secret.
    pub headers: Vec<(String, String)>,
    /// What the body is.
    pub content_type: String,
    /// What is sent.
    pub body: String,
}

/// The address is a secret.
impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hook at {}", self.url.host)
    }
}

impl Hook {
    /// JSON to be posted.
    #[must_use]
    pub fn json(url: Url, ca: Option<String>, body: String) -> Hook {
        let (method, content_type) = ("POST".to_owned(), JSON.to_owned());
        Hook { url, ca, method, headers: Vec::new(), content_type, body }
    }

    /// Sends.
    pub(crate) fn send(&self, limit: Duration) -> Outcome {
        let sent = tls::run(limit, self.converse()).unwrap_or_else(|| Err(no_answer(limit)));
        match sent {
            Ok(()) => Outcome { accepted: 1, failures: Vec::new() },
            Err(why) => Outcome::failed(format!("web hook at {}: {why}", self.url.authority)),
        }
    }

    /// Host and port, which are no secret.
    pub(crate) fn place(&self) -> String {
        self.url.authority.clone()
    }

    /// Connects, encrypts, and hangs up without a request.
    pub(crate) fn reach(&self, limit: Duration) -> Result<String, String> {
        let reached = tls::run(limit, async {
            let tcp = tls::connect(&self.url.host, self.url.port).await?;
            if self.url.encrypted {
                tls::encrypt(tcp, &self.url.host, self.ca.as_deref()).await?;
            }
            Ok(String::new())
        });
        reached.unwrap_or_else(|| Err(no_answer(limit)))
    }

    async fn converse(&self) -> Result<(), String> {
        let tcp = tls::connect(&self.url.host, self.url.port).await?;
        let answer = if self.url.encrypted {
            let stream = tls::encrypt(tcp, &self.url.host, self.ca.as_deref()).await?;
            self.exchange(stream).await
        } else {
            self.exchange(tcp).await
        };
        judge(&answer.map_err(|error| reason::of(&error))?)
    }

    async fn exchange(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<Vec<u8>> {
        stream.write_all(self.request().as_bytes()).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        let mut chunk = [0; 2048];
        // A server that took the request is not waited for: some leave the connection open whatever they are told.
        while answer.len() < MOST_ANSWER && judge(&answer).is_err() {
            match stream.read(&mut chunk).await {
                Ok(0) => break,
                Ok(size) => answer.extend_from_slice(&chunk[..size]),
                // A server that closes without goodbye has said what it had to say.
                Err(_) if !answer.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    }

    /// What goes over the connection.
    #[must_use]
    pub(crate) fn request(&self) -> String {
        let Hook { url, method, content_type, body, .. } = self;
        let extra = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let extra = extra.collect::<String>();
        format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: remon\r\nAccept: */*\r\n{extra}\
             Content-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            url.path,
            url.authority,
            body.len()
        )
    }
}

/// Has the server taken it?
fn judge(answer: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let first = text.lines().next().unwrap_or_default();
    let code = first.strip_prefix("HTTP/1.").and_then(|rest| rest.split_whitespace().nth(1));
    match code.and_then(|code| code.parse::<u16>().ok()) {
        // The line that says so must be there whole.
        Some(200..=299) if text.contains('\n') => Ok(()),
        Some(code @ 300..=399) => {
            let place = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("location").then(|| value.trim())
            });
            let place = place.map(|place| format!(", it sends on to {place}: that is not followed"));
            Err(format!("HTTP status {code}{}", place.unwrap_or_default()))
        }
        Some(code) => {
            let said = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            let said = said.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
            Err(format!("HTTP status {code} {said}").trim_end().to_owned())
        }
        None => Err("the answer is no HTTP".to_owned()),
    }
}

/// The text as a JSON string, quotes included.
pub(crate) fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert_eq!(judge(b"HTTP/1.1 200 OK\r\n\r\nok"), Ok(()));
        assert_eq!(
            judge(b"HTTP/1.1 404 Not Found\r\n\r\nno_team\n"),
            Err("HTTP status 404 no_team".to_owned())
        );
        assert_eq!(judge(b"HTTP/1.0 302 Found\r\n\r\n"), Err("HTTP status 302".to_owned()));
        assert_eq!(
            judge(b"HTTP/1.1 301 Moved\r\nlocation: https://h/x\r\n\r\n"),
            Err("HTTP status 301, it sends on to https://h/x: that is not followed".to_owned())
        );
        assert!(judge(b"HTTP/1.1 200").is_err(), "the line may go on");
        for bad in [&b""[..], b"220 hello", b"HTTP/1.1\r\n", b"\xff"] {
            assert_eq!(judge(bad), Err("the answer is no HTTP".to_owned()));
        }
    }

    #[test]
    fn json() {
        assert_eq!(json_string("a\"b\\c\nd\te\u{1b}ü"), r#""a\"b\\c\nd\u0009e\u001bü""#);
    }
}
