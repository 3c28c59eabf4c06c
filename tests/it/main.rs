//! Integration tests: everything that needs the built binary.

mod check;
mod differential;
mod e2e;
mod fuzz;
mod programs;
mod robustness;
mod security;
mod support;
mod tidy;
