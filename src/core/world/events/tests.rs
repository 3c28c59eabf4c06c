//! Event files: what is understood, what is not and how that is said, and that both ways lead to each other.

use proptest::prelude::*;

use super::*;
use crate::config::{self, diagnostic};

const MON_CF: &str = "hostgroup web w1 w2

watch web
service ping
interval 1m
monitor p
period day: hr {7-19}
alert a
service raid
traptimeout 1h
period
alert a

watch mail
service ping
interval 1m
monitor p
period
alert a
";

/// Monday.
const START: Wall = 1_704_067_200;

fn read(text: &str) -> Parsed {
    read_as(text, false)
}

fn read_as(text: &str, recorded: bool) -> Parsed {
    let configs = [config::load(MON_CF).0];
    parse(text, &Context { configs: &configs, zone: &Zone::default(), from: None, recorded })
}

/// The events as they are spelled, with the seconds from the start instead of their times.
fn told(text: &str) -> Vec<String> {
    let (script, diagnostics) = read(text);
    assert_eq!(diagnostics, [], "{text}");
    let event = |event: &Occurrence| format!("{} {}", event.at - script.from, event.what.first_line());
    script.events.iter().map(event).collect()
}

fn problem(text: &str) -> String {
    let (_, diagnostics) = read(text);
    diagnostic::render(&diagnostics, "f", text)
}

#[test]
fn every_event_there_is() {
    for (text, expect) in [
        ("ok web/ping", "ok web/ping"),
        ("up web/ping \"fine\"", "ok web/ping \"fine\""),
        ("fail web/ping", "fail web/ping \"w1 w2\""),
        ("fail web:ping", "fail web/ping \"w1 w2\""),
        ("fail mail/ping \"\"", "fail mail/ping \"\""),
        ("fail web/ping exit 3 \"a\\tb\" takes 1m30s # slow", "fail web/ping exit 3 takes 90s \"a\\tb\""),
        ("fail web/ping signal 9", "fail web/ping signal 9 \"w1 w2\""),
        (
            "fail web/ping not-started \"no such file\" \"x\"",
            "fail web/ping not-started \"no such file\" \"x\"",
        ),
        ("trap web/raid \"disk 3\"", "trap web/raid exit 1 \"disk 3\""),
        ("trap web/raid ok", "trap web/raid exit 0 \"\""),
        ("trap web/raid exit 7", "trap web/raid exit 7 \"\""),
        ("ack web/ping \"on it\"", "ack web/ping \"on it\""),
        ("ack web/ping", "ack web/ping \"\""),
        ("disable web/ping", "disable service web/ping"),
        ("enable service web/ping", "enable service web/ping"),
        ("disable watch web", "disable watch web"),
        ("enable host w1 w2", "enable host w1 w2"),
        ("test monitor web/ping", "test monitor web/ping"),
        ("test alert web/ping", "command test alert web ping 1 day"),
        ("test upalert web/ping exit 0 \"night\"", "command test upalert web ping 0 night"),
        ("restart", "restart"),
        ("restart opstatus", "restart opstatus"),
        ("restart stopped all", "restart all stopped"),
        ("config new.cf", "config new.cf"),
        ("config \"a b.cf\"", "config \"a b.cf\""),
        ("due", "due"),
        ("as amy ack web ping 'on it'", "as amy ack web ping 'on it'"),
        ("command \"ack web ping '#12'\"", "command \"ack web ping '#12'\""),
        ("reset keepstate", "command reset keepstate"),
        ("hangup", "hangup"),
        ("stop", "command stop"),
        ("command set web ping interval 5m", "command set web ping interval 5m"),
    ] {
        assert_eq!(told(&format!("+10m {text}")), [format!("600 {expect}")], "{text}");
    }
}

