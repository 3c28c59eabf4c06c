//! `sslcert.monitor`: when do the certificates expire, and are they for the hosts that show them?

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use remon_core::getopt::{self, Options, Takes};

use crate::certificate::{self, Validity};
use crate::dialogue::Dialogue;
use crate::invocation::{self, Invocation};
use crate::link::{self, Trouble};
use crate::report::Report;
use crate::starttls::Protocol;
use crate::tls::{self, Tls};
use crate::{parallel, port, resolve, security};

const USAGE: &str = "usage: sslcert.monitor [-p PORT] [-s 0|1] [-4] [-w DAYS] [-t SECONDS] HOST...

Looks at the certificate of every host, at each of its addresses; fails if one
is expired, expires soon, is not for that host, or cannot be had.

  -p PORT     number or name of the port (443)
  -s 0|1      tell the server which name is asked for (1 on port 443, else 0)
  -4          leave IPv6 addresses out
  -w DAYS     what soon means (14)
  -t SECONDS  how long one host may take, all hosts at the same time (30)
      --starttls PROTOCOL  begin as smtp, pop3 or imap do
      --verify    check the chain too, against the authorities of this machine
      --ca FILE   check the chain against these (file or directory)
      --help      this text
";

const DEFAULT_PORT: u16 = 443;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_DAYS: f64 = 14.0;
const DAY: f64 = 86_400.0;

const WORDS: [(&str, Takes); 3] =
    [("starttls", Takes::Value), ("verify", Takes::Nothing), ("ca", Takes::Value)];

/// What is asked of every host.
#[derive(Debug, Clone)]
struct Question {
    port: u16,
    only_ipv4: bool,
    starttls: Option<Protocol>,
    tls: Tls,
}

/// What was seen at one address of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// No connection.
    Unreachable(Trouble),
    /// A connection, and no certificate.
    Bare(Trouble),
    /// A certificate.
    Shown {
        /// From when until when; `None` if it cannot be read.
        validity: Option<Validity>,
        /// Is it for this host?
        named: bool,
        /// Is it of somebody who is trusted? Fine if nobody asked.
        trust: Result<(), String>,
    },
}

/// What was seen of a host, address by address; or why it has none.
pub type Seen = Result<Vec<(IpAddr, Sight)>, Trouble>;

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters_and_words("4p:s:w:t:", &WORDS, &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let question = match question(&options) {
        Ok(question) => question,
        Err(why) => return Report::refusal(format!("sslcert.monitor: {why}")),
    };
    let days = options.value("w").and_then(getopt::leading_number).unwrap_or(DEFAULT_DAYS);
    let span = invocation::seconds(options.value("t"), DEFAULT_TIMEOUT);
    let (hosts, port) = (&options.words, question.port);
    let seen = parallel::probe_hosts(hosts, span, move |host, deadline| question.ask(host, deadline));
    let now = security::now();
    let judgement = Judgement { port, now, soon: now.saturating_add((days * DAY) as i64) };
    judgement.report(hosts, &seen).with_complaints(&options.complaints)
}

fn question(options: &Options) -> Result<Question, String> {
    let port = port::named(options.truthy("p"), DEFAULT_PORT)?;
    let starttls = match options.value("starttls") {
        None => None,
        Some(word) => {
            Some(Protocol::named(word).ok_or_else(|| format!("--starttls: there is no way for {word}"))?)
        }
    };
    let judged = options.has("verify") || options.has("ca");
    let tls = if judged { Tls::judging(options.value("ca"))? } else { Tls::observing() };
    let sni = match options.value("s") {
        Some(word) => !matches!(word, "" | "0"),
        None => port == DEFAULT_PORT,
    };
    Ok(Question { port, only_ipv4: options.has("4"), starttls, tls: tls.with_sni(sni) })
}

impl Question {
    fn ask(&self, host: &str, deadline: Instant) -> Seen {
        let mut addresses = resolve::addresses(host, self.port, deadline)?;
        addresses.retain(|address| !self.only_ipv4 || address.is_ipv4());
        if addresses.is_empty() {
            return Err(Trouble::Unresolved("it has no IPv4 address".to_owned()));
        }
        let count = addresses.len();
        let look = |(tried, address): (usize, SocketAddr)| {
            // A dead address must leave time for those behind it.
            let now = Instant::now();
            let share = deadline.saturating_duration_since(now) / u32::try_from(count - tried).unwrap_or(1);
            (address.ip(), self.look(host, address, now + share))
        };
        Ok(addresses.into_iter().enumerate().map(look).collect())
    }

