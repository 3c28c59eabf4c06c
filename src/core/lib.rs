//! The pure heart of remon.
//!
//! Nothing in this package reads a clock, a file, the environment or a socket: everything it knows is handed
//! in, everything it wants done is handed out. So the whole daemon can be run in virtual time, and the same
//! input always gives the same output. Read the modules in this order:
//!
//! | layer | module | what it says |
//! |---|---|---|
//! | 0 | [`text`], [`nouns`], [`timeval`], [`words`] | bytes as text, the words of the trade, spans of time, shell-like words |
//! | 0 | [`getopt`], [`netdb`], [`reason`], [`url`] | command lines, names of ports, words for errors, addresses: what all programs share |
//! | 1 | [`period`], [`depend`], [`auth`], [`allow`] | calendar, dependency expressions, who may do what |
//! | 2 | [`config`] | mon.cf: lines, syntax tree, checked configuration, diagnostics |
//! | 3 | [`decision`], [`schedule`], [`history`] | who is told; what runs when; what happened |
//! | 4 | [`engine`] | the daemon as a value: events in, effects out |
//! | 5 | [`wire`] | how all this is spelled on TCP, UDP and in state files |
//! | 5 | [`world`] | the daemon in a simulated world: virtual time, scripted programs |
//!
//! A layer uses only lower ones; `tests/it/tidy.rs` of the root package keeps that true.

pub mod allow;
pub mod auth;
pub mod config;
pub mod decision;
pub mod depend;
pub mod engine;
pub mod getopt;
pub mod history;
pub mod netdb;
pub mod nouns;
pub mod period;
pub mod reason;
pub mod schedule;
pub mod text;
pub mod timeval;
pub mod url;
pub mod wire;
pub mod words;
pub mod world;
