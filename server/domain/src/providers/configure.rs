//! What admins do with providers. Keys go in sealed and never come out.

use super::registry::Key;
use crate::error::violated_unique;
use crate::notices::Signal;
use crate::secrets::KEY_VERSION;
use crate::{Caller, Domain, Error, Result};
use futures::StreamExt;
use models::{Chunk, Prompt, Turn};
use shared::account::Role;
use shared::provider::{AddProviderKey, CreateProvider, Provider, ProviderKey, ProviderTest, UpdateProvider};
use shared::{ErrorCode, ProviderId, ProviderKeyId};
use sqlx::PgConnection;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use uuid::Uuid;

impl Domain {
    pub async fn providers(&self, caller: &Caller) -> Result<Vec<Provider>> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        read_providers(&mut tx, None).await
    }

    pub async fn create_provider(&self, caller: &Caller, request: CreateProvider) -> Result<Provider> {
        caller.require(Role::Admin)?;
        self.create_provider_at_shell(request).await
    }

    /// Adds a provider for whoever runs the server and so owns its data.
    pub async fn create_provider_at_shell(&self, request: CreateProvider) -> Result<Provider> {
        let name = checked_name(&request.name)?;
        let base_url = request.base_url.unwrap_or_else(|| request.kind.default_base_url().to_owned());
        let base_url = checked_url(&base_url)?;
        let models = checked_models(request.models)?;
        let id = ProviderId::new();
        let mut tx = self.inner.db.as_system().await?;
        sqlx::query(
            "INSERT INTO providers (id, kind, name, base_url, models, is_default)
             VALUES ($1, $2, $3, $4, $5, NOT EXISTS (SELECT FROM providers WHERE is_default))",
        )
        .bind(id.0)
        .bind(request.kind.as_str())
        .bind(&name)
        .bind(&base_url)
        .bind(&models)
        .execute(&mut *tx)
        .await
        .map_err(|e| name_taken(e, &name))?;
        if let Some(key) = request.api_key.filter(|key| !key.trim().is_empty()) {
            self.insert_key(&mut tx, id, key.trim()).await?;
        }
        let provider = one_provider(&mut tx, id).await?;
        self.commit_providers(tx).await?;
        Ok(provider)
    }

    pub async fn update_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
        change: UpdateProvider,
    ) -> Result<Provider> {
        caller.require(Role::Admin)?;
        let name = change.name.as_deref().map(checked_name).transpose()?;
        let base_url = change.base_url.as_deref().map(checked_url).transpose()?;
        let models = change.models.map(checked_models).transpose()?;
        let mut tx = self.inner.db.as_system().await?;
        if change.is_default == Some(true) {
            sqlx::query("UPDATE providers SET is_default = false WHERE is_default AND id <> $1")
                .bind(id.0)
                .execute(&mut *tx)
                .await?;
        }
        let changed = sqlx::query(
            "UPDATE providers SET name = coalesce($2, name), base_url = coalesce($3, base_url),
                    models = coalesce($4, models), is_default = coalesce($5, is_default) WHERE id = $1",
        )
        .bind(id.0)
        .bind(&name)
        .bind(base_url)
        .bind(models)
        .bind(change.is_default)
        .execute(&mut *tx)
        .await
        .map_err(|e| name_taken(e, name.as_deref().unwrap_or_default()))?;
        if changed.rows_affected() == 0 {
            return Err(Error::not_found("provider"));
        }
        let provider = one_provider(&mut tx, id).await?;
        self.commit_providers(tx).await?;
        Ok(provider)
    }

    pub async fn delete_provider(&self, caller: &Caller, id: ProviderId) -> Result<()> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let gone = sqlx::query("DELETE FROM providers WHERE id = $1").bind(id.0).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("provider"));
        }
        self.commit_providers(tx).await
    }

    pub async fn add_provider_key(
        &self,
        caller: &Caller,
        id: ProviderId,
        request: AddProviderKey,
    ) -> Result<Provider> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        one_provider(&mut tx, id).await?;
        self.insert_key(&mut tx, id, request.api_key.trim()).await?;
        let provider = one_provider(&mut tx, id).await?;
        self.commit_providers(tx).await?;
        Ok(provider)
    }

    pub async fn delete_provider_key(
        &self,
        caller: &Caller,
        id: ProviderId,
        key: ProviderKeyId,
    ) -> Result<Provider> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let gone = sqlx::query("DELETE FROM provider_keys WHERE id = $1 AND provider_id = $2")
            .bind(key.0)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("key"));
        }
        let provider = one_provider(&mut tx, id).await?;
        self.commit_providers(tx).await?;
        Ok(provider)
    }

    /// Asks the provider's first model for one word.
    pub async fn test_provider(&self, caller: &Caller, id: ProviderId) -> Result<ProviderTest> {
        caller.require(Role::Admin)?;
        let provider = self.inner.providers.get(id).ok_or_else(|| Error::not_found("provider"))?;
        let Some(model) = provider.models.first() else {
            return Ok(ProviderTest {
                ok: false,
                message: "Choose a model first; then it can be tested.".into(),
                first_token_ms: None,
            });
        };
        let key = provider.keys_in_turn(Instant::now()).first().copied();
        let prompt = Prompt {
            system: String::new(),
            turns: vec![Turn::User("Answer with the one word: hello".into())],
            tools: [].into(),
            max_tokens: 64,
        };
        let started = Instant::now();
        let target = provider.target(key, model);
        let tried = tokio::time::timeout(Duration::from_secs(25), async {
            let mut stream = self.inner.models.stream(&target, &prompt).await?;
            while let Some(chunk) = stream.next().await {
                if matches!(chunk?, Chunk::Text(_) | Chunk::Reasoning(_)) {
                    return Ok(Some(started.elapsed()));
                }
            }
            Ok::<_, models::Error>(None)
        })
        .await;
        Ok(match tried {
            Ok(Ok(Some(first))) => ProviderTest {
                ok: true,
                message: format!("{model} answered."),
                first_token_ms: Some(u64::try_from(first.as_millis()).unwrap_or(u64::MAX)),
            },
            Ok(Ok(None)) => failed(format!("{model} ended without a word.")),
            Ok(Err(error)) => failed(error.for_person()),
            Err(_) => failed(format!("{model} said nothing within 25 seconds.")),
        })
    }

    /// What the provider says it offers.
    pub async fn available_models(&self, caller: &Caller, id: ProviderId) -> Result<Vec<String>> {
        caller.require(Role::Admin)?;
        let provider = self.inner.providers.get(id).ok_or_else(|| Error::not_found("provider"))?;
        let key: Option<&Key> = provider.keys_in_turn(Instant::now()).first().copied();
        let target = provider.target(key, "");
        let listing = self.inner.models.list_models(&target);
        match tokio::time::timeout(Duration::from_secs(25), listing).await {
            Ok(Ok(models)) => Ok(models),
            Ok(Err(error)) => Err(Error::problem(ErrorCode::ProviderFailed, error.for_person())),
            Err(_) => {
                Err(Error::problem(ErrorCode::ProviderFailed, "The provider said nothing within 25 seconds."))
            }
        }
    }

    async fn insert_key(&self, tx: &mut PgConnection, provider: ProviderId, key: &str) -> Result<()> {
        if key.is_empty() || key.len() > 4096 || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Error::invalid(
                "api_key",
                "This does not look like a key: it has spaces or control characters, or none at all.",
            ));
        }
        let id = ProviderKeyId::new();
        sqlx::query(
            "INSERT INTO provider_keys (id, provider_id, sealed, key_version) VALUES ($1, $2, $3, $4)",
        )
        .bind(id.0)
        .bind(provider.0)
        .bind(self.inner.secrets.seal(id.0, key)?)
        .bind(KEY_VERSION)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Commits, tells the other servers, and takes up the change here before the answer goes out.
    async fn commit_providers(&self, mut tx: crate::database::Tx) -> Result<()> {
        Signal::ProvidersChanged.send(&mut tx).await?;
        tx.commit().await?;
        self.reload_providers().await
    }
}

