//! Files in notes; notes as files.

use crate::application::{Application, Differences, Person};
use crate::sharing::by_link;
use domain::FileLimits;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

impl Person {
    async fn attach(&self, note: &str, name: &str, bytes: impl Into<reqwest::Body>) -> Response {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("/api/v1/notes/{note}/attachments?name={name}");
        self.request(Method::POST, &path).body(bytes).send().await.unwrap()
    }

    async fn import(&self, kind: &str, query: &str, bytes: impl Into<reqwest::Body>) -> Response {
        let request = self.request(Method::POST, &format!("/api/v1/notes/import{query}"));
        request.header("content-type", kind).body(bytes).send().await.unwrap()
    }

    async fn export(&self) -> Vec<u8> {
        let response = self.send(Method::GET, "/api/v1/notes/export", None).await;
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap().to_vec()
    }
}

async fn data(response: Response, status: StatusCode) -> Value {
    let got = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(got, status, "{body}");
    body["data"].clone()
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpacked(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files: Vec<(String, Vec<u8>)> = (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_file_is_attached_and_read_in_parts_and_runs_nothing() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"title": "Pictures"})).await;
    let made = data(owner.attach(&note, "../a b.png", "0123456789").await, StatusCode::CREATED).await;
    assert_eq!(
        (&made["name"], &made["media_type"], &made["size"]),
        (&json!("a b.png"), &json!("image/png"), &json!(10))
    );
    let again = data(owner.attach(&note, "a b.png", "0123456789").await, StatusCode::CREATED).await;
    assert_eq!(again["id"], made["id"]);
    let url = made["url"].as_str().unwrap();
    let whole = owner.send(Method::GET, url, None).await;
    let headers = whole.headers().clone();
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox; default-src 'none'"));
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("inline"));
    assert_eq!(whole.text().await.unwrap(), "0123456789");
    for (range, status, part, content) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-2", 206, "bytes 8-9/10", "89"),
        ("bytes=8-99", 206, "bytes 8-9/10", "89"),
        ("bytes=20-30", 416, "bytes */10", ""),
    ] {
        let response = owner.request(Method::GET, url).header("range", range).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-range"]),
            (status, &part.parse().unwrap()),
            "{range}"
        );
        assert_eq!(response.text().await.unwrap(), content);
    }
    let known =
        owner.request(Method::GET, url).header("if-none-match", &headers["etag"]).send().await.unwrap();
    assert_eq!(known.status(), 304);
    for name in ["x.svg", "x.html", "x.xhtml", "x.js", "x"] {
        let made =
            data(owner.attach(&note, name, "<script>alert(1)</script>").await, StatusCode::CREATED).await;
        let response = owner.send(Method::GET, made["url"].as_str().unwrap(), None).await;
        assert!(
            response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"),
            "{name}"
        );
        assert_eq!(response.headers()["content-type"], "application/octet-stream", "{name}");
    }
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    assert_eq!(stranger.send(Method::GET, url, None).await.status(), 404);
    // Named under another note that one may see, it is not there either.
    let own = stranger.note(json!({})).await;
    let other = url.replace(&note, &own);
    assert_eq!(stranger.send(Method::GET, &other, None).await.status(), 404);
    let large = vec![0_u8; (50 << 20) + 1];
    let refused = owner.attach(&note, "large.bin", large.clone()).await;
    assert_eq!(refused.status(), 413);
    let pieces =
        large.chunks(1 << 20).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let stream = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    assert_eq!(owner.attach(&note, "large.bin", stream).await.status(), 413);
}

