//! auth.cf: who may run which command, who may send traps.
//!
//! ```text
//! command section
//! list:    all
//! disable: AUTH_ANY, !guest
//! trap section
//! 192.0.2.7 backup $6$salt$hash
//! ```
//!
//! What is not allowed is denied. Host names in the trap section are left to the caller, who can ask a name
//! server: [`Auth::trap_host_names`], [`Auth::resolve`], [`Auth::unresolved`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use crate::timeval::is_blank;

/// All that auth.cf says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// By command in lower case.
    commands: BTreeMap<Box<str>, Users>,
    /// In the order of the file: of two entries for the same host and user the later counts.
    traps: Vec<TrapEntry>,
}

/// A line of auth.cf that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Line in the file, from 1 on.
    pub line: u32,
    /// What is wrong, in the operator's terms; never contains a password.
    pub message: String,
    /// The original does not start with such a line. At `reload auth` it skips it.
    pub fatal: bool,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Password hashes; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// For crypt, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who may run one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Users {
    /// `all`: needs no login.
    all: bool,
    allowed: Who,
    /// Stronger than everything else, but for somebody who is not logged in.
    denied: Who,
}

/// Some of those who are logged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Who {
    /// `AUTH_ANY`
    anyone: bool,
    names: BTreeSet<Box<str>>,
}

impl Who {
    fn add(&mut self, name: &str) {
        match name {
            "AUTH_ANY" => self.anyone = true,
            _ => drop(self.names.insert(name.into())),
        }
    }

    fn includes(&self, user: &str) -> bool {
        self.anyone || self.names.contains(user)
    }
}

/// A line of the trap section.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TrapEntry {
    host: TrapHost,
    /// `*`: no password needed.
    user: Box<str>,
    hash: Secret,
    line: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TrapHost {
    /// `*`
    Any,
    /// Never an IPv4 address in the clothes of IPv6.
    Address(IpAddr),
    /// A name and the addresses found for it.
    Name(Box<str>, Vec<IpAddr>),
}

/// Whether a trap is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrapGate<'a> {
    /// It is.
    Open,
    /// It is if crypt makes this hash of its password.
    Password(&'a Secret),
    /// It is not.
    Refused(Reason),
}

/// Why a trap is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No entry for the sender's address.
    UnknownHost,
    /// There are entries for the sender's address, but none for this user, or the trap names no user.
    UnknownUser,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::UnknownHost => "unauthorized host",
            Reason::UnknownUser => "unknown user",
        })
    }
}

#[derive(Clone, Copy)]
enum Section {
    Command,
    Trap,
}

/// Reads auth.cf. Lines with an issue are left out.
#[must_use]
pub fn parse(text: &str) -> (Auth, Vec<Issue>) {
    let mut auth = Auth::default();
    let mut issues = Vec::new();
    // Lines before the first section line belong to the command section.
    let mut section = Section::Command;
    for (line, text) in (1u32..).zip(text.lines()) {
        let text = text.trim_matches(is_blank);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(new) = section_line(text) {
            section = new;
            continue;
        }
        let read = match section {
            Section::Command => auth.command_line(text, line, &mut issues),
            Section::Trap => auth.trap_line(text, line),
        };
        if let Err(message) = read {
            issues.push(Issue { line, message, fatal: matches!(section, Section::Command) });
        }
    }
    (auth, issues)
}

/// `command section`, `trap section`; more may follow.
fn section_line(text: &str) -> Option<Section> {
    let (word, rest) = text.split_at(text.find(is_blank)?);
    let is_section = rest.trim_start_matches(is_blank).starts_with("section");
    match word {
        "command" if is_section => Some(Section::Command),
        "trap" if is_section => Some(Section::Trap),
        _ => None,
    }
}

impl Auth {
    /// Whether `user` (`None`: not logged in) may run `command`. Command words in the file are in any case, the
    /// one asked for is compared as it is: whoever takes commands in any case has to make them lower-case.
    #[must_use]
    pub fn permits(&self, user: Option<&str>, command: &str) -> bool {
        let Some(users) = self.commands.get(command) else { return false };
        match user {
            Some(user) => !users.denied.includes(user) && (users.all || users.allowed.includes(user)),
            None => users.all,
        }
    }

