//! Where ours does something else, and why; and recordings that cannot be made again.

/// What a sample is to us.
pub(super) enum Verdict {
    /// Ours does the same.
    Equal,
    /// Ours does what stands in `NAME.ours`, for this reason.
    Differs(&'static str),
    /// The original cannot work as it is shipped. Ours does what the sample of this name is about, which was recorded
    /// with a copy that can.
    Broken(String),
    /// Not to be made here, for this reason.
    NotHere(&'static str),
}

const DIFFERS: &[(&str, &[&str])] = &[
    (
        "the reason is told why a name has no address, or why a connection could not be made",
        &[
            "http.match-refused",
            "http.merged-nothing",
            "http.mixed-order",
            "http.partial",
            "http.refused",
            "http.unresolvable",
            "imap.intended-refused",
            "pop3.intended-partial",
            "smtp.intended-partial",
            "smtp.intended-refused",
            "smtp.intended-unresolvable",
            "sslcert.mixed",
            "sslcert.notfound",
            "sslcert.refused",
            "sslcert.two-addresses",
            "tcp.partial",
            "tcp.unresolvable",
            "dns.unbound",
            "dns.unresolvable-server",
            "ping.partial",
        ],
    ),
    ("an answer other than +OK is told", &["pop3.intended-bad"]),
    ("a server's line is told without its carriage return", &["imap.intended-login-refused", "ssh.refused"]),
    (
        "a complaint about an option stands at the end: mon takes what comes first for the summary",
        &["fping.badopt", "remote.badopt", "tcp.badopt", "tcp.merged-badopt"],
    ),
    (
        "no warnings of Perl",
        &[
            "remote.closes",
            "remote.merged-noauth",
            "remote.noauth",
            "remote.noauth-summary",
            "remote.not-a-mon",
            "sslcert.nohosts",
        ],
    ),
    ("the name of a service is its port", &["tcp.namedport", "tcp.merged-namedport"]),
    (
        "a query that does not match is in the summary, and one without answer is a failure with its reason",
        &["dns.cache-value-fail", "dns.cache-value-missing"],
    ),
    ("what each server answered; the original says nothing of zones", &["dns.debug"]),
    ("all failed servers of a zone are named, not the first alone", &["dns.many-fail", "dns.two-fail"]),
    ("several masters that all fail are no success", &["dns.two-masters-fail"]),
    (
        "a host whose name is unknown is an unreachable one, also for fping 4 and later",
        &["fping.all", "fping.merged-unresolvable", "fping.unresolvable", "fping.unresolvable-only"],
    ),
    ("what is shown with -d is in a form of its own", &["remote.debug"]),
    ("all --exclude count, not the last alone", &["remote.exclude-two"]),
    (
        "the password file is read; one that cannot be is a failure that mon shows",
        &[
            "remote.intended-passwordfile-missing",
            "remote.passwordfile",
            "remote.passwordfile-equals",
            "remote.passwordfile-missing",
        ],
    ),
    ("a host that cannot be pinged as its name is unknown is not well", &["ssh.notpingable"]),
    ("there is a time limit", &["sslcert.hang"]),
    ("addresses are found", &["sslcert.ip-literal"]),
    (
        "names are looked up as everywhere on the machine, so that name servers are not needed for /etc/hosts",
        &["sslcert.no-resolver"],
    ),
    ("wildcards count", &["sslcert.wildcard"]),
    (
        "a mail has a date and MIME headers, and ours has another order; -T and -O are known",
        &[
            "mail-alert.basic",
            "mail-alert.empty-input",
            "mail-alert.from-subject",
            "mail-alert.long-members",
            "mail-alert.nol",
            "mail-alert.order-mon",
            "mail-alert.trap",
            "mail-alert.traptimeout",
            "mail-alert.two-rcpt",
            "mail-alert.upalert",
        ],
    ),
    ("it says which half failed", &["mail-alert.no-sendmail"]),
    (
        "the mail as with mail.alert; XMPP is spoken without sendxmpp, and only with those who are named",
        &[
            "mailxmpp-alert.basic",
            "mailxmpp-alert.from",
            "mailxmpp-alert.nomail",
            "mailxmpp-alert.noxmpp",
            "mailxmpp-alert.upalert",
        ],
    ),
    (
        "XMPP and HTTP are spoken without sendxmpp and curl; the JSON is valid, nothing is printed, and host names are no addresses",
        &["slackxmpp-alert.basic", "slackxmpp-alert.hook", "slackxmpp-alert.upalert"],
    ),
    (
        "the exit status tells that nothing was sent, -T takes no value, and the reason is told in one line",
        &["trap-alert.T-flag", "trap-alert.noretval", "trap-alert.unresolvable"],
    ),
    ("warn is a status, too", &["trap-alert.warn"]),
];

const NOT_HERE: &[(&str, &[&str])] =
    &[("the module of Perl that it lacked is no part of ours", &["mailxmpp-alert.as-installed"])];

/// These fail for every host as shipped, since Perl refuses their call of `hostname`.
const BROKEN: [&str; 3] = ["imap.", "pop3.", "smtp."];

/// Commands that the recording tells in other words.
const INSTEAD: &[(&str, &str)] = &[
    (
        "mail-alert.no-sendmail",
        "mail.alert --sendmail /nonexistent -s http -g web -h hostA -t 1795346603 root@localhost",
    ),
    ("test-alert.basic", "test.alert -s http -g web -h 'hostA hostB hostC' -t 1795346603 -l 3600 x"),
    (
        "trap-alert.T-flag",
        "MON_GROUP=web MON_SERVICE=http MON_RETVAL=1 MON_OPSTATUS=0 trap.alert -s http -g web -h hostA -t 1795346603 -T 127.0.77.9",
    ),
    // It was ended from outside.
    ("sslcert.hang", "sslcert.monitor -t 2 -p 18082 good.example.test"),
];

pub(super) fn verdict(name: &str) -> Verdict {
    let of = |table: &'static [(&'static str, &[&str])]| {
        table.iter().find(|(_, names)| names.contains(&name)).map(|(why, _)| *why)
    };
    let broken = BROKEN.iter().find_map(|program| Some((program, name.strip_prefix(program)?)));
    if let Some((program, case)) =
        broken.filter(|(_, case)| *case != "nohosts" && !case.starts_with("intended-"))
    {
        return Verdict::Broken(format!("{program}intended-{case}"));
    }
    match (of(DIFFERS), of(NOT_HERE)) {
        (Some(why), _) => Verdict::Differs(why),
        (None, Some(why)) => Verdict::NotHere(why),
        (None, None) => Verdict::Equal,
    }
}

/// Everything that is named here.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    DIFFERS.iter().chain(NOT_HERE).flat_map(|(_, names)| names.iter().copied())
}

pub(super) fn instead(name: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(sample, _)| *sample == name).map(|(_, line)| *line)
}
