//! `mon lsp` and the Vim files in a real editor: Neovim without a screen, its own LSP client, its own highlighting.
//! What it gets to see is compared with golden files in tests/editor. `UPDATE_GOLDEN=1` rewrites them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::support::{Place, skipped, source, wait};

/// The longest that an editor may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs Neovim over `file` of `place` with the commands, and returns what the script wrote.
fn neovim(place: &Place, file: &str, commands: &[String]) -> Option<String> {
    let out = place.path("out");
    let mut command = Command::new("nvim");
    command.args(["--headless", "-u", "NONE", "-i", "NONE", "-n"]);
    for words in commands {
        command.args(["-c", words]);
    }
    let spawned = command
        .arg(place.path(file))
        .env("REMON_OUT", &out)
        .env("REMON_MON", env!("CARGO_BIN_EXE_mon"))
        .env("HOME", place.dir())
        .env("XDG_CACHE_HOME", place.dir())
        .env_remove("VIM")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(place.path("stderr")).expect("our own directory is writable"))
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("nvim: {error}"),
    };
    let status = wait::until(PATIENCE, "nvim", || child.try_wait().expect("it can be waited for"));
    if status.is_err() {
        let _ = child.kill();
    }
    let (said, complaints) = (read(&out), read(&place.path("stderr")));
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{status:?}\n{complaints}\n{said}");
    Some(said)
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn golden(name: &str, actual: &str) {
    let path = source().join("tests/editor").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("the golden file can be written");
    }
    assert_eq!(read(&path), actual, "UPDATE_GOLDEN=1 accepts {name}");
}

fn sample(place: &Place, name: &str) {
    place.write(name, &read(&source().join("tests/editor/sample.cf")));
    place.script("mon.d/loud.monitor", "exit 0\n");
    place.script("alert.d/here.alert", "exit 0\n");
    fs::write(place.path("mon.d/lame.monitor"), "not executable").expect("our own directory is writable");
}

#[test]
fn every_feature_works_in_neovim() {
    let place = Place::new();
    sample(&place, "mon.cf");
    let script = format!("luafile {}", source().join("tests/editor/lsp.lua").display());
    let Some(said) = neovim(&place, "mon.cf", &[script]) else {
        return skipped("editor::every_feature_works_in_neovim", "there is no nvim");
    };
    golden("lsp.expected", &said.replace(&*place.dir().to_string_lossy(), "@DIR@"));
    // What the editor's formatting made of it is what `mon fmt` says.
    let formatted = place.path("out.formatted");
    let again = Command::new(env!("CARGO_BIN_EXE_mon")).arg("fmt").arg(&formatted).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&again.stdout), read(&formatted));
}

/// What README tells users of Neovim to write into their init.lua.
#[test]
fn the_configuration_of_the_readme_works() {
    let readme = read(&source().join("README.md"));
    let block =
        readme.split("```lua\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a Lua block");
    let place = Place::new();
    let text = "serverbind = 127.0.0.1\n\nhostgroup g h\n\nwatch g\n  service s\n    traptimeout 1m\n    intervall 1m\n    \
                period\n      alert file.alert x\n";
    place.write("mon.cf", text);
    let mon = format!("cmd = {{ '{}', 'lsp' }}", env!("CARGO_BIN_EXE_mon"));
    let block = block.replace("cmd = { 'mon', 'lsp' }", &mon);
    assert!(block.contains(&mon));
    let wait = "vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 10)\n\
                vim.fn.writefile({ (vim.diagnostic.get(0)[1] or {}).message }, vim.env.REMON_OUT)\nvim.cmd('qall!')\n";
    place.write("init.lua", &block);
    place.write("wait.lua", wait);
    let runtime = format!("set runtimepath^={}", source().join("etc/vim").display());
    let run = |name: &str| format!("luafile {}", place.path(name).display());
    let commands = [runtime, run("init.lua"), "filetype on".into(), "edit".into(), run("wait.lua")];
    let Some(said) = neovim(&place, "mon.cf", &commands) else {
        return skipped("editor::the_configuration_of_the_readme_works", "there is no nvim");
    };
    assert!(said.starts_with("`intervall` is not a keyword"), "{said}");
}

