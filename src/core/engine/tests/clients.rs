//! Clients: the gate, sessions, views, operators.

use super::*;

const TWO: &str = "view all_web web\n\nview pings web:ping net:ping\n\nhostgroup web h1 h2\n\nhostgroup net r\n\nwatch web\nservice ping\nservice http\n\nwatch net\nservice ping\n";

/// A world with that auth.cf in force.
fn guarded(auth_cf: &str) -> World {
    let mut world = world(TWO);
    world.write_auth_cf(&format!("reload: boss\n{auth_cf}"));
    let client = world.connect();
    assert!(world.say(client, "reload auth").starts_with("220"));
    world.happen(Event::ClientGone { client });
    world.set_password("boss", "secret");
    world.set_password("guest", "guest");
    world
}

fn status(reply: &str) -> &str {
    reply.lines().last().and_then(|line| line.get(..3)).unwrap_or("")
}

#[test]
fn what_auth_cf_does_not_permit_is_refused_and_changes_nothing() {
    let mut world = guarded("list: all\nack: AUTH_ANY\ndisable: boss, !guest");
    let client = world.connect();
    for (line, expect) in [
        ("list watch", "220"),
        ("disable watch web", "520"),
        ("stop", "520"),
        ("version", "220"),
        ("protid 9745", "220"),
        ("getview", "220"),
        ("login boss wrong", "530"),
        ("disable watch web", "520"),
        ("login boss secret", "220"),
        ("disable watch web", "220"),
        ("stop", "520"),
        ("login guest guest", "220"),
        ("disable watch net", "520"),
    ] {
        assert_eq!(status(&world.say(client, line)), expect, "{line}");
    }
    let disabled = world.say(client, "list disabled");
    assert!(disabled.contains("watch web") && !disabled.contains("watch net"), "{disabled}");
    assert_eq!(logged(&world, "tried 'stop', not authorized"), 2);
    assert_eq!(logged(&world, "secret"), 0, "a password is never logged");
}

#[test]
fn checkauth_answers_like_the_gate() {
    let mut world = guarded("list: all\nack: AUTH_ANY");
    let client = world.connect();
    assert_eq!(status(&world.say(client, "checkauth list")), "220");
    assert_eq!(status(&world.say(client, "checkauth ack")), "520");
    world.say(client, "login guest guest");
    assert_eq!(status(&world.say(client, "checkauth ack")), "220");
    assert_eq!(status(&world.say(client, "checkauth disable")), "520");
}

#[test]
fn a_login_and_a_view_belong_to_one_connection() {
    let mut world = guarded("list: all\nstop: boss\nstart: boss");
    let (one, two) = (world.connect(), world.connect());
    world.say(one, "login boss secret");
    world.say(one, "setview pings");
    assert_eq!(status(&world.say(two, "stop")), "520");
    assert_eq!(status(&world.say(one, "stop")), "220");
    assert_eq!(world.say(one, "list watch").lines().count(), 3);
    assert_eq!(world.say(two, "list watch").lines().count(), 4);
    world.happen(Event::ClientGone { client: one });
    let three = world.connect();
    assert_eq!(status(&world.say(three, "start")), "520", "a new connection is nobody");
}

#[test]
fn views_narrow_the_lists() {
    let mut world = world(TWO);
    let client = world.connect();
    let services = |world: &mut World| world.say(client, "list opstatus").lines().count() - 1;
    assert_eq!(services(&mut world), 3);
    assert!(world.say(client, "setview all_web").contains("\n220"));
    assert_eq!(services(&mut world), 2);
    assert!(world.say(client, "setview pings").contains("\n220"));
    assert_eq!(services(&mut world), 2);
    assert!(!world.say(client, "setview nothing").contains("220"));
    assert_eq!(services(&mut world), 2, "an unknown view changes nothing");
    world.say(client, "setview");
    assert_eq!(services(&mut world), 3);
}

#[test]
fn a_view_that_a_reset_took_away_shows_nothing() {
    let mut world = world(TWO);
    let client = world.connect();
    world.say(client, "setview pings");
    world.write_mon_cf(&TWO.replace("view pings web:ping net:ping\n\n", ""));
    world.say(client, "reset");
    assert_eq!(world.say(client, "list watch").lines().count(), 1);
}

