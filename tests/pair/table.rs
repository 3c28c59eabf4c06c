//! The table that is printed: what happened, what arrived, and when.

use crate::pairing::Pairing;
use crate::rows::{self, Row};
use crate::scene::Mode;
use crate::site::INTERVAL;
use crate::worker::Outcome;

/// Prints the rows of a pairing. Tells whether all came out as they must.
pub(crate) fn print(pairing: Pairing, mode: Mode, results: &[(&'static Row, Outcome)]) -> bool {
    println!("\n{pairing}: A-B, an interval is {} s; in brackets: intervals", INTERVAL.as_secs());
    for (row, outcome) in results {
        let (word, rest) = match (mode, outcome) {
            (Mode::Real, Ok(rest)) => ("ok", rest.replace('\t', ": ")),
            (Mode::Real, Err(_)) => ("FAILED", String::new()),
            (_, Ok(_)) => ("FAILED", "it holds although it must not".to_owned()),
            (_, Err(why)) => ("ok", format!("fails as it must: {}", why.lines().next().unwrap_or_default())),
        };
        println!("{:<13} {:<78} {word} {rest}", row.name, row.title);
    }
    for row in rows::ALL {
        if let Some(why) = (row.cannot)(pairing) {
            println!("{:<13} {:<78} cannot: {why}", row.name, row.title);
        }
    }
    let failed = |(_, outcome): &&(&Row, Outcome)| outcome.is_ok() != (mode == Mode::Real);
    for (row, outcome) in results.iter().filter(failed) {
        println!("\n{pairing}/{}: {}", row.name, outcome.as_ref().err().map_or("", |why| why));
    }
    !results.iter().any(|result| failed(&result))
}
