//! Commands carried out.

use super::Engine;
use super::answer::Answer;
use super::command::{Command, List, StateKind, Target, Test};
use super::effect::{Effect, Level, ReadPurpose, StateFile};
use super::event::ClientId;
use crate::config::{AlertKeyword, DepBehavior};
use crate::decision::{Event as Happening, Facts, Occasion};
use crate::nouns::{AlertKind, Now, OpStatus};
use crate::schedule::{ServiceId, Timer};
use crate::timeval::{self, Timeval};

/// `version`, and what `protid` compares with.
pub(super) const PROTOCOL_VERSION: &str = "9745";

impl Engine {
    /// Does what a permitted command asks for.
    pub(super) fn obey(&mut self, client: ClientId, command: Command, now: &Now, out: &mut Vec<Effect>) {
        let answer = match command {
            Command::Invalid => Answer::InvalidCommand,
            Command::Dump => Answer::Refused,
            Command::Quit => {
                out.push(Effect::Reply { client, answer: Answer::Quitting, close: true });
                return;
            }
            Command::Version => Answer::Version,
            Command::Protid(number) => Answer::Protocol { matches: number == PROTOCOL_VERSION },
            Command::Login { user, password } => return Engine::login(client, user, password, out),
            Command::Setview(words) => return self.set_view(client, words, out),
            Command::Getview => Answer::View(self.session(client).and_then(|session| session.view.clone())),
            Command::Checkauth(word) => {
                let user = self.session(client).and_then(|session| session.user.as_deref());
                Answer::Authorized(self.auth.permits(user, &word))
            }
            Command::List(list) => return Engine::list_for(client, list, out),
            Command::Servertime => Answer::Servertime(*now),
            Command::GetMaxkeep => Answer::Maxkeep(self.settings.maxkeep),
            Command::Get { group, service, variable } => self.get(group, service, variable),
            Command::SetMaxkeep(length) => {
                self.settings.maxkeep = length;
                self.alert_history.set_length(length);
                self.failure_history.set_length(length);
                Answer::Set
            }
            Command::Set { group, service, variable, value } => {
                self.set(group, service, variable, value, now, out)
            }
            Command::Stop => {
                self.stop(now);
                Answer::Stopped
            }
            Command::Start => {
                self.start(now, out);
                Answer::Started
            }
            Command::Reset { stopped, keepstate } => {
                let purpose = ReadPurpose::Reset { client: Some(client), keepstate, stopped };
                return out.push(Effect::ReadConfig { purpose });
            }
            Command::Reload { known: true } => return out.push(Effect::ReadAuth { client }),
            Command::Reload { known: false } => Answer::Reloaded { known: false },
            Command::Clear(None) => Answer::UnknownClear,
            Command::Clear(Some((group, service))) => self.clear_timers(&group, &service, now),
            Command::Test(test) => return self.test(client, test, now, out),
            Command::Savestate(kinds) => return Engine::save_state(client, &kinds, out),
            Command::Loadstate(kinds) => return Engine::load_state(client, &kinds, out),
            Command::Term => {
                out.push(Effect::Reply { client, answer: Answer::Terminating, close: true });
                out.push(Effect::log(Level::Info, "terminating by user command"));
                return out.push(Effect::Exit { status: 0 });
            }
            Command::Ack { group, service, comment } => {
                return self.acknowledge(client, &group, &service, &comment, now, out);
            }
            Command::Disable(target) => return self.disable(client, target, now, out),
            Command::Enable(target) => return self.enable(client, target, out),
        };
        out.push(Effect::reply(client, answer));
    }

    pub(super) fn terminate(signal: &'static str, out: &mut Vec<Effect>) {
        out.push(Effect::log(Level::Info, format!("caught {signal} signal, exiting")));
        // The original ends with 1 on a signal; service managers have been told so.
        out.push(Effect::Exit { status: 1 });
    }

    fn list_for(client: ClientId, list: List, out: &mut Vec<Effect>) {
        out.push(Effect::ReplyList { client, list });
    }

    fn get(&self, group: String, service: String, variable: String) -> Answer<'static> {
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

    fn set(
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

    fn clear_timers(&mut self, group: &str, service: &str, now: &Now) -> Answer<'static> {
        let Some(id) = self.find(group, service) else { return Answer::UnknownGroup };
        let schedule_time = self.schedule_time(now.mono);
        let slot = &mut self.services[id as usize];
        let (service, state) = (&slot.service, &mut slot.state);
        state.consec_failures = 0;
        for (period, state) in service.periods.iter().zip(&mut state.periods) {
            if period.alertevery.is_some() {
                state.last_alert = Some(0);
            }
            if period.alertafter_time.is_some() {
                state.first_fail_time = Some(0);
            }
        }
        let timers = [
            (Timer::Run, state.interval(service)),
            (Timer::TrapTimeout, service.traptimeout),
            (Timer::TrapDuration, service.trapduration),
        ];
        for (timer, span) in timers {
            if let Some(span) = span {
                self.schedule.set(id, timer, schedule_time + span.duration());
            }
        }
        Answer::TimersCleared
    }

