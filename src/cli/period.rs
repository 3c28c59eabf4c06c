//! `mon period`: is a time inside a period, and when does that change?

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use remon_core::nouns::Wall;
use remon_core::period::{Answer, Period, Problem, Validity};
use remon_core::text;
use remon_core::timeval::is_blank;

use crate::daemon::clock::{self, LocalZone};

/// Says whether a time is inside a period, in local time (TZ is honoured).
///
/// Prints yes (exit status 0) or no (1). If the period is invalid the reason goes to stderr, exit status 2.
#[derive(Debug, clap::Args)]
pub(crate) struct PeriodArgs {
    /// The period, as after `period` in mon.cf, for example 'wd {Mon-Fri} hr {9am-5pm}'
    #[arg(required_unless_present = "batch", allow_hyphen_values = true)]
    spec: Option<String>,

    /// The time in question, in seconds since the epoch (default: now)
    #[arg(long, value_name = "EPOCH", allow_negative_numbers = true)]
    at: Option<Wall>,

    /// List the next N changes from that time on
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    next: Option<usize>,

    /// Read lines EPOCH<TAB>SPEC and print yes, no or invalid for each
    ///
    /// A line without tab has an empty SPEC (always yes); an EPOCH other than digits is invalid.
    #[arg(long, conflicts_with_all = ["spec", "at"])]
    batch: bool,
}

/// How far ahead `--next` looks: a leap day comes at least every eight years.
const HORIZON_SECS: i64 = 10 * 366 * 86_400;

const YES: u8 = 0;
const NO: u8 = 1;
const INVALID: u8 = 2;
const TROUBLE: u8 = 3;

/// Runs the subcommand.
pub(crate) fn run(args: &PeriodArgs) -> ExitCode {
    let zone = LocalZone::new();
    let out = io::BufWriter::new(io::stdout().lock());
    let done = match &args.spec {
        None => batch(&zone, io::stdin().lock(), out).map(|()| YES),
        Some(spec) => {
            let period = Period::parse(spec);
            let at = args.at.unwrap_or_else(clock::wall);
            match args.next {
                Some(count) => list_changes(&zone, &period, at, count, out),
                None => answer(&zone, &period, at, out),
            }
        }
    };
    match done {
        Ok(status) => ExitCode::from(status),
        // Whoever reads has seen enough: `mon period --next 1000 … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(YES),
        Err(error) => {
            eprintln!("mon period: {error}");
            ExitCode::from(TROUBLE)
        }
    }
}

fn answer(zone: &LocalZone, period: &Period, at: Wall, mut out: impl Write) -> io::Result<u8> {
    let answer = period.evaluate(&zone.civil(at));
    report(period, answer == Answer::Invalid);
    match answer {
        Answer::Yes => writeln!(out, "yes")?,
        Answer::No => writeln!(out, "no")?,
        Answer::Invalid => return Ok(INVALID),
    }
    out.flush()?;
    Ok(if answer == Answer::Yes { YES } else { NO })
}

fn list_changes(
    zone: &LocalZone,
    period: &Period,
    from: Wall,
    count: usize,
    mut out: impl Write,
) -> io::Result<u8> {
    let hopeless = period.verdict() == Validity::Never;
    report(period, hopeless);
    if hopeless {
        return Ok(INVALID);
    }
    let mut at = from;
    for _ in 0..count {
        let Some(change) = period.next_change(at, |wall| zone.civil(wall), HORIZON_SECS) else {
            let side = side(zone, period, at);
            writeln!(out, "{side} at least until {}", zone.iso(at.saturating_add(HORIZON_SECS)))?;
            break;
        };
        at = change;
        writeln!(out, "{} {}", zone.iso(at), side(zone, period, at))?;
    }
    out.flush()?;
    Ok(YES)
}

fn side(zone: &LocalZone, period: &Period, at: Wall) -> &'static str {
    if period.contains(&zone.civil(at)) { "inside" } else { "outside" }
}

fn batch(zone: &LocalZone, mut input: impl BufRead, mut out: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        let words = text::decode(std::mem::take(&mut line));
        writeln!(out, "{}", batch_line(zone, &words))?;
    }
    out.flush()
}

/// As Time::Period takes them: the time is digits with blanks around, no spec is the empty one.
fn batch_line(zone: &LocalZone, line: &str) -> &'static str {
    let (epoch, spec) = line.split_once('\t').unwrap_or((line, ""));
    let epoch = epoch.trim_matches(is_blank);
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return "invalid";
    }
    match epoch.parse().map(|wall| Period::parse(spec).evaluate(&zone.civil(wall))) {
        Ok(Answer::Yes) => "yes",
        Ok(Answer::No) => "no",
        Ok(Answer::Invalid) | Err(_) => "invalid",
    }
}

/// Shows the mistakes on stderr, whether or not evaluation came across one.
fn report(period: &Period, fatal: bool) {
    let severity = if fatal { "invalid period" } else { "warning: not reached at this time" };
    for problem in period.problems() {
        eprintln!("mon period: {severity}: {}\n{}", problem.message, caret(period.text(), problem));
    }
}

/// The specification, and under it a mark at the mistake.
fn caret(spec: &str, problem: &Problem) -> String {
    let shown: String = text::display(spec).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = spec[..problem.span.start].chars().count();
    let width = spec[problem.span.clone()].chars().count().max(1);
    format!("  {shown}\n  {:before$}{}", "", "^".repeat(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_batch() {
        let zone = LocalZone::new();
        for (line, expect) in [
            ("0\t", "yes"),
            (" 12 \twd {1-7}", "yes"),
            ("12", "yes"),
            ("12\tnone", "no"),
            ("12\tnever", "invalid"),
            ("12\twd {1-7}\t", "yes"),
            ("", "invalid"),
            ("x\t", "invalid"),
            ("-5\t", "invalid"),
            ("1 2\t", "invalid"),
            ("99999999999999999999\t", "invalid"),
        ] {
            assert_eq!(batch_line(&zone, line), expect, "{line:?}");
        }
    }

    #[test]
    fn carets_stand_under_the_mistake() {
        for (spec, expect) in [
            ("wd {Mon-Xyz}", "  wd {Mon-Xyz}\n          ^^^"),
            ("\twd {Zürich}", "   wd {Zürich}\n       ^^^^^^"),
        ] {
            assert_eq!(caret(spec, &Period::parse(spec).problems()[0]), expect);
        }
    }
}
