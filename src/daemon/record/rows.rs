//! Facts as rows: one statement for each kind.

use remon_core::engine::{Decided, Ending, Fact, Ruling};
use remon_core::nouns::{ServiceKey, Wall};
use remon_core::text;
use remon_core::wire::why::{source_word, spell_ruling, state_words};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::moments::{self, Moment};
use super::queue::Item;

/// Longer summaries, arguments and command lines are cut.
const MOST_LINE: usize = 1024;
/// Longer details are cut.
const MOST_DETAIL: usize = 4096;

/// Repetitions in one row: it is written anew with each of them.
const MOST_REPEATS: i64 = 128;
/// Where only the detail differs from the last result it is kept once in so many seconds: some hold times or counters,
/// and would crowd out everything else.
const DETAIL_EVERY: u64 = 60;

/// Run times kept of a service, the newest: those of a day and more.
const MOST_SAMPLES: usize = 100;

/// What became of a result that is the same as the last one.
enum Again {
    /// It is in the row of that one.
    Counted,
    /// That row is full.
    Full,
    /// The detail is another one.
    Detail,
    /// There is none.
    No,
}

/// Writes facts, in a transaction that is open.
pub(super) struct Rows<'c> {
    pub(super) connection: &'c Connection,
    /// The number of the last row.
    pub(super) last_id: i64,
}

/// The detail as it stands in a row.
fn kept(detail: &str) -> Option<std::borrow::Cow<'_, str>> {
    (!detail.is_empty()).then(|| text::cut(detail, MOST_DETAIL))
}

fn line(text: &str) -> std::borrow::Cow<'_, str> {
    text::cut(text, MOST_LINE)
}

