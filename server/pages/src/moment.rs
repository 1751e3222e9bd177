//! The many ways in which pages write a moment, as one.

use time::format_description::well_known::{Iso8601, Rfc2822, Rfc3339};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime};

/// A page may be dated this far ahead: clocks and time zones differ.
const AHEAD: Duration = Duration::days(2);

/// The moment in RFC 3339. A day alone is its midnight in UTC, a time without a zone is one in UTC.
pub(crate) fn rfc3339(text: &str, now: OffsetDateTime) -> Option<String> {
    let moment = read(text.trim())?;
    let believable = moment.year() >= 1980 && moment <= now + AHEAD;
    believable.then(|| moment.format(&Rfc3339).ok()).flatten()
}

fn read(text: &str) -> Option<OffsetDateTime> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(moment);
    }
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc2822) {
        return Some(moment);
    }
    let text = with_colon(&text.replacen(' ', "T", 1).replace(' ', ""));
    if let Ok(moment) = OffsetDateTime::parse(&text, &Iso8601::PARSING) {
        return Some(moment);
    }
    if let Ok(moment) = PrimitiveDateTime::parse(&text, &Iso8601::PARSING) {
        return Some(moment.assume_utc());
    }
    let day = Date::parse(&text, &Iso8601::PARSING).ok()?;
    Some(day.midnight().assume_utc())
}

/// `+0200` as `+02:00`: many write the date one way and the zone the other.
fn with_colon(text: &str) -> String {
    let zone = text.rfind(['+', '-']).filter(|at| text.contains('T') && text.len() - at == 5);
    match zone {
        Some(at) if text[at + 1..].bytes().all(|c| c.is_ascii_digit()) => {
            format!("{}:{}", &text[..at + 3], &text[at + 3..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn moments_are_read_as_pages_write_them() {
        let now = datetime!(2026-06-01 12:00 UTC);
        for (given, expected) in [
            ("2026-05-01T10:00:00Z", Some("2026-05-01T10:00:00Z")),
            ("2026-05-01T10:00:00.123+02:00", Some("2026-05-01T10:00:00.123+02:00")),
            ("2026-05-01T10:00:00+0200", Some("2026-05-01T10:00:00+02:00")),
            ("2026-05-01 10:00:00 +0200", Some("2026-05-01T10:00:00+02:00")),
            ("2026-05-01T10:00", Some("2026-05-01T10:00:00Z")),
            ("2026-05-01 10:00:00", Some("2026-05-01T10:00:00Z")),
            ("2026-05-01", Some("2026-05-01T00:00:00Z")),
            ("20260501", Some("2026-05-01T00:00:00Z")),
            ("Fri, 01 May 2026 10:00:00 GMT", Some("2026-05-01T10:00:00Z")),
            ("2027-05-01", None),
            ("1066-10-14", None),
            ("yesterday", None),
            ("", None),
            ("+", None),
            ("2026-05-01T10:00:00+é2", None),
        ] {
            assert_eq!(rfc3339(given, now).as_deref(), expected, "{given}");
        }
    }
}
