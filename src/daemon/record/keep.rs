//! What goes, so that the record stays bounded: facts that are too old, and the oldest of too many.

use remon_core::nouns::Wall;
use rusqlite::{Connection, Row, params};

use super::schema::NUMBERED;

/// The database is not to grow beyond this; its log, which is written first, comes on top with a few MiB.
pub(super) const MOST_BYTES: i64 = 256 << 20;
/// Of a database that is too large this part goes at once, the oldest.
const PART: i64 = 20;
/// Rows looked at in one transaction: nobody waits long.
const STRIDE: i64 = 5000;

/// Removes what is older than `keep_secs`.
pub(super) fn forget_old(connection: &Connection, now: Wall, keep_secs: i64) -> rusqlite::Result<()> {
    let oldest = now.saturating_sub(keep_secs);
    for table in NUMBERED {
        // A failure that still goes on is as young as the last time it was seen.
        let time = if table == "result" { "last" } else { "at" };
        let mut after = i64::MIN;
        while let Some((end, newest)) = stride(connection, table, after)? {
            let gone = format!(
                "DELETE FROM {table} WHERE id > ?1 AND id <= ?2 AND {time} < ?3 {}",
                unless_newest(table)
            );
            let count = connection.prepare_cached(&gone)?.execute(params![after, end, oldest])?;
            after = end;
            // Rows come in the order of time: where none of many is old, those behind them are not. But not if they
            // are of a time that has not come yet, when the clock was wrong.
            if count == 0 && table != "result" && newest <= now {
                break;
            }
        }
    }
    connection.execute("DELETE FROM runtime WHERE last < ?", [oldest])?;
    connection.execute(
        "DELETE FROM service WHERE id NOT IN (SELECT service FROM result)
         AND id NOT IN (SELECT service FROM runtime)
         AND id NOT IN (SELECT service FROM verdict) AND id NOT IN (SELECT service FROM alert)
         AND id NOT IN (SELECT service FROM event WHERE service IS NOT NULL)",
        [],
    )?;
    Ok(())
}

/// The end of the next stretch of rows, and the latest time in it; `None` when there are no more.
fn stride(connection: &Connection, table: &str, after: i64) -> rusqlite::Result<Option<(i64, Wall)>> {
    let query = format!(
        "SELECT max(id), max(at) FROM (SELECT id, at FROM {table} WHERE id > ?1 ORDER BY id LIMIT {STRIDE})"
    );
    let end = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?));
    connection.prepare_cached(&query)?.query_row([after], end)
}

/// The newest result of a service says how things stand: it stays.
fn unless_newest(table: &str) -> &'static str {
    match table {
        "result" => "AND id < (SELECT max(id) FROM result newer WHERE newer.service = result.service)",
        _ => "",
    }
}

/// Removes the oldest part where there is too much, and tells whether that helped. The room is used again; the file
/// does not get smaller.
pub(super) fn forget_surplus(connection: &Connection, most_bytes: i64) -> rusqlite::Result<bool> {
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let used = number("page_count")? - number("freelist_count")?;
    if used * number("page_size")? <= most_bytes {
        return Ok(false);
    }
    let mut gone_rows = 0;
    for table in NUMBERED {
        let gone = format!(
            "DELETE FROM {table} WHERE id IN (
             SELECT id FROM {table} WHERE true {} ORDER BY id LIMIT (SELECT count(*) / {PART} + 1 FROM {table}))",
            unless_newest(table)
        );
        gone_rows += connection.execute(&gone, [])?;
    }
    // What is left may be the newest result of each of very many services: that stays, whatever its size.
    Ok(gone_rows > 0)
}

/// The time of the newest row of all.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Option<Wall>> {
    let parts =
        NUMBERED.map(|table| format!("SELECT * FROM (SELECT at FROM {table} ORDER BY id DESC LIMIT 1)"));
    connection
        .query_row(&format!("SELECT max(at) FROM ({})", parts.join(" UNION ALL ")), [], |row| row.get(0))
}

/// The number of the last row there is.
pub(super) fn last_id(connection: &Connection) -> rusqlite::Result<i64> {
    let parts = NUMBERED.map(|table| format!("SELECT max(id) AS id FROM {table}")).join(" UNION ALL ");
    let last = format!("SELECT max(id) FROM ({parts})");
    Ok(connection.query_row(&last, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
}
