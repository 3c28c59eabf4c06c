//! Periods: is this civil time inside, and when does that change?
//!
//! `wd {Mon-Fri} hr {9am-5pm}, wd {Sat}`: sub-periods separated by commas, one of which must hold; in each of
//! them all scales must hold. The answers are those of Perl's Time::Period 1.25, which reads the text anew
//! each time, from left to right, and stops at the first sub-period that holds. So a mistake counts only
//! when it is reached. But *within* a sub-period everything is looked at and nothing depends on the time:
//! a sub-period is either wrong for ever or never. What is left to keep, read once, is a list of sound
//! sub-periods and whether a broken one follows them; what stands behind that one is never reached.

mod compare;
mod parse;
mod sub_period;

use std::ops::Range;

use crate::nouns::{Civil, Wall};
pub use compare::Overlap;
use sub_period::{SubPeriod, Unit};

/// A period specification: `wd {Mon-Fri} hr {9am-5pm}, wd {Sat}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    text: Box<str>,
    /// The sub-periods before the first broken one, in order.
    sound: Box<[SubPeriod]>,
    /// In the order of the text. If there are any, a broken sub-period follows the sound ones.
    problems: Box<[Problem]>,
}

/// What a period says of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The moment is inside.
    Yes,
    /// The moment is outside.
    No,
    /// The original finds an error before it finds an answer.
    Invalid,
}

/// Whether a period ever gives an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// There is no mistake in it.
    Always,
    /// There is a mistake, but an earlier sub-period holds at some times, and then it is not reached.
    Sometimes,
    /// Every evaluation comes across a mistake.
    Never,
}

/// One mistake in a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte range in the specification's text.
    pub span: Range<usize>,
    /// What is wrong and what is allowed, in the operator's terms.
    pub message: String,
}

impl Period {
    /// Reads a specification. Never fails: what is wrong shows in [`Period::problems`], and in
    /// [`Period::evaluate`] where the original would come across it.
    #[must_use]
    pub fn parse(text: &str) -> Period {
        let reading = parse::read(text);
        Period { text: text.into(), sound: reading.sound.into(), problems: reading.problems.into() }
    }

    /// The specification as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `at` is inside, exactly as Time::Period decides it.
    #[must_use]
    pub fn evaluate(&self, at: &Civil) -> Answer {
        match self.contains(at) {
            true => Answer::Yes,
            false if self.is_broken() => Answer::Invalid,
            false => Answer::No,
        }
    }

    /// Whether `at` is inside; an invalid period contains nothing.
    #[must_use]
    pub fn contains(&self, at: &Civil) -> bool {
        self.sound.iter().any(|sub| sub.contains(at))
    }

    /// Whether evaluation can succeed at all. The original checks a mon.cf against the time at which it
    /// happens to read it; this asks for all times.
    #[must_use]
    pub fn verdict(&self) -> Validity {
        match self.is_broken() {
            false => Validity::Always,
            true if self.sound.iter().any(SubPeriod::is_possible) => Validity::Sometimes,
            true => Validity::Never,
        }
    }

    /// The mistakes, in the order of the text; also those that are never reached.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn is_broken(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The first second after `wall` at which [`Period::contains`] gives another answer than at `wall`, if it
    /// is at most `limit_secs` later.
    ///
    /// Goes by whole days, hours or minutes where the answer cannot change within one. `civil_at` is asked at
    /// both ends of such a stretch: where a clock was changed in between, the stretch is taken in smaller steps.
    #[must_use]
    pub fn next_change(&self, wall: Wall, civil_at: impl Fn(Wall) -> Civil, limit_secs: i64) -> Option<Wall> {
        let end = wall.saturating_add(limit_secs);
        let (mut at, mut civil) = (wall, civil_at(wall));
        let inside = self.contains(&civil);
        loop {
            let same_for = self.same_for(at, &civil, &civil_at);
            at = at.checked_add(same_for).filter(|next| *next <= end)?;
            civil = civil_at(at);
            if self.contains(&civil) != inside {
                return Some(at);
            }
        }
    }

