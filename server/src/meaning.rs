//! The model of embeddings that the options name.

use crate::options::{Embeddings, or_file};
use anyhow::{Context, Result};
use domain::DIMENSIONS;
use embeddings::{Embedder, MiniLm, OpenAiCompatible, weights_folder};
use std::sync::Arc;

/// None where search is to be by words alone, or where the local model is not installed.
pub fn embedder(options: &Embeddings) -> Result<Option<Arc<dyn Embedder>>> {
    match options.embeddings.as_str() {
        "none" => Ok(None),
        "local" => Ok(local()
            .inspect_err(|error| {
                tracing::warn!(error = error as &dyn std::error::Error, "search is by words alone");
            })
            .ok()),
        address => {
            let key = or_file("SIDEBAR_EMBEDDINGS_KEY", options.embeddings_key.clone())?.unwrap_or_default();
            let server = OpenAiCompatible::new(address, key.into(), &options.embeddings_model, DIMENSIONS);
            Ok(Some(Arc::new(server.context("SIDEBAR_EMBEDDINGS is `local`, `none` or an address")?)))
        }
    }
}

fn local() -> Result<Arc<dyn Embedder>, embeddings::EmbeddingError> {
    Ok(Arc::new(MiniLm::load(&weights_folder()?, MiniLm::default_threads())?))
}
