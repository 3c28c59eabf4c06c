//! The record: what is written can be read, whatever happens to the file.

mod repeats;
mod run_times;
mod trouble;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use remon_core::decision::Source;
use remon_core::engine::{AlertId, Decided, Ending, Fact, Judged, Reason, Recorded, Ruling, StateFile};
use remon_core::nouns::{AlertKind, OpStatus, ServiceKey, Wall};
use rusqlite::Connection;

use super::keep::forget_old;
use super::queue::{Batch, GATHER, GATHER_AT_FIRST, Item, Queue};
use super::writer::Keeper;
use super::{Place, Reader, gather_at_first, path};

/// A state directory of its own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("remon-record-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary directory can be made");
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        path(&self.0)
    }

    fn keeper(&self) -> Keeper {
        let mut keeper = Keeper::new(Arc::new(Queue::default()));
        self.place(&mut keeper);
        keeper
    }

    fn place(&self, keeper: &mut Keeper) {
        let place = Place { path: self.file(), keep_secs: i64::MAX };
        keeper.take_in(Batch { moved: Some(Some(place)), ..Batch::default() });
    }

    fn all(&self) -> Vec<Recorded> {
        let reader = Reader::open(&self.file()).expect("the record can be opened");
        reader.everything(None, Wall::MIN, Wall::MAX, usize::MAX, false).expect("it can be read")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn web(service: &str) -> Option<ServiceKey> {
    Some(ServiceKey { group: "web".into(), service: service.into() })
}

fn result(exit: i64, summary: &str) -> Fact {
    let status = if exit == 0 { OpStatus::Ok } else { OpStatus::Fail };
    let (summary, detail) = (summary.into(), "more\n".into());
    Fact::Result { again: false, source: Source::Monitor, took: None, exit, status, summary, detail }
}

fn again(fact: &Fact) -> Fact {
    match fact.clone() {
        Fact::Result { source, took, exit, status, summary, detail, .. } => {
            Fact::Result { again: true, source, took, exit, status, summary, detail }
        }
        other => other,
    }
}

fn decided(most: u32) -> Fact {
    let judged = |period: &str, ruling| Judged { period: period.into(), line: 7, ruling };
    let details = vec![("most".into(), most.to_string()), ("said".into(), "a b\\c 'd'\n".to_owned())];
    let held = Ruling::Held(Reason { rule: "numalerts".into(), line: 9, details });
    Fact::Decided(Arc::new(Decided {
        kind: AlertKind::Failure,
        exit: Some(3),
        summary: "down".into(),
        periods: vec![judged("a b", Ruling::Sent(vec![8, 10])), judged("", held)],
    }))
}

fn call(run: u64) -> Fact {
    Fact::AlertCalled {
        run: AlertId(run),
        kind: AlertKind::Up,
        period: Some("P".into()),
        line: 12,
        program: "/a/mail.alert".into(),
        arguments: "me".into(),
    }
}

fn ended(run: u64, ending: Ending) -> Fact {
    Fact::AlertEnded { run: AlertId(run), ending, last_words: "550 no".into() }
}

fn write(keeper: &mut Keeper, facts: impl IntoIterator<Item = (Wall, Option<ServiceKey>, Fact)>) {
    let items = facts.into_iter().map(|(at, service, fact)| Item { at, service, fact }).collect();
    keeper.take_in(Batch { items, ..Batch::default() });
}

#[test]
fn what_is_written_can_be_read() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let empty = Fact::Decided(Arc::new(Decided {
        kind: AlertKind::Up,
        exit: Some(0),
        summary: "".into(),
        periods: Vec::new(),
    }));
    let command = Fact::Command { user: "amy".into(), line: "ack web http 'x'".into() };
    let facts = [
        (10, None, Fact::Started { stopped: false, loaded: Vec::new() }),
        (10, None, Fact::Configured { hash: "abc".into() }),
        (11, web("http"), result(3, "down \u{2014} é")),
        (11, web("http"), decided(2)),
        (12, web("http"), call(5)),
        (13, web("http"), empty),
        (13, web("ping"), Fact::Status(OpStatus::Warmstart)),
        (14, web("http"), command),
        (15, None, Fact::Lost(7)),
        (16, None, Fact::Ended),
    ];
    write(&mut keeper, facts.clone());
    let all = folder.all();
    let told: Vec<_> = all.iter().map(|r| (r.at, r.service.clone(), r.fact.clone())).collect();
    // Two rows are one decision, so the numbers have a gap.
    assert_eq!(all.iter().map(|r| r.id).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    assert_eq!(told, facts);
    assert!(all.iter().all(|r| r.times == 1 && r.last == r.at && r.ended.is_none()));
}

#[test]
fn equal_results_count_and_alerts_find_their_ends() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let down = result(1, "down");
    write(
        &mut keeper,
        [(1, web("http"), down.clone()), (1, web("http"), call(1)), (1, web("http"), call(2))],
    );
    write(&mut keeper, [(2, web("http"), again(&down)), (3, web("http"), again(&down))]);
    write(&mut keeper, [(4, None, ended(2, Ending::Killed(9))), (4, None, ended(77, Ending::Exited(0)))]);
    // Of another service nothing is known: then it is no repetition.
    write(&mut keeper, [(5, web("ping"), again(&down))]);
    let all = folder.all();
    let counts: Vec<_> = all.iter().map(|r| (r.id, r.at, r.last, r.times)).collect();
    assert_eq!(counts, [(1, 1, 3, 3), (2, 1, 1, 1), (3, 1, 1, 1), (4, 5, 5, 1)]);
    assert_eq!(all[1].ended, None);
    assert_eq!(all[2].ended, Some((4, Ending::Killed(9), "550 no".into())));
    // The numbers of runs begin anew with every process: an old one is not taken for a new one.
    drop(keeper);
    let mut keeper = folder.keeper();
    write(&mut keeper, [(6, web("http"), call(1)), (7, None, ended(1, Ending::NotStarted("gone".into())))]);
    let all = folder.all();
    assert_eq!(all[1].ended, None);
    assert_eq!(all[4].ended, Some((7, Ending::NotStarted("gone".into()), "gone".into())));
}

