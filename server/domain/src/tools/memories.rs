//! The tools `remember`, `recall` and `forget`. The last one asks the person, and says so.

use super::notes::{failed, text};
use super::{Context, Tool};
use crate::memories::{Origin, Statement};
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::{Value, json};
use shared::MemoryId;
use shared::memory::{MemoryOutcome, MemoryScope};

/// How much of one memory a model is told, in characters.
const LONGEST_TOLD: usize = 2000;

fn memory_id(arguments: &Value, name: &str) -> Result<MemoryId, String> {
    let id = arguments[name]
        .as_str()
        .ok_or_else(|| format!("The argument ‘{name}’ is missing: take it from recall."))?;
    let id = id.trim().trim_start_matches("/memories/");
    id.parse().map_err(|_| format!("‘{id}’ is not the id of a memory: take it from recall."))
}

fn scope(arguments: &Value) -> Result<MemoryScope, String> {
    match arguments["scope"].as_str().filter(|scope| !scope.is_empty()) {
        None => Ok(MemoryScope::Person),
        Some(kind) => MemoryScope::of(kind, text(arguments, "scope_name").trim())
            .ok_or_else(|| "A scope is person, workspace, project or agent.".to_owned()),
    }
}

pub(super) struct Remember;

#[async_trait]
impl Tool for Remember {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "remember".into(),
            description: "Keeps a lasting fact for later conversations, when the person asks to have something remembered. One short sentence that can be understood by itself. What contradicts a memory takes its place, what repeats one changes nothing.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "content": { "type": "string", "description": "Such as: I live in Lisbon. In the person's language and from their point of view." },
                    "replaces": { "type": "string", "description": "The memory_id of what is no longer so, from recall." },
                    "scope": { "type": "string", "enum": ["person", "workspace", "project", "agent"] },
                    "scope_name": { "type": "string", "description": "Of the project or the agent." },
                },
                "required": ["content"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let content = text(arguments, "content");
        let origin = Origin::message(context.conversation_id, context.asked_by);
        let made = Statement::new(content, origin).map_err(|e| failed("keep this", &e))?;
        let supersedes = match arguments["replaces"].as_str().filter(|id| !id.is_empty()) {
            Some(_) => Some(memory_id(arguments, "replaces")?),
            None => None,
        };
        let statement = Statement { supersedes, scope: scope(arguments)?, ..made };
        let kept = context.domain.keep_statement(context.user_id, &statement).await;
        let kept = kept.map_err(|e| failed("keep this", &e))?;
        let status = match kept.outcome {
            MemoryOutcome::Kept => "kept",
            MemoryOutcome::Merged => "known already",
            MemoryOutcome::Superseded => "kept in place of what was so before",
        };
        let id = kept.memory.id;
        Ok(json!({ "memory_id": id, "status": status, "url": format!("/memories/{id}") }).to_string())
    }
}

pub(super) struct Recall;

#[async_trait]
impl Tool for Recall {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "recall".into(),
            description: "Looks for what is remembered of the person, their work and their people, by meaning. Gives each memory's id, since when it holds, and a url to link to.".into(),
            parameters: json!({
                "type": "object",
                "properties": { "query": { "type": "string", "description": "What it is about, in a few words." } },
                "required": ["query"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let query = text(arguments, "query");
        if query.trim().is_empty() {
            return Err("The argument ‘query’ is missing: say what it is about.".into());
        }
        let audience = context.domain.audience_named(context.model);
        let found = context.domain.recall(context.user_id, &query, audience).await;
        let memories: Vec<Value> = found
            .map_err(|e| failed("look among the memories", &e))?
            .into_iter()
            .map(|memory| {
                let shorten = |text: String| text.chars().take(LONGEST_TOLD).collect::<String>();
                json!({
                    "memory_id": memory.id,
                    "content": shorten(memory.content),
                    "response": memory.response.map(shorten),
                    "since": memory.held_from.date().to_string(),
                    "url": format!("/memories/{}", memory.id),
                })
            })
            .collect();
        Ok(json!({ "memories": memories }).to_string())
    }
}

pub(super) struct Forget;

#[async_trait]
impl Tool for Forget {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "forget".into(),
            description: "Asks the person to confirm that a memory be forgotten for good, when they want it gone. It is NOT forgotten by this call: they see the question in this conversation and decide.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "memory_id": { "type": "string", "description": "From recall." },
                    "reason": { "type": "string", "description": "In a few words, for the person." },
                },
                "required": ["memory_id"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let memory = memory_id(arguments, "memory_id")?;
        let reason = text(arguments, "reason");
        let asked =
            context.domain.ask_to_forget(context.user_id, context.conversation_id, memory, &reason).await;
        let id = asked.map_err(|e| failed("ask for this", &e))?;
        Ok(json!({
            "status": "asked",
            "request_id": id,
            "hint": "Nothing is forgotten yet. The person is asked below this conversation and on the page of memories (/memories); say that they decide there.",
        })
        .to_string())
    }
}
