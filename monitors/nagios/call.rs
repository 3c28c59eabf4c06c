//! The command line: which plugin, its arguments, the hosts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::invocation;

/// What is run, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) plugin: String,
    pub(super) arguments: Vec<String>,
    /// `None` when the plugin looks at this machine only.
    pub(super) hosts: Option<Vec<String>>,
}

/// What an argument may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Host,
    Address,
}

impl Call {
    /// Reads the words behind the options. The last `--` divides: no host is called so.
    ///
    /// # Errors
    /// When they cannot be meant, above all when the division was forgotten.
    pub(super) fn read(words: &[String]) -> Result<Call, String> {
        let end = words.iter().rposition(|word| word == "--");
        let (before, hosts) = match end {
            Some(end) => (&words[..end], Some(words[end + 1..].to_vec())),
            None => (words, None),
        };
        let (plugin, arguments) = before.split_first().ok_or("no plugin is named; see --help")?;
        let call = Call { plugin: plugin.clone(), arguments: arguments.to_vec(), hosts };
        let names_host = call.names().next().is_some();
        match (&call.hosts, names_host) {
            (None, true) => Err("there is no -- between the arguments and the hosts; see --help".to_owned()),
            (Some(_), false) => {
                Err("no argument has $HOST or $HOSTADDRESS$, so all hosts would be the same; see --help"
                    .to_owned())
            }
            _ => Ok(call),
        }
    }

    fn names(&self) -> impl Iterator<Item = Name> {
        self.arguments.iter().flat_map(|word| pieces(word)).filter_map(Result::err)
    }

    pub(super) fn wants_address(&self) -> bool {
        self.names().any(|name| name == Name::Address)
    }

    /// The same with the path of the plugin, from the first of these colon-separated lists that has it.
    ///
    /// # Errors
    /// When there is none, or it may not be executed.
    pub(super) fn found(self, lists: &[&str]) -> Result<Call, String> {
        let Call { plugin, arguments, hosts } = self;
        let folders = lists.iter().flat_map(|list| list.split(':')).filter(|folder| !folder.is_empty());
        let candidates = match plugin.contains('/') {
            true => vec![plugin.clone()],
            false => folders.map(|folder| format!("{folder}/{plugin}")).collect(),
        };
        let mut refused = None;
        for path in candidates {
            match fs::metadata(invocation::path(&path)) {
                Ok(about) if about.is_file() && about.permissions().mode() & 0o111 != 0 => {
                    return Ok(Call { plugin: path, arguments, hosts });
                }
                Ok(_) => refused = refused.or(Some(path)),
                Err(_) => {}
            }
        }
        Err(match refused {
            Some(path) => format!("{path} is not executable"),
            None if plugin.contains('/') => format!("there is no {plugin}"),
            None => format!("there is no plugin {plugin} in {}", lists.join(":")),
        })
    }
}

/// The argument with the host and its address put in.
pub(super) fn fill(word: &str, host: &str, address: &str) -> String {
    let spelled = |piece: Result<&str, Name>| match piece {
        Ok(text) => text.to_owned(),
        Err(Name::Host) => host.to_owned(),
        Err(Name::Address) => address.to_owned(),
    };
    pieces(word).into_iter().map(spelled).collect()
}

/// The argument in pieces: what stands for itself, and the names between. A name is as long as it can be, so that
/// `$HOSTS` is none; the `$` behind it belongs to it.
fn pieces(word: &str) -> Vec<Result<&str, Name>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let name = match &after[..length] {
            "HOST" | "HOSTNAME" => Some(Name::Host),
            "HOSTADDRESS" => Some(Name::Address),
            _ => None,
        };
        let end = at + 1 + length;
        match name {
            Some(name) => {
                pieces.extend([Ok(&rest[..at]), Err(name)]);
                rest = rest[end..].strip_prefix('$').unwrap_or(&rest[end..]);
            }
            None => {
                pieces.push(Ok(&rest[..end]));
                rest = &rest[end..];
            }
        }
    }
    pieces.push(Ok(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Call, String> {
        Call::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn plugins_arguments_and_hosts() {
        let call = read("check_http -H $HOST -- -x -- a b").expect("it is clear");
        assert_eq!(call.arguments, ["-H", "$HOST", "--", "-x"]);
        assert_eq!(call.hosts, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert!(!call.wants_address());
        let call = read("check_disk -w 10% -p /").expect("it is clear");
        assert_eq!((call.hosts, call.arguments.len()), (None, 4));
        assert_eq!(
            read("x $HOSTADDRESS$ --").map(|call| (call.wants_address(), call.hosts)),
            Ok((true, Some(vec![])))
        );
        for (line, expect) in [
            ("", "no plugin"),
            ("-- a b", "no plugin"),
            ("check_http -H $HOST a b", "there is no --"),
            ("check_http -H localhost -- a b", "no argument has $HOST"),
        ] {
            assert!(read(line).is_err_and(|why| why.contains(expect)), "{line}");
        }
    }

    #[test]
    fn names_in_arguments() {
        for (word, expect) in [
            ("$HOST", "h"),
            ("$HOST$", "h"),
            ("$HOSTNAME$", "h"),
            ("$HOSTADDRESS$:80", "a:80"),
            ("http://$HOST/x?$HOST&$1$", "http://h/x?h&$1$"),
            ("$HOSTS", "$HOSTS"),
            ("$$HOST", "$h"),
            ("$", "$"),
            ("5$ é$HOST", "5$ éh"),
            ("", ""),
        ] {
            assert_eq!(fill(word, "h", "a"), expect, "{word}");
        }
    }

    #[test]
    fn where_plugins_are() {
        let found =
            |plugin: &str| read(plugin).and_then(|call| call.found(&["/nonexistent:/usr/bin", "/bin"]));
        assert_eq!(found("env").map(|call| call.plugin), Ok("/usr/bin/env".to_owned()));
        assert_eq!(found("/bin/sh").map(|call| call.plugin), Ok("/bin/sh".to_owned()));
        assert_eq!(
            found("check_nix"),
            Err("there is no plugin check_nix in /nonexistent:/usr/bin:/bin".to_owned())
        );
        assert_eq!(found("/etc/passwd"), Err("/etc/passwd is not executable".to_owned()));
        assert_eq!(found("/nonexistent/x"), Err("there is no /nonexistent/x".to_owned()));
    }
}
