//! Passwords of clients. A wrong one costs time, more with every try from the same address.
//!
//! The time is paid before the next password of that address is looked at, one after the other: neither hanging up
//! nor a second connection saves any of it. Other addresses do not notice.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use remon_core::engine::{ClientId, Event, Level, Password};
use remon_core::text;
use tokio::sync::Semaphore;

use super::logging::log;
use super::message::{Inbox, Message};
use super::site::Site;
use super::{clock, sys};

/// What the second wrong password in a row costs; then twice as much each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// After so many doublings the wait grows no longer: 6.4 s.
const MOST_DOUBLINGS: u32 = 5;
/// Who was wrong and then silent for so long begins anew.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);
/// Logins of one address that wait for their turn; one more is refused at once.
const MOST_WAITING: usize = 8;
/// Addresses remembered; beyond that the one that was silent longest is forgiven.
const MOST_ADDRESSES: usize = 10_000;
/// Passwords checked at once: hashing takes all of a processor, PAM may take seconds.
const CHECKS_AT_ONCE: usize = 4;

/// Who was wrong, and who waits.
#[derive(Clone)]
pub(super) struct Doorman {
    doors: Arc<Mutex<BTreeMap<IpAddr, Door>>>,
    checks: Arc<Semaphore>,
}

/// What is known of an address.
struct Door {
    /// Wrong passwords in a row.
    wrong: u32,
    last_seen: Instant,
    /// Logins that wait, and the one that is being checked.
    waiting: usize,
    /// Held by the one whose turn it is.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Who wants to come in.
pub(super) struct Visitor {
    pub(super) client: ClientId,
    pub(super) peer: IpAddr,
    pub(super) user: String,
    pub(super) password: Password,
}

impl Doorman {
    pub(super) fn new() -> Doorman {
        Doorman { doors: Arc::default(), checks: Arc::new(Semaphore::new(CHECKS_AT_ONCE)) }
    }

    /// Checks a password in the background; the answer comes as an event.
    pub(super) fn check(&self, visitor: Visitor, site: Arc<Site>, inbox: Inbox) {
        let doorman = self.clone();
        tokio::spawn(async move {
            let (client, user) = (visitor.client, visitor.user.clone());
            let accepted = doorman.admits(visitor, site).await;
            // The run loop is gone only when all is over.
            let _ = inbox.send(Message::Event(Event::Authenticated { client, user, accepted })).await;
        });
    }

    async fn admits(&self, visitor: Visitor, site: Arc<Site>) -> bool {
        let Visitor { peer, user, password, .. } = visitor;
        let address = network_of(peer);
        let Some(turn) = self.queue_up(address) else { return false };
        let _turn = turn.lock().await;
        tokio::time::sleep(self.wait_for(address)).await;
        let accepted = match self.checks.acquire().await {
            Ok(_place) => {
                tokio::task::spawn_blocking(move || accepted(&site, peer, &user, password.reveal())).await
            }
            // The semaphore is never closed.
            Err(_) => Ok(false),
        };
        let accepted = accepted.unwrap_or(false);
        self.remember(address, accepted);
        accepted
    }

    /// `None` where too many wait already.
    fn queue_up(&self, address: IpAddr) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        if doors.len() >= MOST_ADDRESSES && !doors.contains_key(&address) {
            let silent = doors.iter().filter(|(_, door)| door.waiting == 0);
            let longest = silent.min_by_key(|(_, door)| door.last_seen).map(|(&address, _)| address);
            longest.and_then(|address| doors.remove(&address));
        }
        let door = doors.entry(address).or_insert_with(Door::new);
        if door.waiting > MOST_WAITING {
            return None;
        }
        door.waiting += 1;
        Some(door.turn.clone())
    }

    /// What the wrong passwords before this one cost. The first slip of a finger costs nothing.
    fn wait_for(&self, address: IpAddr) -> Duration {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = match doors.get(&address) {
            Some(door) if clock::instant_now().duration_since(door.last_seen) < FORGIVEN_AFTER => door.wrong,
            _ => 0,
        };
        if wrong < 2 { Duration::ZERO } else { FIRST_WAIT * 2u32.pow((wrong - 2).min(MOST_DOUBLINGS)) }
    }

