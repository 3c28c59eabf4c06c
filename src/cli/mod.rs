//! What a person types: subcommands, clients, and the way from a name to a program.

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fmt;
mod json;
mod link;
mod localtime;
mod login;
pub(crate) mod lsp;
pub(crate) mod moncmd;
pub(crate) mod monfailures;
pub(crate) mod monshow;
pub(crate) mod period;
pub(crate) mod programs;
mod server;
pub(crate) mod simulate;
mod terminal;
mod when;
pub(crate) mod why;
