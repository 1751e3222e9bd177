//! Keys for programs: `sb_sk_…`, shown once, stored as hashes.

use crate::accounts::person_columns;
use crate::caller::Tokens;
use crate::notices::Signal;
use crate::secrets::{random_token, token_hash};
use crate::{Authenticated, Caller, Domain, Error, Result, Via};
use shared::ApiKeyId;
use shared::account::{ApiKeyInfo, CreateApiKey, CreatedApiKey};
use time::OffsetDateTime;
use uuid::Uuid;

const PREFIX: &str = "sb_sk_";
/// Keys that one person may have.
const MOST: i64 = 100;

const KEYS: Tokens = Tokens {
    lookup: concat!(
        "SELECT k.id AS token_id, coalesce(k.last_used_at < now() - interval '1 minute', true) AS stale,
                extract(epoch FROM k.expires_at - now())::float8 AS remaining, ",
        person_columns!(),
        " FROM api_keys k JOIN users u ON u.id = k.user_id
          WHERE k.key_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > now())",
    ),
    note_use: "UPDATE api_keys SET last_used_at = now() WHERE id = $1",
    via: |id| Via::ApiKey(ApiKeyId(id)),
};

impl Domain {
    /// Who holds this key, if it is valid.
    pub async fn authenticate_key(&self, key: &str) -> Result<Option<Authenticated>> {
        if !key.starts_with(PREFIX) {
            return Ok(None);
        }
        self.recognise(key, &KEYS).await
    }

    pub async fn api_keys(&self, caller: &Caller) -> Result<Vec<ApiKeyInfo>> {
        type Row = (Uuid, String, String, OffsetDateTime, Option<OffsetDateTime>, Option<OffsetDateTime>);
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, prefix, created_at, expires_at, last_used_at FROM api_keys ORDER BY created_at DESC, id DESC",
        )
        .fetch_all(&mut *tx)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, prefix, created_at, expires_at, last_used_at)| ApiKeyInfo {
                id: ApiKeyId(id),
                name,
                prefix,
                created_at,
                expires_at,
                last_used_at,
            })
            .collect())
    }

    pub async fn create_api_key(&self, caller: &Caller, request: CreateApiKey) -> Result<CreatedApiKey> {
        let name = request.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "A key's name has 1 to 100 characters."));
        }
        if request.expires_in_days.is_some_and(|days| days == 0 || days > 3650) {
            return Err(Error::invalid("expires_in_days", "A key lasts 1 to 3650 days, or without end."));
        }
        let key = format!("{PREFIX}{}", random_token());
        let now = OffsetDateTime::now_utc();
        let info = ApiKeyInfo {
            id: ApiKeyId::new(),
            name: name.to_owned(),
            prefix: format!("{}…", &key[..PREFIX.len() + 4]),
            created_at: now,
            expires_at: request.expires_in_days.map(|days| now + time::Duration::days(days.into())),
            last_used_at: None,
        };
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let count: i64 = sqlx::query_scalar("SELECT count(id) FROM api_keys").fetch_one(&mut *tx).await?;
        if count >= MOST {
            return Err(Error::invalid("name", format!("You have {MOST} keys; revoke one first.")));
        }
        sqlx::query(
            "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(info.id.0)
        .bind(caller.user_id.0)
        .bind(&info.name)
        .bind(&info.prefix)
        .bind(token_hash(&key))
        .bind(info.created_at)
        .bind(info.expires_at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(CreatedApiKey { key, info })
    }

    pub async fn revoke_api_key(&self, caller: &Caller, key: ApiKeyId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let gone = sqlx::query("DELETE FROM api_keys WHERE id = $1").bind(key.0).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("key"));
        }
        Signal::KeyRevoked { user_id: caller.user_id, key }.send(&mut tx).await?;
        tx.commit().await?;
        self.inner.recognised.forget(caller.user_id);
        Ok(())
    }
}