fn failed(message: String) -> ProviderTest {
    ProviderTest { ok: false, message, first_token_ms: None }
}

async fn one_provider(tx: &mut PgConnection, id: ProviderId) -> Result<Provider> {
    read_providers(tx, Some(id)).await?.pop().ok_or_else(|| Error::not_found("provider"))
}

async fn read_providers(tx: &mut PgConnection, only: Option<ProviderId>) -> Result<Vec<Provider>> {
    type ProviderRow = (Uuid, String, String, String, Vec<String>, bool);
    type KeyRow = (Uuid, Uuid, Option<OffsetDateTime>, Option<String>);
    let rows: Vec<ProviderRow> = sqlx::query_as(
        "SELECT id, kind, name, base_url, models, is_default FROM providers
         WHERE $1::uuid IS NULL OR id = $1 ORDER BY is_default DESC, created_at, id",
    )
    .bind(only.map(|id| id.0))
    .fetch_all(&mut *tx)
    .await?;
    let keys: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, provider_id, CASE WHEN resting_until > now() THEN resting_until END, last_error
         FROM provider_keys ORDER BY created_at, id",
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|(id, kind, name, base_url, models, is_default)| {
            Ok(Provider {
                id: ProviderId(id),
                kind: kind.parse().map_err(|e: String| Error::internal(anyhow::anyhow!(e)))?,
                name,
                base_url,
                models,
                is_default,
                keys: keys
                    .iter()
                    .filter(|(_, provider, ..)| *provider == id)
                    .map(|(key, _, resting_until, last_error)| ProviderKey {
                        id: ProviderKeyId(*key),
                        api_key_set: true,
                        resting_until: *resting_until,
                        last_error: last_error.clone(),
                    })
                    .collect(),
            })
        })
        .collect()
}

