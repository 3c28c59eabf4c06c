//! Prosody and Postfix as they stand on a server of the pair, and the mail server of the world.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::space::Space;
use crate::support::servers::{PASSWORD, user_id};
use crate::support::signal;

/// An XMPP server for the domain of its machine, with the accounts of mon and of the user.
const PROSODY: &str = r#"
run_as_root = true
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping" }
modules_disabled = { "s2s" }
c2s_interfaces = { "*" }
s2s_ports = {}
http_ports = {}
https_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
ssl = { key = "@DIR@/server.key", certificate = "@DIR@/server.pem" }
log = { { levels = { min = "info" }, to = "file", filename = "@DIR@/prosody.log" } }
VirtualHost "@HOST@.example.com"
"#;

/// What all three mail servers have in common.
const POSTFIX: &str = "compatibility_level = 3.6
queue_directory = @DIR@/spool
data_directory = @DIR@/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
mydestination =
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
maillog_file = @DIR@/mail.log
maillog_file_prefixes = @DIR@
";

/// A server hands everything to the world.
const OF_A_SERVER: &str = "myhostname = @HOST@.example.com
inet_interfaces = all
relayhost = [192.0.2.254]
";

/// The world has the mailbox of user@example.com, a file for each mail.
const OF_THE_WORLD: &str = "myhostname = mail.example.com
inet_interfaces = all
virtual_mailbox_domains = example.com
virtual_mailbox_base = @DIR@/mail
virtual_mailbox_maps = inline:{ { user@example.com = user/ } }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
smtpd_relay_restrictions = reject_unauth_destination
default_transport = error:nothing leaves the world
";

const SERVICES: &str = "25 inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - n n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// A server process. It is ended by its id.
pub(crate) struct Server(Child);

impl Server {
    /// Starts Prosody for `host`; `dir` has the certificates already.
    ///
    /// # Errors
    /// When it cannot be started. Whether it listens is for the caller to find out.
    pub(crate) fn prosody(space: &Space, dir: &Path, host: &str) -> Result<Server, String> {
        let said = |error: std::io::Error| error.to_string();
        let accounts = dir.join("data").join(format!("{host}%2eexample%2ecom")).join("accounts");
        fs::create_dir_all(&accounts).map_err(said)?;
        for account in ["mon", "user"] {
            let text = format!("return {{ [\"password\"] = \"{PASSWORD}\" }};\n");
            fs::write(accounts.join(format!("{account}.dat")), text).map_err(said)?;
        }
        let config = dir.join("prosody.cfg.lua");
        fs::write(&config, fill(PROSODY, dir, host)).map_err(said)?;
        let mut command = space.command(Path::new("/usr/bin/prosody"));
        command.arg("--config").arg(config).arg("-F");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Server).map_err(said)
    }

    /// Starts Postfix and makes it the mail system of its machine, as programs see it that call sendmail.
    ///
    /// # Errors
    /// As [`Server::prosody`].
    pub(crate) fn postfix(space: &Space, dir: &Path, host: &str) -> Result<Server, String> {
        let said = |error: std::io::Error| error.to_string();
        for sub in ["etc", "spool", "postfix", "mail"] {
            fs::create_dir_all(dir.join(sub)).map_err(said)?;
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(said)?;
        chown(dir.join("postfix"), Some(user_id("postfix")?), None).map_err(said)?;
        chown(dir.join("mail"), Some(65534), None).map_err(said)?;
        let own = if host == "mail" { OF_THE_WORLD } else { OF_A_SERVER };
        fs::write(dir.join("etc/main.cf"), fill(&(POSTFIX.to_owned() + own), dir, host)).map_err(said)?;
        fs::write(dir.join("etc/master.cf"), SERVICES).map_err(said)?;
        // Postfix makes its queue directories by the list that Debian installs.
        let etc = dir.join("etc").display().to_string();
        space.sh(&format!("cp -r /etc/postfix/postfix-files* {etc}; mount --bind {etc} /etc/postfix"))?;
        let mut command = space.command(Path::new("/usr/sbin/postfix"));
        command.arg("start-fg").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Server).map_err(said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Postfix ends its own processes when asked politely; neither has anything to lose.
        signal(self.0.id(), "TERM");
        let ended = crate::support::wait::until(std::time::Duration::from_secs(5), "a server to end", || {
            self.0.try_wait().ok().flatten()
        });
        if ended.is_err() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn fill(text: &str, dir: &Path, host: &str) -> String {
    text.replace("@DIR@", &dir.to_string_lossy()).replace("@HOST@", host)
}
