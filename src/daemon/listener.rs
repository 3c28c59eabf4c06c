//! TCP clients: a task each, which owns the socket and speaks to the run loop in whole lines.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use remon_core::engine::{ClientId, Command, Event};
use remon_core::wire::command::{self, LineBuffer};
use remon_core::wire::reply::LINE_TOO_LONG;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{timeout, timeout_at};

use super::clock::instant_now;
use super::load::plain;
use super::message::{Inbox, Message, Reply};
use super::site::Site;

/// Clients at once. Each may hold one reply in memory; a status page needs one connection.
pub(super) const MAX_CLIENTS: usize = 500;

/// After an error of accept: most often the descriptors are used up, and that passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Between two lines in the log that say that there are too many clients.
const FULL_LOGGED_EVERY: Duration = Duration::from_secs(60);

/// For a client that goes on sending after we closed: to read our last line.
const PARTING: Duration = Duration::from_secs(1);

/// Replies on their way to one client: the loop answers one command at a time, and may close after it.
const REPLIES: usize = 4;

/// Takes the port for clients.
pub(super) fn bind(site: &Site) -> Result<TcpListener, String> {
    let address = address(site.serverbind.as_deref(), site.serverport, "serverbind")?;
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("could not bind TCP server port {address}: {}", plain(&error)))?;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    Ok(listener)
}

/// Where to listen: every IPv4 address unless a host is named.
pub(super) fn address(host: Option<&str>, port: u16, global: &str) -> Result<SocketAddr, String> {
    let Some(host) = host.filter(|host| !host.is_empty()) else { return Ok(([0, 0, 0, 0], port).into()) };
    let found = (host, port).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| format!("no address for {global} {host}"))
}

/// Accepts clients for ever. `idle` is the time after which a silent client is closed.
pub(super) async fn serve(listener: TcpListener, idle: watch::Receiver<Duration>, inbox: Inbox) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            return super::logging::log(remon_core::engine::Level::Err, &format!("no clients: {error}"));
        }
    };
    let places = Arc::new(Semaphore::new(MAX_CLIENTS));
    let (mut last_id, mut last_full) = (0, None);
    loop {
        if places.available_permits() == 0
            && last_full.is_none_or(|at| instant_now() - at >= FULL_LOGGED_EVERY)
        {
            last_full = Some(instant_now());
            let text = format!("{MAX_CLIENTS} clients are connected: more have to wait until one leaves");
            super::logging::log(remon_core::engine::Level::Warning, &text);
        }
        // The semaphore is never closed; a place becomes free when a client leaves or has been idle too long.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                last_id += 1;
                let client =
                    Client { id: ClientId(last_id), stream, idle: idle.clone(), inbox: inbox.clone() };
                tokio::spawn(async move {
                    client.serve(peer).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

struct Client {
    id: ClientId,
    stream: TcpStream,
    idle: watch::Receiver<Duration>,
    inbox: Inbox,
}

/// The conversation is over, for whatever reason.
struct Over;

impl Client {
    async fn serve(mut self, peer: SocketAddr) {
        // A reply is one write: waiting for more to send would only cost the client 40 ms.
        let _ = self.stream.set_nodelay(true);
        let (replies, mut mailbox) = mpsc::channel(REPLIES);
        let client = self.id;
        let connected = Message::Connected { client, peer: peer.ip(), replies };
        if self.inbox.send(connected).await.is_ok() {
            let _ = self.converse(&mut mailbox).await;
            // The run loop is gone only when all is over.
            let _ = self.inbox.send(Message::Event(Event::ClientGone { client })).await;
        }
    }

    async fn converse(&mut self, mailbox: &mut mpsc::Receiver<Reply>) -> Result<(), Over> {
        let mut lines = LineBuffer::default();
        let mut chunk = vec![0; 8192];
        // Whole lines count: who sends a byte now and then is as silent as others.
        let mut last_line = instant_now();
        loop {
            let patience = (last_line + *self.idle.borrow()).into();
            let read = tokio::select! {
                read = timeout_at(patience, self.stream.read(&mut chunk)) => read.map_err(|_| Over)?.map_err(|_| Over)?,
                // Not asked for: the client is not welcome.
                reply = mailbox.recv() => return self.answer(reply.ok_or(Over)?).await,
            };
            if read == 0 {
                return Err(Over);
            }
            lines.extend(&chunk[..read]);
            while let Some(line) = self.next_line(&mut lines).await? {
                self.command(line).await?;
                self.answer(mailbox.recv().await.ok_or(Over)?).await?;
                last_line = instant_now();
            }
        }
    }

    async fn next_line(&mut self, lines: &mut LineBuffer) -> Result<Option<String>, Over> {
        match lines.next_line() {
            Ok(line) => Ok(line),
            Err(command::LineTooLong) => {
                self.send(LINE_TOO_LONG.as_bytes()).await?;
                self.see_off().await;
                Err(Over)
            }
        }
    }

    async fn command(&self, line: String) -> Result<(), Over> {
        let command = command::parse(&line);
        // A login holds a password: its line is not for the log.
        let line = if matches!(command, Command::Login { .. }) { String::new() } else { line };
        let event = Event::Command { client: self.id, line, command };
        self.inbox.send(Message::Event(event)).await.map_err(|_| Over)
    }

    async fn answer(&mut self, reply: Reply) -> Result<(), Over> {
        self.send(&reply.bytes).await?;
        if reply.close { Err(Over) } else { Ok(()) }
    }

    /// Closing while the client still sends would take away from it what we said last.
    async fn see_off(&mut self) {
        let mut chunk = vec![0; 8192];
        let end = async {
            let _ = self.stream.shutdown().await;
            while self.stream.read(&mut chunk).await.is_ok_and(|length| length > 0) {}
        };
        // However much still comes, this is all the time it has.
        let _ = timeout(PARTING, end).await;
    }

    /// A client that does not read is closed like one that does not speak.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Over> {
        let idle = *self.idle.borrow();
        timeout(idle, self.stream.write_all(bytes)).await.map_err(|_| Over)?.map_err(|_| Over)
    }
}
