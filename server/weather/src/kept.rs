//! What a provider said last, by place, for half an hour. A provider that fails is left alone for a while.

use crate::{Conditions, Provider};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as Turn;

const KEPT_FOR: Duration = Duration::from_secs(30 * 60);
const REST: Duration = Duration::from_secs(5 * 60);
/// Places that are remembered at once.
const MOST_PLACES: usize = 10_000;

/// In hundredths of a degree.
type Place = (i32, i32);

#[derive(Clone)]
struct Said {
    at: Instant,
    /// None: it failed.
    conditions: Option<Conditions>,
}

impl Said {
    fn holds(&self) -> bool {
        self.at.elapsed() < if self.conditions.is_some() { KEPT_FOR } else { REST }
    }
}

/// The weather, as it was known in the last half hour.
pub struct Weather {
    provider: Arc<dyn Provider>,
    said: Mutex<HashMap<Place, Said>>,
    /// One question at a time: those who wait find the answer there.
    asking: Turn<()>,
}

impl Weather {
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, said: Mutex::default(), asking: Turn::default() }
    }

    /// The weather there, asked for when it is not known; none where it cannot be had.
    pub async fn now(&self, latitude: f64, longitude: f64) -> Option<Conditions> {
        let place = place(latitude, longitude);
        if let Some(said) = self.said(place) {
            return said.conditions;
        }
        let _turn = self.asking.lock().await;
        if let Some(said) = self.said(place) {
            return said.conditions;
        }
        let asked = self.provider.ask(f64::from(place.0) / 100.0, f64::from(place.1) / 100.0).await;
        let conditions = asked.inspect_err(|error| tracing::info!(%error, "the weather is not known")).ok();
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_PLACES {
            all.retain(|_, said| said.holds());
        }
        if all.len() < MOST_PLACES {
            all.insert(place, Said { at: Instant::now(), conditions: conditions.clone() });
        }
        conditions
    }

    /// What is known without asking. What is not is asked for meanwhile, for the next time.
    pub fn at_hand(self: &Arc<Self>, latitude: f64, longitude: f64) -> Option<Conditions> {
        if let Some(said) = self.said(place(latitude, longitude)) {
            return said.conditions;
        }
        let weather = self.clone();
        tokio::spawn(async move { weather.now(latitude, longitude).await });
        None
    }

    fn said(&self, place: Place) -> Option<Said> {
        let all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&place).filter(|said| said.holds()).cloned()
    }
}

fn place(latitude: f64, longitude: f64) -> Place {
    let hundredths = |degrees: f64| (degrees * 100.0).round() as i32;
    (hundredths(latitude), hundredths(longitude))
}
