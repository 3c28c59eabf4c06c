//! Jobs that wait for others, done at the same time, with a limit over each.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::report::{Area, Finding};

/// More at a time help nobody, and look like an attack to a server.
const MOST_AT_ONCE: usize = 64;

/// How long a job may take over its limit, as its own report says more than ours.
const GRACE: Duration = Duration::from_secs(2);

/// Something that takes time.
pub(super) struct Job {
    pub(super) area: Area,
    /// What it is about, for one that does not come back.
    pub(super) what: String,
    pub(super) run: Box<dyn FnOnce() -> Vec<Finding> + Send>,
}

/// Does them all. One that hangs, in a call that cannot be bounded, is told and left behind.
pub(super) fn run(jobs: Vec<Job>, limit: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut jobs = jobs.into_iter().peekable();
    while jobs.peek().is_some() {
        findings.extend(batch(jobs.by_ref().take(MOST_AT_ONCE), limit));
    }
    findings
}

fn batch(jobs: impl Iterator<Item = Job>, limit: Duration) -> Vec<Finding> {
    let (sender, answers) = mpsc::channel();
    let mut waiting = Vec::new();
    for (index, Job { area, what, run }) in jobs.enumerate() {
        let sender = sender.clone();
        // Without a thread the answer is missing below.
        let _ = thread::Builder::new().spawn(move || drop(sender.send((index, run()))));
        waiting.push(Some((area, what)));
    }
    drop(sender);
    let deadline = Instant::now() + limit + GRACE;
    let mut findings = Vec::new();
    while let Ok((index, found)) = answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        waiting[index] = None;
        findings.extend(found);
    }
    let lost = |(area, what): (Area, String)| {
        area.fault(format!("{what}: no answer within {} s", limit.as_secs_f64()), "")
    };
    findings.extend(waiting.into_iter().flatten().map(lost));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_hangs_is_told_and_holds_up_nobody() {
        let (keep, hang) = mpsc::channel::<()>();
        let job = |what: &str, run: Box<dyn FnOnce() -> Vec<Finding> + Send>| Job {
            area: Area::Peers,
            what: what.to_owned(),
            run,
        };
        let jobs = vec![
            job("a", Box::new(move || hang.recv().map_or(Vec::new(), |()| Vec::new()))),
            job("b", Box::new(|| vec![Area::Peers.well("b")])),
        ];
        let found = run(jobs, Duration::from_millis(100));
        drop(keep);
        assert_eq!(found, [Area::Peers.well("b"), Area::Peers.fault("a: no answer within 0.1 s", "")]);
    }
}
