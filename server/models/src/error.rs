//! What can go wrong between us and a provider, with what to do about it.
//! A message must never contain a key: the client removes it from whatever a provider said.

use serde_json::Value;
use std::time::{Duration, SystemTime};

/// How much of what a provider said is kept.
const MESSAGE_CHARS: usize = 400;
/// How long a key rests that was refused: until an admin looks, or a quota is paid.
const REFUSED_KEY_REST: Duration = Duration::from_secs(600);
/// How long a key rests when the provider did not say.
const LIMITED_KEY_REST: Duration = Duration::from_secs(30);
/// The longest a provider can make us leave a key alone.
const LONGEST_REST: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The base URL or the key cannot be used as written; nothing was sent.
    #[error("the provider's settings cannot be used: {0}")]
    Settings(String),
    /// 401 or 403.
    #[error("the provider refused the key: {0}")]
    Unauthorized(String),
    /// 429, or the same said inside a stream.
    #[error("the provider limits requests: {message}")]
    RateLimited { retry_after: Option<Duration>, message: String },
    /// No connection, no TLS, or no answer in time.
    #[error("the provider could not be reached: {0}")]
    Unreachable(String),
    /// Any other status that is not a success, or the same said inside a stream.
    #[error("the provider answered {status}: {message}")]
    Status { status: u16, message: String },
    /// The connection ended before the answer did.
    #[error("the connection to the provider broke off: {0}")]
    Interrupted(String),
    /// Nothing arrived for this long.
    #[error("the provider sent nothing for {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// What arrived is not what the provider's protocol says.
    #[error("the provider's answer could not be read: {0}")]
    Malformed(String),
    /// The provider declined to answer this prompt.
    #[error("the provider declined: {0}")]
    Refused(String),
}

impl Error {
    /// The error for an answer whose status is not a success; `body` as the provider sent it.
    pub(crate) fn from_status(status: u16, retry_after: Option<Duration>, body: &str) -> Self {
        let message = said(body);
        match status {
            401 | 403 => Self::Unauthorized(message),
            // Gemini calls a key that it does not know a bad request.
            400 if body.contains("API_KEY_INVALID") => Self::Unauthorized(message),
            // OpenAI calls an account without money one that asks too often.
            429 if body.contains("insufficient_quota") => Self::Status { status: 402, message },
            429 => Self::RateLimited { retry_after: retry_after.or_else(|| retry_delay(body)), message },
            _ => Self::Status { status, message },
        }
    }

    /// The error that came inside a stream, whose status had already been a success.
    pub(crate) fn in_stream(error: &Value) -> Self {
        let number = ["code", "status"].iter().find_map(|name| error.get(*name).and_then(Value::as_u64));
        let word =
            ["type", "code", "status"].iter().filter_map(|name| error.get(*name).and_then(Value::as_str));
        let status =
            number.and_then(|n| u16::try_from(n).ok()).or_else(|| word.into_iter().find_map(status_of));
        Self::from_status(status.unwrap_or(500), None, &error.to_string())
    }

    /// For JSON that is not what the wire says. Where it went wrong, not what it said: that may be
    /// a person's text.
    pub(crate) fn not_the_wire(error: &serde_json::Error) -> Self {
        let what = if error.is_data() { "JSON of another shape" } else { "broken JSON" };
        Self::Malformed(format!("it holds {what} (column {})", error.column()))
    }

    /// How long to leave the key alone that was used, when the failure was the key's and another
    /// one might do better.
    pub fn key_should_rest(&self) -> Option<Duration> {
        match self {
            Self::Unauthorized(_) => Some(REFUSED_KEY_REST),
            // 402: this account has nothing left.
            Self::Status { status: 402, .. } => Some(REFUSED_KEY_REST),
            Self::RateLimited { retry_after, .. } => {
                Some(retry_after.unwrap_or(LIMITED_KEY_REST).min(LONGEST_REST))
            }
            _ => None,
        }
    }

