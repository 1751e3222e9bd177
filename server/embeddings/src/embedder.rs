//! What every embedding model can do, wherever it runs. A space is named, so that vectors of two
//! models are never compared.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::EmbeddingError;

/// Names a vector space: vectors are comparable when, and only when, their models' names are equal.
/// Short and stable, for it is stored beside each vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(Arc<str>);

impl ModelId {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a text is embedded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To be stored and found; nobody waits for it.
    Passage,
    /// To find with; a person waits for it, so it goes before all passages.
    Query,
}

/// A model that turns texts into vectors. A product without one holds `Option<Arc<dyn Embedder>>`.
#[async_trait]
pub trait Embedder: Send + Sync {
    fn model(&self) -> &ModelId;

    /// How many numbers a vector has.
    fn dimensions(&self) -> usize;

    /// The cosine above which a passage counts as a match for a query. Models differ widely in what
    /// they call near, so it belongs to the model, not to the search.
    fn threshold(&self) -> f32;

    /// One vector of length 1 for each text, in the order of the texts. What is beyond the model's
    /// window does not count; an empty text has a vector too, which is near to nothing in particular.
    async fn embed(&self, texts: Vec<String>, purpose: Purpose) -> Result<Vec<Vec<f32>>, EmbeddingError>;

    /// Whether texts stay on this machine or its own network.
    fn is_near(&self) -> bool {
        true
    }

    /// How many tokens of the window a text takes, without those that the model adds by itself.
    fn count_tokens(&self, text: &str) -> usize;
}
