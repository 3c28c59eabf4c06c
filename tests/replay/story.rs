//! Two stories of the same scenario, compared.

use std::collections::{BTreeMap, BTreeSet};

use remon_core::wire::why::Told;
use remon_core::words;

use super::scene::Scene;

/// By how many seconds times may differ: those of both sides are whole seconds, and a program takes a moment to start.
const TOLERANCE: i64 = 2;

/// Details of verdicts that are times.
const TIMES: [&str; 4] = ["why_since", "why_last", "why_until", "why_first"];

/// The record keeps at least so much of a text.
const KEPT: usize = 1000;

/// What both sides tell of a scenario.
#[derive(Debug, Clone)]
pub(super) struct Stories {
    /// What the daemon recorded.
    pub(super) real: String,
    /// The words of the alerts that it called, as far as these note their calls.
    pub(super) calls: Vec<Vec<String>>,
    /// What the simulated daemon would have recorded.
    pub(super) simulated: String,
    /// Its timeline.
    pub(super) timeline: String,
    /// The alerts that note their calls.
    pub(super) loggers: Vec<String>,
}

/// One thing that happened to a service.
#[derive(Debug)]
struct Entry {
    at: i64,
    /// Times inside of it, by name.
    times: Vec<(String, i64)>,
    text: String,
}

/// What happened, by service.
type Story = BTreeMap<String, Vec<Entry>>;

/// Both sides of a scenario that are the same; nothing where no monitor ran and no alert.
///
/// # Errors
/// What differs.
pub(super) fn compare(scene: &Scene) -> Result<Option<Stories>, Vec<String>> {
    if let Some(error) = &scene.error {
        return Err(vec![error.clone()]);
    }
    let one = |trouble: String| vec![trouble];
    let real = scene.real().map_err(one)?;
    if !scene.has_calls() && story(&real).is_empty() {
        return Ok(None);
    }
    if !scene.is_playable() {
        return Err(vec!["programs ran, and nothing is recorded".to_owned()]);
    }
    let end = real.lines().map(Told::read).rfind(|line| line.get("what") == "end");
    let end = end.ok_or_else(|| vec!["the end of the daemon is not recorded".to_owned()])?.number("at");
    let compare_until = |until, settle: fn(String, &str, i64) -> String| {
        let stories = Stories {
            simulated: settle(scene.simulated(&real, until, "record").map_err(one)?, &real, end),
            timeline: scene.simulated(&real, until, "text").map_err(one)?,
            real: real.clone(),
            calls: scene.calls.clone(),
            loggers: scene.loggers.clone(),
        };
        let differences = stories.differences();
        if differences.is_empty() { Ok(Some(stories)) } else { Err(differences) }
    };
    // Of what is due in the second in which the daemon ends, nobody knows whether it happens: all of it, nothing, or
    // only what some services did.
    let whole = |simulated, _: &str, _| simulated;
    compare_until(end + 1, whole).or_else(|differences| {
        let others = compare_until(end, whole).or_else(|_| compare_until(end + 1, settled));
        others.map_err(|_| differences)
    })
}

/// What is simulated, without the last second of those services of which nothing more is recorded in it.
fn settled(simulated: String, real: &str, end: i64) -> String {
    let name = |line: &Told| (line.get("group").to_owned(), line.get("service").to_owned());
    let facts = real.lines().map(Told::read).filter(|line| line.word == "fact" && line.number("at") >= end);
    let busy: BTreeSet<_> = facts.map(|line| name(&line)).collect();
    let mut kept = true;
    let is_kept = |text: &&str| {
        let line = Told::read(text);
        // The lines below a fact go with it.
        if line.word == "fact" {
            kept = line.number("at") < end || busy.contains(&name(&line));
        }
        kept
    };
    simulated.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect()
}

impl Stories {
    /// What differs, in words.
    pub(super) fn differences(&self) -> Vec<String> {
        let (real, simulated) = (story(&self.real), story(&self.simulated));
        let names = real.keys().chain(simulated.keys().filter(|name| !real.contains_key(*name)));
        let of = |story: &'_ Story, name: &str| story.get(name).map_or(0, Vec::len);
        let mut differences: Vec<String> = names
            .filter_map(|name| {
                let alike = alike(real.get(name), simulated.get(name));
                (alike < of(&real, name).max(of(&simulated, name))).then(|| {
                    let shown = |story: &Story| {
                        let entry = story.get(name).and_then(|entries| entries.get(alike));
                        entry.map_or_else(|| "nothing".to_owned(), |entry| format!("{entry:?}"))
                    };
                    let (real, simulated) = (shown(&real), shown(&simulated));
                    format!("{name}, number {alike}:\n    real      {real}\n    simulated {simulated}")
                })
            })
            .collect();
        differences.extend(self.calls_differ());
        differences
    }

