//! `fping.monitor`: do hosts answer pings? It asks the program fping, which holds the right to send them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use remon_core::{getopt, reason, text};

use crate::child::{self, End, Ran};
use crate::invocation::Invocation;
use crate::parallel;
use crate::report::Report;

const USAGE: &str = "usage: fping.monitor [-a] [-r N] [-t MS] [-s MS] [-T] HOST...

Runs fping over all hosts; fails if any of them does not answer.

  -a          fail only if none of them answers
  -r N        how often a request is repeated (3)
  -t MS       milliseconds to the first repetition (2000)
  -s MS       a slower answer is a failure too
  -T          run traceroute to every host that does not answer
  -h, --help  this text

Exit status: that of fping: 1 when hosts do not answer, 2 when a name is unknown.
";

/// A ruled line, as wide as a terminal.
const RULE: &str = "------------------------------------------------------------------------------";

/// fping waits longer from try to try, by this factor.
const BACKOFF: f64 = 1.5;

/// fping's pause between two packets is shorter than this, for one host or many.
const PACKET_PAUSE: Duration = Duration::from_millis(25);

/// What fping may need besides: it resolves one name after the other.
const NAMES: Duration = Duration::from_secs(60);

/// traceroute waits 3 s for each of 3 probes at up to 30 places.
const TRACEROUTE: Duration = Duration::from_secs(300);

/// The status of a shell that does not find a program, as the original had it.
const NOT_FOUND: u8 = 127;

/// What fping said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Hosts without an answer, in its order.
    pub unreachable: Vec<String>,
    /// Those of them whose name has no address.
    pub not_found: Vec<String>,
    /// Hosts that answered, and after how many milliseconds.
    pub alive: Vec<(String, f64)>,
    /// What it said of a host besides, once.
    pub reasons: BTreeMap<String, String>,
    /// Lines that mean nothing to us.
    pub unidentified: Vec<String>,
}

impl Seen {
    /// A name has no address.
    fn lost(&mut self, host: &str) {
        self.unreachable.push(host.to_owned());
        self.not_found.push(host.to_owned());
    }
}

/// What the options ask for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// As `-s` spells it.
    pub slow: Option<String>,
    /// Does one host that answers make up for the others?
    pub any: bool,
}

/// Runs the monitor.
#[must_use]
pub fn run(invocation: &Invocation) -> Report {
    let options = getopt::letters("ahr:s:t:T", &invocation.words);
    if options.has("h") || options.has("help") {
        return Report::help(USAGE);
    }
    let hosts = &options.words;
    if hosts.is_empty() {
        return Report::good().with_complaints(&options.complaints);
    }
    let (retries, wait) = (options.truthy("r").unwrap_or("3"), options.truthy("t").unwrap_or("2000"));
    let rules = Rules { slow: options.truthy("s").map(str::to_owned), any: options.has("a") };
    let limit = limit(hosts.len(), retries, wait);
    let mut command = Command::new("fping");
    command.args(["-e", "-r", retries, "-t", wait, "--"]).args(hosts);
    let started = local_time();
    let ran = child::run(command, Instant::now() + limit);
    let times = format!(
        "start time: {started}\nend time  : {}\nduration  : {} seconds\n\n",
        local_time(),
        invocation.started.elapsed().as_secs()
    );
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => {
            let words = format!("fping: cannot be run: {}", reason::of(&error));
            return Report { exit: NOT_FOUND, ..Report::failure(words) };
        }
    };
    let seen = read(&text::decode(ran.output.clone()), hosts);
    let traces = if options.has("T") { traceroutes(&seen.unreachable) } else { String::new() };
    let mut report = judge(&rules, hosts, &seen, &ran, &times, limit);
    report.detail += &traces;
    report.with_complaints(&options.complaints)
}

