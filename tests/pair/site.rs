//! One server of the pair: its machine, its XMPP and mail servers, and the daemon with the configuration we ship.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::pairing::Program;
use crate::servers::Server;
use crate::space::{Space, sh};
use crate::support::place::processes_with;
use crate::support::servers::{PASSWORD, make_certificates};
use crate::support::{Client, oracle, signal, source, subject, wait};

/// Servers may have to be read from disk first.
const START: Duration = Duration::from_secs(60);

/// What happens every five minutes or every minute in the shipped files happens that often here.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);

/// Debian's monitors that the shipped files name.
const DEBIANS: &str = "/usr/lib/mon/mon.d";

/// The two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    pub(crate) fn host(self) -> &'static str {
        ["servera", "serverb"][self as usize]
    }

    pub(crate) fn address(self) -> &'static str {
        ["192.0.2.1", "192.0.2.2"][self as usize]
    }

    pub(crate) fn other(self) -> Side {
        if self == Side::A { Side::B } else { Side::A }
    }

    /// Its watch of the other server's mon: `watch/service`.
    pub(crate) fn watch_of_the_other(self) -> String {
        format!("{}/mon{}", self.host(), self.other().host())
    }
}

/// What a row wants changed in the configuration of both, beside the intervals.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// In place of half an hour.
    pub(crate) failure_duration: u32,
    /// The time-out of `remote.monitor`, in seconds.
    pub(crate) timeout: u32,
    /// Without `--undelivered`, as with a release of mon that does not know it.
    pub(crate) without_undelivered: bool,
    /// The server that has a watch of a service of its own, `own/service`.
    pub(crate) own_service: Option<Side>,
    /// Without `--exclude`, to see that it matters.
    pub(crate) without_exclude: bool,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            failure_duration: 600,
            timeout: 10,
            without_undelivered: false,
            own_service: None,
            without_exclude: false,
        }
    }
}

/// One server.
pub(crate) struct Site {
    pub(crate) side: Side,
    pub(crate) space: Space,
    pub(crate) dir: PathBuf,
    program: Program,
    prosody: Option<Server>,
    _postfix: Server,
    daemon: Option<Child>,
    readonly: bool,
    /// Put before the daemon's environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Site {
    /// Makes the machine and starts its servers. The machine is joined to the world.
    ///
    /// # Errors
    /// When something is missing.
    pub(crate) fn start(side: Side, world: &Path, program: Program) -> Result<Site, String> {
        let (host, address) = (side.host(), side.address());
        let dir = world.join(host);
        fs::create_dir_all(dir.join("home")).map_err(|error| error.to_string())?;
        make_certificates(&dir, &format!("DNS:{host}.example.com"))?;
        let space = Space::new(host)?;
        let link = format!("to-{host}");
        sh(&format!("ip link add {link} type veth peer name eth0 netns {}", space.pid()))?;
        sh(&format!("ip addr add 192.0.2.254 peer {address} dev {link}; ip link set {link} up"))?;
        space.sh(&format!(
            "ip addr add {address} peer 192.0.2.254 dev eth0; ip link set eth0 up; \
             ip route add default via 192.0.2.254"
        ))?;
        let prosody = Some(Server::prosody(&space, &dir, host)?);
        let postfix = Server::postfix(&space, &dir, host)?;
        let site = Site {
            side,
            space,
            dir,
            program,
            prosody,
            _postfix: postfix,
            daemon: None,
            readonly: false,
            environment: Vec::new(),
        };
        site.install().map_err(|error| error.to_string())?;
        site.await_port(25)?;
        site.await_port(5222)?;
        Ok(site)
    }

