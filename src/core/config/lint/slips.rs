//! Whether one word is another with a single slip of a finger in it.

/// What happened to a word, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slip {
    /// Two neighbours changed places.
    Swapped,
    /// A letter is missing: the first, the last (which one), or one between.
    LostFirst,
    LostLast(char),
    LostInside,
    /// A letter stands there twice.
    Doubled,
    /// Another letter between others.
    Changed,
}

impl Slip {
    /// What makes `word` of `known`, if that is one slip. Digits are none: they number things.
    pub(super) fn between(word: &str, known: &str) -> Option<Slip> {
        if word.len().abs_diff(known.len()) > 1 || word == known || !word.is_ascii() || !known.is_ascii() {
            return None;
        }
        let (one, other) = (word.as_bytes(), known.as_bytes());
        let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
        let most = one.len().min(other.len()) - same;
        let same_end =
            one.iter().rev().zip(other.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
        let (left, right) = (&one[same..one.len() - same_end], &other[same..other.len() - same_end]);
        if !left.iter().chain(right).all(u8::is_ascii_alphabetic) {
            return None;
        }
        let is_inside = same > 0 && same_end > 0;
        match (left, right) {
            ([], [_]) if is_inside => Some(Slip::LostInside),
            ([], [_]) if same == 0 => Some(Slip::LostFirst),
            ([], [last]) => Some(Slip::LostLast(char::from(*last))),
            ([twice], []) if same.checked_sub(1).is_some_and(|before| one[before] == *twice) => {
                Some(Slip::Doubled)
            }
            ([_], [_]) if is_inside => Some(Slip::Changed),
            ([a, b], [c, d]) if a == d && b == c => Some(Slip::Swapped),
            _ => None,
        }
    }
}

/// Whether `word` is `known` with a slip in it, and no other word: not its plural (`disks`), not its daemon
/// (`sshd`), not its relative (`fping`, `https`).
pub(super) fn is_misspelt(word: &str, known: &str) -> bool {
    let length = known.len();
    match Slip::between(word, known) {
        Some(Slip::Swapped | Slip::LostInside | Slip::Doubled) => length >= 5,
        Some(Slip::LostFirst | Slip::Changed) => length >= 6,
        Some(Slip::LostLast(letter)) => length >= 6 && !matches!(letter, 's' | 'd' | 'a' | 'e' | 'o' | 'x'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_known_by_its_kind() {
        for (word, known, expect) in [
            ("ipng", "ping", Some(Slip::Swapped)),
            ("adius", "radius", Some(Slip::LostFirst)),
            ("loadav", "loadavg", Some(Slip::LostLast('g'))),
            ("htp", "http", Some(Slip::LostInside)),
            ("httpp", "http", Some(Slip::Doubled)),
            ("hhttp", "http", Some(Slip::Doubled)),
            ("heme", "home", Some(Slip::Changed)),
            ("https", "http", None),
            ("fping", "ping", None),
            ("web1", "web2", None),
            ("ping", "ping", None),
            ("", "p", Some(Slip::LostFirst)),
        ] {
            assert_eq!(Slip::between(word, known), expect, "{word} {known}");
        }
    }

    #[test]
    fn relatives_are_no_slips() {
        for (word, known) in [
            ("frespace", "freespace"),
            ("ertificate", "certificate"),
            ("postgresq", "postgresql"),
            ("raduis", "radius"),
        ] {
            assert!(is_misspelt(word, known), "{word} {known}");
        }
        for (word, known) in [
            ("quota", "quotas"),
            ("disk", "disks"),
            ("rsync", "rsyncd"),
            ("form", "from"),
            ("daniel", "daniela"),
            ("king", "ping"),
        ] {
            assert!(!is_misspelt(word, known), "{word} {known}");
        }
    }
}
