//! One attempt at one server that speaks in lines: name, connection, encryption, conversation.

use std::time::Instant;

use crate::dialogue::Dialogue;
use crate::link::{self, Link, Trouble};
use crate::resolve;
use crate::security::{Mode, Security};
use crate::starttls::Protocol;

/// What all hosts of a run have in common.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    pub(crate) security: Security,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Did it go as it should?
    pub outcome: Result<(), Trouble>,
    /// What the server said, as it came.
    pub heard: String,
    /// When its certificate expires, in words, if it showed one.
    pub certificate: Option<String>,
}

impl Attempt {
    /// Nothing was heard.
    #[must_use]
    pub fn failed(trouble: Trouble) -> Attempt {
        Attempt { outcome: Err(trouble), heard: String::new(), certificate: None }
    }
}

impl Target {
    /// Talks to the host; `converse` is told whether the greeting is over already.
    pub(crate) fn attempt(
        &self,
        host: &str,
        deadline: Instant,
        converse: impl FnOnce(&mut Dialogue<Link>, bool) -> Result<(), Trouble>,
    ) -> Attempt {
        match self.open(host, deadline) {
            Err((trouble, heard)) => Attempt { heard, ..Attempt::failed(trouble) },
            Ok((mut dialogue, certificate)) => {
                let outcome = converse(&mut dialogue, self.security.mode == Mode::StartTls);
                Attempt { outcome, heard: dialogue.heard(), certificate }
            }
        }
    }

    fn open(
        &self,
        host: &str,
        deadline: Instant,
    ) -> Result<(Dialogue<Link>, Option<String>), (Trouble, String)> {
        let silent = |trouble| (trouble, String::new());
        let address = resolve::first(host, self.port, deadline).map_err(silent)?;
        let mut dialogue = Dialogue::new(link::dial(address, deadline).map_err(silent)?);
        match self.security.mode {
            Mode::Plain => return Ok((dialogue, None)),
            Mode::Tls => {}
            Mode::StartTls => {
                self.protocol.start(&mut dialogue).map_err(|trouble| (trouble, dialogue.heard()))?;
            }
        }
        let (dialogue, certificate) = dialogue.encrypted(|link| self.security.encrypt(link, host))?;
        Ok((dialogue, Some(certificate)))
    }
}
