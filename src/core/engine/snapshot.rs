//! State that outlives the process: what is disabled, and what is known of each service.
//!
//! The field names and the meaning of their values are those of the original's state files, so that a file
//! written by either program loads in the other. `wire::statefile` spells the lines.

use std::sync::Arc;
use std::time::Duration;

use super::effect::{Effect, Level};
use super::{Engine, Slot};
use crate::config::Service;
use crate::decision::{Ack, PeriodState, ServiceState};
use crate::nouns::{Now, OpStatus};
use crate::schedule::{ServiceId, Timer};

/// A line of the `disabled` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disabled {
    /// A host, in every group that has it.
    Host(String),
    /// A watch.
    Watch(String),
    /// A service.
    Service(String, String),
}

/// A line of the `opstatus` file: names and values, in order. What is undefined is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSnapshot {
    /// Name of the watch.
    pub group: String,
    /// Name of the service.
    pub service: String,
    /// Names as in the file, `LABEL:NAME` for those of a period; values unescaped.
    pub fields: Vec<(String, String)>,
}

/// One field of a service: its name, how it is read off the state, how it is put back.
struct Field<S> {
    name: &'static str,
    get: fn(&S) -> String,
    set: fn(&mut S, &str) -> Option<()>,
}

const fn field<S>(
    name: &'static str,
    get: fn(&S) -> String,
    set: fn(&mut S, &str) -> Option<()>,
) -> Field<S> {
    Field { name, get, set }
}

/// In the order of the original's file. Two fields exist there and never hold anything: `first_success` and
/// `last_traphost`. `trap_timer` is not of the state but of the schedule.
const FIELDS: [Field<ServiceState>; 21] = [
    field("op_status", |s| s.opstatus.code().to_string(), |s, v| put(&mut s.opstatus, status(v)?)),
    field("failure_count", |s| s.failure_count.to_string(), |s, v| put(&mut s.failure_count, number(v)?)),
    field("alert_count", |s| s.alert_count.to_string(), |s, v| put(&mut s.alert_count, number(v)?)),
    field("last_success", |s| s.last_success.to_string(), |s, v| put(&mut s.last_success, number(v)?)),
    field("first_success", |_| String::new(), |_, _| Some(())),
    field(
        "consec_failures",
        |s| s.consec_failures.to_string(),
        |s, v| put(&mut s.consec_failures, number(v)?),
    ),
    field("last_failure", |s| s.last_failure.to_string(), |s, v| put(&mut s.last_failure, number(v)?)),
    field("first_failure", |s| optional(s.first_failure), |s, v| put(&mut s.first_failure, maybe(v)?)),
    field("last_summary", |s| text(&s.last_summary), |s, v| put(&mut s.last_summary, Some(v.into()))),
    field(
        "last_failure_time",
        |s| optional(Some(s.last_failure_time).filter(|&time| time != 0)),
        |s, v| put(&mut s.last_failure_time, number(v)?),
    ),
    field(
        "last_failure_summary",
        |s| text(&s.last_failure_summary),
        |s, v| put(&mut s.last_failure_summary, words(v)),
    ),
    field("last_failure_detail", |_| String::new(), |_, _| Some(())),
    field("last_detail", |s| text(&s.last_detail), |s, v| put(&mut s.last_detail, Some(v.into()))),
    field("ack", |s| s.ack.as_ref().map_or(0, |ack| ack.at).to_string(), acknowledge),
    field("ack_comment", |s| s.ack.as_ref().map_or(String::new(), |ack| ack.comment.to_string()), comment),
    field("last_trap", |s| s.last_trap.to_string(), |s, v| put(&mut s.last_trap, number(v)?)),
    field("last_traphost", |_| String::new(), |_, _| Some(())),
    field("exitval", |s| s.exitval.map_or("undef".into(), |exit| exit.to_string()), exit_status),
    field("last_check", |s| optional(s.last_check), |s, v| put(&mut s.last_check, maybe(v)?)),
    field(
        "last_op_status",
        |s| s.last_opstatus.code().to_string(),
        |s, v| put(&mut s.last_opstatus, status(v)?),
    ),
    field("failure_output", |s| text(&s.failure_output), |s, v| put(&mut s.failure_output, words(v))),
];

const TRAP_TIMER: &str = "trap_timer";

const PERIOD_FIELDS: [Field<PeriodState>; 4] = [
    field("last_alert", |p| optional(p.last_alert), |p, v| put(&mut p.last_alert, maybe(v)?)),
    field("alert_sent", |p| p.alert_sent.to_string(), |p, v| put(&mut p.alert_sent, number(v)?)),
    field("1stfailtime", |p| optional(p.first_fail_time), |p, v| put(&mut p.first_fail_time, maybe(v)?)),
    field(
        "failcount",
        |p| optional(Some(p.fail_count).filter(|&n| n != 0)),
        |p, v| put(&mut p.fail_count, number(v)?),
    ),
];

fn put<T>(place: &mut T, value: T) -> Option<()> {
    *place = value;
    Some(())
}

/// A number; the original leaves empty what was never set.
fn number<T: std::str::FromStr + Default>(value: &str) -> Option<T> {
    if value.is_empty() { Some(T::default()) } else { value.parse().ok() }
}

