//! Every sequence of up to six events, for a handful of periods: what must hold whatever happens.

use super::*;
use crate::nouns::AlertKind;

const LENGTH: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    FailA,
    FailB,
    Ok,
    Ack,
    /// Disables, or enables again.
    Switch,
    Time,
}

const ALPHABET: [Letter; 6] =
    [Letter::FailA, Letter::FailB, Letter::Ok, Letter::Ack, Letter::Switch, Letter::Time];

const SERVICES: [&str; 8] = [
    "period\nalert a\nupalert u\nackalert k\ndisablealert d",
    "period\nalert a\nupalert u\nnumalerts 2\nalertevery 10m",
    "period\nalert a\nupalert u\nno_comp_alerts\nalertafter 2\nackalert k",
    "unack_summary yes\nperiod\nalert a\nupalert u\nalertevery 10m strict\nnumalerts 1\nackalert k",
    "period x: hr {0-1}\nalert a\nupalert u\nalertafter 2 15m\nperiod y: hr {1-5}\nalert a\nupalert u\nalertafter 5m",
    "redistribute r\nperiod\nalert a\nalertevery 10m ignore_summary\nperiod min {0-39}\nalert a\nupalert u\nupalertafter 9m",
    "unack_summary yes\nperiod\nalert a\nupalert u\nno_comp_alerts\nnumalerts 1\nalertevery 30m observe_detail",
    "period all:\nalert exit=2 a\nupalert u\nperiod some:\nalert a\nalertexitrange 2\nnumalerts 2\nno_comp_alerts\nupalert u",
];

/// What an observer knows who only sees events and alerts.
#[derive(Clone)]
struct Observer {
    failures: u64,
    in_a_row: u32,
    last_result_failed: bool,
    acked: bool,
    disabled: bool,
    periods: Vec<Seen>,
}

#[derive(Clone, Default)]
struct Seen {
    /// Counted alerts of all kinds since the last success.
    counted: u32,
    /// Upalerts since the last alert.
    upalerts: u32,
}

#[test]
fn every_sequence_of_six_events_keeps_the_invariants() {
    let mut decisions = 0u64;
    for lines in SERVICES {
        let story = Story::of(lines);
        let observer = Observer {
            failures: 0,
            in_a_row: 0,
            last_result_failed: false,
            acked: false,
            disabled: false,
            periods: vec![Seen::default(); story.service.periods.len()],
        };
        explore(&story, &observer, &mut Vec::new(), &mut decisions);
    }
    assert_eq!(decisions, 8 * (6 + 36 + 216 + 1296 + 7776 + 46656));
}

fn explore(story: &Story, observer: &Observer, path: &mut Vec<Letter>, decisions: &mut u64) {
    if path.len() == LENGTH {
        return;
    }
    for letter in ALPHABET {
        let (mut story, mut observer) = (story.clone(), observer.clone());
        path.push(letter);
        *decisions += 1;
        // Every event takes a minute, so that two of them are never at one time.
        let span = if letter == Letter::Time { 600 } else { 60 };
        story.now = moment(story.now.wall + span);
        if let Some(event) = event_of(letter, &story.state) {
            story.last = None;
            story.happen(&event);
            observer.see(&story, &event, path);
        }
        observer.switch(letter, &mut story.state);
        explore(&story, &observer, path, decisions);
        path.pop();
    }
}

fn event_of(letter: Letter, state: &ServiceState) -> Option<Event> {
    match letter {
        Letter::FailA => Some(result(Source::Monitor, 1, "a\n")),
        Letter::FailB => Some(result(Source::Monitor, 2, "b\n")),
        Letter::Ok => Some(result(Source::Monitor, 0, "")),
        // The engine refuses an ack of a service that does not fail.
        Letter::Ack => (state.opstatus == OpStatus::Fail).then(|| Event::Ack("known".into())),
        Letter::Switch => (!state.disabled).then(|| Event::Disable("operator".into())),
        Letter::Time => None,
    }
}

