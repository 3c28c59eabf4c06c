//! What comes over the network: lines of clients, traps, and the replies that our own clients read.

use std::time::Duration;

use remon_core::auth::{self, TrapGate};
use remon_core::engine::{Command, Event, StateFile, Trap};
use remon_core::wire::client::{Client, Line};
use remon_core::wire::command::{self, LineBuffer};
use remon_core::wire::opstatus::StatusLine;
use remon_core::wire::trap;

use super::daemon::{CONFIG, Daemon, LOCAL, assert_is_reply};
use super::text_of;

/// Lines of one client, with time between them. Every line has one reply, which a client can read.
pub(super) fn clients(bytes: &[u8]) {
    let mut open = Daemon::new(CONFIG, &open_to_all());
    let mut shut = Daemon::new(CONFIG, "");
    let mut lines = LineBuffer::default();
    // A packet may end anywhere.
    for packet in bytes.chunks(17) {
        lines.extend(packet);
        while let Ok(Some(line)) = lines.next_line() {
            let command = command::parse(&line);
            refused_when_nothing_is_allowed(&mut shut, &line, &command);
            open.replies.clear();
            open.say(line, command);
            assert_eq!(open.replies.len(), 1, "one line, one reply: {:?}", open.replies);
            open.replies.iter().for_each(|reply| assert_is_reply(reply));
            if open.over {
                return;
            }
            open.wait(Duration::from_secs(7));
        }
    }
}

fn refused_when_nothing_is_allowed(shut: &mut Daemon, line: &str, command: &Command) {
    if command.word().is_some() {
        shut.replies.clear();
        let state = (shut.state(StateFile::Disabled), shut.state(StateFile::Opstatus));
        shut.say(line.to_owned(), command.clone());
        assert_eq!(shut.replies, ["520 command could not be executed, unknown command\n"]);
        assert_eq!(state, (shut.state(StateFile::Disabled), shut.state(StateFile::Opstatus)));
    }
}

fn open_to_all() -> String {
    let words = "list set get stop start loadstate savestate reset clear reload term test servertime ack disable \
                 enable dump";
    words.split_whitespace().map(|word| format!("{word}: all\n")).collect()
}

/// One datagram. Where it is a trap, the daemon takes it, and whatever it said shows as one line.
pub(super) fn traps(bytes: &[u8]) {
    let (auth, _) = auth::parse("trap section\n127.0.0.1 amy $1$hash\n127.0.0.1 bob h2");
    let Ok(packet) = trap::parse(bytes) else { return };
    match auth.trap_gate(LOCAL, packet.user.as_deref()) {
        TrapGate::Open => panic!("nobody may pass without a password"),
        TrapGate::Password(_) => assert!(matches!(packet.user.as_deref(), Some("amy" | "bob"))),
        TrapGate::Refused(reason) => assert!(!reason.to_string().is_empty()),
    }
    let trap::Packet { kind, group, service, status, output, .. } = packet;
    let trap = Trap { from: LOCAL, kind, group, service, status, output: output.into() };
    let mut daemon = Daemon::new(CONFIG, &open_to_all());
    for span in [0, 61, 100_000] {
        daemon.handle(Event::Trap(trap.clone()));
        daemon.wait(Duration::from_secs(span));
        for line in ["list opstatus", "list failurehist", "list alerthist", "list descriptions"] {
            daemon.say(line.to_owned(), command::parse(line));
        }
    }
    daemon.replies.iter().for_each(|reply| assert_is_reply(reply));
    let rows = daemon.replies[0].lines().filter(|line| line.starts_with("group="));
    rows.for_each(|line| assert!(StatusLine::parse(line).is_some(), "{line:?}"));
    daemon.state(StateFile::Opstatus);
}

/// What a server might answer to our clients.
pub(super) fn replies(bytes: &[u8]) {
    let mut client = Client::new(std::io::Cursor::new(bytes.to_vec()));
    while let Ok(line) = client.next_line() {
        if let Line::Status(status) = &line {
            assert!(matches!(status.code, 200..300 | 500..600));
        }
    }
    let mut client = Client::new(std::io::Cursor::new(bytes.to_vec()));
    while let Ok(reply) = client.reply() {
        for line in &reply.lines {
            status_line(line);
        }
    }
    status_line(&text_of(bytes));
}

fn status_line(line: &str) {
    if let Some(status) = StatusLine::parse(line) {
        assert!(!status.group().is_empty() && !status.service().is_empty());
        status.iter().for_each(|(name, _)| {
            assert!(
                status.get(name).len() > 19 || status.number(name) != 1 || status.get(name).ends_with('1')
            )
        });
        let _ = status.opstatus();
    }
}
