//! A daemon in the foreground of a [`Place`].

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{Client, Place, signal, wait};

/// A started daemon. Dropping it kills it; what it started goes with its [`Place`].
pub(crate) struct Daemon {
    child: Child,
    port: u16,
}

impl Daemon {
    /// Starts `program` with the flags of the place and `extra` ones. Its messages go to the file `messages`.
    pub(crate) fn spawn(program: &Path, place: &Place, extra: &[String]) -> Daemon {
        let mut flags = place.flags();
        flags.extend_from_slice(extra);
        Daemon::spawn_with(program, place, place.dir(), &flags)
    }

    /// Starts `program` in a working directory, with exactly these flags.
    pub(crate) fn spawn_with(program: &Path, place: &Place, directory: &Path, flags: &[String]) -> Daemon {
        let mut command = place.command(program);
        command.args(flags).current_dir(directory);
        Daemon::spawn_command(command, place)
    }

    /// Starts the daemon that a command describes.
    pub(crate) fn spawn_command(mut command: Command, place: &Place) -> Daemon {
        let program = Path::new(command.get_program()).to_owned();
        let messages = File::create(place.path("messages")).expect("our own directory is writable");
        let copy = messages.try_clone().expect("a file can be shared");
        command.stdin(Stdio::null()).stdout(copy).stderr(messages);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Daemon { child, port: place.port }
    }

    /// Waits until the daemon answers, and keeps the connection.
    ///
    /// # Errors
    /// When it ends, or does not answer in time.
    pub(crate) fn ready(&mut self) -> Result<Client, String> {
        let child = &mut self.child;
        let port = self.port;
        let mut client = wait::until(wait::PATIENCE, "the daemon to listen", || match child.try_wait() {
            Ok(Some(status)) => Some(Err(format!("the daemon ended at start: {status}"))),
            _ => Client::connect(port).ok().map(Ok),
        })??;
        client.command("version")?;
        Ok(client)
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the daemon to end by itself.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub(crate) fn ended(&mut self, limit: Duration) -> Result<ExitStatus, String> {
        wait::until(limit, "the daemon to end", || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
