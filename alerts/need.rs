//! What a message needs on its way, tried without sending anything: accounts, servers, files.

use std::path::PathBuf;
use std::time::Duration;

use remon_core::reason;

use crate::deliver::{self, Message};
use crate::dispatch::{Dispatch, Way};
use crate::sendmail;

/// Something that must be there for a message to get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What kind it is.
    pub kind: Kind,
    way: Option<Way>,
}

/// Kinds of needs, with what tells one from another: two alerts that share an account need it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// This file can be appended to.
    File(PathBuf),
    /// This program is there.
    Program(PathBuf),
    /// A mail server, the file with our name and password there, and the file with its authority.
    Mail(String, Option<String>, Option<String>),
    /// The file with our XMPP account, and the file with the authority of its server.
    Xmpp(String, Option<String>),
    /// The host of a web hook and the authority of its certificate. The address itself is a secret.
    WebHook(String, Option<String>),
    /// Another mon server that takes traps.
    Trap(String),
    /// The command line cannot be carried out; why.
    Impossible(String),
}

/// Everything that the message needs.
#[must_use]
pub fn needs(message: &Message) -> Vec<Need> {
    match message {
        Message::Append { path, .. } => vec![Need { kind: Kind::File(deliver::path(path)), way: None }],
        Message::Send(Dispatch { ways, .. }) => ways.iter().map(Need::of).collect(),
    }
}

impl Need {
    fn of(way: &Way) -> Need {
        let kind = match way {
            Way::Sendmail(mail) => {
                let program = mail.program.as_deref().unwrap_or_else(|| sendmail::usual_program());
                Kind::Program(deliver::path(program))
            }
            #[cfg(feature = "smtp")]
            Way::Smtp(mail) => {
                Kind::Mail(format!("{}:{}", mail.host, mail.port), mail.auth_file.clone(), mail.ca.clone())
            }
            #[cfg(feature = "xmpp")]
            Way::Xmpp(message) => Kind::Xmpp(message.account_file.clone(), message.ca.clone()),
            #[cfg(feature = "tls")]
            Way::Hook(hook) => Kind::WebHook(hook.place(), hook.ca.clone()),
            #[cfg(feature = "tls")]
            Way::Webhook(webhook) => match webhook.hook() {
                Ok(hook) => {
                    let kind = Kind::WebHook(hook.place(), hook.ca.clone());
                    return Need { kind, way: Some(Way::Hook(hook)) };
                }
                Err(why) => Kind::Impossible(format!("web hook: {why}")),
            },
            Way::Trap(trap) => Kind::Trap(trap.word.clone()),
            Way::Impossible(why) => Kind::Impossible(why.clone()),
        };
        Need { kind, way: Some(way.clone()) }
    }

    /// Does this take servers, and so time?
    #[must_use]
    pub fn is_far(&self) -> bool {
        matches!(self.kind, Kind::Mail(..) | Kind::Xmpp(..) | Kind::WebHook(..) | Kind::Trap(_))
    }

    /// Tries it: connects, encrypts, logs in, and goes again. `Ok` holds a word on what was reached, which may be
    /// empty. Files and programs are left to whoever knows who will use them.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    #[cfg_attr(
        not(feature = "tls"),
        expect(unused_variables, reason = "names have no limit but the resolver's")
    )]
    pub fn try_out(&self, limit: Duration) -> Result<String, String> {
        match (&self.kind, &self.way) {
            (Kind::Impossible(why), _) => Err(why.clone()),
            #[cfg(feature = "smtp")]
            (_, Some(Way::Smtp(mail))) => mail.greet(limit),
            #[cfg(feature = "xmpp")]
            (_, Some(Way::Xmpp(message))) => message.greet(limit),
            #[cfg(feature = "tls")]
            (_, Some(Way::Hook(hook))) => hook.reach(limit),
            (_, Some(Way::Trap(trap))) => {
                trap.resolve().map(|address| address.to_string()).map_err(|error| reason::of(&error))
            }
            _ => Ok(String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::Invocation;

    fn needs_of(name: &str, words: &[&str]) -> Vec<Need> {
        let alert = crate::find(name).expect("it is built in");
        let mut invocation = Invocation::sample(words, "");
        for (name, value) in [("HOME", "/var/lib/mon"), ("MON_RETVAL", "1"), ("MON_OPSTATUS", "0")] {
            invocation.env.insert(name.to_owned(), value.to_owned());
        }
        needs(&(alert.compose)(&invocation))
    }

    fn kinds(name: &str, words: &[&str]) -> Vec<Kind> {
        needs_of(name, words).into_iter().map(|need| need.kind).collect()
    }

    #[test]
    #[cfg(all(feature = "smtp", feature = "xmpp"))]
    fn what_alerts_need() {
        let words = ["-m", "a@b", "-x", "c@d", "--smtp", "mail.test:587", "--smtp-auth", "f"];
        let mail = Kind::Mail("mail.test:587".to_owned(), Some("f".to_owned()), None);
        assert_eq!(
            kinds("mailxmpp.alert", &words),
            [mail, Kind::Xmpp("/var/lib/mon/.sendxmpprc".to_owned(), None)]
        );
        let hook = Kind::WebHook("h:81".to_owned(), None);
        assert_eq!(kinds("webhook.alert", &["--url", "http://h:81/secret"]), [hook]);
        assert!(matches!(kinds("webhook.alert", &["--url", "h"])[..], [Kind::Impossible(_)]));
        assert_eq!(kinds("file.alert", &["/tmp/x"]), [Kind::File("/tmp/x".into())]);
        assert_eq!(kinds("mail.alert", &["--sendmail", "./s", "root"]), [Kind::Program("./s".into())]);
        assert_eq!(kinds("trap.alert", &["b:1"]), [Kind::Trap("b:1".to_owned())]);
        assert!(kinds("mailxmpp.alert", &[]).is_empty());
    }

    #[test]
    fn nothing_is_sent_where_nobody_is() {
        let try_out =
            |words: &[&str]| needs_of("trap.alert", words).remove(0).try_out(Duration::from_secs(5));
        assert_eq!(try_out(&["127.0.0.1:9"]), Ok("127.0.0.1:9".to_owned()));
        assert!(try_out(&[&"x".repeat(70)]).is_err());
    }
}
