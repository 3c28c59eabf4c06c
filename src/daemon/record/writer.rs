//! The thread that writes: it opens the file, and goes on where that does not work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remon_core::engine::{Fact, Level};
use rusqlite::{Connection, TransactionBehavior};

use super::super::clock::{instant_now, wall};
use super::super::logging::log;
use super::Place;
use super::keep::{MOST_BYTES, forget_old, forget_surplus, last_id};
use super::queue::{Batch, GATHER, Item, Queue};
use super::rows::Rows;
use super::schema::{Trouble, open};

/// Between two looks for facts that are too old.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// After a failure the next attempt waits for so long, and twice as long after each more.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Damaged files that are kept; the last of them is replaced.
const MOST_DAMAGED: usize = 9;

/// The writer, and how it stands with the file.
pub(super) struct Keeper {
    queue: Arc<Queue>,
    place: Option<Place>,
    file: File,
    /// Facts that were not written, and not yet told.
    lost: u64,
    most_bytes: i64,
    /// Alerts that an earlier process left running have been looked for.
    cleared: bool,
}

/// The file.
enum File {
    Closed,
    Open {
        connection: Connection,
        last_id: i64,
        forget_at: Instant,
    },
    /// It cannot be used; the next attempt is then.
    Trouble {
        retry_at: Instant,
        wait: Duration,
    },
}

impl Keeper {
    pub(super) fn new(queue: Arc<Queue>) -> Keeper {
        Keeper { queue, place: None, file: File::Closed, lost: 0, most_bytes: MOST_BYTES, cleared: false }
    }

    #[cfg(test)]
    pub(super) fn with_most_bytes(self, most_bytes: i64) -> Keeper {
        Keeper { most_bytes, ..self }
    }

    /// Works until the queue is closed; the first facts gather for so long.
    pub(super) fn work(mut self, first: Duration) {
        let mut gather = first;
        loop {
            let batch = self.queue.take(std::mem::replace(&mut gather, GATHER));
            let closed = batch.closed;
            self.take_in(batch);
            if closed {
                return;
            }
        }
    }

    pub(super) fn take_in(&mut self, batch: Batch) {
        let Batch { moved, items, dropped, waiting, .. } = batch;
        if let Some(place) = moved.filter(|place| *place != self.place) {
            self.place = place;
            self.file = File::Closed;
        }
        if self.place.is_some() {
            self.lost += dropped;
            self.write(&items);
        }
        // One who does not wait any more has left.
        for waits in waiting {
            let _ = waits.send(());
        }
    }

    fn write(&mut self, items: &[Item]) {
        let done = self.reach().and_then(|()| self.write_all(items)).or_else(|trouble| {
            // A damaged file is out of the way now, and a new one can be begun.
            self.fails(trouble).map_or(Ok(()), Err)?;
            self.reach().and_then(|()| self.write_all(items))
        });
        if let Err(trouble) = done {
            self.lost += items.len() as u64;
            self.fails(trouble);
        }
    }

    /// Has the file open.
    fn reach(&mut self) -> Result<(), Trouble> {
        let waited = match &self.file {
            File::Open { .. } => return Ok(()),
            File::Closed => None,
            File::Trouble { retry_at, .. } if instant_now() < *retry_at => return Err(Trouble::Waiting),
            File::Trouble { .. } => Some(()),
        };
        let Some(place) = &self.place else { return Err(Trouble::Waiting) };
        if !place.path.parent().and_then(Path::parent).is_some_and(Path::is_dir) {
            return Err(Trouble::Unusable("there is no state directory".to_owned()));
        }
        let connection = open(&place.path)?;
        if !std::mem::replace(&mut self.cleared, true) {
            connection.execute("UPDATE alert SET run = NULL WHERE run IS NOT NULL", [])?;
        }
        let last_id = last_id(&connection)?;
        if waited.is_some() {
            log(Level::Notice, &format!("the record {} is written again", place.path.display()));
        }
        self.file = File::Open { connection, last_id, forget_at: instant_now() };
        Ok(())
    }

    fn write_all(&mut self, items: &[Item]) -> Result<(), Trouble> {
        let File::Open { connection, last_id, forget_at } = &mut self.file else { return Ok(()) };
        let lost = self.lost;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rows = Rows { connection: &transaction, last_id: *last_id };
        if lost > 0 {
            rows.write(&Item { at: wall(), service: None, fact: Fact::Lost(lost) })?;
        }
        items.iter().try_for_each(|item| rows.write(item))?;
        let written = rows.last_id;
        transaction.commit()?;
        *last_id = written;
        self.lost = 0;
        if lost > 0 {
            log(Level::Warning, &format!("the record lacks {lost} facts that could not be written"));
        }
        if instant_now() >= *forget_at {
            *forget_at = instant_now() + FORGET_EVERY;
            let keep_secs = self.place.as_ref().map_or(i64::MAX, |place| place.keep_secs);
            forget_old(connection, wall(), keep_secs)?;
        }
        while forget_surplus(connection, self.most_bytes)? {}
        Ok(())
    }

    /// Tells a trouble once and waits longer each time; a damaged file is moved aside. Gives the trouble back
    /// where nothing can be done about it.
    fn fails(&mut self, trouble: Trouble) -> Option<Trouble> {
        let Some(place) = &self.place else { return Some(trouble) };
        let shown = place.path.display();
        match trouble {
            Trouble::Waiting => Some(Trouble::Waiting),
            Trouble::Damaged(why) => {
                self.file = File::Closed;
                match move_aside(&place.path) {
                    Ok(aside) => {
                        let aside = aside.display();
                        let text = format!(
                            "the record {shown} is damaged ({why}): kept as {aside}, a new one begins"
                        );
                        log(Level::Err, &text);
                        None
                    }
                    Err(error) => {
                        let why = format!("it is damaged ({why}) and cannot be moved aside: {error}");
                        self.fails(Trouble::Unusable(why))
                    }
                }
            }
            Trouble::Unusable(why) => {
                let wait = match &self.file {
                    File::Trouble { wait, .. } => LONGEST_WAIT.min(*wait * 2),
                    File::Closed | File::Open { .. } => {
                        let text = format!(
                            "the record {shown} cannot be written: {why}; monitoring goes on, and it is tried again"
                        );
                        log(Level::Err, &text);
                        FIRST_WAIT
                    }
                };
                self.file = File::Trouble { retry_at: instant_now() + wait, wait };
                Some(Trouble::Waiting)
            }
        }
    }
}

/// Out of the way, with its log; what others may want to look at is not thrown away.
fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let names: Vec<PathBuf> = (1..=MOST_DAMAGED)
        .map(|number| match number {
            1 => named(".damaged"),
            _ => named(&format!(".damaged.{number}")),
        })
        .collect();
    let free = names.iter().find(|name| !name.exists()).or(names.last());
    let aside = free.cloned().unwrap_or_else(|| named(".damaged"));
    std::fs::rename(path, &aside)?;
    for part in ["-wal", "-shm"] {
        // They are not always there, and without the database they mean nothing.
        let _ = std::fs::remove_file(named(part));
    }
    Ok(aside)
}
