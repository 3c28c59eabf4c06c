//! Who may do what, what it costs to try, and what is never told.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Client, Daemon, Place, latin1, skipped, subject, subject_is_oracle, wait};

/// Made by crypt(3) for the password `r1ght-secret`, by the names of their kinds.
const HASHES: [(&str, &str); 7] = [
    ("des", "abp9EfK1P4GbM"),
    ("bsdi", "_J9..rasmR3Uw8rhsjEk"),
    ("md5", "$1$abcdefgh$JQoG3GGwNrbSRRSr5xa5g/"),
    (
        "sha512",
        "$6$saltstring$HrPwCtu8Y.2cnz1XTNXkFLrimuJ7RiOqdhgGGj3sdcm6VJ6QY.XhqehqMMEya35zpZNIl/0B01qSmAmqDftpQ1",
    ),
    ("sha256", "$5$saltstring$JzsGm9NVtlpZxE5CNOcreA4yrGSBrk6Z8k2BFXiRcEA"),
    ("bcrypt", "$2b$05$abcdefghijklmnopqrstuu9U0NrY7QJQFjF.j4JgPbz4aUlKoufiS"),
    ("yescrypt", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$V2UTt4W.WAogEnm/Z7UX6XGVuZbX.FkBNZi9xlotKe6"),
];

/// One service that traps and tests can reach, and the globals of a test.
fn config(globals: &str) -> String {
    format!(
        "userfile = @DIR@/etc/users\n{globals}\n\nhostgroup web h1\n\nwatch web\n    service ping\n        interval 1h\n        \
         monitor env.monitor\n        traptimeout 1h\n        period\n            alert env.alert\n            upalert env.alert\n"
    )
}

/// Everything that a daemon reads, and its programs.
fn prepare(place: &Place, globals: &str, auth: &str) {
    place.write("etc/mon.cf", &config(globals));
    place.write("etc/auth.cf", auth);
    let users: String = HASHES.iter().map(|(user, hash)| format!("{user}:{hash}\n")).collect();
    place.write("etc/users", &format!("# who\n{users}locked:!\nempty:\n"));
    for program in ["mon.d/env.monitor", "alert.d/env.alert"] {
        place.script(program, "#!/bin/sh\nenv >>@DIR@/log/environment\necho down\nexit 1\n");
    }
}

/// A daemon of ours; nothing when the subject is the original, which is known to differ here.
fn start(place: &Place, globals: &str, auth: &str) -> Option<Daemon> {
    if subject_is_oracle() {
        skipped("security", "the original is known to differ");
        return None;
    }
    prepare(place, globals, auth);
    let mut daemon = Daemon::spawn(&subject(), place, &["-d".to_owned()]);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    Some(daemon)
}

fn connect(place: &Place) -> Client {
    Client::connect(place.port).expect("the daemon listens")
}

/// The last line of the answer.
fn status(client: &mut Client, line: &str) -> String {
    let mut reply = client.command(line).unwrap_or_else(|error| panic!("{error}"));
    reply.pop().expect("a reply has a last line")
}

#[test]
fn an_empty_auth_file_permits_nothing() {
    let place = Place::new();
    let Some(_daemon) = start(&place, "authtype = userfile", "") else { return };
    let mut client = connect(&place);
    assert_eq!(status(&mut client, "login sha512 r1ght-secret"), "220 login accepted");
    let refused = [
        "list opstatus",
        "LIST watch",
        "list",
        "get maxkeep",
        "get web ping interval",
        "set maxkeep 3",
        "set web ping opstatus ok",
        "stop",
        "start",
        "reset",
        "reload auth",
        "clear timers web ping",
        "test config",
        "test monitor web ping",
        "savestate all",
        "loadstate all",
        "term",
        "ack web ping x",
        "disable watch web",
        "enable watch web",
        "servertime",
        "dump",
    ];
    for line in refused {
        assert_eq!(status(&mut client, line), "520 command could not be executed, unknown command", "{line}");
    }
    for (line, answer) in [
        ("version", "220 version completed"),
        ("protid 9745", "220 protocol match"),
        ("setview", "220 setview completed"),
        ("getview", "220 getview completed"),
        ("checkauth list", "520 command could not be executed"),
        ("bogus", "520 invalid command"),
        ("quit", "220 quitting"),
    ] {
        assert_eq!(status(&mut client, line), answer, "{line}");
    }
    assert!(!place.path("state/disabled").exists() && !place.path("log/environment").exists());
}

/// A datagram of these fields.
fn trap(place: &Place, fields: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    let packet: String =
        fields.split(' ').map(|field| format!("{}\n", field.replace('=', "='") + "'")).collect();
    socket.send_to(packet.as_bytes(), ("127.0.0.1", place.trapport)).expect("a datagram goes out");
}

#[test]
fn passwords_and_hashes_are_written_nowhere() {
    let place = Place::new();
    let auth = format!(
        "list: all\nget: all\nsavestate: AUTH_ANY\ntest: AUTH_ANY\ntrap section\n127.0.0.1 amy {}\n",
        HASHES[3].1
    );
    let globals = "authtype = userfile\nhistoricfile = history\ndtlogging = yes\ndtlogfile = downtime";
    let Some(mut daemon) = start(&place, globals, &auth) else { return };
    let mut client = connect(&place);
    let mut said = Vec::new();
    for line in [
        "login sha512 wr0ng-secret",
        "lgoin sha512 r1ght-secret",
        " login sha512 r1ght-secret",
        "login",
        "login sha512",
        "LOGIN\tsha512\tr1ght-secret",
        "login locked r1ght-secret",
        "login sha512  r1ght-secret",
        "test monitor web ping",
        "list opstatus",
        "savestate all",
        "get web ping monitor",
    ] {
        said.extend(client.command(line).expect("the daemon serves"));
    }
    assert!(said.contains(&"220 login accepted".to_owned()), "{said:?}");
    for fields in [
        "pro=0.3807 usr=amy pas=wr0ng-secret grp=web svc=ping sta=1 sum=down",
        "pro=0.1 usr=amy pas=r1ght-secret grp=web svc=ping sta=1",
        "pro=0.3807 usr=amy pas=r1ght-secret grp=web svc=ping sta=x",
        "pro=0.3807 usr=bob pas=r1ght-secret grp=web svc=ping sta=1",
        "pro=0.3807 usr=amy pas=r1ght-secret grp=web svc=bogus sta=1",
        "pro=0.3807 usr=amy pas=r1ght-secret grp=web svc=ping sta=3 sum=trapped",
    ] {
        trap(&place, fields);
    }
    let arrived = wait::until(wait::PATIENCE, "the last trap", || {
        client.command("list opstatus").ok()?.concat().contains("last_summary=trapped").then_some(())
    });
    arrived.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    for line in ["list alerthist", "list failurehist", "list dtlog", "list descriptions", "savestate all"] {
        said.extend(client.command(line).expect("the daemon serves"));
    }
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let messages = place.read("messages");
    assert!(
        messages.contains("bad password") && messages.contains("login as 'sha512' from 127.0.0.1 failed"),
        "{messages}"
    );
    assert_no_secrets("replies", &said.join("\n"));
    assert_no_secrets_below(place.dir());
}

fn assert_no_secrets_below(folder: &Path) {
    for entry in fs::read_dir(folder).expect("our own directory").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "etc") {
            assert_no_secrets_below(&path);
        } else if path.is_file() {
            assert_no_secrets(&path.display().to_string(), &latin1(&fs::read(&path).expect("our own file")));
        }
    }
}

