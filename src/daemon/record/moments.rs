//! Times and run times in a few bytes each: as they stand in a column of the record.
//!
//! Each is two numbers, seven bits a byte, the lowest first: the seconds since the one before it, `2n` for n of them
//! and `2n - 1` for n to the past; and one more than the milliseconds that the run took, 0 where nobody knows.

use std::time::Duration;

use remon_core::nouns::Wall;

/// When, and how long the run took that had ended then.
pub(super) type Moment = (Wall, Option<Duration>);

/// Adds one to those that are there; `before` is the time of the last of them.
pub(super) fn push(bytes: &mut Vec<u8>, before: Wall, (at, took): Moment) {
    let since = at.wrapping_sub(before);
    push_number(bytes, ((since << 1) ^ (since >> 63)).cast_unsigned());
    let took =
        took.map_or(0, |took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX - 1).saturating_add(1));
    push_number(bytes, took);
}

/// All of them; `before` is the time that the first counts from. What is no such list ends where it goes wrong.
pub(super) fn read(mut bytes: &[u8], mut before: Wall) -> Vec<Moment> {
    let mut moments = Vec::new();
    while let (Some(since), Some(took)) = (number(&mut bytes), number(&mut bytes)) {
        before = before.wrapping_add((since >> 1).cast_signed() ^ -(since & 1).cast_signed());
        moments.push((before, took.checked_sub(1).map(Duration::from_millis)));
    }
    moments
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read() {
        let millis = |millis| Some(Duration::from_millis(millis));
        let moments = [
            (1_795_350_000, None),
            (1_795_350_060, millis(0)),
            // The clock was set back, and everything that could be.
            (1_795_350_001, millis(127)),
            (0, millis(128)),
            (Wall::MAX, Some(Duration::MAX)),
            (Wall::MIN, millis(86_400_000)),
        ];
        for start in [0, 1_795_350_000, Wall::MIN, Wall::MAX] {
            let (mut bytes, mut before) = (Vec::new(), start);
            for moment in moments {
                push(&mut bytes, before, moment);
                before = moment.0;
            }
            let told = read(&bytes, start);
            assert_eq!(told.len(), moments.len());
            for (told, moment) in told.iter().zip(moments) {
                let took = if moment.1 == Some(Duration::MAX) { millis(u64::MAX - 1) } else { moment.1 };
                assert_eq!(*told, (moment.0, took));
            }
            // Whatever is cut off, what is left is right.
            for end in 0..bytes.len() {
                let part = read(&bytes[..end], start);
                assert_eq!(part, told[..part.len()]);
            }
        }
    }

    #[test]
    fn a_minute_and_a_second_take_three_bytes_and_rubbish_is_no_trouble() {
        let mut bytes = Vec::new();
        push(&mut bytes, 100, (160, Some(Duration::from_millis(1234))));
        assert_eq!(bytes.len(), 3);
        push(&mut bytes, 160, (220, Some(Duration::from_millis(12))));
        assert_eq!(bytes.len(), 3 + 2);
        assert_eq!(read(&[0xff; 40], 0), []);
        for seed in 0..=255_u8 {
            let rubbish: Vec<u8> = (0..100_u8).map(|n| n.wrapping_mul(seed) ^ seed).collect();
            assert!(read(&rubbish, 0).len() <= rubbish.len() / 2);
        }
    }
}