#[test]
fn times_relative_absolute_and_next() {
    for (time, seconds) in [
        ("+0s", 0),
        ("+1d2h30m5s", 95_405),
        ("+1.5h", 5400),
        ("00:00", 0),
        ("02:00:30", 7230),
        ("Mon 02:00", 7200),
        ("tuesday 1:05", 90_300),
        ("Sun 23:00", 601_200),
        ("2024-01-02 03:00", 97_200),
        ("2024-01-02T03:00", 97_200),
        ("2024-01-02T03:00:00+01:00", 93_600),
        ("2024-01-02 03:00Z", 97_200),
        ("@1704067260", 60),
    ] {
        let (script, diagnostics) = read(&format!("from 2024-01-01 00:00\n{time} hangup\n"));
        assert_eq!(diagnostics, [], "{time}");
        assert_eq!(script.events[0].at - START, seconds, "{time}");
    }
    assert_eq!(
        told("02:00 stop\n01:00 start\nMon 01:00 hangup\n+1h stop"),
        ["3600 command stop", "7200 command stop", "90000 command start", "608400 hangup"],
        "times of day are at or after the line above; all is sorted in the end"
    );
}

#[test]
fn nights_in_which_clocks_change() {
    let mut zone = Zone::default();
    for (wall, east) in [(0, 3600), (1_774_746_000, 7200), (1_792_890_000, 3600)] {
        zone.change_at(wall, east);
    }
    let at = |text: &str| {
        let context = Context { configs: &[], zone: &zone, from: None, recorded: false };
        let (script, diagnostics) = parse(text, &context);
        (script.events.last().map(|event| event.at), diagnostics.first().map(|d| d.message.clone()))
    };
    let skipped = "clocks skip that time: summer time begins".to_owned();
    assert_eq!(at("2026-03-29 02:30 hangup"), (None, Some(skipped)));
    assert_eq!(at("2026-03-29 03:00 hangup").0, Some(1_774_746_000));
    assert_eq!(at("2026-03-29 00:00 hangup\n02:30 stop").0, Some(1_774_830_600), "the day after has one");
    assert_eq!(at("2026-03-28 23:00 hangup\nSun 01:30 stop").0, Some(1_774_744_200), "the next morning");
    assert_eq!(at("2026-10-25 02:30 hangup").0, Some(1_792_888_200));
    assert_eq!(at("2026-10-25 02:30 hangup\n02:30 stop").0, Some(1_792_888_200), "at or after");
    assert_eq!(at("2026-10-25 02:40 hangup\n02:30 stop").0, Some(1_792_891_800), "the second one");
    assert_eq!(at("2026-10-25T02:30+01:00 hangup").0, Some(1_792_891_800));
}

#[test]
fn settings_and_what_holds_without_them() {
    let (script, diagnostics) =
        read("+5m hangup\nuntil +2h # not long\nseed 7\ntakes 3s\nfrom 2024-01-02 00:00\nzone UTC\n");
    assert_eq!(diagnostics, []);
    assert_eq!((script.from, script.until), (START + 86_400, Some(START + 93_600)));
    assert_eq!((script.seed, script.takes), (Some(7), Some(Duration::from_secs(3))));
    assert_eq!(read("").0.from, START);
    assert_eq!(read("+5m stop\n@1704160000 start\n").0.from, START + 86_400, "midnight of the first date");
    assert_eq!(read("for 1d12h\n").0.until, Some(START + 129_600));
    assert_eq!(zone_of("# zone a\n  zone  Europe/Berlin # here\n"), Some("Europe/Berlin"));
    assert_eq!(zone_of("zones are\n"), None);
}

#[test]
fn names_stand_for_many_and_details_for_all_of_them() {
    let (script, diagnostics) =
        read("+1m fail */ping \"x\"\n  | one\n  |\n  |  two # no comment\n+2m disable web/*\n");
    assert_eq!(diagnostics, []);
    let said: Vec<&str> = script
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Result { output, .. } => Some(output.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["x\none\n\n two # no comment\n"; 2]);
    assert_eq!(script.events.len(), 4, "of web, raid is disabled too");
    assert_eq!(read("+1m fail web/*\n").0.events.len(), 1, "but no monitor looks at it");
}

