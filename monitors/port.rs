//! The port that an option names, by number or by name.

use remon_core::{getopt, netdb};

const SERVICES: &str = "/etc/services";

/// The port to try: the number that `option` begins with, or the port of that name, or else `default`.
///
/// # Errors
/// In words, when there is no such port.
pub(crate) fn named(option: Option<&str>, default: u16) -> Result<u16, String> {
    let Some(word) = option else { return Ok(default) };
    if let Some(number) = getopt::leading_number(word) {
        let port = u16::try_from(number as i64).ok().filter(|port| *port > 0);
        return port.ok_or_else(|| format!("there is no port {word}"));
    }
    // Without the file no name is known, and the message says so.
    let services = std::fs::read_to_string(SERVICES).unwrap_or_default();
    netdb::service_port(&services, word, "tcp").ok_or_else(|| format!("unknown port name {word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        for (option, expect) in [
            (None, Ok(25)),
            (Some("587"), Ok(587)),
            (Some("80abc"), Ok(80)),
            (Some("99999"), Err("there is no port 99999".to_owned())),
            (Some("-1"), Err("there is no port -1".to_owned())),
            (Some("no-such-port"), Err("unknown port name no-such-port".to_owned())),
        ] {
            assert_eq!(named(option, 25), expect, "{option:?}");
        }
    }
}