    fn look(&self, host: &str, address: SocketAddr, deadline: Instant) -> Sight {
        let mut dialogue = match link::dial(address, deadline) {
            Ok(link) => Dialogue::new(link),
            Err(trouble) => return Sight::Unreachable(trouble),
        };
        if let Some(trouble) = self.starttls.and_then(|protocol| protocol.start(&mut dialogue).err()) {
            return Sight::Bare(trouble);
        }
        match dialogue.encrypted(|link| self.tls.encrypt(link, host)) {
            Err((trouble, _)) => Sight::Bare(trouble),
            Ok((_, peer)) => Sight::Shown {
                validity: Validity::read(&peer.certificate),
                named: tls::is_for(&peer.certificate, host),
                trust: peer.trust,
            },
        }
    }
}

/// What a sight is judged by.
#[derive(Debug, Clone, Copy)]
struct Judgement {
    port: u16,
    now: i64,
    soon: i64,
}

/// The report while it grows.
#[derive(Debug, Default)]
struct Findings {
    items: Vec<String>,
    lines: Vec<String>,
    expiries: Vec<String>,
    good: Vec<String>,
}

impl Judgement {
    /// The report on all hosts, in their order.
    fn report(self, hosts: &[String], seen: &[Option<Seen>]) -> Report {
        let mut findings = Findings::default();
        for (host, seen) in hosts.iter().zip(seen) {
            match seen.as_ref().unwrap_or(&Err(Trouble::TimedOut)) {
                Ok(sights) => {
                    sights
                        .iter()
                        .for_each(|(address, sight)| self.sight(host, *address, sight, &mut findings));
                }
                Err(Trouble::Unresolved(why)) => {
                    findings.add(host, "not found", format!("No A or AAAA record for {host}. ({why})"));
                }
                Err(trouble) => {
                    findings.add(
                        host,
                        "unavailable",
                        format!("Can't connect to {host}. ({})", trouble.words()),
                    );
                }
            }
        }
        findings.report()
    }

    fn sight(self, host: &str, address: IpAddr, sight: &Sight, findings: &mut Findings) {
        let port = self.port;
        match sight {
            Sight::Unreachable(trouble) => {
                let why = match trouble {
                    Trouble::Failed(why) => why.clone(),
                    other => other.words(),
                };
                let line = format!("Can't connect to {host}({address}) port {port} via TCP. ({why})");
                findings.add_once(host, "unavailable", line);
            }
            Sight::Bare(Trouble::NoTls) => {
                let line = format!("{host} port {port} doesn't give certificate, not SSL server?");
                findings.add(host, "no SSL cert", line);
            }
            Sight::Bare(trouble) => {
                let line =
                    format!("Can't connect SSL for {host}({address}) port {port}: {}", trouble.words());
                findings.add(host, "Can't connect SSL", line);
            }
            Sight::Shown { validity, named, trust } => {
                self.dates(host, address, *validity, findings);
                if !named {
                    let line = format!("{host} doesn't have it's name as a commonName or altName");
                    findings.add(host, "no commonName in cert", line);
                }
                if let Err(why) = trust {
                    findings.add(host, "not trusted", format!("{host}({address}): {why}"));
                }
            }
        }
    }

    fn dates(self, host: &str, address: IpAddr, validity: Option<Validity>, findings: &mut Findings) {
        let Some(Validity { from, until }) = validity else {
            return findings.add(
                host,
                "no SSL cert",
                format!("{host}({address}): its certificate cannot be read"),
            );
        };
        if from > self.now {
            let line = format!("{host} has not before date {} in future.", certificate::iso(from));
            findings.add(host, "post dated", line);
        }
        let until_words = certificate::iso(until);
        if until < self.now {
            findings.add(host, "expired", format!("{host}({address}) expired at {until_words}."));
        } else if until < self.soon {
            let line = format!("{host}({address}) expires at {until_words}.");
            findings.add(host, "expires soon", line);
        } else {
            let date = certificate::date(until);
            let line = format!("{host} expires {date}");
            findings.expiries.push(date);
            if !findings.good.contains(&line) {
                findings.good.push(line);
            }
        }
    }
}