#[test]
fn every_mistake_is_told_at_its_place() {
    for (text, line) in [
        ("+10x stop", "f:1:1: error[S01]: `+10x` is no time"),
        ("stop", "f:1:1: error[S01]: a time is missing before this"),
        ("untill +3h", "= help: did you mean `until`?"),
        ("until", "f:1:1: error[S01]: a time is missing"),
        ("2024-01-01 hangup", "error[S01]: after the date `2024-01-01` a time is missing"),
        ("2024-02-30 02:00 hangup", "error[S01]: there is no such date"),
        ("from Mon 02:00", "f:1:6: error[S01]: a simulation starts at a date and time"),
        (
            "from 2024-01-02 00:00\n2024-01-01 00:00 stop",
            "f:2:1: error[S01]: that is before the simulation starts",
        ),
        ("for 1h\n+2h stop", "f:2:1: error[S01]: that is after the end of the simulation"),
        ("+99999999d stop", "error[S01]"),
        ("for 0s", "f:1:5: error[S04]: after `for` stands a time with its unit"),
        ("+1m", "f:1:4: error[S02]: what happens at that time?"),
        ("+1m fial web/ping", "= help: did you mean `fail`?"),
        ("+1m \"fail\" web/ping", "f:1:5: error[S02]: `fail` is no event"),
        ("+1m fail", "f:1:5: error[S04]: a service is missing"),
        ("+1m fail web", "= help: write `web/ping`, or `web/*` for all of them"),
        ("+1m fail mail", "= help: write `mail/ping`"),
        ("+1m fail web/pnig", "= help: did you mean `web/ping`?"),
        ("+1m fail web/nonsense", "= help: `web` has `web/ping`, `web/raid`"),
        ("+1m fail web/raid", "= help: say what comes in: `trap web/raid exit 1`"),
        ("+1m fail web/ping down", "= help: texts stand in quotes: \"web1 web2\""),
        ("+1m fail web/ping \"a\" \"b\"", "f:1:23: error[S04]: `b` is not expected here"),
        ("+1m fail web/ping exit", "error[S04]: after `exit` stands an exit status"),
        ("+1m fail web/ping exit 256", "f:1:24: error[S04]: after `exit` stands an exit status, 0 to 255"),
        ("+1m fail web/ping exit 0", "error[S04]: exit status 0 is a success"),
        ("+1m ok web/ping exit 1", "error[S04]: that is no success"),
        ("+1m fail web/ping \"a", "f:1:19: error[S05]: this quote is never closed"),
        ("+1m fail web/ping \"\\x\"", "f:1:20: error[S05]: no such escape"),
        ("+1m trap nowhere/at-all", "error[S03]: no watch has the service `nowhere/at-all`"),
        ("+1m disable watch wbe", "= help: did you mean `web`?"),
        ("+1m disable host w3", "= help: did you mean `w1`?"),
        ("+1m enable", "= help: `enable GROUP/SERVICE`"),
        ("+1m test web/ping", "f:1:10: error[S04]: what is tested?"),
        ("+1m command frobnicate", "f:1:13: error[S04]: the daemon knows no such command"),
        ("+1m command quit", "error[S04]: nobody needs to in a simulation"),
        ("+1m reset keep", "f:1:11: error[S04]: `keep` is not expected here"),
        ("| detail", "f:1:1: error[S02]: nothing above has an output to add this to"),
    ] {
        let told = problem(text);
        assert!(told.contains(line), "{text}\n{told}");
    }
    let all = problem("+1m fial web/ping\n  | its detail is no mistake\n\n+2m stop\n+3x\n");
    assert_eq!(all.matches("error[").count(), 2, "{all}");
}

#[test]
fn a_recorded_history_may_know_more_than_the_configuration() {
    let text = "@1704067200 fail gone/ping \"x\"\n    | y\n@1704067260 fail web/ping \"z\"\n";
    let (script, diagnostics) = read_as(text, true);
    assert_eq!((script.events.len(), diagnostics), (1, vec![]));
    assert_eq!(script.unknown.into_iter().collect::<Vec<_>>(), ["gone/ping"]);
    assert_eq!(read_as("@1704067200 fial web/ping\n", true).1.len(), 1, "a mistake is one still");
    let late = format!("from 2024-01-02 00:00\n{text}@1704067270 trap web/raid\n");
    let (script, _) = read_as(&late, true);
    assert_eq!(
        script.events.len(),
        1,
        "how a service is when all begins matters, a trap of the past does not"
    );
    assert_eq!(script.events[0].at, script.from);
}

