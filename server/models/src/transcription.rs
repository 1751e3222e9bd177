//! Speech into words with their times: OpenAI's `POST /audio/transcriptions`, and the servers that speak like it.

use crate::answer::without_key;
use crate::client::{causes, read_at_most};
use crate::wire::under_base;
use crate::{Client, Error, Target};
use bytes::Bytes;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use std::time::Duration;

/// A day of speech with its times is less.
const LONGEST_ANSWER_BYTES: usize = 16 << 20;

/// A recording.
#[derive(Clone)]
pub struct Sound {
    /// Services tell by its ending what it is.
    pub name: String,
    pub bytes: Bytes,
}

/// What is said in a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    pub text: String,
    /// The same with its times, in order; empty where the service knows none.
    pub segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Segment {
    /// In seconds.
    pub start: f64,
    pub end: f64,
    pub text: String,
}

/// What is asked for: some models know words alone.
#[derive(Clone, Copy)]
enum Format {
    WithTimes,
    Words,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    text: String,
    #[serde(default)]
    segments: Option<Vec<Segment>>,
}

impl Client {
    /// What is said in `sound`, within `patience`.
    pub async fn transcribe(
        &self,
        target: &Target,
        sound: &Sound,
        patience: Duration,
    ) -> Result<Transcript, Error> {
        let asked = async {
            match self.ask_for_words(target, sound, Format::WithTimes, patience).await {
                Err(error) if refuses_times(&error) => {
                    self.ask_for_words(target, sound, Format::Words, patience).await
                }
                answered => answered,
            }
        };
        let answered = tokio::time::timeout(patience, asked).await;
        answered.unwrap_or(Err(Error::Stalled(patience))).map_err(|e| without_key(e, target.api_key.as_ref()))
    }

    async fn ask_for_words(
        &self,
        target: &Target,
        sound: &Sound,
        format: Format,
        patience: Duration,
    ) -> Result<Transcript, Error> {
        let size = sound.bytes.len() as u64;
        let file = Part::stream_with_length(sound.bytes.clone(), size).file_name(sound.name.clone());
        let form = Form::new().text("model", target.model.clone());
        let form = match format {
            Format::WithTimes => {
                form.text("response_format", "verbose_json").text("timestamp_granularities[]", "segment")
            }
            Format::Words => form.text("response_format", "json"),
        };
        let url = under_base(target, &["audio", "transcriptions"])?;
        let request = self.request(Method::POST, url, target)?.multipart(form.part("file", file));
        let mut response = self.send_within(patience, request).await?;
        let body = read_at_most(&mut response, LONGEST_ANSWER_BYTES)
            .await
            .map_err(|e| Error::Interrupted(causes(&e)))?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| Error::not_the_wire(&error))?;
        Ok(Transcript { text: answer.text, segments: answer.segments.unwrap_or_default() })
    }
}

fn refuses_times(error: &Error) -> bool {
    matches!(error, Error::Status { status: 400 | 422, message }
        if ["response_format", "verbose_json", "timestamp_granularities"].iter().any(|word| message.contains(word)))
}
