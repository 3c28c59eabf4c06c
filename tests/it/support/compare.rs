//! Two lists of observations, one of the original and one of ours, and where they part.

use std::path::Path;

use super::subject;

/// Something seen, and where in the test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Observation {
    pub(crate) label: String,
    pub(crate) text: String,
    /// The test says otherwise: wrong even where both sides agree, since then nothing was compared.
    pub(crate) unexpected: bool,
}

impl Observation {
    /// Something seen that is only compared.
    pub(crate) fn new(label: impl Into<String>, text: impl Into<String>) -> Observation {
        Observation { label: label.into(), text: text.into(), unexpected: false }
    }
}

/// Does the same with the original and with ours, at the same time.
pub(crate) fn both<T: Send>(oracle: &Path, drive: impl Fn(&Path) -> T + Sync) -> (T, T) {
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| drive(oracle));
        let ours = drive(&subject());
        (theirs.join().expect("the original was driven to the end"), ours)
    })
}

/// Where the two lists part, as lines with `-` for the original and `+` for ours.
pub(crate) fn differences(theirs: &[Observation], ours: &[Observation]) -> String {
    let mut report = String::new();
    for at in 0..theirs.len().max(ours.len()) {
        let (left, right) = (theirs.get(at), ours.get(at));
        let label = left.or(right).map_or("", |observation| &observation.label);
        match left {
            _ if left != right => report += &format!("{label}\n"),
            Some(both) if both.unexpected => {
                report += &format!("{label}: the scenario expects otherwise\n{}\n", both.text)
            }
            _ => continue,
        }
        let lines = |side: Option<&Observation>| -> Vec<String> {
            side.map_or_else(
                || vec!["(nothing observed)".into()],
                |it| it.text.lines().map(str::to_owned).collect(),
            )
        };
        let (left, right) = (lines(left), lines(right));
        left.iter().filter(|line| !right.contains(line)).for_each(|line| report += &format!("  - {line}\n"));
        right.iter().filter(|line| !left.contains(line)).for_each(|line| report += &format!("  + {line}\n"));
    }
    report
}
