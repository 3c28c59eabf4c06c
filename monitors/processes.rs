//! The processes of this machine, and the three tables that `loadavg.monitor` makes of them.

use std::cmp::Ordering;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use remon_core::text;

use crate::loadavg::bytes;
use crate::sys;

/// Rows in a table, characters of a command line.
const MOST_ROWS: usize = 10;
const MOST_COMMAND: usize = 60;
/// What a process must use of a processor or of RAM to be named, in percent.
const BUSY_PERCENT: f64 = 5.0;
const LARGE_PERCENT: f64 = 2.0;

/// One process, as far as the tables need it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Process {
    pid: u32,
    user: String,
    state: char,
    tty: String,
    command: String,
    virtual_bytes: u64,
    resident_bytes: u64,
    /// Share of one processor since the process began.
    cpu_percent: f64,
}

/// All processes; those that end meanwhile are left out.
pub(crate) fn probe(proc: &Path) -> Vec<Process> {
    let uptime = fs::read_to_string(proc.join("uptime")).unwrap_or_default();
    let uptime = uptime.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let Ok(entries) = fs::read_dir(proc) else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids = pids.collect::<Vec<u32>>();
    pids.sort_unstable();
    pids.into_iter().filter_map(|pid| read(proc, pid, uptime)).collect()
}

fn read(proc: &Path, pid: u32, uptime: f64) -> Option<Process> {
    let directory = proc.join(pid.to_string());
    let stat = text::decode(fs::read(directory.join("stat")).ok()?);
    let uid = fs::metadata(&directory).ok()?.uid();
    let cmdline = fs::read(directory.join("cmdline")).unwrap_or_default();
    let process = parse(&stat, cmdline, uptime)?;
    Some(Process { pid, user: sys::user_name(uid).unwrap_or_else(|| uid.to_string()), ..process })
}

/// Reads a line of /proc/PID/stat; the name of the program stands in parentheses and may hold anything.
fn parse(stat: &str, cmdline: Vec<u8>, uptime: f64) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields = after.split_whitespace().collect::<Vec<_>>();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let ticks = sys::ticks_per_second() as f64;
    let lived = uptime - number(19)? as f64 / ticks;
    let used = (number(11)? + number(12)?) as f64 / ticks;
    Some(Process {
        pid: 0,
        user: String::new(),
        state: fields.first()?.chars().next()?,
        tty: tty_name(number(4).unwrap_or(0)),
        command: command(name, cmdline),
        virtual_bytes: number(20)?,
        resident_bytes: number(21)?.saturating_mul(sys::page_bytes()),
        cpu_percent: if lived > 0.0 { used * 100.0 / lived } else { 0.0 },
    })
}

fn command(name: &str, cmdline: Vec<u8>) -> String {
    let words = text::decode(cmdline);
    let words = words.trim_end_matches('\0').replace(|c: char| c.is_control(), " ");
    let command = if words.is_empty() { format!("[{name}]") } else { words };
    command.chars().take(MOST_COMMAND).collect()
}

/// The name below /dev of a terminal's device number; only those a person sits at.
fn tty_name(device: u64) -> String {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    match major {
        4 if minor < 64 => format!("tty{minor}"),
        4 => format!("ttyS{}", minor - 64),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        _ => String::new(),
    }
}

/// The tables that have rows, with an empty line between them.
pub(crate) fn tables(processes: &[Process], ram_kib: u64) -> String {
    let waiting = processes.iter().filter(|process| process.state == 'D').collect();
    let by_cpu = |a: &&Process, b: &&Process| b.cpu_percent.total_cmp(&a.cpu_percent);
    let busy = top(processes, |process| process.cpu_percent >= BUSY_PERCENT, by_cpu);
    let large_bytes = ram_kib as f64 * 1024.0 * LARGE_PERCENT / 100.0;
    let by_size = |a: &&Process, b: &&Process| b.resident_bytes.cmp(&a.resident_bytes);
    let large = top(processes, |process| process.resident_bytes as f64 >= large_bytes, by_size);
    let tables = [
        table(
            "Here are D state processes:",
            &sizes_row("USER", "PID", "VSZ", "RSS", "TTY", "COMMAND"),
            waiting,
            sizes,
        ),
        table(
            "Here are processes with the top CPU percentages:",
            &cpu_row("USER", "PID", "CPU", "TTY", "COMMAND"),
            busy,
            cpu,
        ),
        table(
            "Here are processes with the top RAM use:",
            &sizes_row("USER", "PID", "VIRT", "RES", "TTY", "COMMAND"),
            large,
            sizes,
        ),
    ];
    tables.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn top(
    processes: &[Process],
    counts: impl Fn(&Process) -> bool,
    order: impl FnMut(&&Process, &&Process) -> Ordering,
) -> Vec<&Process> {
    let mut chosen = processes.iter().filter(|process| counts(process)).collect::<Vec<_>>();
    chosen.sort_by(order);
    chosen.truncate(MOST_ROWS);
    chosen
}

fn table(title: &str, header: &str, rows: Vec<&Process>, row: fn(&Process) -> String) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    Some(format!("{title}\n{header}{}", rows.into_iter().map(row).collect::<String>()))
}

