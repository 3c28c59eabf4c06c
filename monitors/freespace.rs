//! `freespace.monitor`: free space and inodes of mounted file systems.

use std::time::Duration;

use remon_core::{getopt, reason, text};

use crate::invocation::Invocation;
use crate::parallel;
use crate::report::Report;
use crate::sys::{self, Volume};

const USAGE: &str = "usage: freespace.monitor PATH:SPACE[:INODES]...

Fails if PATH is not a mount point, or if less than SPACE or INODES are free
there. To be used with ;; at the end of the monitor line.

  SPACE   KiB, or with M, G or T MiB, GiB or TiB, or N% of all blocks
  INODES  a number, or N% of all inodes (10%)
  --help  this text
";

/// A dead network file system answers never; a live one at once.
const PATIENCE: Duration = Duration::from_secs(30);
const MOUNTS: &str = "/proc/self/mounts";

/// What is seen at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    NotMounted,
    Unreadable(String),
    Volume(Volume),
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    if invocation.words.first().is_some_and(|word| word == "--help") {
        return Report::help(USAGE);
    }
    let mounts = match std::fs::read(MOUNTS) {
        Ok(bytes) => mount_points(&text::decode(bytes)),
        Err(error) => return Report::failure(format!("could not read {MOUNTS}: {}", reason::of(&error))),
    };
    let demands = invocation.words.iter().map(|word| Demand::parse(word)).collect::<Vec<_>>();
    let paths = demands.iter().map(|demand| demand.path.to_owned()).collect::<Vec<_>>();
    let sights = parallel::probe_all(&paths, invocation.deadline(PATIENCE), move |path| probe(path, &mounts));
    judge(&demands, &sights)
}

fn probe(path: &str, mounts: &[String]) -> Sight {
    // The list first: asking a path below a mount point would answer for another file system.
    if !mounts.iter().any(|mount| mount == path) {
        return Sight::NotMounted;
    }
    match sys::volume(path) {
        Ok(volume) if volume.blocks_kib == 0 => Sight::Unreadable("it has no blocks".to_owned()),
        Ok(volume) => Sight::Volume(volume),
        Err(error) => Sight::Unreadable(reason::of(&error)),
    }
}

/// The mount points in the text of /proc/self/mounts, where blanks are spelled `\040`.
fn mount_points(mounts: &str) -> Vec<String> {
    mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(unoctal).collect()
}

fn unoctal(field: &str) -> String {
    let bytes = text::encode(field);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            _ => {
                out.push(byte);
                tail
            }
        };
    }
    text::decode(out)
}

/// One argument: what must be free where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Demand<'a> {
    path: &'a str,
    space: &'a str,
    inodes: Option<&'a str>,
}

impl Demand<'_> {
    fn parse(word: &str) -> Demand<'_> {
        let mut parts = word.splitn(3, ':');
        let mut next = || parts.next();
        Demand { path: next().unwrap_or(word), space: next().unwrap_or_default(), inodes: next() }
    }

    /// The least number of free KiB.
    fn least_kib(&self, volume: &Volume) -> f64 {
        if let Some(percent) = percentage(self.space) {
            return (volume.blocks_kib as f64 * percent / 100.0).trunc();
        }
        let unit = match self.space.bytes().last() {
            Some(b'M' | b'm') => 1024.0,
            Some(b'G' | b'g') => 1024.0 * 1024.0,
            Some(b'T' | b't') => 1024.0 * 1024.0 * 1024.0,
            _ => 1.0,
        };
        getopt::leading_number(self.space).unwrap_or(0.0) * unit
    }

    /// The least number of free inodes.
    fn least_inodes(&self, volume: &Volume) -> f64 {
        let inodes = volume.inodes as f64;
        match self.inodes {
            None => (inodes / 10.0).trunc(),
            Some(text) => match percentage(text) {
                Some(percent) => (inodes * percent / 100.0).trunc(),
                None => getopt::leading_number(text).unwrap_or(0.0),
            },
        }
    }
}

fn percentage(text: &str) -> Option<f64> {
    text.split_once('%').and_then(|(number, _)| getopt::leading_number(number))
}

