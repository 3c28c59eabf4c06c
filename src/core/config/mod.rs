//! mon.cf: from text to a checked configuration.
//!
//! | module | what it does |
//! |---|---|
//! | [`lines`] | physical lines to logical lines |
//! | [`ast`], [`parse`] | logical lines to statements with their places |
//! | `lower` | statements to the [`model`]: [`load`] does all of it |
//! | `refusal`, `lint` | what is an error, what is a warning, and how they are said |
//! | [`changes`], `definition` | what another file changes |
//! | [`origin`] | places in the files that m4 read |
//! | [`surroundings`] | what a file says about its machine, held against what is there |
//! | [`diagnostic`] | errors and warnings as values, and as text |
//! | [`mod@format`] | the canonical layout, with its meaning proven the same |
//! | [`help`], [`names`], [`context`], [`m4`] | what an editor asks: keywords, names, where a line stands |
//! | [`explain`] | a page for each of their codes |

pub mod ast;
pub mod changes;
pub mod context;
mod definition;
pub mod diagnostic;
pub mod explain;
pub mod format;
pub mod help;
mod intern;
pub mod lines;
mod lint;
mod lower;
pub mod m4;
pub mod model;
pub mod names;
pub mod origin;
pub mod parse;
mod refusal;
mod sink;
pub(crate) mod suggest;
pub mod surroundings;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use definition::{same_alerts, same_check, same_definition};
pub use diagnostic::{Diagnostic, Severity};
pub use lower::{load, load_briefly};
pub use model::*;
pub use origin::{Origins, Place};
pub use surroundings::{Surroundings, look_around};
