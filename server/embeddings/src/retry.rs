//! When a request that failed is worth another try, and how long to wait before. It sends nothing.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::{EmbeddingError, Purpose};

/// How patient a request is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) tries: u32,
    pub(crate) first_wait: Duration,
    /// Whoever asks for a longer wait is told to the caller instead.
    pub(crate) longest_wait: Duration,
}

impl Patience {
    pub(crate) fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Passage => Self {
                tries: 5,
                first_wait: Duration::from_millis(500),
                longest_wait: Duration::from_secs(60),
            },
            // A person waits, and has the search by words meanwhile.
            Purpose::Query => Self {
                tries: 2,
                first_wait: Duration::from_millis(250),
                longest_wait: Duration::from_secs(2),
            },
        }
    }

    /// How long to wait after the failure of try number `tried` (from 1); none when it is the last.
    pub(crate) fn wait_after(&self, tried: u32, error: &EmbeddingError) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let asked = match error {
            EmbeddingError::RateLimited { retry_after, .. } => *retry_after,
            EmbeddingError::Status { status: 500..=599, .. } | EmbeddingError::Unreachable(_) => None,
            _ => return None,
        };
        let wait = asked.unwrap_or_else(|| self.first_wait.saturating_mul(1 << (tried - 1).min(16)));
        (wait <= self.longest_wait).then_some(wait)
    }
}

/// What a server asks for, in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<Duration>) -> EmbeddingError {
        EmbeddingError::RateLimited { retry_after, message: String::new() }
    }

    #[test]
    fn waits_double_until_the_tries_are_used_up() {
        let patience = Patience::of(Purpose::Passage);
        let waits: Vec<_> = (1..=5).map(|tried| patience.wait_after(tried, &limited(None))).collect();
        let expected = [500, 1000, 2000, 4000].map(|ms| Some(Duration::from_millis(ms)));
        assert_eq!(waits[..4], expected);
        assert_eq!(waits[4], None);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_or_not_waited_at_all() {
        let patience = Patience::of(Purpose::Query);
        let second = Duration::from_secs(1);
        assert_eq!(patience.wait_after(1, &limited(Some(second))), Some(second));
        assert_eq!(patience.wait_after(1, &limited(Some(Duration::from_secs(3)))), None);
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let patience = Patience::of(Purpose::Passage);
        for error in [
            EmbeddingError::Unauthorized(String::new()),
            EmbeddingError::Status { status: 400, message: String::new() },
            EmbeddingError::Malformed(String::new()),
        ] {
            assert_eq!(patience.wait_after(1, &error), None, "{error}");
        }
        let fault = EmbeddingError::Status { status: 503, message: String::new() };
        assert!(patience.wait_after(1, &fault).is_some());
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let read = |value: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers, SystemTime::UNIX_EPOCH)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(read("Thu, 01 Jan 1970 00:01:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }
}
