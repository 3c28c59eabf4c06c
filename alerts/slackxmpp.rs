//! `slackxmpp.alert`: post to a web hook of Slack, and send XMPP messages.

use remon_core::getopt::{self, Options};

use crate::deliver::Message;
use crate::dispatch::{Dispatch, Way};
use crate::invocation::Invocation;
use crate::letter::{self, Letter};
use crate::{chat, post};

/// What `--help` prints.
pub const USAGE: &str = "usage: slackxmpp.alert [OPTION]... [-h URL] [-x JID,...]

Posts the alert to a web hook of Slack, or of what understands the same, and
sends it over XMPP, both at the same time.

  -h URL           the web hook, http:// or https://; mon gives the hosts by the
                   same letter, the last one counts
  -x JID,...       over XMPP; see mailxmpp.alert --help for --room and
                   --xmpp-account
  -S SUMMARY       say this instead of the first line of standard input
      --ca FILE    trust only this certificate authority (those of the system)
      --timeout SECONDS
                   how long each way may take (30)
  -s -g -t -l -u -a -D -T -O
                   as mon gives them

Exit status: 0 if everybody was accepted, 1 if some were, 2 if nobody was.
";

/// The post and the message.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let letters = format!("{}x:", letter::LETTERS);
    let words = [&post::OPTIONS[..], &chat::OPTIONS].concat();
    let options = getopt::letters_and_words(&letters, &words, &invocation.words);
    let letter = Letter::of(&options, invocation);
    let chat = chat::way(&options, invocation, &letter.subject, |room| letter.short_text(room));
    // Without an address of ours, -h is mon's list of hosts.
    let url = options.value("h").filter(|url| url.contains("://"));
    let hook = url.map(|url| hook(&options, &letter, url));
    let ways = hook.into_iter().chain(chat).collect();
    Message::Send(Dispatch { ways, limit: post::limit(&options), complaints: options.complaints })
}

#[cfg(feature = "tls")]
fn hook(options: &Options, letter: &Letter, url: &str) -> Way {
    use crate::hook::{Hook, Url};
    match Url::parse(url) {
        Some(url) => {
            let ca = options.truthy("ca").map(str::to_owned);
            Way::Hook(Hook::json(url, ca, json(letter)))
        }
        None => Way::Impossible("web hook: the value of -h is no address".to_owned()),
    }
}

#[cfg(not(feature = "tls"))]
fn hook(_: &Options, _: &Letter, _: &str) -> Way {
    Way::Impossible("web hook: not part of this build".to_owned())
}

/// What Slack is sent. It takes `<!channel>` for a call to everybody, which no monitor may make.
#[cfg(feature = "tls")]
fn json(letter: &Letter) -> String {
    /// Slack cuts at 40,000 characters.
    const MOST_DETAIL: usize = 30_000;
    let Letter { subject, noticed, next_alert, detail, .. } = letter;
    let detail = letter::cut(detail, MOST_DETAIL);
    let mut text = format!(
        "{subject}\nTime noticed : {noticed}\nSecs until next alert : {next_alert}\n\
         Detailed text (if any) follows:\n{detail}"
    );
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("{{\"text\":{}}}", crate::hook::json_string(&text))
}

#[cfg(all(test, feature = "xmpp"))]
mod tests {
    use super::*;

    fn ways(words: &[&str], input: &str) -> Vec<Way> {
        let given = ["-s", "http", "-g", "web", "-h", "hostA hostB", "-t", "1795346603", "-l", "3600"];
        match compose(&Invocation::sample(&[&given, words].concat(), input)) {
            Message::Send(dispatch) => dispatch.ways,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_post_and_the_message_of_the_original() {
        let ways = ways(
            &["-x", "a@b,c@d", "-h", "https://hooks.example.test/abc"],
            "hostA\none\n\t\"q\" it's\n\nlast",
        );
        let [Way::Hook(hook), Way::Xmpp(message)] = &ways[..] else { panic!("{ways:?}") };
        let expect = r#"{"text":"ALERT web/http: hostA (Sun Nov 22 11:23:23)\nTime noticed : Sun Nov 22 11:23:23 2026\nSecs until next alert : 3600\nDetailed text (if any) follows:\none\n\u0009\"q\" it's\n\nlast\n"}"#;
        assert_eq!(hook.body, expect);
        let expect = "ALERT web/http: hostA (Sun Nov 22 11:23:23)\n\n\
            Time noticed          : Sun Nov 22 11:23:23 2026\nSecs until next alert : 3600\n\n\
            Detailed text (if any) follows:\n-------------------------------\none\n\t\"q\" it's\n\nlast";
        assert_eq!((message.text.as_str(), message.people.len()), (expect, 2));
    }

    #[test]
    fn halves() {
        assert!(ways(&[], "x").is_empty(), "mon's hosts are no address");
        assert!(matches!(ways(&["-x", "a@b"], "x")[..], [Way::Xmpp(_)]));
        assert!(matches!(ways(&["-h", "https://h/a b"], "x")[..], [Way::Impossible(_)]));
    }

    #[test]
    fn nothing_calls_everybody() {
        let ways = ways(&["-h", "https://h/"], "<!channel> & \"},{\"\n");
        let [Way::Hook(hook)] = &ways[..] else { panic!("{ways:?}") };
        assert!(hook.body.contains(r#"&lt;!channel&gt; &amp; \"},{\" (Sun"#), "{}", hook.body);
    }
}
