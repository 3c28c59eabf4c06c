//! Names that lead nowhere, and names that are one slip away from another.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Kind, Span};
use super::super::lines::Source;
use super::super::model::Config;
use super::super::sink::Sink;
use super::super::suggest::nearest;
use super::super::values::words;
use super::file::{Known, known_services};
use super::neighbours::Neighbours;
use super::networks::Networks;
use super::slips::is_misspelt;
use super::units::{self, Times};
use super::walk::{At, walk};
use super::warning;

/// Runs the checks, and those of other modules that want to see each line: a large file is read for all of them once.
pub(super) fn check(source: &Source<'_>, config: &Config, sink: &mut Sink<'_>) {
    let mut seen = Seen::default();
    let mut times = Times::default();
    let mut networks = Networks::default();
    let mut neighbours = Neighbours::of(config);
    let known = if config.views.is_empty() { Known::new() } else { known_services(config) };
    walk(source, config, |at| {
        match at.statement.kind {
            Kind::View | Kind::Members => members(at, &known, sink),
            Kind::Setting if at.name() == "exclude_hosts" => excluded_hosts(at, config, sink),
            _ => {}
        }
        seen.line(at);
        times.line(at);
        networks.line(at, sink);
        neighbours.line(at);
    });
    let said = seen.almost_alike(sink);
    neighbours.end(&said, sink);
    super::vocabulary::check(source, config, &said, sink);
    units::check(&times, sink);
    networks.end(sink);
}

fn members(at: &At<'_>, known: &Known<'_>, sink: &mut Sink<'_>) {
    let text = at.rest();
    for member in words(text) {
        let (group, service) =
            member.split_once(':').map_or((member, None), |(group, service)| (group, Some(service)));
        let (what, near) = match (known.get(group), service) {
            (None, _) => (format!("watch `{group}`"), nearest(group, known.keys().copied())),
            (Some(names), Some(service)) if names.binary_search(&service).is_err() => {
                (format!("service `{member}`"), nearest(service, names.iter().copied()))
            }
            _ => continue,
        };
        let message = format!("the view `{}` names a {what} that is not there", at.record);
        let help = near.map(|near| format!("did you mean `{near}`?"));
        sink.warn(
            place(at, text, member),
            at.statement.line,
            warning("W052", message, "shows nothing").help(help),
        );
    }
}

fn excluded_hosts(at: &At<'_>, config: &Config, sink: &mut Sink<'_>) {
    let Some(watch) = at.watch else { return };
    let Some(hosts) = config.hostgroups.get(&watch.group) else { return };
    let text = at.rest();
    for host in words(text).filter(|host| hosts.iter().all(|known| **known != **host)) {
        let near = nearest(host, hosts.iter().map(|host| &**host));
        let message = format!("`{host}` is not in the hostgroup `{}`: nothing is excluded", watch.group);
        let complaint = warning("W051", message, "no such host in this group")
            .help(near.map(|near| format!("did you mean `{near}`?")));
        sink.warn(place(at, text, host), at.statement.line, complaint);
    }
}

fn place(at: &At<'_>, text: &str, word: &str) -> Span {
    let start = word.as_ptr() as usize - text.as_ptr() as usize;
    at.statement.rest.part(start, start + word.len())
}

/// What a word stands for: only words of one kind are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Host,
    Service,
    Argument,
    Environment,
    /// What follows the first dot of a host name, or the `@` of an address.
    Domain,
    /// The letters that a host name begins with, where something follows them: hosts come in families.
    Family,
}

impl Role {
    fn noun(self) -> &'static str {
        match self {
            Role::Host => "host",
            Role::Service => "service",
            Role::Argument => "argument",
            Role::Environment => "variable",
            Role::Domain => "domain",
            Role::Family => "name",
        }
    }
}

/// How often a word stands in the file, and where it stands first.
#[derive(Debug)]
struct Use {
    times: usize,
    at: Span,
    line: u32,
}

