//! What a monitor says, and the only place that says it.

use std::io::{self, Write};

use remon_core::text;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The first line: mostly the failed hosts. Never holds a line end.
    pub summary: String,
    /// The lines below it, each with its line end.
    pub detail: String,
    /// The exit status; 0 is good.
    pub exit: u8,
    /// Is the first line printed even when there is nothing to say? Some of the originals do.
    pub empty_line: bool,
    /// Was nothing checked, as the command line makes no sense? That goes to standard error, as in the originals; mon
    /// reads both.
    pub refused: bool,
}

impl Report {
    /// All is well, nothing to say.
    #[must_use]
    pub fn good() -> Report {
        Report::default()
    }

    /// A failure that is told in one line.
    #[must_use]
    pub fn failure(summary: impl Into<String>) -> Report {
        Report { summary: one_line(&summary.into()), exit: 1, ..Report::default() }
    }

    /// The same, but nothing was checked, for the command line makes no sense.
    #[must_use]
    pub fn refusal(words: impl Into<String>) -> Report {
        Report { refused: true, ..Report::failure(words) }
    }

    /// The usual failure: the failed hosts in byte order, an empty line, one line on each.
    #[must_use]
    pub fn of_hosts(mut failed: Vec<&str>, lines: &[String]) -> Report {
        failed.sort_unstable();
        let detail = lines.iter().fold("\n".to_owned(), |detail, line| detail + line + "\n");
        Report { summary: one_line(&failed.join(" ")), detail, exit: 1, ..Report::default() }
    }

    /// The failed hosts in byte order, if any, over a detail of any form.
    #[must_use]
    pub fn with_detail(mut failed: Vec<&str>, detail: String) -> Report {
        failed.sort_unstable();
        let exit = u8::from(!failed.is_empty());
        Report { summary: one_line(&failed.join(" ")), detail, exit, ..Report::default() }
    }

    /// A usage text; asking for it is no failure.
    #[must_use]
    pub fn help(usage: &str) -> Report {
        let (summary, detail) = usage.split_once('\n').unwrap_or((usage, ""));
        Report { summary: summary.to_owned(), detail: detail.to_owned(), ..Report::default() }
    }

    /// Adds what is wrong with the command line, at the end: there it cannot be taken for the summary.
    #[must_use]
    pub fn with_complaints(mut self, complaints: &[String]) -> Report {
        for complaint in complaints {
            self.detail += complaint;
            self.detail.push('\n');
        }
        self
    }

    /// The output, summary first; nothing at all if there is nothing to say.
    #[must_use]
    pub fn text(&self) -> String {
        if self.summary.is_empty() && self.detail.is_empty() && !self.empty_line {
            return String::new();
        }
        format!("{}\n{}", self.summary, self.detail)
    }

    /// Prints the report in one write, so that nothing can come between its lines.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn print(&self, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<()> {
        let text = self.text();
        let bytes = text::encode(&text);
        if self.refused {
            return complaints.write_all(&bytes).and_then(|()| complaints.flush());
        }
        out.write_all(&bytes)?;
        out.flush()
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_the_original() {
        let lines = ["b timeout".to_owned(), "a could not connect: Connection refused".to_owned()];
        let report = Report::of_hosts(vec!["b", "a"], &lines);
        assert_eq!(report.text(), "a b\n\nb timeout\na could not connect: Connection refused\n");
        assert_eq!(Report::good().text(), "");
    }

    #[test]
    fn complaints_never_come_first() {
        let complaints = ["Unknown option: z".to_owned()];
        assert_eq!(Report::good().with_complaints(&complaints).text(), "\nUnknown option: z\n");
        assert_eq!(Report::failure("x").with_complaints(&complaints).text(), "x\nUnknown option: z\n");
    }

    #[test]
    fn a_summary_is_one_line() {
        assert_eq!(Report::failure("a\nb\r").text(), "a b \n");
    }

    #[test]
    fn bytes_leave_as_they_came() {
        let mut out = Vec::new();
        let name = text::decode(b"caf\xe9".to_vec());
        Report::failure(name).print(&mut out, &mut io::sink()).expect("a Vec takes everything");
        assert_eq!(out, b"caf\xe9\n");
    }

    #[test]
    fn a_refusal_is_told_on_standard_error() {
        let (mut out, mut complaints) = (Vec::new(), Vec::new());
        Report::refusal("Usage").print(&mut out, &mut complaints).expect("a Vec takes everything");
        assert_eq!((out, complaints), (Vec::new(), b"Usage\n".to_vec()));
    }
}
