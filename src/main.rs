//! Which program am I? Hand over.
//!
//! `mon` is the daemon and its subcommands; called by the name of a built-in program it is that program.

mod cli;
mod daemon;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use cli::programs;

/// The subcommands; any other first word belongs to the classic command line.
#[derive(Parser)]
#[command(name = "mon", disable_help_subcommand = true)]
enum Subcommand {
    /// Find every mistake in a configuration file
    Check(cli::check::CheckArgs),
    /// Is a time inside a period?
    Period(cli::period::PeriodArgs),
}

const SUBCOMMANDS: [&str; 2] = ["check", "period"];

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = args.first().and_then(|name| programs::by_argv0(name)) {
        return program.run(args);
    }
    match args.get(1).and_then(|word| word.to_str()) {
        Some("pages") => cli::pages::run(args.get(2).map(OsString::as_os_str), &Subcommand::command()),
        Some("run") => run_built_in(args[2..].to_vec()),
        Some("version") => {
            println!("remon {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(word) if SUBCOMMANDS.contains(&word) => match Subcommand::parse_from(args) {
            Subcommand::Check(args) => cli::check::run(&args),
            Subcommand::Period(args) => cli::period::run(&args),
        },
        _ => daemon::main(args),
    }
}

/// `mon run NAME ARGS`: a built-in program, whatever we are called.
fn run_built_in(args: Vec<OsString>) -> ExitCode {
    let program = args.first().and_then(|name| programs::by_name(name.to_str()?));
    if let Some(program) = program {
        return program.run(args);
    }
    let names = programs::list().map(|(name, about)| format!("  {name:18} {about}\n"));
    programs::complain(&format!("usage: mon run NAME WORDS...\n\n{}", names.collect::<String>()), 1)
}
