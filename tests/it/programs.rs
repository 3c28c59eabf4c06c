//! The clients, monitors and alerts as the system calls them: by name.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const MON: &str = env!("CARGO_BIN_EXE_mon");

/// A directory of its own with a link for every name; gone with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let place = std::env::temp_dir().join(format!("remon-programs-{}-{count}", std::process::id()));
        fs::create_dir(&place).expect("the directory can be made");
        for name in [
            "tcp.monitor",
            "freespace.monitor",
            "loadavg.monitor",
            "file.alert",
            "moncmd",
            "monshow",
            "monfailures",
        ] {
            symlink(MON, place.join(name)).expect("the link can be made");
        }
        Place(place)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join(name));
        command
            .env_clear()
            .env("HOME", &self.0)
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.0);
        command
    }

    fn run(&self, name: &str, words: &[&str]) -> (i32, String, String) {
        self.run_with(name, words, b"")
    }

    fn run_with(&self, name: &str, words: &[&str], input: &[u8]) -> (i32, String, String) {
        told(finish(self.command(name).args(words), input))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn finish(command: &mut Command, input: &[u8]) -> Output {
    let mut child: Child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    // A program that does not read its input may be gone already.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    child.wait_with_output().expect("the program ends")
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is UTF-8");
    (output.status.code().expect("no signal ended it"), text(output.stdout), text(output.stderr))
}

/// A mon server for one connection: it answers what it is told to, and tells at the end what it heard.
struct Server {
    port: String,
    heard: JoinHandle<Vec<String>>,
}

impl Server {
    fn new(answer: impl Fn(&str) -> Option<&'static str> + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port().to_string();
        let heard = thread::spawn(move || {
            let (socket, _) = listener.accept().expect("a client comes");
            talk(&socket, answer)
        });
        Server { port, heard }
    }

    fn heard(self) -> Vec<String> {
        self.heard.join().expect("the server does not panic")
    }
}

fn talk(socket: &TcpStream, answer: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let mut heard = Vec::new();
    for line in BufReader::new(socket).lines().map_while(Result::ok) {
        let reply = answer(&line);
        heard.push(line);
        match reply {
            Some(reply) if (&mut &*socket).write_all(reply.as_bytes()).is_ok() => {}
            _ => break,
        }
    }
    heard
}

/// A small mon: two services, one of which fails.
fn small_mon(command: &str) -> Option<&'static str> {
    Some(match command {
        "protid 9745" => "220 protocol match\n",
        "login alice sesame" => "220 login accepted\n",
        "list disabled" => "group web: hostB\n220 list disabled completed\n",
        "list state" => "scheduler running\n220 list state completed\n",
        "list watch" => "web ping\nweb http\n220 list watch completed\n",
        "list opstatus" | "list opstatus web,ping web,http" => {
            "group=web service=ping opstatus=1 exitval=0 timer=5 last_check=1 alerts_sent=0 depend= last_summary=fine\n\
             group=web service=http opstatus=0 exitval=3 timer=7 last_check=0 alerts_sent=2 depend= last_summary=hostA\\20hostB\n\
             220 list opstatus completed\n"
        }
        "list failures" => {
            "group=web service=http opstatus=0 first_failure=1795346593 ack=0 last_summary=hostA\\20hostB\n220 list failures completed\n"
        }
        "list descriptions" => "web http web\\20pages\n220 list descriptions completed\n",
        "list group web" => "hostgroup web hostA *hostB\n220 list group completed\n",
        "version" => "version 9745\n220 version completed\n",
        "quit" => "220 quitting\n",
        _ if command.starts_with("login") => "530 login unsuccessful\n",
        _ => "520 invalid command\n",
    })
}

#[test]
fn both_ways_to_call_a_program() {
    let place = Place::new();
    let by_name = place.run("loadavg.monitor", &["1", "2"]);
    assert_eq!(by_name, (1, String::new(), "Usage min 5min 15min [%swap]\n".to_owned()));
    assert_eq!(told(finish(Command::new(MON).args(["run", "loadavg.monitor", "1", "2"]), b"")), by_name);
    let (status, _, error) = told(finish(Command::new(MON).args(["run", "nosuch.monitor"]), b""));
    assert!(status == 1 && error.contains("tcp.monitor"), "{error}");
}

