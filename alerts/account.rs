//! Whose account it is: `~/.sendxmpprc` as sendxmpp 1.24 reads it, and files with a login in the same spelling.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use remon_core::{reason, text};

use crate::deliver;

/// An XMPP account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// What stands before the @.
    pub user: String,
    /// What stands behind it; also the name in the server's certificate.
    pub domain: String,
    /// The password.
    pub password: String,
    /// The host to connect to, if the file names one. Otherwise the DNS is asked.
    pub host: Option<String>,
    /// The port, if the file names one.
    pub port: Option<u16>,
}

/// A password is never shown.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.user, self.domain)
    }
}

/// Reads the account from a file.
///
/// # Errors
/// In the words of sendxmpp.
pub fn read_account(file: &str) -> Result<Account, String> {
    Account::parse(&read_secret(file)?).map_err(|mistake| match mistake {
        Mistake::Line(line) => format!("syntax error in line {line} of {file}"),
        Mistake::Nothing => format!("no correct config found in {file}"),
        Mistake::Lacks(what) => format!("{file} names no {what}"),
    })
}

/// Reads `username:` and `password:` from a file.
///
/// # Errors
/// As [`read_account`].
pub fn read_login(file: &str) -> Result<(String, String), String> {
    let mut words = BTreeMap::new();
    for line in read_secret(file)?.lines() {
        if let Some((key, value)) = key_and_value(line) {
            words.insert(key.to_owned(), value.to_owned());
        }
    }
    let mut word = |key| words.remove(key).ok_or_else(|| format!("{file} names no {key}"));
    Ok((word("username")?, word("password")?))
}

/// The text of a file that nobody else may read.
pub(crate) fn read_secret(file: &str) -> Result<String, String> {
    let path = deliver::path(file);
    let unreadable = |error: std::io::Error| format!("cannot read {file}: {}", reason::of(&error));
    let about = std::fs::metadata(&path).map_err(unreadable)?;
    // This directory belongs to whom we are effectively.
    let us = std::fs::metadata("/proc/self").map_err(unreadable)?.uid();
    if about.uid() != us {
        return Err(format!("you must own {file}"));
    }
    if about.mode() & 0o077 != 0 {
        return Err(format!("{file} must not be accessible by others"));
    }
    std::fs::read(&path).map(text::decode).map_err(unreadable)
}

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mistake {
    Line(usize),
    Nothing,
    Lacks(&'static str),
}

/// The keys as far as they are read. Each line is followed by the same tidying, as in sendxmpp.
#[derive(Default)]
struct Words {
    user: String,
    server: Option<String>,
    port: Option<String>,
    password: Option<String>,
    component: Option<String>,
}

impl Account {
    fn parse(text: &str) -> Result<Account, Mistake> {
        let (mut words, mut seen) = (Words::default(), false);
        for (number, line) in (1_usize..).zip(text.lines()) {
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            if !words.read_key(line) {
                words = Words::of_old_line(line).ok_or(Mistake::Line(number))?;
            }
            words.tidy();
            seen = true;
        }
        if !seen {
            return Err(Mistake::Nothing);
        }
        words.account()
    }
}

/// `key: value`; the key is of small letters and begins the line.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase());
    is_key.then(|| (key, value.trim_start()))
}

impl Words {
    /// Takes a line `key: value`; other keys than ours are of no use to us.
    fn read_key(&mut self, line: &str) -> bool {
        let Some((key, value)) = key_and_value(line) else { return false };
        let value = value.to_owned();
        match key {
            "username" => self.user = value,
            "jserver" => self.server = Some(value),
            "port" => self.port = Some(value),
            "password" => self.password = Some(value),
            "component" => self.component = Some(value),
            _ => {}
        }
        true
    }

