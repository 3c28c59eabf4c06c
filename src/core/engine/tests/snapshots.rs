//! State that outlives the process.

use super::*;

const CF: &str = "hostgroup web h1 h2\n\nhostgroup net r\n\nwatch web\nservice ping\ninterval 1m\nunack_summary yes\nmonitor p\ntraptimeout 1h\nperiod day: hr {0-11}\nalert a\nupalert u\nackalert k\nnumalerts 3\nalertevery 3m\nperiod always:\nalert a\nupalert u\nalertafter 3 10m\nperiod after:\nalert a\nalertafter 2m\nperiod twice:\nalert a\nalertafter 2\nno_comp_alerts\nupalert u\n\nwatch net\nservice ping\n";

/// Fails a while, is acknowledged, then saves everything.
fn troubled(runs: &[Outcome], seconds: u64, lines: &[&str]) -> World {
    let mut world = world(CF);
    world.script_monitor("web", "ping", runs.to_vec());
    until(&mut world, seconds);
    let client = world.connect();
    for line in lines.iter().chain(&["savestate all"]) {
        let reply = world.say(client, line);
        assert!(reply.starts_with("220"), "{line}: {reply}");
    }
    world
}

/// What is saved, without the timer, which is not of the state.
fn saved(world: &World) -> Vec<ServiceSnapshot> {
    world.engine().snapshots(&world.now())
}

fn fails(summary: &str) -> Outcome {
    Outcome::exits(1, &format!("{summary}\ndetail\twith \\ and 'quotes'\n"))
}

#[test]
fn what_was_saved_is_there_after_a_crash() {
    let mut world = troubled(
        &[fails("one"), fails("two"), fails("three")],
        250,
        &["ack web ping \"known more\"", "disable service net ping", "disable host h2", "disable watch net"],
    );
    let before = (saved(&world), world.engine().disabled());
    world.crash().expect("a good mon.cf");
    assert_eq!((saved(&world), world.engine().disabled()), before);
    assert_eq!(field(&mut world, "web:ping", "ackcomment"), ": known more");
}

#[test]
fn decisions_stay_the_same_after_a_crash() {
    let runs = [fails("a"), fails("a"), fails("b"), Outcome::ok(), fails("a"), fails("a")];
    for seconds in [30, 70, 130, 190, 250, 310, 370] {
        for lines in [&[][..], &["disable watch net"]] {
            let story = |crash: bool| {
                let mut world = troubled(&runs, seconds, lines);
                if crash {
                    world.crash().expect("a good mon.cf");
                }
                world.log.clear();
                // Results by trap, since a new daemon begins a new schedule.
                for (status, output) in
                    [(1, "b\n"), (1, "c\n"), (0, "fine\n"), (0, "fine\n"), (1, "c\n"), (1, "c\n")]
                {
                    world.step_clock(60);
                    world.happen(trap("web", "ping", status, output));
                }
                (alerts(&world), last_alert(&world).2, saved(&world))
            };
            assert_eq!(story(false), story(true), "crash at {seconds}, {lines:?}");
        }
    }
}

#[test]
fn an_upalert_after_a_crash_has_nothing_to_read() {
    // The original keeps the output in its state file, and does not use it either.
    let mut world = troubled(&[fails("one")], 250, &[]);
    world.crash().expect("a good mon.cf");
    world.happen(trap("web", "ping", 0, "fine\n"));
    assert_eq!(last_alert(&world).2, "");
}

#[test]
fn the_timer_of_a_missing_trap_goes_on_where_it_was() {
    let mut world = troubled(&[Outcome::ok()], 1000, &[]);
    world.crash().expect("a good mon.cf");
    until(&mut world, 3599);
    assert_eq!(field(&mut world, "web:ping", "last_summary"), "");
    world.log.clear();
    until(&mut world, 3600);
    assert_eq!(logged(&world, "failure for web ping"), 1);
}

#[test]
fn loadstate_puts_back_what_savestate_saved() {
    let mut world = troubled(&[fails("one")], 130, &["ack web ping known", "disable watch net"]);
    let before = saved(&world);
    world.happen(trap("web", "ping", 0, "fine"));
    let client = world.connect();
    world.say(client, "loadstate opstatus");
    assert_eq!(saved(&world), before);
}

#[test]
fn a_file_that_does_not_fit_is_skipped_and_told() {
    let mut world = world(CF);
    let snapshot = |service: &str, fields: &[(&str, &str)]| ServiceSnapshot {
        group: "web".to_owned(),
        service: service.to_owned(),
        fields: fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    world.happen(Event::StateRead {
        client: None,
        disabled: vec![
            Disabled::Watch("gone".to_owned()),
            Disabled::Service("web".to_owned(), "gone".to_owned()),
        ],
        services: vec![
            snapshot("gone", &[("op_status", "0")]),
            snapshot("ping", &[("op_status", "great"), ("never_heard", "1"), ("failure_count", "7")]),
            snapshot("ping", &[("gone:alert_sent", "3"), ("day:alert_sent", "2"), ("day:last_alert", "x")]),
        ],
    });
    assert_eq!(logged(&world, "saved state names what is not there"), 2);
    assert_eq!(logged(&world, "saved state of web/ping: "), 2);
    let fields = &saved(&world)[0].fields;
    let value = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!((value("failure_count"), value("day:alert_sent")), (Some("7"), Some("2")));
    assert_eq!(value("op_status"), Some("7"), "what cannot be stays as it was");
}
