//! `ping.monitor`: do hosts answer an ICMP echo request?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use remon_core::getopt::{self, Options};

use crate::icmp::{self, Silence};
use crate::invocation::{self, Invocation};
use crate::link::Trouble;
use crate::report::Report;
use crate::{parallel, resolve};

const USAGE: &str = "usage: ping.monitor [-c COUNT] [-6] [-t SECONDS] HOST...

Sends ICMP echo requests to every host; fails if any host answers none.

  -c COUNT    how many, one a second, until the first reply (1)
  -6          IPv6 only
  -t SECONDS  how long one host may take, all hosts at the same time
              (10, and one more for each further request)
      --help  this text

It opens an unprivileged ping socket (sysctl net.ipv4.ping_group_range), or a raw
one where that is permitted, or else runs the program ping.
";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// More requests than this are a load, not a test.
const MOST_REQUESTS: f64 = 10_000.0;

/// What came of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It answered.
    Alive,
    /// It did not, in words.
    Dead(String),
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = options(&invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    if !options.complaints.is_empty() {
        return refusal(&options.complaints);
    }
    if options.words.is_empty() {
        return Report::failure("ping: no hosts found");
    }
    let number = options.value("c").map_or(Some(1.0), getopt::leading_number);
    let Some(count) = number.filter(|count| (1.0..=MOST_REQUESTS).contains(count)) else {
        return Report::refusal(format!(
            "ping.monitor: no number of requests: {}",
            options.value("c").unwrap_or("")
        ));
    };
    let count = count as u32;
    let more = Duration::from_secs(u64::from(count - 1));
    let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT + more);
    let only_ipv6 = options.has("6");
    let probe = move |host: &str, deadline| probe(host, only_ipv6, count, deadline);
    judge(&options.words, &parallel::probe_hosts(&options.words, span, probe))
}

/// The options as getopt(1) reads them: hosts may stand before them. Until `--`.
fn options(argv: &[String]) -> Options {
    let mut hosts = Vec::new();
    let mut flags = Vec::new();
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some("-") => {
                hosts.extend(words.by_ref().cloned());
            }
            None | Some("") => hosts.push(word.clone()),
            Some(bundle) => {
                flags.push(word.clone());
                // A letter that takes a value takes the next word, if it is the last of its bundle.
                let wants = bundle.find(['c', 't']).is_some_and(|at| at + 1 == bundle.len());
                if wants && !bundle.starts_with('-') {
                    flags.extend(words.next().cloned());
                }
            }
        }
    }
    let mut options = getopt::letters("c:6t:", &flags);
    options.words = hosts;
    options
}

/// In the words of getopt(1).
fn refusal(complaints: &[String]) -> Report {
    let words = complaints.iter().map(|complaint| match complaint.strip_prefix("Unknown option: ") {
        Some(letter) => format!("ping.monitor: invalid option -- '{letter}'"),
        None => format!("ping.monitor: {complaint}"),
    });
    let words = words.collect::<Vec<_>>();
    Report::refusal(words.join("; ")).with_complaints(&["Terminating...".to_owned()])
}

fn probe(host: &str, only_ipv6: bool, count: u32, deadline: Instant) -> Attempt {
    let found = resolve::addresses(host, 0, deadline);
    let wanted = |address: &SocketAddr| !only_ipv6 || address.is_ipv6();
    let address = match found.map(|found| found.into_iter().find(wanted)) {
        Ok(Some(address)) => address,
        Ok(None) => return Attempt::Dead("it has no IPv6 address".to_owned()),
        Err(trouble) => return Attempt::Dead(trouble.words()),
    };
    match icmp::ping(address, count, deadline) {
        Ok(()) => Attempt::Alive,
        Err(Silence::TimedOut) => Attempt::Dead(format!("no reply from {}", address.ip())),
        Err(Silence::Failed(why)) => Attempt::Dead(format!("cannot send to {}: {why}", address.ip())),
        Err(Silence::NoMeans(why)) => Attempt::Dead(why),
    }
}

/// Turns the attempts, in the order of the hosts, into the report. Its first line keeps that order, as ever.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>]) -> Report {
    let (mut failed, mut detail) = (Vec::new(), String::new());
    for (host, attempt) in hosts.iter().zip(attempts) {
        let words = match attempt {
            Some(Attempt::Alive) => continue,
            Some(Attempt::Dead(words)) => words.clone(),
            None => Trouble::TimedOut.words(),
        };
        failed.push(host.as_str());
        detail += &format!("{host}: {words}\n");
    }
    if failed.is_empty() { Report::good() } else { Report { detail, ..Report::failure(failed.join(" ")) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[&str]) -> (String, u8) {
        let report = run(&Invocation::of(words));
        (report.text(), report.exit)
    }

    #[test]
    fn the_command_line_of_getopt() {
        let read = |line: &str| {
            let options = options(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
            let value = |name| options.value(name).unwrap_or("-").to_owned();
            format!("{} {} {} {:?}", value("c"), value("6"), options.words.join(","), options.complaints)
        };
        for (line, expect) in [
            ("a -6 b -c 3 c", "3 1 a,b,c []"),
            ("-6c3 a", "3 1 a []"),
            ("-6c 3 a", "3 1 a []"),
            ("a -- -6 --", "- - a,-6,-- []"),
            ("a -c", "- - a [\"Option c requires an argument\"]"),
        ] {
            assert_eq!(read(line), expect, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_command_line() {
        assert_eq!(text(&[]), ("ping: no hosts found\n".to_owned(), 1));
        assert_eq!(
            text(&["-z", "127.0.0.1"]),
            ("ping.monitor: invalid option -- 'z'\nTerminating...\n".to_owned(), 1)
        );
        assert_eq!(
            text(&["-c", "x", "127.0.0.1"]),
            ("ping.monitor: no number of requests: x\n".to_owned(), 1)
        );
    }

    #[test]
    fn the_first_line_keeps_the_order_of_the_hosts() {
        let hosts = ["b", "a", "c", "d"].map(str::to_owned);
        let dead = || Some(Attempt::Dead("no reply from 192.0.2.1".to_owned()));
        let report = judge(&hosts, &[dead(), Some(Attempt::Alive), dead(), None]);
        assert_eq!(
            report.text(),
            "b c d\nb: no reply from 192.0.2.1\nc: no reply from 192.0.2.1\nd: timeout\n"
        );
        assert_eq!(judge(&hosts[..1], &[Some(Attempt::Alive)]), Report::good());
    }
}
