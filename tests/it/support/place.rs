//! A directory and two ports for one daemon, cleared away at the end.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// Below the range from which the kernel draws ports for outgoing connections.
const PORTS: std::ops::Range<u16> = 12000..32000;

/// A directory laid out like the one the daemon's flags expect. Its processes are known by their HOME, which is
/// the directory: that is how [`Place::drop`] finds what is left, without ever touching a process of others.
pub(crate) struct Place {
    dir: PathBuf,
    /// TCP port for clients.
    pub(crate) port: u16,
    /// UDP port for traps.
    pub(crate) trapport: u16,
}

impl Place {
    /// A fresh directory with `etc`, `state`, `log`, `mon.d` and `alert.d`, and an auth file that allows everything.
    pub(crate) fn new() -> Place {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mon-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for sub in ["etc", "state", "log", "mon.d", "alert.d"] {
            fs::create_dir_all(dir.join(sub)).expect("the target directory is writable");
        }
        let place = Place { dir, port: free_port(), trapport: free_port() };
        place.write("etc/auth.cf", &open_auth());
        place
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path below the directory.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.join(relative)
    }

    /// Fills in `@DIR@`, `@PORT@` and `@TRAPPORT@`.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("@DIR@", &self.dir.to_string_lossy())
            .replace("@PORT@", &self.port.to_string())
            .replace("@TRAPPORT@", &self.trapport.to_string())
    }

    /// Writes a file in one step, so that a running daemon or script never reads half of it.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        let fresh = path.with_extension("new");
        fs::write(&fresh, self.fill(text)).expect("our own directory is writable");
        fs::rename(fresh, path).expect("our own directory is writable");
    }

    /// Writes a program. By a process of its own: a child that another test starts meanwhile would hold a file that
    /// we have open for writing, and the system runs no program that somebody may still write to.
    pub(crate) fn script(&self, relative: &str, text: &str) {
        let beside = format!("{relative}.text");
        self.write(&beside, text);
        let copy = r#"cat "$0" >"$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1" && rm "$0""#;
        let (from, to) = (self.path(&beside), self.path(relative));
        let written = Command::new("/bin/sh").arg("-c").arg(copy).arg(from).arg(to).status();
        assert!(written.is_ok_and(|status| status.success()), "{relative} can be written");
    }

    /// The text of a file, or a word that it is missing.
    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read(self.path(relative)).map_or_else(|_| "<missing>".into(), |bytes| super::latin1(&bytes))
    }

    /// The flags that keep a daemon inside this place; the first is `-c`, the second the configuration.
    pub(crate) fn flags(&self) -> Vec<String> {
        let flags = "-c @DIR@/etc/mon.cf -b @DIR@ -B @DIR@/etc -D @DIR@/state -L @DIR@/log -A @DIR@/etc/auth.cf \
                     -s @DIR@/mon.d -a @DIR@/alert.d -p @PORT@ -t @TRAPPORT@ -P @DIR@/mon.pid";
        flags.split_whitespace().map(|word| self.fill(word)).collect()
    }

    /// `program` with the working directory and environment of this place.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir).env_clear();
        command.env("HOME", &self.dir).env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("TZ", "UTC").env("LANG", "C").env("USER", "tester");
        command
    }

    /// Every live process that was started from this place.
    pub(crate) fn processes(&self) -> Vec<u32> {
        processes_with(&format!("HOME={}\0", self.dir.display()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Twice, as a process may have started another while the first list was made.
        for _ in 0..2 {
            for pid in self.processes() {
                signal(pid, "KILL");
            }
        }
        if std::env::var_os("REMON_TEST_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Sends a signal by name. A shell does it, as std can only send KILL.
pub(crate) fn signal(pid: u32, name: &str) {
    let _ =
        Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", name, &pid.to_string()]).status();
}

/// Every live process that has `mark` in its environment.
pub(crate) fn processes_with(mark: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| carries(*pid, mark.as_bytes())).collect()
}

/// Whether a process has `mark` in its environment. One that has ended has none.
fn carries(pid: u32, mark: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.windows(mark.len()).any(|window| window == mark)
}

/// A port that nobody has, for TCP and UDP.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let size = PORTS.end - PORTS.start;
    // Test binaries that run at the same time begin at different places.
    let start =
        u16::try_from(std::process::id().wrapping_mul(97) % u32::from(size)).expect("below the range's size");
    for _ in 0..size {
        let port = PORTS.start + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % size;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() && UdpSocket::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {PORTS:?}");
}

fn open_auth() -> String {
    let commands = "list set get stop start loadstate savestate reset clear reload term test servertime ack disable enable";
    let mut text = String::from("command section\n");
    for command in commands.split(' ') {
        text += &format!("{command}: all\n");
    }
    text + "\ntrap section\n127.0.0.1 * *\n"
}
