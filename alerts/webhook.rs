//! `webhook.alert`: one request to whatever takes one, with a body that a template describes.

use std::io::Write as _;
use std::time::Duration;

use remon_core::getopt::{self, Options, Takes};
use remon_core::{reason, text};

use crate::deliver::{self, Message};
use crate::dispatch::{Dispatch, Outcome, Way};
use crate::fill::{Place, Values};
use crate::hook::{Hook, JSON, Url};
use crate::invocation::Invocation;
use crate::{account, letter, post};

/// What `--help` prints.
pub const USAGE: &str = "usage: webhook.alert [OPTION]... --url URL | --url-file FILE

Sends the alert to a web hook: Slack, Mattermost, Matrix, ntfy, PagerDuty,
Alertmanager, or a program of yours. Without a template the body is one JSON
object with all the names below.

  --url URL          http:// or https://; may hold {{ name }}
  --url-file FILE    the address is the first line of FILE, which must be ours
                     and of nobody else; it is then on no command line
  --template FILE    the body; where FILE ends in .json, {{ name }} stands for a
                     JSON value with its quotes, otherwise for the text itself
  --content-type T   what the body is (application/json; else text/plain)
  --method M         POST, PUT, PATCH or GET (POST)
  --header 'N: V'    one more header; may be repeated
  --header-file FILE headers, one a line, in a file that must be ours and of
                     nobody else: `Authorization: Bearer ...`
  -S SUMMARY         say this instead of the first line of standard input
  --ca FILE          trust only this certificate authority (those of the system)
  --timeout SECONDS  how long it may take (30)
  --show             print the request, with its secrets, and send nothing
  -s -g -h -t -l -u -a -D -T -O
                     as mon gives them

Names: up kind group service hosts summary detail subject status retval time
noticed server id first_failure last_failure first_success last_success
description ack last_summary last_output. Moments are seconds since 1970;
{{ time|iso }} is 2026-11-22T11:23:23Z. `up` is true or false, `id` the same for
each try of the same alert. {% if up %}...{% else %}...{% endif %} chooses;
templates are those of Jinja. Samples are in etc/webhook.

Exit status: 0 if it was taken (HTTP status 200 to 299), otherwise 2.
";

/// Everything that is known, for whoever writes a receiver of his own.
const EVERYTHING: &str = r#"{"up": {{ up }}, "kind": {{ kind }}, "group": {{ group }}, "service": {{ service }},
"hosts": {{ hosts }}, "status": {{ status }}, "retval": {{ retval }}, "summary": {{ summary }},
"detail": {{ detail }}, "subject": {{ subject }}, "description": {{ description }}, "ack": {{ ack }},
"time": {{ time }}, "first_failure": {{ first_failure }}, "last_failure": {{ last_failure }},
"first_success": {{ first_success }}, "last_success": {{ last_success }},
"last_summary": {{ last_summary }}, "last_output": {{ last_output }},
"server": {{ server }}, "id": {{ id }}}
"#;

/// A request that is not put together yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    address: Source,
    body: Body,
    content_type: Option<String>,
    method: String,
    headers: Vec<String>,
    header_file: Option<String>,
    ca: Option<String>,
    /// Only print it.
    show: bool,
    values: Values,
}

/// Addresses and headers are secrets.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "web hook with {:?}", self.body)
    }
}

/// Where an address stands, and what belongs behind it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Word(String),
    File(String, &'static str),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// All names and values, as JSON.
    Everything,
    /// What this file describes.
    Template(String),
    /// This text.
    Text(String),
}

/// The options of every alert that makes one request, but `--template` and `--url`.
pub(crate) const OPTIONS: [(&str, Takes); 8] = [
    ("url-file", Takes::Value),
    ("content-type", Takes::Value),
    ("method", Takes::Value),
    ("header", Takes::Value),
    ("header-file", Takes::Value),
    ("ca", Takes::Value),
    ("timeout", Takes::Value),
    ("show", Takes::Nothing),
];

/// The request, with what is to be filled in.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let words = [&OPTIONS[..], &[("url", Takes::Value), ("template", Takes::Value)]].concat();
    let options = getopt::letters_and_words(letter::LETTERS, &words, &invocation.words);
    let body = options.truthy("template").map_or(Body::Everything, |file| Body::Template(file.to_owned()));
    message(&options, Source::of(&options, "url", ""), body, invocation)
}

