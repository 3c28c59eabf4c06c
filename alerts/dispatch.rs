//! Several ways to the people at once: none delays or hides another, each ends in time, and what failed is told.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::deliver::DeliveryError;
use crate::{sendmail, trap};

/// How long a way may take over its time before it counts as lost: its own report on it says more.
const GRACE: Duration = Duration::from_millis(500);

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The ways, all tried at the same time.
    pub ways: Vec<Way>,
    /// How long each of them may take.
    pub limit: Duration,
    /// What is wrong with the command line, for standard error. It does not stop the alert.
    pub complaints: Vec<String>,
}

/// One way to one or several recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Mail by the local mail system.
    Sendmail(sendmail::Sendmail),
    /// Mail to a server.
    #[cfg(feature = "smtp")]
    Smtp(crate::smtp::Smtp),
    /// Messages and group chats.
    #[cfg(feature = "xmpp")]
    Xmpp(crate::xmpp::Xmpp),
    /// A web hook.
    #[cfg(feature = "tls")]
    Hook(crate::hook::Hook),
    /// A request that a template describes.
    #[cfg(feature = "tls")]
    Webhook(crate::webhook::Webhook),
    /// A trap to another mon server.
    Trap(trap::Datagram),
    /// One that cannot even be tried, and why.
    Impossible(String),
}

/// What came of one way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How many recipients were accepted.
    pub accepted: usize,
    /// What failed, a line for each recipient or for all of them.
    pub failures: Vec<String>,
}

impl Outcome {
    /// All of it failed, for one reason.
    pub(crate) fn failed(why: impl Into<String>) -> Outcome {
        Outcome { accepted: 0, failures: vec![why.into()] }
    }
}

impl Way {
    /// A few words for a way that did not come back.
    fn name(&self) -> &'static str {
        match self {
            Way::Sendmail(_) => "mail",
            #[cfg(feature = "smtp")]
            Way::Smtp(_) => "mail",
            #[cfg(feature = "xmpp")]
            Way::Xmpp(_) => "xmpp",
            #[cfg(feature = "tls")]
            Way::Hook(_) | Way::Webhook(_) => "web hook",
            Way::Trap(_) => "trap",
            Way::Impossible(_) => "alert",
        }
    }

    fn send(&self, limit: Duration) -> Outcome {
        match self {
            Way::Sendmail(mail) => mail.send(limit),
            #[cfg(feature = "smtp")]
            Way::Smtp(mail) => mail.send(limit),
            #[cfg(feature = "xmpp")]
            Way::Xmpp(message) => message.send(limit),
            #[cfg(feature = "tls")]
            Way::Hook(hook) => hook.send(limit),
            #[cfg(feature = "tls")]
            Way::Webhook(webhook) => webhook.send(limit),
            Way::Trap(trap) => trap.send(),
            Way::Impossible(why) => Outcome::failed(why),
        }
    }
}

impl Dispatch {
    /// Sends. The exit status is 1 if some were told and 2 if nobody was.
    ///
    /// # Errors
    /// When anything failed; each failure is a line.
    pub(crate) fn send(&self) -> Result<(), DeliveryError> {
        let outcomes = self.outcomes();
        let accepted = outcomes.iter().map(|outcome| outcome.accepted).sum::<usize>();
        let failures = outcomes.into_iter().flat_map(|outcome| outcome.failures).collect::<Vec<_>>();
        let (message, exit) = match (failures.is_empty(), accepted) {
            (true, 1..) => return Ok(()),
            (true, 0) => ("there is nobody to tell: no recipient is given".to_owned(), 2),
            (false, 0) => (failures.join("\n"), 2),
            (false, 1..) => (failures.join("\n"), 1),
        };
        Err(DeliveryError { message, exit, retry: accepted == 0 && !self.ways.is_empty() })
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let (sender, answers) = mpsc::channel();
        for (index, way) in self.ways.iter().cloned().enumerate() {
            let (sender, limit) = (sender.clone(), self.limit);
            let start = thread::Builder::new().spawn(move || drop(sender.send((index, way.send(limit)))));
            // No thread: the others still go; this one is missing below.
            drop(start);
        }
        drop(sender);
        let deadline = Instant::now() + self.limit + GRACE;
        let mut outcomes = self.ways.iter().map(|_| None).collect::<Vec<_>>();
        while let Ok((index, outcome)) =
            answers.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            outcomes[index] = Some(outcome);
        }
        let lost = |way: &Way| Outcome::failed(format!("{}: {}", way.name(), no_answer(self.limit)));
        let outcomes = self.ways.iter().zip(outcomes);
        outcomes.map(|(way, outcome)| outcome.unwrap_or_else(|| lost(way))).collect()
    }
}

/// What is said of a time-out.
pub(crate) fn no_answer(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(ways: Vec<Way>) -> Result<(), (u8, String)> {
        let dispatch = Dispatch { ways, limit: Duration::from_secs(5), complaints: Vec::new() };
        dispatch.send().map_err(|error| (error.exit, error.message))
    }

    #[test]
    fn nobody_and_nothing() {
        assert_eq!(send(Vec::new()), Err((2, "there is nobody to tell: no recipient is given".to_owned())));
        let ways = vec![Way::Impossible("a: no".to_owned()), Way::Impossible("b: no".to_owned())];
        assert_eq!(send(ways), Err((2, "a: no\nb: no".to_owned())));
    }

    #[test]
    fn one_that_fails_does_not_stop_the_others() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = socket.local_addr().expect("it is bound").port();
        let trap =
            |host: String| Way::Trap(trap::Datagram { word: host.clone(), host, port, bytes: b"x".to_vec() });
        assert_eq!(send(vec![trap("127.0.0.1".to_owned())]), Ok(()));
        let ways = vec![trap("x".repeat(70)), trap("127.0.0.1".to_owned())];
        let (exit, message) = send(ways).expect_err("one has no address");
        assert!(exit == 1 && message.starts_with("Error sending trap to xxx"), "{message}");
    }
}
