//! What a script lacks that it says it needs: its interpreter, and Perl modules. It is read and never run: `perl -c`
//! runs what stands in BEGIN.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use remon_core::text;

/// A program that is larger is no script.
const MOST_BYTES: u64 = 1 << 20;

/// How long a Perl may take to say where it looks.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the original's alerts call.
const MAILER: &str = "/usr/lib/sendmail";

/// Why a script cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handicap {
    /// `there is no Perl module BSD::Resource`
    pub(super) what: String,
    /// What to install.
    pub(super) package: String,
}

/// Why this script cannot work here, if that can be seen.
pub(super) fn handicap(path: &Path) -> Option<Handicap> {
    let size = fs::metadata(path).ok()?.len();
    let text = if size <= MOST_BYTES { text::decode(fs::read(path).ok()?) } else { return None };
    let interpreter = interpreter(&text)?;
    if !there_is(&interpreter) {
        let what = format!("there is no {interpreter}");
        return Some(Handicap { what, package: format!("install {interpreter}") });
    }
    if !interpreter.contains("perl") {
        return None;
    }
    let mut code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    if code.any(|line| line.contains(MAILER)) && !Path::new(MAILER).exists() {
        let what = format!("it sends mail by {MAILER}, which is not there");
        return Some(Handicap {
            what,
            package: "install a mail system (postfix, exim4, msmtp-mta)".to_owned(),
        });
    }
    let dirs = perl_dirs(&interpreter);
    let is_missing = |module: &&str| {
        let file = format!("{}.pm", module.replace("::", "/"));
        !dirs.is_empty() && !dirs.iter().any(|dir| Path::new(dir).join(&file).is_file())
    };
    let missing = perl_modules(&text).into_iter().filter(is_missing).collect::<Vec<_>>();
    let (first, many) = (missing.first()?, missing.len() > 1);
    let what = format!("there is no Perl module{} {}", if many { "s" } else { "" }, missing.join(", "));
    Some(Handicap { what, package: format!("apt install {}", debian_package(first)) })
}

/// What the first line of a script names; the program of `/usr/bin/env` where that is it.
fn interpreter(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.strip_prefix("#!")?.split_whitespace();
    let first = words.next()?;
    if !first.ends_with("/env") {
        return Some(first.to_owned());
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

fn there_is(interpreter: &str) -> bool {
    if interpreter.contains('/') {
        return Path::new(interpreter).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(interpreter).is_file())
}

/// The modules that are needed whatever happens: `use Net::DNS;` at the beginning of a line. What stands deeper may
/// be tried and done without.
fn perl_modules(text: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    let mut in_pod = false;
    for line in text.lines() {
        match line.strip_prefix('=') {
            Some(pod) if pod.starts_with(|c: char| c.is_ascii_lowercase()) => {
                in_pod = !pod.starts_with("cut")
            }
            _ => {}
        }
        if matches!(line.trim_end(), "__END__" | "__DATA__") {
            break;
        }
        if in_pod {
            continue;
        }
        let Some(rest) = line.strip_prefix("use ") else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("lib ") {
            // They may come from anywhere.
            return Vec::new();
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c))).unwrap_or(rest.len());
        let module = &rest[..end];
        if module.starts_with(|c: char| c.is_ascii_uppercase()) && !modules.contains(&module) {
            modules.push(module);
        }
    }
    modules
}

/// Where this machine's Perl looks; empty if it does not tell.
fn perl_dirs(perl: &str) -> &'static [String] {
    static DIRS: OnceLock<Vec<String>> = OnceLock::new();
    DIRS.get_or_init(|| {
        let mut command = Command::new(perl);
        command.args(["-e", "print \"$_\\n\" for @INC"]).stdin(Stdio::null()).stderr(Stdio::null());
        // What is called perl may be anything, and need not end.
        let (sender, answer) = mpsc::channel();
        thread::spawn(move || drop(sender.send(command.output())));
        let output = answer.recv_timeout(PATIENCE).ok().and_then(Result::ok);
        let said = output.map(|output| text::decode(output.stdout)).unwrap_or_default();
        said.lines().map(str::to_owned).collect()
    })
}

/// Debian's package of a module: by rule, but for those whose package is called otherwise.
fn debian_package(module: &str) -> String {
    match module {
        "SNMP" => "libsnmp-perl".to_owned(),
        "SNMP_Session" | "BER" => "libsnmp-session-perl".to_owned(),
        "LWP" | "LWP::UserAgent" | "HTTP::Cookies" => "libwww-perl".to_owned(),
        "Net::SSLeay::Handle" => "libnet-ssleay-perl".to_owned(),
        "Net::DNS::Resolver" => "libnet-dns-perl".to_owned(),
        "Time::ParseDate" => "libtime-modules-perl".to_owned(),
        "Mon::Client" | "Mon::SNMP" => "mon-client".to_owned(),
        "URI::URL" => "liburi-perl".to_owned(),
        "HTTP::Request" => "libhttp-message-perl".to_owned(),
        _ => format!("lib{}-perl", module.to_ascii_lowercase().replace("::", "-").replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters() {
        for (text, expect) in [
            ("#!/usr/bin/perl -w\n", Some("/usr/bin/perl")),
            ("#! /bin/sh", Some("/bin/sh")),
            ("#!/usr/bin/env -S A=b python3 -u\n", Some("python3")),
            ("\x7fELF", None),
            ("", None),
        ] {
            assert_eq!(interpreter(text).as_deref(), expect, "{text}");
        }
        assert!(there_is("/bin/sh") && there_is("sh") && !there_is("/bin/no-such-shell"));
    }

    #[test]
    fn modules() {
        let script = "#!/usr/bin/perl\nuse strict;\nuse 5.010;\nuse Net::DNS qw(a);\n  use Deep::Down;\n# use Not::This;\n\
            =pod\n\nuse Not::That;\n\n=cut\nuse LWP;use X;\nuse Net::DNS;\n__END__\nuse Not::Here;\n";
        assert_eq!(perl_modules(script), ["Net::DNS", "LWP"]);
        assert!(perl_modules("use A;\nuse lib '/x';\n").is_empty());
        assert_eq!(debian_package("BSD::Resource"), "libbsd-resource-perl");
    }
}
