//! `clientallow`: which peer addresses may connect.
//!
//! A blank-separated list of patterns, each of which must match the whole address. `.` stands for itself;
//! `\d`, `[…]`, `*`, `+` and `?` work as in a regular expression (mon 1.3.6).

use std::net::IpAddr;

/// A parsed list of patterns.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    patterns: Vec<Vec<Piece>>,
}

#[derive(Debug, Clone)]
struct Piece {
    atom: Atom,
    least: usize,
    most: usize,
}

#[derive(Debug, Clone)]
enum Atom {
    Char(char),
    Digit,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl AllowList {
    /// Reads the list. A pattern that is no pattern (an open bracket) matches nothing.
    #[must_use]
    pub fn parse(text: &str) -> AllowList {
        AllowList { patterns: text.split(crate::timeval::is_blank).filter_map(parse_pattern).collect() }
    }

    /// Whether a client at that address may connect.
    #[must_use]
    pub fn allows(&self, peer: IpAddr) -> bool {
        let address: Vec<char> = peer.to_canonical().to_string().chars().collect();
        self.patterns.iter().any(|pattern| matches(pattern, &address))
    }
}

fn parse_pattern(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let atom = match c {
            '\\' => match chars.next()? {
                'd' => Atom::Digit,
                escaped => Atom::Char(escaped),
            },
            '[' => parse_class(&mut chars)?,
            literal => Atom::Char(literal),
        };
        let (least, most) = match chars.peek() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            _ => (1, 1),
        };
        if (least, most) != (1, 1) {
            chars.next();
        }
        pieces.push(Piece { atom, least, most });
    }
    (!pieces.is_empty()).then_some(pieces)
}

fn parse_class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Atom> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let first = match chars.next()? {
            ']' if !ranges.is_empty() => return Some(Atom::Class { negated, ranges }),
            '\\' => match chars.next()? {
                'd' => {
                    ranges.push(('0', '9'));
                    continue;
                }
                escaped => escaped,
            },
            c => c,
        };
        let last = match chars.next_if_eq(&'-') {
            Some(_) if chars.peek() != Some(&']') => chars.next()?,
            Some(_) => {
                ranges.push(('-', '-'));
                first
            }
            None => first,
        };
        ranges.push((first, last));
    }
}

fn matches(pieces: &[Piece], text: &[char]) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return text.is_empty() };
    let run = text.iter().take(piece.most).take_while(|&&c| piece.atom.matches(c)).count();
    (piece.least..=run).rev().any(|taken| matches(rest, &text[taken..]))
}

impl Atom {
    fn matches(&self, c: char) -> bool {
        match self {
            Atom::Char(literal) => *literal == c,
            Atom::Digit => c.is_ascii_digit(),
            Atom::Class { negated, ranges } => {
                ranges.iter().any(|&(first, last)| (first..=last).contains(&c)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_addresses() {
        for (list, address, allowed) in [
            (r"\d+.\d+.\d+.\d+", "192.168.7.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.12", false),
            ("127.0.0", "127.0.0.1", false),
            ("127x0.0.1", "127.0.0.1", false),
            (r"10.0.0.\d+", "127.0.0.1", false),
            (r"10.1.1.1 127.0.[0-9].\d+", "127.0.0.1", true),
            (r"10.1.1.1 127.0.[^0].\d+", "127.0.0.1", false),
            (r"192.168\.\d+.*", "192.168.1.7", false),
            (r"127.[0-9.]*", "127.0.0.1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("[", "127.0.0.1", false),
            ("", "127.0.0.1", false),
        ] {
            let peer = address.parse().expect("a test address");
            assert_eq!(AllowList::parse(list).allows(peer), allowed, "{list} {address}");
        }
    }
}
