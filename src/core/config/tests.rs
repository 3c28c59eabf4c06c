//! What a whole file becomes, and that no file is too odd to be read.

use proptest::prelude::*;

use super::diagnostic::{first_error, render};
use super::*;
use crate::text;
use crate::timeval::Timeval;

const GOOD: &str = include_str!("../../../tests/config/good-all-keywords.cf");

fn config(text: &str) -> Config {
    let (config, diagnostics) = load(text);
    assert_eq!(first_error(&diagnostics), None, "{text}");
    config
}

/// The first error of `text` in the original's words, without `cf error: `; empty where there is none.
fn legacy(text: &str) -> String {
    let (_, diagnostics) = load(text);
    let error = first_error(&diagnostics).and_then(|error| error.legacy.as_deref());
    error.map_or_else(String::new, |error| error.strip_prefix("cf error: ").unwrap().to_owned())
}

/// Codes of all diagnostics of `text`.
fn codes(text: &str) -> Vec<&'static str> {
    load(text).1.iter().map(|diagnostic| diagnostic.code).collect()
}

fn in_service(lines: &str) -> String {
    format!("hostgroup g h\n\nwatch g\nservice s\ninterval 1m\nmonitor m\n{lines}")
}

fn in_period(lines: &str) -> String {
    in_service(&format!("period\n{lines}"))
}

fn service(lines: &str) -> Service {
    *config(&in_service(lines)).watches.remove(0).services.remove(0)
}

fn period(lines: &str) -> Period {
    service(&format!("period\n{lines}")).periods[0].clone()
}

#[test]
fn a_service_has_what_its_lines_say() {
    let config = config(GOOD);
    let web = &config.watches[0];
    assert_eq!((&*web.group, web.services.len()), ("web", 2));
    let ping = &web.services[0];
    assert_eq!(ping.description.as_deref(), Some("pings all"));
    assert_eq!((ping.interval, ping.failure_interval), (Timeval::from_secs(300), Timeval::from_secs(60)));
    let monitor = ping.monitor.as_ref().unwrap();
    assert_eq!((monitor.program(), monitor.arguments()), ("fping.monitor", "-t 5 \"a b\""));
    let depend = ping.depends.as_ref().unwrap().depend.as_ref().unwrap();
    assert_eq!(&*depend.text, "web:http && db:ping");
    assert_eq!(ping.dep_behavior, DepBehavior::Monitors);
    assert!(ping.unack_summary && !web.services[1].unack_summary);
    let labels: Vec<&str> = ping.periods.iter().map(|period| &*period.label).collect();
    assert_eq!(labels, ["WORK", "wd {Sat-Sun}"]);
    assert_eq!(ping.periods[0].alerts.len(), 6);
    assert_eq!(config.hostgroups["web"].len(), 6);
    assert_eq!(config.aliases["docs"].len(), 2);
    assert_eq!(config.views["main"].len(), 3);
}

#[test]
fn equal_texts_are_shared() {
    let config = config(&in_period(
        "alert mail.alert a\nservice t\ninterval 1m\nmonitor m\nperiod\nalert mail.alert a\n",
    ));
    let services = &config.watches[0].services;
    let alert = |n: usize| &services[n].periods[0].alerts[0].command.text;
    assert!(std::sync::Arc::ptr_eq(alert(0), alert(1)));
    assert!(std::sync::Arc::ptr_eq(&services[0].periods[0].spec, &services[1].periods[0].spec));
}

#[test]
fn alertevery_takes_the_word_before_the_last_known_one() {
    use AlertEveryUnless::*;
    for (arguments, seconds, unless) in [
        ("1h", 3600, SummaryChanged),
        ("1h summary", 3600, SummaryChanged),
        ("1h summary_and more", 3600, SummaryChanged),
        ("1h summary strict", 3600, SummaryChanged),
        ("1h STRICT", 3600, Never),
        ("foo 5m observe_detail", 300, OutputChanged),
        ("5m ignore_summary", 300, Recovered),
    ] {
        let every = period(&format!("alertevery {arguments}")).alertevery.unwrap();
        assert_eq!((every.interval.whole_secs(), every.unless), (seconds, unless), "{arguments}");
    }
}

#[test]
fn alertafter_has_three_forms() {
    for (arguments, count, seconds, within) in [
        ("3", Some(3), None, None),
        ("30m", None, Some(1800), None),
        ("3 30m", None, Some(1800), Some(3)),
        ("x3 30m", None, Some(1800), Some(3)),
        ("0 5m", None, Some(300), Some(0)),
    ] {
        let period = period(&format!("alertafter {arguments}"));
        let time = period.alertafter_time.map(Timeval::whole_secs);
        assert_eq!(
            (period.alertafter_count, time, period.alertafter_within),
            (count, seconds, within),
            "{arguments}"
        );
    }
}

