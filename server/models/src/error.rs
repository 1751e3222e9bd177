//! What can go wrong between us and a provider, with what to do about it.
//! A message must never contain a key: the client removes it from whatever a provider said.

use std::time::Duration;

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
    RateLimited {
        retry_after: Option<Duration>,
        message: String,
    },
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
            429 => Self::RateLimited {
                retry_after,
                message,
            },
            _ => Self::Status { status, message },
        }
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
    if said.is_empty() {
        String::new()
    } else {
        format!(": “{said}”")
    }
}

fn in_words(wait: Duration) -> String {
    match wait.as_secs() + u64::from(wait.subsec_nanos() > 0) {
        0 | 1 => "1 second".to_owned(),
        seconds @ 2..=119 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The message in an error body of any of the four wires, or its first words when it is plain text.
pub(crate) fn said(body: &str) -> String {
    let text = match serde_json::from_str::<serde_json::Value>(body) {
        Ok(value) => message_in(&value).unwrap_or_else(|| body.trim().to_owned()),
        Err(_) if body.trim_start().starts_with('<') => "a web page, not an API".to_owned(),
        Err(_) => body.trim().to_owned(),
    };
    match text.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn message_in(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => items.first().and_then(message_in),
        Value::Object(fields) => ["error", "message", "detail", "msg"]
            .iter()
            .find_map(|name| fields.get(*name).and_then(message_in)),
        _ => None,
    }
}
