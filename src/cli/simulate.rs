//! `mon simulate`: what would mon do? Its real schedule and its real decisions, in virtual time.

mod read;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use remon_core::config::{Config, diagnostic};
use remon_core::nouns::Wall;
use remon_core::text;
use remon_core::wire::why;
use remon_core::world::events::{self, Context, Script};
use remon_core::world::simulate::{self, Plan};
use remon_core::world::timeline::Timeline;
use remon_core::world::{Zone, compare};

use crate::daemon::clock::{self, LocalZone};
use read::Source;

/// As expected, or nothing to compare with.
const FINE: u8 = 0;
/// Not as expected, or the two configurations differ.
const DIFFERENT: u8 = 1;
/// There is nothing that could be simulated.
const TROUBLE: u8 = 2;

/// Shows what mon would do, without running or sending anything.
///
/// The schedule, the dependencies and the decisions about alerts are the daemon's own; time is virtual. Monitors
/// answer at once and find all well unless an event says otherwise, every program is there, and every alert is
/// delivered.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub(crate) struct SimulateArgs {
    /// What happens, and when; `-` for standard input
    events: Option<PathBuf>,
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "/etc/mon/mon.cf", conflicts_with = "diff")]
    config: PathBuf,
    /// Run configurations through m4 first, as is always done for a name that ends in `.m4`
    #[arg(short = 'M', long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "m4")]
    m4: Option<std::ffi::OsString>,
    /// From then on the monitor of a service fails: `web/ping@10m..50m`, `web/*@Mon 02:00=SUMMARY`
    #[arg(long, value_name = "SERVICE@FROM[..UNTIL][=SUMMARY]")]
    fail: Vec<String>,
    /// From then on the monitor of a service finds all well again
    #[arg(long, value_name = "SERVICE@FROM")]
    ok: Vec<String>,
    /// What happened once: the record that a daemon keeps, or a text of events
    ///
    /// Names that the configuration does not know are left out, and told.
    #[arg(long, value_name = "FILE", conflicts_with = "events")]
    replay: Option<PathBuf>,
    /// A configuration that came into force later in the record that is replayed: it does so again
    ///
    /// The record knows it by its SHA-256. Without it the replay goes on with the configuration that it has.
    #[arg(long, value_name = "FILE", requires = "replay")]
    past: Vec<PathBuf>,
    /// What the daemon's state files say, where events let it read them: a state directory
    #[arg(long, value_name = "DIR")]
    statedir: Option<PathBuf>,
    /// A monitor or an alert that is not there
    #[arg(long, value_name = "PROGRAM")]
    missing: Vec<String>,
    /// When the daemon starts: a date and time, or `now` for the next full minute
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// How long to simulate
    #[arg(long = "for", value_name = "TIMEVAL", conflicts_with = "until")]
    lasts: Option<String>,
    /// Until when to simulate
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long a run of a monitor takes
    #[arg(long, value_name = "TIMEVAL")]
    takes: Option<String>,
    /// Decides what is left to chance: randstart and randskew
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Print the events only, as a text that can be kept and changed
    #[arg(long, conflicts_with_all = ["diff", "expect", "all"])]
    print_events: bool,
    /// A line for every check and every decision
    #[arg(long)]
    all: bool,
    /// `record`: what a daemon would record, for programs, in the words of `list record`
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with_all = ["diff", "expect", "all"])]
    format: Format,
    /// Compare with a timeline that was kept; print the difference only
    #[arg(long, value_name = "FILE", conflicts_with = "diff")]
    expect: Option<PathBuf>,
    /// Which alerts does a new configuration add, remove or move?
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "all")]
    diff: Vec<PathBuf>,
}

/// In which form the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Record,
}

const HELP: &str = "\
Events, one a line, `#` begins a comment:
  +10m              fail web/ping \"web1 web2\"       from now on its monitor fails; exit N, signal N,
                    | web1: no answer               takes 30s; lines of detail begin with |
  +50m              ok web/ping                     from now on it finds all well
  Mon 02:00         fail */ping                     all services of that name, all hosts of their groups
  2026-11-23 02:00  trap web/raid exit 2 \"disk 3\"   a trap comes in; `trap web/raid ok`
  02:10             ack web/raid \"on it\"
  02:15             disable web/ping                also: watch GROUP, host HOST...; enable likewise
  03:00             test alert web/ping             test monitor, test upalert ...; stop, start
  03:10             restart                         a new daemon; restart disabled, opstatus or all
                                                    reads state, restart stopped; reset [keepstate], hangup
  03:20             config mon.cf.new               mon.cf is that file, for the next reset or restart
  03:20             due                             the checks of that moment come before what is below
  @1795352643       command set web ping interval 1m      any command of a client
  @1795352650       as amy ack web raid 'on it'           of one who has logged in
