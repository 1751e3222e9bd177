//! What becomes of a note's text when it settled: the Markdown column, its excerpt and tags, links,
//! passages, an automatic version, and word to whoever sees it. This is the only writer of all of
//! these, as the role of the rooms.

use super::list::announce;
use super::markup::{LinkKind, Markup, Passage, passages};
use super::passages::{insert_passages, write_passages, write_title};
use crate::database::Database;
use crate::{Error, Result};
use async_trait::async_trait;
use shared::{NoteId, VersionId};
use sqlx::PgConnection;
use sync::{LogError, Projector};
use time::OffsetDateTime;
use uuid::Uuid;

/// Minutes between two automatic versions of a note.
const VERSION_MINUTES: f64 = 10.0;
/// Bytes from which on a text is read on a thread of its own.
const LONG_TEXT: usize = 64 << 10;

/// Projects for the rooms of this server.
pub(crate) struct Projection {
    pub db: Database,
}

#[async_trait]
impl Projector for Projection {
    async fn project(&self, note: NoteId, seq: i64, text: &str) -> Result<(), LogError> {
        project(&self.db, note, seq, text).await.map_err(|error| match error {
            Error::DatabaseUnavailable(cause) => LogError::Away(cause.to_string()),
            other => LogError::Failed(format!("{:#}", anyhow::Error::from(other))),
        })
    }
}

/// Brings the rows of a note to what its text was at `seq`, unless they are there already.
pub(crate) async fn project(db: &Database, note: NoteId, seq: i64, text: &str) -> Result<()> {
    let markup = if text.len() < LONG_TEXT {
        Markup::of(text)
    } else {
        let text = text.to_owned();
        tokio::task::spawn_blocking(move || Markup::of(&text)).await.map_err(Error::internal)?
    };
    let mut tx = db.as_sync().await?;
    take_turn(&mut tx, note).await?;
    let stored: Option<i64> = sqlx::query_scalar("SELECT markdown_seq FROM notes WHERE id = $1")
        .bind(note.0)
        .fetch_optional(&mut *tx)
        .await?;
    if stored.is_none_or(|stored| stored >= seq) {
        return Ok(());
    }
    keep_version_after(&mut tx, note, VERSION_MINUTES).await?;
    write(&mut tx, note, seq, text, &markup).await?;
    announce(&mut tx, note).await?;
    tx.commit().await?;
    Ok(())
}

