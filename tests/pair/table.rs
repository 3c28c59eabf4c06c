//! The table that is printed: what happened, what arrived, and when.

use crate::pairing::Pairing;
use crate::rows::{self, Row};
use crate::scene::Mode;
use crate::site::INTERVAL;
use crate::worker::{Failure, Outcome};

/// Prints the rows of a pairing. Tells whether all came out as they must.
pub(crate) fn print(pairing: Pairing, mode: Mode, results: &[(&'static Row, Outcome)]) -> bool {
    println!("\n{pairing}: A-B, an interval is {} s; in brackets: intervals", INTERVAL.as_secs());
    for (row, outcome) in results {
        let (word, rest) = match (good(mode, outcome), outcome) {
            (true, Ok(rest)) => ("ok", rest.as_str()),
            (true, Err(failure)) => ("ok, fails:", failure.why().lines().next().unwrap_or_default()),
            (false, Ok(_)) => ("FAILED:", "it holds although it must not"),
            (false, Err(_)) => ("FAILED", ""),
        };
        println!("{:<13} {:<78} {word} {rest}", row.name, row.title);
    }
    for row in rows::ALL {
        if let Some(why) = (row.cannot)(pairing) {
            println!("{:<13} {:<78} cannot: {why}", row.name, row.title);
        }
    }
    let failed = results.iter().filter(|(_, outcome)| !good(mode, outcome)).collect::<Vec<_>>();
    for (row, outcome) in &failed {
        println!("\n{pairing}/{}: {}", row.name, outcome.as_ref().err().map_or("", Failure::why));
    }
    failed.is_empty()
}

/// Whether a row came out as it must: whole, or broken by what was left out or put in.
fn good(mode: Mode, outcome: &Outcome) -> bool {
    match outcome {
        Ok(_) => mode == Mode::Real,
        Err(Failure::Row(_)) => mode != Mode::Real,
        Err(Failure::Broken(_)) => false,
    }
}
