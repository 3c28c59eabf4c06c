//! `imap.monitor`: does an IMAP server greet, let somebody in, and say good-bye?

use std::io::{BufRead, Write};
use std::time::Duration;

use remon_core::getopt::{self, Takes};

use crate::attempt::{Attempt, Target};
use crate::dialogue::Dialogue;
use crate::invocation::{self, Invocation};
use crate::link::Trouble;
use crate::report::Report;
use crate::security::{self, Security};
use crate::starttls::{self, Protocol};
use crate::{parallel, port};

const USAGE: &str = "usage: imap.monitor [-p PORT] [-t SECONDS] [-m MAILBOX] [--tls | --starttls] HOST...

Connects to every host, waits for the greeting, logs in as ANONYMOUS, looks into
the mailbox if there is one to look into, and logs out; fails if any host does
not take part.

  -p PORT     number or name of the port (143; 993 with --tls)
  -t SECONDS  how long one host may take, all hosts at the same time (30)
  -m MAILBOX  open this mailbox for reading
      --nologin   only greeting and logout: most servers know no ANONYMOUS today
      --tls       TLS from the start
      --starttls  STARTTLS after the greeting
";

const DEFAULT_PORT: u16 = 143;
const DEFAULT_TLS_PORT: u16 = 993;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How far the conversation goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// In and out again.
    Greeting,
    /// With a login, and a look into that mailbox.
    Login(Option<String>),
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let words = [&security::WORDS[..], &[("nologin", Takes::Nothing)]].concat();
    let options = getopt::letters_and_words("m:p:t:", &words, &invocation.words);
    if options.has("help") {
        return Report::help(&[USAGE, security::HELP, "      --help      this text\n"].concat());
    }
    let security = match Security::read(&options) {
        Ok(security) => security,
        Err(why) => return Report::refusal(format!("imap.monitor: {why}")),
    };
    let visit = match options.has("nologin") {
        true => Visit::Greeting,
        false => Visit::Login(options.truthy("m").map(str::to_owned)),
    };
    let hosts = &options.words;
    let attempts = match port::named(options.truthy("p"), security.port(DEFAULT_PORT, DEFAULT_TLS_PORT)) {
        Ok(port) => {
            let target = Target { port, protocol: Protocol::Imap, security };
            let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
            parallel::probe_hosts(hosts, span, move |host, deadline| {
                target.attempt(host, deadline, |dialogue, greeted| converse(dialogue, &visit, greeted))
            })
        }
        Err(unknown) => {
            hosts.iter().map(|_| Some(Attempt::failed(Trouble::Failed(unknown.clone())))).collect()
        }
    };
    judge(hosts, &attempts).with_complaints(&options.complaints)
}

/// The conversation, after the greeting if there has been one.
///
/// # Errors
/// What the server did not do, in the words of the original.
pub fn converse<S: BufRead + Write>(
    dialogue: &mut Dialogue<S>,
    visit: &Visit,
    greeted: bool,
) -> Result<(), Trouble> {
    if !greeted {
        starttls::banner(dialogue)?;
    }
    if let Visit::Login(mailbox) = visit {
        starttls::tagged(dialogue, "A1", "LOGIN ANONYMOUS ANONYMOUS", "login")?;
        if let Some(mailbox) = mailbox {
            starttls::tagged(dialogue, "A2", &format!("EXAMINE {mailbox}"), "examine")?;
        }
    }
    starttls::tagged(dialogue, "A3", "LOGOUT", "logout")
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>]) -> Report {
    let (mut failed, mut lines) = (Vec::new(), Vec::new());
    let silence = Attempt::failed(Trouble::TimedOut);
    for (host, attempt) in hosts.iter().zip(attempts) {
        let attempt = attempt.as_ref().unwrap_or(&silence);
        let words = match &attempt.outcome {
            Ok(()) => attempt.certificate.clone(),
            // With an empty line, as always.
            Err(Trouble::TimedOut) => Some("**** Time Out\n".to_owned()),
            Err(Trouble::Failed(why)) => Some(format!("Unable to connect: {why}")),
            Err(other) => Some(other.words()),
        };
        lines.extend(words.map(|words| format!("{host}: {words}")));
        if attempt.outcome.is_err() {
            failed.push(host.as_str());
        }
    }
    match (failed.is_empty(), lines.is_empty()) {
        (true, true) => Report::good(),
        (true, false) => Report { detail: lines.join("\n") + "\n", ..Report::good() },
        (false, _) => Report::of_hosts(failed, &lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::Canned;

    fn talk(says: &str, visit: &Visit) -> (Result<(), Trouble>, String) {
        let mut canned = Canned::new(says.as_bytes());
        let outcome = converse(&mut Dialogue::new(&mut canned), visit, false);
        (outcome, canned.heard())
    }

    #[test]
    fn conversations() {
        let unexpected = |words: &str| Err(Trouble::Unexpected(words.to_owned()));
        let (login, inbox) = (Visit::Login(None), Visit::Login(Some("INBOX".into())));
        for (says, visit, outcome, told) in [
            (
                "* OK x\r\nA1 OK in\r\n* BYE\r\nA3 OK out\r\n",
                &login,
                Ok(()),
                "A1 LOGIN ANONYMOUS ANONYMOUS\r\nA3 LOGOUT\r\n",
            ),
            (
                "* OK x\r\nA1 OK\r\nA2 OK\r\nA3 OK\r\n",
                &inbox,
                Ok(()),
                "A1 LOGIN ANONYMOUS ANONYMOUS\r\nA2 EXAMINE INBOX\r\nA3 LOGOUT\r\n",
            ),
            ("* OK x\r\nA3 OK out\r\n", &Visit::Greeting, Ok(()), "A3 LOGOUT\r\n"),
            ("+OK x\r\n", &login, unexpected("No IMAP banner received"), ""),
            (
                "* OK x\r\nA1 NO anonymous refused\r\n",
                &login,
                unexpected("bad response to login: NO anonymous refused"),
                "A1 LOGIN ANONYMOUS ANONYMOUS\r\n",
            ),
            ("* BYE x\r\n", &login, unexpected("No response to login"), "A1 LOGIN ANONYMOUS ANONYMOUS\r\n"),
            (
                "* OK x\r\nA1 OK\r\nA2 NO none\r\n",
                &inbox,
                unexpected("bad response to examine: NO none"),
                "A1 LOGIN ANONYMOUS ANONYMOUS\r\nA2 EXAMINE INBOX\r\n",
            ),
        ] {
            assert_eq!(talk(says, visit), (outcome, told.to_owned()), "{says:?}");
        }
    }

    #[test]
    fn the_report_of_the_original() {
        let good = Attempt { outcome: Ok(()), heard: String::new(), certificate: None };
        let refused = Attempt::failed(Trouble::Failed("Connection refused".into()));
        let hosts = ["h3", "h1", "h2"].map(str::to_owned);
        assert_eq!(
            judge(&hosts, &[Some(refused), None, Some(good.clone())]).text(),
            "h1 h3\n\nh3: Unable to connect: Connection refused\nh1: **** Time Out\n\n"
        );
        assert_eq!(judge(&hosts[..1], &[Some(good.clone())]), Report::good());
        let secret = Attempt { certificate: Some("certificate expires soon".into()), ..good };
        assert_eq!(judge(&hosts[..1], &[Some(secret)]).text(), "\nh3: certificate expires soon\n");
    }
}
