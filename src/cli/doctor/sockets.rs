//! Who holds which port, as /proc tells.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::confinement::Confinement;
use super::sys;

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
    /// Where it listens; the address of all zeros is every one.
    pub(super) address: IpAddr,
}

/// All ports that are taken.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    tcp: BTreeMap<u16, Vec<Taken>>,
    udp: BTreeMap<u16, Vec<Taken>>,
    /// Of the daemons among the processes.
    confinements: BTreeMap<u32, Confinement>,
}

/// What `ps` calls a daemon.
const DAEMON: &str = "mon";

/// The state of a TCP socket that listens, and of a UDP socket that is bound.
const LISTENS: &str = "0A";
const BOUND: &str = "07";

impl Sockets {
    /// Looks.
    pub(super) fn look() -> Sockets {
        let holders = holders();
        let table = |names: [&str; 2], state: &str| {
            let mut ports = BTreeMap::<u16, Vec<Taken>>::new();
            for name in names {
                for (address, port, inode) in rows(&fs::read_to_string(name).unwrap_or_default(), state) {
                    let holder = holders.get(&inode).cloned();
                    ports.entry(port).or_default().push(Taken { holder, address });
                }
            }
            ports
        };
        let daemons = holders.values().filter(|holder| holder.name == DAEMON).map(|holder| holder.pid);
        let confinements = daemons.filter_map(|pid| Some((pid, Confinement::of(pid)?))).collect();
        Sockets {
            confinements,
            tcp: table(["/proc/net/tcp", "/proc/net/tcp6"], LISTENS),
            udp: table(["/proc/net/udp", "/proc/net/udp6"], BOUND),
        }
    }

    /// Who listens where a server on that address and port would.
    pub(super) fn tcp(&self, address: IpAddr, port: u16) -> Option<&Taken> {
        in_the_way(&self.tcp, address, port)
    }

    /// Who listens at that port, wherever.
    pub(super) fn any_tcp(&self, port: u16) -> Option<&Taken> {
        self.tcp(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
    }

    /// How that daemon is confined.
    pub(super) fn confinement(&self, pid: u32) -> Option<&Confinement> {
        self.confinements.get(&pid)
    }

    /// Who is bound there.
    pub(super) fn udp(&self, address: IpAddr, port: u16) -> Option<&Taken> {
        in_the_way(&self.udp, address, port)
    }
}

fn in_the_way(ports: &BTreeMap<u16, Vec<Taken>>, address: IpAddr, port: u16) -> Option<&Taken> {
    let mut taken = ports.get(&port)?.iter();
    taken.find(|taken| taken.address == address || taken.address.is_unspecified() || address.is_unspecified())
}

/// Address, port and inode of the sockets in that state.
fn rows(table: &str, state: &str) -> Vec<(IpAddr, u16, u64)> {
    let row = |line: &str| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let (address, port) = words.get(1)?.split_once(':')?;
        let found = (ip(address)?, u16::from_str_radix(port, 16).ok()?, words.get(9)?.parse().ok()?);
        (*words.get(3)? == state).then_some(found)
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// An address as the kernel prints it: words of 32 bits, each as a number of this machine.
fn ip(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if text.len() == 8 {
        return word(0).map(IpAddr::from);
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
    <[u8; 16]>::try_from(words).ok().map(IpAddr::from)
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
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let started = started(&stat, &fs::read_to_string("/proc/stat").unwrap_or_default());
    Some(Holder { pid, uid: about.uid(), name: name.trim().to_owned(), program, started })
}

/// When a process began, to the second: the 22nd word of its stat is in ticks since this machine was started, and the
/// second one, its name, may hold anything.
fn started(process: &str, machine: &str) -> Option<SystemTime> {
    let ticks = process.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<u64>().ok()?;
    let boot = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(
        SystemTime::UNIX_EPOCH
            + Duration::from_secs(boot)
            + Duration::from_secs(ticks / sys::ticks_a_second()),
    )
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
        let expect = [([127, 0, 0, 1].into(), 2583, 4711), ([0, 0, 0, 0].into(), 22, 4712)];
        // The numbers are those of a machine with the lowest byte first.
        assert!(cfg!(target_endian = "big") || rows(table, LISTENS) == expect);
        assert!(rows("nonsense\nmore\n\n", LISTENS).is_empty());
    }

    #[test]
    fn when_a_process_began() {
        let holder = holder(std::process::id()).expect("we run");
        let age = SystemTime::now().duration_since(holder.started.expect("the kernel tells"));
        // Tests may run for long, but not for a day.
        assert!(age.is_ok_and(|age| age < Duration::from_secs(86_400)), "{:?}", holder.started);
        assert_eq!(started("1 (a) b) S 1", "btime 5"), None);
    }

    #[test]
    fn our_own_listener() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let sockets = Sockets::look();
        let (here, elsewhere, anywhere) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into(), [0, 0, 0, 0].into());
        for address in [here, anywhere] {
            let taken = sockets.tcp(address, port).expect("it listens");
            let holder = taken.holder.as_ref().expect("it is ours");
            assert_eq!((holder.pid, taken.address), (std::process::id(), here));
        }
        let ours =
            |taken: &&Taken| taken.holder.as_ref().is_some_and(|holder| holder.pid == std::process::id());
        assert_eq!(sockets.udp(here, port).filter(ours), None);
        assert!(sockets.tcp(elsewhere, port).is_none_or(|taken| taken.address != here));
    }
}