/// Waits for whoever else writes what follows from this note: another server, or a rename. Taken before
/// any row of it is locked. Not a lock of the note's own row: commits of edits would wait for that.
pub(crate) async fn take_turn(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))")
        .bind(note.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes all rows that follow from a note's text.
pub(crate) async fn write(
    tx: &mut PgConnection,
    note: NoteId,
    seq: i64,
    text: &str,
    markup: &Markup,
) -> Result<()> {
    // Where something is new the text is another, and the note changes now.
    let row: Option<(Uuid, String, OffsetDateTime)> =
        sqlx::query_as("SELECT owner_id, title, now() FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_optional(&mut *tx)
            .await?;
    let Some((owner, title, changed)) = row else { return Ok(()) };
    write_links(tx, note, owner, text, markup).await?;
    write_title(tx, note, owner, &title, changed).await?;
    write_passages(tx, note, owner, &passages(text), changed).await?;
    update_row(tx, note, seq, text, markup).await
}

async fn update_row(
    tx: &mut PgConnection,
    note: NoteId,
    seq: i64,
    text: &str,
    markup: &Markup,
) -> Result<()> {
    sqlx::query(
        "UPDATE notes SET markdown = $3, markdown_seq = $2, excerpt = $4, words = $5, tags = $6, aliases = $7,
                updated_at = CASE WHEN markdown = $3 THEN updated_at ELSE now() END
         WHERE id = $1 AND markdown_seq <= $2",
    )
    .bind(note.0)
    .bind(seq)
    .bind(text)
    .bind(&markup.excerpt)
    .bind(markup.words)
    .bind(&markup.tags)
    .bind(&markup.aliases)
    .execute(tx)
    .await?;
    Ok(())
}

/// The same for a note that was made in this transaction, of which there are no rows yet.
pub(crate) async fn write_first(
    tx: &mut PgConnection,
    note: NoteId,
    seq: i64,
    text: &str,
    markup: &Markup,
) -> Result<()> {
    let (owner, title, changed): (Uuid, String, OffsetDateTime) =
        sqlx::query_as("SELECT owner_id, title, updated_at FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_one(&mut *tx)
            .await?;
    insert_links(tx, note, owner, &names(text, markup)).await?;
    let named = Passage { text: &title, spot: None };
    let named = Some((0, &named)).filter(|_| !title.is_empty());
    let passages = passages(text);
    let all = named.into_iter().chain((1..).zip(&passages)).collect();
    insert_passages(tx, note, owner, all, changed).await?;
    update_row(tx, note, seq, text, markup).await
}

/// What follows from a new title: the passage that it is found by, and links that had no target.
pub(crate) async fn retitled(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    let row: Option<(Uuid, String, OffsetDateTime)> =
        sqlx::query_as("SELECT owner_id, title, updated_at FROM notes WHERE id = $1")
            .bind(note.0)
            .fetch_optional(&mut *tx)
            .await?;
    let Some((owner, title, changed)) = row else { return Ok(()) };
    write_title(tx, note, owner, &title, changed).await?;
    resolve_links_to(tx, note).await
}

/// Lets links that name this note, and lead nowhere or into the bin, lead to it.
pub(crate) async fn resolve_links_to(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    sqlx::query(
        "UPDATE note_links l SET to_id = t.id FROM notes t, notes f
         WHERE t.id = $1 AND t.title <> '' AND t.deleted_at IS NULL AND t.kind <> 'template'
           AND l.kind = 'wikilink' AND l.to_title = lower(t.title)
           AND f.id = l.from_id AND f.owner_id = t.owner_id
           AND (l.to_id IS NULL OR l.to_id IN (SELECT d.id FROM notes d WHERE d.deleted_at IS NOT NULL))",
    )
    .bind(note.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// The same for all open links of a person, after many notes were made at once.
pub(crate) async fn resolve_open_links(tx: &mut PgConnection, owner: Uuid) -> Result<()> {
    sqlx::query(
        "UPDATE note_links l SET to_id = note_named($1, l.to_title) FROM notes f
         WHERE f.id = l.from_id AND f.owner_id = $1 AND l.kind = 'wikilink' AND l.to_id IS NULL",
    )
    .bind(owner)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn write_links(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    text: &str,
    markup: &Markup,
) -> Result<()> {
    let stored: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, to_title FROM note_links WHERE from_id = $1 ORDER BY ordinal")
            .bind(note.0)
            .fetch_all(&mut *tx)
            .await?;
    let now = names(text, markup);
    let same = stored.len() == now.len()
        && stored.iter().zip(&now).all(|(old, new)| old.0 == new.0.as_str() && old.1 == new.1);
    if same {
        return Ok(());
    }
    sqlx::query("DELETE FROM note_links WHERE from_id = $1").bind(note.0).execute(&mut *tx).await?;
    insert_links(tx, note, owner, &now).await
}

/// What is linked, in its order.
fn names(text: &str, markup: &Markup) -> Vec<(LinkKind, String)> {
    let links = markup.links.iter().filter(|link| !link.is_file(text));
    links.map(|link| (link.kind, link.key(text))).collect()
}

async fn insert_links(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    links: &[(LinkKind, String)],
) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    let (kinds, names): (Vec<&str>, Vec<&str>) =
        links.iter().map(|(kind, name)| (kind.as_str(), name.as_str())).unzip();
    // Each name is looked up once, however often it is written.
    sqlx::query(
        "WITH written AS (SELECT * FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS w (kind, name, ordinal)),
              named AS MATERIALIZED (SELECT d.name, note_named($2, d.name) AS id
                                     FROM (SELECT DISTINCT name FROM written WHERE kind = 'wikilink') d)
         INSERT INTO note_links (from_id, ordinal, kind, to_id, to_title)
         SELECT $1, w.ordinal, w.kind, n.id, w.name
         FROM written w LEFT JOIN named n ON w.kind = 'wikilink' AND n.name = w.name",
    )
    .bind(note.0)
    .bind(owner)
    .bind(kinds)
    .bind(names)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps the state that the rows have now, if no version has it.
pub(crate) async fn keep_version(tx: &mut PgConnection, note: NoteId) -> Result<()> {
    keep_version_after(tx, note, 0.0).await
}

/// The same where the last version, or the note, is at least so old. Called before the rows are
/// written anew, so that the state at the end of a sitting is kept when the next begins.
async fn keep_version_after(tx: &mut PgConnection, note: NoteId, minutes: f64) -> Result<()> {
    sqlx::query(
        "INSERT INTO note_versions (id, note_id, seq, kind, markdown, authors, created_at)
         SELECT $2, n.id, n.markdown_seq, 'automatic', n.markdown,
                note_authors(n.id, coalesce(last.seq, 0), n.markdown_seq), n.updated_at
         FROM notes n LEFT JOIN LATERAL (
             SELECT v.seq, v.created_at, v.markdown FROM note_versions v
             WHERE v.note_id = n.id ORDER BY v.seq DESC, v.created_at DESC LIMIT 1) last ON true
         WHERE n.id = $1 AND n.markdown_seq > coalesce(last.seq, 0)
           AND n.markdown IS DISTINCT FROM coalesce(last.markdown, '')
           AND coalesce(last.created_at, n.created_at) <= now() - make_interval(secs => $3 * 60)",
    )
    .bind(note.0)
    .bind(VersionId::new().0)
    .bind(minutes)
    .execute(tx)
    .await?;
    Ok(())
}
