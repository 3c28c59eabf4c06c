//! What tests with a real daemon need: a place of its own, a raw client, waiting with a deadline.
//!
//! A [`Place`] is a directory with two free ports. A [`Daemon`] runs in it and dies with it, together with
//! every monitor and alert it started. Nothing here sleeps for a fixed time to be "sure": [`wait::until`] polls
//! a condition and says what it waited for when the deadline passes.

mod client;
mod compare;
mod daemon;
#[cfg_attr(not(feature = "smtp"), expect(dead_code, reason = "mail alone needs it"))]
pub(crate) mod network;
pub(crate) mod place;
pub(crate) mod servers;
pub(crate) mod wait;
pub(crate) mod xmpp;

pub(crate) use client::{Client, latin1};
pub(crate) use compare::{Observation, both, differences};
pub(crate) use daemon::Daemon;
pub(crate) use place::{Place, signal};

use std::path::{Path, PathBuf};

/// The daemon under test: ours, or whatever `REMON_TEST_SUBJECT` names. Tests never ask which one it is, except
/// where they lend the original the programs that ours has built in.
pub(crate) fn subject() -> PathBuf {
    std::env::var_os("REMON_TEST_SUBJECT").map_or_else(|| env!("CARGO_BIN_EXE_mon").into(), PathBuf::from)
}

/// The original: `REMON_ORACLE`, else where Debian's package `mon` puts it. `None` when it is not installed.
pub(crate) fn oracle() -> Option<PathBuf> {
    let path = std::env::var_os("REMON_ORACLE").map_or_else(|| "/usr/sbin/mon".into(), PathBuf::from);
    path.is_file().then_some(path)
}

/// Whether the subject is the original itself, as when a new scenario is tried against it.
pub(crate) fn subject_is_oracle() -> bool {
    oracle().is_some_and(|oracle| oracle == subject())
}

/// The top of the source tree.
pub(crate) fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says, past the capture of the test runner, that a test had nothing to do and why.
pub(crate) fn skipped(test: &str, why: &str) {
    use std::io::Write as _;
    // Not eprintln!: its output is kept back when the test passes, and this is for eyes.
    let _ = writeln!(std::io::stderr(), "skipped {test}: {why}");
}
