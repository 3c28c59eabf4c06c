//! `http.monitor`: does a web server answer, and with what?

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remon_core::{getopt, text};

use crate::invocation::{self, Invocation};
use crate::link::{self, Link, Trouble};
use crate::pattern::Pattern;
use crate::report::Report;
use crate::security::{self, Mode, Security};
use crate::{parallel, port, resolve};

const USAGE: &str =
    "usage: http.monitor [-p PORT] [-t SECONDS] [-u PATH] [-a AGENT] [-m REGEX] [-o] [--tls] HOST...

Gets one page from every host; fails if any host does not answer with status
200, 301, 302 or 401, or, with -m, if the pattern is not in its answer.

  -p PORT     number or name of the port (80; 443 with --tls)
  -t SECONDS  how long one host may take, all hosts at the same time (30)
  -u PATH     what to get (/)
  -a AGENT    the User-Agent (mon.d/http.monitor)
  -m REGEX    a pattern in header or page; it alone decides, whatever the status
  -o          tell nothing of healthy hosts
      --tls       https
";

const DEFAULT_PORT: u16 = 80;
const DEFAULT_TLS_PORT: u16 = 443;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_AGENT: &str = "mon.d/http.monitor";

/// Of an answer that goes on, this much is looked at.
const MOST_BYTES: u64 = 4 << 20;

/// A longer header is told only so far.
const MOST_HEADER: usize = 16 << 10;

/// Perl's status when a script dies, as the original does over a pattern that is none.
const DIED: u8 = 255;

/// What is asked of every host.
struct Question {
    port: u16,
    /// Sent verbatim.
    path: String,
    agent: String,
    pattern: Option<Pattern>,
    security: Security,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is in the bytes that came.
    pub page: Page,
    /// Why no more came, if that was not the end.
    pub broken: Option<Trouble>,
    /// When the certificate expires, in words.
    pub certificate: Option<String>,
}

/// What is in an answer, however complete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The lines before the first empty one.
    pub header: String,
    /// Does it begin with a status that is well?
    pub good_status: bool,
    /// Is the pattern in it, if there is one? Or why that cannot be said.
    pub matched: Option<Result<bool, String>>,
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let words = security::WORDS.iter().filter(|(word, _)| *word != "starttls").copied().collect::<Vec<_>>();
    let options = getopt::letters_and_words("p:t:u:a:m:o", &words, &invocation.words);
    if options.has("help") {
        return Report::help(&[USAGE, security::HELP, "      --help      this text\n"].concat());
    }
    let hosts = invocation::distinct(&options.words);
    if hosts.is_empty() {
        return Report::good().with_complaints(&options.complaints);
    }
    let pattern = match options.value("m").filter(|pattern| !pattern.is_empty()).map(Pattern::new).transpose()
    {
        Ok(pattern) => pattern,
        Err(why) => return Report { exit: DIED, ..Report::refusal(format!("http.monitor: -m: {why}")) },
    };
    let security = match Security::read(&options) {
        Ok(security) => security,
        Err(why) => return Report::refusal(format!("http.monitor: {why}")),
    };
    let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
    let answers = match port::named(options.truthy("p"), security.port(DEFAULT_PORT, DEFAULT_TLS_PORT)) {
        Ok(port) => {
            let path = options.truthy("u").unwrap_or("/").to_owned();
            let agent = options.truthy("a").unwrap_or(DEFAULT_AGENT).to_owned();
            let question = Arc::new(Question { port, path, agent, pattern, security });
            parallel::probe_hosts(&hosts, span, move |host, deadline| question.ask(host, deadline))
        }
        Err(unknown) => hosts.iter().map(|_| Some(Err(Trouble::Failed(unknown.clone())))).collect(),
    };
    let limit = invocation::seconds_as_written(options.value("t"), DEFAULT_TIMEOUT);
    judge(&hosts, &answers, &limit, options.has("o")).with_complaints(&options.complaints)
}

impl Question {
    /// Word by word as the original sends it: some servers tell it from a browser's by that.
    fn request(&self, host: &str) -> Vec<u8> {
        // An IPv6 address stands in brackets there, however it was written.
        let is_ipv6 = host.parse::<std::net::Ipv6Addr>().is_ok();
        let host = if is_ipv6 { format!("[{host}]") } else { host.to_owned() };
        let Question { path, agent, .. } = self;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\r\n");
        text::encode(&request).into_owned()
    }

