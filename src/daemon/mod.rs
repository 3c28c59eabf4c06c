//! The daemon's hands: it reads files, listens, starts programs, and leaves every decision to the engine.
//!
//! One task owns the engine ([`run_loop`]); everything else owns a process, a socket or a file and speaks to
//! it in messages. Nothing that such a thing does, or fails to do, holds up the others.

mod checkup;
pub(crate) mod clock;
mod listener;
pub(crate) mod load;
mod logging;
mod login;
pub(crate) mod lookout;
mod memory;
mod message;
mod notify;
mod options;
#[cfg(feature = "pam")]
mod pam;
pub(crate) mod record;
pub(crate) mod replace;
mod run_loop;
mod runner;
pub(crate) mod set_id;
mod site;
mod spawn;
mod store;
pub(crate) mod surroundings;
mod sys;
mod syslog;
mod traps;
pub(crate) mod zone;

use std::ffi::OsString;
use std::net::{TcpListener, UdpSocket};
use std::process::ExitCode;

use remon_core::engine::{Engine, Level};

use clock::Clock;
use options::{Asked, Options};
use site::Site;

/// Runs `mon` with the words of its command line.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    if let Some(status) = checkup::asked(&args) {
        return status;
    }
    match options::parse(args) {
        Asked::Run(options) => run(&options),
        Asked::Print(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Asked::Usage(problem) => {
            eprint!("{problem}\n{}", options::USAGE);
            ExitCode::from(2)
        }
    }
}

/// Why the daemon does not start.
struct Refusal(String);

impl<T: Into<String>> From<T> for Refusal {
    fn from(text: T) -> Refusal {
        Refusal(text.into())
    }
}

fn run(options: &Options) -> ExitCode {
    match prepare(options) {
        Ok(Prepared { engine, site, clock, sockets }) => {
            let status = serve(options, engine, site, clock, sockets);
            ExitCode::from(status)
        }
        Err(Refusal(text)) => {
            eprintln!("{text}");
            syslog::once(options.facility(), &text);
            ExitCode::FAILURE
        }
    }
}

/// All that can fail has been done, nothing that others see has been changed.
struct Prepared {
    engine: Engine,
    site: Site,
    clock: Clock,
    sockets: Sockets,
}

/// Bound, not yet served.
struct Sockets {
    clients: TcpListener,
    traps: UdpSocket,
}

fn prepare(options: &Options) -> Result<Prepared, Refusal> {
    let clock = Clock::start();
    let (site, loaded) = load::load(options).map_err(|errors| {
        // Every mistake at its place; the first line is the one the original prints.
        format!("{}\n\n{}", errors.lines.first().map_or("", String::as_str), errors.rendered)
            .trim_end()
            .to_owned()
    })?;
    let auth = load::auth(&site.authfile)?;
    let engine = Engine::new(loaded, auth, &clock.now(), clock.seed());
    let sockets = Sockets { clients: listener::bind(&site)?, traps: traps::bind(&site)? };
    Ok(Prepared { engine, site, clock, sockets })
}

fn serve(options: &Options, engine: Engine, site: Site, clock: Clock, sockets: Sockets) -> u8 {
    if options.fork
        && let Err(error) = sys::become_daemon(&site.monerrfile)
    {
        eprintln!("cannot become a daemon: {error}");
        return 1;
    }
    logging::start(&site, options);
    let pidfile = PidFile::write(&site);
    run_loop::make_room(&engine);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            logging::log(Level::Err, &format!("cannot start: {error}"));
            return 1;
        }
    };
    let status = runtime.block_on(run_loop::run(options, engine, site, clock, sockets));
    // Alerts that are still running go on without us; whatever waits for them does not hold up the end.
    runtime.shutdown_background();
    drop(pidfile);
    status
}

/// The file with our process id: gone when we are.
struct PidFile(Option<std::path::PathBuf>);

impl PidFile {
    fn write(site: &Site) -> PidFile {
        let Some(path) = &site.pidfile else { return PidFile(None) };
        match std::fs::write(path, format!("{}\n", std::process::id())) {
            Ok(()) => PidFile(Some(path.clone())),
            Err(error) => {
                logging::log(Level::Err, &format!("cannot write pid file {}: {error}", path.display()));
                PidFile(None)
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // If somebody has removed it before us, that is what we wanted.
            let _ = std::fs::remove_file(path);
        }
    }
}
