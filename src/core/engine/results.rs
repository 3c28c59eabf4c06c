//! Something happened to a service: decide, record, tell.

use std::sync::Arc;

use super::effect::{Effect, Level, LogFile};
use super::event::Trap;
use super::fact::Known;
use super::{Engine, Slot};
use crate::decision::{self, Decision, Downtime, Event as Happening, Source, Suppression, Verdict};
use crate::nouns::{Now, OpStatus};
use crate::schedule::{ServiceId, Timer};
use crate::text;
use crate::timeval::Timeval;

impl Engine {
    /// Decides about what happened to a service and does what follows from it.
    ///
    /// `intended` names the service that a trap was meant for, where the default service caught it.
    pub(super) fn happen(
        &mut self,
        id: ServiceId,
        happening: &Happening,
        intended: Option<&str>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if matches!(happening, Happening::Result { .. }) {
            self.slot_mut(id).reloaded = false;
            self.update_alert_dependency(id, now, out);
        }
        let circumstances = self.circumstances(id);
        let slot = &mut self.services[id as usize];
        let before = (slot.state.opstatus, slot.state.exitval);
        let known = Known::of(slot);
        let state = std::mem::take(&mut slot.state);
        let interval = state.interval(&slot.service);
        let mut decision = decision::decide(&slot.service, state, happening, circumstances, now);
        slot.state = std::mem::take(&mut decision.state);
        self.record_happening(id, happening, &known, out);
        self.note_decision(id, &decision, before.0, now, out);
        self.status_changed(id, before.0, now, out);
        let Decision { occasion, firing, verdicts, redistribute, downtime, .. } = decision;
        if let Happening::Result { exit, .. } = happening {
            self.record_result(id, *exit, before, now, out);
        }
        if let Some(downtime) = &downtime {
            self.record_downtime(id, downtime, interval, now, out);
        }
        self.note_status(id, before.0, out);
        self.log_silence(id, &verdicts, out);
        if let Some(occasion) = &occasion {
            self.note_verdicts(id, occasion.kind, verdicts, out);
            if redistribute {
                self.redistribute(id, occasion, intended, now, out);
            }
            self.fire(id, occasion, &firing, intended, now, out);
        }
        let slot = self.slot(id);
        if slot.is_depended_on && slot.state.opstatus.is_success() != before.0.is_success() {
            self.run_those_held(now, out);
        }
    }

    /// The failure history, and a line in the log: for each failure, and whenever the status changed.
    fn record_result(
        &mut self,
        id: ServiceId,
        exit: i64,
        before: (OpStatus, Option<i64>),
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let slot = self.slot(id);
        let summary = slot.state.last_summary.as_deref().unwrap_or_default();
        if exit != 0 {
            let line: Arc<str> =
                format!("{} {} {} {summary}", slot.group, slot.service.name, now.wall).into();
            out.push(Effect::log(Level::Crit, format!("failure for {line}")));
            self.failure_history.push(line);
        } else if before.0 != OpStatus::Ok {
            let text =
                format!("{}/{} is ok (was {}) {summary}", slot.group, slot.service.name, before.0.word());
            out.push(Effect::log(Level::Info, text));
        }
    }

    /// A line of the downtime log: up at, group, service, failing since, seconds, interval, summary.
    fn record_downtime(
        &self,
        id: ServiceId,
        downtime: &Downtime,
        interval: Option<Timeval>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if !self.settings.dtlogging {
            return;
        }
        let Slot { group, service, .. } = self.slot(id);
        let Downtime { first_failure, seconds, summary } = downtime;
        let interval = interval.map_or_else(|| "0".to_owned(), |interval| interval.to_string());
        let summary = summary.as_deref().unwrap_or_default();
        let line =
            format!("{} {group} {} {first_failure} {seconds} {interval} {summary}", now.wall, service.name);
        out.push(Effect::Append { log: LogFile::Downtime, line });
    }

