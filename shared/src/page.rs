//! Lists that come in pages.

use serde::{Deserialize, Serialize};

/// One page of a list. `next_cursor` is opaque; given back as `cursor` it asks for the page after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
