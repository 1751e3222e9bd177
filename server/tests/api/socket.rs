//! The socket of an open browser.

use crate::application::{Application, PATIENCE, Person};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn open(person: &Person, origin: Option<&str>) -> Result<Socket, u16> {
    let url = format!("{}/api/v1/ws", person.base.replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    if let Some(cookie) = &person.cookie {
        headers.insert("cookie", cookie.parse().unwrap());
    }
    if let Some(key) = &person.key {
        headers.insert("x-api-key", key.parse().unwrap());
    }
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// The next frame, or the code with which the socket closed.
pub async fn next(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("the socket is silent");
        match message {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
            Some(Ok(Message::Close(Some(close)))) => return Err(close.code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(0),
        }
    }
}

pub async fn say(socket: &mut Socket, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

#[tokio::test]
async fn the_socket_is_for_our_own_pages_and_for_keys() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let ours = owner.base.clone();
    assert_eq!(open(&app.visitor(), Some(&ours)).await.err(), Some(401));
    assert_eq!(open(&owner, Some("http://evil.example")).await.err(), Some(403));
    assert_eq!(open(&owner, None).await.err(), Some(403));
    assert!(open(&owner, Some(&ours)).await.is_ok());
    assert!(open(&owner.program().await, None).await.is_ok());
}

#[tokio::test]
async fn only_what_was_subscribed_to_arrives_and_only_ones_own() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.person(&owner, "other@example.org", "developer").await;
    let mut subscribed = open(&owner, Some(&owner.base)).await.unwrap();
    let mut silent = open(&owner, Some(&owner.base)).await.unwrap();
    let hello = json!({"channel": "system", "type": "hello", "payload": {"build": "test"}});
    assert_eq!(next(&mut subscribed).await.unwrap(), hello);
    assert_eq!(next(&mut silent).await.unwrap(), hello);
    say(&mut subscribed, json!({"type": "subscribe", "channel": "chat"})).await;
    say(&mut subscribed, json!({"type": "ping", "channel": "chat"})).await;
    assert_eq!(next(&mut subscribed).await.unwrap(), json!({"channel": "chat", "type": "pong"}));
    other.conversation().await;
    let made = owner.conversation().await;
    let frame = next(&mut subscribed).await.unwrap();
    assert_eq!((&frame["channel"], &frame["type"]), (&json!("chat"), &json!("conversation_changed")));
    assert_eq!(frame["payload"]["id"], made, "what others do is not told");
    for _ in 0..3 {
        say(&mut silent, json!({"type": "ping", "channel": "system"})).await;
        assert_eq!(next(&mut silent).await.unwrap()["type"], "pong");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_the_socket_stays_open() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let mut socket = open(&owner, Some(&owner.base)).await.unwrap();
    next(&mut socket).await.unwrap();
    for wrong in ["{", "{\"type\":\"shout\"}", "[]", "{\"type\":\"subscribe\",\"channel\":\"everything\"}"] {
        socket.send(Message::text(wrong)).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["type"], "refused", "{wrong}");
    }
    say(&mut socket, json!({"type": "ping", "channel": "system"})).await;
    assert_eq!(next(&mut socket).await.unwrap()["type"], "pong");
}

#[tokio::test]
async fn the_socket_closes_with_its_key_and_no_other() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let (program, other) = (owner.program().await, owner.program().await);
    let mut revoked = open(&program, None).await.unwrap();
    let mut kept = open(&other, None).await.unwrap();
    let mut own = open(&owner, Some(&owner.base)).await.unwrap();
    for socket in [&mut revoked, &mut kept, &mut own] {
        next(socket).await.unwrap();
    }
    let keys = owner.get("/api/v1/keys").await.ok();
    // The newest is first: the other program's.
    let key = keys[1]["id"].as_str().unwrap();
    owner.delete(&format!("/api/v1/keys/{key}")).await.ok();
    assert_eq!(next(&mut revoked).await, Err(4410));
    assert_eq!(open(&program, None).await.err(), Some(401));
    for socket in [&mut kept, &mut own] {
        say(socket, json!({"type": "ping", "channel": "system"})).await;
        assert_eq!(next(socket).await.unwrap()["type"], "pong");
    }
}

#[tokio::test]
async fn the_socket_closes_with_its_session_and_with_the_server() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.sign_in("owner@example.org", crate::application::PASSWORD).await;
    let mut theirs = open(&other, Some(&other.base)).await.unwrap();
    let mut own = open(&owner, Some(&owner.base)).await.unwrap();
    next(&mut theirs).await.unwrap();
    next(&mut own).await.unwrap();
    other.delete("/api/v1/sessions/current").await.ok();
    assert_eq!(next(&mut theirs).await, Err(4401));
    // Ended from another browser.
    let third = app.sign_in("owner@example.org", crate::application::PASSWORD).await;
    let mut ended = open(&third, Some(&third.base)).await.unwrap();
    next(&mut ended).await.unwrap();
    let sessions = owner.get("/api/v1/sessions").await.ok();
    let session = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    owner.delete(&format!("/api/v1/sessions/{}", session["id"].as_str().unwrap())).await.ok();
    assert_eq!(next(&mut ended).await, Err(4401));
    app.stop().await;
    assert_eq!(next(&mut own).await, Err(1012));
}
