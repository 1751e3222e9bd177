//! The weather at a place: a provider behind a trait, and what it said last, kept for half an hour. It must never
//! hold up whoever asks for what is at hand, tell a provider a place more exactly than to two decimals, or log one.

mod conditions;
mod kept;
mod open_meteo;

pub use conditions::Conditions;
pub use kept::Weather;
pub use open_meteo::OpenMeteo;

use async_trait::async_trait;

/// Why there is no weather.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the weather service's address is no URL: {0}")]
    Address(String),
    #[error("the weather service cannot be reached: {0}")]
    Unreachable(String),
    #[error("the weather service answered {0}")]
    Refused(u16),
    #[error("the weather service's answer was not understood: {0}")]
    Malformed(String),
}

/// Who knows the weather.
#[async_trait]
pub trait Provider: Send + Sync {
    /// In degrees, rounded to two decimals.
    async fn ask(&self, latitude: f64, longitude: f64) -> Result<Conditions, Error>;
}
