//! What a person types: subcommands, clients, and the way from a name to a program.

pub(crate) mod check;
mod json;
mod link;
mod localtime;
mod login;
pub(crate) mod moncmd;
pub(crate) mod monfailures;
pub(crate) mod monshow;
pub(crate) mod pages;
pub(crate) mod period;
pub(crate) mod programs;
mod terminal;
