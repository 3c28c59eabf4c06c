//! `ssh.monitor` with OpenSSH, `mon.monitor` with mon servers of both kinds.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{MON, NO_NAME, command, in_own_network, original, output, run, theirs};
use crate::support::{Daemon, Place, oracle, skipped, subject, wait};

const SSHD: &str = "/usr/sbin/sshd";

/// An ssh server at 127.0.0.1, and an `ssh` in `bin` that knows how to reach it.
struct Sshd {
    place: Place,
    child: Child,
}

impl Sshd {
    fn start_for(test: &str) -> Option<Sshd> {
        if !Path::new(SSHD).exists() {
            skipped(test, "no sshd (package openssh-server)");
            return None;
        }
        let place = Place::new();
        for key in ["host_key", "user_key"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(place.path(key));
            assert!(keygen.status().is_ok_and(|status| status.success()), "ssh-keygen makes {key}");
        }
        // Where root runs it, sshd wants this directory.
        let _ = std::fs::create_dir_all("/run/sshd");
        place.write("authorized", &place.read("user_key.pub"));
        place.write("known", &format!("[127.0.0.1]:@PORT@ {}", place.read("host_key.pub")));
        place.write(
            "sshd.conf",
            "ListenAddress 127.0.0.1:@PORT@\nHostKey @DIR@/host_key\nAuthorizedKeysFile @DIR@/authorized\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPrintLastLog no\n",
        );
        place.write(
            "ssh.conf",
            "Host *\n  Port @PORT@\n  IdentityFile @DIR@/user_key\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile @DIR@/known\n  StrictHostKeyChecking yes\n",
        );
        std::fs::create_dir_all(place.path("bin")).expect("our own directory is writable");
        place.script("bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh -F @DIR@/ssh.conf \"$@\"\n");
        let log = std::fs::File::create(place.path("sshd.log")).expect("our own directory is writable");
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(place.path("sshd.conf"));
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("sshd starts");
        let sshd = Sshd { place, child };
        let port = sshd.place.port;
        let up = wait::until(Duration::from_secs(60), "sshd to listen", || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        up.unwrap_or_else(|why| panic!("{why}\n{}", sshd.place.read("sshd.log")));
        Some(sshd)
    }

    fn path(&self) -> String {
        self.place.path("bin").to_string_lossy().into_owned()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ssh() {
    let Some(sshd) = Sshd::start_for("ssh.monitor") else { return };
    let ask = |words: &[&str]| output(&mut command("ssh.monitor", words, &sshd.path()));
    assert_eq!(ask(&["127.0.0.1"]), (0, String::new()), "{}", sshd.place.read("sshd.log"));
    let config = sshd.place.path("ssh.conf").to_string_lossy().into_owned();
    assert_eq!(run("ssh.monitor", &["-A", "-F", &config, "127.0.0.1"]), (0, String::new()));
    let status = ask(&["-c", "echo out; exit 3", "127.0.0.1"]);
    assert_eq!(status, (1, "127.0.0.1\n127.0.0.1:outexited with status 3\n".to_owned()));
    let refused = format!(
        "127.0.0.9\n127.0.0.9:ssh: connect to host 127.0.0.9 port {}: Connection refusedssh command failed\n",
        sshd.place.port
    );
    assert_eq!(ask(&["127.0.0.9", "127.0.0.1"]), (1, refused));
    let (status, text) = ask(&[NO_NAME]);
    assert!(status == 1 && text.starts_with(&format!("{NO_NAME}\n{NO_NAME}:ssh: ")), "{text}");
    assert!(text.ends_with("ssh command failed\n"), "{text}");
    let begun = Instant::now();
    assert_eq!(
        ask(&["-t", "2", "-c", "sleep 1000", "127.0.0.1"]),
        (1, "127.0.0.1\n127.0.0.1:timeout(2)\n".to_owned())
    );
    assert!(begun.elapsed() < Duration::from_secs(30));
    let nowhere = sshd.place.path("log").to_string_lossy().into_owned();
    let missing = output(command("ssh.monitor", &["127.0.0.1"], "").env("PATH", &nowhere));
    assert_eq!(
        missing,
        (1, "127.0.0.1\n127.0.0.1:ssh cannot be run: No such file or directory\n".to_owned())
    );
}

#[test]
fn ssh_leaves_hosts_that_do_not_answer_pings_to_others() {
    let words = [MON, "run", "ssh.monitor", "192.0.2.1"];
    let Some(mut command) = in_own_network("0 0", &words) else {
        return skipped("ssh.monitor", "only root can make a network namespace");
    };
    let told = "\n192.0.2.1 does not answer pings: ssh was not tried\n";
    assert_eq!(output(&mut command), (0, told.to_owned()));
}

#[test]
fn ssh_beside_the_original() {
    let Some(program) = original("ssh.monitor") else { return };
    if !Path::new("/usr/bin/fping").exists() {
        return skipped("ssh.monitor beside the original", "it wants fping");
    }
    let Some(sshd) = Sshd::start_for("ssh.monitor beside the original") else { return };
    for words in [&["127.0.0.1"][..], &["127.0.0.9", "127.0.0.1", "127.0.0.8"], &[]] {
        let ours = output(&mut command("ssh.monitor", words, &sshd.path()));
        // ssh ends its lines as for a terminal, which the original hands on.
        let (status, text) = theirs(&program, words, &sshd.path());
        assert_eq!(ours, (status, text.replace('\r', "")), "{words:?}; left is ours");
    }
    // A stand-in for ssh ends as the real one seldom does.
    for end in ["echo 'two\nlines'; exit 7", "exit 255", "kill -KILL $$", "exit 1"] {
        sshd.place.script("bin/ssh", &format!("#!/bin/sh\n{end}\n"));
        let ours = output(&mut command("ssh.monitor", &["127.0.0.1"], &sshd.path()));
        assert_eq!(ours, theirs(&program, &["127.0.0.1"], &sshd.path()), "{end}; left is ours");
    }
}

const CONFIG: &str = "hostgroup g localhost\n\nwatch g\n    service s\n        interval 1h\n        \
                      monitor none.monitor ;;\n        period\n            alert none.alert x\n";

/// Auth files that want a login for `list state`.
const CLOSED: &str = "command section\nlist: alice\nstop: all\n";

#[test]
fn mon() {
    let servers = [Some(subject()), oracle()];
    for server in servers.into_iter().flatten() {
        let place = Place::new();
        place.write("etc/mon.cf", CONFIG);
        let mut daemon = Daemon::spawn(&server, &place, &[]);
        let mut client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
        let port = place.port.to_string();
        let hosts = ["-p", &port, "127.0.0.1"];
        let running = (0, "no failures\n127.0.0.1: 1 scheduler running\n".to_owned());
        assert_eq!(run("mon.monitor", &hosts), running);
        client.command("stop").expect("the daemon serves");
        let (status, text) = run("mon.monitor", &hosts);
        assert!(status == 0 && text.starts_with("no failures\n127.0.0.1: 0 1"), "{text}");
        if let Some(program) = original("mon.monitor") {
            assert_eq!((status, text), theirs(&program, &hosts, "/bin"), "left is ours");
            client.command("start").expect("the daemon serves");
            let two = ["-p", &port, "127.0.0.1", "127.0.0.1"];
            assert_eq!(run("mon.monitor", &two), theirs(&program, &two, "/bin"), "left is ours");
            assert_eq!(run("mon.monitor", &[]), theirs(&program, &[], "/bin"), "left is ours");
        }
    }
}

#[test]
fn mon_that_wants_a_login() {
    let place = Place::new();
    place.write("etc/mon.cf", &format!("authtype = userfile\nuserfile = @DIR@/etc/users\n\n{CONFIG}"));
    place.write("etc/auth.cf", CLOSED);
    // The crypt of `sesame`.
    let crypted = Command::new("perl").args(["-e", "print crypt('sesame', 'ab')"]).output();
    let Some(crypted) = crypted.ok().filter(|output| output.status.success()) else {
        return skipped("mon.monitor with a login", "no perl for crypt");
    };
    place.write("etc/users", &format!("alice: {}\n", String::from_utf8_lossy(&crypted.stdout)));
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    let ready =
        wait::until(wait::PATIENCE, "the daemon", || TcpStream::connect(("127.0.0.1", place.port)).ok());
    ready.unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
    let port = place.port.to_string();
    let ask = |login: &[&str]| run("mon.monitor", &[&["-p", &port][..], login, &["127.0.0.1"]].concat());
    let (status, text) = ask(&[]);
    assert!(status == 1 && text.starts_with("127.0.0.1\n127.0.0.1: 520 "), "{text}");
    let good = ["-u", "alice", "-P", "sesame"];
    assert_eq!(
        ask(&good),
        (0, "no failures\n127.0.0.1: 1 scheduler running\n".to_owned()),
        "{}",
        place.read("messages")
    );
    let (status, text) = ask(&["-u", "alice", "-P", "wrong"]);
    assert!(status == 1 && text.starts_with("127.0.0.1\n127.0.0.1: 530 "), "{text}");
    assert!(daemon.ended(Duration::ZERO).is_err(), "it runs on");
}

/// A server that greets with the first words and answers each line with the second; it hangs up where there are none.
fn answering(greeting: &'static str, answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let _ = socket.write_all(greeting.as_bytes());
            let lines = BufReader::new(socket.try_clone().expect("a socket can be shared")).lines();
            for _ in lines.map_while(Result::ok).take_while(|_| !answer.is_empty()) {
                let _ = socket.write_all(answer.as_bytes());
            }
        }
    });
    port
}