#[test]
fn delivery_has_a_limit_and_further_tries() {
    assert_eq!(config("alert_timeout = 90s\n").globals.alert_timeout, Timeval::from_secs(90));
    assert_eq!(period("alert_timeout 1h").alert_timeout, Timeval::from_secs(3600));
    for (arguments, expect) in
        [("3", Some((3, 30))), ("3 1m", Some((3, 60))), ("  2\t5s ", Some((2, 5))), ("0", None)]
    {
        let retry = period(&format!("alertretry {arguments}")).alertretry;
        assert_eq!(retry.map(|retry| (retry.tries, retry.pause.whole_secs())), expect, "{arguments}");
    }
    let none = period("alertevery 1h");
    assert_eq!((none.alertretry, none.alert_timeout), (None, None));
    for (line, expect) in [
        (
            "alertretry x",
            "invalid alertretry 'x' (syntax: alertretry {positive integer} [{positive number}{smhd}]), line 8",
        ),
        (
            "alertretry 1 x",
            "invalid time interval 'x' (syntax: alertretry {positive integer} [{positive number}{smhd}]), line 8",
        ),
        (
            "alert_timeout x",
            "invalid alert_timeout 'x' (syntax: alert_timeout {positive number}{smhd}), line 8",
        ),
    ] {
        assert_eq!(legacy(&in_period(line)), expect);
    }
    let global = "bad value 'x' for alert_timeout option (syntax: alert_timeout = timeval), line 1";
    assert_eq!(legacy("alert_timeout = x\n"), global);
}

#[test]
fn exit_prefixes_are_taken_off_the_program() {
    for (arguments, range, program) in [
        ("mail.alert a", None, "mail.alert"),
        ("exit=1 mail.alert a", Some((1, 1)), "mail.alert"),
        ("EXIT=1-3  mail.alert a", Some((1, 3)), "mail.alert"),
        ("exit = 2 mail.alert", Some((2, 2)), "="),
        ("exit=x mail.alert", None, "exit=x"),
        ("exit=2", None, "exit=2"),
    ] {
        let period = period(&format!("alert {arguments}"));
        let alert = &period.alerts[0];
        assert_eq!(alert.exit.map(|range| (range.first, range.last)), range, "{arguments}");
        assert_eq!(alert.command.program(), program, "{arguments}");
    }
}

#[test]
fn flags_and_limits_are_as_the_original_reads_them() {
    assert!(service("exclude_period").exclude_period.is_none());
    assert!(config("exclude_period =\n").globals.exclude_period.is_none());
    assert!(period("alertevery 00s").alertevery.is_none());
    assert!(service("unack_summary").unack_summary);
    assert!(service("unack_summary maybe").unack_summary);
    assert_eq!(service("depend").depends.unwrap().depend.map(|_| ()), None);
    assert_eq!(period("numalerts 0").numalerts, None);
    assert_eq!(period("numalerts 99999999999").numalerts, Some(u32::MAX));
    assert!(period("no_comp_alerts 0").no_comp_alerts);
    let range = period("alertexitrange 2-5").alertexitrange.unwrap();
    assert!(range.contains(5) && !range.contains(1));
    let globals = config("maxprocs = 0\nhistlength = 7x\nserverport = x\ndtlogging = 1\n").globals;
    assert_eq!((globals.maxprocs, globals.histlength, globals.serverport), (None, Some(7), Some(0)));
    assert!(globals.dtlogging);
}

#[test]
fn records_end_where_the_original_ends_them() {
    let swallowed = config("hostgroup g a b\n c\nwatch g\n\nhostgroup h\nhostgroup i x\nmaxprocs = 3\ny\n");
    assert_eq!(swallowed.hostgroups["g"].len(), 5);
    assert!(swallowed.hostgroups["h"].is_empty() && swallowed.watches.is_empty());
    assert_eq!((swallowed.hostgroups["i"].len(), swallowed.globals.maxprocs), (2, Some(3)));
    let replaced = config("hostgroup g a\n\nhostgroup g b c\n\nalias x\n\nalias y\none\n\nalias y\ntwo\n");
    assert_eq!(replaced.hostgroups["g"].len(), 2);
    assert_eq!((replaced.aliases.len(), replaced.aliases["y"].len()), (1, 2));
    let watches = config(
        "watch a\nwatch b x\nservice s\ninterval 1m\nmonitor m\n\nservice lost\n\nwatch a\nservice t\n",
    );
    let names: Vec<&str> = watches.watches.iter().map(|watch| &*watch.group).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(watches.hostgroups["a"], ["a".into()]);
}