#[test]
fn what_can_be_played_again() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let stop = Fact::Command { user: "".into(), line: "stop".into() };
    let facts = (1..=9).map(|at| (at * 10, web("http"), result(at % 2, "x")));
    write(&mut keeper, facts.chain([(95, None, stop.clone()), (96, web("http"), decided(1))]));
    write(&mut keeper, [(120, web("http"), again(&result(1, "x")))]);
    let reader = Reader::open(&folder.file()).expect("it is there");
    let events = reader.events(70, 100).expect("it can be read");
    let told: Vec<_> = events.iter().map(|r| (r.at, r.last, r.times)).collect();
    assert_eq!(told, [(70, 70, 1), (80, 80, 1), (90, 120, 2), (95, 95, 1)]);
    assert_eq!(events[3].fact, stop);
    let before = reader.state_before(70).expect("it can be read");
    assert_eq!(before.iter().map(|r| (r.at, r.fact.clone())).collect::<Vec<_>>(), [(60, result(0, "x"))]);
    let newest = reader.everything(Some(("web", "http")), 0, 999, 2, false).expect("it can be read");
    assert_eq!(newest.iter().map(|r| r.at).collect::<Vec<_>>(), [90, 96]);
    assert!(reader.everything(Some(("web", "gone")), 0, 999, 9, false).expect("it can be read").is_empty());
}

#[test]
fn decisions_around_a_moment() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, (1..=20).map(|at| (at * 10, web("http"), decided(at as u32))));
    let reader = Reader::open(&folder.file()).expect("it is there");
    let times = |moment, most| -> Vec<Wall> {
        let past = reader.decided("web", "http", moment, most).expect("it can be read");
        assert!(past.iter().all(|past| past.decided.periods.len() == 2));
        past.iter().map(|past| past.at).collect()
    };
    assert_eq!(times(Some(55), 1), [50, 60]);
    assert_eq!(times(Some(5), 1), [10]);
    assert_eq!(times(None, 3), [180, 190, 200]);
}

