//! Notes through the door of programs: making, changing beside others, lists, folders, the bin.

use crate::application::{Application, Person, eventually, well_within};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Person {
    pub async fn note(&self, body: Value) -> String {
        let made = self.post("/api/v1/notes", body).await.expect(StatusCode::CREATED);
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn text_of(&self, note: &str) -> String {
        let note = self.get(&format!("/api/v1/notes/{note}")).await.ok();
        note["content"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_note_is_made_read_changed_deleted_and_restored() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let made = owner
        .post("/api/v1/notes", json!({"title": " My  note ", "content": "# Hello\r\n\r\nWorld #tag"}))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made["title"], "My note");
    assert_eq!(made["content"], "# Hello\n\nWorld #tag");
    assert_eq!(made["excerpt"], "Hello World #tag");
    assert_eq!((&made["words"], &made["tags"]), (&json!(3), &json!(["tag"])));
    assert_eq!((&made["access"], &made["shared"], &made["seq"]), (&json!("owner"), &json!(false), &json!(1)));
    assert_eq!(made["owner"]["name"], "The Owner");
    let path = format!("/api/v1/notes/{}", made["id"].as_str().unwrap());

    let response = owner.send(Method::GET, &path, None).await;
    assert_eq!(response.headers()["etag"], "\"1\"");
    let changed =
        owner.patch(&path, json!({"content": "# Hello\n\nthere, World", "pinned": true})).await.ok();
    assert_eq!((&changed["content"], &changed["pinned"]), (&json!("# Hello\n\nthere, World"), &json!(true)));
    assert_eq!(changed["excerpt"], "Hello there, World", "lists know at once");
    assert!(changed["seq"].as_i64().unwrap() > 1);
    let changed = owner.patch(&path, json!({"append": "More."})).await.ok();
    assert_eq!(changed["content"], "# Hello\n\nthere, World\nMore.");
    owner.patch(&path, json!({"append": "x", "content": "y"})).await.refused(400, "INVALID_INPUT");
    owner.patch(&path, json!({"contents": "y"})).await.refused(400, "INVALID_JSON");
    owner.patch(&path, json!({"title": "x".repeat(201)})).await.refused(400, "INVALID_INPUT");

    owner.delete(&path).await.ok();
    assert_eq!(owner.get("/api/v1/notes").await.ok()["items"], json!([]));
    let bin = owner.get("/api/v1/notes?deleted=true").await.ok();
    assert_eq!(bin["items"][0]["title"], "My note");
    assert_eq!(owner.get(&path).await.ok()["content"], "# Hello\n\nthere, World\nMore.");
    owner.patch(&path, json!({"title": "x"})).await.refused(409, "CONFLICT");
    owner.post(&format!("{path}/restore"), json!({})).await.ok();
    assert_eq!(owner.get(&path).await.ok()["content"], "# Hello\n\nthere, World\nMore.");
    owner.patch(&path, json!({"archived": true, "pinned": false})).await.ok();
    assert_eq!(owner.get("/api/v1/notes").await.ok()["items"], json!([]));
    assert_eq!(owner.get("/api/v1/notes?archived=true").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_is_merged_with_what_others_wrote_and_refused_where_it_should_be() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"content": "one\ntwo\nthree\n"})).await;
    let path = format!("/api/v1/notes/{note}");
    let patch = |body: Value, tag: &str| {
        owner.request(Method::PATCH, &path).header("if-match", tag.to_owned()).json(&body).send()
    };
    let first = patch(json!({"content": "one\n2\nthree\n"}), "\"1\"").await.unwrap();
    assert_eq!(first.status(), 200);
    let now = first.headers()["etag"].to_str().unwrap().to_owned();
    let late = patch(json!({"content": "one\ntwo\n3\n"}), "\"1\"").await.unwrap();
    assert_eq!(late.status(), 412);
    let body: Value = late.json().await.unwrap();
    assert_eq!(body["error_code"], "PRECONDITION_FAILED");
    assert_eq!(owner.text_of(&note).await, "one\n2\nthree\n");
    assert_eq!(patch(json!({"content": "one\n2\n3\n"}), &now).await.unwrap().status(), 200);
    assert_eq!(patch(json!({"content": "x"}), "nonsense").await.unwrap().status(), 400);

    // Many programs at once: each line is appended once, whoever comes first.
    let appends = (0..20).map(|n| owner.patch(&path, json!({"append": format!("line {n}\n")})));
    for answer in futures::future::join_all(appends).await {
        answer.ok();
    }
    let text = owner.text_of(&note).await;
    assert!(text.starts_with("one\n2\n3\n"), "{text}");
    for n in 0..20 {
        assert_eq!(text.matches(&format!("line {n}\n")).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn what_is_inserted_stands_where_its_position_is_by_then() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"content": "one\ntwo\n"})).await;
    let path = format!("/api/v1/notes/{note}");
    let remark = json!({"body": "x", "anchor": {"from": "", "to": "", "quote": "two"}});
    let remark = owner.post(&format!("{path}/comments"), remark).await.expect(StatusCode::CREATED);
    let at = &remark["anchor"]["from"];
    owner.patch(&path, json!({"content": "zero\none\ntwo\n"})).await.ok();
    for text in ["[a]", "[b]"] {
        owner.patch(&path, json!({"insert": {"at": at, "text": text}})).await.ok();
    }
    assert_eq!(owner.text_of(&note).await, "zero\none\n[a][b]two\n", "one after the other");
    for nowhere in ["", "?", "AAEAAA=="] {
        owner.patch(&path, json!({"insert": {"at": nowhere, "text": "[c]\n"}})).await.ok();
    }
    assert_eq!(owner.text_of(&note).await, "zero\none\n[a][b]two\n[c]\n[c]\n[c]\n", "at the end");
    let both = json!({"insert": {"at": at, "text": "x"}, "append": "y"});
    owner.patch(&path, both).await.refused(400, "INVALID_INPUT");
}

