//! Alert programs followed to their end: time limits, further tries, and which lines did not get through.
//!
//! A call of an alert line is an [`Errand`]. It lasts until the program has ended and no further try will follow.
//! What a service's lines have come to since it last changed between failing and not is in its [`Track`]; both are
//! kept by name, so that a reset, which numbers the services anew, does not lose them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::alerts::{AlertId, BatchId};
use super::attempts::{self, Attempt, Book, Outcome};
use super::effect::{Effect, Launch, Level, Stop};
use super::event::Ending;
use crate::config::{AlertRetry, CommandLine};
use crate::nouns::{AlertKind, Mono, Now, ServiceKey};
use crate::schedule::ServiceId;
use crate::timeval::Timeval;

/// `alert_timeout` where mon.cf does not set it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// A program that is told to end has this long; then it is killed, and then written off.
const GRACE: Duration = Duration::from_secs(5);
/// Retries that are named in the log when the daemon ends.
const MOST_NAMED: usize = 20;

/// Everything known of alert programs that were called.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    errands: BTreeMap<AlertId, Errand>,
    /// When something must be done about an errand.
    due: BTreeSet<(Mono, AlertId)>,
    tracks: BTreeMap<ServiceKey, Track>,
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
    due: Mono,
}

/// How to try again: as it was called first, with the times of that call.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) left: u32,
    pub(super) pause: Duration,
    pub(super) period: Option<Arc<str>>,
    pub(super) launch: Launch,
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
struct Track {
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
enum LineResult {
    Delivered,
    Undelivered,
    /// There is no such program, so nothing was tried: `list opstatus` is silent about it, as the original's.
    NoProgram,
}

/// What is told of a call in the book, as far as it differs from call to call.
pub(super) struct Told<'a> {
    pub(super) kind: &'static str,
    pub(super) alert: &'a str,
    pub(super) command: &'a CommandLine,
    pub(super) period: Option<Arc<str>>,
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

    fn insert(&mut self, id: AlertId, errand: Errand) {
        self.due.insert((errand.due, id));
        self.tracks.entry(errand.service.clone()).or_default().errands.insert(id);
        self.errands.insert(id, errand);
    }

    fn remove(&mut self, id: AlertId) -> Option<Errand> {
        let errand = self.errands.remove(&id)?;
        self.due.remove(&(errand.due, id));
        if let Some(track) = self.tracks.get_mut(&errand.service) {
            track.errands.remove(&id);
        }
        Some(errand)
    }

    /// Goes on to another stage, which lasts until `due`.
    fn enter(&mut self, id: AlertId, stage: Stage, due: Mono) {
        if let Some(errand) = self.errands.get_mut(&id) {
            self.due.remove(&(errand.due, id));
            self.due.insert((due, id));
            (errand.stage, errand.due) = (stage, due);
        }
    }

    /// The errands of a service.
    fn of_service(&self, service: &ServiceKey) -> Vec<AlertId> {
        self.tracks.get(service).map_or_else(Vec::new, |track| track.errands.iter().copied().collect())
    }

