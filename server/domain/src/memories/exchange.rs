//! Exchanges with models elsewhere: what was asked and what was answered come by separate calls.

use super::keys::Keyed;
use super::passages::index;
use super::row::{find, tell, web_address};
use super::{quota, save};
use crate::text::{value_without_nul, without_nul};
use crate::{Caller, Domain, Error, Result};
use serde_json::{Value, json};
use shared::memory::{MemoryOutcome, SavePrompt, SaveResponse, SavedExchange};
use shared::{ErrorCode, MemoryId};
use sqlx::PgConnection;
use sqlx::types::Json;

/// In bytes.
const LONGEST_PROMPT: usize = 200_000;
const LONGEST_RESPONSE: usize = 800_000;
const LARGEST_METADATA: usize = 16 << 10;
/// In characters.
const LONGEST_NAME: usize = 200;

struct Prompt {
    text: String,
    provider: String,
    conversation_ref: String,
    metadata: Value,
    url: String,
}

impl Prompt {
    fn checked(request: SavePrompt) -> Result<Self> {
        let text = checked_text("prompt", request.prompt, LONGEST_PROMPT)?;
        let metadata = value_without_nul(request.metadata.unwrap_or_else(|| json!({})));
        if !metadata.is_object() || metadata.to_string().len() > LARGEST_METADATA {
            return Err(Error::invalid("metadata", "Metadata is a JSON object of at most 16 KB."));
        }
        let provider = checked_name("provider", request.provider)?;
        if provider.is_empty() {
            return Err(Error::invalid(
                "provider",
                "Say who was asked: chatgpt, claude, the name of a site.",
            ));
        }
        let url = metadata["url"].as_str().and_then(web_address).unwrap_or_default();
        Ok(Self {
            text,
            provider,
            conversation_ref: checked_name("conversation_ref", request.conversation_ref.unwrap_or_default())?,
            metadata,
            url,
        })
    }
}

fn checked_text(field: &'static str, text: String, longest: usize) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::invalid(field, "There is no text in it."));
    }
    if text.len() > longest {
        return Err(Error::problem(
            ErrorCode::PayloadTooLarge,
            format!("A {field} has at most {} KB here.", longest / 1000),
        ));
    }
    Ok(without_nul(text))
}

fn checked_name(field: &'static str, name: String) -> Result<String> {
    let name = without_nul(name).trim().to_owned();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "At most 200 characters, please, in one line."));
    }
    Ok(name)
}

impl Domain {
    pub async fn save_prompt(
        &self,
        caller: &Caller,
        request: SavePrompt,
        key: Option<String>,
    ) -> Result<SavedExchange> {
        let keyed = Keyed::new(key, "prompt", &request)?;
        let prompt = Prompt::checked(request)?;
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        save::hold(&mut tx, owner).await?;
        if let Some(keyed) = &keyed
            && let Some(before) = keyed.before(&mut tx).await?
        {
            return saved(&mut tx, before.id).await;
        }
        quota::count(&mut tx, owner).await?;
        let id = MemoryId::new();
        sqlx::query(
            "INSERT INTO memories (id, owner_id, kind, content, provider, conversation_ref, metadata, scope,
                                   source_kind, source_url)
             VALUES ($1, $2, 'exchange', $3, $4, $5, $6, 'person', CASE WHEN $7 = '' THEN 'program' ELSE 'page' END, $7)",
        )
        .bind(id.0)
        .bind(owner.0)
        .bind(&prompt.text)
        .bind(&prompt.provider)
        .bind(&prompt.conversation_ref)
        .bind(Json(&prompt.metadata))
        .bind(&prompt.url)
        .execute(&mut *tx)
        .await?;
        index(&mut tx, owner, id, &prompt.text, None).await?;
        if let Some(keyed) = keyed {
            keyed.keep(&mut tx, owner, id, MemoryOutcome::Kept).await?;
        }
        tell(&mut tx, owner).await?;
        let saved = saved(&mut tx, id).await?;
        tx.commit().await?;
        Ok(saved)
    }

    /// Adds what was answered. Another answer takes the place of the one before, which stays in the history.
    pub async fn save_response(
        &self,
        caller: &Caller,
        request: SaveResponse,
        key: Option<String>,
    ) -> Result<SavedExchange> {
        let keyed = Keyed::new(key, "response", &request)?;
        let (id, owner) = (request.memory_id, caller.user_id);
        let response = checked_text("response", request.response, LONGEST_RESPONSE)?;
        let mut tx = self.inner.db.as_user(owner).await?;
        save::hold(&mut tx, owner).await?;
        if let Some(keyed) = &keyed
            && let Some(before) = keyed.before(&mut tx).await?
        {
            return saved(&mut tx, before.id).await;
        }
        let exchange = find(&mut tx, id).await?;
        if !exchange.is_exchange() {
            return Err(Error::problem(
                ErrorCode::Conflict,
                "This memory is a statement: only what /prompt saved takes a response.",
            ));
        }
        quota::count(&mut tx, owner).await?;
        if exchange.response.as_ref() != Some(&response) {
            sqlx::query(
                "INSERT INTO memory_events (memory_id, owner_id, what, text)
                 SELECT id, owner_id, 'changed', response FROM memories WHERE id = $1 AND response IS NOT NULL",
            )
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
            sqlx::query("UPDATE memories SET response = $2, updated_at = now() WHERE id = $1")
                .bind(id.0)
                .bind(&response)
                .execute(&mut *tx)
                .await?;
            let changed = find(&mut tx, id).await?;
            index(&mut tx, owner, id, &changed.text(), None).await?;
        }
        if let Some(keyed) = keyed {
            keyed.keep(&mut tx, owner, id, MemoryOutcome::Kept).await?;
        }
        tell(&mut tx, owner).await?;
        let saved = saved(&mut tx, id).await?;
        tx.commit().await?;
        Ok(saved)
    }
}

async fn saved(tx: &mut PgConnection, id: MemoryId) -> Result<SavedExchange> {
    let row = find(tx, id).await?;
    Ok(SavedExchange { memory_id: id, created_at: row.created_at })
}
