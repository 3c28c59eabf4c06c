//! A text against one that was kept, line by line.

use std::fmt::Write as _;

/// Lines around a difference.
const CONTEXT: usize = 3;

/// The largest table that is worth its time; larger differences are shown as one.
const MOST_CELLS: usize = 4_000_000;

/// In a kept text: here may stand any lines, or none.
const GAP: &str = "...";

/// The difference between what was expected and what is, in the unified format; `None` if there is none. Empty
/// lines, comments, and blanks at the ends of lines do not count. A line `...` in what is expected stands for
/// any number of lines.
#[must_use]
pub fn expect(name: &str, expected: &str, actual: &str) -> Option<String> {
    let (expected, actual) = (significant(expected), significant(actual));
    let blocks: Vec<&[(usize, &str)]> = expected.split(|(_, line)| *line == GAP).collect();
    let header = format!("--- {name}\n+++ simulated\n");
    match blocks[..] {
        [all] => difference(all, &actual).map(|hunks| header + &hunks),
        _ => missing(&blocks, &actual).map(|hunks| header + &hunks),
    }
}

/// Lines that count, with their numbers.
fn significant(text: &str) -> Vec<(usize, &str)> {
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim_end()));
    lines.filter(|(_, line)| !line.is_empty() && !line.trim_start().starts_with('#')).collect()
}

/// The first of the blocks between gaps that is not found where it should be.
fn missing(blocks: &[&[(usize, &str)]], actual: &[(usize, &str)]) -> Option<String> {
    let last = blocks.len() - 1;
    let mut from = 0;
    for (index, block) in blocks.iter().enumerate() {
        let fits = |at: &usize| {
            let lines = actual[*at..].iter().map(|(_, line)| *line);
            lines.take(block.len()).eq(block.iter().map(|(_, line)| *line))
        };
        // Nothing but a gap stands before the first and after the last line of a text.
        let found = match index {
            0 => Some(0).filter(fits),
            _ if index == last => {
                let at = actual.len().checked_sub(block.len()).filter(|at| *at >= from);
                at.filter(fits)
            }
            _ => (from..=actual.len().saturating_sub(block.len())).find(fits),
        };
        match found {
            Some(at) => from = at + block.len(),
            None => return Some(not_found(block, actual.get(from).map(|(number, _)| *number), actual, from)),
        }
    }
    None
}

/// A block that should come next, and what comes instead.
fn not_found(block: &[(usize, &str)], line: Option<usize>, actual: &[(usize, &str)], from: usize) -> String {
    let rest = &actual[from..];
    // The place where most of it stands is the one that was meant.
    let hits =
        |at: &usize| rest[*at..].iter().zip(block).filter(|((_, have), (_, want))| have == want).count();
    let best = (0..rest.len()).rev().max_by_key(hits).filter(|at| hits(at) > 0);
    if let Some(at) = best {
        let end = (at + block.len()).min(rest.len());
        if let Some(hunks) = difference(block, &rest[at..end]) {
            return hunks;
        }
    }
    let first = block.first().map_or(0, |(number, _)| *number);
    let mut out = format!("@@ -{first},{} +{},0 @@ not found from here on\n", block.len(), line.unwrap_or(0));
    for (_, text) in block {
        let _ = writeln!(out, "-{text}");
    }
    out
}

/// One step from the old text to the new one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Both,
    Old,
    New,
}

fn difference(old: &[(usize, &str)], new: &[(usize, &str)]) -> Option<String> {
    let same = |pair: &(&(usize, &str), &(usize, &str))| pair.0.1 == pair.1.1;
    let head = old.iter().zip(new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    if head == old.len() && head == new.len() {
        return None;
    }
    let mut steps = vec![Step::Both; head];
    steps.extend(middle(&old[head..old.len() - tail], &new[head..new.len() - tail]));
    steps.extend(vec![Step::Both; tail]);
    Some(hunks(&steps, old, new))
}

/// The shortest way, by the longest common subsequence.
fn middle(old: &[(usize, &str)], new: &[(usize, &str)]) -> Vec<Step> {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > MOST_CELLS {
        return [vec![Step::Old; old.len()], vec![Step::New; new.len()]].concat();
    }
    // How much of both is common from here on.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i].1 == new[j].1 {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let step = if i < old.len() && j < new.len() && old[i].1 == new[j].1 {
            Step::Both
        } else if j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            Step::Old
        } else {
            Step::New
        };
        i += usize::from(step != Step::New);
        j += usize::from(step != Step::Old);
        steps.push(step);
    }
    steps
}