/// The words of a file.
#[derive(Debug, Default)]
struct Seen<'w>(BTreeMap<(Role, &'w str), Use>);

/// A word that stands so often is spelled right. Long ones are not alike by chance.
fn often(role: Role, word: &str) -> usize {
    if word.len() >= 10 || role == Role::Family { 2 } else { 3 }
}

impl<'w> Seen<'w> {
    fn line(&mut self, at: &At<'w>) {
        let role = match at.statement.kind {
            Kind::Hostgroup | Kind::Hosts => Role::Host,
            Kind::Service => Role::Service,
            Kind::Env => {
                self.word(Role::Environment, at.name(), at.statement.name, at.statement.line);
                return;
            }
            Kind::Setting if at.name() == "exclude_hosts" => Role::Host,
            Kind::Setting if at.name() == "monitor" || at.name().ends_with("alert") => Role::Argument,
            _ => return,
        };
        let text = at.rest();
        for word in words(text) {
            self.word(role, word, place(at, text, word), at.statement.line);
            let domain = match role {
                Role::Host => word.split_once('.').map(|(_, domain)| domain),
                Role::Argument => word.split_once('@').map(|(_, domain)| domain),
                _ => None,
            };
            let letters = word.len() - word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
            if role == Role::Host && letters > 0 && letters < word.len() && !word[letters..].starts_with('.')
            {
                self.word(
                    Role::Family,
                    &word[..letters],
                    place(at, text, &word[..letters]),
                    at.statement.line,
                );
            }
            if let Some(domain) = domain.filter(|domain| !domain.starts_with(|c: char| c.is_ascii_digit())) {
                self.word(Role::Domain, domain, place(at, text, domain), at.statement.line);
            }
        }
    }

    fn word(&mut self, role: Role, word: &'w str, at: Span, line: u32) {
        if slip_is_visible(word.len()) {
            self.0.entry((role, word)).or_insert(Use { times: 0, at, line }).times += 1;
        }
    }

    /// A word that stands once, beside one that stands often and is spelled almost the same.
    /// Returns the places of all that it complains of.
    fn almost_alike(&self, sink: &mut Sink<'_>) -> Vec<Span> {
        let often = || self.0.iter().filter(|((role, word), seen)| seen.times >= often(*role, word));
        let mut said = Vec::new();
        let mut shortened: BTreeMap<(Role, String), BTreeSet<&str>> = BTreeMap::new();
        for form in forms("localhost") {
            shortened.entry((Role::Host, form)).or_default().insert("localhost");
        }
        for ((role, word), _) in often() {
            for form in forms(word) {
                shortened.entry((*role, form)).or_default().insert(word);
            }
        }
        for ((role, word), seen) in self.0.iter().filter(|(_, word)| word.times == 1) {
            let mut candidates = forms(word).filter_map(|form| shortened.get(&(*role, form))).flatten();
            let is_slip = |known: &str| match role {
                Role::Domain => {
                    let times = self.0.get(&(*role, known)).map_or(0, |seen| seen.times);
                    is_domain_slip(word, known) && (times > 2 || is_misspelt(word, known))
                }
                _ => is_slip(word, known),
            };
            let Some(known) = candidates.find(|known| is_slip(known)) else { continue };
            // A slip in a domain is one in the address, too.
            if said.iter().any(|before: &Span| before.start < seen.at.end && seen.at.start < before.end) {
                continue;
            }
            said.push(seen.at);
            let message = match self.0.get(&(*role, *known)).map(|known| known.times) {
                Some(times @ 2..) => {
                    format!(
                        "the {} `{word}` stands here only; `{known}` stands {times} times in this file",
                        role.noun()
                    )
                }
                _ => format!("the {} `{word}` is almost `{known}`", role.noun()),
            };
            let complaint = warning("W054", message, "a slip?").help(format!("did you mean `{known}`?"));
            sink.warn(seen.at, seen.line, complaint);
        }
        said
    }
}

