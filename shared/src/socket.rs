//! Frames of `/api/v1/ws`, the one socket of a browser: `{"channel","type","payload"}`.
//!
//! A client subscribes to the channels it needs; the server sends only on those, and on `system`.

use crate::conversation::ConversationSummary;
use crate::file::FileSummary;
use crate::note::NoteSummary;
use crate::saved_page::PageSummary;
use crate::{ConversationId, FileId, MessageId, NoteId, PageId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    System,
    Chat,
    Execution,
    Logs,
    Sandbox,
    Notifications,
    Notes,
    Files,
    Pages,
}

/// From the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    Subscribe {
        channel: Channel,
    },
    Unsubscribe {
        channel: Channel,
    },
    /// Answered by `pong`; sent when the line was quiet.
    Ping {
        channel: Channel,
    },
}

/// From the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerFrame {
    pub channel: Channel,
    #[serde(flatten)]
    pub body: ServerBody,
}

// In the browser `app::client::json` puts the tag aside: the reader that serde makes for a tagged enum is compiled a
// second time for every type in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "type", content = "payload"))]
pub enum ServerBody {
    /// The first frame: which build answers. Another build than the page's means: reload when convenient.
    Hello {
        build: String,
    },
    Pong,
    /// Parts of the server that do not work right now; empty when all do.
    Degraded {
        parts: Vec<String>,
    },
    /// The client was too slow and frames were dropped: fetch what is shown again.
    Resync,
    /// Something in the request was not understood.
    Refused {
        error: String,
    },
    /// A conversation was made or changed.
    ConversationChanged(ConversationSummary),
    /// A conversation was deleted.
    ConversationDeleted {
        id: ConversationId,
    },
    /// A message was sent and its answer waits or runs: fetch the conversation, follow the answer.
    AnswerStarted {
        conversation_id: ConversationId,
        message_id: MessageId,
    },
    /// The answer ended and is stored.
    AnswerEnded {
        conversation_id: ConversationId,
        message_id: MessageId,
    },
    /// A note was made, renamed, moved, pinned, or its text settled.
    NoteChanged(NoteSummary),
    /// A note was deleted, or is shared with this person no longer.
    NoteGone {
        id: NoteId,
    },
    /// Folders changed: fetch them again.
    FoldersChanged,
    /// Comments, versions, shares or proposals of this note changed: fetch what is shown again.
    NoteAnnotated {
        id: NoteId,
    },
    /// A file came, changed, or went on on its way into the search.
    FileChanged(FileSummary),
    /// A file was deleted.
    FileGone {
        id: FileId,
    },
    /// A page was saved, changed, or went on on its way.
    PageChanged(Box<PageSummary>),
    /// A page was deleted.
    PageGone {
        id: PageId,
    },
    /// Memories, or what waits to become or be forgotten as one, changed: fetch what is shown again.
    MemoriesChanged,
}
