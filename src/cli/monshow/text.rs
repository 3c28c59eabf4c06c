//! The pages of `monshow` as text.

use std::fmt::Write;

use remon_core::nouns::{OpStatus, Wall};
use remon_core::wire::deliveries;
use remon_core::wire::opstatus::StatusLine;

use super::rows::{self, Row};
use super::snapshot::{Disabled, Key, Snapshot};

/// How and when the text is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) server: &'a str,
    pub(super) now: Wall,
    /// Local time of a moment.
    pub(super) local: fn(Wall) -> String,
    pub(super) summary_len: usize,
    /// Colour, and no control characters that could play tricks.
    pub(super) terminal: bool,
    pub(super) colour: bool,
}

/// Server, time and state.
pub(super) fn header(view: &View<'_>, snapshot: &Snapshot) -> String {
    let (server, time, state) = (view.server, (view.local)(view.now), state(snapshot, view.local));
    format!("\n     server: {server}\n       time: {time}\n      state: {state}\n")
}

/// What the scheduler does.
pub(super) fn state(snapshot: &Snapshot, local: fn(Wall) -> String) -> String {
    match snapshot.stopped_since {
        None => "scheduler running".to_owned(),
        Some(since) => format!("scheduler stopped since {}", local(since)),
    }
}

/// The table, or the good news.
pub(super) fn table(view: &View<'_>, rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "\nAll systems OK\n".to_owned();
    }
    let mut table =
        "\n  GROUP           SERVICE      STATUS      LAST       NEXT       ALERTS SUMMARY\n".to_owned();
    for row in rows {
        let (group, service) = (cell(row.status.group(), 15), cell(row.status.service(), 12));
        let (last, next, alerts) =
            (cell(&row.last(view.now), 8), cell(&row.next(), 10), cell(&row.alerts(), 4));
        let (dep, status) = (row.dep(), paint(view, row, &cell(row.word(), 10)));
        let summary = cell(&row.summary(view.summary_len), 0);
        let line = format!("{dep} {group} {service} {status}  {last}   {next} {alerts}   {summary}");
        table += line.trim_end();
        table.push('\n');
    }
    table
}

/// Padded and cut to `width`, if that is not 0; control characters show as blanks.
fn cell(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    match width {
        0 => clean.collect(),
        _ => format!("{:<width$}", clean.take(width).collect::<String>()),
    }
}

fn paint(view: &View<'_>, row: &Row<'_>, text: &str) -> String {
    let colour = match row.status.opstatus() {
        _ if !view.colour => return text.to_owned(),
        Some(status) if status.is_failure() => 31,
        Some(OpStatus::Ok) => 32,
        _ => return text.to_owned(),
    };
    format!("\x1b[{colour}m{text}\x1b[0m")
}

/// The lists of what is disabled.
pub(super) fn disabled(disabled: &Disabled) -> String {
    let Disabled { watches, services, hosts } = disabled;
    if watches.is_empty() && services.is_empty() && hosts.is_empty() {
        return "\nNothing is disabled.\n".to_owned();
    }
    let mut text = String::new();
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text += &format!("\n{title}\n{}\n", lines.join("\n"));
        }
    };
    list("DISABLED WATCHES:", watches.iter().cloned().collect());
    list("DISABLED SERVICES", services.iter().map(|(group, service)| format!("{group} {service}")).collect());
    list(
        "DISABLED HOSTS:",
        hosts.iter().map(|(group, hosts)| format!("{group:<15} {}", hosts.join(" "))).collect(),
    );
    text
}

