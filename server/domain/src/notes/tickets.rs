//! Tickets: short-lived tokens for one note's door, for clients that can set no header. Nothing is
//! stored; who they are for is looked at again when they are shown.

use super::access::require;
use crate::accounts::parse_role;
use crate::secrets::Purpose;
use crate::{Caller, Domain, Error, Result, Via, Viewer};
use serde::{Deserialize, Serialize};
use shared::note::{Access, Ticket};
use shared::{ApiKeyId, ErrorCode, NoteId, SessionId, ShareId, UserId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long there is to connect.
const LIFETIME: Duration = Duration::seconds(60);

#[derive(Serialize, Deserialize)]
struct Claims {
    note: NoteId,
    user: Option<UserId>,
    session: Option<SessionId>,
    key: Option<ApiKeyId>,
    share: Option<ShareId>,
    /// Seconds of Unix time.
    until: i64,
}

impl Domain {
    pub async fn ticket(&self, viewer: &Viewer, note: NoteId) -> Result<Ticket> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::View).await?;
        tx.commit().await?;
        let expires_at = OffsetDateTime::now_utc() + LIFETIME;
        let (session, key) = match viewer.person.as_ref().map(|person| person.via) {
            Some(Via::Session(id)) => (Some(id), None),
            Some(Via::ApiKey(id)) => (None, Some(id)),
            None => (None, None),
        };
        let claims = Claims {
            note,
            user: viewer.user_id(),
            session,
            key,
            share: viewer.share,
            until: expires_at.unix_timestamp(),
        };
        Ok(Ticket { token: self.inner.secrets.token(Purpose::SyncTicket, &claims)?, expires_at })
    }

    /// Who comes with this ticket; refused when it is for another note, too old, or its session or
    /// key has ended. What they may do is for the door to ask.
    pub async fn check_ticket(&self, token: &str, note: NoteId) -> Result<Viewer> {
        let refused = || {
            Error::problem(ErrorCode::Unauthenticated, "This ticket is not for this note, or has expired.")
        };
        let claims: Claims = self.inner.secrets.claims(Purpose::SyncTicket, token).ok_or_else(refused)?;
        if claims.note != note || claims.until < OffsetDateTime::now_utc().unix_timestamp() {
            return Err(refused());
        }
        let via = match (claims.session, claims.key) {
            (Some(id), _) => Some(Via::Session(id)),
            (None, Some(id)) => Some(Via::ApiKey(id)),
            (None, None) => None,
        };
        let person = match (claims.user, via) {
            (Some(user_id), Some(via)) => {
                let role = self.role_while_valid(user_id, via).await?.ok_or_else(refused)?;
                Some(Caller { user_id, role: parse_role(&role)?, via })
            }
            _ => None,
        };
        if person.is_none() && claims.share.is_none() {
            return Err(refused());
        }
        Ok(Viewer { person, share: claims.share })
    }

    /// The person's role, as long as the session or key still holds.
    async fn role_while_valid(&self, user: UserId, via: Via) -> Result<Option<String>> {
        let (session, key): (Option<Uuid>, Option<Uuid>) = match via {
            Via::Session(SessionId(id)) => (Some(id), None),
            Via::ApiKey(ApiKeyId(id)) => (None, Some(id)),
        };
        let mut tx = self.inner.db.as_system().await?;
        let role = sqlx::query_scalar(
            "SELECT u.role FROM users u WHERE u.id = $1
               AND (EXISTS (SELECT FROM sessions s WHERE s.id = $2 AND s.user_id = u.id AND s.expires_at > now())
                 OR EXISTS (SELECT FROM api_keys k WHERE k.id = $3 AND k.user_id = u.id
                            AND (k.expires_at IS NULL OR k.expires_at > now())))",
        )
        .bind(user.0)
        .bind(session)
        .bind(key)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(role)
    }
}
