//! Where comments go. One at the margin stays there, as lines that are commented out do; an indented one goes
//! with the line below it, or with the one above where it was indented deeper than what follows.

use super::{Item, STEP};
use crate::config::ast::Kind;

/// Gives every comment its indentation.
pub(super) fn indent(items: &mut [Item<'_>]) {
    let mut at = 0;
    while at < items.len() {
        if items[at].kind == Kind::Comment {
            let run = items[at..].iter().take_while(|item| item.kind == Kind::Comment).count();
            run_of_comments(items, at, at + run);
            at += run;
        } else {
            at += 1;
        }
    }
}

/// Where comments of a run go, and whether those that were indented deeper than the first may stay so.
#[derive(Clone, Copy, PartialEq)]
struct Target {
    indent: usize,
    keeps_steps: bool,
}

fn run_of_comments(items: &mut [Item<'_>], start: usize, end: usize) {
    // The first comment of those that go to the same place: the others keep their distance from it.
    let mut first: Option<(Target, usize)> = None;
    for at in start..end {
        let column = items[at].column;
        if column == 0 {
            items[at].indent = Some(0);
            first = None;
            continue;
        }
        let Some(target) = target(items, start, end, column) else { continue };
        let (_, from) = match first {
            Some((same, from)) if same == target => (same, from),
            _ => *first.insert((target, column)),
        };
        let deeper = if target.keeps_steps { column.saturating_sub(from) } else { 0 };
        items[at].indent = Some(target.indent + deeper);
    }
}

/// Where the lines go that belong to this one, or stand beside it.
fn inside(item: &Item<'_>) -> usize {
    let opens = item.is_head() || matches!(item.kind, Kind::Service | Kind::Period);
    item.indent.unwrap_or(0) + if opens { STEP } else { 0 }
}

/// For a comment at `column` in the run from `start` to `end`; `None` leaves it as it is.
fn target(items: &[Item<'_>], start: usize, end: usize, column: usize) -> Option<Target> {
    let above = start.checked_sub(1).map(|at| &items[at]);
    let below = items.get(end);
    let is_loose = |item: Option<&Item<'_>>| {
        item.is_some_and(|item| matches!(item.kind, Kind::Ignored | Kind::Unfinished))
    };
    if is_loose(above) || is_loose(below) {
        return None;
    }
    if !items[start].in_record {
        return Some(Target { indent: 0, keeps_steps: false });
    }
    let above = above.map_or(0, inside);
    let (indent, at) = match below {
        Some(item) if item.kind != Kind::Blank => (item.indent.unwrap_or(0), item.column),
        _ => (0, 0),
    };
    if indent < above && column > at {
        return Some(Target { indent: above, keeps_steps: false });
    }
    Some(Target { indent, keeps_steps: indent >= above && indent > 0 })
}
