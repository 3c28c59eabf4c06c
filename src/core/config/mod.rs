//! mon.cf: from text to a checked configuration.
//!
//! | module | what it does |
//! |---|---|
//! | [`lines`] | physical lines to logical lines |
//! | [`ast`], [`parse`] | logical lines to statements with their places |
//! | `lower` | statements to the [`model`]: [`load`] does all of it |
//! | `refusal`, `lint` | what is an error, what is a warning, and how they are said |
//! | [`diagnostic`] | errors and warnings as values, and as text |
//! | [`mod@format`] | the canonical layout, with its meaning proven the same |
//! | [`help`], [`names`], [`context`], [`m4`] | what an editor asks: keywords, names, where a line stands |

pub mod ast;
pub mod context;
pub mod diagnostic;
pub mod format;
pub mod help;
mod intern;
pub mod lines;
mod lint;
mod lower;
pub mod m4;
pub mod model;
pub mod names;
pub mod parse;
mod refusal;
mod sink;
mod suggest;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use diagnostic::{Diagnostic, Severity};
pub use lower::load;
pub use model::*;
