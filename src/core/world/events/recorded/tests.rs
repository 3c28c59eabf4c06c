//! What of a record is played again, when, and what is not.

use super::*;
use crate::engine::StateFile;
use crate::nouns::OpStatus;

fn fact(at: Wall, fact: Fact) -> Recorded {
    let service = Some(ServiceKey { group: "web".into(), service: "ping".into() });
    Recorded { id: at, at, last: at, times: 1, service, fact, ended: None }
}

fn result(source: Source, again: bool, exit: i64, detail: &str) -> Fact {
    let status = if exit == 0 { OpStatus::Ok } else { OpStatus::Fail };
    let took = (source == Source::Monitor).then_some(Duration::ZERO);
    Fact::Result { again, source, exit, status, summary: "w1".into(), detail: detail.into(), took }
}

fn slow(took: u64) -> Fact {
    let (source, status) = (Source::Monitor, OpStatus::Ok);
    let (summary, detail) = ("w1".into(), "".into());
    Fact::Result {
        again: false,
        source,
        exit: 0,
        status,
        summary,
        detail,
        took: Some(Duration::from_secs(took)),
    }
}

fn command(user: &str, line: &str) -> Fact {
    Fact::Command { user: user.into(), line: line.into() }
}

fn started() -> Fact {
    Fact::Started { stopped: false, loaded: Vec::new() }
}

fn configured(hash: &str) -> Fact {
    Fact::Configured { hash: hash.into() }
}

/// Looked at every minute; the file `b.cf` is at hand.
fn replay(facts: &[Recorded]) -> Replay {
    let interval = |_: &ServiceKey| Some(Duration::from_secs(60));
    let config = |hash: &str| (hash == "bb").then(|| "b.cf".to_owned());
    of_record(facts, &Known { interval: &interval, config: &config })
}

fn told(facts: &[Recorded]) -> Vec<String> {
    let events = replay(facts).events;
    events.iter().map(|event| format!("{} {}", event.at, event.what.first_line())).collect()
}

#[test]
fn facts_from_outside_are_events_and_what_follows_from_them_is_not() {
    let traps = Recorded { last: 270, times: 4, ..fact(240, result(Source::Trap, true, 2, "")) };
    let facts = [
        fact(100, started()),
        fact(110, result(Source::Monitor, false, 3, "no answer\n\nat all\n")),
        fact(120, result(Source::Monitor, true, 3, "")),
        fact(130, command("", "ack web ping \"on it\"")),
        fact(140, command("", "list opstatus")),
        fact(150, command("", "term")),
        fact(160, started()),
        fact(170, result(Source::Monitor, false, 0, "")),
        fact(180, result(Source::TrapTimeout, false, 1, "")),
        fact(190, Fact::Status(OpStatus::Ok)),
        traps,
    ];
    let expect = "\
@110 fail web/ping exit 3 \"w1\"
    | no answer
    | 
    | at all
@130 command \"ack web ping \\\"on it\\\"\"
@160 restart
@170 ok web/ping \"w1\"
@240 trap web/ping exit 2 \"w1\"
@250 trap web/ping exit 2 \"w1\"
@260 trap web/ping exit 2 \"w1\"
@270 trap web/ping exit 2 \"w1\"
";
    let known = Known { interval: &|_| None, config: &|_| None };
    assert_eq!(super::super::spell(&of_record(&facts, &known).events), expect);
}

#[test]
fn a_result_counts_for_the_run_that_it_came_from() {
    let test = || command("", "test monitor web ping");
    let facts = [
        fact(1000, result(Source::Monitor, false, 1, "")),
        Recorded { last: 1240, ..fact(1060, result(Source::Monitor, true, 1, "")) },
        fact(1243, result(Source::Monitor, false, 0, "")),
        fact(1302, test()),
        fact(1302, result(Source::Monitor, false, 1, "")),
        // Its result was the same.
        fact(1302, test()),
        fact(1302, test()),
        fact(1302, result(Source::Monitor, false, 2, "")),
        fact(1500, slow(20)),
        // This one had to wait for another service.
        fact(1600, test()),
        fact(1700, slow(5)),
    ];
    let expect = [
        "970 fail web/ping \"w1\"",
        "1241 ok web/ping \"w1\"",
        "1302 fail web/ping \"w1\"",
        "1302 test monitor web/ping",
        "1302 test monitor web/ping",
        "1302 fail web/ping exit 2 \"w1\"",
        "1302 test monitor web/ping",
        "1450 ok web/ping takes 20s \"w1\"",
        "1600 ok web/ping takes 5s \"w1\"",
        "1600 test monitor web/ping",
    ];
    assert_eq!(told(&facts), expect);
}