    /// Whether a trap from that address which names `user` is accepted.
    ///
    /// An entry for host `*` makes all others void. A trap that gives its user as `*` is nobody special; the
    /// original 1.3.6 accepts it without password from any host that has an entry.
    #[must_use]
    pub fn trap_gate(&self, from: IpAddr, user: Option<&str>) -> TrapGate<'_> {
        let from = from.to_canonical();
        let any_host = self.traps.iter().any(|entry| entry.host == TrapHost::Any);
        let entries = || {
            self.traps.iter().filter(|entry| match any_host {
                true => entry.host == TrapHost::Any,
                false => entry.host.is(from),
            })
        };
        if entries().next().is_none() {
            return TrapGate::Refused(Reason::UnknownHost);
        }
        if entries().any(|entry| &*entry.user == "*") {
            return TrapGate::Open;
        }
        match entries().rfind(|entry| user == Some(&*entry.user)) {
            Some(entry) => TrapGate::Password(&entry.hash),
            None => TrapGate::Refused(Reason::UnknownUser),
        }
    }

    /// The host names in the trap section, each once. They match nothing before [`Auth::resolve`].
    pub fn trap_host_names(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> = self.traps.iter().filter_map(|entry| entry.host.name()).collect();
        names.into_iter()
    }

    /// Tells an address of `name`; there may be several.
    pub fn resolve(&mut self, name: &str, address: IpAddr) {
        for entry in &mut self.traps {
            match &mut entry.host {
                TrapHost::Name(host, addresses) if **host == *name => addresses.push(address.to_canonical()),
                _ => {}
            }
        }
    }

    /// The entries that match nothing, because no address of their host name is known.
    pub fn unresolved(&self) -> impl Iterator<Item = Issue> {
        self.traps.iter().filter_map(|entry| match &entry.host {
            TrapHost::Name(name, addresses) if addresses.is_empty() => Some(Issue {
                line: entry.line,
                message: format!("no address found for host `{name}`: its traps are refused"),
                fatal: false,
            }),
            _ => None,
        })
    }

    /// `command: user, !user, AUTH_ANY, all`. Several lines for a command add up.
    fn command_line(&mut self, text: &str, line: u32, issues: &mut Vec<Issue>) -> Result<(), String> {
        let Some((command, list)) = text.split_once(':') else {
            return Err("a line of the command section is `command: user, …`; the colon is missing".into());
        };
        let command = command.trim_end_matches(is_blank).to_ascii_lowercase();
        if command.is_empty() {
            issues.push(Issue { line, message: "no command before the colon".into(), fatal: false });
            return Ok(());
        }
        let users = self.commands.entry(command.into()).or_default();
        for user in list.split(',').map(|user| user.trim_matches(is_blank)).filter(|user| !user.is_empty()) {
            match user.strip_prefix('!').map(|user| user.trim_start_matches(is_blank)) {
                Some("all") => {
                    let message =
                        "`!all` denies a user of the name all: to deny everyone, leave out the line";
                    issues.push(Issue { line, message: message.into(), fatal: false });
                    users.denied.add("all");
                }
                Some(denied) => users.denied.add(denied),
                None if user == "all" => users.all = true,
                None => users.allowed.add(user),
            }
        }
        Ok(())
    }

    /// `host user hash`
    fn trap_line(&mut self, text: &str, line: u32) -> Result<(), String> {
        let words: Vec<_> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
        let [host, user, hash] = words[..] else {
            // The words are not shown: one of them may be a password.
            let count = words.len();
            return Err(format!(
                "a line of the trap section is `host user hash`, three words and not {count}"
            ));
        };
        let host =
            TrapHost::parse(host).ok_or_else(|| format!("`{host}` is neither an address nor a host name"))?;
        self.traps.push(TrapEntry { host, user: user.into(), hash: Secret(hash.into()), line });
        Ok(())
    }
}

