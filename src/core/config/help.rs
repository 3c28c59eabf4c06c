//! Every keyword of mon.cf explained: what editors show, and what they offer.

mod globals;
mod period;
mod records;
mod service;

/// Where a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// `name = value`, outside all watches.
    Global,
    /// Begins a record.
    Record,
    /// Begins a service, in a watch.
    Watch,
    /// In a service, before its first period.
    Service,
    /// In a period.
    Period,
}

impl Where {
    /// The section of the original's manual, mon(8).
    #[must_use]
    pub fn section(self, word: &str) -> &'static str {
        match (self, word) {
            (Where::Global, _) => "Global Variables",
            (_, "hostgroup") => "Hostgroup Entries",
            (_, "view") => "View Entries",
            (Where::Record, _) => "Watch Group Entries",
            (Where::Watch | Where::Service, _) if word != "period" => "Service Definitions",
            _ => "Period Definitions",
        }
    }
}

/// A keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    /// As it is written.
    pub word: &'static str,
    /// What follows it; for a global what follows the `=`.
    pub arguments: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// Where it may stand.
    pub place: Where,
}

impl Keyword {
    /// How it is written, arguments included.
    #[must_use]
    pub fn syntax(&self) -> String {
        let equals = if self.place == Where::Global { " =" } else { "" };
        format!("{}{equals} {}", self.word, self.arguments).trim_end().to_owned()
    }

    /// All that is known of it, as Markdown.
    #[must_use]
    pub fn page(&self) -> String {
        let Keyword { word, meaning, default, place, .. } = self;
        let default = if default.is_empty() { String::new() } else { format!("Without it: {default}.\n\n") };
        let section = place.section(word);
        format!("```mon\n{}\n```\n{meaning}\n\n{default}mon(8), {section}", self.syntax())
    }
}

/// All keywords; two of a name where a global sets the default of services.
pub fn keywords() -> impl Iterator<Item = &'static Keyword> {
    [records::KEYWORDS, globals::KEYWORDS, service::KEYWORDS, period::KEYWORDS].into_iter().flatten()
}

/// The keyword that `word` is in such a place.
#[must_use]
pub fn find(word: &str, place: Where) -> Option<&'static Keyword> {
    keywords().find(|keyword| keyword.word == word && keyword.place == place)
}

/// A table of keywords that all stand in one place.
const fn keyword(
    place: Where,
    word: &'static str,
    arguments: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Keyword {
    Keyword { word, arguments, meaning, default, place }
}

/// The words that may stand in a period's specification, with what they take.
pub const SCALES: &[(&str, &str, &str)] = &[
    ("wd", "{Mon-Fri}", "day of the week: 1-7 from Sunday on, or names"),
    ("hr", "{9am-5pm}", "hour: 0-23, or 12am-11pm; the last hour is included entirely"),
    ("min", "{0-29}", "minute: 0-59"),
    ("sec", "{0-29}", "second: 0-59"),
    ("md", "{1-7}", "day of the month: 1-31"),
    ("mo", "{Jan-Mar}", "month: 1-12, or names"),
    ("wk", "{1}", "week of the month: 1-6, beginning on Sunday"),
    ("yd", "{1-7}", "day of the year: 1-366"),
    ("yr", "{2030}", "year"),
];

/// Values that a keyword or global takes, where these are words.
#[must_use]
pub fn values(keyword: &Keyword) -> &'static [&'static str] {
    match (keyword.word, keyword.place) {
        ("dep_behavior", _) => &["a", "m", "hm"],
        ("unack_summary" | "dtlogging" | "startupalerts_on_reset", _) => &["yes", "no"],
        ("authtype", _) => &["getpwnam", "pam", "shadow", "trustlocal", "userfile"],
        ("syslog_facility", _) => {
            &["daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]
        }
        ("alertevery", _) => &["10m", "30m", "1h", "1d"],
        ("alertafter", _) => &["2", "10m", "3 30m"],
        ("interval" | "failure_interval" | "traptimeout" | "trapduration" | "upalertafter", _) => {
            &["30s", "1m", "5m", "10m", "1h", "1d"]
        }
        ("randskew" | "randstart" | "cltimeout" | "dep_memory", _) => &["10s", "30s", "1m", "5m"],
        _ => &[],
    }
}

/// What may follow the time of `alertevery`.
pub const UNLESS: &[(&str, &str)] = &[
    ("observe_detail", "unless any of the output changes"),
    ("ignore_summary", "until the service has been good again"),
    ("summary", "unless the summary changes, which is what holds anyway"),
    ("strict", "whatever happens"),
];

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    /// The words of one place, sorted.
    fn words_of(place: Where) -> Vec<&'static str> {
        let mut found: Vec<_> =
            keywords().filter(|keyword| keyword.place == place).map(|keyword| keyword.word).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_keyword_of_the_parser_is_explained_and_no_other() {
        for (place, list, more) in [
            (Where::Global, words::GLOBALS, &[] as &[_]),
            (Where::Record, words::RECORDS, &[]),
            (Where::Watch, &[], &["service"]),
            (Where::Service, words::SERVICE, &["period"]),
            (Where::Period, words::PERIOD, &[]),
        ] {
            let mut known = [list, more].concat();
            known.sort_unstable();
            assert_eq!(words_of(place), known, "{place:?}");
        }
    }

    #[test]
    fn pages_say_syntax_meaning_default_and_section() {
        for keyword in keywords() {
            let Keyword { word, meaning, default, .. } = keyword;
            assert!(meaning.ends_with('.') && meaning.len() >= 15, "{word}");
            assert!(!default.ends_with('.'), "{word}");
        }
        let page = find("dep_behavior", Where::Service).unwrap().page();
        assert!(page.starts_with("```mon\ndep_behavior {a | m | hm}\n```\n"), "{page}");
        assert!(page.contains("Without it: the global `dep_behavior`"), "{page}");
        assert!(page.ends_with("mon(8), Service Definitions"), "{page}");
        let global = find("dep_behavior", Where::Global).unwrap().page();
        assert!(global.starts_with("```mon\ndep_behavior = {a | m | hm}\n"), "{global}");
    }

    #[test]
    fn offered_values_are_good_ones() {
        for keyword in keywords().filter(|keyword| keyword.place != Where::Global) {
            for value in values(keyword) {
                let (word, inside) = (keyword.word, keyword.place == Where::Period);
                let period = if inside { "period\n" } else { "" };
                let text = format!("watch a\nservice s\ninterval 1m\nmonitor m\n{period}{word} {value}\n");
                let (_, diagnostics) = crate::config::load(&text);
                assert!(diagnostics.iter().all(|found| !found.is_error()), "{text}");
            }
        }
        for (scale, example, _) in SCALES {
            let period = crate::period::Period::parse(&format!("{scale} {example}"));
            assert!(period.problems().is_empty(), "{scale}");
        }
    }
}
