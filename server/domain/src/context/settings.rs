//! What a person wants every model to know of them, and where they are. Only with their consent is there a place,
//! and never a more exact one than to about a kilometre.

use super::variables::Variables;
use crate::conversations::Person;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::context::{Location, PromptSettings, Weather};
use sqlx::PgConnection;

/// In bytes.
const LONGEST_INSTRUCTIONS: usize = 20_000;

/// The columns of [`OfPerson`], of a person `u` and their settings `ps`.
macro_rules! of_person {
    () => {
        "coalesce(ps.instructions, '') AS instructions, ps.latitude, ps.longitude, u.display_name, u.place AS lives_in,
         to_char(now() AT TIME ZONE coalesce(nullif(u.time_zone, ''), 'UTC'), 'FMDay, FMDD FMMonth YYYY') AS local_date,
         to_char(now() AT TIME ZONE coalesce(nullif(u.time_zone, ''), 'UTC'), 'HH24:MI') AS local_clock,
         coalesce(nullif(u.time_zone, ''), 'UTC') AS zone"
    };
}
pub(crate) use of_person;

/// What instructions may speak of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct OfPerson {
    pub instructions: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    display_name: String,
    lives_in: String,
    local_date: String,
    local_clock: String,
    zone: String,
}

impl OfPerson {
    /// As prompts say it.
    pub fn person(&self) -> Person {
        Person {
            name: self.display_name.clone(),
            place: self.lives_in.clone(),
            local_time: format!("{}, {} {}", self.local_date, self.local_clock, self.zone),
        }
    }

    pub fn location(&self) -> Option<Location> {
        Some(Location { latitude: self.latitude?, longitude: self.longitude? })
    }

    /// Appends the weather and the person's instructions to what a model is told first.
    pub fn introduce(&self, system: &mut String, weather: Option<&Weather>, document: Option<&str>) {
        if let Some(weather) = weather {
            system.push_str(&format!(" The weather where they are: {}.", weather.details));
        }
        if self.instructions.trim().is_empty() {
            return;
        }
        let variables = Variables {
            name: &self.display_name,
            date: &self.local_date,
            time: &self.local_clock,
            time_zone: &self.zone,
            place: &self.lives_in,
            weather: weather.map_or("", |weather| &weather.line),
            document: document.unwrap_or_default(),
        };
        let instructions = variables.fill(self.instructions.trim());
        system.push_str(&format!(
            "\n\nWhat they want every model to know, in their words:\n\n{instructions}\n\n"
        ));
    }
}

const OF_PERSON: &str = concat!(
    "SELECT ",
    of_person!(),
    " FROM users u LEFT JOIN prompt_settings ps ON ps.user_id = u.id WHERE u.id = app_user_id()"
);

/// Of whoever asks.
pub(super) async fn asker(tx: &mut PgConnection) -> Result<OfPerson> {
    let person: Option<OfPerson> = sqlx::query_as(OF_PERSON).fetch_optional(tx).await?;
    person.ok_or_else(|| Error::not_found("account"))
}

impl Domain {
    pub async fn prompt_settings(&self, caller: &Caller) -> Result<PromptSettings> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let person = asker(&mut tx).await?;
        tx.commit().await?;
        let location = person.location();
        Ok(PromptSettings { instructions: person.instructions, location })
    }

    /// Without a location any that was kept is forgotten.
    pub async fn set_prompt_settings(
        &self,
        caller: &Caller,
        settings: PromptSettings,
    ) -> Result<PromptSettings> {
        let instructions = checked(settings.instructions)?;
        let location = settings.location.map(rounded).transpose()?;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query(
            "INSERT INTO prompt_settings (user_id, instructions, latitude, longitude) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET instructions = $2, latitude = $3, longitude = $4",
        )
        .bind(caller.user_id.0)
        .bind(&instructions)
        .bind(location.map(|location| location.latitude))
        .bind(location.map(|location| location.longitude))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(PromptSettings { instructions, location })
    }

    /// The weather where the person is; none where they do not say, or where it cannot be had.
    pub async fn weather(&self, caller: &Caller) -> Result<Option<Weather>> {
        let location = self.prompt_settings(caller).await?.location;
        Ok(match (location, &self.inner.weather) {
            (Some(Location { latitude, longitude }), Some(weather)) => {
                weather.now(latitude, longitude).await.map(shown)
            }
            _ => None,
        })
    }

    /// What is known already: an answer does not wait for the weather.
    pub(super) fn weather_at_hand(&self, location: Option<Location>) -> Option<Weather> {
        let Location { latitude, longitude } = location?;
        self.inner.weather.as_ref()?.at_hand(latitude, longitude).map(shown)
    }
}

fn shown(conditions: weather::Conditions) -> Weather {
    Weather { line: conditions.line(), details: conditions.details(), at: conditions.at }
}

pub(super) fn checked(instructions: String) -> Result<String> {
    let instructions = without_nul(instructions);
    if instructions.len() > LONGEST_INSTRUCTIONS {
        return Err(Error::invalid(
            "instructions",
            "Instructions have at most 20 KB: every answer reads them.",
        ));
    }
    Ok(instructions)
}

fn rounded(location: Location) -> Result<Location> {
    let Location { latitude, longitude } = location;
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return Err(Error::invalid(
            "location",
            "A latitude is between -90 and 90, a longitude between -180 and 180.",
        ));
    }
    let round = |degrees: f64| (degrees * 100.0).round() / 100.0;
    Ok(Location { latitude: round(latitude), longitude: round(longitude) })
}
