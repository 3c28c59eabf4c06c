//! How much of the log clients and senders of traps may fill.
//!
//! Everything a client says is worth a line, until somebody says too much on purpose. What changes something is
//! written in any case: it is what one looks for afterwards.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::effect::{Effect, Level};
use crate::nouns::{Mono, Now};

/// Lines about one address in one window: an operator's scripts stay below it, and a day of flooding adds some
/// 200 MB to the log at worst.
const MOST_LINES: u32 = 200;
const WINDOW: Duration = Duration::from_secs(10);
/// Addresses that are told apart; beyond that the others count as one.
const MOST_ADDRESSES: usize = 1000;
/// Stands for all other addresses.
const THE_OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Lines by address.
#[derive(Debug, Default)]
pub(super) struct Chatter(BTreeMap<IpAddr, Talk>);

/// Lines about one address since a moment.
#[derive(Debug)]
struct Talk {
    since: Mono,
    lines: u32,
}

impl Talk {
    fn is_over(&self, now: Mono) -> bool {
        now.since(self.since) >= WINDOW
    }
}

impl Chatter {
    /// Adds a line about what comes from `peer`, unless there were too many.
    pub(super) fn log(&mut self, peer: IpAddr, level: Level, text: String, now: &Now, out: &mut Vec<Effect>) {
        let peer = self.known_as(peer, now.mono);
        let talk = self.0.entry(peer).or_insert(Talk { since: now.mono, lines: 0 });
        if talk.is_over(now.mono) {
            let left_out = talk.lines.saturating_sub(MOST_LINES);
            if left_out > 0 {
                let text = format!("{left_out} log lines about {} were left out", named(peer));
                out.push(Effect::log(Level::Notice, text));
            }
            *talk = Talk { since: now.mono, lines: 0 };
        }
        talk.lines = talk.lines.saturating_add(1);
        if talk.lines <= MOST_LINES {
            out.push(Effect::log(level, text));
        } else if talk.lines == MOST_LINES + 1 {
            let text = format!("too many log lines about {}: more are left out", named(peer));
            out.push(Effect::log(Level::Notice, text));
        }
    }

    fn known_as(&mut self, peer: IpAddr, now: Mono) -> IpAddr {
        if self.0.len() >= MOST_ADDRESSES && !self.0.contains_key(&peer) {
            self.0.retain(|_, talk| !talk.is_over(now));
        }
        let is_one_more = self.0.len() >= MOST_ADDRESSES && !self.0.contains_key(&peer);
        if is_one_more { THE_OTHERS } else { peer }
    }
}

fn named(peer: IpAddr) -> String {
    if peer == THE_OTHERS { "all other addresses".to_owned() } else { peer.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nouns::Civil;

    fn now(secs: u64) -> Now {
        Now { mono: Mono::at(Duration::from_secs(secs)), wall: 0, civil: Civil::utc(0) }
    }

    fn said(chatter: &mut Chatter, peer: [u8; 4], secs: u64) -> Vec<String> {
        let mut out = Vec::new();
        chatter.log(peer.into(), Level::Info, "x".to_owned(), &now(secs), &mut out);
        let text = |effect| match effect {
            Effect::Log { text, .. } => text,
            other => panic!("a line, not {other:?}"),
        };
        out.into_iter().map(text).collect()
    }

    #[test]
    fn a_flood_is_cut_and_counted_and_others_are_heard() {
        let mut chatter = Chatter::default();
        for _ in 0..MOST_LINES {
            assert_eq!(said(&mut chatter, [10, 0, 0, 1], 1), ["x"]);
        }
        let cut = ["too many log lines about 10.0.0.1: more are left out"];
        assert_eq!(said(&mut chatter, [10, 0, 0, 1], 2), cut);
        assert!(said(&mut chatter, [10, 0, 0, 1], 9).is_empty());
        assert_eq!(said(&mut chatter, [10, 0, 0, 2], 9), ["x"]);
        assert_eq!(said(&mut chatter, [10, 0, 0, 1], 11), ["2 log lines about 10.0.0.1 were left out", "x"]);
        assert_eq!(said(&mut chatter, [10, 0, 0, 1], 30), ["x"]);
    }

    #[test]
    fn too_many_addresses_share_one_bound() {
        let mut chatter = Chatter::default();
        let lines = (0..60_000u16).map(|number| {
            let [high, low] = number.to_be_bytes();
            said(&mut chatter, [10, 0, high, low], 1).len()
        });
        assert!(lines.sum::<usize>() < MOST_ADDRESSES + MOST_LINES as usize + 2);
        assert!(chatter.0.len() <= MOST_ADDRESSES + 1);
        assert_eq!(said(&mut chatter, [11, 0, 0, 1], 20), ["x"], "and the next window begins anew");
    }
}
