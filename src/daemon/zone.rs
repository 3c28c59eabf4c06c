//! The time zone of this process, as C has it.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

/// Where C looks for zones by name.
const ZONEINFO: &str = "/usr/share/zoneinfo";
/// The zone of a machine.
const LOCALTIME: &str = "/etc/localtime";

/// The zone that C would use: that of TZ (a name, `:PATH` or a POSIX rule), else of /etc/localtime, else UTC.
///
/// One file is read. The database of the library, which finds zones in places that C does not look at, reads the
/// names of all zones of the machine first, and is asked only where nothing else is found.
pub(crate) fn local() -> TimeZone {
    let zone = match std::env::var("TZ") {
        Ok(named) => by_name(named.strip_prefix(':').unwrap_or(&named)),
        Err(_) => from_file(Path::new(LOCALTIME)),
    };
    zone.unwrap_or_else(TimeZone::system)
}

/// A zone by the value of TZ. Empty means UTC.
fn by_name(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    let directory = std::env::var_os("TZDIR").map_or_else(|| PathBuf::from(ZONEINFO), PathBuf::from);
    // A name with a slash at its beginning replaces the directory.
    from_file(&directory.join(name)).or_else(|| TimeZone::posix(name).ok())
}

fn from_file(path: &Path) -> Option<TimeZone> {
    let data = std::fs::read(path).ok()?;
    TimeZone::tzif(&path.to_string_lossy(), &data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets in hours at the beginning of a winter and of a summer.
    fn offsets(zone: &TimeZone) -> [f64; 2] {
        [1_767_225_600, 1_782_864_000].map(|at| {
            let at = jiff::Timestamp::from_second(at).expect("a time of this century");
            f64::from(zone.to_offset(at).seconds()) / 3600.0
        })
    }

    #[test]
    fn names_paths_and_rules() {
        for (name, expect) in [
            ("", [0.0, 0.0]),
            ("UTC", [0.0, 0.0]),
            ("Europe/Zurich", [1.0, 2.0]),
            ("/usr/share/zoneinfo/America/New_York", [-5.0, -4.0]),
            ("Australia/Lord_Howe", [11.0, 10.5]),
            ("CET-1CEST,M3.5.0,M10.5.0/3", [1.0, 2.0]),
            ("XYZ5:30", [-5.5, -5.5]),
        ] {
            assert_eq!(by_name(name).as_ref().map(offsets), Some(expect), "{name}");
        }
    }

    #[test]
    fn what_is_no_zone_is_none() {
        for name in ["Europe/Nowhere", "/etc/passwd", "/", "..", "a\0b"] {
            assert!(by_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn the_zone_of_the_machine_is_that_of_the_library() {
        assert_eq!(offsets(&local()), offsets(&TimeZone::system()));
    }
}
