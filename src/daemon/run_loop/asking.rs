//! Questions about the past: `why`, and `list record`. Memory answers at once; the record is read elsewhere, and the
//! answer comes back as a message.

use remon_core::engine::{Answer, ClientId, Fact, PAST_TOLD, Question, RecordSpan};
use remon_core::nouns::ServiceKey;

use super::Shell;
use crate::daemon::logging::log;
use crate::daemon::message::Message;
use crate::daemon::record::{self, Reader};
use remon_core::engine::Level;

/// Facts that one `list record` shows, the newest ones.
const MOST_FACTS: usize = 10_000;

impl Shell {
    pub(super) fn keep(&self, service: Option<ServiceKey>, fact: Fact) {
        self.record.keep(self.clock.now().wall, service, fact);
    }

    pub(super) fn keep_configuration(&self) {
        self.keep(None, Fact::Configured { hash: self.site.config_hash.as_str().into() });
    }

    pub(super) fn reply_why(&self, client: ClientId, question: &Question) {
        let civil_at = |wall| self.clock.civil(wall);
        let Some(mut why) = self.engine.why(question, &self.clock.now(), &civil_at) else {
            let Question { group, service, .. } = question.clone();
            return self.reply(client, &Answer::TestNotDefined(group, service), false);
        };
        if !why.reaches_back || self.site.historykeep == 0 {
            return self.reply(client, &Answer::Why(Box::new(why)), false);
        }
        self.ask_record(client, move |reader| {
            let ServiceKey { group, service } = &why.key;
            let most = if why.at.is_some() { 1 } else { PAST_TOLD };
            // Without the record there is still what memory has.
            let recorded = reader.and_then(|reader| reader.decided(group, service, why.at, most));
            why.add_recorded(recorded.unwrap_or_default());
            Answer::Why(Box::new(why))
        });
    }

    pub(super) fn reply_record(&self, client: ClientId, span: RecordSpan) {
        if self.site.historykeep == 0 {
            return self.reply(client, &Answer::NoRecord, false);
        }
        self.ask_record(client, move |reader| {
            let service = span.service.as_ref().map(|(group, service)| (group.as_str(), service.as_str()));
            let found = reader
                .and_then(|reader| reader.everything(service, span.from, span.to, MOST_FACTS, span.each));
            match found {
                Ok(entries) => Answer::Record(entries),
                Err(problem) => {
                    log(Level::Warning, &format!("the record cannot be read: {problem}"));
                    Answer::NoRecord
                }
            }
        });
    }

    /// Has the record asked on a thread of its own, with everything in it that has happened so far.
    fn ask_record(
        &self,
        client: ClientId,
        ask: impl FnOnce(Result<Reader, String>) -> Answer<'static> + Send + 'static,
    ) {
        let (record, inbox, path) =
            (self.record.clone(), self.inbox.clone(), record::path(&self.site.statedir));
        tokio::task::spawn_blocking(move || {
            record.settle();
            let answer = ask(Reader::open(&path));
            // The run loop is gone only when all is over.
            let _ = inbox.blocking_send(Message::Asked { client, answer });
        });
    }
}
