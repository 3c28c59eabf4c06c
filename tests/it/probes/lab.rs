//! Real servers of Debian's packages, nginx and Dovecot, each in a directory of its own; and certificates of any date.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::support::servers::{NAMES, make_certificates};
use crate::support::{Place, skipped, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");

/// A server may have to be read from disk first.
const START: Duration = Duration::from_secs(60);

/// What a program said: status and output. Nothing may be said on standard error, which mon would take for the summary,
/// unless it is all that is said.
pub(super) fn output(command: &mut Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().expect("the program can be started");
    assert!(output.stderr.is_empty() || output.stdout.is_empty(), "{output:?}");
    let text = crate::support::latin1(&[output.stderr, output.stdout].concat());
    (output.status.code().expect("no signal ended it"), text)
}

/// A built-in monitor with these words.
pub(super) fn command(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(MON);
    command.env_clear().env("PATH", "/usr/bin:/bin").arg("run").arg(name).args(words);
    command
}

/// Runs it.
pub(super) fn run(name: &str, words: &[&str]) -> (i32, String) {
    output(&mut command(name, words))
}

/// `words` where `file` stands in the place of `place`, a file of this machine; `None` if we are not root, who alone
/// may do that, in a mount namespace of its own.
pub(super) fn with_file(file: &Path, place: &str, words: &[&str]) -> Option<Command> {
    let inside = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", "mount --bind \"$0\" \"$1\" && shift && exec \"$@\""]);
        command.arg(file).arg(place).args(words);
        command
    };
    let works = inside(&["true"]).output().is_ok_and(|output| output.status.success());
    works.then(|| inside(words))
}

/// A port that nobody listens on; held by the listener as long as that lives, without accepting.
pub(super) fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    (listener, port)
}

/// A port that refuses.
pub(super) fn refused() -> String {
    silent().1
}

/// A moment so many days from now, as `date` spells it. "Now" is the same for a whole run of the tests, and a minute
/// ago: so a certificate that ends in five days has four whole ones left.
fn moment(days: i64, format: &str) -> String {
    static NOW: OnceLock<u64> = OnceLock::new();
    let now = *NOW.get_or_init(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.expect("it is after 1970").as_secs() - 60
    });
    let at = now as i64 + days * 86_400;
    let output = Command::new("date").args(["-u", "-d", &format!("@{at}"), format]).output();
    String::from_utf8_lossy(&output.expect("there is date").stdout).trim().to_owned()
}

/// The date a number of days from now, or before: `2027-11-22`.
pub(super) fn date(days: i64) -> String {
    moment(days, "+%Y-%m-%d")
}

/// The date on which a certificate ends, in the words of openssl.
pub(super) fn expiry(certificate: &Path) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in"]).arg(certificate);
    let text = String::from_utf8_lossy(&command.output().expect("there is openssl").stdout).into_owned();
    let (_, date) = text.split_once('=').expect("notAfter=");
    date.split(' ').next().unwrap_or_default().to_owned()
}

