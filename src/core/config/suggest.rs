//! The nearest known word to a misspelt one.

/// Longer words are no keyword with a slip in it, and comparing them takes long.
const LONGEST: usize = 40;

/// The word of `known` that `word` was most likely meant to be.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let slips_allowed = (word.len() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| {
            candidate.len().abs_diff(word.len()) <= slips_allowed && candidate.len() <= LONGEST
        })
        .map(|candidate| (distance(word.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|&(slips, _)| slips <= slips_allowed)
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, change or swap with a neighbour to make one word of the other; case is free.
/// Both are at most [`LONGEST`].
fn distance(left: &[u8], right: &[u8]) -> usize {
    let same = |i: usize, j: usize| left[i].eq_ignore_ascii_case(&right[j]);
    let mut before_last = [0; LONGEST + 1];
    let mut last: [usize; LONGEST + 1] = std::array::from_fn(|j| j);
    for i in 0..left.len() {
        let mut row = [i + 1; LONGEST + 1];
        for j in 0..right.len() {
            row[j + 1] = (last[j] + usize::from(!same(i, j))).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(i, j - 1) && same(i - 1, j) {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_finds_the_word_and_nonsense_finds_none() {
        let known = ["interval", "monitor", "alert", "upalert", "period"];
        for (word, expect) in [
            ("intervall", Some("interval")),
            ("Interval", Some("interval")),
            ("moniotr", Some("monitor")),
            ("alrt", Some("alert")),
            ("peroid", Some("period")),
            ("frobnicate", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }
}
