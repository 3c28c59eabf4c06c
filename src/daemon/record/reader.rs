//! Asking the record. A reader has its own connection: it sees what is written, and holds nobody up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use remon_core::config::surroundings::RunTime;
use remon_core::decision::Source;
use remon_core::engine::{Fact, Past, Recorded};
use remon_core::nouns::{ServiceKey, Wall};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::found::{Found, VERDICT, alert, event, join, result, verdict};
use super::moments;
use super::repeats::{begin_with_news, joined, one_by_one};
use super::schema::{Trouble, open_to_read};

/// The record, to be asked.
pub(crate) struct Reader {
    connection: Connection,
    version: i64,
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

/// Results that are shown one by one at most, when they are to be played again; of older ones there is the count.
const MOST_EACH: usize = 500_000;

/// Of one service or of all, the newest so many. One condition for both would keep SQLite from using its index.
pub(super) fn newest_of(service: Option<i64>) -> &'static str {
    match service {
        Some(_) => "AND service = ?1 ORDER BY id DESC LIMIT ?4",
        None => "AND ?1 IS NULL ORDER BY id DESC LIMIT ?4",
    }
}

impl Reader {
    /// Opens a record ([`super::path`] tells where it is).
    ///
    /// # Errors
    /// When it is not there, damaged, or of another version; in words.
    pub(crate) fn open(path: &Path) -> Result<Reader, Problem> {
        let (connection, version) = open_to_read(path).map_err(problem)?;
        Ok(Reader { connection, version })
    }

    /// What can be played again, in the order of events: results, with their times and how often they came,
    /// statuses set by hand, commands, configurations, starts and ends. Each trap is there by itself.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn events(&self, from: Wall, to: Wall) -> Result<Vec<Recorded>, Problem> {
        let read = || -> rusqlite::Result<_> {
            let mut all = self.results(None, from, to, i64::MAX)?;
            begin_with_news(&mut all);
            let is_trap = |found: &Found| matches!(found.fact, Fact::Result { source: Source::Trap, .. });
            let mut all = one_by_one(all, (from, to), MOST_EACH, is_trap);
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
                "{} WHERE id IN (SELECT max(id) FROM result WHERE at < ? GROUP BY service) ORDER BY id",
                self.columns()
            );
            let mut select = self.connection.prepare_cached(&query)?;
            let mut rows = select.query_map([moment], result)?.collect::<Rows<_>>()?;
            begin_with_news(&mut rows);
            self.complete(rows)
        };
        read().map_err(problem)
    }

    /// Everything in a stretch of time, in the order of events; where there is more, the newest `most`. Equal results
    /// are one with a count, or `each` is there by itself.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn everything(
        &self,
        service: Option<(&str, &str)>,
        from: Wall,
        to: Wall,
        most: usize,
        each: bool,
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
            let results = self.results(number, from, to, limit)?;
            let mut all =
                if each { one_by_one(results, (from, to), most, |_| true) } else { joined(results) };
            all.extend(self.decisions(number, from, to, limit)?);
            all.extend(self.alerts(number, from, to, limit)?);
            all.extend(self.others(number, from, to, limit)?);
            let mut all = self.complete(all)?;
            if each {
                // Those of one row lie between what happened to others meanwhile.
                all.sort_by_key(|recorded| recorded.at);
            }
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

    /// What the runs of each service usually take, where enough of them were measured to say so.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn run_times(&self) -> Result<BTreeMap<(String, String), RunTime>, Problem> {
        if self.version < 2 {
            return Ok(BTreeMap::new());
        }
        let read = || -> rusqlite::Result<_> {
            let query = "SELECT grp, name, samples FROM runtime JOIN service ON service.id = runtime.service";
            let mut select = self.connection.prepare(query)?;
            let rows =
                select.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, Vec<u8>>(2)?)))?;
            let usual = |row: rusqlite::Result<(_, Vec<u8>)>| match row {
                Ok((key, samples)) => usual(&samples).map(|usual| Ok((key, usual))),
                Err(error) => Some(Err(error)),
            };
            rows.filter_map(usual).collect()
        };
        read().map_err(problem)
    }

    fn service(&self, group: &str, name: &str) -> rusqlite::Result<Option<i64>> {
        let query = "SELECT id FROM service WHERE grp = ? AND name = ?";
        self.connection.query_row(query, [group, name], |row| row.get(0)).optional()
    }

    fn results(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!("{} WHERE last >= ?2 AND at <= ?3 {}", self.columns(), newest_of(service));
        let mut select = self.connection.prepare_cached(&query)?;
        let mut rows = select.query_map(params![service, from, to, most], result)?.collect::<Rows<_>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// The columns of results; an older file lacks some.
    fn columns(&self) -> String {
        const ALL: &str = "SELECT id, at, last, times, service, source, exit, status, summary, detail";
        let new = if self.version < 2 {
            "NULL AS took, NULL AS repeats, NULL AS again"
        } else {
            "took, repeats, again"
        };
        format!("{ALL}, {new} FROM result")
    }

    fn decisions(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!("{VERDICT} WHERE at >= ?2 AND at <= ?3 {}", newest_of(service));
        let mut select = self.connection.prepare_cached(&query)?;
        let mut rows = select.query_map(params![service, from, to, most], verdict)?.collect::<Rows<_>>()?;
        rows.reverse();
        Ok(join(rows))
    }

    fn alerts(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!(
            "SELECT id, at, service, what, period, line, program, arguments, run, ended, ending, code, words
             FROM alert WHERE at >= ?2 AND at <= ?3 {}",
            newest_of(service)
        );
        let mut select = self.connection.prepare_cached(&query)?;
        select.query_map(params![service, from, to, most], alert)?.collect()
    }

    fn others(&self, service: Option<i64>, from: Wall, to: Wall, most: i64) -> Rows<Found> {
        let query = format!(
            "SELECT id, at, service, what, who, text FROM event WHERE at >= ?2 AND at <= ?3 {}",
            newest_of(service)
        );
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
            let Found { id, at, last, times, service, fact, ended, .. } = found;
            Ok(Recorded { id, at, last, times, service: service.map(&mut name).transpose()?, fact, ended })
        };
        found.into_iter().map(recorded).collect()
    }
}

/// The median of what was measured; of too few runs nothing is said.
fn usual(samples: &[u8]) -> Option<RunTime> {
    const FEWEST: usize = 3;
    let mut took: Vec<Duration> =
        moments::read(samples, 0).into_iter().filter_map(|(_, took)| took).collect();
    took.sort_unstable();
    let runs = took.len();
    (runs >= FEWEST).then(|| RunTime { median: took[runs / 2], runs })
}
