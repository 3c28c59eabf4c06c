//! Many probes side by side, one deadline over all of them.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// More threads than this at a time help nobody; the rest waits for its turn.
const MOST_AT_ONCE: usize = 512;

/// No run takes longer, whatever it is told; also keeps the arithmetic of deadlines in range.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// A probe needs little stack; name resolution is its deepest call.
const STACK_BYTES: usize = 256 << 10;

/// The moment by which `count` probes must have ended that take `span` each and may have to wait for their turn.
#[must_use]
pub fn deadline(count: usize, span: Duration) -> Instant {
    let turns = u32::try_from(count.div_ceil(MOST_AT_ONCE)).unwrap_or(u32::MAX);
    let all = span.saturating_mul(turns.max(1));
    Instant::now() + all.min(LONGEST)
}

/// A probe that has come to its own deadline still needs a moment to say so.
const GRACE: Duration = Duration::from_secs(1);

/// Runs `probe` on every host, each with a deadline of its own that is `span` after its turn has come.
///
/// A probe that keeps to the deadline it is handed always answers; `None` is one that did not.
pub fn probe_hosts<T, P>(hosts: &[String], span: Duration, probe: P) -> Vec<Option<T>>
where
    T: Send + 'static,
    P: Fn(&str, Instant) -> T + Send + Sync + 'static,
{
    let all = deadline(hosts.len(), span) + GRACE;
    probe_all(hosts, all, move |host| probe(host, Instant::now() + span.min(LONGEST)))
}

/// Runs `probe` on every subject and returns the answers in the order of the subjects.
///
/// `None` is a probe that did not answer by the deadline: it may hang in a call that cannot be bounded (name
/// resolution, statvfs on a dead server). Its thread is left behind, to end with the process.
pub fn probe_all<T, P>(subjects: &[String], deadline: Instant, probe: P) -> Vec<Option<T>>
where
    T: Send + 'static,
    P: Fn(&str) -> T + Send + Sync + 'static,
{
    let probe = Arc::new(probe);
    let (sender, answers) = mpsc::channel();
    let mut seen = Answers { by_subject: subjects.iter().map(|_| None).collect(), running: 0, answers };
    for (index, subject) in subjects.iter().enumerate() {
        let start = || {
            let (probe, subject, sender) = (Arc::clone(&probe), subject.clone(), sender.clone());
            // Nobody listens after the deadline; then the answer is lost, as it should be.
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn(move || drop(sender.send((index, probe(&subject)))))
        };
        while seen.running >= MOST_AT_ONCE || start().is_err() {
            // No room for one more thread: wait until one of ours has ended, if any runs.
            if seen.running == 0 || !seen.take_one(deadline) {
                return seen.by_subject;
            }
        }
        seen.running += 1;
    }
    while seen.running > 0 && seen.take_one(deadline) {}
    seen.by_subject
}

struct Answers<T> {
    by_subject: Vec<Option<T>>,
    running: usize,
    answers: Receiver<(usize, T)>,
}

impl<T> Answers<T> {
    /// Waits for one answer; false when the deadline has come.
    fn take_one(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.answers.recv_timeout(left) {
            Ok((index, answer)) => {
                self.by_subject[index] = Some(answer);
                self.running -= 1;
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn subjects(count: usize) -> Vec<String> {
        (0..count).map(|n| n.to_string()).collect()
    }

    #[test]
    fn answers_keep_the_order_of_the_subjects() {
        let soon = Instant::now() + Duration::from_secs(60);
        // More than run at once, so that some must wait for their turn.
        let many = subjects(MOST_AT_ONCE + 100);
        let answers = probe_all(&many, soon, str::to_owned);
        assert_eq!(answers, many.into_iter().map(Some).collect::<Vec<_>>());
        assert!(probe_all(&[], soon, str::to_owned).is_empty());
    }

    #[test]
    fn a_probe_that_hangs_costs_no_more_than_the_deadline() {
        let (keep_hanging, hang) = mpsc::channel::<()>();
        let hang = Mutex::new(hang);
        let begun = Instant::now();
        let answers = probe_all(&subjects(3), begun + Duration::from_millis(300), move |subject| {
            if subject == "1" {
                let _ = hang.lock().map(|hang| hang.recv());
            }
            subject.to_owned()
        });
        assert_eq!(answers, [Some("0".to_owned()), None, Some("2".to_owned())]);
        assert!(begun.elapsed() < Duration::from_secs(30));
        drop(keep_hanging);
    }
}
