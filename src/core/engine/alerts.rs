//! Alert programs: called and counted. What becomes of them is in [`deliveries`](super::deliveries).

use std::sync::Arc;

use super::Engine;
use super::configure::Program;
use super::deliveries::Told;
use super::effect::{Effect, Launch, Level, LogFile, Variable};
use super::errands::{Again, Errand, LineKey};
use super::fact::Fact;
use super::reload::Renumbering;
use crate::config::{AlertKeyword, CommandLine, Period};
use crate::decision::{self, Event as Happening, Facts, Firing, Occasion, summary_of};
use crate::nouns::{AlertKind, Now};
use crate::schedule::ServiceId;
use crate::words;

/// One execution of an alert program; numbers are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertId(pub u64);

/// The programs that were started together and count as one alert of a period.
#[derive(Debug)]
pub(super) struct Batch {
    service: ServiceId,
    period: usize,
    /// Programs of which nothing is known yet.
    unknown: u32,
}

impl Batch {
    /// Follows its period to another number; false if that is gone.
    pub(super) fn renumber(&mut self, numbers: &Renumbering) -> bool {
        let now = numbers.period(self.service, self.period);
        if let Some((service, period)) = now {
            (self.service, self.period) = (service, period);
        }
        now.is_some()
    }
}

/// Numbers are not used twice.
pub(super) type BatchId = u64;

/// How an alert is called: what differs between ordinary alerts, redistributions and tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Ordinary { period: usize, line: usize, batch: BatchId },
    Redistribute,
    Test { period: usize },
}

impl Call {
    fn period(self) -> Option<usize> {
        match self {
            Call::Ordinary { period, .. } | Call::Test { period } => Some(period),
            Call::Redistribute => None,
        }
    }

    fn batch(self) -> Option<BatchId> {
        match self {
            Call::Ordinary { batch, .. } => Some(batch),
            Call::Redistribute | Call::Test { .. } => None,
        }
    }
}

impl Engine {
    pub(super) fn send_startup_alerts(&mut self, now: &Now, out: &mut Vec<Effect>) {
        for id in self.ids() {
            let service = &self.slot(id).service;
            let lines = service.periods.iter().flat_map(|period| &period.alerts);
            let concerned = service.redistribute.is_some()
                || lines.map(|line| line.keyword).any(|keyword| keyword == AlertKeyword::Startupalert);
            if concerned {
                self.happen(id, &Happening::Startup, None, now, out);
            }
        }
    }

    /// Starts the alert lines that were decided on, and counts them where a program was found.
    pub(super) fn fire(
        &mut self,
        id: ServiceId,
        occasion: &Occasion,
        firing: &[Firing],
        intended: Option<&str>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        for Firing { period, lines } in firing {
            let batch = self.next_id();
            let mut started = 0;
            for &line in lines {
                let command = self.slot(id).service.periods[*period].alerts[line].command.clone();
                let call = Call::Ordinary { period: *period, line, batch };
                started += u32::from(self.call_alert(id, &command, occasion, call, intended, now, out));
            }
            if started > 0 {
                if occasion.kind != AlertKind::Up {
                    self.batches.insert(batch, Batch { service: id, period: *period, unknown: started });
                }
                let slot = &mut self.services[id as usize];
                slot.state.alert_count = slot.state.alert_count.saturating_add(started.into());
                decision::count(&slot.service, &mut slot.state, *period, occasion.kind, now);
            }
        }
    }

    pub(super) fn redistribute(
        &mut self,
        id: ServiceId,
        occasion: &Occasion,
        intended: Option<&str>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if let Some(command) = self.slot(id).service.redistribute.clone() {
            self.call_alert(id, &command, occasion, Call::Redistribute, intended, now, out);
        }
    }

