//! `pop3.monitor`: does a POP3 server greet and say good-bye?

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
use crate::{parallel, port};

const USAGE: &str = "usage: pop3.monitor [-p PORT] [-t SECONDS] [--tls | --starttls] HOST...

Connects to every host, waits for the greeting and says QUIT; fails if any host
does not answer +OK to both.

  -p PORT     number or name of the port (110; 995 with --tls)
  -t SECONDS  how long one host may take, all hosts at the same time (30)
      --tls       TLS from the start
      --starttls  STLS after the greeting
";

const DEFAULT_PORT: u16 = 110;
const DEFAULT_TLS_PORT: u16 = 995;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters_and_words("p:t:", &security::WORDS, &invocation.words);
    if options.has("help") {
        return Report::help(&[USAGE, security::HELP, "      --help      this text\n"].concat());
    }
    let security = match Security::read(&options) {
        Ok(security) => security,
        Err(why) => return Report::refusal(format!("pop3.monitor: {why}")),
    };
    let hosts = &options.words;
    let attempts = match port::named(options.truthy("p"), security.port(DEFAULT_PORT, DEFAULT_TLS_PORT)) {
        Ok(port) => {
            let target = Target { port, protocol: Protocol::Pop3, security };
            let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
            parallel::probe_hosts(hosts, span, move |host, deadline| target.attempt(host, deadline, converse))
        }
        Err(unknown) => {
            hosts.iter().map(|_| Some(Attempt::failed(Trouble::Failed(unknown.clone())))).collect()
        }
    };
    let limit = invocation::seconds_as_written(options.value("t"), DEFAULT_TIMEOUT);
    judge(hosts, &attempts, &limit).with_complaints(&options.complaints)
}

/// The conversation, after the greeting if there has been one.
///
/// # Errors
/// What the server said instead of `+OK`.
pub fn converse<S: BufRead + Write>(dialogue: &mut Dialogue<S>, greeted: bool) -> Result<(), Trouble> {
    if !greeted {
        starttls::positive(dialogue, "greeting")?;
    }
    dialogue.say("QUIT")?;
    starttls::positive(dialogue, "quit")
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>], limit: &str) -> Report {
    let (mut failed, mut detail) = (Vec::new(), String::new());
    let silence = Attempt::failed(Trouble::TimedOut);
    for (host, attempt) in hosts.iter().zip(attempts) {
        let attempt = attempt.as_ref().unwrap_or(&silence);
        let words = match &attempt.outcome {
            Ok(()) => attempt.certificate.clone(),
            Err(Trouble::TimedOut) => Some(format!("timeout({limit})")),
            Err(Trouble::Failed(why)) => Some(why.clone()),
            Err(other) => Some(other.words()),
        };
        detail += &words.map(|words| format!("{host}: {words}\n")).unwrap_or_default();
        if attempt.outcome.is_err() {
            failed.push(host.as_str());
        }
    }
    Report::with_detail(failed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::Canned;

    #[test]
    fn conversations() {
        let unexpected = |words: &str| Err(Trouble::Unexpected(words.to_owned()));
        for (says, outcome) in [
            ("+OK lab\r\n+OK bye\r\n", Ok(())),
            ("-ERR go away\r\n", unexpected("bad response to greeting: -ERR go away")),
            ("+OK lab\r\n-ERR\r\n", unexpected("bad response to quit: -ERR")),
            ("+OK lab\r\n", unexpected("no response to quit")),
            ("", unexpected("no response to greeting")),
        ] {
            let mut canned = Canned::new(says.as_bytes());
            assert_eq!(converse(&mut Dialogue::new(&mut canned), false), outcome, "{says:?}");
        }
    }

    #[test]
    fn the_report_of_the_original() {
        let good = Attempt { outcome: Ok(()), heard: String::new(), certificate: None };
        let refused = Attempt::failed(Trouble::Failed("Connection refused".into()));
        let unknown = Attempt::failed(Trouble::Unresolved("Name or service not known".into()));
        let hosts = ["h4", "h2", "h1", "h3"].map(str::to_owned);
        assert_eq!(
            judge(&hosts, &[Some(refused), Some(good.clone()), Some(unknown), None], "2").text(),
            "h1 h3 h4\nh4: Connection refused\nh1: cannot resolve hostname: Name or service not known\nh3: timeout(2)\n"
        );
        assert_eq!(judge(&hosts[..1], &[Some(good.clone())], "2"), Report::good());
        let secret = Attempt { certificate: Some("certificate expires soon".into()), ..good };
        assert_eq!(judge(&hosts[..1], &[Some(secret)], "2").text(), "\nh4: certificate expires soon\n");
    }
}