Times: +10m is counted from the start, 02:00 and Mon 02:00 are the next ones at or after the line above. What
happens at the moment of a check comes before it. Settings: from TIME, until TIME, for TIMEVAL, zone NAME,
seed NUMBER, takes TIMEVAL, missing PROGRAM, begin [stopped] [disabled|opstatus|all] (what mon -S and -l do);
options win. Without --from and `from` it starts at midnight of the first event that has a date, else on Monday,
2024-01-01 00:00. Without an end it goes on for an hour after the last event, for a day if there is none.

Examples:
  mon simulate -c mon.cf --fail web/ping@10m..50m
  mon simulate -c mon.cf --for 7d --fail 'web/*@Sat 01:30..Sat 04:00'
  mon simulate -c mon.cf outage.events > outage.expected
  mon simulate -c mon.cf outage.events --expect outage.expected
  mon simulate --diff mon.cf.old mon.cf outage.events
  mon simulate -c mon.cf.new --replay /var/lib/mon/remon/history.db --from '2026-11-22 18:00'
  mon simulate -c mon.cf.old --past mon.cf --replay /var/lib/mon/remon/history.db

A kept timeline is compared line by line, but for empty lines and comments; a line `...` in it stands for any
lines, so a file may hold only those that matter. Exit status: 0; 1 if --expect or --diff find a difference;
2 if a file cannot be used.";

/// Why nothing is simulated, ready to be printed.
type Trouble = String;

/// Runs the subcommand.
pub(crate) fn run(args: &SimulateArgs) -> ExitCode {
    let (out, status) = match simulate(args) {
        Ok(told) => told,
        Err(trouble) => {
            let _ = io::stderr().lock().write_all(&text::encode(&format!("{}\n", trouble.trim_end())));
            return ExitCode::from(TROUBLE);
        }
    };
    // A reader that has seen enough (`| head`) is no reason to complain.
    let _ = io::stdout().lock().write_all(&text::encode(&out));
    ExitCode::from(status)
}

fn simulate(args: &SimulateArgs) -> Result<(String, u8), Trouble> {
    let m4 = args.m4.as_deref();
    if let [old, new] = &args.diff[..] {
        let (old, new) = (read::config(old, m4)?, read::config(new, m4)?);
        let plan = plan(args, vec![old.1, new.1], None)?;
        let changes = compare::alerts(&carry_out(&old.0, &plan)?, &carry_out(&new.0, &plan)?, &plan.zone);
        let status = if changes.is_empty() { FINE } else { DIFFERENT };
        return Ok((changes.render(), status));
    }
    let (mon_cf, config) = read::config(&args.config, m4)?;
    let plan = plan(args, vec![config], Some(&mon_cf))?;
    if args.print_events {
        return Ok((plan.script.spell(), FINE));
    }
    let timeline = carry_out(&mon_cf, &plan)?;
    if args.format == Format::Record {
        return Ok((why::spell_record(timeline.facts.entries()), FINE));
    }
    let timeline = timeline.render(&plan.zone);
    let Some(path) = &args.expect else { return Ok((heading(args, &plan) + &timeline, FINE)) };
    let kept = Source::read(path)?;
    Ok(match compare::expect(&kept.name, &kept.text, &timeline) {
        Some(difference) => (difference, DIFFERENT),
        None => (String::new(), FINE),
    })
}

fn carry_out(mon_cf: &Source, plan: &Plan) -> Result<Timeline, Trouble> {
    simulate::run(&mon_cf.text, plan)
        .map_err(|errors| diagnostic::render(&errors, &mon_cf.name, &mon_cf.text))
}

/// What is simulated how; comments, so that a kept timeline does not depend on them.
fn heading(args: &SimulateArgs, plan: &Plan) -> String {
    let missing = plan.script.missing.iter().map(|name| format!("# {name} is not there\n"));
    let unknown = plan.script.unknown.iter().map(|name| format!("# left out, as there is no {name}\n"));
    let unknown = missing.chain(unknown);
    format!(
        "# {}, chance {}\n# Simulated: monitors find all well unless an event says otherwise and take {} s; every program is\n\
         # there and every alert is delivered. Nothing was run, nothing was sent.\n{}",
        args.config.display(),
        plan.seed,
        plan.takes.as_secs(),
        unknown.collect::<String>()
    )
}