    fn log_silence(&self, id: ServiceId, verdicts: &[Verdict], out: &mut Vec<Effect>) {
        let slot = self.slot(id);
        for (period, verdict) in slot.service.periods.iter().zip(verdicts) {
            // Being outside a period, or having nobody to call in it, is no news.
            if let Verdict::Suppressed(reason) = verdict
                && !matches!(reason, Suppression::OutsidePeriod | Suppression::NoAlertLine)
            {
                let text =
                    format!("{}/{}/{}: no alert: {reason}", slot.group, slot.service.name, period.label);
                out.push(Effect::log(Level::Debug, text));
            }
        }
    }

    /// Sets a status without a result: by hand, or because the time of a trap is over.
    pub(super) fn set_opstatus(&mut self, id: ServiceId, status: OpStatus, now: &Now, out: &mut Vec<Effect>) {
        let slot = self.slot_mut(id);
        let before = slot.state.opstatus;
        slot.state.set_opstatus(status);
        let is_depended_on = slot.is_depended_on;
        self.record_status(id, before, out);
        self.note_status(id, before, out);
        self.status_changed(id, before, now, out);
        if is_depended_on {
            self.run_those_held(now, out);
        }
    }

    /// Where the service begins to fail, or ceases to, what is still to be told of the time before is over.
    fn status_changed(&mut self, id: ServiceId, before: OpStatus, now: &Now, out: &mut Vec<Effect>) {
        let after = self.slot(id).state.opstatus;
        if before.is_failure() != after.is_failure() {
            let why = if after.is_failure() { "it fails again" } else { "the failure is over" };
            self.alerts_are_over(&self.key(id), why, now, out);
        }
    }

    pub(super) fn trap_received(&mut self, trap: Trap, now: &Now, out: &mut Vec<Effect>) {
        let Some((id, intended)) = self.service_of_trap(&trap, now, out) else { return };
        let schedule_time = self.schedule_time(now.mono);
        let slot = self.slot_mut(id);
        slot.state.last_trap = now.wall;
        let (timeout, duration) = (slot.service.traptimeout, slot.service.trapduration);
        for (timer, span) in [(Timer::TrapTimeout, timeout), (Timer::TrapDuration, duration)] {
            if let Some(span) = span {
                self.schedule.set(id, timer, schedule_time + span.duration());
            }
        }
        let Trap { from, kind, group, service, status, output } = trap;
        let text =
            format!("trap {} from {from} grp={group} svc={service}, sta={status}", text::cut(&kind, 100));
        self.chatter.log(from, Level::Info, text, now, out);
        let happening = Happening::Result { source: Source::Trap, exit: status, output };
        self.happen(id, &happening, intended.as_deref(), now, out);
    }

    /// The service that takes a trap: its own, or one of the watch `default` where its group is unknown.
    fn service_of_trap(
        &mut self,
        trap: &Trap,
        now: &Now,
        out: &mut Vec<Effect>,
    ) -> Option<(ServiceId, Option<String>)> {
        let is_watched = |group: &str| self.groups.get(group).is_some_and(|group| group.watched);
        let astray = !is_watched(&trap.group) && is_watched("default");
        let group = if astray { "default" } else { trap.group.as_str() };
        let mut id = self.find(group, &trap.service);
        if id.is_none() && group == "default" {
            id = self.find("default", "default");
        }
        let Some(id) = id else {
            let (group, service) = (text::cut(&trap.group, 100), text::cut(&trap.service, 100));
            let text = format!("trap from {} for unknown service {group}/{service} dropped", trap.from);
            self.chatter.log(trap.from, Level::Err, text, now, out);
            return None;
        };
        Some((id, astray.then(|| format!("{}:{}", trap.group, trap.service))))
    }

    pub(super) fn trap_timed_out(&mut self, id: ServiceId, now: &Now, out: &mut Vec<Effect>) {
        let Some(timeout) = self.slot(id).service.traptimeout else { return };
        self.schedule.set(id, Timer::TrapTimeout, now.mono + timeout.duration());
        let output = format!("trap timeout\ntrap timeout after {timeout}s at {}\n", now.civil).into();
        let happening = Happening::Result { source: Source::TrapTimeout, exit: 1, output };
        self.happen(id, &happening, None, now, out);
    }
}
