//! Integration tests: everything that needs the built binary.

#[cfg(all(feature = "smtp", feature = "xmpp"))]
mod alerts;
mod check;
mod checkup;
mod clients;
mod deliveries;
mod differential;
#[cfg(all(feature = "smtp", feature = "xmpp"))]
mod doctor;
mod e2e;
mod editor;
mod fmt;
mod fuzz;
mod handover;
mod mutation;
mod notify;
mod package;
#[cfg(feature = "smtp")]
mod privilege;
mod probes;
mod programs;
mod reach;
mod reload;
mod remote;
mod robustness;
mod run_times;
#[cfg(all(feature = "smtp", feature = "xmpp"))]
mod samples;
mod security;
mod shipped;
mod simulate;
mod support;
mod tidy;
#[cfg(feature = "smtp")]
mod webhook;
mod why;
