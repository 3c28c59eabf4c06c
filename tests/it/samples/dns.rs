//! The name servers of the recording: several, told apart by address.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::thread;

use super::peers;

const A: u16 = 1;
const SOA: u16 = 6;
const MX: u16 = 15;

/// Codes of an answer.
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

/// A server for example.test, at 127.0.77.LAST.
#[derive(Clone, Copy)]
struct Server {
    last: u8,
    /// The zone's serial number; `None` refuses everything.
    serial: Option<u32>,
    /// Whether it says that it is the one to ask.
    authoritative: bool,
}

const SERVERS: [Server; 6] = [
    Server { last: 53, serial: Some(100), authoritative: true },
    Server { last: 54, serial: Some(100), authoritative: true },
    Server { last: 55, serial: Some(99), authoritative: true },
    Server { last: 56, serial: None, authoritative: true },
    Server { last: 58, serial: Some(100), authoritative: false },
    Server { last: 60, serial: Some(90), authoritative: true },
];

/// Takes questions and never answers.
const SILENT: &str = "127.0.77.59";

/// Starts them all. The socket returned is the silent one's.
pub(super) fn start() -> UdpSocket {
    for server in SERVERS {
        let address = format!("127.0.77.{}", server.last);
        let socket = UdpSocket::bind((address.as_str(), 53)).expect("the network is ours");
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok((size, from)) = socket.recv_from(&mut bytes) {
                if let Some(answer) = server.answer(&bytes[..size]) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        peers::serve(&address, 53, move |socket| {
            let _ = server.serve(socket);
        });
    }
    UdpSocket::bind((SILENT, 53)).expect("the network is ours")
}

impl Server {
    /// Over TCP, where the length stands before each message.
    fn serve(self, mut socket: TcpStream) -> std::io::Result<()> {
        loop {
            let mut length = [0; 2];
            socket.read_exact(&mut length)?;
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            socket.read_exact(&mut question)?;
            let answer = self.answer(&question).unwrap_or_default();
            let length = u16::try_from(answer.len()).expect("answers are short");
            socket.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
        }
    }

    fn answer(self, message: &[u8]) -> Option<Vec<u8>> {
        let (name, kind, end) = question(message)?;
        let (code, data) = self.look_up(&name, kind);
        let authoritative = if self.authoritative && code != REFUSED { 0x04 } else { 0 };
        let mut answer = [&message[..2], &[0x80 | authoritative | (message[2] & 1), code]].concat();
        answer.extend([0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
        answer.extend(&message[12..end]);
        if let Some(data) = data {
            // The name is the one in the question.
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 60]);
            answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            answer.extend(data);
        }
        Some(answer)
    }

    /// The code, and the data of the one record.
    fn look_up(self, name: &str, kind: u16) -> (u8, Option<Vec<u8>>) {
        let Some(serial) = self.serial else { return (REFUSED, None) };
        let Some(host) = name.strip_suffix("example.test") else { return (REFUSED, None) };
        let last = match (host, kind) {
            ("", SOA) => return (0, Some(soa(serial))),
            ("", MX) => return (0, Some([&[0, 10][..], &spelled("mail.example.test")].concat())),
            ("host." | "good." | "mail.", A) => 1,
            ("alias.", A) => 2,
            ("" | "host." | "good." | "mail." | "alias.", _) => return (0, None),
            _ => return (NXDOMAIN, None),
        };
        (0, Some(vec![127, 0, 0, last]))
    }
}

fn soa(serial: u32) -> Vec<u8> {
    let mut data = [spelled("ns.example.test"), spelled("admin.example.test")].concat();
    for number in [serial, 3600, 600, 86_400, 60] {
        data.extend(number.to_be_bytes());
    }
    data
}

/// A name as messages have it.
fn spelled(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).expect("labels are short");
        [&[length][..], label.as_bytes()].concat()
    });
    labels.chain([0]).collect()
}

/// The name, the type, and where the question ends.
fn question(message: &[u8]) -> Option<(String, u16, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?);
    Some((labels.join("."), kind, at + 4))
}
