//! How all this is spelled: commands and replies, traps, the lines of state files.

pub mod client;
pub mod command;
pub mod deliveries;

pub mod opstatus;
pub mod quote;
pub mod reply;
pub mod statefile;
mod status;
pub mod trap;
pub mod why;
