//! Real servers from Debian's packages, on loopback and on ports of their own: Prosody for XMPP, Postfix for mail.
//! Each lives in a directory of its own and is ended by process id.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::network::Network;
use super::{Place, signal, wait};

/// A server may have to be read from disk first.
const START: Duration = Duration::from_secs(60);

/// The password of every account.
pub(crate) const PASSWORD: &str = "se:same #1";

/// The accounts of both servers.
pub(crate) const ACCOUNTS: [&str; 3] = ["mon", "ops", "eve"];

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The names of the servers on loopback, as certificates spell them.
pub(crate) const NAMES: &str = "DNS:xmpp.test,DNS:mail.test,DNS:localhost,IP:127.0.0.1";

/// Makes `ca.pem`, `other-ca.pem`, and `server.pem` with `server.key` for these names, signed by the first.
///
/// # Errors
/// When openssl is missing or fails.
pub(crate) fn make_certificates(dir: &Path, names: &str) -> Result<(), String> {
    let names = format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n");
    fs::write(dir.join("names"), names).map_err(|error| error.to_string())?;
    for line in [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=tests",
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other-ca.pem -days 2 -subj /CN=others",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    ] {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(dir).output();
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => return Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => return Err(format!("openssl: {error}")),
        }
    }
    Ok(())
}

/// An XMPP server for `xmpp.test`, with group chats at `rooms.xmpp.test`.
pub(crate) struct Prosody {
    /// Its directory, with the certificates. Its two ports are those for STARTTLS and for TLS.
    pub(crate) place: Place,
    child: Child,
}

const PROSODY: &str = r#"
run_as_root = true
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping" }
modules_disabled = { "s2s" }
c2s_interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
c2s_direct_tls_ports = { @TRAPPORT@ }
s2s_ports = {}
http_ports = {}
https_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
ssl = { key = "@DIR@/server.key", certificate = "@DIR@/server.pem" }
log = { { levels = { min = "info" }, to = "file", filename = "@DIR@/prosody.log" } }
VirtualHost "xmpp.test"
Component "rooms.xmpp.test" "muc"
muc_room_locking = false
"#;

impl Prosody {
    /// Starts it.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub(crate) fn start() -> Result<Prosody, String> {
        let program = Path::new("/usr/bin/prosody");
        if !program.exists() {
            return Err("no prosody (package prosody)".to_owned());
        }
        let place = Place::new();
        make_certificates(place.dir(), NAMES)?;
        let accounts = place.path("data/xmpp%2etest/accounts");
        fs::create_dir_all(&accounts).map_err(|error| error.to_string())?;
        for account in ACCOUNTS {
            let text = format!("return {{ [\"password\"] = \"{PASSWORD}\" }};\n");
            fs::write(accounts.join(format!("{account}.dat")), text).map_err(|error| error.to_string())?;
        }
        place.write("prosody.cfg.lua", PROSODY);
        let mut command = place.command(program);
        command.arg("--config").arg(place.path("prosody.cfg.lua")).arg("-F");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("prosody: {error}"))?;
        let (port, tls_port) = (place.port, place.trapport);
        wait::until(START, "prosody to listen", || (listens(port) && listens(tls_port)).then_some(()))?;
        Ok(Prosody { place, child })
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mail server for `mail.test`.
pub(crate) struct Postfix {
    /// Its directory, with the certificates.
    pub(crate) dir: PathBuf,
    ports: Place,
    child: Child,
}

const MAIN_CF: &str = "compatibility_level = 3.6
queue_directory = @SPOT@/spool
data_directory = @SPOT@/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = mail.test
virtual_mailbox_base = @SPOT@/mail
virtual_mailbox_maps = inline:{ { ops@mail.test = ops } , { eve@mail.test = eve } }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
mynetworks = 127.0.0.2/32
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = @SPOT@/server.pem
smtpd_tls_key_file = @SPOT@/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = @SPOT@/login
maillog_file = @SPOT@/log
maillog_file_prefixes = @SPOT@
default_transport = error:nothing leaves this machine
";

const MASTER_CF: &str = "127.0.0.1:@PORT@ inet n - n - - smtpd
127.0.0.1:@TRAPPORT@ inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

impl Postfix {
    /// Starts it.
    ///
    /// # Errors
    /// When it is not installed, we are not root, or it does not start.
    pub(crate) fn start() -> Result<Postfix, String> {
        Postfix::start_on(None)
    }

    /// Starts it in a network of its own, at port 25.
    ///
    /// # Errors
    /// As [`Postfix::start`].
    pub(crate) fn start_in(network: &Network) -> Result<Postfix, String> {
        Postfix::start_on(Some(network))
    }

