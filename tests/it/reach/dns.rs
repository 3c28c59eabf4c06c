//! `dns.monitor` with BIND, which is several servers at once: it answers by the address it is asked at.

use std::io::Read as _;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{MON, NO_NAME, PATH, in_own_network, original, output, run};
use crate::support::{Place, skipped, wait};

const NAMED: &str = "/usr/sbin/named";

const CONFIG: &str = r#"options {
    directory "@DIR@"; pid-file "@DIR@/named.pid"; session-keyfile "@DIR@/session.key";
    listen-on { 127.0.77.53; 127.0.77.54; 127.0.77.55; 127.0.77.56; 127.0.77.58; 127.0.77.60; };
    listen-on-v6 { none; }; notify no; recursion no; allow-transfer { none; }; dnssec-validation no;
    empty-zones-enable no; managed-keys-directory "@DIR@";
};
controls { };
view "v53" { match-destinations { 127.0.77.53; }; @ZONE100@ };
view "v54" { match-destinations { 127.0.77.54; }; @ZONE100@ };
view "v55" { match-destinations { 127.0.77.55; };
    zone "example.test" { type primary; file "zone99"; }; };
view "v60" { match-destinations { 127.0.77.60; };
    zone "example.test" { type primary; file "zone90"; }; };
view "v58" { match-destinations { 127.0.77.58; }; recursion yes; allow-recursion { any; };
    zone "example.test" { type forward; forward only; forwarders { 127.0.77.53; }; }; };
view "v56" { match-destinations { any; }; allow-query { none; }; };
"#;

const ZONE: &str = "$TTL 60
@ IN SOA ns.example.test. admin.example.test. ( SERIAL 3600 600 86400 60 )
@ IN NS ns.example.test.
@ IN MX 10 mail.example.test.
ns IN A 127.0.77.53
mail IN A 127.0.0.1
host IN A 127.0.0.1
good IN A 127.0.0.1
alias IN A 127.0.0.2
";

/// A network of its own, where the addresses are, and named in it.
struct Named {
    place: Place,
    child: Child,
}

impl Named {
    fn start_for(test: &str) -> Option<Named> {
        if !Path::new(NAMED).exists() {
            skipped(test, "no named (package bind9)");
            return None;
        }
        let place = Place::new();
        for serial in ["100", "99", "90"] {
            let mut zone = ZONE.replace("SERIAL", serial);
            // Too long for a datagram: asked again over TCP.
            (0..40).for_each(|number| zone += &format!("many IN TXT \"{number} {}\"\n", "x".repeat(60)));
            place.write(&format!("zone{serial}"), &zone);
        }
        let zone100 = "zone \"example.test\" { type primary; file \"zone100\"; };";
        place.write("named.conf", &CONFIG.replace("@ZONE100@", zone100));
        let addresses =
            "for last in 53 54 55 56 58 60; do ip addr add 127.0.77.$last/32 dev lo || exit 1; done";
        let script = format!("{addresses}; exec {NAMED} -g -n 1 -c \"$0\"");
        let config = place.path("named.conf").to_string_lossy().into_owned();
        let Some(mut command) = in_own_network("1 0", &["sh", "-c", &script, &config]) else {
            skipped(test, "only root can make a network namespace");
            return None;
        };
        let log = std::fs::File::create(place.path("named.log")).expect("our own directory is writable");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("named can be started");
        let named = Named { place, child };
        let up = wait::until(Duration::from_secs(60), "named to run", || {
            named.place.read("named.log").contains(" running\n").then_some(())
        });
        up.unwrap_or_else(|why| panic!("{why}\n{}", named.place.read("named.log")));
        Some(named)
    }

