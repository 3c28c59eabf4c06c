//! The monitors that ask whether hosts and servers can be reached, against real ones on loopback, and against the
//! originals.

mod dns;
mod heartbeat;
mod nagios;
mod ping;
mod servers;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::skipped;

const MON: &str = env!("CARGO_BIN_EXE_mon");

const FOLDER: &str = "/usr/lib/mon/mon.d";

const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// A label of 70 characters: the resolver refuses it without asking anybody.
const NO_NAME: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// What a program said: status and output. Nothing may be said on standard error, which mon would take for the summary,
/// unless it is all that is said.
fn output(command: &mut Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().expect("the program can be started");
    assert!(output.stderr.is_empty() || output.stdout.is_empty(), "{output:?}");
    let said = [output.stderr, output.stdout].concat();
    (output.status.code().expect("no signal ended it"), crate::support::latin1(&said))
}

/// A built-in monitor with these words, where `path` comes before the usual folders.
fn command(name: &str, words: &[&str], path: &str) -> Command {
    let mut command = Command::new(MON);
    command.env_clear().env("PATH", format!("{path}:{PATH}")).arg("run").arg(name).args(words);
    command
}

fn run(name: &str, words: &[&str]) -> (i32, String) {
    output(&mut command(name, words, "/bin"))
}

/// The original; `None` if it is not installed.
fn original(name: &str) -> Option<PathBuf> {
    let shipped = Path::new(FOLDER).join(name);
    if !shipped.exists() {
        skipped(name, "the original is not installed (apt-get install mon mon-contrib)");
        return None;
    }
    Some(shipped)
}

/// What the original says to these words.
fn theirs(program: &Path, words: &[&str], path: &str) -> (i32, String) {
    output(Command::new(program).env_clear().env("PATH", format!("{path}:{PATH}")).args(words))
}

/// `words` in a network of its own, where 192.0.2.0/24 is silent and ping sockets are open to the groups in `groups`;
/// `None` if we are not root, who alone may make one.
fn in_own_network(groups: &str, words: &[&str]) -> Option<Command> {
    const SCRIPT: &str = "ip link set lo up && ip route add 192.0.2.0/24 dev lo && \
                          echo \"$0\" >/proc/sys/net/ipv4/ping_group_range && exec \"$@\"";
    let inside = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.env_clear().env("PATH", PATH).args(["-n", "sh", "-c", SCRIPT, groups]).args(words);
        command
    };
    let works = inside(&["true"]).output().is_ok_and(|output| output.status.success());
    works.then(|| inside(words))
}
