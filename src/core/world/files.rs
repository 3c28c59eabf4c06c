//! The files of a simulated world: mon.cf, auth.cf and the state.

use std::collections::BTreeSet;

use super::World;
use crate::auth::{self, Auth};
use crate::config::{self, Diagnostic};
use crate::engine::{ClientId, Event, Loaded, Program, Programs, ReadPurpose, Settings, StateFile};
use crate::wire::statefile;

impl World {
    pub(super) fn read_config(&mut self, purpose: ReadPurpose) {
        let result = load(&self.mon_cf, &self.missing).map(Box::new).map_err(|diagnostics| {
            diagnostics.into_iter().filter_map(|diagnostic| diagnostic.legacy).collect()
        });
        self.events.push_back(Event::ConfigRead { purpose, result });
    }

    pub(super) fn save(&mut self, file: StateFile) {
        let text = match file {
            StateFile::Disabled => statefile::render_disabled(&self.engine.disabled()),
            StateFile::Opstatus => statefile::render_opstatus(&self.engine.snapshots(&self.now())),
        };
        self.state_files.insert(file, text);
    }

    pub(super) fn read_state(&self, files: &[StateFile], client: Option<ClientId>) -> Event {
        let text = |file| {
            let wanted = files.contains(&file);
            self.state_files.get(&file).filter(|_| wanted).map_or("", String::as_str)
        };
        Event::StateRead {
            client,
            disabled: statefile::parse_disabled(text(StateFile::Disabled)).0,
            services: statefile::parse_opstatus(text(StateFile::Opstatus)).0,
        }
    }
}

/// Reads mon.cf as the daemon does; every program that it names is there, but for those that are `missing`.
pub(super) fn load(mon_cf: &str, missing: &BTreeSet<String>) -> Result<Loaded, Vec<Diagnostic>> {
    let (config, diagnostics) = config::load(mon_cf);
    let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let program = |dir: &'static str| {
        move |name: &str| {
            let path = format!("/usr/lib/mon/{dir}/{name}").into();
            (!missing.contains(name)).then_some(Program { path, called: None })
        }
    };
    let programs = Programs::look_up(&config, program("mon.d"), program("alert.d"));
    let settings = Settings {
        statedir: "/var/lib/mon".into(),
        logdir: "/var/log/mon".into(),
        cfbasedir: "/etc/mon".into(),
        config_file: "/etc/mon/mon.cf".into(),
        ..Settings::of(&config.globals)
    };
    Ok(Loaded { config, settings, programs, alert_history: None })
}

pub(super) fn parse_auth(auth_cf: &str) -> Auth {
    auth::parse(auth_cf).0
}
