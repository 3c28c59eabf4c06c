//! Hosts given by address: what is no address, and what lies outside of its neighbours' network by one digit.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::ast::{Kind, Span};
use super::super::sink::Sink;
use super::super::values::words;
use super::walk::At;
use super::warning;

/// The addresses of the hostgroup that is being read.
#[derive(Default)]
pub(super) struct Networks<'w>(Vec<Address<'w>>);

impl<'w> Networks<'w> {
    pub(super) fn line(&mut self, at: &At<'w>, sink: &mut Sink<'_>) {
        if at.statement.kind == Kind::Hostgroup {
            self.end(sink);
        }
        if matches!(at.statement.kind, Kind::Hostgroup | Kind::Hosts) {
            hosts(at, &mut self.0, sink);
        }
    }

    /// To be called behind the last line.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        outside_of_the_network(&std::mem::take(&mut self.0), sink);
    }
}

/// An address as it is written.
#[derive(Debug, Clone, Copy)]
struct Address<'w> {
    /// `192` of `192.0.2.1`, and `0.2` and `1`; the same of IPv6.
    first: &'w str,
    network: &'w str,
    whole: &'w str,
    at: Span,
    line: u32,
}

fn hosts<'w>(at: &At<'w>, group: &mut Vec<Address<'w>>, sink: &mut Sink<'_>) {
    let text = at.rest();
    for word in words(text).filter(|word| may_be_address(word)) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let place = at.statement.rest.part(start, start + word.len());
        if word.parse::<IpAddr>().is_err() {
            let complaint = warning("W062", format!("`{word}` is not an address"), "not an address")
                .help("four numbers up to 255 with `.` between them, or up to eight with `:`".to_owned());
            sink.warn(place, at.statement.line, complaint);
            continue;
        }
        let Some((first, rest)) = word.split_once(['.', ':']) else { continue };
        let Some((network, _)) = rest.rsplit_once(['.', ':']) else { continue };
        group.push(Address { first, network, whole: word, at: place, line: at.statement.line });
    }
}

/// Whether a host looks as if it was to be an address: no name consists of numbers and dots, or has colons.
fn may_be_address(word: &str) -> bool {
    let dots = word.bytes().filter(|byte| *byte == b'.').count();
    let is_ipv4 = dots >= 2 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let groups: Vec<&str> = word.split(':').collect();
    let is_of_a_network_card = groups.len() == 6 && groups.iter().all(|group| group.len() == 2);
    let is_ipv6 = groups.len() >= 3
        && !is_of_a_network_card
        && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    is_ipv4 || is_ipv6
}

/// `92.0.2.17` among `192.0.2.1` and `192.0.2.2`: all but the first number is that of the neighbours.
fn outside_of_the_network(group: &[Address<'_>], sink: &mut Sink<'_>) {
    let mut networks: BTreeMap<&str, Vec<&Address<'_>>> = BTreeMap::new();
    group.iter().for_each(|address| networks.entry(address.network).or_default().push(address));
    for members in networks.values().filter(|members| members.len() >= 3) {
        // Nearly all begin alike, or there is nothing to say.
        let begins = |first: &str| members.iter().filter(|other| other.first == first).count();
        let known = members[0].first;
        let known = if begins(known) > 1 { known } else { members[1].first };
        if begins(known) + 1 != members.len() {
            continue;
        }
        for address in members.iter().filter(|address| is_cut_short(address.first, known)) {
            let meant = format!("{known}{}", &address.whole[address.first.len()..]);
            let message = format!("`{}` lies outside of the network of its neighbours", address.whole);
            let complaint = warning("W054", message, "a slip?").help(format!("did you mean `{meant}`?"));
            sink.warn(address.at, address.line, complaint);
        }
    }
}

fn is_cut_short(number: &str, known: &str) -> bool {
    (0..known.len()).any(|at| format!("{}{}", &known[..at], &known[at + 1..]) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_be_an_address_is_told_from_a_name() {
        for word in
            ["192.0.2.1", "192.0..2", "192.02.1", "1.2.3.4.5", "2001:db8ffff::1", "2001:db8:0:7:2", "::1"]
        {
            assert!(may_be_address(word), "{word}");
        }
        for word in ["www", "1.example.org", "3com", "192", "12.5", "host:80", "00:11:22:33:44:55"] {
            assert!(!may_be_address(word), "{word}");
        }
        assert!(is_cut_short("92", "192") && !is_cut_short("193", "192") && !is_cut_short("192", "192"));
    }
}