/// One request as the only way.
pub(crate) fn message(
    options: &Options,
    address: Result<Source, String>,
    body: Body,
    invocation: &Invocation,
) -> Message {
    let way = match address.and_then(|address| Webhook::of(options, address, body, invocation)) {
        Ok(webhook) => Way::Webhook(webhook),
        Err(why) => Way::Impossible(format!("web hook: {why}")),
    };
    let complaints = options.complaints.clone();
    Message::Send(Dispatch { ways: vec![way], limit: post::limit(options), complaints })
}

impl Source {
    /// The address that an option or `--url-file` gives.
    ///
    /// # Errors
    /// When there is none, or two.
    pub(crate) fn of(options: &Options, option: &str, behind: &'static str) -> Result<Source, String> {
        match (options.truthy(option), options.truthy("url-file")) {
            (Some(url), None) => Ok(Source::Word(format!("{url}{behind}"))),
            (None, Some(file)) => Ok(Source::File(file.to_owned(), behind)),
            (None, None) => Err(format!("no address: give --{option} or --url-file")),
            (Some(_), Some(_)) => Err(format!("two addresses: give --{option} or --url-file, not both")),
        }
    }
}

impl Webhook {
    fn of(
        options: &Options,
        address: Source,
        body: Body,
        invocation: &Invocation,
    ) -> Result<Webhook, String> {
        let method = options.truthy("method").unwrap_or("POST").to_ascii_uppercase();
        if !["POST", "PUT", "PATCH", "GET"].contains(&method.as_str()) {
            return Err(format!("--method {method}: it may be POST, PUT, PATCH or GET"));
        }
        let value = |name| options.truthy(name).map(str::to_owned);
        Ok(Webhook {
            address,
            body,
            content_type: value("content-type"),
            method,
            headers: options.all("header").map(str::to_owned).collect(),
            header_file: value("header-file"),
            ca: value("ca"),
            show: options.has("show"),
            values: Values::of(options, invocation),
        })
    }

    /// Puts the request together and sends it.
    pub(crate) fn send(&self, limit: Duration) -> Outcome {
        match self.hook() {
            Ok(hook) if self.show => show(&hook),
            Ok(hook) => hook.send(limit),
            Err(why) => Outcome::failed(format!("web hook: {why}")),
        }
    }

    /// The request, put together.
    ///
    /// # Errors
    /// When a file cannot be read, or what it says cannot be meant.
    pub(crate) fn hook(&self) -> Result<Hook, String> {
        let url = match &self.address {
            Source::Word(url) => url.clone(),
            Source::File(file, behind) => first_line(file)? + behind,
        };
        let url = self.values.fill(&url, Place::Address).map_err(|why| format!("the address: {why}"))?;
        let url = Url::parse(&url)
            .ok_or("the address is none: it begins with http:// or https:// and has no blanks")?;
        let mut headers = self.headers.iter().map(|line| header(line)).collect::<Result<Vec<_>, _>>()?;
        if let Some(file) = &self.header_file {
            let text = account::read_secret(file)?;
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let of_file =
                lines.map(|line| header(line).map_err(|_| format!("{file} holds a line that is no header")));
            headers.extend(of_file.collect::<Result<Vec<_>, _>>()?);
        }
        let (body, content_type) = self.body()?;
        let content_type = self.content_type.as_deref().unwrap_or(content_type);
        let (_, content_type) = header(&format!("Content-Type: {content_type}"))?;
        Ok(Hook { url, ca: self.ca.clone(), method: self.method.clone(), headers, content_type, body })
    }

    /// The body, and what it is.
    fn body(&self) -> Result<(String, &'static str), String> {
        if self.method == "GET" {
            return Ok((String::new(), "text/plain"));
        }
        const TEXT: &str = "text/plain; charset=utf-8";
        let file = match &self.body {
            Body::Everything => return Ok((self.values.fill(EVERYTHING, Place::Json)?, JSON)),
            Body::Text(text) => return Ok((text.clone(), TEXT)),
            Body::Template(file) => file,
        };
        let template = std::fs::read(deliver::path(file));
        let template = template.map_err(|error| format!("cannot read {file}: {}", reason::of(&error)))?;
        let template = text::decode(template);
        let in_file = |why| format!("{file}: {why}");
        if !file.ends_with(".json") {
            let body = self.values.fill(&template, Place::Plain).map_err(in_file)?;
            return Ok((body, TEXT));
        }
        let body = self.values.fill(&template, Place::Json).map_err(in_file)?;
        // A receiver would say `400` to this, and nothing else.
        serde_json::from_str::<serde::de::IgnoredAny>(&body)
            .map_err(|error| in_file(format!("filled in, it is no JSON: {error}")))?;
        Ok((body, JSON))
    }
}

