//! `mail.alert`: send mail.

use remon_core::getopt;

use crate::deliver::Message;
use crate::dispatch::Dispatch;
use crate::invocation::Invocation;
use crate::letter::{self, Letter};
use crate::post;

/// What `--help` prints.
pub const USAGE: &str = "usage: mail.alert [OPTION]... ADDRESS...

Mails the alert, by the local mail system or by a server. Where the local mail
system needs a set-id bit and NoNewPrivileges of systemd takes it away, the mail
goes to the server at port 25 of this machine.

  -S SUMMARY       say this instead of the first line of standard input
  -f ADDRESS       envelope sender
      --sendmail FILE
                   the program of the local mail system (/usr/lib/sendmail)
      --smtp HOST[:PORT]
                   hand the mail to this server (port 25, or 465 with --tls);
                   STARTTLS is used if it is offered
      --tls        encrypted from the start
      --plain      never encrypted; then no password is sent
      --ca FILE    trust only this certificate authority (those of the system)
      --smtp-auth FILE
                   log in with `username: NAME` and `password: WORD` of FILE
      --timeout SECONDS
                   how long it may take (30)
  -s -g -h -t -l -u -a -D -T -O
                   as mon gives them

Exit status: 0 if every address was accepted, 1 if some were, 2 if none was.
";

/// The mail for the recipients.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    let letters = format!("{}f:", letter::LETTERS);
    let options = getopt::letters_and_words(&letters, &post::OPTIONS, &invocation.words);
    let letter = Letter::of(&options, invocation);
    let recipients = options.words.iter().flat_map(|word| word.split(','));
    let recipients = recipients.map(|word| letter::line(word).trim().to_owned());
    let recipients = recipients.filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let ways = post::way(&options, invocation, &letter, &recipients, "mail.alert").into_iter().collect();
    Message::Send(Dispatch { ways, limit: post::limit(&options), complaints: options.complaints })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Way;
    use crate::sendmail::Sendmail;

    fn dispatch(words: &[&str]) -> Dispatch {
        let given = ["-s", "http", "-g", "web", "-h", "hostA", "-t", "1795346603"];
        match compose(&Invocation::sample(&[&given, words].concat(), "sum\ndetail\n")) {
            Message::Send(dispatch) => dispatch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn by_the_local_mail_system() {
        let Dispatch { ways, complaints, .. } = dispatch(&["-u", "-f", "me@x", "root", "ops@x,a@b"]);
        let [Way::Sendmail(Sendmail { program: None, from, mail, recipients: 3, .. })] = &ways[..] else {
            panic!("{ways:?}")
        };
        let mail = String::from_utf8(mail.clone()).expect("mail is ASCII");
        assert_eq!(from.as_deref(), Some("me@x"));
        assert!(mail.contains("\nTo: root,ops@x,a@b\n") && !mail.contains('\r'), "{mail}");
        assert!(mail.starts_with("Subject: UPALERT web/http: sum (Sun Nov 22 11:23:23)\n"), "{mail}");
        assert!(mail.ends_with("-------------------------------\ndetail\n"), "{mail}");
        assert!(complaints.is_empty() && !mail.contains("From:"));
    }

    #[test]
    fn nobody() {
        assert!(dispatch(&[]).ways.is_empty() && dispatch(&[",", ""]).ways.is_empty());
        assert_eq!(dispatch(&["-T", "-z", "root"]).complaints, ["Unknown option: z"]);
    }

    #[cfg(feature = "smtp")]
    #[test]
    fn by_a_server() {
        use crate::smtp::{Security, Smtp};
        let smtp = |words: &[&str]| match dispatch(words).ways.pop() {
            Some(Way::Smtp(smtp)) => smtp,
            other => panic!("{other:?}"),
        };
        let Smtp { host, port, security, from, recipients, .. } =
            smtp(&["--smtp", "mx.example.com", "root", "Ops <ops@x.example>"]);
        assert_eq!((host.as_str(), port, security), ("mx.example.com", 25, Security::StartTls));
        assert_eq!(from.to_string(), "mon@servera.example.com");
        let addresses = recipients.iter().map(|(_, address)| address.as_ref().map(ToString::to_string));
        let addresses = addresses.collect::<Vec<_>>();
        assert_eq!(addresses, [Ok("root@servera.example.com".to_owned()), Ok("ops@x.example".to_owned())]);
        let tls = |words: &[&str]| {
            let smtp = smtp(&[words, &["root"]].concat());
            (smtp.port, smtp.security)
        };
        assert_eq!(tls(&["--smtp=mx:587"]), (587, Security::StartTls));
        assert_eq!(tls(&["--smtp=mx:465"]), (465, Security::FromTheStart));
        assert_eq!(tls(&["--smtp=mx", "--tls"]), (465, Security::FromTheStart));
        assert_eq!(tls(&["--smtp=mx", "--plain"]), (25, Security::Plain));
        assert!(matches!(dispatch(&["--smtp=mx:x", "root"]).ways[..], [Way::Impossible(_)]));
    }
}