/// In shorter words one letter more or less makes another word.
fn slip_is_visible(length: usize) -> bool {
    (4..=64).contains(&length)
}

/// The word, and the word without one of its letters: two words that are one slip apart have one of these in common.
pub(super) fn forms(word: &str) -> impl Iterator<Item = String> {
    let without = word.char_indices().map(|(at, c)| format!("{}{}", &word[..at], &word[at + c.len_utf8()..]));
    std::iter::once(word.to_owned()).chain(without)
}

/// Whether one slip makes one word of the other: a letter too many, missing, changed or swapped with the next.
///
/// Digits number things, and so do letters at the end (`web-a`, `web-b`); at the beginning and the end of a part
/// letters make another word (`fping`, `https`). Only a slip inside of a part is one.
fn is_slip(word: &str, known: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (word.chars().collect(), known.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let rest = one.len().min(other.len()) - same;
    let same_end = one.iter().rev().zip(other.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (left, right) = (&one[same..one.len() - same_end], &other[same..other.len() - same_end]);
    let is_swap = matches!((left, right), ([a, b], [c, d]) if a == d && b == c);
    let is_change = left.len() == 1 && right.len() == 1 && one.len() >= 6;
    let is_gap = left.len() + right.len() == 1;
    // Without its `@`, an address of mail is none.
    let only_letters = left.iter().chain(right).all(|c| c.is_alphabetic() || *c == '@');
    only_letters && (is_swap || ((is_change || is_gap) && is_inside(&one, same, same_end)))
}

/// Domains are not numbered, and few: a slip anywhere is one, but in a short name at the end (`.co`, `.com`).
fn is_domain_slip(word: &str, known: &str) -> bool {
    let last = |domain: &str| domain.rsplit('.').next().unwrap_or_default().len();
    let same = word.bytes().rev().zip(known.bytes().rev()).take_while(|(a, b)| a == b).count();
    let (longer, shorter) = if word.len() > known.len() { (word, known) } else { (known, word) };
    let one_more = (0..longer.len()).any(|at| {
        longer.is_char_boundary(at)
            && longer.is_char_boundary(at + 1)
            && [&longer[..at], &longer[at + 1..]].concat() == shorter
    });
    let is_short_end = last(known) <= 3 && same <= last(known);
    !is_short_end && (one_more || is_slip(word, known))
}

/// Whether letters stand on both sides.
fn is_inside(word: &[char], before: usize, after: usize) -> bool {
    let is_letter = |at: Option<usize>| at.and_then(|at| word.get(at)).is_some_and(|c| c.is_alphabetic());
    is_letter(before.checked_sub(1)) && after > 0 && is_letter(word.len().checked_sub(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_name() {
        for (word, known) in [
            ("exmaple", "example"),
            ("ops@exmple.org", "ops@example.org"),
            ("mailserrver", "mailserver"),
            ("mailsarver", "mailserver"),
            ("freespce", "freespace"),
        ] {
            assert!(is_slip(word, known), "{word} {known}");
            assert!(forms(word).any(|form| forms(known).any(|other| other == form)), "{word} {known}");
        }
        for (word, known) in [
            ("web1", "web2"),
            ("web-a", "web-b"),
            ("http", "https"),
            ("ping", "fping"),
            ("smtp", "sntp"),
            ("imap", "imaps"),
            ("web10", "web1"),
            ("server", "servers"),
            ("db-eu", "db-us"),
            ("10m", "10h"),
        ] {
            assert!(!is_slip(word, known), "{word} {known}");
        }
        for (word, known) in [
            ("shopexample", "shop.example"),
            ("physics.exampl", "physics.example"),
            ("exmaple.com", "example.com"),
        ] {
            assert!(is_domain_slip(word, known), "{word} {known}");
        }
        for (word, known) in [
            ("example.co", "example.com"),
            ("example.net", "example.com"),
            ("a.example.com", "b.example.com"),
        ] {
            assert!(!is_domain_slip(word, known), "{word} {known}");
        }
    }
}
