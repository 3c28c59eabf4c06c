//! What a person reads: the subject and the text that all mailing alerts share, laid out as the original's.

use std::borrow::Cow;

use remon_core::getopt::Options;
use remon_core::nouns::Wall;
use remon_core::text;

use crate::invocation::{self, Invocation, LocalTime};

/// The letters that mon itself passes, and `-S`. `-T -O -a -D` are flags that the original complains about.
pub(crate) const LETTERS: &str = "S:s:g:h:t:l:uTOaD";

/// Longest line of the members, in columns.
const MEMBER_COLUMNS: usize = 75;

/// What is left for members on their second line, behind three tabs.
const FOLLOWING_COLUMNS: usize = MEMBER_COLUMNS - 24;

/// What stands where a detail was cut.
const CUT: &str = "\n[...] the rest is too long to be sent\n";

/// The parts of an alert, as texts for a reader elsewhere: UTF-8, lines without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// `ALERT web/http: hostA hostB (Sun Nov 22 11:23:23)`
    pub(crate) subject: String,
    group: String,
    service: String,
    /// `Sun Nov 22 11:23:23 2026`
    pub(crate) noticed: String,
    /// Seconds until the next alert; mon 1.3.6 never says.
    pub(crate) next_alert: String,
    members: String,
    /// The detail, unchanged but for its encoding.
    pub(crate) detail: String,
}

impl Letter {
    /// The alert that the command line and the input describe.
    pub(crate) fn of(options: &Options, invocation: &Invocation) -> Letter {
        let (summary, detail) = invocation.summary_and_detail();
        let option = |name| line(options.value(name).unwrap_or_default());
        let summary = line(options.value("S").unwrap_or(summary));
        let (group, service) = (option("g"), option("s"));
        let noticed = option("t").parse::<Wall>().unwrap_or(0);
        let LocalTime { civil, .. } = (invocation.local)(noticed);
        let word = if options.has("u") { "UPALERT" } else { "ALERT" };
        let time = invocation::short_time(&civil);
        Letter {
            subject: format!("{word} {group}/{service}: {summary} ({time})"),
            noticed: civil.to_string(),
            next_alert: option("l"),
            members: option("h"),
            detail: text::readable(detail).into_owned(),
            group,
            service,
        }
    }

    /// The text below the subject, with a detail of at most `room` bytes.
    pub(crate) fn text(&self, room: usize) -> String {
        let Letter { group, service, members, .. } = self;
        let head = format!("\nGroup                 : {group}\nService               : {service}\n");
        head + &self.times() + &wrap_members(members) + &self.rest(room)
    }

    /// The same without the lines that are in the subject already.
    pub(crate) fn short_text(&self, room: usize) -> String {
        format!("\n{}{}", self.times(), self.rest(room))
    }

    fn times(&self) -> String {
        let Letter { noticed, next_alert, .. } = self;
        format!("Time noticed          : {noticed}\nSecs until next alert : {next_alert}\n")
    }

    fn rest(&self, room: usize) -> String {
        let dashes = "-".repeat(31);
        format!("\nDetailed text (if any) follows:\n{dashes}\n{}", cut(&self.detail, room))
    }
}

/// One line for a reader: what could begin another, or steer a terminal, is a blank.
pub(crate) fn line(text: &str) -> String {
    text::readable(text).chars().map(|c| if is_control(c) { ' ' } else { c }).collect()
}

/// Control characters, and the two others that some readers take for line ends.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// At most `room` bytes of `text`, and a word about it if that is not all.
pub(crate) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if text.len() <= room {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text[..text.floor_char_boundary(room)].to_owned() + CUT)
}

/// The line of the members, broken at blanks. The tab behind the word is what Perl's Text::Wrap makes of a run of
/// blanks up to a tab stop; readers of many years know it so.
fn wrap_members(members: &str) -> String {
    let mut out = "Members \t      : ".to_owned();
    let mut left = MEMBER_COLUMNS - "Members               : ".len();
    for (index, member) in members.split(' ').filter(|member| !member.is_empty()).enumerate() {
        let width = member.chars().count();
        let needed = width + usize::from(index > 0);
        if index > 0 && needed > left {
            out.push_str("\n\t\t\t");
            left = FOLLOWING_COLUMNS;
        } else if index > 0 {
            out.push(' ');
            left -= 1;
        }
        out.push_str(member);
        left = left.saturating_sub(width);
    }
    out.push('\n');
    out
}

