//! Why nobody is told: each rule with its line and its counters, and when an alert could go out next.

use super::*;
use crate::wire::why::Told;

/// `ping` in line 4, its period in line 7, the rules of the period from line 8 on.
fn ping(rules: &str) -> World {
    let mut world = web(&format!("service ping\ninterval 1m\nmonitor p\nperiod P: {rules}"));
    world.script_monitor("web", "ping", [Outcome::fails("down")]);
    world
}

fn ask(world: &mut World, line: &str) -> String {
    let client = world.connect();
    let reply = world.say(client, line);
    world.happen(Event::ClientGone { client });
    reply
}

fn obeys(world: &mut World, line: &str) {
    let reply = ask(world, line);
    assert!(reply.starts_with("220"), "{line}: {reply}");
}

fn told(world: &mut World, line: &str) -> Vec<Told> {
    let reply = ask(world, line);
    assert!(reply.ends_with("220 why completed\n"), "{line}: {reply}");
    reply.lines().map(Told::read).collect()
}

/// The line of the first period, for that occasion.
fn supposed(world: &mut World, what: &str) -> Told {
    let lines = told(world, "why web ping");
    let mut after = lines.into_iter().skip_while(|line| line.word != "suppose" || line.get("what") != what);
    after.find(|line| line.word == "period").unwrap_or_else(|| panic!("nothing is supposed about {what}"))
}

/// `rule line name=value …` for an occasion, or `sent`; times count from the beginning of the test.
fn why(world: &mut World, what: &str) -> String {
    let line = supposed(world, what);
    if line.get("sent") == "1" {
        return "sent".to_owned();
    }
    let mut text = format!("{} {}", line.get("rule"), line.get("rule_line"));
    let details = line.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("why_").or((name == "next").then_some("next"))?;
        let value = match value.parse::<Wall>() {
            Ok(time) if time >= MONDAY => (time - MONDAY).to_string(),
            _ => value.to_owned(),
        };
        Some(format!(" {name}={value}"))
    });
    let mut details: Vec<String> = details.collect();
    details.sort();
    text += &details.concat();
    text
}

#[test]
fn each_rule_of_a_failure_says_its_line_and_its_counters() {
    for (rules, seconds, expect) in [
        ("\nalert a", 60, "sent"),
        ("hr {9am-5pm}\nalert a", 60, "period 7 next=32400 spec=hr {9am-5pm}"),
        ("\nalert a\n# a remark\nnumalerts 2", 190, "numalerts 10 most=2 sent=2"),
        (
            "\nalert a\nalertevery 30m",
            190,
            "alertevery 9 every=1800 last=60 next=1860 unless=summary until=1860",
        ),
        (
            "\nalert a\nalertevery 30m strict",
            90,
            "alertevery 9 every=1800 last=60 next=1860 unless=strict until=1860",
        ),
        ("\nalertafter 5\nalert a", 130, "alertafter 8 failures=3 least=5 next=300"),
        ("\nalertafter 10m\nalert a", 190, "alertafter 8 first=60 next=720 span=600 until=660"),
        ("\nalertafter 4 1h\nalert a", 130, "alertafter 8 failures=3 first=60 least=4 next=240 window=3600"),
        ("\nalert a\nalertexitrange 5-9", 60, "alertexitrange 9 exit=1 range=5-9"),
        ("\nupalert a", 60, "no-alert-line 0 keyword=alert"),
        ("\nalert exit=5-9 a\nalert exit=3 a", 60, "exit 8 exit=1 keyword=alert range=5-9,3"),
    ] {
        let mut world = ping(rules);
        until(&mut world, seconds);
        let remembered = ask(&mut world, "list opstatus");
        assert_eq!(why(&mut world, "failure"), expect, "{rules}");
        assert_eq!(ask(&mut world, "list opstatus"), remembered, "asking changes nothing");
    }
}

#[test]
fn what_an_operator_forbids_is_told_with_when_and_who() {
    let mut world = ping("\nalert a\nackalert a\ndisablealert a");
    until(&mut world, 70);
    obeys(&mut world, "disable service web ping");
    assert_eq!(why(&mut world, "failure"), "disable-service 0");
    obeys(&mut world, "enable service web ping");
    obeys(&mut world, "disable watch web");
    assert_eq!(why(&mut world, "failure"), "disable-watch 0");
    obeys(&mut world, "enable watch web");
    obeys(&mut world, "ack web ping 'on it'");
    assert_eq!(why(&mut world, "failure"), "ack 0 comment=: on it since=70");
    assert_eq!(why(&mut world, "ack"), "sent");
    assert_eq!(why(&mut world, "disable"), "sent");
    obeys(&mut world, "stop");
    until(&mut world, 100);
    assert_eq!(why(&mut world, "failure"), "stop 0 since=70");
    let service = &told(&mut world, "why web ping")[0];
    assert_eq!((service.maybe("next_check"), service.get("failures")), (None, "1"));
}

