//! What browsers report of themselves by `sendBeacon`. Nothing personal.

use serde::{Deserialize, Serialize};

/// One measurement of <https://web.dev/vitals/>.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WebVital {
    pub name: WebVitalName,
    /// Milliseconds; for `cls` a ratio.
    pub value: f64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebVitalName {
    Ttfb,
    Fcp,
    Lcp,
    Cls,
    Inp,
}

/// How one answer felt in the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChatTiming {
    /// From sending to the first visible word.
    pub first_token_ms: f64,
    /// From sending to the end.
    pub total_ms: f64,
    /// How often the stream had to be resumed.
    pub resumes: u32,
}

/// An error that was not handled in the browser; passed on to Sentry when it is configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BrowserError {
    pub message: String,
    #[serde(default)]
    pub stack: String,
}
