//! Periods, intervals and what other servers say of ages: all of it goes by this machine's clock.

use std::time::{Duration, SystemTime};

use super::Patient;
use super::report::{Area, Finding};
use super::sys;

/// A file that is newer than now by less than this was written on another machine.
const TOLERANCE: Duration = Duration::from_secs(60);

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let written = std::fs::metadata(&patient.file).and_then(|file| file.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(SystemTime::now()).ok());
    if ahead.is_some_and(|ahead| ahead > TOLERANCE) {
        let text = format!("{} is from the future: the clock is wrong, or was", patient.file.display());
        findings.push(Area::Clock.warning(text, "look at `timedatectl` and `date`"));
    }
    findings.extend(match sys::clock_is_kept() {
        Some(true) => Some(Area::Clock.well("a time service keeps the clock")),
        Some(false) => Some(Area::Clock.warning(
            "no time service keeps the clock",
            "install chrony or systemd-timesyncd; in a container see to the clock of its host",
        )),
        None => None,
    });
    findings
}
