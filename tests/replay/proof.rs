//! Differences put in by hand: each kind of them must be noticed.

use std::collections::BTreeMap;

use super::story::Stories;

/// A kind of difference, and how to make it; nothing where a story has nothing of the kind.
type Kind = (&'static str, fn(&Stories) -> Option<Stories>);

const KINDS: [Kind; 13] = [
    ("an alert that was not", |s| lines(s, " what=alert ", |_| String::new())),
    ("an alert twice", |s| lines(s, " what=alert ", |line| format!("{line}{line}"))),
    ("an alert of another line", |s| lines(s, " what=alert ", |line| line.replace(" line=", " line=9"))),
    ("an alert for something else", |s| {
        lines(s, " what=alert ", |line| line.replace("occasion=", "occasion=x"))
    }),
    ("an alert in another period", |s| lines(s, " what=alert ", |line| line.replace(" label=", " label=x"))),
    ("an alert at another time", |s| lines(s, " what=alert ", |line| line.replace("fact at=1", "fact at=2"))),
    ("an alert before its decision", before_its_decision),
    ("a result that was not", |s| lines(s, " what=result ", |_| String::new())),
    ("another status", |s| lines(s, " opstatus=fail ", |line| line.replace("=fail ", "=ok "))),
    ("another verdict", |s| lines(s, " sent=1 ", |line| line.replace(" sent=1 ", " sent=0 "))),
    ("another rule", |s| lines(s, " rule=", |line| line.replace(" rule=", " rule=x"))),
    ("a call that was not", |s| calls(s, |calls| drop(calls.pop()))),
    ("a call with another word", |s| calls(s, |calls| calls.iter_mut().for_each(|call| call[2].push('x')))),
];

/// How often each kind was put in.
#[derive(Default)]
pub(super) struct Proof(BTreeMap<&'static str, usize>);

impl Proof {
    /// Puts every kind of difference into stories that are the same.
    ///
    /// # Errors
    /// Which kinds are not noticed.
    pub(super) fn try_with(&mut self, stories: &Stories) -> Result<(), Vec<String>> {
        let mut overlooked = Vec::new();
        for (kind, put_in) in KINDS {
            if let Some(changed) = put_in(stories) {
                *self.0.entry(kind).or_default() += 1;
                if changed.differences().is_empty() {
                    overlooked.push(format!("not noticed, put in by hand: {kind}"));
                }
            }
        }
        if overlooked.is_empty() { Ok(()) } else { Err(overlooked) }
    }

    /// Kinds that there was no occasion for.
    pub(super) fn untried(&self) -> Vec<&'static str> {
        KINDS.iter().map(|(kind, _)| *kind).filter(|kind| !self.0.contains_key(kind)).collect()
    }

    /// How many differences were put in.
    pub(super) fn tried(&self) -> usize {
        self.0.values().sum()
    }
}

/// Changes the last line of the record that has that in it; a decision goes with its verdicts.
fn lines(stories: &Stories, part: &str, change: fn(&str) -> String) -> Option<Stories> {
    let at = stories.real.rfind(part)?;
    let begin = stories.real[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = at + stories.real[at..].find('\n')? + 1;
    let (before, line, after) = (&stories.real[..begin], &stories.real[begin..end], &stories.real[end..]);
    let changed = change(line);
    let real = format!("{before}{changed}{after}");
    (changed != line).then(|| Stories { real, ..stories.clone() })
}

fn before_its_decision(stories: &Stories) -> Option<Stories> {
    let alert = stories.real.rfind(" what=alert ")?;
    let alert = stories.real[..alert].rfind('\n')? + 1;
    let end = alert + stories.real[alert..].find('\n')? + 1;
    let decision = stories.real[..alert].rfind(" what=decision ")?;
    let decision = stories.real[..decision].rfind('\n')? + 1;
    let (whole, line) = (&stories.real, &stories.real[alert..end]);
    let of = |line: &str| {
        line.split(" what=").next().map(|begin| begin.split(" group=").nth(1).map(str::to_owned))
    };
    // It must be that of the same service.
    if of(line) != of(&whole[decision..]) {
        return None;
    }
    let real = format!("{}{line}{}{}", &whole[..decision], &whole[decision..alert], &whole[end..]);
    Some(Stories { real, ..stories.clone() })
}

fn calls(stories: &Stories, change: fn(&mut Vec<Vec<String>>)) -> Option<Stories> {
    let mut changed = stories.clone();
    change(&mut changed.calls);
    (!stories.calls.is_empty()).then_some(changed)
}