#[test]
fn a_dependency_names_who_fails() {
    let db = "service sql\ninterval 1m\nmonitor p\nperiod\nservice disk\ninterval 1m\nmonitor p\n";
    for (depend, expect) in [
        ("depend db:sql && db:disk", "depend 8 expression=db:sql && db:disk failing=db/sql"),
        ("alertdepend db:sql", "alertdepend 8 expression=db:sql failing=db/sql"),
        ("alertdepend db:gone", "alertdepend 8 expression=db:gone failing=db/gone"),
        ("depend db:sql ||", "depend 8 broken=1 expression=db:sql || failing="),
        ("depend db:disk", "sent"),
    ] {
        let mon_cf = format!(
            "hostgroup db h\nhostgroup web h\n\nwatch web\nservice ping\ninterval 1m\nmonitor p\n{depend}\n\
             period\nalert a\n\nwatch db\n{db}"
        );
        let mut world = world(&mon_cf);
        for (group, service) in [("web", "ping"), ("db", "sql")] {
            world.script_monitor(group, service, [Outcome::fails("down")]);
        }
        until(&mut world, 70);
        assert_eq!(why(&mut world, "failure"), expect, "{depend}");
    }
}

#[test]
fn each_rule_of_a_recovery_says_its_line() {
    let flaps = [Outcome::fails("down"), Outcome::ok(), Outcome::fails("down")];
    for (rules, seconds, expect) in [
        ("\nalert a\nupalert a", 70, "sent"),
        ("\nalertafter 2\nalert a\nupalert a", 70, "no-alert-before 0"),
        ("\nalert a\nupalert a\nupalertafter 1h", 130, "upalertafter 10 lasted=70 least=3600"),
        ("\nno_comp_alerts\nalertafter 2\nalert a\nupalert a", 190, "no_comp_alerts 8"),
    ] {
        let mut world = ping(rules);
        if expect.starts_with("no_comp") {
            world.script_monitor("web", "ping", flaps.clone());
        }
        until(&mut world, seconds);
        assert_eq!(why(&mut world, "up"), expect, "{rules}");
    }
}

#[test]
fn the_next_alert_comes_when_it_was_said_to_come() {
    for rules in [
        "\nalert a\nalertevery 7m",
        "\nalert a\nalertevery 45m strict",
        "\nalert a\nalertafter 7",
        "\nalert a\nalertafter 17m",
        "\nalert a\nalertafter 3 20m",
        "\nalert a\nalertafter 12\nalertevery 1h",
        "hr {3am-5am}\nalert a\nalertafter 400",
        "wd {Wed} hr {2pm} min {30-40}\nalert a",
        "min {7 9}\nalert a\nalertevery 30m",
    ] {
        let mut world = ping(rules);
        until(&mut world, 190);
        for _ in 0..3 {
            let now = world.now().wall;
            let said = supposed(&mut world, "failure");
            let called = world.log.len();
            let Some(next) = said.time("next") else {
                assert_eq!(said.get("sent"), "1", "{rules}");
                world.pass(secs(60));
                continue;
            };
            assert!(next > now, "{rules}");
            let moment = secs((next - MONDAY) as u64);
            world.pass(moment - world.now().mono.since_origin() - Duration::from_millis(1));
            let alerted = |entry: &crate::world::Entry| matches!(entry.what, Happened::AlertCalled { .. });
            assert!(!world.log[called..].iter().any(alerted), "{rules}: sooner than said");
            world.pass(Duration::from_millis(2));
            assert!(world.log[called..].iter().any(alerted), "{rules}: not at {}", next - MONDAY);
            world.pass(secs(30));
        }
    }
}

#[test]
fn a_service_fed_by_traps_waits_for_time_alone() {
    let mut world = web("service ping\ntraptimeout 1d\nperiod\nalert a\nalertevery 10m");
    world.happen(trap("web", "ping", 1, "down"));
    assert_eq!(why(&mut world, "trap"), "alertevery 8 every=600 last=0 next=600 unless=summary until=600");
    let mut world = web("service ping\ntraptimeout 1d\nperiod\nalert a\nalertafter 3");
    world.happen(trap("web", "ping", 1, "down"));
    assert_eq!(why(&mut world, "trap"), "alertafter 8 failures=2 least=3");
}

