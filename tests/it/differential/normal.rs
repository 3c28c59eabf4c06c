//! Takes out of a text what differs between any two runs: times, ports, the directory, process ids.

use crate::support::Place;

/// Fields of an opstatus line that count seconds since something that just happened.
const DURATIONS: &[&str] = &["monitor_duration", "failure_duration"];

const WEEKDAYS: &[&str] = &["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Any text: paths, ports and times become tokens.
pub(crate) fn text(text: &str, place: &Place) -> String {
    let text = text.replace(&*place.dir().to_string_lossy(), "<DIR>");
    let text = numbers(&local_times(&process_id(&text)), place);
    text.split('\n').map(downtime).collect::<Vec<_>>().join("\n")
}

/// A line of the downtime log: up, group, service, first failure, then how long, which depends on this machine.
fn downtime(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if let ["<time>", _, _, "<time>", down, ..] = words.as_mut_slice()
        && down.parse().is_ok_and(|seconds: u32| seconds < 100)
    {
        *down = "<short>";
    }
    words.join(" ")
}

/// `reset PID 1234@host`, the one reply that names a process and a machine.
fn process_id(text: &str) -> String {
    match text.split_once("reset PID ") {
        Some((before, id)) if !id.contains(' ') => format!("{before}reset PID <process>"),
        _ => text.to_owned(),
    }
}

/// One line of a reply; opstatus lines have counters besides.
pub(crate) fn reply_line(line: &str, place: &Place) -> String {
    if !line.starts_with("group=") || !line.contains(" opstatus=") {
        return text(line, place);
    }
    let fields: Vec<(&str, &str)> = line.split(' ').filter_map(|field| field.split_once('=')).collect();
    let interval =
        fields.iter().find(|(key, _)| *key == "interval").and_then(|(_, value)| value.parse().ok());
    let shown = fields.iter().map(|(key, value)| format!("{key}={}", field(key, value, interval)));
    text(&shown.collect::<Vec<_>>().join("\n    "), place)
}

fn field(key: &str, value: &str, interval: Option<i64>) -> String {
    match (key, value.parse::<i64>(), interval) {
        // The countdown shows that the service waits a whole interval, not how slow this machine is.
        ("timer", Ok(left), Some(all)) if all >= 60 && (all - 45..=all).contains(&left) => {
            "<interval>".into()
        }
        ("timer", Ok(left), Some(all)) if all < 60 && (0..=all).contains(&left) => "<soon>".into(),
        ("timer", Ok(0), None) => String::new(),
        (_, Ok(0..=99), _) if DURATIONS.contains(&key) => "<short>".into(),
        ("exclude_hosts", ..) => {
            let mut hosts: Vec<&str> = value.split("\\20").collect();
            hosts.sort_unstable();
            hosts.join("\\20")
        }
        _ => value.to_owned(),
    }
}

/// Seconds since the epoch and our own ports. `\20` before a number is an escaped blank, not part of it.
fn numbers(text: &str, place: &Place) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (mut digits, after) = tail.split_at(end);
        out += before;
        if before.ends_with('\\') && digits.len() > 2 {
            out += &digits[..2];
            digits = &digits[2..];
        }
        out += &token(digits, place);
        rest = after;
    }
    out + rest
}

fn token(digits: &str, place: &Place) -> String {
    match digits {
        epoch if epoch.len() == 10 && epoch.starts_with(['1', '2']) => "<time>".into(),
        port if port == place.port.to_string() => "<port>".into(),
        port if port == place.trapport.to_string() => "<trapport>".into(),
        other => other.into(),
    }
}

/// Times as `localtime` writes them, `Sun Nov 22 13:00:36 2026`, with blanks or with escaped blanks.
fn local_times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = local_time_length(rest);
        if length > 0 {
            out += "<local time>";
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// How many bytes at the start of `text` are a local time; 0 when it starts with something else.
fn local_time_length(text: &str) -> usize {
    if !WEEKDAYS.iter().any(|day| text.starts_with(day)) {
        return 0;
    }
    let mut rest = &text[3..];
    // Month, day, time and year: each after one blank, the day padded with a second one.
    for shape in ["aaa", "d", "dd:dd:dd", "dddd"] {
        let trimmed = rest.trim_start_matches("\\20").trim_start_matches(' ');
        let size = shape_length(trimmed, shape);
        if size == 0 || trimmed.len() == rest.len() {
            return 0;
        }
        rest = &trimmed[size..];
    }
    text.len() - rest.len()
}

/// How many bytes of `text` have this shape: `a` a letter, `d` a digit, a lone `d` one or two digits.
fn shape_length(text: &str, shape: &str) -> usize {
    let fits = |(have, want): (u8, u8)| match want {
        b'a' => have.is_ascii_alphabetic(),
        b'd' => have.is_ascii_digit(),
        other => have == other,
    };
    if text.len() < shape.len() || !text.bytes().zip(shape.bytes()).all(fits) {
        return 0;
    }
    let second_digit = shape == "d" && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    shape.len() + usize::from(second_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_ports_and_paths_become_tokens() {
        let place = Place::new();
        let shown = |line: &str| text(&place.fill(line), &place);
        assert_eq!(
            shown("at 1795352643, port @PORT@ and @TRAPPORT@ in @DIR@/x"),
            "at <time>, port <port> and <trapport> in <DIR>/x"
        );
        assert_eq!(shown("a\\201795352643\\20b 17953526431 10"), "a\\20<time>\\20b 17953526431 10");
        assert_eq!(
            shown("Sun Nov 22 13:00:36 2026 (Sun\\20Nov\\20\\202\\2013:00:36\\202026)"),
            "<local time> (<local time>)"
        );
        assert_eq!(shown("Sunday, Mon Dec"), "Sunday, Mon Dec");
        assert_eq!(shown("1795352643 g s 1795352640 3 600 down"), "<time> g s <time> <short> 600 down");
        assert_eq!(shown("220 reset PID 123@host"), "220 reset PID <process>");
    }

    #[test]
    fn counters_of_a_status_line_are_not_compared() {
        let place = Place::new();
        let shown = |line: &str| reply_line(line, &place).replace("\n    ", " ");
        let line = "group=g opstatus=0 timer=3590 last_check=1795352643 interval=3600 failure_duration=2";
        let same =
            "group=g opstatus=0 timer=<interval> last_check=<time> interval=3600 failure_duration=<short>";
        assert_eq!(shown(line), same);
        assert_eq!(
            shown("group=g opstatus=0 timer=7 interval=3600"),
            "group=g opstatus=0 timer=7 interval=3600"
        );
    }
}
