//! `mon explain [CODE…]`: what a code of `mon check` means, with a wrong and a right example.

use std::io::{self, Write as _};
use std::process::ExitCode;

use remon_core::config::explain::{self, Page};

/// Arguments of `mon explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Codes such as W001; all are listed if none is given
    codes: Vec<String>,
}

/// Prints the pages, or the list of all. Exit status: 0, or 1 if a code is unknown.
pub(crate) fn run(args: &ExplainArgs) -> ExitCode {
    let mut text = String::new();
    let mut unknown = false;
    if args.codes.is_empty() {
        text = explain::pages().map(|page| format!("{}  {}\n", page.code, page.title)).collect();
    }
    for (index, code) in args.codes.iter().enumerate() {
        match explain::page(code) {
            Some(page) => text += &format!("{}{}", if index == 0 { "" } else { "\n" }, shown(page)),
            None => {
                unknown = true;
                eprintln!("mon explain: there is no code {code}; `mon explain` lists all");
            }
        }
    }
    // A reader that has seen enough (`| head`) is no reason to complain.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    if unknown { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn shown(page: &Page) -> String {
    let indented = |text: &str| {
        text.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect::<String>()
    };
    let example = |title: &str, example: &explain::Example| {
        let files =
            example.files().map(|(name, text)| format!("\n{title}{}:\n\n{}", in_file(name), indented(text)));
        files.collect::<String>()
    };
    let mut out = format!("{} {}\n\n{}\n", page.code, page.title, page.text);
    out += &example("Wrong", &page.wrong);
    out += &example("Right", &page.right);
    out
}

/// A file that is not the mon.cf itself is named.
fn in_file(name: &str) -> String {
    if name == explain::MAIN { String::new() } else { format!(", {name}") }
}