#[tokio::test]
async fn another_person_sees_and_changes_nothing() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let folder = owner.post("/api/v1/folders", json!({"name": "Private"})).await.expect(StatusCode::CREATED);
    let folder = folder["id"].as_str().unwrap().to_owned();
    let note = owner
        .note(json!({"title": "Zanzibar", "content": "codeword zanzibar #zanzi", "folder_id": folder}))
        .await;
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    let thing = format!("/api/v1/notes/{note}");
    for (method, path, body) in [
        (Method::GET, thing.clone(), None),
        (Method::PATCH, thing.clone(), Some(json!({"content": "mine"}))),
        (Method::PATCH, thing.clone(), Some(json!({"pinned": true}))),
        (Method::DELETE, thing.clone(), None),
        (Method::POST, format!("{thing}/restore"), Some(json!({}))),
        (Method::POST, format!("{thing}/duplicate"), Some(json!({}))),
        (Method::GET, format!("{thing}/backlinks"), None),
        (Method::GET, format!("{thing}/export"), None),
        (Method::POST, format!("{thing}/attachments?name=x.png"), Some(json!({}))),
        (Method::PATCH, format!("/api/v1/folders/{folder}"), Some(json!({"name": "x"}))),
        (Method::DELETE, format!("/api/v1/folders/{folder}"), None),
        (Method::POST, "/api/v1/notes".into(), Some(json!({"title": "x", "folder_id": folder}))),
        (Method::POST, "/api/v1/notes".into(), Some(json!({"title": "x", "from": note}))),
        (Method::POST, "/api/v1/folders".into(), Some(json!({"name": "x", "parent_id": folder}))),
    ] {
        let response = stranger.send(method.clone(), &path, body).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
        assert!(!response.text().await.unwrap().to_lowercase().contains("zanzibar"));
    }
    let own = stranger.note(json!({"title": "Own"})).await;
    stranger
        .patch(&format!("/api/v1/notes/{own}"), json!({"folder_id": folder}))
        .await
        .refused(404, "NOT_FOUND");
    for path in [
        "/api/v1/notes",
        "/api/v1/notes?q=zanzibar",
        "/api/v1/notes?tag=zanzi",
        "/api/v1/notes/titles?prefix=zan",
        "/api/v1/notes/tags",
        "/api/v1/search?q=zanzibar",
        "/api/v1/folders",
        &format!("/api/v1/notes?folder_id={folder}"),
    ] {
        let body = stranger.get(path).await.ok().to_string().to_lowercase();
        assert!(!body.contains("zanzi") && !body.contains(&folder), "{path}: {body}");
    }
    assert_eq!(owner.text_of(&note).await, "codeword zanzibar #zanzi");
}