#[test]
fn a_damaged_file_is_kept_and_a_new_one_begins() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes[..100].fill(b'x'),
        |bytes| {
            let size = bytes.len();
            bytes[4096..size].fill(0xa5);
        },
        |bytes| *bytes = b"not a database at all".to_vec(),
    ];
    for damage in damages {
        let folder = Folder::new();
        write(&mut folder.keeper(), (1..=200).map(|at| (at, web("http"), result(1, &"x".repeat(200)))));
        let mut bytes = fs::read(folder.file()).expect("it was written");
        damage(&mut bytes);
        fs::write(folder.file(), &bytes).expect("it can be damaged");
        write(&mut folder.keeper(), [(999, web("http"), result(1, "new"))]);
        assert_eq!(folder.all().len(), 1, "a new one");
        let aside = folder.file().with_extension("db.damaged");
        assert_eq!(fs::read(aside).expect("it is kept"), bytes);
    }
}

#[test]
fn a_file_of_another_version_is_not_touched() {
    let folder = Folder::new();
    write(&mut folder.keeper(), [(1, web("http"), result(1, "old"))]);
    let other = Connection::open(folder.file()).expect("it is there");
    other.execute_batch("PRAGMA user_version = 3").expect("it can be written");
    drop(other);
    assert!(Reader::open(&folder.file()).err().is_some_and(|why| why == "its version is 3, and not 2"));
    write(&mut folder.keeper(), [(2, web("http"), result(1, "new"))]);
    assert_eq!(folder.all().len(), 1);
    assert!(folder.file().with_extension("db.damaged").exists());
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_is_replaced() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, (1..=300).map(|at| (at, web("http"), result(1, &"x".repeat(200)))));
    // As if the disk had done it, behind SQLite's back.
    let other = Connection::open(folder.file()).expect("it is there");
    other.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("nobody else writes");
    drop(other);
    let mut bytes = fs::read(folder.file()).expect("it was written");
    let size = bytes.len();
    bytes[100..size].fill(0xa5);
    use std::os::unix::fs::FileExt as _;
    let file = fs::File::options().write(true).open(folder.file()).expect("it is ours");
    file.write_all_at(&bytes, 0).expect("it is ours");
    for at in 1000..1010 {
        write(&mut keeper, [(at, web("ping"), result(1, &at.to_string()))]);
    }
    assert!(folder.file().with_extension("db.damaged").exists());
    assert!(folder.all().iter().any(|r| r.at == 1009));
}

#[test]
fn what_cannot_be_written_is_counted_and_told_in_the_record() {
    let folder = Folder::new();
    fs::remove_dir_all(&folder.0).expect("it is ours");
    let mut keeper = folder.keeper();
    write(&mut keeper, [(1, web("http"), result(1, "a")), (2, web("http"), result(0, "b"))]);
    assert!(!folder.0.exists(), "no state directory, no record");
    fs::create_dir_all(&folder.0).expect("it can be made");
    let mut at = 10;
    while !folder.file().exists() {
        // It is tried again after a second.
        std::thread::sleep(std::time::Duration::from_millis(50));
        at += 1;
        write(&mut keeper, [(at, web("http"), result(1, "c"))]);
        assert!(at < 1000, "it is tried again");
    }
    let all = folder.all();
    let Fact::Lost(lost) = all[0].fact else { panic!("{all:?}") };
    assert_eq!((lost, all.len()), (2 + at as u64 - 11, 2));
}

#[test]
fn old_facts_go_and_the_newest_result_of_each_service_stays() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let facts = (1..=100).flat_map(|at| {
        [(at, web("http"), result(at % 2, "x")), (at, web("http"), decided(1)), (at, web("http"), call(1))]
    });
    write(&mut keeper, facts);
    write(&mut keeper, [(5, web("quiet"), result(0, "ok")), (6, web("going"), result(1, "down"))]);
    write(&mut keeper, [(95, web("going"), again(&result(1, "down"))), (7, web("brief"), call(2))]);
    let connection = super::schema::open(&folder.file()).expect("it is there");
    forget_old(&connection, 100, 10).expect("it can be written");
    let all = folder.all();
    let old: Vec<_> = all.iter().filter(|r| r.last < 90).map(|r| (r.at, r.service.clone())).collect();
    assert_eq!(old, [(5, web("quiet"))]);
    assert_eq!(all.len(), 11 * 3 + 2);
    let services: i64 =
        connection.query_row("SELECT count(*) FROM service", [], |row| row.get(0)).expect("it can be asked");
    assert_eq!(services, 3, "a service without facts is forgotten");
}

