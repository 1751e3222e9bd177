//! The one search as a person uses it: narrowing, counting, paging, slips of the hand; and what a second account
//! learns by it, which is nothing.

use crate::application::{Application, Person, answer_id, eventually, look_for_jobs};
use crate::sharing::share;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upstream::Wire;

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn search(person: &Person, query: &str) -> Value {
    person.get(&format!("/api/v1/search?limit=100&q={}", encoded(query))).await.ok()
}

fn titles(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap()).collect()
}

async fn file(person: &Person, name: &str, folder: &str, text: &str) -> String {
    let path = format!("/api/v1/files?name={}&folder={}", encoded(name), encoded(folder));
    let request = person.request(reqwest::Method::POST, &path).body(text.to_owned());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["data"]["id"].as_str().unwrap().to_owned()
}

async fn note(person: &Person, title: &str, content: &str) -> String {
    person.note(json!({"title": title, "content": content})).await
}

#[tokio::test]
async fn a_search_is_narrowed_by_kind_tag_folder_and_day_and_counts_what_it_found() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let folder = owner.post("/api/v1/folders", json!({"name": "House Papers"})).await;
    let folder = folder.expect(StatusCode::CREATED)["id"].clone();
    let roof =
        json!({"title": "Roof", "content": "The quagga on the roof. #home #Repairs", "folder_id": folder});
    let roof = owner.note(roof).await;
    note(&owner, "Zoo", "A quagga in the zoo. #travel").await;
    note(&owner, "Stable", "No quagga here, they said. #home").await;
    file(&owner, "quagga.txt", "House papers/2025", "A receipt for one quagga.").await;
    let all = search(&owner, "quagga").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 4, "{all}");
    assert_eq!(all["facets"]["kinds"], json!([{"kind": "note", "count": 3}, {"kind": "file", "count": 1}]));
    assert_eq!(all["facets"]["tags"][0], json!({"tag": "home", "count": 2}), "{}", all["facets"]);
    assert_eq!(titles(&search(&owner, "quagga kind:files").await), ["quagga.txt"]);
    let at_home = search(&owner, "quagga tag:#Home").await;
    assert_eq!(at_home["items"].as_array().unwrap().len(), 2);
    assert_eq!(titles(&search(&owner, "quagga tag:home tag:repairs").await), ["Roof"]);
    let mut inside = search(&owner, "quagga in:\"house papers\"").await;
    let inside = inside["items"].as_array_mut().unwrap();
    inside.sort_by_key(|hit| hit["title"].as_str().unwrap().to_owned());
    assert_eq!(inside.iter().map(|hit| &hit["title"]).collect::<Vec<_>>(), ["Roof", "quagga.txt"]);
    assert!(titles(&search(&owner, "quagga before:2020-01-01").await).is_empty());
    assert_eq!(titles(&search(&owner, "quagga after:2020-01-01").await).len(), 4);
    // Without words: the newest of what is left.
    assert_eq!(titles(&search(&owner, "tag:home").await), ["Stable", "Roof"]);
    note(&owner, "", "Nobody named this. #home").await;
    assert_eq!(titles(&search(&owner, "tag:home").await).len(), 3, "also what has no title");
    let ada = app.person(&owner, "ada@example.org", "viewer").await;
    share(&owner, &format!("notes/{roof}"), "ada@example.org", "view").await;
    assert_eq!(titles(&search(&ada, "kind:note").await), ["Roof"], "also what is shared");
    owner.get("/api/v1/search?q=x%20kind%3Aspoon").await.refused(400, "INVALID_INPUT");
}