#[tokio::test]
async fn folders_hold_notes_and_never_themselves() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let folder = async |name: &str, parent: Option<&str>| {
        let made = owner.post("/api/v1/folders", json!({"name": name, "parent_id": parent})).await;
        made.expect(StatusCode::CREATED)["id"].as_str().unwrap().to_owned()
    };
    let work = folder("Work", None).await;
    let plans = folder("Plans", Some(&work)).await;
    let note = owner.note(json!({"title": "Plan", "folder_id": plans})).await;
    owner.post("/api/v1/folders", json!({"name": "Work"})).await.refused(409, "CONFLICT");
    owner.post("/api/v1/folders", json!({"name": "  "})).await.refused(400, "INVALID_INPUT");
    for parent in [&plans, &work] {
        let into_itself = json!({"parent_id": parent});
        owner.patch(&format!("/api/v1/folders/{work}"), into_itself).await.refused(400, "INVALID_INPUT");
    }
    let listed = owner.get(&format!("/api/v1/notes?folder_id={plans}")).await.ok();
    assert_eq!(listed["items"][0]["id"], note.as_str());
    let moved = owner.patch(&format!("/api/v1/folders/{plans}"), json!({"parent_id": null})).await.ok();
    assert!(moved["parent_id"].is_null());
    owner.patch(&format!("/api/v1/folders/{plans}"), json!({"parent_id": work, "name": "Ideas"})).await.ok();
    owner.delete(&format!("/api/v1/folders/{plans}")).await.ok();
    assert_eq!(owner.get(&format!("/api/v1/notes/{note}")).await.ok()["folder_id"], work.as_str());
    owner.delete(&format!("/api/v1/folders/{work}")).await.ok();
    assert!(owner.get(&format!("/api/v1/notes/{note}")).await.ok()["folder_id"].is_null());
    assert_eq!(owner.get("/api/v1/folders").await.ok(), json!([]));
}

#[tokio::test]
async fn there_is_one_note_of_today_and_one_scratchpad_however_many_ask_at_once() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    owner.get("/api/v1/notes/daily").await.refused(404, "NOT_FOUND");
    let template = json!({"title": "Daily", "kind": "template", "content": "# {{date}}\n\n- [ ] "});
    owner.note(template).await;
    // The day ends on the hour in both places.
    well_within(3600, 30).await;
    // West of the date line and east of it are never on the same day.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        owner.patch("/api/v1/me", json!({"time_zone": zone})).await.ok();
        let asked =
            futures::future::join_all((0..8).map(|_| owner.post("/api/v1/notes/daily", json!({})))).await;
        let made: Vec<Value> = asked.into_iter().map(|answer| answer.ok()).collect();
        assert!(made.iter().all(|note| note["id"] == made[0]["id"]), "{made:#?}");
        let title = made[0]["title"].as_str().unwrap();
        assert_eq!(made[0]["content"], format!("# {title}\n\n- [ ] "));
        assert_eq!(owner.get("/api/v1/notes/daily").await.ok()["id"], made[0]["id"]);
    }
    let days = owner.get("/api/v1/notes?kind=daily").await.ok();
    assert_eq!(days["items"].as_array().unwrap().len(), 2);
    let asked =
        futures::future::join_all((0..8).map(|_| owner.post("/api/v1/notes/scratchpad", json!({})))).await;
    let pads: Vec<Value> = asked.into_iter().map(|answer| answer.ok()).collect();
    assert!(pads.iter().all(|pad| pad["id"] == pads[0]["id"]));
    // One in the bin makes room for another, and cannot come back beside it.
    let first = format!("/api/v1/notes/{}", pads[0]["id"].as_str().unwrap());
    owner.delete(&first).await.ok();
    let second = owner.post("/api/v1/notes/scratchpad", json!({})).await.ok();
    assert_ne!(second["id"], pads[0]["id"]);
    owner.post(&format!("{first}/restore"), json!({})).await.refused(409, "CONFLICT");
    owner.post("/api/v1/notes", json!({"kind": "scratchpad"})).await.refused(400, "INVALID_INPUT");
}

