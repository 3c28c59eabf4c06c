//! The built-in alerts, one file each.
//!
//! An alert has two halves: `compose` turns an [`Invocation`] into a [`Message`] and touches nothing, [`deliver`]
//! carries it out and says why it could not. The daemon counts an alert that ended with another status than 0 as
//! not delivered, so an alert must not end well unless it did its work.
//!
//! To add an alert: its file, its line in [`ALERTS`], its tests.

#[cfg(feature = "tls")]
pub mod account;
mod chat;
pub mod deliver;
pub mod dispatch;
#[cfg(feature = "xmpp")]
mod exchange;
pub mod file;
#[cfg(feature = "tls")]
mod fill;
#[cfg(feature = "tls")]
pub mod heartbeat;
#[cfg(feature = "tls")]
pub mod hook;
pub mod invocation;
mod letter;
pub mod mail;
pub mod mailxmpp;
mod mime;
pub mod need;
mod post;
pub mod privilege;
pub mod sendmail;
pub mod slackxmpp;
#[cfg(feature = "smtp")]
pub mod smtp;
#[cfg(feature = "xmpp")]
mod srv;
mod sys;
pub mod test;
#[cfg(feature = "tls")]
mod tls;
pub mod trap;
#[cfg(feature = "tls")]
pub mod webhook;
#[cfg(feature = "xmpp")]
pub mod xmpp;

pub use deliver::{DeliveryError, Message, deliver};
pub use invocation::{Invocation, LocalTime, Machine};

/// A program that tells somebody.
#[derive(Debug)]
pub struct Alert {
    /// What mon.cf calls it, suffix included.
    pub name: &'static str,
    /// What it has to say, and where to.
    pub compose: fn(&Invocation) -> Message,
    /// The same in a few words.
    pub about: &'static str,
    /// What `--help` prints.
    pub usage: &'static str,
    /// Does it read standard input? One that does not may be called by hand without it.
    pub reads_input: bool,
}

/// All of them, by name.
pub static ALERTS: &[Alert] = &[
    Alert {
        name: "file.alert",
        compose: file::compose,
        about: "append alerts to a file",
        usage: file::USAGE,
        reads_input: true,
    },
    #[cfg(feature = "tls")]
    Alert {
        name: "heartbeat.alert",
        compose: heartbeat::compose,
        about: "tell a dead-man service how a service fares",
        usage: heartbeat::USAGE,
        reads_input: true,
    },
    Alert {
        name: "mail.alert",
        compose: mail::compose,
        about: "send mail",
        usage: mail::USAGE,
        reads_input: true,
    },
    Alert {
        name: "mailxmpp.alert",
        compose: mailxmpp::compose,
        about: "send mail and XMPP messages",
        usage: mailxmpp::USAGE,
        reads_input: true,
    },
    Alert {
        name: "slackxmpp.alert",
        compose: slackxmpp::compose,
        about: "post to a web hook of Slack, send XMPP messages",
        usage: slackxmpp::USAGE,
        reads_input: true,
    },
    Alert {
        name: "test.alert",
        compose: test::compose,
        about: "note that an alert was called",
        usage: test::USAGE,
        reads_input: false,
    },
    Alert {
        name: "trap.alert",
        compose: trap::compose,
        about: "tell another mon server by a trap",
        usage: trap::USAGE,
        reads_input: true,
    },
    #[cfg(feature = "tls")]
    Alert {
        name: "webhook.alert",
        compose: webhook::compose,
        about: "send a request to a web hook, with a body from a template",
        usage: webhook::USAGE,
        reads_input: true,
    },
];

/// The alert of exactly that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Alert> {
    ALERTS.iter().find(|alert| alert.name == name)
}

impl Alert {
    /// Was only help asked for? The daemon never does: its words begin with `-s SERVICE`.
    #[must_use]
    pub fn wants_help(&self, invocation: &Invocation) -> bool {
        invocation.words.first().is_some_and(|word| word == "--help")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_in_order() {
        assert!(ALERTS.is_sorted_by_key(|alert| alert.name));
        assert_eq!(find("file.alert").map(|alert| alert.name), Some("file.alert"));
        for name in ["file", "File.alert", "", "./test.alert"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
