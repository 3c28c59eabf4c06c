//! Names to addresses, by a deadline.
//!
//! The C library sets itself no limit that a caller could choose, so it is asked in a thread that is left behind when
//! the deadline comes; it ends with the process.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use remon_core::reason;

use crate::link::Trouble;

/// The resolver is among the deepest calls there are.
const STACK_BYTES: usize = 256 << 10;

/// The addresses of `host`, IPv4 first, as always; never none.
///
/// # Errors
/// [`Trouble::Unresolved`] in the words of the resolver, also when it did not answer by the deadline.
pub(crate) fn addresses(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, Trouble> {
    let bare = bare(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unresolved = |error: &io::Error| Trouble::Unresolved(reason::of(error));
    let (sender, answer) = mpsc::sync_channel(1);
    let name = bare.to_owned();
    let ask = move || drop(sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
    thread::Builder::new().stack_size(STACK_BYTES).spawn(ask).map_err(|error| unresolved(&error))?;
    let left = deadline.saturating_duration_since(Instant::now());
    // A quick answer does not count either once the time is up, so that the outcome is no matter of luck.
    let answer = if left.is_zero() { None } else { answer.recv_timeout(left).ok() };
    let late = || Trouble::Unresolved("the resolver did not answer in time".to_owned());
    let answer = answer.ok_or_else(late)?;
    let mut found = answer.map_err(|error| unresolved(&error))?;
    found.sort_by_key(SocketAddr::is_ipv6);
    if found.is_empty() { Err(Trouble::Unresolved("it has no address".to_owned())) } else { Ok(found) }
}

/// One address: the first IPv4 one, so that a working IPv6 half cannot hide a failure that was seen before; IPv6
/// where there is nothing else.
///
/// # Errors
/// As [`addresses`].
pub(crate) fn first(host: &str, port: u16, deadline: Instant) -> Result<SocketAddr, Trouble> {
    let none = || Trouble::Unresolved("it has no address".to_owned());
    addresses(host, port, deadline)?.first().copied().ok_or_else(none)
}

/// The host without the brackets that an IPv6 address may be written in, or the dot that ends a full name.
pub(crate) fn bare(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    inner.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn literals_and_names() {
        let soon = Instant::now() + Duration::from_secs(20);
        for (host, expect) in [("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("[::1]", "[::1]:7")] {
            assert_eq!(first(host, 7, soon).map(|address| address.to_string()), Ok(expect.to_owned()));
        }
        assert!(first("localhost", 7, soon).is_ok_and(|address| address.ip().is_loopback()));
        // The resolver refuses a label of 70 characters without asking anybody.
        assert!(matches!(first(&"x".repeat(70), 7, soon), Err(Trouble::Unresolved(why)) if !why.is_empty()));
    }

    #[test]
    fn nothing_is_waited_for_after_the_deadline() {
        let trouble = Trouble::Unresolved("the resolver did not answer in time".to_owned());
        assert_eq!(addresses("localhost", 7, Instant::now()), Err(trouble));
    }
}