/// Turns what was seen, in the order of the demands, into the report.
fn judge(demands: &[Demand<'_>], sights: &[Option<Sight>]) -> Report {
    let failures =
        demands.iter().zip(sights).flat_map(|(demand, sight)| shortcomings(demand, sight.as_ref()));
    let failures = failures.collect::<Vec<_>>();
    if failures.is_empty() { Report::good() } else { Report::failure(failures.join(", ")) }
}

fn shortcomings(demand: &Demand<'_>, sight: Option<&Sight>) -> Vec<String> {
    let path = demand.path;
    let volume = match sight {
        None => {
            return vec![format!("statfs error for {path}: no answer within {} seconds", PATIENCE.as_secs())];
        }
        Some(Sight::NotMounted) => return vec![format!("{path} is not a mount point")],
        Some(Sight::Unreadable(why)) => return vec![format!("statfs error for {path}: {why}")],
        Some(Sight::Volume(volume)) => volume,
    };
    if demand.inodes.is_some() && volume.inodes == 0 {
        return vec![format!("{path} doesn't tell us how many Inodes are free")];
    }
    let mut failures = Vec::new();
    if (volume.available_kib as f64) < demand.least_kib(volume) {
        failures.push(format!("{:.1}GB free on {path}", volume.available_kib as f64 / 1024.0 / 1024.0));
    }
    if (volume.free_inodes as f64) < demand.least_inodes(volume) {
        failures.push(format!("{} inodes free on {path}", volume.free_inodes));
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUME: Volume =
        Volume { blocks_kib: 100 << 20, available_kib: 81_474_355, inodes: 1000, free_inodes: 100 };

    fn check(words: &[&str], sights: &[Option<Sight>], summary: &str) {
        let demands = words.iter().map(|word| Demand::parse(word)).collect::<Vec<_>>();
        let report = judge(&demands, sights);
        assert_eq!((report.summary.as_str(), report.detail.as_str()), (summary, ""), "{words:?}");
        assert_eq!(report.exit, u8::from(!summary.is_empty()), "{words:?}");
    }

    #[test]
    fn space() {
        let seen = [Some(Sight::Volume(VOLUME))];
        for word in
            ["/", "/:", "/:1000", "/:81474355", "/:77.7%", "/:77G", "/:0.07t", "/:79564m", "/:0%", "/:x"]
        {
            check(&[word], &seen, "");
        }
        for word in ["/:81474356", "/:77.71%", "/:78G", "/:900T", "/:79565M", "/:100%", "/:100000000K"] {
            check(&[word], &seen, "77.7GB free on /");
        }
    }

    #[test]
    fn inodes() {
        let seen = |volume| [Some(Sight::Volume(volume))];
        for word in ["/:1", "/:1:100", "/:1:10%", "/:1:", "/:1:0"] {
            check(&[word], &seen(VOLUME), "");
        }
        for word in ["/:1:101", "/:1:10.1%", "/:1:99.99%"] {
            check(&[word], &seen(VOLUME), "100 inodes free on /");
        }
        check(&["/:1"], &seen(Volume { free_inodes: 99, ..VOLUME }), "99 inodes free on /");
        check(&["/:1T"], &seen(Volume { free_inodes: 9, ..VOLUME }), "77.7GB free on /, 9 inodes free on /");
        let uncounted = Volume { inodes: 0, free_inodes: 0, ..VOLUME };
        check(&["/:1"], &seen(uncounted), "");
        check(&["/:1:5"], &seen(uncounted), "/ doesn't tell us how many Inodes are free");
    }

    #[test]
    fn what_cannot_be_seen() {
        check(&[], &[], "");
        let sights =
            [None, Some(Sight::NotMounted), Some(Sight::Unreadable("Input/output error".to_owned()))];
        check(
            &["/nfs:1", "localhost", "/bad:1"],
            &sights,
            "statfs error for /nfs: no answer within 30 seconds, localhost is not a mount point, \
             statfs error for /bad: Input/output error",
        );
    }

    #[test]
    fn mount_points_are_compared_literally() {
        let mounts =
            mount_points("/dev/vda / ext4 rw 0 0\ntmpfs /my\\040disk tmpfs rw 0 0\nx /a\\134b y\nbad\n");
        assert_eq!(mounts, ["/", "/my disk", "/a\\b"]);
        assert_eq!(probe("/m.*", &mounts), Sight::NotMounted);
        assert!(matches!(probe("/", &mounts), Sight::Volume(_)));
    }

    #[test]
    fn this_machine() {
        assert_eq!(run(&Invocation::of(&[])), Report::good());
        let report = run(&Invocation::of(&["/:0", "/:900000T", "/no/such/mount:1"]));
        assert!(report.summary.contains("GB free on /, /no/such/mount is not a mount point"), "{report:?}");
        assert_eq!(report.exit, 1);
    }
}
