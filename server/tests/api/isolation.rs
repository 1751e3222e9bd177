//! What is private stays private: in the catalogue, by row-level security, and on every path.

use crate::application::{Application, Person, answer_id};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::Row;
use upstream::Wire;

#[tokio::test]
async fn every_table_is_bound_by_row_level_security_and_no_role_of_ours_owns_one() {
    let app = Application::start().await;
    let tables = sqlx::query(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS bound,
                EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy,
                pg_get_userbyid(c.relowner) LIKE 'sidebar%' AS ours
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    assert!(tables.len() >= 11, "{} tables", tables.len());
    for table in tables {
        let name: String = table.get("relname");
        assert!(table.get::<bool, _>("bound"), "{name} is not bound by row-level security");
        assert!(table.get::<bool, _>("has_policy"), "{name} has no policy");
        assert!(!table.get::<bool, _>("ours"), "{name} is owned by a role of ours");
    }
}

#[tokio::test]
async fn a_connection_at_rest_may_do_nothing_and_the_system_sees_no_conversation() {
    let app = Application::start().await;
    app.set_up().await;
    for (role, statement) in [
        ("sidebar_none", "SELECT count(*) FROM users"),
        ("sidebar_none", "SELECT count(*) FROM conversations"),
        ("sidebar_system", "SELECT count(*) FROM conversations"),
        ("sidebar_system", "SELECT count(*) FROM chunks"),
        ("sidebar_user", "SELECT count(*) FROM provider_keys"),
        ("sidebar_user", "SELECT token_hash FROM sessions"),
        ("sidebar_user", "UPDATE users SET role = 'admin'"),
        ("sidebar_user", "SELECT purge_deleted(now())"),
        ("sidebar_user", "SELECT count(*) FROM note_updates"),
        ("sidebar_user", "UPDATE notes SET markdown = 'x'"),
        ("sidebar_user", "UPDATE notes SET seq = 1"),
        ("sidebar_user", "SELECT note_authors(gen_random_uuid(), 0, 1)"),
        ("sidebar_system", "SELECT count(*) FROM notes"),
        ("sidebar_sync", "SELECT count(*) FROM conversations"),
        ("sidebar_sync", "SELECT count(*) FROM note_shares"),
        ("sidebar_sync", "UPDATE notes SET title = 'x'"),
        ("sidebar_sync", "SELECT email FROM users"),
    ] {
        let mut tx = app.owner.begin().await.unwrap();
        sqlx::query("SELECT set_config('role', $1, true)").bind(role).execute(&mut *tx).await.unwrap();
        let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        let code = refused.as_database_error().and_then(|e| e.code().map(|c| c.to_string()));
        assert_eq!(code.as_deref(), Some("42501"), "{role} may not: {statement}");
    }
}

#[tokio::test]
async fn another_person_sees_nothing_on_any_path() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    let events = owner.ask(&conversation, "The codeword is zanzibar. [[say zanzibar it is]]").await;
    let answer = answer_id(&events[0]);
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    let thing = format!("/api/v1/conversations/{conversation}");
    let message = format!("{thing}/messages/{answer}");
    for (method, path, body) in [
        (Method::GET, thing.clone(), None),
        (Method::PATCH, thing.clone(), Some(json!({"title": "mine now"}))),
        (Method::DELETE, thing.clone(), None),
        (Method::POST, format!("{thing}/restore"), Some(json!({}))),
        (Method::GET, format!("{thing}/export?format=markdown"), None),
        (Method::POST, format!("{thing}/messages"), Some(json!({"content": "hello"}))),
        (Method::GET, format!("{message}/events"), None),
        (Method::POST, format!("{message}/stop"), Some(json!({}))),
        (Method::POST, format!("{message}/regenerate"), Some(json!({}))),
        (Method::POST, format!("{message}/continue"), Some(json!({}))),
        (Method::PUT, format!("{message}/reactions/👍"), Some(json!({}))),
        (Method::DELETE, format!("{message}/reactions/👍"), None),
    ] {
        let response = stranger.send(method.clone(), &path, body).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
        let text = response.text().await.unwrap();
        assert!(!text.contains("zanzibar"), "{text}");
    }
    for path in [
        "/api/v1/conversations",
        "/api/v1/conversations?q=zanzibar",
        "/api/v1/conversations?deleted=true",
        "/api/v1/search?q=zanzibar",
        "/api/v1/search?q=zanz",
    ] {
        let body = stranger.get(path).await.ok().to_string();
        assert!(!body.contains("zanzibar") && !body.contains(&conversation), "{path}: {body}");
    }
    assert!(owner.get("/api/v1/search?q=zanz").await.ok().to_string().contains(&conversation));
    let sessions = owner.get("/api/v1/sessions").await.ok();
    let session = sessions[0]["id"].as_str().unwrap().to_owned();
    stranger.delete(&format!("/api/v1/sessions/{session}")).await.refused(404, "NOT_FOUND");
    let page = stranger.send(Method::GET, &format!("/c/{conversation}"), None).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(!page.text().await.unwrap().contains("zanzibar"));
}

