//! The open file of the record: kept by us alone, still the one that its name leads to, its log within bounds.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use remon_core::engine::Fact;
use remon_core::nouns::Wall;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::keep::{forget_old, forget_surplus, last_id, newest};
use super::queue::Item;
use super::rows::Rows;
use super::schema::{Trouble, open};

/// The log that is written first grows as long as somebody reads the same old state; beyond this nothing is written.
pub(super) const MOST_LOG: u64 = 64 << 20;

/// The open file.
pub(super) struct OpenFile {
    connection: Connection,
    path: PathBuf,
    last_id: i64,
    /// Device and number of the file.
    identity: Option<(u64, u64)>,
    /// Whoever has it keeps the record. Of the folder, as SQLite's own locks on the file would suffer.
    _lock: fs::File,
}

impl OpenFile {
    /// Opens it; makes it where it is not there.
    pub(super) fn open(path: &Path) -> Result<OpenFile, Trouble> {
        let folder = path.parent().unwrap_or(Path::new("."));
        if !folder.parent().is_some_and(Path::is_dir) {
            return Err(Trouble::Unusable("there is no state directory".to_owned()));
        }
        fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        let lock = lock(folder)?;
        let connection = open(path)?;
        let last_id = last_id(&connection)?;
        let identity = identity(path);
        Ok(OpenFile { connection, path: path.to_owned(), last_id, identity, _lock: lock })
    }

    /// The time of the newest row.
    pub(super) fn newest(&self) -> Result<Option<Wall>, Trouble> {
        Ok(newest(&self.connection)?)
    }

    /// Alerts that an earlier process left running have no end.
    pub(super) fn clear_runs(&self) -> Result<(), Trouble> {
        self.connection.execute("UPDATE alert SET run = NULL WHERE run IS NOT NULL", [])?;
        Ok(())
    }

    /// Somebody removed the file or put another in its place.
    pub(super) fn is_another(&self) -> bool {
        self.identity != identity(&self.path)
    }

    /// Lets go of a file that is not the record any more, and leaves what has its name now alone.
    pub(super) fn abandon(self) {
        // Closing would remove the log of that name.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Writes all of it or nothing; first that so many facts before it were lost.
    pub(super) fn write(&mut self, items: &[Item], lost: u64, now: Wall) -> Result<(), Trouble> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rows = Rows { connection: &transaction, last_id: self.last_id };
        if lost > 0 {
            rows.write(&Item { at: now, service: None, fact: Fact::Lost(lost) })?;
        }
        items.iter().try_for_each(|item| rows.write(item))?;
        let written = rows.last_id;
        transaction.commit()?;
        self.last_id = written;
        Ok(())
    }

    /// Removes what is older than `keep_secs`.
    pub(super) fn forget_old(&self, now: Wall, keep_secs: i64) -> Result<(), Trouble> {
        Ok(forget_old(&self.connection, now, keep_secs)?)
    }

    /// Keeps the file within its bound.
    pub(super) fn forget_surplus(&self, most_bytes: i64) -> Result<(), Trouble> {
        while forget_surplus(&self.connection, most_bytes)? {}
        Ok(())
    }

    /// Keeps its log within its bound, or has nothing written any more.
    pub(super) fn bound_log(&self, most_log: u64) -> Result<(), Trouble> {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-wal");
        let is_long = || fs::metadata(&name).is_ok_and(|log| log.len() > most_log);
        if !is_long() {
            return Ok(());
        }
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        if is_long() {
            let why = "somebody has been reading it for so long that its log cannot be emptied";
            return Err(Trouble::Unusable(why.to_owned()));
        }
        Ok(())
    }
}

/// Two daemons on one state directory would write into each other's record. Where the file system has no locks there
/// is none.
fn lock(folder: &Path) -> Result<fs::File, Trouble> {
    let file = fs::File::open(folder)?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => {
            Err(Trouble::Unusable("another daemon keeps its record there".to_owned()))
        }
        Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(error.into())
        }
        _ => Ok(file),
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