    /// Whether the same request may do better later, without anybody changing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unreachable(_)
            | Self::Interrupted(_)
            | Self::Stalled(_)
            | Self::Status { status: 408 | 425 | 500.., .. } => true,
            Self::Settings(_)
            | Self::Unauthorized(_)
            | Self::Status { .. }
            | Self::Malformed(_)
            | Self::Refused(_) => false,
        }
    }

    /// What happened and what to do, for the person who waits for the answer.
    pub fn for_person(&self) -> String {
        match self {
            Self::Settings(why) => {
                format!("The model provider’s settings cannot be used: {why}. An admin can correct them in Settings, Providers.")
            }
            Self::Unauthorized(said) => {
                format!("The model provider did not accept the key{}. An admin can replace the key in Settings, Providers.", quoted(said))
            }
            Self::RateLimited { retry_after, message } => {
                let when = match retry_after {
                    Some(wait) => format!("Try again in {}", in_words(*wait)),
                    None => "Try again in a minute".to_owned(),
                };
                format!("The model provider takes no more requests for now{}. {when}, or choose another model.", quoted(message))
            }
            Self::Unreachable(why) => {
                format!("The model provider cannot be reached: {why}. Check that it runs and that its address in Settings, Providers is right, then try again.")
            }
            Self::Status { status, message } => status_for_person(*status, message),
            Self::Interrupted(_) => "The connection to the model provider broke off before the answer was complete. What arrived is kept; continue it or try again.".to_owned(),
            Self::Stalled(limit) => {
                format!("The model provider sent nothing for {}. What arrived is kept; continue it or try again.", in_words(*limit))
            }
            Self::Malformed(what) => {
                format!("The model provider’s answer could not be read: {what}. Try again; if it happens each time, check the provider’s kind and address in Settings, Providers.")
            }
            Self::Refused(why) => {
                format!("The model provider declined to answer{}. Put the question in other words, or choose another model.", quoted(why))
            }
        }
    }

    /// The same error with every occurrence of `key` taken out of what the provider said.
    pub(crate) fn without(mut self, key: &str) -> Self {
        let text = match &mut self {
            Self::Settings(text)
            | Self::Unauthorized(text)
            | Self::RateLimited { message: text, .. }
            | Self::Unreachable(text)
            | Self::Status { message: text, .. }
            | Self::Interrupted(text)
            | Self::Malformed(text)
            | Self::Refused(text) => text,
            Self::Stalled(_) => return self,
        };
        if !key.is_empty() && text.contains(key) {
            *text = text.replace(key, "[key]");
        }
        self
    }
}

fn status_for_person(status: u16, message: &str) -> String {
    let said = quoted(message);
    match status {
        300..=399 => format!(
            "The model provider’s address leads elsewhere{said}. An admin can write the address it leads to in Settings, Providers."
        ),
        402 => format!(
            "The model provider wants to be paid first{said}. An admin can look at the account there, or add another key in Settings, Providers."
        ),
        404 => format!(
            "The model provider does not know this model or this address{said}. Choose another model, or check the address in Settings, Providers."
        ),
        413 => format!(
            "The conversation is too long for this model{said}. Start a new one, or choose a model that reads more."
        ),
        400..=499 => format!(
            "The model provider did not accept the request{said}. Choose another model, or check the provider in Settings, Providers."
        ),
        _ => format!(
            "The model provider has a fault of its own (status {status}){said}. Try again in a moment, or choose another model."
        ),
    }
}

fn quoted(said: &str) -> String {
    let said = said.trim().trim_end_matches('.');
    if said.is_empty() { String::new() } else { format!(": “{said}”") }
}

fn in_words(wait: Duration) -> String {
    match wait.as_secs() + u64::from(wait.subsec_nanos() > 0) {
        0 | 1 => "1 second".to_owned(),
        seconds @ 2..=119 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The status that a provider's word for an error stands for.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "RESOURCE_EXHAUSTED" => 429,
        "authentication_error"
        | "permission_error"
        | "invalid_api_key"
        | "UNAUTHENTICATED"
        | "PERMISSION_DENIED" => 401,
        "billing_error" => 402,
        "invalid_request_error" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => 400,
        "not_found_error" | "model_not_found" | "NOT_FOUND" => 404,
        "request_too_large" | "context_length_exceeded" => 413,
        "overloaded_error" | "UNAVAILABLE" => 503,
        _ => return None,
    })
}