#[test]
fn errors_are_those_of_the_original_with_its_line_numbers() {
    for (text, expect) in [
        ("\nfoo = 1\n", "unknown variable 'foo', line 2".to_owned()),
        (
            "unack_summary = 2\n",
            "invalid unack_summary value '2' (syntax: unack_summary [0|1|y|yes|n|no]), line 1".to_owned(),
        ),
        (
            &in_service("interval \\\n# c\n abc\n"),
            "invalid time interval 'abc' (syntax: interval = {positive number}{smhd}), line 9".to_owned(),
        ),
        (
            &in_service("randskew 0s\n"),
            "invalid randskew time interval '0s' (syntax: randskew = {positive number}{smhd}), line 7"
                .to_owned(),
        ),
        (
            &in_service("dep_memory x"),
            "bad value 'x' for dep_memory option (syntax: dep_memory = timeval), line 7".to_owned(),
        ),
        (&in_service("alert x"), "unknown syntax [alert x], line 7".to_owned()),
        (&in_service("service s"), "service s already defined for watch group g, line 7".to_owned()),
        (&in_service("\nwatch g\n"), "watch 'g' already defined, line 8".to_owned()),
        (&in_period("period"), "period '' already defined for watch group g service s, line 8".to_owned()),
        (
            &in_period("numalerts x"),
            "-numeric arg 'x' (syntax: numalerts = {positive integer}, line 8".to_owned(),
        ),
        (
            &in_period("alertafter 2 1m"),
            " interval & alertafter not sensible. No alerts can be generated with those parameters, line 8"
                .to_owned(),
        ),
        (
            &in_service("dep_behavior q"),
            "unknown dependency behavior 'q' (syntax: dep_behavior = {m|a}), line 7".to_owned(),
        ),
        ("watch g\nX=1\n", "environment variable defined without a service, line 2".to_owned()),
        ("watch g\nx 1\n", "need to specify service in watch record, line 2".to_owned()),
        ("watch g\nservice\n", "invalid service tag '', line 2".to_owned()),
        (GOOD, String::new()),
    ] {
        assert_eq!(legacy(text), expect, "{text}");
    }
}

#[test]
fn all_mistakes_are_found_in_one_go() {
    let text =
        "foo = 1\nrandstart = x\n\nwatch g\nservice s\ninterval 1\nperiod hr {25}\nfoo\nalertafter x\n";
    assert_eq!(codes(text), ["E001", "E016", "W004", "E016", "E005", "E021", "E017"]);
}

#[test]
fn the_daemon_finds_the_lines_that_the_original_writes_to_stderr() {
    let (_, diagnostics) = load("hostgroup a x\n\nwatch b\nservice s\ntraptimeout 1m\n");
    let lines: Vec<&str> = diagnostics.iter().filter_map(|diagnostic| diagnostic.legacy.as_deref()).collect();
    let expect = [
        "Warning: hostgroup a has no watch assigned to it!",
        "Warning: watch group b defined with no corresponding hostgroup.",
    ];
    assert_eq!(lines, expect);
}

#[test]
fn a_file_of_mistakes_is_bounded() {
    let text = "x = 1\n".repeat(50_000);
    assert_eq!(load(&text).1.len(), 10_000);
}

/// Pieces that mon.cf is made of, to be put together by chance.
const PIECES: &[&str] = &[
    "hostgroup ",
    "watch ",
    "view ",
    "alias ",
    "service ",
    "period ",
    "interval ",
    "depend ",
    "SELF:",
    "alert ",
    "exit=1 ",
    "alertevery ",
    "alertafter ",
    "5m",
    "3 ",
    "0s",
    "strict",
    "wd {Mon}",
    "{",
    "}",
    ":",
    " = ",
    "=",
    "\\\n",
    "\\",
    "#",
    "\n",
    "\n\n",
    "\r",
    "\t",
    "a",
    "web",
    "X=1",
    "\u{e9}",
    "\"",
    "'",
    "exclude_hosts ",
    "monitor ",
    ";;",
];

/// A machine that has next to nothing of what is asked for.
fn strange_surroundings(text: &str) -> Surroundings {
    use surroundings::{AuthFile, Peer, SearchPath};
    let mut path = SearchPath { dirs: vec![("/bin".to_owned(), true)], ..SearchPath::default() };
    path.names.insert("mail.alert".to_owned());
    path.builtin.insert("a".to_owned(), "-p N, used with ;;".to_owned());
    let peer = Peer { file: "peer.cf".to_owned(), config: load(text).0 };
    let access =
        AuthFile { path: "auth.cf".to_owned(), text: Some(text.to_owned()), exists: true, mode: 0o666 };
    Surroundings { monitors: Some(path), access: Some(access), peer: Some(peer), ..Surroundings::default() }
}

/// Loads, renders, and looks at every place.
fn survives(text: &str) {
    let (config, mut diagnostics) = load(text);
    diagnostics.extend(look_around(text, &config, &strange_surroundings(text)));
    for diagnostic in &diagnostics {
        let place = text.get(diagnostic.span.clone());
        assert!(place.is_some(), "{diagnostic:?} in {text:?}");
        assert_eq!(diagnostic.is_error(), diagnostic.code.starts_with('E'));
    }
    let _ = render(&diagnostics, "f", text);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        survives(&text::decode(bytes));
    }

    #[test]
    fn any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        survives(&pieces.concat());
    }

    #[test]
    fn edits_of_a_good_file_are_read(
        at in 0..GOOD.len(), len in 0..40usize, pieces in prop::collection::vec(prop::sample::select(PIECES), 0..5)
    ) {
        let end = (at + len).min(GOOD.len());
        survives(&[&GOOD[..at], &pieces.concat(), &GOOD[end..]].concat());
    }
}
