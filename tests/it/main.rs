//! Integration tests: everything that needs the built binary.

mod check;
mod clients;
mod differential;
mod e2e;
mod handover;
mod programs;
mod robustness;
mod shipped;
mod support;
mod tidy;
