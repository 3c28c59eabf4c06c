//! What monitors and clients may do to a daemon without anybody else noticing.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Place, subject, subject_is_oracle, wait};

/// How long any other client may have to wait, whatever else goes on.
const PROMPT: Duration = Duration::from_secs(1);

/// One at a time: each of these tests loads the machine, and measures how long others wait.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that could disturb the next.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A daemon over one configuration, and a connection.
fn start(place: &Place, config: &str) -> (Daemon, Client) {
    place.write("etc/mon.cf", config);
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    (daemon, client)
}

/// A watch with one service of this name for each monitor line.
fn watch(services: &[(String, &str)]) -> String {
    let mut text = String::from("watch web\n");
    for (name, monitor) in services {
        text += &format!("    service {name}\n        interval 1h\n        monitor {monitor} ;;\n");
    }
    text
}

/// A new client asks something small, and must get the answer at once.
fn assert_prompt(place: &Place) {
    let asked = Instant::now();
    let mut client = Client::connect(place.port).expect("the daemon listens");
    client.set_patience(PROMPT);
    client.command("version").unwrap_or_else(|error| panic!("another client was kept waiting: {error}"));
    assert!(asked.elapsed() < PROMPT, "another client waited {:?}", asked.elapsed());
}

/// Waits for a service to have this text in its status, while every other client is served promptly.
fn until_status(place: &Place, client: &mut Client, service: &str, wanted: &str) -> String {
    let found = wait::until(Duration::from_secs(60), &format!("{service} to show `{wanted}`"), || {
        assert_prompt(place);
        let line = client.command(&format!("list opstatus web,{service}")).ok()?.swap_remove(0);
        line.contains(wanted).then_some(line)
    });
    found.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_killed_monitor_is_a_failure_and_nothing_more() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/sleepy.monitor", "#!/bin/sh\necho $$ >@DIR@/sleepy.pid\nexec sleep 600\n");
    let (_daemon, mut client) = start(&place, &watch(&[("sleepy".into(), "sleepy.monitor")]));
    client.command("test monitor web sleepy").expect("the daemon serves");
    let pid = wait::until(wait::PATIENCE, "the monitor to run", || {
        place.read("sleepy.pid").trim().parse::<u32>().ok()
    });
    let pid = pid.unwrap_or_else(|error| panic!("{error}"));
    let status =
        std::process::Command::new("sh").args(["-c", "kill -s KILL \"$0\"", &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the monitor was still there");
    let line = until_status(&place, &mut client, "sleepy", " monitor_running=0");
    // The original takes a death by signal for success.
    let expected = if subject_is_oracle() { " opstatus=1 " } else { " opstatus=0 " };
    assert!(line.contains(expected), "{line}");
}

#[test]
fn a_hundred_megabytes_of_output_are_cut_short() {
    let _alone = alone();
    let place = Place::new();
    let script = "#!/bin/sh\necho flood\nhead -c 100000000 /dev/zero | tr '\\0' x\nexit 3\n";
    place.script("mon.d/flood.monitor", script);
    let (daemon, mut client) = start(&place, &watch(&[("flood".into(), "flood.monitor")]));
    client.command("test monitor web flood").expect("the daemon serves");
    let line = until_status(&place, &mut client, "flood", " exitval=3 ");
    assert!(line.contains(" last_summary=flood "), "the summary is the first line: {:.300}", line);
    if !subject_is_oracle() {
        assert!(line.len() < 5_000_000, "{} bytes were kept", line.len());
        let peak = peak_memory(daemon.pid());
        assert!(peak < 100_000, "it took {peak} KiB of memory");
    }
}

/// The most memory a process ever had, in KiB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the daemon lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux always tells");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn five_hundred_monitors_at_once_are_only_work() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/slow.monitor", "#!/bin/sh\nsleep 2\necho done\nexit 0\n");
    let services: Vec<(String, &str)> =
        (0..500).map(|number| (format!("s{number}"), "slow.monitor")).collect();
    let (_daemon, mut client) = start(&place, &watch(&services));
    for (name, _) in &services {
        client.command(&format!("test monitor web {name}")).expect("the daemon serves");
    }
    let all = wait::until(Duration::from_secs(90), "all 500 to have run", || {
        assert_prompt(&place);
        let good = client.command("list successes").ok()?;
        (good.len() > services.len()).then_some(())
    });
    all.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_client_that_never_reads_harms_only_itself() {
    let _alone = alone();
    let place = Place::new();
    place.script("mon.d/wordy.monitor", "#!/bin/sh\nhead -c 20000 /dev/zero | tr '\\0' x\nexit 1\n");
    let (_daemon, mut client) = start(&place, &watch(&[("wordy".into(), "wordy.monitor")]));
    client.command("test monitor web wordy").expect("the daemon serves");
    until_status(&place, &mut client, "wordy", " exitval=1 ");
    let mut deaf = Client::connect(place.port).expect("the daemon listens");
    deaf.set_patience(PROMPT);
    // Some 200 MB of replies, if anybody took them. The daemon may also stop taking commands: then sending ends.
    let flood = "list opstatus web,wordy\n".repeat(1000);
    for _ in 0..10 {
        if deaf.send(flood.as_bytes()).is_err() {
            break;
        }
        assert_prompt(&place);
    }
    client.command("test monitor web wordy").expect("the daemon serves");
    until_status(&place, &mut client, "wordy", " monitor_running=0");
}

/// Services that run every second while others flood the daemon.
const STEADY: usize = 20;
/// How much later than in time a monitor may start in a flood, besides what the machine needs to start a program.
const LATE: f64 = 0.25;
const CALM: Duration = Duration::from_secs(4);
const FLOOD: Duration = Duration::from_secs(5);

#[test]
fn floods_make_no_monitor_late_and_no_client_wait() {
    let _alone = alone();
    if subject_is_oracle() {
        return crate::support::skipped("floods", "the original stops running monitors meanwhile");
    }
    let place = Place::new();
    place.script("mon.d/steady.monitor", "#!/bin/bash\necho $EPOCHREALTIME >>@DIR@/log/$1\n");
    let services: Vec<(String, String)> =
        (0..STEADY).map(|number| (format!("s{number}"), format!("steady.monitor s{number}"))).collect();
    let services: Vec<(String, &str)> =
        services.iter().map(|(name, line)| (name.clone(), line.as_str())).collect();
    let (daemon, mut client) = start(&place, &watch(&services).replace("1h", "1s"));
    std::thread::sleep(CALM);
    let (lines, begun, flood_begun) = (place.read("messages").lines().count(), Instant::now(), unix_time());
    let stop = AtomicBool::new(false);
    let (slowest, commands, machine) = std::thread::scope(|scope| {
        let stop = &stop;
        let commands = scope.spawn(|| flood_commands(place.port, stop));
        scope.spawn(|| flood_garbage(place.port, stop));
        scope.spawn(|| stall(place.port, stop));
        scope.spawn(|| never_read(place.port, stop));
        scope.spawn(|| flood_traps(place.trapport));
        let machine = scope.spawn(|| slowest_start(stop));
        let mut slowest = Duration::ZERO;
        while begun.elapsed() < FLOOD {
            let asked = Instant::now();
            assert_prompt(&place);
            client.command("list state").expect("the daemon serves");
            slowest = slowest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        let commands = commands.join().expect("the flood goes on to its end");
        (slowest, commands, machine.join().expect("programs can be started"))
    });
    let lateness: Vec<(f64, f64)> =
        (0..STEADY).map(|number| lateness(&place.read(&format!("log/s{number}")), flood_begun)).collect();
    let calm = lateness.iter().map(|(calm, _)| *calm).fold(0.0, f64::max);
    let flooded = lateness.iter().map(|(_, flooded)| *flooded).fold(0.0, f64::max);
    let logged = place.read("messages").lines().count() - lines;
    let memory = peak_memory(daemon.pid());
    let shown = format!(
        "slowest monitor start: {calm:.3} s late before, {flooded:.3} s in the flood, when a program took up to \
         {machine:.3} s to start; slowest answer to another \
         client: {slowest:?}; {commands} commands answered; {logged} lines in the log; {memory} KiB"
    );
    println!("{shown}");
    // All monitors start at once, the other program alone.
    assert!(flooded < LATE + calm.max(2.0 * machine), "{shown}");
    assert!(slowest < PROMPT, "{shown}");
    assert!(commands > 500, "{shown}");
    assert!(logged < 1000, "{shown}");
    assert!(memory < 100_000, "{shown}");
}

/// The longest it took this machine to start a program that tells the time, with all the others at work.
fn slowest_start(stop: &AtomicBool) -> f64 {
    let mut slowest = 0.0;
    while !stop.load(Ordering::Relaxed) {
        let asked = unix_time();
        let output = std::process::Command::new("bash").args(["-c", "echo $EPOCHREALTIME"]).output();
        let output = output.expect("Debian always has bash");
        let told: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a time");
        slowest = f64::max(slowest, told - asked);
        std::thread::sleep(Duration::from_millis(100));
    }
    slowest
}

fn unix_time() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is later than 1970").as_secs_f64()
}

/// How late the slowest start of a service was, before that time and after it. Starts hang on a grid of whole
/// seconds behind the punctual one of them.
fn lateness(starts: &str, flood: f64) -> (f64, f64) {
    let starts: Vec<f64> = starts.lines().filter_map(|line| line.parse().ok()).collect();
    let in_flood = starts.iter().filter(|start| **start > flood).count();
    assert!(in_flood as f64 > FLOOD.as_secs_f64() - 2.0, "{in_flood} runs in the flood: {starts:?}");
    let first = starts[0];
    // Half a second away from the first start, so that one slightly before the grid is not 0.999 s late.
    let phase = |start: &f64| (start - first + 0.5).rem_euclid(1.0);
    let punctual = starts.iter().map(phase).fold(1.0, f64::min);
    let late = |wanted: &dyn Fn(&f64) -> bool| {
        starts.iter().filter(|start| wanted(start)).map(|start| phase(start) - punctual).fold(0.0, f64::max)
    };
    (late(&|start| *start <= flood), late(&|start| *start > flood))
}

/// Asks without pause, a hundred commands in a packet; how many answers came.
fn flood_commands(port: u16, stop: &AtomicBool) -> usize {
    let mut client = Client::connect(port).expect("the daemon listens");
    let mut answers = 0;
    while !stop.load(Ordering::Relaxed) {
        client.send("list opstatus\n".repeat(100).as_bytes()).expect("the daemon reads");
        answers += (0..100).filter(|_| client.reply().is_ok()).count();
    }
    answers
}

/// Bytes that mean nothing, lines among them.
fn flood_garbage(port: u16, stop: &AtomicBool) {
    let mut state = 7u32;
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut client) = Client::connect(port) else { continue };
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let bytes: Vec<u8> = bytes.take(20_000).collect();
        let _ = client.send(&bytes);
        let _ = client.reply();
    }
}

