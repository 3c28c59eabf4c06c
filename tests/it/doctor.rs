//! `mon doctor` with real daemons, servers and files: what it finds, and that it leaves no trace.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::servers::{PASSWORD, Postfix, Prosody};
use crate::support::xmpp::Reader;
use crate::support::{Daemon, Place, skipped, subject, subject_is_oracle, wait};

/// Only this machine may ask, so that the open auth.cf of a place is nothing to be told.
const LOCAL: &str =
    "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\nserverbind = 127.0.0.1\ntrapbind = 127.0.0.1\n";

const SMALL: &str = "
hostgroup web localhost 127.0.0.1

watch web
    service http
        interval 1h
        monitor fake.monitor
        period
            alert file.alert @DIR@/log/alerts
            upalert file.alert @DIR@/log/alerts
";

/// What the doctor said: `SEVERITY AREA TEXT > ADVICE`, one finding a line.
struct Said {
    status: Option<i32>,
    findings: Vec<String>,
}

impl Said {
    /// The findings but for the clock, which is that of whoever runs the test, and notes.
    fn trouble(&self) -> Vec<&str> {
        let is_trouble = |line: &&str| {
            (line.starts_with("fault ") || line.starts_with("warning "))
                && !line.starts_with("warning clock ")
        };
        self.findings.iter().map(String::as_str).filter(is_trouble).collect()
    }