#[tokio::test]
async fn pages_of_a_search_follow_each_other_whatever_is_written_meanwhile() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    for number in 0..30 {
        note(&owner, &format!("Note {number}"), "A quagga, again.").await;
    }
    let mut path = "/api/v1/search?q=quagga&limit=8".to_owned();
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = owner.get(&path).await.ok();
        seen.extend(titles(&page).into_iter().map(str::to_owned));
        pages += 1;
        note(&owner, &format!("New {pages}"), "quagga quagga quagga").await;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/search?q=quagga&limit=8&cursor={cursor}");
    }
    assert_eq!(pages, 4);
    let each: std::collections::HashSet<_> = seen.iter().filter(|title| title.starts_with("Note")).collect();
    assert_eq!((seen.len(), each.len()), (30, 30), "{seen:?}");
    owner.get("/api/v1/search?q=quagga&cursor=nonsense").await.refused(400, "INVALID_INPUT");
}

#[tokio::test]
async fn a_slip_of_the_hand_is_put_right_with_ones_own_words() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let stranger = app.person(&owner, "stranger@example.org", "developer").await;
    note(&owner, "Baking", "Sourdough needs patience and a cold kitchen.").await;
    note(&stranger, "Mine", "Zanzibar sourbread is a codeword.").await;
    let found = search(&owner, "sourdoguh").await;
    assert_eq!(found["did_you_mean"], json!({"query": "sourdough", "is_shown": true}));
    assert_eq!(titles(&found), ["Baking"]);
    let found = search(&owner, "ktichen patience kind:note").await;
    assert_eq!(found["did_you_mean"], json!({"query": "kitchen patience kind:note", "is_shown": false}));
    assert_eq!(titles(&found), ["Baking"]);
    assert_eq!(search(&owner, "sourdough").await["did_you_mean"], Value::Null);
    assert_eq!(search(&owner, "sourd").await["did_you_mean"], Value::Null, "still being typed");
    // What only somebody else wrote is nobody's suggestion.
    for query in ["zanzibra", "zanzibarr", "codewrod"] {
        let found = search(&owner, query).await;
        assert_eq!(
            (found["did_you_mean"].clone(), titles(&found).len()),
            (Value::Null, 0),
            "{query}: {found}"
        );
    }
}

#[tokio::test]
async fn what_lies_in_the_bin_takes_no_place_from_what_does_not() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let me = owner.get("/api/v1/me").await.ok()["profile"]["id"].as_str().unwrap().to_owned();
    let binned = note(&owner, "Full", "Thrown away.").await;
    note(&owner, "Kept", "One quagga that stays.").await;
    // As many near passages as a search looks at, and more, all of them better.
    sqlx::query(
        "INSERT INTO chunks (owner_id, source_kind, source_id, part_id, ordinal, text)
         SELECT $1::uuid, 'note', $2::uuid, gen_random_uuid(), 1, 'quagga quagga' FROM generate_series(1, 1500)",
    )
    .bind(&me)
    .bind(&binned)
    .execute(&app.owner)
    .await
    .unwrap();
    assert_eq!(titles(&search(&owner, "quagga").await).len(), 100);
    owner.delete(&format!("/api/v1/notes/{binned}")).await.ok();
    let found = search(&owner, "quagga").await;
    assert_eq!(titles(&found), ["Kept"]);
    assert_eq!(found["facets"]["kinds"], json!([{"kind": "note", "count": 1}]));
    owner.post(&format!("/api/v1/notes/{binned}/restore"), json!({})).await.ok();
    assert_eq!(titles(&search(&owner, "quagga").await).len(), 100);
}

