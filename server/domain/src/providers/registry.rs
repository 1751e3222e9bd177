//! The configured providers, in memory, ready to answer.
//!
//! Keys of a provider take turns. One that fails rests, and is told to the database so that admins
//! see it and a restart does not forget it.

use crate::{Caller, Domain, Error, Result};
use models::Target;
use secrecy::SecretString;
use shared::provider::{BUILT_IN_MODEL, Model, ProviderKind};
use shared::{ErrorCode, ProviderId, ProviderKeyId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use uuid::Uuid;

/// The providers of this server, in the order in which they were made, the default first.
#[derive(Default)]
pub(crate) struct Registry {
    providers: RwLock<Arc<Vec<Arc<Configured>>>>,
}

pub(crate) struct Configured {
    pub id: ProviderId,
    pub kind: ProviderKind,
    pub name: String,
    pub base_url: String,
    pub models: Vec<String>,
    pub keys: Vec<Key>,
    turn: AtomicUsize,
}

pub(crate) struct Key {
    pub id: ProviderKeyId,
    secret: SecretString,
    resting_until: Mutex<Option<Instant>>,
}

impl Key {
    fn rests(&self, now: Instant) -> bool {
        self.resting_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| until > now)
    }

    fn rest(&self, until: Instant) {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

/// Who answers a message.
#[derive(Clone)]
pub(crate) enum Choice {
    BuiltIn,
    Model { provider: Arc<Configured>, model: String },
}

impl Choice {
    /// `provider/model`, as it is stored and shown.
    pub fn id(&self) -> String {
        match self {
            Self::BuiltIn => BUILT_IN_MODEL.to_owned(),
            Self::Model { provider, model } => format!("{}/{model}", provider.name),
        }
    }
}

impl Configured {
    /// The keys to try, those that rest last, beginning with the one whose turn it is.
    pub fn keys_in_turn(&self, now: Instant) -> Vec<&Key> {
        let mut keys: Vec<&Key> = self.keys.iter().collect();
        if !keys.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % keys.len();
            keys.rotate_left(turn);
            keys.sort_by_key(|key| key.rests(now));
        }
        keys
    }

    pub fn target(&self, key: Option<&Key>, model: &str) -> Target {
        Target {
            kind: self.kind,
            base_url: self.base_url.clone(),
            api_key: key.map(|key| key.secret.clone()),
            model: model.to_owned(),
        }
    }
}

impl Registry {
    pub fn all(&self) -> Arc<Vec<Arc<Configured>>> {
        self.providers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn get(&self, id: ProviderId) -> Option<Arc<Configured>> {
        self.all().iter().find(|provider| provider.id == id).cloned()
    }

    /// The model for a name that a person or a conversation gave: `provider/model`, or a model's
    /// name alone where one provider has it; empty means the default.
    pub fn choose(&self, wanted: &str) -> Result<Choice> {
        let providers = self.all();
        let model_of = |provider: &Arc<Configured>, model: &str| Choice::Model {
            provider: provider.clone(),
            model: model.to_owned(),
        };
        if wanted == BUILT_IN_MODEL {
            return Ok(Choice::BuiltIn);
        }
        if wanted.is_empty() {
            let first = providers.iter().find_map(|p| p.models.first().map(|m| model_of(p, m)));
            return Ok(first.unwrap_or(Choice::BuiltIn));
        }
        let by_full_name = wanted
            .split_once('/')
            .and_then(|(name, model)| providers.iter().find(|p| p.name == name).map(|p| model_of(p, model)));
        let by_model =
            || providers.iter().find(|p| p.models.iter().any(|m| m == wanted)).map(|p| model_of(p, wanted));
        by_full_name.or_else(by_model).ok_or_else(|| Error::Problem {
            code: ErrorCode::InvalidInput,
            message: format!("No provider offers the model ‘{wanted}’. Choose another model."),
            details: Some(serde_json::json!({ "field": "model" })),
            retry_after: None,
        })
    }
}

impl Domain {
    /// The models that a person may choose, the default first, the built-in responder last.
    pub async fn models(&self, _caller: &Caller) -> Result<Vec<Model>> {
        let default = self.inner.providers.choose("")?.id();
        let mut offered: Vec<Model> = Vec::new();
        for provider in self.inner.providers.all().iter() {
            for model in &provider.models {
                let id = format!("{}/{model}", provider.name);
                offered.push(Model {
                    is_default: id == default,
                    id,
                    name: model.clone(),
                    provider: provider.name.clone(),
                    is_language_model: true,
                });
            }
        }
        offered.push(Model {
            id: BUILT_IN_MODEL.into(),
            name: "Workspace search".into(),
            provider: "sideBar".into(),
            is_language_model: false,
            is_default: default == BUILT_IN_MODEL,
        });
        Ok(offered)
    }

    /// Leaves a key alone for a while, here and in the eyes of admins.
    pub(crate) async fn rest_key(&self, key: &Key, rest: Duration, reason: &str) {
        key.rest(Instant::now() + rest);
        let stored = async {
            let mut tx = self.inner.db.as_system().await?;
            sqlx::query("UPDATE provider_keys SET resting_until = now() + make_interval(secs => $2), last_error = $3 WHERE id = $1")
                .bind(key.id.0)
                .bind(rest.as_secs_f64())
                .bind(reason)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = stored.await {
            tracing::warn!(key = %key.id, error = &error as &dyn std::error::Error, "a resting key could not be noted");
        }
    }

    pub(crate) async fn reload_providers(&self) -> Result<()> {
        type ProviderRow = (Uuid, String, String, String, Vec<String>);
        type KeyRow = (Uuid, Uuid, Vec<u8>, Option<OffsetDateTime>);
        let mut tx = self.inner.db.as_system().await?;
        let providers: Vec<ProviderRow> = sqlx::query_as(
            "SELECT id, kind, name, base_url, models FROM providers ORDER BY is_default DESC, created_at, id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let keys: Vec<KeyRow> = sqlx::query_as(
            "SELECT id, provider_id, sealed, resting_until FROM provider_keys ORDER BY created_at, id",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let (wall, now) = (OffsetDateTime::now_utc(), Instant::now());
        let mut configured = Vec::new();
        for (id, kind, name, base_url, models) in providers {
            let own =
                keys.iter().filter(|(_, provider, ..)| *provider == id).map(|(key, _, sealed, resting)| {
                    let rest = resting.and_then(|until| Duration::try_from(until - wall).ok());
                    Result::Ok(Key {
                        id: ProviderKeyId(*key),
                        secret: self.inner.secrets.open(*key, sealed)?,
                        resting_until: Mutex::new(rest.map(|rest| now + rest)),
                    })
                });
            configured.push(Arc::new(Configured {
                id: ProviderId(id),
                kind: kind.parse().map_err(|e: String| Error::internal(anyhow::anyhow!(e)))?,
                name,
                base_url,
                models,
                keys: own.collect::<Result<_>>()?,
                turn: AtomicUsize::new(0),
            }));
        }
        *self.inner.providers.providers.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(configured);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let provider = |name: &str, models: &[&str], keys: usize| {
            Arc::new(Configured {
                id: ProviderId::new(),
                kind: ProviderKind::Openai,
                name: name.into(),
                base_url: "http://127.0.0.1/".into(),
                models: models.iter().map(ToString::to_string).collect(),
                keys: (0..keys)
                    .map(|_| Key {
                        id: ProviderKeyId::new(),
                        secret: SecretString::from("k"),
                        resting_until: Mutex::default(),
                    })
                    .collect(),
                turn: AtomicUsize::new(0),
            })
        };
        let registry = Registry::default();
        *registry.providers.write().unwrap() =
            Arc::new(vec![provider("house", &["small", "large"], 3), provider("away", &["meta/llama"], 0)]);
        registry
    }

    #[test]
    fn a_model_is_found_by_full_name_by_its_own_name_and_by_default() {
        let registry = registry();
        assert_eq!(registry.choose("").unwrap().id(), "house/small");
        assert_eq!(registry.choose("large").unwrap().id(), "house/large");
        assert_eq!(registry.choose("away/meta/llama").unwrap().id(), "away/meta/llama");
        assert_eq!(registry.choose("meta/llama").unwrap().id(), "away/meta/llama");
        assert_eq!(registry.choose(BUILT_IN_MODEL).unwrap().id(), BUILT_IN_MODEL);
        assert!(registry.choose("unheard-of").is_err());
        assert_eq!(Registry::default().choose("").unwrap().id(), BUILT_IN_MODEL);
    }

    #[test]
    fn keys_take_turns_and_a_resting_one_comes_last() {
        let provider = registry().all()[0].clone();
        let now = Instant::now();
        let firsts: Vec<_> = (0..3).map(|_| provider.keys_in_turn(now)[0].id).collect();
        assert_eq!(firsts, provider.keys.iter().map(|k| k.id).collect::<Vec<_>>());
        provider.keys[0].rest(now + Duration::from_secs(9));
        for _ in 0..6 {
            assert_eq!(provider.keys_in_turn(now)[2].id, provider.keys[0].id);
        }
    }
}
