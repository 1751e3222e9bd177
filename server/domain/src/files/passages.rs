//! What was read in a file, as passages of the one search index.

use super::place::{Spot, spot};
use crate::Result;
use crate::passages::{CUTTER, MOST_TOKENS, tokens};
use embeddings::Shape;
use extract::{Document, Kind};
use shared::{FileId, PageId, UserId};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Passages that one file yields at most.
const MOST: usize = 20_000;

/// What passages are of, where one thing is one source and one part.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    kind: &'static str,
    id: Uuid,
}

impl From<FileId> for Source {
    fn from(FileId(id): FileId) -> Self {
        Self { kind: "file", id }
    }
}

impl From<PageId> for Source {
    fn from(PageId(id): PageId) -> Self {
        Self { kind: "page", id }
    }
}

/// A passage, and where it stands.
#[derive(Debug, PartialEq)]
pub(crate) struct Passage {
    pub text: String,
    pub spot: Spot,
}

/// Cuts what was read along its sections.
pub(crate) fn passages(document: &Document) -> Vec<Passage> {
    let shape = match document.kind {
        Kind::Code => Shape::Code,
        Kind::Pdf | Kind::Text => Shape::Prose,
        _ => Shape::Markdown,
    };
    let sections = document.sections.iter().zip(1..);
    let cut = sections.flat_map(|(section, number)| {
        let place = spot(&section.place, number);
        let text = if shape == Shape::Code { unfenced(&section.markdown) } else { &section.markdown };
        let parts = embeddings::passages(text, shape, &tokens, MOST_TOKENS);
        parts.into_iter().map(move |part| Passage { text: part.text, spot: place.clone() })
    });
    cut.take(MOST).collect()
}

/// Source code without the fence that shows it as code.
fn unfenced(markdown: &str) -> &str {
    let inside = markdown.trim().strip_prefix("```").and_then(|rest| rest.split_once('\n'));
    inside.map_or(markdown, |(_, code)| code.trim_end_matches('`').trim_end())
}

/// What a source's passages are dated by, whenever they are cut: when it came. `$1` is its id.
macro_rules! came {
    () => {
        "(SELECT created_at FROM files WHERE id = $1 UNION ALL SELECT created_at FROM pages WHERE id = $1) AS came"
    };
}

/// The name is a passage of its own, at 0; whether it was not there.
pub(crate) async fn write_name(
    tx: &mut PgConnection,
    owner: UserId,
    source: impl Into<Source>,
    name: &str,
) -> Result<bool> {
    let source = source.into();
    sqlx::query("DELETE FROM chunks WHERE part_id = $1 AND ordinal = 0 AND text <> $2")
        .bind(source.id)
        .bind(name)
        .execute(&mut *tx)
        .await?;
    let written = sqlx::query(concat!(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, created_at)
         SELECT $2, $4, $1, $1, 0, $3, came.created_at FROM ",
        came!(),
        " ON CONFLICT (part_id, ordinal) DO NOTHING"
    ))
    .bind(source.id)
    .bind(owner.0)
    .bind(name)
    .bind(source.kind)
    .execute(tx)
    .await?;
    Ok(written.rows_affected() > 0)
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: i64,
    ordinal: i32,
    text: String,
    place: Option<Json<Spot>>,
}

/// What to do with the rows of passages.
#[derive(Debug, Default, PartialEq)]
struct Plan<'a> {
    gone: Vec<i64>,
    moved: Vec<(i64, i32, &'a Spot)>,
    new: Vec<(i32, &'a Passage)>,
}

/// Passages count from 1. One whose text is there already keeps its row, and with it its vector.
fn plan<'a>(stored: &[Stored], passages: &'a [Passage]) -> Plan<'a> {
    let mut rows: HashMap<&str, VecDeque<&Stored>> = HashMap::new();
    for row in stored {
        rows.entry(&row.text).or_default().push_back(row);
    }
    let mut plan = Plan::default();
    for (ordinal, passage) in (1..).zip(passages) {
        match rows.get_mut(passage.text.as_str()).and_then(VecDeque::pop_front) {
            Some(row)
                if row.ordinal == ordinal && row.place.as_ref().is_some_and(|p| p.0 == passage.spot) => {}
            Some(row) => plan.moved.push((row.id, ordinal, &passage.spot)),
            None => plan.new.push((ordinal, passage)),
        }
    }
    plan.gone = rows.into_values().flatten().map(|row| row.id).collect();
    plan
}