#[test]
fn what_is_no_mon() {
    let told = |greeting, answer| {
        let port = answering(greeting, answer);
        let words = ["-t", "10", "-p", &port, "127.0.0.1"];
        let ours = run("mon.monitor", &words);
        if let Some(program) = original("mon.monitor") {
            assert_eq!(ours, theirs(&program, &words, "/bin"), "left is ours");
        }
        ours
    };
    let failed = |words: &str| (1, format!("127.0.0.1\n127.0.0.1: {words}\n"));
    assert_eq!(told("", "500 what\n"), failed("connect failed, protocol mismatch"));
    assert_eq!(told("", ""), failed("connect failed, protocol mismatch"));
    assert_eq!(told("220 lab ESMTP\n", "500 what\n"), failed("500 what"));
    // The original takes this for success.
    let port = answering("", "220 ok\n");
    assert_eq!(run("mon.monitor", &["-p", &port, "127.0.0.1"]), failed("no answer to list state"));
}

#[test]
fn mon_that_is_none() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = silent.local_addr().expect("it is bound").port().to_string();
    let begun = Instant::now();
    let told = run("mon.monitor", &["-t", "1", "-p", &port, "127.0.0.1"]);
    assert_eq!(told, (1, "127.0.0.1\n127.0.0.1: timeout\n".to_owned()));
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop(silent);
    let told = run("mon.monitor", &["-p", &port, "127.0.0.1", NO_NAME]);
    let expect = format!(
        "127.0.0.1 {NO_NAME}\n127.0.0.1: connect failed, Connection refused\n{NO_NAME}: could not resolve host\n"
    );
    assert_eq!(told, (1, expect));
}
