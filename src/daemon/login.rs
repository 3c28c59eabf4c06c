//! Passwords of clients. A wrong one costs time, more with every try from the same address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remon_core::engine::{ClientId, Event, Level, Password};
use remon_core::text;

use super::logging::log;
use super::message::{Inbox, Message};
use super::site::Site;
use super::sys;

/// After this many wrong passwords in a row the wait grows no longer.
const MOST_DOUBLINGS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Addresses remembered; beyond that the oldest address is forgiven.
const MOST_ADDRESSES: usize = 10_000;

/// Wrong passwords by address.
#[derive(Debug, Clone, Default)]
pub(super) struct Doorman(Arc<Mutex<BTreeMap<IpAddr, u32>>>);

/// Who wants to come in.
pub(super) struct Visitor {
    pub(super) client: ClientId,
    pub(super) peer: IpAddr,
    pub(super) user: String,
    pub(super) password: Password,
}

impl Doorman {
    /// Checks a password in the background; the answer comes as an event.
    pub(super) fn check(&self, visitor: Visitor, site: Arc<Site>, inbox: Inbox) {
        let doorman = self.clone();
        tokio::spawn(async move {
            let Visitor { client, peer, user, password } = visitor;
            let name = user.clone();
            // Hashing takes milliseconds of work on purpose.
            let checked =
                tokio::task::spawn_blocking(move || accepted(&site, peer, &name, password.reveal()));
            let accepted = checked.await.unwrap_or(false);
            tokio::time::sleep(doorman.wait_for(peer, accepted)).await;
            // The run loop is gone only when all is over.
            let _ = inbox.send(Message::Event(Event::Authenticated { client, user, accepted })).await;
        });
    }

    fn wait_for(&self, peer: IpAddr, accepted: bool) -> Duration {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accepted {
            wrong.remove(&peer);
            return Duration::ZERO;
        }
        if wrong.len() >= MOST_ADDRESSES {
            wrong.pop_first();
        }
        let tries = wrong.entry(peer).or_insert(0);
        let wait = FIRST_WAIT * 2u32.pow((*tries).min(MOST_DOUBLINGS));
        *tries = tries.saturating_add(1);
        // The first slip of a finger costs nothing.
        if *tries == 1 { Duration::ZERO } else { wait }
    }
}

/// Tries the configured ways of authentication in order.
fn accepted(site: &Site, peer: IpAddr, user: &str, password: &str) -> bool {
    site.authtypes.iter().any(|authtype| {
        let needs_password = authtype != "trustlocal";
        if user.is_empty() || (needs_password && password.is_empty()) {
            return false;
        }
        match authtype.as_str() {
            "trustlocal" => peer.to_canonical() == IpAddr::from([127, 0, 0, 1]),
            "getpwnam" => {
                sys::system_password(user).is_some_and(|hash| sys::password_matches(password, &hash))
            }
            "userfile" => {
                hash_in(&site.userfile, user).is_some_and(|hash| sys::password_matches(password, &hash))
            }
            other => {
                log(Level::Err, &format!("authentication type '{other}' is not available"));
                false
            }
        }
    })
}

/// The hash of a user in a file of `user:hash` lines, read anew each time so that edits count at once.
fn hash_in(file: &Path, user: &str) -> Option<String> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            log(Level::Err, &format!("could not open user file {}: {error}", file.display()));
            return None;
        }
    };
    let text = text::decode(bytes);
    let entries = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    // The last line of a user wins, as in the original.
    let mut named =
        entries.filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim_end() == user);
    let found = named.next_back();
    found.map(|(_, hash)| hash.trim().to_owned())
}
