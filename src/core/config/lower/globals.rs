//! `name = value` lines.

use std::sync::Arc;

use super::super::ast::{Span, Statement};
use super::super::diagnostic::Severity;
use super::super::model::{DepBehavior, Globals, Located};
use super::super::refusal::{
    self, ALERT_TIMEOUT_GLOBAL, CLTIMEOUT, DEP_MEMORY, HISTORICTIME, HISTORYKEEP, RANDSTART, TimeSyntax,
};
use super::super::values;
use super::super::words;
use super::{Lowering, lint};
use crate::period::{Period, Validity};
use crate::timeval::Timeval;

impl Lowering<'_> {
    pub(super) fn global(&mut self, statement: &Statement) {
        let (name, value) = (self.slice(statement.name), self.slice(statement.rest));
        self.global_again(statement, name);
        lint::joined_global(statement, self.source, &mut self.sink);
        lint::global_address(statement, self.source, &mut self.sink);
        lint::authtypes(statement, self.source, &mut self.sink);
        lint::odd_flag(name, value, statement, &mut self.sink);
        match name {
            "randstart" => self.config.globals.randstart = self.global_time(statement, &RANDSTART),
            "historictime" => self.config.globals.historictime = self.time_or_zero(statement, &HISTORICTIME),
            "historykeep" => self.historykeep(statement),
            "cltimeout" => self.config.globals.cltimeout = self.global_time(statement, &CLTIMEOUT),
            "dep_memory" => self.defaults.dep_memory = self.global_time(statement, &DEP_MEMORY),
            "dep_behavior" => {
                self.defaults.dep_behavior = self.dep_behavior(statement, "").unwrap_or_default();
            }
            "unack_summary" => {
                self.defaults.unack_summary = self.unack_summary(statement).unwrap_or_default()
            }
            "authfile" => self.config.globals.authfile = Some(self.located(statement)),
            "userfile" => self.config.globals.userfile = Some(self.located(statement)),
            "dtlogging" => self.config.globals.dtlogging = values::dtlogging(value),
            "startupalerts_on_reset" => {
                self.config.globals.startupalerts_on_reset = values::startupalerts_on_reset(value);
            }
            "exclude_period" => {
                self.config.globals.exclude_period = self.exclude_period(statement);
            }
            "alert_timeout" => {
                self.config.globals.alert_timeout =
                    self.positive_time(statement, statement.rest, &ALERT_TIMEOUT_GLOBAL);
            }
            "histlength" | "maxprocs" | "dep_recur_limit" | "serverport" | "trapport" => {
                self.number(statement, name)
            }
            _ => self.text_global(statement, name),
        }
    }

    /// `dep_behavior` and its like are for the services that follow, and may change on the way.
    fn global_again(&mut self, statement: &Statement, name: &str) {
        if !matches!(name, "dep_behavior" | "dep_memory" | "unack_summary") && words::GLOBALS.contains(&name)
        {
            let name = self.texts.text(name);
            if let Some(before) = self.notes.global(&name, statement.line) {
                lint::global_again(&name, before, statement, &mut self.sink);
            }
        }
    }

    fn text_global(&mut self, statement: &Statement, name: &str) {
        let value = self.text(statement.rest);
        match text_slot(&mut self.config.globals, name) {
            Some(slot) => *slot = Some(value),
            // Looking for the nearest name takes long, if a file has a million unknown ones.
            None if self.sink.is_full(Severity::Error) => {}
            None => {
                let complaint = lint::stray_environment(&self.notes, name)
                    .into_iter()
                    .fold(refusal::unknown_variable(name), |complaint, help| complaint.help(help));
                self.refuse(statement.name, statement.line, complaint);
            }
        }
    }

    /// Ours alone, so it may count in weeks too.
    fn historykeep(&mut self, statement: &Statement) {
        let value = self.slice(statement.rest);
        let span = values::long_time(value);
        if span.is_none() {
            let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
            self.refuse(place, statement.line, refusal::bad_time(&HISTORYKEEP, value));
        }
        self.config.globals.historykeep = span;
    }

    /// The original stores any text and computes with it later, as Perl does: leading digits, or else zero.
    fn number(&mut self, statement: &Statement, name: &str) {
        let value = self.slice(statement.rest);
        let (number, whole) = values::leading_number(value);
        let port = matches!(name, "serverport" | "trapport");
        if !whole || number < 0 || (port && number > i64::from(u16::MAX)) {
            let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
            self.sink.warn(place, statement.line, lint::not_a_number(name, value, number));
        }
        let natural = usize::try_from(number).unwrap_or(0);
        let globals = &mut self.config.globals;
        match name {
            "histlength" => globals.histlength = Some(natural),
            "maxprocs" => globals.maxprocs = (natural > 0).then_some(natural),
            "dep_recur_limit" => globals.dep_recur_limit = Some(u32::try_from(natural).unwrap_or(u32::MAX)),
            // Perl packs the lowest 16 bits of any number into the address.
            "serverport" => globals.serverport = Some(number as u16),
            _ => globals.trapport = Some(number as u16),
        }
    }

    fn global_time(&mut self, statement: &Statement, syntax: &TimeSyntax) -> Option<Timeval> {
        let time = self.time_or_zero(statement, syntax);
        if let Some(complaint) = lint::global_time(self.slice(statement.name), time) {
            self.sink.warn(statement.rest, statement.line, complaint);
        }
        time
    }

    fn located(&mut self, statement: &Statement) -> Located {
        let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
        let range = self.source.in_file(place);
        let span = (range.start as u32, range.end as u32);
        Located { value: self.text(statement.rest), span, line: statement.line }
    }

    /// `syntax` is what the original adds to its complaint.
    pub(super) fn dep_behavior(&mut self, statement: &Statement, syntax: &str) -> Option<DepBehavior> {
        match self.slice(statement.rest) {
            "a" => Some(DepBehavior::Alerts),
            "m" => Some(DepBehavior::Monitors),
            "hm" => Some(DepBehavior::Hosts),
            value => {
                let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
                self.refuse(place, statement.line, refusal::bad_dep_behavior(value, syntax));
                None
            }
        }
    }

    pub(super) fn unack_summary(&mut self, statement: &Statement) -> Option<bool> {
        let value = self.slice(statement.rest);
        let flag = values::yes_or_no(value);
        if flag.is_none() {
            let place = if statement.rest.is_empty() { statement.text } else { statement.rest };
            self.refuse(place, statement.line, refusal::bad_unack_summary(value));
        }
        flag
    }

    /// A period without runs. An empty one, which would be always, excludes nothing in the original.
    pub(super) fn exclude_period(&mut self, statement: &Statement) -> Option<Arc<Period>> {
        lint::read_as_another(statement, self.source, &mut self.sink);
        lint::scale_twice(statement, self.source, &mut self.sink);
        (!statement.rest.is_empty()).then(|| self.period_spec(statement, statement.rest, "exclude_period"))
    }

    /// The specification at `span`, for `keyword` (`period` or `exclude_period`).
    pub(super) fn period_spec(&mut self, statement: &Statement, span: Span, keyword: &str) -> Arc<Period> {
        let text = self.slice(span);
        let (period, validity) = self.specs.spec(text);
        let problem = period.problems().first();
        let place = problem.map_or(span, |problem| span.part(problem.span.start, problem.span.end));
        let reason = problem.map(|problem| problem.message.as_str());
        match validity {
            Validity::Always => {}
            Validity::Sometimes => {
                self.sink.warn(place, statement.line, lint::period_sometimes_invalid(text, reason))
            }
            Validity::Never => {
                let complaint = refusal::malformed_period(keyword, text, reason);
                self.sink.error(if place.is_empty() { span } else { place }, statement.line, complaint);
            }
        }
        period
    }
}

/// Where the text of a global is kept; `None` for a name that is none.
fn text_slot<'g>(globals: &'g mut Globals, name: &str) -> Option<&'g mut Option<Arc<str>>> {
    Some(match name {
        "alertdir" => &mut globals.alertdir,
        "mondir" => &mut globals.mondir,
        "basedir" => &mut globals.basedir,
        "cfbasedir" => &mut globals.cfbasedir,
        "logdir" => &mut globals.logdir,
        "statedir" => &mut globals.statedir,
        "serverbind" => &mut globals.serverbind,
        "trapbind" => &mut globals.trapbind,
        "clientallow" => &mut globals.clientallow,
        "pidfile" => &mut globals.pidfile,
        "authtype" => &mut globals.authtype,
        "pamservice" => &mut globals.pamservice,
        "historicfile" => &mut globals.historicfile,
        "monerrfile" => &mut globals.monerrfile,
        "dtlogfile" => &mut globals.dtlogfile,
        "syslog_facility" => &mut globals.syslog_facility,
        "monremote" => &mut globals.monremote,
        _ => return None,
    })
}
