//! What waits to be written. Who puts something in never waits; when there is too much, it is counted and gone.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remon_core::engine::Fact;
use remon_core::nouns::{ServiceKey, Wall};

use super::Place;

/// Facts that wait at most.
const MOST_FACTS: usize = 16_384;
/// And the texts in them.
const MOST_BYTES: usize = 16 << 20;
/// Facts gather for so long, to be written together.
pub(super) const GATHER: Duration = Duration::from_millis(250);
/// The very first ones longer, unless somebody asks or the daemon ends. Where we have never kept a record its folder
/// would be the one thing in the state directory that the original does not write, and who tries us beside it for a
/// moment compares that directory, after failures, alerts and commands. So no event can begin the record there, only
/// time; and it has one place, where people look for it. What is lost is that of a first trial that is killed at once:
/// once the folder is there, every start writes from its first moment.
pub(super) const GATHER_AT_FIRST: Duration = Duration::from_secs(15);

/// A fact, with its time.
pub(super) struct Item {
    pub(super) at: Wall,
    pub(super) service: Option<ServiceKey>,
    pub(super) fact: Fact,
}

/// What is taken out at once.
#[derive(Default)]
pub(super) struct Batch {
    /// The file is elsewhere from now on; what comes with it belongs there.
    pub(super) moved: Option<Option<Place>>,
    pub(super) items: Vec<Item>,
    /// Facts for which there was no room.
    pub(super) dropped: u64,
    /// Who wants to know when all this is written.
    pub(super) waiting: Vec<SyncSender<()>>,
    /// Nothing comes any more.
    pub(super) closed: bool,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batch: Batch,
    bytes: usize,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody panics with it in hand; and if: a list of facts cannot be half right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    /// Wakes the writer only where it has something to do: while facts gather it sleeps.
    pub(super) fn put(&self, item: Item) {
        let bytes = weight(&item.fact);
        // There is one of these for each start, end and configuration.
        let always = matches!(item.fact, Fact::Started { .. } | Fact::Ended | Fact::Configured { .. });
        let mut state = self.lock();
        let is_full = state.batch.items.len() >= MOST_FACTS || state.bytes + bytes > MOST_BYTES;
        if is_full && !always {
            state.batch.dropped += 1;
            return;
        }
        state.bytes += bytes;
        state.batch.items.push(item);
        let count = state.batch.items.len();
        drop(state);
        if count == 1 || count == MOST_FACTS / 2 {
            self.changed.notify_one();
        }
    }

    pub(super) fn move_to(&self, place: Option<Place>) {
        self.change(|state| state.batch.moved = Some(place));
    }

    pub(super) fn wait_for(&self, written: SyncSender<()>) {
        self.change(|state| state.batch.waiting.push(written));
    }

    pub(super) fn close(&self) {
        self.change(|state| state.batch.closed = true);
    }

    /// Waits for something, then so long for more of it.
    pub(super) fn take(&self, gather: Duration) -> Batch {
        let is_idle = |state: &mut State| {
            let Batch { moved, items, dropped, waiting, closed } = &state.batch;
            moved.is_none() && items.is_empty() && *dropped == 0 && waiting.is_empty() && !closed
        };
        let may_gather = |state: &mut State| {
            let Batch { items, waiting, closed, .. } = &state.batch;
            items.len() < MOST_FACTS / 2 && waiting.is_empty() && !closed
        };
        let state = self.changed.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let gathered = self.changed.wait_timeout_while(state, gather, may_gather);
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        state.bytes = 0;
        let closed = state.batch.closed;
        let batch = std::mem::take(&mut state.batch);
        state.batch.closed = closed;
        batch
    }
}

/// The texts that a fact holds on to.
fn weight(fact: &Fact) -> usize {
    match fact {
        Fact::Result { summary, detail, .. } => summary.len() + detail.len(),
        Fact::Decided(decided) => decided.summary.len(),
        Fact::AlertEnded { last_words, .. } => last_words.len(),
        Fact::Command { line, .. } => line.len(),
        _ => 0,
    }
}
