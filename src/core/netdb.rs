//! `/etc/services`: names for port numbers.

/// The port of the service `name` with `protocol` (`tcp`, `udp`) in the text of a services file; aliases count.
#[must_use]
pub fn service_port(services: &str, name: &str, protocol: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let official = words.next()?;
        let (port, over) = words.next()?.split_once('/')?;
        let named = official == name || words.any(|alias| alias == name);
        if named && over == protocol { port.parse().ok() } else { None }
    })
}

/// The port of mon itself, where the services file has no word about it.
pub const MON_PORT: u16 = 2583;

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: &str =
        "# services\nsmtp\t25/tcp\tmail # mail\nmon 2583/udp\nmon 2584/tcp\nbad\nodd x/tcp\n";

    #[test]
    fn names_aliases_and_protocols() {
        for (name, protocol, port) in [
            ("smtp", "tcp", Some(25)),
            ("mail", "tcp", Some(25)),
            ("mon", "tcp", Some(2584)),
            ("mon", "udp", Some(2583)),
            ("smtp", "udp", None),
            ("#", "tcp", None),
            ("odd", "tcp", None),
            ("25/tcp", "tcp", None),
        ] {
            assert_eq!(service_port(SERVICES, name, protocol), port, "{name}/{protocol}");
        }
    }
}
