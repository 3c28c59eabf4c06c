//! The built-in monitors, one file each.
//!
//! A monitor is a function from an [`Invocation`] to a [`Report`]. Inside it has two halves: a *probe* looks at
//! one host or one file system once and says what it saw, a *judge* turns what was seen into the report and
//! touches nothing. Probes run side by side ([`parallel`]), all bounded by one deadline, for the daemon sets no
//! limit to a monitor. Only [`report`] prints: the first line that leaves the program becomes the summary on
//! somebody's pager, so nothing else may speak first.
//!
//! To add a monitor: its file, its line in [`MONITORS`], its tests.
//!
//! What probes of the network share, from the name to the conversation, each part with the deadline of its host:
//!
//! | module | what it does |
//! |---|---|
//! | `port`, `resolve` | names of ports and of hosts to numbers; a resolver that hangs is left behind |
//! | `link` | a connection that ends at its deadline, encrypted or not; [`Trouble`]: why there is none |
//! | `tls`, [`certificate`] | encryption that shows a bad certificate instead of hiding it; its dates |
//! | `security` | the options `--tls`, `--starttls`, `--ca`, `--insecure`, `--days`, for every monitor the same |
//! | [`dialogue`], [`starttls`] | conversations in bounded lines; what SMTP, POP3 and IMAP have in common with each other |
//! | [`icmp`] | echo requests, by what this machine permits |
//! | [`child`] | a program that is run, with an end to its output and its time |
//! | `attempt` | all of these for one server that speaks in lines |
//! | [`Pattern`] | Perl's regular expressions, with a limit to what one may cost |
//! | [`canned`] | another side that has said everything beforehand, for tests and fuzzing |

mod attempt;
pub mod canned;
pub mod certificate;
pub mod child;
pub mod dialogue;
pub mod dns;
pub mod fping;
pub mod freespace;
pub mod heartbeat;
pub mod http;
pub mod icmp;
pub mod imap;
pub mod invocation;
mod link;
pub mod loadavg;
pub mod mon;
pub mod nagios;

pub mod parallel;
mod pattern;
pub mod ping;
pub mod pop3;
mod port;
mod pressure;
mod processes;
pub mod remote;
pub mod report;
mod resolve;
mod security;
pub mod smtp;
pub mod ssh;
pub mod sslcert;
pub mod starttls;
mod sys;
pub mod tcp;
mod tls;

pub use attempt::Attempt;
pub use invocation::Invocation;
pub use link::Trouble;
pub use pattern::Pattern;
pub use report::Report;

/// A program that looks at hosts and reports.
#[derive(Debug)]
pub struct Monitor {
    /// What mon.cf calls it, suffix included.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Invocation) -> Report,
    /// The same in a few words.
    pub about: &'static str,
}

/// All of them, by name.
pub static MONITORS: [Monitor; 16] = [
    Monitor { name: "dns.monitor", run: dns::run, about: "do name servers have their zones and answer" },
    Monitor { name: "fping.monitor", run: fping::run, about: "do hosts answer pings, by the program fping" },
    Monitor {
        name: "freespace.monitor",
        run: freespace::run,
        about: "free space and inodes of mounted file systems",
    },
    Monitor {
        name: "heartbeat.monitor",
        run: heartbeat::run,
        about: "tells a dead-man service that mon runs",
    },
    Monitor { name: "http.monitor", run: http::run, about: "do web servers answer, over TLS too" },
    Monitor { name: "imap.monitor", run: imap::run, about: "do IMAP servers answer, over TLS too" },
    Monitor {
        name: "loadavg.monitor",
        run: loadavg::run,
        about: "load average and memory use of this machine",
    },
    Monitor { name: "mon.monitor", run: mon::run, about: "does a mon server answer" },
    Monitor { name: "nagios.monitor", run: nagios::run, about: "any plugin of Nagios, for every host" },
    Monitor { name: "ping.monitor", run: ping::run, about: "do hosts answer pings, by ICMP" },
    Monitor { name: "pop3.monitor", run: pop3::run, about: "do POP3 servers answer, over TLS too" },
    Monitor { name: "remote.monitor", run: remote::run, about: "what other mon servers report as failing" },
    Monitor { name: "smtp.monitor", run: smtp::run, about: "do mail servers answer, over TLS too" },
    Monitor { name: "ssh.monitor", run: ssh::run, about: "can a command be run over ssh" },
    Monitor { name: "sslcert.monitor", run: sslcert::run, about: "when do certificates expire" },
    Monitor { name: "tcp.monitor", run: tcp::run, about: "does a TCP port accept connections" },
];

/// The monitor of exactly that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Monitor> {
    MONITORS.iter().find(|monitor| monitor.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_in_order() {
        assert!(MONITORS.is_sorted_by_key(|monitor| monitor.name));
        assert_eq!(find("tcp.monitor").map(|monitor| monitor.name), Some("tcp.monitor"));
        for name in ["tcp", "TCP.monitor", "tcp.monitor.real", "", "./tcp.monitor"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn each_has_help_and_then_does_nothing_else() {
        for monitor in &MONITORS {
            let report = (monitor.run)(&Invocation::of(&["--help"]));
            assert_eq!(report.exit, 0, "{}", monitor.name);
            assert!(report.text().starts_with(&format!("usage: {}", monitor.name)), "{}", monitor.name);
        }
    }
}
