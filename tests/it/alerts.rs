//! The alerts that reach people, with real servers: what arrives, and what is told when nothing can.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::servers::{PASSWORD, Postfix, Prosody};
use crate::support::xmpp::Reader;
use crate::support::{Daemon, Place, oracle, skipped, subject, subject_is_oracle, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");
const FROM_MON: [&str; 8] = ["-s", "http", "-g", "web", "-h", "hostA hostB", "-t", "1795346603"];
const PERL_TRAP: &str = "/usr/lib/mon/alert.d/trap.alert";

/// Everything that has ever gone wrong on the way of a text, as bytes; and what a reader should see of it.
fn nasty() -> (Vec<u8>, String) {
    let long = "x".repeat(5000);
    let bytes = format!("Zürich 🛎 <b>&amp; ]]> 日本\ntab\there \"q\" it's \\slash\n.\nFrom me\n\n{long}\n");
    let seen = bytes.clone();
    ([bytes.as_bytes(), b"caf\xe9\n", b"end"].concat(), format!("{seen}café\nend"))
}

/// Runs an alert of ours: its exit status, what it says, and how long it took.
fn run(dir: &Path, name: &str, words: &[&str], input: &[u8]) -> (i32, String, Duration) {
    let mut command = Command::new(MON);
    command.args(["run", name]).args(FROM_MON).args(words).current_dir(dir);
    command.env_clear().env("HOME", dir).env("TZ", "UTC").env("USER", "mon").env("PATH", "/usr/bin:/bin");
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("it is UTF-8");
    (output.status.code().expect("no signal ended it"), said, begun.elapsed())
}

fn secret(path: &Path, text: &str) {
    fs::write(path, text).expect("our own directory is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file was just written");
}

/// An XMPP server and an account file for each of its ports.
fn prosody(test: &str) -> Option<Prosody> {
    let server = match Prosody::start() {
        Ok(server) => server,
        Err(why) => {
            skipped(test, &why);
            return None;
        }
    };
    let place = &server.place;
    let account =
        |port| format!("username: mon@xmpp.test\njserver: 127.0.0.1:{port}\npassword: {PASSWORD}\n");
    secret(&place.path(".sendxmpprc"), &account(place.port));
    secret(&place.path("wrong"), &account(place.port).replace(PASSWORD, "wrong"));
    Some(server)
}

#[test]
fn xmpp_messages_arrive_intact() {
    let Some(server) = prosody("xmpp_messages_arrive_intact") else { return };
    let place = &server.place;
    let (mut ops, mut eve) = (Reader::log_in(place.port, "ops"), Reader::log_in(place.port, "eve"));
    let (detail, seen) = nasty();
    let input = [b"sum </body> <x/>&\n", &detail[..]].concat();
    let words = ["-x", "ops@xmpp.test,eve@xmpp.test", "--ca", "ca.pem", "-u"];
    assert_eq!(run(place.dir(), "mailxmpp.alert", &words, &input).1, "");
    let expect = format!(
        "UPALERT web/http: sum </body> <x/>& (Sun Nov 22 11:23:23)\n\nGroup                 : web\n\
         Service               : http\nTime noticed          : Sun Nov 22 11:23:23 2026\n\
         Secs until next alert : \nMembers \t      : hostA hostB\n\nDetailed text (if any) follows:\n\
         -------------------------------\n{seen}"
    );
    let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux always tells");
    let from = format!("mon@xmpp.test/{}", host.trim());
    assert_eq!(ops.message(), (from.clone(), expect.clone()));
    assert_eq!(eve.message(), (from, expect));
    let control = run(place.dir(), "slackxmpp.alert", &words, b"a\x1b[1m\x00b\nd\x07\x1b\xef\xbf\xbf\n");
    assert_eq!((control.0, control.1.as_str()), (0, ""));
    let body = ops.message().1;
    assert!(
        body.starts_with("UPALERT web/http: a [1m b (") && body.ends_with("d\u{2407}\u{241b}\u{fffd}\n"),
        "{body}"
    );
}

#[test]
fn alerts_at_the_same_time_do_not_end_each_others_sessions() {
    let Some(server) = prosody("alerts_at_the_same_time_do_not_end_each_others_sessions") else { return };
    let place = &server.place;
    let mut ops = Reader::log_in(place.port, "ops");
    let words = ["-x", "ops@xmpp.test", "--ca", "ca.pem"];
    // They share the account and the name of this machine.
    let sums = (0..8).map(|number| format!("alert number {number}\n")).collect::<BTreeSet<_>>();
    thread::scope(|scope| {
        for sum in &sums {
            scope.spawn(move || {
                let (status, said, _) = run(place.dir(), "mailxmpp.alert", &words, sum.as_bytes());
                assert_eq!((status, said.as_str()), (0, ""), "{sum}");
            });
        }
    });
    let mut missing = sums.iter().map(|sum| sum.trim_end()).collect::<BTreeSet<_>>();
    while !missing.is_empty() {
        let (from, body) = ops.message();
        assert!(from.starts_with("mon@xmpp.test/"), "{from}");
        missing.retain(|sum| !body.contains(sum));
    }
}

#[test]
fn group_chats() {
    let Some(server) = prosody("group_chats") else { return };
    let place = &server.place;
    let mut ops = Reader::log_in(place.port, "ops");
    ops.enter("alarm@rooms.xmpp.test");
    let words =
        ["--room", "alarm@rooms.xmpp.test,nix@rooms.xmpp.test", "--ca", "ca.pem", "-x", "eve@xmpp.test"];
    let (status, said, _) = run(place.dir(), "mailxmpp.alert", &words, b"sum\nZ\xc3\xbcrich\n");
    assert_eq!((status, said.as_str()), (1, "xmpp to nix@rooms.xmpp.test: there is no such room\n"));
    let (from, body) = ops.message();
    assert!(from.starts_with("alarm@rooms.xmpp.test/") && body.ends_with("\nZürich\n"), "{from} {body}");
}

#[test]
fn what_xmpp_cannot_deliver_is_told() {
    let Some(server) = prosody("what_xmpp_cannot_deliver_is_told") else { return };
    let place = &server.place;
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let silent_port = silent.local_addr().expect("it is bound").port();
    for (name, port) in [("tls", place.trapport), ("silent", silent_port), ("down", 1)] {
        secret(&place.path(name), &format!("mon@xmpp.test;127.0.0.1:{port} x\n"));
    }
    fs::write(place.path("open"), "mon@xmpp.test x\n").expect("our own directory is writable");
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o644)).expect("the file is ours");
    for (words, status, expect) in [
        ("-x ops@xmpp.test", 0, ""),
        ("-x nobody@xmpp.test", 2, "xmpp to nobody@xmpp.test: service-unavailable\n"),
        ("-x ops@xmpp.test,nobody@xmpp.test", 1, "xmpp to nobody@xmpp.test: service-unavailable\n"),
        (
            "-x ops@xmpp.test --xmpp-account wrong",
            2,
            "xmpp to ops@xmpp.test: xmpp.test: the server refused the login: not-authorized\n",
        ),
        (
            "-x ops@xmpp.test --ca other-ca.pem",
            2,
            "xmpp to ops@xmpp.test: xmpp.test: TLS: invalid peer certificate: UnknownIssuer\n",
        ),
        (
            "-x ops@xmpp.test --xmpp-account down",
            2,
            "xmpp to ops@xmpp.test: xmpp.test: 127.0.0.1:1: Connection refused\n",
        ),
        (
            "-x ops@xmpp.test --xmpp-account silent --timeout 1",
            2,
            "xmpp to ops@xmpp.test: xmpp.test: no answer within 1 s\n",
        ),
        (
            "-x ops@xmpp.test --xmpp-account open",
            2,
            "xmpp to ops@xmpp.test: open must not be accessible by others\n",
        ),
        (
            "-x ops@xmpp.test --xmpp-account none",
            2,
            "xmpp to ops@xmpp.test: cannot read none: No such file or directory\n",
        ),
        (
            "-x ops@xmpp.test --ca none",
            2,
            "xmpp to ops@xmpp.test: xmpp.test: none: No such file or directory\n",
        ),
        ("", 2, "there is nobody to tell: no recipient is given\n"),
    ] {
        let mut words = words.split_whitespace().collect::<Vec<_>>();
        if !words.contains(&"--ca") {
            words.extend(["--ca", "ca.pem"]);
        }
        let (got, said, took) = run(place.dir(), "mailxmpp.alert", &words, b"sum\ndetail\n");
        assert_eq!((got, said.as_str()), (status, expect), "{words:?}");
        assert!(took < Duration::from_secs(10), "{words:?} took {took:?}");
    }
}

