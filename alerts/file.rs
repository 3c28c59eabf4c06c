//! `file.alert`: append alerts to a file.

use remon_core::getopt;
use remon_core::nouns::Wall;

use crate::deliver::Message;
use crate::invocation::{self, Invocation};

/// What `--help` prints.
pub const USAGE: &str = "usage: file.alert [-S SUMMARY] [-d DIR] [FILE]

Appends the alert to FILE (file), below DIR if one is given: a line with kind,
group, service, time and summary, the description, the status, the detail from
standard input, and a line with a dot.

  -S SUMMARY  say this instead of the first line of standard input
  -d DIR      where FILE is
  -s -g -h -t -l -u -a -D -T -O
              as mon gives them
";

/// The entry for the file.
#[must_use]
pub fn compose(invocation: &Invocation) -> Message {
    // -a and -D come from newer daemons; the original complains about them.
    let options = getopt::letters("d:S:s:g:h:t:l:uOTaD", &invocation.words);
    let file = options.words.first().map_or("file", String::as_str);
    let path = match options.truthy("d") {
        Some(directory) => format!("{directory}/{file}"),
        None => file.to_owned(),
    };
    let (summary, detail) = invocation.summary_and_detail();
    let summary = options.value("S").unwrap_or(summary);
    let kind = invocation.variable("MON_ALERTTYPE").filter(|kind| !matches!(*kind, "" | "0"));
    let kind = kind.unwrap_or("UNKNOWN ALERT");
    let option = |name| options.value(name).unwrap_or_default();
    let (group, service, time) = (option("g"), option("s"), option("t"));
    let noticed = (invocation.local)(time.parse::<Wall>().unwrap_or(0));
    let noticed = invocation::short_time(&noticed.civil);
    let description = invocation.variable("MON_DESCRIPTION").unwrap_or_default();
    let opstatus = invocation.variable("MON_OPSTATUS").unwrap_or("UNKNOWN OPSTATUS");
    let text = format!(
        "{kind} {group} {service} {time} ({noticed}) {summary}\nDESCR={description}\nOPSTATUS={opstatus}\n{detail}.\n"
    );
    Message::Append { path, text, complaints: options.complaints }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 10] =
        ["-s", "http", "-g", "web", "-h", "hostA hostB hostC", "-t", "1795346603", "-l", "3600"];
    const INPUT: &str = "hostA hostB\ndetail line one\n\nlast line without newline";

    fn check(env: &[(&str, &str)], before: &[&str], after: &[&str], path: &str, text: &str) {
        let mut invocation = Invocation::sample(&[before, &WORDS, after].concat(), INPUT);
        invocation.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let Message::Append { path: composed_path, text: composed, .. } = compose(&invocation) else {
            panic!("it appends")
        };
        assert_eq!((composed_path.as_str(), composed.as_str()), (path, text));
    }

    #[test]
    fn the_entry_of_the_original() {
        check(
            &[],
            &[],
            &["log/f.log"],
            "log/f.log",
            "UNKNOWN ALERT web http 1795346603 (Sun Nov 22 11:23:23) hostA hostB\nDESCR=\nOPSTATUS=UNKNOWN OPSTATUS\n\
             detail line one\n\nlast line without newline.\n",
        );
        check(
            &[("MON_ALERTTYPE", "failure"), ("MON_OPSTATUS", "0"), ("MON_DESCRIPTION", "desc")],
            &["-S", "other summary"],
            &["-u"],
            "file",
            "failure web http 1795346603 (Sun Nov 22 11:23:23) other summary\nDESCR=desc\nOPSTATUS=0\n\
             detail line one\n\nlast line without newline.\n",
        );
    }

    #[test]
    fn files_and_directories() {
        let path = |words: &[&str]| match compose(&Invocation::sample(words, "")) {
            Message::Append { path, .. } => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(path(&["-u", "-d", "/var/log", "f.log"]), "/var/log/f.log");
        assert_eq!(path(&["-d", "", "f.log"]), "f.log");
        assert_eq!(path(&["-d", "/var/log"]), "/var/log/file");
        assert_eq!(path(&["-T", "-O", "-a", "-D", "x", "y"]), "x");
    }

    #[test]
    fn complaints_are_kept() {
        assert_eq!(compose(&Invocation::sample(&["-z"], "")).complaints(), ["Unknown option: z"]);
    }
}
