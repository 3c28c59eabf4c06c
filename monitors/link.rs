//! A connection that ends at a deadline, whatever the other side does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use remon_core::reason;

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// The name has no address.
    Unresolved,
    /// The connection failed, in the words of the C library.
    Failed(String),
    /// Nothing came back in time.
    TimedOut,
}

/// Connects to the first address of `host` that accepts; IPv4 comes first, as always.
pub(crate) fn connect(host: &str, port: u16, deadline: Instant) -> Result<Link, ConnectError> {
    let addresses = (host, port).to_socket_addrs().map_err(|_| ConnectError::Unresolved)?;
    let mut addresses = addresses.collect::<Vec<_>>();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut failure = ConnectError::Unresolved;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::TimedOut);
        }
        // A dead address must leave time for those behind it.
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok(Link { reader: BufReader::new(Bounded { socket, deadline }) }),
            Err(error) if tried == 0 => failure = refusal(&error),
            Err(_) => {}
        }
    }
    Err(failure)
}

fn refusal(error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::TimedOut => ConnectError::TimedOut,
        _ => ConnectError::Failed(reason::of(error)),
    }
}

/// The connection. Reads and writes fail with `TimedOut` when the deadline has come.
#[derive(Debug)]
pub(crate) struct Link {
    reader: BufReader<Bounded>,
}

impl Link {
    /// Our address and theirs.
    pub(crate) fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let socket = &self.reader.get_ref().socket;
        Some((socket.local_addr().ok()?.ip(), socket.peer_addr().ok()?.ip()))
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Link {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bounded = self.reader.get_mut();
        bounded.socket.set_write_timeout(Some(bounded.left()?))?;
        bounded.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Bounded {
    socket: TcpStream,
    deadline: Instant,
}

impl Bounded {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_trickle_does_not_move_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client comes");
            while socket.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begun = Instant::now();
        let mut link =
            connect("127.0.0.1", port, begun + Duration::from_millis(300)).expect("the kernel accepts");
        let error = link.read_until(b'\n', &mut Vec::new()).expect_err("there is no line end");
        assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
