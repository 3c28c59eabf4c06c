//! What people, other programs and the clock do to a record.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::daemon::record::keep;
use crate::daemon::record::schema::open;

/// Writes until a result of that time is in the record: after a trouble it is tried again.
fn write_again(folder: &Folder, keeper: &mut Keeper, at: Wall) {
    for _ in 0..1000 {
        write(keeper, [(at, web("http"), result(1, "again"))]);
        let reader = Reader::open(&folder.file());
        let all = reader.and_then(|reader| reader.everything(None, at, at, 1, false));
        if all.is_ok_and(|all| !all.is_empty()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it is tried again");
}

fn lost(folder: &Folder) -> u64 {
    let all = folder.all();
    all.iter().map(|r| if let Fact::Lost(lost) = r.fact { lost } else { 0 }).sum()
}

fn modes(folder: &Folder) -> Vec<u32> {
    let entries = fs::read_dir(folder.file().parent().expect("a folder")).expect("it is there");
    let mode = |entry: fs::DirEntry| entry.metadata().expect("it is there").permissions().mode() & 0o777;
    entries.flatten().map(mode).collect()
}

#[test]
fn others_may_not_read_it() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, [(1, web("http"), result(1, "password expired"))]);
    assert_eq!(modes(&folder).len(), 3, "its log and the index of it as well");
    assert!(modes(&folder).iter().all(|mode| mode & 0o137 == 0), "{:?}", modes(&folder));
}

#[test]
fn a_record_of_version_1_that_others_could_read_is_closed_to_them_once() {
    let folder = Folder::new();
    repeats::of_version_1(&folder);
    let set =
        |mode| fs::set_permissions(folder.file(), fs::Permissions::from_mode(mode)).expect("it is ours");
    set(0o664);
    drop(open(&folder.file()).expect("it can be carried over"));
    assert_eq!(modes(&folder), [0o640]);
    // From then on it is the administrator's to say.
    set(0o644);
    drop(open(&folder.file()).expect("it can be opened"));
    assert_eq!(modes(&folder), [0o644]);
}

#[test]
fn two_daemons_do_not_write_into_one_record() {
    let folder = Folder::new();
    let mut first = folder.keeper();
    write(&mut first, [(1, web("http"), call(7))]);
    let mut second = folder.keeper();
    write(&mut second, [(2, web("http"), result(1, "of the second"))]);
    // The run of the first is still known, and its numbers go on.
    write(&mut first, [(3, None, ended(7, Ending::Exited(0))), (4, web("http"), result(1, "of the first"))]);
    let all = folder.all();
    assert_eq!(all.iter().map(|r| r.at).collect::<Vec<_>>(), [1, 4]);
    assert!(all[0].ended.is_some());
    drop(first);
    write_again(&folder, &mut second, 5);
    assert!(lost(&folder) >= 1, "what could not be written is counted");
}

#[test]
fn a_record_that_is_removed_or_replaced_is_not_written_on_unseen() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    write(&mut keeper, [(1, web("http"), result(1, "old"))]);
    fs::remove_file(folder.file()).expect("it is ours");
    write(&mut keeper, [(2, web("http"), result(1, "new"))]);
    assert_eq!(folder.all().iter().map(|r| r.at).collect::<Vec<_>>(), [2]);
    // Somebody puts another one in its place, with a log that is not in it yet.
    let other = Folder::new();
    let mut writes_other = other.keeper();
    write(&mut writes_other, [(3, web("http"), result(1, "other"))]);
    for part in ["", "-wal"] {
        let name = |folder: &Folder| format!("{}{part}", folder.file().display());
        let fresh = format!("{}.new", name(&folder));
        fs::copy(name(&other), &fresh).expect("it can be copied");
        fs::rename(&fresh, name(&folder)).expect("it is ours");
    }
    let _ = fs::remove_file(format!("{}-shm", folder.file().display()));
    write(&mut keeper, [(4, web("http"), result(1, "newer"))]);
    assert_eq!(folder.all().iter().map(|r| r.at).collect::<Vec<_>>(), [3, 4]);
    let connection = Connection::open(folder.file()).expect("it is there");
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be asked");
    assert_eq!(check, "ok");
}