/// When fping must have ended, by its own arithmetic and a good while more.
fn limit(hosts: usize, retries: &str, wait: &str) -> Duration {
    let number = |text, most| getopt::leading_number(text).unwrap_or(0.0).clamp(0.0, most);
    let tries = number(retries, 100.0) as i32 + 1;
    let factor = (BACKOFF.powi(tries) - 1.0) / (BACKOFF - 1.0);
    let waiting = (number(wait, 3_600_000.0) / 1000.0 * factor).min(86_400.0);
    let packets = u32::try_from(hosts).unwrap_or(u32::MAX).saturating_mul(tries.unsigned_abs());
    Duration::from_secs_f64(waiting) + PACKET_PAUSE.saturating_mul(packets) + NAMES
}

/// The local time as ctime has it.
fn local_time() -> String {
    jiff::Zoned::now().strftime("%a %b %e %H:%M:%S %Y").to_string()
}

/// Understands the output of fping, old and new.
#[must_use]
pub fn read(output: &str, hosts: &[String]) -> Seen {
    let mut seen = Seen::default();
    for line in output.lines().map(str::trim) {
        let (host, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let words = rest.trim_start();
        if words.starts_with("is unreachable") {
            seen.unreachable.push(host.to_owned());
        } else if let Some(after) = words.strip_prefix("is alive (") {
            seen.alive.push((host.to_owned(), getopt::leading_number(after).unwrap_or(0.0)));
        } else if words.split_whitespace().take(3).eq(["address", "not", "found"]) {
            seen.lost(host);
        } else if let Some((host, why)) = unresolved(line, hosts) {
            seen.lost(host);
            seen.reasons.entry(host.to_owned()).or_insert_with(|| why.to_owned());
        } else if let Some((_, sent_to)) =
            line.split_once(" for ICMP Echo sent to ").filter(|_| host == "ICMP")
        {
            let host = sent_to.split_whitespace().next().unwrap_or_default();
            seen.reasons.entry(host.to_owned()).or_insert_with(|| line.to_owned());
        } else if !line.is_empty() {
            seen.unidentified.push(line.to_owned());
        }
    }
    seen
}

/// `nosuch.invalid: Name or service not known`: the words of a resolver, after one of the names it was given.
fn unresolved<'a>(line: &'a str, hosts: &[String]) -> Option<(&'a str, &'a str)> {
    let (host, why) = line.rsplit_once(": ")?;
    hosts.iter().any(|given| given == host).then_some((host, why))
}

/// Turns what fping said, and how it ended, into the report.
#[must_use]
pub fn judge(
    rules: &Rules,
    hosts: &[String],
    seen: &Seen,
    ran: &Ran,
    times: &str,
    limit: Duration,
) -> Report {
    let mut seen = seen.clone();
    if ran.end == End::TimedOut {
        seen.give_up(hosts, limit);
    }
    let limit_ms = rules.slow.as_deref().and_then(getopt::leading_number);
    let is_slow = |(_, rtt): &&(String, f64)| limit_ms.is_some_and(|limit| *rtt > limit);
    let slow = seen.alive.iter().filter(is_slow).cloned().collect::<Vec<_>>();
    let (summary, exit) = match ran.end {
        End::Exited(3) => {
            return Report::failure("fping: invalid cmdline arguments").with_complaints(&seen.unidentified);
        }
        End::Exited(4) => {
            return Report::failure("fping: system call failure").with_complaints(&seen.unidentified);
        }
        End::Exited(status @ 0..=2) => (None, if slow.is_empty() { status as u8 } else { 1 }),
        End::TimedOut => (None, 1),
        End::Exited(status) => {
            (Some(format!("unknown return code ({status}) from fping")), u8::try_from(status).unwrap_or(1))
        }
        End::Signalled(signal) => (Some(format!("fping was ended by signal {signal}")), 1),
    };
    let mut failed = seen
        .unreachable
        .iter()
        .chain(slow.iter().map(|(host, _)| host))
        .map(String::as_str)
        .collect::<Vec<_>>();
    failed.sort_unstable();
    let summary = match summary {
        Some(summary) => summary,
        // Something is wrong, and it names no host: its first words are better than none.
        None if exit != 0 && failed.iter().all(|host| host.is_empty()) => {
            seen.unidentified.first().cloned().unwrap_or_else(|| format!("fping failed with status {exit}"))
        }
        None => failed.join(" "),
    };
    // With -a only the silence of all counts; but what is no verdict of fping's is always told.
    let verdict = matches!(ran.end, End::Exited(0..=2) | End::TimedOut);
    let exit = if rules.any && verdict { u8::from(seen.unreachable.len() >= hosts.len()) } else { exit };
    // As ever, an empty line follows the hosts, and nothing else.
    let gap =
        if matches!(ran.end, End::Exited(1 | 2) | End::TimedOut) || !slow.is_empty() { "\n" } else { "" };
    let detail = gap.to_owned() + &detail(&seen, &slow, rules, times);
    Report { exit, detail, empty_line: true, ..Report::failure(summary) }
}

