//! What systemd is told: that the daemon is ready, reloads, ends, and, as long as the run loop turns, lives.
//!
//! The protocol is that of sd_notify(3): a datagram with `NAME=value` lines to the socket of `NOTIFY_SOCKET`. Where
//! nobody asks, as without systemd, all of it is nothing.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use remon_core::engine::Level;

use super::logging::log;

/// What the service manager says to us alone: a monitor that spoke in our name could keep a dead daemon alive.
pub(super) const OURS_ALONE: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// The way to the service manager, if there is one.
pub(super) struct Notifier {
    way: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// The one that the environment names.
    pub(super) fn from_environment() -> Notifier {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
        let way = socket.and_then(|socket| {
            let unusable =
                |error: &io::Error| log(Level::Warning, &format!("NOTIFY_SOCKET cannot be used: {error}"));
            open(&socket).inspect_err(unusable).ok()
        });
        let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|usec| *usec > 0 && for_us).map(Duration::from_micros);
        Notifier { watchdog: watchdog.filter(|_| way.is_some()), way }
    }

    /// How long the service manager waits for a sign of life, if it does.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The daemon listens, and its first monitors are on their way; or a reload is over.
    pub(super) fn ready(&self, services: usize) {
        let pid = std::process::id();
        self.tell(&format!("READY=1\nMAINPID={pid}\nSTATUS=Watching {services} services"));
    }

    /// The configuration is being read.
    pub(super) fn reloading(&self) {
        self.tell("RELOADING=1\nSTATUS=Reading the configuration");
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Ending");
    }

    /// The run loop turns.
    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// Never waits: a service manager that does not read must not stop the monitoring.
    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.way {
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

/// A socket to speak through. A name that begins with `@` is in the abstract name space.
fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(OsString::from(name))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}