/// `failure 1x60-60: sent; failure 9x…`: what was decided, with how often and when.
fn past(world: &mut World, line: &str) -> String {
    let lines = told(world, line);
    let mut text = Vec::new();
    for line in &lines {
        match line.word.as_str() {
            "decision" => {
                let (at, last) = (line.number("at") - MONDAY, line.number("last") - MONDAY);
                text.push(format!("{} {}x{at}-{last}", line.get("what"), line.get("times")));
            }
            "verdict" if line.get("sent") == "1" => text.push(format!("sent {}", line.get("lines"))),
            "verdict" => text.push(line.get("rule").to_owned()),
            _ => {}
        }
    }
    text.join(" ")
}

#[test]
fn equal_decisions_are_one_that_counts() {
    let mut world = ping("\nalert a\nnumalerts 1\nupalert a");
    let mut runs = vec![Outcome::fails("down"); 9];
    runs.extend([Outcome::ok(), Outcome::ok(), Outcome::fails("down")]);
    world.script_monitor("web", "ping", runs);
    until(&mut world, 730);
    let all =
        "failure 1x60-60 sent 8 failure 8x120-540 numalerts up 1x600-600 sent 10 failure 1x720-720 sent 8";
    assert_eq!(past(&mut world, "why web ping"), all);
    let at = |seconds: Wall| format!("why web ping at {}", MONDAY + seconds);
    assert_eq!(past(&mut world, &at(59)), "failure 1x60-60 sent 8");
    assert_eq!(past(&mut world, &at(60)), "failure 1x60-60 sent 8 failure 8x120-540 numalerts");
    assert_eq!(past(&mut world, &at(300)), "failure 8x120-540 numalerts up 1x600-600 sent 10");
    assert_eq!(past(&mut world, &at(9999)), "failure 1x720-720 sent 8");
    assert!(!told(&mut world, &at(300)).iter().any(|line| line.word == "suppose"));
}

#[test]
fn a_reset_forgets_no_decision_and_a_new_file_gives_new_lines() {
    let mut world = ping("\nalert a\nnumalerts 1");
    until(&mut world, 130);
    let mon_cf = format!(
        "# one line more\n{}",
        web_cf("service ping\ninterval 1m\nmonitor p\nperiod P:\nalert a\nnumalerts 1")
    );
    world.write_mon_cf(&mon_cf);
    obeys(&mut world, "reset keepstate");
    until(&mut world, 260);
    assert_eq!(why(&mut world, "failure"), "numalerts 10 most=1 sent=1");
    assert_eq!(past(&mut world, "why web ping"), "failure 1x60-60 sent 8 failure 3x120-240 numalerts");
}

#[test]
fn a_recovery_nobody_waits_for_is_told_too() {
    let mut world = ping("\nalert a");
    world.script_monitor("web", "ping", [Outcome::fails("down"), Outcome::ok()]);
    until(&mut world, 300);
    assert_eq!(past(&mut world, "why web ping"), "failure 1x60-60 sent 8 up 1x120-120");
}

#[test]
fn memory_is_bounded_and_the_oldest_goes() {
    let mut lines = String::new();
    for number in 0..50 {
        lines += &format!("service s{number}\ninterval 1m\nmonitor p\nperiod\nalert a\n");
    }
    let mut world = web(&lines);
    world.notes_runs = false;
    for number in 0..50 {
        let flaps = (0..400).flat_map(|_| [Outcome::fails("down"), Outcome::ok()]);
        world.script_monitor("web", &format!("s{number}"), flaps);
    }
    until(&mut world, 400 * 60);
    assert_eq!(world.engine().verdicts.len(), 4096);
    // The newest are there, and of the oldest somebody else may know.
    assert!(
        past(&mut world, "why web s7").starts_with("failure 1x23460-23460"),
        "{}",
        past(&mut world, "why web s7")
    );
    let question = Question { group: "web".to_owned(), service: "s7".to_owned(), at: Some(MONDAY + 100) };
    let why =
        |question: &Question| world.engine().why(question, &world.now(), &Civil::utc).expect("it is there");
    assert!(why(&question).reaches_back);
    assert!(!why(&Question { at: Some(MONDAY + 23_999), ..question }).reaches_back);
}

#[test]
fn what_the_record_has_stands_before_what_memory_has() {
    let mut world = ping("\nalert a\nnumalerts 1");
    until(&mut world, 130);
    let question = |at| Question { group: "web".to_owned(), service: "ping".to_owned(), at };
    let ask = |at| world.engine().why(&question(at), &world.now(), &Civil::utc).expect("it is there");
    let model = ask(None).past[0].clone();
    let old = |at| Past { at, last: at, ..model.clone() };
    let recorded = vec![old(MONDAY - 900), old(MONDAY - 600), old(MONDAY + 60)];
    let times = |at| {
        let mut why = ask(at);
        assert!(why.reaches_back);
        why.add_recorded(recorded.clone());
        why.past.iter().map(|past| past.at - MONDAY).collect::<Vec<_>>()
    };
    assert_eq!(times(None), [-900, -600, 60, 120]);
    assert_eq!(times(Some(MONDAY - 700)), [-900, -600]);
    assert_eq!(times(Some(MONDAY)), [-600, 60]);
    assert_eq!(times(Some(MONDAY - 901)), [-900]);
}

