//! Who receives alerts: mail, XMPP, a web hook, traps, files. What reached them is put in the form of the recordings.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::lab::{Lab, write_secret};
use super::recording::Sample;
use super::{folder, peers};
use crate::support::servers::{PASSWORD, Prosody};
use crate::support::xmpp::Reader;
use crate::support::{latin1, skipped};

/// A trap is there when its sender has ended, or a moment later.
const SOON: Duration = Duration::from_secs(1);

/// The recording's recipients of XMPP messages, and who stands for them. Its web hook, too.
const STANDING_FOR: [(&str, &str); 5] = [
    ("user@xmpp.example.test", "ops@xmpp.test"),
    ("second@xmpp.example.test", "eve@xmpp.test"),
    ("a@b", "ops@xmpp.test"),
    ("c@d", "eve@xmpp.test"),
    ("https://hooks.example.test/", "http://127.0.0.1:18090/"),
];

pub(super) struct Receivers {
    input: Vec<u8>,
    traps: UdpSocket,
    hook: Receiver<String>,
    chat: Option<Chat>,
}

/// An XMPP server, and who reads there.
struct Chat {
    server: Prosody,
    ops: Reader,
    eve: Reader,
}

impl Receivers {
    pub(super) fn new(_: &Lab) -> Receivers {
        let input = fs::read_to_string(folder().join("alert-input.txt")).expect("it is an input");
        // The first line says what it is; the last one had no end.
        let (_, input) = input.trim_end().split_once('\n').expect("it has lines");
        let traps = UdpSocket::bind("127.0.77.9:2583").expect("the network is ours");
        traps.set_read_timeout(Some(SOON)).expect("it is a limit");
        Receivers { input: input.into(), traps, hook: hook(), chat: chat() }
    }

    /// What an alert does; `None` where a server is missing for it.
    pub(super) fn record(&mut self, sample: &Sample, lab: &Lab) -> Option<String> {
        let (mut command, room) = lab.command(sample);
        let _ = fs::create_dir(room.join("log"));
        if sample.program.contains("xmpp") {
            let chat = self.chat.as_ref()?;
            let (port, ca) = (chat.server.place.port, chat.server.place.path("ca.pem"));
            let account =
                format!("username: mon@xmpp.test\njserver: 127.0.0.1:{port}\npassword: {PASSWORD}\n");
            write_secret(&room.join(".sendxmpprc"), &account);
            command.arg("--ca").arg(ca);
        }
        let words = sample
            .words
            .iter()
            .map(|word| standing_for(word).replace("LAB/", &format!("{}/", room.display())));
        let words = words.collect::<Vec<_>>();
        command.args(&words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let input = if sample.name.ends_with(".empty-input") { &[][..] } else { &self.input };
        let _ = child.stdin.take().expect("it is piped").write_all(input);
        let output = child.wait_with_output().expect("the program ends");
        let said = latin1(&[output.stderr, output.stdout].concat());
        let said = said.replace(&format!("{}/", room.display()), "LAB/");
        let status = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
        let arrived = self.arrived(&sample.program, &room, &words, output.status.success());
        Some(format!("{said}[exit {status}]\n{arrived}"))
    }

    fn arrived(&mut self, program: &str, room: &Path, words: &[String], success: bool) -> String {
        let file = |path: &Path| fs::read(path).map(|bytes| latin1(&bytes)).unwrap_or_default();
        let mail = match file(&room.join("sendmail")) {
            nothing if nothing.is_empty() => nothing,
            mail => format!("=== sendmail received\n{mail}"),
        };
        match program {
            "file.alert" => format!("=== appended to the file\n{}", file(&room.join("log/f.log"))),
            "test.alert" => file(Path::new("/var/log/mon/test.alert.log")),
            "trap.alert" => self.traps(),
            "mail.alert" => mail,
            "mailxmpp.alert" => mail + &self.messages(words, success),
            _ => self.messages(words, success) + &self.posts(),
        }
    }

    fn traps(&self) -> String {
        let mut text = "=== UDP datagram received on port 2583\n".to_owned();
        let mut bytes = [0; 65_536];
        while let Ok(size) = self.traps.recv(&mut bytes) {
            text += &format!("{}=== end of packet ({size} bytes)\n", latin1(&bytes[..size]));
        }
        text
    }

    fn messages(&mut self, words: &[String], success: bool) -> String {
        let Some(chat) = self.chat.as_mut().filter(|_| success) else { return String::new() };
        let mut text = String::new();
        for (name, reader) in [("ops@xmpp.test", &mut chat.ops), ("eve@xmpp.test", &mut chat.eve)] {
            if words.iter().any(|word| word.contains(name)) {
                text += &format!("=== XMPP message to {name}\n{}\n", reader.message().1);
            }
        }
        text
    }

    fn posts(&self) -> String {
        self.hook.try_iter().map(|body| format!("=== the web hook received\n{body}\n")).collect()
    }
}

fn standing_for(word: &str) -> String {
    STANDING_FOR.iter().fold(word.to_owned(), |word, (theirs, ours)| word.replace(theirs, ours))
}

/// Starts the web hook, which takes everything.
fn hook() -> Receiver<String> {
    let (sender, posts) = mpsc::channel();
    peers::serve("127.0.0.1", 18090, move |socket: TcpStream| {
        let mut reader = BufReader::new(&socket);
        let (mut head, mut line) = (String::new(), String::new());
        let mut length = 0;
        while reader.read_line(&mut line).is_ok_and(|size| size > 0) && line != "\r\n" {
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if head.is_empty() || lower.starts_with("content-type:") {
                head += line.trim_end();
                head.push('\n');
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_ok() {
            let _ = sender.send(head + &latin1(&body));
            let _ =
                (&socket).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    posts
}

fn chat() -> Option<Chat> {
    match Prosody::start() {
        Ok(server) => {
            let (ops, eve) =
                (Reader::log_in(server.place.port, "ops"), Reader::log_in(server.place.port, "eve"));
            Some(Chat { server, ops, eve })
        }
        Err(why) => {
            skipped("samples of alerts by XMPP", &why);
            None
        }
    }
}