#[test]
fn tcp_monitor_reports_what_does_not_answer() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port().to_string();
    assert_eq!(place.run("tcp.monitor", &["-p", &port, "127.0.0.1"]), (0, String::new(), String::new()));
    let (status, output, error) =
        place.run("tcp.monitor", &["-q", "-p", &port, "127.0.0.3", "127.0.0.1", "127.0.0.2"]);
    let expect = "127.0.0.2 127.0.0.3\n\n127.0.0.3 could not connect: Connection refused\n\
                  127.0.0.2 could not connect: Connection refused\nUnknown option: q\n";
    assert_eq!((status, output.as_str(), error.as_str()), (1, expect, ""));
}

#[test]
fn freespace_monitor_knows_mount_points() {
    let place = Place::new();
    assert_eq!(place.run("freespace.monitor", &["/:0"]), (0, String::new(), String::new()));
    let (status, output, _) = place.run("freespace.monitor", &["/no/mount:1", "host"]);
    assert_eq!((status, output.as_str()), (1, "/no/mount is not a mount point, host is not a mount point\n"));
}

#[test]
fn file_alert_appends() {
    let place = Place::new();
    let words = ["-s", "http", "-g", "web", "-h", "a b", "-t", "1795346603", "-u", "-d", ".", "f.log"];
    let mut command = place.command("file.alert");
    command.args(words).env("MON_ALERTTYPE", "up").env("MON_OPSTATUS", "1").env("MON_DESCRIPTION", "desc");
    for _ in 0..2 {
        let output = finish(&mut command, b"sum \xe9\ndetail\n");
        assert!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
    let entry = b"up web http 1795346603 (Sun Nov 22 11:23:23) sum \xe9\nDESCR=desc\nOPSTATUS=1\ndetail\n.\n";
    assert_eq!(fs::read(place.0.join("f.log")).expect("it was written"), entry.repeat(2));
    let (status, _, error) = place.run("file.alert", &["/nonexistent/f.log"]);
    assert_eq!(
        (status, error.as_str()),
        (2, "could not append to /nonexistent/f.log: No such file or directory\n")
    );
}

#[test]
fn moncmd_prints_answers_and_says_goodbye() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["-s", "127.0.0.1", "-p", &server.port, "list", "state"];
    let expect = "scheduler running\n220 list state completed\n";
    assert_eq!(place.run("moncmd", &words), (0, expect.to_owned(), String::new()));
    assert_eq!(server.heard(), ["list state", "quit"]);
}

#[test]
fn moncmd_logs_in_from_its_input() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["-a", "-s", "127.0.0.1", "-p", &server.port];
    let input = b"USER=alice\nPASS=sesame\nlist state\nfrobnicate\nquit\nversion\n";
    let expect = "scheduler running\n220 list state completed\n520 invalid command\n220 quitting\n";
    assert_eq!(place.run_with("moncmd", &words, input), (0, expect.to_owned(), String::new()));
    assert_eq!(server.heard(), ["login alice sesame", "list state", "frobnicate", "quit"]);

    let server = Server::new(small_mon);
    let words = ["-a", "-l", "bob", "-s", "127.0.0.1", "-p", &server.port];
    let expect = "Could not authenticate: 530 login unsuccessful\n";
    assert_eq!(
        place.run_with("moncmd", &words, b"pass=x\n\nversion\n"),
        (1, String::new(), expect.to_owned())
    );
}

#[test]
fn moncmd_without_a_password_does_not_connect() {
    let place = Place::new();
    let (status, _, error) =
        place.run("moncmd", &["-a", "-l", "alice", "-s", "127.0.0.1", "-p", "1", "list", "state"]);
    assert_eq!((status, error.as_str()), (1, "inadequate authentication information supplied\n"));
}

