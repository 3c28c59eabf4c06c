//! Alert programs followed to their end: time limits, further tries, and when those are given up.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::alerts::AlertId;
use super::attempts::{self, Attempt, Outcome};
use super::effect::{Effect, Level, Stop};
use super::errands::{Errand, LineKey, LineResult, Stage};
use super::event::Ending;
use crate::config::CommandLine;
use crate::nouns::{Now, ServiceKey};
use crate::schedule::ServiceId;
use crate::timeval::Timeval;

/// `alert_timeout` where mon.cf does not set it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// A program that is told to end has this long; then it is killed, and then written off.
const GRACE: Duration = Duration::from_secs(5);
/// Retries that are named in the log when the daemon ends.
const MOST_NAMED: usize = 20;

/// What is told of a call in the book, as far as it differs from call to call.
pub(super) struct Told<'a> {
    pub(super) kind: &'static str,
    pub(super) alert: &'a str,
    pub(super) command: &'a CommandLine,
    pub(super) period: Option<Arc<str>>,
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
        (ending, signalled): (&Ending, bool),
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
            Stage::Ending { given_up } | Stage::Killed { given_up } if signalled => ended_by_us(given_up),
            _ => Outcome::of(ending),
        };
        out.push(ending_for_log(errand, &outcome, ending, last_words));
        out.push(Effect::alert_is_over(id, ending, &words_for_record(&outcome, last_words)));
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
        let (service, fact) = (Some(errand.service.clone()), again.called.clone().again(id));
        out.push(Effect::Record { service, fact });
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

/// What the record says of a program's last words; the signal alone does not tell who sent it.
fn words_for_record(outcome: &Outcome, last_words: &str) -> String {
    let why = match outcome {
        Outcome::TimedOut => "ended after alert_timeout",
        Outcome::GivenUp => "ended, as what it had to tell was over",
        _ => return last_words.to_owned(),
    };
    if last_words.is_empty() { why.to_owned() } else { format!("{why}: {last_words}") }
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
