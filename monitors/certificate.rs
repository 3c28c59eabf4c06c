//! What a certificate says about itself: from when until when it is valid.
//!
//! Who signed it, and for which names it is, is judged in [`crate::tls`] by rustls, which keeps the dates to itself.

use remon_core::nouns::Civil;

const DAY: i64 = 86_400;

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The span of a certificate, in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub until: i64,
}

impl Validity {
    /// Reads the dates from a certificate in DER; `None` if it is none.
    #[must_use]
    pub fn read(certificate: &[u8]) -> Option<Validity> {
        let (body, _) = element(certificate, SEQUENCE)?;
        let (mut rest, _) = element(body, SEQUENCE)?;
        if rest.first() == Some(&VERSION) {
            rest = element(rest, VERSION)?.1;
        }
        // Serial number, signature algorithm, issuer.
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            rest = element(rest, tag)?.1;
        }
        let (dates, _) = element(rest, SEQUENCE)?;
        let (from, dates) = time(dates)?;
        let (until, _) = time(dates)?;
        Some(Validity { from, until })
    }

    /// Whole days from `now` until the end, rounded down: 0 on the last day, negative when it is over.
    #[must_use]
    pub fn days_left(self, now: i64) -> i64 {
        self.until.saturating_sub(now).div_euclid(DAY)
    }

    /// `certificate expires 2027-11-22, 365 days left`, or `certificate expired 2025-02-01, 21 days ago`.
    #[must_use]
    pub fn words(self, now: i64) -> String {
        let date = date(self.until);
        if self.from > now {
            return format!("certificate is not valid before {}", iso(self.from));
        }
        match self.days_left(now) {
            days @ 0.. => format!("certificate expires {date}, {} left", days_in_words(days)),
            _ => format!(
                "certificate expired {date}, {} ago",
                days_in_words(now.saturating_sub(self.until) / DAY)
            ),
        }
    }
}

fn days_in_words(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// `2027-11-22`.
#[must_use]
pub fn date(at: i64) -> String {
    let civil = Civil::utc(at);
    format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.mday)
}

/// `2027-11-22T10:00:00Z`.
#[must_use]
pub fn iso(at: i64) -> String {
    let civil = Civil::utc(at);
    format!("{}T{:02}:{:02}:{:02}Z", date(at), civil.hour, civil.minute, civil.second)
}

/// The content of the element that `bytes` begin with, which must have this tag, and what comes after it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        // Longer contents: so many bytes of length. No certificate needs more than four.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length).filter(|_| first == tag)
}

/// `YYMMDDHHMMSSZ`, where years from 50 on are of the last century, or `YYYYMMDDHHMMSSZ`.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest, century) = match bytes.first()? {
        &UTC_TIME => element(bytes, UTC_TIME).map(|(digits, rest)| (digits, rest, None))?,
        _ => element(bytes, GENERALIZED_TIME)
            .map(|(digits, rest)| (&digits[2.min(digits.len())..], rest, digits.get(..2)))?,
    };
    let digits = digits.strip_suffix(b"Z").filter(|digits| digits.len() == 12)?;
    let pairs = digits.chunks(2).map(number).collect::<Option<Vec<i64>>>()?;
    let &[year, month, day, hour, minute, second] = pairs.as_slice() else { return None };
    let century = match century {
        Some(digits) => number(digits)?,
        None if year >= 50 => 19,
        None => 20,
    };
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    let in_range = in_range && hour < 24 && minute < 60 && second <= 60;
    let at = days_since_epoch(century * 100 + year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    in_range.then_some((at, rest))
}

fn number(digits: &[u8]) -> Option<i64> {
    let digit = |number: Option<i64>, digit: &u8| {
        Some(number? * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?))
    };
    digits.iter().fold(Some(0), digit)
}

/// Days are counted from 1 March, so that a leap day is the last day of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        let tag = if text.len() == 13 { UTC_TIME } else { GENERALIZED_TIME };
        let bytes = [&[tag, text.len() as u8], text.as_bytes()].concat();
        time(&bytes).map(|(at, _)| at)
    }

    #[test]
    fn times() {
        for (text, expect) in [
            ("250201000000Z", Some("2025-02-01T00:00:00Z")),
            ("491231235959Z", Some("2049-12-31T23:59:59Z")),
            ("500101000000Z", Some("1950-01-01T00:00:00Z")),
            ("20500101000000Z", Some("2050-01-01T00:00:00Z")),
            ("20240229120000Z", Some("2024-02-29T12:00:00Z")),
            ("99991231235959Z", Some("9999-12-31T23:59:59Z")),
            ("251301000000Z", None),
            ("2502010000000", None),
            ("25020100000xZ", None),
        ] {
            assert_eq!(seconds(text).map(iso).as_deref(), expect, "{text}");
        }
        assert!((0..200_000).step_by(97).all(|day| {
            let civil = Civil::utc(day * DAY);
            days_since_epoch(i64::from(civil.year), i64::from(civil.month), i64::from(civil.mday)) == day
        }));
    }

    #[test]
    fn dates_are_found_behind_what_comes_first() {
        let dates = b"\x30\x1e\x17\x0d250201000000Z\x17\x0d260201000000Z";
        let mut body = b"\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x00\x30\x00".to_vec();
        body.extend(dates);
        let inner = [&[0x30, 0x81, body.len() as u8], body.as_slice()].concat();
        let whole = [&[0x30, 0x82, 0, inner.len() as u8], inner.as_slice()].concat();
        let validity = Validity::read(&whole).expect("it is complete");
        assert_eq!(
            (iso(validity.from).as_str(), date(validity.until).as_str()),
            ("2025-02-01T00:00:00Z", "2026-02-01")
        );
        for length in 0..whole.len() {
            assert_eq!(Validity::read(&whole[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn days_in_their_words() {
        let validity = Validity { from: 0, until: 100 * DAY };
        for (now, words) in [
            (-1, "certificate is not valid before 1970-01-01T00:00:00Z"),
            (0, "certificate expires 1970-04-11, 100 days left"),
            (99 * DAY, "certificate expires 1970-04-11, 1 day left"),
            (100 * DAY, "certificate expires 1970-04-11, 0 days left"),
            (102 * DAY - 1, "certificate expired 1970-04-11, 1 day ago"),
        ] {
            assert_eq!(validity.words(now), words);
        }
    }
}
