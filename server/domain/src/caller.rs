//! Who is asking.

use crate::{Error, Result};
use shared::account::{Profile, Role};
use shared::{ApiKeyId, ErrorCode, SessionId, UserId};
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

/// A caller with what a page needs to know of them.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub caller: Caller,
    pub profile: Profile,
    /// Absent for API keys.
    pub csrf_token: Option<String>,
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
