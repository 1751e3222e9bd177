//! Making, renaming, pinning, choosing a variant, deleting and restoring.

use super::open::Window;
use super::path::newest_end;
use super::{list::summary_of, lock, read};
use crate::notices::Signal;
use crate::text::without_nul;
use crate::{Caller, Domain, Error, Result};
use shared::conversation::{Conversation, ConversationSummary, CreateConversation, UpdateConversation};
use shared::socket::ServerBody;
use shared::{ConversationId, ErrorCode, MessageId};

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;

impl Domain {
    pub async fn create_conversation(
        &self,
        caller: &Caller,
        request: CreateConversation,
    ) -> Result<Conversation> {
        let title = checked_title(request.title.unwrap_or_default())?;
        let model = self.checked_model(request.model)?.unwrap_or_default();
        let id = ConversationId::new();
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query("INSERT INTO conversations (id, owner_id, title, model) VALUES ($1, $2, $3, $4)")
            .bind(id.0)
            .bind(caller.user_id.0)
            .bind(title)
            .bind(model)
            .execute(&mut *tx)
            .await?;
        let summary = summary_of(&mut tx, id).await?;
        Signal::store_all(&[Signal::chat(caller.user_id, ServerBody::ConversationChanged(summary))], &mut tx)
            .await?;
        self.commit_and_tell(tx).await?;
        self.conversation(caller, id, Window::default()).await
    }

    pub async fn update_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
        change: UpdateConversation,
    ) -> Result<ConversationSummary> {
        let title = change.title.map(checked_title).transpose()?;
        let model = self.checked_model(change.model)?;
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, id).await?;
        let head = match change.head {
            None => None,
            Some(through) => {
                let opened = read(&mut tx, id).await?;
                let mut all = opened.messages;
                all.extend(opened.open.iter().map(super::OpenAnswer::message));
                if !all.iter().any(|m| m.id == through) {
                    return Err(Error::not_found("message"));
                }
                Some(newest_end(&all, through))
            }
        };
        sqlx::query(
            "UPDATE conversations SET title = coalesce($2, title), pinned = coalesce($3, pinned),
                    model = coalesce($4, model), head = coalesce($5, head) WHERE id = $1",
        )
        .bind(id.0)
        .bind(title)
        .bind(change.pinned)
        .bind(model)
        .bind(head.map(|MessageId(id)| id))
        .execute(&mut *tx)
        .await?;
        let summary = summary_of(&mut tx, id).await?;
        Signal::store_all(
            &[Signal::chat(caller.user_id, ServerBody::ConversationChanged(summary.clone()))],
            &mut tx,
        )
        .await?;
        self.commit_and_tell(tx).await?;
        Ok(summary)
    }

    /// Puts the conversation into the bin; its answers are stopped.
    pub async fn delete_conversation(&self, caller: &Caller, id: ConversationId) -> Result<()> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, id).await?;
        sqlx::query("UPDATE conversations SET deleted_at = coalesce(deleted_at, now()) WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        let open = read(&mut tx, id).await?.open;
        Signal::store_all(&[Signal::chat(caller.user_id, ServerBody::ConversationDeleted { id })], &mut tx)
            .await?;
        self.commit_and_tell(tx).await?;
        for answer in open.iter().rev() {
            self.stop_answer(caller, id, answer.id).await?;
        }
        Ok(())
    }

    pub async fn restore_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
    ) -> Result<ConversationSummary> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        lock(&mut tx, id).await?;
        sqlx::query("UPDATE conversations SET deleted_at = NULL WHERE id = $1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        let summary = summary_of(&mut tx, id).await?;
        Signal::store_all(
            &[Signal::chat(caller.user_id, ServerBody::ConversationChanged(summary.clone()))],
            &mut tx,
        )
        .await?;
        self.commit_and_tell(tx).await?;
        Ok(summary)
    }

    /// The model's full name; empty stays empty and means the server's default.
    fn checked_model(&self, model: Option<String>) -> Result<Option<String>> {
        match model {
            None => Ok(None),
            Some(model) if model.is_empty() => Ok(Some(model)),
            Some(model) => self.inner.providers.choose(&model).map(|choice| Some(choice.id())),
        }
    }
}

pub(crate) fn refuse_deleted(summary: &ConversationSummary) -> Result<()> {
    if summary.deleted_at.is_none() {
        return Ok(());
    }
    Err(Error::problem(ErrorCode::Conflict, "This conversation is in the bin. Restore it to go on."))
}

fn checked_title(title: String) -> Result<String> {
    let title = without_nul(title).split_whitespace().collect::<Vec<_>>().join(" ");
    if title.chars().count() > LONGEST_TITLE {
        return Err(Error::invalid("title", format!("A title has at most {LONGEST_TITLE} characters.")));
    }
    Ok(title)
}
