//! Echo requests and their replies, by whatever this machine permits.
//!
//! An unprivileged ping socket first (`net.ipv4.ping_group_range` says who may open one), a raw socket where that is
//! permitted, the program `ping` last.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use remon_core::reason;
use socket2::{Domain, Protocol, Socket, Type};

use crate::child::{self, End};

/// From one request to the next, as ping does it.
const PAUSE: Duration = Duration::from_secs(1);

/// Type, code, checksum, identifier, number.
const HEADER: usize = 8;

/// What a request carries, by which its reply is known: those to others reach a raw socket too.
pub type Token = [u8; 16];

/// Why there was no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silence {
    /// None came in time.
    TimedOut,
    /// The request could not be sent, in the words of the C library.
    Failed(String),
    /// This machine lets us send none at all.
    NoMeans(String),
}

/// The sockets that tell how what they receive begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IPv4, from the ICMP header on.
    V4,
    /// IPv4, from the IP header on: a raw socket.
    V4Raw,
    /// IPv6, from the ICMP header on.
    V6,
}

/// Sends up to `count` requests, one a second, until the first reply.
///
/// # Errors
/// Why there was none by the deadline.
pub(crate) fn ping(address: SocketAddr, count: u32, deadline: Instant) -> Result<(), Silence> {
    match open(address) {
        Ok((socket, kind)) => ask(&socket, kind, address, count, deadline),
        Err(error) => by_program(address, count, deadline, &error),
    }
}

fn open(address: SocketAddr) -> io::Result<(Socket, Kind)> {
    let (domain, protocol, kind, raw) = if address.is_ipv4() {
        (Domain::IPV4, Protocol::ICMPV4, Kind::V4, Kind::V4Raw)
    } else {
        (Domain::IPV6, Protocol::ICMPV6, Kind::V6, Kind::V6)
    };
    match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => Ok((socket, kind)),
        Err(_) => Ok((Socket::new(domain, Type::RAW, Some(protocol))?, raw)),
    }
}

fn ask(
    socket: &Socket,
    kind: Kind,
    address: SocketAddr,
    count: u32,
    deadline: Instant,
) -> Result<(), Silence> {
    // Only its replies reach us then, and what is known to be unreachable is told at once.
    socket.connect(&address.into()).map_err(|error| failed(&error))?;
    let token = token();
    let mut trouble = Silence::TimedOut;
    for number in 1..=count {
        let last = number == count;
        let until = if last { deadline } else { deadline.min(Instant::now() + PAUSE) };
        match socket.send(&request(kind, number, &token)) {
            Ok(_) => trouble = Silence::TimedOut,
            Err(error) => trouble = failed(&error),
        }
        match await_reply(socket, kind, &token, until) {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() >= deadline => break,
            Ok(false) => {}
            Err(error) => trouble = failed(&error),
        }
        if trouble != Silence::TimedOut && !last {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        if trouble != Silence::TimedOut && last {
            break;
        }
    }
    Err(trouble)
}

fn failed(error: &io::Error) -> Silence {
    Silence::Failed(reason::of(error))
}

/// Reads until the reply has come or the time is up; `false` then.
fn await_reply(mut socket: &Socket, kind: Kind, token: &Token, until: Instant) -> io::Result<bool> {
    let mut packet = [0; 2048];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.read(&mut packet) {
            Ok(size) if is_reply(kind, &packet[..size], token) => return Ok(true),
            Ok(_) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(false),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

/// Sixteen bytes that no other request of this machine carries at this time.
fn token() -> Token {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut token = [0; 16];
    token[..8].copy_from_slice(&(since.as_nanos() as u64).to_be_bytes());
    token[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    token[12..].copy_from_slice(&(number as u32).to_be_bytes());
    token
}

/// An echo request. A ping socket puts its own identifier in; for IPv6 the kernel sums up.
fn request(kind: Kind, number: u32, token: &Token) -> Vec<u8> {
    let mut packet = vec![if kind == Kind::V6 { 128 } else { 8 }, 0, 0, 0];
    packet.extend_from_slice(&(std::process::id() as u16).to_be_bytes());
    packet.extend_from_slice(&(number as u16).to_be_bytes());
    packet.extend_from_slice(token);
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The sum of RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let pairs = packet.chunks(2).map(|pair| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let mut sum = pairs.fold(0_u32, u32::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Is this packet the reply to a request with this token?
#[must_use]
pub fn is_reply(kind: Kind, packet: &[u8], token: &Token) -> bool {
    let message = match (kind, packet.first()) {
        // The IP header tells its own length, in words.
        (Kind::V4Raw, Some(first)) => packet.get(usize::from(first & 0xf) * 4..).unwrap_or_default(),
        _ => packet,
    };
    let echo_reply = if kind == Kind::V6 { 129 } else { 0 };
    message.first() == Some(&echo_reply)
        && message.get(1) == Some(&0)
        && message.get(HEADER..HEADER + token.len()) == Some(token)
}

fn by_program(
    address: SocketAddr,
    count: u32,
    deadline: Instant,
    refused: &io::Error,
) -> Result<(), Silence> {
    let left = deadline.saturating_duration_since(Instant::now());
    let mut command = Command::new("ping");
    command.args(["-n", "-q", "-c", &count.to_string(), "-w", &(left.as_secs() + 1).to_string()]);
    command.arg(address.ip().to_string());
    let no_means = |why: String| {
        Silence::NoMeans(format!("no ping socket ({}), and the program ping: {why}", reason::of(refused)))
    };
    let ran = child::run(command, deadline).map_err(|error| no_means(reason::of(&error)))?;
    match ran.end {
        End::Exited(0) => Ok(()),
        // "Some packets": it sent, and heard nothing.
        End::Exited(1) | End::TimedOut => Err(Silence::TimedOut),
        End::Exited(_) | End::Signalled(_) => {
            let said = String::from_utf8_lossy(&ran.output);
            Err(no_means(said.lines().next().unwrap_or("says nothing").to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = *b"0123456789abcdef";

    #[test]
    fn replies_are_told_from_everything_else() {
        let request_v4 = request(Kind::V4, 1, &TOKEN);
        assert_eq!(checksum(&request_v4), 0, "the sum over a packet with its sum is nothing");
        let mut reply = request_v4.clone();
        reply[0] = 0;
        assert!(is_reply(Kind::V4, &reply, &TOKEN));
        assert!(!is_reply(Kind::V4, &request_v4, &TOKEN), "on loopback a raw socket hears the request too");
        assert!(!is_reply(Kind::V4, &reply, b"another request!"));
        assert!(!is_reply(Kind::V4, &reply[..20], &TOKEN));
        let mut with_ip = vec![0x46; 24];
        with_ip.extend_from_slice(&reply);
        assert!(is_reply(Kind::V4Raw, &with_ip, &TOKEN));
        assert!(!is_reply(Kind::V4Raw, &[0x4f], &TOKEN));
        let mut reply_v6 = request(Kind::V6, 1, &TOKEN);
        assert_eq!(reply_v6[0], 128);
        reply_v6[0] = 129;
        assert!(is_reply(Kind::V6, &reply_v6, &TOKEN));
        assert!(!is_reply(Kind::V6, &reply, &TOKEN) && !is_reply(Kind::V6, &[], &TOKEN));
    }

    #[test]
    fn no_two_requests_are_alike() {
        assert_ne!(token(), token());
    }
}
