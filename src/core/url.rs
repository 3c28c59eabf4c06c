//! `https://HOST[:PORT]/PATH`: addresses that one request goes to.

use crate::netdb;

/// Such an address, in parts. Whoever knows one may often write there, so it is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// Is it `https`?
    pub encrypted: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    /// As named, or the usual one.
    pub port: u16,
    /// Host and port as they stand in the address.
    pub authority: String,
    /// Path and query; never empty.
    pub path: String,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "address at {}", self.authority)
    }
}

impl Url {
    /// Reads an address; `None` if it is none, as host names are.
    #[must_use]
    pub fn parse(text: &str) -> Option<Url> {
        let (scheme, rest) = text.split_once("://")?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = netdb::split_port(authority);
        let port = port.map_or(Some(if encrypted { 443 } else { 80 }), |port| port.parse().ok())?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let good = !host.is_empty() && !host.contains('@') && plain(authority) && plain(&path);
        good.then(|| Url { encrypted, host: host.to_owned(), port, authority: authority.to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let show = |text: &str| {
            Url::parse(text)
                .map(|Url { encrypted, host, port, path, .. }| format!("{encrypted} {host} {port} {path}"))
        };
        for (text, expect) in [
            ("https://hooks.example.com/services/T/B", Some("true hooks.example.com 443 /services/T/B")),
            ("HTTP://h:8080?a=b#c", Some("false h 8080 /?a=b")),
            ("https://[::1]:8443", Some("true ::1 8443 /")),
            ("hostA hostB", None),
            ("ftp://h/", None),
            ("https:///x", None),
            ("https://u@h/", None),
            ("https://h:x/", None),
            ("https://h/a b", None),
            ("https://h/\r\nX: y", None),
        ] {
            assert_eq!(show(text).as_deref(), expect, "{text}");
        }
    }
}
