//! One question to one server, over UDP or TCP.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use remon_core::reason;

use super::message::{Question, Response};
use crate::link::{self, Trouble};
use crate::resolve;

/// The largest datagram there is.
const MOST_BYTES: usize = 65_535;

/// How a server is asked.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) port: u16,
    pub(super) recurse: bool,
    pub(super) tcp: bool,
    /// How often a question is sent.
    pub(super) tries: u32,
    /// Until the first repetition; it doubles from try to try.
    pub(super) retransmit: Duration,
    /// For all of it.
    pub(super) timeout: Option<Duration>,
}

impl Manner {
    /// How long one question to one server may take.
    pub(super) fn span(&self) -> Duration {
        let all = self.retransmit.saturating_mul(2_u32.saturating_pow(self.tries).saturating_sub(1));
        match self.timeout {
            None => all,
            Some(timeout) if self.tcp => timeout,
            Some(timeout) => timeout.min(all),
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// Why there is no answer, in the words that stand behind `failed`.
    pub(super) fn ask(
        &self,
        server: &str,
        question: &Question,
        deadline: Instant,
    ) -> Result<Response, String> {
        let id = (RandomState::new().hash_one(server) & 0xffff) as u16;
        let message = question.encode(id, self.recurse)?;
        let addresses = resolve::addresses(server, self.port, deadline).map_err(|trouble| match trouble {
            Trouble::Unresolved(why) => format!("no nameservers: {why}"),
            other => other.words(),
        })?;
        let read = |bytes: &[u8]| Response::read(bytes, id, question);
        if !self.tcp {
            let response = self.over_udp(&addresses, &message, &read, deadline)?;
            if !response.truncated {
                return Ok(response);
            }
        }
        over_tcp(&addresses, &message, &read, deadline)
    }

    /// Every try goes to every address, each with its share of the time; a late answer to an early try counts.
    fn over_udp(
        &self,
        addresses: &[SocketAddr],
        message: &[u8],
        read: &impl Fn(&[u8]) -> Option<Response>,
        deadline: Instant,
    ) -> Result<Response, String> {
        let mut trouble = None;
        let sockets =
            addresses.iter().filter_map(|address| open(*address).map_err(|error| trouble = Some(error)).ok());
        let sockets = sockets.collect::<Vec<_>>();
        let count = u32::try_from(sockets.len().max(1)).unwrap_or(u32::MAX);
        let mut wait = self.retransmit / count;
        for number in 1..=self.tries {
            for socket in &sockets {
                let until = deadline.min(Instant::now() + wait);
                match exchange(socket, message, read, until) {
                    Ok(Some(response)) => return Ok(response),
                    Ok(None) => trouble = None,
                    Err(error) => {
                        trouble = Some(error);
                        // It may be on its way up: as long as there is another try, it is given the time.
                        if number < self.tries {
                            thread::sleep(until.saturating_duration_since(Instant::now()));
                        }
                    }
                }
            }
            if Instant::now() >= deadline {
                break;
            }
            wait = wait.saturating_mul(2);
        }
        Err(trouble.map_or_else(|| "query timed out".to_owned(), |error| reason::of(&error)))
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    // Only its answers reach us then, and a refusal does too.
    socket.connect(address)?;
    Ok(socket)
}

/// Asks once; `None` when nothing that is an answer came in time.
fn exchange(
    socket: &UdpSocket,
    message: &[u8],
    read: &impl Fn(&[u8]) -> Option<Response>,
    until: Instant,
) -> io::Result<Option<Response>> {
    socket.send(message)?;
    let mut bytes = vec![0; MOST_BYTES];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut bytes) {
            Ok(size) => match read(&bytes[..size]) {
                None => {}
                response => return Ok(response),
            },
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(None),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

fn over_tcp(
    addresses: &[SocketAddr],
    message: &[u8],
    read: &impl Fn(&[u8]) -> Option<Response>,
    deadline: Instant,
) -> Result<Response, String> {
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        // A dead address must leave time for those behind it.
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        let fetched = link::dial(*address, Instant::now() + share).and_then(|mut link| {
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
            let mut fetch = || {
                link.write_all(&[&length, message].concat())?;
                link.flush()?;
                let mut length = [0; 2];
                link.read_exact(&mut length)?;
                let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
                link.read_exact(&mut bytes)?;
                Ok(bytes)
            };
            fetch().map_err(|error| Trouble::of(&error))
        });
        match fetched.map(|bytes| read(&bytes)) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => failure = failure.or(Some("with an answer that is none".to_owned())),
            Err(Trouble::TimedOut) => failure = failure.or(Some("query timed out".to_owned())),
            Err(Trouble::Failed(why)) => failure = failure.or(Some(why)),
            Err(other) => failure = failure.or(Some(other.words())),
        }
    }
    Err(failure.unwrap_or_else(|| "query timed out".to_owned()))
}
