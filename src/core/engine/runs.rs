//! Monitor runs: what is started, with which words and in which environment.

use std::sync::Arc;

use super::Engine;
use super::configure::{Program, Settings};
use super::effect::{Effect, Launch, Level, Variable};
use super::event::Ending;
use crate::decision::{Event as Happening, Facts, NO_SUMMARY, Source, summary_of};
use crate::nouns::{Mono, Now, Wall};
use crate::schedule::{ServiceId, Timer, next_on_grid};
use crate::words;

/// One execution of a monitor; numbers are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// A run that is going on.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) service: ServiceId,
    pub(super) started: Mono,
}

/// A word that, standing last on a monitor line, keeps the hosts off it.
const NO_HOSTS: &str = ";;";

/// Variables of ours that a monitor or an alert gets, at most.
const MOST_VARIABLES: usize = 16;

impl Engine {
    /// Starts the monitor of a service whose deadline was `anchor`, and sets the next deadline.
    pub(super) fn run_monitor(&mut self, id: ServiceId, anchor: Mono, now: &Now, out: &mut Vec<Effect>) {
        self.schedule_next(id, anchor, now);
        let Some(program) = self.monitor_program(id, out) else { return };
        match self.monitor_arguments(id) {
            Ok(Some(args)) => {
                let launch = Launch { program, args, env: self.monitor_environment(id) };
                let run = RunId(self.next_id());
                let slot = self.slot_mut(id);
                slot.running = Some(run);
                slot.state.last_check = Some(now.wall);
                self.runs.insert(run, Run { service: id, started: now.mono });
                out.push(Effect::RunMonitor { run, service: self.key(id), launch });
            }
            Ok(None) => {
                let slot = self.slot(id);
                let text = format!(
                    "monitor for {}/{} not called because of no host arguments",
                    slot.group, slot.service.name
                );
                out.push(Effect::log(Level::Err, text));
            }
            Err(problem) => {
                let state = &mut self.slot_mut(id).state;
                (state.last_check, state.monitor_duration) = (Some(now.wall), None);
                self.monitor_result(id, 1, problem.into(), now, out);
            }
        }
    }

    fn schedule_next(&mut self, id: ServiceId, anchor: Mono, now: &Now) {
        let slot = self.slot(id);
        let Some(interval) = slot.state.interval(&slot.service) else { return };
        let next = next_on_grid(anchor, interval.duration(), now.mono);
        self.schedule.set(id, Timer::Run, next);
    }

    fn monitor_program(&self, id: ServiceId, out: &mut Vec<Effect>) -> Option<Program> {
        let slot = self.slot(id);
        let name = slot.service.monitor.as_ref().map_or("", |monitor| monitor.program());
        let program = self.programs.monitors.get(name);
        if program.is_none() {
            let text = format!(
                "no monitor found while trying to run [{name}] for {}/{}: look at mondir",
                slot.group, slot.service.name
            );
            out.push(Effect::log(Level::Err, text));
        }
        program.cloned()
    }

    /// The words of the monitor line and the hosts; `None` where no host is left to look at.
    fn monitor_arguments(&self, id: ServiceId) -> Result<Option<Vec<String>>, String> {
        let slot = self.slot(id);
        let line = slot.service.monitor.as_ref().map_or("", |monitor| monitor.arguments());
        let line = line.trim_end_matches(crate::timeval::is_blank);
        let (line, wants_hosts) = match line.strip_suffix(NO_HOSTS) {
            Some(rest) => (rest, false),
            None => (line, true),
        };
        let mut args = words::split(line.trim_end_matches(crate::timeval::is_blank))
            .map_err(|_| format!("a quote is not closed in the monitor line: {line}"))?;
        if wants_hosts {
            let hosts = self.hosts_to_check(id);
            if hosts.is_empty() && !slot.service.allow_empty_group {
                return Ok(None);
            }
            args.extend(hosts.iter().map(|host| host.to_string()));
        }
        Ok(Some(args))
    }

    /// The hosts of the group without those that are disabled, excluded, or explained by a failing parent.
    fn hosts_to_check(&self, id: ServiceId) -> Vec<Arc<str>> {
        let slot = self.slot(id);
        let parents = self.failing_summaries(id);
        let wanted = |host: &&Arc<str>| {
            !slot.service.exclude_hosts.contains(host)
                && !parents.iter().any(|summary| summary.contains(&***host))
        };
        let group = self.groups.get(&slot.group);
        group.into_iter().flat_map(|group| group.enabled_hosts()).filter(wanted).cloned().collect()
    }

