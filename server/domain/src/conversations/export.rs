//! A conversation to take away: Markdown to read, JSON with every variant to process.

use super::path::path;
use super::read;
use crate::{Caller, Domain, Error, Result};
use shared::ConversationId;
use shared::conversation::{Conversation, Message, MessageRole, StepKind};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExportFormat {
    /// The path shown, as a document.
    Markdown,
    /// Every message of the tree.
    Json,
}

#[derive(Clone, Debug)]
pub struct Export {
    pub file_name: String,
    pub content_type: &'static str,
    pub body: String,
}

impl Domain {
    pub async fn export_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
        format: ExportFormat,
    ) -> Result<Export> {
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        let opened = read(&mut tx, id).await?;
        tx.commit().await?;
        let stem = file_stem(opened.summary.display_title());
        Ok(match format {
            ExportFormat::Markdown => Export {
                file_name: format!("{stem}.md"),
                content_type: "text/markdown; charset=utf-8",
                body: markdown(opened.summary.display_title(), &path(&opened.messages, opened.head)),
            },
            ExportFormat::Json => {
                let whole = Conversation { summary: opened.summary, messages: opened.messages, earlier: 0 };
                Export {
                    file_name: format!("{stem}.json"),
                    content_type: "application/json",
                    body: serde_json::to_string_pretty(&whole).map_err(Error::internal)?,
                }
            }
        })
    }
}

fn markdown(title: &str, path: &[&Message]) -> String {
    let mut text = format!("# {title}\n");
    for message in path {
        let who = match (message.role, &message.model) {
            (MessageRole::User, _) => "You",
            (MessageRole::Assistant, Some(model)) => model,
            (MessageRole::Assistant, None) => "Answer",
        };
        text.push_str(&format!("\n## {who}\n\n{}\n", message.content.trim_end()));
        for step in &message.steps {
            if let StepKind::ToolCall(call) = &step.kind {
                text.push_str(&format!("\n> Used the tool `{}` with `{}`\n", call.name, call.arguments));
            }
        }
        if let Some(error) = &message.error {
            text.push_str(&format!("\n> Ended early: {error}\n"));
        }
    }
    text
}

/// A name that every file system takes.
fn file_stem(title: &str) -> String {
    let stem: String = title
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .take(60)
        .collect();
    if stem.is_empty() { "conversation".into() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_holds_no_path() {
        assert_eq!(file_stem("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_stem("Züge & Pläne?"), "Züge-Pläne");
        assert_eq!(file_stem("///"), "conversation");
    }
}
