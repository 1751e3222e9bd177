//! Who is asking.

use crate::accounts::ProfileRow;
use crate::secrets::token_hash;
use crate::{Domain, Error, Result};
use shared::account::{Profile, Role};
use shared::{ApiKeyId, ErrorCode, SessionId, ShareId, UserId};
use std::net::IpAddr;
use std::time::Duration;

/// An authenticated person or program.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    pub user_id: UserId,
    pub role: Role,
    pub via: Via,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Via {
    Session(SessionId),
    ApiKey(ApiKeyId),
}

impl Caller {
    /// Refuses who has less than `role`.
    pub(crate) fn require(&self, role: Role) -> Result<()> {
        if self.role >= role {
            return Ok(());
        }
        Err(Error::problem(
            ErrorCode::Forbidden,
            format!("This needs the role {}; yours is {}.", role.as_str(), self.role.as_str()),
        ))
    }
}

/// Who looks at a note: a person, whoever came by a share's link, or both at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Viewer {
    pub person: Option<Caller>,
    /// A link that was checked (token, password, expiry) when the visitor came; its row is looked at
    /// again by every policy.
    pub share: Option<ShareId>,
}

impl From<Caller> for Viewer {
    fn from(caller: Caller) -> Self {
        Self { person: Some(caller), share: None }
    }
}

impl Viewer {
    /// The person's id; none for a visitor who has only a link.
    pub fn user_id(&self) -> Option<UserId> {
        self.person.as_ref().map(|caller| caller.user_id)
    }
}

/// A caller with what a page needs to know of them.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub caller: Caller,
    pub profile: Profile,
    /// Absent for API keys.
    pub csrf_token: Option<String>,
}

/// Who holds a token, as the table of such tokens says it.
#[derive(sqlx::FromRow)]
struct Holder {
    /// Of the session or the key.
    token_id: uuid::Uuid,
    /// Whether its last use should be noted: to the minute is enough.
    stale: bool,
    /// Seconds until it ends by itself; none if it never does.
    remaining: Option<f64>,
    /// Sessions have one.
    #[sqlx(default)]
    csrf_token: Option<String>,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

/// A table of tokens.
pub(crate) struct Tokens {
    /// Finds the row of a token that is valid, by its hash, beside the person `u`.
    pub lookup: &'static str,
    /// Notes that the token with this id was used.
    pub note_use: &'static str,
    pub via: fn(uuid::Uuid) -> Via,
}

impl Domain {
    /// Who holds this token, if it is valid.
    pub(crate) async fn recognise(&self, token: &str, tokens: &Tokens) -> Result<Option<Authenticated>> {
        let hash = token_hash(token);
        let asking = match self.inner.recognised.get(&hash) {
            Ok(known) => return Ok(Some(known)),
            Err(asking) => asking,
        };
        let mut tx = self.inner.db.as_system().await?;
        let holder: Option<Holder> =
            sqlx::query_as(tokens.lookup).bind(&hash).fetch_optional(&mut *tx).await?;
        let Some(holder) = holder else { return Ok(None) };
        if holder.stale {
            sqlx::query(tokens.note_use).bind(holder.token_id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        let valid = holder.remaining.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
        let profile: Profile = holder.profile.try_into()?;
        let caller = Caller { user_id: profile.id, role: profile.role, via: (tokens.via)(holder.token_id) };
        let known = Authenticated { caller, profile, csrf_token: holder.csrf_token };
        self.inner.recognised.keep(asking, hash, &known, valid);
        Ok(Some(known))
    }
}

/// Where a sign-in comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub address: IpAddr,
    pub user_agent: String,
}

/// A session just begun. The token goes into the cookie and nowhere else.
pub struct NewSession {
    pub token: String,
    pub csrf_token: String,
    pub profile: Profile,
}
