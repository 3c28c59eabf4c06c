//! What bytes from outside may reach, as plain functions over bytes: each panics where a promise is broken.
//!
//! They know nothing of who calls them: `tests/it/fuzz.rs` does for a second each, `tests/fuzz/run` for hours.

mod daemon;
mod files;
mod language;
mod network;
mod probes;
mod reach;

/// One way in.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Its name, also that of its folder in `tests/fuzz/seeds`.
    pub(crate) name: &'static str,
    /// Takes any bytes.
    pub(crate) run: fn(&[u8]),
}

/// All ways in.
pub(crate) const TARGETS: [Target; 13] = [
    Target { name: "clients", run: network::clients },
    Target { name: "traps", run: network::traps },
    Target { name: "replies", run: network::replies },
    Target { name: "state", run: files::state },
    Target { name: "auth", run: files::auth },
    Target { name: "config", run: files::config },
    Target { name: "period", run: language::period },
    Target { name: "depend", run: language::depend },
    Target { name: "quote", run: language::quote },
    Target { name: "pages", run: probes::pages },
    Target { name: "dialogues", run: probes::dialogues },
    Target { name: "names", run: reach::names },
    Target { name: "plugins", run: reach::plugins },
];

/// The target of that name.
///
/// # Panics
/// When there is none.
#[must_use]
pub(crate) fn named(name: &str) -> Target {
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("no target {name}; add it to TARGETS"))
}

/// Bytes as the daemon takes them in.
fn text_of(bytes: &[u8]) -> String {
    remon_core::text::decode(bytes.to_vec())
}
