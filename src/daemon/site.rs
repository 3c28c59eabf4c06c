//! Where everything is: the command line laid over the globals of mon.cf, laid over what is built in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use remon_core::config::Globals;
use remon_core::engine::Settings;
use remon_core::netdb::{MON_PORT, service_port};

use super::options::Options;

/// Where configuration files are by default.
pub(super) const DEFAULT_CFBASEDIR: &str = "/etc/mon";
const DEFAULT_BASEDIR: &str = "/usr/lib/mon";
const DEFAULT_MONDIR: &str = "/usr/local/lib/mon/mon.d:mon.d";
const DEFAULT_ALERTDIR: &str = "/usr/local/lib/mon/alert.d:alert.d";
const DEFAULT_HISTORYKEEP: u64 = 90 * 86_400;
const DEFAULT_CLTIMEOUT: Duration = Duration::from_secs(30);

/// Paths and names, resolved. Only what the shell needs; the engine's part is in [`Settings`].
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) statedir: PathBuf,
    pub(super) logdir: PathBuf,
    pub(super) cfbasedir: PathBuf,
    pub(super) mondirs: Vec<PathBuf>,
    pub(super) alertdirs: Vec<PathBuf>,
    pub(super) authfile: PathBuf,
    pub(super) userfile: PathBuf,
    pub(super) authtypes: Vec<String>,
    #[cfg_attr(not(feature = "pam"), expect(dead_code, reason = "only PAM asks for it"))]
    pub(super) pamservice: String,
    pub(super) dtlogfile: Option<PathBuf>,
    pub(super) historicfile: Option<PathBuf>,
    /// Seconds that the record reaches back; 0 for none.
    pub(super) historykeep: u64,
    /// SHA-256 of the text of mon.cf, for the record.
    pub(super) config_hash: String,
    /// mon.cf was too large to be searched for all that may be wrong with it.
    pub(super) read_briefly: bool,
    pub(super) monerrfile: PathBuf,
    pub(super) pidfile: Option<PathBuf>,
    pub(super) serverbind: Option<String>,
    pub(super) serverport: u16,
    pub(super) trapbind: Option<String>,
    pub(super) trapport: u16,
    pub(super) cltimeout: Duration,
    pub(super) facility: String,
    pub(super) monremote: Option<String>,
}