    fn ask(&self, host: &str, deadline: Instant) -> Result<Answer, Trouble> {
        let address = resolve::first(host, self.port, deadline)?;
        let link = link::dial(address, deadline)?;
        let (mut link, certificate) = match self.security.mode {
            Mode::Plain => (link, None),
            Mode::Tls | Mode::StartTls => {
                let (link, words) = self.security.encrypt(link, host)?;
                (link, Some(words))
            }
        };
        let (content, broken) = self.fetch(&mut link, host);
        let page = examine(&content, self.pattern.as_ref());
        Ok(Answer { page, broken, certificate })
    }

    /// What the server sends until it hangs up, and what happened if it did not.
    fn fetch(&self, link: &mut Link, host: &str) -> (Vec<u8>, Option<Trouble>) {
        let mut content = Vec::new();
        let asked = link.write_all(&self.request(host)).and_then(|()| link.flush());
        // A server may answer and hang up before it has read everything.
        let read = link.take(MOST_BYTES).read_to_end(&mut content);
        let error = read.err().or(asked.err());
        (content, error.map(|error| Trouble::of(&error)))
    }
}

/// Reads an answer.
#[must_use]
pub fn examine(content: &[u8], pattern: Option<&Pattern>) -> Page {
    let mut header = header(content).to_vec();
    header.truncate(MOST_HEADER);
    Page {
        header: text::decode(header),
        good_status: good_status(content),
        matched: pattern.map(|pattern| pattern.is_in(content)),
    }
}

/// What comes before the first empty line; nothing if there is none.
fn header(content: &[u8]) -> &[u8] {
    for (at, _) in content.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let rest = &content[at + 1..];
        if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return content[..at].strip_suffix(b"\r").unwrap_or(&content[..at]);
        }
    }
    b""
}

/// `HTTP/1.1 200` and the like.
fn good_status(content: &[u8]) -> bool {
    let Some(rest) = content.strip_prefix(b"HTTP/") else { return false };
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let version = rest.iter().take_while(|byte| is_version(byte)).count();
    let rest = &rest[version..];
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &rest[blanks..];
    let good = ["200", "301", "302", "401"].iter().any(|status| rest.starts_with(status.as_bytes()));
    let ends = rest.get(3).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    version > 0 && blanks > 0 && good && ends
}

/// Is it well? The pattern, if there is one, decides alone. What had arrived before the time was up counts.
fn verdict(answer: &Answer, limit: &str) -> Result<(), String> {
    let error = match (&answer.page.matched, answer.page.good_status) {
        (Some(Ok(true)), _) | (None, true) => return Ok(()),
        (Some(Err(why)), _) => return Err(format!("Regex match failed: {why}")),
        (Some(Ok(false)), _) => "Regex match failed",
        (None, false) => "HTTP response code failure",
    };
    match &answer.broken {
        Some(Trouble::TimedOut) => Err(timeout(limit)),
        Some(trouble) => Err(format!("{error}: {}", trouble.words())),
        None => Err(error.to_owned()),
    }
}

fn timeout(limit: &str) -> String {
    format!("timeout after {limit} seconds")
}

/// Turns the answers, in the order of the hosts, into the report.
#[must_use]
pub fn judge(
    hosts: &[String],
    answers: &[Option<Result<Answer, Trouble>>],
    limit: &str,
    quiet: bool,
) -> Report {
    let (mut failed, mut bad, mut good) = (Vec::new(), String::new(), String::new());
    for (host, answer) in hosts.iter().zip(answers) {
        let error = match answer.as_ref().unwrap_or(&Err(Trouble::TimedOut)) {
            Ok(answer) => match verdict(answer, limit) {
                Ok(()) => {
                    good += &format!("HOST {host}: ok\n{}\n{}\n", answer.page.header, certificate(answer));
                    continue;
                }
                Err(error) if answer.page.header.is_empty() => format!("{error}\n{}", certificate(answer)),
                Err(error) => format!("{error}\n{}\n{}", answer.page.header, certificate(answer)),
            },
            Err(Trouble::TimedOut) => timeout(limit) + "\n",
            Err(Trouble::Unresolved(why)) => format!("gethostbyname failure: {why}\n"),
            Err(Trouble::Failed(why)) => format!("connect: {why}\n"),
            Err(other) => other.words() + "\n",
        };
        failed.push(host.as_str());
        bad += &format!("HOST {host}: {error}\n");
    }
    let detail = if quiet { bad } else { bad + &good };
    Report { empty_line: true, ..Report::with_detail(failed, detail) }
}

