//! `/api/v1/ws`: the one socket of a browser. JSON frames carry notices, never content that must not
//! be lost: whoever missed something is told to fetch again. Binary frames are notes' lines (see
//! `shared::note::frame`). A client that does not read is let go.

use crate::envelope::Failure;
use crate::looking::Looking;
use crate::note_lines::NoteLines;
use crate::origin::Absent;
use crate::socket_writer::{Gone, write, write_all};
use crate::state::Edge;
use crate::sync_door::{LARGEST_FRAME, READ_BUFFER, RECHECK, is_too_large};
use axum::extract::State;
use axum::extract::ws::{
    CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::response::Response;
use bytes::Bytes;
use domain::{Notice, Notices, Outbox, Outgoing, Via, Viewer};
use http::HeaderMap;
use shared::note::frame::close;
use shared::socket::{Channel, ClientFrame, ServerBody, ServerFrame};
use shared::{ErrorCode, NoteId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest JSON frame.
const LARGEST_TEXT: usize = 64 << 10;
/// The server looks this often whether a line is silent. One that was for half of it is pinged; one that was for
/// twice as long, and so was pinged before, is given up: a loss that nobody announces is noticed within 30 seconds.
const LOOK: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(5);
const GIVEN_UP: Duration = Duration::from_secs(20);

/// RFC 6455: the server restarts.
const CLOSE_RESTART: u16 = 1012;
/// Of ours: the session ended; sign in again.
const CLOSE_SESSION_ENDED: u16 = 4401;

pub fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new().routes(routes!(socket))
}

/// Opens the socket: JSON frames `{"channel","type","payload"}`, on the channels subscribed to.
#[utoipa::path(get, path = "/api/v1/ws", tag = "socket",
    responses((status = 101, description = "The WebSocket is open.")))]
async fn socket(
    State(edge): State<Arc<Edge>>,
    Looking(viewer): Looking,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    // A browser adds the cookie whoever opens the socket; only a program can show a key.
    let absent = match viewer.person.as_ref().map(|person| person.via) {
        Some(Via::ApiKey(_)) => Absent::Accept,
        Some(Via::Session(_)) | None => Absent::Refuse,
    };
    edge.hosts.check_origin(&headers, absent)?;
    let upgrade = upgrade.map_err(|_| {
        Failure::new(ErrorCode::InvalidInput, "This address is for WebSockets. Connect with ws:// or wss://.")
    })?;
    let upgrade = upgrade
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| async move { Line::open(socket, &edge, viewer).serve().await }))
}

/// Why a line closes.
enum End {
    Gone,
    Restart,
    SessionEnded,
    /// For a reason of the notes'.
    Close(u16, String),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

struct Line {
    socket: WebSocket,
    notices: Notices,
    degraded: watch::Receiver<Vec<String>>,
    subscribed: HashSet<Channel>,
    build: String,
    shutdown: CancellationToken,
    heard_at: Instant,
    notes: NoteLines,
    /// What the notes' rooms send.
    outbox: Outbox,
}

impl Line {
    fn open(socket: WebSocket, edge: &Edge, viewer: Viewer) -> Self {
        let notices = edge.domain.notices(&viewer);
        let notes = NoteLines::new(edge.domain.clone(), viewer);
        Self {
            socket,
            notices,
            outbox: notes.outbox(),
            notes,
            degraded: edge.domain.degraded(),
            subscribed: HashSet::from([Channel::System]),
            build: edge.build.clone(),
            shutdown: edge.shutdown.clone(),
            heard_at: Instant::now(),
        }
    }

    async fn serve(mut self) {
        let open = metrics::gauge!("sidebar_sockets");
        open.increment(1.0);
        let end = match self.greet().await {
            Ok(()) => self.exchange().await,
            Err(end) => end,
        };
        open.decrement(1.0);
        let (code, reason) = match end {
            End::Gone => return,
            End::Restart => (CLOSE_RESTART, "The server restarts. Connect again.".to_owned()),
            End::SessionEnded => (CLOSE_SESSION_ENDED, "The session ended. Sign in again.".to_owned()),
            End::Close(code, reason) => (code, reason),
        };
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // Whoever left first needs no goodbye.
        let _ = self.write(close).await;
    }

    async fn greet(&mut self) -> Result<(), End> {
        let build = self.build.clone();
        self.tell(Channel::System, ServerBody::Hello { build }).await?;
        let parts = self.degraded.borrow_and_update().clone();
        if parts.is_empty() {
            Ok(())
        } else {
            self.tell(Channel::System, ServerBody::Degraded { parts }).await
        }
    }

