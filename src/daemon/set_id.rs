//! Which programs of a mon.cf need a set-id bit: what NoNewPrivileges of the unit would take away from them.
//!
//! A script is read and never run; what it starts by way of others is not seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use remon_alerts::{privilege, sendmail};
use remon_core::config::{CommandLine, Config};
use remon_core::{text, words};

use crate::cli::programs;

/// A program that is larger is no script.
const MOST_BYTES: u64 = 1 << 20;

/// Where commands without a path are.
const PATH: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"];

/// Where nagios.monitor looks for plugins.
const PLUGINS: [&str; 3] =
    ["/usr/lib/nagios/plugins", "/usr/lib/monitoring-plugins", "/usr/local/lib/nagios/plugins"];

/// Commands that are meant wherever they are named.
const ALWAYS: [&str; 4] = ["sudo", "doas", "pkexec", "sendmail"];

/// Words of everybody's that are commands only at the beginning of one. They hand mail to sendmail.
const MAILERS: [&str; 4] = ["mail", "mailx", "bsd-mailx", "mutt"];

/// These need no more than the capability that the unit gives.
const PINGS: [&str; 4] = ["ping", "ping6", "fping", "fping6"];

/// What it is that needs a bit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// The program that mon.cf names.
    pub(crate) program: String,
    /// The file with the bit.
    pub(crate) file: PathBuf,
    /// It is mail of a built-in alert, which has another way.
    pub(crate) is_own_mail: bool,
}

/// Everything in `config` that is seen to need a bit.
pub(crate) fn needs(config: &Config, mondirs: &[PathBuf], alertdirs: &[PathBuf]) -> Vec<Need> {
    let (mut needs, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for service in config.watches.iter().flat_map(|watch| &watch.services) {
        let alerts = service.periods.iter().flat_map(|period| &period.alerts);
        let alerts = alerts.map(|line| &line.command);
        let lines = service.monitor.iter().map(|line| (line, mondirs));
        let lines = lines.chain(alerts.chain(&service.redistribute).map(|line| (line, alertdirs)));
        for (line, dirs) in lines {
            // Most lines stand in many services.
            if seen.insert((&*line.text, dirs)) {
                needs.extend(of_line(line, dirs));
            }
        }
    }
    needs.into_iter().collect()
}

fn of_line(line: &CommandLine, dirs: &[PathBuf]) -> Vec<Need> {
    let name = line.program();
    let files = dirs.iter().map(|dir| dir.join(programs::path(name)));
    let used = files.into_iter().find(|file| fs::metadata(file).is_ok_and(|found| found.is_file()));
    let used = used.filter(|file| !is_ourselves(file));
    let mut found = tokens(line.arguments()).filter_map(|token| of_argument(&token)).collect::<Vec<_>>();
    match &used {
        Some(file) if privilege::is_set_id(file) => found.push(file.clone()),
        Some(file) => found.extend(script(file).iter().flat_map(|script| of_script(script))),
        None => {}
    }
    let need = |file, is_own_mail| Need { program: name.to_owned(), file, is_own_mail };
    let own_mail = if used.is_none() { mailer(name, line.arguments()) } else { None };
    let own_mail = own_mail.and_then(|mailer| privilege::needed_by(&mailer)).map(|file| need(file, true));
    // The argument of --sendmail is among the others, too.
    found.retain(|file| own_mail.as_ref().is_none_or(|mail| mail.file != *file));
    found.retain(|file| !file.file_name().is_some_and(|name| PINGS.iter().any(|ping| name == *ping)));
    found.into_iter().map(|file| need(file, false)).chain(own_mail).collect()
}

/// A link to this program is what is built in.
fn is_ourselves(file: &Path) -> bool {
    let ourselves = std::env::current_exe().and_then(fs::canonicalize);
    ourselves.is_ok_and(|ourselves| fs::canonicalize(file).is_ok_and(|file| file == ourselves))
}

/// What a built-in alert with these arguments hands its mail to.
fn mailer(name: &str, arguments: &str) -> Option<PathBuf> {
    let words = words::split(arguments).ok()?;
    let is = |option: &str| words.iter().any(|word| word.split('=').next() == Some(option));
    let mails =
        name == "mail.alert" || (name == "mailxmpp.alert" && words.iter().any(|word| word.starts_with("-m")));
    if !mails || is("--smtp") {
        return None;
    }
    let next = |at: usize| words.get(at + 1).cloned();
    let named = words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some(("--sendmail", file)) => Some(file.to_owned()),
        _ => (word == "--sendmail").then(|| next(at)).flatten(),
    });
    Some(named.map_or_else(|| sendmail::usual_program().into(), |file| programs::path(&file)))
}

/// The text of a script.
fn script(file: &Path) -> Option<String> {
    let is_small = fs::metadata(file).is_ok_and(|found| found.len() <= MOST_BYTES);
    let bytes = if is_small { fs::read(file).ok()? } else { return None };
    bytes.starts_with(b"#!").then(|| text::decode(bytes))
}