impl Seen {
    /// fping was stopped: who has no verdict yet has none.
    fn give_up(&mut self, hosts: &[String], limit: Duration) {
        for host in hosts {
            if !self.unreachable.contains(host) && !self.alive.iter().any(|(alive, _)| alive == host) {
                self.unreachable.push(host.clone());
                let words =
                    format!("no verdict yet when fping was stopped after {} seconds", limit.as_secs());
                self.reasons.entry(host.clone()).or_insert(words);
            }
        }
    }
}

fn detail(seen: &Seen, slow: &[(String, f64)], rules: &Rules, times: &str) -> String {
    let mut out = times.to_owned();
    let _ = seen.unreachable.is_empty() || write!(out, "{}", unreachable(seen)).is_ok();
    let mut table = |heading: &str, rows: &[&(String, f64)]| {
        if !rows.is_empty() {
            let _ = writeln!(out, "{RULE}\n{heading}\n{RULE}");
        }
        for (host, rtt) in rows {
            let _ = writeln!(out, "{host:<40} {rtt:.2} ms");
        }
    };
    let limit = rules.slow.as_deref().unwrap_or_default();
    table(&format!("slow hosts (response time which exceeds {limit}ms)"), &slow.iter().collect::<Vec<_>>());
    let quick = seen.alive.iter().filter(|row| !slow.contains(row)).collect::<Vec<_>>();
    table("reachable hosts                          rtt", &quick);
    for line in &seen.unidentified {
        let _ = writeln!(out, "unidentified output from fping: [{line}]");
    }
    out
}

fn unreachable(seen: &Seen) -> String {
    let mut out = format!("{RULE}\nunreachable hosts\n{RULE}\n{}\n\n", seen.unreachable.join("\n"));
    if !seen.not_found.is_empty() {
        let _ = writeln!(out, "address not found for {}", seen.not_found.join(" "));
    }
    out.push('\n');
    for host in &seen.unreachable {
        if let Some(why) = seen.reasons.get(host) {
            let _ = writeln!(out, "{host} : {why}");
        }
    }
    out
}

