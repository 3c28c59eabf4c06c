//! What was found, and how it is printed. Touches nothing.

use std::fmt::Write as _;

use crate::cli::json::Json;

/// How bad it is; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Something does not work: somebody will not be told.
    Fault,
    /// It works, but perhaps not as it is meant, or not for long.
    Warning,
    /// Worth knowing, or not looked at.
    Note,
    /// All is well.
    Well,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Severity::Fault => "fault",
            Severity::Warning => "warning",
            Severity::Note => "note",
            Severity::Well => "ok",
        }
    }
}

/// Where it was found, in the order in which things should be mended: who cannot read mon.cf needs to look no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Area {
    Configuration,
    Programs,
    Files,
    Daemon,
    Clock,
    Names,
    Alerts,
    Peers,
}

impl Area {
    fn word(self) -> &'static str {
        match self {
            Area::Configuration => "configuration",
            Area::Programs => "programs",
            Area::Files => "files",
            Area::Daemon => "daemon",
            Area::Clock => "clock",
            Area::Names => "names",
            Area::Alerts => "alerts",
            Area::Peers => "peers",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) area: Area,
    /// What is so.
    pub(super) text: String,
    /// What to do about it; empty where nothing is to be done.
    pub(super) advice: String,
}

impl Area {
    /// Something that does not work.
    pub(super) fn fault(self, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { severity: Severity::Fault, area: self, text: text.into(), advice: advice.into() }
    }

    /// Something doubtful.
    pub(super) fn warning(self, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..self.fault(text, advice) }
    }

    /// Something worth knowing.
    pub(super) fn note(self, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { severity: Severity::Note, ..self.fault(text, advice) }
    }

    /// Something that is well.
    pub(super) fn well(self, text: impl Into<String>) -> Finding {
        Finding { severity: Severity::Well, ..self.fault(text, "") }
    }
}

/// All findings.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds what was found.
    pub(super) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            // One mistake shows in several lines of mon.cf, and is to be mended once.
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self.findings.sort_by_key(|finding| (finding.severity, finding.area));
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// 0 all well, 1 warnings, 2 faults.
    pub(super) fn exit(&self) -> u8 {
        match (self.count(Severity::Fault), self.count(Severity::Warning)) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for Finding { severity, area, text, advice } in &self.findings {
            // What other programs and servers said may hold anything.
            let clean = |text: &str| text.replace(|c: char| c.is_control() && c != '\n', " ");
            let text = clean(text).replace('\n', "\n                         ");
            let _ = writeln!(out, "{:<8} {:<14}  {text}", severity.word(), area.word());
            for line in clean(advice).lines() {
                let _ = writeln!(out, "                         > {line}");
            }
        }
        let _ = writeln!(out, "\n{}", self.summary());
        out
    }

    fn summary(&self) -> String {
        let count = |severity: Severity| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {}", severity.word())),
            many => Some(format!("{many} {}s", severity.word())),
        };
        let counts = [Severity::Fault, Severity::Warning].into_iter().filter_map(count).collect::<Vec<_>>();
        if counts.is_empty() { "all is well".to_owned() } else { counts.join(", ") }
    }

    /// For programs.
    pub(super) fn json(&self, file: &str, user: &str) -> String {
        let number = |severity| Json::Number(i64::try_from(self.count(severity)).unwrap_or(i64::MAX));
        let object = |fields: Vec<(&str, Json)>| {
            Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let finding = |finding: &Finding| {
            object(vec![
                ("severity", Json::str(finding.severity.word())),
                ("area", Json::str(finding.area.word())),
                ("text", Json::str(&finding.text)),
                ("advice", Json::str(&finding.advice)),
            ])
        };
        object(vec![
            ("file", Json::str(file)),
            ("user", Json::str(user)),
            ("faults", number(Severity::Fault)),
            ("warnings", number(Severity::Warning)),
            ("findings", Json::List(self.findings.iter().map(finding).collect())),
        ])
        .text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_first_and_each_once() {
        let mut report = Report::default();
        assert_eq!((report.exit(), report.text().as_str()), (0, "\nall is well\n"));
        report.add([Area::Clock.note("n", ""), Area::Names.well("w"), Area::Names.warning("b", "do\nthis")]);
        assert_eq!(report.exit(), 1);
        report.add([Area::Peers.fault("p\x1b[1m", ""), Area::Daemon.fault("d", "x")]);
        report.add([Area::Daemon.fault("d", "x")]);
        assert_eq!(report.exit(), 2);
        let expect = "fault    daemon          d\n                         > x\n\
            fault    peers           p [1m\n\
            warning  names           b\n                         > do\n                         > this\n\
            note     clock           n\nok       names           w\n\n2 faults, 1 warning\n";
        assert_eq!(report.text(), expect);
        let json = report.json("/etc/mon/mon.cf", "mon");
        assert!(json.starts_with(
            "{\"file\": \"/etc/mon/mon.cf\", \"user\": \"mon\", \"faults\": 2, \"warnings\": 1, "
        ));
        assert!(
            json.contains(
                "{\"severity\": \"fault\", \"area\": \"daemon\", \"text\": \"d\", \"advice\": \"x\"}"
            )
        );
    }
}
