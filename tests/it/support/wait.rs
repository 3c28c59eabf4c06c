//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Long enough for a Perl daemon on a busy machine, short enough to notice a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks: far below anything measured, far above what a look costs.
const PAUSE: Duration = Duration::from_millis(15);

/// Asks `probe` until it answers.
///
/// # Errors
/// When `limit` has passed: what was waited for.
pub(crate) fn until<T>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = probe() {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(format!("waited {limit:?} for {what}"));
        }
        std::thread::sleep(PAUSE);
    }
}