#[test]
fn one_blocked_way_does_not_delay_the_other() {
    let Some(server) = prosody("one_blocked_way_does_not_delay_the_other") else { return };
    let place = &server.place;
    place.script("hangs", "#!/bin/sh\nsleep 600 &\nwait\n");
    place.script("takes", "#!/bin/sh\ncat >taken.new && mv taken.new taken\n");
    let mut ops = Reader::log_in(place.port, "ops");
    let words =
        ["-x", "ops@xmpp.test", "-m", "root", "--ca", "ca.pem", "--timeout", "4", "--sendmail", "./hangs"];
    let begun = Instant::now();
    let (status, said, read) = thread::scope(|scope| {
        let alert = scope.spawn(|| run(place.dir(), "mailxmpp.alert", &words, b"sum\n"));
        ops.message();
        let read = begun.elapsed();
        let (status, said, _) = alert.join().expect("it does not panic");
        (status, said, read)
    });
    assert!(read < Duration::from_secs(3), "the message took {read:?}");
    assert_eq!((status, said.as_str()), (1, "mail: no answer within 4 s\n"));
    // The other way round: a silent XMPP server, and mail that is taken at once.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = silent.local_addr().expect("it is bound").port();
    secret(&place.path("silent"), &format!("mon@xmpp.test;127.0.0.1:{port} x\n"));
    let words =
        ["-x", "ops@xmpp.test", "-m", "root", "--xmpp-account", "silent", "--timeout", "4", "--sendmail"];
    let words = [&words[..], &["./takes"]].concat();
    let taken = thread::scope(|scope| {
        let begun = Instant::now();
        let alert = scope.spawn(|| run(place.dir(), "mailxmpp.alert", &words, b"sum\n"));
        wait::until(wait::PATIENCE, "the mail", || place.path("taken").exists().then_some(()))
            .expect("it is sent");
        let taken = begun.elapsed();
        let (status, said, _) = alert.join().expect("it does not panic");
        assert_eq!((status, said.as_str()), (1, "xmpp to ops@xmpp.test: xmpp.test: no answer within 4 s\n"));
        taken
    });
    assert!(taken < Duration::from_secs(3), "the mail took {taken:?}");
    assert!(place.read("taken").contains("\nTo: root\n"), "{}", place.read("taken"));
}