#[test]
fn a_daemon_begins_again_as_it_did() {
    let loaded = vec![StateFile::Disabled, StateFile::Opstatus];
    let facts = [
        fact(100, Fact::Started { stopped: true, loaded: Vec::new() }),
        fact(100, configured("aa")),
        fact(200, Fact::Started { stopped: false, loaded }),
        fact(200, configured("aa")),
    ];
    assert_eq!(replay(&facts).begin, Begin { loaded: Vec::new(), stopped: true });
    assert_eq!(told(&facts), ["200 restart all"]);
}

#[test]
fn a_configuration_comes_into_force_when_it_did() {
    let facts = [
        fact(100, started()),
        fact(100, configured("aa")),
        // Refused: no configuration came into force.
        fact(200, command("", "reset")),
        fact(300, Fact::HangUp),
        fact(301, configured("bb")),
        fact(400, command("amy", "reset keepstate")),
        fact(400, configured("bb")),
        fact(500, command("", "reset")),
        fact(500, configured("cc")),
    ];
    let expect = ["301 config b.cf", "301 hangup", "400 command reset keepstate", "500 command reset"];
    assert_eq!(told(&facts), expect);
    assert_eq!(replay(&facts).unknown, BTreeSet::from(["cc".to_owned()]));
}

#[test]
fn what_comes_in_the_second_of_a_timeout_comes_after_it() {
    let facts = [
        fact(100, started()),
        fact(110, result(Source::TrapTimeout, false, 1, "")),
        fact(110, result(Source::Trap, false, 0, "")),
        fact(110, command("amy", "ack web ping")),
        fact(120, result(Source::TrapTimeout, false, 1, "")),
        fact(121, result(Source::Trap, false, 0, "")),
    ];
    let expect = [
        "110 due",
        "110 trap web/ping exit 0 \"w1\"",
        "110 as amy ack web ping",
        "121 trap web/ping exit 0 \"w1\"",
    ];
    assert_eq!(told(&facts), expect);
}

#[test]
fn a_run_of_which_there_is_no_result_goes_on_until_all_ends() {
    let test = || fact(110, command("", "test monitor web ping"));
    let never = "110 ok web/ping takes 316224000s";
    let asked = "110 test monitor web/ping";
    assert_eq!(told(&[fact(100, started()), test()]), [never, asked]);
    let reset = [fact(120, command("", "reset")), fact(120, configured("aa"))];
    let facts = [vec![fact(100, started()), test()], reset.to_vec()].concat();
    assert_eq!(told(&facts), [never, asked, "120 command reset"]);
    // Here it may have been the same result again.
    let facts = [fact(100, started()), fact(105, slow(0)), test()];
    assert_eq!(told(&facts), ["75 ok web/ping \"w1\"", asked]);
}

#[test]
fn odd_statuses_are_still_failures() {
    for (exit, expect) in [(0, Ending::Exited(0)), (137, Ending::Exited(137)), (-1, Ending::Exited(1))] {
        assert_eq!(ending(exit), expect);
    }
    assert_eq!(ending(300), Ending::Exited(1));
    assert_eq!(output(1, NO_SUMMARY, "x"), "\nx\n", "so that it says nothing once more");
    assert_eq!(output(0, NO_SUMMARY, ""), "(NO SUMMARY)\n");
    assert_eq!(spread(10, 5, 3).collect::<Vec<_>>(), [10, 10, 10]);
    assert_eq!(spread(0, Wall::MAX / 2, u64::MAX).count(), 1000);
}
