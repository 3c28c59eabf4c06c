//! `monfailures`: list the failures a mon server knows; exit status 1 if there are any.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use remon_core::getopt::{self, Options, Takes};
use remon_core::nouns::Wall;
use remon_core::text;
use remon_core::wire::opstatus::StatusLine;

use super::json::Json;
use super::link::Target;
use super::login::{self, AuthLine, Credentials};
use super::{localtime, programs, terminal};

const USAGE: &str = "usage: monfailures [--server HOST] [--port PORT] [--user USER] [--json]

Lists the failed services. Exit status: 0 no failure, 1 failures, 255 the
server could not be asked.

  --server HOST      the server (MONHOST, or localhost)
  --port PORT        its port, a number or a name (mon, 2583)
  --user USER        log in; the password is asked for on a terminal, or read
                     from a line pass=... on standard input
  --password WORD    the password; others can see it in the list of processes
  --timeout SECONDS  how long to wait for an answer (30)
  --json             machine-readable output
  --debug            without effect, for old scripts
  --help             this text
";

const SPEC: [(&str, Takes); 8] = [
    ("debug", Takes::Nothing),
    ("server", Takes::Value),
    ("port", Takes::Value),
    ("user", Takes::Value),
    ("password", Takes::Value),
    ("timeout", Takes::Value),
    ("json", Takes::Nothing),
    ("help", Takes::Nothing),
];

/// Not 1, which says that there are failures.
const TROUBLE: u8 = 255;

/// Runs the program.
#[must_use]
pub(crate) fn run(argv: Vec<OsString>) -> ExitCode {
    let name = argv.first().map_or_else(|| "monfailures".into(), |name| name.to_string_lossy().into_owned());
    let options = getopt::long(&SPEC, &programs::words(argv));
    for complaint in &options.complaints {
        let _ = programs::complain(complaint, 0);
    }
    let mut out = io::stdout().lock();
    if options.has("help") {
        return programs::exit_after(out.write_all(USAGE.as_bytes()), 0);
    }
    match fetch(&options) {
        Err(why) => programs::complain(&format!("{name}: {why}"), TROUBLE),
        Ok(failures) => {
            let output =
                if options.has("json") { json(&failures) } else { table(&failures, localtime::text) };
            programs::exit_after(out.write_all(&text::encode(&output)), u8::from(!failures.is_empty()))
        }
    }
}

fn fetch(options: &Options) -> Result<Vec<StatusLine>, String> {
    let credentials = credentials(options)?;
    let host = Target::host(options.truthy("server"), None);
    let port = Target::port(options.value("port").filter(|port| !port.is_empty()));
    let target = Target { host, port, patience: Target::patience(options, "timeout") };
    let mut client = target.open_session()?;
    if let Some(Credentials { user, password }) = credentials {
        client.login(&user, &password).map_err(|error| format!("login failure: {error}"))?;
    }
    let lines =
        client.ask("list failures").map_err(|error| format!("Error doing list_failures : {error}"))?;
    let mut failures = lines.iter().filter_map(|line| StatusLine::parse(line)).collect::<Vec<_>>();
    failures.sort_by(|a, b| (a.group(), a.service()).cmp(&(b.group(), b.service())));
    Ok(failures)
}

fn credentials(options: &Options) -> Result<Option<Credentials>, String> {
    let Some(user) = options.truthy("user").map(str::to_owned) else { return Ok(None) };
    let password = match options.value("password") {
        Some(password) => password.to_owned(),
        None if io::stdin().is_terminal() => terminal::read_password().map_err(|error| error.to_string())?,
        None => password_line(),
    };
    Credentials { user, password }.checked().map(Some).map_err(|why| format!("login failure: {why}"))
}

fn password_line() -> String {
    let lines = login::lines(io::stdin().lock()).map_while(Result::ok);
    let mut passwords = lines.filter_map(|line| match AuthLine::parse(&line) {
        Some(AuthLine::Password(password)) => Some(password),
        _ => None,
    });
    passwords.next().unwrap_or_default()
}

fn table(failures: &[StatusLine], local: impl Fn(Wall) -> String) -> String {
    if failures.is_empty() {
        return "No failures found.\n".to_owned();
    }
    // The original rings the bell.
    let mut table = "\x07\n".to_owned();
    table += &row("Hostgroup:Service", "Down Since", "Error Summary");
    table += &row("-----------------", "----------", "-------------");
    for failure in failures {
        let since = local(failure.number("first_failure"));
        let acked = if failure.number("ack") == 0 { "" } else { "[acked] " };
        let summary = format!("{acked}{}", failure.get("last_summary"));
        table += &row(&format!("{}:{}", failure.group(), failure.service()), &since, &summary);
    }
    table + "\n"
}

/// One line; what is too wide for its column is cut, the year of a date for one.
fn row(service: &str, since: &str, summary: &str) -> String {
    let printable = |text: &str, most| {
        text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
    };
    let (service, since, summary) = (printable(service, 30), printable(since, 19), printable(summary, 26));
    format!("{}\n", format!("{service:<30}  {since:<19}  {summary}").trim_end())
}

fn json(failures: &[StatusLine]) -> String {
    Json::List(failures.iter().map(Json::of_status).collect()).text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::nouns::Civil;

    #[test]
    fn the_table_of_the_original() {
        let lines = [
            r"group=web service=http first_failure=1795346593 ack=1 last_summary=hostA\20hostB",
            r"group=web service=long first_failure=1795346593 ack=0 last_summary=summary\20{with}\20[odd]\20(chars)\20|",
        ];
        let failures = lines.iter().filter_map(|line| StatusLine::parse(line)).collect::<Vec<_>>();
        assert_eq!(
            table(&failures, |wall| Civil::utc(wall).to_string()),
            "\x07
Hostgroup:Service               Down Since           Error Summary
-----------------               ----------           -------------
web:http                        Sun Nov 22 11:23:13  [acked] hostA hostB
web:long                        Sun Nov 22 11:23:13  summary {with} [odd] (char

"
        );
        assert_eq!(table(&[], |_| String::new()), "No failures found.\n");
    }
}
