//! `nagios.monitor`: any plugin of Nagios, run for every host.

mod call;
mod judge;

use std::process::Command;
use std::time::{Duration, Instant};

use remon_core::getopt::{self, Options, Takes};
use remon_core::{reason, text};

use self::call::Call;
use crate::child;
use crate::invocation::{self, Invocation};
use crate::report::Report;
use crate::{parallel, resolve};

pub use self::judge::{Attempt, Rules, Said, State, judge_hosts, judge_one};

const USAGE: &str = "usage: nagios.monitor [OPTION]... PLUGIN [ARGUMENT]... -- HOST...
       nagios.monitor [OPTION]... PLUGIN [ARGUMENT]... ;;

Runs a plugin of Nagios (Debian: monitoring-plugins) for every host, all at the
same time. Hosts are what follows the last `--`: end the line in mon.cf with it,
as mon appends the hosts. Without `--` the plugin runs once, for this machine;
end the line in mon.cf with `;;` then, so that mon appends nothing.

In an ARGUMENT $HOST stands for the host (also $HOST$, $HOSTNAME$), and
$HOSTADDRESS$ for its address, IPv4 first.

  -t, --timeout SECS      kill a plugin, and what it started, after so long (60)
      --warning ok|fail   is WARNING a failure? (fail)
      --unknown ok|fail   is UNKNOWN? (fail)
      --summary           HOST(first line of its plugin) in the first line, where
                          else are hosts alone
      --at-once N         how many plugins run at the same time (32)
      --plugins DIR:DIR   where PLUGIN is looked for
                          (/usr/lib/nagios/plugins:/usr/lib/monitoring-plugins:
                          /usr/local/lib/nagios/plugins, then PATH)
      --help              this text

  monitor nagios.monitor check_http -H $HOST -S -C 14,7 --
  monitor nagios.monitor -t 20 check_ssh -t 15 $HOSTADDRESS$ --
  monitor nagios.monitor --warning=ok check_disk -w 10% -c 5% -p / ;;

The detail has what each plugin said, performance data too. Exit status: 0; else
that of the worst plugin: 1 WARNING, 3 UNKNOWN, 2 CRITICAL. A plugin that had to
be killed is CRITICAL, one that did not end as a plugin does is UNKNOWN.
";

const OPTIONS: [(&str, Takes); 7] = [
    ("timeout", Takes::Value),
    ("warning", Takes::Value),
    ("unknown", Takes::Value),
    ("summary", Takes::Nothing),
    ("at-once", Takes::Number),
    ("plugins", Takes::Value),
    ("help", Takes::Nothing),
];

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_AT_ONCE: usize = 32;
const FOLDERS: &str = "/usr/lib/nagios/plugins:/usr/lib/monitoring-plugins:/usr/local/lib/nagios/plugins";

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let mut options = getopt::letters_and_words("t:", &OPTIONS, &invocation.words);
    if options.has("help") {
        return Report::help(USAGE);
    }
    match prepare(&mut options, invocation) {
        Ok((call, rules, limit)) => test(&call, &rules, limit, &options).with_complaints(&options.complaints),
        Err(why) => {
            Report { exit: State::Unknown.exit(), ..Report::refusal(format!("nagios.monitor: {why}")) }
                .with_complaints(&options.complaints)
        }
    }
}

fn prepare(options: &mut Options, invocation: &Invocation) -> Result<(Call, Rules, Duration), String> {
    let fails = |name| match options.value(name) {
        None | Some("fail") => Ok(true),
        Some("ok") => Ok(false),
        Some(other) => Err(format!("--{name} takes ok or fail, not \"{other}\"")),
    };
    let limit = options.value("timeout").or(options.value("t"));
    let limit = invocation::seconds(limit, DEFAULT_TIMEOUT);
    let rules = Rules {
        warning_fails: fails("warning")?,
        unknown_fails: fails("unknown")?,
        summaries: options.has("summary"),
        seconds: limit.as_secs_f64(),
    };
    // getopt ends the options at the first other word, and takes a `--` before it away.
    let call = Call::read(&options.words)?;
    let folders = options.truthy("plugins").unwrap_or(FOLDERS);
    let path = invocation.env.get("PATH").map_or("/usr/bin:/bin", String::as_str);
    let call = call.found(&[folders, path])?;
    Ok((call, rules, limit))
}

fn test(call: &Call, rules: &Rules, limit: Duration, options: &Options) -> Report {
    let Some(hosts) = call.hosts.as_deref() else {
        let attempt = ask(call, None, Instant::now() + limit);
        return judge_one(&attempt, rules);
    };
    let at_once = options.value("at-once").and_then(|number| number.parse().ok());
    let at_once = at_once.filter(|number| *number > 0).unwrap_or(DEFAULT_AT_ONCE);
    let mut attempts = Vec::new();
    for some in hosts.chunks(at_once) {
        let call = call.clone();
        attempts.extend(parallel::probe_hosts(some, limit, move |host, deadline| {
            ask(&call, Some(host), deadline)
        }));
    }
    judge_hosts(hosts, &attempts, rules)
}

/// Runs the plugin once.
fn ask(call: &Call, host: Option<&str>, deadline: Instant) -> Attempt {
    let address = match host.filter(|_| call.wants_address()) {
        None => String::new(),
        Some(host) => match resolve::first(host, 0, deadline) {
            Ok(address) => address.ip().to_string(),
            Err(trouble) => return Attempt::NotRun(trouble.words()),
        },
    };
    let mut command = Command::new(invocation::path(&call.plugin));
    let words = call.arguments.iter().map(|word| call::fill(word, host.unwrap_or_default(), &address));
    command.args(words.map(|word| invocation::path(&word)));
    match child::run(command, deadline) {
        Ok(ran) => Attempt::Ran { said: Said::read(&text::decode(ran.output)), end: ran.end },
        Err(error) => Attempt::NotRun(format!("{} cannot be run: {}", call.plugin, reason::of(&error))),
    }
}
