//! Traps: one datagram of `key='escaped value'` lines.

use crate::text;

use super::quote::unescape;

/// The lowest protocol version that is taken (mon 1.3.6).
const LOWEST_VERSION: f64 = 0.3807;

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
