//! The envelope of every JSON answer under `/api/v1`.
//!
//! `{"success":true,"data":…}` or
//! `{"success":false,"error":"for a person","error_code":"FOR_A_PROGRAM","details":{…},"request_id":"…"}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A successful answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Envelope<T> {
    /// Always `true`; a failure is a [`Problem`].
    pub success: bool,
    pub data: T,
}

impl<T> Envelope<T> {
    pub fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// A refusal or a failure, for a person (`error`) and for a program (`error_code`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `false`.
    pub success: bool,
    /// What happened and what to do, in a sentence for a person.
    pub error: String,
    pub error_code: ErrorCode,
    /// What a program needs beyond the code: the field at fault, a limit, a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// The id under which the server logged this request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

impl Problem {
    pub fn new(error_code: ErrorCode, error: impl Into<String>) -> Self {
        Self { success: false, error: error.into(), error_code, details: None, request_id: String::new() }
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Problem {}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal),+ $(,)?) => {
        /// Every code that a program may meet, with its HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum ErrorCode { $($(#[$doc])* $name),+ }

        impl ErrorCode {
            /// The HTTP status that goes with this code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

codes! {
    /// A value in the request is wrong; `details.field` names it.
    InvalidInput = 400,
    /// The body is not JSON of the documented shape.
    InvalidJson = 400,
    /// The `Host` header names a host that this server does not answer for.
    HostNotAllowed = 421,
    /// Not signed in, or the session or key has ended.
    Unauthenticated = 401,
    /// Wrong address or password; which of them is not told.
    WrongCredentials = 401,
    /// The `X-CSRF-Token` header is missing or is not this session's.
    CsrfFailed = 403,
    /// The `Origin` header names another site.
    OriginNotAllowed = 403,
    /// You may see this, not do it.
    Forbidden = 403,
    /// The day's requests are used up; `details` has the limit and when it begins anew, `Retry-After` the seconds.
    QuotaExceeded = 403,
    /// The first account exists already.
    SetupDone = 409,
    /// The set-up code printed by the server is missing or wrong.
    SetupCodeRequired = 403,
    /// No such thing, or none that you may see.
    NotFound = 404,
    MethodNotAllowed = 405,
    /// The thing changed or exists already.
    Conflict = 409,
    /// This `user_message_id` was used with other content.
    MessageIdReused = 409,
    /// It changed since the state that `If-Match` names; `details.seq` is the state now.
    PreconditionFailed = 412,
    PayloadTooLarge = 413,
    UnsupportedMediaType = 415,
    /// Too many tries; wait for `Retry-After` seconds.
    RateLimited = 429,
    /// The model provider refused or failed; nothing was stored.
    ProviderFailed = 502,
    /// The database is away; nothing was changed, try again after `Retry-After` seconds.
    DatabaseUnavailable = 503,
    /// The store of files is away; nothing was changed, try again after `Retry-After` seconds.
    StorageUnavailable = 503,
    /// The store of files is full; nothing was kept.
    StorageFull = 507,
    /// The server is stopping; try again after `Retry-After` seconds.
    ShuttingDown = 503,
    /// The request took too long and was given up.
    Timeout = 504,
    /// A fault of ours; it is logged under `request_id`.
    Internal = 500,
    /// The browser could not reach the server. Never sent by a server.
    Offline = 599,
}
