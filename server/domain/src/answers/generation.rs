//! Writing an answer: rounds of model and tools, until the model is done or something ends it.

use super::live::Live;
use super::prompt::{prompt, quote_note};
use super::send::begins_event;
use super::store::End;
use super::{LONGEST_ANSWER, TOOL_ROUNDS, built_in, remembered};
use crate::context::Question;
use crate::context::give::part;
use crate::conversations::path::path;
use crate::conversations::{OpenAnswer, Opened};
use crate::passages::tokens;
use crate::providers::{Choice, Configured};
use crate::text::{value_without_nul, without_nul};
use crate::tools::{self, Context};
use crate::{Domain, Viewer};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use models::{CallRequest, Chunk, ChunkStream, EndReason, Prompt, ToolOutput, Turn};
use serde_json::Value;
use shared::UserId;
use shared::context::{Extent, Given, PartKind};
use shared::conversation::{Message, MessageStatus, StopReason, Usage};
use shared::event::AnswerEvent;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Opened when what the answer belongs to is committed; dropped when it is not.
pub(super) type Gate = oneshot::Sender<()>;

/// Everything that an answer needs to be written.
pub(super) struct Ask {
    choice: Choice,
    prompt: Prompt,
    answer: OpenAnswer,
    question: Question,
    has_memories: bool,
    /// The person's message, where a note was open beside it.
    beside: Option<Message>,
}

impl Ask {
    pub fn new(choice: Choice, opened: &Opened, answer: &OpenAnswer) -> Self {
        let prompt = prompt(&opened.person, &opened.messages, answer, tools::specs());
        let asked = opened.messages.iter().find(|message| message.id == answer.user_message_id);
        let beside = asked.filter(|message| message.context.is_some()).cloned();
        let question = Question {
            choice: choice.clone(),
            conversation: Some(opened.summary.id),
            text: asked.map(|message| message.content.clone()).unwrap_or_default(),
            of_person: opened.of_person.clone(),
            attachments: asked.map(|message| message.attachments.clone()).unwrap_or_default(),
            has_attachments: opened.has_attachments,
            messages: path(&opened.messages, Some(answer.user_message_id)).len(),
            turns_after: if answer.seed.as_ref().is_some_and(|seed| !seed.content.is_empty()) {
                2
            } else {
                0
            },
            document: None,
            parts: Vec::new(),
        };
        Self { choice, prompt, answer: answer.clone(), question, has_memories: opened.has_memories, beside }
    }
}

/// What a round of the model came to.
struct Round {
    text: String,
    calls: Vec<CallRequest>,
    end: EndReason,
    opaque: Option<Value>,
}

