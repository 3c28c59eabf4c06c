//! The options by which a monitor speaks TLS, and what they mean for one connection.

use std::time::SystemTime;

use remon_core::getopt::{Options, Takes};

use crate::certificate::Validity;
use crate::link::{Link, Trouble};
use crate::tls::Tls;

/// The options, for [`remon_core::getopt::letters_and_words`]: all are words, so that none takes a letter that the
/// original uses.
pub(crate) const WORDS: [(&str, Takes); 5] = [
    ("tls", Takes::Nothing),
    ("starttls", Takes::Nothing),
    ("ca", Takes::Value),
    ("insecure", Takes::Nothing),
    ("days", Takes::Number),
];

/// What `--help` says about the certificate.
pub(crate) const HELP: &str =
    "      --ca FILE   trust these authorities (file or directory) instead of the system's
      --insecure  do not check the certificate, only show when it expires
      --days N    fail when the certificate is valid for less than N days more
";

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Never.
    Plain,
    /// Before anything is said.
    Tls,
    /// After the greeting, when both have agreed.
    StartTls,
}

/// What the options ask for.
#[derive(Debug, Clone)]
pub(crate) struct Security {
    pub(crate) mode: Mode,
    tls: Tls,
    days: Option<i64>,
}

impl Security {
    /// Reads the options.
    ///
    /// # Errors
    /// When they contradict each other: a check that somebody relies on would be missing. When there is no authority
    /// to trust.
    pub(crate) fn read(options: &Options) -> Result<Security, String> {
        let mode = match (options.has("starttls"), options.has("tls")) {
            (true, true) => return Err("--tls and --starttls are two ways to the same".to_owned()),
            (true, false) => Mode::StartTls,
            (false, true) => Mode::Tls,
            (false, false) => Mode::Plain,
        };
        let idle = ["ca", "insecure", "days"].into_iter().find(|word| options.has(word));
        if let Some(word) = idle.filter(|_| mode == Mode::Plain) {
            return Err(format!("--{word} has no effect without TLS"));
        }
        let judged = mode != Mode::Plain && !options.has("insecure");
        let tls = if judged { Tls::judging(options.value("ca"))? } else { Tls::observing() };
        Ok(Security { mode, tls, days: options.value("days").and_then(|days| days.parse().ok()) })
    }

    /// The port where the service is by custom.
    pub(crate) fn port(&self, plain: u16, tls: u16) -> u16 {
        if self.mode == Mode::Tls { tls } else { plain }
    }

    /// Encrypts a connection and checks the certificate; tells when it expires.
    ///
    /// # Errors
    /// When either fails, or when the certificate expires too soon.
    pub(crate) fn encrypt(&self, link: Link, host: &str) -> Result<(Link, String), Trouble> {
        let (link, peer) = self.tls.encrypt(link, host)?;
        peer.trust.map_err(Trouble::Tls)?;
        let Some(validity) = Validity::read(&peer.certificate) else {
            return Err(Trouble::Tls("the certificate cannot be read".to_owned()));
        };
        let now = now();
        let words = validity.words(now);
        match self.days {
            Some(days) if validity.days_left(now) < days => Err(Trouble::Tls(words)),
            _ => Ok((link, words)),
        }
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::getopt::letters_and_words;

    #[test]
    fn options() {
        let read = |line: &str| {
            let words = line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            Security::read(&letters_and_words("p:", &WORDS, &words))
                .map(|security| (security.mode, security.days))
        };
        for (line, expect) in [
            ("-p 25 h", Ok((Mode::Plain, None))),
            ("--tls --insecure h", Ok((Mode::Tls, None))),
            ("--starttls --insecure --days 14 h", Ok((Mode::StartTls, Some(14)))),
            ("--tls --starttls h", Err("--tls and --starttls are two ways to the same")),
            ("--days 14 h", Err("--days has no effect without TLS")),
            ("--ca f --insecure h", Err("--ca has no effect without TLS")),
            ("--tls --ca /no/such/file h", Err("/no/such/file: No such file or directory")),
        ] {
            assert_eq!(read(line), expect.map_err(str::to_owned), "{line}");
        }
    }
}
