//! Pressure stall information of the cgroups: which of them wait for processor or disk.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// Below this share of the last ten seconds a cgroup is quiet, and so, we take it, are its children.
const QUIET_PERCENT: f64 = 0.5;
/// A cgroup deeper than this is somebody's mistake.
const MOST_DEPTH: usize = 32;

/// Lines on the cgroups under pressure, outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pressure {
    cpu: Vec<String>,
    io: Vec<String>,
}

/// Walks through the cgroups below `root` until the deadline.
pub(crate) fn probe(root: &Path, deadline: Instant) -> Pressure {
    let mut pressure = Pressure::default();
    walk(root, "", (true, true), MOST_DEPTH, deadline, &mut pressure);
    pressure
}

/// `(cpu, io)` says which of the two is still of interest on this branch.
fn walk(
    root: &Path,
    below: &str,
    (cpu, io): (bool, bool),
    depth: usize,
    deadline: Instant,
    found: &mut Pressure,
) {
    if depth == 0 || Instant::now() >= deadline {
        return;
    }
    let directory = root.join(below.trim_start_matches('/'));
    let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap_or_default();
    let cpu = cpu && take(&read("cpu.pressure"), below, 1, &mut found.cpu);
    let io = io && take(&read("io.pressure"), below, 2, &mut found.io);
    if !cpu && !io {
        return;
    }
    let Ok(entries) = fs::read_dir(&directory) else { return };
    let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names = directories.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>();
    names.sort_unstable();
    for name in names {
        walk(root, &format!("{below}/{name}"), (cpu, io), depth - 1, deadline, found);
    }
}

/// Notes the first `lines` lines of a pressure file unless the cgroup is quiet; false if it is.
///
/// Without a file nothing is known, and the children are looked at.
fn take(file: &str, below: &str, lines: usize, found: &mut Vec<String>) -> bool {
    let Some(ten_seconds) = file.split(['=', ' ']).nth(2) else { return true };
    if ten_seconds.parse::<f64>().unwrap_or(0.0) < QUIET_PERCENT {
        return false;
    }
    let noted = file
        .lines()
        .take(lines)
        .map(|line| format!("{below} {}", line.strip_prefix("some ").unwrap_or(line)));
    found.extend(noted);
    true
}

impl Pressure {
    /// The last part of the detail of `loadavg.monitor`, nothing where all is quiet.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.cpu.is_empty() {
            text += &format!("\nSystem CPU Pressure:{}\n", self.cpu.join("\n"));
        }
        if !self.io.is_empty() {
            text += &format!("\nSystem IO Pressure:{}\n\n", self.io.join("\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HIGH: &str =
        "some avg10=6.21 avg60=22.66 avg300=11.41 total=5\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=1\n";
    const LOW: &str =
        "some avg10=0.49 avg60=22.66 avg300=11.41 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n";

    fn cgroups(name: &str, files: &[(&str, &str)]) -> Pressure {
        let root = std::env::temp_dir().join(format!("remon-pressure-{}-{name}", std::process::id()));
        for (file, content) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("a file has a directory"))
                .expect("the directory can be made");
            fs::write(path, content).expect("the file can be written");
        }
        let pressure = probe(&root, Instant::now() + Duration::from_secs(60));
        fs::remove_dir_all(root).expect("it was made above");
        pressure
    }

    #[test]
    fn children_of_quiet_groups_are_skipped() {
        let pressure = cgroups(
            "quiet",
            &[
                ("a/cpu.pressure", HIGH),
                ("a/x/cpu.pressure", HIGH),
                ("a/x/io.pressure", LOW),
                ("a/x/y/io.pressure", HIGH),
                ("b/cpu.pressure", LOW),
                ("b/x/cpu.pressure", HIGH),
                ("b/x/io.pressure", HIGH),
            ],
        );
        assert_eq!(
            pressure.text(),
            "
System CPU Pressure:/a avg10=6.21 avg60=22.66 avg300=11.41 total=5
/a/x avg10=6.21 avg60=22.66 avg300=11.41 total=5

System IO Pressure:/b/x avg10=6.21 avg60=22.66 avg300=11.41 total=5
/b/x full avg10=1.00 avg60=0.00 avg300=0.00 total=1

"
        );
    }

    #[test]
    fn nothing_to_see() {
        assert_eq!(probe(Path::new("/no/such/place"), Instant::now() + Duration::from_secs(60)).text(), "");
        assert_eq!(cgroups("odd", &[("a/cpu.pressure", "odd"), ("a/b/cpu.pressure", "")]).text(), "");
    }
}