impl TrapHost {
    fn parse(host: &str) -> Option<TrapHost> {
        if host == "*" {
            return Some(TrapHost::Any);
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(TrapHost::Address(address.to_canonical()));
        }
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let ends = |c: char| c.is_ascii_alphanumeric();
        let is_name =
            host.len() > 1 && host.starts_with(ends) && host.ends_with(ends) && host.chars().all(inner);
        // `10.0.0.300` is a wrong address, not a name.
        let is_number = host.chars().all(|c| c.is_ascii_digit() || c == '.');
        (is_name && !is_number).then(|| TrapHost::Name(host.into(), Vec::new()))
    }

    fn is(&self, address: IpAddr) -> bool {
        match self {
            TrapHost::Any => false,
            TrapHost::Address(own) => *own == address,
            TrapHost::Name(_, addresses) => addresses.contains(&address),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            TrapHost::Name(name, _) => Some(name),
            TrapHost::Any | TrapHost::Address(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sound(text: &str) -> Auth {
        let (auth, issues) = parse(text);
        assert_eq!(issues, [], "{text}");
        auth
    }

    #[test]
    fn who_may_run_what() {
        let auth = sound(
            "
            # who may do what
            command section
            list:  all
            stop:  amy , bob
            START: AUTH_ANY, !eve
            reload: AUTH_ANY,!AUTH_ANY
            servertime : all , !bob
            clear: bob
            clear: amy
            get: !amy
            set: ! amy, AUTH_ANY
            test: ALL
            reset:
            ",
        );
        //           nobody amy    bob    eve
        for (command, expect) in [
            ("list", [true, true, true, true]),
            ("stop", [false, true, true, false]),
            ("start", [false, true, true, false]),
            ("reload", [false, false, false, false]),
            ("servertime", [true, true, false, true]),
            ("clear", [false, true, true, false]),
            ("get", [false, false, false, false]),
            ("set", [false, false, true, true]),
            ("test", [false, false, false, false]),
            ("reset", [false, false, false, false]),
            ("disable", [false, false, false, false]),
            ("LIST", [false, false, false, false]),
            ("", [false, false, false, false]),
            ("a b", [false, false, false, false]),
        ] {
            let got = [None, Some("amy"), Some("bob"), Some("eve")].map(|user| auth.permits(user, command));
            assert_eq!(got, expect, "{command}");
        }
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let auth = sound("");
        assert!(!auth.permits(Some("root"), "list"));
        assert_eq!(auth.trap_gate(LOCAL, None), TrapGate::Refused(Reason::UnknownHost));
    }

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn gate(auth: &Auth, user: Option<&str>) -> String {
        match auth.trap_gate(LOCAL, user) {
            TrapGate::Open => "open".into(),
            TrapGate::Password(hash) => hash.expose().into(),
            TrapGate::Refused(reason) => reason.to_string(),
        }
    }

    #[test]
    fn who_may_send_traps() {
        for (lines, user, expect) in [
            ("127.0.0.1 amy h1\n127.0.0.1\tbob   h2", Some("amy"), "h1"),
            ("127.0.0.1 amy h1\n127.0.0.1\tbob   h2", Some("bob"), "h2"),
            ("127.0.0.1 amy h1", Some("eve"), "unknown user"),
            ("127.0.0.1 amy h1", None, "unknown user"),
            ("127.0.0.1 amy h1", Some("*"), "unknown user"),
            ("127.0.0.1 amy h1\n127.0.0.1 amy h2", Some("amy"), "h2"),
            ("127.0.0.1 * *\n127.0.0.1 amy xx", Some("amy"), "open"),
            ("127.0.0.1 amy xx\n127.0.0.1 * *", None, "open"),
            ("127.0.0.1 * *", Some("*"), "open"),
            ("* amy h1\n10.0.0.1 * *", Some("amy"), "h1"),
            ("* amy h1\n127.0.0.1 * *", Some("zoe"), "unknown user"),
            ("* * *", None, "open"),
            ("10.0.0.1 * *", None, "unauthorized host"),
            ("# none", None, "unauthorized host"),
            ("::ffff:127.0.0.1 * *", None, "open"),
            ("::1 * *", None, "unauthorized host"),
        ] {
            let auth = sound(&format!("list: all\ntrap section\n{lines}\ncommand section\nget: all"));
            assert_eq!(gate(&auth, user), expect, "{lines} {user:?}");
            assert!(auth.permits(None, "get"));
        }
    }

    #[test]
    fn ipv4_in_the_clothes_of_ipv6_is_ipv4() {
        let auth = sound("trap section\n10.0.0.1 * *");
        for (from, expect) in [
            ("10.0.0.1", TrapGate::Open),
            ("::ffff:10.0.0.1", TrapGate::Open),
            ("10.0.0.2", TrapGate::Refused(Reason::UnknownHost)),
            ("::10.0.0.1", TrapGate::Refused(Reason::UnknownHost)),
        ] {
            assert_eq!(auth.trap_gate(from.parse().expect("an address"), None), expect, "{from}");
        }
    }

    #[test]
    fn host_names_match_once_they_are_resolved() {
        let mut auth =
            sound("trap section\nlocalhost amy h1\n127.0.0.1 amy h2\nlocalhost bob h3\nother.example * *");
        assert_eq!(auth.trap_host_names().collect::<Vec<_>>(), ["localhost", "other.example"]);
        assert_eq!(gate(&auth, Some("bob")), "unknown user");
        assert_eq!(auth.unresolved().map(|issue| issue.line).collect::<Vec<_>>(), [2, 4, 5]);
        auth.resolve("localhost", LOCAL);
        assert_eq!((gate(&auth, Some("bob")), gate(&auth, Some("amy"))), ("h3".into(), "h2".into()));
        let message = auth.unresolved().map(|issue| issue.to_string()).collect::<String>();
        assert_eq!(message, "line 5: no address found for host `other.example`: its traps are refused");
        auth.resolve("other.example", LOCAL);
        assert_eq!(gate(&auth, None), "open");
    }

    #[test]
    fn issues() {
        for (text, line, message, fatal) in [
            ("list", 1, "a line of the command section is `command: user, …`; the colon is missing", true),
            (
                "\n# x\n  command sections\nlist all",
                4,
                "a line of the command section is `command: user, …`; the colon is missing",
                true,
            ),
            (
                "list: !all",
                1,
                "`!all` denies a user of the name all: to deny everyone, leave out the line",
                false,
            ),
            (": all", 1, "no command before the colon", false),
            (
                "trap section\ntoo few",
                2,
                "a line of the trap section is `host user hash`, three words and not 2",
                false,
            ),
            (
                "trap section\n* a b c",
                2,
                "a line of the trap section is `host user hash`, three words and not 4",
                false,
            ),
            ("trap section\nlocal_host * *", 2, "`local_host` is neither an address nor a host name", false),
            ("trap section\n10.0.0.300 * *", 2, "`10.0.0.300` is neither an address nor a host name", false),
            ("trap section\nx * *", 2, "`x` is neither an address nor a host name", false),
        ] {
            let (auth, issues) = parse(text);
            assert_eq!(issues, [Issue { line, message: message.into(), fatal }], "{text}");
            assert_eq!(gate(&auth, None), "unauthorized host");
        }
        assert_eq!(parse("a\nb: all\nc").1.len(), 2);
    }

    #[test]
    fn hashes_are_never_shown() {
        let auth = sound("trap section\n127.0.0.1 amy $1$hash");
        let shown = format!("{auth:?} {:?}", auth.trap_gate(LOCAL, Some("amy")));
        assert!(shown.contains("amy") && !shown.contains("hash\"") && !shown.contains("$1$"), "{shown}");
        let (_, issues) = parse("trap section\n127.0.0.1 $1$hash");
        assert!(!format!("{issues:?}").contains("$1$"));
    }

    proptest! {
        #[test]
        fn nobody_gets_in_by_accident(text: String, user: Option<String>, command: String) {
            prop_assume!(!text.contains(':') && !text.contains("section"));
            prop_assert!(!parse(&text).0.permits(user.as_deref(), &command));
        }

        #[test]
        fn who_is_denied_stays_out(before in "[a-z_,! ]{0,12}", after in "[a-zA-Z_,! \n:]{0,12}") {
            let (auth, _) = parse(&format!("list: all, {before}, !amy\nlist: {after}"));
            prop_assert!(!auth.permits(Some("amy"), "list"));
        }
    }
}
