//! `sidebar chat`: ask, watch the answer come, measure it.

use super::stream::{Api, Events};
use crate::options::{Chat, or_file};
use anyhow::{Context, Result};
use shared::conversation::{Conversation, CreateConversation, SendMessage};
use shared::event::AnswerEvent;
use shared::{ConversationId, MessageId};
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The answer ended before its end.
const ENDED_EARLY: u8 = 3;
/// As shells have it for SIGINT.
const INTERRUPTED: u8 = 130;

/// How one answer went.
struct Outcome {
    first_token: Option<Duration>,
    /// From the first token to the last.
    writing: Duration,
    /// Deltas as the server bundled them are split at spaces to count tokens.
    tokens: u64,
    end: End,
}

enum End {
    Done,
    Error(String),
    Interrupted,
}

pub async fn run(mut chat: Chat) -> Result<ExitCode> {
    if chat.message == "-" {
        chat.message.clear();
        std::io::stdin().read_to_string(&mut chat.message).context("standard input cannot be read")?;
    }
    let api = Api::new(chat.url.clone(), or_file("SIDEBAR_API_KEY", chat.api_key.clone())?)?;
    let chat = Arc::new(chat);
    if chat.sessions > 1 {
        return many(api, chat).await;
    }
    let conversation = conversation_for(&api, &chat).await?;
    let outcome = ask(&api, &chat, conversation, Output::Text).await?;
    report(&chat, conversation, &outcome)
}

/// Where the answer is shown.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    Text,
    Nothing,
}

async fn conversation_for(api: &Api, chat: &Chat) -> Result<ConversationId> {
    match chat.conversation {
        Some(id) => Ok(id),
        None => {
            let request = CreateConversation { title: None, model: chat.model.clone() };
            Ok(api.post::<Conversation>("/conversations", &request).await?.summary.id)
        }
    }
}

async fn ask(api: &Api, chat: &Chat, conversation: ConversationId, output: Output) -> Result<Outcome> {
    let request = SendMessage {
        user_message_id: Some(MessageId::new()),
        content: chat.message.clone(),
        model: chat.model.clone(),
        replaces: None,
        context: None,
        attachments: Vec::new(),
    };
    let asked = Instant::now();
    let mut events: Events = api.open(&format!("/conversations/{conversation}/messages"), &request).await?;
    let mut outcome = Outcome { first_token: None, writing: Duration::ZERO, tokens: 0, end: End::Done };
    let (mut message, mut last) = (None, 0);
    let mut disconnect_at = chat.disconnect_at_token;
    loop {
        let event = tokio::select! {
            event = events.next() => event?,
            signal = tokio::signal::ctrl_c() => {
                signal.context("Ctrl-C cannot be heard")?;
                if let Some(message) = message {
                    let path = format!("/conversations/{conversation}/messages/{message}/stop");
                    api.post::<()>(&path, &serde_json::json!({})).await?;
                }
                outcome.end = End::Interrupted;
                return Ok(outcome);
            }
        };
        let Some(event) = event else {
            let message = message.context("the connection ended before the answer began")?;
            events = api.resume(conversation, message, last).await?;
            continue;
        };
        last = event.seq;
        if output == Output::Text {
            show(chat, &event)?;
        }
        match event.event {
            AnswerEvent::Message { message_id, .. } => message = Some(message_id),
            AnswerEvent::Delta { text } => {
                let first = *outcome.first_token.get_or_insert_with(|| asked.elapsed());
                outcome.writing = asked.elapsed() - first;
                outcome.tokens += text.split_inclusive(' ').count() as u64;
                if disconnect_at.is_some_and(|at| outcome.tokens >= at) {
                    disconnect_at = None;
                    let message = message.context("the answer has no id yet")?;
                    events = api.resume(conversation, message, last).await?;
                }
            }
            AnswerEvent::Done { .. } => return Ok(outcome),
            AnswerEvent::Error { message } => {
                outcome.end = End::Error(message);
                return Ok(outcome);
            }
            _ => {}
        }
    }
}

fn show(chat: &Chat, event: &shared::event::Sequenced) -> Result<()> {
    let mut out = std::io::stdout();
    let text = match (&event.event, chat.json) {
        (_, true) => format!("{}\n", serde_json::to_string(event)?),
        (AnswerEvent::Delta { text }, false) => text.clone(),
        (AnswerEvent::Done { .. } | AnswerEvent::Error { .. }, false) => "\n".into(),
        (AnswerEvent::ToolCall { name, arguments, .. }, false) => format!("[{name} {arguments}]\n"),
        (AnswerEvent::Reset { content, .. }, false) => format!("\n[begun again]\n{content}"),
        _ => return Ok(()),
    };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")
}

fn report(chat: &Chat, conversation: ConversationId, outcome: &Outcome) -> Result<ExitCode> {
    let mut err = std::io::stderr();
    if chat.measure_ttft
        && let Some(first) = outcome.first_token
    {
        writeln!(err, "time to first token: {:.1} ms", first.as_secs_f64() * 1e3)?;
    }
    if chat.measure_token_rate {
        writeln!(err, "tokens per second: {:.1}", rate(outcome.tokens, outcome.writing))?;
    }
    if !chat.json {
        writeln!(err, "conversation: {conversation}")?;
    }
    Ok(match &outcome.end {
        End::Done => ExitCode::SUCCESS,
        End::Error(why) => {
            writeln!(err, "sidebar: {why}")?;
            ExitCode::from(ENDED_EARLY)
        }
        End::Interrupted => ExitCode::from(INTERRUPTED),
    })
}

fn rate(tokens: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { tokens as f64 / time.as_secs_f64() }
}

/// Asks in many conversations at once and prints how they went together.
async fn many(api: Api, chat: Arc<Chat>) -> Result<ExitCode> {
    let started = Instant::now();
    let asks = (0..chat.sessions).map(|_| {
        let (api, chat) = (api.clone(), Arc::clone(&chat));
        tokio::spawn(async move {
            let conversation = conversation_for(&api, &chat).await?;
            ask(&api, &chat, conversation, Output::Nothing).await
        })
    });
    let outcomes = futures::future::join_all(asks).await;
    let (mut firsts, mut tokens, mut failures) = (Vec::new(), 0, 0_u32);
    for outcome in outcomes {
        match outcome? {
            Ok(Outcome { first_token, tokens: own, end: End::Done, .. }) => {
                firsts.extend(first_token);
                tokens += own;
            }
            Ok(_) | Err(_) => failures += 1,
        }
    }
    firsts.sort();
    let at = |share: f64| {
        let place = ((firsts.len() as f64 * share) as usize).min(firsts.len().saturating_sub(1));
        firsts.get(place).map_or(0.0, |first| first.as_secs_f64() * 1e3)
    };
    writeln!(
        std::io::stdout(),
        "{} answers, {failures} failed; time to first token p50 {:.1} ms, p99 {:.1} ms; {:.0} tokens per second together",
        firsts.len(),
        at(0.5),
        at(0.99),
        rate(tokens, started.elapsed()),
    )?;
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::from(ENDED_EARLY) })
}