/// Twenty clients that stop in the middle of a line.
fn stall(port: u16, stop: &AtomicBool) {
    let mut clients: Vec<Client> = (0..20).filter_map(|_| Client::connect(port).ok()).collect();
    clients.iter_mut().for_each(|client| drop(client.send(b"list opst")));
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Asks and never takes an answer.
fn never_read(port: u16, stop: &AtomicBool) {
    let mut client = Client::connect(port).expect("the daemon listens");
    client.set_patience(Duration::from_millis(50));
    while !stop.load(Ordering::Relaxed) {
        let _ = client.send("list opstatus\n".repeat(100).as_bytes());
    }
}

/// 10,000 datagrams that are no traps, and 2,000 traps for services that are not there.
fn flood_traps(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    for number in 0..12_000 {
        let packet = match number % 6 {
            0 => format!("pro='0.3807'\nsta='1'\ngrp='web'\nsvc='none{number}'\n"),
            1 => format!("pro='{}'\nsta='1'", "9x".repeat(20_000)),
            _ => format!("\0\u{e9}sta='{number}\n"),
        };
        let _ = socket.send_to(packet.as_bytes(), ("127.0.0.1", port));
        if number % 100 == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// How many files and sockets a process has open.
fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the daemon lives").count()
}

#[test]
fn connections_leave_nothing_behind() {
    let _alone = alone();
    let place = Place::new();
    let (daemon, mut client) = start(&place, "\n");
    let before = open_files(daemon.pid());
    for number in 0..2000 {
        let mut client = Client::connect(place.port).expect("the daemon listens");
        match number % 4 {
            // Gone without a word, in the middle of one, with the answer unread, or properly.
            0 => {}
            1 => client.send(b"list st").expect("it is connected"),
            2 => client.send(b"list state\n").expect("it is connected"),
            _ => drop(client.command("list state").expect("it is connected")),
        }
    }
    let closed = wait::until(wait::PATIENCE, "all connections to be closed", || {
        (open_files(daemon.pid()) <= before).then_some(())
    });
    closed.unwrap_or_else(|error| panic!("{error}: {before} files before, {} now", open_files(daemon.pid())));
    client.command("list state").expect("the daemon serves");
    assert!(peak_memory(daemon.pid()) < 100_000);
}

#[test]
fn one_client_too_many_waits_until_another_leaves() {
    let _alone = alone();
    if subject_is_oracle() {
        return crate::support::skipped("five hundred clients", "the original knows no limit");
    }
    let place = Place::new();
    let (daemon, client) = start(&place, "cltimeout = 4s\n");
    drop(client);
    let held: Vec<Client> =
        (0..500).map(|_| Client::connect(place.port).expect("the daemon listens")).collect();
    let served = wait::until(wait::PATIENCE, "500 clients to be accepted", || {
        (open_files(daemon.pid()) > 500).then_some(())
    });
    served.unwrap_or_else(|error| panic!("{error}"));
    let mut one_more = Client::connect(place.port).expect("the system takes the connection");
    one_more.set_patience(Duration::from_millis(300));
    assert!(one_more.command("version").is_err(), "there was a place after all");
    let told = place.read("messages").contains("500 clients are connected: more have to wait");
    assert!(told, "{}", place.read("messages"));
    // They say nothing, so they are closed; then there is room.
    one_more.set_patience(wait::PATIENCE);
    one_more.reply().expect("it is served in the end");
    drop(held);
    assert_prompt(&place);
}

#[test]
fn who_stops_sending_is_still_answered() {
    let _alone = alone();
    let place = Place::new();
    let (_daemon, _client) = start(&place, "\n");
    let mut stream = TcpStream::connect(("127.0.0.1", place.port)).expect("the daemon listens");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("the limit is not zero");
    stream.write_all(b"list state\nversion\n").expect("it is connected");
    stream.shutdown(Shutdown::Write).expect("it is connected");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("both answers, then the end");
    assert!(
        answers.contains("220 list state completed") && answers.ends_with("220 version completed\n"),
        "{answers}"
    );
}
