//! Postgres goes away and comes back while the server runs.

use crate::application::{Application, Person, answer_id, eventually, text_of};
use serde_json::json;
use shared::conversation::StopReason;
use shared::event::AnswerEvent;
use sqlx::{AssertSqlSafe, Executor};
use upstream::Wire;

/// Keeps this application's database from taking connections, and ends those it has. The same to the
/// server as a Postgres that is down, without taking it from the other tests.
async fn take_away(app: &Application) -> sqlx::PgPool {
    let domain::DatabaseAddress::Socket { directory, port, user, database } = app.database.clone() else {
        panic!("tests run on a socket")
    };
    let admin = domain::DatabaseAddress::Socket { directory, port, user, database: "postgres".into() };
    let admin = sqlx::PgPool::connect_with(crate::application::options(&admin)).await.unwrap();
    let _ = &app.owner.close().await;
    admin.execute(AssertSqlSafe(format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"))).await.unwrap();
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind(&database)
        .execute(&admin)
        .await
        .unwrap();
    admin
}

async fn give_back(app: &Application, admin: &sqlx::PgPool) {
    let domain::DatabaseAddress::Socket { database, .. } = &app.database else { panic!("a socket") };
    admin.execute(AssertSqlSafe(format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"))).await.unwrap();
}

async fn health(person: &Person) -> String {
    let body: serde_json::Value = person.send(reqwest::Method::GET, "/api/health", None).await.json().await.unwrap();
    let status = body.pointer("/data/status").or(body.pointer("/status"));
    status.and_then(|s| s.as_str()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_answer_goes_on_while_the_database_is_away_and_is_stored_on_its_return() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 400 every 10ms first 0ms]]"})).await;
    let first = stream.next().await.unwrap();
    stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    let admin = take_away(&app).await;
    // The text keeps coming.
    for _ in 0..10 {
        stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    }
    eventually("the server says that it is degraded", async || health(&owner).await == "degraded").await;
    let refused = owner.send(reqwest::Method::GET, "/api/v1/conversations", None).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    give_back(&app, &admin).await;
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().event, AnswerEvent::Done { stop_reason: StopReason::End });
    eventually("the server is well again", async || health(&owner).await == "ok").await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["status"], "complete");
    let again = owner.follow(&conversation, &answer_id(&first), 0).await.rest().await;
    assert_eq!(json!(text_of(&again)), stored["messages"][1]["content"]);
}
