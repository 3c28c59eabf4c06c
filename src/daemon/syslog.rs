//! Syslog: one datagram a line to /dev/log. It must never stop the daemon: what cannot be sent is dropped.

use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;

use remon_core::engine::Level;
use remon_core::nouns::Civil;

use super::clock::{LocalZone, wall};

const SOCKET: &str = "/dev/log";

/// Facilities by name, as syslog(3) numbers them.
const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// A connection to the system's log.
pub(super) struct Syslog {
    facility: u8,
    zone: LocalZone,
    socket: Mutex<Option<UnixDatagram>>,
}

impl Syslog {
    /// Lines go out under that facility; `daemon` for one that is not known.
    pub(super) fn open(facility: &str) -> Syslog {
        let name = facility.trim_start_matches("LOG_").to_ascii_lowercase();
        let facility = FACILITIES.iter().find(|(known, _)| *known == name).map_or(3, |(_, number)| *number);
        Syslog { facility, zone: LocalZone::new(), socket: Mutex::new(connect()) }
    }

    /// Sends a line.
    pub(super) fn send(&self, level: Level, text: &str) {
        let line = self.line(level, &self.zone.civil(wall()), text);
        // A poisoned lock only says that another line was cut short.
        let mut socket = self.socket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let sent = socket.as_ref().is_some_and(|socket| socket.send(&line).is_ok());
        if !sent {
            *socket = connect();
            // The log daemon was restarted, or there is none: this line had its second chance.
            let _ = socket.as_ref().map(|socket| socket.send(&line));
        }
    }

    fn line(&self, level: Level, at: &Civil, text: &str) -> Vec<u8> {
        let priority = u32::from(self.facility) * 8 + severity(level);
        // Civil time is `Sun Nov  2 11:41:09 2026`; syslog wants what stands between the day and the year.
        let time = at.to_string();
        let time = time.get(4..19).unwrap_or_default();
        let head = format!("<{priority}>{time} mon[{}]: ", std::process::id());
        let mut line = head.into_bytes();
        let body = remon_core::text::encode(text);
        line.extend(body.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }));
        line
    }
}

/// Sends one line without keeping a connection: for a daemon that does not start.
pub(super) fn once(facility: Option<&str>, text: &str) {
    Syslog::open(facility.unwrap_or("daemon")).send(Level::Err, text);
}

fn connect() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect(SOCKET).ok()?;
    Some(socket)
}

fn severity(level: Level) -> u32 {
    match level {
        Level::Alert => 1,
        Level::Crit => 2,
        Level::Err => 3,
        Level::Warning => 4,
        Level::Notice => 5,
        Level::Info => 6,
        Level::Debug => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_as_syslog_wants_it() {
        let syslog = Syslog { facility: 3, zone: LocalZone::new(), socket: Mutex::new(None) };
        let line = syslog.line(Level::Crit, &Civil::utc(1_795_348_799), "failure for web ping\nbad\0");
        let line = String::from_utf8(line).expect("the text was ASCII");
        let expected = format!("<26>Nov 22 11:59:59 mon[{}]: failure for web ping bad ", std::process::id());
        assert_eq!(line, expected);
    }
}