#[tokio::test]
async fn beyond_the_owners_quota_nobody_attaches_or_imports_anything() {
    let file_limits = FileLimits { largest: 1000, per_person: 1500 };
    let app = Application::start_with(Differences { file_limits, ..Differences::default() }).await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"title": "Pictures"})).await;
    let shared = owner.post(&format!("/api/v1/notes/{note}/shares"), json!({"access": "edit"})).await;
    let shared = shared.expect(StatusCode::CREATED);
    let visitor = by_link(&app, shared["url"].as_str().unwrap()).await;
    for _ in ["sent", "sent again"] {
        data(owner.attach(&note, "a.bin", vec![b'a'; 900]).await, StatusCode::CREATED).await;
    }
    assert_eq!(owner.attach(&note, "b.bin", vec![b'b'; 900]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let refused = visitor.attach(&note, "c.bin", vec![b'c'; 900]).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let why = refused.text().await.unwrap();
    assert!(why.contains("Whoever this note belongs to"), "{why}");
    data(visitor.attach(&note, "d.bin", vec![b'd'; 100]).await, StatusCode::CREATED).await;
    let vault = packed(&[("Vault.md", b"![[e.bin]]" as &[u8]), ("e.bin", &[b'e'; 600])]);
    let refused = owner.import("application/zip", "", vault).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let notes = owner.get("/api/v1/notes").await.ok();
    assert_eq!(notes["items"].as_array().unwrap().len(), 1, "{notes}");
    assert_eq!(owner.get("/api/v1/files/use").await.ok()["used"], 1000);
}

#[tokio::test]
async fn a_file_is_read_by_its_name_by_whoever_sees_the_note() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let (note, other) = (owner.note(json!({})).await, owner.note(json!({})).await);
    data(owner.attach(&note, "Pic (1).png", "first").await, StatusCode::CREATED).await;
    data(owner.attach(&note, "pic (1).PNG", "second").await, StatusCode::CREATED).await;
    let named = |note: &str| format!("/api/v1/notes/{note}/attachments/named/Pic%20%281%29.png");
    let read = owner.send(Method::GET, &named(&note), None).await;
    assert_eq!(read.headers()["content-type"], "image/png");
    assert_eq!(read.headers()["cache-control"], "private, no-cache", "another may take its place");
    assert_eq!(read.text().await.unwrap(), "second");
    assert_eq!(owner.send(Method::GET, &named(&other), None).await.status(), 404);
    let stranger = app.person(&owner, "stranger@example.org", "admin").await;
    assert_eq!(stranger.send(Method::GET, &named(&note), None).await.status(), 404);
}

#[tokio::test]
async fn everything_survives_the_way_out_and_in() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let folder = owner.post("/api/v1/folders", json!({"name": "Work: 1"})).await.expect(StatusCode::CREATED);
    let note = owner.note(json!({"title": "Plan? A/B", "folder_id": folder["id"]})).await;
    let picture = data(owner.attach(&note, "a (1).png", "PNG").await, StatusCode::CREATED).await;
    let text = format!(
        "---\ntags: [x]\naliases:\n  - Scheme\n---\n# Über\n\n![a picture]({})\n\n[[Other]] #y\n",
        picture["url"].as_str().unwrap()
    );
    owner.patch(&format!("/api/v1/notes/{note}"), json!({"content": text})).await.ok();
    owner.note(json!({"title": "Other", "content": "see [[Plan? A/B]] and [[scheme]]"})).await;
    owner.note(json!({"title": "other", "content": ""})).await;

    let first = unpacked(owner.export().await);
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(
        names.contains(&"Work- 1/Plan- A-B.md")
            && names.contains(&"Other.md")
            && names.contains(&"other 2.md")
    );
    let plan = first.iter().find(|(name, _)| name.ends_with("A-B.md")).unwrap();
    let plan = std::str::from_utf8(&plan.1).unwrap();
    assert!(
        plan.starts_with("---\ntitle: \"Plan? A/B\"\ncreated: ") && plan.contains("](../attachments/"),
        "{plan}"
    );
    assert!(!plan.contains("/api/v1/"));

    let guest = app.person(&owner, "guest@example.org", "developer").await;
    let report =
        data(guest.import("application/zip", "", owner.export().await).await, StatusCode::CREATED).await;
    assert_eq!(
        (report["notes"].as_array().unwrap().len(), &report["folders"], &report["attachments"]),
        (3, &json!(1), &json!(1))
    );
    assert_eq!(report["skipped"], json!([]));
    let imported = report["notes"].as_array().unwrap().iter().find(|n| n["title"] == "Plan? A/B").unwrap();
    let path = format!("/api/v1/notes/{}", imported["id"].as_str().unwrap());
    let opened = guest.get(&path).await.ok();
    assert_eq!(opened["tags"], json!(["x", "y"]));
    let content = opened["content"].as_str().unwrap();
    let new_url = content.split("](").nth(1).unwrap().split(')').next().unwrap();
    assert_eq!(content, text.replace(picture["url"].as_str().unwrap(), new_url));
    assert_eq!(guest.send(Method::GET, new_url, None).await.text().await.unwrap(), "PNG");
    let back = guest.get(&format!("{path}/backlinks")).await.ok();
    assert_eq!(back["linked"][0]["title"], "Other");
    let second = unpacked(guest.export().await);
    let without_times = |files: &[(String, Vec<u8>)]| -> Vec<(String, String)> {
        let lines =
            |text: &str| text.lines().filter(|l| !l.starts_with("updated: ")).collect::<Vec<_>>().join("\n");
        files.iter().map(|(name, bytes)| (name.clone(), lines(&String::from_utf8_lossy(bytes)))).collect()
    };
    assert_eq!(without_times(&second), without_times(&first));

    let one = owner.send(Method::GET, &format!("/api/v1/notes/{note}/export"), None).await;
    assert_eq!(one.headers()["content-type"], "text/markdown; charset=utf-8");
    assert!(one.text().await.unwrap().contains("title: \"Plan? A/B\""));
}

