//! Integration tests: everything that needs the built binary.

mod check;
mod clients;
mod differential;
mod e2e;
mod fuzz;
mod handover;
mod programs;
mod robustness;
mod security;
mod shipped;
mod support;
mod tidy;
