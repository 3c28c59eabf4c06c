//! The decision as tables: what happens to a service, and who is told.
//!
//! A line of a table is a time, what happens then, `=>` and one word for each period: the kind of alert that is
//! called, or the reason why nobody is. `-` stands for an event that is no occasion to alert.

mod exhaustive;
mod rules;
mod unwary;

use super::*;
use crate::config::{self, Service};
use crate::nouns::{Civil, Mono, Now, OpStatus, Wall};
use crate::timeval;

/// Monday, 2 March 2026, 0:00 UTC: the zero of the tables.
const MONDAY: Wall = 1_772_409_600;

/// Checks every line of a table, for a service with these lines in its configuration.
fn check(service_lines: &str, table: &str) -> Story {
    let mut story = Story::of(service_lines);
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (event, expect) = line.split_once("=>").expect("a line of a table has an arrow");
        let (at, event) = event.trim().split_once(char::is_whitespace).expect("a time and an event");
        story.at(seconds(at));
        assert_eq!(story.tell(event.trim()), expect.trim(), "\n{service_lines}\n{table}\nat: {line}");
    }
    story
}

/// The service of a mon.cf with these lines in it.
fn service(lines: &str) -> Service {
    let text = format!("hostgroup g h\n\nwatch g\nservice s\ninterval 1m\nmonitor m\n{lines}\n");
    let (mut config, diagnostics) = config::load(&text);
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    *config.watches.remove(0).services.remove(0)
}

fn seconds(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| timeval::parse(text).flatten().expect("a time").whole_secs())
}

fn moment(wall: Wall) -> Now {
    Now { mono: Mono::default(), wall, civil: Civil::utc(wall) }
}

fn result(source: Source, exit: i64, output: &str) -> Event {
    Event::Result { source, exit, output: output.into() }
}

/// A service and all that happened to it.
#[derive(Clone)]
struct Story {
    service: Service,
    state: ServiceState,
    circumstances: Circumstances,
    now: Now,
    /// What the last event led to.
    last: Option<Decision>,
}

impl Story {
    fn of(lines: &str) -> Story {
        let service = service(lines);
        Story {
            state: ServiceState::untested(&service),
            service,
            circumstances: Circumstances { started: MONDAY, ..Circumstances::default() },
            now: moment(MONDAY),
            last: None,
        }
    }

    fn at(&mut self, seconds: i64) {
        self.now = moment(MONDAY + seconds);
    }

    /// Lets something happen; returns the words for a table.
    fn tell(&mut self, event: &str) -> String {
        let (word, rest) = event.split_once(' ').unwrap_or((event, ""));
        let (word, exit) =
            word.split_once('=').map_or((word, 1), |(word, exit)| (word, exit.parse().unwrap()));
        let output = format!("{}\n", rest.replace('/', "\n"));
        let event = match word {
            "fail" => result(Source::Monitor, exit, &output),
            "trap" => result(Source::Trap, exit, &output),
            "timeout" => result(Source::TrapTimeout, 1, "trap timeout\n"),
            "ok" => result(Source::Monitor, 0, &output),
            "startup" => Event::Startup,
            "ack" => Event::Ack(rest.into()),
            "disable" => Event::Disable("operator".into()),
            "unstarted" => return self.tell_unstarted(rest),
            _ => return self.turn(word),
        };
        let told = self.happen(&event);
        self.state.disabled |= matches!(event, Event::Disable(_));
        told
    }

    /// What changes without being an event.
    fn turn(&mut self, word: &str) -> String {
        match word {
            "enable" => self.state.disabled = false,
            "stop" => self.circumstances.stopped = true,
            "start" => self.circumstances.stopped = false,
            "watch-disabled" => self.circumstances.watch_disabled = true,
            "watch-enabled" => self.circumstances.watch_disabled = false,
            "depend-fails" => self.state.depend_status = Some(false),
            "depend-good" => self.state.depend_status = Some(true),
            "depend-unknown" => self.state.depend_status = None,
            "time" => {}
            other => panic!("{other}: no event"),
        }
        "-".to_owned()
    }

    /// None of the alert programs can be started.
    fn tell_unstarted(&mut self, event: &str) -> String {
        let told = self.tell(event);
        let firing = self.last.as_ref().map_or(&[][..], |decision| &decision.firing).to_vec();
        firing.iter().for_each(|firing| uncount(&mut self.state, firing.period));
        told
    }

    fn happen(&mut self, event: &Event) -> String {
        let decision = decide(&self.service, self.state.clone(), event, self.circumstances, &self.now);
        self.state = decision.state.clone();
        let kind = decision.occasion.as_ref().map(|occasion| occasion.kind);
        for Firing { period, .. } in &decision.firing {
            let kind = kind.expect("who fires has an occasion");
            count(&self.service, &mut self.state, *period, kind, &self.now);
        }
        let mut words: Vec<&str> = Vec::new();
        words.extend(decision.unacked.then_some("unacked"));
        words.extend(decision.redistribute.then_some("redistribute"));
        words.extend(decision.verdicts.iter().map(|verdict| match verdict {
            Verdict::Send => kind.expect("who sends has an occasion").history_word(),
            Verdict::Suppressed(reason) => reason_word(reason),
        }));
        let told = if words.is_empty() { "-".to_owned() } else { words.join(" ") };
        self.last = Some(decision);
        told
    }

    fn occasion(&self) -> &Occasion {
        self.last.as_ref().and_then(|decision| decision.occasion.as_ref()).expect("an occasion")
    }

    /// The programs and arguments of the alert lines that the last event called.
    fn lines(&self) -> Vec<&str> {
        let firing = self.last.iter().flat_map(|decision| &decision.firing);
        let lines = firing.flat_map(|Firing { period, lines }| lines.iter().map(move |line| (period, line)));
        lines.map(|(&period, &line)| &*self.service.periods[period].alerts[line].command.text).collect()
    }
}

fn reason_word(reason: &Suppression) -> &'static str {
    match reason {
        Suppression::Stopped => "stopped",
        Suppression::WatchDisabled => "watch-disabled",
        Suppression::ServiceDisabled => "disabled",
        Suppression::DependencyFailing => "depend",
        Suppression::Acked => "acked",
        Suppression::OutsidePeriod => "outside",
        Suppression::NoAlertBefore => "unpaired",
        Suppression::UpalertSent => "upalert-sent",
        Suppression::UpalertAfter { .. } => "upalertafter",
        Suppression::ExitRange => "exitrange",
        Suppression::NumAlerts { .. } => "numalerts",
        Suppression::AlertEvery { .. } => "alertevery",
        Suppression::AlertAfterCount { .. } => "alertafter-count",
        Suppression::AlertAfterTime { .. } => "alertafter-time",
        Suppression::AlertAfterWithin { .. } => "alertafter-within",
        Suppression::NoAlertLine => "no-line",
    }
}
