//! What can go wrong between a text and its vector, with what to do about it. A message must never
//! hold a key or a word of a text that was to be embedded.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    #[error(
        "The embedding model was not found: {} is missing. Run `cargo xtask setup`, or name the folder that holds model.safetensors and tokenizer.json with SIDEBAR_EMBEDDING_MODEL.", .missing.display()
    )]
    NotInstalled { missing: PathBuf },
    #[error("The embedding model cannot be read: {} is {what}. Remove its folder and run `cargo xtask setup` again.", .path.display())]
    Unusable { path: PathBuf, what: String },
    #[error("{} could not be written: {cause}. Check the free space and the permissions.", .path.display())]
    NotWritten { path: PathBuf, cause: String },
    #[error(
        "The embedding model could not start a thread: {0}. Raise the limit of processes, or stop others."
    )]
    NoThread(String),
    #[error(
        "The embedding model failed at its calculation: {0}. Restart the server; if it happens again, report it."
    )]
    Calculation(String),
    /// The base URL or the key cannot be used as written; nothing was sent.
    #[error("The embedding provider's settings cannot be used: {0}. Correct them in the settings.")]
    Settings(String),
    /// 401 or 403.
    #[error("The embedding provider refused the key: {0}. Replace the key in the settings.")]
    Unauthorized(String),
    /// 429, after all retries that were worth it.
    #[error("The embedding provider takes no more requests for now: {message}. Try again later.")]
    RateLimited { retry_after: Option<Duration>, message: String },
    /// No connection, no TLS, or no answer in time.
    #[error(
        "The embedding provider could not be reached: {0}. Check that it runs and that its address is right."
    )]
    Unreachable(String),
    /// Any other status that is not a success.
    #[error(
        "The embedding provider answered {status}: {message}. Check its address and the name of the model."
    )]
    Status { status: u16, message: String },
    /// What arrived is not what the protocol says.
    #[error(
        "The embedding provider's answer could not be read: {0}. Check that its address is that of an OpenAI-compatible API."
    )]
    Malformed(String),
    #[error(
        "The model {model} gives vectors of {given} numbers, not {wanted}. Write {given} in the settings; everything is then embedded again."
    )]
    Dimensions { model: String, wanted: usize, given: usize },
}
