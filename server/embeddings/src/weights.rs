//! The files of the embedding model: where they are, and their smaller form for the bundle. It never
//! downloads anything; set-up tools put the folder in place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};

use crate::EmbeddingError;

/// The folder's name in the per-user cache: other weights are another folder.
pub const RELEASE: &str = "minilm-l6-v2-0.1.0";
/// Names the folder when it is not in the cache.
pub const WEIGHTS_VARIABLE: &str = "SIDEBAR_EMBEDDING_MODEL";

pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// The folder that `SIDEBAR_EMBEDDING_MODEL` names, or else the one that set-up put into the
/// per-user cache, after a look whether its files are there.
pub fn weights_folder() -> Result<PathBuf, EmbeddingError> {
    let folder = named(WEIGHTS_VARIABLE).unwrap_or_else(|| cache_folder().join(RELEASE));
    for needed in [WEIGHTS, TOKENIZER] {
        let missing = folder.join(needed);
        if !missing.is_file() {
            return Err(EmbeddingError::NotInstalled { missing });
        }
    }
    Ok(folder)
}

/// The same per-user cache as that of the embedded Postgres; root's own is not `~/.cache`.
fn cache_folder() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/cache/sidebar");
    }
    named("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| named("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("sidebar")
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Writes the weights at `from` (a safetensors file) to `to` in half precision: half the size, and
/// vectors that differ less than a search can tell.
pub fn to_half(from: &Path, to: &Path) -> Result<(), EmbeddingError> {
    let file = read(from)?;
    let not_written = |error: candle_core::Error| EmbeddingError::NotWritten {
        path: to.to_owned(),
        cause: error.to_string(),
    };
    let tensors = candle_core::safetensors::load_buffer(&file, &Device::Cpu).map_err(unusable(from))?;
    let halved = tensors
        .into_iter()
        .filter(|(_, tensor)| tensor.dtype().is_float())
        .map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F16)?)))
        .collect::<candle_core::Result<HashMap<_, _>>>()
        .map_err(unusable(from))?;
    candle_core::safetensors::save(&halved, to).map_err(not_written)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, EmbeddingError> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => EmbeddingError::NotInstalled { missing: path.to_owned() },
        _ => unusable(path)(error),
    })
}

pub(crate) fn unusable<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> EmbeddingError {
    move |error| EmbeddingError::Unusable { path: path.to_owned(), what: format!("unreadable: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_the_one_that_set_up_fills() {
        assert_eq!(cache_folder(), embedded_postgres::Installation::cache_folder());
    }

    #[test]
    fn a_folder_without_weights_says_what_is_missing_and_what_to_do() {
        let error = read(Path::new("/nonexistent/model.safetensors")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/model.safetensors is missing"), "{error}");
        assert!(error.contains("cargo xtask setup"), "{error}");
    }
}
