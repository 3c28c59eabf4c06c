//! Who may connect, and who may do what.

use super::super::Config;
use super::super::sink::Sink;
use super::{AuthFile, Seen, warning};
use crate::auth;

/// Commands that change something; reading is nobody's harm.
const CHANGES: &[&str] = &[
    "ack",
    "clear",
    "disable",
    "enable",
    "loadstate",
    "reload",
    "reset",
    "savestate",
    "set",
    "start",
    "stop",
    "term",
    "test",
];

/// Runs the checks.
pub(super) fn check(file: &AuthFile, config: &Config, seen: &Seen, sink: &mut Sink<'_>) {
    let place = seen.place_of(&["authfile", "cfbasedir"]);
    let Some(text) = &file.text else {
        // One that is named and cannot be read is an error, said elsewhere; but that one is looked for from the
        // working directory, and the daemon reads the one below `cfbasedir`.
        if config.globals.authfile.as_ref().is_none_or(|named| !named.value.starts_with('/')) {
            let path = &file.path;
            let (message, help) = match file.exists {
                true => (
                    format!("{path} cannot be read: the daemon will not start"),
                    format!("let the user that mon runs as read it: chgrp mon {path}; chmod 640 {path}"),
                ),
                false => (
                    format!("there is no {path}: the daemon will not start"),
                    "write one, or name another by `authfile = PATH`".to_owned(),
                ),
            };
            let complaint = warning("W047", message, "no auth.cf for it").help(help);
            sink.warn(place.0, place.1, complaint);
        }
        return open_to_the_world(config, &[], seen, sink);
    };
    permissions(file, text, place, sink);
    let (auth, _) = auth::parse(text);
    let free: Vec<&str> = CHANGES.iter().copied().filter(|command| auth.permits(None, command)).collect();
    // On this machine alone everybody is whoever may log in here: a demonstration, a machine of one's own.
    let is_local = config.globals.serverbind.as_deref().is_some_and(|bound| {
        bound == "localhost" || bound.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    if !free.is_empty() && !is_local {
        let message =
            format!("{} lets everybody, without a password, do this: {}", file.path, free.join(", "));
        let complaint = warning("W049", message, "no login needed").help(format!(
            "name users there instead of `all`: `{}: alice,bob`; AUTH_ANY is everybody who has logged in",
            free[0]
        ));
        sink.warn(place.0, place.1, complaint);
    }
    open_to_the_world(config, &free, seen, sink);
}

fn permissions(file: &AuthFile, text: &str, place: (super::Span, u32), sink: &mut Sink<'_>) {
    const WRITE: u32 = 0o002;
    const READ: u32 = 0o004;
    let (message, label, help) = if file.mode & WRITE != 0 {
        let message =
            format!("everybody on this machine may change {}, and so give himself all rights", file.path);
        (message, "writable by others", "o-w")
    } else if file.mode & READ != 0 && has_passwords(text) {
        let message = format!("everybody on this machine may read the passwords of traps in {}", file.path);
        (message, "readable by others", "o-r")
    } else {
        return;
    };
    let complaint = warning("W048", message, label).help(format!("chmod {help} {}", file.path));
    sink.warn(place.0, place.1, complaint);
}

/// Whether an entry of the trap section has a password: HOST USER PASSWORD, where `*` is none.
fn has_passwords(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let traps = lines.skip_while(|line| !(line.starts_with("trap") && line.contains("section"))).skip(1);
    traps
        .take_while(|line| !line.contains("section"))
        .any(|line| line.split_whitespace().nth(2).is_some_and(|password| password != "*"))
}

fn open_to_the_world(config: &Config, free: &[&str], seen: &Seen, sink: &mut Sink<'_>) {
    let globals = &config.globals;
    let bound = globals.serverbind.as_deref().unwrap_or_default();
    let everywhere = matches!(bound.trim(), "" | "0.0.0.0" | "::" | "*");
    if !everywhere || globals.clientallow.is_some() {
        return;
    }
    let consequence = match free {
        [] => "see everything that is watched",
        _ => "see and change everything",
    };
    let message = format!("everybody who can reach this machine may connect to mon and {consequence}");
    let complaint = warning("W050", message, "no `clientallow`").help(
        "write `serverbind = 127.0.0.1`, or `clientallow = 127.0.0.1 192\\.0\\.2\\.\\d+` with the addresses of clients"
            .to_owned(),
    );
    let (span, line) = seen.place_of(&["serverbind", "serverport"]);
    sink.warn(span, line, complaint);
}
