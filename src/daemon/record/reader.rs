//! Asking the record. A reader has its own connection: it sees what is written, and holds nobody up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use remon_core::decision::Source;
use remon_core::engine::{AlertId, Decided, Ending, Fact, Judged, Past, Recorded, StateFile};
use remon_core::nouns::{AlertKind, OpStatus, ServiceKey, Wall};
use remon_core::wire::why::read_ruling;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::schema::{Trouble, open_to_read};

/// The record, to be asked.
pub(crate) struct Reader {
    connection: Connection,
}

/// What went wrong, in words.
pub(crate) type Problem = String;

fn problem(error: impl Into<Trouble>) -> Problem {
    match error.into() {
        Trouble::Damaged(why) => format!("it is damaged: {why}"),
        Trouble::Unusable(why) => why,
        Trouble::Waiting => "it cannot be used now".to_owned(),
    }
}

type Rows<T> = rusqlite::Result<Vec<T>>;

/// All rows of one table in a stretch of time, of one service or of all, the newest so many.
const SPAN: &str = "AND (?1 IS NULL OR service = ?1) ORDER BY id DESC LIMIT ?4";

impl Reader {
    /// Opens a record ([`super::path`] tells where it is).
    ///
    /// # Errors
    /// When it is not there, damaged, or of another version; in words.
    pub(crate) fn open(path: &Path) -> Result<Reader, Problem> {
        Ok(Reader { connection: open_to_read(path).map_err(problem)? })
    }

    /// What can be played again, in the order of events: results, with their times and how often they came,
    /// statuses set by hand, commands, configurations, starts and ends.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn events(&self, from: Wall, to: Wall) -> Result<Vec<Recorded>, Problem> {
        let read = || -> rusqlite::Result<_> {
            let mut all = self.results(None, from, to, i64::MAX)?;
            all.extend(self.others(None, from, to, i64::MAX)?);
            self.complete(all)
        };
        read().map_err(problem)
    }

    /// The last result of each service before a moment: how things stood.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn state_before(&self, moment: Wall) -> Result<Vec<Recorded>, Problem> {
        let read = || -> rusqlite::Result<_> {
            let query = format!(
                "{RESULT} WHERE id IN (SELECT max(id) FROM result WHERE at < ? GROUP BY service) ORDER BY id"
            );
            let mut select = self.connection.prepare_cached(&query)?;
            let rows = select.query_map([moment], result)?.collect::<Rows<_>>()?;
            self.complete(rows)
        };
        read().map_err(problem)
    }

    /// Everything in a stretch of time, in the order of events; where there is more, the newest `most`.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn everything(
        &self,
        service: Option<(&str, &str)>,
        from: Wall,
        to: Wall,
        most: usize,
    ) -> Result<Vec<Recorded>, Problem> {
        let read = || -> rusqlite::Result<_> {
            let number = match service {
                Some((group, name)) => match self.service(group, name)? {
                    None => return Ok(Vec::new()),
                    found => found,
                },
                None => None,
            };
            let limit = i64::try_from(most).unwrap_or(i64::MAX);
            let mut all = self.results(number, from, to, limit)?;
            all.extend(self.decisions(number, from, to, limit)?);
            all.extend(self.alerts(number, from, to, limit)?);
            all.extend(self.others(number, from, to, limit)?);
            let mut all = self.complete(all)?;
            all.drain(..all.len().saturating_sub(most));
            Ok(all)
        };
        read().map_err(problem)
    }

    /// The last decisions about a service up to a moment, and the first one after it; oldest first.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn decided(
        &self,
        group: &str,
        name: &str,
        moment: Option<Wall>,
        most: usize,
    ) -> Result<Vec<Past>, Problem> {
        let read = || -> rusqlite::Result<_> {
            let Some(service) = self.service(group, name)? else { return Ok(Vec::new()) };
            let moment = moment.unwrap_or(Wall::MAX);
            let limit = most as i64;
            let select =
                |side: &str| format!("SELECT DISTINCT decision FROM verdict WHERE service = ?1 AND {side}");
            let chosen = format!(
                "{VERDICT} WHERE decision IN ({} ORDER BY decision DESC LIMIT ?3)
                 OR decision = ({} ORDER BY decision LIMIT 1) ORDER BY id",
                select("at <= ?2"),
                select("at > ?2")
            );
            let mut select = self.connection.prepare_cached(&chosen)?;
            let rows = select.query_map(params![service, moment, limit], verdict)?.collect::<Rows<_>>()?;
            Ok(join(rows))
        };
        let decided: rusqlite::Result<Vec<Found>> = read();
        let past = |found: Found| match found.fact {
            Fact::Decided(decided) => Some(Past { at: found.at, last: found.at, times: 1, decided }),
            _ => None,
        };
        decided.map(|found| found.into_iter().filter_map(past).collect()).map_err(problem)
    }

    fn service(&self, group: &str, name: &str) -> rusqlite::Result<Option<i64>> {
        let query = "SELECT id FROM service WHERE grp = ? AND name = ?";
        self.connection.query_row(query, [group, name], |row| row.get(0)).optional()
    }

    fn results(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!("{RESULT} WHERE last >= ?2 AND at <= ?3 {SPAN}");
        let mut select = self.connection.prepare_cached(&query)?;
        select.query_map(params![service, from, to, most], result)?.collect()
    }

    fn decisions(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!("{VERDICT} WHERE at >= ?2 AND at <= ?3 {SPAN}");
        let mut select = self.connection.prepare_cached(&query)?;
        let mut rows = select.query_map(params![service, from, to, most], verdict)?.collect::<Rows<_>>()?;
        rows.reverse();
        Ok(join(rows))
    }

    fn alerts(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!(
            "SELECT id, at, service, what, period, line, program, arguments, run, ended, ending, code, words
             FROM alert WHERE at >= ?2 AND at <= ?3 {SPAN}"
        );
        let mut select = self.connection.prepare_cached(&query)?;
        select.query_map(params![service, from, to, most], alert)?.collect()
    }

    fn others(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query =
            format!("SELECT id, at, service, what, who, text FROM event WHERE at >= ?2 AND at <= ?3 {SPAN}");
        let mut select = self.connection.prepare_cached(&query)?;
        select.query_map(params![service, from, to, most], event)?.collect()
    }

    /// In order, with the names of the services.
    fn complete(&self, mut found: Vec<Found>) -> rusqlite::Result<Vec<Recorded>> {
        found.sort_by_key(|found| found.id);
        let mut select = self.connection.prepare_cached("SELECT grp, name FROM service WHERE id = ?")?;
        let mut names: BTreeMap<i64, ServiceKey> = BTreeMap::new();
        let mut name = |service: i64| -> rusqlite::Result<ServiceKey> {
            if let Some(key) = names.get(&service) {
                return Ok(key.clone());
            }
            let text = |row: &Row<'_>, column| row.get::<_, String>(column).map(Arc::from);
            let key = select.query_row([service], |row| {
                Ok(ServiceKey { group: text(row, 0)?, service: text(row, 1)? })
            })?;
            names.insert(service, key.clone());
            Ok(key)
        };
        let recorded = |found: Found| {
            let Found { id, at, last, times, service, fact, ended } = found;
            Ok(Recorded { id, at, last, times, service: service.map(&mut name).transpose()?, fact, ended })
        };
        found.into_iter().map(recorded).collect()
    }
}