impl Findings {
    fn add(&mut self, host: &str, item: &str, line: String) {
        // Each with a blank behind it, the last one too.
        self.items.push(format!("{host}({item}) "));
        self.lines.push(line);
    }

    fn add_once(&mut self, host: &str, item: &str, line: String) {
        self.add(host, item, line);
        if self.items.split_last().is_some_and(|(last, before)| before.contains(last)) {
            self.items.pop();
        }
    }

    fn report(self) -> Report {
        let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        if self.items.is_empty() {
            let first = self.expiries.iter().min().cloned().unwrap_or_default();
            return Report { summary: format!("Expiry {first}"), detail: text(&self.good), ..Report::good() };
        }
        Report { detail: text(&self.lines), ..Report::failure(self.items.concat()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T00:00:00Z.
    const NOW: i64 = 1_795_305_600;
    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn shown(days: i64, named: bool) -> Option<Seen> {
        let validity = Some(Validity { from: 0, until: NOW + days * 86_400 });
        Some(Ok(vec![(LOCAL, Sight::Shown { validity, named, trust: Ok(()) })]))
    }

    fn text(seen: &[Option<Seen>]) -> (String, u8) {
        let hosts = (0..seen.len()).map(|number| format!("h{number}")).collect::<Vec<_>>();
        let judgement = Judgement { port: 443, now: NOW, soon: NOW + 14 * 86_400 };
        let report = judgement.report(&hosts, seen);
        (report.text(), report.exit)
    }

    #[test]
    fn good_certificates() {
        let good = "Expiry 2027-01-01\nh0 expires 2027-11-22\nh1 expires 2027-01-01\n";
        assert_eq!(text(&[shown(365, true), shown(40, true)]), (good.to_owned(), 0));
        assert_eq!(text(&[]), ("Expiry \n".to_owned(), 0));
    }

    #[test]
    fn dates_and_names() {
        for (seen, expect) in [
            (shown(-1, true), "h0(expired) \nh0(127.0.0.1) expired at 2026-11-21T00:00:00Z.\n"),
            (shown(5, true), "h0(expires soon) \nh0(127.0.0.1) expires at 2026-11-27T00:00:00Z.\n"),
            (
                shown(90, false),
                "h0(no commonName in cert) \nh0 doesn't have it's name as a commonName or altName\n",
            ),
            (
                shown(5, false),
                "h0(expires soon) h0(no commonName in cert) \nh0(127.0.0.1) expires at 2026-11-27T00:00:00Z.\n\
                 h0 doesn't have it's name as a commonName or altName\n",
            ),
        ] {
            assert_eq!(text(&[seen]), (expect.to_owned(), 1));
        }
        let validity = Some(Validity { from: NOW + 86_400, until: NOW + 90 * 86_400 });
        let early = Sight::Shown { validity, named: true, trust: Err("who knows".into()) };
        assert_eq!(
            text(&[Some(Ok(vec![(LOCAL, early)]))]).0,
            "h0(post dated) h0(not trusted) \nh0 has not before date 2026-11-23T00:00:00Z in future.\n\
             h0(127.0.0.1): who knows\n"
        );
    }

    #[test]
    fn no_certificate() {
        let refused = || (LOCAL, Sight::Unreachable(Trouble::Failed("Connection refused".into())));
        let unknown = Some(Err(Trouble::Unresolved("Name or service not known".into())));
        let bare = |trouble| Some(Ok(vec![(LOCAL, Sight::Bare(trouble))]));
        let seen = [
            Some(Ok(vec![refused(), refused()])),
            unknown,
            bare(Trouble::NoTls),
            bare(Trouble::TimedOut),
            None,
        ];
        assert_eq!(
            text(&seen).0,
            "h0(unavailable) h1(not found) h2(no SSL cert) h3(Can't connect SSL) h4(unavailable) \n\
             Can't connect to h0(127.0.0.1) port 443 via TCP. (Connection refused)\n\
             Can't connect to h0(127.0.0.1) port 443 via TCP. (Connection refused)\n\
             No A or AAAA record for h1. (Name or service not known)\n\
             h2 port 443 doesn't give certificate, not SSL server?\n\
             Can't connect SSL for h3(127.0.0.1) port 443: timeout\n\
             Can't connect to h4. (timeout)\n"
        );
    }
}
