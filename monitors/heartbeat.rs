//! `heartbeat.monitor`: tells a dead-man service that mon still runs its monitors.
//!
//! Such a service calls people when it has *not* heard for a while, and so notices what no monitor can: that this
//! machine, its mon, or its network is gone.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use remon_core::getopt::{self, Options, Takes};
use remon_core::url::Url;
use remon_core::{reason, text};

use crate::invocation::{self, Invocation};
use crate::link::{self, Link, Trouble};
use crate::report::Report;
use crate::tls::Tls;

const USAGE: &str = "usage: heartbeat.monitor [OPTION]... --url URL | --url-file FILE [HOST]...

Requests an address at each run, so that a dead-man service, such as
Healthchecks, knows that mon runs; fails if the service does not take it. Hosts
mean nothing to it. heartbeat.alert tells the same service of failures.

  --url URL          http:// or https://
  --url-file FILE    the address is the first line of FILE, which must be ours
                     and of nobody else; it is then on no command line
  --method M         GET, HEAD, POST or PUT (GET)
  --ca FILE          trust these authorities (file or directory) instead of the
                     system's
  --timeout SECONDS  how long all of it may take (30)
  --help             this text

  service heartbeat
      interval 1m
      monitor heartbeat.monitor --url-file /etc/mon/heartbeat.url ;;

Success is HTTP status 200 to 299. Let the service wait for two or three
intervals before it calls anybody.
";

const OPTIONS: [(&str, Takes); 6] = [
    ("url", Takes::Value),
    ("url-file", Takes::Value),
    ("method", Takes::Value),
    ("ca", Takes::Value),
    ("timeout", Takes::Value),
    ("help", Takes::Nothing),
];

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read of an answer: its first line, and enough of the rest to say what is wrong.
const MOST_ANSWER: usize = 8192;

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters_and_words("", &OPTIONS, &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let deadline = invocation.deadline(invocation::seconds(options.value("timeout"), DEFAULT_TIMEOUT));
    let report = match Request::read(&options) {
        Err(why) => Report::refusal(format!("heartbeat.monitor: {why}")),
        // The address itself is a secret: only the host is told.
        Ok(request) => match request.send(deadline) {
            Ok(()) => Report::good(),
            Err(why) => Report::failure(format!("heartbeat not taken by {}: {why}", request.url.authority)),
        },
    };
    report.with_complaints(&options.complaints)
}

struct Request {
    url: Url,
    method: String,
    tls: Option<Tls>,
}

impl Request {
    fn read(options: &Options) -> Result<Request, String> {
        let url = match (options.truthy("url"), options.truthy("url-file")) {
            (Some(url), None) => url.to_owned(),
            (None, Some(file)) => first_line(file)?,
            (None, None) => return Err("no address: give --url or --url-file".to_owned()),
            (Some(_), Some(_)) => return Err("two addresses: give --url or --url-file, not both".to_owned()),
        };
        let url = Url::parse(&url)
            .ok_or("the address is none: it begins with http:// or https:// and has no blanks")?;
        let method = options.truthy("method").unwrap_or("GET").to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(format!("--method {method}: it may be {}", METHODS.join(", ")));
        }
        let tls = if url.encrypted { Some(Tls::judging(options.value("ca"))?) } else { None };
        Ok(Request { url, method, tls })
    }

    fn send(&self, deadline: Instant) -> Result<(), String> {
        let Url { host, port, .. } = &self.url;
        let mut link = link::connect(host, *port, deadline).map_err(|trouble| trouble.words())?;
        if let Some(tls) = &self.tls {
            let (encrypted, peer) = tls.encrypt(link, host).map_err(|trouble| trouble.words())?;
            peer.trust.map_err(|why| Trouble::Tls(why).words())?;
            link = encrypted;
        }
        judge(&self.exchange(&mut link).map_err(|error| Trouble::of(&error).words())?)
    }

    fn exchange(&self, link: &mut Link) -> io::Result<Vec<u8>> {
        let Request { url, method, .. } = self;
        let length = if ["POST", "PUT"].contains(&method.as_str()) { "Content-Length: 0\r\n" } else { "" };
        let request = format!(
            "{method} {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: remon\r\nAccept: */*\r\n{length}Connection: close\r\n\r\n",
            url.path, url.authority
        );
        link.write_all(request.as_bytes())?;
        link.flush()?;
        let mut answer = Vec::new();
        let mut chunk = [0; 2048];
        // A service that took it is not waited for: some leave the connection open whatever they are told.
        while answer.len() < MOST_ANSWER && !(answer.contains(&b'\n') && judge(&answer).is_ok()) {
            match link.read(&mut chunk) {
                Ok(0) => break,
                Ok(size) => answer.extend_from_slice(&chunk[..size]),
                // What it said before it fell silent or hung up may be enough.
                Err(_) if !answer.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    }
}

/// The first line of a file that nobody else may read.
fn first_line(file: &str) -> Result<String, String> {
    let path = invocation::path(file);
    let unreadable = |error: io::Error| format!("cannot read {file}: {}", reason::of(&error));
    let about = std::fs::metadata(&path).map_err(unreadable)?;
    // This directory belongs to whom we are effectively.
    if about.uid() != std::fs::metadata("/proc/self").map_err(unreadable)?.uid() {
        return Err(format!("you must own {file}"));
    }
    if about.mode() & 0o077 != 0 {
        return Err(format!("{file} must not be accessible by others"));
    }
    let text = std::fs::read(&path).map(text::decode).map_err(unreadable)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map(str::to_owned).ok_or_else(|| format!("{file} is empty"))
}

/// Has the service taken it?
///
/// # Errors
/// What it said instead.
pub fn judge(answer: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let code = first.strip_prefix("HTTP/").and_then(|rest| rest.split_whitespace().nth(1));
    let header = |name: &str| {
        let named = |line: &str| {
            line.split_once(':')
                .filter(|(its, _)| its.eq_ignore_ascii_case(name))
                .map(|(_, v)| v.trim().to_owned())
        };
        rest.lines().take_while(|line| !line.trim().is_empty()).find_map(named)
    };
    match code.and_then(|code| code.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(code @ 300..=399) => {
            let place =
                header("location").map(|place| format!(", it sends on to {place}: that is not followed"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let told = |answer: &str| judge(answer.as_bytes()).err().unwrap_or_default();
        assert_eq!(told("HTTP/1.1 200 OK\r\n\r\nOK"), "");
        assert_eq!(told("HTTP/1.1 204 No Content\r\n\r\n"), "");
        assert_eq!(told("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nnot  found\n"), "HTTP status 404 not found");
        assert_eq!(
            told("HTTP/1.1 301 Moved\r\nlocation: https://h/x\r\n\r\n"),
            "HTTP status 301, it sends on to https://h/x: that is not followed"
        );
        for bad in ["", "220 hello", "HTTP/1.1", "\u{fffd}"] {
            assert_eq!(told(bad), "the answer is no HTTP", "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (words, expect) in [
            (&[][..], "no address"),
            (&["--url", "h"], "the address is none"),
            (&["--url", "http://h", "--url-file", "f"], "two addresses"),
            (&["--url", "http://h", "--method", "DELETE"], "--method DELETE: it may be GET"),
            (&["--url-file", "/nonexistent"], "cannot read /nonexistent: No such file"),
            (&["--url-file", "/etc/passwd"], "/etc/passwd"),
            (&["--url", "https://h", "--ca", "/nonexistent"], "/nonexistent"),
        ] {
            let report = run(&Invocation::of(words));
            assert!(report.exit == 1 && report.summary.contains(expect), "{words:?}: {}", report.summary);
        }
    }
}