#[test]
fn moncmd_tells_why_it_got_no_answer() {
    let place = Place::new();
    let say = |port: &str| {
        let (status, output, error) =
            place.run("moncmd", &["-t", "0.3", "-s", "127.0.0.1", "-p", port, "list", "state"]);
        assert_eq!((status, output.as_str()), (1, ""), "{error}");
        error
    };
    assert_eq!(say("no-such-service"), "could not connect: Connection refused\n");
    assert_eq!(say(&Server::new(|_| None).port), "the server closed the connection\n");
    // A listener that nobody accepts from: the connection stands and nothing ever comes.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let begun = Instant::now();
    assert_eq!(
        say(&silent.local_addr().expect("it is bound").port().to_string()),
        "the server did not answer in time\n"
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    let (status, _, error) = place.run("moncmd", &["-s", &"x".repeat(70), "list"]);
    assert!(status == 1 && error.starts_with("Unable to find server 'xxx"), "{error}");
}

#[test]
fn clients_ask_monhost() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let mut command = place.command("moncmd");
    command.args(["-p", &server.port, "version"]).env("MONHOST", "127.0.0.1");
    assert_eq!(told(finish(&mut command, b"")).0, 0);
    let mut command = place.command("monshow");
    command.args(["--port", "1", "--rcfile", "none"]).env("MONHOST", "127.0.0.9");
    let (_, output, _) = told(finish(&mut command, b""));
    assert!(output.contains("Connection refused"), "{output}");
    assert_eq!(server.heard(), ["version", "quit"]);
}

#[test]
fn nobody_reading_is_no_panic() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let mut command = place.command("moncmd");
    let mut child = command
        .args(["-s", "127.0.0.1", "-p", &server.port, "list", "state"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    drop(child.stdout.take());
    let mut error = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut error).expect("it is UTF-8");
    assert!(!error.contains("panic"), "{error}");
    assert!(child.wait().expect("it ends").code().is_some());
}

#[test]
fn monshow_shows_the_failures() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--rcfile", "none"];
    let (status, output, error) = place.run("monshow", &words);
    assert_eq!((status, error.as_str()), (0, ""));
    let body = output.split_once("      state: ").expect("there is a header").1;
    assert_eq!(
        body,
        "scheduler running

  GROUP           SERVICE      STATUS      LAST       NEXT       ALERTS SUMMARY
R web             http         FAIL        never      7s         2      hostA hostB

"
    );
    let asked =
        ["protid 9745", "list disabled", "list state", "list watch", "list opstatus", "list descriptions"];
    assert_eq!(server.heard(), asked);
}

#[test]
fn monshow_reads_its_file_and_logs_in() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let rc =
        format!("set host 127.0.0.1\nset port {}\nset full\nset show-disabled\nwatch web\n", server.port);
    fs::write(place.0.join(".monshowrc"), rc).expect("the file can be written");
    let (status, output, error) = place.run_with("monshow", &["--auth"], b"user=alice\npass=sesame\n");
    assert_eq!((status, error.as_str()), (0, ""));
    assert!(output.contains("\nR web             ping         -  "), "{output}");
    assert!(output.ends_with("\nDISABLED HOSTS:\nweb             hostB\n\n"), "{output}");
    let heard = server.heard();
    assert_eq!(heard[1], "login alice sesame");
    assert!(heard.contains(&"list opstatus web,ping web,http".to_owned()), "{heard:?}");
}

#[test]
fn monshow_shows_one_service() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--rcfile", "none", "--detail", "web,http"];
    let (status, output, _) = place.run("monshow", &words);
    assert!(
        status == 0 && output.contains("    web pages\n") && output.contains("    hostA hostB\n"),
        "{output}"
    );
    // As the original, and then how its alerts fared; this server, like the original, does not know.
    assert!(server.heard().ends_with(&["list group web".to_owned(), "list deliveries web http".to_owned()]));
}