#[test]
fn options_are_events() {
    for (value, expect) in [
        ("web/ping@10m..50m", "+10m fail web/ping\n+50m ok web/ping\n"),
        ("web/ping@10m..", "+10m fail web/ping\n"),
        ("web/ping@1h30m=a \"b\" @c", "+1h30m fail web/ping \"a \\\"b\\\" @c\"\n"),
        ("web/ping@Mon 02:00..03:00", "Mon 02:00 fail web/ping\n03:00 ok web/ping\n"),
        ("web/ping", "+0s fail web/ping\n"),
    ] {
        assert_eq!(from_option("fail", value), expect);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let words = "\\+10m|[+][0-9]{1,9}[smhdx]|Mon|02:00|2026-0[0-9]-[0-3][0-9]|@[0-9]{1,12}|fail|ok|trap|ack|web/ping|\
                 web/[*]|[*]/raid|\"[a-z\\\\\" ]{0,4}|exit|signal|takes|from|until|for|seed|zone|disable|host|w1|restart|\
                 \\||#|command|test|alert|\n|\n|[^\\x00]";
    proptest::collection::vec(words, 0..40).prop_map(|words| words.join(" "))
}

fn any_begin() -> impl Strategy<Value = Begin> {
    let files = [
        vec![],
        vec![StateFile::Disabled],
        vec![StateFile::Opstatus],
        vec![StateFile::Disabled, StateFile::Opstatus],
    ];
    let loaded = proptest::sample::select(files.to_vec());
    (loaded, any::<bool>()).prop_map(|(loaded, stopped)| Begin { loaded, stopped })
}

fn any_event() -> impl Strategy<Value = Occurrence> {
    let key = |service: &str| ServiceKey { group: "web".into(), service: service.into() };
    let (ping, raid) = (key("ping"), key("raid"));
    let output = "([a-z\"\\\\#| \t\r]{0,6}\n){0,3}";
    let ending = prop_oneof![
        (0..=255_u8).prop_map(Ending::Exited),
        (1..=64).prop_map(Ending::Killed),
        "[a-z\"#]{0,5}".prop_map(Ending::NotStarted),
    ];
    let takes = proptest::option::of((0..9999_u64).prop_map(Duration::from_secs));
    let what = prop_oneof![
        (ending, output, takes).prop_map(move |(ending, output, takes)| {
            // A line end alone is what a silent output is not.
            let output = if output == "\n" { String::new() } else { output };
            What::Result { service: ping.clone(), ending, output, takes }
        }),
        (0..255_i64, "[a-z]{1,5}\n")
            .prop_map(move |(status, output)| { What::Trap { service: raid.clone(), status, output } }),
        "[^\\x00]{0,9}".prop_map(move |comment| What::Ack { service: key("ping"), comment }),
        Just(What::Disable(Target::Hosts(vec!["w1".into(), "w2".into()]))),
        Just(What::Enable(Target::Watch("web".into()))),
        any_begin().prop_map(What::Restart),
        "[a-z #\"\\\\]{0,9}".prop_map(|comment| { What::Command(format!("ack web ping {comment}x")) }),
        ("[a-z#\" ]{1,9}", "[a-z #\"\\\\]{0,9}").prop_map(|(user, comment)| {
            What::CommandOf { user, line: format!("ack web ping {comment}x") }
        }),
        "[a-z#\" /.]{1,9}".prop_map(What::Config),
        Just(What::HangUp),
        Just(What::Due),
    ];
    (START..START + 9_999_999, what).prop_map(|(at, what)| Occurrence { at, what })
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in any_text()) {
        let (_, diagnostics) = read(&text);
        prop_assert!(diagnostics.is_empty() || !diagnostic::render(&diagnostics, "f", &text).is_empty());
        read_as(&text, true);
        prop_assert!(zone_of(&text).is_none_or(|name| text.contains(name)));
    }

    #[test]
    fn what_is_spelled_is_read_again(mut events in proptest::collection::vec(any_event(), 0..6)) {
        events.sort_by_key(|event| event.at);
        let text = spell(&events);
        let (script, diagnostics) = read(&text);
        prop_assert_eq!(diagnostic::render(&diagnostics, "f", &text), "");
        prop_assert_eq!(script.events, events, "{}", text);
    }
}