    /// Reads `user@domain[;host][:port] password [component]`.
    fn of_old_line(line: &str) -> Option<Words> {
        line.match_indices('@').find_map(|(at, _)| {
            let user = trailing(&line[..at], |c| c.is_ascii_alphanumeric() || "._#-".contains(c));
            let rest = &line[at + 1..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.:;".contains(c)))?;
            let (server, secrets) = rest.split_at(end);
            let mut words = secrets.split_whitespace();
            let (password, component) = (words.next()?, words.next());
            let fits = !user.is_empty() && !server.is_empty() && secrets.starts_with(char::is_whitespace);
            (fits && words.next().is_none()).then(|| Words {
                user: user.to_owned(),
                server: Some(server.to_owned()),
                port: None,
                password: Some(password.to_owned()),
                component: component.map(str::to_owned),
            })
        })
    }

    /// Takes the port and the host to connect to out of the server.
    fn tidy(&mut self) {
        let Some(server) = self.server.take() else { return };
        let (mut server, port) = match server.rsplit_once(':') {
            Some((host, port)) if port.starts_with(|c: char| c.is_ascii_digit()) => {
                let digits = port.chars().take_while(char::is_ascii_digit).collect::<String>();
                (host.to_owned(), Some(digits))
            }
            _ => (server, None),
        };
        self.port = port.or(self.port.take());
        if let Some((domain, host)) = server.rsplit_once(';') {
            if self.component.is_none() {
                self.user = format!("{}@{domain}", self.user);
            }
            server = host.to_owned();
        }
        self.server = Some(server);
    }

    fn account(self) -> Result<Account, Mistake> {
        let some = |word: Option<String>| word.filter(|word| !word.is_empty());
        let (user, own_domain) = match self.user.split_once('@') {
            Some((user, domain)) => (user.to_owned(), some(Some(domain.to_owned()))),
            None => (self.user, None),
        };
        let (host, component) = (some(self.server), some(self.component));
        let domain = component.or(own_domain).or_else(|| host.clone()).ok_or(Mistake::Lacks("jserver"))?;
        let password = some(self.password).ok_or(Mistake::Lacks("password"))?;
        let port = self.port.and_then(|port| port.trim().parse().ok()).filter(|port| *port != 0);
        if user.is_empty() {
            return Err(Mistake::Lacks("username"));
        }
        Ok(Account { user, domain, password, host, port })
    }
}

/// The longest end of `text` whose characters all fit.
fn trailing(text: &str, fits: impl Fn(char) -> bool) -> &str {
    let begin = text.char_indices().rev().take_while(|(_, c)| fits(*c)).last();
    begin.map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match Account::parse(text) {
            Ok(Account { user, domain, password, host, port }) => {
                let host = host.unwrap_or_default();
                format!("{user}|{domain}|{password}|{host}|{}", port.unwrap_or(0))
            }
            Err(mistake) => format!("{mistake:?}"),
        }
    }

    #[test]
    fn files_as_sendxmpp_reads_them() {
        for (text, expect) in [
            (
                "username: mon\njserver: example.com\npassword: se#same x\n",
                "mon|example.com|se#same x|example.com|0",
            ),
            ("username: mon@example.com\npassword: p\n", "mon|example.com|p||0"),
            ("# me\n\n  # too\nusername: a\njserver: h:5223\npassword: p\ntls: 1\n", "a|h|p|h|5223"),
            ("username: a\njserver: h\nport: 5299\npassword: p\ncomponent: c.h\n", "a|c.h|p|h|5299"),
            ("mon@example.com secret\n", "mon|example.com|secret|example.com|0"),
            ("mon@example.com:5299 secret\n", "mon|example.com|secret|example.com|5299"),
            ("mon@example.com;127.0.0.1:5299 secret\n", "mon|example.com|secret|127.0.0.1|5299"),
            ("mon@conn.example.com secret example.com\n", "mon|example.com|secret|conn.example.com|0"),
            ("#5@example.com pw\n", "Nothing"),
            ("x#5@example.com pw\n", "x#5|example.com|pw|example.com|0"),
            ("a@h one\nb@h two\n", "b|h|two|h|0"),
            ("username: a\npassword: p\n", "Lacks(\"jserver\")"),
            ("username: a\njserver: h\n", "Lacks(\"password\")"),
            ("jserver: h\npassword: p\n", "Lacks(\"username\")"),
            ("", "Nothing"),
            ("username: a\nno-tls-verify: 1\n", "Line(2)"),
            ("a@h one two three\n", "Line(1)"),
            ("a@h\n", "Line(1)"),
        ] {
            assert_eq!(show(text), expect, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let account = Account::parse("mon@example.com secret\n").expect("it is good");
        assert_eq!(format!("{account:?}"), "mon@example.com");
    }

    #[test]
    fn files_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("remon-account-{}", std::process::id()));
        std::fs::write(&path, "username: a\npassword: p\njserver: h\n").expect("it can be written");
        let name = path.to_str().expect("it is plain text");
        let chmod = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        chmod(0o640).expect("it is ours");
        assert_eq!(read_account(name), Err(format!("{name} must not be accessible by others")));
        chmod(0o600).expect("it is ours");
        assert_eq!(read_account(name).map(|account| account.user), Ok("a".to_owned()));
        assert_eq!(read_login(name), Ok(("a".to_owned(), "p".to_owned())));
        std::fs::remove_file(&path).expect("it is ours");
        assert_eq!(read_login(name), Err(format!("cannot read {name}: No such file or directory")));
    }
}
