//! Whether a model is on this machine or its own network, or somewhere else: what is kept from cloud models is told
//! only to the former.
//!
//! It is decided by the kind of provider and by its address. Anthropic and Gemini are services, wherever their
//! wire is met: a gateway next door passes on what it is sent. OpenAI's wire and Ollama's are near when their
//! address is, unless the name of the model says that Ollama hands it on to its own cloud.

use crate::Domain;
use crate::providers::Choice;
use shared::provider::ProviderKind;

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Near,
    Elsewhere,
}

pub(crate) fn audience_of(choice: &Choice) -> Audience {
    match choice {
        Choice::BuiltIn => Audience::Near,
        Choice::Model { provider, model } => audience(provider.kind, &provider.base_url, model),
    }
}

fn audience(kind: ProviderKind, base_url: &str, model: &str) -> Audience {
    let near = match kind {
        ProviderKind::Anthropic | ProviderKind::Gemini => false,
        ProviderKind::Openai => embeddings::is_near(base_url),
        ProviderKind::Ollama => embeddings::is_near(base_url) && !is_handed_on(model),
    };
    if near { Audience::Near } else { Audience::Elsewhere }
}

/// Ollama's own cloud answers for models that are named so: `gpt-oss:120b-cloud`.
fn is_handed_on(model: &str) -> bool {
    model.ends_with("-cloud") || model.ends_with(":cloud")
}

impl Domain {
    /// Of the model that is named so, `provider/model`. One that nobody offers any more is somewhere else.
    pub(crate) fn audience_named(&self, model: &str) -> Audience {
        self.inner.providers.choose(model).map_or(Audience::Elsewhere, |choice| audience_of(&choice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_elsewhere_whatever_its_address_and_a_local_model_is_near() {
        let here = "http://127.0.0.1:11434/";
        let there = "https://models.example.com/v1/";
        for (kind, url, model, expected) in [
            (ProviderKind::Ollama, here, "llama3", Audience::Near),
            (ProviderKind::Ollama, here, "gpt-oss:120b-cloud", Audience::Elsewhere),
            (ProviderKind::Ollama, there, "llama3", Audience::Elsewhere),
            (ProviderKind::Openai, here, "qwen", Audience::Near),
            (ProviderKind::Openai, there, "qwen", Audience::Elsewhere),
            (ProviderKind::Anthropic, here, "claude", Audience::Elsewhere),
            (ProviderKind::Gemini, here, "gemini", Audience::Elsewhere),
        ] {
            assert_eq!(audience(kind, url, model), expected, "{kind:?} {url} {model}");
        }
    }
}
