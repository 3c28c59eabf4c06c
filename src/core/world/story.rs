//! What programs are scripted to do, and what is seen of the daemon.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::{ClientId, Ending, Fact, Launch, Level, LogFile, Note, Stop};
use crate::nouns::{AlertKind, Now, ServiceKey};

/// How one execution of a program goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// From its start to its end.
    pub lasts: Duration,
    /// How it ends.
    pub ending: Ending,
    /// What it prints.
    pub output: String,
    /// What makes an alert end before its time.
    pub heeds: Heeds,
}

/// Which signals end an alert program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heeds {
    /// It ends when it is told to.
    Term,
    /// Only when it is killed.
    Kill,
    /// Not even then: it waits for a disk that is gone.
    Nothing,
}

impl Outcome {
    /// Ends with that exit status, at once.
    #[must_use]
    pub fn exits(status: u8, output: &str) -> Outcome {
        Outcome {
            lasts: Duration::ZERO,
            ending: Ending::Exited(status),
            output: output.to_owned(),
            heeds: Heeds::Term,
        }
    }

    /// A success without a word.
    #[must_use]
    pub fn ok() -> Outcome {
        Outcome::exits(0, "")
    }

    /// A failure with that summary.
    #[must_use]
    pub fn fails(summary: &str) -> Outcome {
        Outcome::exits(1, &format!("{summary}\n"))
    }

    /// The program cannot be started.
    #[must_use]
    pub fn not_started() -> Outcome {
        Outcome { ending: Ending::NotStarted("no such file".to_owned()), ..Outcome::ok() }
    }

    /// The same, but slower.
    #[must_use]
    pub fn lasting(self, lasts: Duration) -> Outcome {
        Outcome { lasts, ..self }
    }
}

/// Something that happened, and when.
#[derive(Debug)]
pub struct Entry {
    /// The moment.
    pub at: Now,
    /// What.
    pub what: Happened,
}

/// What can be seen of a daemon from outside.
#[derive(Debug)]
pub enum Happened {
    /// A monitor was started.
    RunStarted {
        /// Whose.
        service: ServiceKey,
        /// With which words.
        launch: Launch,
    },
    /// A monitor ended.
    RunEnded {
        /// Whose.
        service: ServiceKey,
        /// As scripted.
        outcome: Outcome,
    },
    /// A monitor was ended by the daemon.
    RunKilled {
        /// Whose.
        service: ServiceKey,
    },
    /// An alert was called.
    AlertCalled {
        /// About whom.
        service: ServiceKey,
        /// In which period; `None` for a redistribution.
        period: Option<Arc<str>>,
        /// For which occasion.
        kind: AlertKind,
        /// With which words.
        launch: Launch,
        /// And this to read.
        stdin: Arc<str>,
    },
    /// An alert was told to end, or killed.
    AlertSignalled {
        /// Which of the two.
        how: Stop,
    },
    /// A client was answered.
    Replied {
        /// Who.
        client: ClientId,
        /// In the words of the protocol.
        text: String,
    },
    /// A connection was closed.
    Closed {
        /// Whose.
        client: ClientId,
    },
    /// The daemon decided something.
    Noted {
        /// What.
        note: Note,
    },
    /// A line for syslog.
    Logged {
        /// How urgent.
        level: Level,
        /// The line.
        text: String,
    },
    /// A line for a log of the daemon's own.
    Appended {
        /// Which one.
        log: LogFile,
        /// The line.
        line: String,
    },
    /// A fact for the record.
    Recorded {
        /// About whom.
        service: Option<ServiceKey>,
        /// What.
        fact: Fact,
    },
    /// The `monremote` command was run.
    RemoteTold {
        /// With these words.
        words: String,
    },
    /// The daemon ended.
    Exited {
        /// With that status.
        status: u8,
    },
}
