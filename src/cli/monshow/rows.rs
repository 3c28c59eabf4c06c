//! Which services are shown, in which order, and how their times are put.

use remon_core::nouns::{OpStatus, Wall};
use remon_core::wire::opstatus::StatusLine;

use super::snapshot::{Key, Snapshot};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Does it depend on other services?
    pub(super) depends: bool,
    pub(super) status: &'a StatusLine,
}

use OpStatus::{Coldstart, Fail, Linkdown, Ok as Good, Timeout, Unknown, Untested, Warmstart, Warn};

/// What is shown without `full`, worst first; then what `full` adds. The sequence is that of the original, but
/// that it never shows a warning.
const FAILING: [OpStatus; 5] = [Fail, Linkdown, Timeout, Coldstart, Warmstart];
const ROOTS_UNTESTED: [OpStatus; 3] = [Warn, Untested, Unknown];
const OK: [OpStatus; 1] = [Good];
const DEPENDENTS_UNTESTED: [OpStatus; 3] = [Warn, Untested, Unknown];

/// The rows to show: roots before what depends on them, disabled things left out.
pub(super) fn select(snapshot: &Snapshot, full: bool) -> Vec<Row<'_>> {
    let candidates = candidates(snapshot);
    let steps: &[(bool, &[OpStatus])] = match full {
        false => &[(false, &FAILING), (true, &FAILING)],
        true => &[
            (false, &FAILING),
            (false, &ROOTS_UNTESTED),
            (true, &FAILING),
            (false, &OK),
            (true, &OK),
            (true, &DEPENDENTS_UNTESTED),
        ],
    };
    let classes =
        steps.iter().flat_map(|(depends, classes)| classes.iter().map(move |class| (*depends, *class)));
    let in_class = |(depends, class)| {
        candidates
            .iter()
            .filter(move |row| row.depends == depends && row.status.opstatus() == Some(class))
            .copied()
    };
    classes.flat_map(in_class).collect()
}

fn candidates(snapshot: &Snapshot) -> Vec<Row<'_>> {
    let disabled = &snapshot.disabled;
    let enabled = |key: &&Key| !disabled.watches.contains(&key.0) && !disabled.services.contains(*key);
    let row = |key: &Key| {
        let status = snapshot.services.get(key)?;
        Some(Row { depends: !status.get("depend").is_empty(), status })
    };
    match &snapshot.order {
        Some(order) => order.iter().filter(enabled).filter_map(row).collect(),
        None => snapshot.services.keys().filter(enabled).filter_map(row).collect(),
    }
}

impl Row<'_> {
    /// `R` for a root, `D` for a dependent.
    pub(super) fn dep(&self) -> &'static str {
        if self.depends { "D" } else { "R" }
    }

    /// The word in the column STATUS.
    pub(super) fn word(&self) -> &'static str {
        match self.status.opstatus() {
            Some(Fail) if self.status.number("ack") != 0 => "ACK FAIL",
            Some(Fail) => "FAIL",
            Some(Good) => "-",
            Some(Untested) => "untested",
            _ => "unknown",
        }
    }

    /// The column LAST.
    pub(super) fn last(&self, now: Wall) -> String {
        if self.status.opstatus() == Some(Untested) { "untested".to_owned() } else { since(self.status, now) }
    }

    /// The column NEXT.
    pub(super) fn next(&self) -> String {
        match self.status.number("timer") {
            timer if timer < 60 => format!("{timer}s"),
            timer => hms(timer),
        }
    }

    /// The column ALERTS.
    pub(super) fn alerts(&self) -> String {
        match self.status.number("alerts_sent") {
            0 => "none".to_owned(),
            sent => sent.to_string(),
        }
    }

    /// The column SUMMARY, cut.
    pub(super) fn summary(&self, most: usize) -> String {
        let summary = self.status.get("last_summary");
        match summary.char_indices().nth(most) {
            Some((end, _)) => format!("{}...", &summary[..end]),
            None => summary.to_owned(),
        }
    }
}

/// How long ago the last check was.
pub(super) fn since(status: &StatusLine, now: Wall) -> String {
    match status.number("last_check") {
        0 => "never".to_owned(),
        last_check => span(now.saturating_sub(last_check)),
    }
}

/// `90s`, then `00:01:31`.
pub(super) fn span(seconds: i64) -> String {
    if seconds <= 90 { format!("{seconds}s") } else { hms(seconds) }
}

/// `HH:MM:SS`, with days where there are any.
pub(super) fn hms(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let time = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if days == 0 { time } else { format!("{days} days, {time}") }
}

/// `fail (0)`.
pub(super) fn status_text(status: &StatusLine) -> String {
    let number = status.get("opstatus");
    status.opstatus().map_or_else(|| number.to_owned(), |known| format!("{} ({number})", known.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(lines: &str) -> Snapshot {
        let status = lines.lines().filter_map(StatusLine::parse);
        let services =
            status.map(|status| ((status.group().to_owned(), status.service().to_owned()), status)).collect();
        Snapshot { services, ..Snapshot::default() }
    }

    fn names(rows: &[Row<'_>]) -> String {
        rows.iter()
            .map(|row| format!("{}{} ", row.dep(), row.status.service()))
            .collect::<String>()
            .trim_end()
            .to_owned()
    }

    const ALL: &str = "group=a service=ok opstatus=1
group=a service=bad opstatus=0
group=a service=down opstatus=4
group=a service=new opstatus=7
group=a service=warn opstatus=9
group=b service=ok2 opstatus=1 depend=x
group=b service=bad2 opstatus=0 depend=x
group=b service=new2 opstatus=7 depend=x
group=b service=odd opstatus=77
group=c service=bad3 opstatus=0";

    #[test]
    fn roots_before_dependents_worst_first() {
        let all = snapshot(ALL);
        assert_eq!(names(&select(&all, false)), "Rbad Rbad3 Rdown Dbad2");
        assert_eq!(names(&select(&all, true)), "Rbad Rbad3 Rdown Rwarn Rnew Dbad2 Rok Dok2 Dnew2");
    }

    #[test]
    fn disabled_things_are_left_out() {
        let mut some = snapshot(ALL);
        some.disabled.watches.insert("c".to_owned());
        some.disabled.services.insert(("a".to_owned(), "bad".to_owned()));
        assert_eq!(names(&select(&some, false)), "Rdown Dbad2");
    }

    #[test]
    fn an_order_asked_for_is_kept() {
        let mut some = snapshot(ALL);
        let key = |group: &str, service: &str| (group.to_owned(), service.to_owned());
        some.order = Some(vec![key("c", "bad3"), key("a", "bad"), key("a", "gone")]);
        assert_eq!(names(&select(&some, false)), "Rbad3 Rbad");
    }

    #[test]
    fn columns() {
        let all = snapshot(
            "group=a service=s opstatus=0 ack=5 timer=3530 alerts_sent=3 last_check=100 last_summary=abcdef",
        );
        let row = select(&all, false)[0];
        assert_eq!(
            (row.word(), row.last(191), row.last(190), row.next()),
            ("ACK FAIL", "00:01:31".into(), "90s".into(), "00:58:50".into())
        );
        assert_eq!(
            (row.alerts(), row.summary(6), row.summary(5)),
            ("3".into(), "abcdef".into(), "abcde...".into())
        );
        assert_eq!(hms(20779 * 86_400 + 41_270), "20779 days, 11:27:50");
    }
}
