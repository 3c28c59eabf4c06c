//! Who holds which port, as /proc tells.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) uid: u32,
    /// Its name, as `ps` shows it.
    pub(super) name: String,
    /// Its program; what was deleted or replaced since has ` (deleted)` behind it.
    pub(super) program: Option<PathBuf>,
    pub(super) started: Option<SystemTime>,
}

/// A port that is taken. Whose it is only root learns, of others than ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) holder: Option<Holder>,
    /// Everybody's, not just this machine's own addresses.
    pub(super) is_open: bool,
}

/// All ports that are taken.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    tcp: BTreeMap<u16, Taken>,
    udp: BTreeMap<u16, Taken>,
}

/// The state of a TCP socket that listens, and of a UDP socket that is bound.
const LISTENS: &str = "0A";
const BOUND: &str = "07";

impl Sockets {
    /// Looks.
    pub(super) fn look() -> Sockets {
        let holders = holders();
        let table = |names: [&str; 2], state: &str| {
            let mut ports = BTreeMap::new();
            for name in names {
                for (port, is_open, inode) in rows(&fs::read_to_string(name).unwrap_or_default(), state) {
                    let holder = holders.get(&inode).cloned();
                    ports.entry(port).or_insert(Taken { holder, is_open });
                }
            }
            ports
        };
        Sockets {
            tcp: table(["/proc/net/tcp", "/proc/net/tcp6"], LISTENS),
            udp: table(["/proc/net/udp", "/proc/net/udp6"], BOUND),
        }
    }

    /// Who listens there.
    pub(super) fn tcp(&self, port: u16) -> Option<&Taken> {
        self.tcp.get(&port)
    }

    /// Who is bound there.
    pub(super) fn udp(&self, port: u16) -> Option<&Taken> {
        self.udp.get(&port)
    }
}

/// Port, whether it is everybody's, and inode of the sockets in that state.
fn rows(table: &str, state: &str) -> Vec<(u16, bool, u64)> {
    let row = |line: &str| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let (address, port) = words.get(1)?.split_once(':')?;
        let is_open = !address.ends_with("0100007F") && !address.ends_with("01000000");
        let found = (u16::from_str_radix(port, 16).ok()?, is_open, words.get(9)?.parse().ok()?);
        (*words.get(3)? == state).then_some(found)
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// The processes by the inodes of their sockets, as far as we may see them.
fn holders() -> BTreeMap<u64, Holder> {
    let mut holders = BTreeMap::new();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let links = files.filter_map(|file| fs::read_link(file.path()).ok());
        for link in links {
            let link = link.to_string_lossy();
            let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            if let (Some(inode), Some(holder)) = (inode.and_then(|inode| inode.parse().ok()), holder(pid)) {
                holders.entry(inode).or_insert(holder);
            }
        }
    }
    holders
}

fn holder(pid: u32) -> Option<Holder> {
    let about = fs::metadata(format!("/proc/{pid}")).ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let started = about.modified().ok();
    Some(Holder { pid, uid: about.uid(), name: name.trim().to_owned(), program, started })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_kernel() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:0A17 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n   \
            1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1\n   \
            2: 0100007F:0017 0100007F:1000 01 00000000:00000000 00:00000000 00000000     0        0 4713 1\n";
        assert_eq!(rows(table, LISTENS), [(2583, false, 4711), (22, true, 4712)]);
        assert!(rows("nonsense\nmore\n\n", LISTENS).is_empty());
    }

    #[test]
    fn our_own_listener() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let sockets = Sockets::look();
        let taken = sockets.tcp(port).expect("it listens");
        let holder = taken.holder.as_ref().expect("it is ours");
        assert_eq!((holder.pid, taken.is_open), (std::process::id(), false));
        assert!(
            sockets.udp(port).is_none_or(|taken| taken.holder.as_ref().is_none_or(|other| other != holder))
        );
    }
}