fn sizes(process: &Process) -> String {
    let (size, resident) = (bytes(process.virtual_bytes), bytes(process.resident_bytes));
    sizes_row(&process.user, &process.pid.to_string(), &size, &resident, &process.tty, &process.command)
}

fn sizes_row(user: &str, pid: &str, size: &str, resident: &str, tty: &str, command: &str) -> String {
    format!("{user:>8} {pid:>5} {size:>6} {resident:>6} {tty:>8} {command}\n")
}

fn cpu(process: &Process) -> String {
    let percent = format!("{:4.1}", process.cpu_percent);
    cpu_row(&process.user, &process.pid.to_string(), &percent, &process.tty, &process.command)
}

fn cpu_row(user: &str, pid: &str, percent: &str, tty: &str, command: &str) -> String {
    format!("{user:>8} {pid:>5} {percent:>4} {tty:>8} {command}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, cpu_percent: f64, resident_bytes: u64) -> Process {
        let (user, command) = ("root".to_owned(), format!("/bin/p{pid}"));
        Process {
            pid,
            user,
            command,
            cpu_percent,
            resident_bytes,
            virtual_bytes: 960_495_616,
            state: 'S',
            ..Process::default()
        }
    }

    #[test]
    fn the_tables_of_the_original() {
        let mut waiting = process(3, 0.0, 1 << 20);
        (waiting.state, waiting.tty) = ('D', "pts/1".to_owned());
        let all = [process(1, 5.0, 0), process(22049, 73.41, 739_246_080), process(2, 4.99, 0), waiting];
        assert_eq!(
            tables(&all, 16 << 20),
            "Here are D state processes:
    USER   PID    VSZ    RSS      TTY COMMAND
    root     3  916MB    1MB    pts/1 /bin/p3

Here are processes with the top CPU percentages:
    USER   PID  CPU      TTY COMMAND
    root 22049 73.4          /bin/p22049
    root     1  5.0          /bin/p1

Here are processes with the top RAM use:
    USER   PID   VIRT    RES      TTY COMMAND
    root 22049  916MB  705MB          /bin/p22049
"
        );
        assert_eq!(tables(&[process(1, 0.1, 0)], 1 << 20), "");
    }

    #[test]
    fn ten_rows_at_most() {
        let many = (1..=20).map(|pid| process(pid, f64::from(pid) + 5.0, 0)).collect::<Vec<_>>();
        let text = tables(&many, 1 << 20);
        assert_eq!(text.lines().count(), 12);
        assert!(text.contains("p20\n") && text.contains("p11\n") && !text.contains("p10\n"));
    }

    #[test]
    fn a_line_of_proc() {
        let stat =
            "7 (a) b (c)) D 1 7 7 34816 7 0 0 0 0 0 250 50 0 0 20 0 1 0 1000 4096 2 18446744073709551615";
        let process = parse(stat, b"/bin/x\0-v\0".to_vec(), 20.0).expect("it is well formed");
        assert_eq!(
            (process.state, process.tty.as_str(), process.command.as_str()),
            ('D', "pts/0", "/bin/x -v")
        );
        assert_eq!((process.virtual_bytes, process.resident_bytes), (4096, 2 * sys::page_bytes()));
        if sys::ticks_per_second() == 100 {
            assert_eq!(process.cpu_percent, 30.0);
        }
        assert_eq!(
            parse(stat, Vec::new(), 20.0).map(|process| process.command),
            Some("[a) b (c)]".to_owned())
        );
        for broken in ["", "7 (x", "7 (x) S", "7 x) S 1"] {
            assert_eq!(parse(broken, Vec::new(), 1.0), None, "{broken}");
        }
    }

    #[test]
    fn terminals() {
        for (device, name) in
            [(0, ""), (1025, "tty1"), (1088, "ttyS0"), (34816, "pts/0"), (34816 + 5, "pts/5")]
        {
            assert_eq!(tty_name(device), name);
        }
    }

    #[test]
    fn this_process_is_among_them() {
        let all = probe(Path::new("/proc"));
        assert!(all.iter().any(|process| process.pid == std::process::id()));
    }
}