    /// For how many seconds from `at` on the answer surely stays the same; at least one.
    fn same_for(&self, at: Wall, civil: &Civil, civil_at: impl Fn(Wall) -> Civil) -> i64 {
        [Unit::Day, Unit::Hour, Unit::Minute]
            .into_iter()
            .filter(|unit| self.is_settled(civil, *unit))
            .map(|unit| unit.seconds_left(civil))
            .find(|left| {
                let last_second = left - 1;
                at.checked_add(last_second)
                    .is_some_and(|last| ticks_evenly(civil, &civil_at(last), last_second))
            })
            .unwrap_or(1)
    }

    /// Whether the answer is the same all through the day, hour or minute around `at`.
    fn is_settled(&self, at: &Civil, unit: Unit) -> bool {
        let mut possible = false;
        let mut covered = 0;
        for sub in &self.sound {
            if let Some(sure) = sub.surely_within(at, unit) {
                possible = true;
                covered |= sure;
            }
        }
        !possible || covered & unit.parts() == unit.parts()
    }
}

/// Whether the wall clock went from `first` to `last`, on one day, in exactly `seconds`.
fn ticks_evenly(first: &Civil, last: &Civil, seconds: i64) -> bool {
    let of_day = |c: &Civil| i64::from(c.hour) * 3600 + i64::from(c.minute) * 60 + i64::from(c.second);
    (first.year, first.yday) == (last.year, last.yday) && of_day(last) - of_day(first) == seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answer::{Invalid, No, Yes};
    use proptest::prelude::*;

    /// Sun Nov 22 11:59:59 2026, the 326th day of the year, in the fourth week of November.
    const SUNDAY_NOON: Wall = 1_795_348_799;
    const DAY: i64 = 86_400;

    fn check(cases: &[(&str, Answer)]) {
        for (spec, expect) in cases {
            assert_eq!(Period::parse(spec).evaluate(&Civil::utc(SUNDAY_NOON)), *expect, "{spec}");
        }
    }

    #[test]
    fn scales_and_ranges() {
        check(&[
            ("", Yes),
            ("  ", Yes),
            ("none", No),
            (" NONE ", No),
            ("wd {Sun}", Yes),
            ("wd{1}", Yes),
            ("wday {Mon-Fri}", No),
            ("wd {Fri-Mon}", Yes),
            ("wd {Mon Wed sunday}", Yes),
            ("hr {9am-5pm}", Yes),
            ("hr {11am}", Yes),
            ("hr {12am-10am}", No),
            ("hr {10pm-11}", Yes),
            ("hr {12pm 12noon}", No),
            ("HOUR { 9AM - 5PM }", Yes),
            ("min {59} sec {59}", Yes),
            ("min {59} sec {0-58}", No),
            ("mo {Nov}", Yes),
            ("mo {december-february}", No),
            ("mo {Sep-Feb}", Yes),
            ("wk {4}", Yes),
            ("wk {3 5}", No),
            ("yd {326}", Yes),
            ("yd {300-10}", Yes),
            ("md {22}", Yes),
            ("md {23-21}", No),
            ("yr {2026}", Yes),
            ("yr {26}", Yes),
            ("yr {30-20}", Yes),
            ("yr {1999-2025}", No),
        ]);
    }

    #[test]
    fn sub_periods_and_scales_given_twice() {
        check(&[
            ("wd {Mon}, wd {Sun}", Yes),
            ("wd {Mon}, wd {Tue}", No),
            ("wd {Mon} wd {Sun}", Yes),
            ("wd {Sun} hr {5}", No),
            ("wd {}", No),
            ("wd {} wd {Sun}", Yes),
            ("wd {Sun},", Yes),
            (",", No),
        ]);
    }

    #[test]
    fn mistakes_count_only_when_they_are_reached() {
        check(&[
            ("wd {Sun}, xx {3}", Yes),
            ("wd {Mon}, xx {3}", Invalid),
            ("wd {Mon}, xx {3}, wd {Sun}", Invalid),
            ("wd {Mon} hr {99}", Invalid),
            ("wd {Sun}, none", Yes),
            (", wd {Sun}", Invalid),
            ("wd {Mon}, , wd {Sun}", Invalid),
            ("never", Invalid),
            ("wd", Invalid),
            ("{}", Invalid),
            ("wd {Sun", Invalid),
            ("wd Sun}", Invalid),
            ("wd {{Sun}}", Invalid),
            ("wd {Sun} x", Invalid),
            ("hr {8,9}", Invalid),
        ]);
    }

    #[test]
    fn quirks_of_the_original() {
        check(&[
            ("wd {sunblah}", Yes),
            ("wd {su?}", Yes),
            ("wd {s}", Invalid),
            ("wd {sun-x - mon}", Invalid),
            ("wd {sun-x-mon}", Yes),
            ("wd {1-2-3}", Invalid),
            ("mo {novice}", Yes),
            ("mo {no}", Invalid),
            ("wd {1 - 1 - 1}", Invalid),
            ("hr {11am}", Yes),
            ("hr {13am}", No),
            ("hr {13pm}", Invalid),
            ("hr {0pm}", No),
            ("hr {11noon}", Invalid),
            ("hr {0011}", Yes),
            ("yd {326x}", Yes),
            ("yd {+326}", Yes),
            ("yd {3.26e2}", Yes),
            ("yd {326x-326}", Invalid),
            ("yd {1.5}", Invalid),
            ("yr {100}", Invalid),
            ("yr {1969}", Invalid),
            ("wd {0}", Invalid),
            ("wd {8}", Invalid),
            ("wd {-1}", Invalid),
            ("wd {1-}", Invalid),
            ("wd {sün}", Invalid),
            ("wd {\u{b}1}", Yes),
            ("wd {\u{a0}1}", Invalid),
            ("wd {2\n1}", No),
        ]);
    }

    #[test]
    fn weeks_begin_on_sunday_but_the_first_is_never_cut_off() {
        // 2026 begins on a Thursday, February 2026 on a Sunday.
        for (day_of_2026, week) in [(1, 1), (3, 1), (4, 2), (31, 5), (32, 1), (38, 1), (39, 2), (59, 4)] {
            let at = Civil::utc(1_767_225_600 + (day_of_2026 - 1) * DAY);
            for other in 1..=6 {
                assert_eq!(Period::parse(&format!("wk {{{other}}}")).contains(&at), other == week, "{at}");
            }
        }
    }

    #[test]
    fn two_digit_years_belong_to_the_century_of_the_moment() {
        let period = Period::parse("yr {99-1}");
        for (year, inside) in
            [(1999, true), (2000, false), (2001, true), (2050, true), (2098, true), (2100, false)]
        {
            let at = Civil { year, ..Civil::utc(0) };
            assert_eq!(period.contains(&at), inside, "{year}");
        }
    }

    #[test]
    fn a_leap_second_is_beyond_all_but_wrapped_ranges() {
        let at = Civil { second: 60, ..Civil::utc(0) };
        for (spec, expect) in
            [("sec {0-59}", No), ("sec {50-10}", Yes), ("sec {60}", Invalid), ("min {0}", Yes)]
        {
            assert_eq!(Period::parse(spec).evaluate(&at), expect, "{spec}");
        }
    }

    #[test]
    fn verdicts() {
        use Validity::{Always, Never, Sometimes};
        for (spec, expect) in [
            ("", Always),
            ("none", Always),
            ("wd {}", Always),
            ("md {31} mo {Feb}", Always),
            ("never", Never),
            ("wd {Mon} hr {25}", Never),
            ("wd {Sun-Sat}, xx {3}", Sometimes),
            ("wd {Mon}, xx {3}", Sometimes),
            ("xx {3}, wd {Mon}", Never),
            ("md {31} mo {Feb}, xx {3}", Never),
            ("md {29} mo {Feb} wk {1}, xx {3}", Never),
            ("md {29} mo {Feb} wd {Sun}, xx {3}", Sometimes),
            ("yd {366} yr {2025-2027}, xx {3}", Never),
            ("yd {366} yr {2028}, xx {3}", Sometimes),
            ("hr {}, xx {3}", Never),
        ] {
            assert_eq!(Period::parse(spec).verdict(), expect, "{spec}");
        }
    }

    #[test]
    fn problems_show_the_place_and_the_reason() {
        for (spec, marked, message) in [
            ("wd {Mon-Xyz}", "Xyz", "`Xyz` is not a day of the week (Sun to Sat or 1 (Sunday) to 7)"),
            ("hr {9am - 25 }", "25", "`25` is not an hour (0 to 23, 12am to 11pm or 12noon)"),
            ("Weekday {1}", "Weekday", "`Weekday` is not a scale: yr, mo, wk, yd, md, wd, hr, min or sec"),
            ("wd {1-}", "1-", "`1-` lacks a value beside its dash"),
            (" never ", "never", "`never` is not a scale with ranges: to say never, write `none`"),
            ("wd {1}, None", "None", "`None` is not a scale with ranges: it must stand alone"),
            (
                "Mon-Fri",
                "Mon-Fri",
                "`Mon-Fri` is not a scale with ranges: a scale is followed by its ranges in braces, as in `wd {Mon-Fri}`",
            ),
            (
                "wd {1} {2}",
                "{",
                "no scale before this brace: a scale is followed by its ranges in braces, as in `wd {Mon-Fri}`",
            ),
            (
                "hr {8",
                "{",
                "this `{` is never closed (a comma begins a new sub-period, ranges are separated by blanks)",
            ),
            ("wd {1}}", "}", "this `}` has no `{`"),
            ("wd {{1}}", "{", "a `{` inside of braces"),
            ("wd {1} , , wd {2}", ",", "nothing stands before this comma"),
        ] {
            let period = Period::parse(spec);
            let problem = period.problems().first().unwrap_or_else(|| panic!("{spec} is wrong"));
            assert_eq!((&spec[problem.span.clone()], problem.message.as_str()), (marked, message), "{spec}");
        }
        let spec = "wd {x} hr {y}, zz {1}";
        let marked: Vec<_> = Period::parse(spec).problems().iter().map(|p| &spec[p.span.clone()]).collect();
        assert_eq!(marked, ["x", "y", "zz"]);
    }

    /// Clocks go forward one hour on day 2 at 02:00, and back on day 4 from 00:01 to 23:01 of the day before.
    fn shifty(wall: Wall) -> Civil {
        let summer = (2 * DAY + 2 * 3600..4 * DAY + 60 - 3600).contains(&wall);
        Civil::utc(wall + if summer { 3600 } else { 0 })
    }

    fn brute_force(period: &Period, wall: Wall, limit: i64) -> Option<Wall> {
        let inside = period.contains(&shifty(wall));
        (wall + 1..=wall + limit).find(|at| period.contains(&shifty(*at)) != inside)
    }

    #[test]
    fn changes() {
        let seen = |wall: Option<Wall>| wall.map(|wall| shifty(wall).to_string()).unwrap_or_default();
        for (spec, from, limit, expect) in [
            ("hr {9-17}", 0, DAY, "Thu Jan  1 09:00:00 1970"),
            ("hr {9-17}", 9 * 3600, DAY, "Thu Jan  1 18:00:00 1970"),
            ("hr {9-17}", 0, 9 * 3600, "Thu Jan  1 09:00:00 1970"),
            ("hr {9-17}", 0, 9 * 3600 - 1, ""),
            ("hr {2}", 2 * DAY, 2 * DAY, "Sun Jan  4 02:00:00 1970"),
            ("wd {Mon}", 3 * DAY, DAY, "Mon Jan  5 00:00:00 1970"),
            ("wd {Mon}", 4 * DAY - 3600, DAY, "Sun Jan  4 23:01:00 1970"),
            ("sec {30}", 0, DAY, "Thu Jan  1 00:00:30 1970"),
            ("yr {2000}", 0, 40 * 366 * DAY, "Sat Jan  1 00:00:00 2000"),
            ("yd {366}", 0, 4 * 366 * DAY, "Sun Dec 31 00:00:00 1972"),
            ("", 0, 40 * 366 * DAY, ""),
            ("none", 0, i64::from(u32::MAX), ""),
            ("min {0-29}, min {30-59}", 0, 366 * DAY, ""),
            ("sec {}", 0, 40 * 366 * DAY, ""),
            ("wd {Fri}, xx {1}", 0, DAY, "Fri Jan  2 00:00:00 1970"),
        ] {
            let found = Period::parse(spec).next_change(from, shifty, limit);
            assert_eq!(seen(found), expect, "{spec} from {from}");
        }
        assert_eq!(Period::parse("wd {Mon}").next_change(0, shifty, -5), None);
    }

    fn a_civil() -> impl Strategy<Value = Civil> {
        (any::<(i32, u8, u8, u8)>(), any::<(u8, u8, u8, u16)>()).prop_map(
            |((year, month, mday, hour), (minute, second, wday, yday))| Civil {
                year,
                month,
                mday,
                hour,
                minute,
                second,
                wday,
                yday,
            },
        )
    }

    fn a_sub_period() -> impl Strategy<Value = String> {
        let scale = prop_oneof![
            (0..24, 0..24).prop_map(|(a, b)| format!("hr {{{a}-{b}}}")),
            (1..8, 1..8).prop_map(|(a, b)| format!("wd {{{a} {b}}}")),
            (1..8, 1..8).prop_map(|(a, b)| format!("md {{{a}-{b}}}")),
            (0..60, 0..60).prop_map(|(a, b)| format!("min {{{a}-{b}}}")),
            (0..60, 0..60).prop_map(|(a, b)| format!("sec {{{a}-{b}}}")),
        ];
        prop::collection::vec(scale, 1..4).prop_map(|scales| scales.join(" "))
    }

    proptest! {
        #[test]
        fn any_text_at_any_time_is_answered(text: String, at in a_civil()) {
            let period = Period::parse(&text);
            let _ = (period.evaluate(&at), period.verdict());
            prop_assert_eq!(period.text(), &text);
        }

        #[test]
        fn texts_that_look_like_periods_are_answered(
            text in "([a-z]{2}|hr|wd|yd|yr|md|mo)? ?[{},]{1,2}[ 0-9a-z.,+é-]{0,8}[{},]{1,2}.{0,6}",
            at in a_civil(),
        ) {
            let period = Period::parse(&text);
            let invalid = period.evaluate(&at) == Invalid;
            prop_assert!(!invalid || !period.problems().is_empty());
            prop_assert!(!invalid || period.verdict() != Validity::Always);
            for problem in period.problems() {
                prop_assert!(text.get(problem.span.clone()).is_some_and(|marked| !marked.is_empty()));
            }
        }

        #[test]
        fn next_change_agrees_with_brute_force(
            subs in prop::collection::vec(a_sub_period(), 1..4),
            from in prop_oneof![0..5 * DAY, 2 * DAY..2 * DAY + 7200, 4 * DAY - 7200..4 * DAY + 7200],
            limit in 1..10_000i64,
        ) {
            let period = Period::parse(&subs.join(", "));
            prop_assert_eq!(period.next_change(from, shifty, limit), brute_force(&period, from, limit));
        }
    }
}
