//! The lines that say of what kind a simulation is: when it begins, how long it lasts.

use super::line::{Complaint, Word, words};
use super::parse::{Parser, SETTINGS, lines, nothing_after};
use super::time::{self, Moment};
use super::{DEFAULT_FROM, LONGEST};
use crate::nouns::{Civil, Wall};

impl Parser<'_> {
    /// `from` first: the others may be counted from it.
    pub(super) fn read_settings(&mut self, text: &str) {
        let found: Vec<(u32, Vec<Word>)> = lines(text)
            .filter_map(|(number, at, line)| Some((number, words(line, at).ok()?)))
            .filter(|(_, words)| words.first().is_some_and(|word| SETTINGS.contains(&word.bare())))
            .collect();
        let from = found.iter().filter(|(_, words)| words[0].bare() == "from");
        let mut given = None;
        for (number, words) in from {
            match self.absolute(&words[1..], &words[0]) {
                Ok(wall) => given = Some(wall),
                Err(complaint) => self.complain(complaint, *number),
            }
        }
        self.script.from = self.context.from.or(given).unwrap_or_else(|| self.usual_from(text));
        for (number, words) in found.iter().filter(|(_, words)| words[0].bare() != "from") {
            if let Err(complaint) = self.setting(words) {
                self.complain(complaint, *number);
            }
        }
    }

    /// Midnight of the first event that has a date; else the beginning of a year that began on a Monday.
    fn usual_from(&self, text: &str) -> Wall {
        let zone = self.context.zone;
        let dated = lines(text).find_map(|(_, at, line)| {
            let (moment, _) = time::take(&words(line, at).ok()?).ok()?;
            let dated = matches!(moment, Moment::Date { .. } | Moment::Epoch(_));
            dated.then(|| moment.resolve(zone, 0, 0).ok())?
        });
        let (date, time) = dated.map_or(DEFAULT_FROM, |wall| {
            let Civil { year, month, mday, .. } = zone.civil(wall);
            ((year, month, mday), (0, 0, 0))
        });
        // There are zones in which summer time begins at midnight.
        let moments = zone.moments(date, time).unwrap_or_default();
        moments.first().copied().or(dated).unwrap_or_default()
    }

    fn absolute(&self, words: &[Word], keyword: &Word) -> Result<Wall, Complaint> {
        let (moment, used) = time::take(words).map_err(|complaint| placed(complaint, keyword))?;
        nothing_after(&words[used..])?;
        let span = words[0].span.start..words[used - 1].span.end;
        if !matches!(moment, Moment::Date { .. } | Moment::Epoch(_)) {
            let complaint = Complaint::new("S01", span, "a simulation starts at a date and time");
            return Err(complaint.help("for instance `from 2026-11-23 02:00`"));
        }
        moment.resolve(self.context.zone, 0, 0).map_err(|problem| Complaint::new("S01", span, problem))
    }

    fn setting(&mut self, words: &[Word]) -> Result<(), Complaint> {
        let (keyword, arguments) = (&words[0], &words[1..]);
        let first = arguments.first().map_or("", Word::bare);
        let wanted = |what: &str| {
            let span = arguments.first().unwrap_or(keyword).span.clone();
            Complaint::new("S04", span, format!("after `{}` stands {what}", keyword.text))
        };
        let mut used = 1;
        match keyword.bare() {
            "until" => {
                let (moment, words) =
                    time::take(arguments).map_err(|complaint| placed(complaint, keyword))?;
                used = words;
                let (zone, from) = (self.context.zone, self.script.from);
                let until = moment.resolve(zone, from, from).map_err(|problem| wanted(&problem))?;
                let longest = from.saturating_add(LONGEST.as_secs().cast_signed());
                if until <= from || until > longest {
                    return Err(wanted("a time after the start of the simulation, by ten years at most"));
                }
                self.script.until = Some(until);
            }
            "for" => {
                let span = time::span(first).filter(|span| !span.is_zero() && *span <= LONGEST);
                let span = span.ok_or_else(|| wanted("a time with its unit, such as `3d`"))?;
                self.script.until = Some(self.script.from.saturating_add(span.as_secs().cast_signed()));
            }
            "seed" => {
                let seed = first.parse().map_err(|_| wanted("a number"))?;
                self.script.seed = Some(seed);
            }
            "takes" => {
                let span = time::span(first).filter(|span| *span <= LONGEST);
                self.script.takes = Some(span.ok_or_else(|| wanted("a time with its unit, such as `2s`"))?);
            }
            "begin" => {
                self.script.begin = super::verb::begin(arguments)?;
                used = arguments.len();
            }
            "missing" => {
                if arguments.is_empty() {
                    return Err(wanted("the name of a program"));
                }
                self.script.missing.extend(arguments.iter().map(|word| word.text.clone()));
                used = arguments.len();
            }
            // Whoever made the zone has read it.
            _ if arguments.is_empty() => return Err(wanted("the name of a zone, such as `Europe/Berlin`")),
            _ => {}
        }
        nothing_after(&arguments[used..])
    }
}

/// A complaint about words that are not there stands at the keyword that wants them.
fn placed(complaint: Complaint, keyword: &Word) -> Complaint {
    if complaint.span.is_empty() { Complaint { span: keyword.span.clone(), ..complaint } } else { complaint }
}