#[tokio::test]
async fn a_second_account_learns_nothing_by_any_way_to_search() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    let folder = owner.post("/api/v1/folders", json!({"name": "Zanzifolder"})).await;
    let folder = folder.expect(StatusCode::CREATED)["id"].clone();
    let secret = json!({"title": "Zanzititle", "content": "zanzibar #zanzitag", "folder_id": folder});
    let id = owner.note(secret).await;
    file(&owner, "zanzifile.txt", "zanzifolder", "zanzibar").await;
    let conversation = owner.conversation().await;
    let events = owner.ask(&conversation, "zanzibar, please [[say zanzibar]]").await;
    answer_id(&events[0]);
    assert!(titles(&search(&owner, "zanzibar").await).len() >= 3);
    note(&stranger, "Own", "Something of mine, of 2026.").await;
    let first = owner.get("/api/v1/search?q=zanzibar&limit=1").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let queries = [
        "zanzibar",
        "zanz",
        "\"zanzibar\"",
        "zanzibra",
        "zanzibarr please",
        "zanzibar OR something",
        "-something zanzibar",
        "tag:zanzitag",
        "zanzibar tag:zanzitag",
        "in:zanzifolder",
        "zanzibar in:Zanzifolder",
        "kind:file zanzibar",
        "kind:conversation",
        "kind:file",
        "after:2020-01-01",
        "Zanzititle",
        "zanzifile.txt",
        &id,
    ];
    let mut answers = Vec::new();
    for query in queries {
        answers.push((query.to_owned(), search(&stranger, query).await));
    }
    let path = format!("/api/v1/search?q=zanzibar&cursor={cursor}");
    answers.push((path.clone(), stranger.get(&path).await.ok()));
    for (query, answer) in answers {
        let text = answer.to_string().to_lowercase();
        assert!(
            !text.contains("zanz") || text.contains("\"items\":[]") && answer["did_you_mean"].is_null(),
            "{query}: {answer}"
        );
        let counted: u64 = answer["facets"]["kinds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["count"].as_u64().unwrap())
            .sum();
        assert!(counted <= 1 && answer["facets"]["tags"] == json!([]), "{query}: {answer}");
        assert!(titles(&answer).iter().all(|title| *title == "Own"), "{query}: {answer}");
    }
    // Nor by the functions themselves, nor by a part of the vectors.
    let me = stranger.get("/api/v1/me").await.ok()["profile"]["id"].as_str().unwrap().to_owned();
    for (statement, is_refused) in [
        ("SELECT likely || sample FROM likely_words('zanzibra')", false),
        (
            "SELECT title FROM find_passages('zanzibar', NULL, '', 2, NULL, NULL, NULL, NULL, NULL, NULL, '{60,1,1,1}', 0, 100)",
            false,
        ),
        (
            "SELECT title FROM find_passages('', NULL, '', 2, NULL, NULL, NULL, '{zanzifolder}', NULL, NULL, '{60,1,1,1}', 0, 100)",
            false,
        ),
        ("SELECT title FROM search_sources", true),
        ("SELECT id::text FROM unnest(sources_inside('{zanzifolder}', NULL, '{}')) AS id", true),
        ("SELECT chunk_id::text FROM chunk_vectors_0", true),
    ] {
        let mut tx = app.owner.begin().await.unwrap();
        sqlx::query("SELECT set_config('role', 'sidebar_user', true), set_config('app.user_id', $1, true)")
            .bind(&me)
            .execute(&mut *tx)
            .await
            .unwrap();
        let rows: Result<Vec<String>, _> = sqlx::query_scalar(statement).fetch_all(&mut *tx).await;
        match is_refused {
            true => assert!(rows.is_err(), "{statement}"),
            false => assert_eq!(rows.unwrap(), Vec::<String>::new(), "{statement}"),
        }
    }
}

