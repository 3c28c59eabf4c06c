//! The thread that writes: it opens the file, and goes on where that does not work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remon_core::engine::Level;

use super::super::clock::{instant_now, wall};
use super::super::logging::log;
use super::Place;
use super::calendar::Calendar;
use super::file::{MOST_LOG, OpenFile};
use super::keep::MOST_BYTES;
use super::queue::{Batch, GATHER, Item, Queue};
use super::schema::Trouble;

/// Between two looks for facts that are too old.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// And before the first.
const FORGET_AFTER: Duration = Duration::from_secs(600);
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
    most_log: u64,
    /// In this place, alerts that an earlier process left running have been looked for.
    cleared: bool,
    calendar: Calendar,
    forget_at: Instant,
}

/// The file.
enum File {
    Closed,
    Open(OpenFile),
    /// It cannot be used; the next attempt is then.
    Trouble {
        retry_at: Instant,
        wait: Duration,
    },
}

impl Keeper {
    pub(super) fn new(queue: Arc<Queue>) -> Keeper {
        Keeper {
            queue,
            place: None,
            file: File::Closed,
            lost: 0,
            most_bytes: MOST_BYTES,
            most_log: MOST_LOG,
            cleared: false,
            calendar: Calendar::default(),
            // A start has enough to do.
            forget_at: instant_now() + FORGET_AFTER,
        }
    }

    #[cfg(test)]
    pub(super) fn with_most_bytes(self, most_bytes: i64) -> Keeper {
        Keeper { most_bytes, ..self }
    }

    #[cfg(test)]
    pub(super) fn with_most_log(self, most_log: u64) -> Keeper {
        Keeper { most_log, ..self }
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
            let path = |place: &Option<Place>| place.as_ref().map(|place| place.path.clone());
            if path(&place) != path(&self.place) {
                (self.file, self.cleared) = (File::Closed, false);
            }
            self.place = place;
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
        } else if let Err(trouble) = self.clear_away() {
            self.fails(trouble);
        }
    }

    /// Has the file open.
    fn reach(&mut self) -> Result<(), Trouble> {
        let Some(place) = &self.place else { return Err(Trouble::Waiting) };
        let shown = place.path.display();
        if let Some(gone) = self.file.take_if_another() {
            log(
                Level::Warning,
                &format!("the record {shown} was removed or replaced: what is there now goes on"),
            );
            gone.abandon();
        }
        let is_again = match &self.file {
            File::Open(_) => return Ok(()),
            File::Trouble { retry_at, .. } if instant_now() < *retry_at => return Err(Trouble::Waiting),
            File::Trouble { .. } => true,
            File::Closed => false,
        };
        let file = OpenFile::open(&place.path)?;
        file.bound_log(self.most_log)?;
        if !self.cleared {
            file.clear_runs()?;
            self.cleared = true;
        }
        self.calendar.opened((instant_now(), wall()), file.newest()?);
        if is_again {
            log(Level::Notice, &format!("the record {shown} is written again"));
        }
        self.file = File::Open(file);
        Ok(())
    }

    fn write_all(&mut self, items: &[Item]) -> Result<(), Trouble> {
        let File::Open(file) = &mut self.file else { return Ok(()) };
        file.write(items, self.lost, wall())?;
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            log(Level::Warning, &format!("the record lacks {lost} facts that could not be written"));
        }
        Ok(())
    }

    /// Removes what is too old or too much.
    fn clear_away(&mut self) -> Result<(), Trouble> {
        let (File::Open(file), Some(place)) = (&self.file, &self.place) else { return Ok(()) };
        let now = instant_now();
        if now >= self.forget_at {
            self.forget_at = now + FORGET_EVERY;
            if self.calendar.may_forget((now, wall())) {
                file.forget_old(wall(), place.keep_secs)?;
            }
        }
        file.forget_surplus(self.most_bytes)?;
        file.bound_log(self.most_log)
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
                    File::Closed | File::Open(_) => {
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

impl File {
    /// The open file, if it is not the one that its name leads to.
    fn take_if_another(&mut self) -> Option<OpenFile> {
        match std::mem::replace(self, File::Closed) {
            File::Open(file) if file.is_another() => Some(file),
            other => {
                *self = other;
                None
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
