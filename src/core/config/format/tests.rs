//! The layout line by line, and what must hold for every text.

use super::{Refusal, format};
use crate::config::load;
use proptest::prelude::*;

fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}"));
    assert_eq!(format(&once).as_deref(), Ok(&*once), "twice is as once: {text:?}");
    once
}

#[test]
fn levels_show_what_belongs_to_what() {
    let text = "serverport\t\t= 2583\nhostgroup  g   h1  h2\n\t h3\n\nwatch g\nservice s\n\
                interval   5m\nmonitor m -x  'a  b'\nX= 1\nperiod  wd {Mon}\nalert a\n\tservice t\n  monitor m ;;\n";
    assert_eq!(
        formatted(text),
        "serverport = 2583\n\nhostgroup g h1  h2\n    h3\n\nwatch g\n    service s\n        interval 5m\n        \
         monitor m -x  'a  b'\n        X= 1\n        period wd {Mon}\n            alert a\n    service t\n        monitor m ;;\n"
    );
}

#[test]
fn blank_lines_stay_where_they_mean_something() {
    for (text, expect) in [
        ("", ""),
        ("\n\n", ""),
        ("\n\n# a\n\n\n\n# b\n\n", "# a\n\n# b\n"),
        ("hostgroup a x\nhostgroup b y", "hostgroup a x\n\nhostgroup b y\n"),
        ("hostgroup a x\n# of b\nhostgroup b y\n", "hostgroup a x\n\n# of b\nhostgroup b y\n"),
        ("# top\nhostgroup a x\n", "# top\nhostgroup a x\n"),
        // Swallowed by the hostgroup: the formatter shows it and must not mend it.
        ("hostgroup a x\nwatch a\n", "hostgroup a x\n    watch a\n"),
        // A global does not end the hostgroup, so no blank line may stand around it.
        ("hostgroup a x\nhistlength=5\ny\n", "hostgroup a x\nhistlength = 5\n    y\n"),
        // What a blank line has cut off is left as it is.
        (
            "watch a\nservice s\ntraptimeout 1m\n\n  service t\n   interval 1m\n",
            "watch a\n    service s\n        traptimeout 1m\n\n  service t\n   interval 1m\n",
        ),
    ] {
        assert_eq!(formatted(text), expect, "{text:?}");
    }
}

#[test]
fn comments_go_with_their_lines() {
    for (text, expect) in [
        (
            "watch a\n# margin\n # of s\n service s\n   # of the time\n   #   and more\n   interval 1m\n   # end of s\n # of t\n service t\n  # last\n\n # b\n",
            "watch a\n# margin\n    # of s\n    service s\n        # of the time\n        #   and more\n        interval 1m\n        # end of s\n    # of t\n    service t\n        # last\n\n# b\n",
        ),
        (
            "watch a\n  service s\n    # service old\n        # interval 1m\n    interval 1m\n    monitor m\n",
            "watch a\n    service s\n        # service old\n            # interval 1m\n        interval 1m\n        monitor m\n",
        ),
    ] {
        assert_eq!(formatted(text), expect, "{text:?}");
    }
}

#[test]
fn continued_lines_stay_continued() {
    for (text, expect) in [
        ("hostgroup a x \\  \n\ty\\\n# c\n  z\n", "hostgroup a x \\\n    y\\\n    # c\n    z\n"),
        (
            "watch a\nservice s\ndescription \\\r\n one\\\r\n  two\r\ntraptimeout 1m\r\n",
            "watch a\n    service s\n        description \\\n            one\\\n            two\n        traptimeout 1m\n",
        ),
        ("hostgroup a x \\\n\n\nhostgroup b", "hostgroup a x \\\n\n\nhostgroup b\n"),
        ("hostgroup a\nb \\", "hostgroup a\nb \\\n"),
        ("a\n \\\n \n b", "a\n\n b\n"),
    ] {
        assert_eq!(formatted(text), expect, "{text:?}");
    }
}

#[test]
fn mistakes_stay_visible() {
    assert_eq!(formatted("hostgroup  web/1 h"), "hostgroup  web/1 h\n");
    assert!(
        matches!(format("watch a\nx"), Err(Refusal::Errors(found)) if found.iter().any(|found| found.is_error()))
    );
}

/// Lines that a mon.cf is made of, with what is hard about their ends.
fn line() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "",
        "",
        "",
        "#",
        "# c",
        "hostgroup a",
        "hostgroup b h1 h2",
        "watch a",
        "watch b",
        "view v a",
        "alias x",
        "service s",
        "service t",
        "interval 1m",
        "monitor m",
        "period",
        "period P: wd {Mon}",
        "alert a",
        "X=1",
        "depend a:s",
        "histlength = 3",
        "h3",
        "dep_memory=1m",
        "authfile = x",
        "\u{e9}",
    ]);
    let blanks = prop::sample::select(vec!["", "", " ", "    ", "\t", "\t\t", "\r", "\u{b}"]);
    let ends = prop::sample::select(vec!["", "", "", "", "", "\\", " \\", "\\ ", "\r", " "]);
    (blanks, words, ends).prop_map(|(blanks, words, end)| format!("{blanks}{words}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever the text: laid out it has no errors where it had none, twice is as once, and the proof holds.
    #[test]
    fn any_text_is_laid_out_or_has_errors(lines in prop::collection::vec(line(), 0..14)) {
        let text = lines.join("\n");
        match format(&text) {
            Ok(once) => {
                prop_assert_eq!(format(&once), Ok(once.clone()), "{:?}", text);
                prop_assert!(once.is_empty() || (once.ends_with('\n') && !once.ends_with("\n\n")) || text.contains('\\'));
            }
            Err(Refusal::Errors(diagnostics)) => {
                prop_assert_eq!(diagnostics, load(&text).1);
            }
            Err(Refusal::Meaning(why)) => prop_assert!(false, "{text:?}: {why}"),
        }
    }
}
