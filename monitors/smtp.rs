//! `smtp.monitor`: does a mail server greet, take a HELO, and say good-bye?

use std::io::{BufRead, Write};
use std::time::Duration;

use remon_core::getopt;

use crate::attempt::{Attempt, Target};
use crate::dialogue::Dialogue;
use crate::invocation::{self, Invocation};
use crate::link::Trouble;
use crate::report::Report;
use crate::security::{self, Security};
use crate::starttls::{self, Protocol};
use crate::{parallel, port, sys};

const USAGE: &str = "usage: smtp.monitor [-p PORT] [-t SECONDS] [--tls | --starttls] HOST...

Connects to every host, waits for the greeting, says HELO and QUIT; fails if any
host does not answer as a mail server should.

  -p PORT     number or name of the port (25; 465 with --tls)
  -t SECONDS  how long one host may take, all hosts at the same time (30)
      --tls       TLS from the start
      --starttls  STARTTLS after the greeting
";

const DEFAULT_PORT: u16 = 25;
const DEFAULT_TLS_PORT: u16 = 465;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// As wide as a terminal.
const RULE: &str = "==============================================================================";

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters_and_words("p:t:", &security::WORDS, &invocation.words);
    if options.has("help") {
        return Report::help(&[USAGE, security::HELP, "      --help      this text\n"].concat());
    }
    let security = match Security::read(&options) {
        Ok(security) => security,
        Err(why) => return Report::refusal(format!("smtp.monitor: {why}")),
    };
    let hosts = invocation::distinct(&options.words);
    let wanted = options.truthy("p");
    let default = security.port(DEFAULT_PORT, DEFAULT_TLS_PORT);
    let (attempts, label) = match port::named(wanted, default) {
        Ok(port) => {
            let target = Target { port, protocol: Protocol::Smtp, security };
            let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
            let attempts = parallel::probe_hosts(&hosts, span, move |host, deadline| {
                target.attempt(host, deadline, |dialogue, greeted| {
                    converse(dialogue, &sys::host_name(), greeted)
                })
            });
            (attempts, port.to_string())
        }
        Err(unknown) => {
            let failed = || Some(Attempt::failed(Trouble::Failed(unknown.clone())));
            (hosts.iter().map(|_| failed()).collect(), wanted.unwrap_or_default().to_owned())
        }
    };
    judge(&hosts, &attempts, &label).with_complaints(&options.complaints)
}

/// The conversation, after the greeting if there has been one.
///
/// # Errors
/// What the server did not do, in the words of the original.
pub fn converse<S: BufRead + Write>(
    dialogue: &mut Dialogue<S>,
    own_name: &str,
    greeted: bool,
) -> Result<(), Trouble> {
    let mut talk = || {
        if !greeted {
            starttls::reply(dialogue, "220", "did not receive 220 greeting")?;
        }
        dialogue.say(&format!("HELO {own_name}"))?;
        starttls::reply(dialogue, "250", "did not get 250 response to HELO")?;
        dialogue.say("QUIT")?;
        starttls::reply(dialogue, "221", "did not get 221 response to quit").map(drop)
    };
    let outcome = talk();
    if let Err(Trouble::Unexpected(_)) = outcome {
        // The farewell; whether the server still hears it does not matter.
        let _ = dialogue.say("QUIT");
    }
    outcome
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>], port: &str) -> Report {
    let (mut failed, mut bad, mut good) = (Vec::new(), String::new(), String::new());
    let silence = Attempt::failed(Trouble::TimedOut);
    for (host, attempt) in hosts.iter().zip(attempts) {
        let attempt = attempt.as_ref().unwrap_or(&silence);
        let block = block(host, attempt);
        match &attempt.outcome {
            Ok(()) => good += &format!("{host} succeeded\n{block}"),
            Err(trouble) => {
                bad += &format!("{host} failed with error {}\n{block}", error(trouble, port));
                failed.push(host.as_str());
            }
        }
    }
    Report::with_detail(failed, format!("{bad}\n{good}"))
}

