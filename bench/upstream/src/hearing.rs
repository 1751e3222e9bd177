//! OpenAI's `/audio/transcriptions`, as a server sees it. What is said in a recording stands in its bytes, as
//! `[[say one sentence|another]]`; a sentence takes 40 seconds. The model `fake-words` knows no times.

use crate::wire::Refusal;
use serde_json::{Value, json};

const SENTENCE_SECONDS: usize = 40;

/// The fields of the form.
pub(crate) struct Heard {
    pub model: String,
    pub format: String,
    /// Of the file.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Heard {
    /// As the log of requests keeps it.
    pub fn told(&self) -> Value {
        json!({ "model": self.model, "response_format": self.format, "name": self.name, "bytes": self.bytes.len() })
    }
}

pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<Heard, Refusal> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=");
    let boundary = boundary.ok_or_else(|| Refusal::bad_request("expected multipart/form-data"))?;
    let mark = format!("--{boundary}").into_bytes();
    let mut heard =
        Heard { model: String::new(), format: "json".into(), name: String::new(), bytes: Vec::new() };
    for part in split(body, &mark) {
        let Some(at) = find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..at]).into_owned();
        let content = &part[at + 4..];
        let content = content.strip_suffix(b"\r\n").unwrap_or(content);
        let text = || String::from_utf8_lossy(content).into_owned();
        match quoted(&head, " name=").as_deref() {
            Some("model") => heard.model = text(),
            Some("response_format") => heard.format = text(),
            Some("file") => {
                heard.name = quoted(&head, "filename=").unwrap_or_default();
                heard.bytes = content.to_vec();
            }
            _ => {}
        }
    }
    Ok(heard)
}

pub(crate) fn answer(heard: &Heard) -> Result<Value, Refusal> {
    let known = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];
    let ending = heard.name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if heard.model.is_empty() {
        return Err(Refusal::bad_request("you must provide a model parameter"));
    }
    if !known.contains(&ending) || heard.bytes.is_empty() {
        return Err(Refusal::bad_request(format!("Invalid file format. Supported formats: {known:?}")));
    }
    if heard.model == "fake-words" && heard.format != "json" {
        return Err(Refusal::bad_request(format!(
            "response_format '{}' is not compatible with model 'fake-words'. Use 'json' instead.",
            heard.format
        )));
    }
    let recording = String::from_utf8_lossy(&heard.bytes);
    let said = recording.split_once("[[say ").and_then(|(_, rest)| rest.split_once("]]"));
    let said: Vec<&str> = said.map(|(said, _)| said.split('|').collect()).unwrap_or_default();
    let mut answer = json!({ "text": said.join(" ") });
    if heard.format == "verbose_json" {
        let segment = |(number, text): (usize, &&str)| {
            let start = number * SENTENCE_SECONDS;
            json!({ "id": number, "start": start as f64, "end": (start + SENTENCE_SECONDS) as f64, "text": format!(" {text}") })
        };
        answer["task"] = "transcribe".into();
        answer["segments"] = said.iter().enumerate().map(segment).collect();
    }
    Ok(answer)
}

fn split<'a>(body: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn quoted(head: &str, before: &str) -> Option<String> {
    let (_, rest) = head.split_once(before)?;
    rest.strip_prefix('"')?.split_once('"').map(|(value, _)| value.to_owned())
}
