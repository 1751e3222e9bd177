//! A note's passages in the one search index, as the role of the rooms. A passage that stays keeps its
//! row, so that what is made of its words is made once.

use crate::Result;
use shared::NoteId;
use sqlx::PgConnection;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// The title is a passage of its own, at 0.
pub(super) async fn write_title(tx: &mut PgConnection, note: NoteId, owner: Uuid, title: &str) -> Result<()> {
    sqlx::query(
        "DELETE FROM chunks WHERE part_id = $1 AND source_kind = 'note' AND ordinal = 0 AND text <> $2",
    )
    .bind(note.0)
    .bind(title)
    .execute(&mut *tx)
    .await?;
    if !title.is_empty() {
        sqlx::query(
            "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text)
             VALUES ($2, 'note', $1, $1, 0, $3) ON CONFLICT (part_id, ordinal) DO NOTHING",
        )
        .bind(note.0)
        .bind(owner)
        .bind(title)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// What to do with the rows of passages.
#[derive(Debug, Default, PartialEq)]
struct PassagePlan<'a> {
    gone: Vec<i64>,
    moved: Vec<(i64, i32)>,
    new: Vec<(i32, &'a str)>,
}

/// Passages count from 1. A passage whose text is there already keeps its row, wherever it stands.
fn plan<'a>(stored: &[(i64, i32, String)], passages: &[&'a str]) -> PassagePlan<'a> {
    let mut rows: HashMap<&str, VecDeque<(i64, i32)>> = HashMap::new();
    for (id, ordinal, text) in stored {
        rows.entry(text).or_default().push_back((*id, *ordinal));
    }
    let mut plan = PassagePlan::default();
    for (ordinal, text) in (1..).zip(passages) {
        match rows.get_mut(text).and_then(VecDeque::pop_front) {
            Some((_, old)) if old == ordinal => {}
            Some((id, _)) => plan.moved.push((id, ordinal)),
            None => plan.new.push((ordinal, text)),
        }
    }
    plan.gone = rows.into_values().flatten().map(|(id, _)| id).collect();
    plan
}

pub(super) async fn write_passages(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    passages: &[&str],
) -> Result<()> {
    let stored: Vec<(i64, i32, String)> = sqlx::query_as(
        "SELECT id, ordinal, text FROM chunks WHERE part_id = $1 AND source_kind = 'note' AND ordinal > 0 ORDER BY ordinal",
    )
    .bind(note.0)
    .fetch_all(&mut *tx)
    .await?;
    let plan = plan(&stored, passages);
    if !plan.gone.is_empty() {
        sqlx::query("DELETE FROM chunks WHERE id = ANY ($1)").bind(&plan.gone).execute(&mut *tx).await?;
    }
    if !plan.moved.is_empty() {
        let (ids, ordinals): (Vec<i64>, Vec<i32>) = plan.moved.into_iter().unzip();
        // Out of the way first: two passages may change places.
        sqlx::query("UPDATE chunks SET ordinal = -ordinal WHERE id = ANY ($1)")
            .bind(&ids)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "UPDATE chunks c SET ordinal = m.ordinal FROM unnest($1::bigint[], $2::int[]) AS m (id, ordinal) WHERE c.id = m.id",
        )
        .bind(ids)
        .bind(ordinals)
        .execute(&mut *tx)
        .await?;
    }
    insert_passages(tx, note, owner, plan.new).await
}

pub(super) async fn insert_passages(
    tx: &mut PgConnection,
    note: NoteId,
    owner: Uuid,
    passages: Vec<(i32, &str)>,
) -> Result<()> {
    if passages.is_empty() {
        return Ok(());
    }
    let (ordinals, texts): (Vec<i32>, Vec<&str>) = passages.into_iter().unzip();
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text)
         SELECT $2, 'note', $1, $1, p.ordinal, p.text FROM unnest($3::int[], $4::text[]) AS p (ordinal, text)",
    )
    .bind(note.0)
    .bind(owner)
    .bind(ordinals)
    .bind(texts)
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_that_stays_keeps_its_row() {
        let stored = [(7, 1, "a".to_owned()), (8, 2, "b".to_owned()), (9, 3, "a".to_owned())];
        assert_eq!(plan(&stored, &["a", "b", "a"]), PassagePlan::default());
        let changed = plan(&stored, &["new", "a", "c", "a"]);
        assert_eq!(changed.gone, [8]);
        assert_eq!(changed.moved, [(7, 2), (9, 4)]);
        assert_eq!(changed.new, [(1, "new"), (3, "c")]);
    }
}