#[test]
fn the_file_stays_below_its_bound() {
    const BOUND: i64 = 1 << 20;
    let folder = Folder::new();
    let mut keeper = folder.keeper().with_most_bytes(BOUND);
    for round in 0..100 {
        let at = round * 100;
        write(&mut keeper, (at..at + 100).map(|at| (at, web("http"), result(1, &format!("{at:0>900}")))));
    }
    let size = fs::metadata(folder.file()).expect("it was written").len();
    assert!(size < 2 * BOUND as u64, "{size}");
    let all = folder.all();
    assert!(all.len() > 500 && all[0].at > 1000, "{}", all.len());
    assert_eq!(all.last().map(|r| r.at), Some(9999));
    let connection = Connection::open(folder.file()).expect("it is there");
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be asked");
    assert_eq!(check, "ok");
}

#[test]
fn readers_read_while_it_is_written() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, [(0, web("http"), result(1, "x"))]);
    let file = folder.file();
    let (stop, stopped) = mpsc::channel::<()>();
    let reading = std::thread::spawn(move || {
        let mut seen = 0;
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let reader = Reader::open(&file).expect("it can be opened");
            let all = reader.everything(None, 0, Wall::MAX, usize::MAX, false).expect("it can be read");
            assert!(all.len() >= seen, "what was there is there");
            assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
            seen = all.len();
        }
        seen
    });
    for at in 1..=200 {
        write(&mut keeper, [(at, web("http"), result(at % 2, "x")), (at, web("http"), decided(1))]);
    }
    drop(stop);
    assert!(reading.join().expect("the reader does not panic") > 0);
    assert_eq!(folder.all().len(), 401);
}

#[test]
fn a_queue_that_is_full_counts_and_takes_no_more() {
    let queue = Queue::default();
    for at in 0..20_000 {
        queue.put(Item { at, service: None, fact: Fact::Lost(1) });
    }
    let batch = queue.take(GATHER);
    assert_eq!((batch.items.len(), batch.dropped), (16_384, 20_000 - 16_384));
    let big: Arc<str> = "x".repeat(1 << 20).into();
    for at in 0..20 {
        queue.put(Item { at, service: None, fact: Fact::Command { user: "".into(), line: big.clone() } });
    }
    let batch = queue.take(GATHER);
    assert_eq!((batch.items.len(), batch.dropped), (16, 4));
}

#[test]
fn the_first_facts_of_all_wait_until_somebody_asks_or_it_ends() {
    let folder = Folder::new();
    assert_eq!(gather_at_first(&folder.0), GATHER_AT_FIRST);
    write(&mut folder.keeper(), [(1, None, Fact::Started { stopped: false, loaded: Vec::new() })]);
    assert_eq!(gather_at_first(&folder.0), GATHER, "only once");
    for asks in [true, false] {
        let queue = Arc::new(Queue::default());
        queue.put(Item { at: 1, service: None, fact: Fact::Started { stopped: false, loaded: Vec::new() } });
        queue.move_to(None);
        let taking = queue.clone();
        let thread = std::thread::spawn(move || taking.take(GATHER_AT_FIRST).items.len());
        // Far longer than later facts gather.
        std::thread::sleep(Duration::from_secs(1));
        assert!(!thread.is_finished(), "nothing asks for them yet");
        queue.put(Item { at: 2, service: None, fact: Fact::Ended });
        let (written, _wait) = mpsc::sync_channel(1);
        if asks {
            queue.wait_for(written)
        } else {
            queue.close()
        }
        assert_eq!(thread.join().expect("it does not panic"), 2);
    }
}

#[test]
fn how_a_daemon_began_is_kept() {
    let folder = Folder::new();
    let loaded = vec![StateFile::Disabled, StateFile::Opstatus];
    let facts = [
        Fact::Started { stopped: true, loaded: Vec::new() },
        Fact::Started { stopped: false, loaded },
        Fact::HangUp,
    ];
    write(&mut folder.keeper(), facts.iter().map(|fact| (10, None, fact.clone())));
    let read: Vec<Fact> = folder.all().into_iter().map(|recorded| recorded.fact).collect();
    assert_eq!(read, facts);
}
