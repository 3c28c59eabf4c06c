//! Carrying out what an alert has composed.

use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use remon_core::{reason, text};

use crate::dispatch::Dispatch;

/// What an alert wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Add text to the end of a file, which is made if there is none.
    Append {
        /// The file.
        path: String,
        /// What to add.
        text: String,
        /// See [`Message::complaints`].
        complaints: Vec<String>,
    },
    /// Tell people, in one or several ways.
    Send(Dispatch),
}

impl Message {
    /// What is wrong with the command line, for standard error. It does not stop the alert.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        match self {
            Message::Append { complaints, .. } | Message::Send(Dispatch { complaints, .. }) => complaints,
        }
    }
}

/// Why an alert was not delivered.
#[derive(Debug)]
pub struct DeliveryError {
    /// What was tried and what came of it, for the operator.
    pub message: String,
    /// The exit status.
    pub exit: u8,
    /// May it go better the next time?
    pub retry: bool,
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeliveryError {}

/// Carries out `message`.
///
/// # Errors
/// When it could not be done; then nothing, or in the case of a full disk a part, of it was.
pub fn deliver(message: &Message) -> Result<(), DeliveryError> {
    match message {
        Message::Append { path, text, .. } => append(path, text).map_err(|error| DeliveryError {
            message: format!("could not append to {path}: {}", reason::of(&error)),
            exit: 2,
            retry: matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::Interrupted),
        }),
        Message::Send(dispatch) => dispatch.send(),
    }
}

/// The file that `name` stands for, whatever bytes it is made of.
pub(crate) fn path(name: &str) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(&text::encode(name)).into()
}

/// One write with O_APPEND: two alerts at the same time cannot mix their lines.
fn append(path: &str, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(self::path(path))?.write_all(&text::encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::thread;

    fn message(path: &str, text: &str) -> Message {
        Message::Append { path: path.to_owned(), text: text.to_owned(), complaints: Vec::new() }
    }

    #[test]
    fn alerts_at_the_same_time_do_not_mix() {
        let path = std::env::temp_dir().join(format!("remon-append-{}", std::process::id()));
        let name = path.to_str().expect("it is plain text").to_owned();
        thread::scope(|scope| {
            for letter in ["a", "b", "c", "d"] {
                let block = format!("{}\n", letter.repeat(20_000));
                let name = &name;
                scope.spawn(move || {
                    (0..10).for_each(|_| deliver(&message(name, &block)).expect("it can be appended"))
                });
            }
        });
        let content = fs::read_to_string(&path).expect("it was written");
        fs::remove_file(&path).expect("it was written");
        assert_eq!(content.lines().count(), 40);
        assert!(
            content.lines().all(|line| line.len() == 20_000 && line.bytes().all(|b| b == line.as_bytes()[0]))
        );
    }

    #[test]
    fn a_failure_is_told_in_the_words_of_the_original() {
        let error = deliver(&message("/nonexistent/x/f.log", "x")).expect_err("there is no such directory");
        assert_eq!(error.to_string(), "could not append to /nonexistent/x/f.log: No such file or directory");
        assert_eq!((error.exit, error.retry), (2, false));
    }
}