/// The words of an option that may be given several times and hold lists with commas.
pub(crate) fn list(options: &Options, name: &str) -> Vec<String> {
    let words = options.all(name).flat_map(|value| value.split(',')).map(|word| line(word).trim().to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use remon_core::getopt;

    fn letter(words: &[&str], input: &[u8]) -> Letter {
        let invocation = Invocation::sample(words, &text::decode(input.to_vec()));
        Letter::of(&getopt::letters(LETTERS, &invocation.words), &invocation)
    }

    const WORDS: [&str; 10] =
        ["-s", "http", "-g", "web", "-h", "hostA hostB hostC", "-t", "1795346603", "-l", "3600"];

    #[test]
    fn the_layout_of_the_original() {
        let letter = letter(&WORDS, b"hostA hostB\ndetail line one\n\ttabbed\n\nlast");
        assert_eq!(letter.subject, "ALERT web/http: hostA hostB (Sun Nov 22 11:23:23)");
        let expect = "\nGroup                 : web\nService               : http\n\
            Time noticed          : Sun Nov 22 11:23:23 2026\nSecs until next alert : 3600\n\
            Members \t      : hostA hostB hostC\n\nDetailed text (if any) follows:\n\
            -------------------------------\ndetail line one\n\ttabbed\n\nlast";
        assert_eq!(letter.text(1000), expect);
        let expect = "\nTime noticed          : Sun Nov 22 11:23:23 2026\nSecs until next alert : 3600\n\
            \nDetailed text (if any) follows:\n-------------------------------\ndetail line one\n\ttabbed\n\nlast";
        assert_eq!(letter.short_text(1000), expect);
    }

    #[test]
    fn subjects() {
        let subject = |words: &[&str], input: &[u8]| letter(words, input).subject;
        assert_eq!(subject(&["-u", "-s", "a", "-g", "b"], b""), "UPALERT b/a:  (Thu Jan 1 00:00:00)");
        assert_eq!(subject(&["-S", "own"], b"x\n"), "ALERT /: own (Thu Jan 1 00:00:00)");
        let nasty = b"x\rBcc: eve@example.com\x1b[2J\x00 \xe2\x80\xa8y";
        assert_eq!(
            subject(&["-T", "-O", "-a", "-D"], nasty),
            "ALERT /: x Bcc: eve@example.com [2J   y (Thu Jan 1 00:00:00)"
        );
        assert_eq!(subject(&[], "Zürich".as_bytes()), "ALERT /: Zürich (Thu Jan 1 00:00:00)");
        assert_eq!(subject(&[], b"Z\xfcrich"), "ALERT /: Zürich (Thu Jan 1 00:00:00)");
    }

    #[test]
    fn members_are_wrapped_as_the_original_does() {
        let hosts = (1..=6).map(|n| format!("host{n:03}.example.test")).collect::<Vec<_>>().join(" ");
        let expect = "Members \t      : host001.example.test host002.example.test\n\
            \t\t\thost003.example.test host004.example.test\n\t\t\thost005.example.test host006.example.test\n";
        assert_eq!(wrap_members(&hosts), expect);
        assert_eq!(wrap_members(""), "Members \t      : \n");
        let (fits, too_long) = ("x".repeat(51), "x".repeat(52));
        assert_eq!(wrap_members(&fits), format!("Members \t      : {fits}\n"));
        assert_eq!(wrap_members(&format!("a {fits}")), format!("Members \t      : a\n\t\t\t{fits}\n"));
        assert_eq!(
            wrap_members(&format!("{too_long} a")),
            format!("Members \t      : {too_long}\n\t\t\ta\n")
        );
    }

    #[test]
    fn long_details_are_cut_between_characters() {
        assert_eq!(cut("üü", 3), format!("ü{CUT}"));
        assert_eq!(cut("üü", 4), "üü");
    }
}
