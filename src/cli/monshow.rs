//! `monshow`: the status of services, as text, as JSON, or, called by a web server, as a page.

mod machine;
mod page;
mod rcfile;
mod request;
mod rows;
mod snapshot;
mod text;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use remon_core::getopt::{self, Options, Takes};
use remon_core::{reason, text as bytes};

use self::rcfile::{Selector, Settings};
use self::request::Request;
use self::snapshot::{Key, Snapshot};
use self::text::View;
use super::link::Target;
use super::login::{self, AuthLine, Credentials};
use super::{localtime, programs, terminal};

const USAGE: &str = "
usage: monshow [--showall] [--full] [--disabled] [--detail GROUP,SERVICE]
               [--watch GROUP] [--view NAME] [--rcfile FILE] [--json]
               [--server HOST] [--port PORT] [--timeout SECONDS]
               [--auth] [--login USER]

Without options, the services that fail.

  --full             all services, not only those that fail
  --showall          do not limit the rows to those that the file names
  --disabled         only what is disabled
  --detail GROUP,SERVICE
                     all about one service
  --watch GROUP      only the services of one group
  --view NAME        use the file NAME in /etc/mon/monshow
  --rcfile FILE      use FILE instead of ~/.monshowrc or /etc/mon/monshowrc
  --json             machine-readable output
  --server HOST      the server (that of the file, MONHOST, or localhost)
  --port PORT        its port (that of the file, or mon, 2583)
  --timeout SECONDS  how long to wait for an answer (30)
  --auth             log in; the password is asked for on a terminal, or read
                     from lines user=... and pass=... on standard input
  --login USER       log in as USER (name of the effective user)
  --prot VERSION     without effect, for old scripts

";

const SPEC: [(&str, Takes); 15] = [
    ("showall", Takes::Nothing),
    ("auth", Takes::Nothing),
    ("help", Takes::Nothing),
    ("full", Takes::Nothing),
    ("disabled", Takes::Nothing),
    ("json", Takes::Nothing),
    ("rcfile", Takes::Value),
    ("login", Takes::Value),
    ("server", Takes::Value),
    ("port", Takes::Number),
    ("prot", Takes::Value),
    ("detail", Takes::Value),
    ("watch", Takes::Value),
    ("view", Takes::Value),
    ("timeout", Takes::Value),
];

const VIEWS: &str = "/etc/mon/monshow";
const SYSTEM_RCFILE: &str = "/etc/mon/monshowrc";

/// Runs the program.
#[must_use]
pub(crate) fn run(argv: Vec<OsString>) -> ExitCode {
    let mut options = getopt::long(&SPEC, &programs::words(argv));
    let request = Request::from_environment();
    if request.is_none()
        && (options.has("help") || !options.complaints.is_empty() || !options.words.is_empty())
    {
        if options.complaints.is_empty() && !options.words.is_empty() {
            options.complaints.push("No non-switch args expected".to_owned());
        }
        options.complaints.push(USAGE.to_owned());
        return programs::complain(&options.complaints.join("\n"), 1);
    }
    let mut output = String::new();
    let result = match &request {
        Some(request) => serve(request, &mut output),
        None => show(&options, &mut output),
    };
    let status = u8::from(result.is_err());
    if let Err(why) = result {
        match &request {
            Some(_) => output = page::error(&why),
            None => output += &format!("Error: {why}\n\n"),
        }
    }
    programs::exit_after(io::stdout().lock().write_all(&bytes::encode(&output)), status)
}

/// The text pages.
fn show(options: &Options, output: &mut String) -> Result<(), String> {
    let mut settings = read_settings(&rcfile_of(options)?)?;
    settings.full |= options.has("full");
    if let Some(group) = options.truthy("watch") {
        settings.selection = vec![Selector { group: group.to_owned(), service: None }];
    }
    let detail = options.value("detail").filter(|key| !key.is_empty()).map(detail_key);
    let credentials = if options.has("auth") { Some(credentials(options)?) } else { None };
    let target = target(&settings, options);
    let mut snapshot = ask(&target, credentials, &settings, detail.as_ref())?;
    if options.has("showall") {
        // The question stays limited, as in the original; only the order is given up.
        snapshot.order = None;
    }
    let stdout = io::stdout().is_terminal();
    let colour = stdout && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let view = View {
        server: &target.host,
        now: localtime::now(),
        local: localtime::text,
        summary_len: settings.summary_len,
        terminal: stdout,
        colour,
    };
    if options.has("json") {
        *output = machine::compose(&view, settings.full, &snapshot, detail.as_ref())?;
        return Ok(());
    }
    *output += &text::header(&view, &snapshot);
    if options.has("disabled") {
        *output += &text::disabled(&snapshot.disabled);
    } else if let Some(key) = detail {
        let detail = text::detail(&view, &snapshot, &key);
        *output += &detail.ok_or_else(|| format!("{}/{} not a valid service", key.0, key.1))?;
    } else {
        *output += &text::table(&view, &rows::select(&snapshot, settings.full));
        if settings.show_disabled {
            *output += &text::disabled(&snapshot.disabled);
        }
    }
    output.push('\n');
    Ok(())
}