/// A row, its service still a number.
struct Found {
    id: i64,
    at: Wall,
    last: Wall,
    times: u64,
    service: Option<i64>,
    fact: Fact,
    ended: Option<(Wall, Ending, Arc<str>)>,
}

fn found(row: &Row<'_>, fact: Fact) -> rusqlite::Result<Found> {
    let (id, at) = (row.get("id")?, row.get("at")?);
    Ok(Found { id, at, last: at, times: 1, service: row.get("service")?, fact, ended: None })
}

/// A text; empty where there is none.
fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<Arc<str>> {
    Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default().into())
}

/// All columns: a file that only an older release has written has no `took`.
const RESULT: &str = "SELECT * FROM result";

fn result(row: &Row<'_>) -> rusqlite::Result<Found> {
    let status = OpStatus::from_code(row.get("status")?).unwrap_or_default();
    let source = match row.get::<_, Option<String>>("source")?.as_deref() {
        None => None,
        Some("trap") => Some(Source::Trap),
        Some("traptimeout") => Some(Source::TrapTimeout),
        Some(_) => Some(Source::Monitor),
    };
    let fact = match source {
        None => Fact::Status(status),
        Some(source) => {
            let exit = row.get::<_, Option<i64>>("exit")?.unwrap_or(0);
            let (summary, detail) = (text(row, "summary")?, text(row, "detail")?);
            let took = row.get::<_, Option<i64>>("took").unwrap_or(None).map(i64::unsigned_abs);
            Fact::Result { again: false, source, exit, status, summary, detail, took }
        }
    };
    let times = u64::try_from(row.get::<_, i64>("times")?).unwrap_or(1);
    Ok(Found { last: row.get("last")?, times, ..found(row, fact)? })
}

const VERDICT: &str =
    "SELECT id, decision, at, service, what, exit, summary, period, line, ruling FROM verdict";

/// A row of a decision: as many as it has periods, to be joined.
fn verdict(row: &Row<'_>) -> rusqlite::Result<Found> {
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
fn join(rows: Vec<Found>) -> Vec<Found> {
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

fn alert(row: &Row<'_>) -> rusqlite::Result<Found> {
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

fn event(row: &Row<'_>) -> rusqlite::Result<Found> {
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
