//! Local time, as the zone of TZ has it.

use jiff::Timestamp;
use remon_alerts::LocalTime;
use remon_core::nouns::{Civil, Wall};

use crate::daemon::zone;

/// The present moment.
pub(crate) fn now() -> Wall {
    Timestamp::now().as_second()
}

/// Local time of a moment; one that no calendar holds counts as the epoch.
pub(crate) fn local(wall: Wall) -> LocalTime {
    let moment = Timestamp::from_second(wall).unwrap_or(Timestamp::UNIX_EPOCH);
    let zone = zone::local();
    let name = zone.to_offset_info(moment).abbreviation().to_owned();
    let time = moment.to_zoned(zone);
    let civil = Civil {
        year: i32::from(time.year()),
        month: time.month().unsigned_abs(),
        mday: time.day().unsigned_abs(),
        hour: time.hour().unsigned_abs(),
        minute: time.minute().unsigned_abs(),
        second: time.second().unsigned_abs(),
        wday: time.weekday().to_sunday_zero_offset().unsigned_abs(),
        yday: time.day_of_year().unsigned_abs(),
    };
    LocalTime { civil, zone: name }
}

/// Local time of a moment, without the name of the zone.
pub(crate) fn civil(wall: Wall) -> Civil {
    local(wall).civil
}

/// `Sun Nov 22 11:27:37 2026`.
pub(crate) fn text(wall: Wall) -> String {
    local(wall).civil.to_string()
}
