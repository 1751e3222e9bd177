//! Open-Meteo's forecast service, or another that speaks its wire.

use crate::conditions::Day;
use crate::{Conditions, Error, Provider};
use async_trait::async_trait;
use reqwest::{Certificate, Client, ClientBuilder, Url, redirect::Policy};
use serde::Deserialize;
use std::time::Duration;
use time::OffsetDateTime;

const PATIENCE: Duration = Duration::from_secs(4);
const LONGEST_ANSWER_BYTES: usize = 256 << 10;
const CURRENT: &str =
    "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,wind_speed_10m";
const DAILY: &str = "temperature_2m_min,temperature_2m_max,precipitation_probability_max";

pub struct OpenMeteo {
    http: Client,
    forecast: Url,
}

impl OpenMeteo {
    /// `base` is what stands before `/v1/forecast`.
    pub fn new(base: &str) -> Result<Self, Error> {
        let address = |cause: String| Error::Address(cause);
        let mut forecast =
            Url::parse(base.trim_end_matches('/')).map_err(|error| address(error.to_string()))?;
        let is_web = matches!(forecast.scheme(), "http" | "https");
        match forecast.path_segments_mut() {
            Ok(mut path) if is_web => path.pop_if_empty().extend(["v1", "forecast"]),
            _ => return Err(address("it begins with http:// or https://".into())),
        };
        let http = builder()
            .build()
            // A machine without certificates of its own: those that Mozilla trusts.
            .or_else(|_| builder().tls_certs_only(bundled_certificates()).build())
            .map_err(|error| Error::Unreachable(error.without_url().to_string()))?;
        Ok(Self { http, forecast })
    }
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE)
}

fn bundled_certificates() -> Vec<Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

#[async_trait]
impl Provider for OpenMeteo {
    async fn ask(&self, latitude: f64, longitude: f64) -> Result<Conditions, Error> {
        let mut url = self.forecast.clone();
        url.query_pairs_mut()
            .append_pair("latitude", &format!("{latitude:.2}"))
            .append_pair("longitude", &format!("{longitude:.2}"))
            .append_pair("current", CURRENT)
            .append_pair("daily", DAILY)
            .append_pair("timezone", "auto")
            .append_pair("forecast_days", "2");
        // an address holds the place: it is in no error
        let unreachable = |error: reqwest::Error| Error::Unreachable(error.without_url().to_string());
        let mut response = self.http.get(url).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(Error::Refused(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(more) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&more);
            if body.len() > LONGEST_ANSWER_BYTES {
                return Err(Error::Malformed("it is too long".into()));
            }
        }
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| Error::Malformed(format!("column {}", error.column())))?;
        Ok(answer.conditions())
    }
}

#[derive(Deserialize)]
struct Answer {
    current: Current,
    #[serde(default)]
    daily: Daily,
}

#[derive(Deserialize)]
struct Current {
    temperature_2m: f64,
    apparent_temperature: Option<f64>,
    relative_humidity_2m: Option<f64>,
    precipitation: Option<f64>,
    weather_code: u8,
    wind_speed_10m: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Daily {
    temperature_2m_min: Vec<Option<f64>>,
    temperature_2m_max: Vec<Option<f64>>,
    precipitation_probability_max: Vec<Option<f64>>,
}

impl Answer {
    fn conditions(self) -> Conditions {
        let Self { current, daily } = self;
        let days = daily.temperature_2m_min.iter().zip(&daily.temperature_2m_max).enumerate();
        let days = days.map_while(|(at, (lowest, highest))| {
            let chance_of_rain = daily.precipitation_probability_max.get(at).copied().flatten();
            Some(Day { lowest: (*lowest)?, highest: (*highest)?, chance_of_rain })
        });
        Conditions {
            at: OffsetDateTime::now_utc(),
            temperature: current.temperature_2m,
            feels_like: current.apparent_temperature,
            code: current.weather_code,
            wind: current.wind_speed_10m,
            humidity: current.relative_humidity_2m,
            precipitation: current.precipitation,
            days: days.collect(),
        }
    }
}