/// The wait that Gemini writes into the body: `{"error":{"details":[{"retryDelay":"34s"}]}}`.
fn retry_delay(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let details = body.get("error").unwrap_or(&body).get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

/// The wait in `retry-after-ms` or `retry-after`, which is a number of seconds or a date.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(wait) = text("retry-after-ms").and_then(|ms| ms.parse().ok()) {
        return Some(Duration::from_millis(wait));
    }
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(after).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The message in an error body of any of the four wires, or its first words when it is plain text.
pub(crate) fn said(body: &str) -> String {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(value) => message_in(&value).unwrap_or_else(|| body.trim().to_owned()),
        Err(_) if body.trim_start().starts_with('<') => "a web page, not an API".to_owned(),
        Err(_) => body.trim().to_owned(),
    };
    match text.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn message_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => items.first().and_then(message_in),
        Value::Object(fields) => ["error", "message", "detail", "msg"]
            .iter()
            .find_map(|name| fields.get(*name).and_then(message_in)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    fn wait(name: &'static str, value: &str) -> Option<Duration> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        let value = HeaderValue::from_str(value).expect("a value");
        retry_after(&HeaderMap::from_iter([(HeaderName::from_static(name), value)]), now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(wait("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "-1"), None);
        let gemini = r#"{"error":{"code":429,"message":"quota","details":[{},{"retryDelay":"34s"}]}}"#;
        assert_eq!(
            Error::from_status(429, None, gemini),
            Error::RateLimited { retry_after: Some(Duration::from_secs(34)), message: "quota".into() }
        );
    }

    #[test]
    fn what_a_provider_said_is_found_in_every_shape_and_kept_short() {
        for body in [
            r#"{"error":{"message":"no"}}"#,
            r#"{"error":"no"}"#,
            r#"[{"error":{"code":400,"message":"no"}}]"#,
            r#"{"detail":[{"loc":["body"],"msg":"no"}]}"#,
            "  no\n",
        ] {
            assert_eq!(said(body), "no", "{body}");
        }
        assert_eq!(said("<!doctype html><h1>Bad gateway</h1>"), "a web page, not an API");
        assert_eq!(said(&"ž".repeat(5000)).chars().count(), MESSAGE_CHARS + 1);
    }

    #[test]
    fn errors_inside_a_stream_mean_the_same_as_statuses() {
        let limited = Error::in_stream(&json!({"type": "rate_limit_error", "message": "slow down"}));
        assert!(matches!(limited, Error::RateLimited { .. }), "{limited:?}");
        let busy = Error::in_stream(&json!({"type": "overloaded_error", "message": "Overloaded"}));
        assert_eq!(busy, Error::Status { status: 503, message: "Overloaded".into() });
        let number = Error::in_stream(&json!({"code": 502, "message": "bad gateway"}));
        assert_eq!(number, Error::Status { status: 502, message: "bad gateway".into() });
        let bare = Error::in_stream(&json!("model crashed"));
        assert_eq!(bare, Error::Status { status: 500, message: "model crashed".into() });
        let empty = Error::in_stream(&json!({"code": "insufficient_quota", "message": "pay"}));
        assert_eq!(empty, Error::Status { status: 402, message: "pay".into() });
    }

    #[test]
    fn only_failures_of_the_key_make_it_rest() {
        let limited = |retry_after| Error::RateLimited { retry_after, message: String::new() };
        assert_eq!(limited(Some(Duration::from_secs(7))).key_should_rest(), Some(Duration::from_secs(7)));
        assert_eq!(limited(None).key_should_rest(), Some(LIMITED_KEY_REST));
        assert_eq!(limited(Some(Duration::from_secs(1 << 40))).key_should_rest(), Some(LONGEST_REST));
        assert_eq!(Error::Unauthorized(String::new()).key_should_rest(), Some(REFUSED_KEY_REST));
        for error in [
            Error::Unreachable(String::new()),
            Error::Status { status: 500, message: String::new() },
            Error::Stalled(Duration::from_secs(60)),
        ] {
            assert_eq!(error.key_should_rest(), None, "{error}");
        }
    }

    #[test]
    fn a_key_that_a_provider_repeats_is_taken_out() {
        let error = Error::Unauthorized("Incorrect API key provided: sk-secret.".into()).without("sk-secret");
        assert!(!format!("{error} {error:?} {}", error.for_person()).contains("sk-secret"));
        assert_eq!(
            error.for_person(),
            "The model provider did not accept the key: “Incorrect API key provided: [key]”. \
             An admin can replace the key in Settings, Providers."
        );
    }
}
