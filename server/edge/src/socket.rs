//! `/api/v1/ws`: the one socket of a browser. It carries notices, never content that must not be
//! lost: whoever missed something is told to fetch again. A client that does not read is let go.

use crate::authentication::By;
use crate::envelope::Failure;
use crate::origin::Absent;
use crate::state::Edge;
use axum::extract::State;
use axum::extract::ws::{
    CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::response::Response;
use domain::{Caller, Notice, Notices, Via};
use http::HeaderMap;
use shared::ErrorCode;
use shared::socket::{Channel, ClientFrame, ServerBody, ServerFrame};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

const LARGEST_FRAME: usize = 64 << 10;
/// The server pings a line this long silent, and gives it up after two more.
const QUIET: Duration = Duration::from_secs(30);
const GIVEN_UP: Duration = Duration::from_secs(90);
/// How long one write may take before the client counts as gone.
const LONGEST_WRITE: Duration = Duration::from_secs(10);

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
    By(caller): By,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    // A browser adds the cookie whoever opens the socket; only a program can show a key.
    let absent = match caller.via {
        Via::Session(_) => Absent::Refuse,
        Via::ApiKey(_) => Absent::Accept,
    };
    edge.hosts.check_origin(&headers, absent)?;
    let upgrade = upgrade.map_err(|_| {
        Failure::new(ErrorCode::InvalidInput, "This address is for WebSockets. Connect with ws:// or wss://.")
    })?;
    let upgrade = upgrade.max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME);
    Ok(upgrade.on_upgrade(move |socket| async move { Line::open(socket, &edge, &caller).serve().await }))
}

/// Why a line closes.
enum End {
    Gone,
    Restart,
    SessionEnded,
}

struct Line {
    socket: WebSocket,
    notices: Notices,
    degraded: watch::Receiver<Vec<String>>,
    subscribed: HashSet<Channel>,
    build: String,
    shutdown: CancellationToken,
    heard_at: Instant,
}

impl Line {
    fn open(socket: WebSocket, edge: &Edge, caller: &Caller) -> Self {
        Self {
            socket,
            notices: edge.domain.notices(caller),
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
            End::Restart => (CLOSE_RESTART, "The server restarts. Connect again."),
            End::SessionEnded => (CLOSE_SESSION_ENDED, "The session ended. Sign in again."),
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
        let mut quiet = tokio::time::interval(QUIET);
        quiet.tick().await;
        loop {
            let step = tokio::select! {
                () = self.shutdown.cancelled() => Err(End::Restart),
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) | None => Err(End::Gone),
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
            Message::Binary(_) => {
                return self.refuse("This socket takes JSON text frames only.".to_owned()).await;
            }
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
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
            Notice::Lagged => self.tell(Channel::System, ServerBody::Resync).await,
            Notice::SessionEnded => Err(End::SessionEnded),
        }
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
        match timeout(LONGEST_WRITE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
