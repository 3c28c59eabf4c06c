//! Equal results: none is lost, and they take little room.

use super::*;

fn run(exit: i64, summary: &str, took: u64, detail: &str) -> Fact {
    let status = if exit == 0 { OpStatus::Ok } else { OpStatus::Fail };
    let took = Some(Duration::from_millis(took));
    let (source, summary, detail) = (Source::Monitor, summary.into(), detail.into());
    Fact::Result { again: false, source, took, exit, status, summary, detail }
}

fn each(folder: &Folder, from: Wall, to: Wall, most: usize) -> Vec<Recorded> {
    let reader = Reader::open(&folder.file()).expect("the record can be opened");
    reader.everything(None, from, to, most, true).expect("it can be read")
}

fn took(recorded: &Recorded) -> u128 {
    match &recorded.fact {
        Fact::Result { took, .. } => took.map_or(u128::MAX, |took| took.as_millis()),
        _ => u128::MAX,
    }
}

fn number(folder: &Folder, query: &str) -> i64 {
    let connection = Connection::open(folder.file()).expect("it is there");
    connection.query_row(query, [], |row| row.get(0)).expect("it can be asked")
}

#[test]
fn each_failure_has_its_time_and_its_run_time() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, [(1000, web("http"), run(1, "down", 7, "x"))]);
    // Another service between them; and the clock is set back once.
    let time = |n: Wall| 1000 + n * 60 - if n > 300 { 4000 } else { 0 };
    for n in 1..1000_i64 {
        let fact = again(&run(1, "down", 7 + n.unsigned_abs(), "x"));
        write(&mut keeper, [(time(n), web("http"), fact)]);
        if n % 10 == 0 {
            write(&mut keeper, [(time(n), web("ping"), run(n % 20, "flaps", 1, ""))]);
        }
    }
    write(&mut keeper, [(99_000, web("http"), run(0, "up", 5, ""))]);
    let told = each(&folder, Wall::MIN, Wall::MAX, usize::MAX);
    let http: Vec<(Wall, u128)> =
        told.iter().filter(|r| r.service == web("http")).map(|r| (r.at, took(r))).collect();
    let mut expected: Vec<(Wall, u128)> =
        (0..1000_i64).map(|n| (time(n), 7 + u128::from(n.unsigned_abs()))).chain([(99_000, 5)]).collect();
    expected.sort_by_key(|(at, _)| *at);
    assert_eq!(http, expected);
    assert!(told.iter().all(|r| r.times == 1 && r.last == r.at));
    // As one they are one, however many rows they have.
    let all: Vec<_> = folder.all().into_iter().filter(|r| r.service == web("http")).collect();
    assert_eq!(
        all.iter().map(|r| (r.at, r.last, r.times)).collect::<Vec<_>>(),
        [(1000, time(999), 1000), (99_000, 99_000, 1)]
    );
    assert_eq!(number(&folder, "SELECT count(*) FROM result WHERE exit = 1 AND service = 1"), 8);
    let bytes = number(&folder, "SELECT sum(length(repeats)) FROM result");
    assert!(bytes < 4 * 1000, "{bytes}");
    // Of a part there is that part, and of too many the newest.
    let part = each(&folder, 2000, 2120, usize::MAX);
    assert!(part.iter().filter(|r| r.service == web("http")).all(|r| (2000..=2120).contains(&r.at)));
    assert_eq!(part.iter().filter(|r| r.service == web("http")).count(), 2);
    let newest = each(&folder, Wall::MIN, Wall::MAX, 20);
    assert_eq!(newest, told[told.len() - 20..]);
}

#[test]
fn a_failure_takes_a_few_bytes() {
    const SERVICES: usize = 100;
    const TIMES: usize = 600;
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let keys: Vec<_> = (0..SERVICES).map(|n| web(&n.to_string())).collect();
    for at in 0..TIMES {
        let fact = run(1, "connection refused", 1000 + (at as u64 * 7919) % 500, "all of them\n");
        let fact = if at > 0 { again(&fact) } else { fact };
        write(&mut keeper, keys.iter().map(|key| (1_795_350_000 + at as Wall, key.clone(), fact.clone())));
    }
    drop(keeper);
    let size = fs::metadata(folder.file()).expect("it is there").len() as usize;
    assert!(size < SERVICES * TIMES * 8, "{size} bytes for {} failures", SERVICES * TIMES);
    let times: u64 = folder.all().iter().map(|r| r.times).sum();
    assert_eq!(times as usize, SERVICES * TIMES);
}