fn block(host: &str, attempt: &Attempt) -> String {
    let mut heard = attempt.heard.clone();
    if heard.is_empty() {
        heard = "no detail\n".to_owned();
    } else if !heard.ends_with('\n') {
        heard.push('\n');
    }
    let certificate = attempt.certificate.as_ref().map(|words| format!("{words}\n")).unwrap_or_default();
    format!("detail for {host}\n{RULE}\n{heard}{certificate}\n")
}

fn error(trouble: &Trouble, port: &str) -> String {
    match trouble {
        Trouble::Failed(why) => format!("Unable to create SMTP connection to port {port}: {why}"),
        other => other.words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::Canned;

    fn talk(says: &str, greeted: bool) -> (Result<(), Trouble>, String) {
        let mut canned = Canned::new(says.as_bytes());
        let outcome = converse(&mut Dialogue::new(&mut canned), "us", greeted);
        (outcome, canned.heard())
    }

    #[test]
    fn conversations() {
        let unexpected = |words: &str| Err(Trouble::Unexpected(words.to_owned()));
        for (says, outcome, told) in [
            ("220 lab ESMTP\r\n250 lab Hello\r\n221 bye\r\n", Ok(()), "HELO us\r\nQUIT\r\n"),
            ("220-multi\r\n220 lab\r\n250-a\r\n250 b\r\n221 bye\r\n", Ok(()), "HELO us\r\nQUIT\r\n"),
            ("554 no thanks\r\n", unexpected("did not receive 220 greeting"), "QUIT\r\n"),
            ("", unexpected("did not receive 220 greeting"), "QUIT\r\n"),
            ("220-a\r\n221 b\r\n", unexpected("did not receive 220 greeting"), "QUIT\r\n"),
            (
                "220 lab\r\n550 go away\r\n",
                unexpected("did not get 250 response to HELO"),
                "HELO us\r\nQUIT\r\n",
            ),
            (
                "220 lab\r\n250 hi\r\n500 no\r\n",
                unexpected("did not get 221 response to quit"),
                "HELO us\r\nQUIT\r\nQUIT\r\n",
            ),
        ] {
            assert_eq!(talk(says, false), (outcome, told.to_owned()), "{says:?}");
        }
        assert_eq!(talk("250 hi\r\n221 bye\r\n", true).0, Ok(()));
    }

    #[test]
    fn a_server_that_does_not_stop() {
        let endless = Err(Trouble::Unexpected("the server does not stop talking".to_owned()));
        assert_eq!(talk(&"220-x\r\n".repeat(100_000), false).0, endless);
        assert_eq!(talk(&"2".repeat(100_000), false).0, endless);
    }

    #[test]
    fn the_report_of_the_original() {
        let good = Attempt { outcome: Ok(()), heard: "220 lab\r\n221 bye\r\n".into(), certificate: None };
        let bad = Attempt::failed(Trouble::Failed("Connection refused".into()));
        let secret = Attempt { certificate: Some("certificate expires soon".into()), ..good.clone() };
        let hosts = ["h2", "h1", "h3", "h0"].map(str::to_owned);
        let report = judge(&hosts, &[Some(bad), Some(good), Some(secret), None], "25");
        assert_eq!(report.exit, 1);
        assert_eq!(
            report.text(),
            format!(
                "h0 h2\nh2 failed with error Unable to create SMTP connection to port 25: Connection refused\n\
                 detail for h2\n{RULE}\nno detail\n\nh0 failed with error timeout\ndetail for h0\n{RULE}\nno detail\n\n\n\
                 h1 succeeded\ndetail for h1\n{RULE}\n220 lab\r\n221 bye\r\n\n\
                 h3 succeeded\ndetail for h3\n{RULE}\n220 lab\r\n221 bye\r\ncertificate expires soon\n\n"
            )
        );
        assert_eq!(judge(&[], &[], "25").text(), "\n\n");
    }
}
