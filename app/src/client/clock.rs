//! The time, told the same way by the server and the browser: the server's clock starts the page,
//! the browser's takes over after hydration.

use leptos::prelude::*;
use time::{OffsetDateTime, UtcOffset};

/// Now, and how far local time is from UTC. Given as context.
#[derive(Clone, Copy)]
pub struct Clock {
    pub now: RwSignal<OffsetDateTime>,
    pub offset: RwSignal<UtcOffset>,
}

pub fn use_clock() -> Clock {
    expect_context::<Clock>()
}

impl Clock {
    pub fn provide(now: OffsetDateTime, offset: UtcOffset) -> Self {
        let clock = Self { now: RwSignal::new(now), offset: RwSignal::new(offset) };
        provide_context(clock);
        #[cfg(feature = "hydrate")]
        browser::run(clock);
        clock
    }
}

/// An offset from minutes; UTC when they make no sense.
pub fn offset_of_minutes(minutes: i32) -> UtcOffset {
    UtcOffset::from_whole_seconds(minutes.saturating_mul(60)).unwrap_or(UtcOffset::UTC)
}

/// An offset as minutes, for the page.
pub mod offset_minutes {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::UtcOffset;

    pub fn serialize<S: Serializer>(offset: &UtcOffset, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(offset.whole_seconds() / 60)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcOffset, D::Error> {
        i32::deserialize(deserializer).map(super::offset_of_minutes)
    }
}

/// When something was, as short as it can be said: `now`, `5 min`, `3 h`, `Tue`, `12 Mar`, `12 Mar 2025`.
pub fn short(at: OffsetDateTime, now: OffsetDateTime, offset: UtcOffset) -> String {
    let minutes = (now - at).whole_minutes();
    let (at, now) = (at.to_offset(offset), now.to_offset(offset));
    match minutes {
        ..1 => "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 if at.date() == now.date() => format!("{} h", minutes / 60),
        _ if (now.date() - at.date()).whole_days() < 7 => weekday(at).to_owned(),
        _ if at.year() == now.year() => format!("{} {}", at.day(), month(at)),
        _ => format!("{} {} {}", at.day(), month(at), at.year()),
    }
}

/// Day and time in full: `12 Mar 2026, 14:05`.
pub fn long(at: OffsetDateTime, offset: UtcOffset) -> String {
    let at = at.to_offset(offset);
    format!("{} {} {}, {:02}:{:02}", at.day(), month(at), at.year(), at.hour(), at.minute())
}

/// The heading under which a list shows something of that day.
pub fn day_heading(at: OffsetDateTime, now: OffsetDateTime, offset: UtcOffset) -> String {
    let (at, now) = (at.to_offset(offset), now.to_offset(offset));
    match (now.date() - at.date()).whole_days() {
        ..=0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        2..=6 => "Last 7 days".to_owned(),
        7..=29 => "Last 30 days".to_owned(),
        _ if at.year() == now.year() => at.month().to_string(),
        _ => format!("{} {}", at.month(), at.year()),
    }
}

/// For `<time datetime>`.
pub fn machine(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, clock) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    )
}

fn weekday(at: OffsetDateTime) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][usize::from(at.weekday().number_days_from_monday())]
}

fn month(at: OffsetDateTime) -> &'static str {
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [usize::from(u8::from(at.month())) - 1]
}

/// The browser's clock. Never called before hydration.
#[cfg(feature = "hydrate")]
pub fn browser_now() -> OffsetDateTime {
    let milliseconds = js_sys::Date::now() as i128;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Clock, browser_now, offset_of_minutes};
    use leptos::prelude::*;
    use std::time::Duration;

    pub fn run(clock: Clock) {
        Effect::new(move |_| {
            let minutes = -(js_sys::Date::new_0().get_timezone_offset() as i32);
            crate::client::document::set_cookie("tz", &minutes.to_string());
            let offset = offset_of_minutes(minutes);
            if clock.offset.get_untracked() != offset {
                clock.offset.set(offset);
            }
            let ticking =
                set_interval_with_handle(move || clock.now.set(browser_now()), Duration::from_secs(30));
            if let Err(cause) = ticking {
                leptos::logging::warn!("times on the page stand still: {cause:?}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{datetime, offset};

    const NOW: OffsetDateTime = datetime!(2026-03-12 14:05 UTC);

    #[test]
    fn a_moment_is_said_as_short_as_it_can_be() {
        let cases = [
            (datetime!(2026-03-12 14:04:30 UTC), "now"),
            (datetime!(2026-03-12 14:06 UTC), "now"),
            (datetime!(2026-03-12 13:50 UTC), "15 min"),
            (datetime!(2026-03-12 09:05 UTC), "5 h"),
            (datetime!(2026-03-11 23:05 UTC), "Wed"),
            (datetime!(2026-02-02 09:05 UTC), "2 Feb"),
            (datetime!(2025-02-02 09:05 UTC), "2 Feb 2025"),
        ];
        for (at, said) in cases {
            assert_eq!(short(at, NOW, UtcOffset::UTC), said, "{at}");
        }
    }

    #[test]
    fn days_begin_at_local_midnight() {
        let at = datetime!(2026-03-11 23:30 UTC);
        assert_eq!(day_heading(at, NOW, UtcOffset::UTC), "Yesterday");
        assert_eq!(day_heading(at, NOW, offset!(+1)), "Today");
        assert_eq!(day_heading(datetime!(2025-12-01 10:00 UTC), NOW, UtcOffset::UTC), "December 2025");
    }

    #[test]
    fn machines_read_utc() {
        assert_eq!(machine(datetime!(2026-03-12 15:05:09 +1)), "2026-03-12T14:05:09Z");
        assert_eq!(long(NOW, offset!(+1)), "12 Mar 2026, 15:05");
    }
}
