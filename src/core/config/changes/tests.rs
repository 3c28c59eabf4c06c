//! Two files and what is said of them.

use super::*;
use crate::config;

fn config(text: &str) -> Config {
    let (config, diagnostics) = config::load(text);
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    config
}

fn compare(old: &str, new: &str) -> Changes {
    between(&Outline::of(&config(old)), &Outline::of(&config(new)))
}

/// Every keyword of a service and of a period, as often as it may stand, with another value for each.
const KEYWORDS: &[(&str, &str)] = &[
    ("interval 5m", "interval 6m"),
    ("failure_interval 1m", "failure_interval 2m"),
    ("randskew 10s", "randskew 20s"),
    ("traptimeout 1h", "traptimeout 2h"),
    ("trapduration 10m", "trapduration 11m"),
    ("dep_memory 5m", "dep_memory 6m"),
    ("dep_behavior m", "dep_behavior hm"),
    ("depend web:a", "depend web:b"),
    ("alertdepend web:a", "alertdepend web:b"),
    ("monitordepend web:a", "monitordepend web:b"),
    ("hostdepend web:a", "hostdepend web:b"),
    ("monitor m.monitor -x", "monitor m.monitor -y"),
    ("redistribute r.alert", "redistribute s.alert"),
    ("allow_empty_group", ""),
    ("description one", "description two"),
    ("unack_summary yes", ""),
    ("exclude_hosts h1", "exclude_hosts h2"),
    ("exclude_period hr {1}", "exclude_period hr {2}"),
    ("COLOUR=red", "COLOUR=blue"),
    ("period day: hr {9-17}", "period day: hr {9-18}"),
    ("alert exit=3 mail.alert me", "alert exit=4 mail.alert me"),
    ("upalert mail.alert me", "upalert mail.alert you"),
    ("startupalert mail.alert me", ""),
    ("ackalert mail.alert me", ""),
    ("disablealert mail.alert me", ""),
    ("alertevery 1h strict", "alertevery 1h observe_detail"),
    ("alertafter 3 30m", "alertafter 4 30m"),
    ("upalertafter 5m", "upalertafter 6m"),
    ("numalerts 3", "numalerts 4"),
    ("no_comp_alerts", ""),
    ("alerts_dont_count", ""),
    ("alertexitrange 1-4", "alertexitrange 1-5"),
];

fn service(lines: impl Iterator<Item = &'static str>) -> String {
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    format!("hostgroup web h1 h2\n\nwatch web\nservice a\nservice b\nservice s\n{}\n", lines.join("\n"))
}

#[test]
fn every_keyword_is_compared_and_shown() {
    let all = service(KEYWORDS.iter().map(|(line, _)| *line));
    assert!(compare(&all, &all).is_empty());
    for (at, (old, new)) in KEYWORDS.iter().enumerate() {
        let other = service(KEYWORDS.iter().enumerate().map(|(n, (o, x))| if n == at { *x } else { *o }));
        let changes = compare(&all, &other);
        let Some(What::Changed { keywords, .. }) = changes.services.values().next() else {
            panic!("{old} to {new} is not noticed");
        };
        let word = old.split([' ', '=']).next().unwrap_or_default();
        let [change] = keywords.as_slice() else { panic!("{old}: {keywords:?}") };
        assert!(change.keyword.contains(word), "{old}: {change:?}");
        let told = change.old != change.new || change.keyword.ends_with('=');
        assert_eq!((told, changes.services.len()), (true, 1), "{old}");
    }
}

#[test]
fn where_and_how_it_is_written_is_no_change() {
    let old = "maxprocs = 10\nhostgroup web h1 h2\n\nwatch web\nservice s\ninterval 60s\nmonitor m\nperiod\nalert a\n";
    let new = "# more\n\nhostgroup web h1 \\\n  h2\n\nmaxprocs=10\n\nwatch web\n  service s\n    monitor m\n    interval 1m\n    period\n      alert a\n";
    let changes = compare(old, new);
    assert!(changes.is_empty(), "{}", changes.render());
    assert_eq!(changes.render(), "1 service unchanged\n");
}

#[test]
fn values_of_variables_are_not_told() {
    let with = |word: &str| format!("watch web\nservice s\ninterval 1m\nmonitor m\nPASSWORD={word}\n");
    let text = compare(&with("sesame"), &with("secret")).render();
    assert_eq!(text, "web/s changed\n    PASSWORD= has another value\n1 service changed, 0 unchanged\n");
}

#[test]
fn lines_of_one_keyword_are_compared_one_by_one() {
    let with = |alerts: &str| format!("watch web\nservice s\ninterval 1m\nmonitor m\nperiod\n{alerts}");
    let changed = |old: &str, new: &str| {
        let text = compare(&with(old), &with(new)).render();
        text.lines()
            .filter(|line| line.starts_with("    "))
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        changed("alert a\nalert b\n", "alert b\nalert c\nalert d\n"),
        ["period: alert: a -> c", "+ period: alert d"]
    );
    assert_eq!(changed("alert a\nalert b\n", "alert b\nalert a\n"), ["period: alert: a, b -> b, a"]);
    assert_eq!(changed("alert a\nalert b\n", "alert b\n"), ["- period: alert a"]);
}

#[test]
fn spans_are_shown_as_people_write_them() {
    for (text, shown) in
        [("60s", "1m"), ("90s", "90s"), ("7200s", "2h"), ("2d", "2d"), ("0.5s", "0.5s"), ("36h", "36h")]
    {
        let span = crate::timeval::parse(text).flatten().expect("a span");
        assert_eq!(definition::spelled(span), shown);
    }
}
