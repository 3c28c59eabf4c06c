//! Namespaces: a machine of its own as far as network, mounts and host name go. They end with the process that
//! holds them, so nothing has to be cleared away, and nothing of the host is touched.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A machine inside the world.
pub(crate) struct Space {
    holder: Child,
}

impl Space {
    /// Makes one, with loopback up.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub(crate) fn new(name: &str) -> Result<Space, String> {
        Space::hold(&["--net", "--mount", "--uts"], "ip link set lo up", name)
    }

    /// One that shares the network of the world, and has mounts of its own.
    ///
    /// # Errors
    /// As [`Space::new`].
    pub(crate) fn on_the_network_of_the_world() -> Result<Space, String> {
        Space::hold(&["--mount", "--uts"], "true", "world")
    }

    fn hold(kinds: &[&str], first: &str, name: &str) -> Result<Space, String> {
        // `cat` holds it until we are gone.
        let line = format!("hostname \"$0\" && {first} && echo made && exec cat");
        let mut command = Command::new("unshare");
        command.args(kinds).args(["sh", "-c", &line, name]);
        let holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut holder = holder.map_err(|error| format!("unshare: {error}"))?;
        let mut said = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut said).map_err(|error| error.to_string())?;
        if said != "made\n" {
            return Err(format!("no namespaces for {name}"));
        }
        Ok(Space { holder })
    }

    /// The process that holds it.
    pub(crate) fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// A program that will run inside. The process is the program itself, so it can be signalled.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid().to_string(), "-n", "-m", "-u", "--"]).arg(program);
        command
    }

    /// Runs a line of shell inside.
    ///
    /// # Errors
    /// What it complains of, if it fails.
    pub(crate) fn sh(&self, line: &str) -> Result<(), String> {
        run(self.command(Path::new("/bin/sh")).args(["-e", "-c", line]), line)
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Runs a line of shell in the world.
///
/// # Errors
/// What it complains of, if it fails.
pub(crate) fn sh(line: &str) -> Result<(), String> {
    run(Command::new("/bin/sh").args(["-e", "-c", line]), line)
}

fn run(command: &mut Command, line: &str) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{line}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{line}: {}{}", String::from_utf8_lossy(&output.stderr), output.status))
}
