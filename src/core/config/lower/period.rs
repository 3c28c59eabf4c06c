//! `period [LABEL:] [SPEC]` and the lines below it.

use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::model::{
    AlertEvery, AlertEveryUnless, AlertKeyword, AlertLine, AlertRetry, ExitRange, Period, PeriodRule,
    RuleLines,
};
use super::super::parse::period_label;
use super::super::refusal::{self, ALERT_TIMEOUT, ALERTAFTER, ALERTEVERY, ALERTRETRY, UPALERTAFTER};
use super::super::values::{self, count, exit_range};
use super::{Lowering, lint};
use crate::timeval::{self, Timeval};

/// How long `alertretry` waits before its first try, where it names no time.
const DEFAULT_RETRY_PAUSE: Option<Timeval> = Timeval::from_secs(30);

/// A period that more lines may still be added to.
pub(super) struct OpenPeriod {
    period: Period,
    alerts: Vec<AlertLine>,
}

impl OpenPeriod {
    pub(super) fn close(mut self) -> Period {
        self.period.alerts = self.alerts.into_boxed_slice();
        self.period
    }
}

impl Lowering<'_> {
    pub(super) fn period(&mut self, statement: &Statement) {
        let Some(service) = self.open_service(statement) else { return };
        service.close_period();
        let arguments = self.slice(statement.rest);
        let (label, spec) = period_label(arguments);
        let label = self.texts.text(label);
        self.check_label(statement, &label);
        let spec_at = statement.rest.part(arguments.len() - spec.len(), arguments.len());
        if !self.notes.is_brief() {
            lint::read_as_another(statement, self.source, &mut self.sink);
            lint::scale_twice(statement, self.source, &mut self.sink);
        }
        let spec = self.period_spec(statement, spec_at, "period");
        let period = Period {
            label,
            spec,
            alerts: Box::default(),
            alertevery: None,
            alertafter_count: None,
            alertafter_time: None,
            alertafter_within: None,
            upalertafter: None,
            numalerts: None,
            no_comp_alerts: false,
            alerts_dont_count: false,
            alertexitrange: None,
            alert_timeout: None,
            alertretry: None,
            line: statement.line,
            rule_lines: RuleLines::default(),
        };
        if let Some(open) = self.watch.as_mut().and_then(|watch| watch.service.as_deref_mut()) {
            open.period = Some(OpenPeriod { period, alerts: Vec::new() });
        }
    }

    fn check_label(&mut self, statement: &Statement, label: &Arc<str>) {
        let Some(watch) = &mut self.watch else { return };
        let Some(open) = &mut watch.service else { return };
        if !open.labels.insert(Arc::clone(label)) {
            let place = if label.is_empty() { statement.text } else { statement.rest.part(0, label.len()) };
            let complaint = refusal::period_defined_twice(label, &watch.group, &open.service.name);
            self.sink.error(place, statement.line, complaint);
        }
    }

    pub(super) fn period_setting(&mut self, statement: &Statement) {
        let value = self.slice(statement.rest);
        self.note_rule(statement, value);
        match self.slice(statement.name) {
            "alert" => self.alert(statement, AlertKeyword::Alert),
            "upalert" => self.alert(statement, AlertKeyword::Upalert),
            "startupalert" => self.alert(statement, AlertKeyword::Startupalert),
            "ackalert" => self.alert(statement, AlertKeyword::Ackalert),
            "disablealert" => self.alert(statement, AlertKeyword::Disablealert),
            "alertevery" => {
                let every = self.alertevery(statement);
                self.with_period(|open| open.period.alertevery = every);
            }
            "alertafter" => self.alertafter(statement),
            "upalertafter" => {
                let after = self.positive_time(statement, statement.rest, &UPALERTAFTER);
                self.with_period(|open| open.period.upalertafter = after);
            }
            "numalerts" => match count(value) {
                Some(number) => {
                    self.with_period(|open| open.period.numalerts = (number > 0).then_some(number))
                }
                None => self.refuse(place(statement), statement.line, refusal::invalid_numalerts(value)),
            },
            "no_comp_alerts" => self.with_period(|open| open.period.no_comp_alerts = true),
            "alerts_dont_count" => self.with_period(|open| open.period.alerts_dont_count = true),
            "alertexitrange" => match exit_range(value) {
                Some(range) => self.with_period(|open| open.period.alertexitrange = Some(range)),
                None => self.refuse(place(statement), statement.line, refusal::invalid_alertexitrange(value)),
            },
            "alert_timeout" => {
                let timeout = self.positive_time(statement, statement.rest, &ALERT_TIMEOUT);
                self.with_period(|open| open.period.alert_timeout = timeout);
            }
            "alertretry" => {
                let retry = self.alertretry(statement);
                self.with_period(|open| open.period.alertretry = retry);
            }
            _ => self.unknown_syntax(statement, true),
        }
    }

    /// Remembers the line of a rule, for those who ask why nobody was told.
    fn note_rule(&mut self, statement: &Statement, value: &str) {
        let rule = match self.slice(statement.name) {
            "alertafter" if count(value).is_some() => PeriodRule::AlertAfterCount,
            "alertafter" => PeriodRule::AlertAfterTime,
            "upalertafter" => PeriodRule::UpalertAfter,
            "numalerts" => PeriodRule::NumAlerts,
            "alertexitrange" => PeriodRule::ExitRange,
            "no_comp_alerts" => PeriodRule::NoCompAlerts,
            _ => return,
        };
        self.with_period(|open| open.period.note_line(rule, statement.line));
    }

    fn alert(&mut self, statement: &Statement, keyword: AlertKeyword) {
        let text = self.slice(statement.rest);
        let (exit, skip) = exit_prefix(text).map_or((None, 0), |(range, skip)| (Some(range), skip));
        let at = statement.rest.part(skip, text.len());
        if let Some(command) = self.command(statement, at) {
            self.with_period(|open| open.alerts.push(AlertLine { keyword, exit, command }));
        }
    }

    /// `alertevery TIMEVAL [WORD]`. The original takes the last word before a known one, and drops the others.
    fn alertevery(&mut self, statement: &Statement) -> Option<AlertEvery> {
        let text = self.slice(statement.rest);
        let (time, unless) = split_alertevery(text);
        let at = time.as_ptr() as usize - text.as_ptr() as usize;
        let interval =
            self.positive_time(statement, statement.rest.part(at, at + time.len()), &ALERTEVERY)?;
        Some(AlertEvery { interval, unless, line: statement.line })
    }

    fn alertafter(&mut self, statement: &Statement) {
        let text = self.slice(statement.rest);
        match parse_alertafter(text) {
            AlertAfter::Count(number) => self.with_period(|open| open.period.alertafter_count = Some(number)),
            AlertAfter::Time => {
                let time = self.positive_time(statement, statement.rest, &ALERTAFTER);
                self.with_period(|open| open.period.alertafter_time = time);
            }
            AlertAfter::Within(number, time) => self.alertafter_within(statement, number, time),
            AlertAfter::Invalid => {
                self.refuse(place(statement), statement.line, refusal::invalid_alertafter(text));
            }
        }
    }

    fn alertafter_within(&mut self, statement: &Statement, number: u32, time: Option<Timeval>) {
        let interval = self.watch.as_ref().and_then(|watch| watch.service.as_ref()?.service.interval);
        // Without an interval the original computes with zero: only a time of zero is then refused.
        let interval = interval.map_or(0.0, |interval| interval.duration().as_secs_f64());
        let window = time.map_or(0.0, |time| time.duration().as_secs_f64());
        if (f64::from(number) - 1.0) * interval >= window {
            let text = self.slice(statement.rest);
            self.refuse(place(statement), statement.line, refusal::alertafter_never(text));
        }
        self.with_period(|open| {
            open.period.alertafter_within = Some(number);
            open.period.alertafter_time = time;
        });
    }

    /// `alertretry N [TIMEVAL]`; 0 means none.
    fn alertretry(&mut self, statement: &Statement) -> Option<AlertRetry> {
        let text = self.slice(statement.rest);
        let words: Vec<&str> = values::words(text).collect();
        let (number, pause) = match words[..] {
            [number] => (count(number), DEFAULT_RETRY_PAUSE),
            [number, time] => {
                let at = time.as_ptr() as usize - text.as_ptr() as usize;
                let place = statement.rest.part(at, at + time.len());
                let pause = count(number).and_then(|_| self.positive_time(statement, place, &ALERTRETRY));
                if count(number).is_some() && pause.is_none() {
                    return None;
                }
                (count(number), pause)
            }
            _ => (None, None),
        };
        let Some(tries) = number else {
            self.refuse(place(statement), statement.line, refusal::invalid_alertretry(text));
            return None;
        };
        pause.filter(|_| tries > 0).map(|pause| AlertRetry { tries, pause })
    }

    fn with_period(&mut self, change: impl FnOnce(&mut OpenPeriod)) {
        let service = self.watch.as_mut().and_then(|watch| watch.service.as_deref_mut());
        if let Some(period) = service.and_then(|open| open.period.as_mut()) {
            change(period);
        }
    }
}

