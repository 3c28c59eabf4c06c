//! The monitors of services on the network, against real servers on loopback and against the originals.

mod certificates;
mod http;
pub(crate) mod lab;
mod mail;
mod originals;
mod stand_in;
