//! What the service manager hears: over real sockets of both kinds, with a watchdog.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use crate::support::{Daemon, Place, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");
const CONFIG: &str = "hostgroup g 127.0.0.1\n\nwatch g\n  service s\n    interval 1s\n    monitor look.monitor\n    period wd {Sun-Sat}\n";
/// Short for a service manager, long for a loop that turns.
const WATCHDOG: Duration = Duration::from_millis(600);

/// A place whose monitor writes down its environment.
fn place() -> Place {
    let place = Place::new();
    place.write("etc/mon.cf", CONFIG);
    place.script(
        "mon.d/look.monitor",
        "#!/bin/sh\nenv >\"$HOME/env.new\" && mv \"$HOME/env.new\" \"$HOME/env\"\n",
    );
    place
}

fn start(place: &Place, socket: &str) -> Daemon {
    let mut command = place.command(Path::new(MON));
    command.args(place.flags()).env("NOTIFY_SOCKET", socket);
    command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    Daemon::spawn_command(command, place)
}

/// The next message, or nothing within `limit`.
fn hear(socket: &UnixDatagram, limit: Duration) -> Option<String> {
    socket.set_read_timeout(Some(limit)).expect("the limit is not zero");
    let mut buffer = [0; 4096];
    let size = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8(buffer[..size].to_vec()).expect("it is UTF-8"))
}

/// The next message that is no sign of life.
fn news(socket: &UnixDatagram) -> String {
    let next = || hear(socket, wait::PATIENCE).filter(|text| text != "WATCHDOG=1");
    wait::until(wait::PATIENCE, "news", next).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn start_reload_and_end_are_told() {
    let place = place();
    let path = place.path("notify");
    let socket = UnixDatagram::bind(&path).expect("our own directory is writable");
    let mut daemon = start(&place, &path.to_string_lossy());
    let ready = format!("READY=1\nMAINPID={}\nSTATUS=Watching 1 services", daemon.pid());
    assert_eq!(news(&socket), ready);
    daemon.ready().unwrap_or_else(|why| panic!("READY came, but {why}"));
    daemon.signal("HUP");
    assert_eq!(news(&socket), "RELOADING=1\nSTATUS=Reading the configuration");
    assert_eq!(news(&socket), ready);
    let seen = wait::until(wait::PATIENCE, "the monitor", || {
        let text = place.read("env");
        text.contains("HOME=").then_some(text)
    });
    let seen = seen.unwrap_or_else(|why| panic!("{why}"));
    assert!(!seen.contains("NOTIFY_SOCKET") && !seen.contains("WATCHDOG"), "{seen}");
    daemon.signal("TERM");
    assert_eq!(news(&socket), "STOPPING=1\nSTATUS=Ending");
    daemon.ended(wait::PATIENCE).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_loop_that_stands_still_is_not_alive() {
    let place = place();
    let name = format!("remon-notify-{}", place.port);
    let address = SocketAddr::from_abstract_name(name.as_bytes()).expect("the name is short");
    let socket = UnixDatagram::bind_addr(&address).expect("the name is free");
    let daemon = start(&place, &format!("@{name}"));
    assert!(news(&socket).starts_with("READY=1\n"));
    for _ in 0..3 {
        assert_eq!(hear(&socket, wait::PATIENCE).as_deref(), Some("WATCHDOG=1"));
    }
    daemon.signal("STOP");
    // What was sent before it stood still.
    while hear(&socket, WATCHDOG).is_some() {}
    assert_eq!(hear(&socket, 2 * WATCHDOG), None);
    daemon.signal("CONT");
    assert_eq!(hear(&socket, wait::PATIENCE).as_deref(), Some("WATCHDOG=1"));
}

#[test]
fn a_service_manager_that_is_not_there_stops_nothing() {
    let place = place();
    for socket in ["/nonexistent/notify", "relative", "@"] {
        let mut daemon = start(&place, socket);
        daemon.ready().unwrap_or_else(|why| panic!("{socket}: {why}"));
    }
}
