//! The tools `list_notes`, `read_note` and `create_note`.

use super::{Context, Tool};
use crate::notes::ListNotes as List;
use crate::{Caller, Error, Viewer};
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::{Value, json};
use shared::note::CreateNote as Create;
use shared::{FolderId, NoteId};

/// How much of a note is told at once, in bytes.
const LONGEST_PART: usize = 48 * 1024;

/// Whoever the answer is written for, as the domain knows callers.
pub(super) async fn caller(context: &Context<'_>) -> Result<Caller, String> {
    context.domain.acting_for(context.user_id).await.map_err(|error| failed("look you up", &error))
}

/// What a model is told of a failure.
pub(super) fn failed(what: &str, error: &Error) -> String {
    match error {
        Error::Problem { message, .. } => message.clone(),
        _ => format!("It was not possible to {what} just now. Try again later."),
    }
}

pub(super) fn note_id(arguments: &Value) -> Result<NoteId, String> {
    let id =
        arguments["note_id"].as_str().ok_or("The argument ‘note_id’ is missing: take it from list_notes.")?;
    // Models copy links as often as ids.
    let id = id.trim().trim_start_matches("/n/");
    let id = id.split('#').next().unwrap_or(id);
    id.parse().map_err(|_| format!("‘{id}’ is not the id of a note: take it from list_notes."))
}

pub(super) fn text(arguments: &Value, name: &str) -> String {
    arguments[name].as_str().unwrap_or_default().to_owned()
}

pub(super) struct ListNotes;

#[async_trait]
impl Tool for ListNotes {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_notes".into(),
            description: "Lists the person's notes, and those shared with them: the pinned, then the last changed. Gives each one's id, title, first words, and a url to link to.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "query": { "type": "string", "description": "Only notes with these words in title or text." },
                    "tag": { "type": "string", "description": "Only notes with this tag." },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 50 },
                },
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let caller = caller(context).await?;
        let limit = u32::try_from(arguments["limit"].as_u64().unwrap_or(20).clamp(1, 50)).unwrap_or(20);
        let given = |name: &str| Some(text(arguments, name)).filter(|text| !text.is_empty());
        let list = List { query: given("query"), tag: given("tag"), limit: Some(limit), ..List::default() };
        let page = context.domain.notes(&caller, list).await.map_err(|e| failed("list the notes", &e))?;
        let notes: Vec<Value> = page
            .items
            .iter()
            .map(|note| {
                json!({
                    "note_id": note.id,
                    "title": note.display_title(),
                    "excerpt": note.excerpt,
                    "tags": note.tags,
                    "words": note.words,
                    "access": note.access,
                    "url": format!("/n/{}", note.id),
                })
            })
            .collect();
        Ok(json!({ "notes": notes, "more": page.next_cursor.is_some() }).to_string())
    }
}

pub(super) struct ReadNote;

#[async_trait]
impl Tool for ReadNote {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_note".into(),
            description: "Reads a note as it is now, in Markdown. Always read a note before editing it. A long note is told in parts: go on with the offset that is given.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "note_id": { "type": "string" },
                    "offset": { "type": "integer", "minimum": 0, "description": "Where to go on, in bytes." },
                },
                "required": ["note_id"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let id = note_id(arguments)?;
        let viewer = Viewer::from(caller(context).await?);
        let note = context.domain.note(&viewer, id).await.map_err(|e| failed("read the note", &e))?;
        let whole = note.content;
        let offset = arguments["offset"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        let start = boundary(&whole, offset);
        let end = boundary(&whole, start + LONGEST_PART);
        let mut told = json!({
            "title": note.summary.title,
            "url": format!("/n/{id}"),
            "access": note.summary.access,
            "edits_are": if note.model_edits { "made at once" } else { "proposed for the person to accept" },
            "content": &whole[start..end],
        });
        if end < whole.len() {
            told["next_offset"] = end.into();
        }
        Ok(told.to_string())
    }
}

/// The character boundary at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

pub(super) struct CreateNote;

#[async_trait]
impl Tool for CreateNote {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "create_note".into(),
            description: "Makes a new note for the person, in Markdown, when they ask for one. Gives its id and a url to link to.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "title": { "type": "string" },
                    "content": { "type": "string", "description": "Markdown, without the title as a heading." },
                    "folder_id": { "type": "string" },
                },
                "required": ["title", "content"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let caller = caller(context).await?;
        let folder_id = match arguments["folder_id"].as_str().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                Some(id.parse::<FolderId>().map_err(|_| format!("‘{id}’ is not the id of a folder."))?)
            }
        };
        let request = Create {
            title: text(arguments, "title"),
            content: Some(text(arguments, "content")),
            folder_id,
            ..Create::default()
        };
        let made =
            context.domain.create_note(&caller, request).await.map_err(|e| failed("make the note", &e))?;
        let id = made.summary.id;
        Ok(json!({ "note_id": id, "title": made.summary.title, "url": format!("/n/{id}") }).to_string())
    }
}
