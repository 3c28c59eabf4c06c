//! Where the XMPP server of a domain is: one question to the DNS, for `SRV` records.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

/// The port of clients, where the DNS says nothing else.
const CLIENT_PORT: u16 = 5222;

/// How long a name server may take. Without an answer the domain itself is tried.
const PATIENCE: Duration = Duration::from_secs(3);

/// The type of the records.
const SRV: u16 = 33;

/// No more targets than this are tried.
const MOST_TARGETS: usize = 8;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    priority: u16,
    /// Heavier ones first; we make one connection a message, so nobody is overloaded by order.
    lightness: u16,
    target: String,
    port: u16,
}

/// Hosts and ports to try for the clients of a domain, best first.
pub(crate) async fn targets(domain: &str) -> Vec<(String, u16)> {
    let mut records = ask(&format!("_xmpp-client._tcp.{domain}")).await.unwrap_or_default();
    records.sort();
    let usable = records.into_iter().filter(|record| !record.target.is_empty() && record.port != 0);
    let mut targets =
        usable.map(|record| (record.target, record.port)).take(MOST_TARGETS).collect::<Vec<_>>();
    if targets.is_empty() {
        targets.push((domain.to_owned(), CLIENT_PORT));
    }
    targets
}

async fn ask(name: &str) -> Option<Vec<Record>> {
    if name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok() {
        return None;
    }
    let servers = name_servers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    let id = id();
    let question = question(id, name)?;
    for server in servers {
        let answer = tokio::time::timeout(PATIENCE, exchange(server, &question)).await;
        if let Some(records) = answer.ok().flatten().and_then(|answer| records(id, &answer)) {
            return Some(records);
        }
    }
    None
}

async fn exchange(server: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    let ours: SocketAddr = if server.is_ipv6() { ([0; 16], 0).into() } else { ([0; 4], 0).into() };
    let socket = UdpSocket::bind(ours).await.ok()?;
    socket.connect(server).await.ok()?;
    socket.send(question).await.ok()?;
    let mut answer = vec![0; 4096];
    let size = socket.recv(&mut answer).await.ok()?;
    answer.truncate(size);
    Some(answer)
}

/// A number that others cannot guess.
fn id() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    (RandomState::new().hash_one("id") & 0xffff) as u16
}

fn name_servers(resolv_conf: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let word = line.strip_prefix("nameserver")?.split_whitespace().next()?;
        Some(SocketAddr::new(word.parse().ok()?, 53))
    };
    resolv_conf.lines().filter_map(address).take(3).collect()
}

fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    // Recursion desired, one question.
    let mut out = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in name.trim_end_matches('.').split('.') {
        if !label.is_ascii() {
            return None;
        }
        out.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(&[0, SRV as u8, 0, 1]);
    (out.len() < 300).then_some(out)
}

/// The records of an answer to question `id`; `None` if it is none.
fn records(id: u16, answer: &[u8]) -> Option<Vec<Record>> {
    let number = |at: usize| Some(u16::from_be_bytes([*answer.get(at)?, *answer.get(at + 1)?]));
    // A response without error.
    if number(0)? != id || answer.get(2)? & 0x80 == 0 || answer.get(3)? & 0x0f != 0 {
        return None;
    }
    let (questions, answers) = (number(4)?, number(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = name(answer, at)?.1 + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        at = name(answer, at)?.1;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = at + 10;
        if kind == SRV {
            let (target, _) = name(answer, data + 6)?;
            let lightness = u16::MAX - number(data + 2)?;
            found.push(Record { priority: number(data)?, lightness, target, port: number(data + 4)? });
        }
        at = data + length;
    }
    Some(found)
}

/// The name at a place, and where what follows it begins. Pointers lead backwards, so they end.
fn name(answer: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut labels, mut at, mut end, mut limit) = (Vec::new(), at, None, at + 1);
    loop {
        let length = usize::from(*answer.get(at)?);
        match length {
            0 => return Some((labels.join("."), end.unwrap_or(at + 1))),
            1..64 => {
                let label = answer.get(at + 1..at + 1 + length)?;
                labels.push(std::str::from_utf8(label).ok()?.to_owned());
                at += 1 + length;
            }
            0xc0.. => {
                let target = (length & 0x3f) << 8 | usize::from(*answer.get(at + 1)?);
                end = end.or(Some(at + 2));
                if target >= limit {
                    return None;
                }
                (at, limit) = (target, target);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two records, the second with a compressed name.
    fn answer() -> Vec<u8> {
        let mut out = question(7, "_xmpp-client._tcp.example.com").expect("it is a name");
        out[2] = 0x81;
        out[7] = 2;
        let target = [&[2][..], b"x1", &[0xc0, 30]].concat();
        for (priority, weight, port) in [(20, 5, 5299_u16), (10, 1, 5222)] {
            out.extend_from_slice(&[0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 11, 0, priority, 0, weight]);
            out.extend_from_slice(&port.to_be_bytes());
            out.extend_from_slice(&target);
        }
        out
    }

    #[test]
    fn answers() {
        let mut found = records(7, &answer()).expect("it is an answer");
        found.sort();
        let target = "x1.example.com".to_owned();
        let best = Record { priority: 10, lightness: u16::MAX - 1, target: target.clone(), port: 5222 };
        let other = Record { priority: 20, lightness: u16::MAX - 5, target, port: 5299 };
        assert_eq!(found, [best, other]);
        assert_eq!(records(8, &answer()), None, "an answer to another question");
    }

    #[test]
    fn no_answer_is_too_strange() {
        let good = answer();
        for end in 0..good.len() {
            let _ = records(7, &good[..end]);
        }
        for at in 0..good.len() {
            for byte in [0, 1, 63, 64, 0xc0, 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                let _ = records(7, &bad);
            }
        }
    }

    #[test]
    fn questions_and_servers() {
        let servers = name_servers("# x\nnameserver 127.0.0.1\nsearch a\nnameserver ::1 x\nnameserver bad\n");
        assert_eq!(
            servers,
            ["127.0.0.1:53".parse().expect("an address"), "[::1]:53".parse().expect("an address")]
        );
        for name in ["", "a..b", &"x".repeat(64), "zürich.example"] {
            assert_eq!(question(1, name), None, "{name}");
        }
    }
}
