//! Accounts and profiles: the owner's set-up, sign-in, people that an admin adds.

use crate::error::violated_unique;
use crate::secrets::{random_token, token_hash};
use crate::text::without_nul;
use crate::{Caller, Domain, Error, NewSession, Result, Visitor};
use shared::account::{CreateUser, Profile, Role, Setup, SignIn, UpdateProfile, UserInfo};
use shared::{ErrorCode, SessionId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// How long a session lasts without being used.
pub const SESSION_LIFETIME: time::Duration = time::Duration::days(30);

/// The columns of a [`ProfileRow`], of the row `u` of `users`.
macro_rules! person_columns {
    () => {
        "u.id, u.email, u.display_name, u.role, u.time_zone, u.place, u.picture IS NOT NULL AS has_picture, u.created_at"
    };
}
pub(crate) use person_columns;

/// A [`Profile`] as stored.
#[derive(sqlx::FromRow)]
pub(crate) struct ProfileRow {
    id: uuid::Uuid,
    email: String,
    display_name: String,
    role: String,
    time_zone: String,
    place: String,
    has_picture: bool,
    created_at: OffsetDateTime,
}

impl TryFrom<ProfileRow> for Profile {
    type Error = Error;
    fn try_from(row: ProfileRow) -> Result<Self> {
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            display_name: row.display_name,
            role: parse_role(&row.role)?,
            time_zone: row.time_zone,
            place: row.place,
            picture_url: row.has_picture.then(|| format!("/api/v1/users/{}/picture", row.id)),
            created_at: row.created_at,
        })
    }
}

pub(crate) fn parse_role(text: &str) -> Result<Role> {
    text.parse().map_err(|e: String| Error::internal(anyhow::anyhow!(e)))
}

/// A new account, checked.
pub(crate) struct Account<'a> {
    pub email: &'a str,
    pub display_name: &'a str,
    pub role: Role,
    pub password_hash: &'a str,
}

impl Domain {
    /// Whether the server has no account yet.
    pub async fn needs_setup(&self) -> Result<bool> {
        let mut tx = self.inner.db.as_system().await?;
        Ok(sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM users)").fetch_one(&mut *tx).await?)
    }

    /// Makes the owner's account on an empty server, once.
    pub async fn set_up(&self, setup: Setup, visitor: &Visitor) -> Result<NewSession> {
        let email = checked_email(&setup.email)?;
        let display_name = checked_name(&setup.display_name)?;
        let password_hash = self.inner.passwords.hash(setup.password).await?;
        let mut tx = self.inner.db.as_system().await?;
        // Two at once: the second waits here, then sees the first's account.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('sidebar set-up'))").execute(&mut *tx).await?;
        let first: bool =
            sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM users)").fetch_one(&mut *tx).await?;
        if !first {
            return Err(Error::problem(
                ErrorCode::SetupDone,
                "This server has been set up already: sign in instead.",
            ));
        }
        let account = Account {
            email: &email,
            display_name: &display_name,
            role: Role::Admin,
            password_hash: &password_hash,
        };
        let user = insert_user(&mut tx, account).await?;
        let session = new_session(&mut tx, user, visitor).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Begins a session. The answer and its time are the same for an unknown account and a wrong password.
    pub async fn sign_in(&self, sign_in: SignIn, visitor: &Visitor) -> Result<NewSession> {
        let mut tx = self.inner.db.as_system().await?;
        let account: Option<(uuid::Uuid, String)> =
            sqlx::query_as("SELECT id, password_hash FROM users WHERE email = $1")
                .bind(without_nul(sign_in.email.trim().to_lowercase()))
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        let (user, stored) = account.unzip();
        let right = self.inner.passwords.verify(sign_in.password, stored).await?;
        let Some(user) = user.filter(|_| right) else {
            return Err(Error::problem(
                ErrorCode::WrongCredentials,
                "The address or the password is wrong. Check both and try again.",
            ));
        };
        let mut tx = self.inner.db.as_system().await?;
        let session = new_session(&mut tx, UserId(user), visitor).await?;
        tx.commit().await?;
        Ok(session)
    }

