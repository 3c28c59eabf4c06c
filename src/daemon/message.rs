//! What reaches the run loop: events for its engine, and word from those who work for it.

use remon_core::engine::{Answer, ClientId, Event, Loaded, ReadPurpose};
use tokio::sync::mpsc;

use super::load::Errors;
use super::site::Site;

/// Everything that wakes the run loop, but for a deadline.
pub(super) enum Message {
    /// For the engine.
    Event(Event),
    /// A client is connected; replies to it go there.
    Connected { client: ClientId, peer: std::net::IpAddr, replies: mpsc::Sender<Reply> },
    /// mon.cf has been read.
    ConfigRead { purpose: ReadPurpose, result: Box<Result<(Site, Loaded), Errors>> },
    /// State files are written; this may be told now.
    Saved { client: ClientId, answer: Answer<'static> },
    /// What a client asked of the record; this may be told now.
    Asked { client: ClientId, answer: Answer<'static> },
    /// The downtime log, for `list dtlog`; nothing where it cannot be read.
    DowntimeRead { client: ClientId, log: Option<String> },
}

/// How they reach it. Bounded: who produces faster than the engine decides has to wait.
pub(super) type Inbox = mpsc::Sender<Message>;

/// What a client's connection is told to do.
pub(super) struct Reply {
    /// To be sent; may be empty.
    pub(super) bytes: Vec<u8>,
    /// And then the connection ends.
    pub(super) close: bool,
}