fn plan(args: &SimulateArgs, mut configs: Vec<Config>, mon_cf: Option<&Source>) -> Result<Plan, Trouble> {
    let m4 = args.m4.as_deref();
    let mut texts = BTreeMap::new();
    for path in &args.past {
        let (source, config) = read::config(path, m4)?;
        texts.insert(source.name, source.text);
        configs.push(config);
    }
    let main = match (&args.events, &args.replay) {
        (Some(path), _) => Source::read(path)?,
        // When it starts is read again with the zone that a text may ask for; a record asks for none.
        (None, Some(path)) => {
            let local = LocalZone::new().changes();
            let from = args.from.as_deref().map(|from| start(from, &local)).transpose()?;
            if let Some(mon_cf) = mon_cf.filter(|_| !texts.is_empty()) {
                texts.insert(mon_cf.name.clone(), mon_cf.text.clone());
            }
            read::history(path, from, &configs, &texts)?
        }
        (None, None) => Source::default(),
    };
    for name in events::configs_of(&main.text) {
        if let Entry::Vacant(unread) = texts.entry(name) {
            let name = unread.key();
            let (source, config) = read::config(&read::beside(args.events.as_deref(), name), m4)?;
            unread.insert(source.text);
            configs.push(config);
        }
    }
    let zone = match events::zone_of(&main.text) {
        None => LocalZone::new(),
        Some(name) => {
            LocalZone::named(name).ok_or_else(|| format!("{}: there is no zone `{name}`", main.name))?
        }
    };
    let zone = zone.changes();
    let from = args.from.as_deref().map(|from| start(from, &zone)).transpose()?;
    let context = Context { configs: &configs, zone: &zone, from, recorded: args.replay.is_some() };
    let mut script = script(args, &main, context)?;
    script.missing.extend(args.missing.iter().cloned());
    script.unknown.extend(main.unknown);
    let until = end(args, &script, &zone)?;
    let takes = args.takes.as_deref().map(|takes| span("--takes", takes)).transpose()?;
    Ok(Plan {
        until,
        seed: args.seed.or(script.seed).unwrap_or(simulate::DEFAULT_SEED),
        takes: takes.or(script.takes).unwrap_or(Duration::ZERO),
        all: args.all,
        facts: args.format == Format::Record,
        state: args.statedir.as_deref().map(read::state).transpose()?.unwrap_or_default(),
        configs: texts,
        script,
        zone,
    })
}

/// The events of the file and of the options, with every mistake in any of them.
fn script(args: &SimulateArgs, main: &Source, context: Context<'_>) -> Result<Script, Trouble> {
    let (mut script, diagnostics) = events::parse(&main.text, &context);
    let mut trouble = diagnostic::render(&diagnostics, &main.name, &main.text);
    let options = args.fail.iter().map(|value| ("fail", value));
    for (verb, value) in options.chain(args.ok.iter().map(|value| ("ok", value))) {
        let text = events::from_option(verb, value);
        // Without a date of its own the file begins where the options say, so they must agree on the start.
        let context = Context { from: Some(script.from), recorded: false, ..context };
        let (more, diagnostics) = events::parse(&text, &context);
        trouble += &diagnostic::render(&diagnostics, &format!("--{verb} {value}"), &text);
        script.events.extend(more.events);
    }
    script.events.sort_by_key(|event| event.at);
    if trouble.is_empty() { Ok(script) } else { Err(trouble + "mon simulate: nothing was simulated") }
}

fn start(text: &str, zone: &Zone) -> Result<Wall, Trouble> {
    if text == "now" {
        let now = clock::wall();
        return Ok(now + 60 - now.rem_euclid(60));
    }
    if text.starts_with('+') {
        return Err("mon simulate: --from wants a date and time, or `now`".to_owned());
    }
    // A time without a date is the next one from now.
    events::moment(text, zone, clock::wall()).map_err(|problem| format!("mon simulate: --from: {problem}"))
}

fn end(args: &SimulateArgs, script: &Script, zone: &Zone) -> Result<Wall, Trouble> {
    let until = if let Some(lasts) = &args.lasts {
        script.from.saturating_add(span("--for", lasts)?.as_secs().cast_signed())
    } else if let Some(until) = &args.until {
        events::moment(until, zone, script.from)
            .map_err(|problem| format!("mon simulate: --until: {problem}"))?
    } else {
        return Ok(script.until.unwrap_or_else(|| simulate::usual_end(script)));
    };
    let longest = script.from.saturating_add(events::LONGEST.as_secs().cast_signed());
    if until <= script.from || until > longest {
        return Err("mon simulate: the end must be after the start, by ten years at most".to_owned());
    }
    Ok(until)
}

fn span(option: &str, text: &str) -> Result<Duration, Trouble> {
    let problem =
        || format!("mon simulate: {option} wants a time with its unit, such as 90s or 1d12h: `{text}`");
    events::span(text).filter(|span| *span <= events::LONGEST).ok_or_else(problem)
}
