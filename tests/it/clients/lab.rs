//! A daemon of which something is known, and Perl clients that ask it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::differential::calls;
use crate::differential::{normal, send_trap};
use crate::support::{Client, Daemon, Observation, Place, both, differences, latin1, oracle, skipped, wait};

pub(super) const CONFIG: &str = "\
cltimeout = 10m

hostgroup web h1 h2 h3

hostgroup db only

hostgroup mail m1 m2

watch web
    service ping
        description The web servers; \"quoted\"
        interval 1h
        monitor fake.monitor
        period
            alert fake.alert down
    service http
        interval 1h
        monitor fake.monitor
watch db
    service sql
        description Data base
        interval 2h
        monitor fake.monitor
        depend web:ping
        period
            alert fake.alert down
watch mail
    service smtp
        interval 1h
        monitor fake.monitor
        period
            alert fake.alert down

alias front
    The front page
    http://www.example.com/?a=1&b=2

view operators web db:sql
";

/// A daemon of which something is known, and what its clients said.
pub(super) struct Lab {
    // Fields are dropped in this order: connection, daemon, then the place with what is left in it.
    pub(super) client: Client,
    pub(super) daemon: Daemon,
    pub(super) place: Place,
    pub(super) seen: Vec<Observation>,
}

impl Lab {
    pub(super) fn start(program: &Path, config: &str) -> Lab {
        Lab::start_at(program, Place::new(), config)
    }

    pub(super) fn start_at(program: &Path, place: Place, config: &str) -> Lab {
        calls::install(&place);
        place.write("etc/mon.cf", config);
        let mut daemon = Daemon::spawn(program, &place, &[]);
        let client = daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
        Lab { client, daemon, place, seen: Vec::new() }
    }

    /// One service that is fine, three that fail, one of them twice; a host and a service that are disabled.
    pub(super) fn filled(program: &Path) -> Lab {
        let mut lab = Lab::start(program, CONFIG);
        calls::set_result(&lab.place, "web", "ping", "2", "h1 h3\nh1: no 'answer' from \"h1\"\n");
        lab.command("test monitor web ping");
        lab.until("list opstatus web,ping", " exitval=2 ");
        lab.result("web", "http", "0", "fine");
        lab.result("mail", "smtp", "1", "m1 m2");
        lab.result("mail", "smtp", "1", "m1");
        lab.result("db", "sql", "3", "only");
        lab.command("disable host h2");
        lab.command("disable service mail smtp");
        lab
    }

    pub(super) fn command(&mut self, command: &str) -> String {
        self.client.command(command).unwrap_or_else(|error| panic!("{error}")).join("\n")
    }

    /// Waits until a reply has this in it.
    pub(super) fn until(&mut self, command: &str, wanted: &str) {
        let mut last = String::new();
        let found = wait::until(wait::PATIENCE, wanted, || {
            last = self.client.command(command).ok()?.join("\n");
            last.contains(wanted).then_some(())
        });
        found.unwrap_or_else(|error| panic!("{command}: {error}\n{last}"));
    }

    /// Sends a result as a trap and waits until it has been taken in.
    pub(super) fn result(&mut self, group: &str, service: &str, status: &str, summary: &str) {
        let trap = [("grp", group), ("svc", service), ("sta", status), ("sum", summary)];
        send_trap(&self.place, &trap);
        self.until(
            &format!("list opstatus {group},{service}"),
            &format!(" last_summary={}", summary.replace(' ', "\\20")),
        );
    }

    /// Runs a client with this on its standard input and writes down what it says and how it ends.
    pub(super) fn run(&mut self, program: &str, args: &str, stdin: &str) {
        let seen = self.observe(program, &self.words(args), &[], stdin);
        self.seen.push(seen);
    }

    /// The same for clients that only look, all at once: the original keeps each new one waiting for a second.
    pub(super) fn run_all(&mut self, program: &str, args: &[String]) {
        let lab = &*self;
        let seen: Vec<Observation> = std::thread::scope(|scope| {
            let runs =
                args.iter().map(|args| scope.spawn(move || lab.observe(program, &lab.words(args), &[], "")));
            let runs: Vec<_> = runs.collect();
            runs.into_iter().map(|run| run.join().expect("a client was started")).collect()
        });
        self.seen.extend(seen);
    }

