//! Web hooks and heartbeats: what a receiver gets, a real Alertmanager among them, and what is told when it refuses.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::{Place, skipped, wait};

const MON: &str = env!("CARGO_BIN_EXE_mon");
const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// Runs an alert as mon does; its exit status, standard output and standard error.
fn run(
    place: &Place,
    name: &str,
    words: &[&str],
    env: &[(&str, &str)],
    input: &str,
) -> (i32, String, String) {
    let mut command = place.command(Path::new(MON));
    command
        .args(["run", name, "-s", "http", "-g", "web", "-h", "hostA hostB", "-t", "1795346603"])
        .args(words);
    command.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("it is UTF-8");
    (output.status.code().expect("no signal ended it"), text(output.stdout), text(output.stderr))
}

/// What one client says while it is answered with `answer`.
fn hear(listener: &TcpListener, answer: &str) -> String {
    let (mut socket, _) = listener.accept().expect("a client comes");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("the limit is not zero");
    let (mut heard, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        let length =
            text.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse::<usize>().ok());
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| Some(body.len()) >= length) {
            socket.write_all(answer.as_bytes()).expect("the client listens");
            return text;
        }
        let size = socket.read(&mut chunk).expect("the client speaks");
        assert!(size > 0, "the client went away after {text}");
        heard.extend_from_slice(&chunk[..size]);
    }
}

fn secret(place: &Place, name: &str, text: &str) -> String {
    let path = place.path(name);
    fs::write(&path, text).expect("our own directory is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file was just written");
    path.to_string_lossy().into_owned()
}

fn sample(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("etc/webhook").join(name).to_string_lossy().into_owned()
}

