//! The classic command line of `mon`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser};
use remon_core::timeval::{self, Timeval};

/// What the command line asks for.
pub(super) enum Asked {
    /// The daemon.
    Run(Box<Options>),
    /// A text.
    Print(String),
    /// Something impossible; why.
    Usage(String),
}

/// The flags, named as in the original. What is not given is left to mon.cf.
#[derive(Debug, Clone, Default, Parser)]
#[command(
    name = "mon",
    disable_help_flag = true,
    disable_version_flag = true,
    infer_long_args = true,
    args_override_self = true
)]
pub(super) struct Options {
    #[arg(short = 'a', long)]
    pub(super) alertdir: Option<String>,
    #[arg(short = 'A', long)]
    pub(super) authfile: Option<String>,
    #[arg(short = 'b', long)]
    pub(super) basedir: Option<String>,
    #[arg(short = 'B', long)]
    pub(super) cfbasedir: Option<String>,
    #[arg(short = 'c', long)]
    pub(super) configfile: Option<PathBuf>,
    #[arg(short = 'd', long, action = ArgAction::Count)]
    pub(super) debug: u8,
    #[arg(short = 'D', long)]
    pub(super) statedir: Option<String>,
    #[arg(short = 'f', long)]
    pub(super) fork: bool,
    #[arg(short = 'h', long)]
    help: bool,
    /// Accepted and not needed: the daemon sleeps until something happens.
    #[arg(short = 'i', long)]
    sleep: Option<u64>,
    #[arg(short = 'k', long)]
    pub(super) maxkeep: Option<usize>,
    #[arg(short = 'l', long, num_args = 0..=1, default_missing_value = "disabled")]
    pub(super) loadstate: Option<String>,
    #[arg(short = 'L', long)]
    pub(super) logdir: Option<String>,
    #[arg(short = 'M', long, num_args = 0..=1, default_missing_value = "m4")]
    pub(super) m4: Option<OsString>,
    #[arg(short = 'm', long)]
    pub(super) maxprocs: Option<usize>,
    #[arg(short = 'O', long)]
    syslogfacility: Option<String>,
    #[arg(short = 'p', long)]
    pub(super) port: Option<u16>,
    #[arg(short = 'P', long)]
    pub(super) pidfile: Option<String>,
    #[arg(short = 'r', long)]
    randstart: Option<String>,
    #[arg(short = 's', long)]
    pub(super) scriptdir: Option<String>,
    #[arg(short = 'S', long)]
    pub(super) stopped: bool,
    #[arg(short = 't', long)]
    pub(super) trapport: Option<u16>,
    #[arg(short = 'v', long)]
    version: bool,
    /// The original ignores other words.
    #[arg(hide = true)]
    ignored: Vec<OsString>,
}

/// What `mon -v` has printed since 1.3.4; scripts compare it. `mon version` tells our own.
const COMPATIBLE_VERSION: &str = "mon-1.3.4\n";

/// The text of `mon -h`. Its first line and its flags are those of the original.
pub(super) const USAGE: &str = "\
usage: mon [-a dir] [-A file] [-b dir] [-B dir] [-c config] [-d]
           [-D dir] [-f] [-h] [-i secs] [-k num] [-l [type]] [-L dir]
           [-M [path]] [-m num] [-O facility] [-p num] [-P file] [-r time]
           [-s dir] [-S] [-t num]
       mon -v
       mon check [FILE ...]    find every mistake in configuration files
       mon explain [CODE]      what a code of mon check means
       mon diff [OLD] [NEW]    what would a reload change? see mon diff --help
       mon doctor              is everything there that it needs? see mon doctor --help
       mon fmt [FILE ...]      lay configuration files out
       mon lsp                 a language server for editors
       mon period SPEC         is now inside the period? see mon period --help
       mon simulate [EVENTS]   what would mon do? see mon simulate --help
       mon why GROUP SERVICE   would anybody be told, or which rule forbids it?
       mon history [GROUP SERVICE]  what has happened
       mon run NAME [ARG ...]  a built-in monitor, alert or client

  -a dir        where alert programs are (a list, separated by colons)
  -A file       who may do what (auth.cf)
  -b dir        what relative directories are relative to
  -B dir        where the configuration files are
  -c config     the configuration file, mon.cf in -B where not given
  -d            tell more on stderr; twice: even more
  -D dir        where state is kept
  -f            become a daemon
  -h            this text
  -i secs       accepted for compatibility, not needed
  -k num        length of the alert and failure histories
  -l [type]     load saved state at start: disabled (where not given),
                opstatus or all
  -L dir        where logs are kept
  -M [path]     run the configuration through m4, or the program at path
  -m num        run no more monitors than this at once
  -O facility   syslog facility
  -p num        TCP port for clients
  -P file       file for the process id; empty for none
  -r time       spread the first runs over this time, such as 60s
  -s dir        where monitor programs are (a list, separated by colons)
  -S            start with the scheduler stopped
  -t port       UDP port for traps
  -v            print the version of mon that this replaces
";

/// Reads the command line.
pub(super) fn parse(args: Vec<OsString>) -> Asked {
    match Options::try_parse_from(args) {
        Ok(options) if options.version => Asked::Print(COMPATIBLE_VERSION.to_owned()),
        Ok(options) if options.help => Asked::Print(USAGE.to_owned()),
        Ok(options) => Asked::Run(Box::new(options)),
        Err(error) => {
            let text = error.to_string();
            Asked::Usage(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
    }
}

impl Options {
    /// The configuration file: as given, below the working directory; else mon.cf where it belongs.
    pub(super) fn config_path(&self) -> PathBuf {
        let cfbasedir = self.cfbasedir.as_deref().unwrap_or(super::site::DEFAULT_CFBASEDIR);
        let path = self.configfile.clone().unwrap_or_else(|| PathBuf::from(cfbasedir).join("mon.cf"));
        std::path::absolute(&path).unwrap_or(path)
    }

    /// The m4 to run the file through, if any.
    pub(super) fn m4(&self) -> Option<OsString> {
        let by_name = self.config_path().extension().is_some_and(|extension| extension == "m4");
        self.m4.clone().or_else(|| by_name.then(|| "m4".into()))
    }

    /// The syslog facility of the command line.
    pub(super) fn facility(&self) -> Option<&str> {
        self.syslogfacility.as_deref()
    }

    /// `-r`, if it is a time.
    pub(super) fn randstart(&self) -> Result<Option<Option<Timeval>>, String> {
        let Some(text) = &self.randstart else { return Ok(None) };
        timeval::parse(text).map(Some).ok_or_else(|| "bad randstart value".to_owned())
    }
}
