//! Which program am I? Hand over.
//!
//! `mon` is the daemon and its subcommands; called by the name of a built-in program it is that program.

mod cli;
mod daemon;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use cli::programs;

/// The subcommands; any other first word belongs to the classic command line.
#[derive(Parser)]
#[command(name = "mon", disable_help_subcommand = true)]
enum Subcommand {
    /// Find every mistake in configuration files
    Check(cli::check::CheckArgs),
    /// What would a reload change?
    Diff(cli::diff::DiffArgs),
    /// Is everything there that monitoring needs?
    Doctor(cli::doctor::DoctorArgs),
    /// Lay a configuration file out
    Fmt(cli::fmt::FmtArgs),
    /// Help an editor with configuration files: a language server on standard input and output
    Lsp(cli::lsp::LspArgs),
    /// What a code of `mon check` means
    Explain(cli::explain::ExplainArgs),
    /// Is a time inside a period?
    Period(cli::period::PeriodArgs),
    /// What would mon do? Its schedule and its alerts, in virtual time
    Simulate(Box<cli::simulate::SimulateArgs>),
    Why(cli::why::WhyArgs),
    History(cli::why::HistoryArgs),
}

const SUBCOMMANDS: [&str; 10] =
    ["check", "diff", "doctor", "explain", "fmt", "lsp", "period", "simulate", "why", "history"];

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = args.first().and_then(|name| programs::by_argv0(name)) {
        return program.run(args);
    }
    match args.get(1).and_then(|word| word.to_str()) {
        Some("run") => run_built_in(args[2..].to_vec()),
        Some("version") => {
            println!("remon {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(word) if SUBCOMMANDS.contains(&word) => match Subcommand::parse_from(args) {
            Subcommand::Check(args) => cli::check::run(&args),
            Subcommand::Diff(args) => cli::diff::run(&args),
            Subcommand::Doctor(args) => cli::doctor::run(&args),
            Subcommand::Fmt(args) => cli::fmt::run(&args),
            Subcommand::Lsp(args) => cli::lsp::run(&args),
            Subcommand::Explain(args) => cli::explain::run(&args),
            Subcommand::Period(args) => cli::period::run(&args),
            Subcommand::Simulate(args) => cli::simulate::run(&args),
            Subcommand::Why(args) => cli::why::run(&args),
            Subcommand::History(args) => cli::why::run_history(&args),
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
