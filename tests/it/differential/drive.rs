//! Carries out a scenario with one daemon and writes down everything that can be observed.

use std::net::UdpSocket;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::calls::{self, Call};
use super::files::{self, Listing};
use super::normal;
use super::scenario::{Kind, Scenario, Section, Step};
use crate::support::{Client, Daemon, Observation, Place, subject, subject_is_oracle, wait};

/// Time for a daemon that starts its alerts on another thread to do so; what it started is then waited for.
const SETTLE: Duration = Duration::from_millis(120);

/// How long a daemon may take to show the effect of a trap, for which it gives no receipt.
const TRAP_PATIENCE: Duration = Duration::from_millis(400);

/// Commands whose reply names another command in the original's last line (DEVIATIONS.md): only its number counts.
const MISNAMED: &[&str] = &["get maxkeep", "list warnings", "list views"];

/// Carries out `scenario` with `program`. Trouble becomes an observation too, and ends the run.
/// The first `start` takes the first program, the next one the next; the last program goes on.
pub(crate) fn drive(scenario: &Scenario, programs: &[&Path]) -> Vec<Observation> {
    let mut driver = Driver::new(scenario, programs);
    for section in scenario.sections.iter().filter(|section| section.kind == Kind::Refused) {
        driver.refuse(section);
    }
    if !scenario.steps.is_empty() {
        driver.use_config("").expect("a scenario with steps has a config");
    }
    for (line, step) in &scenario.steps {
        driver.label = format!("line {line}: {}", scenario.source(*line));
        if let Err(trouble) = driver.take(step) {
            let messages = driver.place.read("messages");
            driver.judge("trouble", &format!("{trouble}\nmessages: {messages}"), true);
            return driver.seen;
        }
    }
    driver.label = "at the end".into();
    driver.collect();
    let left: Vec<String> =
        driver.calls.iter().filter(|call| call.kind == "alert").map(|call| call.text.clone()).collect();
    driver.judge("alerts nobody expected", &left.join("\n"), !left.is_empty());
    driver.seen
}

struct Driver<'a> {
    // Fields are dropped in this order: connection, daemon, then the place with what is left in it.
    client: Option<Client>,
    daemon: Option<Daemon>,
    place: Place,
    scenario: &'a Scenario,
    /// The one at work first; before the first start, and behind it, those that follow.
    programs: Vec<&'a Path>,
    /// The files when they were last looked at.
    files: Listing,
    /// The step at work.
    label: String,
    /// Calls of fake programs that no step has claimed yet.
    calls: Vec<Call>,
    seen: Vec<Observation>,
}