    fn words(&self, args: &str) -> Vec<String> {
        args.split(' ').filter(|word| !word.is_empty()).map(|word| self.place.fill(word)).collect()
    }

    pub(super) fn observe(
        &self,
        program: &str,
        words: &[String],
        env: &[(&str, String)],
        stdin: &str,
    ) -> Observation {
        let mut command = self.place.command(Path::new(program));
        command.args(words).envs(env.iter().map(|(name, value)| (name, value)));
        // Perl's hashes then have the same order each time, where the same went into them.
        command.env("PERL_HASH_SEED", "0").env("PERL_PERTURB_KEYS", "0");
        let (code, out, err) = finish(&mut command, stdin);
        let clean = |text: &str| -> String {
            let mut lines: Vec<String> = text.lines().map(|line| clean(line, &self.place)).collect();
            lines.sort();
            lines.join("\n")
        };
        let text = format!("exit {code:?}\n{}\n-- stderr\n{}", clean(&out), clean(&err));
        let label = format!("{program} {} {env:?} <{stdin:?}", words.join(" "));
        Observation::new(clean(&label), text)
    }
}

/// The same beginning for each of these.
pub(super) fn each(beginning: &str, endings: &[&str]) -> Vec<String> {
    endings.iter().map(|ending| format!("{beginning} {ending}")).collect()
}

/// Runs a command to its end. One that waits for more than it gets does so for ever, so its input is closed.
fn finish(command: &mut Command, stdin: &str) -> (Option<i32>, String, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut input = child.stdin.take().expect("it is a pipe");
    // A client that does not read its input is no error.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it was started");
    (output.status.code(), latin1(&output.stdout), latin1(&output.stderr))
}

/// Takes times, counters and the widths that come of them out of a line.
fn clean(line: &str, place: &Place) -> String {
    let line = normal::reply_line(line, place).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        out += &rest[..start];
        rest = &rest[start..];
        let (clock, span) = (clock_length(rest), span_length(rest));
        let number = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if clock > 0 {
            out += "<clock>";
        } else if span > 0 {
            // A second more, and what was to come is past.
            out.truncate(out.trim_end_matches(['+', '-']).len());
            out += "<span>";
        } else {
            out += &rest[..number];
        }
        rest = &rest[clock.max(span).max(if clock + span == 0 { number } else { 0 })..];
    }
    out + rest
}

/// How many bytes at the start are a time like `12:34:56`.
fn clock_length(text: &str) -> usize {
    let fits = |(at, byte): (usize, u8)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() };
    if text.len() >= 8 && text.bytes().take(8).enumerate().all(fits) { 8 } else { 0 }
}

/// How many bytes at the start are a span like `5s`, `1h59m3s` or `4 seconds`.
fn span_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        let is_unit = digits > 0 && after.starts_with(['d', 'h', 'm', 's']);
        let ends = after.get(1..).is_none_or(|next| !next.starts_with(|c: char| c.is_ascii_alphabetic()));
        if is_unit && ends {
            length += digits + 1;
        } else if length == 0 && [" second", " sec", " min"].iter().any(|unit| after.starts_with(unit)) {
            return digits;
        } else {
            return length;
        }
    }
}

/// Does the same with both and compares what was seen.
pub(super) fn same(what: &str, needs: &[&str], drive: impl Fn(&Path) -> Vec<Observation> + Sync) {
    let Some(oracle) = oracle() else {
        return skipped(what, "the original is not installed (apt-get install mon)");
    };
    if let Some(missing) = needs.iter().find(|program| !Path::new(program).exists()) {
        return skipped(what, &format!("{missing} is not installed (apt-get install mon mon-client)"));
    }
    let (theirs, ours) = both(&oracle, drive);
    assert!(!theirs.is_empty(), "{what}: nothing was compared");
    let report = differences(&theirs, &ours);
    assert!(report.is_empty(), "{what}, - the original, + ours:\n{report}");
}