#[tokio::test]
async fn one_note_is_taken_away_with_the_files_that_it_mentions() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let note = owner.note(json!({"title": "Rose"})).await;
    let linked = data(owner.attach(&note, "a.png", "A").await, StatusCode::CREATED).await;
    data(owner.attach(&note, "B b.png", "B").await, StatusCode::CREATED).await;
    data(owner.attach(&note, "unused.png", "U").await, StatusCode::CREATED).await;
    let path = format!("/api/v1/notes/{note}/export?attachments=true");
    let alone = owner.send(Method::GET, &path, None).await;
    assert_eq!(alone.headers()["content-type"], "text/markdown; charset=utf-8", "it mentions none");
    let text = format!("![a]({}) ![[files/b B.png]] ![[nowhere.png]]", linked["url"].as_str().unwrap());
    owner.patch(&format!("/api/v1/notes/{note}"), json!({"content": text})).await.ok();
    let response = owner.send(Method::GET, &path, None).await;
    assert_eq!(response.headers()["content-type"], "application/zip");
    assert!(response.headers()["content-disposition"].to_str().unwrap().contains("Rose.zip"));
    let files = unpacked(response.bytes().await.unwrap().to_vec());
    let ends: Vec<&str> = files.iter().map(|(name, _)| name.rsplit('/').next().unwrap()).collect();
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert!(ends.contains(&"Rose.md") && ends.contains(&"a.png") && ends.contains(&"B b.png"), "{ends:?}");
    let guest = app.person(&owner, "guest@example.org", "developer").await;
    assert_eq!(guest.send(Method::GET, &path, None).await.status(), 404);
    // Everything holds them too.
    assert_eq!(unpacked(owner.export().await).len(), 3);
}

#[tokio::test]
async fn files_of_one_name_stay_with_their_notes_on_the_way_out_and_in() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let folder = owner.post("/api/v1/folders", json!({"name": "Work"})).await.expect(StatusCode::CREATED);
    for (title, folder, bytes) in [("One", &Value::Null, "first"), ("Two", &folder["id"], "second")] {
        let note = owner.note(json!({"title": title, "folder_id": folder})).await;
        let made = data(owner.attach(&note, "Image.png", bytes).await, StatusCode::CREATED).await;
        let url = made["url"].as_str().unwrap();
        let text = format!("![[image.png|300]] and ![[{url}]] and ![[nowhere.png]]");
        owner.patch(&format!("/api/v1/notes/{note}"), json!({"content": text})).await.ok();
    }
    let archive = owner.export().await;
    let files = unpacked(archive.clone());
    for (name, start) in [("One.md", "![[attachments/"), ("Work/Two.md", "![[../attachments/")] {
        let (_, text) = files.iter().find(|(file, _)| file == name).unwrap();
        let text = std::str::from_utf8(text).unwrap();
        assert_eq!(text.matches(start).count(), 2, "{text}");
        assert!(text.contains("/Image.png|300]] and ") && text.contains("![[nowhere.png]]"), "{text}");
    }
    let guest = app.person(&owner, "guest@example.org", "developer").await;
    let report = data(guest.import("application/zip", "", archive).await, StatusCode::CREATED).await;
    assert_eq!((&report["attachments"], &report["skipped"]), (&json!(2), &json!([])));
    for (title, bytes) in [("One", "first"), ("Two", "second")] {
        let note = report["notes"].as_array().unwrap().iter().find(|note| note["title"] == title).unwrap();
        let text = guest.text_of(note["id"].as_str().unwrap()).await;
        let url = text.split("](").nth(1).unwrap().split(')').next().unwrap();
        assert_eq!(guest.send(Method::GET, url, None).await.text().await.unwrap(), bytes, "{text}");
    }
}

