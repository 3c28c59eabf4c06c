//! A network of its own that has nothing but loopback, for servers at ports that this machine may use itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The network; it ends with this.
pub(crate) struct Network {
    /// Whoever holds it open.
    keeper: Child,
}

impl Network {
    /// Makes one.
    ///
    /// # Errors
    /// When we are not root, who alone may.
    pub(crate) fn make() -> Result<Network, String> {
        let mut command = Command::new("unshare");
        // The keeper ends with its standard input, and so at the latest with us.
        command.args(["-n", "sh", "-c", "ip link set lo up && echo up && exec cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().map_err(|error| format!("unshare: {error}"))?;
        let stdout = keeper.stdout.take().expect("it is a pipe");
        let mut line = String::new();
        let said = BufReader::new(stdout).read_line(&mut line);
        let network = Network { keeper };
        if said.is_err() || line != "up\n" {
            return Err("only root can make a network".to_owned());
        }
        Ok(network)
    }

    /// A program in there.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.keeper.id())).arg("--").arg(program);
        command
    }

    /// Does anybody listen there?
    pub(crate) fn listens(&self, port: u16) -> bool {
        let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
        let mut command = self.command("bash");
        let status = command.args(["-c", &connect]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