/// Whether the rows are these passages already.
pub(crate) async fn are_written(
    tx: &mut PgConnection,
    source: impl Into<Source>,
    passages: &[Passage],
) -> Result<bool> {
    Ok(plan(&stored(tx, source.into().id).await?, passages) == Plan::default())
}

async fn stored(tx: &mut PgConnection, source: Uuid) -> Result<Vec<Stored>> {
    Ok(sqlx::query_as(
        "SELECT id, ordinal, text, place FROM chunks WHERE part_id = $1 AND ordinal > 0 ORDER BY ordinal",
    )
    .bind(source)
    .fetch_all(tx)
    .await?)
}

/// Makes the rows be these passages; how many were written. What stays is not touched.
pub(crate) async fn write(
    tx: &mut PgConnection,
    owner: UserId,
    source: impl Into<Source>,
    passages: &[Passage],
) -> Result<usize> {
    let source = source.into();
    let stored = stored(tx, source.id).await?;
    let Plan { gone, moved, new } = plan(&stored, passages);
    let written = new.len();
    if !gone.is_empty() {
        sqlx::query("DELETE FROM chunks WHERE id = ANY ($1)").bind(&gone).execute(&mut *tx).await?;
    }
    if !moved.is_empty() {
        let ids: Vec<i64> = moved.iter().map(|(id, ..)| *id).collect();
        let ordinals: Vec<i32> = moved.iter().map(|(_, ordinal, _)| *ordinal).collect();
        let places: Vec<Json<&Spot>> = moved.iter().map(|(.., spot)| Json(*spot)).collect();
        // Out of the way first: two passages may change places.
        sqlx::query("UPDATE chunks SET ordinal = -ordinal WHERE id = ANY ($1)")
            .bind(&ids)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "UPDATE chunks c SET ordinal = m.ordinal, place = m.place
             FROM unnest($1::bigint[], $2::int[], $3::jsonb[]) AS m (id, ordinal, place) WHERE c.id = m.id",
        )
        .bind(ids)
        .bind(ordinals)
        .bind(places)
        .execute(&mut *tx)
        .await?;
    }
    // In portions: one statement holds as many parameters as fit into memory comfortably.
    for portion in new.chunks(1000) {
        let ordinals: Vec<i32> = portion.iter().map(|(ordinal, _)| *ordinal).collect();
        let texts: Vec<&str> = portion.iter().map(|(_, passage)| passage.text.as_str()).collect();
        let places: Vec<Json<&Spot>> = portion.iter().map(|(_, passage)| Json(&passage.spot)).collect();
        sqlx::query(concat!(
            "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, place, cut_by, created_at)
             SELECT $2, $6, $1, $1, p.ordinal, p.text, p.place, $7, came.created_at
             FROM unnest($3::int[], $4::text[], $5::jsonb[]) AS p (ordinal, text, place), ",
            came!()
        ))
        .bind(source.id)
        .bind(owner.0)
        .bind(ordinals)
        .bind(texts)
        .bind(places)
        .bind(source.kind)
        .bind(CUTTER)
        .execute(&mut *tx)
        .await?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_page(number: u32, text: &str) -> Passage {
        Passage { text: text.into(), spot: spot(&extract::Place::Page { number }, 1) }
    }

    #[test]
    fn what_stays_is_not_touched_and_what_moved_keeps_its_row() {
        let before = [on_page(1, "a"), on_page(1, "b"), on_page(2, "c")];
        let stored: Vec<Stored> = before
            .iter()
            .zip(1..)
            .map(|(passage, ordinal)| Stored {
                id: i64::from(ordinal) + 10,
                ordinal,
                text: passage.text.clone(),
                place: Some(Json(passage.spot.clone())),
            })
            .collect();
        assert_eq!(plan(&stored, &before), Plan::default());
        let after = [on_page(1, "a"), on_page(2, "b"), on_page(2, "new")];
        let Plan { gone, moved, new } = plan(&stored, &after);
        assert_eq!(gone, [13]);
        assert_eq!(moved, [(12, 2, &after[1].spot)]);
        assert_eq!(new, [(3, &after[2])]);
    }
}