    /// Exactly one finding has all these words; it is returned.
    fn one(&self, words: &[&str]) -> &str {
        let fits = |line: &&String| words.iter().all(|word| line.contains(word));
        let found = self.findings.iter().filter(fits).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{words:?} in\n{}", self.findings.join("\n"));
        found[0]
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

/// Runs the doctor over a place, with the flags of its daemon.
fn doctor(place: &Place, options: &[&str]) -> Said {
    let mut command = place.command(&subject());
    command.arg("doctor").args(options);
    // Whoever runs the tests is whom these daemons run as.
    let user = Command::new("id").arg("-un").output().expect("it is part of every system").stdout;
    command.args(["--user", String::from_utf8_lossy(&user).trim()]);
    let output = command.arg("--").args(place.flags()).output().expect("the built program can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut findings = Vec::<String>::new();
    for line in text.lines() {
        match (line.strip_prefix("                         "), findings.last_mut()) {
            (Some(more), Some(last)) => *last += &format!(" {more}"),
            _ if line.is_empty() => break,
            _ => findings.push(line.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    Said { status: output.status.code(), findings }
}

fn small() -> Place {
    let place = Place::new();
    place.write("etc/mon.cf", &format!("{LOCAL}{SMALL}"));
    place.script("mon.d/fake.monitor", "#!/bin/sh\nexit 0\n");
    place
}

fn start(place: &Place) -> Daemon {
    let mut daemon = Daemon::spawn(&subject(), place, &[]);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    daemon
}

fn secret(path: &Path, text: &str) {
    fs::write(path, text).expect("our own directory is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file was just written");
}

#[test]
fn the_life_of_a_daemon() {
    if subject_is_oracle() {
        return skipped("the_life_of_a_daemon", "the original has no doctor");
    }
    let place = small();
    let said = doctor(&place, &[]);
    said.one(&["fault daemon mon does not run", "> ", " start"]);
    assert_eq!((said.status, said.trouble().len()), (Some(2), 1), "{:?}", said.findings);

    let mut daemon = start(&place);
    let said = doctor(&place, &[]);
    assert_eq!(said.trouble(), [""; 0]);
    for well in ["configuration", "programs 2 programs", "files", "daemon mon runs", "names 1 name"] {
        said.one(&[&format!("ok {well}")]);
    }
    let is_clock_kept = !said.findings.iter().any(|line| line.starts_with("warning clock "));
    assert_eq!(said.status, Some(i32::from(!is_clock_kept)));

    place.write("etc/mon.cf", &format!("{LOCAL}{}", SMALL.replace("1h", "2h")));
    let said = doctor(&place, &[]);
    said.one(&["warning daemon", "was changed since mon read it: 1 service changed", "mon diff"]);
    assert_eq!((said.status, said.trouble().len()), (Some(1), 1), "{:?}", said.findings);

    // One that tells only users what a reload would change is not asked, as its log would hold that against us.
    let open = place.read("etc/auth.cf");
    place.write("etc/auth.cf", "command section\nlist: all\nprotid: all\nquit: all\n");
    let config = fs::File::options().write(true).open(place.path("etc/mon.cf")).expect("it is ours");
    config.set_modified(SystemTime::now() + Duration::from_secs(30)).expect("it is ours");
    doctor(&place, &[]).one(&["note daemon", "was changed after mon was started"]);
    place.write("etc/auth.cf", &open);

    let mut client = daemon.ready().expect("it runs");
    client.command("stop").expect("it obeys");
    doctor(&place, &[]).one(&["fault daemon scheduler stopped", "nothing is watched"]);
    // What was not asked is neither right nor wrong.
    assert_eq!(doctor(&place, &["--offline"]).trouble(), [""; 0]);

    drop(client);
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let _clients = TcpListener::bind(("127.0.0.1", place.port)).expect("the daemon has gone");
    let _traps = UdpSocket::bind(("127.0.0.1", place.trapport)).expect("the daemon has gone");
    let said = doctor(&place, &["--timeout", "1"]);
    let pid = format!("(process {}, ", std::process::id());
    said.one(&["fault daemon", &format!("port {} is taken by", place.port), &pid]);
    said.one(&["fault daemon", &format!("port {}/udp, for traps, is taken by", place.trapport), &pid]);
}

#[test]
fn programs_that_do_not_do() {
    if subject_is_oracle() {
        return skipped("programs_that_do_not_do", "the original has no doctor");
    }
    let place = small();
    let perl = "#!/usr/bin/perl\nuse strict;\nuse No::Such::Module;\nBEGIN { open F, '>@DIR@/ran' }\n";
    place.script("mon.d/perl.monitor", perl);
    place.script("mon.d/tcp.monitor", perl);
    place.script("mon.d/odd.monitor", "#!/no/such/shell\n");
    place.script("mon.d/open.monitor", "#!/bin/sh\n");
    place.script("mon.d/off.monitor", "#!/bin/sh\n");
    let mode = |name: &str, mode| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    mode("mon.d/open.monitor", 0o757);
    mode("mon.d/off.monitor", 0o644);
    let names = ["perl", "tcp", "odd", "open", "off", "none", "freespace"];
    let service = |name: &&str| format!("    service {name}\n        monitor {name}.monitor / ;;\n");
    let services = names.iter().map(service).collect::<String>();
    place.write("etc/mon.cf", &format!("{LOCAL}{SMALL}{services}"));
    let said = doctor(&place, &["--offline"]);
    said.one(&["fault programs", "perl.monitor cannot work: there is no Perl module No::Such::Module"]);
    said.one(&[
        "tcp.monitor cannot work",
        "> apt install libno-such-module-perl",
        "the built-in tcp.monitor is used then",
    ]);
    said.one(&["fault programs", "odd.monitor cannot work: there is no /no/such/shell"]);
    said.one(&["fault programs", "open.monitor can be changed by everybody", "> chmod o-w"]);
    said.one(&["fault programs", "off.monitor may not be executed", "> chmod +x"]);
    said.one(&["fault programs", "there is no program `none.monitor`"]);
    said.one(&["note programs", "in place of the built-in programs: ", "/mon.d/tcp.monitor >"]);
    let faults = said.findings.iter().filter(|line| line.starts_with("fault programs ")).count();
    assert_eq!((said.status, faults), (Some(2), 6), "{:?}", said.findings);
    assert!(!place.path("ran").exists(), "a script was run");
}

#[test]
fn what_the_user_of_mon_may_not_do() {
    if subject_is_oracle() || !is_root() {
        return skipped("what_the_user_of_mon_may_not_do", "only root can act for others");
    }
    let place = small();
    // Others must be able to get there, which a target directory may not allow.
    let dir = std::env::temp_dir().join(format!("remon-doctor-{}-{}", std::process::id(), place.port));
    for sub in ["", "etc", "state", "log", "closed"] {
        fs::create_dir_all(dir.join(sub)).expect("it can be made");
        fs::set_permissions(dir.join(sub), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let own = |name: &str| chown(dir.join(name), Some(65534), None).expect("root may");
    let text = |file: &str| {
        let globals = "statedir = @AT@/state\nlogdir = @AT@/log\ndtlogging = yes\nuserfile = @AT@/etc/users\n\
                       authtype = userfile\nclientallow = 127.0.0.1\n";
        let alert = format!("alert file.alert {file}");
        let config =
            format!("cfbasedir = @AT@/etc\n{globals}{SMALL}").replace("fake.monitor", "tcp.monitor -p 22");
        config
            .replace("upalert file.alert @DIR@/log/alerts", "")
            .replace("alert file.alert @DIR@/log/alerts", &alert)
    };
    let write = |name: &str, text: &str| {
        fs::write(dir.join(name), text.replace("@AT@", &dir.to_string_lossy())).expect("it can be written");
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o644)).expect("it is ours");
    };
    write("etc/auth.cf", "command section\nlist: all\n");
    write("etc/users", "mon: $6$x\n");
    write("state/disabled", "");
    write("etc/mon.cf", &text("@AT@/closed/alerts"));
    let run = |user: &str| {
        let mut command = place.command(&subject());
        command.args(["doctor", "--offline", "--user", user, "-c"]).arg(dir.join("etc/mon.cf"));
        let output = command.output().expect("the built program can be started");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, said) = run("nobody");
    for expect in [
        format!("nobody cannot write to {}/state (statedir): Permission denied", dir.display()),
        format!("nobody cannot make {}/log/downtime.log", dir.display()),
        format!("web/http: nobody cannot make {}/closed/alerts", dir.display()),
        format!("everybody can read {}/etc/users (mode 644): it holds hashes of passwords", dir.display()),
        format!("> chmod o-r {}/etc/users", dir.display()),
    ] {
        assert!(said.contains(&expect), "{expect}\n{said}");
    }
    assert_eq!(status, Some(2));
    // What the advice says helps.
    ["state", "log", "closed"].iter().for_each(|name| own(name));
    fs::set_permissions(dir.join("etc/users"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    chown(dir.join("etc/users"), None, Some(65534)).expect("root may");
    let (_, said) = run("nobody");
    let state = format!("nobody cannot read and write {}/state/disabled: Permission denied", dir.display());
    assert!(said.contains(&state) && said.matches("fault ").count() == 1, "{said}");
    own("state/disabled");
    let (_, said) = run("nobody");
    assert!(!said.contains("fault "), "{said}");
    assert!(fs::read_dir(dir.join("closed")).is_ok_and(|mut entries| entries.next().is_none()));
    a_stranger_to_mon(&place, &dir);
    closed_and_there(&dir, run);
    fs::set_permissions(dir.join("etc"), fs::Permissions::from_mode(0o700)).expect("it is ours");
    let (status, said) = run("nobody");
    assert!(status == Some(2) && said.contains("let the user that mon runs as enter"), "{said}");
    fs::remove_dir_all(&dir).expect("it is ours");
}

/// What is there and closed is to be opened, not written anew.
fn closed_and_there(dir: &Path, run: impl Fn(&str) -> (Option<i32>, String)) {
    for (file, words) in
        [("auth.cf", "auth.cf cannot be read: the daemon"), ("mon.cf", "mon.cf: Permission denied")]
    {
        let file = dir.join("etc").join(file);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let (status, said) = run("nobody");
        let shown = file.display();
        let advice = format!("read it: chgrp mon {shown}; chmod 640 {shown}");
        assert!(status == Some(2) && said.contains(words) && said.contains(&advice), "{said}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    }
}

/// Somebody else has nothing to say about what mon may do.
fn a_stranger_to_mon(place: &Place, dir: &Path) {
    let mut command = place.command(Path::new("setpriv"));
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(subject());
    command.args(["doctor", "--offline", "-c"]).arg(dir.join("etc/mon.cf"));
    let has_mon = fs::read_to_string("/etc/passwd").is_ok_and(|users| users.contains("\nmon:"));
    if let (true, Ok(output)) = (has_mon, command.output()) {
        let said = String::from_utf8_lossy(&output.stdout);
        // Where the build cannot be reached by others, it was not run.
        let was_run = !said.is_empty();
        assert!(!was_run || said.contains("as nobody, what mon may read and write"), "{said}");
        assert!(!said.contains("statedir"), "{said}");
    }
}

#[test]
fn accounts_at_real_servers() {
    if subject_is_oracle() {
        return skipped("accounts_at_real_servers", "the original has no doctor");
    }
    let (xmpp, mail) = match (Prosody::start(), Postfix::start()) {
        (Ok(xmpp), Ok(mail)) => (xmpp, mail),
        (Err(why), _) | (_, Err(why)) => return skipped("accounts_at_real_servers", &why),
    };
    let place = small();
    let account =
        format!("username: mon@xmpp.test\njserver: 127.0.0.1:{}\npassword: {PASSWORD}\n", xmpp.place.port);
    secret(&place.path(".sendxmpprc"), &account);
    secret(&place.path("wrong"), &account.replace(PASSWORD, "nonsense"));
    secret(&place.path("open"), &account);
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o644)).expect("it is ours");
    secret(&place.path("login"), "username: mon\npassword: sesame\n");
    secret(&place.path("login.bad"), "username: mon\npassword: wrong\n");
    let hook = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let silent = hook.local_addr().expect("it is bound");
    let mut ops = Reader::log_in(xmpp.place.port, "ops");
    let (chat_ca, mail_ca) = (xmpp.place.path("ca.pem"), mail.dir.join("ca.pem"));
    let (chat_ca, mail_ca, port) = (chat_ca.display(), mail_ca.display(), mail.port());
    let alerts = [
        format!("mailxmpp.alert -x ops@xmpp.test --ca {chat_ca}"),
        format!("slackxmpp.alert -x eve@xmpp.test --ca {chat_ca}"),
        format!("mailxmpp.alert -x ops@xmpp.test --ca {chat_ca} --xmpp-account @DIR@/wrong"),
        format!("mailxmpp.alert -x ops@xmpp.test --ca {chat_ca} --xmpp-account @DIR@/open"),
        "mailxmpp.alert -x ops@xmpp.test --xmpp-account @DIR@/none".to_owned(),
        format!("mail.alert -f mon@mail.test --ca {mail_ca} --smtp localhost:{port} ops@mail.test"),
        format!(
            "mail.alert -f mon@mail.test --ca {mail_ca} --smtp localhost:{port} --smtp-auth @DIR@/login ops@mail.test"
        ),
        format!(
            "mail.alert -f mon@mail.test --ca {mail_ca} --smtp localhost:{port} --smtp-auth @DIR@/login.bad x@mail.test"
        ),
        format!("mail.alert -f mon@mail.test --ca {chat_ca} --smtp localhost:{port} ops@mail.test"),
        "mail.alert --smtp localhost:1 ops@mail.test".to_owned(),
        format!("webhook.alert --url http://{silent}/secret"),
        "webhook.alert --url https://localhost:1/secret".to_owned(),
        "mail.alert --sendmail @DIR@/nothing root".to_owned(),
        "mail.alert".to_owned(),
        format!("trap.alert {}", "x".repeat(70)),
    ];
    let lines = alerts.iter().map(|alert| format!("            alert {alert}\n")).collect::<String>();
    place.write("etc/mon.cf", &format!("{LOCAL}{SMALL}{lines}"));
    let said = doctor(&place, &["--timeout", "20"]);
    said.one(&["ok alerts XMPP account of", ".sendxmpprc: mon@xmpp.test"]);
    said.one(&[
        "fault alerts web/http: XMPP account of",
        "/wrong: mon@xmpp.test: the server refused the login",
    ]);
    said.one(&["fault alerts", "/open must not be accessible by others", "> as root: chown", "chmod 600"]);
    said.one(&["fault alerts", "cannot read", "/none: No such file"]);
    said.one(&["ok alerts mail server localhost:", "/login: encrypted"]);
    said.one(&["ok alerts", &format!("mail server localhost:{port}: encrypted")]);
    said.one(&["fault alerts", "login.bad: login: permanent error (535)", "> correct name and password"]);
    said.one(&[
        "fault alerts",
        "invalid peer certificate",
        "> let the server show a certificate that is valid",
    ]);
    said.one(&["fault alerts", "mail server localhost:1: Connection refused", "> is that server up"]);
    said.one(&["ok alerts web hook at", &silent.to_string()]);
    said.one(&["fault alerts", "web hook at localhost:1: Connection refused"]);
    said.one(&["fault alerts", "no mail leaves", "/nothing: No such file"]);
    said.one(&["fault alerts web/http: an alert has nobody to tell"]);
    said.one(&["fault alerts", "traps to xxx"]);
    assert!(said.findings.iter().all(|line| !line.contains("secret")), "{:?}", said.findings);
    nothing_was_sent(&place, &xmpp, &mail, &hook, &mut ops);
}

/// Postfix has taken no mail, the web hook got no request, and the first message is one that we send now.
fn nothing_was_sent(place: &Place, xmpp: &Prosody, mail: &Postfix, hook: &TcpListener, ops: &mut Reader) {
    let log = fs::read_to_string(mail.dir.join("log")).unwrap_or_default();
    assert!(log.contains("connect from") && !log.contains("cleanup["), "{log}");
    assert!(!mail.dir.join("mail/ops").exists());
    let (mut visitor, mut request) = (hook.accept().expect("the doctor was there").0, Vec::new());
    visitor.read_to_end(&mut request).expect("it has gone");
    assert!(request.is_empty(), "{request:?}");
    assert!(xmpp.place.read("prosody.log").contains("Authenticated as mon@xmpp.test"));
    let mut command = place.command(&subject());
    command.args(["run", "mailxmpp.alert", "-S", "now", "-x", "ops@xmpp.test", "--ca"]);
    let sent = command.arg(xmpp.place.path("ca.pem")).stdin(Stdio::null()).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let message = ops.message().1;
    assert!(message.starts_with("ALERT /: now "), "{message}");
}

/// The mon.cf of one of two servers; `exclude` is the option for the watch of the other one.
fn of_a_pair(us: &str, them: &str, port: u16, exclude: &str) -> String {
    format!(
        "{LOCAL}
hostgroup {us} localhost

watch {us}
    service mon{them}
        interval 1h
        monitor remote.monitor {exclude} 127.0.0.1:{port} ;;
        period
            alert file.alert @DIR@/log/alerts
            upalert file.alert @DIR@/log/alerts
"
    )
}

#[test]
fn two_servers_that_watch_each_other() {
    if subject_is_oracle() {
        return skipped("two_servers_that_watch_each_other", "the original has no doctor");
    }
    let (a, b) = (Place::new(), Place::new());
    let (exclude_b, exclude_a) = ("--exclude serverb:monservera", "--exclude servera:monserverb");
    a.write("etc/mon.cf", &of_a_pair("servera", "serverb", b.port, exclude_b));
    b.write("etc/mon.cf", &of_a_pair("serverb", "servera", a.port, exclude_a));
    let (_a, daemon_b) = (start(&a), start(&b));
    let peers = |said: &Said| {
        said.findings.iter().filter(|line| line.contains(" peers ")).cloned().collect::<Vec<_>>()
    };
    let there = format!("127.0.0.1:{}", b.port);
    let said = doctor(&a, &[]);
    assert_eq!(peers(&said), [format!("ok peers {there}: 1 service, it watches this server")]);
    said.one(&["warning daemon", "is open to this machine only"]);

    let mut to_b = crate::support::Client::connect(b.port).expect("it listens");
    to_b.command("disable service serverb monservera").expect("it obeys");
    doctor(&a, &[]).one(&["warning peers", "serverb:monservera, which watches this server, is disabled"]);
    to_b.command("enable service serverb monservera").expect("it obeys");

    // Without a word about each other's watch they would report in a circle.
    a.write("etc/mon.cf", &of_a_pair("servera", "serverb", b.port, ""));
    b.write("etc/mon.cf", &of_a_pair("serverb", "servera", a.port, "--exclude serverx:monserverb"));
    daemon_b.signal("HUP");
    wait::until(wait::PATIENCE, "the reload", || {
        let lines = to_b.command("list opstatus serverb,monservera").ok()?;
        lines[0].contains("serverx").then_some(())
    })
    .unwrap_or_else(|why| panic!("{why}\n{}", b.read("messages")));
    let said = doctor(&a, &[]);
    said.one(&["warning peers servera:monserverb does not exclude serverb:monservera", "> add --exclude"]);
    said.one(&["warning peers", "serverb:monservera does not exclude servera:monserverb of this server"]);
    doctor(&b, &[]).one(&["warning peers", "excludes serverx:monserverb, which", "does not have"]);

    // One that watches somebody else, and one that is gone.
    b.write("etc/mon.cf", &of_a_pair("serverb", "servera", 1, exclude_a));
    daemon_b.signal("HUP");
    wait::until(wait::PATIENCE, "the reload", || {
        let lines = to_b.command("list opstatus serverb,monservera").ok()?;
        lines[0].contains("127.0.0.1:1\\20").then_some(())
    })
    .unwrap_or_else(|why| panic!("{why}\n{}", b.read("messages")));
    doctor(&a, &[]).one(&["warning peers", "does not ask this server", "--exclude servera:monserverb"]);
    drop(daemon_b);
    doctor(&a, &[]).one(&["fault peers servera:monserverb:", "Connection refused", "> is mon running on"]);
}

#[test]
fn names_and_command_lines() {
    if subject_is_oracle() {
        return skipped("names_and_command_lines", "the original has no doctor");
    }
    let place = small();
    let nowhere = "x".repeat(70);
    let groups =
        format!("hostgroup web localhost {nowhere} 127.0.0.1:80 /a/path\nhostgroup unused {nowhere}2\n");
    place.write(
        "etc/mon.cf",
        &format!("{LOCAL}{}", SMALL.replace("hostgroup web localhost 127.0.0.1\n", &groups)),
    );
    let said = doctor(&place, &[]);
    said.one(&["warning names", &format!("{nowhere} (hostgroup web) has no address")]);
    place.write("etc/mon.cf", "watch web\n    service http\n        nonsense 1\n");
    let said = doctor(&place, &[]);
    let fault = said.one(&["fault configuration", "etc/mon.cf:3: "]);
    assert!(said.status == Some(2) && fault.contains("nonsense"), "{fault}");
    let run = |words: &[&str]| {
        let output = place.command(&subject()).arg("doctor").args(words).output().expect("it can be started");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    for (words, status, expect) in [
        (
            &["--help"][..],
            Some(0),
            "Exit status: 0 if all is well, 1 if there are warnings, 2 if there are faults",
        ),
        (&["--timeout", "0"], Some(2), "invalid value '0'"),
        (&["--user", "no one of this name"], Some(2), "mon doctor: there is no user no one of this name\n"),
        (&["--", "-Z"], Some(2), "mon doctor: unexpected argument '-Z'"),
        (
            &["-c", "/nonexistent/mon.cf", "--format", "json"],
            Some(2),
            "\"area\": \"configuration\", \"text\": \"config file /nonexistent/mon.cf does not exist\"",
        ),
    ] {
        let (got, said) = run(words);
        assert!(got == status && said.contains(expect), "{words:?}: {got:?} {said}");
    }
}