/// Makes `NAME.pem` with `NAME.key` in `dir`, signed by the authority there, valid from and until so many days from now.
pub(crate) fn certificate(dir: &Path, name: &str, names: &str, from: i64, until: i64) -> Result<(), String> {
    let extensions = format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n");
    let write = |file: &str, text: &str| fs::write(dir.join(file), text).map_err(|error| error.to_string());
    write("extensions", &extensions)?;
    write(
        "ca.cnf",
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n",
    )?;
    write("index", "")?;
    write("number", "01\n")?;
    let stamp = |days: i64| moment(days, "+%Y%m%d%H%M%SZ");
    let request = format!(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
    );
    let signing = format!(
        "ca -batch -notext -config ca.cnf -extfile extensions -cert ca.pem -keyfile ca.key -in {name}.csr -out {name}.pem -startdate {} -enddate {}",
        stamp(from),
        stamp(until)
    );
    for line in [request, signing] {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(dir).output();
        let output = output.map_err(|error| format!("openssl: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}

/// A web server. On `port` without encryption at 127.0.0.1, 127.0.0.2 and, where there is IPv6, ::1; on `trapport`
/// with a certificate of its own at each of [`NGINX_CERTIFICATES`].
pub(super) struct Nginx {
    pub(super) place: Place,
    child: Child,
}

/// Address, names in the certificate, and its days from and until.
pub(super) const NGINX_CERTIFICATES: [(&str, &str, i64, i64); 6] = [
    ("127.0.0.1", "IP:127.0.0.1,DNS:localhost,DNS:good.probes.test,DNS:*.wild.probes.test", -2, 400),
    ("127.0.0.2", "IP:127.0.0.2", -60, -30),
    ("127.0.0.3", "IP:127.0.0.3", -2, 5),
    ("127.0.0.4", "IP:127.0.0.99,DNS:other.probes.test", -2, 400),
    ("127.0.0.5", "IP:127.0.0.5", 3, 400),
    ("127.0.0.6", "IP:127.0.0.6", -2, 100),
];

const NGINX_PROGRAM: &str = "/usr/sbin/nginx";

const NGINX: &str = "daemon off; master_process off; pid @DIR@/nginx.pid; error_log @DIR@/error.log;
events {}
http {
    log_format agents '$http_host|$http_user_agent|$request';
    access_log @DIR@/access.log agents;
    default_type text/plain;
    client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/proxy; fastcgi_temp_path @DIR@/fastcgi;
    uwsgi_temp_path @DIR@/uwsgi; scgi_temp_path @DIR@/scgi;
    server {
        listen 127.0.0.1:@PORT@; listen 127.0.0.2:@PORT@; @IPV6@
        location / { return 200 \"hello from nginx\\n\"; }
        location /301 { return 301 /; }
        location /302 { return 302 /; }
        location /303 { return 303 /; }
        location /307 { return 307 /; }
        location /401 { return 401; }
        location /404 { return 404; }
        location /500 { return 500 \"hello, it is bad\\n\"; }
    }
    @TLS@
}
";

impl Nginx {
    /// Starts it, where it is installed; `test` is told to do without if not.
    pub(super) fn start_for(test: &str) -> Option<Nginx> {
        if !Path::new(NGINX_PROGRAM).exists() {
            skipped(test, "no nginx (package nginx-light)");
            return None;
        }
        Some(Nginx::start().unwrap_or_else(|why| panic!("{why}")))
    }

    fn start() -> Result<Nginx, String> {
        let place = Place::new();
        make_certificates(place.dir(), NAMES)?;
        let mut tls = String::new();
        for (address, names, from, until) in NGINX_CERTIFICATES {
            certificate(place.dir(), address, names, from, until)?;
            tls += &format!(
                "server {{ listen {address}:@TRAPPORT@ ssl; ssl_certificate @DIR@/{address}.pem; \
                 ssl_certificate_key @DIR@/{address}.key; location / {{ return 200 \"hello over TLS\\n\"; }} }}\n"
            );
        }
        let ipv6 = if ipv6() { "listen [::1]:@PORT@;" } else { "" };
        place.write("nginx.conf", &NGINX.replace("@IPV6@", ipv6).replace("@TLS@", &tls));
        let mut command = place.command(Path::new(NGINX_PROGRAM));
        command.arg("-c").arg(place.path("nginx.conf")).arg("-e").arg(place.path("error.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("nginx: {error}"))?;
        let (port, tls_port) = (place.port, place.trapport);
        let nginx = Nginx { place, child };
        let up = wait::until(START, "nginx to listen", || (listens(port) && listens(tls_port)).then_some(()));
        up.map_err(|why| format!("{why}\n{}", nginx.place.read("error.log")))?;
        Ok(nginx)
    }

    pub(super) fn port(&self) -> String {
        self.place.port.to_string()
    }

    pub(super) fn tls_port(&self) -> String {
        self.place.trapport.to_string()
    }

    pub(super) fn ca(&self) -> String {
        self.place.path("ca.pem").to_string_lossy().into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is there an IPv6 loopback?
pub(super) fn ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A server for IMAP and POP3, with and without encryption, which lets in the user `anonymous`.
pub(super) struct Dovecot {
    dir: PathBuf,
    imap: Place,
    pop3: Place,
    child: Child,
}

const DOVECOT: &str = "protocols = imap pop3
listen = 127.0.0.1
base_dir = @SPOT@/run
state_dir = @SPOT@/run
log_path = @SPOT@/log
ssl = yes
ssl_cert = <@SPOT@/server.pem
ssl_key = <@SPOT@/server.key
disable_plaintext_auth = no
mail_location = maildir:@SPOT@/mail
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = @SPOT@/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=@SPOT@/mail
}
service imap-login {
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = @POP3@
  }
  inet_listener pop3s {
    port = @POP3S@
    ssl = yes
  }
}
";

impl Dovecot {
    /// Starts it, where it is installed and we are root; `test` is told to do without if not.
    pub(super) fn start_for(test: &str) -> Option<Dovecot> {
        let parts = ["/usr/lib/dovecot/imap-login", "/usr/lib/dovecot/pop3-login"];
        let why = match fs::metadata("/proc/self").map(|own| own.uid()) {
            Ok(0) if parts.iter().all(|part| Path::new(part).exists()) => {
                return Some(Dovecot::start().unwrap_or_else(|why| panic!("{why}")));
            }
            Ok(0) => "no dovecot (packages dovecot-imapd, dovecot-pop3d)",
            _ => "dovecot starts for root only",
        };
        skipped(test, why);
        None
    }

    fn start() -> Result<Dovecot, String> {
        let said = |error: std::io::Error| error.to_string();
        let (imap, pop3) = (Place::new(), Place::new());
        // Its users must be able to get there, which a target directory may not allow.
        let dir = std::env::temp_dir().join(format!("remon-dovecot-{}-{}", std::process::id(), imap.port));
        fs::create_dir_all(dir.join("mail")).map_err(said)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).map_err(said)?;
        std::os::unix::fs::chown(dir.join("mail"), Some(65534), Some(65534)).map_err(said)?;
        make_certificates(&dir, NAMES)?;
        fs::write(dir.join("users"), "anonymous:{PLAIN}ANONYMOUS\n").map_err(said)?;
        let text = [
            ("@SPOT@", dir.to_string_lossy().into_owned()),
            ("@IMAP@", imap.port.to_string()),
            ("@IMAPS@", imap.trapport.to_string()),
            ("@POP3@", pop3.port.to_string()),
            ("@POP3S@", pop3.trapport.to_string()),
        ];
        let text = text.iter().fold(DOVECOT.to_owned(), |text, (mark, value)| text.replace(mark, value));
        fs::write(dir.join("dovecot.conf"), text).map_err(said)?;
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(dir.join("dovecot.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(said)?;
        let dovecot = Dovecot { dir, imap, pop3, child };
        let ports = [dovecot.imap.port, dovecot.imap.trapport, dovecot.pop3.port, dovecot.pop3.trapport];
        let up =
            wait::until(START, "dovecot to listen", || ports.iter().all(|port| listens(*port)).then_some(()));
        up.map_err(|why| {
            format!("{why}\n{}", fs::read_to_string(dovecot.dir.join("log")).unwrap_or_default())
        })?;
        Ok(dovecot)
    }

    /// Without encryption, and with.
    pub(super) fn imap(&self) -> (String, String) {
        (self.imap.port.to_string(), self.imap.trapport.to_string())
    }

    /// Without encryption, and with.
    pub(super) fn pop3(&self) -> (String, String) {
        (self.pop3.port.to_string(), self.pop3.trapport.to_string())
    }

    pub(super) fn ca(&self) -> String {
        self.dir.join("ca.pem").to_string_lossy().into_owned()
    }

    /// The date on which its certificate ends.
    pub(super) fn expiry(&self) -> String {
        expiry(&self.dir.join("server.pem"))
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        crate::support::servers::end(&mut self.child);
        let _ = fs::remove_dir_all(&self.dir);
    }
}