impl Observer {
    fn switch(&mut self, letter: Letter, state: &mut ServiceState) {
        if letter == Letter::Switch {
            state.disabled = !state.disabled;
            self.disabled = state.disabled;
        }
    }

    fn see(&mut self, story: &Story, event: &Event, path: &[Letter]) {
        let decision = story.last.as_ref().expect("something happened");
        self.one_verdict_for_each_period(story, decision, path);
        self.note_event(event, decision);
        if let Some(occasion) = &decision.occasion {
            for Firing { period, .. } in &decision.firing {
                self.note_alert(story, *period, occasion.kind, path);
            }
        }
        if matches!(event, Event::Result { exit: 0, .. }) {
            self.acked = false;
            self.periods.iter_mut().for_each(|seen| seen.counted = 0);
        }
        self.books_agree(story, path);
    }

    fn one_verdict_for_each_period(&self, story: &Story, decision: &Decision, path: &[Letter]) {
        let periods = story.service.periods.len();
        let verdicts = if decision.occasion.is_some() { periods } else { 0 };
        assert_eq!(decision.verdicts.len(), verdicts, "a verdict for every period: {path:?}");
        let sent =
            (0..).zip(&decision.verdicts).filter(|(_, v)| **v == Verdict::Send).map(|(index, _)| index);
        let fired = decision.firing.iter().map(|firing| firing.period);
        assert!(sent.eq(fired), "who sends fires, and nobody else: {path:?}");
    }

    fn note_event(&mut self, event: &Event, decision: &Decision) {
        match event {
            Event::Result { exit: 0, .. } => {
                (self.in_a_row, self.last_result_failed) = (0, false);
            }
            Event::Result { .. } => {
                self.failures += 1;
                self.in_a_row = if decision.unacked { 1 } else { self.in_a_row + 1 };
                self.last_result_failed = true;
                self.acked &= !decision.unacked;
            }
            Event::Ack(_) => self.acked = true,
            Event::Startup | Event::Disable(_) => {}
        }
    }

    fn note_alert(&mut self, story: &Story, index: usize, kind: AlertKind, path: &[Letter]) {
        let period = &story.service.periods[index];
        let seen = &mut self.periods[index];
        assert!(!self.disabled, "no alert while disabled: {path:?}");
        if kind == AlertKind::Up {
            assert!(seen.counted > 0 || period.no_comp_alerts, "an upalert without its alert: {path:?}");
            seen.upalerts += 1;
            assert_eq!(seen.upalerts, 1, "one upalert for an outage: {path:?}");
            return;
        }
        if kind.is_failure() {
            assert!(!self.acked, "no failure alert while acked: {path:?}");
            let most = period.numalerts.unwrap_or(u32::MAX);
            assert!(seen.counted < most, "at most numalerts between successes: {path:?}");
            assert!(period.spec.contains(&story.now.civil), "alerts stay in their period: {path:?}");
        }
        seen.counted += 1;
        seen.upalerts = 0;
    }

    fn books_agree(&self, story: &Story, path: &[Letter]) {
        let state = &story.state;
        assert_eq!(state.failure_count, self.failures, "{path:?}");
        assert_eq!(state.consec_failures, self.in_a_row, "{path:?}");
        assert_eq!(state.opstatus == OpStatus::Fail, self.last_result_failed, "{path:?}");
        assert_eq!(state.ack.is_some(), self.acked, "{path:?}");
        let now = story.now.wall;
        let first = state.first_failure.unwrap_or(0);
        assert!(first <= state.last_failure && state.last_failure <= now, "{path:?}");
        assert_eq!(first != 0, self.last_result_failed, "an outage has a beginning: {path:?}");
        assert_eq!(state.failure_output.is_some(), self.last_result_failed, "{path:?}");
        for (seen, period) in self.periods.iter().zip(&state.periods) {
            assert_eq!(period.alert_sent, seen.counted, "{path:?}");
            assert!(period.last_alert.unwrap_or(0) <= now, "{path:?}");
            assert!(period.first_fail_time.unwrap_or(0) <= now, "{path:?}");
            assert!(u64::from(period.fail_count) <= self.failures, "{path:?}");
        }
    }
}