#[tokio::test]
async fn what_was_cut_by_older_rules_is_cut_anew_and_what_stays_keeps_its_row() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let text =
        format!("{}\n\n{}", "The first half, of quaggas. ".repeat(30), "The second, of wombats. ".repeat(30));
    let id = note(&owner, "Long", &text).await;
    let kept = file(&owner, "lease.txt", "", "The tenant keeps a quagga.").await;
    let conversation = owner.conversation().await;
    owner.ask(&conversation, "A question about a quagga").await;
    let ready = async || owner.get(&format!("/api/v1/files/{kept}")).await.ok()["state"] == "ready";
    eventually("the file is read", ready).await;
    let binned = crate::context::page(&owner, "Old Roses", "Bone meal in spring.").await;
    owner.delete(&format!("/api/v1/pages/{binned}")).await.ok();
    let spoilt = crate::context::file(&owner, "spoilt.md", "Nobody can cut this.").await;
    crate::context::spoil_reading(&app, &owner, &spoilt).await;
    let passages = async || -> Vec<(i64, String, i32)> {
        let all = "SELECT id, text, cut_by FROM chunks WHERE source_kind <> 'conversation' ORDER BY id";
        sqlx::query_as(all).fetch_all(&app.owner).await.unwrap()
    };
    let before = passages().await;
    // As older rules might have left it: everything of that version, and one passage of each kind cut otherwise.
    for statement in [
        "UPDATE chunks SET cut_by = 0",
        "UPDATE chunks SET text = left(text, 10) WHERE text = 'A question about a quagga'",
        "UPDATE notes SET updated_at = '2020-01-02'",
        "UPDATE files SET created_at = '2020-01-02'",
        "UPDATE pages SET created_at = '2020-01-02'",
        r#"UPDATE conversations SET messages = jsonb_set(messages, '{0,created_at}', '"2020-01-02T00:00:00Z"')"#,
    ] {
        sqlx::query(statement).execute(&app.owner).await.unwrap();
    }
    let other = "UPDATE chunks SET text = left(text, 20) WHERE source_id = $1::uuid AND ordinal = 1";
    for source in [&id, &kept, &binned] {
        sqlx::query(other).bind(source).execute(&app.owner).await.unwrap();
    }
    sqlx::query("UPDATE schedules SET next_run_at = now() WHERE kind = 'cut_passages'")
        .execute(&app.owner)
        .await
        .unwrap();
    sqlx::query("INSERT INTO jobs (id, kind, payload) VALUES (uuidv7(), 'cut_passages', '{}')")
        .execute(&app.owner)
        .await
        .unwrap();
    look_for_jobs(&app.owner).await;
    let old = "SELECT count(*) FROM chunks WHERE cut_by = 0 AND (ordinal > 0 OR source_kind = 'message')";
    let all_new = async || sqlx::query_scalar::<_, i64>(old).fetch_one(&app.owner).await.unwrap() == 0;
    eventually("everything is cut by the rules of now", all_new).await;
    let after = passages().await;
    let texts = |all: &[(i64, String, i32)]| {
        let mut texts: Vec<String> = all.iter().map(|(_, text, _)| text.clone()).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&after), texts(&before));
    let stayed = after.iter().filter(|(id, ..)| before.iter().any(|(old, ..)| old == id)).count();
    assert_eq!(stayed, before.len() - 4, "only what was cut otherwise is a new row");
    let dated = "SELECT count(*) FROM chunks WHERE created_at < '2021-01-01'";
    let dated: i64 = sqlx::query_scalar(dated).fetch_one(&app.owner).await.unwrap();
    assert_eq!(dated, 4, "and it is as old as what it is of");
}

#[tokio::test]
async fn the_page_of_a_search_narrows_and_corrects_without_scripts() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    note(&owner, "Zoo", "A quagga in the zoo. #travel").await;
    let conversation = owner.conversation().await;
    owner.ask(&conversation, "A question about a quagga").await;
    let page = async |query: &str| -> String {
        let response = owner.send(reqwest::Method::GET, &format!("/search?q={}", encoded(query)), None).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    };
    let found = page("quagga").await;
    for link in ["/search?q=quagga%20kind%3Anote", "/search?q=quagga%20tag%3Atravel"] {
        assert!(found.contains(&format!("href=\"{link}\"")), "{link}: {found}");
    }
    let narrowed = page("quagga kind:note").await;
    assert!(narrowed.contains("href=\"/search?q=quagga\""), "the filter can be taken away: {narrowed}");
    let corrected = page("quaggga").await;
    assert!(corrected.contains("This is for") && corrected.contains("<b>quagga"), "{corrected}");
}
