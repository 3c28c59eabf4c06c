//! `mailxmpp.alert`: send mail and XMPP messages.

use remon_core::getopt;

use crate::deliver::Message;
use crate::dispatch::Dispatch;
use crate::invocation::Invocation;
use crate::letter::{self, Letter};
use crate::{chat, post};

/// What `--help` prints.
pub const USAGE: &str = "usage: mailxmpp.alert [OPTION]... [-m ADDRESS,...] [-x JID,...]

Mails the alert and sends it over XMPP, both at the same time: if one way is
blocked, the other is as fast as ever.

  -m ADDRESS,...   by mail; see mail.alert --help for -f, --sendmail, --smtp,
                   --tls, --plain and --smtp-auth
  -x JID,...       over XMPP
      --room ROOM,...
                   into these group chats, which must exist
      --xmpp-account FILE
                   our XMPP account, in the form of sendxmpp (~/.sendxmpprc)
  -S SUMMARY       say this instead of the first line of standard input
      --ca FILE    trust only this certificate authority (those of the system)
      --timeout SECONDS
                   how long each way may take (30)
  -s -g -h -t -l -u -a -D -T -O
                   as mon gives them

Exit status: 0 if everybody was accepted, 1 if some were, 2 if nobody was.
";

/// The mail and the message.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let letters = format!("{}f:m:x:", letter::LETTERS);
    let words = [&post::OPTIONS[..], &chat::OPTIONS].concat();
    let options = getopt::letters_and_words(&letters, &words, &invocation.words);
    let letter = Letter::of(&options, invocation);
    let recipients = letter::list(&options, "m");
    let mail = post::way(&options, invocation, &letter, &recipients, "mailxmpp.alert");
    let chat = chat::way(&options, invocation, &letter.subject, |room| letter.text(room));
    let ways = mail.into_iter().chain(chat).collect();
    Message::Send(Dispatch { ways, limit: post::limit(&options), complaints: options.complaints })
}

#[cfg(all(test, feature = "xmpp"))]
mod tests {
    use super::*;
    use crate::dispatch::Way;
    use crate::xmpp::Xmpp;

    fn ways(words: &[&str]) -> Vec<Way> {
        let given = ["-s", "http", "-g", "web", "-h", "hostA", "-t", "1795346603", "-u"];
        let mut invocation = Invocation::sample(&[&given, words].concat(), "sum\ndetail\nlast");
        invocation.env.insert("HOME".to_owned(), "/var/lib/mon".to_owned());
        match compose(&invocation) {
            Message::Send(dispatch) => dispatch.ways,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_message_of_the_original() {
        let ways = ways(&["-x", "user@xmpp.example.test,second@xmpp.example.test", "--room", "ops@r"]);
        let [Way::Xmpp(Xmpp { account_file, ca: None, resource, people, rooms, text })] = &ways[..] else {
            panic!("{ways:?}")
        };
        assert_eq!((account_file.as_str(), resource.as_str()), ("/var/lib/mon/.sendxmpprc", "servera"));
        assert_eq!(people[..], ["user@xmpp.example.test", "second@xmpp.example.test"]);
        assert_eq!(rooms[..], ["ops@r"]);
        let expect = "UPALERT web/http: sum (Sun Nov 22 11:23:23)\n\nGroup                 : web\n\
            Service               : http\nTime noticed          : Sun Nov 22 11:23:23 2026\n\
            Secs until next alert : \nMembers \t      : hostA\n\nDetailed text (if any) follows:\n\
            -------------------------------\ndetail\nlast";
        assert_eq!(text, expect);
    }

    #[test]
    fn only_the_halves_that_have_somebody() {
        let kinds = |words: &[&str]| {
            let name = |way: &Way| match way {
                Way::Sendmail(mail) => format!("mail {}", mail.recipients),
                Way::Xmpp(message) => format!("xmpp {}", message.people.len()),
                other => format!("{other:?}"),
            };
            ways(words).iter().map(name).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(kinds(&["-m", "a@b,c", "-x", "j@k"]), "mail 2, xmpp 1");
        assert_eq!(kinds(&["-m", "a@b", "-m", "d"]), "mail 2");
        assert_eq!(kinds(&["-x", "j@k,"]), "xmpp 1");
        assert_eq!(kinds(&["ignored@x"]), "");
    }
}