    fn start_on(network: Option<&Network>) -> Result<Postfix, String> {
        let said = |error: std::io::Error| error.to_string();
        if !Path::new("/usr/sbin/postfix").exists() {
            return Err("no postfix (package postfix)".to_owned());
        }
        if fs::metadata("/proc/self").map_err(said)?.uid() != 0 {
            return Err("postfix starts for root only".to_owned());
        }
        let ports = Place::new();
        // Its users must be able to get there, which a target directory may not allow.
        let dir = std::env::temp_dir().join(format!("remon-postfix-{}-{}", std::process::id(), ports.port));
        for sub in ["etc", "spool", "data", "mail"] {
            fs::create_dir_all(dir.join(sub)).map_err(said)?;
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).map_err(said)?;
        chown(dir.join("data"), Some(user_id("postfix")?), None).map_err(said)?;
        chown(dir.join("mail"), Some(65534), None).map_err(said)?;
        make_certificates(&dir, NAMES)?;
        serve_logins(&dir.join("login"))?;
        for (name, text) in [("main.cf", MAIN_CF), ("master.cf", MASTER_CF)] {
            let text = if network.is_some() { text.replace("@PORT@", "25") } else { text.to_owned() };
            let text = ports.fill(&text).replace("@SPOT@", &dir.to_string_lossy());
            fs::write(dir.join("etc").join(name), text).map_err(said)?;
        }
        let program = "/usr/sbin/postfix";
        let mut command = network.map_or_else(|| Command::new(program), |network| network.command(program));
        command.arg("-c").arg(dir.join("etc")).arg("start-fg");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(said)?;
        let postfix = Postfix { dir, ports, child };
        let (port, tls_port) = (postfix.port(), postfix.tls_port());
        let is_up = || match network {
            Some(network) => network.listens(25),
            None => listens(port) && listens(tls_port),
        };
        wait::until(START, "postfix to listen", || is_up().then_some(()))?;
        Ok(postfix)
    }

    /// The port with STARTTLS.
    pub(crate) fn port(&self) -> u16 {
        self.ports.port
    }

    /// The port with TLS from the start.
    pub(crate) fn tls_port(&self) -> u16 {
        self.ports.trapport
    }

    /// The mailbox of a user, once it holds `mark`.
    pub(crate) fn mailbox(&self, user: &str, mark: &str) -> String {
        let path = self.dir.join("mail").join(user);
        let read = || fs::read(&path).map(|bytes| super::latin1(&bytes)).ok();
        let found = wait::until(START, "the mail to be delivered", || {
            read().filter(|text| text.contains(mark) && text.ends_with("\n\n"))
        });
        found.unwrap_or_else(|why| panic!("{why}: {:?}", read()))
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.dir.join("spool/pid/master.pid")).unwrap_or_default();
        if let Ok(pid) = pid.trim().parse() {
            signal(pid, "TERM");
        }
        let ended =
            wait::until(Duration::from_secs(10), "postfix to end", || self.child.try_wait().ok().flatten());
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The number of a user of this machine.
///
/// # Errors
/// When there is none of that name.
pub(crate) fn user_id(name: &str) -> Result<u32, String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let of_line = |line: &str| {
        let mut words = line.split(':');
        (words.next() == Some(name)).then(|| words.nth(1)?.parse().ok()).flatten()
    };
    users.lines().find_map(of_line).ok_or_else(|| format!("no user {name}"))
}

/// Tells Postfix who may log in, in the protocol of Dovecot: `mon` with the password "sesame".
fn serve_logins(socket: &Path) -> Result<(), String> {
    let listener = UnixListener::bind(socket).map_err(|error| error.to_string())?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).map_err(|error| error.to_string())?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let hello = "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n";
                let _ = (&stream).write_all(hello.as_bytes());
                for line in BufReader::new(&stream).lines().map_while(Result::ok) {
                    let mut words = line.split('\t');
                    if words.next() == Some("AUTH") {
                        let id = words.next().unwrap_or_default();
                        // "\0mon\0sesame" in base64.
                        let good = line.ends_with("resp=AG1vbgBzZXNhbWU=");
                        let verdict = if good { "OK" } else { "FAIL" };
                        let _ = (&stream).write_all(format!("{verdict}\t{id}\tuser=mon\n").as_bytes());
                    }
                }
            });
        }
    });
    Ok(())
}

/// Asks a server to end, and makes sure that it does.
pub(crate) fn end(child: &mut Child) {
    signal(child.id(), "TERM");
    if wait::until(Duration::from_secs(10), "a server to end", || child.try_wait().ok().flatten()).is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
}
