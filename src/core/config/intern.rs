//! Equal texts stored once: a hundred thousand services share a handful of alert lines and periods.

use std::sync::Arc;

/// Texts by content. A table of its own because the standard one orders by chance, and a tree compares
/// seventeen texts to find one of a hundred thousand.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// Hash and index + 1 of each text; 0 is a free slot. Length: a power of two, at most half full.
    slots: Vec<(u32, u32)>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    /// The shared copy of `text`.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        let index = self.index(text);
        Arc::clone(&self.texts[index])
    }

    /// The number of `text`: 0 for the first one seen, and so on.
    pub(super) fn index(&mut self, text: &str) -> usize {
        if self.texts.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = hash(text);
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => break,
                (h, index) if h == hash && *self.texts[index as usize - 1] == *text => {
                    return index as usize - 1;
                }
                _ => slot = (slot + 1) & mask,
            }
        }
        self.texts.push(Arc::from(text));
        self.slots[slot] = (hash, self.texts.len() as u32);
        self.texts.len() - 1
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![(0, 0); (old.len() * 2).max(64)];
        let mask = self.slots.len() - 1;
        for (hash, index) in old.into_iter().filter(|&(_, index)| index != 0) {
            let mut slot = hash as usize & mask;
            while self.slots[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = (hash, index);
        }
    }
}

/// FNV-1a, eight bytes at a time, folded.
fn hash(text: &str) -> u32 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
        hash ^= hash >> 29;
    }
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_different_ones_are_not() {
        let mut interner = Interner::default();
        let texts: Vec<String> = (0..5000).map(|n| format!("host{n}.monitor")).collect();
        for round in 0..2 {
            for (n, text) in texts.iter().enumerate() {
                assert_eq!(interner.index(text), n, "round {round}");
            }
        }
        assert!(Arc::ptr_eq(&interner.text("host7.monitor"), &interner.text("host7.monitor")));
        assert_eq!(&*interner.text(""), "");
    }
}