#[test]
fn mail_arrives_intact() {
    let postfix = match Postfix::start() {
        Ok(postfix) => postfix,
        Err(why) => return skipped("mail_arrives_intact", &why),
    };
    let (detail, seen) = nasty();
    let input = ["sum Zürich\r\n".as_bytes(), &detail, b"\n\x1b[1mcontrol\x07\n"].concat();
    let (plain, tls) = (format!("localhost:{}", postfix.port()), format!("127.0.0.1:{}", postfix.tls_port()));
    let from = ["-f", "mon@mail.test", "--ca", "ca.pem", "--timeout", "20"];
    let words = [&from[..], &["--smtp", &plain, "ops@mail.test", "Eve <eve@mail.test>"]].concat();
    assert_eq!(run(&postfix.dir, "mail.alert", &words, &input).1, "");
    let expect = format!("-------------------------------\n{seen}\n\u{1b}[1mcontrol\u{7}\n");
    for user in ["ops", "eve"] {
        let mail = postfix.mailbox(user, "Subject: ALERT web/http: sum =?utf-8?b?WsO8cmljaA==?=");
        assert!(
            mail.contains("with ESMTPS") && mail.contains("To: ops@mail.test,Eve <eve@mail.test>\n"),
            "{mail}"
        );
        let body = quoted_printable(mail.split_once("\n\n").expect("there is a header").1);
        assert!(body.trim_end_matches('\n').ends_with(expect.trim_end_matches('\n')), "{body}");
    }
    secret(&postfix.dir.join("login.good"), "username: mon\npassword: sesame\n");
    let login = ["--tls", "--smtp", &tls, "--smtp-auth", "login.good", "-m", "ops@mail.test"];
    let words = [&from[..], &login].concat();
    assert_eq!(run(&postfix.dir, "mailxmpp.alert", &words, b"second\n").1, "");
    assert!(postfix.mailbox("ops", "Subject: ALERT web/http: second").contains("X-Mailer: mailxmpp.alert\n"));
}

