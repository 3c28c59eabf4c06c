//! Timelines compared: with one that was kept, and the alerts of two configurations.

mod lines;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Zone;
use super::timeline::{AlertCall, Timeline};
use crate::nouns::{Civil, Wall};

pub use lines::expect;

/// What a change of the configuration does to the alerts.
#[derive(Debug, Default)]
pub struct AlertChanges {
    /// Sorted by time; one line each.
    lines: Vec<(Wall, String)>,
    /// Called by the new configuration only.
    pub added: usize,
    /// Called by the old one only.
    pub removed: usize,
    /// Called by both, at another time.
    pub moved: usize,
    /// Called by both at the same time.
    pub same: usize,
}

/// Compares the alerts of two timelines. An alert is the same if its command line is, except for its time. Of
/// several that are the same, those at equal times belong together, then the others in order.
#[must_use]
pub fn alerts(old: &Timeline, new: &Timeline, zone: &Zone) -> AlertChanges {
    let mut kinds: BTreeMap<(String, String), [Vec<&AlertCall>; 2]> = BTreeMap::new();
    for (side, timeline) in [old, new].into_iter().enumerate() {
        for call in &timeline.alerts {
            let name = (format!("{}/{}", call.service.group, call.service.service), identity(call));
            kinds.entry(name).or_default()[side].push(call);
        }
    }
    let mut changes = AlertChanges::default();
    for [old, new] in kinds.into_values() {
        changes.compare(old, new, zone);
    }
    changes.lines.sort_by_key(|(at, _)| *at);
    changes
}

/// What an alert is, whenever it is called; periods may be renamed without anybody noticing.
fn identity(call: &AlertCall) -> String {
    format!("{} {}", call.word(), call.timeless())
}

impl AlertChanges {
    /// Whether there is no difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn compare(&mut self, mut old: Vec<&AlertCall>, mut new: Vec<&AlertCall>, zone: &Zone) {
        // Two lines of one period may be equal; each has its partner.
        old.retain(|call| match new.iter().position(|other| other.at == call.at) {
            Some(partner) => {
                new.remove(partner);
                self.same += 1;
                false
            }
            None => true,
        });
        let pairs = old.len().min(new.len());
        for (before, after) in old.iter().zip(&new) {
            let text = format!("~ {} -> {}", time(zone, before.at), line(zone, after));
            self.lines.push((before.at, text));
        }
        self.moved += pairs;
        let gone = old[pairs..].iter().map(|call| (call.at, format!("- {}", line(zone, call))));
        let come = new[pairs..].iter().map(|call| (call.at, format!("+ {}", line(zone, call))));
        (self.removed, self.added) = (self.removed + old.len() - pairs, self.added + new.len() - pairs);
        self.lines.extend(gone.chain(come));
    }

    /// A line for each difference, and one that counts.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        for (_, line) in &self.lines {
            let _ = writeln!(out, "{line}");
        }
        let AlertChanges { added, removed, moved, same, .. } = self;
        let _ = writeln!(out, "{added} added, {removed} removed, {moved} moved, {same} as before");
        out
    }
}

fn line(zone: &Zone, call: &AlertCall) -> String {
    format!("{}  {} {}", time(zone, call.at), call.word(), call.text())
}

fn time(zone: &Zone, at: Wall) -> String {
    let Civil { year, month, mday, hour, minute, second, wday, .. } = zone.civil(at);
    let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][usize::from(wday % 7)];
    format!("{day} {year}-{month:02}-{mday:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests;