    pub async fn profile(&self, caller: &Caller) -> Result<Profile> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        profile_of(&mut tx, caller.user_id).await
    }

    pub async fn update_profile(&self, caller: &Caller, change: UpdateProfile) -> Result<Profile> {
        let display_name = change.display_name.as_deref().map(checked_name).transpose()?;
        for (field, value) in [("time_zone", &change.time_zone), ("place", &change.place)] {
            if value.as_ref().is_some_and(|v| v.chars().count() > 100 || v.contains('\0')) {
                return Err(Error::invalid(field, "At most 100 characters, please."));
            }
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        if let Some(zone) = change.time_zone.as_deref().filter(|zone| !zone.is_empty()) {
            let known: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)")
                    .bind(zone)
                    .fetch_one(&mut *tx)
                    .await?;
            if !known {
                return Err(Error::invalid(
                    "time_zone",
                    "Use a time zone's IANA name, such as Europe/Lisbon.",
                ));
            }
        }
        sqlx::query(
            "UPDATE users SET display_name = coalesce($2, display_name), time_zone = coalesce($3, time_zone),
                    place = coalesce($4, place) WHERE id = $1",
        )
        .bind(caller.user_id.0)
        .bind(display_name)
        .bind(change.time_zone)
        .bind(change.place)
        .execute(&mut *tx)
        .await?;
        let profile = profile_of(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        self.inner.recognised.forget(caller.user_id);
        Ok(profile)
    }

    /// All accounts; for admins.
    pub async fn users(&self, caller: &Caller) -> Result<Vec<UserInfo>> {
        caller.require(Role::Admin)?;
        let mut tx = self.inner.db.as_system().await?;
        let rows: Vec<(uuid::Uuid, String, String, String, String, OffsetDateTime)> = sqlx::query_as(
            "SELECT id, email, display_name, role, tier, created_at FROM users ORDER BY created_at, id",
        )
        .fetch_all(&mut *tx)
        .await?;
        rows.into_iter()
            .map(|(id, email, display_name, role, tier, created_at)| {
                let (role, tier) = (parse_role(&role)?, crate::memories::parse_tier(&tier)?);
                Ok(UserInfo { id: UserId(id), email, display_name, role, tier, created_at })
            })
            .collect()
    }

    /// Adds an account; for admins.
    pub async fn create_user(&self, caller: &Caller, user: CreateUser) -> Result<UserInfo> {
        caller.require(Role::Admin)?;
        self.create_user_at_shell(user).await
    }

    /// Adds an account for whoever runs the server and so owns its data.
    pub async fn create_user_at_shell(&self, user: CreateUser) -> Result<UserInfo> {
        let email = checked_email(&user.email)?;
        let local_part = email.split('@').next().unwrap_or_default().to_owned();
        let display_name = checked_name(user.display_name.as_deref().unwrap_or(&local_part))?;
        let password_hash = self.inner.passwords.hash(user.password).await?;
        let mut tx = self.inner.db.as_system().await?;
        let account = Account {
            email: &email,
            display_name: &display_name,
            role: user.role,
            password_hash: &password_hash,
        };
        let id = insert_user(&mut tx, account).await?;
        let profile = profile_of(&mut tx, id).await?;
        tx.commit().await?;
        let tier = shared::account::Tier::default();
        Ok(UserInfo { id, email, display_name, role: user.role, tier, created_at: profile.created_at })
    }

    /// A person as a caller, for what a model does on their behalf.
    pub(crate) async fn acting_for(&self, user_id: UserId) -> Result<Caller> {
        let mut tx = self.inner.db.as_system().await?;
        let role: Option<String> = sqlx::query_scalar("SELECT role FROM users WHERE id = $1")
            .bind(user_id.0)
            .fetch_optional(&mut *tx)
            .await?;
        let role = parse_role(&role.ok_or_else(|| Error::not_found("account"))?)?;
        Ok(Caller { user_id, role, via: crate::Via::ApiKey(shared::ApiKeyId(uuid::Uuid::nil())) })
    }

    /// The account with this address; for commands at the shell.
    pub async fn user_by_email(&self, email: &str) -> Result<Caller> {
        let mut tx = self.inner.db.as_system().await?;
        let row: Option<(uuid::Uuid, String)> = sqlx::query_as("SELECT id, role FROM users WHERE email = $1")
            .bind(email.trim().to_lowercase())
            .fetch_optional(&mut *tx)
            .await?;
        let (id, role) = row.ok_or_else(|| Error::not_found("account"))?;
        Ok(Caller {
            user_id: UserId(id),
            role: parse_role(&role)?,
            via: crate::Via::ApiKey(shared::ApiKeyId(uuid::Uuid::nil())),
        })
    }
}

pub(crate) async fn profile_of(tx: &mut PgConnection, user: UserId) -> Result<Profile> {
    const PROFILE: &str = concat!("SELECT ", person_columns!(), " FROM users u WHERE u.id = $1");
    let row: Option<ProfileRow> = sqlx::query_as(PROFILE).bind(user.0).fetch_optional(tx).await?;
    row.ok_or_else(|| Error::not_found("account"))?.try_into()
}

pub(crate) async fn insert_user(tx: &mut PgConnection, account: Account<'_>) -> Result<UserId> {
    let id = UserId::new();
    sqlx::query(
        "INSERT INTO users (id, email, display_name, role, password_hash) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.0)
    .bind(account.email)
    .bind(account.display_name)
    .bind(account.role.as_str())
    .bind(account.password_hash)
    .execute(tx)
    .await
    .map_err(|e| match violated_unique(&e) {
        Some("users_email_unique") => {
            Error::problem(ErrorCode::Conflict, "There is an account with this address already.")
        }
        _ => e.into(),
    })?;
    Ok(id)
}

pub(crate) async fn new_session(
    tx: &mut PgConnection,
    user: UserId,
    visitor: &Visitor,
) -> Result<NewSession> {
    let token = random_token();
    let csrf_token = random_token();
    sqlx::query(
        "INSERT INTO sessions (id, user_id, token_hash, csrf_token, user_agent, address, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + $7)",
    )
    .bind(SessionId::new().0)
    .bind(user.0)
    .bind(token_hash(&token))
    .bind(&csrf_token)
    .bind(visitor.user_agent.replace('\0', "").chars().take(300).collect::<String>())
    .bind(visitor.address.to_string())
    .bind(
        sqlx::postgres::types::PgInterval::try_from(SESSION_LIFETIME)
            .map_err(|e| Error::internal(anyhow::anyhow!(e)))?,
    )
    .execute(&mut *tx)
    .await?;
    Ok(NewSession { token, csrf_token, profile: profile_of(tx, user).await? })
}

/// Trimmed and in lower case, of the shape `name@host`.
pub(crate) fn checked_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let well_formed = email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if well_formed { Ok(email) } else { Err(Error::invalid("email", "This is not an e-mail address.")) }
}

pub(crate) fn checked_name(text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid("display_name", "A name has 1 to 100 characters."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_lowered_and_checked() {
        assert_eq!(checked_email(" Ada@Example.org ").unwrap(), "ada@example.org");
        for wrong in ["", "ada", "@x", "a@", "a@b@c", "a b@c", "a\0@b"] {
            assert!(checked_email(wrong).is_err(), "{wrong:?}");
        }
    }
}