    /// Monitors and alerts, and mon's XMPP account.
    fn install(&self) -> std::io::Result<()> {
        let account = self.dir.join("home/.sendxmpprc");
        let text = format!("username: mon@{}.example.com\npassword: {PASSWORD}\n", self.side.host());
        fs::write(&account, text)?;
        fs::set_permissions(&account, fs::Permissions::from_mode(0o600))?;
        for folder in ["mon.d", "alert.d", "bin", "etc"] {
            fs::create_dir_all(self.dir.join(folder))?;
        }
        for name in ["fping.monitor", "ssh.monitor"] {
            symlink(Path::new(DEBIANS).join(name), self.dir.join("mon.d").join(name))?;
        }
        // Nobody has keys here: it lets us in if a port of it answers.
        let ssh = self.dir.join("bin/ssh");
        fs::write(&ssh, format!("#!/bin/sh\nexec {} run tcp.monitor -p 25 \"$1\"\n", subject().display()))?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755))?;
        if self.program == Program::Original {
            // It has nothing built in, and Debian's mailxmpp.alert lacks a Perl module.
            symlink(Path::new(DEBIANS).join("remote.monitor"), self.dir.join("mon.d/remote.monitor"))?;
            for name in ["freespace.monitor", "loadavg.monitor", "tcp.monitor"] {
                symlink(subject(), self.dir.join("mon.d").join(name))?;
            }
            symlink(subject(), self.dir.join("alert.d/mailxmpp.alert"))?;
        }
        let auth =
            "command section\nlist: all\nstart: all\nservertime: all\nsavestate: all\n\ntrap section\n";
        fs::write(self.dir.join("etc/auth.cf"), auth)
    }

    fn await_port(&self, port: u16) -> Result<(), String> {
        let address = (self.side.address(), port);
        let what = format!("{} to listen on port {port}", self.side.host());
        wait::until(START, &what, || std::net::TcpStream::connect(address).ok().map(|_| ()))
    }

    /// Writes the configuration: the shipped file with shorter times, and what is watched in the world.
    ///
    /// # Errors
    /// When the shipped file is not what it was.
    pub(crate) fn configure(&self, setup: &Setup) -> Result<(), String> {
        let path = source().join("etc/pair").join(format!("{}.cf", self.side.host()));
        let shipped = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let dir = self.dir.display();
        let seconds = INTERVAL.as_secs();
        let mut text = Substitution(Ok(shipped));
        text.replace("/usr/lib/mon/mon-local.d:/usr/lib/mon/mon.d", &format!("{dir}/mon.d"));
        text.replace("/usr/lib/mon/alert-local.d:/usr/lib/mon/alert.d", &format!("{dir}/alert.d"));
        text.replace("/etc/mon/auth.cf", &format!("{dir}/etc/auth.cf"));
        text.replace("randstart = 60s\n", "");
        text.replace("interval 5m", &format!("interval {seconds}s"));
        text.replace("interval 1m", &format!("interval {seconds}s"));
        // A try every second or so, as the intervals are that short too.
        text.replace("monitor fping.monitor", "monitor fping.monitor -r 1 -t 500");
        // How the machine that runs the test is, is not the question.
        text.replace("loadavg.monitor 20 10 6", "loadavg.monitor 2000 1000 600");
        text.replace("freespace.monitor /:10%", "freespace.monitor /:0%:0");
        let duration = format!("--failure_duration={} --timeout={}", setup.failure_duration, setup.timeout);
        text.replace("--failure_duration=1800", &duration);
        // The original knows neither this nor `alertretry`.
        if setup.without_undelivered || self.program == Program::Original {
            text.replace(" --undelivered", "");
        }
        text.replace("alertretry 2 1m", "alertretry 2 1s");
        if self.program == Program::Original {
            text.without_lines("alertretry");
        }
        if setup.without_exclude {
            let theirs = self.side.other().watch_of_the_other().replace('/', ":");
            text.replace(&format!("--exclude {theirs}"), "");
        }
        let mut text = text.0.map_err(|what| format!("{}: {what}", path.display()))?;
        text += &self.watch("world", "web", 8080);
        if setup.own_service == Some(self.side) {
            text += &self.watch("own", "service", 8081);
        }
        fs::write(self.dir.join("etc/mon.cf"), text).map_err(|error| error.to_string())
    }

    /// A watch of a port of the world.
    fn watch(&self, watch: &str, service: &str, port: u16) -> String {
        let (host, seconds) = (self.side.host(), INTERVAL.as_secs());
        let recipients = format!("-x user@{host}.example.com -m user@example.com");
        format!(
            "\nhostgroup {watch} 192.0.2.254\n\nwatch {watch}\n    service {service}\n        \
             interval {seconds}s\n        monitor tcp.monitor -p {port}\n        period\n            \
             numalerts 1\n            alert mailxmpp.alert {recipients}\n            \
             upalert mailxmpp.alert {recipients}\n"
        )
    }

    /// Starts the daemon and waits until it answers. `stopped`: it checks nothing before [`Site::begin`].
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn start_daemon(&mut self, stopped: bool) -> Result<(), String> {
        let program = match self.program {
            Program::Ours => subject(),
            Program::Original => oracle().ok_or("the original is not installed")?,
        };
        let messages = File::options().create(true).append(true).open(self.dir.join("messages"));
        let messages = messages.map_err(|error| error.to_string())?;
        let copy = messages.try_clone().map_err(|error| error.to_string())?;
        let dir = self.dir.display();
        fs::create_dir_all(self.dir.join("state")).map_err(|error| error.to_string())?;
        let flags =
            format!("-c {dir}/etc/mon.cf -b {dir} -B {dir}/etc -D {dir}/state -L {dir}/log -P {dir}/mon.pid");
        fs::create_dir_all(self.dir.join("log")).map_err(|error| error.to_string())?;
        let mut command = self.space.command(&program);
        command.args(flags.split(' ')).args(stopped.then_some("-S")).env_clear();
        let path = format!("{dir}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("HOME", self.dir.join("home")).env("PATH", path).env("TZ", "UTC").env("LANG", "C");
        command.env("SSL_CERT_FILE", self.dir.join("ca.pem")).env("USER", "mon");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(copy).stderr(messages);
        self.daemon = Some(command.spawn().map_err(|error| error.to_string())?);
        let what = format!("the daemon of {}", self.side.host());
        wait::until(START, &what, || self.ask("list state").ok().map(|_| ()))
    }

    /// Lets a stopped daemon begin.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn begin(&self) -> Result<(), String> {
        self.ask("start").map(|_| ())
    }

    /// Sends the daemon a signal.
    pub(crate) fn signal(&self, name: &str) {
        if let Some(daemon) = &self.daemon {
            signal(daemon.id(), name);
        }
    }

    /// Ends the daemon by a signal.
    ///
    /// # Errors
    /// When it goes on.
    pub(crate) fn end_daemon(&mut self, name: &str) -> Result<(), String> {
        self.signal(name);
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        let ended = wait::until(START, "the daemon to end", || daemon.try_wait().ok().flatten());
        ended.map(|_| ())
    }

    /// Ends the daemon as systemd does it: what it has started ends with it, alerts on their way included.
    ///
    /// # Errors
    /// When it goes on.
    pub(crate) fn end_unit(&mut self) -> Result<(), String> {
        self.end_daemon("TERM")?;
        for pid in processes_with(&format!("HOME={}\0", self.dir.join("home").display())) {
            signal(pid, "KILL");
        }
        Ok(())
    }

    /// One command to the daemon, from the world.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn ask(&self, command: &str) -> Result<Vec<String>, String> {
        let client = Client::connect_to((self.side.address(), 2583));
        client.map_err(|error| error.to_string())?.command(command)
    }

    /// How many services the configuration has.
    pub(crate) fn services(&self) -> usize {
        let text = fs::read_to_string(self.dir.join("etc/mon.cf")).unwrap_or_default();
        text.lines().filter(|line| line.trim_start().starts_with("service ")).count()
    }

    /// The state of `watch/service`, as the daemon lists it.
    ///
    /// # Errors
    /// When it does not answer, or there is no such service.
    pub(crate) fn status(&self, about: &str) -> Result<String, String> {
        let lines = self.ask(&format!("list opstatus {}", about.replace('/', ",")))?;
        let line = lines.into_iter().find(|line| line.starts_with("group="));
        line.ok_or_else(|| format!("{} has no {about}", self.side.host()))
    }

    /// Ends or starts the XMPP server.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn set_xmpp(&mut self, up: bool) -> Result<(), String> {
        match (up, self.prosody.is_some()) {
            (false, _) => self.prosody = None,
            (true, false) => {
                self.prosody = Some(Server::prosody(&self.space, &self.dir, self.side.host())?);
                self.await_port(5222)?;
            }
            (true, true) => {}
        }
        Ok(())
    }

    /// Breaks or mends the mail system: without its configuration, sendmail takes no mail.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub(crate) fn set_mail(&self, up: bool) -> Result<(), String> {
        let (good, bad) = (self.dir.join("etc/main.cf"), self.dir.join("etc/main.cf.gone"));
        let (from, to) = if up { (bad, good) } else { (good, bad) };
        if !from.exists() {
            return Ok(());
        }
        fs::rename(from, to).map_err(|error| error.to_string())
    }

    /// Makes the state directory read-only, or writable again. Permissions would not do: root heeds none.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn set_readonly(&mut self, readonly: bool) -> Result<(), String> {
        if self.readonly == readonly {
            return Ok(());
        }
        self.readonly = readonly;
        let state = self.dir.join("state").display().to_string();
        self.space.sh(&if readonly {
            format!("mkdir -p {state}; mount --bind {state} {state}; mount -o remount,bind,ro {state}")
        } else {
            format!("umount {state}")
        })
    }

    /// Gives the next daemon a clock that can be set. Only what the clock on the wall says is changed, as on a
    /// real machine.
    ///
    /// # Errors
    /// When the library for it is not installed.
    pub(crate) fn fake_clock(&mut self) -> Result<(), String> {
        let library = faketime().ok_or("no libfaketime (package faketime)")?;
        self.set_clock("+0")?;
        self.environment = vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.dir.join("clock").display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        Ok(())
    }

    /// Sets that clock, relative to the true time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn set_clock(&self, offset: &str) -> Result<(), String> {
        let (new, clock) = (self.dir.join("clock.new"), self.dir.join("clock"));
        fs::write(&new, offset).and_then(|()| fs::rename(new, clock)).map_err(|error| error.to_string())
    }

    /// What the daemon takes for the time, in seconds since 1970.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn clock(&self) -> Result<i64, String> {
        let lines = self.ask("servertime")?;
        let number = lines.first().and_then(|line| line.split(' ').next()?.parse().ok());
        number.ok_or_else(|| format!("no time: {lines:?}"))
    }

    /// Sends a message that nobody expects.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub(crate) fn send_noise(&self) -> Result<(), String> {
        let (host, dir) = (self.side.host(), self.dir.display());
        self.space.sh(&format!(
            "export HOME={dir}/home SSL_CERT_FILE={dir}/ca.pem; echo noise | {} run mailxmpp.alert -u -g x -s y \
             -x user@{host}.example.com -m user@example.com || [ $? = 1 ]",
            subject().display()
        ))
    }

    /// The last lines of a file of this server, for an explanation.
    pub(crate) fn tail(&self, file: &str) -> String {
        let text = fs::read(self.dir.join(file)).map(|bytes| crate::support::latin1(&bytes));
        let text = text.unwrap_or_default();
        // Who asks, and who tries the port that stands for ssh, says nothing.
        let telling = |line: &&str| !line.contains("info    client") && !line.contains("/smtpd[");
        let lines = text.lines().filter(telling).collect::<Vec<_>>();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

/// Text in which each replacement must find something.
struct Substitution(Result<String, String>);

impl Substitution {
    fn replace(&mut self, from: &str, to: &str) {
        if let Ok(text) = &self.0 {
            self.0 = if text.contains(from) {
                Ok(text.replace(from, to))
            } else {
                Err(format!("{from:?} is not in it"))
            };
        }
    }

    /// Takes out the lines that begin with a keyword, with their line ends: an empty line would end the watch.
    fn without_lines(&mut self, keyword: &str) {
        if let Ok(text) = &self.0 {
            let lines = text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with(keyword));
            self.0 = Ok(lines.collect());
        }
    }
}

/// The library of Debian's package faketime.
pub(crate) fn faketime() -> Option<PathBuf> {
    let entries = fs::read_dir("/usr/lib").ok()?;
    let libraries = entries.flatten().map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    libraries.into_iter().find(|path| path.exists())
}
