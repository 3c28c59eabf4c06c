//! Commands carried out.

use super::Engine;
use super::answer::Answer;
use super::command::{Command, List, StateKind, Test};
use super::effect::{Effect, Level, ReadPurpose, StateFile};
use super::event::ClientId;
use crate::config::AlertKeyword;
use crate::decision::{Event as Happening, Facts, Occasion};
use crate::nouns::{AlertKind, Now, OpStatus};
use crate::schedule::{ServiceId, Timer};

/// `version`, and what `protid` compares with.
pub(super) const PROTOCOL_VERSION: &str = "9745";

impl Engine {
    /// Does what a permitted command asks for.
    pub(super) fn obey(&mut self, client: ClientId, command: Command, now: &Now, out: &mut Vec<Effect>) {
        let answer = match command {
            Command::Invalid => Answer::InvalidCommand,
            Command::Why(None) => Answer::WhyNeedsService,
            Command::Why(Some(question)) => return out.push(Effect::ReplyWhy { client, question }),
            Command::List(List::Record(span)) => return out.push(Effect::ReplyRecord { client, span }),
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
                self.deliveries.book.set_length(length);
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
            Command::Reload { known: true } => return out.push(Effect::ReadAuth { client: Some(client) }),
            Command::Reload { known: false } => Answer::Reloaded { known: false },
            Command::Clear(None) => Answer::UnknownClear,
            Command::Clear(Some((group, service))) => self.clear_timers(&group, &service, now),
            Command::Test(test) => return self.test(client, test, now, out),
            Command::Savestate(kinds) => return Engine::save_state(client, &kinds, out),
            Command::Loadstate(kinds) => return Engine::load_state(client, &kinds, out),
            Command::Term => {
                self.log_pending_deliveries(out);
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

    pub(super) fn terminate(&self, signal: &'static str, out: &mut Vec<Effect>) {
        self.log_pending_deliveries(out);
        out.push(Effect::log(Level::Info, format!("caught {signal} signal, exiting")));
        // The original ends with 1 on a signal; service managers have been told so.
        out.push(Effect::Exit { status: 1 });
    }

    fn list_for(client: ClientId, list: List, out: &mut Vec<Effect>) {
        out.push(Effect::ReplyList { client, list });
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
            Test::Reload => return out.push(Effect::ReadConfig { purpose: ReadPurpose::Compare(client) }),
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

    pub(super) fn user(&self, client: ClientId) -> &str {
        self.session(client).and_then(|session| session.user.as_deref()).unwrap_or_default()
    }

    pub(super) fn tell_remote(&self, words: String, out: &mut Vec<Effect>) {
        if self.settings.monremote {
            out.push(Effect::Monremote { words });
        }
    }
}

fn files_of(kinds: &[StateKind]) -> Vec<StateFile> {
    let wanted = |kind| kinds.iter().any(|&k| k == kind || k == StateKind::All);
    let files = [(StateKind::Disabled, StateFile::Disabled), (StateKind::Opstatus, StateFile::Opstatus)];
    files.into_iter().filter(|&(kind, _)| wanted(kind)).map(|(_, file)| file).collect()
}
