//! The Perl clients that people have, unchanged, talking to the original and to ours: they must say the same.

mod lab;

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::differential::{calls, normal};
use crate::support::{Observation, Place, differences, oracle, skipped, source, subject, wait};
use lab::{CONFIG, Lab, each, same};

const MONCMD: &str = "/usr/bin/moncmd";
const HERE: &str = "-s 127.0.0.1 -p @PORT@";

#[test]
fn moncmd() {
    same("moncmd", &[MONCMD], |program| {
        let mut lab = Lab::filled(program);
        lab.run_all(
            MONCMD,
            &each(
                HERE,
                &[
                    "list watch",
                    "list group web",
                    "list opstatus",
                    "list failures",
                    "list successes",
                    "list disabled",
                    "list aliases",
                    "list descriptions",
                    "list deps",
                    "list views",
                    "list alerthist",
                    "list failurehist",
                    "list state",
                    "list nosuch",
                    "bogus",
                    "version",
                    "checkauth list",
                ],
            ),
        );
        lab.run(MONCMD, &format!("{HERE} ack web ping it's \"known\""), "");
        let many = "list group web\nlist state\nLIST GROUP db\n\nversion\nget web ping interval\n";
        lab.run(MONCMD, HERE, many);
        lab.place.write("commands", "disable watch db\nlist disabled\nenable watch db\nlist disabled\n");
        lab.run(MONCMD, &format!("{HERE} -f @DIR@/commands"), "");
        lab.run(MONCMD, &format!("{HERE} -f -"), many);
        lab.run(MONCMD, &format!("{HERE} -f @DIR@/nosuch"), "");
        lab.run(MONCMD, &format!("{HERE} -d -r version"), "");
        // What the mail gateway skymon sends for its users, and what it reads.
        for command in [
            "disable host h1 h3",
            "disable watch web",
            "disable service web http",
            "list disabled",
            "list failures",
            "enable host h1 h3",
            "enable watch web",
            "enable service web http",
            "list disabled",
        ] {
            lab.run(MONCMD, &format!("{HERE} {command}"), "");
        }
        lab.seen
    });
}

/// crypt("pw1")
const USERS: &str =
    "amy:$6$aa$501XnM5ofjZ36WCPzjdHbU4t.6/fbxxpo6vaC.jMQYeO2ReX9UkAhMlFjFzIL14GbxG5FguqCbdqzIQVCygx41\n";

/// A daemon that lets only amy list things, who has a password.
fn guarded(program: &Path) -> Lab {
    let place = Place::new();
    place.write("etc/users", USERS);
    place.write("etc/auth.cf", "command section\nlist: amy\ntest: all\n\ntrap section\n127.0.0.1 * *\n");
    let globals = "authtype = userfile\nuserfile = @DIR@/etc/users\n\n";
    let mut lab = Lab::start_at(program, place, &(globals.to_owned() + CONFIG));
    lab.command("login amy pw1");
    lab.result("web", "ping", "1", "h1");
    lab
}

#[test]
fn clients_that_log_in() {
    let needs = [MONCMD, "/usr/bin/monshow", "/usr/bin/monfailures"];
    same("login", &needs, |program| {
        let mut lab = guarded(program);
        for password in ["pw1", "bad"] {
            let input = format!("user=amy\npass={password}\n\nlist watch\nlist state\n");
            lab.run(MONCMD, &format!("{HERE} -a -l amy"), &input);
            let there = "--server 127.0.0.1 --port @PORT@";
            lab.run("/usr/bin/monshow", &format!("{there} --full --auth --login amy"), &input);
            lab.run("/usr/bin/monfailures", &format!("{there} --user amy --password {password}"), "");
        }
        lab.run(MONCMD, &format!("{HERE} list watch"), "");
        lab.run("/usr/bin/monshow", "--server 127.0.0.1 --port @PORT@", "");
        lab.run("/usr/bin/monfailures", "--server 127.0.0.1 --port @PORT@", "");
        lab.seen
    });
}

