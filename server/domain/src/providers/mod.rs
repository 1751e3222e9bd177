//! Model providers: what admins configure, and which of them answers.

mod configure;
mod registry;

pub(crate) use registry::{Choice, Configured, Registry};
