//! Titles: made by the model after the first answer; by the first words where there is no model.

use crate::conversations::path::path;
use crate::conversations::{lock, read, summary_of};
use crate::jobs::{Job, Kind};
use crate::notices::Signal;
use crate::providers::Choice;
use crate::text::{first_words, without_nul};
use crate::{Domain, Result};
use futures::StreamExt;
use models::{Chunk, Prompt, Turn};
use serde_json::json;
use shared::conversation::Message;
use shared::socket::ServerBody;
use shared::{ConversationId, UserId};

/// Characters that a title has at most.
const LONGEST: usize = 60;

pub(super) fn job(user: UserId, conversation: ConversationId) -> Job {
    Job {
        kind: Kind::Title,
        user_id: Some(user),
        payload: json!({ "conversation_id": conversation }),
        dedupe_key: Some(format!("title {conversation}")),
    }
}

impl Domain {
    /// Gives a conversation a title, unless it has one by now.
    pub(crate) async fn make_title(&self, user: UserId, conversation: ConversationId) -> Result<()> {
        let mut tx = self.inner.db.as_user(user).await?;
        let opened = read(&mut tx, conversation).await?;
        tx.commit().await?;
        if !opened.summary.title.is_empty() {
            return Ok(());
        }
        let shown = path(&opened.messages, opened.head);
        let Some(first) = shown.first() else { return Ok(()) };
        let model = shown.iter().find_map(|m| m.model.as_deref()).unwrap_or_default();
        let made = match self.inner.providers.choose(model) {
            Ok(choice @ Choice::Model { .. }) => match self.ask_for_title(&choice, &shown).await {
                Ok(made) => made,
                Err(error) => {
                    // A conversation without a title is worse than one named by its first words.
                    tracing::info!(%conversation, %error, "no title could be made");
                    None
                }
            },
            Ok(Choice::BuiltIn) | Err(_) => None,
        };
        let title = made.unwrap_or_else(|| first_words(&plain(&first.content), LONGEST));
        let mut tx = self.inner.db.as_user(user).await?;
        lock(&mut tx, conversation).await?;
        // The person may have given one meanwhile; theirs stays.
        sqlx::query("UPDATE conversations SET title = $2 WHERE id = $1 AND title = ''")
            .bind(conversation.0)
            .bind(title)
            .execute(&mut *tx)
            .await?;
        let summary = summary_of(&mut tx, conversation).await?;
        Signal::store_all(&[Signal::chat(user, ServerBody::ConversationChanged(summary))], &mut tx).await?;
        self.commit_and_tell(tx).await?;
        Ok(())
    }

    async fn ask_for_title(
        &self,
        choice: &Choice,
        shown: &[&Message],
    ) -> Result<Option<String>, models::Error> {
        let Choice::Model { provider, model } = choice else { return Ok(None) };
        let excerpt = |m: &&Message| format!("{}\n", m.content.chars().take(1500).collect::<String>());
        let prompt = Prompt {
            system: "Give the conversation a title of at most six words, in its own language. Answer with the title alone: no quotes, no full stop.".into(),
            turns: vec![Turn::User(shown.iter().take(2).map(excerpt).collect())],
            tools: [].into(),
            // Models that think first need room for it.
            max_tokens: 1024,
        };
        let mut stream = self.open_with_keys(provider, model, &prompt).await?;
        let mut text = String::new();
        while let Some(chunk) = stream.next().await {
            if let Chunk::Text(more) = chunk? {
                text.push_str(&more);
            }
            if text.len() > 1000 {
                break;
            }
        }
        let title = first_words(plain(&without_nul(text)).trim_matches(['"', '“', '”', '.', ' ']), LONGEST);
        Ok(Some(title).filter(|title| !title.is_empty()))
    }
}

/// The first line with letters, without the marks of Markdown.
fn plain(text: &str) -> String {
    let line = text.lines().find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or_default();
    line.chars().filter(|c| !matches!(c, '#' | '*' | '`' | '_' | '>')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_a_line_without_marks() {
        assert_eq!(plain("\n---\n# **Trip** to `Lisbon`\nmore"), " Trip to Lisbon");
        assert_eq!(plain(""), "");
    }
}