    /// A command in that network.
    fn inside(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.env_clear().env("PATH", PATH);
        command.args(["-t", &self.child.id().to_string(), "-n", program]).args(words);
        command
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let begin = ["run", "dns.monitor", "-retry", "1", "-retransmit", "5", "-timeout", "10"];
        output(&mut self.inside(MON, &[&begin[..], words].concat()))
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ZONES: [&str; 4] = ["-zone", "example.test", "-master", "127.0.77.53"];

#[test]
fn zones() {
    let Some(named) = Named::start_for("dns.monitor with zones") else { return };
    let check = |words: &[&str], expect: (i32, &str)| {
        let (status, text) = named.run(words);
        assert_eq!((status, text.as_str()), expect, "{words:?}\n{}", named.place.read("named.log"));
    };
    let zone = |words: &[&str], expect: (i32, &str)| check(&[&ZONES[..], words].concat(), expect);
    zone(&["127.0.77.54"], (0, ""));
    zone(&["-tcp", "127.0.77.54"], (0, ""));
    zone(&["-serial_threshold", "5", "127.0.77.55"], (0, ""));
    zone(&["-master", "127.0.77.56", "127.0.77.54"], (0, ""));
    zone(
        &["127.0.77.55", "127.0.77.54", "127.0.77.56"],
        (
            2,
            "127.0.77.55 127.0.77.56(example.test) \nZone 'example.test': failed servers: 127.0.77.55 127.0.77.56\n\n\
             Query to 127.0.77.55 about example.test failed\nAuthoritative = yes\nAnswer count = 1\n\
             Answer Type = SOA\nSerial number = 99, should have been 100\n\n\
             SOA query for example.test from 127.0.77.56 failed REFUSED\n\n",
        ),
    );
    let (status, text) = named.run(&[&ZONES[..], &[NO_NAME]].concat());
    let words = format!("\nSOA query for example.test from {NO_NAME} failed no nameservers: ");
    assert!(
        status == 1 && text.starts_with(&format!("{NO_NAME}(example.test) \n")) && text.contains(&words),
        "{text}"
    );
    // Nobody listens there.
    let (status, text) = named.run(&[&ZONES[..], &["127.0.77.57"]].concat());
    assert!(status == 1 && text.ends_with("from 127.0.77.57 failed Connection refused\n\n"), "{text}");
    check(
        &["-zone", "example.test", "-master", "127.0.77.56", "-master", "127.0.77.57", "127.0.77.53"],
        (
            251,
            "(example.test) \nZone 'example.test': failed servers: \n\
             SOA query for example.test from 127.0.77.56 failed REFUSED\n\
             SOA query for example.test from 127.0.77.57 failed Connection refused\n\n",
        ),
    );
}

#[test]
fn silent_servers_cost_one_timeout_together() {
    let place = Place::new();
    let port = place.port.to_string();
    let servers = (100..110).map(|last| format!("127.0.77.{last}")).collect::<Vec<_>>();
    let bind = |server| UdpSocket::bind((server, place.port)).expect("the port is ours");
    let silent = servers.iter().map(|server| bind(server.as_str())).collect::<Vec<_>>();
    let begun = Instant::now();
    let words = ["-port", &port, "-retry", "2", "-retransmit", "1", "-caching_only", "-query", "a.test"];
    let servers = servers.iter().map(String::as_str).collect::<Vec<_>>();
    let (status, text) = run("dns.monitor", &[&words[..], &servers].concat());
    let took = begun.elapsed();
    assert!(status == 10 && text.matches("failed query timed out\n").count() == 10, "{text}");
    assert!((Duration::from_secs(3)..Duration::from_secs(20)).contains(&took), "{took:?}");
    // Each was asked twice.
    for socket in &silent {
        socket.set_nonblocking(true).expect("it is a socket");
        assert_eq!((0..3).map_while(|_| socket.recv(&mut [0; 512]).ok()).count(), 2);
    }
}

#[test]
fn queries() {
    let Some(named) = Named::start_for("dns.monitor with queries") else { return };
    let ask = |words: &[&str]| named.run(&[&["-caching_only"], words].concat());
    let good =
        ["-query", "host.example.test", "-query", "example.test:MX", "-query", "many.example.test:TXT"];
    assert_eq!(ask(&[&good[..], &["127.0.77.53", "127.0.77.58"]].concat()), (0, String::new()));
    assert_eq!(ask(&["-query", "host.example.test:A:good.example.test", "127.0.77.53"]), (0, String::new()));
    assert_eq!(
        ask(&["-query", "host.example.test:A:alias.example.test", "127.0.77.53"]),
        (
            1,
            "host.example.test@127.0.77.53  \nQuery host.example.test:A failed to match alias.example.test\n\n".to_owned()
        )
    );
    assert_eq!(
        ask(&["-query", "host.example.test:A:no.example.test", "127.0.77.53"]),
        (
            1,
            "host.example.test@127.0.77.53  \n\nA query for no.example.test from 127.0.77.53 failed NXDOMAIN\n\
             Query host.example.test:A failed to match no.example.test\n\n"
                .to_owned()
        )
    );
}

/// A server that hears and says nothing.
const SILENT: &str = "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => '127.0.77.59', LocalPort => 53, \
                      Proto => 'udp') or die; print \"up\\n\"; close STDOUT; sleep 600";

#[test]
fn beside_the_original() {
    let Some(program) = original("dns.monitor") else { return };
    let net_dns = Command::new("perl").args(["-MNet::DNS", "-e", "1"]).stderr(Stdio::null()).status();
    if !net_dns.is_ok_and(|status| status.success()) {
        return skipped("dns.monitor beside the original", "no Net::DNS (package libnet-dns-perl)");
    }
    let Some(named) = Named::start_for("dns.monitor beside the original") else { return };
    // What the forwarder has in its cache it answers without authority.
    let prime = ["-caching_only", "-query", "example.test:SOA", "127.0.77.58"];
    assert_eq!(named.run(&prime), (0, String::new()), "{}", named.place.read("named.log"));
    let mut silent =
        named.inside("perl", &["-e", SILENT]).stdout(Stdio::piped()).spawn().expect("there is perl");
    let mut up = String::new();
    let said = silent.stdout.take().map(|mut out| out.read_to_string(&mut up));
    assert!(matches!(said, Some(Ok(3))), "{up}");
    let zones = |words: &[&'static str]| [&ZONES[..], words].concat();
    for words in [
        zones(&["127.0.77.54"]),
        zones(&["-tcp", "127.0.77.54"]),
        zones(&["127.0.77.54", "127.0.77.55"]),
        zones(&["-serial_threshold=5", "127.0.77.55"]),
        zones(&["127.0.77.56"]),
        zones(&["127.0.77.58"]),
        zones(&["127.0.77.59"]),
        zones(&["-master", "127.0.77.56", "127.0.77.54"]),
        zones(&["-master", "127.0.77.60", "127.0.77.54"]),
        zones(&["-zone", "nozone.test", "127.0.77.55"]),
        vec![
            "-failsingle",
            "-zone",
            "example.test",
            "-master",
            "127.0.77.56",
            "-master",
            "127.0.77.53",
            "127.0.77.54",
        ],
        vec!["-zone", "example.test", "-master", "127.0.77.56", "127.0.77.53"],
        vec!["-zone", "example.test", "-master", "127.0.77.58", "127.0.77.53"],
        vec!["-caching_only", "-query", "nohost.example.test", "127.0.77.53", "127.0.77.56"],
        vec![
            "-cach",
            "-q",
            "nohost.example.test",
            "-q",
            "host.example.test",
            "-q",
            "nohost2.example.test:MX",
            "127.0.77.53",
            "127.0.77.54",
        ],
        vec!["-caching_only", "-query", "host.example.test:A:good.example.test", "127.0.77.53"],
        vec!["-caching_only", "-query", "many.example.test:TXT", "127.0.77.53"],
        vec!["-caching_only", "-query", "127.0.0.1:PTR", "127.0.77.53"],
    ] {
        let begin = ["-retry", "1", "-retransmit", "1", "-timeout", "5"];
        let words = [&begin[..], &words].concat();
        let ours = output(&mut named.inside(MON, &[&["run", "dns.monitor"], &words[..]].concat()));
        let theirs = output(&mut named.inside(&program.to_string_lossy(), &words));
        assert_eq!(ours, theirs, "{words:?}; left is ours");
    }
    let _ = silent.kill();
    let _ = silent.wait();
}
