//! Sessions of browsers and the passwords that begin them.

use crate::accounts::{ProfileRow, profile_of};
use crate::notices::Signal;
use crate::secrets::token_hash;
use crate::{Authenticated, Caller, Domain, Error, Result, Via};
use shared::account::{ChangePassword, Profile, SessionInfo};
use shared::{ErrorCode, SessionId};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    csrf_token: String,
    stale: bool,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

impl Domain {
    /// Who holds this session token, if it is valid.
    pub async fn authenticate_session(&self, token: &str) -> Result<Option<Authenticated>> {
        let mut tx = self.inner.db.as_system().await?;
        let row: Option<SessionRow> = sqlx::query_as(
            "SELECT s.id AS session_id, s.csrf_token, s.last_used_at < now() - interval '1 minute' AS stale,
                    u.id, u.email, u.display_name, u.role, u.time_zone, u.place,
                    u.picture IS NOT NULL AS has_picture, u.created_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.token_hash = $1 AND s.expires_at > now()",
        )
        .bind(token_hash(token))
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if row.stale {
            // Used sessions live on; to the minute is enough.
            sqlx::query(
                "UPDATE sessions SET last_used_at = now(), expires_at = now() + (expires_at - last_used_at) WHERE id = $1",
            )
            .bind(row.session_id)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        let profile: Profile = row.profile.try_into()?;
        Ok(Some(Authenticated {
            caller: Caller {
                user_id: profile.id,
                role: profile.role,
                via: Via::Session(SessionId(row.session_id)),
            },
            profile,
            csrf_token: Some(row.csrf_token),
        }))
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
        Ok(())
    }
}
