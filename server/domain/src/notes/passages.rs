//! A note's passages in the one search index, as the role of the rooms. A passage that stays keeps its
//! row, so that what is made of its words is made once; a new one is dated by the note's last change.

use super::markup::Passage;
use crate::Result;
use crate::files::Spot;
use crate::passages::CUTTER;
use shared::NoteId;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::{HashMap, VecDeque};
use time::OffsetDateTime;
use uuid::Uuid;

/// The title is a passage of its own, at 0.
pub(super) async fn write_title(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    title: &str,
    changed: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "DELETE FROM chunks WHERE part_id = $1 AND source_kind = 'note' AND ordinal = 0 AND text <> $2",
    )
    .bind(note.0)
    .bind(title)
    .execute(&mut *tx)
    .await?;
    if !title.is_empty() {
        sqlx::query(
            "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, created_at)
             VALUES ($2, 'note', $1, $1, 0, $3, $4) ON CONFLICT (part_id, ordinal) DO NOTHING",
        )
        .bind(note.0)
        .bind(owner)
        .bind(title)
        .bind(changed)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// What to do with the rows of passages.
#[derive(Debug, Default, PartialEq)]
struct PassagePlan<'a> {
    gone: Vec<i64>,
    /// Also where only the heading above is another.
    moved: Vec<(i64, i32, Option<&'a Spot>)>,
    new: Vec<(i32, &'a Passage<'a>)>,
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: i64,
    ordinal: i32,
    text: String,
    place: Option<Json<Spot>>,
}

/// Passages count from 1. A passage whose text is there already keeps its row, wherever it stands.
fn plan<'a>(stored: &[Stored], passages: &'a [Passage<'a>]) -> PassagePlan<'a> {
    let mut rows: HashMap<&str, VecDeque<&Stored>> = HashMap::new();
    for row in stored {
        rows.entry(&row.text).or_default().push_back(row);
    }
    let mut plan = PassagePlan::default();
    for (ordinal, passage) in (1..).zip(passages) {
        let spot = passage.spot.as_ref();
        match rows.get_mut(passage.text).and_then(VecDeque::pop_front) {
            Some(row) if row.ordinal == ordinal && row.place.as_ref().map(|place| &place.0) == spot => {}
            Some(row) => plan.moved.push((row.id, ordinal, spot)),
            None => plan.new.push((ordinal, passage)),
        }
    }
    plan.gone = rows.into_values().flatten().map(|row| row.id).collect();
    plan
}

pub(super) async fn write_passages(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    passages: &[Passage<'_>],
    changed: OffsetDateTime,
) -> Result<()> {
    let stored: Vec<Stored> = sqlx::query_as(
        "SELECT id, ordinal, text, place FROM chunks WHERE part_id = $1 AND source_kind = 'note' AND ordinal > 0 ORDER BY ordinal",
    )
    .bind(note.0)
    .fetch_all(&mut *tx)
    .await?;
    let plan = plan(&stored, passages);
    if !plan.gone.is_empty() {
        sqlx::query("DELETE FROM chunks WHERE id = ANY ($1)").bind(&plan.gone).execute(&mut *tx).await?;
    }
    if !plan.moved.is_empty() {
        let ids: Vec<i64> = plan.moved.iter().map(|(id, ..)| *id).collect();
        let ordinals: Vec<i32> = plan.moved.iter().map(|(_, ordinal, _)| *ordinal).collect();
        let places: Vec<Option<Json<&Spot>>> = plan.moved.iter().map(|(.., spot)| spot.map(Json)).collect();
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
    insert_passages(tx, note, owner, plan.new, changed).await
}

pub(super) async fn insert_passages(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    passages: Vec<(i32, &Passage<'_>)>,
    changed: OffsetDateTime,
) -> Result<()> {
    if passages.is_empty() {
        return Ok(());
    }
    let (ordinals, passages): (Vec<i32>, Vec<&Passage<'_>>) = passages.into_iter().unzip();
    let texts: Vec<&str> = passages.iter().map(|passage| passage.text).collect();
    let places: Vec<Option<Json<&Spot>>> =
        passages.iter().map(|passage| passage.spot.as_ref().map(Json)).collect();
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text, place, cut_by, created_at)
         SELECT $2, 'note', $1, $1, p.ordinal, p.text, p.place, $6, $7
         FROM unnest($3::int[], $4::text[], $5::jsonb[]) AS p (ordinal, text, place)",
    )
    .bind(note.0)
    .bind(owner)
    .bind(ordinals)
    .bind(texts)
    .bind(places)
    .bind(CUTTER)
    .bind(changed)
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage<'a>(text: &'a str, under: Option<&str>) -> Passage<'a> {
        let spot = under.map(|label| Spot { anchor: format!("h-{label}"), label: label.to_owned() });
        Passage { text, spot }
    }

    fn stored(id: i64, ordinal: i32, text: &str, under: Option<&str>) -> Stored {
        let place = passage("", under).spot.map(Json);
        Stored { id, ordinal, text: text.to_owned(), place }
    }

    #[test]
    fn a_passage_that_stays_keeps_its_row() {
        let stored = [stored(7, 1, "a", None), stored(8, 2, "b", Some("x")), stored(9, 3, "a", Some("x"))];
        let same = [passage("a", None), passage("b", Some("x")), passage("a", Some("x"))];
        assert_eq!(plan(&stored, &same), PassagePlan::default());
        let other = [passage("new", None), passage("a", None), passage("c", None), passage("a", Some("x"))];
        let changed = plan(&stored, &other);
        assert_eq!(changed.gone, [8]);
        assert_eq!(changed.moved, [(7, 2, None), (9, 4, other[3].spot.as_ref())]);
        assert_eq!(changed.new, [(1, &other[0]), (3, &other[2])]);
    }

    #[test]
    fn a_heading_that_is_renamed_leaves_the_rows_below_it() {
        let stored = [stored(7, 1, "a", Some("x"))];
        let renamed = [passage("a", Some("y"))];
        let plan = plan(&stored, &renamed);
        assert_eq!((plan.gone.len(), plan.new.len()), (0, 0));
        assert_eq!(plan.moved, [(7, 1, renamed[0].spot.as_ref())]);
    }
}
