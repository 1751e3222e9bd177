//! What points at a note: links to it, and its title in the text of other notes.

use super::access::require;
use super::markup::{LinkKind, Markup};
use crate::text::first_words;
use crate::{Caller, Domain, Result};
use shared::NoteId;
use shared::note::{Access, Backlink, Backlinks};
use uuid::Uuid;

/// Notes listed of each kind.
const MOST: i64 = 200;
/// Titles shorter than this stand in too many texts to mean the note.
const SHORTEST_MENTION: usize = 3;
/// Characters of a line that are shown.
const LINE: usize = 200;

impl Domain {
    pub async fn backlinks(&self, caller: &Caller, id: NoteId) -> Result<Backlinks> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        require(&mut tx, id, Access::View).await?;
        let title: String = sqlx::query_scalar("SELECT title FROM notes WHERE id = $1")
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
        let linked: Vec<(Uuid, String, String, Vec<String>)> = sqlx::query_as(
            "SELECT n.id, n.title, n.markdown, array_agg(l.to_title)
             FROM notes n JOIN note_links l ON l.from_id = n.id
             WHERE l.to_id = $1 AND n.deleted_at IS NULL AND n.id <> $1
             GROUP BY n.id ORDER BY n.updated_at DESC LIMIT $2",
        )
        .bind(id.0)
        .bind(MOST)
        .fetch_all(&mut *tx)
        .await?;
        let named: Vec<(Uuid, String, String)> = if title.chars().count() < SHORTEST_MENTION {
            Vec::new()
        } else {
            sqlx::query_as(
                "SELECT n.id, n.title, n.markdown FROM notes n
                 WHERE n.id IN (SELECT notes_with_words('\"' || replace($2, '\"', ' ') || '\"'))
                   AND n.id <> $1 AND n.deleted_at IS NULL AND n.kind <> 'template'
                   AND NOT EXISTS (SELECT FROM note_links l WHERE l.from_id = n.id AND l.to_id = $1)
                   AND strpos(lower(n.markdown), lower($2)) > 0
                 ORDER BY n.updated_at DESC LIMIT $3",
            )
            .bind(id.0)
            .bind(&title)
            .bind(MOST)
            .fetch_all(&mut *tx)
            .await?
        };
        tx.commit().await?;
        Ok(Backlinks {
            linked: linked
                .into_iter()
                .map(|(id, title, text, names)| Backlink {
                    id: NoteId(id),
                    title,
                    line: linking_line(&text, &names),
                })
                .collect(),
            unlinked: named
                .into_iter()
                .filter_map(|(id, name, text)| {
                    let line = mentioning_line(&text, &title)?;
                    Some(Backlink { id: NoteId(id), title: name, line })
                })
                .collect(),
        })
    }
}

/// The line of the first link by one of these names.
fn linking_line(text: &str, names: &[String]) -> String {
    let link = Markup::of(text)
        .links
        .into_iter()
        .find(|link| link.kind == LinkKind::Wikilink && names.contains(&link.key(text)));
    link.map(|link| line_at(text, link.name.start)).unwrap_or_default()
}

/// The first line that has the title as words of their own.
fn mentioning_line(text: &str, title: &str) -> Option<String> {
    let title = title.to_lowercase();
    text.lines().find_map(|line| {
        let lower = line.to_lowercase();
        let stands = lower.match_indices(&title).any(|(at, found)| {
            let before = lower[..at].chars().next_back();
            let after = lower[at + found.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        });
        stands.then(|| first_words(line, LINE))
    })
}

fn line_at(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    first_words(&text[start..end], LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_points_is_shown() {
        let text = "# One\n\nSee [[The Plan|it]] soon.\nThe plan is good, the planner too.";
        assert_eq!(linking_line(text, &["the plan".into()]), "See [[The Plan|it]] soon.");
        assert_eq!(mentioning_line("a\nThe Plan is\n", "the plan").as_deref(), Some("The Plan is"));
        assert_eq!(mentioning_line("the planner", "The Plan"), None);
    }
}