#[tokio::test]
async fn a_vault_keeps_its_links_and_attachments() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let vault = packed(&[
        ("Vault/Home.md", b"![[Pic One.png]] [[Deep Note#x|there]] [md](Sub/Deep%20Note.md) ![w](https://x.example/y.png)" as &[u8]),
        ("Vault/Sub/Deep Note.md", "---\ntitle: Deep Note\ntags:\n  - alpha\n---\n![up](../files/Pic%20One.png) [doc](../files/d.pdf)".as_bytes()),
        ("Vault/files/Pic One.png", b"P"),
        ("Vault/files/d.pdf", b"D"),
        ("Vault/files/unused.bin", b"U"),
        ("Vault/.obsidian/app.json", b"{}"),
        ("Vault/bad.md", b"\xff\xfe"),
    ]);
    let report = data(owner.import("application/zip", "", vault).await, StatusCode::CREATED).await;
    assert_eq!(report["attachments"], 3);
    let skipped: Vec<&str> =
        report["skipped"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["Vault/bad.md", "Vault/files/unused.bin"]);
    let id = |title: &str| {
        let note = report["notes"].as_array().unwrap().iter().find(|n| n["title"] == title).unwrap();
        note["id"].as_str().unwrap().to_owned()
    };
    let home = owner.text_of(&id("Home")).await;
    assert!(home.starts_with("![Pic One.png](/api/v1/notes/"), "{home}");
    assert!(
        home.ends_with(" [[Deep Note#x|there]] [[Deep Note|md]] ![w](https://x.example/y.png)"),
        "{home}"
    );
    let deep = owner.get(&format!("/api/v1/notes/{}", id("Deep Note"))).await.ok();
    assert_eq!(deep["tags"], json!(["alpha"]));
    assert_eq!(deep["content"].as_str().unwrap().matches("/api/v1/notes/").count(), 2);
    let folders = owner.get("/api/v1/folders").await.ok();
    assert_eq!(folders.as_array().unwrap().len(), 2);
    // The same again uses the folders that are there.
    let again = packed(&[("Vault/More.md", b"x" as &[u8])]);
    let report = data(owner.import("application/zip", "", again).await, StatusCode::CREATED).await;
    assert_eq!(report["folders"], 0);
}

#[tokio::test]
async fn one_file_and_a_page_become_notes() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let report =
        data(owner.import("text/markdown", "?name=My%20File.md", "# Hi\r\n").await, StatusCode::CREATED)
            .await;
    assert_eq!(report["notes"][0]["title"], "My File");
    let page = "<html><head><title>t</title><style>x{}</style></head><body><h1>Head</h1><p>A <b>bold</b> <a href='https://x.example/'>link</a></p><script>alert(1)</script><ul><li>one</li></ul></body></html>";
    let report =
        data(owner.import("text/html; charset=utf-8", "?name=Page", page).await, StatusCode::CREATED).await;
    let text = owner.text_of(report["notes"][0]["id"].as_str().unwrap()).await;
    assert!(text.contains("# Head") && text.contains("**bold** [link](https://x.example/)"), "{text}");
    assert!(!text.contains("alert") && !text.contains("x{}") && !text.contains('<'), "{text}");
    assert_eq!(owner.import("image/png", "", "x").await.status(), 415);
    assert_eq!(owner.import("text/markdown", "", vec![0xff_u8]).await.status(), 400);
}

#[tokio::test]
async fn hostile_archives_are_refused_and_leave_nothing() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    for name in ["../evil.md", "a/../../evil.md", "/etc/evil.md", "..\\evil.md", "C:\\evil.md"] {
        let archive = packed(&[("good.md", b"good" as &[u8]), (name, b"evil")]);
        let response = owner.import("application/zip", "", archive).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert!(status == 400, "{name}: {status} {body}");
    }
    let bomb = packed(&[("bomb.md", &vec![b'a'; 60 << 20][..])]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(owner.import("application/zip", "", bomb).await.status(), 413);
    assert_eq!(owner.import("application/zip", "", "not a zip").await.status(), 400);
    assert_eq!(owner.import("application/zip", "", packed(&[("x.png", b"x" as &[u8])])).await.status(), 400);
    assert_eq!(owner.get("/api/v1/notes").await.ok()["items"], json!([]));
    assert_eq!(owner.get("/api/v1/folders").await.ok(), json!([]));
}

#[tokio::test]
async fn a_thousand_notes_are_imported_at_once() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let files: Vec<(String, String)> = (0..1000)
        .map(|n| {
            (
                format!("Vault/{}/Note {n}.md", n % 20),
                format!("# Note {n}\n\n[[Note {}]] {}", n + 1, "words ".repeat(200)),
            )
        })
        .collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let started = std::time::Instant::now();
    let report = data(owner.import("application/zip", "", packed(&files)).await, StatusCode::CREATED).await;
    eprintln!("1,000 notes imported in {:?}", started.elapsed());
    assert_eq!((report["notes"].as_array().unwrap().len(), &report["folders"]), (1000, &json!(21)));
    let last = report["notes"].as_array().unwrap().iter().find(|note| note["title"] == "Note 1").unwrap();
    let back = owner.get(&format!("/api/v1/notes/{}/backlinks", last["id"].as_str().unwrap())).await.ok();
    assert_eq!(back["linked"][0]["title"], "Note 0");
    let started = std::time::Instant::now();
    assert_eq!(unpacked(owner.export().await).len(), 1000);
    eprintln!("1,000 notes exported in {:?}", started.elapsed());
}
