//! The tools `edit_note` and `propose_edit`: the same edits, made where the note's owner allows
//! models to, and shown as a proposal everywhere else.

use super::notes::{caller, failed, note_id, text};
use super::{Context, Tool};
use crate::Viewer;
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::{Value, json};
use shared::note::{Propose, Run, RunKind, TextEdit};

fn parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "note_id": { "type": "string" },
            "edits": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "search": {
                            "type": "string",
                            "description": "Text that stands in the note exactly once, quoted to the letter. Empty: the end of the note.",
                        },
                        "replace": { "type": "string", "description": "What comes in its place; empty deletes it." },
                        "insert_after": {
                            "type": "boolean",
                            "description": "Keep what was searched for, and put `replace` after it.",
                        },
                    },
                    "required": ["search", "replace"],
                },
            },
            "reason": { "type": "string", "description": "In a sentence, for the people who see the change." },
        },
        "required": ["note_id", "edits"],
    })
}

fn request(context: &Context<'_>, arguments: &Value) -> Result<Propose, String> {
    let edits: Vec<TextEdit> = arguments["edits"]
        .as_array()
        .ok_or("The argument ‘edits’ is missing: give a list of {search, replace}.")?
        .iter()
        .map(|edit| {
            let replace = edit["replace"].as_str().ok_or("Each edit needs ‘replace’ as a string.")?;
            Ok(TextEdit {
                search: text(edit, "search"),
                replace: crate::text::without_nul(replace.to_owned()),
                insert_after: edit["insert_after"].as_bool().unwrap_or(false),
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Propose { model: context.model.to_owned(), reason: text(arguments, "reason"), edits })
}

fn told(run: &Run, note: shared::NoteId) -> String {
    let (status, hint) = match run.kind {
        RunKind::Edit => ("edited", "The note is changed. The person can undo this as one step."),
        RunKind::Proposal => (
            "proposed",
            "The note is NOT changed yet: these changes are shown in it as a proposal, for the person to accept or reject. Say so.",
        ),
    };
    let changes = run.hunks.len();
    json!({ "status": status, "run_id": run.id, "changes": changes, "url": format!("/n/{note}"), "hint": hint })
        .to_string()
}

pub(super) struct EditNote;

#[async_trait]
impl Tool for EditNote {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "edit_note".into(),
            description: "Changes a note by replacing quoted text, or inserts text after a quoted place or at the end. Where the note does not allow models to edit, the changes become a proposal that the person accepts or rejects; the result says which.".into(),
            parameters: parameters(),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let (note, request) = (note_id(arguments)?, request(context, arguments)?);
        let viewer = Viewer::from(caller(context).await?);
        let run = context.domain.edit_by_model(&viewer, note, Some(context.conversation_id), request).await;
        run.map(|run| told(&run, note)).map_err(|error| failed("edit the note", &error))
    }
}

pub(super) struct ProposeEdit;

#[async_trait]
impl Tool for ProposeEdit {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "propose_edit".into(),
            description: "Shows changes to a note as a proposal that the person accepts or rejects, also where direct edits are allowed.".into(),
            parameters: parameters(),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let (note, request) = (note_id(arguments)?, request(context, arguments)?);
        let viewer = Viewer::from(caller(context).await?);
        let run = context.domain.propose(&viewer, note, Some(context.conversation_id), request).await;
        run.map(|run| told(&run, note)).map_err(|error| failed("propose the changes", &error))
    }
}