    async fn exchange(&mut self) -> End {
        let mut quiet = tokio::time::interval(LOOK);
        quiet.tick().await;
        let mut recheck = tokio::time::interval(RECHECK);
        recheck.tick().await;
        loop {
            let step = tokio::select! {
                () = self.shutdown.cancelled() => Err(End::Restart),
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) if is_too_large(&error) => {
                        Err(End::Close(close::TOO_LARGE, "A message has at most 16 MB.".to_owned()))
                    }
                    Some(Err(_)) | None => Err(End::Gone),
                },
                outgoing = self.outbox.next() => match outgoing {
                    Outgoing::Frames(frames) => self.send_frames(frames).await,
                    Outgoing::Close(code, reason) => Err(End::Close(code, reason)),
                },
                notice = self.notices.next() => match notice {
                    Some(notice) => self.pass_on(notice).await,
                    None => Err(End::Restart),
                },
                changed = self.degraded.changed() => match changed {
                    Ok(()) => {
                        let parts = self.degraded.borrow_and_update().clone();
                        self.tell(Channel::System, ServerBody::Degraded { parts }).await
                    }
                    Err(_) => Err(End::Restart),
                },
                _ = recheck.tick() => {
                    self.recheck_notes(None).await;
                    Ok(())
                }
                _ = quiet.tick() => match self.heard_at.elapsed() {
                    silence if silence > GIVEN_UP => Err(End::Gone),
                    silence if silence >= QUIET => self.write(Message::Ping(Default::default())).await,
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
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(frame) => {
                return self.notes.hear(&frame).await.map_err(|(code, reason)| End::Close(code, reason));
            }
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        if text.len() > LARGEST_TEXT {
            return self.refuse(format!("A frame has at most {LARGEST_TEXT} bytes.")).await;
        }
        match serde_json::from_str(text.as_str()) {
            Ok(ClientFrame::Subscribe { channel }) => {
                self.subscribed.insert(channel);
                Ok(())
            }
            Ok(ClientFrame::Unsubscribe { channel }) => {
                if channel != Channel::System {
                    self.subscribed.remove(&channel);
                }
                Ok(())
            }
            Ok(ClientFrame::Ping { channel }) => self.tell(channel, ServerBody::Pong).await,
            Err(error) => self.refuse(format!("The frame was not understood: {error}.")).await,
        }
    }

    async fn pass_on(&mut self, notice: Notice) -> Result<(), End> {
        match notice {
            Notice::Frame(frame) if self.subscribed.contains(&frame.channel) => self.send(&frame).await,
            Notice::Frame(_) => Ok(()),
            Notice::Lagged => {
                // What was missed may have been about access.
                self.recheck_notes(None).await;
                self.tell(Channel::System, ServerBody::Resync).await
            }
            Notice::SessionEnded => Err(End::SessionEnded),
            Notice::KeyRevoked => Err(End::Close(close::KEY_REVOKED, "The API key was revoked.".to_owned())),
            Notice::NoteAccess(which) => {
                self.recheck_notes(which).await;
                Ok(())
            }
            // Only whoever is in the note is known to see it.
            Notice::NoteAnnotated(id)
                if self.notes.is_in(id) && self.subscribed.contains(&Channel::Notes) =>
            {
                self.tell(Channel::Notes, ServerBody::NoteAnnotated { id }).await
            }
            Notice::NoteAnnotated(_) => Ok(()),
        }
    }

    async fn recheck_notes(&mut self, which: Option<NoteId>) {
        let ended = self.notes.recheck(which).await;
        self.notes.tell_ended(ended);
    }

    async fn send_frames(&mut self, frames: Vec<Bytes>) -> Result<(), End> {
        Ok(write_all(&mut self.socket, frames.into_iter().map(Message::Binary)).await?)
    }

    async fn refuse(&mut self, error: String) -> Result<(), End> {
        self.tell(Channel::System, ServerBody::Refused { error }).await
    }

    async fn tell(&mut self, channel: Channel, body: ServerBody) -> Result<(), End> {
        self.send(&ServerFrame { channel, body }).await
    }

    async fn send(&mut self, frame: &ServerFrame) -> Result<(), End> {
        match serde_json::to_string(frame) {
            Ok(text) => self.write(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "a frame could not be written as JSON");
                Err(End::Gone)
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        Ok(write(&mut self.socket, message).await?)
    }
}
