//! `moncmd`: send commands to a mon server, print the answers.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use remon_core::getopt::{self, Options};
use remon_core::wire::client::{Client, ClientError, Line};
use remon_core::{reason, text};

use super::link::{ConnectError, Link, Target};
use super::login::{self, AuthLine, Credentials};
use super::{programs, terminal};

const USAGE: &str = "usage: moncmd [-a] [-l USER] [-s HOST] [-p PORT] [-f FILE] [-t SECONDS] [COMMAND...]

Sends COMMAND to the mon server and prints the answer. Without COMMAND, the
lines of FILE or of standard input are sent one after the other.

  -a          log in first; the password is asked for on a terminal, or read
              from lines USER=... and PASS=... at the beginning of the input
  -l USER     log in as USER (name of the effective user)
  -s HOST     the server (MONHOST, or localhost)
  -p PORT     its port, a number or a name (mon, 2583)
  -f FILE     where the commands are, - for standard input
  -t SECONDS  how long to wait for an answer (30)
  -d, -r      without effect, for old scripts
  -h          this text

Commands of the server:
    ack GROUP SERVICE COMMENT
    checkauth COMMAND
    clear timers GROUP SERVICE
    disable|enable host HOST...
    disable|enable service GROUP SERVICE
    disable|enable watch GROUP
    get|set GROUP SERVICE VARIABLE [VALUE]
    getview, setview [VIEW]
    list alerthist|aliases|aliasgroups|deps|descriptions|disabled|dtlog
    list failurehist|failures|opstatus|pids|state|successes|views|warnings|watch
    list deliveries [GROUP [SERVICE]]
    list group GROUP
    list record [GROUP SERVICE] [FROM [TO]] [each]
    loadstate, savestate disabled|opstatus
    login USER PASSWORD
    protid, version, servertime, quit
    reload auth
    reset [stopped] [keepstate]
    start, stop, term
    test config|reload
    test monitor GROUP SERVICE
    why GROUP SERVICE [at SECONDS]
    test alert|startupalert|upalert|ackalert|disablealert GROUP SERVICE RETVAL PERIOD
";

/// What is said at a terminal without a command, in the words of the original.
const INTERACTIVE: &str = "You did not give a command on the command line nor a -f flag and
the program is running interactively (e.g. reading from terminal).
This is not supported.  Exiting
";

/// Runs the program. The answer 5xx is an answer too: it does not change the exit status.
#[must_use]
pub(crate) fn run(argv: Vec<OsString>) -> ExitCode {
    let options = getopt::letters("ahf:l:s:p:rdt:", &programs::words(argv));
    let (mut out, mut err) = (BufWriter::new(io::stdout().lock()), io::stderr());
    for complaint in &options.complaints {
        let _ = writeln!(err, "{complaint}");
    }
    if options.has("h") || options.has("help") {
        return programs::exit_after(out.write_all(USAGE.as_bytes()), 0);
    }
    match converse(&options, &mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Interactive) => programs::exit_after(out.write_all(INTERACTIVE.as_bytes()), 1),
        Err(Failure::Said(message)) => {
            // What was answered so far must not be lost.
            let _ = out.flush();
            let _ = err.write_all(&text::encode(&format!("{message}\n")));
            ExitCode::FAILURE
        }
    }
}

/// Why the program ends early.
#[derive(Debug)]
enum Failure {
    Interactive,
    Said(String),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Said(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Said(reason::of(&error))
    }
}

fn said(message: &str) -> Failure {
    Failure::Said(message.to_owned())
}

fn converse(options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let mut input = Input::open(options)?;
    let credentials = if options.has("a") { Some(credentials(options, &mut input)?) } else { None };
    let mut client = connect(options)?;
    if let Some(Credentials { user, password }) = credentials {
        client.login(&user, &password).map_err(|error| match error {
            ClientError::Refused(status) => Failure::Said(format!("Could not authenticate: {}", status.line)),
            other => other.into(),
        })?;
    }
    while let Some(command) = input.next()? {
        exchange(&mut client, &command, out)?;
        if command.trim().eq_ignore_ascii_case("quit") {
            return Ok(());
        }
    }
    // The farewell; whether the server still hears it does not matter.
    let _ = client.ask("quit");
    Ok(())
}

fn connect(options: &Options) -> Result<Client<Link>, Failure> {
    let host = Target::host(options.truthy("s"), None);
    let port = Target::port(options.truthy("p"));
    let target = Target { host, port, patience: Target::patience(options, "t") };
    target.connect().map_err(|error| match error {
        ConnectError::Unresolved => Failure::Said(format!("Unable to find server '{}'", target.host)),
        ConnectError::Failed(why) => Failure::Said(format!("could not connect: {why}")),
    })
}

