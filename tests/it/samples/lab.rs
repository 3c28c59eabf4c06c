//! The place where the recording was made, once more: names, files, servers, ports.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::recording::Sample;
use super::{MON, dns, folder, peers, room};
use crate::probes::lab::certificate;
use crate::support::servers::{NAMES, make_certificates};
use crate::support::{Place, latin1, wait};

/// Everybody's names.
const HOSTS: &str = "127.0.0.1 localhost good.example.test soon.example.test expired.example.test
127.0.0.1 other.example.test two.example.test
127.0.0.2 two.example.test
";

/// Nobody else is asked: `nosuch.invalid` is unknown at once.
const RESOLVER: &str = "hosts: files\npasswd: files\ngroup: files\n";

/// TLS servers: the port, the name in the subject, the other names, and the days of the certificate.
const CERTIFICATES: [(u16, &str, &str, i64, i64); 6] = [
    (18443, "good.example.test", "DNS:good.example.test", -1, 365),
    (18444, "soon.example.test", "DNS:soon.example.test", -1, 5),
    (18445, "expired.example.test", "DNS:expired.example.test", -60, -30),
    (18446, "wrong.example.test", "DNS:wrong.example.test", -1, 365),
    (18453, "*.example.test", "DNS:*.example.test", -1, 365),
    // No name of a host besides the subject's.
    (18454, "good.example.test", "email:root@example.test", -1, 365),
];

const PRESSURE: &str = "some avg10=54.88 avg60=36.75 avg300=19.15 total=103693304\n";

/// What the recorded fping of old said.
const OLD_FPING: &str = "#!/bin/sh
echo 'hosta is alive (1.50 ms)'
echo 'hostgone address not found'
echo 'hostb is unreachable'
echo 'hostc is alive (250 ms)'
exit 1
";

/// Leaves what it was given in the home directory of whoever called it.
const SENDMAIL: &str = r#"#!/bin/sh
{ echo "ARGV($#):"; for word; do echo "  [$word]"; done; echo STDIN:; cat; } >"$HOME/sendmail"
"#;

/// Logins for the servers in the recording; two are wrong.
const LOGINS: &str = "127.0.0.1:alice:xx\n127.0.0.2:alice:xx\n127.0.0.3:alice:sesame\n";

pub(super) struct Lab {
    place: Place,
    servers: Vec<Child>,
    /// What only has to be there.
    _held: (TcpListener, Vec<TcpStream>, UdpSocket),
}

