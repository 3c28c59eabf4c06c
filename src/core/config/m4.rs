//! Does a text use m4? One that does not comes out of m4 as it went in.

/// The names that GNU m4 (1.4) knows from the start, and its platform macros.
const BUILT_IN: &[&str] = &[
    "__file__",
    "__gnu__",
    "__line__",
    "__program__",
    "__unix__",
    "builtin",
    "changecom",
    "changequote",
    "changeword",
    "debugfile",
    "debugmode",
    "decr",
    "define",
    "defn",
    "divert",
    "divnum",
    "dnl",
    "dumpdef",
    "errprint",
    "esyscmd",
    "eval",
    "format",
    "ifdef",
    "ifelse",
    "include",
    "incr",
    "index",
    "indir",
    "len",
    "m4exit",
    "m4wrap",
    "maketemp",
    "mkstemp",
    "patsubst",
    "popdef",
    "pushdef",
    "regexp",
    "shift",
    "sinclude",
    "substr",
    "syscmd",
    "sysval",
    "traceoff",
    "traceon",
    "translit",
    "undefine",
    "undivert",
    "unix",
];

/// The word of `text` that m4 may replace, or its opening quote. Without either, nothing can be defined, and m4
/// copies the text. Comments are copied whatever is in them.
#[must_use]
pub fn first_use(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let code = &line[..line.find('#').unwrap_or(line.len())];
        let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let quote = || code.find('`').map(|quote| &code[quote..=quote]);
        words.find(|word| BUILT_IN.binary_search(word).is_ok()).or_else(quote)
    })
}

/// Whether a text is for m4 whatever its name is: a line begins with what means nothing in a mon.cf.
#[must_use]
pub fn is_evident(text: &str) -> bool {
    const STARTS: [&str; 5] = ["define(", "include(", "sinclude(", "changequote(", "divert("];
    let begins = |line: &str| STARTS.iter().any(|start| line.starts_with(start)) || line == "dnl";
    text.lines().any(|line| begins(line) || line.starts_with("dnl "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_m4_is_known_by_its_first_words() {
        assert!(is_evident("# x\ndefine(`A', `b')\n") && is_evident("dnl\n") && is_evident("dnl x"));
        assert!(!is_evident("# define(x)\nhostgroup define( dnl\n    dnl x\ndnlx y\n"));
    }

    #[test]
    fn the_names_can_be_searched() {
        assert!(BUILT_IN.is_sorted());
    }

    #[test]
    fn macros_and_quotes_are_found_outside_comments() {
        for (text, expect) in [
            ("define(X, y)", Some("define")),
            ("a\nfoo dnl bar", Some("dnl")),
            ("period `x'", Some("`")),
            ("# dnl `x'\nhostgroup a b", None),
            ("hostgroup undefined mydnl len2 it's", None),
            ("a(len(x))", Some("len")),
        ] {
            assert_eq!(first_use(text), expect, "{text}");
        }
    }
}
