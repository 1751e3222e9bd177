//! Sessions of browsers and the passwords that begin them.

use crate::accounts::{person_columns, profile_of};
use crate::caller::Tokens;
use crate::notices::Signal;
use crate::{Authenticated, Caller, Domain, Error, Result, Via};
use shared::account::{ChangePassword, SessionInfo};
use shared::{ErrorCode, SessionId};
use time::OffsetDateTime;
use uuid::Uuid;

const SESSIONS: Tokens = Tokens {
    lookup: concat!(
        "SELECT s.id AS token_id, s.csrf_token, s.last_used_at < now() - interval '1 minute' AS stale,
                extract(epoch FROM s.expires_at - now())::float8 AS remaining, ",
        person_columns!(),
        " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > now()",
    ),
    // used sessions live on
    note_use: "UPDATE sessions SET last_used_at = now(), expires_at = now() + (expires_at - last_used_at) WHERE id = $1",
    via: |id| Via::Session(SessionId(id)),
};

impl Domain {
    /// Who holds this session token, if it is valid.
    pub async fn authenticate_session(&self, token: &str) -> Result<Option<Authenticated>> {
        self.recognise(token, &SESSIONS).await
    }

    /// Ends the caller's own session.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        match caller.via {
            Via::Session(id) => self.end_session(caller, id).await,
            Via::ApiKey(_) => Err(Error::problem(
                ErrorCode::Conflict,
                "An API key has no session to sign out of; revoke the key instead.",
            )),
        }
    }

    /// The caller's sessions, the newest use first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<(Uuid, String, String, OffsetDateTime, OffsetDateTime)> = sqlx::query_as(
            "SELECT id, user_agent, address, created_at, last_used_at FROM sessions
             WHERE expires_at > now() ORDER BY last_used_at DESC, id DESC",
        )
        .fetch_all(&mut *tx)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, user_agent, address, created_at, last_used_at)| SessionInfo {
                id: SessionId(id),
                user_agent,
                address,
                created_at,
                last_used_at,
                current: caller.via == Via::Session(SessionId(id)),
            })
            .collect())
    }

    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let ended =
            sqlx::query("DELETE FROM sessions WHERE id = $1").bind(session.0).execute(&mut *tx).await?;
        if ended.rows_affected() == 0 {
            return Err(Error::not_found("session"));
        }
        Signal::SessionsEnded { user_id: caller.user_id, kept: None, ended: Some(session) }
            .send(&mut tx)
            .await?;
        tx.commit().await?;
        self.inner.recognised.forget(caller.user_id);
        Ok(())
    }

    /// Changes the password and ends every other session.
    pub async fn change_password(&self, caller: &Caller, change: ChangePassword) -> Result<()> {
        let mut tx = self.inner.db.as_system().await?;
        let stored: String = sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1")
            .bind(caller.user_id.0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        if !self.inner.passwords.verify(change.current_password, Some(stored)).await? {
            return Err(Error::Problem {
                code: ErrorCode::WrongCredentials,
                message: "The current password is wrong; nothing was changed.".into(),
                details: Some(serde_json::json!({ "field": "current_password" })),
                retry_after: None,
            });
        }
        let new_hash = self.inner.passwords.hash(change.new_password).await?;
        let kept = match caller.via {
            Via::Session(id) => Some(id),
            Via::ApiKey(_) => None,
        };
        let mut tx = self.inner.db.as_system().await?;
        sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(caller.user_id.0)
            .bind(new_hash)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2")
            .bind(caller.user_id.0)
            .bind(kept.map(|id| id.0))
            .execute(&mut *tx)
            .await?;
        Signal::SessionsEnded { user_id: caller.user_id, kept, ended: None }.send(&mut tx).await?;
        // Reading the profile back proves that the account still exists.
        profile_of(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        self.inner.recognised.forget(caller.user_id);
        Ok(())
    }
}
