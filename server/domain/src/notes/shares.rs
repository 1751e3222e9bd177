//! Who else may do what with a note, a collection, or a folder and all in it: members, and whoever has a
//! link. Only the owner decides. Access ends in the transaction that takes it away.

use super::access::{annotated, audience, require};
use super::list::announce;
use crate::database::Tx;
use crate::notices::Signal;
use crate::secrets::{random_token, token_hash};
use crate::{Caller, Domain, Error, Result};
use shared::note::{Access, CreateShare, Person, Share};
use shared::socket::ServerBody;
use shared::{CollectionId, ErrorCode, FolderId, NoteId, ShareId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Shares that one note or folder may have.
const MOST: i64 = 200;

/// What is shared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shared {
    Note(NoteId),
    Folder(FolderId),
    Collection(CollectionId),
}

impl Shared {
    fn note(self) -> Option<Uuid> {
        if let Self::Note(id) = self { Some(id.0) } else { None }
    }

    fn folder(self) -> Option<Uuid> {
        if let Self::Folder(id) = self { Some(id.0) } else { None }
    }

    fn collection(self) -> Option<Uuid> {
        if let Self::Collection(id) = self { Some(id.0) } else { None }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    access: String,
    user_id: Option<Uuid>,
    name: Option<String>,
    folder_id: Option<Uuid>,
    password: bool,
    expires_at: Option<OffsetDateTime>,
}

impl Row {
    fn share(self, of: Shared) -> Result<Share> {
        let access = Access::parse(&self.access)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("unknown access {}", self.access)))?;
        Ok(Share {
            id: ShareId(self.id),
            access,
            person: self.user_id.map(|id| Person { id: UserId(id), name: self.name.unwrap_or_default() }),
            folder_id: self.folder_id.filter(|_| of.note().is_some()).map(FolderId),
            url: None,
            password: self.password,
            expires_at: self.expires_at,
        })
    }
}

