//! mon.cf: from text to a checked configuration.
//!
//! | module | what it does |
//! |---|---|
//! | [`lines`] | physical lines to logical lines |
//! | [`ast`], [`parse`] | logical lines to statements with their places |
//! | `lower` | statements to the [`model`]: [`load`] does all of it |
//! | `refusal`, `lint` | what is an error, what is a warning, and how they are said |
//! | [`changes`], `definition` | what another file changes |
//! | [`diagnostic`] | errors and warnings as values, and as text |

pub mod ast;
pub mod changes;
mod definition;
pub mod diagnostic;
mod intern;
pub mod lines;
mod lint;
mod lower;
pub mod model;
pub mod parse;
mod refusal;
mod sink;
mod suggest;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use definition::{same_alerts, same_check, same_definition};
pub use diagnostic::{Diagnostic, Severity};
pub use lint::nobody_to_call;
pub use lower::load;
pub use model::*;
