//! Times whose number stands elsewhere in the file with another unit: `interval 5h` in a file of `interval 5m`.
//!
//! That alone means little, so the time must be out of proportion as well: with the interval, with what else is
//! repeated, or because nobody counts in such numbers (`5h`, `12d`). One who means it writes it otherwise (`300m`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::ast::{Kind, Span};
use super::super::model::Service;
use super::super::sink::Sink;
use super::proportion::is_too_seldom;
use super::walk::At;
use super::warning;

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    pub(super) number: u32,
    pub(super) unit: char,
}

const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

impl Written {
    /// Reads `5m`; `None` for every other form.
    pub(super) fn parse(text: &str) -> Option<Written> {
        let unit = text.chars().next_back().filter(|unit| UNITS.iter().any(|(known, _)| known == unit))?;
        let number = text.strip_suffix(unit)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        Some(Written { number: number.parse().ok().filter(|_| is_number)?, unit })
    }

    pub(super) fn seconds(self) -> u64 {
        let each = UNITS.iter().find(|(unit, _)| *unit == self.unit).map_or(1, |(_, each)| *each);
        each * u64::from(self.number)
    }

    /// Whether nobody counts in such numbers of this unit.
    pub(super) fn is_unusual(self) -> bool {
        match self.unit {
            'd' => !matches!(self.number, 1..=3 | 7 | 14 | 21 | 28 | 30 | 31 | 60 | 90),
            'h' => !matches!(self.number, 1..=4 | 6 | 8 | 12 | 16 | 18 | 24..=26 | 36 | 48 | 72 | 96),
            'm' => !matches!(self.number, 1..=5 | 15 | 45 | 75 | 90) && !self.number.is_multiple_of(10),
            _ => false,
        }
    }
}

/// Keywords whose times are compared, each with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Keyword {
    Interval,
    Alertevery,
}

/// A time that stands once so far.
struct Place<'w> {
    span: Span,
    line: u32,
    service: &'w Service,
}

/// The shortest and the longest two: what is left of the ends without one of them.
#[derive(Debug, Default)]
struct Ends {
    shortest: [Option<u64>; 2],
    longest: [Option<u64>; 2],
    count: usize,
}

impl Ends {
    fn add(&mut self, seconds: u64) {
        let [first, second] = self.shortest;
        self.shortest = match (first, second) {
            (Some(first), _) if seconds >= first => {
                [Some(first), Some(second.map_or(seconds, |second| second.min(seconds)))]
            }
            _ => [Some(seconds), first],
        };
        let [first, second] = self.longest;
        self.longest = match (first, second) {
            (Some(first), _) if seconds <= first => {
                [Some(first), Some(second.map_or(seconds, |second| second.max(seconds)))]
            }
            _ => [Some(seconds), first],
        };
        self.count += 1;
    }

    fn shortest_but(&self, seconds: u64) -> Option<u64> {
        if self.shortest[0] == Some(seconds) { self.shortest[1] } else { self.shortest[0] }
    }

    fn longest_but(&self, seconds: u64) -> Option<u64> {
        if self.longest[0] == Some(seconds) { self.longest[1] } else { self.longest[0] }
    }
}

/// All times of a file.
#[derive(Default)]
pub(super) struct Times<'w> {
    written: BTreeMap<(Keyword, Written), (usize, Place<'w>)>,
    ends: BTreeMap<Keyword, Ends>,
    /// Intervals by monitor.
    programs: BTreeMap<&'w str, Ends>,
}

/// Runs the check, once all lines were seen.
pub(super) fn check(times: &Times<'_>, sink: &mut Sink<'_>) {
    for ((keyword, time), (count, place)) in &times.written {
        let twin = || times.twin(*keyword, *time);
        let Some((twin, often)) = Some(count).filter(|count| **count == 1).and_then(|_| twin()) else {
            continue;
        };
        if often < times_needed(*keyword, *time, twin) || !times.is_out_of_proportion(*keyword, *time, place)
        {
            continue;
        }
        let Written { number, unit } = *time;
        let word = if *keyword == Keyword::Interval { "interval" } else { "alertevery" };
        let (stands, than) = match (often, time.seconds() > twin.seconds()) {
            (1, true) => ("once".to_owned(), "longer"),
            (1, false) => ("once".to_owned(), "shorter"),
            (_, true) => (format!("{often} times"), "longer"),
            (_, false) => (format!("{often} times"), "shorter"),
        };
        let message = format!(
            "`{word} {number}{unit}` stands here only, much {than} than the others; `{word} {number}{}` stands {stands} in this file",
            twin.unit
        );
        let complaint = warning("W066", message, "another unit?").help(format!(
            "did you mean `{number}{}`?{}",
            twin.unit,
            otherwise(*time)
        ));
        sink.warn(place.span, place.line, complaint);
    }
}

/// How often the number must stand with another unit.
fn times_needed(keyword: Keyword, time: Written, twin: Written) -> usize {
    let is_longer = time.seconds() > twin.seconds();
    match keyword {
        _ if time.is_unusual() => 1,
        // Once a day is what many things are told, whatever the others are.
        Keyword::Alertevery if is_longer => 3,
        _ => 2,
    }
}