/// All about one service; `None` if there is no such service.
pub(super) fn detail(view: &View<'_>, snapshot: &Snapshot, key: &Key) -> Option<String> {
    let status = snapshot.services.get(key)?;
    let description = snapshot.descriptions.get(key).map_or("", String::as_str);
    let mut text = format!("\nDetail for group {} service {}\n", key.0, key.1);
    let titled = [("description", description), ("summary", status.get("last_summary"))];
    let hosts = snapshot.hosts.join(" ");
    for (title, body) in titled.into_iter().chain([("hosts", hosts.as_str())]) {
        let gap = if title == "description" { "\n" } else { "" };
        text += &format!("{gap}{title}\n{}\n{}\n", "-".repeat(title.len()), wrap(body));
    }
    const RULE: &str = "-----DETAIL-----";
    text += &format!("\n{RULE}\n{}\n{RULE}\n\n", for_terminal(view, status.get("last_detail")));
    if status.number("ack") != 0 {
        text += &format!("alert ack:  {}\n\n", for_terminal(view, status.get("ackcomment")));
    }
    let last = match rows::since(status, view.now) {
        never if never == "never" => never,
        span => format!("{span} ago"),
    };
    for (name, value) in [
        ("opstatus", rows::status_text(status)),
        ("exitval", status.get("exitval").to_owned()),
        ("depend", status.get("depend").to_owned()),
        ("monitor", status.get("monitor").to_owned()),
        ("last check", last),
        ("next_check", format!("in {}", rows::span(status.number("timer")))),
    ] {
        let _ = writeln!(text, "{name:>10}: {}", cell(&value, 0));
    }
    Some(text + &deliveries(view, &snapshot.deliveries) + "\n")
}

/// How alerts fared, newest last; nothing where there were none.
fn deliveries(view: &View<'_>, lines: &[StatusLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{}", cell(&delivery(view.local, line), 0));
    }
    if text.is_empty() { text } else { format!("\nalerts\n------\n{text}") }
}

/// `TIME alert mail.alert try 2: exit 1 after 0.020 s: no route`
pub(super) fn delivery(local: fn(Wall) -> String, line: &StatusLine) -> String {
    let again = if line.number("try") > 1 { format!(" try {}", line.get("try")) } else { String::new() };
    let (time, kind, alert) = (local(line.number("time")), line.get("kind"), line.get("alert"));
    format!("{time} {kind} {alert}{again}: {}", deliveries::summary(line).trim_end())
}

fn for_terminal(view: &View<'_>, text: &str) -> String {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if view.terminal {
        text.chars().map(|c| if harmless(c) { c } else { '?' }).collect()
    } else {
        text.to_owned()
    }
}

