//! Postgres goes away and comes back while the server runs.

use crate::application::{
    Application, Differences, Person, answer_id, eventually, folder, new_database, text_of,
};
use serde_json::json;
use shared::conversation::StopReason;
use shared::event::AnswerEvent;
use std::path::PathBuf;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use upstream::Wire;

/// A way to Postgres that can be cut: a socket that passes everything on.
struct Line {
    from: PathBuf,
    to: PathBuf,
    port: u16,
    cut: CancellationToken,
}

impl Line {
    /// The database behind a line, and the line.
    async fn to(database: domain::DatabaseAddress) -> (domain::DatabaseAddress, Self) {
        let domain::DatabaseAddress::Socket { directory, port, user, database } = database else {
            panic!("tests run on a socket")
        };
        let from = folder(&format!("line-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&from).unwrap();
        let mut line = Self { from: from.clone(), to: directory, port, cut: CancellationToken::new() };
        line.connect();
        (domain::DatabaseAddress::Socket { directory: from, port, user, database }, line)
    }

    fn name(&self) -> String {
        format!(".s.PGSQL.{}", self.port)
    }

    fn connect(&mut self) {
        self.cut = CancellationToken::new();
        let listener = UnixListener::bind(self.from.join(self.name())).unwrap();
        let (to, cut) = (self.to.join(self.name()), self.cut.clone());
        tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    () = cut.cancelled() => return,
                    accepted = listener.accept() => {
                        let (mut here, _) = accepted.unwrap();
                        let mut there = UnixStream::connect(&to).await.unwrap();
                        // An error is how a cut connection ends.
                        open.spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await.is_ok() });
                    }
                }
            }
        });
    }

    /// Everything that goes through it ends, and nothing new gets through.
    fn cut(&self) {
        self.cut.cancel();
        std::fs::remove_file(self.from.join(self.name())).unwrap();
    }
}

async fn health(person: &Person) -> String {
    let body: serde_json::Value =
        person.send(reqwest::Method::GET, "/api/health", None).await.json().await.unwrap();
    let status = body.pointer("/data/status").or(body.pointer("/status"));
    status.and_then(|s| s.as_str()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_answer_goes_on_while_the_database_is_away_and_is_stored_on_its_return() {
    let (database, mut line) = Line::to(new_database().await).await;
    let app =
        Application::start_with(Differences { database: Some(database), ..Differences::default() }).await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 400 every 10ms first 0ms]]"})).await;
    let first = stream.next().await.unwrap();
    stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    line.cut();
    // The text keeps coming.
    for _ in 0..10 {
        stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    }
    eventually("the server says that it is degraded", async || health(&owner).await == "degraded").await;
    let refused = owner.send(reqwest::Method::GET, "/api/v1/conversations", None).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    line.connect();
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().event, AnswerEvent::Done { stop_reason: StopReason::End });
    eventually("the server is well again", async || health(&owner).await == "ok").await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["status"], "complete");
    let again = owner.follow(&conversation, &answer_id(&first), 0).await.rest().await;
    assert_eq!(json!(text_of(&again)), stored["messages"][1]["content"]);
}