impl Rows<'_> {
    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// Writes one fact.
    pub(super) fn write(&mut self, item: &Item) -> rusqlite::Result<()> {
        let Item { at, service, fact } = item;
        let service = service.as_ref().map(|key| self.service(key)).transpose()?;
        match (fact, service) {
            (Fact::Result { .. } | Fact::Status(_), Some(service)) => self.result(*at, service, fact),
            (Fact::RunTime(took), Some(service)) => self.run_time(service, (*at, Some(*took))),
            (Fact::Decided(decided), Some(service)) => self.decision(*at, service, decided),
            (Fact::AlertCalled { .. }, Some(service)) => self.alert(*at, service, fact),
            (Fact::AlertEnded { run, ending, last_words }, _) => {
                self.alert_ended(*at, run.0, ending, last_words)
            }
            (Fact::Command { user, line }, service) => self.event(*at, service, "command", user, line),
            (Fact::Configured { hash }, _) => self.event(*at, None, "configuration", "", hash),
            (Fact::Started { stopped, loaded }, _) => {
                let stopped = if *stopped { "stopped " } else { "" };
                let how = format!("{stopped}{}", state_words(loaded));
                self.event(*at, None, "start", "", how.trim_end())
            }
            (Fact::HangUp, _) => self.event(*at, None, "hangup", "", ""),
            (Fact::Ended, _) => self.event(*at, None, "end", "", ""),
            (Fact::Lost(facts), _) => self.event(*at, None, "lost", "", &facts.to_string()),
            // What is about a service names it.
            (_, None) => Ok(()),
        }
    }

    fn service(&self, key: &ServiceKey) -> rusqlite::Result<i64> {
        let names = params![&*key.group, &*key.service];
        let mut find = self.connection.prepare_cached("SELECT id FROM service WHERE grp = ? AND name = ?")?;
        if let Some(id) = find.query_row(names, |row| row.get(0)).optional()? {
            return Ok(id);
        }
        self.connection.prepare_cached("INSERT INTO service (grp, name) VALUES (?, ?)")?.insert(names)
    }

    /// The same result again goes to the row where it stands, if it does.
    fn result(&mut self, at: Wall, service: i64, fact: &Fact) -> rusqlite::Result<()> {
        let again = match fact {
            Fact::Result { again: true, took, detail, .. } => self.repeated(service, (at, *took), detail)?,
            _ => Again::No,
        };
        if matches!(again, Again::Counted) {
            return Ok(());
        }
        let id = self.next_id();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO result (id, at, last, times, service, source, exit, status, summary, detail, took, again)
             VALUES (?1, ?2, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        match fact {
            Fact::Result { source, took, exit, status, summary, detail, .. } => {
                let (source, status, detail) = (source_word(*source), status.code(), kept(detail));
                let took = took.map(|took| i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
                let again = match again {
                    Again::Full => Some(1),
                    Again::Detail => Some(2),
                    Again::Counted | Again::No => None,
                };
                insert.execute(params![
                    id,
                    at,
                    service,
                    source,
                    exit,
                    status,
                    line(summary),
                    detail,
                    took,
                    again
                ])
            }
            Fact::Status(status) => {
                let none = None::<&str>;
                insert.execute(params![id, at, service, none, none, status.code(), none, none, none, none])
            }
            _ => Ok(0),
        }
        .map(drop)
    }

    /// Counts a result that is the same as the last one of its service, if there is a row that it can go to.
    fn repeated(&self, service: i64, moment: Moment, detail: &str) -> rusqlite::Result<Again> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, at, last, times, detail, repeats FROM result WHERE service = ? ORDER BY id DESC LIMIT 1",
        )?;
        let last = |row: &Row<'_>| -> rusqlite::Result<_> {
            let same = row.get::<_, Option<String>>(4)?.as_deref() == kept(detail).as_deref();
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Wall>(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)?,
                same,
                row.get(5)?,
            ))
        };
        let Some((id, at, last, times, same, repeats)) = select.query_row([service], last).optional()? else {
            return Ok(Again::No);
        };
        if !same && moment.0.abs_diff(at) >= DETAIL_EVERY {
            return Ok(Again::Detail);
        }
        if times > MOST_REPEATS {
            return Ok(if same { Again::Full } else { Again::Detail });
        }
        let mut repeats: Vec<u8> = Option::unwrap_or_default(repeats);
        moments::push(&mut repeats, last, moment);
        let update = "UPDATE result SET times = times + 1, last = ?, repeats = ? WHERE id = ?";
        self.connection.prepare_cached(update)?.execute(params![moment.0, repeats, id])?;
        Ok(Again::Counted)
    }

    /// One more run time, in the place of the oldest where there are many.
    fn run_time(&self, service: i64, moment: Moment) -> rusqlite::Result<()> {
        let mut select = self.connection.prepare_cached("SELECT samples FROM runtime WHERE service = ?")?;
        let samples: Option<Vec<u8>> = select.query_row([service], |row| row.get(0)).optional()?;
        let mut samples = moments::read(&samples.unwrap_or_default(), 0);
        samples.drain(..(samples.len() + 1).saturating_sub(MOST_SAMPLES));
        samples.push(moment);
        let (mut bytes, mut before) = (Vec::new(), 0);
        for sample in samples {
            moments::push(&mut bytes, before, sample);
            before = sample.0;
        }
        let replace = "INSERT OR REPLACE INTO runtime (service, last, samples) VALUES (?, ?, ?)";
        self.connection.prepare_cached(replace)?.execute(params![service, moment.0, bytes]).map(drop)
    }

    fn decision(&mut self, at: Wall, service: i64, decided: &Decided) -> rusqlite::Result<()> {
        let decision = self.last_id + 1;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO verdict (id, decision, at, service, what, exit, summary, period, line, sent, rule, ruling)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let (what, exit, summary) = (decided.kind.env_word(), decided.exit, line(&decided.summary));
        if decided.periods.is_empty() {
            let none = None::<&str>;
            let id = self.next_id();
            insert.execute(params![
                id, decision, at, service, what, exit, summary, none, none, none, none, none
            ])?;
        }
        for judged in &decided.periods {
            self.last_id += 1;
            let (sent, rule) = match &judged.ruling {
                Ruling::Sent(_) => (1, None),
                Ruling::Held(reason) => (0, Some(&reason.rule)),
            };
            let ruling = spell_ruling(&judged.ruling);
            insert.execute(params![
                self.last_id,
                decision,
                at,
                service,
                what,
                exit,
                summary,
                &*judged.period,
                judged.line,
                sent,
                rule,
                ruling
            ])?;
        }
        Ok(())
    }

    fn alert(&mut self, at: Wall, service: i64, fact: &Fact) -> rusqlite::Result<()> {
        let Fact::AlertCalled { run, kind, period, line: at_line, program, arguments } = fact else {
            return Ok(());
        };
        let id = self.next_id();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO alert (id, at, service, what, period, line, program, arguments, run)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let what = kind.env_word();
        let (period, arguments) = (period.as_deref(), line(arguments));
        let run = run.0 as i64;
        insert.execute(params![id, at, service, what, period, at_line, &**program, arguments, run]).map(drop)
    }

    fn alert_ended(&self, at: Wall, run: u64, ending: &Ending, words: &str) -> rusqlite::Result<()> {
        let (ending, code, why) = match ending {
            Ending::Exited(status) => ("exit", Some(i64::from(*status)), None),
            Ending::Killed(signal) => ("signal", Some(i64::from(*signal)), None),
            Ending::NotStarted(why) => ("unstarted", None, Some(why.as_str())),
        };
        let mut update = self.connection.prepare_cached(
            "UPDATE alert SET run = NULL, ended = ?, ending = ?, code = ?, words = ? WHERE run = ?",
        )?;
        let words = text::cut(why.unwrap_or(words), MOST_DETAIL);
        update.execute(params![at, ending, code, words, run as i64]).map(drop)
    }

    fn event(
        &mut self,
        at: Wall,
        service: Option<i64>,
        what: &str,
        who: &str,
        said: &str,
    ) -> rusqlite::Result<()> {
        let id = self.next_id();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO event (id, at, service, what, who, text) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![id, at, service, what, line(who), line(said)]).map(drop)
    }
}
