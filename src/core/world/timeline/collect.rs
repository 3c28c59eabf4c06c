//! From what happened in a simulated world to the lines of a timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;
use std::sync::Arc;

use super::super::events::What;
use super::super::{Entry, Happened, Outcome, Zone};
use super::line;
use super::{AlertCall, Timeline};
use crate::config::{AlertKeyword, Config};
use crate::decision::{Suppression, Verdict, summary_of};
use crate::engine::{Launch, Level, Note};
use crate::nouns::{AlertKind, Mono, Now, OpStatus, ServiceKey};

/// Takes in entries of a world's log, in order.
#[derive(Debug)]
pub struct Collector {
    timeline: Timeline,
    zone: Zone,
    /// Everything has a line of its own.
    all: bool,
    /// The periods with an alert line for that keyword: of others nobody expects one.
    lines: BTreeSet<(ServiceKey, Arc<str>, AlertKeyword)>,
    /// The line that counts good checks, until another line is needed.
    quiet: Option<usize>,
    /// The lines that may go on.
    open: BTreeMap<(ServiceKey, Subject), Open>,
    /// The run that ended last; whether it has a line of its own shows in what follows from it.
    ended: Option<(Now, ServiceKey, Outcome)>,
    /// The service whose failure ended last, and when.
    recovered: Option<(ServiceKey, Mono)>,
}

/// What a line is about, besides its service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Checks,
    Period(Arc<str>, AlertKind),
    Log,
}

/// A line that may go on, and what it says; texts that count up go on too.
#[derive(Debug)]
struct Open {
    line: usize,
    same: Same,
}

#[derive(Debug, PartialEq)]
enum Same {
    Outcome(Outcome),
    Reason(std::mem::Discriminant<Suppression>),
    Text(String),
}

impl Collector {
    /// A collector for a world with these configurations, one after the other.
    #[must_use]
    pub fn new(configs: &[Config], zone: &Zone, all: bool) -> Collector {
        let mut lines = BTreeSet::new();
        for watch in configs.iter().flat_map(|config| &config.watches) {
            for service in &watch.services {
                let key = ServiceKey { group: watch.group.clone(), service: service.name.clone() };
                for period in &service.periods {
                    let keywords = period.alerts.iter().map(|line| line.keyword);
                    lines.extend(keywords.map(|keyword| (key.clone(), period.label.clone(), keyword)));
                }
            }
        }
        Collector {
            timeline: Timeline::default(),
            zone: zone.clone(),
            all,
            lines,
            quiet: None,
            open: BTreeMap::new(),
            ended: None,
            recovered: None,
        }
    }

    /// Something is made to happen.
    pub fn event(&mut self, at: &Now, what: &What) {
        self.flush();
        self.line(at, "event", what.first_line());
    }

    /// The daemon, or the simulation, begins or ends.
    pub fn note(&mut self, at: &Now, word: &'static str, text: String) {
        self.flush();
        self.line(at, word, text);
    }

    /// What happened next.
    pub fn take(&mut self, entry: Entry) {
        let at = entry.at;
        match entry.what {
            Happened::RunEnded { service, outcome } => {
                self.flush();
                self.timeline.checks += 1;
                self.ended = Some((at, service, outcome));
            }
            Happened::Noted { note: Note::Status { service, before, after, summary } } => {
                self.status(&at, service, before, after, &summary);
            }
            Happened::Noted { note: Note::Verdicts { service, kind, verdicts } } => {
                self.flush();
                for (period, verdict) in verdicts {
                    self.verdict(&at, &service, period, kind, verdict);
                }
            }
            Happened::AlertCalled { service, period, kind, launch, .. } => {
                self.flush();
                let test =
                    launch.env.iter().any(|(name, value)| name == "MON_ALERTTYPE" && &**value == "test");
                let call = AlertCall { at: at.wall, service, period, kind, test, argv: argv(launch) };
                self.line(&at, call.word(), call.text());
                self.timeline.alerts.push(call);
            }
            Happened::RunKilled { service } => {
                self.flush();
                self.line(&at, "ended", format!("{}: the run was going on", line::about(&service, None)));
            }
            Happened::RemoteTold { words } => {
                self.flush();
                self.line(&at, "monremote", words);
            }
            Happened::Logged { level: Level::Err | Level::Warning, text } => {
                self.flush();
                self.log(&at, text);
            }
            Happened::Exited { status } => {
                self.flush();
                self.line(&at, "exit", format!("the daemon ends with status {status}"));
            }
            Happened::Recorded { service, fact } => self.timeline.facts.take(at.wall, service, fact),
            // Alerts end well and at once here: none is ever ended.
            Happened::RunStarted { .. }
            | Happened::AlertSignalled { .. }
            | Happened::Replied { .. }
            | Happened::Closed { .. }
            | Happened::Logged { .. }
            | Happened::Appended { .. } => {}
        }
    }

    /// The timeline up to now.
    #[must_use]
    pub fn finish(mut self) -> Timeline {
        self.flush();
        self.timeline
    }

    /// A new line; good checks after it are counted anew.
    fn line(&mut self, at: &Now, word: &'static str, text: String) -> usize {
        self.quiet = None;
        self.timeline.push(at, word, text, String::new())
    }

