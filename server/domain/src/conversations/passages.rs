//! Messages as passages of the one search index.

use crate::Result;
use shared::conversation::Message;
use shared::{ConversationId, UserId};
use sqlx::PgConnection;

/// Bytes a passage has at most: some 300 words, to be shown whole and ranked finely.
const LONGEST: usize = 2000;
/// Passages that one message yields at most.
const MOST: usize = 2000;

/// Indexes a message in the transaction that stores it.
pub(crate) async fn index(
    tx: &mut PgConnection,
    owner: UserId,
    conversation: ConversationId,
    message: &Message,
) -> Result<()> {
    let (ordinals, passages) = numbered(&message.content);
    if passages.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text)
         SELECT $1, 'message', $2, $3, ordinal, text FROM unnest($4::int[], $5::text[]) AS p (ordinal, text)",
    )
    .bind(owner.0)
    .bind(conversation.0)
    .bind(message.id.0)
    .bind(ordinals)
    .bind(passages)
    .execute(tx)
    .await?;
    Ok(())
}

/// The passages of a text to be indexed, and their numbers.
pub(crate) fn numbered(text: &str) -> (Vec<i32>, Vec<&str>) {
    (0..).zip(passages(text)).take(MOST).unzip()
}

/// Cuts text at paragraphs, else at lines, else at spaces, else at a character.
pub(crate) fn passages(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let mut rest = text.trim();
    while rest.len() > LONGEST {
        let mut limit = LONGEST;
        while !rest.is_char_boundary(limit) {
            limit -= 1;
        }
        let window = &rest[..limit];
        let cut = ["\n\n", "\n", " "]
            .iter()
            .find_map(|mark| window.rfind(mark).filter(|at| *at > LONGEST / 4))
            .unwrap_or(limit);
        passages.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        passages.push(rest);
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_hold_every_word_and_stay_short() {
        let text = "Überall 🚂 words\n\n".repeat(500);
        let cut = passages(&text);
        assert!(cut.iter().all(|p| p.len() <= LONGEST && !p.is_empty()));
        let words = |t: &str| t.split_whitespace().count();
        assert_eq!(cut.iter().map(|p| words(p)).sum::<usize>(), words(&text));
    }

    #[test]
    fn a_text_without_spaces_is_cut_too() {
        assert_eq!(passages(&"é".repeat(3000)).concat(), "é".repeat(3000));
        assert!(passages("  ").is_empty());
    }
}
