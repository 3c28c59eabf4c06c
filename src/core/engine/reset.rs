//! Every kind of reset: the file is read and checked first, and what is wrong with it changes nothing.
//!
//! A plain `reset` starts afresh. SIGHUP and `reset keepstate` change only what changed: see `reload`.

use std::sync::Arc;

use super::answer::Answer;
use super::configure::Loaded;
use super::effect::{Effect, Level, ReadPurpose, StateFile};
use super::fact::Fact;
use super::{Engine, Stopped};
use crate::config::changes::{self, Changes, Outline};
use crate::nouns::Now;

/// Most changes that are logged one by one; more are counted.
const MOST_NAMED: usize = 50;

impl Engine {
    pub(super) fn hang_up(&mut self, out: &mut Vec<Effect>) {
        let purpose = ReadPurpose::Reset { client: None, keepstate: true, stopped: false };
        out.push(Effect::Record { service: None, fact: Fact::HangUp });
        out.push(Effect::ReadConfig { purpose });
    }

    pub(super) fn config_read(
        &mut self,
        purpose: ReadPurpose,
        result: Result<Box<Loaded>, Vec<String>>,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        match (purpose, result) {
            (ReadPurpose::Test(client), result) => {
                let errors = result.err().unwrap_or_default();
                out.push(Effect::reply(client, Answer::TestConfig { errors }));
            }
            (ReadPurpose::Compare(client), Ok(loaded)) => {
                let changes = self.changes(&loaded).render();
                let file = loaded.settings.config_file.clone();
                out.push(Effect::reply(client, Answer::TestReload { file, changes }));
            }
            (ReadPurpose::Compare(client), Err(errors)) => {
                out.push(Effect::reply(client, Answer::TestConfig { errors }));
            }
            (ReadPurpose::Reset { client, .. }, Err(errors)) => {
                for error in &errors {
                    out.push(Effect::log(Level::Err, format!("error reading config file: {error}")));
                }
                let text = "the configuration was not replaced: monitoring goes on with the one before";
                out.push(Effect::log(Level::Err, text));
                out.extend(client.map(|client| Effect::reply(client, Answer::Reset { errors })));
            }
            (ReadPurpose::Reset { client, keepstate, stopped }, Ok(loaded)) => {
                let changes = self.changes(&loaded);
                out.push(Effect::log(Level::Info, "resetting, and re-reading configuration"));
                log_changes(&changes, &loaded.settings.config_file, out);
                let answer = client.map(|client| (client, Answer::Reset { errors: Vec::new() }));
                // The logs and state files are where the new file says from here on.
                out.push(Effect::ConfigChanged);
                if keepstate {
                    self.reload(*loaded, &changes, stopped, now, out);
                    self.deliveries_after_reset(true, now, out);
                    // The one that is new after a first reload comes first: nobody waits for the other.
                    let files = vec![StateFile::Opstatus, StateFile::Disabled];
                    // What was kept is on disk before the operator is told so.
                    out.push(Effect::Save { files, then: answer });
                } else {
                    self.start_afresh(*loaded, stopped, now, out);
                    self.deliveries_after_reset(false, now, out);
                    out.extend(answer.map(|(client, answer)| Effect::reply(client, answer)));
                }
                if ["authfile", "cfbasedir"].iter().any(|global| changes.has_global(global)) {
                    out.push(Effect::ReadAuth { client: None });
                }
                if self.settings.startupalerts_on_reset {
                    self.send_startup_alerts(now, out);
                }
            }
        }
    }

    fn start_afresh(&mut self, loaded: Loaded, stopped: bool, now: &Now, out: &mut Vec<Effect>) {
        // What the runs would have said belongs to a configuration that is gone.
        out.extend(self.runs.keys().map(|&run| Effect::KillRun { run }));
        self.runs.clear();
        if stopped {
            self.stopped = Some(Stopped { wall: now.wall, mono: now.mono });
        }
        self.configure(loaded, now);
    }

    /// What the file changes of that which runs. A variable that was `set` by hand counts as it is now: a reset
    /// gives it back to the file.
    fn changes(&self, loaded: &Loaded) -> Changes {
        let groups = self.groups.iter().map(|(name, group)| {
            let hosts = group.hosts.iter().map(|host| &*host.name).collect();
            (&**name, hosts)
        });
        let services = self.services.iter().map(|slot| ((&slot.group, &slot.service.name), &*slot.service));
        let running = Outline {
            globals: &self.globals,
            hostgroups: groups.collect(),
            services: services.collect(),
            aliases: &self.aliases,
            views: &self.views,
        };
        changes::between(&running, &Outline::of(&loaded.config))
    }
}

fn log_changes(changes: &Changes, file: &Arc<str>, out: &mut Vec<Effect>) {
    let name = file.rsplit('/').next().unwrap_or_default();
    out.push(Effect::log(Level::Notice, format!("reloaded {name}: {}", changes.summary())));
    let mut lines = changes.headlines();
    out.extend(
        lines.by_ref().take(MOST_NAMED).map(|line| Effect::log(Level::Info, format!("reload: {line}"))),
    );
    let more = lines.count();
    if more > 0 {
        out.push(Effect::log(Level::Info, format!("reload: and {more} more")));
    }
}