fn first_line(file: &str) -> Result<String, String> {
    let text = account::read_secret(file)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map(str::to_owned).ok_or_else(|| format!("{file} is empty"))
}

/// `Name: value` in its parts; neither can begin another line.
fn header(line: &str) -> Result<(String, String), String> {
    let wrong = || "a header has the form `Name: value`".to_owned();
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let value = value.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte);
    let good = !name.is_empty() && name.bytes().all(is_token) && !value.chars().any(char::is_control);
    // These say how the request is to be read; a second one would make it two.
    let ours = ["host", "content-length", "transfer-encoding", "connection"];
    if ours.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("the header {name} is not yours to set"));
    }
    if good { Ok((name.to_owned(), value.to_owned())) } else { Err(wrong()) }
}

fn show(hook: &Hook) -> Outcome {
    let text = hook.request().replace("\r\n", "\n") + "\n";
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Outcome { accepted: 1, failures: Vec::new() },
        Err(error) => Outcome::failed(reason::of(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(words: &[&str]) -> Result<Hook, String> {
        let given = ["-s", "http", "-g", "web", "-h", "hostA hostB", "-t", "1795346603"];
        let message = compose(&Invocation::sample(&[&given, words].concat(), "a\" }\nb\n"));
        let Message::Send(Dispatch { ways, .. }) = message else { panic!("{message:?}") };
        match ways.into_iter().next() {
            Some(Way::Webhook(webhook)) => webhook.hook(),
            Some(Way::Impossible(why)) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_is_json() {
        let hook = hook(&["--url", "http://h/x"]).unwrap_or_else(|why| panic!("{why}"));
        let all = serde_json::from_str::<serde_json::Value>(&hook.body).expect("it is JSON");
        assert_eq!((&all["summary"], &all["detail"]), (&"a\" }".into(), &"b\n".into()));
        assert_eq!((&all["up"], &all["time"]), (&false.into(), &1_795_346_603.into()));
        assert_eq!((&all["hosts"][1], &all["retval"]), (&"hostB".into(), &serde_json::Value::Null));
    }

    #[test]
    fn the_request() {
        let words = ["--url", "http://h:81/{{ id }}?u={{ up }}", "--method", "put", "--header", "Title: x y"];
        let request = hook(&words).unwrap_or_else(|why| panic!("{why}")).request();
        let (head, _) = request.split_once("\r\n\r\n").expect("there is a body");
        let lines = head.split("\r\n").collect::<Vec<_>>();
        assert!(lines[0].starts_with("PUT /") && lines[0].ends_with("?u=false HTTP/1.1"), "{head}");
        assert!(lines.contains(&"Title: x y") && lines.contains(&"Content-Type: application/json"), "{head}");
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (words, expect) in [
            (&[][..], "no address"),
            (&["--url", "h"], "the address is none"),
            (&["--url", "http://h/{{ nix }}"], "the address: line 1: it names what there is none of"),
            (&["--url", "http://h", "--url-file", "f"], "two addresses"),
            (&["--url", "http://h", "--method", "DELETE"], "--method DELETE"),
            (&["--url", "http://h", "--header", "no header"], "a header has the form"),
            (&["--url", "http://h", "--header", "A: b\r\nX: y"], "a header has the form"),
            (&["--url", "http://h", "--header", "Content-Length: 0"], "the header Content-Length is not"),
            (&["--url", "http://h", "--content-type", "a\nb"], "a header has the form"),
            (&["--url", "http://h", "--template", "/nonexistent.json"], "cannot read /nonexistent.json"),
        ] {
            let why = hook(words).map(|hook| hook.request()).expect_err("it is wrong");
            assert!(why.contains(expect), "{words:?}: {why}");
        }
    }
}