impl Domain {
    /// Who has access, also by a folder above.
    pub async fn shares(&self, caller: &Caller, of: Shared) -> Result<Vec<Share>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_owner(&mut tx, of).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "WITH RECURSIVE above AS (
                 SELECT f.id, f.parent_id FROM folders f
                 WHERE f.id = $2 OR f.id = (SELECT folder_id FROM notes WHERE id = $1)
                 UNION
                 SELECT f.id, f.parent_id FROM folders f JOIN above a ON f.id = a.parent_id
             )
             SELECT s.id, s.access, s.user_id, person_name(s.user_id) AS name, s.folder_id,
                    s.password_hash IS NOT NULL AS password, s.expires_at
             FROM note_shares s
             WHERE s.note_id = $1 OR s.folder_id IN (SELECT id FROM above) OR s.collection_id = $3
             ORDER BY s.created_at, s.id",
        )
        .bind(of.note())
        .bind(of.folder())
        .bind(of.collection())
        .fetch_all(&mut *tx)
        .await?;
        rows.into_iter().map(|row| row.share(of)).collect()
    }

    /// Shares with a member, or makes a link whose address is told once. Sharing with the same member
    /// again changes what they may do.
    pub async fn share(&self, caller: &Caller, of: Shared, request: CreateShare) -> Result<Share> {
        if request.access == Access::Owner {
            return Err(Error::invalid("access", "Share to view, to comment or to edit."));
        }
        if request.expires_at.is_some_and(|at| at <= OffsetDateTime::now_utc()) {
            return Err(Error::invalid("expires_at", "That moment has passed."));
        }
        if of.collection().is_some() && request.access != Access::View {
            return Err(Error::invalid("access", "A collection is shared to look at."));
        }
        let password = request.password.filter(|password| !password.is_empty());
        let with_member = request.user_id.is_some() || request.email.is_some();
        if with_member && password.is_some() {
            return Err(Error::invalid("password", "Only links have passwords: members sign in."));
        }
        if of.collection().is_some() && !with_member {
            return Err(Error::invalid("user_id", "A collection is shared with members: name one."));
        }
        let password_hash = match password {
            Some(password) => Some(self.inner.passwords.hash(password).await?),
            None => None,
        };
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_owner(&mut tx, of).await?;
        let member = if with_member {
            Some(member(&mut tx, caller, request.user_id, request.email.as_deref()).await?)
        } else {
            None
        };
        let count: i64 = sqlx::query_scalar(
            "SELECT count(id) FROM note_shares WHERE note_id = $1 OR folder_id = $2 OR collection_id = $3",
        )
        .bind(of.note())
        .bind(of.folder())
        .bind(of.collection())
        .fetch_one(&mut *tx)
        .await?;
        if count >= MOST {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("This is shared {MOST} times already. End a share first."),
            ));
        }
        let token = member.is_none().then(random_token);
        let row: Row = sqlx::query_as(
            "INSERT INTO note_shares (id, note_id, folder_id, user_id, token_hash, password_hash, access, expires_at, created_by,
                                      collection_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT ON CONSTRAINT note_shares_once DO UPDATE SET access = $7, expires_at = $8
             RETURNING id, access, user_id, person_name(user_id) AS name, folder_id,
                       password_hash IS NOT NULL AS password, expires_at",
        )
        .bind(ShareId::new().0)
        .bind(of.note())
        .bind(of.folder())
        .bind(member.map(|UserId(id)| id))
        .bind(token.as_deref().map(token_hash))
        .bind(password_hash)
        .bind(request.access.as_str())
        .bind(request.expires_at)
        .bind(caller.user_id.0)
        .bind(of.collection())
        .fetch_one(&mut *tx)
        .await?;
        tell(&mut tx, of, member).await?;
        tx.commit().await?;
        Ok(Share { url: token.map(|token| format!("/s/{token}")), ..row.share(of)? })
    }

    /// Ends a share; whoever has the note open by it is shut out at once.
    pub async fn unshare(&self, caller: &Caller, of: Shared, share: ShareId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_owner(&mut tx, of).await?;
        let gone: Option<Option<Uuid>> = sqlx::query_scalar(
            "DELETE FROM note_shares WHERE id = $1 AND (note_id = $2 OR folder_id = $3 OR collection_id = $4) RETURNING user_id",
        )
        .bind(share.0)
        .bind(of.note())
        .bind(of.folder())
        .bind(of.collection())
        .fetch_optional(&mut *tx)
        .await?;
        let member = gone.ok_or_else(|| Error::not_found("share"))?.map(UserId);
        tell(&mut tx, of, member).await?;
        tx.commit().await?;
        Ok(())
    }

    /// People on this server whose name or address begins so.
    pub async fn people(&self, caller: &Caller, prefix: &str) -> Result<Vec<Person>> {
        let prefix = prefix.trim().to_lowercase();
        if prefix.len() > 100 || prefix.contains('\0') {
            return Err(Error::invalid("prefix", "A name has at most 100 characters."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, display_name FROM members()
             WHERE starts_with(lower(display_name), $1) OR position(' ' || $1 IN lower(display_name)) > 0
                OR starts_with(email, $1)
             ORDER BY lower(display_name), id LIMIT 20",
        )
        .bind(prefix)
        .fetch_all(&mut *tx)
        .await?;
        Ok(rows.into_iter().map(|(id, name)| Person { id: UserId(id), name }).collect())
    }
}

async fn require_owner(tx: &mut PgConnection, of: Shared) -> Result<()> {
    match of {
        Shared::Note(note) => require(tx, note, Access::Owner).await.map(drop),
        Shared::Collection(collection) => crate::context::collections::own(tx, collection).await,
        Shared::Folder(folder) => {
            let own: Option<bool> =
                sqlx::query_scalar("SELECT owner_id = app_user_id() FROM folders WHERE id = $1")
                    .bind(folder.0)
                    .fetch_optional(tx)
                    .await?;
            match own {
                None => Err(Error::not_found("folder")),
                Some(true) => Ok(()),
                Some(false) => {
                    Err(Error::problem(ErrorCode::Forbidden, "Only the owner of the folder may do this."))
                }
            }
        }
    }
}

/// The member that a request names, by id or by address.
async fn member(
    tx: &mut PgConnection,
    caller: &Caller,
    id: Option<UserId>,
    email: Option<&str>,
) -> Result<UserId> {
    let found: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM members() WHERE id = $1 OR ($1 IS NULL AND email = $2)")
            .bind(id.map(|UserId(id)| id))
            .bind(email.map(|email| email.replace('\0', "").trim().to_lowercase()))
            .fetch_optional(tx)
            .await?;
    let found = found.map(UserId).ok_or_else(|| {
        let field = if id.is_some() { "user_id" } else { "email" };
        Error::invalid(field, "Nobody on this server has this address. Share a link, or invite them first.")
    })?;
    if found == caller.user_id {
        return Err(Error::invalid("user_id", "It is yours already."));
    }
    Ok(found)
}

/// Tells open connections and browsers that access changed; `member` is whose it was.
async fn tell(tx: &mut Tx, of: Shared, member: Option<UserId>) -> Result<()> {
    let mut signals = Vec::new();
    match of {
        Shared::Note(note) => {
            signals.push(Signal::NoteAccessChanged { note_id: Some(note) });
            match member {
                Some(member) if !audience(tx, note).await?.contains(&member) => {
                    signals.push(Signal::notes(member, ServerBody::NoteGone { id: note }));
                }
                _ => {}
            }
            announce(tx, note).await?;
            annotated(tx, note).await?;
        }
        // who looks at a collection asks for it
        Shared::Collection(_) => {}
        Shared::Folder(folder) => {
            signals.push(Signal::NoteAccessChanged { note_id: None });
            let mut concerned: Vec<Uuid> =
                sqlx::query_scalar("SELECT folder_audience($1)").bind(folder.0).fetch_all(&mut **tx).await?;
            concerned.extend(member.map(|UserId(id)| id));
            concerned.sort_unstable();
            concerned.dedup();
            signals.extend(
                concerned.into_iter().map(|id| Signal::notes(UserId(id), ServerBody::FoldersChanged)),
            );
        }
    }
    Signal::send_all(&signals, tx).await
}
