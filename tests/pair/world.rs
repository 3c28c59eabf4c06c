//! Two servers and the world between them, inside namespaces that this process was started in.
//!
//! The world routes between the two and has what both can reach: the watched services, the mailbox, the user.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::collector::Collector;
use crate::pairing::Pairing;
use crate::servers::Server;
use crate::site::{Setup, Side, Site};
use crate::space::{Space, sh};
use crate::support::wait;

const HOSTS: &str = "127.0.0.1 localhost
192.0.2.1 servera servera.example.com
192.0.2.2 serverb serverb.example.com
192.0.2.254 world mail.example.com
";

/// How long a machine under load may take for what has no interval: a restart, a login, a delivery.
pub(crate) const START: Duration = Duration::from_secs(60);

/// Everything that stands while rows come and go.
pub(crate) struct World {
    pub(crate) pairing: Pairing,
    pub(crate) collector: Collector,
    sites: [Site; 2],
    web: Port,
    service: Port,
    _mail: Server,
    _mail_space: Space,
}

impl World {
    /// Makes it, in `dir`, which is empty and hidden by a file system in memory.
    ///
    /// # Errors
    /// When something is missing here.
    pub(crate) fn start(pairing: Pairing, dir: &Path) -> Result<World, String> {
        sh(&format!("mount -t tmpfs -o mode=755 pair {}", dir.display()))?;
        fs::write(dir.join("hosts"), HOSTS).map_err(|error| error.to_string())?;
        fs::write(dir.join("resolv.conf"), "").map_err(|error| error.to_string())?;
        // Names come from our file alone; nobody is asked on a network.
        for name in ["hosts", "resolv.conf"] {
            sh(&format!("[ ! -e /etc/{name} ] || mount --bind {}/{name} /etc/{name}", dir.display()))?;
        }
        sh("ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward")?;
        let (mail_space, mail) = start_mail(&dir.join("world"))?;
        let sites = thread::scope(|scope| {
            let start = |side| scope.spawn(move || Site::start(side, dir, pairing.on(side)));
            let sites = [Side::A, Side::B].map(start);
            sites.map(|site| site.join().unwrap_or_else(|_| Err("a server could not be made".to_owned())))
        });
        let [a, b] = sites;
        let mailbox = dir.join("world/mail/user/new");
        Ok(World {
            pairing,
            collector: Collector::start(mailbox),
            sites: [a?, b?],
            web: Port::new(8080),
            service: Port::new(8081),
            _mail: mail,
            _mail_space: mail_space,
        })
    }

    pub(crate) fn site(&self, side: Side) -> &Site {
        &self.sites[side as usize]
    }

    pub(crate) fn site_mut(&mut self, side: Side) -> &mut Site {
        &mut self.sites[side as usize]
    }

    /// Makes all well, and starts both daemons afresh with a configuration.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) fn begin(&mut self, setup: &Setup) -> Result<(), String> {
        self.web.set(true)?;
        self.service.set(true)?;
        set_link(true)?;
        for site in &mut self.sites {
            site.set_xmpp(true)?;
            site.set_mail(true)?;
            site.configure(setup)?;
            site.start_daemon(true)?;
        }
        for side in [Side::A, Side::B] {
            self.await_user(side)?;
        }
        self.collector.take();
        self.sites.iter().try_for_each(Site::begin)
    }

    /// Ends both daemons.
    ///
    /// # Errors
    /// When they go on.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        for site in &mut self.sites {
            site.end_daemon("KILL")?;
            site.set_readonly(false)?;
            site.environment.clear();
        }
        Ok(())
    }

    /// Waits until the user is logged in on that server.
    ///
    /// # Errors
    /// When that takes too long.
    pub(crate) fn await_user(&self, side: Side) -> Result<(), String> {
        let online = || self.collector.is_online(side).then_some(());
        wait::until(START, "the user to be logged in", online)
    }

    /// The service that both watch.
    pub(crate) fn set_web(&mut self, up: bool) -> Result<(), String> {
        self.web.set(up)
    }

    /// The service that one of them watches.
    pub(crate) fn set_service(&mut self, up: bool) -> Result<(), String> {
        self.service.set(up)
    }

    /// What the daemons and the XMPP servers have said last.
    pub(crate) fn words(&self) -> String {
        let of = |site: &Site| {
            let [daemon, mail, xmpp] = ["messages", "mail.log", "prosody.log"].map(|file| site.tail(file));
            format!("--- {}:\n{daemon}\n- mail\n{mail}\n- xmpp\n{xmpp}\n", site.side.host())
        };
        self.sites.iter().map(of).collect()
    }
}

/// The link between A and B: the world forwards, or forwards not. Its own links to both stay.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn set_link(up: bool) -> Result<(), String> {
    fs::write("/proc/sys/net/ipv4/ip_forward", if up { "1" } else { "0" }).map_err(|error| error.to_string())
}

/// The mail server of the world has mounts of its own, and the network of the world.
fn start_mail(dir: &PathBuf) -> Result<(Space, Server), String> {
    fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    let space = Space::on_the_network_of_the_world()?;
    let server = Server::postfix(&space, dir, "mail")?;
    let listens = || std::net::TcpStream::connect(("127.0.0.1", 25)).ok().map(|_| ());
    wait::until(START, "the mail server of the world", listens)?;
    Ok((space, server))
}

/// A service of the world: something that takes connections, or nothing.
struct Port {
    number: u16,
    listener: Option<(Arc<AtomicBool>, thread::JoinHandle<()>)>,
}

impl Port {
    fn new(number: u16) -> Port {
        Port { number, listener: None }
    }

    fn set(&mut self, up: bool) -> Result<(), String> {
        if !up {
            if let Some((stop, thread)) = self.listener.take() {
                stop.store(true, Ordering::SeqCst);
                thread.join().map_err(|_| "the service fell over".to_owned())?;
            }
            return Ok(());
        }
        if self.listener.is_none() {
            let listener = TcpListener::bind(("0.0.0.0", self.number)).map_err(|error| error.to_string())?;
            listener.set_nonblocking(true).map_err(|error| error.to_string())?;
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = stop.clone();
            let serve = move || {
                while !stopped.load(Ordering::SeqCst) {
                    let _ = listener.accept();
                    thread::sleep(Duration::from_millis(5));
                }
            };
            self.listener = Some((stop, thread::spawn(serve)));
        }
        Ok(())
    }
}
