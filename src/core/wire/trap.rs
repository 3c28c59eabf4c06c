//! Traps: one datagram of `key='escaped value'` lines.

use crate::text;

use super::quote::{escape_quoted, unescape};

/// The lowest protocol version that is taken (mon 1.3.6).
const LOWEST_VERSION: f64 = 0.3807;

/// The version that the Perl client library sends, and so do we.
const OUR_VERSION: &str = "0.3807";

/// Largest datagram sent: below what UDP over IPv4 and IPv6 can carry.
const MAX_SENT_BYTES: usize = 65_000;

/// Stands where a detail was cut to fit, escaped as the rest is.
const CUT: &str = "\\0a[...]";

/// A trap to send.
#[derive(Clone, Copy, PartialEq)]
pub struct Outgoing<'a> {
    /// Name and password, where the receiver wants them.
    pub login: Option<(&'a str, &'a str)>,
    /// The number of the operational status.
    pub opstatus: u8,
    /// The group.
    pub group: &'a str,
    /// The service.
    pub service: &'a str,
    /// The exit status of the monitor.
    pub status: u32,
    /// When it is sent.
    pub time: i64,
    /// The first line of the output.
    pub summary: &'a str,
    /// The rest of it.
    pub detail: &'a str,
}

/// Writes a trap, in the order and spelling of the Perl client library. A detail that does not fit is cut.
#[must_use]
pub fn spell(trap: &Outgoing<'_>) -> Vec<u8> {
    let field = |name: &str, value: &str| format!("{name}='{}'\n", escape_quoted(value));
    let mut out = field("pro", OUR_VERSION);
    out += &field("usr", trap.login.map_or("", |(user, _)| user));
    out += &trap.login.map_or(String::new(), |(_, password)| field("pas", password));
    let opstatus = field("spc", &trap.opstatus.to_string());
    out += &format!("{opstatus}seq='0'\ntyp='trap'\n");
    out +=
        &(field("grp", trap.group) + &field("svc", trap.service) + &field("sta", &trap.status.to_string()));
    out += &(opstatus + &field("tsp", &trap.time.to_string()));
    let room = MAX_SENT_BYTES.saturating_sub(out.len() + "sum=''\ndtl=''\n".len());
    let summary = fitting(&escape_quoted(trap.summary), room);
    let detail = fitting(&escape_quoted(trap.detail), room.saturating_sub(summary.len()));
    out += &format!("sum='{summary}'\ndtl='{detail}'\n");
    out.into_bytes()
}

/// As much of `escaped`, which is ASCII, as there is room for; no escape is cut in two.
fn fitting(escaped: &str, room: usize) -> String {
    if escaped.len() <= room {
        return escaped.to_owned();
    }
    let (bytes, room) = (escaped.as_bytes(), room.saturating_sub(CUT.len()));
    let mut end = 0;
    loop {
        let unit = match bytes[end..] {
            [b'\\', b'\\', ..] => 2,
            [b'\\', ..] => 3,
            _ => 1,
        };
        if end + unit > room {
            break;
        }
        end += unit;
    }
    escaped[..end].to_owned() + CUT
}

/// A trap as it came: decoded, not yet authenticated.
#[derive(Clone, Default, PartialEq)]
pub struct Packet {
    /// `usr`
    pub user: Option<String>,
    /// `pas`
    pub password: Option<String>,
    /// `typ` and `spc`, for the log.
    pub kind: String,
    /// `grp`
    pub group: String,
    /// `svc`
    pub service: String,
    /// `sta`: as the exit status of a monitor.
    pub status: i64,
    /// `sum`, an empty line, `dtl`: as the output of a monitor.
    pub output: String,
}

/// A packet is logged when it is refused; its password is not.
impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packet")
            .field("user", &self.user)
            .field("group", &self.group)
            .field("service", &self.service)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why a datagram is no trap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// `pro` is missing or too low.
    Version(String),
    /// `sta` is missing.
    NoStatus,
    /// `sta` is not a number.
    BadStatus(String),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Version(version) => {
                write!(f, "cannot handle traps from version '{version}', less than {LOWEST_VERSION}")
            }
            Malformed::NoStatus => f.write_str("no trap sta value specified"),
            Malformed::BadStatus(status) => write!(f, "trap sta value '{status}' is not a number"),
        }
    }
}