/// The arguments, or the whole line where there are none.
fn place(statement: &Statement) -> Span {
    if statement.rest.is_empty() { statement.text } else { statement.rest }
}

/// `exit=N[-M]` before the program, and where the program begins. The original matches the prefix with blanks
/// around `=`, too, but then takes what follows the first blank for the program.
fn exit_prefix(text: &str) -> Option<(ExitRange, usize)> {
    let after_word = text.get(..4).filter(|word| word.eq_ignore_ascii_case("exit")).map(|_| &text[4..])?;
    let value = after_word.trim_start_matches(timeval::is_blank).strip_prefix('=')?;
    let value = value.trim_start_matches(timeval::is_blank);
    let range = exit_range(&value[..value.find(timeval::is_blank)?])?;
    let first_word = text.find(timeval::is_blank)?;
    let program = text[first_word..].trim_start_matches(timeval::is_blank);
    Some((range, text.len() - program.len()))
}

/// The time of an `alertevery` line and what breaks its silence.
fn split_alertevery(text: &str) -> (&str, AlertEveryUnless) {
    // In the original's order. `summary` may have more letters and words behind it (compatibility with 0.38.21).
    let known = [
        ("observe_detail", true, AlertEveryUnless::OutputChanged),
        ("ignore_summary", true, AlertEveryUnless::Recovered),
        ("summary", false, AlertEveryUnless::SummaryChanged),
        ("strict", true, AlertEveryUnless::Never),
    ];
    let words: Vec<&str> = values::words(text).collect();
    for (word, at_end, unless) in known {
        let is_word = |candidate: &str| {
            let head = candidate.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
            head && (!at_end || candidate.len() == word.len())
        };
        let first = if at_end { words.len().saturating_sub(1).max(1) } else { 1 };
        if let Some(found) = (first..words.len()).find(|&i| is_word(words[i])) {
            return (words[found - 1], unless);
        }
    }
    (text, AlertEveryUnless::SummaryChanged)
}

enum AlertAfter {
    Count(u32),
    Time,
    Within(u32, Option<Timeval>),
    Invalid,
}

/// `N`, `TIME` or `N TIME`, the time in whole hours, minutes or seconds, in small letters.
fn parse_alertafter(text: &str) -> AlertAfter {
    if let Some(number) = count(text) {
        return AlertAfter::Count(number);
    }
    let words: Vec<&str> = values::words(text).collect();
    let is_time =
        |word: &str| word.strip_suffix(['h', 'm', 's']).is_some_and(|number| count(number).is_some());
    match words[..] {
        [time] if is_time(time) => AlertAfter::Time,
        [.., number, time] if is_time(time) => {
            // The original's expression is not anchored: `x3 1h` is 3 in one hour.
            let digits = number.len() - number.bytes().rev().take_while(u8::is_ascii_digit).count();
            match count(&number[digits..]) {
                Some(number) => AlertAfter::Within(number, timeval::parse(time).flatten()),
                None => AlertAfter::Invalid,
            }
        }
        _ => AlertAfter::Invalid,
    }
}
