//! Folders: a tree a person, of names. Taking a folder away leaves its notes in the folder above.

use super::create::require_own_folder;
use crate::error::violated_unique;
use crate::notices::Signal;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::note::{CreateFolder, Folder, UpdateFolder};
use shared::socket::ServerBody;
use shared::{ErrorCode, FolderId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;
/// Folders inside of each other at most.
const DEEPEST: i32 = 30;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    parent_id: Option<Uuid>,
    name: String,
    own: bool,
}

impl From<Row> for Folder {
    fn from(row: Row) -> Self {
        Self { id: FolderId(row.id), parent_id: row.parent_id.map(FolderId), name: row.name, own: row.own }
    }
}

impl Domain {
    /// One's own folders and those that are shared with one, by name.
    pub async fn folders(&self, caller: &Caller) -> Result<Vec<Folder>> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        // The parent of a shared folder is not shared with it.
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT f.id, (SELECT p.id FROM folders p WHERE p.id = f.parent_id) AS parent_id, f.name,
                    f.owner_id = app_user_id() AS own
             FROM folders f ORDER BY lower(f.name), f.id",
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub async fn create_folder(&self, caller: &Caller, request: CreateFolder) -> Result<Folder> {
        let name = checked_name(request.name)?;
        let id = FolderId::new();
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require_own_folder(&mut tx, request.parent_id).await?;
        insert(&mut tx, caller.user_id, id, request.parent_id, &name).await?;
        check_place(&mut tx, id).await?;
        told(&mut tx, id).await?;
        tx.commit().await?;
        Ok(Folder { id, parent_id: request.parent_id, name, own: true })
    }

    pub async fn update_folder(&self, caller: &Caller, id: FolderId, change: UpdateFolder) -> Result<Folder> {
        let name = change.name.map(checked_name).transpose()?;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock_tree(&mut tx, caller.user_id).await?;
        require_own(&mut tx, id).await?;
        require_own_folder(&mut tx, change.parent_id.flatten()).await?;
        told(&mut tx, id).await?;
        let row: Row = sqlx::query_as(
            "UPDATE folders SET name = coalesce($2, name), parent_id = CASE WHEN $3 THEN $4 ELSE parent_id END
             WHERE id = $1 RETURNING id, parent_id, name, true AS own",
        )
        .bind(id.0)
        .bind(name)
        .bind(change.parent_id.is_some())
        .bind(change.parent_id.flatten().map(|parent| parent.0))
        .fetch_one(&mut *tx)
        .await
        .map_err(name_taken)?;
        check_place(&mut tx, id).await?;
        told(&mut tx, id).await?;
        if change.parent_id.is_some() {
            Signal::NoteAccessChanged { note_id: None }.send(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(row.into())
    }

    /// Takes the folder and those in it away. Their notes, also those in the bin, go to the folder above.
    pub async fn delete_folder(&self, caller: &Caller, id: FolderId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock_tree(&mut tx, caller.user_id).await?;
        require_own(&mut tx, id).await?;
        told(&mut tx, id).await?;
        sqlx::query(
            "WITH RECURSIVE below AS (
                 SELECT id FROM folders WHERE id = $1
                 UNION
                 SELECT f.id FROM folders f JOIN below b ON f.parent_id = b.id)
             UPDATE notes SET folder_id = (SELECT parent_id FROM folders WHERE id = $1)
             WHERE folder_id IN (SELECT id FROM below)",
        )
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM folders WHERE id = $1").bind(id.0).execute(&mut *tx).await?;
        Signal::NoteAccessChanged { note_id: None }.send(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

pub(crate) async fn insert(
    tx: &mut PgConnection,
    owner: UserId,
    id: FolderId,
    parent: Option<FolderId>,
    name: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO folders (id, owner_id, parent_id, name) VALUES ($1, $2, $3, $4)")
        .bind(id.0)
        .bind(owner.0)
        .bind(parent.map(|parent| parent.0))
        .bind(name)
        .execute(tx)
        .await
        .map_err(name_taken)?;
    Ok(())
}

/// A name as folders have it: on one line, not empty, not too long.
pub(crate) fn checked_name(name: String) -> Result<String> {
    let name = without_nul(name).replace(|c: char| c.is_control(), " ");
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid("name", format!("A folder's name has 1 to {LONGEST_NAME} characters.")));
    }
    Ok(name)
}

/// Two moves at once could make a circle that neither makes alone.
async fn lock_tree(tx: &mut PgConnection, owner: UserId) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 8))")
        .bind(owner.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

async fn require_own(tx: &mut PgConnection, id: FolderId) -> Result<()> {
    let own: Option<bool> = sqlx::query_scalar("SELECT owner_id = app_user_id() FROM folders WHERE id = $1")
        .bind(id.0)
        .fetch_optional(tx)
        .await?;
    match own {
        Some(true) => Ok(()),
        Some(false) => Err(Error::problem(ErrorCode::Forbidden, "Only the owner of the folder may do this.")),
        None => Err(Error::not_found("folder")),
    }
}

/// Refuses a folder inside of itself, and trees without end.
async fn check_place(tx: &mut PgConnection, id: FolderId) -> Result<()> {
    let (depth, circle): (i32, bool) = sqlx::query_as(
        "WITH RECURSIVE above AS (
             SELECT id, parent_id, 1 AS depth FROM folders WHERE id = $1
             UNION ALL
             SELECT f.id, f.parent_id, a.depth + 1 FROM folders f JOIN above a ON f.id = a.parent_id
             WHERE a.depth <= $2 AND a.parent_id <> $1),
         below AS (
             SELECT id, 1 AS depth FROM folders WHERE id = $1
             UNION ALL
             SELECT f.id, b.depth + 1 FROM folders f JOIN below b ON f.parent_id = b.id
             WHERE b.depth <= $2)
         SELECT (SELECT max(depth) FROM above) + (SELECT max(depth) FROM below) - 1,
                EXISTS (SELECT FROM above WHERE parent_id = $1)",
    )
    .bind(id.0)
    .bind(DEEPEST)
    .fetch_one(tx)
    .await?;
    if circle {
        return Err(Error::invalid("parent_id", "A folder cannot be inside of itself."));
    }
    if depth > DEEPEST {
        return Err(Error::invalid("parent_id", format!("Folders go {DEEPEST} deep.")));
    }
    Ok(())
}

fn name_taken(error: sqlx::Error) -> Error {
    if violated_unique(&error) == Some("folders_name_unique") {
        return Error::problem(ErrorCode::Conflict, "There is a folder of that name here already.");
    }
    error.into()
}

/// Lets everybody who sees the folder ask for folders again.
async fn told(tx: &mut PgConnection, id: FolderId) -> Result<()> {
    let people: Vec<Uuid> =
        sqlx::query_scalar("SELECT folder_audience($1)").bind(id.0).fetch_all(&mut *tx).await?;
    let signals: Vec<Signal> =
        people.into_iter().map(|person| Signal::notes(UserId(person), ServerBody::FoldersChanged)).collect();
    Signal::send_all(&signals, tx).await
}
