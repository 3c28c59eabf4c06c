//! Scenarios of which a part cannot be played from the record, each with its reason.

use super::story::Stories;

/// Name of the scenario, and what its record does not have.
pub(super) const LISTED: &[(&str, &str)] = &[
    ("a09_state/dep_memory_loaded", "a state file is written by hand while the daemon runs"),
    ("a11_timing/randstart_spreads", "chance decides when the first runs are, and its seed is not recorded"),
];

/// What became of a scenario.
pub(super) enum Seen {
    /// No monitor ran, and no alert.
    Nothing,
    /// It is listed, and differs.
    Listed,
    /// All was as simulated.
    Same(Box<Stories>),
}

/// A listed scenario must differ, any other must not.
pub(super) fn judge(name: &str, found: Result<Option<Stories>, Vec<String>>) -> Result<Seen, Vec<String>> {
    match (LISTED.iter().find(|(listed, _)| *listed == name), found) {
        (None, Ok(Some(stories))) => Ok(Seen::Same(Box::new(stories))),
        (None, Ok(None)) => Ok(Seen::Nothing),
        (None, Err(differences)) => Err(differences),
        (Some(_), Err(_)) => Ok(Seen::Listed),
        (Some((_, reason)), Ok(_)) => {
            Err(vec![format!("is the same, and listed as one that cannot be: {reason}")])
        }
    }
}