    /// The alerts that were called, and those of the timeline: in any order, as programs that run at once end in any.
    fn calls_differ(&self) -> Option<String> {
        let mut real: Vec<Vec<String>> = self.calls.iter().cloned().map(timeless).collect();
        let mut simulated: Vec<Vec<String>> = self.timeline.lines().filter_map(alert).collect();
        simulated.retain(|call| self.loggers.contains(&call[0]));
        real.retain(|call| match simulated.iter().position(|other| other == call) {
            Some(at) => {
                simulated.remove(at);
                false
            }
            None => true,
        });
        (!real.is_empty() || !simulated.is_empty())
            .then(|| format!("calls:\n    only real      {real:?}\n    only simulated {simulated:?}"))
    }
}

/// How many entries are the same, from the first on.
fn alike(real: Option<&Vec<Entry>>, simulated: Option<&Vec<Entry>>) -> usize {
    let near = |a: i64, b: i64| (a - b).abs() <= TOLERANCE;
    let same = |(real, simulated): &(&Entry, &Entry)| {
        let mut times = real.times.iter().zip(&simulated.times);
        real.text == simulated.text
            && near(real.at, simulated.at)
            && real.times.len() == simulated.times.len()
            && times.all(|(real, simulated)| real.0 == simulated.0 && near(real.1, simulated.1))
    };
    real.into_iter().flatten().zip(simulated.into_iter().flatten()).take_while(same).count()
}

/// A record as a story.
fn story(record: &str) -> Story {
    let (mut story, mut last) = (Story::new(), None::<String>);
    for line in record.lines().map(Told::read) {
        if line.word == "verdict" {
            let decision = last.as_ref().and_then(|name| story.get_mut(name)?.last_mut());
            let decision: &mut Entry = decision.expect("a verdict belongs to a decision");
            decision.text += &format!("; {}", fields(&line));
            decision.times.extend(times(&line));
        } else if ["result", "status", "decision", "alert"].contains(&line.get("what")) {
            let name = format!("{}/{}", line.get("group"), line.get("service"));
            let entry = Entry { at: line.number("at"), times: times(&line), text: fields(&line) };
            story.entry(name.clone()).or_default().push(entry);
            last = Some(name);
        }
    }
    story
}

fn times(line: &Told) -> Vec<(String, i64)> {
    TIMES.iter().filter_map(|name| Some(((*name).to_owned(), line.time(name)?))).collect()
}

/// All that must be equal of a line.
fn fields(line: &Told) -> String {
    const OTHERS: [&str; 9] =
        ["at", "last", "group", "service", "ended", "status", "words", "signal", "took"];
    let source = line.get("source");
    let text = line.iter().filter(|(name, _)| !OTHERS.contains(name) && !TIMES.contains(name));
    let text = text.filter_map(|(name, value)| match (name, source) {
        // It says when.
        ("detail", "traptimeout") => None,
        // How often a monitor ran by the clock depends on the moment of the end; what followed is compared.
        ("times", "monitor" | "traptimeout") => None,
        // The simulated ones are elsewhere.
        ("program", _) => value.rsplit('/').next().map(|program| format!("program={program:?}")),
        // An event's output is made of whole lines.
        ("detail", _) => Some(format!("detail={:?}", kept(value.trim_end_matches('\n')))),
        _ => Some(format!("{name}={:?}", kept(value))),
    });
    text.collect::<Vec<_>>().join(" ")
}

fn kept(text: &str) -> String {
    text.chars().take(KEPT).collect()
}

/// The words of the alert in a line of a timeline, such as `00:00:02  upalert  web/ping [day]: mail.alert -s ping …`.
fn alert(line: &str) -> Option<Vec<String>> {
    const ALERTS: [&str; 9] = [
        "alert",
        "testalert",
        "trapalert",
        "traptimeoutalert",
        "upalert",
        "ackalert",
        "disablealert",
        "startupalert",
        "redistribute",
    ];
    let word = line.split_whitespace().nth(1).filter(|word| ALERTS.contains(word))?;
    let about = &line[line.find(word)? + word.len()..];
    let (_, command) = about.split_once("]: ").or_else(|| about.split_once(": "))?;
    Some(timeless(words::split(command).expect("quoted for a shell")))
}

/// The words without the time, which stands behind `-t`, and without what has no plain character.
fn timeless(mut words: Vec<String>) -> Vec<String> {
    words.get_mut(8).into_iter().for_each(|time| *time = "TIME".to_owned());
    words.iter().map(|word| plain(word)).collect()
}

/// Other characters are one `?`, as in what `play.py` tells.
fn plain(word: &str) -> String {
    let is_plain = |c: &char| (' '..='~').contains(c);
    let mut out = String::new();
    let mut rest = word.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(if is_plain(&c) { c } else { '?' });
        while !is_plain(&c) && rest.next_if(|next| !is_plain(next)).is_some() {}
    }
    out
}
