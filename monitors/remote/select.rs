//! Which services an option names: `WATCH`, `WATCH:SERVICE`, `:SERVICE`, several of them, with `*` and `?`.

/// What the values of an option name, all taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    entries: Vec<Entry>,
}

/// A half that is missing or empty names everything.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    watch: String,
    service: String,
}

impl Selection {
    /// Reads values, each of which may be a list with commas. An empty one names nothing.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Selection {
        let words = values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty());
        let entries = words.map(|word| {
            let mut halves = word.split(':');
            let mut half = || halves.next().unwrap_or_default().to_owned();
            Entry { watch: half(), service: half() }
        });
        // `:` alone would name everything; Perl's split finds nothing in it, and so do we.
        let named = |entry: &Entry| !(entry.watch.is_empty() && entry.service.is_empty());
        Selection { entries: entries.filter(named).collect() }
    }

    /// Was nothing named?
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The watches and services that are named without `*` and `?`; an empty half names everything.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        let plain = |text: &str| !text.contains(['*', '?']);
        let entries = self.entries.iter().filter(move |entry| plain(&entry.watch) && plain(&entry.service));
        entries.map(|entry| (entry.watch.as_str(), entry.service.as_str()))
    }

    /// Is the service among what is named?
    pub(crate) fn names(&self, watch: &str, service: &str) -> bool {
        let fits = |pattern: &str, name| pattern.is_empty() || glob(pattern, name);
        self.entries.iter().any(|entry| fits(&entry.watch, watch) && fits(&entry.service, service))
    }
}

/// Does `name` fit `pattern`, in which `*` is any text and `?` any character? Takes no longer than the product of
/// both lengths: of several stars only the last is ever tried again.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.chars().collect::<Vec<_>>(), name.chars().collect::<Vec<_>>());
    let (mut at, mut seen, mut again) = (0, 0, None);
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                again = Some((at + 1, seen));
                at += 1;
            }
            Some(&c) if c == '?' || c == name[seen] => (at, seen) = (at + 1, seen + 1),
            _ => match again {
                Some((after_star, from)) => {
                    (at, seen) = (after_star, from + 1);
                    again = Some((after_star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named() {
        for (values, service, expect) in [
            (&["web"][..], "web:http", true),
            (&["web"], "web2:http", false),
            (&["web:http"], "web:http", true),
            (&["web:http"], "web:ping", false),
            (&[":http"], "db:http", true),
            (&["db", "web:http"], "web:http", true),
            (&["db, web:p*"], "web:ping", true),
            (&["w?b*:*t*p"], "web-1:http", true),
            (&["w?b"], "wb:http", false),
            (&["*:http"], "web:https", false),
            (&["", ",", ":"], "web:http", false),
            (&["Web"], "web:http", false),
        ] {
            let (watch, name) = service.split_once(':').expect("a service has both");
            assert_eq!(
                Selection::of(values.iter().copied()).names(watch, name),
                expect,
                "{values:?} {service}"
            );
        }
        assert!(Selection::of(["", ":"].into_iter()).is_empty());
    }

    #[test]
    fn stars_do_not_explode() {
        assert!(!glob(&"*a".repeat(30), &"a".repeat(20_000).replace('a', "b")));
        assert!(glob("**", "") && glob("a*b*c", "axxbyybc") && !glob("a*b", "acx"));
    }
}
