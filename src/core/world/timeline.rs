//! What a simulation tells: a line for everything that an operator would want to know, and one line for all that
//! stays the same.

mod collect;
mod facts;
mod line;

#[cfg(test)]
mod tests;

use super::Zone;
use crate::nouns::{AlertKind, Now, ServiceKey, Wall};

pub use collect::Collector;
pub use facts::Facts;
use line::Line;

/// A simulation, told.
#[derive(Debug, Default)]
pub struct Timeline {
    lines: Vec<Line>,
    /// The alert programs that were called, in order.
    pub alerts: Vec<AlertCall>,
    /// How often a monitor was run to its end.
    pub checks: u64,
    /// What a daemon would have recorded.
    pub facts: Facts,
}

/// An alert program that would have been called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertCall {
    /// When.
    pub at: Wall,
    /// About whom.
    pub service: ServiceKey,
    /// In which period, by its label; `None` for a redistribution.
    pub period: Option<std::sync::Arc<str>>,
    /// What for.
    pub kind: AlertKind,
    /// An operator tried it out.
    pub test: bool,
    /// The words of its command line, its name first.
    pub argv: Vec<String>,
}

/// Which of the words is the time of the alert: `NAME -s SERVICE -g GROUP -h HOSTS -t TIME`.
const TIME_WORD: usize = 8;

impl AlertCall {
    /// The command line, quoted for a shell.
    #[must_use]
    pub fn command_line(&self) -> String {
        let words: Vec<String> = self.argv.iter().map(|word| line::shell_word(word)).collect();
        words.join(" ")
    }

    /// The command line without what differs because the alert is called at another time.
    #[must_use]
    pub fn timeless(&self) -> String {
        let words = self.argv.iter().enumerate();
        let shown =
            words.map(|(at, word)| if at == TIME_WORD { "TIME".to_owned() } else { line::shell_word(word) });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// The line of the timeline about it, without its time.
    #[must_use]
    pub fn text(&self) -> String {
        let about = line::about(&self.service, self.period.as_deref());
        format!("{about}: {}", self.command_line())
    }

    /// The word of the timeline for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (&self.period, self.kind) {
            (None, _) => "redistribute",
            (_, AlertKind::Failure) if self.test => "testalert",
            (_, kind) => kind.history_word(),
        }
    }
}

impl Timeline {
    /// The timeline as text. Days have a line of their own, and so has every change of the clocks.
    #[must_use]
    pub fn render(&self, zone: &Zone) -> String {
        let mut order: Vec<&Line> = self.lines.iter().collect();
        order.sort_by_key(|line| line.from.mono);
        let mut out = String::new();
        let Some(first) = order.first() else { return out };
        let (mut day, mut shown_until) = (None, first.from.wall);
        for line in order {
            for (at, before, after) in zone.changes(shown_until, line.from.wall) {
                line::clock_change(&mut out, &mut day, zone, at, before, after);
            }
            shown_until = line.from.wall;
            line.render(&mut out, &mut day);
        }
        out
    }

    fn push(&mut self, at: &Now, word: &'static str, about: String, text: String) -> usize {
        self.lines.push(Line { from: *at, to: *at, count: 1, word, about, text });
        self.lines.len() - 1
    }

    /// The line says the same of another moment.
    fn repeat(&mut self, line: usize, at: &Now) {
        let line = &mut self.lines[line];
        (line.to, line.count) = (*at, line.count + 1);
    }
}
