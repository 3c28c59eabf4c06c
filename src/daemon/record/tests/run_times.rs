//! What runs usually take.

use remon_core::config::surroundings::RunTime;

use super::*;

fn usual(folder: &Folder, service: &str) -> Option<RunTime> {
    let reader = Reader::open(&folder.file()).expect("the record can be opened");
    let all = reader.run_times().expect("it can be read");
    all.get(&("web".to_owned(), service.to_owned())).copied()
}

#[test]
fn the_median_of_the_newest_hundred() {
    let folder = Folder::new();
    let mut keeper = folder.keeper();
    let run = |at: Wall, millis: u64| (at, web("http"), Fact::RunTime(Duration::from_millis(millis)));
    write(&mut keeper, [run(1, 10), run(2, 30)]);
    assert_eq!(usual(&folder, "http"), None, "two are too few");
    write(&mut keeper, [run(3, 20)]);
    let median = |millis, runs| Some(RunTime { median: Duration::from_millis(millis), runs });
    assert_eq!(usual(&folder, "http"), median(20, 3));
    for at in 4..300 {
        // One that hangs now and then does not change what is usual.
        write(&mut keeper, [run(at * 1200, if at % 10 == 0 { 30_000 } else { 500 })]);
    }
    assert_eq!(usual(&folder, "http"), median(500, 100));
    assert_eq!(usual(&folder, "ping"), None);
    let connection = super::super::schema::open(&folder.file()).expect("it is there");
    let bytes: i64 = connection
        .query_row("SELECT length(samples) FROM runtime", [], |row| row.get(0))
        .expect("it can be asked");
    assert!(bytes < 450, "{bytes}");
    // They go with the service.
    forget_old(&connection, 1200 * 300 + 100, 50).expect("it can be written");
    assert_eq!(usual(&folder, "http"), None);
    assert!(folder.all().is_empty(), "they are no events");
}
