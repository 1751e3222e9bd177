//! Identifiers. All are UUIDv7, so they sort by the time they were made.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the time of this call.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self { Self(Uuid::now_v7()) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { s.parse().map(Self) }
        }
    )+};
}

id! {
    /// A person with an account.
    UserId,
    /// A signed-in browser.
    SessionId,
    /// A program's key.
    ApiKeyId,
    ConversationId,
    /// A message, of a person or of a model. An answer in progress has the id of the message it becomes.
    MessageId,
    ProviderId,
    ProviderKeyId,
    JobId,
    NoteId,
    FolderId,
    /// A state of a note that was kept.
    VersionId,
    CommentId,
    ShareId,
    AttachmentId,
    /// What one model did, or proposed, in one note at one time.
    RunId,
    InviteId,
    FileId,
    /// A file on its way.
    UploadId,
    /// A web page that was saved.
    PageId,
    MemoryId,
    /// Something that a model thinks worth keeping.
    SuggestionId,
    /// Something that a model asked to forget.
    ForgettingId,
    CollectionId,
}