    /// A line that goes on where it says the same as the last one about the same subject.
    fn repeatable(
        &mut self,
        at: &Now,
        key: (ServiceKey, Subject),
        same: Same,
        word: &'static str,
        (about, text): (String, String),
    ) {
        match self.open.get(&key) {
            Some(open) if open.same == same && !self.all => {
                self.timeline.repeat(open.line, at);
                // Counters and times in it are those of the last one.
                self.timeline.lines[open.line].text = text;
            }
            _ => {
                self.quiet = None;
                let line = self.timeline.push(at, word, about, text);
                self.open.insert(key, Open { line, same });
            }
        }
    }

    /// The run that ended last changed nothing.
    fn flush(&mut self) {
        let Some((at, service, outcome)) = self.ended.take() else { return };
        let ending = line::ending(&outcome.ending);
        let about = line::about(&service, None);
        if outcome.ending != crate::engine::Ending::Exited(0) {
            let text = (about, format!(": {ending}: {}", summary_of(&outcome.output)));
            self.repeatable(&at, (service, Subject::Checks), Same::Outcome(outcome), "check", text);
        } else if self.all {
            self.line(&at, "check", format!("{about}: ok"));
        } else if let Some(line) = self.quiet {
            self.timeline.repeat(line, &at);
        } else {
            self.quiet = Some(self.timeline.push(&at, "checks", "ok".to_owned(), String::new()));
        }
    }

    fn status(&mut self, at: &Now, service: ServiceKey, before: OpStatus, after: OpStatus, summary: &str) {
        let by_run = self.ended.as_ref().is_some_and(|(_, of, _)| *of == service);
        // That a monitor finds all well when it looks for the first time is no news.
        if !(by_run && before == OpStatus::Untested && after == OpStatus::Ok) || self.all {
            let ending =
                self.ended.as_ref().filter(|_| by_run).and_then(|(_, _, run)| line::odd_ending(&run.ending));
            if by_run && !self.all {
                self.ended = None;
            }
            self.flush();
            let (about, ending) = (line::about(&service, None), ending.unwrap_or_default());
            let text = format!("{about} (was {}{ending}): {summary}", before.word());
            self.line(at, after.word(), text.trim_end_matches([' ', ':']).to_owned());
        }
        self.open.retain(|(of, _), _| *of != service);
        if before == OpStatus::Fail {
            self.recovered = Some((service, at.mono));
        }
    }

    fn verdict(
        &mut self,
        at: &Now,
        service: &ServiceKey,
        period: Arc<str>,
        kind: AlertKind,
        verdict: Verdict,
    ) {
        let key = (service.clone(), Subject::Period(period.clone(), kind));
        let Verdict::Suppressed(reason) = verdict else {
            self.open.remove(&key);
            return;
        };
        let recovered = self.recovered.as_ref().is_some_and(|(of, when)| of == service && *when == at.mono);
        let expected = self.lines.contains(&(service.clone(), period.clone(), keyword(kind)));
        // With `redistribute` every good check is an occasion, but not one for an upalert.
        if !expected || (kind == AlertKind::Up && !recovered) {
            return;
        }
        let about = line::about(service, Some(&period));
        let text = (about, format!(": {}", self.reason(&reason)));
        self.repeatable(at, key, Same::Reason(discriminant(&reason)), silence(kind), text);
    }

    fn reason(&self, reason: &Suppression) -> String {
        let time = |wall| line::day_and_clock(&self.zone.civil(wall));
        match reason {
            Suppression::AlertEvery { until } => {
                format!("alertevery: nothing new, and not before {}", time(*until))
            }
            Suppression::AlertAfterTime { until } => format!("alertafter: must last beyond {}", time(*until)),
            other => other.to_string(),
        }
    }

    fn log(&mut self, at: &Now, text: String) {
        let nobody = ServiceKey { group: "".into(), service: text.as_str().into() };
        let shown = (text.clone(), String::new());
        self.repeatable(at, (nobody, Subject::Log), Same::Text(text), "log", shown);
    }
}

/// The keyword of the alert lines for that kind.
fn keyword(kind: AlertKind) -> AlertKeyword {
    match kind {
        AlertKind::Failure | AlertKind::Trap | AlertKind::TrapTimeout => AlertKeyword::Alert,
        AlertKind::Up => AlertKeyword::Upalert,
        AlertKind::Startup => AlertKeyword::Startupalert,
        AlertKind::Ack => AlertKeyword::Ackalert,
        AlertKind::Disable => AlertKeyword::Disablealert,
    }
}

fn silence(kind: AlertKind) -> &'static str {
    match keyword(kind) {
        AlertKeyword::Alert => "no alert",
        AlertKeyword::Upalert => "no upalert",
        AlertKeyword::Startupalert => "no startup",
        AlertKeyword::Ackalert => "no ackalert",
        AlertKeyword::Disablealert => "no disable",
    }
}

/// The words of the command line; the program by its name in mon.cf, as its place differs between machines.
fn argv(launch: Launch) -> Vec<String> {
    let name = launch.program.shown().trim_start_matches(super::super::ALERT_DIR).to_owned();
    std::iter::once(name).chain(launch.args).collect()
}
