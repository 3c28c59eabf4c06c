//! What a daemon with these flags and this mon.cf would use: paths, ports, programs. For whoever looks without
//! starting one.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser as _;
use remon_core::config::surroundings::Surroundings;
use remon_core::config::{Config, Globals};

use super::options::Options;
use super::site::Site;
use super::surroundings;

/// The flags of a daemon.
#[derive(Debug, Clone)]
pub(crate) struct Flags(Options);

impl Flags {
    /// Reads flags as the daemon does; `words` begins with its name.
    ///
    /// # Errors
    /// The first line of what the daemon would say.
    pub(crate) fn read(words: Vec<OsString>) -> Result<Flags, String> {
        let complaint = |error: clap::Error| {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        };
        Options::try_parse_from(words).map(Flags).map_err(complaint)
    }

    /// The configuration file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.0.config_path()
    }

    /// The m4 that it goes through, if any.
    pub(crate) fn m4(&self) -> Option<OsString> {
        self.0.m4()
    }

    /// What is around such a daemon on this machine.
    pub(crate) fn surroundings(&self, config: &Config) -> Surroundings {
        let site = Site::resolve(&self.0, &config.globals);
        surroundings::around(&site, config, Surroundings::default())
    }

    /// All places.
    pub(crate) fn places(&self, globals: &Globals) -> Places {
        let site = Site::resolve(&self.0, globals);
        Places {
            statedir: site.statedir,
            logs: site.dtlogfile.into_iter().chain(site.historicfile).collect(),
            authfile: site.authfile,
            userfile: site.authtypes.iter().any(|kind| kind == "userfile").then_some(site.userfile),
            pidfile: site.pidfile,
            mondirs: site.mondirs,
            alertdirs: site.alertdirs,
            serverbind: site.serverbind.filter(|host| !host.is_empty()),
            serverport: site.serverport,
            trapbind: site.trapbind,
            trapport: site.trapport,
        }
    }
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) statedir: PathBuf,
    /// Files that the daemon appends to.
    pub(crate) logs: Vec<PathBuf>,
    pub(crate) authfile: PathBuf,
    /// The password file, if logins go by it.
    pub(crate) userfile: Option<PathBuf>,
    pub(crate) pidfile: Option<PathBuf>,
    pub(crate) mondirs: Vec<PathBuf>,
    pub(crate) alertdirs: Vec<PathBuf>,
    pub(crate) serverbind: Option<String>,
    pub(crate) serverport: u16,
    pub(crate) trapbind: Option<String>,
    pub(crate) trapport: u16,
}