impl<'a> Driver<'a> {
    fn new(scenario: &'a Scenario, programs: &[&'a Path]) -> Driver<'a> {
        let place = Place::new();
        calls::install(&place);
        for section in &scenario.sections {
            match section.kind {
                Kind::File => place.write(&section.name, &section.text),
                Kind::Script => place.script(&section.name, &section.text),
                Kind::Config | Kind::Refused => {}
            }
        }
        let (calls, seen) = (Vec::new(), Vec::new());
        let (programs, files) = (programs.to_vec(), Listing::default());
        Driver {
            client: None,
            daemon: None,
            place,
            scenario,
            programs,
            files,
            label: String::new(),
            calls,
            seen,
        }
    }

    fn observe(&mut self, what: &str, text: &str) {
        self.judge(what, text, false);
    }

    fn judge(&mut self, what: &str, text: &str, unexpected: bool) {
        self.seen.push(Observation {
            label: format!("{}, {what}", self.label),
            text: text.to_owned(),
            unexpected,
        });
    }

    /// Starts with a configuration that must be refused: how it ends, and which line it blames for what.
    fn refuse(&mut self, section: &Section) {
        self.label = format!("refused {}", section.name);
        self.place.write("etc/mon.cf", &section.text);
        let mut daemon = Daemon::spawn(self.programs[0], &self.place, &[]);
        let end = daemon.ended(wait::PATIENCE);
        let failed = end.map(|status| !status.success());
        let messages = self.place.read("messages");
        let blame = messages.lines().find_map(|line| Some(&line[line.find("cf error")?..]));
        let kind = kind_of_error(blame.unwrap_or(&messages));
        self.judge("refused", &format!("{failed:?}\n{kind}"), failed != Ok(true));
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Start(flags) => self.start(flags),
            Step::Run { group, service, exit, output } => self.run(group, service, exit, output),
            Step::Held { held, witness } => self.held(held, witness),
            Step::Trap(pairs) => self.trap(pairs),
            Step::Command { text, in_order } => self.command(text, *in_order),
            Step::Ours { start, text } => self.ours(start, text),
            Step::Status(group, service) => self.status(group, service),
            Step::ExpectAlerts(count) => self.expect_alerts(*count),
            Step::Pause(span) => {
                sleep(*span);
                Ok(())
            }
            Step::UseConfig(name) => self.use_config(name),
            Step::ShowFile(path) => self.show_file(path),
            Step::Signal(name) => {
                self.daemon()?.signal(name);
                Ok(())
            }
            Step::HangUp => self.hang_up(),
            Step::Quiet => self.quiet(),
            Step::Until { group, service, field } => self.until(group, service, field),
            Step::Copy { from, to } => {
                let text =
                    std::fs::read_to_string(self.place.path(from)).map_err(|error| error.to_string())?;
                self.place.write(to, &text);
                Ok(())
            }
            Step::Ends => self.ends(),
            Step::Files => {
                let now = Listing::of(&self.place);
                let changes = now.since(&self.files);
                self.files = now;
                self.observe("files", &changes);
                Ok(())
            }
            Step::StateFile => {
                let text = files::state_fields(&self.place, &self.place.path("state/opstatus"));
                self.observe("state file", &text);
                Ok(())
            }
        }
    }

    fn show_file(&mut self, path: &str) -> Result<(), String> {
        let text = normal::text(&self.place.read(path), &self.place);
        let mut lines: Vec<&str> = text.lines().collect();
        // After times have become tokens: two that follow each other may have the same second or not.
        lines.sort_unstable();
        let text = lines.join("\n");
        self.observe("content", &text);
        Ok(())
    }

    fn ends(&mut self) -> Result<(), String> {
        let status = self.daemon()?.ended(wait::PATIENCE)?;
        (self.daemon, self.client) = (None, None);
        if self.programs.len() > 1 {
            self.programs.remove(0);
        }
        self.observe("exit status", &format!("{:?}", status.code()));
        Ok(())
    }

    /// Sends SIGHUP and waits until state has been written. What comes after is answered when it has been read.
    fn hang_up(&mut self) -> Result<(), String> {
        let written = |place: &Place| {
            let stamp = |file: &str| place.path(file).metadata().and_then(|file| file.modified()).ok();
            (stamp("state/disabled"), stamp("state/opstatus"))
        };
        let before = written(&self.place);
        self.daemon()?.signal("HUP");
        let place = &self.place;
        wait::until(wait::PATIENCE, "both state files to be written", || {
            let now = written(place);
            (now.0.is_some() && now.1.is_some() && now.0 != before.0 && now.1 != before.1).then_some(())
        })?;
        self.ask("version").map(drop)
    }

    fn start(&mut self, flags: &[String]) -> Result<(), String> {
        let flags: Vec<String> = flags.iter().map(|flag| self.place.fill(flag)).collect();
        let mut daemon = Daemon::spawn(self.programs[0], &self.place, &flags);
        self.client = Some(daemon.ready()?);
        self.daemon = Some(daemon);
        Ok(())
    }

    fn use_config(&mut self, name: &str) -> Result<(), String> {
        let mut configs = self.scenario.sections.iter().filter(|section| section.kind == Kind::Config);
        let section =
            configs.find(|section| section.name == name).ok_or_else(|| format!("no config {name}"))?;
        self.place.write("etc/mon.cf", &section.text);
        Ok(())
    }

    fn daemon(&mut self) -> Result<&mut Daemon, String> {
        self.daemon.as_mut().ok_or_else(|| "the scenario has no `start` before this step".into())
    }

    fn ask(&mut self, command: &str) -> Result<Vec<String>, String> {
        self.client.as_mut().ok_or("the scenario has no `start` before this step")?.command(command)
    }

    fn collect(&mut self) {
        self.calls.extend(calls::take(&self.place));
    }

    /// Forces a run and waits until its result has been taken in.
    fn run(&mut self, group: &str, service: &str, exit: &str, output: &str) -> Result<(), String> {
        calls::set_result(&self.place, group, service, exit, output);
        self.ask(&format!("test monitor {group} {service}"))?;
        let call = self.monitor_call(group, service)?;
        wait::until(wait::PATIENCE, "the result to be taken in", || {
            match self.status_line(group, service) {
                Ok(line) if line.contains(" monitor_running=0") => Some(Ok(())),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })??;
        self.observe("monitor", &call.text);
        self.status(group, service)
    }

    /// Asks for a run that must not happen. Another run, asked for later and finished, is the witness that the
    /// daemon has come by.
    fn held(&mut self, held: &(String, String), witness: &(String, String)) -> Result<(), String> {
        self.ask(&format!("test monitor {} {}", held.0, held.1))?;
        self.run(&witness.0, &witness.1, "0", "witness\n")?;
        self.quiet()?;
        self.collect();
        let ran = self.calls.iter().any(|call| call.kind == "monitor" && call.service == *held);
        self.judge("ran", &ran.to_string(), ran);
        Ok(())
    }

    fn monitor_call(&mut self, group: &str, service: &str) -> Result<Call, String> {
        let wanted = (group.to_owned(), service.to_owned());
        wait::until(wait::PATIENCE, &format!("the monitor of {group} {service} to be called"), || {
            self.collect();
            let at = self.calls.iter().position(|call| call.kind == "monitor" && call.service == wanted)?;
            Some(self.calls.remove(at))
        })
    }

    fn status_line(&mut self, group: &str, service: &str) -> Result<String, String> {
        Ok(self.ask(&format!("list opstatus {group},{service}"))?.swap_remove(0))
    }

    fn status(&mut self, group: &str, service: &str) -> Result<(), String> {
        let line = self.status_line(group, service)?;
        let text = normal::reply_line(&line, &self.place);
        self.observe("status", &text);
        Ok(())
    }

    /// Waits for a service to have this in its status.
    fn until(&mut self, group: &str, service: &str, field: &str) -> Result<(), String> {
        let wanted = format!(" {field} ");
        wait::until(wait::PATIENCE, field, || {
            self.status_line(group, service).map(|line| line.contains(&wanted).then_some(())).transpose()
        })??;
        self.status(group, service)
    }

    /// Sends a trap with the usual fields and the given ones, and waits for it to show.
    fn trap(&mut self, pairs: &[(String, String)]) -> Result<(), String> {
        let given =
            |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        // Asking the original for the status of a service makes one of that name, so the scenario says whom to ask.
        let (group, service) = given("seen").split_once(':').unwrap_or((given("grp"), given("svc")));
        let before = self.status_line(group, service)?;
        let fields: Vec<(&str, &str)> =
            pairs.iter().filter(|(key, _)| key != "seen").map(|(key, value)| (&**key, &**value)).collect();
        send_trap(&self.place, &fields);
        // A refused trap shows nowhere: then this is how long it would have taken.
        let _ = wait::until(TRAP_PATIENCE, "the trap to show", || {
            (self.status_line(group, service).ok()? != before).then_some(())
        });
        self.status(group, service)
    }

    fn command(&mut self, text: &str, in_order: bool) -> Result<(), String> {
        let text = self.place.fill(text);
        let mut lines = self.ask(&text)?;
        let status = lines.pop().unwrap_or_default();
        let mut lines: Vec<String> = lines.iter().map(|line| normal::reply_line(line, &self.place)).collect();
        if !in_order {
            // The original lists what it keeps in hashes in an order that changes from run to run.
            lines.sort();
        }
        let status = if MISNAMED.contains(&text.as_str()) { status[..3].to_owned() } else { status };
        lines.push(normal::text(&status, &self.place));
        self.observe("reply", &lines.join("\n"));
        Ok(())
    }

    /// A difference on purpose. Only ours is asked, as the question alone can derange the original.
    fn ours(&mut self, start: &str, text: &str) -> Result<(), String> {
        if self.programs[0] != subject() || subject_is_oracle() {
            return Ok(());
        }
        match self.ask(text)?.join("\n") {
            reply if reply.starts_with(start) => Ok(()),
            reply => Err(format!("expected a reply that starts with {start:?}, got {reply:?}")),
        }
    }

    fn expect_alerts(&mut self, count: usize) -> Result<(), String> {
        let alerts = |calls: &[Call]| calls.iter().filter(|call| call.kind == "alert").count();
        // Too few is a difference to show, not a reason to stop.
        let _ = wait::until(wait::PATIENCE, "alerts", || {
            self.collect();
            (alerts(&self.calls) >= count).then_some(())
        });
        self.quiet()?;
        self.collect();
        let (mut found, rest): (Vec<Call>, Vec<Call>) =
            self.calls.drain(..).partition(|call| call.kind == "alert");
        self.calls = rest;
        found.sort();
        let texts: Vec<&str> = found.iter().map(|call| call.text.as_str()).collect();
        self.judge(
            "alerts",
            &format!("{} of {count}\n{}", found.len(), texts.join("\n")),
            found.len() != count,
        );
        Ok(())
    }

    /// Waits until nothing runs but the daemon, so that every alert it started has been written down.
    fn quiet(&mut self) -> Result<(), String> {
        sleep(SETTLE);
        let daemon = self.daemon()?.pid();
        let place = &self.place;
        wait::until(wait::PATIENCE, "alerts and monitors to end", || {
            place.processes().iter().all(|&pid| pid == daemon).then_some(())
        })
    }
}