#[test]
fn the_receiver_gets_what_the_template_says() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let base = format!("http://{}", listener.local_addr().expect("it is bound"));
    let address = secret(&place, "address", &format!("{base}/hooks/s3cret\n"));
    let token = secret(&place, "token", "Authorization: Bearer abc\n\nX-Other: 1\n");
    let template = sample("matrix.json");
    let words = ["--url-file", &address, "--header-file", &token, "--template", &template, "--method", "put"];
    let (ran, heard) = thread::scope(|scope| {
        // Some servers keep the connection open whatever the request says.
        let heard = scope.spawn(|| hear(&listener, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"));
        let ran = run(&place, "webhook.alert", &words, &[], "Zürich \"x\"\nline\u{1b}[1m\n");
        (ran, heard.join().expect("it does not panic"))
    });
    assert_eq!(ran, (0, String::new(), String::new()));
    let (head, body) = heard.split_once("\r\n\r\n").expect("there is a body");
    let lines = head.split("\r\n").collect::<Vec<_>>();
    assert_eq!(lines[0], "PUT /hooks/s3cret HTTP/1.1");
    for line in ["Authorization: Bearer abc", "X-Other: 1", "Content-Type: application/json"] {
        assert!(lines.contains(&line), "{head}");
    }
    let expect = "{\"msgtype\": \"m.text\", \"body\": \
                  \"ALERT web/http: Zürich \\\"x\\\" (Sun Nov 22 11:23:23)\\nline\\u001b[1m\\n\"}";
    assert_eq!(body.trim_end(), expect);
}

#[test]
fn every_sample_is_json_for_failures_and_their_ends() {
    let place = Place::new();
    let samples = fs::read_dir(sample("")).expect("they are there").flatten().map(|entry| entry.path());
    let samples = samples.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut count = 0;
    for file in samples {
        let file = file.to_string_lossy().into_owned();
        for up in [&[][..], &["-u"]] {
            let words = [&["--url", "http://127.0.0.1:1/", "--show", "--template", &file][..], up].concat();
            let input = "a \"quoted\" \\ <!channel> & \u{7}\nb\n\u{2028}ü\n";
            // The program itself refuses what is no JSON when filled in.
            let (status, shown, said) =
                run(&place, "webhook.alert", &words, &[("MON_FIRST_FAILURE", "0")], input);
            assert_eq!((status, said.as_str()), (0, ""), "{file}");
            assert!(shown.contains("quoted\\\""), "{file}: {shown}");
            assert!(!file.ends_with("slack.json") || !shown.contains("<!"), "{shown}");
        }
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn what_a_receiver_refuses_is_told_without_its_address() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let url = format!("http://{}/hooks/s3cret", listener.local_addr().expect("it is bound"));
    for (answer, expect) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\ninvalid_token\n", "HTTP status 403 invalid_token"),
        ("HTTP/1.1 302 Found\r\nLocation: https://h/\r\n\r\n", "HTTP status 302, it sends on to https://h/"),
        ("HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n", "HTTP status 500"),
        ("220 mail.example ESMTP\r\n", "the answer is no HTTP"),
        ("", "the answer is no HTTP"),
    ] {
        let ((status, _, said), heard) = thread::scope(|scope| {
            let heard = scope.spawn(|| hear(&listener, answer));
            let ran = run(&place, "webhook.alert", &["--url", &url, "--timeout", "20"], &[], "down\n");
            (ran, heard.join().expect("it does not panic"))
        });
        assert!(heard.starts_with("POST /hooks/s3cret HTTP/1.1\r\n"), "{heard}");
        assert!(status == 2 && said.contains(expect) && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_receiver_that_says_nothing_and_files_that_others_may_read() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
    let open = secret(&place, "open", &url);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    place.write("bad.json", "{\"text\": {{ summary }}\n");
    place.write("unknown.json", "{\n\"text\": {{ sumary }}}\n");
    for (words, expect) in [
        (&["--url", &url, "--timeout", "1"][..], "no answer within 1 s"),
        (&["--url", "http://127.0.0.1:1/"], "Connection refused"),
        (&["--url", "http://host.invalid/"], "web hook at host.invalid: "),
        (&["--url-file", &open], "must not be accessible by others"),
        (&["--url", &url, "--header-file", "none"], "cannot read none: No such file"),
        (&["--url", &url, "--template", "bad.json"], "bad.json: filled in, it is no JSON: EOF while parsing"),
        (
            &["--url", &url, "--template", "unknown.json"],
            "unknown.json: line 2: it names what there is none of",
        ),
    ] {
        let (status, _, said) = run(&place, "webhook.alert", words, &[], "down\n");
        assert!(status == 2 && said.contains(expect), "{words:?}: {said}");
    }
}

#[test]
fn heartbeats_say_which_it_is() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let url = format!("http://{}/ping/1", listener.local_addr().expect("it is bound"));
    for (kind, words, expect) in [
        ("failure", &[][..], "POST /ping/1/fail HTTP/1.1\r\n"),
        ("up", &["-u"], "POST /ping/1 HTTP/1.1\r\n"),
        ("startup", &["-O"], "POST /ping/1 HTTP/1.1\r\n"),
    ] {
        let words = [&["--url", &url][..], words].concat();
        let (ran, heard) = thread::scope(|scope| {
            let heard = scope.spawn(|| hear(&listener, "HTTP/1.1 200 OK\r\n\r\nOK"));
            let ran = run(&place, "heartbeat.alert", &words, &[("MON_ALERTTYPE", kind)], "down\nwhy\n");
            (ran, heard.join().expect("it does not panic"))
        });
        assert!(ran.0 == 0 && heard.starts_with(expect), "{ran:?} {heard}");
        assert!(heard.ends_with("web/http: down (Sun Nov 22 11:23:23)\nwhy\n"), "{heard}");
    }
}

/// The body of an answer to a GET.
fn get(port: u16, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(socket, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    answer
        .starts_with("HTTP/1.0 200")
        .then(|| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()))?
}

#[test]
fn a_real_alertmanager_knows_a_failure_and_its_end() {
    if !Path::new(ALERTMANAGER).is_file() {
        return skipped("a_real_alertmanager_knows_a_failure_and_its_end", "no prometheus-alertmanager");
    }
    let place = Place::new();
    place.write("am.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n");
    let mut command = place.command(Path::new(ALERTMANAGER));
    command.args(["--config.file=am.yml", "--storage.path=state", "--cluster.listen-address="]);
    command.arg(format!("--web.listen-address=127.0.0.1:{}", place.port));
    // Its directory takes it along at the end.
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
    let ready = wait::until(Duration::from_secs(60), "Alertmanager", || get(place.port, "/-/ready"));
    ready.unwrap_or_else(|why| panic!("{why}"));
    let url = format!("http://127.0.0.1:{}/api/v2/alerts", place.port);
    let template = sample("alertmanager.json");
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = seconds.expect("it is after 1970").as_secs();
    let (noticed, first) = (now.to_string(), (now - 60).to_string());
    let tell = |more: &[&str]| {
        let words = [&["--url", &url, "--template", &template, "-t", &noticed][..], more].concat();
        let ran =
            run(&place, "webhook.alert", &words, &[("MON_FIRST_FAILURE", &first)], "hostA \"down\"\nwhy\n");
        assert_eq!(ran, (0, String::new(), String::new()));
    };
    let active = || get(place.port, "/api/v2/alerts?active=true&filter=group%3Dweb").expect("it answers");
    assert_eq!(active().trim(), "[]");
    tell(&[]);
    let seen =
        wait::until(wait::PATIENCE, "the alert", || Some(active()).filter(|seen| seen.contains("http")));
    let seen = seen.unwrap_or_else(|why| panic!("{why}"));
    assert!(
        seen.contains(r#""summary":"hostA \"down\"""#) && seen.contains(r#""alertname":"http""#),
        "{seen}"
    );
    tell(&["-u"]);
    let over = wait::until(wait::PATIENCE, "its end", || (active().trim() == "[]").then_some(()));
    over.unwrap_or_else(|why| panic!("{why}"));
    server.kill().expect("it runs");
    server.wait().expect("it ends");
}