    /// Forgets a service about which nothing needs to be remembered, and lines that nobody will ask for.
    fn tidy(&mut self, service: &ServiceKey) {
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
    fn line_ended(&mut self, service: &ServiceKey, line: &LineKey, id: AlertId, result: LineResult) {
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
    fn forget_lines(&mut self, service: &ServiceKey, keep: impl Fn(&LineKey) -> bool) {
        let Some(track) = self.tracks.get_mut(service) else { return };
        let (kept, gone) = std::mem::take(&mut track.lines).into_iter().partition(|state| keep(&state.line));
        track.lines = kept;
        for LineState { newest, .. } in Vec::<LineState>::from(gone) {
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
        stdin: &Arc<str>,
    ) -> Box<Again> {
        let (left, pause) = (retry.tries, retry.pause.duration());
        Box::new(Again { left, pause, period, launch: launch.clone(), stdin: stdin.clone() })
    }
}

impl Engine {
    /// How long an alert of that period may run.
    pub(super) fn alert_timeout(&self, id: ServiceId, period: Option<usize>) -> Duration {
        let own = period.and_then(|period| self.slot(id).service.periods[period].alert_timeout);
        own.or(self.settings.alert_timeout).map_or(DEFAULT_TIMEOUT, Timeval::duration)
    }

    /// Follows a program that is being started, for the first time or again.
    pub(super) fn follow(&mut self, id: AlertId, mut errand: Errand, attempt: Attempt) {
        errand.stage = Stage::Running;
        errand.due = attempt.started + errand.timeout;
        self.deliveries.book.add(id, attempt);
        self.deliveries.insert(id, errand);
    }

    /// An attempt that begins now.
    pub(super) fn attempt(&self, service: ServiceKey, told: Told<'_>, now: &Now) -> Attempt {
        let Told { kind, alert, command, period } = told;
        Attempt {
            service,
            period,
            kind,
            alert: alert.into(),
            line: command.text.clone(),
            number: 1,
            at: now.wall,
            started: now.mono,
            outcome: Outcome::Running,
            lasted: None,
            retry_at: None,
            open: false,
            last_words: "".into(),
        }
    }

    /// Notes a call for which there is nothing to start. It is not tried again: mon.cf must change first.
    pub(super) fn note_missing(&mut self, attempt: Attempt, line: Option<LineKey>, why: &str) {
        let id = AlertId(self.next_id());
        let service = attempt.service.clone();
        let outcome = Outcome::NotStarted(why.into());
        self.deliveries.book.add(id, Attempt { outcome, lasted: Some(Duration::ZERO), ..attempt });
        if let Some(line) = line {
            self.deliveries.line_ended(&service, &line, id, LineResult::NoProgram);
        }
    }

    /// A line is called anew: what it said before need not be said again.
    pub(super) fn supersede(&mut self, service: &ServiceKey, line: &LineKey, out: &mut Vec<Effect>) {
        for id in self.deliveries.of_service(service) {
            let Some(errand) = self.deliveries.errands.get_mut(&id) else { continue };
            if errand.line.as_ref() != Some(line) {
                continue;
            }
            match errand.stage {
                Stage::Waiting => self.give_up(id, "it is called anew", out),
                Stage::Running | Stage::Ending { .. } | Stage::Killed { .. } => errand.again = None,
            }
        }
    }

    /// An alert program has ended, or could not begin.
    pub(super) fn alert_ended(
        &mut self,
        id: AlertId,
        ending: &Ending,
        last_words: &str,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        // One that was written off has nothing to say any more.
        let Some(errand) = self.deliveries.errands.get(&id).filter(|errand| errand.stage != Stage::Waiting)
        else {
            return;
        };
        let outcome = match errand.stage {
            Stage::Ending { given_up } | Stage::Killed { given_up } => ended_by_us(given_up),
            Stage::Running | Stage::Waiting => Outcome::of(ending),
        };
        out.push(ending_for_log(errand, &outcome, ending, last_words));
        self.try_ended(id, outcome, last_words, now, out);
    }

    /// Takes down how a try went, and whether another one follows.
    fn try_ended(
        &mut self,
        id: AlertId,
        outcome: Outcome,
        last_words: &str,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(errand) = self.deliveries.errands.get_mut(&id) else { return };
        let delivered = outcome == Outcome::Delivered;
        let not_started = matches!(outcome, Outcome::NotStarted(_));
        let wait = match &mut errand.again {
            Some(again) if !delivered && !errand.stale && again.left > 0 => {
                let pause = again.pause;
                (again.left, again.pause) = (again.left - 1, pause.saturating_mul(2));
                Some(pause)
            }
            _ => None,
        };
        // While there is hope, it is not known yet whether anybody was told.
        let batch = if not_started && wait.is_some() { None } else { errand.batch.take() };
        let (service, line, stale) = (errand.service.clone(), errand.line.clone(), errand.stale);
        if let (Some(pause), Some(again)) = (wait, &errand.again) {
            let text = format!(
                "{}: next try in {} s, {} more after it",
                errand.what,
                pause.as_secs_f64(),
                again.left
            );
            out.push(Effect::log(Level::Notice, text));
        }
        if let Some(line) = line.filter(|_| !stale) {
            let result = if delivered { LineResult::Delivered } else { LineResult::Undelivered };
            self.deliveries.line_ended(&service, &line, id, result);
        }
        self.deliveries.book.change(id, |attempt| {
            attempt.lasted = Some(now.mono.since(attempt.started));
            attempt.retry_at = wait.map(|pause| now.wall.saturating_add_unsigned(pause.as_secs()));
            (attempt.outcome, attempt.last_words) = (outcome, attempts::end_of(last_words));
        });
        match wait {
            Some(pause) => self.deliveries.enter(id, Stage::Waiting, now.mono + pause),
            None => drop(self.deliveries.remove(id)),
        }
        self.deliveries.tidy(&service);
        if let Some(batch) = batch {
            // Of a failure that is over nothing is counted back: its counters are gone.
            self.account_for(batch, not_started && !stale);
        }
    }

    /// Does what has come due: ends programs that take too long, tries again.
    pub(super) fn deliveries_due(&mut self, now: &Now, out: &mut Vec<Effect>) {
        while let Some(&(due, id)) = self.deliveries.due.first()
            && due <= now.mono
        {
            let Some(errand) = self.deliveries.errands.get(&id) else {
                self.deliveries.due.remove(&(due, id));
                continue;
            };
            match errand.stage {
                Stage::Running => {
                    let seconds = errand.timeout.as_secs_f64();
                    let text = format!("{} has not ended after {seconds} s, and is ended", errand.what);
                    out.push(Effect::log(Level::Err, text));
                    self.end_alert(id, false, now, out);
                }
                Stage::Ending { given_up } => {
                    self.deliveries.enter(id, Stage::Killed { given_up }, now.mono + GRACE);
                    out.push(Effect::EndAlert { alert: id, how: Stop::Kill });
                }
                Stage::Killed { given_up } => {
                    let text = format!("{} does not even end when it is killed", errand.what);
                    out.push(Effect::log(Level::Err, text));
                    self.try_ended(id, ended_by_us(given_up), "", now, out);
                }
                Stage::Waiting => self.try_again(id, now, out),
            }
        }
    }

    fn end_alert(&mut self, id: AlertId, given_up: bool, now: &Now, out: &mut Vec<Effect>) {
        self.deliveries.enter(id, Stage::Ending { given_up }, now.mono + GRACE);
        out.push(Effect::EndAlert { alert: id, how: Stop::Term });
    }

    /// The same program again, with the same words; neither counted nor noted in the history again.
    fn try_again(&mut self, old: AlertId, now: &Now, out: &mut Vec<Effect>) {
        if let Some(why) = self.reason_to_give_up(old) {
            return self.give_up(old, why, out);
        }
        let Some(errand) = self.deliveries.remove(old) else { return };
        let (Some(again), Some(before)) = (&errand.again, self.deliveries.book.get(old)) else { return };
        let number = before.number.saturating_add(1);
        let attempt = Attempt {
            number,
            at: now.wall,
            started: now.mono,
            outcome: Outcome::Running,
            lasted: None,
            retry_at: None,
            open: false,
            last_words: "".into(),
            ..before.clone()
        };
        self.deliveries.book.change(old, |attempt| attempt.retry_at = None);
        let id = AlertId(self.next_id());
        out.push(Effect::log(Level::Alert, format!("calling {} again, try {number}", errand.what)));
        out.push(Effect::RunAlert {
            alert: id,
            service: errand.service.clone(),
            period: again.period.clone(),
            kind: errand.kind,
            launch: again.launch.clone(),
            stdin: again.stdin.clone(),
        });
        self.follow(id, errand, attempt);
    }

    /// An operator who knows of a failure, or does not want to, is not told of it again.
    fn reason_to_give_up(&self, id: AlertId) -> Option<&'static str> {
        let errand = self.deliveries.errands.get(&id)?;
        let Some(service) = self.find(&errand.service.group, &errand.service.service) else {
            return Some("the service is gone");
        };
        let state = &self.slot(service).state;
        let reasons = [
            (state.ack.is_some(), "the failure is acknowledged"),
            (state.disabled, "the service is disabled"),
            (self.circumstances(service).watch_disabled, "the watch is disabled"),
        ];
        reasons.into_iter().find_map(|(applies, why)| (applies && errand.kind.is_failure()).then_some(why))
    }

    /// Ends an errand that waits for another try.
    fn give_up(&mut self, id: AlertId, why: &str, out: &mut Vec<Effect>) {
        let Some(errand) = self.deliveries.remove(id) else { return };
        self.deliveries.book.change(id, |attempt| attempt.retry_at = None);
        self.deliveries.tidy(&errand.service);
        out.push(Effect::log(Level::Notice, format!("{} is not tried again: {why}", errand.what)));
        if let Some(batch) = errand.batch {
            self.account_for(batch, !errand.stale);
        }
    }

    /// The service has begun to fail, or ceased to. What is still to be told of the time before would be wrong
    /// now, or would come behind what is told now: no try of it begins any more, and further tries that run are
    /// ended. A first try that runs is left alone, as the original has it.
    pub(super) fn alerts_are_over(
        &mut self,
        service: &ServiceKey,
        why: &str,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        for id in self.deliveries.of_service(service) {
            let is_retry = self.deliveries.book.get(id).is_some_and(|attempt| attempt.number > 1);
            let Some(errand) = self.deliveries.errands.get_mut(&id) else { continue };
            // Tests and redistributions are about nothing that could be over.
            if errand.line.is_none() {
                continue;
            }
            errand.stale = true;
            match errand.stage {
                Stage::Waiting => self.give_up(id, why, out),
                Stage::Running if is_retry => {
                    out.push(Effect::log(Level::Notice, format!("{} is ended: {why}", errand.what)));
                    self.end_alert(id, true, now, out);
                }
                Stage::Running | Stage::Ending { .. } | Stage::Killed { .. } => {}
            }
        }
        self.deliveries.forget_lines(service, |_| false);
        self.deliveries.tidy(service);
    }

    /// After a reset: what was called for a service, or a line, that is gone is over. Without `keepstate` the
    /// services begin anew, and so does this.
    pub(super) fn deliveries_after_reset(&mut self, keepstate: bool, now: &Now, out: &mut Vec<Effect>) {
        let services: Vec<ServiceKey> = self.deliveries.tracks.keys().cloned().collect();
        for key in services {
            let id = self.find(&key.group, &key.service).filter(|_| keepstate);
            let Some(id) = id else {
                self.alerts_are_over(&key, "of a reset", now, out);
                continue;
            };
            let service = self.slot(id).service.clone();
            let is_there = |line: &LineKey| {
                let period = service.periods.iter().find(|period| period.label == line.period);
                period
                    .and_then(|period| period.alerts.get(line.index))
                    .is_some_and(|alert| alert.command.text == line.text)
            };
            self.deliveries.forget_lines(&key, is_there);
            for errand in self.deliveries.of_service(&key) {
                let Some(state) = self.deliveries.errands.get_mut(&errand) else { continue };
                if state.line.as_ref().is_some_and(|line| !is_there(line)) {
                    state.stale = true;
                    if state.stage == Stage::Waiting {
                        self.give_up(errand, "its line is gone from mon.cf", out);
                    }
                }
            }
            self.deliveries.tidy(&key);
        }
    }

    /// Tells the log what the end of the daemon leaves undone.
    pub(super) fn log_pending_deliveries(&self, out: &mut Vec<Effect>) {
        let errands = || self.deliveries.errands.values();
        let waiting = errands().filter(|errand| errand.stage == Stage::Waiting);
        let (running, all) = (errands().count() - waiting.clone().count(), errands().count());
        if running > 0 {
            let text = format!("{running} alert programs are still running; how they end is not followed");
            out.push(Effect::log(Level::Notice, text));
        }
        for errand in waiting.clone().take(MOST_NAMED) {
            let text = format!("{} was not delivered and will not be tried again: mon ends", errand.what);
            out.push(Effect::log(Level::Err, text));
        }
        if all - running > MOST_NAMED {
            let text = format!("{} more alerts were not delivered", all - running - MOST_NAMED);
            out.push(Effect::log(Level::Err, text));
        }
    }
}

fn ended_by_us(given_up: bool) -> Outcome {
    if given_up { Outcome::GivenUp } else { Outcome::TimedOut }
}

/// What the log says about the end of a program.
fn ending_for_log(errand: &Errand, outcome: &Outcome, ending: &Ending, last_words: &str) -> Effect {
    let what = &errand.what;
    let said = if last_words.is_empty() { String::new() } else { format!(": {last_words}") };
    match (outcome, ending) {
        (Outcome::TimedOut, _) => Effect::log(Level::Err, format!("{what} was ended for its time{said}")),
        (Outcome::GivenUp, _) => Effect::log(Level::Info, format!("{what} was ended{said}")),
        (_, Ending::Exited(0)) if last_words.is_empty() => {
            Effect::log(Level::Debug, format!("{what} ended well"))
        }
        (_, Ending::Exited(0)) => Effect::log(Level::Info, format!("{what} ended well{said}")),
        (_, Ending::Exited(status)) => {
            Effect::log(Level::Err, format!("{what} failed with status {status}{said}"))
        }
        (_, Ending::Killed(signal)) => {
            Effect::log(Level::Err, format!("{what} was killed by signal {signal}{said}"))
        }
        (_, Ending::NotStarted(why)) => {
            Effect::log(Level::Err, format!("{what} could not be started: {why}"))
        }
    }
}