fn maybe<T: std::str::FromStr>(value: &str) -> Option<Option<T>> {
    if value.is_empty() { Some(None) } else { value.parse().ok().map(Some) }
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn text(value: &Option<Arc<str>>) -> String {
    value.as_deref().unwrap_or_default().to_owned()
}

fn words(value: &str) -> Option<Arc<str>> {
    (!value.is_empty()).then(|| value.into())
}

fn status(value: &str) -> Option<OpStatus> {
    OpStatus::from_code(value.parse().ok()?)
}

fn exit_status(state: &mut ServiceState, value: &str) -> Option<()> {
    put(&mut state.exitval, if value == "undef" { None } else { maybe(value)? })
}

fn acknowledge(state: &mut ServiceState, value: &str) -> Option<()> {
    let at = number(value)?;
    let comment = state.ack.take().map_or_else(|| "".into(), |ack| ack.comment);
    state.ack = (at != 0).then(|| Box::new(Ack { at, comment }));
    Some(())
}

/// The comment stands behind `ack` in every file; without an ack it means nothing.
fn comment(state: &mut ServiceState, value: &str) -> Option<()> {
    if let Some(ack) = &mut state.ack {
        ack.comment = value.into();
    }
    Some(())
}

/// What the original has in a period's counters before anything happened: 0 where `alertafter` uses them.
fn starts_at_zero(service: &Service, period: usize, name: &str) -> bool {
    let period = &service.periods[period];
    match name {
        "1stfailtime" => period.alertafter_time.is_some(),
        "failcount" => period.alertafter_within.is_some(),
        _ => false,
    }
}

impl Engine {
    /// What an operator has disabled: the lines of the `disabled` file.
    #[must_use]
    pub fn disabled(&self) -> Vec<Disabled> {
        let hosts = self.groups.values().flat_map(|group| &group.hosts).filter(|host| host.disabled);
        let mut lines: Vec<Disabled> = hosts.map(|host| Disabled::Host(host.name.to_string())).collect();
        for (name, group) in &self.groups {
            if group.disabled {
                lines.push(Disabled::Watch(name.to_string()));
            }
            let services = group.services.iter().map(|&id| self.slot(id)).filter(|slot| slot.state.disabled);
            lines.extend(
                services.map(|slot| Disabled::Service(name.to_string(), slot.service.name.to_string())),
            );
        }
        lines
    }

    /// What is known of each service: the lines of the `opstatus` file.
    #[must_use]
    pub fn snapshots(&self, now: &Now) -> Vec<ServiceSnapshot> {
        self.ids().map(|id| self.snapshot(id, now)).collect()
    }

    fn snapshot(&self, id: ServiceId, now: &Now) -> ServiceSnapshot {
        let Slot { group, service, state, .. } = self.slot(id);
        let mut fields: Vec<(String, String)> =
            FIELDS.iter().map(|field| (field.name.to_owned(), (field.get)(state))).collect();
        let timer = self.schedule.deadline(id, Timer::TrapTimeout);
        fields.push((
            TRAP_TIMER.to_owned(),
            optional(timer.map(|timer| timer.since(self.schedule_time(now.mono)).as_secs())),
        ));
        for (index, (period, counters)) in service.periods.iter().zip(&state.periods).enumerate() {
            for field in &PERIOD_FIELDS {
                let mut value = (field.get)(counters);
                if value.is_empty() && starts_at_zero(service, index, field.name) {
                    value.push('0');
                }
                fields.push((format!("{}:{}", period.label, field.name), value));
            }
        }
        ServiceSnapshot { group: group.to_string(), service: service.name.to_string(), fields }
    }

    /// Puts saved state back. What does not fit any more is skipped, and said in the log.
    pub(super) fn restore(
        &mut self,
        disabled: &[Disabled],
        services: &[ServiceSnapshot],
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        for line in disabled {
            if !self.disable_again(line) {
                out.push(Effect::log(Level::Err, format!("saved state names what is not there: {line:?}")));
            }
        }
        for ServiceSnapshot { group, service, fields } in services {
            // Services come and go between two configurations: that is no news.
            let Some(id) = self.find(group, service) else { continue };
            for (name, value) in fields {
                if self.restore_field(id, name, value, now).is_none() {
                    let text = format!("saved state of {group}/{service}: {name} cannot be '{value}'");
                    out.push(Effect::log(Level::Warning, text));
                }
            }
        }
    }

    fn disable_again(&mut self, line: &Disabled) -> bool {
        match line {
            Disabled::Host(host) => self.set_host_disabled(host, true),
            Disabled::Watch(watch) => self.set_watch_disabled(watch, true),
            Disabled::Service(group, service) => match self.find(group, service) {
                Some(id) => {
                    self.slot_mut(id).state.disabled = true;
                    true
                }
                None => false,
            },
        }
    }

    /// `None` where the value cannot be; an unknown name is skipped without a word, as in the original.
    fn restore_field(&mut self, id: ServiceId, name: &str, value: &str, now: &Now) -> Option<()> {
        if name == TRAP_TIMER {
            if let Some(left) = maybe::<u64>(value)?
                && self.slot(id).service.traptimeout.is_some()
            {
                let deadline = self.schedule_time(now.mono) + Duration::from_secs(left);
                self.schedule.set(id, Timer::TrapTimeout, deadline);
            }
            return Some(());
        }
        let slot = self.slot_mut(id);
        if let Some((label, name)) = name.rsplit_once(':') {
            let Some(period) = slot.service.periods.iter().position(|period| *period.label == *label) else {
                return Some(());
            };
            let Some(field) = PERIOD_FIELDS.iter().find(|field| field.name == name) else { return Some(()) };
            return (field.set)(&mut slot.state.periods[period], value);
        }
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else { return Some(()) };
        (field.set)(&mut slot.state, value)
    }
}