/// Reads a datagram. Lines that are no field are skipped, a field given twice counts the second time.
///
/// # Errors
/// When it lacks what makes it a trap.
pub fn parse(datagram: &[u8]) -> Result<Packet, Malformed> {
    let text = text::decode(datagram.to_vec());
    let mut packet = Packet::default();
    let (mut version, mut status) = (String::new(), None);
    let (mut kind, mut specific, mut summary, mut detail) = Default::default();
    for (name, value) in text.split('\n').filter_map(field) {
        match name {
            "pro" => version = value,
            "usr" => packet.user = Some(value),
            "pas" => packet.password = Some(value),
            "typ" => kind = value,
            "spc" => specific = value,
            "grp" => packet.group = value,
            "svc" => packet.service = value,
            "sta" => status = Some(value),
            "sum" => summary = value,
            "dtl" => detail = value,
            _ => {}
        }
    }
    if version.trim().parse::<f64>().is_ok_and(|version| version >= LOWEST_VERSION) {
        packet.kind = format!("{kind} {specific}");
        packet.status = number(status.ok_or(Malformed::NoStatus)?)?;
        packet.output = output(summary, &detail);
        Ok(packet)
    } else {
        Err(Malformed::Version(version))
    }
}

fn number(status: String) -> Result<i64, Malformed> {
    status.trim().parse().map_err(|_| Malformed::BadStatus(status))
}

/// A summary ends its line, if it does not itself; an empty line follows.
fn output(mut summary: String, detail: &str) -> String {
    if !summary.ends_with('\n') {
        summary.push('\n');
    }
    summary.push('\n');
    summary.push_str(detail);
    summary
}

fn field(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let quoted = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    is_name.then(|| (name, unescape(quoted.unwrap_or(value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_in_any_order_quoted_or_not() {
        let packet = parse(b"sta='2'\nextra='1'\nno field\n\ngrp=web\nsvc='ping'\npro='1.0'\nsum='it\\27s \\22q\\22'\ndtl=l1\\0al2")
            .expect("a trap");
        assert_eq!((packet.group.as_str(), packet.service.as_str(), packet.status), ("web", "ping", 2));
        assert_eq!(packet.output, "it's \"q\"\n\nl1\nl2");
        assert_eq!(parse(b"pro='0.3807'\nsta='4'\nsta='5'").map(|packet| packet.status), Ok(5));
        assert_eq!(parse(b"pro='0.3807'\nsta='3'").map(|packet| packet.output), Ok("\n\n".to_owned()));
    }

    const TRAP: Outgoing<'_> = Outgoing {
        login: None,
        opstatus: 0,
        group: "web",
        service: "http",
        status: 3,
        time: 1_795_346_974,
        summary: "hostA hostB",
        detail: "a\n\ttab \"quoted\" it's \\slash",
    };

    #[test]
    fn a_trap_is_spelled_as_the_library_does() {
        let expect = r"pro='0.3807'
usr=''
spc='0'
seq='0'
typ='trap'
grp='web'
svc='http'
sta='3'
spc='0'
tsp='1795346974'
sum='hostA\20hostB'
dtl='a\0a\09tab\20\22quoted\22\20it\27s\20\\slash'
";
        assert_eq!(String::from_utf8(spell(&TRAP)).as_deref(), Ok(expect));
        let login = String::from_utf8(spell(&Outgoing { login: Some(("alice", "se'same")), ..TRAP }));
        let expect = expect.replace("usr=''\n", "usr='alice'\npas='se\\27same'\n");
        assert_eq!(login, Ok(expect));
        let packet = parse(&spell(&TRAP)).expect("we read what we write");
        assert_eq!((packet.group.as_str(), packet.status), ("web", 3));
    }

    #[test]
    fn a_trap_fits_in_a_datagram() {
        for text in
            ["x".repeat(100_000), "\n".repeat(100_000), "\\".repeat(100_000), "\u{1f6ce}".repeat(30_000)]
        {
            let spelled = spell(&Outgoing { detail: &text, ..TRAP });
            assert!((MAX_SENT_BYTES - 8..=MAX_SENT_BYTES).contains(&spelled.len()), "{}", spelled.len());
            let packet = parse(&spelled).expect("it is whole");
            assert!(packet.output.ends_with("[...]"), "{:?}", &packet.output[packet.output.len() - 20..]);
            let long = spell(&Outgoing { summary: &text, detail: &text, ..TRAP });
            assert!(long.len() <= MAX_SENT_BYTES + CUT.len() && parse(&long).is_ok());
        }
    }

    #[test]
    fn what_makes_no_trap() {
        assert_eq!(parse(b""), Err(Malformed::Version(String::new())));
        assert_eq!(parse(b"pro='0.3806'\nsta='1'"), Err(Malformed::Version("0.3806".into())));
        assert_eq!(parse(b"pro='0.3807'\ngrp='web'"), Err(Malformed::NoStatus));
        assert_eq!(parse(b"pro='0.3807'\nsta='bad'"), Err(Malformed::BadStatus("bad".into())));
    }

    #[test]
    fn a_password_is_not_shown() {
        let packet = parse(b"pro='1'\nsta='1'\npas='secret'").expect("a trap");
        assert!(!format!("{packet:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn no_datagram_is_too_strange(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