impl Lab {
    /// Rearranges the namespaces we are in, and starts everything.
    pub(super) fn new() -> Lab {
        let place = Place::new();
        // An address that is silent.
        shell(
            "ip link set lo up && ip route add 240.0.0.1/32 dev lo && echo 0 0 >/proc/sys/net/ipv4/ping_group_range",
        );
        shell("mount -t tmpfs none /var/log && mkdir /var/log/mon");
        // A control group that waits for processors, as there was one.
        shell("mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/unified");
        fs::write("/sys/fs/cgroup/unified/cpu.pressure", PRESSURE).expect("it was just mounted");
        replace(&place, "/etc/hosts", HOSTS);
        replace(&place, "/etc/nsswitch.conf", RESOLVER);
        replace(&place, "/proc/loadavg", "2.83 1.83 0.89 1/100 1234\n");
        replace(
            &place,
            "/proc/meminfo",
            "MemTotal: 1000000 kB\nMemFree: 985000 kB\nMemAvailable: 985000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        );
        place.script("fping", OLD_FPING);
        if Path::new("/usr/sbin/sendmail").exists() {
            place.script("sendmail", SENDMAIL);
            bind(&place.path("sendmail"), "/usr/sbin/sendmail");
        }
        text_servers();
        mon_servers();
        let servers = tls_servers(&place);
        let (listener, filling) = peers::full(18083);
        Lab { servers, _held: (listener, filling, dns::start()), place }
    }

    pub(super) fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// The call, in a directory of its own that is also its home.
    pub(super) fn command(&self, sample: &Sample) -> (Command, PathBuf) {
        let room = room(self.dir(), &sample.name);
        // One that hangs is a difference like others: its exit status is 124.
        let mut command = Command::new("timeout");
        command.env_clear().env("HOME", &room).env("TZ", "UTC").env("LANG", "C").current_dir(&room);
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").envs(sample.variables.iter().cloned());
        command.args(["60", MON, "run", &sample.program]);
        (command, room)
    }

    /// What a monitor does, in the form of the recordings.
    pub(super) fn record(&self, sample: &Sample) -> String {
        let (mut command, room) = self.command(sample);
        write_secret(&room.join("pwfile"), LOGINS);
        command.args(&sample.words).stdin(Stdio::null());
        if sample.name == "fping.canned-old-format" {
            command.env("PATH", format!("{}:/usr/bin:/bin", self.dir().display()));
        }
        let output = command.output().expect("the program can be started");
        let status = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
        let (said, complained) = (latin1(&output.stdout), latin1(&output.stderr));
        match (sample.joined, complained.is_empty()) {
            // What is written at once comes first.
            (true, _) => format!("{complained}{said}[exit {status}]\n"),
            (false, true) => format!("[exit {status}]\n--- stdout\n{said}"),
            (false, false) => format!("[exit {status}]\n--- stdout\n{said}--- stderr\n{complained}"),
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

pub(super) fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).expect("our own directory is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file was just written");
}

fn shell(script: &str) {
    let output = Command::new("sh").args(["-c", script]).output().expect("there is a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn bind(file: &Path, place: &str) {
    let output = Command::new("mount").arg("--bind").arg(file).arg(place).output().expect("there is mount");
    assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Puts a file with this text in the place of another, for us alone.
fn replace(place: &Place, path: &str, text: &str) {
    let name = path.replace('/', "-");
    place.write(&name, text);
    bind(&place.path(&name), path);
}

fn text_servers() {
    peers::web(18080);
    peers::closing(18081);
    peers::silent(18082);
    const HELLO: &str = "220 lab ESMTP\r\n";
    peers::dialogue(
        18025,
        HELLO,
        &[
            ("HELO", "250 lab Hello\r\n"),
            ("QUIT", "221 bye\r\n"),
            ("quit", "221 bye\r\n"),
            ("", "500 what\r\n"),
        ],
    );
    peers::dialogue(18026, "554 no thanks\r\n", &[]);
    peers::dialogue(
        18027,
        "220-multi\r\n220 lab ESMTP\r\n",
        &[("HELO", "250-a\r\n250 b\r\n"), ("", "221 bye\r\n")],
    );
    peers::dialogue(18028, "220 lab\r\n", &[("HELO", "550 go away\r\n"), ("", "221 bye\r\n")]);
    peers::dialogue(18029, "220 lab\r\n", &[("", "-")]);
    peers::dialogue(18030, "220 lab\r\n", &[("HELO", "250 hi\r\n"), ("", "500 no\r\n")]);
    peers::dialogue(18110, "+OK lab\r\n", &[("", "+OK bye\r\n")]);
    peers::dialogue(18111, "-ERR no\r\n", &[("", "-ERR bye\r\n")]);
    const LOGOUT: (&str, &str) = ("LOGOUT", "* BYE lab\r\n@ OK bye\r\n");
    peers::dialogue(18143, "* OK lab\r\n", &[LOGOUT, ("", "@ OK done\r\n")]);
    peers::dialogue(18144, "* OK lab\r\n", &[LOGOUT, ("", "@ NO anonymous refused\r\n")]);
    peers::dialogue(18145, "hello\r\n", &[LOGOUT]);
}

/// The first is the server whose `list opstatus` was recorded with moncmd.
fn mon_servers() {
    let recorded = fs::read_to_string(folder().join("moncmd.list-opstatus.txt")).expect("it is an input");
    let lines = recorded.lines().filter(|line| line.starts_with("group="));
    let lines = lines.map(|line| format!("{line}\n")).collect::<Vec<_>>();
    let well = lines.iter().filter(|line| !line.contains(" opstatus=0 ")).cloned().collect::<String>();
    // web/http as web/ping, which is all that fails there.
    let ping = lines.iter().find(|line| line.contains(" service=http ")).expect("it was recorded");
    peers::mon("127.0.0.1", lines.concat(), false);
    peers::mon("127.0.0.2", well, false);
    peers::mon("127.0.0.3", ping.replace(" service=http ", " service=ping "), true);
}

fn tls_servers(place: &Place) -> Vec<Child> {
    make_certificates(place.dir(), NAMES).unwrap_or_else(|why| panic!("{why}"));
    let start = |(port, name, names, from, until): (u16, &str, &str, i64, i64)| {
        let dir = room(place.dir(), &format!("tls-{port}"));
        for file in ["ca.pem", "ca.key"] {
            fs::copy(place.path(file), dir.join(file)).expect("our own directory is writable");
        }
        certificate(&dir, name, names, from, until).unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut command = Command::new("openssl");
        // With -www it wants nothing from standard input.
        command.args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")]);
        command.args(["-cert", &format!("{name}.pem"), "-key", &format!("{name}.key")]).current_dir(&dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("openssl was there a moment ago")
    };
    let servers = CERTIFICATES.map(start);
    for (port, ..) in CERTIFICATES {
        let up = wait::until(Duration::from_secs(60), "openssl to listen", || {
            TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
        });
        up.unwrap_or_else(|why| panic!("{why}: {port}"));
    }
    servers.into()
}
