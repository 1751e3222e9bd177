//! Writing to a WebSocket whose reader may have stopped: bounded in time.

use axum::extract::ws::{Message, WebSocket};
use futures::SinkExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// How long one write may take before the client counts as gone.
const LONGEST_WRITE: Duration = Duration::from_secs(10);

/// The client does not read any more.
#[derive(Debug)]
pub struct Gone;

pub async fn write(socket: &mut WebSocket, message: Message) -> Result<(), Gone> {
    match timeout(LONGEST_WRITE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

/// Writes several at once.
pub async fn write_all(
    socket: &mut WebSocket,
    messages: impl IntoIterator<Item = Message>,
) -> Result<(), Gone> {
    for message in messages {
        match timeout(LONGEST_WRITE, socket.feed(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(Gone),
        }
    }
    match timeout(LONGEST_WRITE, socket.flush()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
