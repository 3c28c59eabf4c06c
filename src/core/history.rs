//! What happened: bounded rings.

use std::collections::VecDeque;

/// The last entries, oldest first.
///
/// As in the original a ring of length N holds up to N + 1 entries: it makes room for one before it takes in
/// the next, and only when it holds more than N. So it never shrinks by itself.
#[derive(Debug)]
pub struct Ring<T> {
    entries: VecDeque<T>,
    length: usize,
}

impl<T> Ring<T> {
    /// An empty ring.
    #[must_use]
    pub fn new(length: usize) -> Ring<T> {
        Ring { entries: VecDeque::new(), length }
    }

    /// Takes in an entry, and lets go of the oldest.
    pub fn push(&mut self, entry: T) {
        if self.entries.len() > self.length {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Changes the length.
    pub fn set_length(&mut self, length: usize) {
        self.length = length;
    }

    /// The length asked for.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Replaces all entries by the last N of `entries`.
    pub fn refill(&mut self, entries: impl IntoIterator<Item = T>) {
        self.entries = entries.into_iter().collect();
        let surplus = self.entries.len().saturating_sub(self.length);
        self.entries.drain(..surplus);
    }

    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ring: &Ring<u32>) -> Vec<u32> {
        ring.iter().copied().collect()
    }

    #[test]
    fn keeps_one_more_than_its_length() {
        let mut ring = Ring::new(3);
        (1..=6).for_each(|n| ring.push(n));
        assert_eq!(entries(&ring), [3, 4, 5, 6]);
        ring.set_length(1);
        ring.push(7);
        assert_eq!(entries(&ring), [4, 5, 6, 7]);
        ring.refill([1, 2, 3]);
        assert_eq!(entries(&ring), [3]);
    }
}
