//! The prompt that a model would be given now, for the meter beside the field and for whoever writes instructions.

use super::attachments::seen;
use super::give::{Question, part};
use super::settings::{asker, checked};
use crate::answers::{PreviewOf, preview_prompt};
use crate::conversations::read;
use crate::passages::tokens;
use crate::{Caller, Domain, Error, Result, Viewer};
use models::Turn;
use shared::context::{Extent, PartKind, PreviewPrompt, PromptPreview};

/// What is asked where nothing is yet.
const LONGEST_CONTENT: usize = 1 << 20;

impl Domain {
    pub async fn preview_prompt(&self, caller: &Caller, wanted: PreviewPrompt) -> Result<PromptPreview> {
        if wanted.content.len() > LONGEST_CONTENT {
            return Err(Error::invalid("content", "A message has at most 1 MB."));
        }
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let opened = match wanted.conversation_id {
            Some(id) => Some(read(&mut tx, id).await?),
            None => None,
        };
        let mut person = asker(&mut tx).await?;
        let attachments = seen(&mut tx, &wanted.attachments).await?;
        tx.commit().await?;
        if let Some(instructions) = wanted.instructions {
            person.instructions = checked(instructions)?;
        }
        let named = wanted.model.filter(|model| !model.is_empty());
        let named = named.or_else(|| opened.as_ref().map(|opened| opened.summary.model.clone()));
        let choice = match self.inner.providers.choose(named.as_deref().unwrap_or_default()) {
            Ok(choice) => choice,
            Err(_) => self.inner.providers.choose("")?,
        };
        let note = match wanted.note_id {
            Some(id) => Some(self.note(&Viewer::from(caller.clone()), id).await?),
            None => None,
        };
        let of = PreviewOf {
            opened: opened.as_ref(),
            person: &person.person(),
            content: &wanted.content,
            note: note.as_ref(),
        };
        let (mut prompt, messages) = preview_prompt(of, crate::tools::specs());
        let beside = note.as_ref().map(|note| {
            let title = note.summary.display_title();
            let tokens = prompt.turns.last().map_or(0, |turn| match turn {
                Turn::User(text) => tokens(text).saturating_sub(tokens(&wanted.content)),
                _ => 0,
            });
            part(PartKind::OpenNote, title, tokens, Extent::Whole)
        });
        let question = Question {
            choice,
            conversation: wanted.conversation_id,
            text: wanted.content,
            of_person: person,
            attachments,
            has_attachments: true,
            messages,
            turns_after: 0,
            document: note.as_ref().map(|note| note.summary.display_title().to_owned()),
            parts: beside.into_iter().collect(),
        };
        let given = self.give(caller.user_id, &question, &mut prompt).await;
        if !wanted.text {
            return Ok(PromptPreview { given, system: String::new(), message: String::new() });
        }
        let message = match prompt.turns.pop() {
            Some(Turn::User(text)) => text,
            _ => String::new(),
        };
        Ok(PromptPreview { given, system: prompt.system, message })
    }
}
