//! Equal results: as one, or one by one.

use std::collections::{BTreeMap, BTreeSet};

use remon_core::engine::Fact;
use remon_core::nouns::Wall;

use super::found::Found;
use super::moments::Moment;

/// The first result of each service is news, even if the row before it, which is not there, was the same.
pub(super) fn begin_with_news(found: &mut [Found]) {
    let mut seen = BTreeSet::new();
    for found in found {
        if let Fact::Result { again, .. } = &mut found.fact
            && seen.insert(found.service)
        {
            *again = false;
        }
    }
}

/// Rows of results that are the same stand together, as the first of them.
pub(super) fn joined(results: Vec<Found>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut last: BTreeMap<Option<i64>, usize> = BTreeMap::new();
    for row in results {
        let before = last.get(&row.service).map(|&place| &mut all[place]);
        match before.filter(|_| row.continues) {
            Some(before) => {
                before.times += row.times;
                before.last = row.last;
            }
            None => {
                last.insert(row.service, all.len());
                all.push(row);
            }
        }
    }
    all
}

/// The newest `most` results that are `wanted` by themselves, each with its own time, and all others as they are. What
/// an older version counted has no times of its own.
pub(super) fn one_by_one(
    rows: Vec<Found>,
    (from, to): (Wall, Wall),
    most: usize,
    wanted: impl Fn(&Found) -> bool,
) -> Vec<Found> {
    let mut all = Vec::new();
    let mut room = most;
    // The newest first: of them there are all.
    for row in rows.into_iter().rev() {
        if !wanted(&row) || room == 0 || row.repeats.len() as u64 + 1 != row.times {
            all.push(row);
            continue;
        }
        let first = (row.at, None);
        let moments = || [first].into_iter().chain(row.repeats.iter().copied()).enumerate();
        let inside = moments().filter(|(_, (at, _))| (from..=to).contains(at));
        let mut each: Vec<Found> = inside.map(|(number, moment)| row.at_moment(number, moment)).collect();
        room = room.saturating_sub(each.len());
        each.reverse();
        all.append(&mut each);
    }
    all.reverse();
    all
}

impl Found {
    /// The one of so many equal results that came then.
    fn at_moment(&self, number: usize, (at, lasted): Moment) -> Found {
        let mut fact = self.fact.clone();
        if let Fact::Result { again, took, .. } = &mut fact
            && number > 0
        {
            (*again, *took) = (true, lasted);
        }
        let Found { id, service, .. } = *self;
        Found {
            id,
            at,
            last: at,
            times: 1,
            service,
            fact,
            continues: false,
            repeats: Vec::new(),
            ended: None,
        }
    }
}
