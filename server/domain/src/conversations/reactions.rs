//! Reactions on messages.

use super::{lock, read};
use crate::notices::Signal;
use crate::{Caller, Domain, Error, Result};
use shared::conversation::{Message, Reaction};
use shared::socket::ServerBody;
use shared::{ConversationId, MessageId};
use sqlx::types::Json;

/// What is done with a reaction.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Set,
    Clear,
}

impl Domain {
    pub async fn set_reaction(
        &self,
        caller: &Caller,
        id: ConversationId,
        message: MessageId,
        emoji: &str,
    ) -> Result<Message> {
        self.change_reaction(caller, id, message, emoji, Change::Set).await
    }

    pub async fn clear_reaction(
        &self,
        caller: &Caller,
        id: ConversationId,
        message: MessageId,
        emoji: &str,
    ) -> Result<Message> {
        self.change_reaction(caller, id, message, emoji, Change::Clear).await
    }

    async fn change_reaction(
        &self,
        caller: &Caller,
        id: ConversationId,
        message: MessageId,
        emoji: &str,
        change: Change,
    ) -> Result<Message> {
        if !is_emoji(emoji) {
            return Err(Error::invalid("emoji", "A reaction is one emoji."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, id).await?;
        let opened = read(&mut tx, id).await?;
        let (place, found) = opened
            .messages
            .into_iter()
            .enumerate()
            .find(|(_, m)| m.id == message)
            .ok_or_else(|| Error::not_found("finished message"))?;
        let mut found = found;
        found.reactions.retain(|r| !(r.emoji == emoji && r.user_id == caller.user_id));
        if change == Change::Set {
            if found.reactions.len() >= 50 {
                return Err(Error::invalid("emoji", "A message has at most 50 reactions."));
            }
            found.reactions.push(Reaction { emoji: emoji.to_owned(), user_id: caller.user_id });
        }
        sqlx::query(
            "UPDATE conversations SET messages = jsonb_set(messages, ARRAY[$2, 'reactions'], $3) WHERE id = $1",
        )
        .bind(id.0)
        .bind(place.to_string())
        .bind(Json(&found.reactions))
        .execute(&mut *tx)
        .await?;
        let summary = super::summary_of(&mut tx, id).await?;
        Signal::store_all(&[Signal::chat(caller.user_id, ServerBody::ConversationChanged(summary))], &mut tx)
            .await?;
        self.commit_and_tell(tx).await?;
        Ok(found)
    }
}

/// One emoji, joined and modified ones included; never text.
fn is_emoji(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.chars().count() <= 10
        && !text.chars().any(|c| c.is_alphanumeric() || c.is_whitespace() || c.is_control() || c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_is_an_emoji_and_no_text() {
        for emoji in ["👍", "❤️", "👩‍🚀", "🤔"] {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for text in ["", "ok", "<b>", " ", "é", "\0", "👍👍👍👍👍👍👍👍👍👍👍👍"] {
            assert!(!is_emoji(text), "{text:?}");
        }
    }
}