/// Sends one command and prints the reply line by line, so that its length does not matter. A blank one is not sent and prints two empty lines.
fn exchange(client: &mut Client<Link>, command: &str, out: &mut impl Write) -> Result<(), Failure> {
    if command.trim().is_empty() {
        return Ok(out.write_all(b"\n\n")?);
    }
    client.send(command)?;
    loop {
        let (line, last) = match client.next_line()? {
            Line::Data(line) => (line, false),
            Line::Status(status) => (status.line, true),
        };
        let mut bytes = text::encode(&line).into_owned();
        bytes.push(b'\n');
        out.write_all(&bytes)?;
        if last {
            // Whoever feeds us commands may be waiting for this answer.
            return Ok(out.flush()?);
        }
    }
}

/// Where the commands come from.
enum Input {
    /// The command line.
    Once(Option<String>),
    /// A file or standard input; the first line may have been read already, in search of a password.
    Lines { first: Option<String>, rest: Box<dyn Iterator<Item = io::Result<String>>> },
}

impl Input {
    fn open(options: &Options) -> Result<Input, Failure> {
        let reader: Box<dyn BufRead> = match options.truthy("f") {
            Some("-") => Box::new(io::stdin().lock()),
            Some(file) => Box::new(BufReader::new(open(file)?)),
            None if !options.words.is_empty() => return Ok(Input::Once(Some(options.words.join(" ")))),
            None if io::stdin().is_terminal() => return Err(Failure::Interactive),
            None => Box::new(io::stdin().lock()),
        };
        Ok(Input::Lines { first: None, rest: Box::new(login::lines(reader)) })
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        match self {
            Input::Once(command) => Ok(command.take()),
            Input::Lines { first, rest } => match first.take() {
                Some(line) => Ok(Some(line)),
                None => rest.next().transpose(),
            },
        }
    }

    fn push_back(&mut self, line: String) {
        if let Input::Lines { first, .. } = self {
            *first = Some(line);
        }
    }
}

fn open(file: &str) -> Result<File, Failure> {
    File::open(programs::path(file))
        .map_err(|error| Failure::Said(format!("could not open input file: {}", reason::of(&error))))
}

fn credentials(options: &Options, input: &mut Input) -> Result<Credentials, Failure> {
    let named = options.truthy("l").map(str::to_owned);
    let mut given = Credentials::default();
    if io::stdin().is_terminal() {
        given.password = terminal::read_password()?;
        if given.password.trim().is_empty() {
            return Err(said(login::INVALID));
        }
    } else if let Input::Lines { .. } = input {
        given = leading_lines(input)?;
    }
    let from_input = Some(given.user).filter(|user| !user.is_empty());
    let user = named.or(from_input).or_else(terminal::user_name);
    let user = user.ok_or_else(|| said("could not determine username"))?;
    Credentials { user, password: given.password }.checked().map_err(said)
}

/// Reads the lines about the login, and one empty line after them: scripts have it there because the original
/// threw away whatever stood in that place.
fn leading_lines(input: &mut Input) -> Result<Credentials, Failure> {
    let mut given = Credentials::default();
    while let Some(line) = input.next()? {
        match AuthLine::parse(line.trim_end_matches('\r')) {
            Some(AuthLine::User(user)) => given.user = user,
            Some(AuthLine::Password(password)) => given.password = password,
            Some(AuthLine::Malformed) => {}
            None if line.trim().is_empty() => break,
            None => {
                input.push_back(line);
                break;
            }
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &'static str) -> Input {
        Input::Lines { first: None, rest: Box::new(login::lines(text.as_bytes())) }
    }

    fn check(text: &'static str, user: &str, password: &str, commands: &[&str]) {
        let mut input = input(text);
        let given = leading_lines(&mut input).expect("it is all in memory");
        let rest = std::iter::from_fn(|| input.next().expect("it is all in memory")).collect::<Vec<_>>();
        let rest = rest.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((given.user.as_str(), given.password.as_str(), &rest[..]), (user, password, commands));
    }

    #[test]
    fn lines_before_the_commands() {
        check(
            "USER=alice\nPASS=sesame\nlist state\nlist watch\n",
            "alice",
            "sesame",
            &["list state", "list watch"],
        );
        check("pass=sesame\n\nlist state\n", "", "sesame", &["list state"]);
        check("pass=sesame\n\n\nversion", "", "sesame", &["", "version"]);
        check("list state\npass=x\n", "", "", &["list state", "pass=x"]);
        check("user=a b\npass=x", "", "x", &[]);
        check("", "", "", &[]);
    }
}