#[test]
fn unwanted_peers_are_closed_and_never_heard() {
    let mut world = world(&format!("clientallow = 127.0.0.1 10\\.\\d+\\.0\\.1\n{TWO}"));
    let stranger = world.connect_from(IpAddr::V4(Ipv4Addr::new(192, 168, 0, 1)));
    let closed =
        |entry: &crate::world::Entry| matches!(entry.what, Happened::Closed { client } if client == stranger);
    assert!(world.log.iter().any(closed));
    assert_eq!(world.say(stranger, "disable watch web"), "");
    let friend = world.connect_from(IpAddr::V4(Ipv4Addr::new(10, 7, 0, 1)));
    assert_eq!(world.say(friend, "list disabled").lines().count(), 1, "nothing was disabled");
}

#[test]
fn a_client_that_left_is_not_heard_and_a_late_login_is_lost() {
    let mut world = world(TWO);
    let client = world.connect();
    world.happen(Event::ClientGone { client });
    assert_eq!(world.say(client, "list watch"), "");
    world.happen(Event::Authenticated { client, user: "boss".to_owned(), accepted: true });
    assert_eq!(logged(&world, "authenticated"), 0);
}

#[test]
fn acks_are_for_failing_services_and_carry_the_name_of_the_user() {
    let mut world = guarded("ack: all\nlist: all");
    let client = world.connect();
    assert_eq!(status(&world.say(client, "ack web ping known")), "520", "not failing");
    world.happen(trap("web", "ping", 1, "x"));
    assert_eq!(status(&world.say(client, "ack web nothing known")), "520");
    assert_eq!(status(&world.say(client, "ack nowhere ping known")), "520");
    world.say(client, "login boss secret");
    assert_eq!(status(&world.say(client, "ack web ping known")), "220");
    assert_eq!(field(&mut world, "web:ping", "ackcomment"), "boss: known");
    world.happen(trap("web", "ping", 0, "x"));
    assert_eq!(field(&mut world, "web:ping", "ack"), "0");
}

#[test]
fn a_watch_goes_along_with_its_only_host() {
    let mut world = world(TWO);
    let client = world.connect();
    world.say(client, "disable host r");
    assert!(world.say(client, "list disabled").contains("watch net"));
    world.say(client, "enable host r");
    assert_eq!(world.say(client, "list disabled").lines().count(), 1);
    assert_eq!(status(&world.say(client, "disable host h1 nobody")), "520");
    assert_eq!(world.say(client, "list disabled").lines().count(), 1, "all or none");
}

#[test]
fn a_command_that_is_wrong_changes_nothing() {
    let mut world = world(TWO);
    let client = world.connect();
    let before = format!("{:?}{:?}", world.engine().snapshots(&world.now()), world.engine().disabled());
    for line in [
        "",
        " list watch",
        "nonsense",
        "clear nonsense",
        "clear timers web nothing",
        "set web nothing interval 5",
        "set web ping opstatus great",
        "set web ping colour blue",
        "set web ping interval 0",
        "set web ping interval soon",
        "get web nothing interval",
        "test",
        "test monitor web nothing",
        "test alert web ping 1 never",
        "enable nonsense x",
        "disable watch nothing",
        "disable service web nothing",
        "reload nonsense",
        "ack web ping x",
        "dump",
    ] {
        let reply = world.say(client, line);
        assert!(!status(&reply).starts_with('2') || line.is_empty(), "{line}: {reply}");
    }
    let after = format!("{:?}{:?}", world.engine().snapshots(&world.now()), world.engine().disabled());
    assert_eq!(before, after);
}

#[test]
fn pids_are_listed_while_monitors_run() {
    let mut world = web("service ping\ninterval 1m\nmonitor p");
    world.script_monitor("web", "ping", [Outcome::ok().lasting(secs(10))]);
    let client = world.connect();
    until(&mut world, 65);
    assert!(world.say(client, "list pids").contains("web ping "), "the run has a process");
    until(&mut world, 75);
    assert!(!world.say(client, "list pids").contains("web ping"));
}
