//! The record: what happened, in a database that outlives the process. [`schema`] says what is in it.
//!
//! One thread writes, from a bounded queue, many facts in one transaction. The run loop never waits for it: a
//! disk that is full, slow or gone costs facts, which are counted, and nothing else. Whoever asks opens the file
//! for himself ([`Reader`]).

mod calendar;
mod file;
mod found;
mod keep;
mod moments;
mod queue;
mod reader;
mod repeats;
mod rows;
pub(crate) mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use remon_core::config::surroundings::RunTime;
use remon_core::engine::Fact;
use remon_core::nouns::{ServiceKey, Wall};

use super::replace::OWN;
use super::site::Site;
use queue::{GATHER, GATHER_AT_FIRST, Item, Queue};

pub(crate) use reader::Reader;

/// What the file is called.
const FILE: &str = "history.db";
/// How long one who asks waits for what was queued before him.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3);

/// Where the record is, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// Facts older than so many seconds go.
    keep_secs: i64,
}

/// The way to the record.
#[derive(Clone)]
pub(super) struct Record {
    queue: Arc<Queue>,
}

/// The thread that writes.
pub(super) struct Writer(JoinHandle<()>);

impl Record {
    /// Starts the thread.
    pub(super) fn start(site: &Site) -> io::Result<(Record, Writer)> {
        let record = Record { queue: Arc::default() };
        record.move_to(site);
        let writer = writer::Keeper::new(record.queue.clone());
        let first = gather_at_first(&site.statedir);
        let thread =
            std::thread::Builder::new().name("record".to_owned()).spawn(move || writer.work(first))?;
        Ok((record, Writer(thread)))
    }

    /// The configuration changed; the file may be elsewhere, or there may be none any more.
    pub(super) fn move_to(&self, site: &Site) {
        let place = (site.historykeep > 0).then(|| Place {
            path: path(&site.statedir),
            keep_secs: i64::try_from(site.historykeep).unwrap_or(i64::MAX),
        });
        self.queue.move_to(place);
    }

    /// Keeps a fact; never waits.
    pub(super) fn keep(&self, at: Wall, service: Option<ServiceKey>, fact: Fact) {
        self.queue.put(Item { at, service, fact });
    }

    /// Waits until what was kept so far is written, or for a little while. Not for the run loop.
    pub(super) fn settle(&self) {
        let (written, wait) = sync_channel(1);
        self.queue.wait_for(written);
        // Who asks gets what is there; that is all that can be done where the disk hangs.
        let _ = wait.recv_timeout(WRITTEN_WITHIN);
    }

    /// Nothing comes any more: what is queued is written, and the thread ends.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

impl Writer {
    /// Waits for the end of the thread.
    pub(super) fn join(self) {
        // A panic of that thread has been reported by it.
        let _ = self.0.join();
    }
}

/// How long the first facts gather.
fn gather_at_first(statedir: &Path) -> Duration {
    if statedir.join(OWN).is_dir() { GATHER } else { GATHER_AT_FIRST }
}

/// What the runs of each service usually take, as far as we may read it: where there is no record, or it is not for us,
/// nothing is known.
pub(super) fn run_times(site: &Site) -> BTreeMap<(String, String), RunTime> {
    if site.historykeep == 0 {
        return BTreeMap::new();
    }
    Reader::open(&path(&site.statedir)).and_then(|reader| reader.run_times()).unwrap_or_default()
}

/// Is it a record, and not a text? Not to be asked by a daemon about its own: closing the file again would take away
/// the locks that it has on it.
pub(crate) fn is_record(path: &Path) -> bool {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut begin = [0; 16];
    let mut read = || std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    // Of a pipe nothing may be taken.
    path.is_file() && read().is_ok() && begin == MAGIC
}

/// The file of the record.
pub(crate) fn path(statedir: &Path) -> PathBuf {
    statedir.join(OWN).join(FILE)
}