#[test]
fn a_question_that_cannot_be_answered_is_refused() {
    let mut world = ping("\nalert a");
    for (line, expect) in [
        ("why web", "520 why error, the command is: why GROUP SERVICE [at SECONDS]\n"),
        ("why web ping at noon", "520 why error, the command is: why GROUP SERVICE [at SECONDS]\n"),
        ("why web ping 12", "520 why error, the command is: why GROUP SERVICE [at SECONDS]\n"),
        ("why web pong", "520 web pong not defined\n"),
        ("why \\77eb ping", "520 \\77eb ping not defined\n"),
        ("list record web ping", "520 list record error, there is no record\n"),
        ("list record web ping x", "520 unknown list command\n"),
    ] {
        assert_eq!(ask(&mut world, line), expect, "{line}");
    }
    world.write_auth_cf("ack: all\nreload: all\n");
    obeys(&mut world, "reload auth");
    assert!(ask(&mut world, "why web ping").starts_with("520 command could not be executed"));
}

/// What goes to the record, in a few words each.
fn facts(world: &World) -> String {
    told_facts(world).join(", ")
}

fn told_facts(world: &World) -> Vec<String> {
    let word = |fact: &Fact| match fact {
        Fact::Result { again, exit, summary, .. } => {
            format!("{exit} {summary}{}", if *again { " again" } else { "" })
        }
        Fact::Status(status) => format!("set {}", status.word()),
        Fact::Decided(decided) => format!("decided {}", decided.kind.env_word()),
        Fact::AlertCalled { line, .. } => format!("call {line}"),
        Fact::AlertEnded { .. } => "called".to_owned(),
        Fact::Command { line, .. } => line.clone().to_string(),
        other => format!("{other:?}"),
    };
    let facts = world.log.iter().filter_map(|entry| match &entry.what {
        Happened::Recorded { fact, .. } => Some(format!("{} {}", entry.at.wall - MONDAY, word(fact))),
        _ => None,
    });
    facts.collect()
}

#[test]
fn facts_are_what_changes_and_what_fails() {
    let mut world = ping("\nalert a\nnumalerts 1");
    world.notes_facts = true;
    let ok = |summary: &str| Outcome::exits(0, summary);
    let runs = [
        ok("5 ms"),
        ok("5 ms"),
        ok("6 ms"),
        Outcome::fails("down"),
        Outcome::fails("down"),
        ok("6 ms"),
        ok("6 ms"),
    ];
    world.script_monitor("web", "ping", runs);
    until(&mut world, 430);
    obeys(&mut world, "disable service web ping");
    assert_eq!(
        facts(&world),
        "60 RunTime(0ns), 60 0 5 ms, 180 0 6 ms, 240 1 down, 240 decided failure, 240 call 8, 240 called, 300 1 down again, \
         300 decided failure, 360 0 6 ms, 360 decided up, 430 disable service web ping, \
         430 decided disable"
    );
}

#[test]
fn traps_and_statuses_are_facts_each() {
    let mut world = web("service ping\ntrapduration 2m\nperiod\nalert a");
    world.notes_facts = true;
    world.happen(trap("web", "ping", 0, "fine"));
    world.happen(trap("web", "ping", 0, "fine"));
    world.happen(trap("web", "ping", 1, "bad"));
    until(&mut world, 200);
    assert_eq!(
        facts(&world),
        "0 0 fine, 0 0 fine again, 0 1 bad, 0 decided trap, 0 call 7, 0 called, 120 set ok"
    );
}

#[test]
fn a_run_time_is_told_every_twenty_minutes_and_after_a_reset() {
    let mut world = ping("\nalert a");
    world.notes_facts = true;
    let times = |world: &World| -> Vec<i64> {
        let told = told_facts(world);
        let measured = told.iter().filter_map(|fact| fact.split_once(" RunTime"));
        measured.map(|(at, _)| at.parse().expect("a number of seconds")).collect()
    };
    until(&mut world, 4000);
    assert_eq!(times(&world), [60, 1260, 2460, 3660]);
    obeys(&mut world, "reset");
    until(&mut world, 5000);
    let all = times(&world);
    assert!(all.len() == 5 && (4000..=4100).contains(&all[4]), "{all:?}");
}
