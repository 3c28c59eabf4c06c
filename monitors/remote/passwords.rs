//! The password file: a line `HOST:USER:PASSWORD` for every server that wants a login.

use std::collections::BTreeMap;

/// Name and password by host, as the host is spelled on the command line.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Passwords {
    by_host: BTreeMap<String, (String, String)>,
}

/// A password is never shown.
impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_host.keys()).finish()
    }
}

impl Passwords {
    /// Reads the text of a file. Empty lines and lines that begin with `#` say nothing.
    ///
    /// # Errors
    /// The number of the first line that is none.
    pub(crate) fn parse(text: &str) -> Result<Passwords, usize> {
        let mut by_host = BTreeMap::new();
        for (number, line) in (1_usize..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (host, rest) = split_host(line).ok_or(number)?;
            let (user, password) = rest.split_once(':').ok_or(number)?;
            by_host.insert(host.to_owned(), (user.to_owned(), password.to_owned()));
        }
        Ok(Passwords { by_host })
    }

    /// The login at a server; `word` is what stands on the command line, `host` the same without a port.
    pub(crate) fn find(&self, word: &str, host: &str) -> Option<(&str, &str)> {
        let found = self.by_host.get(word).or_else(|| self.by_host.get(host))?;
        Some((&found.0, &found.1))
    }
}

/// The host and what follows its colon; an IPv6 address stands in brackets.
fn split_host(line: &str) -> Option<(&str, &str)> {
    match line.strip_prefix('[') {
        Some(inner) => inner.split_once("]:"),
        None => line.split_once(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "# servers\n\nserverb:alice:se:same\n[::1]:bob:x\r\nserverb:carol:y\n";
        let passwords = Passwords::parse(text).expect("every line is good");
        assert_eq!(passwords.find("serverb", "serverb"), Some(("carol", "y")));
        assert_eq!(passwords.find("[::1]:2583", "::1"), Some(("bob", "x")));
        assert_eq!(passwords.find("servera", "servera"), None);
        assert_eq!(
            Passwords::parse("h:u:a:b").expect("it is good").find("h:1", "h"),
            Some(("u", "a:b")),
            "a password may hold colons"
        );
    }

    #[test]
    fn lines_that_are_none() {
        assert_eq!(Passwords::parse("a:b:c\nnonsense\n"), Err(2));
        assert_eq!(Passwords::parse("a:b\n"), Err(1));
        let shown = format!("{:?}", Passwords::parse("h:u:secret"));
        assert!(shown.contains('h') && !shown.contains("secret"));
    }
}