    fn remember(&self, address: IpAddr, accepted: bool) {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(door) = doors.get_mut(&address) else { return };
        let now = clock::instant_now();
        let forgiven = now.duration_since(door.last_seen) >= FORGIVEN_AFTER;
        door.wrong = if accepted { 0 } else { 1 + if forgiven { 0 } else { door.wrong } };
        door.last_seen = now;
        door.waiting -= 1;
        if accepted && door.waiting == 0 {
            doors.remove(&address);
        }
    }
}

impl Door {
    fn new() -> Door {
        Door { wrong: 0, last_seen: clock::instant_now(), waiting: 0, turn: Arc::default() }
    }
}

/// Who has one IPv6 address has a whole network of them.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

/// Says at start, and at each reset, which ways of authentication lead nowhere.
pub(super) fn complain_of_authtypes(site: &Site) {
    for authtype in &site.authtypes {
        let why = match authtype.as_str() {
            "getpwnam" | "userfile" | "trustlocal" => continue,
            "pam" if cfg!(feature = "pam") => continue,
            "pam" => "this mon was built without PAM (cargo build --release --features pam)",
            "shadow" => "it has never been implemented; as root, getpwnam looks at the shadow file",
            _ => "there is none of that name; there are getpwnam, userfile, pam and trustlocal",
        };
        log(Level::Warning, &format!("authtype {authtype}: nobody can log in by it: {why}"));
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
            #[cfg(feature = "pam")]
            "pam" => super::pam::accepts(&site.pamservice, user, password),
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

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn try_once(doorman: &Doorman, address: IpAddr, accepted: bool) -> Duration {
        doorman.queue_up(address).expect("nobody else waits");
        let wait = doorman.wait_for(address);
        doorman.remember(address, accepted);
        wait
    }

    #[test]
    fn waits_grow_to_a_limit_and_end_with_the_right_password() {
        let doorman = Doorman::new();
        let waits: Vec<u128> = (0..10).map(|_| try_once(&doorman, PEER, false).as_millis()).collect();
        assert_eq!(waits, [0, 0, 200, 400, 800, 1600, 3200, 6400, 6400, 6400]);
        assert_eq!(try_once(&doorman, [192, 0, 2, 2].into(), false), Duration::ZERO);
        assert_eq!(try_once(&doorman, PEER, true).as_millis(), 6400);
        assert_eq!(try_once(&doorman, PEER, true), Duration::ZERO);
        assert_eq!(doorman.doors.lock().expect("no panic").len(), 1);
    }

    #[test]
    fn who_was_silent_for_long_begins_anew() {
        let doorman = Doorman::new();
        for _ in 0..5 {
            try_once(&doorman, PEER, false);
        }
        let long_ago =
            clock::instant_now().checked_sub(FORGIVEN_AFTER).expect("a machine runs longer than that");
        doorman.doors.lock().expect("no panic").get_mut(&PEER).expect("it is known").last_seen = long_ago;
        assert_eq!(try_once(&doorman, PEER, false), Duration::ZERO);
        assert_eq!(doorman.doors.lock().expect("no panic")[&PEER].wrong, 1);
    }

    #[test]
    fn only_so_many_wait_and_only_so_many_are_remembered() {
        let doorman = Doorman::new();
        let queued = (0..100).filter(|_| doorman.queue_up(PEER).is_some()).count();
        assert_eq!(queued, MOST_WAITING + 1);
        for number in 0..20_000u32 {
            try_once(&doorman, IpAddr::from((0x0a00_0000 + number).to_be_bytes()), false);
        }
        let doors = doorman.doors.lock().expect("no panic");
        assert!(doors.len() <= MOST_ADDRESSES && doors.contains_key(&PEER), "who waits is not forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_visitor() {
        let of = |text: &str| network_of(text.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