#[test]
fn a_detail_that_changes_is_kept_once_a_minute() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, [(0, web("http"), run(1, "down", 1, "detail 0"))]);
    for at in 1..600 {
        write(&mut keeper, [(at, web("http"), again(&run(1, "down", 1, &format!("detail {at}"))))]);
    }
    let details: Vec<String> = each(&folder, 0, 9999, usize::MAX)
        .iter()
        .map(|r| match &r.fact {
            Fact::Result { detail, again, .. } => format!("{} {detail} {again}", r.at),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(details.len(), 600);
    let news: Vec<&String> = details.iter().filter(|detail| detail.ends_with("false")).collect();
    assert_eq!(news.len(), 10);
    assert_eq!(news[1], "60 detail 60 false");
    assert_eq!(folder.all().len(), 1, "shown as one");
    // At a minute's interval nothing is lost at all.
    for at in (1000..2000).step_by(60) {
        write(&mut keeper, [(at, web("ping"), again(&run(1, "down", 1, &format!("detail {at}"))))]);
    }
    let every = each(&folder, 1000, 9999, usize::MAX);
    let same = |r: &Recorded| matches!(&r.fact, Fact::Result { detail, .. } if **detail == *format!("detail {}", r.at));
    assert!(every.len() == 17 && every.iter().all(same), "{every:?}");
}

#[test]
fn every_trap_is_played_again_at_its_time_and_a_full_row_is_no_news() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let trap = |again, exit| {
        let (summary, detail) = ("t".into(), "".into());
        Fact::Result { again, source: Source::Trap, took: None, exit, status: OpStatus::Ok, summary, detail }
    };
    let times: Vec<Wall> = (0..300).map(|n| 100 + n * n).collect();
    write(&mut keeper, times.iter().map(|at| (*at, web("trap"), trap(*at > 100, 0))));
    write(
        &mut keeper,
        (0..300).map(|at| (at, web("http"), if at > 0 { again(&result(1, "x")) } else { result(1, "x") })),
    );
    let reader = Reader::open(&folder.file()).expect("it is there");
    let of = |events: &[Recorded], name: &str| -> Vec<Recorded> {
        events.iter().filter(|r| r.service == web(name)).cloned().collect()
    };
    let events = reader.events(Wall::MIN, Wall::MAX).expect("it can be read");
    assert_eq!(of(&events, "trap").iter().map(|r| r.at).collect::<Vec<_>>(), times);
    let is_news = |r: &Recorded| matches!(r.fact, Fact::Result { again: false, .. });
    let http = of(&events, "http");
    assert_eq!(
        http.iter().map(|r| (r.at, r.times, is_news(r))).collect::<Vec<_>>(),
        [(0, 129, true), (129, 129, false), (258, 42, false)]
    );
    // What comes first is news in any case: nobody knows the row before.
    assert!(is_news(&of(&reader.events(200, Wall::MAX).expect("it can be read"), "http")[0]));
    assert!(reader.state_before(290).expect("it can be read").iter().all(is_news));
}

/// A record of version 1, as it was written then.
pub(super) fn of_version_1(folder: &Folder) {
    fs::create_dir_all(folder.file().parent().expect("a folder")).expect("it is ours");
    let old = Connection::open(folder.file()).expect("it can be made");
    old.execute_batch(include_str!("version1.sql")).expect("it can be written");
}

#[test]
fn a_record_of_version_1_is_read_and_carried_over() {
    let folder = Folder::new();
    of_version_1(&folder);
    let old = folder.all();
    assert_eq!(old.len(), 4, "{old:?}");
    assert_eq!(number(&folder, "PRAGMA user_version"), 1, "who only reads changes nothing");
    let counted = |all: &[Recorded]| all.iter().map(|r| (r.at, r.last, r.times)).collect::<Vec<_>>();
    assert_eq!(counted(&old)[1], (1001, 1240, 5));
    // What was counted has no times of its own.
    assert_eq!(counted(&each(&folder, 0, 9999, 99))[1], (1001, 1240, 5));
    let mut keeper = folder.keeper();
    write(&mut keeper, [(1300, web("http"), again(&result(1, "down")))]);
    assert_eq!(number(&folder, "PRAGMA user_version"), 2);
    assert!(!folder.file().with_extension("db.damaged").exists());
    let mut expected = old.clone();
    (expected[1].last, expected[1].times) = (1300, 6);
    assert_eq!(folder.all(), expected);
    assert_eq!(
        number(&folder, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
        1
    );
}
