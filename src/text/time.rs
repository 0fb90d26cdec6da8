use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339 in UTC, with seconds.
pub fn timestamp(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `2026-03-12 16:00 UTC`
pub fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