impl Domain {
    /// Writes the answer on a task of its own. The model is asked at once; nothing is shown before
    /// the gate opens.
    pub(super) fn generate(&self, live: Arc<Live>, ask: Ask, opens: oneshot::Receiver<()>) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            let asked = Instant::now();
            let (choice, question) = (ask.choice.clone(), ask.question.text.clone());
            let has_memories = ask.has_memories;
            let (mut ask, told) = futures::join!(
                domain.with_open_note(live.user_id, ask),
                async {
                    match has_memories {
                        true => domain.remembered(live.user_id, &choice, &question).await,
                        false => Vec::new(),
                    }
                },
            );
            remembered::tell(&mut ask.prompt, &told);
            let (ask, given) = domain.with_context(live.user_id, ask).await;
            let early = domain.ask(&ask.choice, &ask.prompt);
            tokio::pin!(early);
            // Polls the request while it waits for the gate.
            let mut first = None;
            tokio::pin!(opens);
            let open = loop {
                tokio::select! {
                    open = &mut opens => break open,
                    stream = &mut early, if first.is_none() => first = Some(stream),
                }
            };
            if open.is_err() {
                return;
            }
            live.push(begins_event(live.conversation_id, &ask.answer, MessageStatus::Streaming));
            if !told.is_empty() {
                live.push(AnswerEvent::Memories { ids: told.iter().map(|told| told.id).collect() });
            }
            if let Some(seed) = &ask.answer.seed {
                live.push(AnswerEvent::Reset { content: seed.content.clone(), steps: seed.steps.clone() });
            }
            if let Some(given) = given {
                live.push(AnswerEvent::Given(given));
            }
            let end = tokio::select! {
                biased;
                () = live.stop.cancelled() => End::Done(StopReason::Stopped),
                () = domain.inner.stop.cancelled() => End::Error(
                    "The server was stopped while this was being written. What had arrived is kept; continue it.".into(),
                ),
                end = async {
                    let stream = match first {
                        Some(stream) => stream,
                        None => early.await,
                    };
                    domain.rounds(&live, ask.choice.clone(), ask.prompt.clone(), &ask.answer, stream).await
                } => end,
            };
            metrics::histogram!("sidebar_answer_seconds").record(asked.elapsed());
            domain.store(&live, end).await;
        });
    }

    /// Tells the model of the note that is open beside the conversation, as it is now.
    async fn with_open_note(&self, user: UserId, mut ask: Ask) -> Ask {
        let Some(message) = ask.beside.take() else { return ask };
        let (Some(context), Choice::Model { .. }) = (&message.context, &ask.choice) else { return ask };
        let read = async {
            let viewer = Viewer::from(self.acting_for(user).await?);
            self.note(&viewer, context.note_id).await
        };
        match read.await {
            Ok(note) => {
                let quoted =
                    quote_note(&mut ask.prompt, &message.content, &note, context.selection.as_deref());
                let title = note.summary.display_title();
                ask.question.parts.push(part(PartKind::OpenNote, title, tokens(&quoted), Extent::Whole));
                ask.question.document = Some(title.to_owned());
            }
            // It was there when the message was sent; the answer can do without.
            Err(error) => tracing::info!(note = %context.note_id, %error, "an open note could not be read"),
        }
        ask
    }

    /// Tells the model what is attached and what the person wants every model to know, as far as it fits.
    async fn with_context(&self, user: UserId, mut ask: Ask) -> (Ask, Option<Given>) {
        let given = Box::pin(self.give(user, &ask.question, &mut ask.prompt)).await;
        (ask, given)
    }

    async fn rounds(
        &self,
        live: &Live,
        choice: Choice,
        mut prompt: Prompt,
        answer: &OpenAnswer,
        first: Result<ChunkStream, models::Error>,
    ) -> End {
        let mut usage = Usage::default();
        let mut opened = Some(first);
        for round in 0..=TOOL_ROUNDS {
            let stream = match opened.take() {
                Some(stream) => stream,
                None => self.ask(&choice, &prompt).await,
            };
            let round_end = match stream {
                Ok(stream) => self.read_round(live, stream, &mut usage).await,
                Err(error) => Err(End::Error(error.for_person())),
            };
            let made = match round_end {
                Ok(made) => made,
                Err(end) => return end,
            };
            if usage != Usage::default() {
                live.push(AnswerEvent::Usage(usage));
            }
            if made.calls.is_empty() {
                return match made.end {
                    EndReason::Length => End::Done(StopReason::Length),
                    EndReason::Refused => {
                        End::Error(models::Error::Refused("its own rules forbid it".into()).for_person())
                    }
                    EndReason::Stop | EndReason::ToolCalls => End::Done(StopReason::End),
                };
            }
            if round == TOOL_ROUNDS {
                break;
            }
            let outputs = self.run_tools(live, answer, &made.calls).await;
            prompt.turns.push(Turn::Assistant {
                text: made.text,
                tool_calls: made.calls,
                opaque: made.opaque,
            });
            prompt.turns.push(Turn::ToolResults(outputs));
        }
        End::Done(StopReason::ToolRounds)
    }

    /// Passes one stream of the model on until it ends.
    async fn read_round(
        &self,
        live: &Live,
        mut stream: ChunkStream,
        usage: &mut Usage,
    ) -> Result<Round, End> {
        let mut made = Round { text: String::new(), calls: Vec::new(), end: EndReason::Stop, opaque: None };
        let mut length = live.length();
        while let Some(chunk) = stream.next().await {
            match chunk.map_err(|error| End::Error(error.for_person()))? {
                Chunk::Text(text) if !text.is_empty() => {
                    let text = within(without_nul(text), LONGEST_ANSWER.saturating_sub(length));
                    length += text.len();
                    made.text.push_str(&text);
                    live.push(AnswerEvent::Delta { text });
                }
                Chunk::Reasoning(text) if !text.is_empty() => {
                    let text = within(without_nul(text), LONGEST_ANSWER.saturating_sub(length));
                    length += text.len();
                    live.push(AnswerEvent::Reasoning { text });
                }
                Chunk::Text(_) | Chunk::Reasoning(_) => {}
                Chunk::ToolCall(call) => made.calls.push(CallRequest {
                    id: without_nul(call.id),
                    name: without_nul(call.name),
                    arguments: value_without_nul(call.arguments),
                }),
                Chunk::Usage(round) => {
                    usage.input_tokens += round.input_tokens;
                    usage.output_tokens += round.output_tokens;
                }
                Chunk::End { reason, opaque } => {
                    made.end = reason;
                    made.opaque = opaque;
                }
            }
            if length >= LONGEST_ANSWER {
                return Err(End::Done(StopReason::Length));
            }
            if live.unstored_count() >= super::writer::BATCH {
                self.inner.live.many_unstored.notify_one();
            }
        }
        Ok(made)
    }

    /// Runs the calls of a round at the same time; each is shown when it begins and when it ends.
    async fn run_tools(&self, live: &Live, answer: &OpenAnswer, calls: &[CallRequest]) -> Vec<ToolOutput> {
        for call in calls {
            live.push(AnswerEvent::ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            });
        }
        let context = Context {
            domain: self,
            user_id: live.user_id,
            asked_by: answer.user_message_id,
            conversation_id: live.conversation_id,
            model: &answer.model,
        };
        let mut running: FuturesUnordered<_> = calls
            .iter()
            .enumerate()
            .map(|(place, call)| {
                let context = &context;
                async move { (place, tools::run(context, &call.name, &call.arguments).await) }
            })
            .collect();
        let mut outputs: Vec<Option<ToolOutput>> = calls.iter().map(|_| None).collect();
        while let Some((place, result)) = running.next().await {
            let call = &calls[place];
            outputs[place] = Some(ToolOutput {
                call_id: call.id.clone(),
                name: call.name.clone(),
                ok: result.ok,
                content: result.content.clone(),
            });
            live.push(AnswerEvent::ToolResult { id: call.id.clone(), result });
        }
        outputs.into_iter().flatten().collect()
    }

    /// Asks the model, with the next key where one fails.
    async fn ask(&self, choice: &Choice, prompt: &Prompt) -> Result<ChunkStream, models::Error> {
        match choice {
            Choice::BuiltIn => Ok(built_in::respond(prompt)),
            Choice::Model { provider, model } => self.open_with_keys(provider, model, prompt).await,
        }
    }

    pub(crate) async fn open_with_keys(
        &self,
        provider: &Configured,
        model: &str,
        prompt: &Prompt,
    ) -> Result<ChunkStream, models::Error> {
        let keys = provider.keys_in_turn(Instant::now());
        if keys.is_empty() {
            return self.inner.models.stream(&provider.target(None, model), prompt).await;
        }
        let mut failure = None;
        for key in keys {
            match self.inner.models.stream(&provider.target(Some(key), model), prompt).await {
                Ok(stream) => return Ok(stream),
                Err(error) => match error.key_should_rest() {
                    Some(rest) => {
                        self.rest_key(key, rest.max(Duration::from_secs(1)), &error.for_person()).await;
                        failure = Some(error);
                    }
                    None => return Err(error),
                },
            }
        }
        Err(failure.unwrap_or_else(|| models::Error::Unreachable("no key could be tried".into())))
    }
}

/// The text, cut at a character where it is longer than there is room.
fn within(mut text: String, room: usize) -> String {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
