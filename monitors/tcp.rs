//! `tcp.monitor`: does a TCP port accept connections?

use std::time::{Duration, Instant};

use remon_core::getopt;

use crate::invocation::{self, Invocation};
use crate::link::{self, Trouble};
use crate::report::Report;
use crate::{parallel, port, resolve};

const USAGE: &str = "usage: tcp.monitor [-p PORT] [-t SECONDS] HOST...

Connects to every host and closes the connection again; fails if any host does
not accept it.

  -p PORT     number or name of the port (23)
  -t SECONDS  how long to wait for all of them together (10)
      --help  this text
";

const DEFAULT_PORT: u16 = 23;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

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
    let attempts = match port::named(options.truthy("p"), DEFAULT_PORT) {
        Ok(port) => parallel::probe_all(hosts, deadline, move |host| probe(host, port, deadline)),
        Err(unknown) => hosts.iter().map(|_| Some(Attempt::Failed(unknown.clone()))).collect(),
    };
    judge(hosts, &attempts).with_complaints(&options.complaints)
}

fn probe(host: &str, port: u16, deadline: Instant) -> Attempt {
    match resolve::first(host, port, deadline).and_then(|address| link::dial(address, deadline)) {
        Ok(_) => Attempt::Accepted,
        Err(Trouble::TimedOut) => Attempt::TimedOut,
        Err(Trouble::Unresolved(why)) => Attempt::NotResolved(why),
        Err(Trouble::Failed(why)) => Attempt::Failed(why),
        Err(other) => Attempt::Failed(other.words()),
    }
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
    use std::net::{TcpListener, TcpStream};
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
        assert_eq!(
            text(&["-p", "no-such-port", "h"]).0,
            "h\n\nh could not connect: unknown port name no-such-port\n"
        );
    }
}