#[tokio::test]
async fn a_note_that_is_shared_is_listed_and_found_by_who_it_is_shared_with_alone() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let guest = app.person(&owner, "guest@example.org", "developer").await;
    let note = owner.note(json!({"title": "Shared plan", "content": "about needlework"})).await;
    let other = owner.note(json!({"title": "Unshared", "content": "also needlework"})).await;
    let share = json!({"access": "view", "email": "guest@example.org"});
    owner.post(&format!("/api/v1/notes/{note}/shares"), share).await.expect(StatusCode::CREATED);
    let listed = guest.get("/api/v1/notes").await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["items"][0]["access"], &listed["items"][0]["shared"]),
        (&json!("view"), &json!(true))
    );
    assert_eq!(guest.get("/api/v1/notes?shared=false").await.ok()["items"], json!([]));
    let own = owner.get("/api/v1/notes?shared=false").await.ok();
    let shared: Vec<bool> =
        own["items"].as_array().unwrap().iter().map(|note| note["shared"].as_bool().unwrap()).collect();
    assert_eq!(shared.iter().filter(|shared| **shared).count(), 1);
    let found = guest.get("/api/v1/search?q=needlework").await.ok();
    let hits = &found["items"];
    assert_eq!(hits.as_array().unwrap().len(), 1);
    assert_eq!((&hits[0]["kind"], &hits[0]["note_id"]), (&json!("note"), &json!(note)));
    assert_eq!(hits[0]["url"], format!("/n/{note}"));
    assert_eq!(owner.get("/api/v1/search?q=needlework").await.ok()["items"].as_array().unwrap().len(), 2);
    assert!(guest.get("/api/v1/notes?q=needlework").await.ok().to_string().contains(&note));
    assert!(!guest.get("/api/v1/notes?q=needlework").await.ok().to_string().contains(&other));
    let thing = format!("/api/v1/notes/{note}");
    guest.get(&thing).await.ok();
    guest.patch(&thing, json!({"content": "x"})).await.refused(403, "FORBIDDEN");
    guest.delete(&thing).await.refused(403, "FORBIDDEN");
    // A copy of one's own may be changed.
    let copy = guest.post(&format!("{thing}/duplicate"), json!({})).await.expect(StatusCode::CREATED);
    assert_eq!((&copy["title"], &copy["access"]), (&json!("Shared plan (copy)"), &json!("owner")));
    owner.delete(&thing).await.ok();
    guest.get(&thing).await.refused(404, "NOT_FOUND");
    assert_eq!(guest.get("/api/v1/notes?shared=true").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_title_is_found_like_a_text_and_follows_a_rename() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"title": "Quokka"})).await;
    assert_eq!(owner.get("/api/v1/search?q=quokka").await.ok()["items"].as_array().unwrap().len(), 1);
    owner.patch(&format!("/api/v1/notes/{note}"), json!({"title": "Wombat"})).await.ok();
    assert_eq!(owner.get("/api/v1/search?q=quokka").await.ok()["items"], json!([]));
    assert_eq!(owner.get("/api/v1/search?q=womb").await.ok()["items"][0]["title"], "Wombat");
    let titles = owner.get("/api/v1/notes/titles?prefix=wOM").await.ok();
    assert_eq!(titles, json!([{"id": note, "title": "Wombat"}]));
}