    /// `test alert`: calls all lines of that kind in a period, whatever their `exit=` prefix, uncounted.
    pub(super) fn test_alerts(
        &mut self,
        id: ServiceId,
        period: usize,
        occasion: &Occasion,
        keyword: AlertKeyword,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let lines = &self.slot(id).service.periods[period].alerts;
        let commands: Vec<CommandLine> =
            lines.iter().filter(|line| line.keyword == keyword).map(|line| line.command.clone()).collect();
        for command in commands {
            self.call_alert(id, &command, occasion, Call::Test { period }, None, now, out);
        }
    }

    /// Whether there is such a program; then it is being started.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are what an alert program is told; a struct would only rename them"
    )]
    fn call_alert(
        &mut self,
        id: ServiceId,
        command: &CommandLine,
        occasion: &Occasion,
        call: Call,
        intended: Option<&str>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) -> bool {
        let word = match (call, occasion.kind) {
            (Call::Redistribute, _) => "redistribute",
            (Call::Test { .. }, AlertKind::Failure) => "testalert",
            (_, kind) => kind.history_word(),
        };
        let (program, words) = match self.program_and_words(command) {
            Ok(found) => found,
            Err((why, text)) => {
                out.push(Effect::log(Level::Err, text));
                let attempt = self.attempt(self.key(id), self.told(id, call, word, None, command), now);
                self.note_missing(attempt, self.line_key(id, call), why);
                return false;
            }
        };
        let slot = self.slot(id);
        let name = program.shown().rsplit('/').next().unwrap_or_default().to_owned();
        // As the original, a redistribution is named after its occasion in the log.
        let what =
            format!("{} {name} for {}/{}", word_for_log(word, occasion), slot.group, slot.service.name);
        let alert = AlertId(self.next_id());
        self.note_call(id, call, word, &what, (&program, command), occasion, now, out);
        let attempt = self.attempt(self.key(id), self.told(id, call, word, Some(&name), command), now);
        let launch = Launch {
            program,
            args: self.alert_arguments(id, occasion.kind, words, now),
            env: self.alert_environment(id, call, occasion, intended),
        };
        let called = self.record_call(id, (alert, occasion.kind, call.period()), (&launch, command), out);
        let errand = self.errand(id, call, occasion, what, (&launch, called), out);
        self.follow(alert, errand, attempt);
        out.push(Effect::RunAlert {
            alert,
            service: self.key(id),
            period: self.period_label(id, call),
            kind: occasion.kind,
            launch,
            stdin: occasion.output.clone(),
        });
        true
    }

    /// What to start, or why there is nothing, in short and for the log.
    fn program_and_words(
        &self,
        command: &CommandLine,
    ) -> Result<(Program, Vec<String>), (&'static str, String)> {
        let Some(program) = self.programs.alerts.get(command.program()).cloned() else {
            let text = format!("no alert found while trying to run {}: look at alertdir", command.program());
            return Err(("no such program in alertdir", text));
        };
        let words = words::split(command.arguments()).map_err(|_| {
            let text = format!("alert not run: a quote is not closed in its line: {}", command.text);
            ("a quote is not closed in its line", text)
        })?;
        Ok((program, words))
    }

    fn period_label(&self, id: ServiceId, call: Call) -> Option<Arc<str>> {
        call.period().map(|period| self.slot(id).service.periods[period].label.clone())
    }

    fn told<'a>(
        &self,
        id: ServiceId,
        call: Call,
        kind: &'static str,
        name: Option<&'a str>,
        command: &'a CommandLine,
    ) -> Told<'a> {
        let alert = name.unwrap_or_else(|| command.program());
        Told { kind, alert, command, period: self.period_label(id, call) }
    }

    /// The line that is called, where it counts whether it gets through.
    fn line_key(&self, id: ServiceId, call: Call) -> Option<LineKey> {
        let Call::Ordinary { period, line, .. } = call else { return None };
        let period = &self.slot(id).service.periods[period];
        let text = period.alerts[line].command.text.clone();
        Some(LineKey { period: period.label.clone(), index: line, text })
    }

    /// Everything that is needed to follow the call to its end.
    fn errand(
        &mut self,
        id: ServiceId,
        call: Call,
        occasion: &Occasion,
        what: String,
        (launch, called): (&Launch, Fact),
        out: &mut Vec<Effect>,
    ) -> Errand {
        let timeout = self.alert_timeout(id, call.period());
        let mut errand = Errand::new(self.key(id), occasion.kind, what, timeout);
        errand.batch = call.batch();
        errand.line = self.line_key(id, call);
        if let (Call::Ordinary { period, .. }, Some(line)) = (call, &errand.line) {
            self.supersede(&errand.service, line, out);
            let Period { alertretry, label, .. } = &self.slot(id).service.periods[period];
            errand.again = alertretry
                .map(|retry| Again::new(retry, Some(label.clone()), launch, called, &occasion.output));
        }
        errand
    }

    /// Log, history and historicfile; in the words that clients parse.
    #[expect(clippy::too_many_arguments, reason = "all of them stand in the history line")]
    fn note_call(
        &mut self,
        id: ServiceId,
        call: Call,
        word: &str,
        what: &str,
        (program, command): (&Program, &CommandLine),
        occasion: &Occasion,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if call == Call::Redistribute {
            return;
        }
        let summary = summary_of(&occasion.output);
        let called = format!("({},{})", program.shown(), command.arguments());
        out.push(Effect::log(Level::Alert, format!("calling {what} {called} {summary}")));
        if matches!(call, Call::Ordinary { .. }) {
            let slot = self.slot(id);
            let line = format!(
                "{word} {} {} {} {} ({}) {summary}",
                slot.group,
                slot.service.name,
                now.wall,
                program.shown(),
                command.arguments(),
            );
            self.alert_history.push(line.as_str().into());
            out.push(Effect::Append { log: LogFile::Alerts, line });
        }
    }

    fn alert_arguments(&self, id: ServiceId, kind: AlertKind, words: Vec<String>, now: &Now) -> Vec<String> {
        let slot = self.slot(id);
        let group = self.groups.get(&slot.group);
        let hosts: Vec<&str> =
            group.into_iter().flat_map(|group| group.enabled_hosts()).map(|host| &**host).collect();
        let time = now.wall.to_string();
        let fixed = ["-s", &*slot.service.name, "-g", &*slot.group, "-h", &hosts.join(" "), "-t", &time];
        fixed.into_iter().chain(kind.flag()).map(str::to_owned).chain(words).collect()
    }

    fn alert_environment(
        &self,
        id: ServiceId,
        call: Call,
        occasion: &Occasion,
        intended: Option<&str>,
    ) -> Vec<(Variable, Arc<str>)> {
        let Occasion { kind, exit, facts, .. } = occasion;
        let Facts { opstatus, ack_comment, .. } = facts;
        let mut env = self.common_environment(id, facts);
        let mut add = |name: &'static str, value: Arc<str>| env.push((name.into(), value));
        exit.iter().for_each(|exit| add("MON_RETVAL", exit.to_string().into()));
        add("MON_OPSTATUS", opstatus.code().to_string().into());
        ack_comment.iter().filter(|text| !text.is_empty()).for_each(|text| add("MON_ACK", text.clone()));
        let is_test = matches!(call, Call::Test { .. }) && *kind == AlertKind::Failure;
        add("MON_ALERTTYPE", if is_test { "test" } else { kind.env_word() }.into());
        intended.iter().for_each(|service| add("MON_TRAP_INTENDED", (*service).into()));
        env
    }

    /// An alert counts if at least one of its programs was started. If none was, nobody was told, and it is
    /// taken back.
    pub(super) fn account_for(&mut self, id: BatchId, not_started: bool) {
        let Some(batch) = self.batches.get_mut(&id) else { return };
        batch.unknown -= 1;
        if not_started && batch.unknown > 0 {
            return;
        }
        let Some(Batch { service, period, .. }) = self.batches.remove(&id) else { return };
        if not_started {
            decision::uncount(&mut self.slot_mut(service).state, period);
        }
    }
}

/// How the log names a call.
fn word_for_log(word: &'static str, occasion: &Occasion) -> &'static str {
    if word == "redistribute" { occasion.kind.history_word() } else { word }
}
