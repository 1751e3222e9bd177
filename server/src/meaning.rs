//! The model of embeddings that the options name.

use crate::options::{Embeddings, or_file};
use anyhow::{Context, Result};
use domain::DIMENSIONS;
use embeddings::{Embedder, MiniLm, OpenAiCompatible, WEIGHTS_VARIABLE, weights_folder};
use std::path::Path;
use std::sync::Arc;

/// None where search is to be by words alone, or where the local model is not installed. `bundled` is where the
/// executable's own model was unpacked.
pub fn embedder(options: &Embeddings, bundled: Option<&Path>) -> Result<Option<Arc<dyn Embedder>>> {
    match options.embeddings.as_str() {
        "none" => Ok(None),
        "local" => Ok(local(bundled)
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

fn local(bundled: Option<&Path>) -> Result<Arc<dyn Embedder>, embeddings::EmbeddingError> {
    let folder = match bundled {
        Some(folder) if std::env::var_os(WEIGHTS_VARIABLE).is_none() => folder.to_owned(),
        _ => weights_folder()?,
    };
    Ok(Arc::new(MiniLm::load(&folder, MiniLm::default_threads())?))
}
