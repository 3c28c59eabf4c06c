//! Traps: datagrams, checked before anything else looks at them.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remon_core::auth::{Auth, TrapGate};
use remon_core::engine::{Event, Level, Trap};
use remon_core::text;
use remon_core::wire::trap::{self, Packet};
use tokio::sync::watch;

use super::clock;
use super::load::plain;
use super::logging::log;
use super::message::{Inbox, Message};
use super::site::Site;
use super::{listener, sys};

/// The longest datagram there is.
const MAX_DATAGRAM: usize = 65_536;
/// Refusals written to the log in one second; a flood of bad traps must not become a flood of log lines.
const LOGGED_PER_SECOND: u32 = 10;

/// Takes the port for traps.
pub(super) fn bind(site: &Site) -> Result<UdpSocket, String> {
    let address = listener::address(site.trapbind.as_deref(), site.trapport, "trapbind")?;
    let socket = UdpSocket::bind(address)
        .map_err(|error| format!("could not bind UDP server port {address}: {}", plain(&error)))?;
    socket.set_nonblocking(true).map_err(|error| error.to_string())?;
    Ok(socket)
}

/// Receives traps for ever.
pub(super) async fn serve(socket: UdpSocket, auth: watch::Receiver<Arc<Auth>>, inbox: Inbox) {
    let socket = match tokio::net::UdpSocket::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return log(Level::Err, &format!("no traps: {error}")),
    };
    let mut refusals = Refusals::new();
    let mut datagram = vec![0; MAX_DATAGRAM];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut datagram).await else { continue };
        let from = from.ip().to_canonical();
        let rules = auth.borrow().clone();
        match admit(&datagram[..length], from, rules).await {
            Ok(trap) => {
                if inbox.send(Message::Event(Event::Trap(trap))).await.is_err() {
                    return;
                }
            }
            Err(reason) => refusals.log(from, &reason),
        }
    }
}

/// Who sends it and what it says: both must be right.
async fn admit(datagram: &[u8], from: IpAddr, auth: Arc<Auth>) -> Result<Trap, String> {
    let packet = trap::parse(datagram).map_err(|malformed| malformed.to_string())?;
    let hash = match auth.trap_gate(from, packet.user.as_deref()) {
        TrapGate::Open => None,
        TrapGate::Password(hash) => Some(hash.clone()),
        TrapGate::Refused(reason) => return Err(reason.to_string()),
    };
    let Packet { password, kind, group, service, status, output, .. } = packet;
    if let Some(hash) = hash {
        let password = password.unwrap_or_default();
        // Hashing takes milliseconds of work on purpose.
        let matches =
            tokio::task::spawn_blocking(move || sys::password_matches(&password, hash.expose())).await;
        if !matches.unwrap_or(false) {
            return Err("bad password".to_owned());
        }
    }
    Ok(Trap { from, kind, group, service, status, output: output.into() })
}

/// Refused traps of this second.
struct Refusals {
    second: Instant,
    count: u32,
}

impl Refusals {
    fn new() -> Refusals {
        Refusals { second: clock::instant_now(), count: 0 }
    }

    fn log(&mut self, from: IpAddr, reason: &str) {
        let now = clock::instant_now();
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            if self.count > LOGGED_PER_SECOND {
                log(Level::Err, &format!("{} more traps refused", self.count - LOGGED_PER_SECOND));
            }
            *self = Refusals { second: now, count: 0 };
        }
        self.count += 1;
        if self.count <= LOGGED_PER_SECOND {
            log(Level::Err, &format!("trap from {from} refused: {}", text::cut(reason, 200)));
        }
    }
}