#[test]
fn vim_highlights_keywords_where_they_are_some() {
    let place = Place::new();
    sample(&place, "mon.cf");
    let runtime = format!("set runtimepath^={}", source().join("etc/vim").display());
    let script = format!("luafile {}", source().join("tests/editor/syntax.lua").display());
    let commands = [runtime, "filetype on".into(), "syntax on".into(), "edit".into(), script];
    let Some(said) = neovim(&place, "mon.cf", &commands) else {
        return skipped("editor::vim_highlights_keywords_where_they_are_some", "there is no nvim");
    };
    golden("syntax.expected", &said.replace(&*place.dir().to_string_lossy(), "@DIR@"));
}

/// The words of the Vim file are those that mon knows: it explains them all in completion and hover.
#[test]
fn vim_knows_the_same_keywords_as_mon() {
    use remon_core::config::help::{Where, keywords};
    let vim = read(&source().join("etc/vim/syntax/mon.vim")).replace("\n      \\", " ");
    let words_of = |group: &str| {
        let start = format!("syntax keyword {group} contained ");
        let lists = vim.lines().filter_map(|line| line.strip_prefix(&start));
        let words =
            lists.flat_map(|list| list.split(" nextgroup").next().unwrap_or_default().split_whitespace());
        let matched = format!("syntax match {group} contained /\\<\\%(");
        let patterns = vim.lines().filter_map(|line| line.strip_prefix(&matched));
        let patterns = patterns.flat_map(|line| line.split("\\)").next().unwrap_or_default().split("\\|"));
        let mut words: Vec<&str> = words.chain(patterns).collect();
        words.sort_unstable();
        words
    };
    for (group, place) in [
        ("monRecord", Where::Record),
        ("monService", Where::Watch),
        ("monServiceKeyword", Where::Service),
        ("monPeriodKeyword", Where::Period),
        ("monGlobal", Where::Global),
    ] {
        // `period` has a colour of its own, and its label.
        let known = keywords().filter(|keyword| keyword.place == place && keyword.word != "period");
        let mut known: Vec<&str> = known.map(|keyword| keyword.word).collect();
        known.sort_unstable();
        assert_eq!(words_of(group), known, "{group}");
    }
    assert_eq!(words_of("monPeriod"), ["period"]);
}

/// The server with nothing between it and the test: for what a good client never does.
struct Raw {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Raw {
    fn start() -> Raw {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mon"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the built program can be started");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Raw { child, output }
    }

    fn send(&mut self, bodies: &[&str]) {
        let frame = |body: &&str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.send_bytes(bodies.iter().map(frame).collect::<String>().as_bytes());
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.child.stdin.as_mut().expect("it is piped");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server reads");
    }

    fn receive(&mut self) -> String {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("the server writes");
            match line.trim() {
                "" => break,
                line => length = line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a length"),
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("all of the message");
        String::from_utf8(body).expect("UTF-8")
    }

    fn expect(&mut self, parts: &[&str]) {
        let message = self.receive();
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?} in {message}");
    }

    /// Closes the server's input and returns its exit status.
    fn end(mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends").code()
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}"#;

fn open(uri: &str, text: &str) -> String {
    let text = text.replace('\n', "\\n");
    format!(
        r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{{"textDocument":{{"uri":"{uri}","version":1,"text":"{text}"}}}}}}"#
    )
}

fn request(id: u32, method: &str, uri: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"textDocument":{{"uri":"{uri}"}},"position":{{"line":0,"character":0}}}}}}"#
    )
}