#[test]
fn one_who_reads_for_ever_does_not_fill_the_disk() {
    const MOST_LOG: u64 = 1 << 20;
    let folder = Folder::new();
    let mut keeper = folder.keeper().with_most_log(MOST_LOG);
    write(&mut keeper, [(0, web("http"), result(1, "first"))]);
    let reader = Connection::open(folder.file()).expect("it is there");
    reader.execute_batch("BEGIN; SELECT count(*) FROM result;").expect("it can be read");
    let long = "x".repeat(1000);
    for at in 1..40 {
        write(&mut keeper, (0..100).map(|n| (at * 100 + n, web("http"), result(1, &format!("{n} {long}")))));
    }
    let log = format!("{}-wal", folder.file().display());
    let size = fs::metadata(&log).expect("it is there").len();
    assert!((MOST_LOG..2 * MOST_LOG).contains(&size), "{size}");
    let told = folder.all().len();
    assert!(told > 100, "up to there everything is written: {told}");
    reader.execute_batch("COMMIT").expect("it ends");
    write_again(&folder, &mut keeper, 9999);
    assert!(lost(&folder) >= 1000, "{}", lost(&folder));
    // What was read up to then can be written over now.
    let size = fs::metadata(&log).expect("it is there").len();
    assert!(size < MOST_LOG, "{size}");
}

#[test]
fn newest_results_alone_may_be_more_than_the_bound() {
    let folder = Folder::new();
    let mut keeper = folder.keeper().with_most_bytes(64 << 10);
    let long = "x".repeat(900);
    // It ends; it does not look for something to remove for ever.
    write(&mut keeper, (0..500).map(|n| (n, web(&n.to_string()), result(1, &long))));
    write(&mut keeper, [(1000, web("0"), result(0, "up")), (1000, web("1"), call(1))]);
    let all = folder.all();
    assert!(all.iter().filter(|r| matches!(r.fact, Fact::Result { .. })).count() == 500, "{}", all.len());
}

#[test]
fn rows_of_the_future_do_not_keep_those_behind_them() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let fact = || Fact::Command { user: "".into(), line: "stop".into() };
    // The clock was wrong for more rows than are looked at in one go.
    write(&mut keeper, (0..6000).map(|_| (9_000_000, None, fact())));
    write(&mut keeper, (0..10).map(|at| (1000 + at, None, fact())));
    write(&mut keeper, [(5000, None, fact())]);
    drop(keeper);
    let connection = open(&folder.file()).expect("it is there");
    keep::forget_old(&connection, 5000, 100).expect("it can be written");
    let left = |at: i64| -> i64 {
        let query = "SELECT count(*) FROM event WHERE at = ?";
        connection.query_row(query, [at], |row| row.get(0)).expect("it can be asked")
    };
    assert_eq!((left(9_000_000), left(1000), left(1009), left(5000)), (6000, 0, 0, 1));
    assert_eq!(keep::newest(&connection).expect("it can be asked"), Some(5000), "the newest by order");
}

#[test]
fn another_place_is_another_record() {
    let (here, there) = (Folder::new(), Folder::new());
    let mut keeper = there.keeper();
    write(&mut keeper, [(1, web("http"), call(7))]);
    drop(keeper);
    let mut keeper = here.keeper();
    write(&mut keeper, [(2, web("http"), call(7))]);
    there.place(&mut keeper);
    // The run of that number there was another process' one.
    write(&mut keeper, [(3, None, ended(7, Ending::Exited(0)))]);
    assert!(there.all()[0].ended.is_none());
    assert!(here.all()[0].ended.is_none(), "and is gone from here");
}

#[test]
fn the_end_finds_room_in_a_full_queue_and_all_of_it_is_written() {
    let folder = Folder::new();
    let queue = Arc::new(Queue::default());
    let place = Place { path: folder.file(), keep_secs: i64::MAX };
    queue.move_to(Some(place));
    for at in 0..20_000 {
        queue.put(Item { at, service: web("http"), fact: result(at % 2, "x") });
    }
    queue.put(Item { at: 20_000, service: None, fact: Fact::Ended });
    queue.close();
    let keeper = Keeper::new(queue);
    std::thread::spawn(move || keeper.work(GATHER_AT_FIRST)).join().expect("it does not panic");
    let log = PathBuf::from(format!("{}-wal", folder.file().display()));
    assert!(!log.exists(), "it is closed as it should be");
    let all = folder.all();
    assert_eq!(all.len(), 1 + 16_384 + 1);
    assert_eq!(all.last().map(|r| &r.fact), Some(&Fact::Ended));
    assert_eq!(lost(&folder), 20_000 - 16_384);
}

#[test]
fn what_one_service_is_asked_for_is_found_without_looking_at_all() {
    let folder = Folder::new();
    write(&mut folder.keeper(), [(1, web("http"), result(1, "x"))]);
    let connection = Connection::open(folder.file()).expect("it is there");
    for table in ["result", "verdict", "alert", "event"] {
        let query = format!(
            "EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE at >= ?2 AND at <= ?3 {}",
            crate::daemon::record::reader::newest_of(Some(1))
        );
        let mut plan = connection.prepare(&query).expect("it can be asked");
        let steps: Vec<String> = plan
            .query_map([1, 2, 3, 4], |row| row.get(3))
            .and_then(Iterator::collect)
            .expect("it can be asked");
        assert!(steps.iter().any(|step| step.contains(&format!("{table}_of_service"))), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }
}
