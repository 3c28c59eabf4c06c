//! `get` and `set`: the variables of a service, as the original names them.

use super::Engine;
use super::answer::Answer;
use super::effect::Effect;
use crate::config::DepBehavior;
use crate::nouns::{Now, OpStatus};
use crate::schedule::{ServiceId, Timer};
use crate::timeval::{self, Timeval};

impl Engine {
    pub(super) fn get(&self, group: String, service: String, variable: String) -> Answer<'static> {
        match self.find(&group, &service) {
            None => Answer::NotDefined(group, service),
            Some(id) => Answer::Variable { key: self.key(id), value: self.variable(id, &variable), variable },
        }
    }

    /// The value of a service's variable as the original would show it; empty where it has none.
    fn variable(&self, id: ServiceId, name: &str) -> String {
        let slot = self.slot(id);
        let service = &slot.service;
        let span = |span: Option<Timeval>| span.map(|span| span.to_string());
        let depend = |pick: fn(&crate::config::Depends) -> &Option<crate::config::Dependency>| {
            let depends = service.depends.as_deref()?;
            pick(depends).as_ref().map(|depend| depend.text.to_string())
        };
        let value = match name {
            "service" => Some(service.name.to_string()),
            "interval" => span(slot.state.interval(service)),
            "failure_interval" => span(service.failure_interval),
            "randskew" => Some(span(service.randskew).unwrap_or_else(|| "0".to_owned())),
            "traptimeout" => span(service.traptimeout),
            "trapduration" => span(service.trapduration),
            "dep_memory" => Some(span(service.dep_memory).unwrap_or_else(|| "0".to_owned())),
            "dep_behavior" => Some(service.dep_behavior.word().to_owned()),
            "monitor" => service.monitor.as_ref().map(|monitor| monitor.text.to_string()),
            "redistribute" => service.redistribute.as_ref().map(|redistribute| redistribute.text.to_string()),
            "description" => service.description.as_deref().map(str::to_owned),
            "unack_summary" => Some(u8::from(service.unack_summary).to_string()),
            "exclude_period" => service.exclude_period.as_ref().map(|period| period.text().to_owned()),
            "disable" => slot.state.disabled.then(|| "1".to_owned()),
            "depend" => depend(|depends| &depends.depend),
            "alertdepend" => depend(|depends| &depends.alertdepend),
            "monitordepend" => depend(|depends| &depends.monitordepend),
            "hostdepend" => depend(|depends| &depends.hostdepend),
            _ => None,
        };
        value.unwrap_or_default()
    }

    pub(super) fn set(
        &mut self,
        group: String,
        service: String,
        variable: String,
        value: String,
        now: &Now,
        out: &mut Vec<Effect>,
    ) -> Answer<'static> {
        let Some(id) = self.find(&group, &service) else { return Answer::NotDefined(group, service) };
        if variable == "opstatus" {
            let Some(status) = OpStatus::from_word(&value) else { return Answer::UndefinedOpstatus };
            self.set_opstatus(id, status, now, out);
            return Answer::Set;
        }
        match self.set_variable(id, &variable, &value, now) {
            Ok(()) => {
                if matches!(variable.as_str(), "dep_behavior" | "dep_memory") {
                    self.mark_depended_on();
                    self.run_those_held(now, out);
                }
                Answer::VariableSet { key: self.key(id), variable, value }
            }
            Err(why) => Answer::CannotSet { variable, why },
        }
    }

    /// Changes a variable until the next reset.
    fn set_variable(
        &mut self,
        id: ServiceId,
        name: &str,
        value: &str,
        now: &Now,
    ) -> Result<(), &'static str> {
        let schedule_time = self.schedule_time(now.mono);
        let service = &mut self.slot_mut(id).service;
        match name {
            "interval" => {
                let interval = span_of(value)?.ok_or("an interval cannot be zero")?;
                service.interval = Some(interval);
                self.schedule.set(id, Timer::Run, schedule_time + interval.duration());
            }
            "failure_interval" => service.failure_interval = span_of(value)?,
            "randskew" => service.randskew = span_of(value)?,
            "traptimeout" => {
                service.traptimeout = span_of(value)?;
                match service.traptimeout {
                    Some(timeout) => {
                        self.schedule.set(id, Timer::TrapTimeout, schedule_time + timeout.duration())
                    }
                    None => self.schedule.cancel(id, Timer::TrapTimeout),
                }
            }
            "trapduration" => service.trapduration = span_of(value)?,
            "dep_memory" => service.dep_memory = span_of(value)?,
            "description" => service.description = Some(value.into()),
            "unack_summary" => {
                service.unack_summary = match value {
                    "1" | "y" | "yes" => true,
                    "0" | "n" | "no" => false,
                    _ => return Err("yes or no is wanted"),
                }
            }
            "dep_behavior" => {
                service.dep_behavior = match value {
                    "a" => DepBehavior::Alerts,
                    "m" => DepBehavior::Monitors,
                    "hm" => DepBehavior::Hosts,
                    _ => return Err("a, m or hm is wanted"),
                }
            }
            _ => return Err("there is no such variable, or it cannot be set"),
        }
        Ok(())
    }
}

/// A span in seconds, as the original takes it here, or as in mon.cf.
fn span_of(value: &str) -> Result<Option<Timeval>, &'static str> {
    let seconds = value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty();
    let spelled = if seconds { format!("{value}s") } else { value.to_owned() };
    timeval::parse(&spelled).ok_or("a number of seconds, or a time like 5m, is wanted")
}