#[tokio::test]
async fn ten_thousand_notes_are_listed_quickly() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.person(&owner, "other@example.org", "developer").await;
    for (person, count) in [(&owner, 10_000), (&other, 400)] {
        let id: uuid::Uuid =
            person.get("/api/v1/me").await.ok()["profile"]["id"].as_str().unwrap().parse().unwrap();
        sqlx::query(
            "INSERT INTO notes (id, owner_id, title, markdown, excerpt, words, pinned, updated_at)
             SELECT gen_random_uuid(), $1, 'Note ' || n, repeat('word ', 400), 'word word word', 400, n % 500 = 0,
                    now() - n * interval '1 minute' FROM generate_series(1, $2) n",
        )
        .bind(id)
        .bind(count)
        .execute(&app.owner)
        .await
        .unwrap();
    }
    sqlx::query("ANALYZE notes").execute(&app.owner).await.unwrap();
    let quickest = async |person: &Person| {
        let mut least = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            person.get("/api/v1/notes?limit=200").await.ok();
            least = least.min(started.elapsed());
        }
        least
    };
    // What a page takes on this machine right now, where there are no more than two.
    let usual = quickest(&other).await;
    let first = quickest(&owner).await;
    let started = Instant::now();
    let mut page = owner.get("/api/v1/notes?limit=200").await.ok();
    let (mut seen, mut pages) = (0, 1);
    loop {
        seen += page["items"].as_array().unwrap().len();
        let Some(cursor) = page["next_cursor"].as_str().map(str::to_owned) else { break };
        page = owner.get(&format!("/api/v1/notes?limit=200&cursor={cursor}")).await.ok();
        pages += 1;
    }
    let all = started.elapsed();
    eprintln!(
        "10,000 notes: first page of 200 in {first:?} ({usual:?} of few), all {pages} pages in {all:?}"
    );
    assert_eq!(seen, 10_000);
    assert!(first < Duration::from_millis(500).max(usual * 5), "{first:?}, and {usual:?} of few");
    assert!(all < Duration::from_secs(20).max(usual * 5 * pages), "{all:?}, and {usual:?} a page of few");
}

#[tokio::test]
async fn a_long_log_is_merged_and_pruned_and_reads_the_same() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"title": "Log", "content": "begin\n"})).await;
    let path = format!("/api/v1/notes/{note}");
    for n in 0..30 {
        owner.patch(&path, json!({"append": format!("{n}\n")})).await.ok();
    }
    let before = owner.text_of(&note).await;
    // As if it were long ago, in many more updates than these.
    let id: uuid::Uuid = note.parse().unwrap();
    sqlx::query("UPDATE notes SET seq = seq + 500 WHERE id = $1").bind(id).execute(&app.owner).await.unwrap();
    sqlx::query("UPDATE note_updates SET seq = seq + 500, created_at = now() - interval '1 day' WHERE note_id = $1 AND seq > 15")
        .bind(id).execute(&app.owner).await.unwrap();
    sqlx::query("UPDATE note_versions SET seq = 100000 WHERE note_id = $1")
        .bind(id)
        .execute(&app.owner)
        .await
        .unwrap();
    sqlx::query("UPDATE schedules SET next_run_at = now() WHERE kind = 'compact_notes'")
        .execute(&app.owner)
        .await
        .unwrap();
    app.stop().await;
    let app = Application::start_with(crate::application::Differences {
        database: Some(app.database.clone()),
        server_id: app.server_id,
        ..Default::default()
    })
    .await;
    let owner = app.sign_in("owner@example.org", crate::application::PASSWORD).await;
    eventually("the log is merged", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM note_updates WHERE note_id = $1")
            .bind(id)
            .fetch_one(&app.owner)
            .await
            .unwrap();
        left <= 15
    })
    .await;
    assert_eq!(owner.text_of(&note).await, before);
    owner.patch(&path, json!({"append": "after\n"})).await.ok();
    assert_eq!(owner.text_of(&note).await, format!("{before}after\n"));
}
