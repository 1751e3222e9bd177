//! What a model may do while it answers. A tool that fails tells the model so.

mod current_time;
mod memories;
mod notes;
mod notes_edit;
mod read_file;
mod read_page;
pub(crate) mod search_workspace;

use crate::{Domain, Result, passages};
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::Value;
use shared::conversation::ToolResult;
use shared::{ConversationId, MessageId, UserId};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// How long a tool may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How much of a result a model is told, in bytes.
const LONGEST_RESULT: usize = 64 * 1024;

/// On whose behalf a tool runs.
pub(crate) struct Context<'a> {
    pub domain: &'a Domain,
    pub user_id: UserId,
    /// The message that is being answered.
    pub asked_by: MessageId,
    pub conversation_id: ConversationId,
    /// Who answers: `provider/model`.
    pub model: &'a str,
}

#[async_trait]
pub(crate) trait Tool: Send + Sync {
    fn spec(&self) -> ToolSpec;

    /// What the model is told. The error is for the model too: what was wrong with the call.
    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String>;
}

static TOOLS: &[&dyn Tool] = &[
    &current_time::CurrentTime,
    &search_workspace::SearchWorkspace,
    &read_file::ReadFile,
    &read_page::ReadPage,
    &notes::ListNotes,
    &notes::ReadNote,
    &notes::CreateNote,
    &notes_edit::EditNote,
    &notes_edit::ProposeEdit,
    &memories::Remember,
    &memories::Recall,
    &memories::Forget,
];

/// In the order of [`TOOLS`], made once: every answer tells the model all of them.
static SPECS: LazyLock<Arc<[ToolSpec]>> = LazyLock::new(|| TOOLS.iter().map(|tool| tool.spec()).collect());

pub(crate) fn specs() -> Arc<[ToolSpec]> {
    SPECS.clone()
}

/// What telling them takes.
pub(crate) fn tokens() -> usize {
    static TOKENS: LazyLock<usize> = LazyLock::new(|| {
        let told = |tool: &ToolSpec| {
            passages::tokens(&tool.description) + passages::tokens(&tool.parameters.to_string())
        };
        SPECS.iter().map(told).sum()
    });
    *TOKENS
}

pub(crate) async fn run(context: &Context<'_>, name: &str, arguments: &Value) -> ToolResult {
    let started = Instant::now();
    let known = TOOLS.iter().zip(SPECS.iter()).find(|(_, spec)| spec.name == name);
    let result = match known {
        None => Err(format!("There is no tool named ‘{name}’.")),
        Some(_) if !arguments.is_object() => {
            Err("The arguments are not a JSON object; call again with one.".into())
        }
        Some((tool, _)) => match tokio::time::timeout(TIME_LIMIT, tool.run(context, arguments)).await {
            Ok(result) => result,
            Err(_) => {
                Err(format!("The tool took longer than {} seconds and was ended.", TIME_LIMIT.as_secs()))
            }
        },
    };
    let outcome = if result.is_ok() { "ok" } else { "error" };
    // Names from a model are not to become labels.
    let label = known.map_or("unknown", |(_, spec)| spec.name.as_str());
    metrics::histogram!("sidebar_tool_seconds", "tool" => label, "outcome" => outcome)
        .record(started.elapsed());
    let ok = result.is_ok();
    let mut content = result.unwrap_or_else(|reason| reason);
    if content.len() > LONGEST_RESULT {
        let mut end = LONGEST_RESULT;
        while !content.is_char_boundary(end) {
            end -= 1;
        }
        content.truncate(end);
        content.push_str("\n[cut at 64 KB]");
    }
    ToolResult { ok, content, elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) }
}
