//! `.monshowrc`: what to show, and in which colours.

use std::collections::BTreeMap;

/// What a configuration file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    /// Show all services, not only those that fail.
    pub(super) full: bool,
    pub(super) show_disabled: bool,
    /// Longest summary in the table.
    pub(super) summary_len: usize,
    /// Seconds until a browser asks again.
    pub(super) refresh: Option<String>,
    pub(super) colours: Colours,
    /// Raw HTML at the top of the page.
    pub(super) html_header: String,
    /// Where to learn more about a service.
    pub(super) links: BTreeMap<(String, String), MoreInformation>,
    /// What to show, in this order; all if empty.
    pub(super) selection: Vec<Selector>,
}

/// Colours of the page, as HTML has them but without the `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colours {
    pub(super) page: String,
    pub(super) ok: String,
    pub(super) fail: String,
    pub(super) untested: String,
    pub(super) table: String,
}

/// A link and raw HTML about a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MoreInformation {
    pub(super) link: String,
    pub(super) text: Option<String>,
}

/// One `watch` or `service` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) group: String,
    /// `None` is all services of the group.
    pub(super) service: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        let colour = str::to_owned;
        Settings {
            host: None,
            port: None,
            full: false,
            show_disabled: false,
            summary_len: 80,
            refresh: None,
            colours: Colours {
                page: colour("d5d5d5"),
                ok: colour("a0d0a0"),
                fail: colour("e088b7"),
                untested: colour("e0e0e0"),
                table: colour("cccccc"),
            },
            html_header: String::new(),
            links: BTreeMap::new(),
            selection: Vec::new(),
        }
    }
}

/// A block whose lines are taken as they are, up to `END`.
enum Block {
    Header,
    LinkText(String, String),
}

/// Reads a file. What it does not understand after `set` is a complaint; any other odd line is an error.
pub(super) fn parse(file: &str) -> Result<(Settings, Vec<String>), String> {
    let (mut settings, mut complaints, mut block) = (Settings::default(), Vec::new(), None);
    for (index, raw) in file.lines().enumerate() {
        let line = raw.trim();
        // Also inside a block, as the original does.
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(open) = &block {
            if raw.starts_with("END") && line == "END" {
                block = None;
            } else {
                settings.add_raw(open, raw);
            }
            continue;
        }
        let words = line.split_whitespace().collect::<Vec<_>>();
        match (words[0].to_ascii_lowercase().as_str(), &words[1..]) {
            ("set", ["html-header", ..]) => block = Some(Block::Header),
            ("set", [name, values @ ..]) => {
                if !settings.set(name, values.first().copied().unwrap_or("1")) {
                    complaints.push(format!("unknown set, line {}", index + 1));
                }
            }
            ("watch", [group, ..]) => settings.select(group, None),
            ("service", [group, service, ..]) => settings.select(group, Some(service)),
            ("link", [group, service, _, ..]) => {
                let link = line.splitn(4, char::is_whitespace).last().unwrap_or_default();
                settings.more(group, service).link = link.trim().to_owned();
            }
            ("link-text", [group, service, ..]) => {
                settings.more(group, service).text.get_or_insert_default();
                block = Some(Block::LinkText((*group).to_owned(), (*service).to_owned()));
            }
            _ => return Err(format!("error in config file, line {}", index + 1)),
        }
    }
    Ok((settings, complaints))
}

impl Settings {
    /// False if there is no such setting.
    fn set(&mut self, name: &str, value: &str) -> bool {
        let text = || value.to_owned();
        let flag = !matches!(value, "" | "0");
        match name {
            "host" => self.host = Some(text()),
            "port" => self.port = Some(text()),
            // The version of a protocol that has only one; the original takes it for a port.
            "prot" => {}
            "full" => self.full = flag,
            "show-disabled" => self.show_disabled = flag,
            "summary-len" => self.summary_len = value.parse().unwrap_or(self.summary_len),
            "refresh" => self.refresh = flag.then(text),
            "bg" => self.colours.page = text(),
            "bg-ok" => self.colours.ok = text(),
            "bg-fail" => self.colours.fail = text(),
            "bg-untested" => self.colours.untested = text(),
            "table-color" => self.colours.table = text(),
            _ => return false,
        }
        true
    }

    fn select(&mut self, group: &str, service: Option<&str>) {
        self.selection.push(Selector { group: group.to_owned(), service: service.map(str::to_owned) });
    }

    fn more(&mut self, group: &str, service: &str) -> &mut MoreInformation {
        self.links.entry((group.to_owned(), service.to_owned())).or_default()
    }

    fn add_raw(&mut self, block: &Block, line: &str) {
        let text = match block {
            Block::Header => &mut self.html_header,
            Block::LinkText(group, service) => self.more(group, service).text.get_or_insert_default(),
        };
        text.push_str(line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_everything() {
        let file = "# comment\n\nset host monhost\nSET port 2583\nset prot 1\n set full\nset show-disabled 0\n\
            set summary-len 20\nset refresh 60\nset bg-ok ffffff\nset zork 1\nset html-header\n <h1>x</h1>\n\n END\nEND\n\
            watch web\nservice db mysql\nlink web http http://example.test/a b\nlink-text web http\n<p>more\nEND\n";
        let (settings, complaints) = parse(file).expect("it is well formed");
        assert_eq!(complaints, ["unknown set, line 11"]);
        assert_eq!((settings.host.as_deref(), settings.port.as_deref()), (Some("monhost"), Some("2583")));
        assert!(settings.full && !settings.show_disabled);
        assert_eq!((settings.summary_len, settings.refresh.as_deref()), (20, Some("60")));
        assert_eq!((settings.colours.ok.as_str(), settings.colours.fail.as_str()), ("ffffff", "e088b7"));
        assert_eq!(settings.html_header, " <h1>x</h1>\n END\n");
        let selector = |group: &str, service: Option<&str>| Selector {
            group: group.into(),
            service: service.map(Into::into),
        };
        assert_eq!(settings.selection, [selector("web", None), selector("db", Some("mysql"))]);
        let more = &settings.links[&("web".to_owned(), "http".to_owned())];
        assert_eq!(
            (more.link.as_str(), more.text.as_deref()),
            ("http://example.test/a b", Some("<p>more\n"))
        );
    }

    #[test]
    fn what_stops_it() {
        for (file, error) in [
            ("watch", "error in config file, line 1"),
            ("set full\nservice web\n", "error in config file, line 2"),
            ("set", "error in config file, line 1"),
            ("link web http", "error in config file, line 1"),
            ("zork", "error in config file, line 1"),
        ] {
            assert_eq!(parse(file), Err(error.to_owned()), "{file}");
        }
        assert_eq!(parse(""), Ok((Settings::default(), Vec::new())));
    }
}