/// Undoes quoted-printable and the quoting of `From ` that a mailbox needs.
fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let code = (byte == b'=').then(|| std::str::from_utf8(tail.get(..2)?).ok()).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).replace("\n>From ", "\nFrom ")
}

#[test]
fn what_a_mail_server_refuses_is_told() {
    let postfix = match Postfix::start() {
        Ok(postfix) => postfix,
        Err(why) => return skipped("what_a_mail_server_refuses_is_told", &why),
    };
    secret(&postfix.dir.join("login.bad"), "username: mon\npassword: wrong\n");
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let silent_port = silent.local_addr().expect("it is bound").port();
    let (port, tls_port) = (postfix.port(), postfix.tls_port());
    let unknown = "550): 5.1.1 <nobody@mail.test>: Recipient address rejected";
    for (words, status, expect) in [
        (format!("--smtp localhost:{port} ops@mail.test"), 0, ""),
        (format!("--smtp localhost:{port} nobody@mail.test"), 2, unknown),
        (format!("--smtp localhost:{port} --ca ca.pem ops@mail.test,nobody@mail.test"), 1, unknown),
        (format!("--smtp localhost:{port} ops@elsewhere.test"), 2, "Relay access denied"),
        (
            format!("--smtp localhost:{port} --ca ca.pem --smtp-auth login.bad ops@mail.test"),
            2,
            "login: permanent error (535)",
        ),
        (
            format!("--smtp localhost:{port} --plain --smtp-auth login.bad ops@mail.test"),
            2,
            "no password is sent without",
        ),
        (format!("--smtp localhost:{port} --ca other-ca.pem ops@mail.test"), 2, "UnknownIssuer"),
        (format!("--smtp 127.0.0.1:{tls_port} --tls --ca other-ca.pem ops@mail.test"), 2, "UnknownIssuer"),
        ("--smtp localhost:1 ops@mail.test".to_owned(), 2, "localhost:1: Connection refused\n"),
        (format!("--smtp localhost:{silent_port} --timeout 1 ops@mail.test"), 2, "no answer within 1 s"),
        (
            format!("--smtp 127.0.0.1:{silent_port} --tls --ca ca.pem --timeout 1 a@b"),
            2,
            "no answer within 1 s",
        ),
        (format!("--smtp localhost:{port} not..good@@x"), 2, "no address"),
    ] {
        let words = words.split_whitespace().collect::<Vec<_>>();
        let words = [&["-f", "mon@mail.test"], &words[..]].concat();
        let (got, said, took) = run(&postfix.dir, "mail.alert", &words, b"sum\ndetail\n");
        assert_eq!(got, status, "{words:?}: {said}");
        assert!(said.contains(expect) && (status == 0) == said.is_empty(), "{words:?}: {said}");
        assert!(took < Duration::from_secs(10), "{words:?} took {took:?}");
    }
}

