//! What a monitor is handed: words, environment, and the moment it began.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use remon_core::getopt;

/// Longest time a monitor may be told to take; also keeps the arithmetic of deadlines in range.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// One call of a monitor.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The command line without the name of the program.
    pub words: Vec<String>,
    /// The environment, with the MON_ variables of the daemon.
    pub env: BTreeMap<String, String>,
    /// When the run began: every deadline counts from here.
    pub started: Instant,
}

impl Invocation {
    /// A call with these words and no environment, beginning now.
    #[must_use]
    pub fn of(words: &[&str]) -> Invocation {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Invocation { words, env: BTreeMap::new(), started: Instant::now() }
    }

    /// The one deadline of a run that may take `span`.
    #[must_use]
    pub fn deadline(&self, span: Duration) -> Instant {
        self.started + span.min(LONGEST)
    }
}

/// The file that `name` stands for, whatever bytes it is made of.
pub(crate) fn path(name: &str) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(&remon_core::text::encode(name)).into()
}

/// The span that an option like `-t 10` asks for; zero, nothing and nonsense select the default.
#[must_use]
pub fn seconds(option: Option<&str>, default: Duration) -> Duration {
    option
        .and_then(getopt::leading_number)
        .filter(|seconds| *seconds > 0.0)
        .map_or(default, |seconds| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

/// The same span as it was written, for messages that repeat it.
#[must_use]
pub fn seconds_as_written(option: Option<&str>, default: Duration) -> String {
    let valid = option.filter(|text| getopt::leading_number(text).is_some_and(|seconds| seconds > 0.0));
    valid.map_or_else(|| default.as_secs().to_string(), str::to_owned)
}

/// Every host once: the scripts that keep their results by name report a host that is named twice once.
#[must_use]
pub fn distinct(hosts: &[String]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    hosts.iter().filter(|host| seen.insert(host.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let default = Duration::from_secs(10);
        for (option, millis) in [
            (None, 10_000),
            (Some("3"), 3_000),
            (Some("0.5"), 500),
            (Some("0"), 10_000),
            (Some("-4"), 10_000),
            (Some("soon"), 10_000),
            (Some("99999999999999999999"), 86_400_000),
        ] {
            assert_eq!(seconds(option, default), Duration::from_millis(millis), "{option:?}");
        }
        let written = |option| seconds_as_written(option, default);
        assert_eq!(
            (written(Some("0.5")), written(Some("-4")), written(None)),
            ("0.5".into(), "10".into(), "10".into())
        );
    }

    #[test]
    fn hosts_named_twice() {
        assert_eq!(distinct(&Invocation::of(&["b", "a", "b"]).words), ["b", "a"]);
    }
}