    fn monitor_environment(&self, id: ServiceId) -> Vec<(Variable, Arc<str>)> {
        let facts = Facts::of(&self.slot(id).state);
        let mut env = self.common_environment(id, &facts);
        if let Some(good) = facts.depend_status {
            env.push(("MON_DEPEND_STATUS".into(), if good { "1" } else { "0" }.into()));
        }
        env
    }

    /// What monitors and alerts alike find in their environment.
    pub(super) fn common_environment(&self, id: ServiceId, facts: &Facts) -> Vec<(Variable, Arc<str>)> {
        let slot = self.slot(id);
        let Settings { statedir, logdir, cfbasedir, .. } = &self.settings;
        let mut env = Vec::with_capacity(slot.service.env.len() + MOST_VARIABLES);
        env.extend(slot.service.env.iter().map(|(name, value)| (name.to_string().into(), value.clone())));
        let mut add = |name: &'static str, value: Arc<str>| env.push((name.into(), value));
        let time = |wall: Wall| wall.to_string().into();
        add("MON_GROUP", slot.group.clone());
        add("MON_SERVICE", slot.service.name.clone());
        facts.last_summary.iter().for_each(|summary| add("MON_LAST_SUMMARY", summary.clone()));
        facts.last_output.iter().for_each(|output| add("MON_LAST_OUTPUT", output.clone()));
        add("MON_LAST_FAILURE", time(facts.last_failure));
        facts.first_failure.iter().for_each(|&first| add("MON_FIRST_FAILURE", time(first)));
        add("MON_LAST_SUCCESS", time(facts.last_success));
        slot.service.description.iter().for_each(|text| add("MON_DESCRIPTION", text.clone()));
        add("MON_STATEDIR", statedir.clone());
        add("MON_LOGDIR", logdir.clone());
        add("MON_CFBASEDIR", cfbasedir.clone());
        env
    }

    pub(super) fn run_ended(
        &mut self,
        run: RunId,
        ending: Ending,
        output: String,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        // A run that a reset has forgotten has nothing to say any more.
        let Some(Run { service: id, started, .. }) = self.runs.remove(&run) else { return };
        let slot = self.slot_mut(id);
        slot.running = None;
        let took = now.mono.since(started);
        slot.state.monitor_duration = Some(took);
        let was_failing_interval = slot.state.failing_interval;
        let (exit, output) = verdict_of(ending, output);
        self.record_run_time(id, took, now, out);
        self.monitor_result(id, exit, output.into(), now, out);
        self.reschedule_after_run(id, was_failing_interval, now);
        self.run_those_waiting(now, out);
    }

    fn monitor_result(
        &mut self,
        id: ServiceId,
        exit: i64,
        output: Arc<str>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let happening = Happening::Result { source: Source::Monitor, exit, output };
        self.happen(id, &happening, None, now, out);
    }

    /// After a run the wait is counted anew where the interval changed, or where chance has a part in it.
    fn reschedule_after_run(&mut self, id: ServiceId, was_failing_interval: bool, now: &Now) {
        let slot = &self.services[id as usize];
        let Some(interval) = slot.state.interval(&slot.service) else { return };
        let mut wait = interval.duration();
        if let Some(skew) = slot.service.randskew {
            wait = self.chance.skewed(wait, skew.duration());
        } else if slot.state.failing_interval == was_failing_interval {
            return;
        }
        self.schedule.set(id, Timer::Run, self.schedule_time(now.mono) + wait);
    }
}

/// Exit status and output of a run. What the monitor could not say itself is said for it.
fn verdict_of(ending: Ending, output: String) -> (i64, String) {
    let says_nothing = summary_of(&output) == NO_SUMMARY;
    match ending {
        Ending::Exited(status) => (i64::from(status), output),
        Ending::Killed(signal) if says_nothing => {
            (128 + i64::from(signal), format!("monitor was killed by signal {signal}\n{output}"))
        }
        Ending::Killed(signal) => (128 + i64::from(signal), output),
        Ending::NotStarted(why) => (1, format!("monitor could not be started: {why}\n")),
    }
}
