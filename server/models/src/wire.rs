//! The table of the four wires: for each kind of provider its addresses, headers, body and decoder.
//! What is particular to one wire stays in that wire's own file.

use crate::frames::{Frame, Framing};
use crate::{Chunk, Error, Prompt, Target, anthropic, gemini, ollama, openai};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde_json::Value;
use shared::provider::ProviderKind;
use std::collections::VecDeque;

/// Reads the frames of one answer.
pub(crate) trait Decode: Send {
    /// Puts what the frame says into `out`; `Chunk::End` once the wire's own end was read.
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Chunk>) -> Result<(), Error>;

    /// Whether the answer is whole and only the wire's end mark may still come.
    fn is_whole(&self) -> bool;

    /// No more frames will come. Called only while [`Decode::is_whole`] and before `Chunk::End`.
    fn close(&mut self, out: &mut VecDeque<Chunk>) -> Result<(), Error>;
}

pub(crate) fn decoder(target: &Target, prompt: &Prompt) -> (Framing, Box<dyn Decode>) {
    match target.kind {
        ProviderKind::Openai => (Framing::Events, Box::new(openai::Decoder::new(target, prompt))),
        ProviderKind::Anthropic => (Framing::Events, Box::new(anthropic::Decoder::new(target, prompt))),
        ProviderKind::Gemini => (Framing::Events, Box::new(gemini::Decoder::new(target, prompt))),
        ProviderKind::Ollama => (Framing::Lines, Box::new(ollama::Decoder::new(prompt))),
    }
}

pub(crate) fn body(target: &Target, prompt: &Prompt, dialect: openai::Dialect) -> Value {
    match target.kind {
        ProviderKind::Openai => openai::body(target, prompt, dialect),
        ProviderKind::Anthropic => anthropic::body(target, prompt),
        ProviderKind::Gemini => gemini::body(target, prompt),
        ProviderKind::Ollama => ollama::body(target, prompt),
    }
}

pub(crate) fn chat_url(target: &Target) -> Result<Url, Error> {
    match target.kind {
        ProviderKind::Openai => under_base(target, &["chat", "completions"]),
        ProviderKind::Anthropic => under_base(target, &["messages"]),
        ProviderKind::Gemini => {
            let mut path: Vec<&str> = target.model.split('/').collect();
            if path.len() == 1 {
                path.insert(0, "models");
            }
            let last = format!("{}:streamGenerateContent", path.pop().unwrap_or_default());
            path.push(&last);
            let mut url = under_base(target, &path)?;
            url.query_pairs_mut().append_pair("alt", "sse");
            Ok(url)
        }
        ProviderKind::Ollama => under_base(target, &["api", "chat"]),
    }
}

pub(crate) fn models_url(target: &Target) -> Result<Url, Error> {
    let (path, page): (&[&str], _) = match target.kind {
        ProviderKind::Openai => (&["models"], None),
        ProviderKind::Anthropic => (&["models"], Some("limit")),
        ProviderKind::Gemini => (&["models"], Some("pageSize")),
        ProviderKind::Ollama => (&["api", "tags"], None),
    };
    let mut url = under_base(target, path)?;
    if let Some(name) = page {
        // The most that both wires with pages allow; no provider lists more.
        url.query_pairs_mut().append_pair(name, "1000");
    }
    Ok(url)
}

pub(crate) fn model_names(kind: ProviderKind, answer: &Value) -> Result<Vec<String>, Error> {
    let (list, name) = match kind {
        ProviderKind::Openai | ProviderKind::Anthropic => ("data", "id"),
        ProviderKind::Gemini | ProviderKind::Ollama => ("models", "name"),
    };
    let list = answer.get(list).and_then(Value::as_array);
    let list = list.ok_or_else(|| Error::Malformed("it is not a list of models".to_owned()))?;
    Ok(list
        .iter()
        .filter(|model| kind != ProviderKind::Gemini || gemini::answers_prompts(model))
        .filter_map(|model| model.get(name).and_then(Value::as_str))
        .map(|name| match kind {
            ProviderKind::Gemini => name.strip_prefix("models/").unwrap_or(name),
            _ => name,
        })
        .map(str::to_owned)
        .collect())
}