#[test]
fn monshow_speaks_json() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--rcfile", "none", "--json"];
    let (status, output, _) = place.run("monshow", &words);
    assert_eq!(status, 0);
    assert!(output.starts_with("{\"server\": \"127.0.0.1\", \"time\": "), "{output}");
    assert!(
        output.contains("\"last_summary\": \"hostA hostB\"")
            && output.ends_with("{\"web\": [\"hostB\"]}}}\n"),
        "{output}"
    );
}

#[test]
fn monshow_is_a_page_for_a_web_server() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let rc = format!("set host 127.0.0.1\nset port {}\n", server.port);
    fs::write(place.0.join(".monshowrc"), rc).expect("the file can be written");
    let mut command = place.command("monshow");
    command
        .env("REQUEST_METHOD", "GET")
        .env("SCRIPT_NAME", "/cgi-bin/monshow.cgi")
        .env("QUERY_STRING", "detail=web%2Chttp");
    let (status, output, _) = told(finish(&mut command, b""));
    assert_eq!(status, 0, "{output}");
    assert!(
        output.starts_with("Content-type: text/html\n\n<html>") && output.contains("Detail for web/http"),
        "{output}"
    );
}

#[test]
fn monshow_errors() {
    let place = Place::new();
    let usage = |words: &[&str], first: &str| {
        let (status, output, error) = place.run("monshow", words);
        assert_eq!((status, output.as_str()), (1, ""));
        assert!(error.starts_with(first) && error.contains("usage: monshow"), "{error}");
    };
    usage(&["--zork"], "Unknown option: zork\n");
    usage(&["word"], "No non-switch args expected\n");
    usage(&["--help"], "\nusage: monshow");
    let error = |words: &[&str]| {
        let (status, output, _) = place.run("monshow", words);
        assert_eq!(status, 1);
        output
    };
    assert_eq!(error(&["--view", "nosuch"]), "Error: no view found\n\n");
    let refused = "Error: Could not connect to server: connect failed, Connection refused\n\n";
    assert_eq!(error(&["--server", "127.0.0.1", "--port", "1", "--rcfile", "none"]), refused);
    let server = Server::new(small_mon);
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--rcfile", "none", "--watch", "nosuch"];
    assert_eq!(error(&words), "Error: no such watch or service: nosuch\n\n");
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = silent.local_addr().expect("it is bound").port().to_string();
    let words = ["--server", "127.0.0.1", "--port", &port, "--rcfile", "none", "--timeout", "0.3"];
    assert_eq!(error(&words), "Error: Could not connect to server: the server did not answer in time\n\n");
    let server = Server::new(|_| Some("what?\n520 no\n"));
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--rcfile", "none"];
    assert_eq!(error(&words), "Error: Could not connect to server: connect failed, protocol mismatch\n\n");
}

#[test]
fn monfailures_exits_by_what_it_finds() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let (status, output, _) = place.run("monfailures", &["--server", "127.0.0.1", "--port", &server.port]);
    assert!(
        status == 1
            && output.contains("\nweb:http                        Sun Nov 22 11:23:13  hostA hostB\n"),
        "{output}"
    );
    let server = Server::new(|_| Some("220 nothing\n"));
    let (status, output, _) = place.run("monfailures", &["--server", "127.0.0.1", "--port", &server.port]);
    assert_eq!((status, output.as_str()), (0, "No failures found.\n"));
    let (status, _, error) = place.run("monfailures", &["--server", "127.0.0.1", "--port", "1"]);
    assert_eq!(status, 255);
    assert!(
        error.ends_with("/monfailures: Could not connect to server: connect failed, Connection refused\n"),
        "{error}"
    );
}

#[test]
fn monfailures_takes_the_password_from_its_input() {
    let (place, server) = (Place::new(), Server::new(small_mon));
    let words = ["--server", "127.0.0.1", "--port", &server.port, "--user", "alice"];
    assert_eq!(place.run_with("monfailures", &words, b"pass=sesame\n").0, 1);
    assert_eq!(server.heard(), ["protid 9745", "login alice sesame", "list failures"]);
}
