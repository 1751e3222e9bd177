//! A file's bytes into Markdown with places, in a child process that a hostile file cannot get out of.
//!
//! [`Extractor`] is the parent, [`run_child`] the child, [`in_process`] what the child does.
//! [`ai_markdown`] writes the result for a model. No SQL, no HTTP, no domain.

mod ai_markdown;
mod archive;
mod child;
mod detect;
mod document;
mod extractor;
mod failure;
mod formats;
mod in_process;
mod jail;
mod language;
mod limits;
mod markdown;
mod office;
mod wire;
mod xml;

pub use ai_markdown::{Front, ai_markdown};
pub use child::{Input, run_child, run_child_with};
pub use document::{Document, Kind, Place, Section, clock};
pub use extractor::{Extractor, SandboxPolicy};
pub use failure::{Failure, Measure};
pub use in_process::in_process;
pub use jail::Sandbox;
pub use limits::{Limits, Progress};
