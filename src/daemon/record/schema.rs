//! The tables of the record, and how its file is opened.
//!
//! `STATEDIR/remon/history.db` is an SQLite database in WAL mode; whoever may read the file may ask it. Times are
//! seconds since the epoch. `id` counts through all tables: it is the order in which things happened. Its
//! `user_version` is that of this schema.
//!
//! | table | a row is | columns |
//! |---|---|---|
//! | `service` | a service | `grp`, `name` |
//! | `result` | a result, or a status set without one (`source` NULL), other than the one before; or the same, where that row is full or the detail changed | `at`, `last`, `times`: the same came so often, lastly then; `service`; `source`: monitor, trap, traptimeout; `exit`; `status`: the number of `opstatus`; `summary`; `detail`: of failures; `took`: milliseconds that the run took; `repeats`: when the same came again and how long those runs took, as [`super::moments`] says; `again`: where the result is that of the row before, 1 if that one is full, 2 if the detail changed |
//! | `verdict` | what was decided for one period, where it is not what was decided before | `decision`: the same for the periods of one decision; `at`, `service`; `what`: failure, trap, traptimeout, up, startup, ack, disable; `exit`, `summary`; `period`, `line`: its label and its line in mon.cf, NULL where no period had anything to decide; `sent`: 1 or 0; `rule`: the one that held it back; `ruling`: all of it, as `why` spells it |
//! | `alert` | a run of an alert program | `at`, `service`, `what`, `period`, `line`, `program`, `arguments`; `run`: our number for it while it runs; `ended`; `ending`: exit, signal, unstarted; `code`; `words`: the end of its output |
//! | `event` | anything else | `at`, `service`; `what`: command, configuration (`text` is the SHA-256 of mon.cf), hangup, start (`text`: stopped, and the state files that were loaded), end, lost; `who`; `text` |
//! | `runtime` | a service whose runs were measured | `service`; `last`: when one was; `samples`: the newest of them, as [`super::moments`] says, the first counted from 0. One run in twenty minutes is measured |
//!
//! The newest `result` of a service stays, however old it is: it says how things stand.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The version of the tables below.
pub(super) const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE service (id INTEGER PRIMARY KEY, grp TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (grp, name));
CREATE TABLE result (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL,
    service INTEGER NOT NULL REFERENCES service, source TEXT, exit INTEGER, status INTEGER NOT NULL,
    summary TEXT, detail TEXT, took INTEGER, repeats BLOB, again INTEGER);
CREATE INDEX result_of_service ON result (service, id);
CREATE TABLE verdict (
    id INTEGER PRIMARY KEY, decision INTEGER NOT NULL, at INTEGER NOT NULL,
    service INTEGER NOT NULL REFERENCES service, what TEXT NOT NULL, exit INTEGER, summary TEXT,
    period TEXT, line INTEGER, sent INTEGER, rule TEXT, ruling TEXT);
CREATE INDEX verdict_of_service ON verdict (service, id);
CREATE TABLE alert (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, service INTEGER NOT NULL REFERENCES service,
    what TEXT NOT NULL, period TEXT, line INTEGER NOT NULL, program TEXT NOT NULL, arguments TEXT NOT NULL,
    run INTEGER, ended INTEGER, ending TEXT, code INTEGER, words TEXT);
CREATE INDEX alert_of_service ON alert (service, id);
CREATE INDEX alert_running ON alert (run) WHERE run IS NOT NULL;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, service INTEGER REFERENCES service, what TEXT NOT NULL,
    who TEXT, text TEXT);
CREATE INDEX event_of_service ON event (service, id);
CREATE TABLE runtime (
    service INTEGER PRIMARY KEY REFERENCES service, last INTEGER NOT NULL, samples BLOB NOT NULL);
PRAGMA user_version = 2;
";

/// What makes the tables of version 1 those of version 2. What was counted then has no times of its own.
const FROM_VERSION_1: &str = "
ALTER TABLE result ADD COLUMN took INTEGER;
ALTER TABLE result ADD COLUMN repeats BLOB;
ALTER TABLE result ADD COLUMN again INTEGER;
CREATE TABLE runtime (
    service INTEGER PRIMARY KEY REFERENCES service, last INTEGER NOT NULL, samples BLOB NOT NULL);
PRAGMA user_version = 2;
";

/// Versions that can be read without being changed.
const READABLE: [i64; 2] = [1, VERSION];

/// The tables whose rows are numbered through.
pub(super) const NUMBERED: [&str; 4] = ["result", "verdict", "alert", "event"];

/// Who may read and write the file, before the umask.
const MODE: u32 = 0o640;
/// How long one of us waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no open file.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Its contents are not what they should be; in words.
    Damaged(String),
    /// It cannot be used now: full, not to be written, locked.
    Unusable(String),
    /// It was tried a moment ago.
    Waiting,
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Trouble::Damaged(error.to_string()),
            _ => Trouble::Unusable(error.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Unusable(super::super::load::plain(&error))
    }
}

/// Opens the file for writing; makes it where it is not there.
pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    make(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // A power cut may lose the last seconds, never the file. Little cache: nobody here reads.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256;
         PRAGMA journal_size_limit = 4194304;",
    )?;
    match version(&connection)? {
        0 if is_empty(&connection)? => {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;"))?;
        }
        VERSION => check(&connection)?,
        1 => {
            check(&connection)?;
            tighten(path)?;
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {FROM_VERSION_1} COMMIT;"))?;
        }
        other => {
            return Err(Trouble::Damaged(format!("its version is {other}, and not {VERSION}")));
        }
    }
    Ok(connection)
}

/// Makes the file where there is none. It holds what monitors print and the arguments of alerts, which mon.cf may keep
/// from others: it is for its owner and group, as far as the umask leaves it to them. SQLite alone would take 0644.
///
/// One that is there must not even be opened: closing it would take away the locks that this process has on it.
fn make(path: &Path) -> io::Result<()> {
    match OpenOptions::new().create_new(true).append(true).mode(MODE).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Version 1 left it to the umask alone.
fn tighten(path: &Path) -> io::Result<()> {
    for part in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(part);
        let Ok(found) = std::fs::metadata(&name) else { continue };
        let mode = found.permissions().mode();
        if mode & 0o777 & !MODE != 0 {
            std::fs::set_permissions(&name, Permissions::from_mode(mode & MODE))?;
        }
    }
    Ok(())
}

/// Opens the file only to ask; returns its version too.
pub(super) fn open_to_read(path: &Path) -> Result<(Connection, i64), Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    match version(&connection)? {
        version if READABLE.contains(&version) => Ok((connection, version)),
        other => Err(Trouble::Unusable(format!("its version is {other}, and not {VERSION}"))),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))
}

/// Finds damage before it is written over.
fn check(connection: &Connection) -> Result<(), Trouble> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Trouble::Damaged(found)) }
}
