//! Servers that answer as those of the recording did.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs as _};
use std::thread;
use std::time::Duration;

/// Serves everybody who comes, each in a thread.
pub(super) fn serve(address: &str, port: u16, client: impl Fn(TcpStream) + Clone + Send + 'static) {
    let listener =
        TcpListener::bind((address, port)).unwrap_or_else(|error| panic!("{address} {port}: {error}"));
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let client = client.clone();
            thread::spawn(move || client(socket));
        }
    });
}

/// Waits until the client has gone.
fn wait_for_end(mut socket: &TcpStream) {
    let mut bytes = [0; 512];
    while matches!(socket.read(&mut bytes), Ok(1..)) {}
}

/// What has no more to say: it ends its half, and lets the client end the other, so that nothing said is lost.
fn hang_up(socket: &TcpStream) {
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.set_read_timeout(Some(Duration::from_secs(20)));
    wait_for_end(socket);
}

/// Takes connections and says nothing.
pub(super) fn silent(port: u16) {
    serve("127.0.0.1", port, |socket| wait_for_end(&socket));
}

/// Takes connections and ends them.
pub(super) fn closing(port: u16) {
    serve("127.0.0.1", port, drop);
}

/// A queue that is full: whoever connects gets no answer. The connections that fill it are returned.
pub(super) fn full(port: u16) -> (TcpListener, Vec<TcpStream>) {
    // This network's alone. std asks for more than that.
    std::fs::write("/proc/sys/net/core/somaxconn", "1\n").expect("the network is ours");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    std::fs::write("/proc/sys/net/core/somaxconn", "4096\n").expect("the network is ours");
    let address = ("127.0.0.1", port).to_socket_addrs().expect("it is one").next().expect("it is one");
    let mut filling = Vec::new();
    while let Ok(socket) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        filling.push(socket);
    }
    (listener, filling)
}

/// A server that says a greeting, and to each line the answer of the first of `answers` whose word is in it; the empty
/// word is in all. An answer `-` is silence for ever, and after `bye` in an answer it hangs up.
pub(super) fn dialogue(port: u16, greeting: &'static str, answers: &'static [(&'static str, &'static str)]) {
    serve("127.0.0.1", port, move |socket| {
        if (&socket).write_all(greeting.as_bytes()).is_err() {
            return;
        }
        for line in BufReader::new(&socket).lines().map_while(Result::ok) {
            let Some((_, answer)) = answers.iter().find(|(word, _)| line.contains(word)) else { break };
            if *answer == "-" {
                return wait_for_end(&socket);
            }
            // IMAP: the answer begins with the tag of the question.
            let tag = line.split(' ').next().unwrap_or_default();
            if (&socket).write_all(answer.replace('@', tag).as_bytes()).is_err() || answer.contains("bye") {
                break;
            }
        }
        hang_up(&socket);
    });
}

/// The web server of the recording.
pub(super) fn web(port: u16) {
    for address in ["127.0.0.1", "127.0.0.2"] {
        serve(address, port, |socket| {
            let mut lines = BufReader::new(&socket).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let status = match request.split(' ').nth(1).unwrap_or_default() {
                "/slow" => return wait_for_end(&socket),
                "/half" => {
                    let _ = (&socket).write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf");
                    return wait_for_end(&socket);
                }
                "/empty" => return hang_up(&socket),
                "/303" => "303 See Other",
                "/307" => "307 Temporary Redirect",
                "/404" => "404 Not Found",
                "/500" => "500 Internal Server Error",
                "/auth" => "401 Unauthorized",
                "/redir" => "302 Found",
                _ => "200 OK",
            };
            let text =
                format!("HTTP/1.0 {status}\r\nServer: lab\r\nContent-Type: text/plain\r\n\r\nhello world\n");
            let _ = (&socket).write_all(text.as_bytes());
            hang_up(&socket);
        });
    }
}

/// A mon server: what `list opstatus` has there, and whether one must log in for it, as alice with "sesame".
pub(super) fn mon(address: &str, opstatus: String, login: bool) {
    serve(address, 12583, move |socket| {
        let mut let_in = !login;
        for line in BufReader::new(&socket).lines().map_while(Result::ok) {
            let answer = match line.trim_end() {
                "login alice sesame" => {
                    let_in = true;
                    "220 login accepted\n".to_owned()
                }
                line if line.starts_with("login ") => "530 login unsuccessful\n".to_owned(),
                line if line.starts_with("protid ") => "220 protocol match\n".to_owned(),
                "quit" => break,
                "list opstatus" if let_in => format!("{opstatus}220 list opstatus completed\n"),
                "list disabled" if let_in => "220 list disabled completed\n".to_owned(),
                "list state" if let_in => "scheduler running\n220 list state completed\n".to_owned(),
                _ => "520 command could not be executed, unknown command\n".to_owned(),
            };
            if (&socket).write_all(answer.as_bytes()).is_err() {
                break;
            }
        }
        hang_up(&socket);
    });
}
