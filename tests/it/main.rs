//! Integration tests: everything that needs the built binary.

#[cfg(all(feature = "smtp", feature = "xmpp"))]
mod alerts;
mod check;
mod clients;
mod differential;
mod e2e;
mod editor;
mod fmt;
mod fuzz;
mod handover;
mod mutation;
mod programs;
mod remote;
mod robustness;
mod security;
mod shipped;
mod support;
mod tidy;