#[test]
fn nonsense_is_answered_and_survived() {
    let mut raw = Raw::start();
    raw.send(&[r#"{"jsonrpc":"2.0","id":7,"method":"textDocument/hover"}"#]);
    raw.expect(&[r#""id":7"#, "-32002"]);
    raw.send(&[INITIALIZE]);
    raw.expect(&[r#""id":0"#, "capabilities"]);
    raw.send(&[r#"{"id":1"#, "[]", "\"\u{20ac}\"", "", r#"{"id":2}"#]);
    for _ in 0..4 {
        raw.expect(&[r#""id":null"#, "-32700"]);
    }
    raw.expect(&[r#""id":2"#, "-32600"]);
    raw.send_bytes(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    raw.expect(&["-32700", "Content-Length"]);
    raw.send_bytes(b"Content-Length: 3\r\n\r\n\xff\xfe\xfd");
    raw.expect(&["-32700"]);
    for (id, method) in [(3, "no/such"), (4, "textDocument/hover"), (5, "textDocument/rename")] {
        raw.send(&[&request(id, method, "file:///never/opened")]);
        raw.expect(&[&format!(r#""id":{id}"#), if id == 3 { "-32601" } else { "-32602" }]);
    }
    raw.send(&[
        r#"{"method":"textDocument/didOpen"}"#,
        r#"{"method":"textDocument/didChange","params":{"textDocument":{"uri":5},"contentChanges":7}}"#,
        r#"{"id":"x","result":null}"#,
        &open("file:///m.cf", "hostgroup g h\n"),
    ]);
    raw.expect(&[r#""id":"x""#, "-32600"]);
    raw.expect(&["publishDiagnostics", "W005"]);
    raw.send(&[r#"{"method":"exit"}"#]);
    assert_eq!(raw.end(), Some(1), "no shutdown was asked for");
}

#[test]
fn a_request_that_is_taken_back_gets_that_for_an_answer() {
    let mut raw = Raw::start();
    raw.send(&[INITIALIZE]);
    raw.expect(&["capabilities"]);
    // All in one write after a message that takes long to work on, so that the server has them before it is done.
    let services: String = (0..5000).map(|n| format!("service s{n}\n interval 1m\n monitor m\n")).collect();
    let text = format!("hostgroup g h\n\nwatch g\n{services}");
    raw.send(&[&open("file:///m.cf", &text), &request(1, "textDocument/documentSymbol", "file:///m.cf")]);
    raw.send(&[
        &request(2, "textDocument/hover", "file:///m.cf"),
        r#"{"method":"$/cancelRequest","params":{"id":2}}"#,
        &request(3, "textDocument/hover", "file:///m.cf"),
        r#"{"method":"$/cancelRequest","params":{"id":99}}"#,
    ]);
    let mut messages = String::new();
    while !messages.contains(r#""id":3"#) {
        messages += &raw.receive();
    }
    // Whether it was taken back in time is a matter of luck; that it is answered once is not.
    assert_eq!(messages.matches(r#""id":2"#).count(), 1);
    assert!(messages.contains("hostgroup NAME"));
    raw.send(&[r#"{"jsonrpc":"2.0","id":4,"method":"shutdown"}"#]);
    loop {
        let message = raw.receive();
        if message.contains(r#""id":4"#) {
            assert!(message.contains(r#""result":null"#), "{message}");
            break;
        }
    }
    raw.send(&[r#"{"method":"exit"}"#]);
    assert_eq!(raw.end(), Some(0));
}

#[test]
fn a_file_for_m4_is_left_in_peace() {
    let mut raw = Raw::start();
    raw.send(&[INITIALIZE, &open("file:///mon.m4", "define(`G', `g')\nperiod G\nwatch w\n x\n")]);
    raw.expect(&["capabilities"]);
    raw.expect(&["publishDiagnostics", r#""diagnostics":[]"#]);
    raw.send(&[&request(1, "textDocument/formatting", "file:///mon.m4")]);
    raw.expect(&["it uses m4 (define)"]);
    raw.send(&[&request(2, "textDocument/documentSymbol", "file:///mon.m4")]);
    raw.expect(&[r#""name":"w""#]);
    // Without macros it is a file like any other.
    raw.send(&[&open("file:///plain.m4", "watch w\n x\n")]);
    raw.expect(&["publishDiagnostics", "E014"]);
    assert_eq!(raw.end(), Some(1), "a client that goes away is no shutdown");
}
