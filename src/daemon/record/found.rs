//! Rows of the record as facts.

use std::sync::Arc;
use std::time::Duration;

use remon_core::decision::Source;
use remon_core::engine::{AlertId, Decided, Ending, Fact, Judged, StateFile};
use remon_core::nouns::{AlertKind, OpStatus, Wall};
use remon_core::wire::why::read_ruling;
use rusqlite::Row;

use super::moments::{self, Moment};

/// A row, its service still a number.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) at: Wall,
    pub(super) last: Wall,
    pub(super) times: u64,
    pub(super) service: Option<i64>,
    pub(super) fact: Fact,
    /// It is the same result as in the row of its service before.
    pub(super) continues: bool,
    /// Of a result: when it came again.
    pub(super) repeats: Vec<Moment>,
    pub(super) ended: Option<(Wall, Ending, Arc<str>)>,
}

fn found(row: &Row<'_>, fact: Fact) -> rusqlite::Result<Found> {
    let (id, at) = (row.get("id")?, row.get("at")?);
    let (service, repeats) = (row.get("service")?, Vec::new());
    Ok(Found { id, at, last: at, times: 1, service, fact, continues: false, repeats, ended: None })
}

/// A text; empty where there is none.
fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<Arc<str>> {
    Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default().into())
}

pub(super) fn result(row: &Row<'_>) -> rusqlite::Result<Found> {
    let status = OpStatus::from_code(row.get("status")?).unwrap_or_default();
    let source = match row.get::<_, Option<String>>("source")?.as_deref() {
        None => None,
        Some("trap") => Some(Source::Trap),
        Some("traptimeout") => Some(Source::TrapTimeout),
        Some(_) => Some(Source::Monitor),
    };
    let continued: Option<i64> = row.get("again")?;
    let fact = match source {
        None => Fact::Status(status),
        Some(source) => {
            let exit = row.get::<_, Option<i64>>("exit")?.unwrap_or(0);
            let (summary, detail) = (text(row, "summary")?, text(row, "detail")?);
            let again = continued == Some(1);
            let took = row.get::<_, Option<i64>>("took")?.and_then(|took| u64::try_from(took).ok());
            let took = took.map(Duration::from_millis);
            Fact::Result { again, source, took, exit, status, summary, detail }
        }
    };
    let times = u64::try_from(row.get::<_, i64>("times")?).unwrap_or(1);
    let found = found(row, fact)?;
    let repeats = row.get::<_, Option<Vec<u8>>>("repeats")?.unwrap_or_default();
    let repeats = moments::read(&repeats, found.at);
    Ok(Found { last: row.get("last")?, times, continues: continued.is_some(), repeats, ..found })
}

pub(super) const VERDICT: &str =
    "SELECT id, decision, at, service, what, exit, summary, period, line, ruling FROM verdict";

/// A row of a decision: as many as it has periods, to be joined.
pub(super) fn verdict(row: &Row<'_>) -> rusqlite::Result<Found> {
    let period: Option<String> = row.get("period")?;
    let judged = |period: String| -> rusqlite::Result<Judged> {
        let (line, ruling) = (row.get("line")?, row.get::<_, String>("ruling")?);
        Ok(Judged { period: period.into(), line, ruling: read_ruling(&ruling) })
    };
    let decided = Decided {
        kind: kind_of(&row.get::<_, String>("what")?),
        exit: row.get("exit")?,
        summary: text(row, "summary")?,
        periods: period.map(judged).transpose()?.into_iter().collect(),
    };
    Ok(Found { id: row.get("decision")?, ..found(row, Fact::Decided(Arc::new(decided)))? })
}

/// The rows of one decision stand together.
pub(super) fn join(rows: Vec<Found>) -> Vec<Found> {
    let mut joined: Vec<Found> = Vec::new();
    for row in rows {
        match (joined.last_mut(), &row.fact) {
            (Some(Found { id, fact: Fact::Decided(before), .. }), Fact::Decided(more)) if *id == row.id => {
                Arc::make_mut(before).periods.extend(more.periods.iter().cloned());
            }
            _ => joined.push(row),
        }
    }
    joined
}

pub(super) fn alert(row: &Row<'_>) -> rusqlite::Result<Found> {
    let fact = Fact::AlertCalled {
        run: AlertId(row.get::<_, Option<i64>>("run")?.unwrap_or(0) as u64),
        kind: kind_of(&row.get::<_, String>("what")?),
        period: row.get::<_, Option<String>>("period")?.map(Arc::from),
        line: row.get("line")?,
        program: text(row, "program")?,
        arguments: text(row, "arguments")?,
    };
    let code = row.get::<_, Option<i64>>("code")?.unwrap_or(0);
    let words = text(row, "words")?;
    let ending = match row.get::<_, Option<String>>("ending")?.as_deref() {
        None => None,
        Some("exit") => Some(Ending::Exited(u8::try_from(code).unwrap_or(u8::MAX))),
        Some("signal") => Some(Ending::Killed(i32::try_from(code).unwrap_or(0))),
        Some(_) => Some(Ending::NotStarted(words.to_string())),
    };
    let ended: Option<Wall> = row.get("ended")?;
    let ended = ended.zip(ending).map(|(at, ending)| (at, ending, words));
    Ok(Found { ended, ..found(row, fact)? })
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Found> {
    let said = text(row, "text")?;
    let fact = match row.get::<_, String>("what")?.as_str() {
        "command" => Fact::Command { user: text(row, "who")?, line: said },
        "configuration" => Fact::Configured { hash: said },
        "start" => started(&said),
        "hangup" => Fact::HangUp,
        "end" => Fact::Ended,
        _ => Fact::Lost(said.parse().unwrap_or(0)),
    };
    found(row, fact)
}

/// How the daemon began, as `rows.rs` writes it.
fn started(said: &str) -> Fact {
    let says = |word: &str| said.split(' ').any(|said| said == word);
    let files = [("disabled", StateFile::Disabled), ("opstatus", StateFile::Opstatus)];
    let loaded = files.into_iter().filter(|(word, _)| says(word)).map(|(_, file)| file).collect();
    Fact::Started { stopped: says("stopped"), loaded }
}

fn kind_of(word: &str) -> AlertKind {
    let kinds = [
        AlertKind::Failure,
        AlertKind::Trap,
        AlertKind::TrapTimeout,
        AlertKind::Up,
        AlertKind::Startup,
        AlertKind::Ack,
        AlertKind::Disable,
    ];
    kinds.into_iter().find(|kind| kind.env_word() == word).unwrap_or(AlertKind::Failure)
}