fn assert_no_secrets(place: &str, text: &str) {
    let hashes = HASHES.iter().map(|(_, hash)| *hash);
    for secret in hashes.chain(["r1ght-secret", "wr0ng-secret", "secret"]) {
        assert!(!text.contains(secret), "{place} shows {secret}: {text}");
    }
}

#[test]
fn hashes_of_every_kind_let_their_users_in() {
    let place = Place::new();
    let Some(_daemon) = start(&place, "authtype = userfile", "") else { return };
    let mut client = connect(&place);
    for (user, _) in HASHES {
        assert_eq!(
            status(&mut client, &format!("login {user} wr0ng-secret")),
            "530 login unsuccessful",
            "{user}"
        );
        assert_eq!(
            status(&mut client, &format!("login {user} r1ght-secret")),
            "220 login accepted",
            "{user}"
        );
    }
    for line in ["login locked !", "login empty x", "login nobody x"] {
        assert_eq!(status(&mut client, line), "530 login unsuccessful", "{line}");
    }
}

#[test]
fn wrong_passwords_cost_more_and_more_and_others_nothing() {
    let place = Place::new();
    let Some(_daemon) = start(&place, "authtype = userfile", "list: all") else { return };
    let mut client = connect(&place);
    let mut timed = |line: &str, answer: &str| {
        let begun = Instant::now();
        assert_eq!(status(&mut client, line), answer);
        begun.elapsed()
    };
    let waits: Vec<u128> =
        (0..5).map(|_| timed("login des wr0ng", "530 login unsuccessful").as_millis()).collect();
    assert!(waits[2] >= 200 && waits[3] >= 400 && waits[4] >= 800, "{waits:?}");
    assert!(waits[0] < waits[3] && waits[1] < waits[4], "the first slip costs nothing: {waits:?}");
    let wait = timed("login des r1ght-secret", "220 login accepted");
    assert!(wait >= Duration::from_millis(1600), "who was right pays for what was wrong before: {wait:?}");
    assert!(
        timed("login des wr0ng", "530 login unsuccessful") < Duration::from_millis(1600),
        "and is free again"
    );

    // Neither a connection for each try nor hanging up saves any of it: the four behind the first wait in turn.
    let begun = Instant::now();
    for _ in 0..4 {
        connect(&place).send(b"login des wr0ng\n").expect("the daemon listens");
    }
    let mut patient = connect(&place);
    let login = std::thread::spawn(move || {
        assert_eq!(status(&mut patient, "login des r1ght-secret"), "220 login accepted");
        begun.elapsed()
    });
    let mut other = connect(&place);
    while !login.is_finished() {
        let asked = Instant::now();
        assert_eq!(status(&mut other, "list state"), "220 list state completed");
        assert!(asked.elapsed() < Duration::from_secs(1), "another client waited {:?}", asked.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = login.join().expect("the right password is accepted");
    assert!(took >= Duration::from_millis(200 + 400 + 800), "{took:?}");
}

#[test]
fn an_endless_line_is_refused_and_the_refusal_arrives() {
    let place = Place::new();
    let Some(_daemon) = start(&place, "", "list: all") else { return };
    let mut client = connect(&place);
    let longest = "x".repeat(64 * 1024);
    assert_eq!(status(&mut client, &longest), "520 invalid command");
    for length in [64 * 1024 + 1, 3_000_000] {
        let mut client = connect(&place);
        // The daemon stops listening at some point: sending may fail, the answer must not.
        let _ = client.send("x".repeat(length).as_bytes());
        assert_eq!(client.reply().expect("a refusal"), ["520 line too long"], "{length} bytes");
        assert_eq!(client.reply(), Err("connection closed".to_owned()), "{length} bytes");
    }
    let line = place.read("messages").lines().map(str::len).max();
    assert!(line < Some(1000), "a line of {line:?} bytes in the log");
}

#[test]
fn only_addresses_of_clientallow_are_served() {
    if subject_is_oracle() {
        return skipped("clientallow", "the original closes without waiting for its loop");
    }
    let place = Place::new();
    prepare(&place, r"clientallow = 10.1.2.3 127.0.0.2\d", "list: all");
    let _daemon = Daemon::spawn(&subject(), &place, &[]);
    for _ in 0..3 {
        let client = wait::until(wait::PATIENCE, "the daemon to listen", || Client::connect(place.port).ok());
        let mut client = client.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
        let _ = client.send(b"list watch\n");
        let reply = client.reply();
        assert!(reply.is_err(), "an unwanted client was served: {reply:?}");
    }
    assert!(
        place.read("messages").contains("closing unwanted client: 127.0.0.1"),
        "{}",
        place.read("messages")
    );
}

#[test]
fn who_says_nothing_is_closed_also_when_it_does_so_byte_by_byte() {
    let place = Place::new();
    let Some(_daemon) = start(&place, "cltimeout = 2s", "list: all") else { return };
    let begun = Instant::now();
    let (mut silent, mut dribbling, mut busy) = (connect(&place), connect(&place), connect(&place));
    let mut closed = false;
    while begun.elapsed() < Duration::from_millis(4500) {
        closed |= dribbling.send(b"x").is_err();
        assert_eq!(status(&mut busy, "list state"), "220 list state completed");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(closed, "a client that never ends its line was kept");
    assert_eq!(silent.reply(), Err("connection closed".to_owned()));
}

#[test]
fn only_the_right_password_brings_a_trap_in() {
    let place = Place::new();
    let auth = format!(
        "list: all\ntrap section\n127.0.0.1 amy {}\n127.0.0.1 bob {}\n10.0.0.1 eve *\n",
        HASHES[6].1, HASHES[0].1
    );
    let Some(_daemon) = start(&place, "", &auth) else { return };
    let mut client = connect(&place);
    for who in [
        "usr=amy pas=wr0ng",
        "usr=amy",
        "usr=amy pas=",
        "usr=* pas=*",
        "usr=eve pas=r1ght-secret",
        "usr= pas=r1ght-secret",
        "seq=1",
    ] {
        trap(&place, &format!("pro=0.3807 {who} grp=web svc=ping sta=5"));
    }
    let refused = wait::until(wait::PATIENCE, "seven refusals", || {
        (place.read("messages").matches("trap from 127.0.0.1 refused").count() == 7).then_some(())
    });
    refused.unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    assert!(client.command("list opstatus").expect("the daemon serves").concat().contains(" opstatus=7 "));
    for (user, exit) in [("amy", 4), ("bob", 6)] {
        trap(&place, &format!("pro=0.3807 usr={user} pas=r1ght-secret grp=web svc=ping sta={exit}"));
        let taken = wait::until(wait::PATIENCE, "the trap to count", || {
            client
                .command("list opstatus")
                .ok()?
                .concat()
                .contains(&format!(" exitval={exit} "))
                .then_some(())
        });
        taken.unwrap_or_else(|error| panic!("{user}: {error}\n{}", place.read("messages")));
    }
}

/// A daemon that sees the files of `etc` here in place of the system's, in a world of mounts of its own.
fn start_behind(place: &Place, mounts: &str, globals: &str) -> Option<Daemon> {
    let allowed = Command::new("unshare").args(["-m", "true"]).stderr(Stdio::null()).status();
    if subject_is_oracle() || !allowed.is_ok_and(|status| status.success()) {
        skipped("system users", "only root can show the daemon other system files");
        return None;
    }
    prepare(place, globals, "");
    let script = place.fill(&format!("{mounts}\nexec \"$@\""));
    let mut flags: Vec<String> = ["-m", "sh", "-ec", &script, "sh"].map(str::to_owned).to_vec();
    flags.push(subject().to_string_lossy().into_owned());
    flags.extend(place.flags());
    let mut daemon = Daemon::spawn_with(Path::new("unshare"), place, place.dir(), &flags);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    Some(daemon)
}

#[test]
fn users_of_the_system_log_in_by_passwd_and_shadow() {
    let place = Place::new();
    let (own, shadow) = (HASHES[3].1, HASHES[6].1);
    place.write(
        "etc/passwd",
        &format!(
            "root:x:0:0::/:/bin/sh\namy:x:1:1::/:/bin/sh\nold:{own}:2:2::/:/bin/sh\nlocked:x:3:3::/:/bin/sh\n"
        ),
    );
    place.write("etc/shadow", &format!("root:*:1::::::\namy:{shadow}:1::::::\nlocked:!{shadow}:1::::::\n"));
    let mounts = "mount --bind @DIR@/etc/passwd /etc/passwd\nmount --bind @DIR@/etc/shadow /etc/shadow";
    let Some(_daemon) = start_behind(&place, mounts, "") else { return };
    let mut client = connect(&place);
    for user in ["amy", "old"] {
        assert_eq!(
            status(&mut client, &format!("login {user} r1ght-secret")),
            "220 login accepted",
            "{user}"
        );
    }
    for line in [
        "login amy x",
        "login old x",
        "login amy r1ght-secret",
        "login locked r1ght-secret",
        "login root x",
        "login zoe x",
    ] {
        let expected =
            if line.ends_with("amy r1ght-secret") { "220 login accepted" } else { "530 login unsuccessful" };
        assert_eq!(status(&mut client, line), expected, "{line}");
    }
}

#[test]
fn ways_in_that_lead_nowhere_are_named_at_start() {
    let place = Place::new();
    let types = if cfg!(feature = "pam") { "shadow bogus" } else { "pam shadow bogus" };
    let Some(_daemon) = start(&place, &format!("authtype = {types}"), "") else { return };
    let messages = place.read("messages");
    for authtype in types.split(' ') {
        assert!(messages.contains(&format!("authtype {authtype}: nobody can log in by it")), "{messages}");
    }
    assert_eq!(status(&mut connect(&place), "login sha512 r1ght-secret"), "530 login unsuccessful");
}

#[cfg(feature = "pam")]
#[test]
fn pam_decides_about_password_and_account() {
    let place = Place::new();
    place.script("etc/check", "#!/bin/sh\n[ \"$PAM_USER $(tr -d '\\000')\" = \"$PAM_USER r1ght-secret\" ]\n");
    let service = |account: &str| {
        format!(
            "auth required pam_exec.so expose_authtok quiet @DIR@/etc/check\naccount required {account}\n"
        )
    };
    place.write("etc/remon", &service("pam_permit.so"));
    place.write("etc/closed", &service("pam_deny.so"));
    place.write("etc/other", "auth required pam_deny.so\naccount required pam_deny.so\n");
    let mounts =
        "mount -t tmpfs tmpfs /etc/pam.d\ncp @DIR@/etc/remon @DIR@/etc/closed @DIR@/etc/other /etc/pam.d/";
    for (name, accepted) in [("remon", true), ("closed", false), ("missing", false)] {
        let globals = format!("authtype = pam\npamservice = {name}");
        let Some(_daemon) = start_behind(&place, mounts, &globals) else { return };
        let mut client = connect(&place);
        let expected = if accepted { "220 login accepted" } else { "530 login unsuccessful" };
        assert_eq!(status(&mut client, "login amy r1ght-secret"), expected, "{}", place.read("messages"));
        assert_eq!(status(&mut client, "login amy wr0ng-secret"), "530 login unsuccessful");
        assert_no_secrets("messages", &place.read("messages"));
    }
}