/// Wraps at 70 columns, the last of which stays free, with four blanks before each line.
fn wrap(text: &str) -> String {
    const MOST: usize = 65;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut word = word;
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= MOST => {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            _ => {}
        }
        while let Some((end, _)) = word.char_indices().nth(MOST) {
            lines.push(word[..end].to_owned());
            word = &word[end..];
        }
        lines.push(word.to_owned());
    }
    lines.iter().map(|line| format!("    {}", cell(line, 0))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::nouns::Civil;

    fn view() -> View<'static> {
        let local = |wall| Civil::utc(wall).to_string();
        View {
            server: "127.0.0.1",
            now: 1_795_346_867,
            local,
            summary_len: 80,
            terminal: false,
            colour: false,
        }
    }

    fn status(line: &str) -> StatusLine {
        StatusLine::parse(line).expect("it names group and service")
    }

    #[test]
    fn the_table_of_the_original() {
        let long = "x".repeat(81);
        let lines = [
            format!("group=web service=long opstatus=0 last_check=1795346865 timer=0 last_summary={long}"),
            "group=averyveryverylonggroup service=averylongservice opstatus=7 timer=0".to_owned(),
            r"group=db service=slow opstatus=1 last_check=1795346597 timer=3330 alerts_sent=12345 last_summary=all\20fine".to_owned(),
        ];
        let all = lines.iter().map(|line| status(line)).collect::<Vec<_>>();
        let rows = all.iter().map(|status| Row { depends: false, status }).collect::<Vec<_>>();
        let expect = format!(
            "
  GROUP           SERVICE      STATUS      LAST       NEXT       ALERTS SUMMARY
R web             long         FAIL        2s         0s         none   {}...
R averyveryverylo averylongser untested    untested   0s         none
R db              slow         -           00:04:30   00:55:30   1234   all fine
",
            &long[..80]
        );
        assert_eq!(table(&view(), &rows), expect);
        assert_eq!(table(&view(), &[]), "\nAll systems OK\n");
    }

    #[test]
    fn colour_is_for_terminals() {
        let (bad, good) = (status("group=a service=s opstatus=0"), status("group=a service=t opstatus=1"));
        let rows = [Row { depends: false, status: &bad }, Row { depends: true, status: &good }];
        let text = table(&View { terminal: true, colour: true, ..view() }, &rows);
        assert!(
            text.contains("\x1b[31mFAIL      \x1b[0m") && text.contains("\x1b[32m-         \x1b[0m"),
            "{text:?}"
        );
        assert!(!table(&view(), &rows).contains('\x1b'));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let bad = status(r"group=a service=s opstatus=0 last_summary=\1b[2J last_detail=\1b[2J\0a");
        let text = table(&view(), &[Row { depends: false, status: &bad }]);
        assert!(!text.contains('\x1b'), "{text:?}");
        let snapshot = Snapshot { services: [(("a".into(), "s".into()), bad)].into(), ..Snapshot::default() };
        let text = detail(&View { terminal: true, ..view() }, &snapshot, &("a".into(), "s".into()));
        assert!(text.is_some_and(|text| !text.contains('\x1b')));
    }

    #[test]
    fn the_detail_of_the_original() {
        let line = r"group=web service=http opstatus=0 exitval=3 ack=1 ackcomment=alice:\20quoted\20text depend=web:ping monitor=x.monitor last_check=1795346863 timer=0 last_summary=hostA\20hostB last_detail=one\0atwo\0a";
        let key = ("web".to_owned(), "http".to_owned());
        let snapshot = Snapshot {
            services: [(key.clone(), status(line))].into(),
            descriptions: [(key.clone(), "web pages of the lab".to_owned())].into(),
            hosts: vec!["hostA".into(), "hostB".into()],
            ..Snapshot::default()
        };
        assert_eq!(
            detail(&view(), &snapshot, &key).expect("it is there"),
            "
Detail for group web service http

description
-----------
    web pages of the lab
summary
-------
    hostA hostB
hosts
-----
    hostA hostB

-----DETAIL-----
one
two

-----DETAIL-----

alert ack:  alice: quoted text

  opstatus: fail (0)
   exitval: 3
    depend: web:ping
   monitor: x.monitor
last check: 4s ago
next_check: in 0s

"
        );
        assert_eq!(detail(&view(), &snapshot, &("web".into(), "x".into())), None);
    }

    #[test]
    fn how_alerts_fared() {
        let lines = [
            "time=1795346863 group=web service=http kind=alert alert=mail.alert try=1 outcome=exit\\201 duration=0.020 undelivered=1 retry_at=1795346893 last_words=no\\20\\1broute\\0a",
            "time=1795346893 group=web service=http kind=alert alert=mail.alert try=2 outcome=running duration=4.000 last_words=",
        ];
        let expect = "\nalerts\n------\nSun Nov 22 11:27:43 2026 alert mail.alert: exit 1 after 0.020 s, will be tried again: no  route\n\
                      Sun Nov 22 11:28:13 2026 alert mail.alert try 2: running for 4.000 s\n";
        assert_eq!(deliveries(&view(), &lines.map(status)), expect);
        assert_eq!(deliveries(&view(), &[]), "");
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap(""), "");
        let hosts = (0..20).map(|n| format!("host{n:03}")).collect::<Vec<_>>().join(" ");
        let wrapped = wrap(&hosts);
        assert_eq!(wrapped.lines().map(str::len).collect::<Vec<_>>(), [67, 67, 35]);
        assert_eq!(wrap(&"y".repeat(66)), format!("    {}\n    y", "y".repeat(65)));
    }

    #[test]
    fn what_is_disabled() {
        let nothing = Disabled::default();
        assert_eq!(disabled(&nothing), "\nNothing is disabled.\n");
        let some = Disabled {
            watches: ["db".to_owned()].into(),
            services: [("web".to_owned(), "long".to_owned())].into(),
            hosts: [("web".to_owned(), vec!["hostA".to_owned(), "hostB".to_owned()])].into(),
        };
        assert_eq!(
            disabled(&some),
            "
DISABLED WATCHES:
db

DISABLED SERVICES
web long

DISABLED HOSTS:
web             hostA hostB
"
        );
    }
}