#[test]
fn a_web_hook_takes_json() {
    use std::io::Read as _;
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let url = format!("http://{}/hooks/secret", listener.local_addr().expect("it is bound"));
    let place = Place::new();
    for (answer, status, expect) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"[..], 0, ""),
        (b"HTTP/1.1 403 Forbidden\r\n\r\ninvalid_token", 2, "HTTP status 403 invalid_token"),
        (b"hello\r\n", 2, "the answer is no HTTP"),
    ] {
        let (ran, heard) = thread::scope(|scope| {
            let heard = scope.spawn(|| {
                let (mut socket, _) = listener.accept().expect("a client comes");
                let mut heard = Vec::new();
                let mut chunk = [0; 4096];
                while !heard.ends_with(b"\\n\"}") {
                    let size = socket.read(&mut chunk).expect("the client speaks");
                    heard.extend_from_slice(&chunk[..size]);
                }
                socket.write_all(answer).expect("the client listens");
                String::from_utf8(heard).expect("it is UTF-8")
            });
            let words = ["-h", &url, "--timeout", "10"];
            let ran = run(place.dir(), "slackxmpp.alert", &words, "Zürich\n\"quoted\"\n".as_bytes());
            (ran, heard.join().expect("it does not panic"))
        });
        assert_eq!(ran.0, status, "{}", ran.1);
        assert!(ran.1.contains(expect) && !ran.1.contains("secret"), "{}", ran.1);
        let expect = "{\"text\":\"ALERT web/http: Zürich (Sun Nov 22 11:23:23)\\nTime noticed : Sun Nov 22 11:23:23 2026\\n\
                      Secs until next alert : \\nDetailed text (if any) follows:\\n\\\"quoted\\\"\\n\"}";
        assert_eq!(heard.split_once("\r\n\r\n").map(|(_, body)| body), Some(expect));
        assert!(heard.starts_with("POST /hooks/secret HTTP/1.1\r\n"), "{heard}");
    }
}

#[test]
fn the_same_traps_as_the_original() {
    if !Path::new(PERL_TRAP).is_file() {
        return skipped("the_same_traps_as_the_original", "no Perl trap.alert (package mon)");
    }
    // The port cannot be chosen there; no other test uses this address.
    let Ok(socket) = UdpSocket::bind("127.0.77.9:2583") else {
        return skipped("the_same_traps_as_the_original", "a mon runs on this machine");
    };
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("the limit is not zero");
    let place = Place::new();
    let trap = |program: &[&str], env: &[(&str, &str)], words: &[&str], input: &[u8]| {
        let mut command = place.command(Path::new(program[0]));
        command.args(&program[1..]).args(FROM_MON).args(words).arg("127.0.77.9").envs(env.iter().copied());
        let mut child = command.env_remove("USER").stdin(Stdio::piped()).spawn().expect("it can be started");
        child.stdin.take().expect("it is piped").write_all(input).expect("it reads");
        assert!(child.wait().expect("it ends").success());
        let mut buffer = vec![0; 65536];
        let size = socket.recv(&mut buffer).expect("it is sent");
        let text = crate::support::latin1(&buffer[..size]);
        // The moment of sending may differ by a second.
        text.lines().filter(|line| !line.starts_with("tsp=")).collect::<Vec<_>>().join("\n")
    };
    let failing = [("MON_GROUP", "web"), ("MON_SERVICE", "http"), ("MON_RETVAL", "3"), ("MON_OPSTATUS", "0")];
    let well = [failing[0], failing[1], ("MON_RETVAL", "0"), ("MON_OPSTATUS", "1")];
    let user = [&failing[..], &[("MON_TRAP_USER", "alice"), ("MON_TRAP_PASS", "se'same")]].concat();
    let nasty = nasty().0;
    for (env, words, input) in [
        (&failing[..], &[][..], &b"hostA hostB\nline\n\n\ttabbed \"q\" it's \\slash\n\nlast"[..]),
        (&well, &["-u"], b"back\n"),
        (&failing, &["-o", "6", "-U", "bob", "-P", "pw"], &nasty),
        (&user, &[], b""),
    ] {
        let expect = trap(&[PERL_TRAP], env, words, input);
        assert_eq!(trap(&[MON, "run", "trap.alert"], env, words, input), expect, "{words:?}");
    }
}