#[test]
fn monshow_and_monfailures() {
    let needs = ["/usr/bin/monshow", "/usr/bin/monfailures"];
    same("monshow", &needs, |program| {
        let there = "--server 127.0.0.1 --port @PORT@";
        let mut lab = Lab::start(program, CONFIG);
        lab.run_all("/usr/bin/monshow", &each(there, &["", "--full", "--rcfile /dev/null", "--disabled"]));
        lab.run("/usr/bin/monfailures", there, "");
        drop(lab);
        let mut lab = Lab::filled(program);
        lab.command("ack web ping it's \"known\"");
        lab.place.write(
            "rc",
            "set full\nset show-disabled\nset summary-len 3\nset port @PORT@\nservice db sql\nwatch web\n",
        );
        lab.run_all(
            "/usr/bin/monshow",
            &each(
                there,
                &[
                    "",
                    "--rcfile /dev/null",
                    "--full",
                    "--rcfile /dev/null --full",
                    "--disabled",
                    "--showall",
                    "--watch web",
                    "--watch nosuch",
                    "--detail web,ping",
                    "--detail db,sql",
                    "--detail web,nosuch",
                    "--view nosuch",
                    "--rcfile @DIR@/rc",
                    "--nosuchflag",
                    "--help",
                    "word",
                ],
            ),
        );
        lab.run("/usr/bin/monfailures", there, "");
        lab.command("stop");
        lab.run("/usr/bin/monshow", &format!("{there} --full"), "");
        lab.command("disable watch web");
        lab.run("/usr/bin/monshow", &format!("{there} --full"), "");
        lab.seen
    });
}

/// Runs a page of the web with these parameters.
fn page(lab: &mut Lab, program: &str, query: &str) {
    let env = [
        ("REQUEST_METHOD", "GET".to_owned()),
        ("QUERY_STRING", lab.place.fill(query)),
        ("SCRIPT_NAME", "/cgi-bin/mon".to_owned()),
        ("SERVER_NAME", "localhost".to_owned()),
        ("SERVER_PORT", "80".to_owned()),
        ("SERVER_PROTOCOL", "HTTP/1.0".to_owned()),
        ("GATEWAY_INTERFACE", "CGI/1.1".to_owned()),
        ("REMOTE_ADDR", "127.0.0.1".to_owned()),
    ];
    let seen = lab.observe(program, &[], &env, "");
    lab.seen.push(seen);
}

#[test]
fn monshow_as_a_web_page() {
    let program_file = "/usr/lib/cgi-bin/monshow.cgi";
    same("monshow.cgi", &[program_file, "/usr/share/perl5/CGI.pm"], |program| {
        let mut lab = Lab::filled(program);
        lab.place.write(
            ".monshowrc",
            "set host 127.0.0.1\nset port @PORT@\nset show-disabled\nset full\nset refresh 60\n",
        );
        for query in [
            "",
            "disabled=1",
            "detail=web,ping",
            "detail=db,sql",
            "detail=web,nosuch",
            "watch=web",
            "view=nosuch",
        ] {
            page(&mut lab, program_file, query);
        }
        lab.seen
    });
}

#[test]
fn the_web_console() {
    let program_file = "/usr/lib/cgi-bin/mon.cgi";
    same("mon.cgi", &[program_file, "/usr/share/perl5/CGI.pm"], |program| {
        let mut lab = Lab::filled(program);
        for command in [
            "",
            "query_opstatus",
            "query_opstatus_full",
            "query_opstatus_failures",
            "query_group&args=web",
            "svc_details&args=web,ping",
            "list_alerthist",
            "list_disabled",
            "list_dtlog",
            "mon_test_config",
            "mon_disable&args=service,web,http",
            "mon_enable&args=service,web,http",
            "mon_disable&args=watch,db",
            "mon_disable&args=host,h1",
            "mon_schedctl&args=stop",
            "query_opstatus",
            "mon_schedctl&args=start",
            "mon_ack&args=web,ping&ackcomment=being+looked+at",
            "mon_savestate&args=all",
            "mon_loadstate&args=all",
            "mon_reload&args=auth",
            "query_opstatus_failures",
        ] {
            page(&mut lab, program_file, &format!("h=127.0.0.1&p=@PORT@&command={command}"));
        }
        lab.until("list disabled", "watch db");
        lab.seen
    });
}

#[test]
fn every_method_of_the_library() {
    same("Mon::Client", &["/usr/share/perl5/Mon/Client.pm"], |program| {
        let mut lab = Lab::filled(program);
        let script = source().join("tests/clients/every_method.pl").to_string_lossy().into_owned();
        let words = [script, lab.place.port.to_string(), lab.place.trapport.to_string()];
        let seen = lab.observe("/usr/bin/perl", &words, &[], "");
        assert!(seen.text.contains("== term"), "it came to its end: {}", seen.text);
        lab.seen.push(seen);
        let ended = lab.daemon.ended(wait::PATIENCE).map(|status| status.code());
        lab.seen.push(Observation::new("term", format!("{ended:?}")));
        lab.seen
    });
}

