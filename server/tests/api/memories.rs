//! Memories: kept once, replaced when they no longer hold, told to models, forgotten for good, and nobody else's.

use crate::application::{Application, Differences, Person, answer_id, eventually, text_of, well_within};
use embeddings::{MiniLm, weights_folder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::event::AnswerEvent;
use std::num::NonZeroUsize;
use std::sync::Arc;
use upstream::Wire;

/// In seconds: what is asked for is counted by days.
const DAY: i64 = 24 * 60 * 60;

async fn keep(person: &Person, content: &str) -> Value {
    let kept = person.post("/api/v1/memories", json!({ "content": content })).await;
    assert!(kept.status.is_success(), "{}", kept.body);
    kept.body["data"].clone()
}

fn id(memory: &Value) -> &str {
    memory["id"].as_str().unwrap()
}

async fn list(person: &Person, query: &str) -> Vec<Value> {
    let page = person.get(&format!("/api/v1/memories{query}")).await.ok();
    page["items"].as_array().unwrap().clone()
}

fn contents(memories: &[Value]) -> Vec<&str> {
    memories.iter().map(|memory| memory["content"].as_str().unwrap()).collect()
}

async fn with_meaning() -> Application {
    let folder = weights_folder().expect("run `cargo xtask setup` first");
    let embedder: Arc<dyn domain::Embedder> = Arc::new(MiniLm::load(&folder, NonZeroUsize::MIN).unwrap());
    Application::start_with(Differences { embedder: Some(embedder), ..Differences::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_and_its_response_are_saved_by_separate_calls_and_found() {
    let application = Application::start().await;
    let program = application.set_up().await.program().await;
    let prompt = json!({
        "prompt": "How do I descale a kettle?",
        "provider": "chatgpt",
        "conversation_ref": "c-17",
        "metadata": { "url": "https://chat.example/c-17", "title": "Kettle" },
    });
    let saved = program.post("/api/v1/memories/prompt", prompt).await.expect(StatusCode::CREATED);
    let memory = saved["memory_id"].as_str().unwrap();
    let response = json!({ "memory_id": memory, "response": "Boil it with citric acid, then rinse." });
    program.post("/api/v1/memories/response", response).await.ok();
    let opened = program.get(&format!("/api/v1/memories/{memory}")).await.ok();
    assert_eq!((opened["kind"].as_str(), opened["provider"].as_str()), (Some("exchange"), Some("chatgpt")));
    assert_eq!(opened["response"], "Boil it with citric acid, then rinse.");
    assert_eq!(opened["source"], json!({ "kind": "page", "url": "https://chat.example/c-17" }));
    let hits = program.get("/api/v1/search?q=citric%20acid%20kind:memory").await.ok()["items"].clone();
    assert_eq!(
        (hits[0]["kind"].as_str(), hits[0]["url"].as_str()),
        (Some("memory"), Some(&*format!("/memories/{memory}")))
    );
    let again = json!({ "memory_id": memory, "response": "Use vinegar." });
    program.post("/api/v1/memories/response", again).await.ok();
    let opened = program.get(&format!("/api/v1/memories/{memory}")).await.ok();
    assert_eq!(opened["history"][0]["text"], "Boil it with citric acid, then rinse.");
    program
        .post("/api/v1/memories/prompt", json!({ "prompt": " ", "provider": "x" }))
        .await
        .refused(400, "INVALID_INPUT");
    let statement = keep(&program, "I like tea").await;
    let wrong = json!({ "memory_id": id(&statement), "response": "x" });
    program.post("/api/v1/memories/response", wrong).await.refused(409, "CONFLICT");
}

async fn keyed(person: &Person, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let request = person.request(Method::POST, path).header("idempotency-key", key).json(body);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_with_its_key_does_nothing_twice() {
    well_within(DAY, 60).await;
    let application = Application::start().await;
    let owner = application.set_up().await;
    let prompt = json!({ "prompt": "What is a lathe?", "provider": "claude" });
    let path = "/api/v1/memories/prompt";
    let (one, two) = tokio::join!(keyed(&owner, path, "k-1", &prompt), keyed(&owner, path, "k-1", &prompt));
    assert_eq!((one.0, &one.1["data"]), (StatusCode::CREATED, &two.1["data"]), "{one:?} {two:?}");
    assert_eq!(list(&owner, "").await.len(), 1);
    assert_eq!(
        owner.get("/api/v1/memories/quota").await.ok()["used"],
        1,
        "what was done before is not counted"
    );
    let other = json!({ "prompt": "What is a mill?", "provider": "claude" });
    let (status, answer) = keyed(&owner, path, "k-1", &other).await;
    assert_eq!((status.as_u16(), answer["error_code"].as_str()), (409, Some("CONFLICT")));
    let memory = one.1["data"]["memory_id"].as_str().unwrap();
    let response = json!({ "memory_id": memory, "response": "A machine that turns." });
    let path = "/api/v1/memories/response";
    let (first, again) =
        (keyed(&owner, path, "k-2", &response).await, keyed(&owner, path, "k-2", &response).await);
    assert_eq!(first, again);
    let statement = json!({ "content": "I own a lathe" });
    let first = keyed(&owner, "/api/v1/memories", "k-3", &statement).await;
    let again = keyed(&owner, "/api/v1/memories", "k-3", &statement).await;
    assert_eq!((first.0, &first.1), (StatusCode::CREATED, &again.1));
    // A key belongs to whoever sent it.
    let stranger = application.person(&owner, "other@example.org", "developer").await;
    let (status, theirs) = keyed(&stranger, "/api/v1/memories", "k-3", &statement).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(theirs["data"]["id"], first.1["data"]["id"]);
    owner.delete(&format!("/api/v1/memories/{}", id(&first.1["data"]))).await.ok();
    let (status, _) = keyed(&owner, "/api/v1/memories", "k-3", &statement).await;
    assert_eq!(status, StatusCode::CONFLICT, "what was forgotten does not come back by a repeated request");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hundred_and_first_free_request_of_a_day_is_refused_with_the_limit_and_the_time() {
    well_within(DAY, 120).await;
    let application = Application::start().await;
    let owner = application.set_up().await;
    let person = application.person(&owner, "other@example.org", "developer").await;
    for number in 0..100 {
        let prompt = json!({ "prompt": format!("Question {number}"), "provider": "claude" });
        person.post("/api/v1/memories/prompt", prompt).await.expect(StatusCode::CREATED);
    }
    let prompt = json!({ "prompt": "One more", "provider": "claude" });
    let response = person.send(Method::POST, "/api/v1/memories/prompt", Some(prompt.clone())).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_401).contains(&wait), "{wait}");
    let refusal: Value = response.json().await.unwrap();
    assert_eq!(refusal["error_code"], "QUOTA_EXCEEDED");
    assert_eq!(
        (refusal["details"]["limit"].as_u64(), refusal["details"]["tier"].as_str()),
        (Some(100), Some("free"))
    );
    assert!(refusal["details"]["resets_at"].as_str().unwrap().ends_with("T00:00:00Z"), "{refusal}");
    assert!(refusal["error"].as_str().unwrap().contains("100"));
    person.get("/api/v1/memories/search?q=question").await.refused(403, "QUOTA_EXCEEDED");
    // What is kept can still be seen, changed and forgotten.
    let kept = list(&person, "?limit=200").await;
    assert_eq!(kept.len(), 100, "what was refused is not half there");
    person.delete(&format!("/api/v1/memories/{}", id(&kept[0]))).await.ok();
    let me = person.get("/api/v1/me").await.ok()["profile"]["id"].as_str().unwrap().to_owned();
    let tier = format!("/api/v1/users/{me}/tier");
    person.put(&tier, json!({ "tier": "pro" })).await.refused(403, "FORBIDDEN");
    owner.put(&tier, json!({ "tier": "gold" })).await.refused(400, "INVALID_JSON");
    owner.put(&tier, json!({ "tier": "pro" })).await.ok();
    person.post("/api/v1/memories/prompt", prompt.clone()).await.expect(StatusCode::CREATED);
    owner.put(&tier, json!({ "tier": "free" })).await.ok();
    person.post("/api/v1/memories/prompt", prompt.clone()).await.refused(403, "QUOTA_EXCEEDED");
    // Midnight.
    sqlx::query("UPDATE memory_use SET day = day - 1").execute(&application.owner).await.unwrap();
    person.post("/api/v1/memories/prompt", prompt).await.expect(StatusCode::CREATED);
    let quota = person.get("/api/v1/memories/quota").await.ok();
    assert_eq!((quota["used"].as_u64(), quota["limit"].as_u64()), (Some(1), Some(100)));
    assert_eq!(owner.get("/api/v1/memories/quota").await.ok()["used"], 0, "each has their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_takes_the_others_place_and_the_history_says_so() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let porto = keep(&owner, "I live in Porto").await;
    let lisbon = keep(&owner, "I live in Lisbon").await;
    assert_eq!(
        (lisbon["outcome"].as_str(), &lisbon["superseded"]),
        (Some("superseded"), &json!([id(&porto)]))
    );
    assert_eq!(contents(&list(&owner, "").await), ["I live in Lisbon"]);
    assert_eq!(contents(&list(&owner, "?superseded=true").await), ["I live in Porto"]);
    let before = owner.get(&format!("/api/v1/memories/{}", id(&porto))).await.ok();
    assert_eq!(before["superseded_by"], lisbon["id"]);
    assert_eq!(before["held_until"], lisbon["held_from"], "one held until the other did");
    let opened = owner.get(&format!("/api/v1/memories/{}", id(&lisbon))).await.ok();
    assert_eq!(
        (opened["history"][0]["what"].as_str(), opened["history"][0]["text"].as_str()),
        (Some("replaced"), Some("I live in Porto"))
    );
    let hits = owner.get("/api/v1/search?q=Porto%20kind:memory").await.ok()["items"].clone();
    assert_eq!(hits, json!([]), "what no longer holds is not found");
    owner
        .patch(&format!("/api/v1/memories/{}", id(&porto)), json!({ "content": "x" }))
        .await
        .refused(409, "CONFLICT");
    // What says it itself need not contradict in so many words.
    let faro = json!({ "content": "Since May my place is Faro", "supersedes": id(&lisbon) });
    let faro = owner.post("/api/v1/memories", faro).await.expect(StatusCode::CREATED);
    assert_eq!(faro["superseded"], json!([id(&lisbon)]));
    let late = json!({ "content": "No, Braga", "supersedes": id(&lisbon) });
    owner.post("/api/v1/memories", late).await.refused(409, "CONFLICT");
    let opened = owner.get(&format!("/api/v1/memories/{}", id(&faro))).await.ok();
    assert_eq!(opened["history"].as_array().unwrap().len(), 2, "all that came before: {opened}");
    // What held once contradicts nothing now; nor does what concerns something else.
    let once = json!({ "content": "I live in Braga", "held_from": "2001-01-01T00:00:00Z", "held_until": "2002-01-01T00:00:00Z" });
    assert_eq!(owner.post("/api/v1/memories", once).await.expect(StatusCode::CREATED)["outcome"], "kept");
    let project =
        json!({ "content": "The deadline is in May", "scope": { "kind": "project", "name": "Harbour" } });
    owner.post("/api/v1/memories", project).await.expect(StatusCode::CREATED);
    let other =
        json!({ "content": "The deadline is in June", "scope": { "kind": "project", "name": "Bridge" } });
    assert_eq!(owner.post("/api/v1/memories", other).await.expect(StatusCode::CREATED)["outcome"], "kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_the_same_is_one_by_its_words_or_by_its_meaning() {
    let application = with_meaning().await;
    let owner = application.set_up().await;
    let first = keep(&owner, "I am afraid of flying").await;
    let worded =
        owner.post("/api/v1/memories", json!({ "content": "I'm still afraid of flying." })).await.ok();
    assert_eq!((worded["outcome"].as_str(), &worded["id"]), (Some("merged"), &first["id"]));
    let meant = owner.post("/api/v1/memories", json!({ "content": "I have a fear of flying" })).await.ok();
    assert_eq!(
        (meant["outcome"].as_str(), &meant["id"]),
        (Some("merged"), &first["id"]),
        "at once, without the queue"
    );
    let opened = owner.get(&format!("/api/v1/memories/{}", id(&first))).await.ok();
    assert_eq!(opened["content"], "I am afraid of flying");
    assert_eq!(opened["history"][0]["text"], "I have a fear of flying");
    for other in ["I like cats", "I like dogs", "We have two cats", "Ada is my sister", "Grace is my sister"]
    {
        assert_eq!(keep(&owner, other).await["outcome"], "kept", "{other}");
    }
    let three = keep(&owner, "We have three cats").await;
    assert_eq!(three["outcome"], "superseded", "nearly the same words, and not the same");
    assert_eq!(list(&owner, "").await.len(), 6);
    let (one, two) = tokio::join!(keep(&owner, "I play chess"), keep(&owner, "I play chess"));
    assert_eq!(one["id"], two["id"], "said twice at once");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_by_meaning_has_a_threshold_that_means_the_same_for_every_model() {
    let application = with_meaning().await;
    let owner = application.set_up().await;
    for content in ["I do not eat meat", "My manager is called Ines", "The server runs Debian"] {
        keep(&owner, content).await;
    }
    let found = owner.get("/api/v1/memories/search?q=vegetarian%20food%2C%20no%20meat").await.ok();
    assert_eq!(
        (found["model"].as_str(), found["threshold"].as_f64().map(|t| (t * 10.0).round())),
        (Some("minilm-l6-v2"), Some(7.0))
    );
    assert_eq!(found["items"][0]["memory"]["content"], "I do not eat meat", "{found}");
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "nothing else is near: {found}");
    let (similarity, cosine) =
        (found["items"][0]["similarity"].as_f64().unwrap(), found["items"][0]["cosine"].as_f64().unwrap());
    assert!(similarity >= 0.7 && cosine < similarity, "{similarity} {cosine}");
    let all = owner.get("/api/v1/memories/search?q=meat&threshold=0").await.ok();
    assert!(all["items"].as_array().unwrap().len() >= 2);
    assert_eq!(owner.get("/api/v1/memories/search?q=meat&threshold=1").await.ok()["items"], json!([]));
    owner.get("/api/v1/memories/search?q=meat&threshold=7").await.refused(400, "INVALID_INPUT");
    owner.get("/api/v1/memories/search?q=").await.refused(400, "INVALID_INPUT");
    let looked = list(&owner, "?q=who%20is%20my%20boss").await;
    assert_eq!(looked[0]["content"], "My manager is called Ines");
    application.stop().await;
}

/// Rows anywhere in which this word stands.
async fn rows_with(application: &Application, word: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND relkind = 'r' ORDER BY 1",
    )
    .fetch_all(&application.owner)
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let count = format!("SELECT count(*) FROM \"{table}\" t WHERE t::text ILIKE '%' || $1 || '%'");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(word)
            .fetch_one(&application.owner)
            .await
            .unwrap();
        if count > 0 {
            found.push(table);
        }
    }
    found
}

async fn count(application: &Application, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&application.owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_in_no_table_any_more() {
    let application = with_meaning().await;
    let owner = application.set_up().await;
    let (_, first) =
        keyed(&owner, "/api/v1/memories", "k", &json!({ "content": "My password hint is zanzibar" })).await;
    let path = format!("/api/v1/memories/{}", id(&first["data"]));
    owner.patch(&path, json!({ "content": "My password is zanzibar seven" })).await.ok();
    keep(&owner, "My password is zanzibar seven!").await;
    let last = keep(&owner, "My password is zanzibar eight").await;
    assert_eq!(last["superseded"], json!([id(&first["data"])]));
    let found = rows_with(&application, "zanzibar").await;
    assert!(
        ["chunks", "memories", "memory_events"].iter().all(|table| found.contains(&(*table).to_owned())),
        "{found:?}"
    );
    assert_eq!(
        count(&application, "SELECT count(*) FROM chunk_vectors WHERE source_kind = 'memory'").await,
        1
    );
    owner.delete(&format!("/api/v1/memories/{}", id(&last))).await.ok();
    assert_eq!(
        rows_with(&application, "zanzibar").await,
        Vec::<String>::new(),
        "the row, its history and what it replaced"
    );
    for rest in [
        "SELECT count(*) FROM memories",
        "SELECT count(*) FROM memory_events",
        "SELECT count(*) FROM chunks WHERE source_kind = 'memory'",
        "SELECT count(*) FROM chunk_vectors WHERE source_kind = 'memory'",
        "SELECT count(*) FROM chunk_queue",
        "SELECT count(*) FROM memory_keys WHERE request IS NOT NULL OR memory_id IS NOT NULL",
    ] {
        assert_eq!(count(&application, rest).await, 0, "{rest}");
    }
    owner.get(&path).await.refused(404, "NOT_FOUND");
    owner.delete(&path).await.refused(404, "NOT_FOUND");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_account_finds_nothing_on_any_path() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Ollama).await;
    let conversation = owner.conversation().await;
    let memory = keep(&owner, "The codeword is zanzibar").await;
    let memory = id(&memory).to_owned();
    owner.ask(&conversation, &format!("[[tool forget {{\"memory_id\":\"{memory}\"}}]]")).await;
    let waiting = owner.get("/api/v1/memories/waiting").await.ok();
    let asked = waiting["forgetting"][0]["id"].as_str().unwrap().to_owned();
    let stranger = application.person(&owner, "stranger@example.org", "admin").await;
    let thing = format!("/api/v1/memories/{memory}");
    stranger.get(&thing).await.refused(404, "NOT_FOUND");
    stranger.patch(&thing, json!({ "content": "mine" })).await.refused(404, "NOT_FOUND");
    stranger.delete(&thing).await.refused(404, "NOT_FOUND");
    let response = json!({ "memory_id": memory, "response": "x" });
    stranger.post("/api/v1/memories/response", response).await.refused(404, "NOT_FOUND");
    let replacing = json!({ "content": "mine", "supersedes": memory });
    stranger.post("/api/v1/memories", replacing).await.refused(404, "NOT_FOUND");
    let citing =
        json!({ "content": "mine", "source": { "kind": "conversation", "conversation_id": conversation } });
    stranger.post("/api/v1/memories", citing).await.refused(404, "NOT_FOUND");
    stranger
        .post(&format!("/api/v1/memories/forgetting/{asked}/confirm"), json!({}))
        .await
        .refused(404, "NOT_FOUND");
    stranger.delete(&format!("/api/v1/memories/forgetting/{asked}")).await.refused(404, "NOT_FOUND");
    let look = json!({ "conversation_id": conversation });
    stranger.post("/api/v1/memories/suggestions", look).await.refused(404, "NOT_FOUND");
    for empty in ["", "?superseded=true", "?q=zanzibar", "?q=zanzibar&exact=true", &format!("?ids={memory}")]
    {
        assert!(list(&stranger, empty).await.is_empty(), "{empty}");
    }
    assert_eq!(stranger.get("/api/v1/memories/search?q=zanzibar").await.ok()["items"], json!([]));
    assert_eq!(stranger.get("/api/v1/search?q=zanzibar").await.ok()["items"], json!([]));
    assert_eq!(
        stranger.get("/api/v1/memories/waiting").await.ok(),
        json!({ "suggestions": [], "forgetting": [] })
    );
    for format in ["json", "markdown"] {
        let response =
            stranger.send(Method::GET, &format!("/api/v1/memories/export?format={format}"), None).await;
        assert!(!response.text().await.unwrap().contains("zanzibar"));
    }
    let page = stranger.send(Method::GET, &format!("/memories/{memory}"), None).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(!page.text().await.unwrap().contains("zanzibar"));
    // Nor does a model that answers the other one hear of it.
    let conversation = stranger.conversation().await;
    stranger.ask(&conversation, "What is the codeword zanzibar? [[say nothing]]").await;
    let told = application.upstream.requests();
    assert!(!told.last().unwrap().body.to_string().contains("The codeword is"));
    owner.get(&thing).await.ok();
}

fn asked(application: &Application) -> Vec<String> {
    let with_tools =
        application.upstream.requests().into_iter().filter(|request| request.body["tools"].is_array());
    with_tools.map(|request| request.body.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_told_what_bears_on_it_and_says_which_also_after_a_reload() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    let lisbon = keep(&owner, "I live in Lisbon").await;
    keep(&owner, "My bicycle is green").await;
    let pinned = json!({ "content": "Answer briefly", "pinned": true });
    let pinned = owner.post("/api/v1/memories", pinned).await.expect(StatusCode::CREATED);
    let project =
        json!({ "content": "Lisbon is the code name", "scope": { "kind": "project", "name": "Harbour" } });
    owner.post("/api/v1/memories", project).await.expect(StatusCode::CREATED);
    let events = owner.ask(&conversation, "What is on in Lisbon tonight? [[say music]]").await;
    let used = events.iter().find_map(|event| match &event.event {
        AnswerEvent::Memories { ids } => Some(ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(used.unwrap(), [id(&pinned), id(&lisbon)]);
    assert_eq!(text_of(&events), "music");
    let told = asked(&application).remove(0);
    assert!(told.contains("I live in Lisbon") && told.contains("Answer briefly"), "{told}");
    assert!(!told.contains("bicycle") && !told.contains("code name"), "{told}");
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["memories"], json!([id(&pinned), id(&lisbon)]));
    let again = owner.follow(&conversation, &answer_id(&events[0]), 0).await.rest().await;
    assert!(
        again.iter().any(|event| matches!(&event.event, AnswerEvent::Memories { ids } if ids.len() == 2))
    );
    let shown = list(&owner, &format!("?ids={},{}", id(&pinned), id(&lisbon))).await;
    assert_eq!(shown.len(), 2);
    // Who wants none of it is told nothing.
    owner.patch("/api/v1/memories/settings", json!({ "use_in_answers": false })).await.ok();
    let events = owner.ask(&conversation, "And in Lisbon tomorrow? [[say rain]]").await;
    assert!(!events.iter().any(|event| matches!(event.event, AnswerEvent::Memories { .. })));
    assert!(!asked(&application).remove(1).contains("<memories>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_model_of_embeddings_what_helps_is_told_in_whatever_words() {
    let application = with_meaning().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    let meat = keep(&owner, "I do not eat meat").await;
    keep(&owner, "The server runs Debian").await;
    owner.ask(&conversation, "What should I cook for dinner tonight?").await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["memories"], json!([id(&meat)]));
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_from_cloud_models_reaches_them_in_no_way() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Ollama).await;
    application.add_provider(&owner, Wire::Anthropic).await;
    let secret =
        json!({ "content": "The safe in Lisbon opens with zanzibar", "local_only": true, "pinned": true });
    owner.post("/api/v1/memories", secret).await.expect(StatusCode::CREATED);
    keep(&owner, "My Lisbon flat has two rooms").await;
    let ask = async |model: &str, content: &str| {
        let conversation = owner.conversation().await;
        let path = format!("/api/v1/conversations/{conversation}/messages");
        owner.stream(&path, json!({ "content": content, "model": model })).await.rest().await;
        owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok()["messages"][1].clone()
    };
    let here = ask("fake-ollama/small", "What of the Lisbon flat and the safe? [[say yes]]").await;
    assert_eq!(here["memories"].as_array().unwrap().len(), 2, "a model on this machine is told");
    let away = ask("fake-anthropic/small", "What of the Lisbon flat and the safe? [[say yes]]").await;
    assert_eq!(away["memories"].as_array().unwrap().len(), 1);
    let call = |tool: &str| format!("[[tool {tool} {{\"query\":\"safe in Lisbon zanzibar\"}}]]");
    // The cloud first: what a model here answered may be quoted to anybody who may see that conversation.
    for (model, is_told) in [("fake-anthropic/small", false), ("fake-ollama/small", true)] {
        for tool in ["recall", "search_workspace"] {
            let said = ask(model, &call(tool)).await["steps"].to_string();
            assert_eq!(said.contains("opens with"), is_told, "{tool} for {model}: {said}");
        }
    }
    let to_cloud: String = application
        .upstream
        .requests()
        .iter()
        .filter(|request| request.body["system"].is_string() || request.body["system"].is_array())
        .map(|request| request.body.to_string())
        .collect();
    assert!(to_cloud.contains("two rooms") && !to_cloud.contains("opens with"), "{to_cloud}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_remember_and_recall_and_ask_before_anything_is_forgotten() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    owner.ask(&conversation, "[[tool remember {\"content\":\"I play the viola\"}]]").await;
    let memories = list(&owner, "").await;
    assert_eq!(contents(&memories), ["I play the viola"]);
    let source = &memories[0]["source"];
    assert_eq!(source["kind"], "conversation");
    assert!(source["url"].as_str().unwrap().starts_with(&format!("/c/{conversation}#m-")), "{source}");
    let memory = id(&memories[0]).to_owned();
    owner.ask(&conversation, "[[tool recall {\"query\":\"viola\"}]]").await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let recalled = stored["messages"][3]["steps"][0]["result"]["content"].as_str().unwrap();
    assert!(recalled.contains(&memory), "{recalled}");
    let forget = format!("[[tool forget {{\"memory_id\":\"{memory}\",\"reason\":\"You sold it\"}}]]");
    owner.ask(&conversation, &forget).await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let answered = stored["messages"][5]["steps"][0]["result"]["content"].as_str().unwrap();
    assert!(answered.contains("Nothing is forgotten yet"), "{answered}");
    assert_eq!(list(&owner, "").await.len(), 1, "it only asked");
    let waiting = owner.get(&format!("/api/v1/memories/waiting?conversation_id={conversation}")).await.ok();
    assert_eq!(waiting["forgetting"][0]["memory"]["content"], "I play the viola");
    assert_eq!(waiting["forgetting"][0]["reason"], "You sold it");
    let request = waiting["forgetting"][0]["id"].as_str().unwrap().to_owned();
    owner.delete(&format!("/api/v1/memories/forgetting/{request}")).await.ok();
    assert_eq!(list(&owner, "").await.len(), 1, "the person keeps it");
    owner.ask(&conversation, &forget).await;
    let waiting = owner.get("/api/v1/memories/waiting").await.ok();
    let request = waiting["forgetting"][0]["id"].as_str().unwrap();
    owner.post(&format!("/api/v1/memories/forgetting/{request}/confirm"), json!({})).await.ok();
    assert!(list(&owner, "").await.is_empty());
    owner.ask(&conversation, &forget).await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(
        stored["messages"][9]["steps"][0]["result"]["ok"], false,
        "there is nothing to ask for any more"
    );
}

async fn look(owner: &Person, conversation: &str) {
    owner.post("/api/v1/memories/suggestions", json!({ "conversation_id": conversation })).await.ok();
}

async fn suggestions(owner: &Person) -> Vec<Value> {
    owner.get("/api/v1/memories/waiting").await.ok()["suggestions"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_conversation_its_model_suggests_and_the_person_decides() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    keep(&owner, "I live in Porto").await;
    let conversation = owner.conversation().await;
    // What the model is made to say here, it says when it is asked for suggestions too.
    let said = r#"I live in Lisbon now. [[say {"memories":[{"content":"I live in Lisbon","replaces":1},{"content":"I like trams"},{"content":"I live in Porto"}]}]]"#;
    owner.ask(&conversation, said).await;
    let queued = "SELECT count(*) FROM jobs WHERE kind = 'suggest_memories' AND status = 'queued' AND run_at > now() + interval '30 seconds'";
    assert_eq!(count(&application, queued).await, 1, "once the conversation rests");
    look(&owner, &conversation).await;
    eventually("something is suggested", async || suggestions(&owner).await.len() == 2).await;
    let found = suggestions(&owner).await;
    assert_eq!(contents(&found), ["I live in Lisbon", "I like trams"], "what is known is not suggested");
    assert_eq!(found[0]["replaces"]["content"], "I live in Porto");
    assert!(found[0]["source"]["url"].as_str().unwrap().starts_with(&format!("/c/{conversation}")));
    assert_eq!(contents(&list(&owner, "").await), ["I live in Porto"], "nothing is kept by itself");
    let accept = format!("/api/v1/memories/suggestions/{}/accept", id(&found[0]));
    assert_eq!(owner.post(&accept, json!({})).await.ok()["outcome"], "superseded");
    owner.post(&accept, json!({})).await.refused(404, "NOT_FOUND");
    owner.delete(&format!("/api/v1/memories/suggestions/{}", id(&found[1]))).await.ok();
    assert!(suggestions(&owner).await.is_empty());
    let kept = list(&owner, "").await;
    assert_eq!(
        (contents(&kept), kept[0]["source"]["kind"].as_str()),
        (vec!["I live in Lisbon"], Some("conversation"))
    );
    let titles = "SELECT count(*) FROM jobs WHERE kind = 'title' AND status IN ('queued', 'running')";
    eventually("its title is there", async || count(&application, titles).await == 0).await;
    // The same messages are not looked at again.
    let before = application.upstream.requests().len();
    look(&owner, &conversation).await;
    let open =
        "SELECT count(*) FROM jobs WHERE kind = 'suggest_memories' AND status IN ('queued', 'running')";
    eventually("the job is done", async || count(&application, open).await == 0).await;
    assert_eq!(application.upstream.requests().len(), before);
    // Who wants none is asked nothing.
    owner.patch("/api/v1/memories/settings", json!({ "suggest": false })).await.ok();
    owner.ask(&conversation, r#"[[say {"memories":[{"content":"I like ferries"}]}]]"#).await;
    look(&owner, &conversation).await;
    eventually("the job is done", async || count(&application, open).await == 0).await;
    assert!(suggestions(&owner).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_a_conversation_is_looked_through_is_looked_at_later() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    // As long as this answer takes, the look takes.
    owner.ask(&conversation, "I live in Porto. [[tokens 40 every 50ms]]").await;
    look(&owner, &conversation).await;
    let running = "SELECT count(*) FROM jobs WHERE kind = 'suggest_memories' AND status = 'running'";
    eventually("the look began", async || count(&application, running).await == 1).await;
    owner.ask(&conversation, "And I like trams. [[say Noted.]]").await;
    eventually("the look ended", async || count(&application, running).await == 0).await;
    let queued = "SELECT count(*) FROM jobs WHERE kind = 'suggest_memories' AND status = 'queued'
                      AND attempts = 0 AND ended_at IS NULL AND run_at > now() + interval '30 seconds'";
    assert_eq!(count(&application, queued).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_language_model_nothing_is_suggested_and_nothing_is_told() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    keep(&owner, "I live in Porto").await;
    let conversation = owner.conversation().await;
    let events = owner.ask(&conversation, "What do you know of Porto?").await;
    assert!(!events.iter().any(|event| matches!(event.event, AnswerEvent::Memories { .. })));
    assert_eq!(count(&application, "SELECT count(*) FROM jobs WHERE kind = 'suggest_memories'").await, 0);
    assert!(text_of(&events).contains("I live in Porto"), "but it finds them: {}", text_of(&events));
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_are_listed_in_pages_narrowed_changed_pinned_and_exported() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    for content in ["I like tea", "My bicycle is green", "Ada is my sister"] {
        keep(&owner, content).await;
    }
    let first = owner.get("/api/v1/memories?limit=2").await.ok();
    assert_eq!(contents(first["items"].as_array().unwrap()), ["Ada is my sister", "My bicycle is green"]);
    let rest = list(&owner, &format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(contents(&rest), ["I like tea"]);
    let tea = format!("/api/v1/memories/{}", id(&rest[0]));
    owner.patch(&tea, json!({ "pinned": true, "content": "I like green tea" })).await.ok();
    assert_eq!(contents(&list(&owner, "").await)[0], "I like green tea", "the pinned come first");
    assert_eq!(contents(&list(&owner, "?pinned=true").await), ["I like green tea"]);
    let changed = owner.get(&tea).await.ok();
    assert_eq!(
        (changed["history"][0]["what"].as_str(), changed["history"][0]["text"].as_str()),
        (Some("changed"), Some("I like tea"))
    );
    let hits = owner.get("/api/v1/search?q=green&kinds=memory").await.ok()["items"].clone();
    assert_eq!(hits.as_array().unwrap().len(), 2, "what was changed is found as it is: {hits}");
    assert!(
        list(&owner, "?q=BICYCLE&exact=true").await.len() == 1
            && list(&owner, "?source=program").await.is_empty()
    );
    for wrong in ["?cursor=x", "?ids=x"] {
        owner.get(&format!("/api/v1/memories{wrong}")).await.refused(400, "INVALID_INPUT");
    }
    for body in [
        json!({ "content": " " }),
        json!({ "content": "x".repeat(4001) }),
        json!({ "content": "x", "scope": { "kind": "project", "name": " " } }),
    ] {
        owner.post("/api/v1/memories", body).await.refused(400, "INVALID_INPUT");
    }
    let export = async |format: &str| {
        let response =
            owner.send(Method::GET, &format!("/api/v1/memories/export?format={format}"), None).await;
        assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        response.text().await.unwrap()
    };
    let whole: Value = serde_json::from_str(&export("json").await).unwrap();
    assert_eq!(whole["memories"].as_array().unwrap().len(), 3);
    assert_eq!(whole["memories"][0]["history"][0]["text"], "I like tea");
    let text = export("markdown").await;
    assert!(
        text.starts_with("# Memories\n") && text.contains("- I like green tea") && text.contains("before"),
        "{text}"
    );
    let page = owner.send(Method::GET, "/memories?q=bicycle", None).await.text().await.unwrap();
    assert!(
        page.contains("My bicycle is green") && !page.contains("Ada is my sister"),
        "readable without scripts"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_extensions_may_call_with_a_key_and_no_cookie_counts() {
    const EXTENSION: &str = "chrome-extension://abcdef";
    let differences = Differences { memory_origins: vec![EXTENSION.into()], ..Differences::default() };
    let application = Application::start_with(differences).await;
    let owner = application.set_up().await;
    let program = owner.program().await;
    let preflight = |origin: &'static str, path: &'static str| {
        let request = application.visitor().request(Method::OPTIONS, path);
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        async move { request.send().await.unwrap() }
    };
    let answer = preflight(EXTENSION, "/api/v1/memories/prompt").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["access-control-allow-origin"], EXTENSION);
    let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"));
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    for (origin, path) in
        [("https://evil.example", "/api/v1/memories/prompt"), (EXTENSION, "/api/v1/conversations")]
    {
        assert!(
            !preflight(origin, path).await.headers().contains_key("access-control-allow-origin"),
            "{origin} {path}"
        );
    }
    let body = json!({ "prompt": "Hello", "provider": "claude" });
    let send = async |person: &Person| {
        let request = person.request(Method::POST, "/api/v1/memories/prompt").header("origin", EXTENSION);
        request.json(&body).send().await.unwrap()
    };
    let by_key = send(&program).await;
    assert_eq!(by_key.status(), StatusCode::CREATED);
    assert_eq!(by_key.headers()["access-control-allow-origin"], EXTENSION);
    let by_cookie = send(&owner).await;
    assert_eq!(by_cookie.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(by_cookie.headers()["access-control-allow-origin"], EXTENSION, "it is told why");
}
