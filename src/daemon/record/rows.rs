//! Facts as rows: one statement for each kind.

use remon_core::engine::{Decided, Ending, Fact, Ruling};
use remon_core::nouns::{ServiceKey, Wall};
use remon_core::text;
use remon_core::wire::why::{source_word, spell_ruling, state_words};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::queue::Item;

/// Longer summaries, arguments and command lines are cut.
const MOST_LINE: usize = 1024;
/// Longer details are cut.
const MOST_DETAIL: usize = 4096;

/// Writes facts, in a transaction that is open.
pub(super) struct Rows<'c> {
    pub(super) connection: &'c Connection,
    /// The number of the last row.
    pub(super) last_id: i64,
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

    /// The same result again counts where it stands, if it does.
    fn result(&mut self, at: Wall, service: i64, fact: &Fact) -> rusqlite::Result<()> {
        if let Fact::Result { again: true, .. } = fact {
            let count = "UPDATE result SET times = times + 1, last = ?1
                         WHERE id = (SELECT max(id) FROM result WHERE service = ?2)";
            if self.connection.prepare_cached(count)?.execute(params![at, service])? > 0 {
                return Ok(());
            }
        }
        let id = self.next_id();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO result (id, at, last, times, service, source, exit, status, summary, detail, took)
             VALUES (?1, ?2, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        match fact {
            Fact::Result { source, exit, status, summary, detail, took, .. } => {
                let detail = (!detail.is_empty()).then(|| text::cut(detail, MOST_DETAIL));
                let (source, summary, took) =
                    (source_word(*source), line(summary), took.map(|secs| secs as i64));
                insert.execute(params![id, at, service, source, exit, status.code(), summary, detail, took])
            }
            Fact::Status(status) => {
                let none = None::<&str>;
                insert.execute(params![id, at, service, none, none, status.code(), none, none, none])
            }
            _ => Ok(0),
        }
        .map(drop)
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
