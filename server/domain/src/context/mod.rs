//! What a model is given beside the words of a conversation: attached things, collections, what a person wants
//! every model to know. It decides what fits and says what was left out; it never asks a model, and never takes
//! a right for granted that was there yesterday.

pub(crate) mod attachments;
mod budget;
pub(crate) mod citations;
pub(crate) mod collections;
pub(crate) mod give;
mod material;
mod preview;
pub(crate) mod settings;
mod things;
mod variables;
mod window;

pub(crate) use give::Question;