#[tokio::test]
async fn titles_are_found_as_they_are_now_and_by_their_owner_alone() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    let conversation = owner.conversation().await;
    let thing = format!("/api/v1/conversations/{conversation}");
    let rename = |title: &str| owner.send(Method::PATCH, &thing, Some(json!({ "title": title })));
    let found = async |person: &Person, words: &str| {
        let hits = person.get(&format!("/api/v1/search?q={words}")).await.ok();
        hits["items"].as_array().unwrap().clone()
    };
    assert_eq!(rename("Where quokkas live").await.status(), StatusCode::OK);
    // By its stem, and by its beginning while one types.
    for words in ["quokka", "quok"] {
        let hits = found(&owner, words).await;
        assert_eq!(hits.len(), 1, "{words}");
        assert_eq!(
            (&hits[0]["kind"], &hits[0]["url"]),
            (&json!("conversation"), &json!(format!("/c/{conversation}")))
        );
        assert_eq!(hits[0]["passage"][1], json!({"text": "quokkas", "hit": true}));
        assert!(found(&stranger, words).await.is_empty());
    }
    let listed = stranger.get("/api/v1/conversations?q=quokka").await.ok();
    assert_eq!(listed["items"], json!([]));
    assert_eq!(rename("Where wombats live").await.status(), StatusCode::OK);
    assert!(found(&owner, "quokka").await.is_empty());
    assert_eq!(found(&owner, "wombats").await.len(), 1);
    owner.delete(&thing).await.ok();
    assert!(found(&owner, "wombats").await.is_empty());
    owner.post(&format!("{thing}/restore"), json!({})).await.ok();
    assert_eq!(found(&owner, "wombats").await.len(), 1);
}

#[tokio::test]
async fn word_search_uses_its_index() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let conversation = owner.conversation().await;
    // Many passages of another person: a scan would read them all.
    let stranger = app.person(&owner, "stranger@example.org", "viewer").await;
    let other = stranger.get("/api/v1/me").await.ok()["profile"]["id"].as_str().unwrap().to_owned();
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text)
         SELECT $1::uuid, CASE WHEN n % 2 = 0 THEN 'message' ELSE 'conversation' END, gen_random_uuid(),
                gen_random_uuid(), 0, 'word' || n || ' filler' FROM generate_series(1, 20000) n",
    )
    .bind(other.parse::<uuid::Uuid>().unwrap())
    .execute(&app.owner)
    .await
    .unwrap();
    sqlx::query("ANALYZE chunks").execute(&app.owner).await.unwrap();
    owner.ask(&conversation, "needlework").await;
    let hits = owner.get("/api/v1/search?q=needlework").await.ok();
    // Its title may be there already, and of the same word.
    assert_eq!(hits["items"].as_array().unwrap().iter().filter(|hit| hit["kind"] == "message").count(), 1);
    // The function's own statement, as its role runs it for someone with many passages.
    let mut tx = app.owner.begin().await.unwrap();
    sqlx::query("SELECT set_config('role', 'sidebar_definer', true), set_config('app.user_id', $1, true)")
        .bind(&other)
        .execute(&mut *tx)
        .await
        .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT * FROM chunks k WHERE k.tsv @@ words_query('word777')
         AND ARRAY[k.owner_id, k.source_id] && ARRAY[app_user_id()]",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert!(plan.iter().any(|line| line.contains("chunks_found")), "{plan:#?}");
}
