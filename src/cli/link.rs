//! A connection to a mon server that cannot hang.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use remon_core::getopt::{self, Options};
use remon_core::wire::client::{Client, ClientError};
use remon_core::{netdb, reason};

/// How long a server may take to accept, and then be silent, unless an option says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Longest time for one whole reply: a server that sends a byte now and then is hung too.
const WHOLE_REPLY: Duration = Duration::from_secs(600);

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// The name has no address.
    Unresolved,
    /// Nobody answers there, in the words of the C library.
    Failed(String),
}

/// The words of the Perl client library.
impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConnectError::Unresolved => f.write_str("could not resolve host"),
            ConnectError::Failed(why) => write!(f, "connect failed, {why}"),
        }
    }
}

/// Where a client goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Name or address.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// How long to wait for it to accept, and then for each sign of life.
    pub(crate) patience: Duration,
}

impl Target {
    /// The server to ask: the option if given, else `configured`, else MONHOST, else this machine.
    pub(crate) fn host(option: Option<&str>, configured: Option<&str>) -> String {
        let monhost = std::env::var("MONHOST").ok().filter(|host| !host.is_empty());
        option.or(configured).map(str::to_owned).or(monhost).unwrap_or_else(|| "localhost".to_owned())
    }

    /// The port meant by `word`, which may be a name; without a word that of mon/tcp. Port 0 refuses everybody:
    /// so the original treats a name that nobody knows.
    pub(crate) fn port(word: Option<&str>) -> u16 {
        let services = || std::fs::read_to_string("/etc/services").unwrap_or_default();
        match word {
            None => netdb::service_port(&services(), "mon", "tcp").unwrap_or(netdb::MON_PORT),
            Some(word) => {
                word.parse().ok().or_else(|| netdb::service_port(&services(), word, "tcp")).unwrap_or(0)
            }
        }
    }

    /// What `-t` or `--timeout` asks for.
    pub(crate) fn patience(options: &Options, name: &str) -> Duration {
        let seconds = options.value(name).and_then(getopt::leading_number).filter(|seconds| *seconds > 0.0);
        seconds.map_or(PATIENCE, |seconds| Duration::from_secs_f64(seconds.min(WHOLE_REPLY.as_secs_f64())))
    }

    /// Connects.
    pub(crate) fn connect(&self) -> Result<Client<Link>, ConnectError> {
        let deadline = Instant::now() + self.patience;
        let mut first_failure = None;
        for address in resolve(&self.host, self.port, deadline)? {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => return Ok(Client::new(Link::new(socket, self.patience))),
                Err(error) => first_failure = first_failure.or(Some(words(&error))),
            }
        }
        Err(first_failure.map_or(ConnectError::Unresolved, ConnectError::Failed))
    }

    /// Connects and announces the protocol; the error is a sentence.
    pub(crate) fn open_session(&self) -> Result<Client<Link>, String> {
        let complain = |why: &dyn std::fmt::Display| format!("Could not connect to server: {why}");
        let mut client = self.connect().map_err(|error| complain(&error))?;
        match client.protid() {
            Ok(()) => Ok(client),
            // Whatever answers so is no mon.
            Err(ClientError::Refused(_) | ClientError::Closed) => {
                Err(complain(&"connect failed, protocol mismatch"))
            }
            Err(error) => Err(complain(&error)),
        }
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
        _ => reason::of(error),
    }
}

/// The addresses of a name, IPv4 first: the original server listens nowhere else.
fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, ConnectError> {
    let (sender, answer) = mpsc::channel();
    let name = host.to_owned();
    // The resolver cannot be interrupted: it gets a thread, which is left behind when it hangs.
    let ask =
        move || drop(sender.send((name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>)));
    thread::Builder::new().spawn(ask).map_err(|error| ConnectError::Failed(words(&error)))?;
    let left = deadline.saturating_duration_since(Instant::now());
    let mut addresses = match answer.recv_timeout(left) {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(_)) | Err(_) => return Err(ConnectError::Unresolved),
    };
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}

/// The connection: every read and write is bounded by the patience and by the time for the whole reply.
#[derive(Debug)]
pub(crate) struct Link {
    reader: BufReader<Bounded>,
}

impl Link {
    fn new(socket: TcpStream, patience: Duration) -> Link {
        Link { reader: BufReader::new(Bounded { socket, patience, reply_by: Instant::now() + WHOLE_REPLY }) }
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
    /// Writing begins a new exchange, so the time for the reply counts from here.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bounded = self.reader.get_mut();
        bounded.reply_by = Instant::now() + WHOLE_REPLY;
        bounded.socket.set_write_timeout(Some(bounded.patience))?;
        bounded.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Bounded {
    socket: TcpStream,
    patience: Duration,
    reply_by: Instant,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.patience.min(self.reply_by.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))?;
        self.socket.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn target(host: &str, port: u16, millis: u64) -> Target {
        Target { host: host.to_owned(), port, patience: Duration::from_millis(millis) }
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let mut client =
            target("127.0.0.1", port, 200).connect().expect("the kernel accepts for the listener");
        let error = client.ask("list state").expect_err("nobody answers");
        assert_eq!(error.to_string(), "the server did not answer in time");
        assert!(matches!(error, ClientError::Io(_)));
    }

    #[test]
    fn errors_in_the_words_of_the_library() {
        let error =
            |host: &str, port| target(host, port, 5000).connect().err().map(|error| error.to_string());
        assert_eq!(error("127.0.0.1", 0).as_deref(), Some("connect failed, Connection refused"));
        // A label of more than 63 characters is refused by the resolver itself.
        assert_eq!(error(&"x".repeat(70), 1).as_deref(), Some("could not resolve host"));
    }

    #[test]
    fn ports() {
        assert_eq!(Target::port(Some("1234")), 1234);
        assert_eq!(Target::port(Some("no-such-service")), 0);
        assert_ne!(Target::port(None), 0);
    }
}
