//! Names for port numbers: `/etc/services`, and `HOST:PORT`.

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

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT` or a bare IPv6 address: the host, and the port if one is named.
#[must_use]
pub fn split_port(word: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = word.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match word.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (word, None),
    }
}

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

    #[test]
    fn words_with_ports() {
        for (word, expect) in [
            ("web1", ("web1", None)),
            ("web1:2584", ("web1", Some("2584"))),
            ("::1", ("::1", None)),
            ("[::1]", ("::1", None)),
            ("[fe80::1]:2584", ("fe80::1", Some("2584"))),
            ("2001:db8::7", ("2001:db8::7", None)),
        ] {
            assert_eq!(split_port(word), expect, "{word}");
        }
    }
}
