//! Messages of the DNS: one question out, answers in.

use std::net::Ipv4Addr;

/// Lengths of RFC 1035.
const HEADER: usize = 12;
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 255;

/// The class of everything on the Internet.
const INTERNET: u16 = 1;

/// Types by name, for those who ask for them; and for the report.
const KINDS: [(&str, u16); 27] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("HINFO", 13),
    ("MX", 15),
    ("TXT", 16),
    ("RP", 17),
    ("AFSDB", 18),
    ("AAAA", 28),
    ("LOC", 29),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DNAME", 39),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("SPF", 99),
    ("CAA", 257),
    ("ANY", 255),
];

/// The type of the record that begins a zone.
pub const SOA: u16 = 6;

const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
    "NOTAUTH", "NOTZONE",
];

/// The number of a type, by name or as `TYPE65`.
#[must_use]
pub fn kind(name: &str) -> Option<u16> {
    let upper = name.to_ascii_uppercase();
    let known = KINDS.iter().find(|(name, _)| *name == upper).map(|(_, kind)| *kind);
    known.or_else(|| upper.strip_prefix("TYPE")?.parse().ok())
}

/// The name of a type.
#[must_use]
pub fn kind_name(kind: u16) -> String {
    let known = KINDS.iter().find(|(_, number)| *number == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The name, in lower case.
    pub name: String,
    /// The type.
    pub kind: u16,
}

impl Question {
    /// The question for `name`; for an IPv4 address it is the name that stands for it in the DNS.
    #[must_use]
    pub fn new(name: &str, kind: u16) -> Question {
        let name = match name.parse::<Ipv4Addr>() {
            Ok(address) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            Err(_) => name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
        };
        Question { name, kind }
    }

    /// The message that asks it.
    ///
    /// # Errors
    /// When the name cannot be spelled in one.
    pub fn encode(&self, id: u16, recurse: bool) -> Result<Vec<u8>, String> {
        let mut out = Vec::from(id.to_be_bytes());
        out.extend([u8::from(recurse), 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in self.name.split('.').filter(|_| !self.name.is_empty()) {
            let good = !label.is_empty()
                && label.len() <= LONGEST_LABEL
                && label.bytes().all(|b| b.is_ascii_graphic());
            let length = u8::try_from(label.len()).ok().filter(|_| good);
            out.push(length.ok_or_else(|| format!("{} is no name in the DNS", self.name))?);
            out.extend(label.bytes());
        }
        out.push(0);
        if out.len() > HEADER + LONGEST_NAME {
            return Err(format!("{} is too long for a name in the DNS", self.name));
        }
        out.extend(self.kind.to_be_bytes());
        out.extend(INTERNET.to_be_bytes());
        Ok(out)
    }
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its type.
    pub kind: u16,
    /// Its serial, if it is an SOA.
    pub serial: Option<u32>,
    /// Its data in a form that is the same for the same data: names spelled out, the rest in hexadecimal digits.
    pub data: String,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The answer is not whole: ask again over TCP.
    pub truncated: bool,
    /// The server says that the zone is its own.
    pub authoritative: bool,
    /// How it went.
    pub rcode: u8,
    /// The answers.
    pub answers: Vec<Record>,
}

impl Response {
    /// `NXDOMAIN` and the like.
    #[must_use]
    pub fn rcode_name(&self) -> String {
        let known = RCODES.get(usize::from(self.rcode));
        known.map_or_else(|| format!("RCODE{}", self.rcode), |name| (*name).to_owned())
    }

    /// Reads the response to this question. `None` if it is not one, or if it is broken.
    #[must_use]
    pub fn read(bytes: &[u8], id: u16, question: &Question) -> Option<Response> {
        let mut reader = Reader { bytes, at: 0 };
        let (its_id, flags) = (reader.number()?, reader.number()?);
        let is_response = flags & 0x8000 != 0;
        if its_id != id || !is_response || bytes.len() < HEADER {
            return None;
        }
        let [questions, count] = [reader.number()?, reader.number()?];
        reader.at = HEADER;
        for _ in 0..questions {
            let asked = Question { name: reader.name()?, kind: reader.number()? };
            if asked != *question || reader.number()? != INTERNET {
                return None;
            }
        }
        let truncated = flags & 0x0200 != 0;
        // Some servers do not repeat a question that they refuse.
        if questions > 1 || questions == 0 && count > 0 {
            return None;
        }
        let records = (0..count).map_while(|_| reader.record()).collect::<Vec<_>>();
        let whole = records.len() == usize::from(count);
        (whole || truncated).then_some(Response {
            truncated,
            authoritative: flags & 0x0400 != 0,
            rcode: (flags & 0xf) as u8,
            answers: records,
        })
    }
}

/// Reads a message from some place on; never beyond its end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from(self.number()?) << 16 | u32::from(self.number()?))
    }

    /// A name in lower case, without the dot at its end. Each pointer must lead further back than the last one did, so
    /// that there is an end.
    fn name(&mut self) -> Option<String> {
        let (mut name, mut length) = (String::new(), 0);
        let (mut at, mut before, mut after) = (self.at, self.at, None);
        loop {
            let first = *self.bytes.get(at)?;
            match first & 0xc0 {
                0xc0 => {
                    let target = usize::from(first & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    after = after.or(Some(at + 2));
                    if target >= before {
                        return None;
                    }
                    (at, before) = (target, target);
                }
                0 if first == 0 => {
                    self.at = after.unwrap_or(at + 1);
                    return Some(name);
                }
                0 => {
                    let end = at + 1 + usize::from(first);
                    length += usize::from(first) + 1;
                    if length >= LONGEST_NAME {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    self.bytes.get(at + 1..end)?.iter().for_each(|byte| spell(*byte, &mut name));
                    at = end;
                }
                _ => return None,
            }
        }
    }

    fn record(&mut self) -> Option<Record> {
        self.name()?;
        let kind = self.number()?;
        self.take(6)?;
        let length = usize::from(self.number()?);
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let mut inner = Reader { bytes: &self.bytes[..end], at: self.at };
        let mut serial = None;
        let data = match kind {
            2 | 5 | 12 | 39 => inner.name()?,
            15 | 18 => format!("{} {}", inner.number()?, inner.name()?),
            33 => format!("{} {} {} {}", inner.number()?, inner.number()?, inner.number()?, inner.name()?),
            SOA => {
                let names = format!("{} {}", inner.name()?, inner.name()?);
                let number = inner.long()?;
                serial = Some(number);
                let rest =
                    [inner.long()?, inner.long()?, inner.long()?, inner.long()?].map(|n| n.to_string());
                format!("{names} {number} {}", rest.join(" "))
            }
            _ => inner.take(length)?.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        self.at = end;
        (inner.at == end).then_some(Record { kind, serial, data })
    }
}

/// One byte of a label, so that no two labels are spelled alike.
fn spell(byte: u8, out: &mut String) {
    match byte {
        b'.' | b'\\' => out.extend(['\\', char::from(byte)]),
        0x21..=0x7e => out.push(char::from(byte.to_ascii_lowercase())),
        _ => *out += &format!("\\{byte:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question::new("Example.TEST.", SOA)
    }

    /// A response with an SOA of serial 100, and names that point to others.
    fn response() -> Vec<u8> {
        let mut bytes = question().encode(7, false).expect("a good name");
        bytes[2] = 0x84;
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 0xc0, 12, 0xc0, 12]);
        for number in [100_u32, 1, 2, 3, 4] {
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn an_soa() {
        let soa =
            Record { kind: SOA, serial: Some(100), data: "example.test example.test 100 1 2 3 4".to_owned() };
        let expect = Response { truncated: false, authoritative: true, rcode: 0, answers: vec![soa] };
        assert_eq!(Response::read(&response(), 7, &question()), Some(expect));
        assert_eq!(Response::read(&response(), 8, &question()), None);
        assert_eq!(Response::read(&response(), 7, &Question::new("example.test", 1)), None);
        assert_eq!(Response::read(&question().encode(7, true).expect("good"), 7, &question()), None);
        for end in 0..response().len() {
            assert_eq!(Response::read(&response()[..end], 7, &question()), None, "{end}");
        }
    }

    #[test]
    fn refusals_without_the_question() {
        let refused =
            Response::read(&[0, 7, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0], 7, &question()).expect("it is one");
        assert_eq!((refused.rcode_name().as_str(), refused.answers.len()), ("REFUSED", 0));
        assert_eq!(Response::read(&[0, 7, 0x80, 5, 0, 0, 0, 0], 7, &question()), None, "half a header");
    }

    #[test]
    fn pointers_in_a_circle() {
        let mut bytes = vec![0, 7, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend([0xc0, 12, 0, 6, 0, 1]);
        assert_eq!(Response::read(&bytes, 7, &question()), None);
        bytes[13] = 14;
        assert_eq!(Response::read(&bytes, 7, &question()), None);
    }

    #[test]
    fn names() {
        assert_eq!(Question::new("127.0.0.1", 12).name, "1.0.0.127.in-addr.arpa");
        assert_eq!(Question::new(".", 2).encode(0, true).map(|bytes| bytes.len()), Ok(17));
        for bad in ["a..b", &"x".repeat(64), &"abcdefg.".repeat(40), "a b", "é.de"] {
            assert!(Question::new(bad, 1).encode(0, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn kinds() {
        assert_eq!((kind("mx"), kind("TYPE65"), kind("ZORK")), (Some(15), Some(65), None));
        assert_eq!((kind_name(257).as_str(), kind_name(4711).as_str()), ("CAA", "TYPE4711"));
    }
}
