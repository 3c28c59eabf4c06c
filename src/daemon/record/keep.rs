//! What goes, so that the record stays bounded: facts that are too old, and the oldest of too many.

use remon_core::nouns::Wall;
use rusqlite::{Connection, params};

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
        while let Some(end) = stride(connection, table, after)? {
            let gone = format!(
                "DELETE FROM {table} WHERE id > ?1 AND id <= ?2 AND {time} < ?3 {}",
                unless_newest(table)
            );
            let count = connection.prepare_cached(&gone)?.execute(params![after, end, oldest])?;
            after = end;
            // Rows come in the order of time: where none of many is old, those behind them are not.
            if count == 0 && table != "result" {
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

/// The end of the next stretch of rows; `None` when there are no more.
fn stride(connection: &Connection, table: &str, after: i64) -> rusqlite::Result<Option<i64>> {
    let end =
        format!("SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT {STRIDE})");
    connection.prepare_cached(&end)?.query_row([after], |row| row.get(0))
}

/// The newest result of a service says how things stand: it stays.
fn unless_newest(table: &str) -> &'static str {
    match table {
        "result" => "AND id < (SELECT max(id) FROM result newer WHERE newer.service = result.service)",
        _ => "",
    }
}

/// Removes the oldest part where there is too much. The room is used again; the file does not get smaller.
pub(super) fn forget_surplus(connection: &Connection, most_bytes: i64) -> rusqlite::Result<bool> {
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let used = number("page_count")? - number("freelist_count")?;
    if used * number("page_size")? <= most_bytes {
        return Ok(false);
    }
    for table in NUMBERED {
        let gone = format!(
            "DELETE FROM {table} WHERE id IN (
             SELECT id FROM {table} WHERE true {} ORDER BY id LIMIT (SELECT count(*) / {PART} + 1 FROM {table}))",
            unless_newest(table)
        );
        connection.execute(&gone, [])?;
    }
    Ok(true)
}

/// The number of the last row there is.
pub(super) fn last_id(connection: &Connection) -> rusqlite::Result<i64> {
    let parts = NUMBERED.map(|table| format!("SELECT max(id) AS id FROM {table}")).join(" UNION ALL ");
    let last = format!("SELECT max(id) FROM ({parts})");
    Ok(connection.query_row(&last, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
}