/// The differences, each with a few lines around it.
fn hunks(steps: &[Step], old: &[(usize, &str)], new: &[(usize, &str)]) -> String {
    let mut out = String::new();
    let changed: Vec<usize> = (0..steps.len()).filter(|&at| steps[at] != Step::Both).collect();
    let mut rest = &changed[..];
    while let Some(&first) = rest.first() {
        let near = rest.windows(2).take_while(|pair| pair[1] - pair[0] <= 2 * CONTEXT).count();
        let (begin, end) = (first.saturating_sub(CONTEXT), (rest[near] + CONTEXT + 1).min(steps.len()));
        hunk(&mut out, &steps[..begin], &steps[begin..end], old, new);
        rest = &rest[near + 1..];
    }
    out
}

fn hunk(out: &mut String, before: &[Step], steps: &[Step], old: &[(usize, &str)], new: &[(usize, &str)]) {
    let count = |steps: &[Step], other: Step| steps.iter().filter(|step| **step != other).count();
    let (mut i, mut j) = (count(before, Step::New), count(before, Step::Old));
    let number = |lines: &[(usize, &str)], at: usize| lines.get(at).map_or(0, |(number, _)| *number);
    let (olds, news) = (count(steps, Step::New), count(steps, Step::Old));
    let _ = writeln!(out, "@@ -{},{olds} +{},{news} @@", number(old, i), number(new, j));
    for step in steps {
        let _ = match step {
            Step::Both => writeln!(out, " {}", old[i].1),
            Step::Old => writeln!(out, "-{}", old[i].1),
            Step::New => writeln!(out, "+{}", new[j].1),
        };
        i += usize::from(*step != Step::New);
        j += usize::from(*step != Step::Old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(expected: &str, actual: &str) -> Option<String> {
        expect("f", expected, actual)
            .map(|text| text.lines().skip(2).map(|line| format!("{line}\n")).collect())
    }

    #[test]
    fn what_does_not_count() {
        assert_eq!(body("a\nb\n", "a\nb"), None);
        assert_eq!(body("# why\n\na  \n  # more\nb\n", "# head\na\nb\t\n"), None);
        assert_eq!(body("", "# nothing\n"), None);
    }

    #[test]
    fn differences_are_told_with_their_lines() {
        let kept: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let now = kept.replace("10\n", "ten\n").replace("\n20\n", "\n20\n21\n");
        let expect =
            "@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n";
        assert_eq!(body(&kept, &now).as_deref(), Some(expect));
        assert_eq!(body("a\n", "").as_deref(), Some("@@ -1,1 +0,0 @@\n-a\n"));
        assert!(body(&kept, &now).is_some_and(|_| expect_header(&kept, &now)));
    }

    fn expect_header(kept: &str, now: &str) -> bool {
        expect("web.expected", kept, now)
            .is_some_and(|text| text.starts_with("--- web.expected\n+++ simulated\n@@"))
    }

    #[test]
    fn a_gap_stands_for_any_lines() {
        for (kept, fits) in [
            ("...", true),
            ("...\nb\n...", true),
            ("a\n...\nd", true),
            ("...\nb\nc\n...", true),
            ("...\nb\n...\nd", true),
            ("...\nc\n...\nb\n...", false),
            ("b\n...", false),
            ("...\nc", false),
            ("...\nb\nd\n...", false),
            ("a\nb\n...\nb\nc\nd", false),
        ] {
            assert_eq!(body(kept, "a\nb\nc\nd\n").is_none(), fits, "{kept}");
        }
        let told = body("...\nb\nx\nd\n...", "a\nb\nc\nd\n");
        assert_eq!(told.as_deref(), Some("@@ -2,3 +2,3 @@\n b\n-x\n+c\n d\n"));
        let told = body("...\ny\n...", "a\n");
        assert_eq!(told.as_deref(), Some("@@ -2,1 +1,0 @@ not found from here on\n-y\n"));
    }

    #[test]
    fn a_huge_difference_is_told_as_one() {
        let kept: String = (0..3000).map(|n| format!("a{n}\n")).collect();
        let now: String = (0..3000).map(|n| format!("b{n}\n")).collect();
        assert!(body(&kept, &now).is_some_and(|text| text.starts_with("@@ -1,3000 +1,3000 @@\n-a0\n")));
    }
}