#[test]
fn monitors_that_watch_other_daemons() {
    let remote = "/usr/lib/mon/mon.d/remote.monitor";
    let mon = "/usr/lib/mon/mon.d/mon.monitor";
    same("remote.monitor", &[remote, mon], |program| {
        let mut lab = Lab::filled(program);
        lab.until("list opstatus mail,smtp", " alerts_sent=2 ");
        lab.run_all(
            remote,
            &each(
                "--port @PORT@ 127.0.0.1",
                &[
                    "",
                    "--summary",
                    "--bigsummary",
                    "--summary --exclude web",
                    "--summary --exclude web:ping",
                    "--summary --restrict web",
                    "--summary --restrict db:sql",
                    "--restrict :sql --bigsummary",
                    "--alerts_sent 1 --summary",
                    "--alerts_sent 2 --summary",
                    "--alerts_sent 0 --summary",
                    "--failure_duration 3600 --summary",
                    "--failure_duration 0 --summary",
                    "--timeout 9 --summary",
                ],
            ),
        );
        lab.command("enable service mail smtp");
        lab.command("ack mail smtp known");
        lab.command("disable watch db");
        lab.run_all(
            remote,
            &each(
                "--port @PORT@ 127.0.0.1",
                &["--alerts_sent 2 --bigsummary", "--summary", "--bigsummary --exclude mail --restrict db"],
            ),
        );
        lab.run(remote, "--port 1 --summary 127.0.0.1", "");
        lab.run(mon, "-p @PORT@ 127.0.0.1", "");
        lab.command("stop");
        lab.run(mon, "-p @PORT@ 127.0.0.1", "");
        lab.seen
    });
}

/// Where trap.alert sends to: always this port, so each receiver has an address of its own.
const TRAP_PORT: u16 = 2583;

/// A failure and a recovery in one daemon, told to another by the alert that Debian ships.
fn forwarded(sender: &Path, receiver: &Path, pair: u32) -> Vec<Observation> {
    let id = std::process::id();
    let address = format!("127.{}.{}.{}", 1 + id % 250, 1 + id / 250 % 250, 1 + pair);
    let mut place = Place::new();
    place.trapport = TRAP_PORT;
    let mut there = Lab::start_at(receiver, place, &format!("trapbind = {address}\n\n{RECEIVER}"));
    let place = Place::new();
    symlink("/usr/lib/mon/alert.d/trap.alert", place.path("alert.d/trap.alert")).expect("our own directory");
    let config = SENDER.replace("@THERE@", &address);
    let mut here = Lab::start_at(sender, place, &config);
    let mut seen = Vec::new();
    for (status, summary) in [("3", "it's bad"), ("0", "fine")] {
        calls::set_result(
            &here.place,
            "web",
            "ping",
            status,
            &format!("{summary}\nline one\n\nline \"two\"\n"),
        );
        here.command("test monitor web ping");
        there.until("list opstatus web,ping", &format!(" exitval={status} "));
        let status = there.command("list opstatus web,ping");
        let status: Vec<String> = status.lines().map(|line| normal::reply_line(line, &there.place)).collect();
        seen.push(Observation::new(format!("status after {summary}"), status.join("\n")));
        let told =
            wait::until(wait::PATIENCE, "the other daemon's alert", || calls::take(&there.place).pop());
        seen.push(Observation::new(
            format!("alert after {summary}"),
            told.map_or_else(|error| error, |call| call.text),
        ));
    }
    seen
}

const SENDER: &str = "\
watch web
    service ping
        interval 1h
        monitor fake.monitor
        period
            alert trap.alert -U u -P p @THERE@
            upalert trap.alert -U u -P p @THERE@
";

const RECEIVER: &str = "\
watch web
    service ping
        period
            alert fake.alert down
            upalert fake.alert up
";

#[test]
fn a_daemon_tells_another() {
    let Some(oracle) = oracle() else {
        return skipped("trap.alert", "the original is not installed (apt-get install mon)");
    };
    let ours = subject();
    let pairs = [[&oracle, &oracle], [&oracle, &ours], [&ours, &oracle], [&ours, &ours]];
    let seen: Vec<Vec<Observation>> = std::thread::scope(|scope| {
        let drivers: Vec<_> = (0..)
            .zip(pairs)
            .map(|(number, [from, to])| scope.spawn(move || forwarded(from, to, number)))
            .collect();
        drivers.into_iter().map(|driver| driver.join().expect("a trap arrives")).collect()
    });
    for (pair, seen_here) in pairs.iter().zip(&seen) {
        let report = differences(&seen[0], seen_here);
        assert!(report.is_empty(), "{pair:?}\n{report}");
    }
}
