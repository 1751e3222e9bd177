//! Who is asking.

use crate::accounts::ProfileRow;
use crate::secrets::token_hash;
use crate::{Error, Result};
use shared::account::{Profile, Role};
use shared::{ApiKeyId, ErrorCode, SessionId, ShareId, UserId};
use sqlx::PgConnection;
use std::net::IpAddr;

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
pub(crate) struct Holder {
    /// Of the session or the key.
    pub token_id: uuid::Uuid,
    /// Whether its last use should be noted: to the minute is enough.
    pub stale: bool,
    /// Sessions have one.
    #[sqlx(default)]
    csrf_token: Option<String>,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

impl Holder {
    /// `lookup` finds the row of a token that is valid, by its hash, beside the person `u`.
    pub async fn of(token: &str, lookup: &'static str, tx: &mut PgConnection) -> Result<Option<Self>> {
        Ok(sqlx::query_as(lookup).bind(token_hash(token)).fetch_optional(tx).await?)
    }

    pub fn authenticated(self, via: Via) -> Result<Authenticated> {
        let profile: Profile = self.profile.try_into()?;
        let caller = Caller { user_id: profile.id, role: profile.role, via };
        Ok(Authenticated { caller, profile, csrf_token: self.csrf_token })
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