    fn test(&mut self, client: ClientId, test: Test, now: &Now, out: &mut Vec<Effect>) {
        let answer = match test {
            Test::Unknown => Answer::TestError,
            Test::Config => return out.push(Effect::ReadConfig { purpose: ReadPurpose::Test(client) }),
            Test::Monitor { group, service } => match self.find(&group, &service) {
                None => Answer::TestNotDefined(group, service),
                Some(id) => {
                    self.run_at_once(id, now, out);
                    self.tell_remote(format!("test {group} {service}"), out);
                    Answer::TestMonitor
                }
            },
            Test::Alert { kind, group, service, exit, period } => match self.find(&group, &service) {
                None => Answer::TestNotDefined(group, service),
                Some(id) => self.test_alert(id, kind, exit, &period, now, out),
            },
        };
        out.push(Effect::reply(client, answer));
    }

    /// Brings the next run of a service forward; while the scheduler is stopped it stays pending. A service
    /// without interval never runs.
    fn run_at_once(&mut self, id: ServiceId, now: &Now, out: &mut Vec<Effect>) {
        if self.slot(id).service.interval.is_some() {
            self.schedule.set(id, Timer::Run, self.schedule_time(now.mono));
            self.run_what_is_due(now, out);
        }
    }

    fn test_alert(
        &mut self,
        id: ServiceId,
        kind: AlertKind,
        exit: Option<i64>,
        period: &str,
        now: &Now,
        out: &mut Vec<Effect>,
    ) -> Answer<'static> {
        let slot = self.slot(id);
        let Some(period) = slot.service.periods.iter().position(|p| *p.label == *period) else {
            return Answer::PeriodNotDefined;
        };
        let facts = Facts::of(&slot.state);
        let occasion = Occasion { kind, exit, output: "test\ntest detail\n".into(), facts };
        let keyword = match kind {
            AlertKind::Up => AlertKeyword::Upalert,
            AlertKind::Startup => AlertKeyword::Startupalert,
            AlertKind::Ack => AlertKeyword::Ackalert,
            AlertKind::Disable => AlertKeyword::Disablealert,
            AlertKind::Failure | AlertKind::Trap | AlertKind::TrapTimeout => AlertKeyword::Alert,
        };
        self.test_alerts(id, period, &occasion, keyword, now, out);
        Answer::TestAlert
    }

    fn save_state(client: ClientId, kinds: &[StateKind], out: &mut Vec<Effect>) {
        if kinds.is_empty() {
            out.push(Effect::reply(client, Answer::SavestateNeedsArguments));
        } else {
            out.push(Effect::Save { files: files_of(kinds), then: Some((client, Answer::StateSaved)) });
        }
    }

    fn load_state(client: ClientId, kinds: &[StateKind], out: &mut Vec<Effect>) {
        out.push(Effect::Load { files: files_of(kinds), client });
    }

    fn acknowledge(
        &mut self,
        client: ClientId,
        group: &str,
        service: &str,
        comment: &str,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let answer = if !self.groups.get(group).is_some_and(|group| group.watched) {
            Answer::AckUnknownGroup
        } else if let Some(id) = self.find(group, service) {
            if matches!(self.slot(id).state.opstatus, OpStatus::Ok | OpStatus::Untested) {
                Answer::AckNotFailing
            } else {
                let comment = format!("{}: {comment}", self.user(client));
                self.happen(id, &Happening::Ack(comment.into()), None, now, out);
                Answer::Acked
            }
        } else {
            Answer::AckUnknownService
        };
        out.push(Effect::reply(client, answer));
    }

    fn user(&self, client: ClientId) -> &str {
        self.session(client).and_then(|session| session.user.as_deref()).unwrap_or_default()
    }

    fn disable(&mut self, client: ClientId, target: Target, now: &Now, out: &mut Vec<Effect>) {
        let answer = match target {
            Target::Unknown => Err(Answer::CouldNotExecute),
            Target::Watch(watch) => {
                if self.set_watch_disabled(&watch, true) {
                    self.tell_remote(format!("disable watch {watch}"), out);
                    Ok(Answer::WatchDisabled)
                } else {
                    Err(Answer::DisableUnknownWatch(watch))
                }
            }
            Target::Service(group, service) => match self.find(&group, &service) {
                None => Err(Answer::DisableUnknownService),
                Some(id) => {
                    // Decided before the service is disabled: afterwards nothing would be sent any more.
                    let user = self.user(client).into();
                    self.happen(id, &Happening::Disable(user), None, now, out);
                    self.slot_mut(id).state.disabled = true;
                    self.tell_remote(format!("disable service {group} {service}"), out);
                    Ok(Answer::ServiceDisabled)
                }
            },
            Target::Hosts(hosts) => {
                let unknown: Vec<String> =
                    hosts.iter().filter(|host| !self.has_enabled(host)).cloned().collect();
                if unknown.is_empty() {
                    hosts.iter().for_each(|host| self.set_host_and_lonely_watches(host, true, out));
                    Ok(Answer::HostsDisabled)
                } else {
                    Err(Answer::DisableUnknownHosts(unknown))
                }
            }
        };
        out.push(saved_then(client, answer));
    }

    fn enable(&mut self, client: ClientId, target: Target, out: &mut Vec<Effect>) {
        let answer = match target {
            Target::Unknown => Err(Answer::CouldNotExecute),
            Target::Watch(watch) => {
                if self.set_watch_disabled(&watch, false) {
                    self.tell_remote(format!("enable watch {watch}"), out);
                    Ok(Answer::WatchEnabled)
                } else {
                    Err(Answer::EnableUnknownWatch)
                }
            }
            Target::Service(group, service) => match self.find(&group, &service) {
                None => Err(Answer::EnableUnknownService),
                Some(id) => {
                    self.slot_mut(id).state.disabled = false;
                    self.tell_remote(format!("enable service {group} {service}"), out);
                    Ok(Answer::Enabled)
                }
            },
            Target::Hosts(hosts) => {
                hosts.iter().for_each(|host| self.set_host_and_lonely_watches(host, false, out));
                Ok(Answer::Enabled)
            }
        };
        out.push(saved_then(client, answer));
    }

    /// A watch whose only host is disabled has nothing left to look at: it goes along with its host.
    fn set_host_and_lonely_watches(&mut self, host: &str, disabled: bool, out: &mut Vec<Effect>) {
        let word = if disabled { "disable" } else { "enable" };
        let lonely = |group: &super::Group| matches!(&group.hosts[..], [only] if *only.name == *host);
        let groups: Vec<_> =
            self.groups.iter().filter(|(_, group)| lonely(group)).map(|(name, _)| name.clone()).collect();
        for group in groups {
            self.set_watch_disabled(&group, disabled);
            self.tell_remote(format!("{word} watch {group}"), out);
        }
        self.set_host_disabled(host, disabled);
        self.tell_remote(format!("{word} host {host}"), out);
    }

    /// Whether some group has that host, not disabled.
    fn has_enabled(&self, host: &str) -> bool {
        self.groups.values().any(|group| group.enabled_hosts().any(|name| **name == *host))
    }

    /// Whether there is such a watch.
    pub(super) fn set_watch_disabled(&mut self, watch: &str, disabled: bool) -> bool {
        match self.groups.get_mut(watch) {
            Some(group) if group.watched => {
                group.disabled = disabled;
                true
            }
            _ => false,
        }
    }

    /// Whether any group has that host.
    pub(super) fn set_host_disabled(&mut self, host: &str, disabled: bool) -> bool {
        let mut found = false;
        for entry in self.groups.values_mut().flat_map(|group| &mut group.hosts).filter(|h| *h.name == *host)
        {
            entry.disabled = disabled;
            found = true;
        }
        found
    }

    fn tell_remote(&self, words: String, out: &mut Vec<Effect>) {
        if self.settings.monremote {
            out.push(Effect::Monremote { words });
        }
    }
}

/// What was changed is on disk before the operator is told so.
fn saved_then(client: ClientId, answer: Result<Answer<'static>, Answer<'static>>) -> Effect {
    match answer {
        Ok(answer) => Effect::Save { files: vec![StateFile::Disabled], then: Some((client, answer)) },
        Err(answer) => Effect::reply(client, answer),
    }
}

fn files_of(kinds: &[StateKind]) -> Vec<StateFile> {
    let wanted = |kind| kinds.iter().any(|&k| k == kind || k == StateKind::All);
    let files = [(StateKind::Disabled, StateFile::Disabled), (StateKind::Opstatus, StateFile::Opstatus)];
    files.into_iter().filter(|&(kind, _)| wanted(kind)).map(|(_, file)| file).collect()
}

/// A span in seconds, as the original takes it here, or as in mon.cf.
fn span_of(value: &str) -> Result<Option<Timeval>, &'static str> {
    let seconds = value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty();
    let spelled = if seconds { format!("{value}s") } else { value.to_owned() };
    timeval::parse(&spelled).ok_or("a number of seconds, or a time like 5m, is wanted")
}