fn certificate(answer: &Answer) -> String {
    answer.certificate.as_ref().map(|words| format!("{words}\n")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.0 200 OK\r\nServer: lab\r\n\r\nhello\n";

    fn answer(content: &[u8], pattern: Option<&str>, broken: Option<Trouble>) -> Answer {
        let pattern = pattern.map(|pattern| Pattern::new(pattern).expect("it is a pattern"));
        Answer { page: examine(content, pattern.as_ref()), broken, certificate: None }
    }

    #[test]
    fn statuses() {
        for (content, good) in [
            (&b"HTTP/1.0 200 OK\r\n\r\n"[..], true),
            (b"HTTP/1.1 302", true),
            (b"HTTP/2 \t301\n", true),
            (b"HTTP/1.1 401 no", true),
            (b"HTTP/1.1 303 See Other", false),
            (b"HTTP/1.1 2000", false),
            (b"HTTP/1.1 200x", false),
            (b"HTTP/1.1200 OK", false),
            (b"HTTP/ 200 OK", false),
            (b"ICY 200 OK", false),
            (b"", false),
        ] {
            assert_eq!(good_status(content), good, "{}", String::from_utf8_lossy(content));
        }
    }

    #[test]
    fn headers() {
        for (content, expect) in [
            (OK, "HTTP/1.0 200 OK\r\nServer: lab"),
            (b"a\nb\n\nc\n\n", "a\nb"),
            (b"a\r\n\nb", "a"),
            (b"a\r\n", ""),
            (b"", ""),
        ] {
            assert_eq!(examine(content, None).header, expect);
        }
        let long = [&b"x".repeat(100_000)[..], b"\n\n"].concat();
        assert_eq!(examine(&long, None).header.len(), MOST_HEADER);
    }

    #[test]
    fn what_decides() {
        let late = || Some(Trouble::TimedOut);
        let bad = &b"HTTP/1.0 500 no\r\n\r\nhello\n"[..];
        for (answer, expect) in [
            (answer(OK, None, None), Ok(())),
            (answer(OK, None, late()), Ok(())),
            (answer(bad, None, None), Err("HTTP response code failure")),
            (answer(bad, None, late()), Err("timeout after 3 seconds")),
            (answer(b"", None, late()), Err("timeout after 3 seconds")),
            (answer(bad, Some("hel+o"), None), Ok(())),
            (answer(OK, Some("bye"), None), Err("Regex match failed")),
            (answer(OK, Some("bye"), late()), Err("timeout after 3 seconds")),
        ] {
            assert_eq!(verdict(&answer, "3"), expect.map_err(str::to_owned), "{answer:?}");
        }
    }

    #[test]
    fn the_report_of_the_original() {
        let hosts = ["h4", "h1", "h3", "h2", "h5"].map(str::to_owned);
        let not_found = answer(b"HTTP/1.0 404 Not Found\r\nServer: lab\r\n\r\n", None, None);
        let refused = Err(Trouble::Failed("Connection refused".into()));
        let unknown = Err(Trouble::Unresolved("Name or service not known".into()));
        let good = Ok(answer(OK, None, None));
        let answers = [Some(Ok(not_found)), Some(good.clone()), Some(refused), None, Some(unknown)];
        let bad = "h2 h3 h4 h5\n\
             HOST h4: HTTP response code failure\nHTTP/1.0 404 Not Found\r\nServer: lab\n\n\
             HOST h3: connect: Connection refused\n\n\
             HOST h2: timeout after 3 seconds\n\n\
             HOST h5: gethostbyname failure: Name or service not known\n\n";
        assert_eq!(judge(&hosts, &answers, "3", true).text(), bad);
        let healthy = "HOST h1: ok\nHTTP/1.0 200 OK\r\nServer: lab\n\n";
        assert_eq!(judge(&hosts, &answers, "3", false).text(), format!("{bad}{healthy}"));
        assert_eq!(judge(&hosts[1..2], &[Some(good)], "3", true).text(), "\n");
    }

    #[test]
    fn wrong_words() {
        assert_eq!(run(&Invocation::of(&["-p", "80"])), Report::good());
        let report = run(&Invocation::of(&["-m", "(", "127.0.0.1"]));
        assert!(report.summary.starts_with("http.monitor: -m: ") && report.exit == DIED, "{report:?}");
        let report = run(&Invocation::of(&["-p", "no-such-port", "h"]));
        assert_eq!(report.text(), "h\nHOST h: connect: unknown port name no-such-port\n\n");
    }
}
