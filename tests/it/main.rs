//! Integration tests: everything that needs the built binary.

#[cfg(all(feature = "smtp", feature = "xmpp"))]
mod alerts;
mod check;
mod differential;
mod e2e;
mod programs;
mod remote;
mod robustness;
mod support;
mod tidy;