pub(crate) fn headers(target: &Target) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if target.kind == ProviderKind::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let Some(key) = &target.api_key else {
        return Ok(headers);
    };
    let key = key.expose_secret().trim();
    let (name, value) = match target.kind {
        ProviderKind::Openai | ProviderKind::Ollama => ("authorization", format!("Bearer {key}")),
        ProviderKind::Anthropic => ("x-api-key", key.to_owned()),
        ProviderKind::Gemini => ("x-goog-api-key", key.to_owned()),
    };
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| Error::Settings("the key has characters that no key has".to_owned()))?;
    value.set_sensitive(true);
    headers.insert(HeaderName::from_static(name), value);
    Ok(headers)
}

/// The base URL with `path` behind its own; a query of the base stays.
pub(crate) fn under_base(target: &Target, path: &[&str]) -> Result<Url, Error> {
    let wrong = |why: &str| Error::Settings(format!("the address {why}"));
    let base = target.base_url.trim();
    let mut url =
        Url::parse(base).map_err(|_| wrong("must be a URL that starts with http:// or https://"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must start with http:// or https://"));
    }
    url.set_fragment(None);
    url.path_segments_mut().map_err(|()| wrong("has no path"))?.pop_if_empty().extend(path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: ProviderKind, base_url: &str, model: &str) -> Target {
        Target { kind, base_url: base_url.to_owned(), api_key: None, model: model.to_owned() }
    }

    fn chat(kind: ProviderKind, base_url: &str) -> String {
        chat_url(&target(kind, base_url, "m")).expect("a good address").to_string()
    }

    #[test]
    fn an_address_works_with_and_without_a_slash_at_its_end() {
        for kind in ProviderKind::ALL {
            let with = kind.default_base_url();
            let without = with.trim_end_matches('/');
            assert_eq!(chat(kind, with), chat(kind, without));
        }
        assert_eq!(chat(ProviderKind::Openai, "http://h:1/v1"), "http://h:1/v1/chat/completions");
        assert_eq!(chat(ProviderKind::Ollama, "http://h:1"), "http://h:1/api/chat");
        assert_eq!(
            chat(ProviderKind::Gemini, "https://h/v1beta/"),
            "https://h/v1beta/models/m:streamGenerateContent?alt=sse"
        );
    }

    #[test]
    fn a_query_in_the_address_is_kept() {
        assert_eq!(
            chat(ProviderKind::Openai, "https://h/openai/?api-version=7#x"),
            "https://h/openai/chat/completions?api-version=7"
        );
    }

    #[test]
    fn a_model_name_cannot_leave_its_place_in_the_address() {
        let url = |model| {
            chat_url(&target(ProviderKind::Gemini, "https://h/v1beta", model))
                .expect("a good address")
                .to_string()
        };
        assert_eq!(url("tunedModels/a"), "https://h/v1beta/tunedModels/a:streamGenerateContent?alt=sse");
        assert_eq!(url("a?b#c"), "https://h/v1beta/models/a%3Fb%23c:streamGenerateContent?alt=sse");
        assert_eq!(url("../../x"), "https://h/v1beta/x:streamGenerateContent?alt=sse");
    }

    #[test]
    fn an_address_of_another_kind_is_refused_with_a_reason() {
        for base_url in ["", "api.example.org/v1", "ftp://h/", "file:///etc", "http://"] {
            let refused = chat_url(&target(ProviderKind::Openai, base_url, "m"));
            assert!(matches!(refused, Err(Error::Settings(_))), "{base_url}: {refused:?}");
        }
    }

    #[test]
    fn a_key_is_not_shown_by_debug() {
        let mut target = target(ProviderKind::Anthropic, "https://user:hunter2@h/?key=sk-in-url", "m");
        target.api_key = Some("sk-secret".to_owned().into());
        let shown = format!("{target:?} {:?}", headers(&target).expect("a good key"));
        assert!(
            !shown.contains("sk-secret") && !shown.contains("hunter2") && !shown.contains("sk-in-url"),
            "{shown}"
        );
        assert!(shown.contains("\"h\""), "{shown}");
    }
}
