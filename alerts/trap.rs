//! `trap.alert`: tell another mon server, by a trap.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use remon_core::getopt::{self, Options};
use remon_core::nouns::OpStatus;
use remon_core::wire::trap::{self, Outgoing};
use remon_core::{netdb, reason};

use crate::deliver::Message;
use crate::dispatch::{Dispatch, Outcome, Way};
use crate::invocation::Invocation;

/// What `--help` prints.
pub const USAGE: &str = "usage: trap.alert [-o N] [-U USER] [-P PASSWORD] SERVER[:PORT]...

Sends the alert as a trap to mon servers. Group, service and status are those of
MON_GROUP, MON_SERVICE, MON_RETVAL and MON_OPSTATUS; summary and detail come from
standard input. A trap is not answered, so nobody knows whether it arrived.

  -o N         the operational status (MON_OPSTATUS, or 0)
  -U USER, -P PASSWORD
               for the server; MON_TRAP_USER and MON_TRAP_PASS win over them
  -s -g -h -t -l -u -a -D -T -O
               as mon gives them
";

/// The service file, for the port of mon.
const SERVICES: &str = "/etc/services";

/// Names are resolved at the same time, and the resolver gives up after this.
const LIMIT: Duration = Duration::from_secs(30);

/// A trap to one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// As it stands in mon.cf.
    pub word: String,
    /// Name or address.
    pub host: String,
    /// UDP port; 0 is that of mon.
    pub port: u16,
    /// What is sent.
    pub bytes: Vec<u8>,
}

/// The traps for the servers.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    // -T and -O are flags: in the original -T takes the first server for its value.
    let options = getopt::letters("s:g:h:t:l:o:uU:P:TOaD", &invocation.words);
    let ways = match trap(&options, invocation) {
        Ok(bytes) => options.words.iter().map(|word| way(word, &bytes)).collect(),
        Err(why) => options.words.iter().map(|word| Way::Impossible(failure(word, &why))).collect(),
    };
    Message::Send(Dispatch { ways, limit: LIMIT, complaints: options.complaints })
}

fn failure(word: &str, why: &str) -> String {
    format!("Error sending trap to {word}: {why}")
}

fn way(word: &str, bytes: &[u8]) -> Way {
    let (host, port) = netdb::split_port(word);
    match port.map_or(Ok(0), str::parse) {
        Ok(port) => {
            Way::Trap(Datagram { word: word.to_owned(), host: host.to_owned(), port, bytes: bytes.to_vec() })
        }
        Err(_) => Way::Impossible(failure(word, "there is no such port")),
    }
}

/// The trap, or why there can be none, in the words of the client library.
fn trap(options: &Options, invocation: &Invocation) -> Result<Vec<u8>, String> {
    let variable = |name| invocation.variable(name).filter(|value| !matches!(*value, "" | "0"));
    let user = variable("MON_TRAP_USER").or(options.truthy("U")).or(variable("USER"));
    let password = variable("MON_TRAP_PASS").or(options.truthy("P")).unwrap_or_default();
    let opstatus = options.truthy("o").or(invocation.variable("MON_OPSTATUS")).unwrap_or("0");
    let opstatus = getopt::leading_number(opstatus).and_then(|number| u8::try_from(number as i64).ok());
    let opstatus = opstatus.filter(|code| OpStatus::from_code(*code).is_some());
    let opstatus = opstatus.ok_or("Undefined opstatus type")?;
    let status = invocation.variable("MON_RETVAL").and_then(|status| status.parse().ok());
    let status = status.ok_or("invalid value for retval")?;
    let (summary, detail) = invocation.summary_and_detail();
    Ok(trap::spell(&Outgoing {
        login: user.map(|user| (user, password)),
        opstatus,
        group: invocation.variable("MON_GROUP").unwrap_or_default(),
        service: invocation.variable("MON_SERVICE").unwrap_or_default(),
        status,
        time: invocation.now,
        summary,
        detail: detail.strip_suffix('\n').unwrap_or(detail),
    }))
}

impl Datagram {
    /// Sends.
    pub(crate) fn send(&self) -> Outcome {
        match self.try_send() {
            Ok(()) => Outcome { accepted: 1, failures: Vec::new() },
            Err(error) => Outcome::failed(failure(&self.word, &reason::of(&error))),
        }
    }

