use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// The time that a text in RFC 3339 says. A year that RFC 3339 could not write in UTC is none.
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (0..=9999).contains(&time.year()).then_some(time)
}

/// RFC 3339 in UTC, with seconds.
pub fn timestamp(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2026-03-12 16:00 UTC`
pub fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_that_is_read_can_be_written() {
        for text in ["2026-03-12T08:11:14Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(timestamp(&time(text).unwrap()), text);
        }
        let moved = time("2026-03-12T09:11:14.9+01:00").unwrap();
        assert_eq!(timestamp(&moved), "2026-03-12T08:11:14Z");
        for text in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+00:01", "2026-03-12", ""] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