/// The ways to these hosts, all at the same time, told in their order.
fn traceroutes(hosts: &[String]) -> String {
    let traces = parallel::probe_hosts(hosts, TRACEROUTE, |host, deadline| {
        let mut command = Command::new("traceroute");
        command.args(["-w", "3", "--", host]);
        match child::run(command, deadline) {
            Ok(ran) => text::decode(ran.output),
            Err(error) => format!("traceroute: cannot be run: {}\n", reason::of(&error)),
        }
    });
    let told = hosts
        .iter()
        .zip(traces)
        .map(|(host, trace)| trace.unwrap_or_else(|| format!("traceroute {host}: timeout\n")));
    let told = told.collect::<String>();
    if told.is_empty() { told } else { told + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: &str = "start time: T\nend time  : T\nduration  : 0 seconds\n\n";
    const LIMIT: Duration = Duration::from_secs(76);

    fn report(rules: &Rules, hosts: &str, output: &str, end: End) -> Report {
        let hosts = hosts.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let ran = Ran { output: Vec::new(), end };
        judge(rules, &hosts, &read(output, &hosts), &ran, TIMES, LIMIT)
    }

    fn heading(words: &str) -> String {
        format!("{RULE}\n{words}\n{RULE}\n")
    }

    #[test]
    fn the_report_of_the_original() {
        let slow = Rules { slow: Some("100".to_owned()), any: false };
        let old = "hosta is alive (1.50 ms)\nhostgone address not found\nhostc is alive (250 ms)\nhostb is unreachable\n";
        let told = report(&slow, "hosta hostb hostc hostgone", old, End::Exited(2));
        let expect = [
            &format!("hostb hostc hostgone\n\n{TIMES}"),
            &heading("unreachable hosts"),
            "hostgone\nhostb\n\naddress not found for hostgone\n\n",
            &heading("slow hosts (response time which exceeds 100ms)"),
            "hostc                                    250.00 ms\n",
            &heading("reachable hosts                          rtt"),
            "hosta                                    1.50 ms\n",
        ];
        assert_eq!((told.text(), told.exit), (expect.concat(), 1));
        let good = report(&Rules::default(), "hosta", "hosta is alive (0.03 ms)\n", End::Exited(0));
        let expect = format!(
            "\n{TIMES}{}hosta                                    0.03 ms\n",
            heading("reachable hosts                          rtt")
        );
        assert_eq!((good.text(), good.exit), (expect, 0));
    }

    #[test]
    fn names_without_an_address() {
        let output = "nosuch.invalid: Name or service not known\na is alive (0.02 ms)\n";
        let told = report(&Rules::default(), "a nosuch.invalid", output, End::Exited(2));
        assert_eq!((told.summary.as_str(), told.exit), ("nosuch.invalid", 2));
        let lines = "address not found for nosuch.invalid\n\nnosuch.invalid : Name or service not known\n";
        assert!(told.detail.contains(lines), "{}", told.detail);
        let any = Rules { any: true, ..Rules::default() };
        assert_eq!(report(&any, "a nosuch.invalid", output, End::Exited(2)).exit, 0);
        assert_eq!(report(&any, "nosuch.invalid", output, End::Exited(2)).exit, 1);
    }

    #[test]
    fn a_failure_always_has_a_summary() {
        let rules = Rules::default();
        for (output, end, summary, exit) in [
            ("", End::Exited(3), "fping: invalid cmdline arguments", 1),
            ("x\n", End::Exited(4), "fping: system call failure", 1),
            ("", End::Exited(2), "fping failed with status 2", 2),
            ("fping: what\n", End::Exited(1), "fping: what", 1),
            (" is unreachable\n", End::Exited(1), "is unreachable", 1),
            ("", End::Exited(99), "unknown return code (99) from fping", 99),
            ("", End::Signalled(9), "fping was ended by signal 9", 1),
            ("a is alive (1 ms)\n", End::TimedOut, "b", 1),
        ] {
            let told = report(&rules, "a b", output, end);
            assert_eq!((told.summary.as_str(), told.exit), (summary, exit), "{end:?}");
        }
        let any = Rules { any: true, ..Rules::default() };
        assert_eq!(report(&any, "a", "", End::Signalled(9)).exit, 1);
    }

    #[test]
    fn why_a_host_does_not_answer() {
        let output =
            "ICMP Host Unreachable from 10.0.0.1 for ICMP Echo sent to b (10.0.0.2)\nb is unreachable\n";
        let told = report(&Rules::default(), "b", output, End::Exited(1));
        assert!(told.detail.contains("b : ICMP Host Unreachable from 10.0.0.1"), "{}", told.detail);
        assert!(!told.detail.contains("unidentified"), "{}", told.detail);
    }

    #[test]
    fn limits() {
        assert!(limit(1, "3", "2000") >= Duration::from_secs(76));
        assert!(limit(usize::MAX, "99999", "1e99") < Duration::from_secs(u64::MAX / 2));
        assert_eq!(limit(0, "x", "y"), NAMES);
    }
}
