//! Servers that do what no real one can be told to do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// What a server does when it has said everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    HangUp,
    SayNothingMore,
}

/// A server on 127.0.0.1 that says the first of `says` at once and one more after each line it hears, for ever more
/// clients. Returns its port.
pub(super) fn talker(says: &'static [&'static str], end: End) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || talk(&socket, says, end));
        }
    });
    port
}

fn talk(mut socket: &TcpStream, says: &[&str], end: End) {
    let mut lines = BufReader::new(socket).lines();
    for (number, words) in says.iter().enumerate() {
        if number > 0 && !matches!(lines.next(), Some(Ok(_))) {
            return;
        }
        if socket.write_all(words.as_bytes()).is_err() {
            return;
        }
    }
    if end == End::SayNothingMore {
        // Until the client has hung up.
        lines.by_ref().take_while(Result::is_ok).for_each(drop);
        return;
    }
    // What the client still sends is read, so that closing is no reset that would take our words with it.
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let _ = socket.set_read_timeout(Some(Duration::from_secs(20)));
    lines.take_while(Result::is_ok).for_each(drop);
}
