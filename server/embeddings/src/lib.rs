//! Text into passages, and passages into vectors: what a search by meaning is made of.
//!
//! It knows no SQL, no routes and no domain: who may read a text, where a vector is kept and when it
//! is made again is its callers' business. It must never log a word of a text or a key.

mod approximate;
mod bert;
mod embedder;
mod error;
mod kernels;
mod lanes;
mod minilm;
mod near;
mod openai;
mod passages;
mod retry;
mod weights;
mod words;

pub use approximate::approximate_tokens;
pub use embedder::{Embedder, ModelId, Purpose};
pub use error::EmbeddingError;
pub use minilm::MiniLm;
pub use near::is_near;
pub use openai::OpenAiCompatible;
pub use passages::{Passage, Shape, passages};
pub use weights::{RELEASE, WEIGHTS_VARIABLE, to_half, weights_folder};
