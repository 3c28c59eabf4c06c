//! Quick fixes: where a diagnostic says what to write instead, writing it.

use std::collections::BTreeMap;
use std::ops::Range;

use remon_core::config::Diagnostic;
use remon_core::timeval::is_blank;
use serde_json::{Value, json};

use super::document::Document;
use super::rpc::Failure;

/// An offer.
#[derive(Debug, PartialEq)]
struct Fix {
    title: String,
    range: Range<usize>,
    new: String,
}

pub(super) fn actions(document: &mut Document, uri: &str, params: &Value) -> Result<Value, Failure> {
    let range = document.range_of(&params["range"])?;
    let only = params["context"]["only"].as_array();
    if only.is_some_and(|kinds| !kinds.iter().any(|kind| kind == "quickfix" || kind == "")) {
        return Ok(json!([]));
    }
    document.checked();
    let touches = |found: &&Diagnostic| found.span.start <= range.end && range.start <= found.span.end;
    let mut offers = Vec::new();
    for diagnostic in document.diagnostics().iter().filter(touches) {
        let fixes = fixes(&document.text, diagnostic);
        let only_one = fixes.len() == 1;
        for Fix { title, range, new } in fixes {
            let edits = json!([{"range": document.range(&range), "newText": new}]);
            offers.push(json!({
                "title": title,
                "kind": "quickfix",
                "diagnostics": [document.shown(diagnostic)],
                "isPreferred": only_one,
                "edit": {"changes": BTreeMap::from([(uri, edits)])},
            }));
        }
    }
    Ok(offers.into())
}

/// What the help of the diagnostic offers to write.
fn fixes(text: &str, diagnostic: &Diagnostic) -> Vec<Fix> {
    let Diagnostic { span, code, help: Some(help), .. } = diagnostic else { return Vec::new() };
    let replace =
        |new: &str| Fix { title: format!("write `{new}`"), range: span.clone(), new: new.to_owned() };
    let line_start =
        |at: usize| text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
    let offers = |wanted: &str| if help.starts_with(wanted) { quoted(help) } else { Vec::new() };
    let last_word = |offer: &str| offer.rsplit(is_blank).next().unwrap_or_default().to_owned();
    if let [offer, ..] = offers("did you mean")[..] {
        return did_you_mean(text, span, offer).into_iter().collect();
    }
    match *code {
        "W001" => blank_line(help).map(|line| comment_out(text, line)).into_iter().collect(),
        "W003" => {
            let at = line_start(span.start);
            vec![Fix { title: "put a blank line before it".to_owned(), range: at..at, new: "\n".to_owned() }]
        }
        "W013" => semicolons(text, span).into_iter().collect(),
        "W021" => unfinished(text, span).into_iter().collect(),
        "E004" => offers("write").into_iter().map(replace).collect(),
        "E012" => offers("perhaps").into_iter().map(|offer| replace(&last_word(offer))).collect(),
        "E016" => {
            let sure = ["the unit is", "write it without", "a week", "a year", "inside a watch"];
            let offered = sure.iter().flat_map(|wanted| offers(wanted)).filter(|offer| *offer != "=");
            offered.map(|offer| replace(&last_word(offer))).collect()
        }
        "E017" => offers("here a time").into_iter().map(replace).collect(),
        _ => Vec::new(),
    }
}

/// The `;;` at the end of a line. In its middle, where it belongs nobody knows.
fn semicolons(text: &str, span: &Range<usize>) -> Option<Fix> {
    let is_last = text.get(span.end..)?.lines().next().is_none_or(|rest| rest.trim().is_empty());
    let is_glued = text.get(..span.start)?.ends_with(|c: char| !c.is_whitespace());
    match text.get(span.clone())? {
        ";;" if is_last && is_glued => {
            let title = "put a blank before `;;`".to_owned();
            Some(Fix { title, range: span.start..span.start, new: " ".to_owned() })
        }
        ";" | ";;;" if is_last && !is_glued => {
            Some(Fix { title: "write `;;`".to_owned(), range: span.clone(), new: ";;".to_owned() })
        }
        _ => None,
    }
}

/// The `\` that promises another line at the end of the file.
fn unfinished(text: &str, span: &Range<usize>) -> Option<Fix> {
    let at = span.end + text.get(span.end..)?.find('\\')?;
    Some(Fix { title: "delete the `\\`".to_owned(), range: at..at + 1, new: String::new() })
}

/// The words between `…` quotes.
fn quoted(help: &str) -> Vec<&str> {
    help.split('`').skip(1).step_by(2).collect()
}

/// The first word at `span` becomes the first word of `offer`: `intervall` in `intervall 5m`. Where that is right
/// already, a later one is not, and all of it is replaced.
fn did_you_mean(text: &str, span: &Range<usize>, offer: &str) -> Option<Fix> {
    let wrong = text.get(span.clone())?.split(|c: char| is_blank(c) || c == '=').next()?;
    let right = offer.split(is_blank).next()?;
    if right == wrong {
        return Some(Fix { title: format!("write `{offer}`"), range: span.clone(), new: offer.to_owned() });
    }
    // Who wrote `SELF` for the watch goes on doing so.
    let right = match right.split_once(':').filter(|_| wrong.starts_with("SELF:")) {
        Some((_, service)) => format!("SELF:{service}"),
        None => right.to_owned(),
    };
    let range = span.start..span.start + wrong.len();
    (!wrong.is_empty()).then(|| Fix { title: format!("write `{right}`"), range, new: right })
}

/// The number of the blank line in `delete line 5, or put a # on it`.
fn blank_line(help: &str) -> Option<usize> {
    help.strip_prefix("delete line ")?.split(',').next()?.parse().ok()
}

fn comment_out(text: &str, line: usize) -> Fix {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Fix { title: format!("put a `#` on the blank line {line}"), range: before..before, new: "#".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::config::load;
    use std::collections::BTreeSet;

    fn count(text: &str, same: &Diagnostic) -> usize {
        let is_same = |found: &&Diagnostic| (found.code, &found.message) == (same.code, &same.message);
        load(text).1.iter().filter(is_same).count()
    }

    /// Every fix that is offered for the wrong files of tests/config makes its diagnostic go away.
    #[test]
    fn what_is_offered_helps() {
        let mut helped = BTreeSet::new();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config");
        for entry in std::fs::read_dir(folder).expect("tests/config can be listed") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "cf") {
                continue;
            }
            let text = remon_core::text::decode(std::fs::read(&path).expect("a file"));
            for diagnostic in &load(&text).1 {
                for Fix { title, range, new } in fixes(&text, diagnostic) {
                    let mut mended = text.clone();
                    mended.replace_range(range, &new);
                    assert!(
                        count(&mended, diagnostic) < count(&text, diagnostic),
                        "{}: {title}: {diagnostic:?}\n{mended}",
                        path.display()
                    );
                    helped.insert(diagnostic.code);
                }
            }
        }
        for code in ["E001", "E004", "E012", "E016", "E017", "E021", "W001", "W003", "W008", "W013", "W021"] {
            assert!(helped.contains(code), "{code}: {helped:?}");
        }
    }
}