#[test]
fn traps_reach_a_daemon() {
    let mut programs = vec![subject()];
    programs.extend(oracle());
    for program in programs {
        let place = Place::new();
        place.write(
            "etc/mon.cf",
            "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\n\nhostgroup web h1\n\nwatch web\n  service http\n    \
             description by trap\n    traptimeout 1h\n    period\n      alert note.alert\n",
        );
        place.script("alert.d/note.alert", "#!/bin/sh\ncat >/dev/null\n");
        let mut daemon = Daemon::spawn(&program, &place, &[]);
        let mut client = daemon.ready().unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
        let target = format!("127.0.0.1:{}", place.trapport);
        for (retval, opstatus, flag, expect) in
            [("3", "0", "-T", " opstatus=0 exitval=3 "), ("0", "1", "-u", " opstatus=1 exitval=0 ")]
        {
            let mut command = place.command(Path::new(MON));
            command.args(["run", "trap.alert"]).args(FROM_MON).args([flag, &target]);
            command.env("MON_GROUP", "web").env("MON_SERVICE", "http");
            command.env("MON_RETVAL", retval).env("MON_OPSTATUS", opstatus).env_remove("USER");
            let mut child = command.stdin(Stdio::piped()).spawn().expect("it can be started");
            child
                .stdin
                .take()
                .expect("it is piped")
                .write_all("Zürich\ndetail\n".as_bytes())
                .expect("it reads");
            assert!(child.wait().expect("it ends").success());
            let mut last = Vec::new();
            let seen = wait::until(wait::PATIENCE, "the trap to count", || {
                last = client.command("list opstatus web,http").ok()?;
                let fields = |line: &String| {
                    let wanted = expect.split_whitespace();
                    wanted.clone().count() > 0
                        && wanted.into_iter().all(|field| line.contains(&format!(" {field} ")))
                };
                (last.iter().any(fields) && last[0].contains("Z\\c3\\bcrich")).then_some(())
            });
            seen.unwrap_or_else(|why| panic!("{}: {why}: {last:?}", program.display()));
        }
    }
}

#[test]
fn a_daemon_without_programs_uses_ours() {
    if subject_is_oracle() {
        return skipped("a_daemon_without_programs_uses_ours", "the original has none built in");
    }
    let (watched, watching) = (Place::new(), Place::new());
    let common = "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\n\nhostgroup web h1\n\nwatch web\n";
    let service = "  service http\n    interval 1s\n    monitor bad.monitor\n    period\n      alert note.alert\n  \
                   service told\n    description by trap\n    traptimeout 1h\n    period\n      alert note.alert\n";
    watched.write("etc/mon.cf", &format!("{common}{service}"));
    watched.script("mon.d/bad.monitor", "#!/bin/sh\necho broken\nexit 1\n");
    watched.script("alert.d/note.alert", "#!/bin/sh\ncat >/dev/null\n");
    let service = format!(
        "  service told\n    interval 1s\n    monitor remote.monitor --bigsummary -p {} 127.0.0.1 ;;\n    period\n      \
         numalerts 1\n      alert mailxmpp.alert -m ops --sendmail @DIR@/takes\n      alert trap.alert 127.0.0.1:{}\n",
        watched.port, watched.trapport
    );
    watching.write("etc/mon.cf", &format!("{common}{service}"));
    watching.script("takes", "#!/bin/sh\ncat >@DIR@/taken.new && mv @DIR@/taken.new @DIR@/taken\n");
    let mut daemons = [&watched, &watching].map(|place| Daemon::spawn(&subject(), place, &[]));
    let mut client = daemons[0].ready().unwrap_or_else(|why| panic!("{why}\n{}", watched.read("messages")));
    let taken = wait::until(wait::PATIENCE, "the mail", || watching.path("taken").exists().then_some(()));
    taken.unwrap_or_else(|why| panic!("{why}\n{}", watching.read("messages")));
    let mail = watching.read("taken");
    assert!(mail.starts_with("Subject: ALERT web/told: 127.0.0.1([web:http{broken}]) ("), "{mail}");
    assert!(mail.contains("\nWatch web, service http, failed with summary : broken\n"), "{mail}");
    let told = wait::until(wait::PATIENCE, "the trap to count", || {
        let lines = client.command("list opstatus web,told").ok()?;
        lines.iter().any(|line| line.contains(" opstatus=0 ")).then_some(())
    });
    told.unwrap_or_else(|why| panic!("{why}\n{}", watched.read("messages")));
}
