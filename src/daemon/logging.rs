//! Log lines: through tracing, to syslog and, in the foreground, to stderr.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use remon_core::engine::Level;
use remon_core::text;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::clock::{LocalZone, wall};
use super::options::Options;
use super::site::Site;
use super::syslog::Syslog;

/// Sends the log to where it belongs, from now on.
pub(super) fn start(site: &Site, options: &Options) {
    // Under systemd stderr and syslog end in the same journal: once is enough.
    let journal_reads_stderr = std::env::var_os("JOURNAL_STREAM").is_some();
    let stderr = (!options.fork && !journal_reads_stderr).then(|| Stderr {
        zone: LocalZone::new(),
        least: if options.debug > 0 { Level::Debug } else { Level::Info },
    });
    let syslog = SyslogLayer { syslog: Syslog::open(&site.facility), debug: options.debug > 0 };
    // A second start in one process would be a mistake of ours, and harmless.
    let _ = tracing_subscriber::registry().with(stderr).with(syslog).try_init();
    let early = EARLY.lock().unwrap_or_else(PoisonError::into_inner).take();
    early.unwrap_or_default().iter().for_each(|(level, text)| log(*level, text));
}

/// What is said before the log is there: the configuration has to be read first, as it names the facility.
static EARLY: Mutex<Option<Vec<(Level, String)>>> = Mutex::new(Some(Vec::new()));

/// A longer line is cut: rsyslog would do it at this length, and a monitor's summary may be of any.
const MOST_BYTES: usize = 8 * 1024;

/// Writes a line. tracing knows five levels and syslog eight: the finer one travels as a field.
pub(super) fn log(level: Level, text: &str) {
    if let Some(early) = EARLY.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        return early.push((level, text.to_owned()));
    }
    let (priority, text) = (level as u64, text::cut(text, MOST_BYTES));
    match level {
        Level::Alert | Level::Crit | Level::Err => tracing::error!(priority, "{text}"),
        Level::Warning | Level::Notice => tracing::warn!(priority, "{text}"),
        Level::Info => tracing::info!(priority, "{text}"),
        Level::Debug => tracing::debug!(priority, "{text}"),
    }
}

/// The two fields of a line of ours; lines of libraries have a message alone.
#[derive(Default)]
struct Line {
    priority: Option<u64>,
    text: String,
}

impl Line {
    fn of(event: &tracing::Event<'_>) -> (Level, String) {
        let mut line = Line::default();
        event.record(&mut line);
        const LEVELS: [Level; 7] =
            [Level::Alert, Level::Crit, Level::Err, Level::Warning, Level::Notice, Level::Info, Level::Debug];
        let known = line.priority.and_then(|priority| LEVELS.get(priority as usize).copied());
        let level = known.unwrap_or(match *event.metadata().level() {
            tracing::Level::ERROR => Level::Err,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        });
        (level, line.text)
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "priority" {
            self.priority = Some(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{value:?}");
        }
    }
}

/// Only what the daemon itself says: libraries log what nobody can act on.
fn is_ours(event: &tracing::Event<'_>) -> bool {
    event.metadata().target().starts_with("mon")
}

struct SyslogLayer {
    syslog: Syslog,
    debug: bool,
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SyslogLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if is_ours(event) && (self.debug || *event.metadata().level() <= tracing::Level::INFO) {
            let (level, text) = Line::of(event);
            self.syslog.send(level, &text);
        }
    }
}

struct Stderr {
    zone: LocalZone,
    least: Level,
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stderr {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !is_ours(event) {
            return;
        }
        let (level, text) = Line::of(event);
        if level <= self.least {
            let at = self.zone.civil(wall());
            let word = format!("{level:?}").to_ascii_lowercase();
            let shown = text::display(&text).replace(|c: char| c.is_control(), " ");
            let line = format!("{:02}:{:02}:{:02} {word:7} {shown}\n", at.hour, at.minute, at.second);
            // Nobody may be listening; that is no reason to stop.
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}