impl Site {
    /// Resolves everything; `globals` come from mon.cf.
    pub(super) fn resolve(options: &Options, globals: &Globals) -> Site {
        let pick = |option: &Option<String>, global: &Option<Arc<str>>, fallback: &str| -> String {
            option
                .clone()
                .or_else(|| global.as_deref().map(str::to_owned))
                .unwrap_or_else(|| fallback.to_owned())
        };
        let path = |text: &str| std::path::absolute(text).unwrap_or_else(|_| text.into());
        let basedir = path(&pick(&options.basedir, &globals.basedir, DEFAULT_BASEDIR));
        let cfbasedir = path(&pick(&options.cfbasedir, &globals.cfbasedir, DEFAULT_CFBASEDIR));
        let logdir = basedir.join(pick(&options.logdir, &globals.logdir, default_logdir()));
        let below = |dir: &Path, file: &Option<Arc<str>>| file.as_deref().map(|file| dir.join(file));
        let located =
            |file: &Option<remon_core::config::Located>| file.as_ref().map(|file| file.value.to_string());
        let authfile = options.authfile.clone().or_else(|| located(&globals.authfile));
        let authtypes = pick(&None, &globals.authtype, "getpwnam");
        let dtlogfile = pick(&None, &globals.dtlogfile, "downtime.log");
        let pidfile = pick(&options.pidfile, &globals.pidfile, &default_pidfile());
        Site {
            statedir: basedir.join(pick(&options.statedir, &globals.statedir, default_statedir())),
            mondirs: search_path(&pick(&options.scriptdir, &globals.mondir, DEFAULT_MONDIR), &basedir),
            alertdirs: search_path(&pick(&options.alertdir, &globals.alertdir, DEFAULT_ALERTDIR), &basedir),
            authfile: cfbasedir.join(authfile.unwrap_or_else(|| "auth.cf".to_owned())),
            userfile: cfbasedir.join(located(&globals.userfile).unwrap_or_else(|| "monusers.cf".to_owned())),
            pamservice: pick(&None, &globals.pamservice, "passwd"),
            authtypes: authtypes.split_whitespace().map(str::to_owned).collect(),
            dtlogfile: globals.dtlogging.then(|| logdir.join(dtlogfile)),
            historicfile: below(&logdir, &globals.historicfile).filter(|_| !is_empty(&globals.historicfile)),
            historykeep: globals.historykeep.unwrap_or(DEFAULT_HISTORYKEEP),
            config_hash: String::new(),
            read_briefly: false,
            monerrfile: path(&pick(&None, &globals.monerrfile, "/dev/null")),
            pidfile: (!pidfile.is_empty()).then(|| path(&pidfile)),
            serverbind: globals.serverbind.as_deref().map(str::to_owned),
            serverport: options.port.or(globals.serverport).unwrap_or_else(|| well_known_port("tcp")),
            trapbind: globals.trapbind.as_deref().map(str::to_owned),
            trapport: options.trapport.or(globals.trapport).unwrap_or_else(|| well_known_port("udp")),
            cltimeout: globals.cltimeout.map_or(DEFAULT_CLTIMEOUT, |timeout| timeout.duration()),
            facility: pick(&options.facility().map(str::to_owned), &globals.syslog_facility, "daemon"),
            monremote: globals.monremote.as_deref().filter(|command| !command.is_empty()).map(str::to_owned),
            logdir,
            cfbasedir,
        }
    }

    /// The engine's part.
    pub(super) fn settings(&self, options: &Options, globals: &Globals) -> Result<Settings, String> {
        let text = |path: &Path| -> Arc<str> { path.to_string_lossy().into() };
        let from_file = Settings::of(globals);
        Ok(Settings {
            maxkeep: options.maxkeep.filter(|&n| n > 0).unwrap_or(from_file.maxkeep),
            maxprocs: options.maxprocs.map_or(from_file.maxprocs, |most| (most > 0).then_some(most)),
            randstart: options.randstart()?.unwrap_or(from_file.randstart),
            statedir: text(&self.statedir),
            logdir: text(&self.logdir),
            cfbasedir: text(&self.cfbasedir),
            config_file: text(&options.config_path()),
            ..from_file
        })
    }
}

fn is_empty(file: &Option<Arc<str>>) -> bool {
    file.as_deref().is_none_or(str::is_empty)
}

/// A `:`-separated list; relative entries hang off `basedir`, a slash at the end means nothing.
fn search_path(list: &str, basedir: &Path) -> Vec<PathBuf> {
    let entries = list.split(':').map(str::trim).filter(|entry| !entry.is_empty());
    // Taken apart and put together again, so that no `.` in the middle shows in logs and histories.
    entries.map(|entry| basedir.join(entry).components().collect()).collect()
}

fn first_existing<'a>(dirs: &[&'a str]) -> Option<&'a str> {
    dirs.iter().copied().find(|dir| Path::new(dir).is_dir())
}

fn default_statedir() -> &'static str {
    first_existing(&["/var/state/mon", "/var/lib/mon"]).unwrap_or("state.d")
}

fn default_logdir() -> &'static str {
    first_existing(&["/var/log/mon"]).unwrap_or("log.d")
}

fn default_pidfile() -> String {
    format!("{}/mon.pid", first_existing(&["/run/mon", "/run"]).unwrap_or("/etc"))
}

fn well_known_port(protocol: &str) -> u16 {
    let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
    service_port(&services, "mon", protocol).unwrap_or(MON_PORT)
}
