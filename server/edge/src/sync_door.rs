//! `/api/v1/sync/{note_id}`: a note's room in exactly the protocol of y-websocket, for any Yjs client.
//!
//! Who may come in is settled before the upgrade, with an HTTP status; what ends a line later is a
//! close code from `shared::note::frame::close`.

use crate::envelope::Failure;
use crate::input::{Asked, At};
use crate::limits::{Limited, Who};
use crate::looking::Looking;
use crate::note_lines::{ID, NoteLines, Refusal};
use crate::origin::Absent;
use crate::socket_writer::{Gone, write, write_all};
use crate::state::Edge;
use crate::visitor::Source;
use axum::extract::State;
use axum::extract::ws::{
    CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::response::Response;
use bytes::Bytes;
use domain::{Notice, Notices, Outbox, Outgoing, Via, Viewer};
use http::HeaderMap;
use serde::Deserialize;
use shared::note::frame::close;
use shared::{ErrorCode, NoteId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A room refuses updates over 16 MB with a reason; a frame may be a little longer than that.
pub const LARGEST_FRAME: usize = 17 << 20;
/// Most frames are keystrokes: the rest is allocated when it is needed.
pub const READ_BUFFER: usize = 4 << 10;
/// A line is looked at this often. When it was silent for half of it it is pinged; when it was for twice as long,
/// and so was pinged before, it is gone: a loss that nobody announces is noticed within 30 seconds.
const LOOK: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(5);
const GONE: Duration = Duration::from_secs(20);
/// Shares expire without a word: what may be done is asked again this often.
pub const RECHECK: Duration = Duration::from_secs(60);
/// RFC 6455: the server restarts.
const CLOSE_RESTART: u16 = 1012;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(sync))
}

#[derive(Deserialize, IntoParams)]
struct Door {
    /// An API key, or a ticket for this note, from clients that can set no header.
    token: Option<String>,
}

/// Joins a note as a Yjs client: the WebSocket speaks the protocol of y-websocket.
#[utoipa::path(get, path = "/api/v1/sync/{id}", tag = "notes", params(("id" = NoteId, Path), Door),
    responses((status = 101, description = "The WebSocket is open.")))]
async fn sync(
    State(edge): State<Arc<Edge>>,
    At(note): At<NoteId>,
    Asked(door): Asked<Door>,
    source: Source,
    headers: HeaderMap,
    looking: Result<Looking, Failure>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let (viewer, absent) = match door.token {
        Some(token) => (by_token(&edge, source, &token, note).await?, Absent::Accept),
        None => {
            let Looking(viewer) = looking?;
            // A browser adds the cookie whoever opens the socket; only a program can show a key.
            let key = viewer.person.as_ref().is_some_and(|person| matches!(person.via, Via::ApiKey(_)));
            (viewer, if key { Absent::Accept } else { Absent::Refuse })
        }
    };
    edge.hosts.check_origin(&headers, absent)?;
    edge.domain.access_to(&viewer, note).await?;
    let upgrade = upgrade.map_err(|_| {
        Failure::new(ErrorCode::InvalidInput, "This address is for WebSockets. Connect with ws:// or wss://.")
    })?;
    let upgrade = upgrade
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let lines = NoteLines::new(edge.domain.clone(), viewer.clone());
        let outbox = lines.outbox();
        let notices = edge.domain.notices(&viewer);
        let shutdown = edge.shutdown.clone();
        Line { socket, note, lines, outbox, notices, shutdown, heard_at: Instant::now() }.serve().await;
    }))
}

async fn by_token(edge: &Edge, source: Source, token: &str, note: NoteId) -> Result<Viewer, Failure> {
    if let Some(known) = edge.domain.authenticate_key(token).await? {
        return Ok(known.caller.into());
    }
    match edge.domain.check_ticket(token, note).await {
        Ok(viewer) => Ok(viewer),
        Err(refused) => {
            edge.limits.check(Limited::Refused, Who::address(source.address))?;
            Err(refused.into())
        }
    }
}

struct Line {
    socket: WebSocket,
    note: NoteId,
    lines: NoteLines,
    outbox: Outbox,
    notices: Notices,
    shutdown: CancellationToken,
    heard_at: Instant,
}

enum End {
    Gone,
    Close(u16, String),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Refusal> for End {
    fn from((code, reason): Refusal) -> Self {
        Self::Close(code, reason)
    }
}

impl Line {
    async fn serve(mut self) {
        let end = match self.lines.join(self.note, false).await {
            Ok(()) => self.exchange().await,
            Err(refusal) => refusal.into(),
        };
        if let End::Close(code, reason) = end {
            let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            // Whoever left first needs no goodbye.
            let _ = write(&mut self.socket, frame).await;
        }
    }

    async fn exchange(&mut self) -> End {
        let mut quiet = tokio::time::interval(LOOK);
        let mut recheck = tokio::time::interval(RECHECK);
        recheck.tick().await;
        loop {
            let step = tokio::select! {
                _ = recheck.tick() => self.recheck(None).await,
                () = self.shutdown.cancelled() => {
                    Err(End::Close(CLOSE_RESTART, "The server restarts. Connect again.".to_owned()))
                }
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(too_large(&error)),
                    None => Err(End::Gone),
                },
                outgoing = self.outbox.next() => match outgoing {
                    Outgoing::Frames(frames) => self.send(frames).await,
                    Outgoing::Close(code, reason) => Err(End::Close(code, reason)),
                },
                notice = self.notices.next() => self.take(notice).await,
                _ = quiet.tick() => match self.heard_at.elapsed() {
                    silence if silence > GONE => Err(End::Gone),
                    silence if silence >= QUIET => {
                        write(&mut self.socket, Message::Ping(Bytes::new())).await.map_err(End::from)
                    }
                    _ => Ok(()),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard_at = Instant::now();
        match message {
            Message::Binary(frame) => Ok(self.lines.hear_of(self.note, &frame, false).await?),
            Message::Text(_) => {
                Err(End::Close(close::MALFORMED, "This socket takes binary frames.".to_owned()))
            }
            Message::Close(_) => Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn take(&mut self, notice: Option<Notice>) -> Result<(), End> {
        let which = match notice {
            None => return Err(End::Close(CLOSE_RESTART, "The server restarts. Connect again.".to_owned())),
            Some(Notice::SessionEnded) => {
                return Err(End::Close(close::SIGNED_OUT, "The session ended. Sign in again.".to_owned()));
            }
            Some(Notice::KeyRevoked) => {
                return Err(End::Close(close::KEY_REVOKED, "The API key was revoked.".to_owned()));
            }
            Some(Notice::NoteAccess(which)) => which,
            // What was missed may have been about this note.
            Some(Notice::Lagged) => None,
            Some(Notice::Frame(_) | Notice::NoteAnnotated(_)) => return Ok(()),
        };
        self.recheck(which).await
    }

    async fn recheck(&mut self, which: Option<NoteId>) -> Result<(), End> {
        match self.lines.recheck(which).await.pop() {
            Some((_, refusal)) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    async fn send(&mut self, frames: Vec<Bytes>) -> Result<(), End> {
        // Without the note's id, which other clients do not know.
        let messages = frames.into_iter().map(|frame| Message::Binary(frame.slice(ID..)));
        Ok(write_all(&mut self.socket, messages).await?)
    }
}

/// A frame over the limit is said so; any other failure is a line that is gone.
pub fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}

fn too_large(error: &axum::Error) -> End {
    if is_too_large(error) {
        End::Close(close::TOO_LARGE, "A message has at most 16 MB.".to_owned())
    } else {
        End::Gone
    }
}