    /// Where it goes.
    pub(crate) fn resolve(&self) -> std::io::Result<SocketAddr> {
        let mut addresses = (self.host.as_str(), self.port()).to_socket_addrs()?.collect::<Vec<_>>();
        // The original listens on IPv4 only.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.first().copied().ok_or_else(|| std::io::Error::other("it has no address"))
    }

    fn try_send(&self) -> std::io::Result<()> {
        let address = self.resolve()?;
        let ours: SocketAddr = if address.is_ipv6() { ([0; 16], 0).into() } else { ([0; 4], 0).into() };
        let socket = UdpSocket::bind(ours)?;
        socket.send_to(&self.bytes, address).map(drop)
    }

    fn port(&self) -> u16 {
        let known = || {
            let services = std::fs::read_to_string(SERVICES).unwrap_or_default();
            netdb::service_port(&services, "mon", "udp").unwrap_or(netdb::MON_PORT)
        };
        if self.port == 0 { known() } else { self.port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 8] = ["-s", "http", "-g", "web", "-h", "hostA", "-t", "1795346603"];
    const ENV: [(&str, &str); 4] =
        [("MON_GROUP", "web"), ("MON_SERVICE", "http"), ("MON_RETVAL", "3"), ("MON_OPSTATUS", "0")];

    fn ways(env: &[(&str, &str)], words: &[&str]) -> Vec<Way> {
        let mut invocation = Invocation::sample(&[&WORDS, words].concat(), "hostA hostB\ndetail\n\nlast\n");
        let pairs = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        invocation.env = pairs.collect();
        match compose(&invocation) {
            Message::Send(dispatch) => dispatch.ways,
            other => panic!("{other:?}"),
        }
    }

    fn text(env: &[(&str, &str)], words: &[&str]) -> String {
        match &ways(env, words)[..] {
            [Way::Trap(Datagram { bytes, .. })] => String::from_utf8(bytes.clone()).expect("it is ASCII"),
            [Way::Impossible(why)] => why.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_trap_of_the_original() {
        let expect = "pro='0.3807'\nusr=''\nspc='0'\nseq='0'\ntyp='trap'\ngrp='web'\nsvc='http'\nsta='3'\nspc='0'\n\
                      tsp='1795346973'\nsum='hostA\\20hostB'\ndtl='detail\\0a\\0alast'\n";
        for flag in ["-u", "-T", "-O", "-l3600"] {
            assert_eq!(text(&ENV, &[flag, "serverb"]), expect);
        }
        let up = [ENV[0], ENV[1], ("MON_RETVAL", "0"), ("MON_OPSTATUS", "1")];
        let expect = expect.replace("spc='0'", "spc='1'").replace("sta='3'", "sta='0'");
        assert_eq!(text(&up, &["-u", "serverb"]), expect);
        let warned = text(&[ENV[0], ENV[1], ENV[2], ("MON_OPSTATUS", "9")], &["serverb"]);
        assert!(warned.contains("spc='9'"), "{warned}");
    }

    #[test]
    fn users() {
        let login = |env: &[(&str, &str)], words: &[&str]| {
            let text = text(&[&ENV, env].concat(), &[words, &["serverb"]].concat());
            text.lines().filter(|line| line.starts_with("usr") || line.starts_with("pas")).collect::<String>()
        };
        assert_eq!(login(&[], &["-U", "bob", "-P", "pw"]), "usr='bob'pas='pw'");
        let env = [("MON_TRAP_USER", "alice"), ("MON_TRAP_PASS", "se'same")];
        assert_eq!(login(&env, &["-U", "bob", "-P", "pw"]), "usr='alice'pas='se\\27same'");
        assert_eq!(login(&[("USER", "mon")], &[]), "usr='mon'pas=''");
    }

    #[test]
    fn what_makes_no_trap() {
        let why = |env: &[(&str, &str)], words: &[&str]| text(env, words);
        assert_eq!(why(&ENV[..2], &["h"]), "Error sending trap to h: invalid value for retval");
        assert_eq!(why(&ENV, &["-o", "12", "h"]), "Error sending trap to h: Undefined opstatus type");
        assert_eq!(why(&ENV, &["h:x"]), "Error sending trap to h:x: there is no such port");
        assert!(ways(&ENV, &[]).is_empty());
        assert_eq!(ways(&ENV, &["a", "b:2584", "[::1]:2585"]).len(), 3);
    }
}