/// The web page.
fn serve(request: &Request, output: &mut String) -> Result<(), String> {
    let mut settings = read_settings(&request.rcfile()?)?;
    if let Some(group) = request.argument("watch") {
        settings.selection = vec![Selector { group: group.to_owned(), service: None }];
    }
    let detail = request.argument("detail").map(detail_key);
    let target = target(&settings, &Options::default());
    let snapshot = ask(&target, None, &settings, detail.as_ref())?;
    let context = page::Context {
        settings: &settings,
        server: &target.host,
        now: localtime::now(),
        local: localtime::text,
    };
    *output = page::compose(&context, request, &snapshot, detail.as_ref())?;
    Ok(())
}

fn target(settings: &Settings, options: &Options) -> Target {
    let host = Target::host(options.truthy("server"), settings.host.as_deref());
    let port = Target::port(options.truthy("port").or(settings.port.as_deref()));
    Target { host, port, patience: Target::patience(options, "timeout") }
}

/// `GROUP,SERVICE`.
fn detail_key(word: &str) -> Key {
    let (group, service) = word.split_once(',').unwrap_or((word, ""));
    (group.to_owned(), service.to_owned())
}

/// The file to read, and whether it must be there.
#[derive(Debug, PartialEq, Eq)]
struct Rcfile {
    path: PathBuf,
    required: bool,
}

fn rcfile_of(options: &Options) -> Result<Rcfile, String> {
    if let Some(file) = options.truthy("rcfile") {
        return Ok(Rcfile { path: programs::path(file), required: false });
    }
    if let Some(view) = options.value("view").filter(|view| !view.is_empty()) {
        return Ok(Rcfile { path: Path::new(VIEWS).join(programs::path(view)), required: true });
    }
    let own = std::env::var_os("HOME").map(|home| Path::new(&home).join(".monshowrc"));
    let path = own.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(SYSTEM_RCFILE));
    Ok(Rcfile { path, required: false })
}

fn read_settings(rcfile: &Rcfile) -> Result<Settings, String> {
    if !rcfile.path.is_file() {
        return if rcfile.required { Err("no view found".to_owned()) } else { Ok(Settings::default()) };
    }
    let complaint = |error| {
        format!("while reading config file, could not read {}: {}", rcfile.path.display(), reason::of(&error))
    };
    let file = std::fs::read(&rcfile.path).map_err(complaint)?;
    let (settings, complaints) = rcfile::parse(&bytes::decode(file))?;
    for complaint in complaints {
        let _ = programs::complain(&complaint, 0);
    }
    Ok(settings)
}

fn ask(
    target: &Target,
    credentials: Option<Credentials>,
    settings: &Settings,
    detail: Option<&Key>,
) -> Result<Snapshot, String> {
    let mut client = target.open_session()?;
    if let Some(Credentials { user, password }) = credentials {
        client.login(&user, &password).map_err(|error| format!("Could not authenticate: {error}"))?;
    }
    snapshot::fetch(&mut client, &settings.selection, detail)
}

fn credentials(options: &Options) -> Result<Credentials, String> {
    let named = options.truthy("login").map(str::to_owned).or_else(terminal::user_name);
    let mut given =
        Credentials { user: named.ok_or("could not determine username")?, password: String::new() };
    if io::stdin().is_terminal() {
        given.password = terminal::read_password().map_err(|error| reason::of(&error))?;
        if given.password.trim().is_empty() {
            return Err(login::INVALID.to_owned());
        }
    } else {
        read_lines(io::stdin().lock(), &mut given);
    }
    given.checked().map_err(str::to_owned)
}

/// Reads up to the password; a name before it counts.
fn read_lines(input: impl BufRead, given: &mut Credentials) {
    for line in login::lines(input).map_while(Result::ok) {
        match AuthLine::parse(&line) {
            Some(AuthLine::User(user)) => given.user = user,
            Some(AuthLine::Password(password)) => {
                given.password = password;
                return;
            }
            Some(AuthLine::Malformed) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_settings_come_from() {
        let argv = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let rcfile = |line| rcfile_of(&getopt::long(&SPEC, &argv(line)));
        let expect = |path: &str, required| Ok(Rcfile { path: PathBuf::from(path), required });
        assert_eq!(rcfile("--rcfile x --view y"), expect("x", false));
        assert_eq!(rcfile("--view y"), expect("/etc/mon/monshow/y", true));
        assert_eq!(
            read_settings(&Rcfile { path: "/nonexistent".into(), required: false }),
            Ok(Settings::default())
        );
        let missing = read_settings(&Rcfile { path: "/nonexistent".into(), required: true });
        assert_eq!(missing, Err("no view found".to_owned()));
    }

    #[test]
    fn lines_about_the_login() {
        for (input, user, password) in [
            ("user=alice\npass=sesame\nuser=bob\n", "alice", "sesame"),
            ("noise\nPASS=sesame", "root", "sesame"),
            ("", "root", ""),
        ] {
            let mut given = Credentials { user: "root".into(), password: String::new() };
            read_lines(input.as_bytes(), &mut given);
            assert_eq!((given.user.as_str(), given.password.as_str()), (user, password), "{input}");
        }
    }

    #[test]
    fn keys() {
        assert_eq!(detail_key("web,http"), ("web".into(), "http".into()));
        assert_eq!(detail_key("web"), ("web".into(), "".into()));
    }
}
