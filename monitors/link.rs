//! A connection that ends at a deadline, whatever the other side does; encrypted or not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use remon_core::reason;
use rustls::{ClientConnection, StreamOwned};

use crate::resolve;

/// Why a probe did not get what it wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The name has no address, in the words of the resolver.
    Unresolved(String),
    /// The connection failed, in the words of the C library.
    Failed(String),
    /// Nothing came back in time.
    TimedOut,
    /// What is at the other end does not speak TLS.
    NoTls,
    /// There is no encrypted connection, or not to whom it should be, in our words.
    Tls(String),
    /// The connection broke, in the words of the C library.
    Broken(String),
    /// An answer that it should not be, in words.
    Unexpected(String),
}

impl Trouble {
    /// The same in words, where a monitor has none of its own from the original.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Trouble::Unresolved(why) => format!("cannot resolve hostname: {why}"),
            Trouble::Failed(why) => format!("cannot connect: {why}"),
            Trouble::TimedOut => "timeout".to_owned(),
            Trouble::NoTls => "TLS: the server does not speak it".to_owned(),
            Trouble::Tls(why) => format!("TLS: {why}"),
            Trouble::Broken(why) | Trouble::Unexpected(why) => why.clone(),
        }
    }

    /// What became of reading or writing.
    pub(crate) fn of(error: &io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::TimedOut => Trouble::TimedOut,
            io::ErrorKind::InvalidData => Trouble::Tls(error.to_string()),
            _ => Trouble::Broken(reason::of(error)),
        }
    }
}

/// Connects to the first address of `host` that accepts; IPv4 comes first, as always.
///
/// # Errors
/// What was wrong with the first address.
pub(crate) fn connect(host: &str, port: u16, deadline: Instant) -> Result<Link, Trouble> {
    let addresses = resolve::addresses(host, port, deadline)?;
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        // A dead address must leave time for those behind it.
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match reach(*address, share) {
            Ok(socket) => return Ok(Link::new(socket, deadline)),
            Err(trouble) => failure = failure.or(Some(trouble)),
        }
    }
    Err(failure.unwrap_or(Trouble::TimedOut))
}

/// Connects to this one address.
///
/// # Errors
/// When it does not accept.
pub(crate) fn dial(address: SocketAddr, deadline: Instant) -> Result<Link, Trouble> {
    let socket = reach(address, deadline.saturating_duration_since(Instant::now()))?;
    Ok(Link::new(socket, deadline))
}

fn reach(address: SocketAddr, left: Duration) -> Result<TcpStream, Trouble> {
    if left.is_zero() {
        return Err(Trouble::TimedOut);
    }
    TcpStream::connect_timeout(&address, left).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Trouble::TimedOut,
        _ => Trouble::Failed(reason::of(&error)),
    })
}

/// The connection. Reads and writes fail with `TimedOut` when the deadline has come.
#[derive(Debug)]
pub(crate) struct Link {
    reader: BufReader<Channel>,
}

#[derive(Debug)]
enum Channel {
    Plain(Bounded),
    Encrypted(Box<StreamOwned<ClientConnection, Bounded>>),
}

impl Link {
    /// Our address and theirs.
    pub(crate) fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let socket = match self.reader.get_ref() {
            Channel::Plain(bounded) => &bounded.socket,
            Channel::Encrypted(stream) => &stream.sock.socket,
        };
        Some((socket.local_addr().ok()?.ip(), socket.peer_addr().ok()?.ip()))
    }

    fn new(socket: TcpStream, deadline: Instant) -> Link {
        Link { reader: BufReader::new(Channel::Plain(Bounded { socket, deadline })) }
    }

    /// The same connection, encrypted by what `client` and the server agree on.
    ///
    /// # Errors
    /// When they do not, or when more has come than the answer that the encryption begins after: somebody in
    /// between could have put it there.
    pub(crate) fn encrypt(self, mut client: ClientConnection) -> io::Result<Link> {
        if !self.reader.buffer().is_empty() {
            return Err(io::Error::other("the server speaks before the encryption begins"));
        }
        let Channel::Plain(mut bounded) = self.reader.into_inner() else {
            return Err(io::Error::other("it is encrypted already"));
        };
        while client.is_handshaking() {
            client.complete_io(&mut bounded)?;
        }
        let stream = Box::new(StreamOwned::new(client, bounded));
        Ok(Link { reader: BufReader::new(Channel::Encrypted(stream)) })
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
        match self.reader.get_mut() {
            Channel::Plain(bounded) => bounded.write(bytes),
            Channel::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.reader.get_mut() {
            Channel::Plain(_) => Ok(()),
            Channel::Encrypted(stream) => stream.flush(),
        }
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Channel::Plain(bounded) => bounded.read(buffer),
            // Many servers hang up without the farewell of TLS; what they said until then has been said.
            Channel::Encrypted(stream) => stream.read(buffer).or_else(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Ok(0),
                _ => Err(error),
            }),
        }
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

/// A socket whose time is up says that it would block; to everybody above it is the deadline.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(buffer).map_err(timed_out)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        assert_eq!(Trouble::of(&error), Trouble::TimedOut, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