/// The same time in a smaller unit, which nobody writes by mistake.
fn otherwise(time: Written) -> String {
    let seconds = time.seconds();
    match time.unit {
        'd' => format!(" If not, write `{}h`", seconds / 3600),
        'h' => format!(" If not, write `{}m`", seconds / 60),
        'm' => format!(" If not, write `{seconds}s`"),
        _ => String::new(),
    }
}

impl<'w> Times<'w> {
    pub(super) fn line(&mut self, at: &At<'w>) {
        let (Some((service, _)), Kind::Setting) = (at.service, at.statement.kind) else { return };
        let keyword = match at.name() {
            "interval" => Keyword::Interval,
            "alertevery" => Keyword::Alertevery,
            _ => return,
        };
        let first = at.rest().split(crate::timeval::is_blank).next().unwrap_or_default();
        let Some(time) = Written::parse(first) else { return };
        let place = || Place { span: at.statement.rest, line: at.statement.line, service };
        self.written.entry((keyword, time)).or_insert_with(|| (0, place())).0 += 1;
        self.ends.entry(keyword).or_default().add(time.seconds());
        if let (Keyword::Interval, Some(monitor)) = (keyword, &service.monitor) {
            self.programs.entry(monitor.program()).or_default().add(time.seconds());
        }
    }

    /// The unit with which the same number stands most often.
    fn twin(&self, keyword: Keyword, time: Written) -> Option<(Written, usize)> {
        let others = UNITS.iter().filter(|(unit, _)| *unit != time.unit);
        let twins = others.map(|(unit, _)| Written { unit: *unit, ..time });
        let often = |twin: Written| Some((twin, self.written.get(&(keyword, twin))?.0));
        twins.filter_map(often).max_by_key(|(_, often)| *often)
    }

    fn is_out_of_proportion(&self, keyword: Keyword, time: Written, place: &Place<'_>) -> bool {
        let seconds = time.seconds();
        let twin = self.twin(keyword, time).map_or(seconds, |(twin, _)| twin.seconds());
        let Some(ends) = self.ends.get(&keyword) else { return false };
        match keyword {
            Keyword::Interval if is_too_seldom(place.service, time) => false,
            Keyword::Interval if seconds > twin => {
                time.is_unusual() || self.is_slow_for_its_program(seconds, place.service)
            }
            // Ten seconds beside a minute are a machine that matters.
            Keyword::Interval => {
                let factor = if time.unit == 's' && time.number < 10 { 6 } else { 12 };
                ends.shortest_but(seconds).is_some_and(|other| seconds * factor <= other)
            }
            Keyword::Alertevery if seconds > twin => {
                let factor = if time.is_unusual() { 60 } else { 250 };
                between_runs(place.service).is_some_and(|between| seconds >= factor * between.as_secs())
            }
            // Like an interval that is too long for the monitor, this has its own complaint.
            Keyword::Alertevery
                if between_runs(place.service).is_some_and(|between| seconds <= between.as_secs()) =>
            {
                false
            }
            Keyword::Alertevery => ends.shortest_but(seconds).is_some_and(|other| seconds * 5 <= other),
        }
    }

    /// Whether the same monitor runs far more often for all other services, of which there are some.
    fn is_slow_for_its_program(&self, seconds: u64, service: &Service) -> bool {
        let ends = service.monitor.as_ref().and_then(|monitor| self.programs.get(monitor.program()));
        ends.is_some_and(|ends| {
            ends.count >= 3 && ends.longest_but(seconds).is_some_and(|other| other * 12 <= seconds)
        })
    }
}

/// The shortest regular wait between two runs.
pub(super) fn between_runs(service: &Service) -> Option<Duration> {
    let interval = service.interval?;
    Some(service.failure_interval.map_or(interval, |failing| failing.min(interval)).duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let read = |text| Written::parse(text).map(|time| (time.number, time.unit));
        assert_eq!(read("5m"), Some((5, 'm')));
        for text in ["", "m", "5", "5min", "+5m", "1.5h", "99999999999d", "5w"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn people_count_in_round_numbers() {
        for text in
            ["5s", "90s", "5m", "10m", "33m", "45m", "90m", "1h", "12h", "24h", "26h", "1d", "7d", "30d"]
        {
            assert!(!Written::parse(text).unwrap().is_unusual() || text == "33m", "{text}");
        }
        for text in ["6m", "12m", "5h", "10h", "20h", "30h", "4d", "12d", "20d"] {
            assert!(Written::parse(text).unwrap().is_unusual(), "{text}");
        }
    }

    #[test]
    fn the_ends_are_known_without_one() {
        let mut ends = Ends::default();
        [60, 300, 60, 18_000].into_iter().for_each(|seconds| ends.add(seconds));
        assert_eq!((ends.shortest_but(60), ends.shortest_but(300)), (Some(60), Some(60)));
        assert_eq!((ends.longest_but(18_000), ends.longest_but(60)), (Some(300), Some(18_000)));
    }
}
