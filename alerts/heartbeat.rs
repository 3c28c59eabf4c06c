//! `heartbeat.alert`: tell a dead-man service how a service fares.
//!
//! Such a service calls people when it has *not* heard that all is well, and so notices what no monitor of ours
//! can: that this machine, or its network, is gone.

use remon_core::getopt::{self, Takes};

use crate::deliver::Message;
use crate::invocation::Invocation;
use crate::letter::{self, Letter};
use crate::webhook::{self, Body, Source};

/// What `--help` prints.
pub const USAGE: &str = "usage: heartbeat.alert [OPTION]... --url URL | --url-file FILE

Tells a dead-man service, such as Healthchecks, of a failure and of its end. For
the regular ping that mon itself is alive use heartbeat.monitor as a monitor.

  --url URL          what is requested when a service is well (upalert,
                     startupalert)
  --fail-url URL     what is requested when it fails (URL with /fail behind it)
  --url-file FILE    in place of --url: the address is the first line of FILE,
                     which must be ours and of nobody else
  --method M         POST, PUT, PATCH or GET (POST); all but GET carry the alert
                     as text
  --header --header-file --content-type --ca --timeout --show -S
                     see webhook.alert --help; an address may hold {{ name }}
  -s -g -h -t -l -u -a -D -T -O
                     as mon gives them

Exit status: 0 if it was taken (HTTP status 200 to 299), otherwise 2.
";

/// The longest text; Healthchecks keeps 100 kB of it.
const MOST_TEXT: usize = 90_000;

/// The request.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let words = [&webhook::OPTIONS[..], &[("url", Takes::Value), ("fail-url", Takes::Value)]].concat();
    let options = getopt::letters_and_words(letter::LETTERS, &words, &invocation.words);
    let startup = invocation.variable("MON_ALERTTYPE") == Some("startup");
    let address = if options.has("u") || startup {
        Source::of(&options, "url", "")
    } else if let Some(url) = options.truthy("fail-url") {
        Ok(Source::Word(url.to_owned()))
    } else {
        Source::of(&options, "url", "/fail")
    };
    let letter = Letter::of(&options, invocation);
    let text = format!("{}\n{}", letter.subject, letter::cut(&letter.detail, MOST_TEXT));
    webhook::message(&options, address, Body::Text(text), invocation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Way;

    fn first_line(words: &[&str], kind: &str) -> String {
        let given = ["-s", "http", "-g", "web", "-h", "hostA", "-t", "1795346603"];
        let mut invocation = Invocation::sample(&[&given, words].concat(), "down\ndetail\n");
        invocation.env.insert("MON_ALERTTYPE".to_owned(), kind.to_owned());
        let message = compose(&invocation);
        let Message::Send(dispatch) = message else { panic!("{message:?}") };
        match &dispatch.ways[..] {
            [Way::Webhook(webhook)] => {
                let request = webhook.hook().unwrap_or_else(|why| panic!("{why}")).request();
                request.lines().next().unwrap_or_default().to_owned()
            }
            [Way::Impossible(why)] => why.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn good_and_bad_news_have_their_addresses() {
        let url = ["--url", "https://hc.example.test/a"];
        assert_eq!(first_line(&url, "failure"), "POST /a/fail HTTP/1.1");
        assert_eq!(first_line(&[&url[..], &["-u"]].concat(), "up"), "POST /a HTTP/1.1");
        assert_eq!(first_line(&url, "startup"), "POST /a HTTP/1.1");
        let kuma =
            ["--url", "http://k/p?up", "--fail-url", "http://k/p?msg={{ summary }}", "--method", "get"];
        assert_eq!(first_line(&kuma, "failure"), "GET /p?msg=down HTTP/1.1");
        assert_eq!(first_line(&[], "failure"), "web hook: no address: give --url or --url-file");
    }
}
