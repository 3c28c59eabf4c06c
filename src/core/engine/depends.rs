//! Dependencies between services: may the monitor run, may the alert go out, which hosts are explained.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::effect::{Effect, Level};
use super::{Engine, Slot};
use crate::config::{DepBehavior, Dependency, Service};
use crate::depend::{EvalError, names_in};
use crate::nouns::{Now, OpStatus, Wall};
use crate::schedule::{ServiceId, Timer};

/// Which of a service's dependencies is asked: recursion stays within one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alert,
    Monitor,
}

/// Why a dependency has no answer. The service is then held back, and its `depstatus` stays as it was.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    TooDeep,
    Broken(String),
}

impl Engine {
    /// Brings `depstatus` up to date before alerts are decided.
    pub(super) fn update_alert_dependency(&mut self, id: ServiceId, now: &Now, out: &mut Vec<Effect>) {
        self.evaluate(id, Kind::Alert, &Cell::new(None), now, out);
    }

    /// Whether the monitor may run as far as other services are concerned.
    pub(super) fn monitor_may_run(&mut self, id: ServiceId, now: &Now, out: &mut Vec<Effect>) -> bool {
        let remembered_until = Cell::new(None);
        let may_run = self.evaluate(id, Kind::Monitor, &remembered_until, now, out);
        if let (false, Some(until)) = (may_run, remembered_until.get()) {
            // No event will tell that dep_memory is over.
            let wait = Duration::from_secs(until.saturating_sub(now.wall).max(0) as u64 + 1);
            self.schedule.set(id, Timer::Run, now.mono + wait);
        }
        may_run
    }

    /// The same, asked only.
    pub(super) fn is_free_to_run(&self, id: ServiceId, now: &Now) -> bool {
        let Some(dependency) = dependency_of(&self.slot(id).service, Kind::Monitor) else { return true };
        self.is_good(dependency, Kind::Monitor, 0, &Cell::new(None), now).unwrap_or(false)
    }

    fn evaluate(
        &mut self,
        id: ServiceId,
        kind: Kind,
        remembered_until: &Cell<Option<Wall>>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) -> bool {
        let slot = self.slot(id);
        let Some(dependency) = dependency_of(&slot.service, kind) else { return true };
        match self.is_good(dependency, kind, 0, remembered_until, now) {
            Ok(good) => {
                self.slot_mut(id).state.depend_status = Some(good);
                good
            }
            Err(trouble) => {
                let why = match trouble {
                    Trouble::TooDeep => "recursion too deep".to_owned(),
                    Trouble::Broken(why) => why,
                };
                let Slot { group, service, .. } = slot;
                let text = format!(
                    "dependency of {group}/{} cannot be evaluated: {why}: {}",
                    service.name, dependency.text
                );
                out.push(Effect::log(Level::Notice, text));
                false
            }
        }
    }

    fn is_good(
        &self,
        dependency: &Dependency,
        kind: Kind,
        depth: u32,
        remembered_until: &Cell<Option<Wall>>,
        now: &Now,
    ) -> Result<bool, Trouble> {
        if depth > self.settings.dep_recur_limit {
            return Err(Trouble::TooDeep);
        }
        let expr = dependency.expr.as_ref().map_err(|error| Trouble::Broken(error.to_string()))?;
        let answer = expr.evaluate(&mut |group: &str, service: &str| {
            // An unknown service is never good, as in the original.
            let Some(id) = self.find(group, service) else { return Ok(false) };
            let slot = self.slot(id);
            let parents_good = match dependency_of(&slot.service, kind) {
                Some(dependency) => self.is_good(dependency, kind, depth + 1, remembered_until, now)?,
                None => true,
            };
            Ok(parents_good
                && slot.state.opstatus.is_success()
                && !remembers_failure(slot, remembered_until, now))
        });
        answer.map_err(|error| match error {
            EvalError::Lookup(trouble) => trouble,
            EvalError::DivisionByZero => Trouble::Broken("division by zero".to_owned()),
        })
    }

    /// Whether alerts may go out as far as other services are concerned; `None` where that is unknown.
    pub(super) fn alert_dependency_now(&self, id: ServiceId, now: &Now) -> Option<bool> {
        let slot = self.slot(id);
        let Some(dependency) = dependency_of(&slot.service, Kind::Alert) else {
            return slot.state.depend_status;
        };
        self.is_good(dependency, Kind::Alert, 0, &Cell::new(None), now).ok().or(slot.state.depend_status)
    }

    /// The dependency of a service's alerts, and which services in it are not good.
    pub(super) fn alert_dependency_culprits(
        &self,
        id: ServiceId,
        now: &Now,
    ) -> Option<(&Dependency, Vec<(&str, &str)>)> {
        let dependency = dependency_of(&self.slot(id).service, Kind::Alert)?;
        let mut good = |group: &str, service: &str| -> Result<bool, Trouble> {
            let Some(id) = self.find(group, service) else { return Ok(false) };
            let slot = self.slot(id);
            let own = slot.state.opstatus.is_success() && !remembers_failure(slot, &Cell::new(None), now);
            Ok(own && self.alert_dependency_now(id, now) != Some(false))
        };
        let culprits = dependency.expr.as_ref().ok().and_then(|expr| expr.culprits(&mut good).ok());
        Some((dependency, culprits.unwrap_or_default()))
    }

    /// Summaries of the failing services that explain why a host of this one does not answer.
    pub(super) fn failing_summaries(&self, id: ServiceId) -> Vec<Arc<str>> {
        let service = &self.slot(id).service;
        let Some(depends) = service.depends.as_deref() else { return Vec::new() };
        let by_host = match service.dep_behavior {
            DepBehavior::Hosts => depends.depend.as_ref().or(depends.hostdepend.as_ref()),
            DepBehavior::Alerts | DepBehavior::Monitors => depends.hostdepend.as_ref(),
        };
        let Some(dependency) = by_host else { return Vec::new() };
        // One name that is not there spoils the rest, as in the original.
        let ids: Option<Vec<ServiceId>> =
            names_in(&dependency.text).map(|(group, service)| self.find(group, service)).collect();
        ids.into_iter().flatten().filter_map(|id| failing_summary(self.slot(id))).collect()
    }
}

fn failing_summary(slot: &Slot) -> Option<Arc<str>> {
    (slot.state.opstatus == OpStatus::Fail).then(|| slot.state.last_summary.clone()).flatten()
}

fn dependency_of(service: &Service, kind: Kind) -> Option<&Dependency> {
    let depends = service.depends.as_deref()?;
    let (behavior, own) = match kind {
        Kind::Alert => (DepBehavior::Alerts, &depends.alertdepend),
        Kind::Monitor => (DepBehavior::Monitors, &depends.monitordepend),
    };
    depends.depend.as_ref().filter(|_| service.dep_behavior == behavior).or(own.as_ref())
}

/// `dep_memory`: a failure counts for a while after the recovery.
fn remembers_failure(slot: &Slot, remembered_until: &Cell<Option<Wall>>, now: &Now) -> bool {
    let Some(memory) = slot.service.dep_memory else { return false };
    let until = slot.state.last_failure_time.saturating_add(memory.whole_secs());
    let remembers = slot.state.last_failure_time != 0 && now.wall <= until;
    if remembers && slot.state.opstatus.is_success() {
        remembered_until.set(Some(remembered_until.get().map_or(until, |sooner| sooner.min(until))));
    }
    remembers
}
