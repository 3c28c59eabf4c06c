//! What is known of alert programs that were called: which run, which will be tried again, which lines of which
//! service did not get through.
//!
//! A call of an alert line is an [`Errand`]. It lasts until the program has ended and no further try will follow.
//! What a service's lines have come to since it last changed between failing and not is in its [`Track`]. Both are
//! kept by name, so that a reset, which numbers the services anew, does not lose them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::alerts::{AlertId, BatchId};
use super::attempts::{Attempt, Book};
use super::effect::Launch;
use super::fact::Fact;
use crate::config::AlertRetry;
use crate::nouns::{AlertKind, Mono, ServiceKey};

/// Everything known of alert programs that were called.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pub(super) errands: BTreeMap<AlertId, Errand>,
    /// When something must be done about an errand.
    pub(super) due: BTreeSet<(Mono, AlertId)>,
    pub(super) tracks: BTreeMap<ServiceKey, Track>,
    pub(super) book: Book,
}

/// One call of an alert line, named after its last try.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) service: ServiceKey,
    pub(super) kind: AlertKind,
    /// For the log: `alert mail.alert for web/ping`.
    pub(super) what: String,
    /// The batch that it belongs to, until it is known whether a program could be started.
    pub(super) batch: Option<BatchId>,
    /// The alert line, where its outcome counts; none for tests and redistributions.
    pub(super) line: Option<LineKey>,
    pub(super) timeout: Duration,
    /// What is needed to try again, while that is wanted.
    pub(super) again: Option<Box<Again>>,
    pub(super) stage: Stage,
    /// The service changed between failing and not: the outcome counts no more.
    pub(super) stale: bool,
    /// When the stage is over.
    pub(super) due: Mono,
}

/// How to try again: as it was called first, with the times of that call.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) left: u32,
    pub(super) pause: Duration,
    pub(super) period: Option<Arc<str>>,
    pub(super) launch: Launch,
    /// What the record has of the first call.
    pub(super) called: Fact,
    pub(super) stdin: Arc<str>,
}

/// How far an errand is. Each stage but the last two begins the next one when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The program runs.
    Running,
    /// It was told to end: it took too long, or (true) what it has to tell is over.
    Ending { given_up: bool },
    /// It was killed, for the same reasons.
    Killed { given_up: bool },
    /// It failed, and will be tried again.
    Waiting,
}

/// An alert line, told from others also after a reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineKey {
    /// Label of its period.
    pub(super) period: Arc<str>,
    /// Its place among the alert lines of the period.
    pub(super) index: usize,
    /// Program and arguments.
    pub(super) text: Arc<str>,
}

/// What is known of one service's alerts.
#[derive(Debug, Default)]
pub(super) struct Track {
    errands: BTreeSet<AlertId>,
    lines: Vec<LineState>,
}

/// The newest try of a line that has ended.
#[derive(Debug)]
struct LineState {
    line: LineKey,
    newest: AlertId,
    result: LineResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineResult {
    Delivered,
    Undelivered,
    /// There is no such program, so nothing was tried: `list opstatus` is silent about it, as the original's.
    NoProgram,
}

impl Deliveries {
    /// When something must be done.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(due, _)| *due)
    }

    /// How many lines of a service have not got through, and the newest try of them.
    pub(super) fn undelivered(&self, service: &ServiceKey) -> (usize, Option<&Attempt>) {
        let lines = self.tracks.get(service).map_or(&[][..], |track| &track.lines);
        let open = || lines.iter().filter(|line| line.result == LineResult::Undelivered);
        let newest = open().map(|line| line.newest).max();
        (open().count(), newest.and_then(|id| self.book.get(id)))
    }

    pub(super) fn insert(&mut self, id: AlertId, errand: Errand) {
        self.due.insert((errand.due, id));
        self.tracks.entry(errand.service.clone()).or_default().errands.insert(id);
        self.errands.insert(id, errand);
    }

    pub(super) fn remove(&mut self, id: AlertId) -> Option<Errand> {
        let errand = self.errands.remove(&id)?;
        self.due.remove(&(errand.due, id));
        if let Some(track) = self.tracks.get_mut(&errand.service) {
            track.errands.remove(&id);
        }
        Some(errand)
    }

    /// Goes on to another stage, which lasts until `due`.
    pub(super) fn enter(&mut self, id: AlertId, stage: Stage, due: Mono) {
        if let Some(errand) = self.errands.get_mut(&id) {
            self.due.remove(&(errand.due, id));
            self.due.insert((due, id));
            (errand.stage, errand.due) = (stage, due);
        }
    }

    /// The errands of a service.
    pub(super) fn of_service(&self, service: &ServiceKey) -> Vec<AlertId> {
        self.tracks.get(service).map_or_else(Vec::new, |track| track.errands.iter().copied().collect())
    }

    /// Forgets a service about which nothing needs to be remembered, and lines that nobody will ask for.
    pub(super) fn tidy(&mut self, service: &ServiceKey) {
        if let Some(track) = self.tracks.get_mut(service)
            && track.errands.is_empty()
        {
            track.lines.retain(|line| line.result != LineResult::Delivered);
            if track.lines.is_empty() {
                self.tracks.remove(service);
            }
        }
    }

    /// The try `id` of a line has ended. An older call that ends later says nothing about the line any more.
    pub(super) fn line_ended(
        &mut self,
        service: &ServiceKey,
        line: &LineKey,
        id: AlertId,
        result: LineResult,
    ) {
        let track = self.tracks.entry(service.clone()).or_default();
        let before = match track.lines.iter_mut().find(|state| state.line == *line) {
            Some(state) if state.newest > id => return,
            Some(state) => {
                let before = state.newest;
                (state.newest, state.result) = (id, result);
                Some(before)
            }
            None => {
                track.lines.push(LineState { line: line.clone(), newest: id, result });
                None
            }
        };
        if let Some(before) = before {
            self.book.change(before, |attempt| attempt.open = false);
        }
        self.book.change(id, |attempt| attempt.open = result != LineResult::Delivered);
    }

    /// Forgets what has become of lines, but for those that are to be kept.
    pub(super) fn forget_lines(&mut self, service: &ServiceKey, keep: impl Fn(&LineKey) -> bool) {
        let Some(track) = self.tracks.get_mut(service) else { return };
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut track.lines).into_iter().partition(|state| keep(&state.line));
        track.lines = kept;
        for LineState { newest, .. } in gone {
            self.book.change(newest, |attempt| attempt.open = false);
        }
    }
}

impl Errand {
    /// A call that begins now.
    pub(super) fn new(service: ServiceKey, kind: AlertKind, what: String, timeout: Duration) -> Errand {
        Errand {
            service,
            kind,
            what,
            batch: None,
            line: None,
            timeout,
            again: None,
            stage: Stage::Running,
            stale: false,
            due: Mono::default(),
        }
    }
}

impl Again {
    /// The tries that a period grants.
    pub(super) fn new(
        retry: AlertRetry,
        period: Option<Arc<str>>,
        launch: &Launch,
        called: Fact,
        stdin: &Arc<str>,
    ) -> Box<Again> {
        let (left, pause) = (retry.tries, retry.pause.duration());
        Box::new(Again { left, pause, period, launch: launch.clone(), called, stdin: stdin.clone() })
    }
}