/// The files with a bit that a script names. What it says in comments does not count.
fn of_script(script: &str) -> Vec<PathBuf> {
    let code = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(|line| {
        let mailers = MAILERS.iter().filter(|mailer| is_command(line, mailer));
        let mailers = mailers.filter_map(|mailer| in_dirs(mailer, &PATH)).filter_map(|_| of_sendmail());
        tokens(line).filter_map(|token| of_token(&token)).chain(mailers).collect::<Vec<_>>()
    })
    .collect()
}

/// Stands the word where a shell has a command? In other places it is a name like any other.
fn is_command(line: &str, word: &str) -> bool {
    let begins = |before: &str| {
        let is_apart =
            before.is_empty() || !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let before = before.trim_end();
        let last = before.split_whitespace().next_back().unwrap_or_default();
        let opens = before.ends_with(['|', ';', '&', '(', '`', '"', '\'']);
        is_apart && (opens || ["", "then", "do", "else", "exec", "{", "!"].contains(&last))
    };
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        (after.is_empty() || after.starts_with([' ', '\t'])) && begins(&line[..at])
    })
}

/// The words that may be paths or commands.
fn tokens(line: &str) -> impl Iterator<Item = String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    line.split(move |c| !fits(c)).filter(|token| !token.is_empty()).map(str::to_owned)
}

fn of_token(token: &str) -> Option<PathBuf> {
    if token.starts_with('/') {
        return privilege::needed_by(Path::new(token));
    }
    if !ALWAYS.contains(&token) {
        return None;
    }
    privilege::needed_by(&in_dirs(token, &PATH)?)
}

/// As [`of_token`]; a plugin may stand there as well.
fn of_argument(token: &str) -> Option<PathBuf> {
    of_token(token).or_else(|| privilege::needed_by(&in_dirs(token, &PLUGINS)?))
}

fn of_sendmail() -> Option<PathBuf> {
    privilege::needed_by(Path::new(sendmail::usual_program()))
}

fn in_dirs(name: &str, dirs: &[&str]) -> Option<PathBuf> {
    let mut files = dirs.iter().map(|dir| Path::new(dir).join(name));
    files.find(|file| fs::metadata(file).is_ok_and(|found| found.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_other_words() {
        for line in [
            "mail -s x root",
            "echo a | mail root",
            "if x; then mail a; fi",
            "open(M, \"|mail root\")",
            "x $(mail -s a b)",
        ] {
            assert!(is_command(line, "mail"), "{line}");
        }
        for line in ["$mail = 1", "my mail", "--mail x", "sendmail root", "mailer x", "group=mail x"] {
            assert!(!is_command(line, "mail"), "{line}");
        }
    }

    #[test]
    fn what_mail_is_handed_to() {
        let of = |name, arguments| mailer(name, arguments).map(|file| file.display().to_string());
        let usual = Some(sendmail::usual_program().to_owned());
        assert_eq!(of("mail.alert", "root"), usual);
        assert_eq!(of("mail.alert", "--sendmail /x/s root"), Some("/x/s".to_owned()));
        assert_eq!(of("mail.alert", "--sendmail=/x/s root"), Some("/x/s".to_owned()));
        assert_eq!(of("mailxmpp.alert", "-m root -x a@b"), usual);
        for (name, arguments) in [
            ("mailxmpp.alert", "-x a@b"),
            ("mail.alert", "--smtp mx root"),
            ("file.alert", "/x"),
            ("mail.alert", "--smtp=mx a"),
        ] {
            assert_eq!(of(name, arguments), None, "{name} {arguments}");
        }
    }

    #[test]
    fn bits_are_seen() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = std::env::temp_dir().join(format!("remon-set-id-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("it can be made");
        let file = |name: &str, text: &str, mode| {
            let path = dir.join(name);
            fs::write(&path, text).expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            fs::canonicalize(path).expect("it is there")
        };
        let helper = file("helper", "", 0o4755);
        let fping = file("fping", "", 0o4755);
        let by = format!("#!/bin/sh\n# {0}\nx \"{0}\" -a\n{1} x\n", helper.display(), fping.display());
        file("by.monitor", &by, 0o755);
        file("said.monitor", &format!("#!/bin/sh\n# {}\n", helper.display()), 0o755);
        let itself = file("own.alert", "", 0o2755);
        let cf = format!(
            "hostgroup g h\n\nwatch g\n    service a\n        interval 1m\n        monitor by.monitor\n        period\n            \
             alert own.alert x\n    service b\n        interval 1m\n        monitor said.monitor\n    service c\n        \
             interval 1m\n        monitor said.monitor --run {}\n",
            helper.display()
        );
        let (config, _) = remon_core::config::load(&cf);
        let dirs = std::slice::from_ref(&dir);
        let found = needs(&config, dirs, dirs);
        let expect = [("by.monitor", &helper), ("own.alert", &itself), ("said.monitor", &helper)];
        let expect = expect.map(|(program, file)| Need {
            program: program.to_owned(),
            file: file.clone(),
            is_own_mail: false,
        });
        assert_eq!(found, expect);
        fs::remove_dir_all(&dir).expect("it is ours");
    }
}