/// What a refusal is about: the line and the words, without the values, which the original often loses.
fn kind_of_error(message: &str) -> String {
    let message = message.lines().next_back().unwrap_or_default();
    let (words, line) = message.rsplit_once("line ").unwrap_or((message, "none"));
    let line: String = line.chars().take_while(char::is_ascii_digit).collect();
    let mut kind = String::new();
    let mut quoted = false;
    for c in words.split('(').next().unwrap_or_default().chars() {
        match c {
            '\'' => quoted = !quoted,
            '[' => quoted = true,
            ']' => quoted = false,
            c if !quoted => kind.push(c),
            _ => {}
        }
    }
    let kind: Vec<&str> =
        kind.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("line {line}: {}", kind.join(" ").to_lowercase())
}

/// Sends a trap with the fields every trap has, unless given otherwise, and the given ones.
pub(crate) fn send_trap(place: &Place, given: &[(&str, &str)]) {
    let mut fields = vec![("pro", "0.3807"), ("usr", "u"), ("pas", "p"), ("typ", "trap"), ("spc", "0")];
    fields.extend([("seq", "0"), ("tsp", "0"), ("sum", "summary"), ("dtl", "detail")]);
    fields.retain(|(key, _)| given.iter().all(|(other, _)| other != key));
    fields.extend(given);
    let text: String = fields.iter().map(|(key, value)| format!("{key}='{}'\n", escape(value))).collect();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    socket.send_to(text.as_bytes(), ("127.0.0.1", place.trapport)).expect("loopback takes a datagram");
}

/// A trap's value as it travels.
fn escape(value: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\'' | '\0'..=' ' | '\x7f' => format!("\\{:02x}", u32::from(c)),
        other => other.to_string(),
    };
    value.chars().map(escaped).collect()
}