fn name_taken(error: sqlx::Error, name: &str) -> Error {
    match violated_unique(&error) {
        Some("providers_name_unique") => {
            Error::problem(ErrorCode::Conflict, format!("There is a provider named ‘{name}’ already."))
        }
        _ => error.into(),
    }
}

/// A name has no slash: it is the first half of `provider/model`.
fn checked_name(text: &str) -> Result<String> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= 50 && name != "sidebar";
    if fits && !name.chars().any(|c| c == '/' || c.is_control()) {
        return Ok(name.to_owned());
    }
    Err(Error::invalid("name", "A provider's name has 1 to 50 characters, no slash, and is not ‘sidebar’."))
}

fn checked_url(text: &str) -> Result<String> {
    let url = text.trim();
    let has_host = ["http://", "https://"].iter().any(|scheme| {
        url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    });
    if !has_host || url.len() > 500 || url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
    {
        return Err(Error::invalid(
            "base_url",
            "The base URL begins with http:// or https:// and names a host.",
        ));
    }
    Ok(url.to_owned())
}

fn checked_models(models: Vec<String>) -> Result<Vec<String>> {
    let mut checked: Vec<String> = Vec::new();
    for model in models.iter().map(|m| m.trim()).filter(|m| !m.is_empty()) {
        if model.len() > 200 || model.chars().any(char::is_control) {
            return Err(Error::invalid("models", "A model's name has at most 200 characters."));
        }
        if !checked.iter().any(|known| known == model) {
            checked.push(model.to_owned());
        }
    }
    if checked.len() > 200 {
        return Err(Error::invalid("models", "At most 200 models can be offered."));
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_urls_and_models_are_checked() {
        assert_eq!(checked_name(" house ").unwrap(), "house");
        assert!(checked_name("a/b").is_err());
        assert!(checked_name("sidebar").is_err());
        assert!(checked_url("http://127.0.0.1:9/v1/").is_ok());
        assert!(checked_url("ftp://x").is_err());
        assert!(checked_url("https:///x").is_err());
        assert!(checked_url("https://user:pass@host/").is_err());
        assert_eq!(checked_models(vec![" a ".into(), "a".into(), "".into()]).unwrap(), ["a"]);
    }
}
