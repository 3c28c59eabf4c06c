//! `tcp.monitor`: does a TCP port accept connections?

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use remon_core::{getopt, netdb, reason};

use crate::invocation::{self, Invocation};
use crate::parallel;
use crate::report::Report;

const USAGE: &str = "usage: tcp.monitor [-p PORT] [-t SECONDS] HOST...

Connects to every host and closes the connection again; fails if any host does
not accept it.

  -p PORT     number or name of the port (23)
  -t SECONDS  how long to wait for all of them together (10)
      --help  this text
";

const DEFAULT_PORT: u16 = 23;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const SERVICES: &str = "/etc/services";

/// What came of one attempt at one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The connection was accepted.
    Accepted,
    /// The name has no address, in the words of the resolver.
    NotResolved(String),
    /// The connection failed, in the words of the C library.
    Failed(String),
    /// Nothing came back in time.
    TimedOut,
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters("p:t:", &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    let hosts = &options.words;
    let deadline = invocation.deadline(invocation::seconds(options.value("t"), DEFAULT_TIMEOUT));
    let attempts = match port(options.truthy("p")) {
        Ok(port) => parallel::probe_all(hosts, deadline, move |host| probe(host, port, deadline)),
        Err(unknown) => hosts.iter().map(|_| Some(Attempt::Failed(unknown.clone()))).collect(),
    };
    judge(hosts, &attempts).with_complaints(&options.complaints)
}

/// The port to try. Names are an extension: the original takes every name for port 0.
fn port(option: Option<&str>) -> Result<u16, String> {
    let Some(word) = option else { return Ok(DEFAULT_PORT) };
    if let Some(number) = getopt::leading_number(word) {
        return u16::try_from(number as i64).map_err(|_| format!("there is no port {word}"));
    }
    // Without the file no name is known, and the message says so.
    let services = std::fs::read_to_string(SERVICES).unwrap_or_default();
    netdb::service_port(&services, word, "tcp").ok_or_else(|| format!("unknown port name {word}"))
}

fn probe(host: &str, port: u16, deadline: Instant) -> Attempt {
    let address = match resolve(host, port) {
        Ok(address) => address,
        Err(error) => return Attempt::NotResolved(reason::of(&error)),
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Attempt::TimedOut;
    }
    match TcpStream::connect_timeout(&address, left) {
        Ok(_) => Attempt::Accepted,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Attempt::TimedOut,
        Err(error) => Attempt::Failed(reason::of(&error)),
    }
}

/// One address: the first IPv4 one, as always, so that a working IPv6 half cannot hide a failure that was seen
/// before; IPv6 where there is nothing else.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let addresses = (literal, port).to_socket_addrs()?.collect::<Vec<_>>();
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first()).copied().ok_or_else(|| io::Error::other("it has no address"))
}

/// Turns the attempts, in the order of the hosts, into the report.
#[must_use]
pub fn judge(hosts: &[String], attempts: &[Option<Attempt>]) -> Report {
    let (mut failed, mut lines) = (Vec::new(), Vec::new());
    for (host, attempt) in hosts.iter().zip(attempts) {
        lines.push(match attempt {
            Some(Attempt::Accepted) => continue,
            Some(Attempt::NotResolved(why)) => format!("{host} could not inet_aton: {why}"),
            Some(Attempt::Failed(why)) => format!("{host} could not connect: {why}"),
            Some(Attempt::TimedOut) | None => format!("{host} timeout"),
        });
        failed.push(host.as_str());
    }
    if failed.is_empty() { Report::good() } else { Report::of_hosts(failed, &lines) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    /// A label of 70 characters: the resolver refuses it without asking anybody.
    const NO_NAME: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    fn listener(address: &str) -> (TcpListener, String) {
        let listener = TcpListener::bind(address).expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port().to_string();
        (listener, port)
    }

    fn text(words: &[&str]) -> (String, u8) {
        let report = run(&Invocation::of(words));
        (report.text(), report.exit)
    }

    #[test]
    fn accepted_connections_are_silent() {
        let (_listener, port) = listener("127.0.0.1:0");
        assert_eq!(text(&["-p", &port, "127.0.0.1", "localhost", "127.0.0.1"]), (String::new(), 0));
        assert_eq!(text(&["-p", &port]), (String::new(), 0));
    }

    #[test]
    fn ipv6_where_there_is_nothing_else() {
        let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
        let port = listener.local_addr().expect("it is bound").port().to_string();
        assert_eq!(text(&["-p", &port, "::1", "[::1]"]), (String::new(), 0));
    }

    #[test]
    fn failures_are_sorted_in_the_summary_and_told_in_order() {
        let (_listener, port) = listener("127.0.0.1:0");
        let (output, exit) = text(&["-p", &port, NO_NAME, "127.0.0.1", "127.0.0.3"]);
        let mut lines = output.lines();
        assert_eq!((lines.next(), exit), (Some(format!("127.0.0.3 {NO_NAME}").as_str()), 1));
        assert_eq!(lines.next(), Some(""));
        assert!(
            lines.next().is_some_and(|line| line.starts_with(&format!("{NO_NAME} could not inet_aton: ")))
        );
        assert_eq!(lines.collect::<Vec<_>>(), ["127.0.0.3 could not connect: Connection refused"]);
    }

    /// A listener whose queue is full answers no more: the kernel drops what comes.
    #[allow(unsafe_code, reason = "std offers no way to choose the length of the queue")]
    fn silent() -> (TcpListener, Vec<TcpStream>, String) {
        let (listener, port) = listener("127.0.0.1:0");
        // SAFETY: the descriptor is open and belongs to a listening socket.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let address = listener.local_addr().expect("it is bound");
        let fill = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let queued = std::iter::from_fn(fill).take(64).collect();
        (listener, queued, port)
    }

    #[test]
    fn silent_hosts_cost_one_timeout_together() {
        let (_listener, _queued, port) = silent();
        let hosts = ["127.0.0.1"; 20];
        let begun = Instant::now();
        let (output, exit) = text(&[&["-t", "0.5", "-p", &port][..], &hosts].concat());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(exit, 1);
        assert_eq!(output, format!("{}\n\n{}", hosts.join(" "), "127.0.0.1 timeout\n".repeat(20)));
    }

    #[test]
    fn unknown_options_do_not_stop_the_test() {
        let (_listener, port) = listener("127.0.0.1:0");
        assert_eq!(text(&["-z", "-p", &port, "127.0.0.1"]), ("\nUnknown option: z\n".to_owned(), 0));
    }

    #[test]
    fn ports() {
        assert_eq!(port(None), Ok(23));
        assert_eq!(port(Some("80abc")), Ok(80));
        assert_eq!(port(Some("99999")), Err("there is no port 99999".to_owned()));
        assert_eq!(port(Some("no-such-port")), Err("unknown port name no-such-port".to_owned()));
        assert_eq!(
            text(&["-p", "no-such-port", "h"]).0,
            "h\n\nh could not connect: unknown port name no-such-port\n"
        );
    }
}
