//! The weather in words. Pure.

use time::OffsetDateTime;

/// The weather at a place and a time. Temperatures in °C, wind in km/h, precipitation in mm.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    pub at: OffsetDateTime,
    pub temperature: f64,
    pub feels_like: Option<f64>,
    /// As the World Meteorological Organization numbers weather (table 4677).
    pub code: u8,
    pub wind: Option<f64>,
    /// In hundredths.
    pub humidity: Option<f64>,
    pub precipitation: Option<f64>,
    /// Lowest and highest of today, then of tomorrow.
    pub days: Vec<Day>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    pub lowest: f64,
    pub highest: f64,
    /// In hundredths.
    pub chance_of_rain: Option<f64>,
}

impl Conditions {
    /// `14 °C, light rain`
    pub fn line(&self) -> String {
        format!("{:.0} °C, {}", whole(self.temperature), sky(self.code))
    }

    /// All of it, in one sentence.
    pub fn details(&self) -> String {
        let mut said = vec![self.line()];
        if let Some(felt) = self.feels_like.filter(|felt| (felt - self.temperature).abs() >= 2.0) {
            said.push(format!("feels like {:.0} °C", whole(felt)));
        }
        said.extend(self.wind.map(|wind| format!("wind {wind:.0} km/h")));
        said.extend(self.humidity.map(|humidity| format!("humidity {humidity:.0} %")));
        said.extend(
            self.precipitation.filter(|mm| *mm > 0.0).map(|mm| format!("{mm:.1} mm of precipitation")),
        );
        let names = ["today", "tomorrow"];
        said.extend(names.into_iter().zip(&self.days).map(|(name, day)| {
            let rain = day.chance_of_rain.map(|chance| format!(", rain {chance:.0} %")).unwrap_or_default();
            format!("{name} {:.0} to {:.0} °C{rain}", whole(day.lowest), whole(day.highest))
        }));
        said.join("; ")
    }
}

/// Rounded, and never `-0`.
fn whole(number: f64) -> f64 {
    number.round() + 0.0
}

fn sky(code: u8) -> &'static str {
    match code {
        0 => "clear",
        1 => "mostly clear",
        2 => "partly cloudy",
        3 => "overcast",
        45 | 48 => "fog",
        51 | 53 | 55 => "drizzle",
        56 | 57 => "freezing drizzle",
        61 => "light rain",
        63 => "rain",
        65 => "heavy rain",
        66 | 67 => "freezing rain",
        71 => "light snow",
        73 => "snow",
        75 => "heavy snow",
        77 => "snow grains",
        80 | 81 => "showers",
        82 => "heavy showers",
        85 | 86 => "snow showers",
        95 => "thunderstorm",
        96 | 99 => "thunderstorm with hail",
        _ => "weather unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weather_is_said_in_a_line_and_in_full() {
        let conditions = Conditions {
            at: OffsetDateTime::UNIX_EPOCH,
            temperature: -0.3,
            feels_like: Some(-4.2),
            code: 61,
            wind: Some(12.4),
            humidity: Some(81.0),
            precipitation: Some(0.0),
            days: vec![Day { lowest: -2.0, highest: 3.6, chance_of_rain: Some(70.0) }],
        };
        assert_eq!(conditions.line(), "0 °C, light rain");
        assert_eq!(
            conditions.details(),
            "0 °C, light rain; feels like -4 °C; wind 12 km/h; humidity 81 %; today -2 to 4 °C, rain 70 %"
        );
    }
}
