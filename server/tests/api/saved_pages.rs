//! Web pages that are kept: fetched from a site of the tests or sent by a browser, read, found, and nobody
//! else's.

use crate::application::{Application, Differences, Person, eventually};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use pages::Reach;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// Long enough to be taken for an article.
fn article(title: &str, words: &str) -> String {
    let paragraph =
        "The old roses of the south wall are pruned late, after the last frost, and then only lightly. "
            .repeat(8);
    format!(
        "<!DOCTYPE html><html lang=en><head><title>{title}</title><meta name=author content='The Gardener'>
         <meta property='og:site_name' content='Garden Letters'><meta property='og:image' content='/picture.png'>
         <script>document.title = 'run'</script></head><body onload=\"alert(1)\"><nav>Home About</nav>
         <article><h1>{title}</h1><p>{paragraph}</p><h2>Feeding</h2><p>{words} {paragraph}</p>
         <p><a href=\"javascript:alert(2)\">A link</a><img src=\"/leaf.png\" onerror=\"alert(3)\"></p></article></body></html>"
    )
}

/// A site whose article says how often it was asked for.
struct Site {
    address: SocketAddr,
    visits: Arc<AtomicUsize>,
}

impl Site {
    async fn start() -> Self {
        let visits = Arc::new(AtomicUsize::new(0));
        let html =
            |body: String| ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response();
        let roses = move |State(visits): State<Arc<AtomicUsize>>| async move {
            let visit = visits.fetch_add(1, Ordering::SeqCst) + 1;
            html(article(
                "Old Roses",
                &format!("Visit {visit}: bone meal in spring, quinquereme at the root."),
            ))
        };
        let picture = || async {
            let mut bytes = Vec::new();
            image::DynamicImage::new_rgb8(64, 48)
                .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
                .unwrap();
            ([(header::CONTENT_TYPE, "image/png")], bytes)
        };
        let letter = include_bytes!("../../extract/tests/data/bericht.pdf").as_slice();
        let routes = Router::new()
            .route("/roses", get(roses))
            .route("/picture.png", get(picture))
            .route(
                "/letter.pdf",
                get(move || async move { ([(header::CONTENT_TYPE, "application/pdf")], letter) }),
            )
            .route("/plain.txt", get(|| async { "A plain letter about mulching with bark." }))
            .route("/private", get(|| async { (StatusCode::FORBIDDEN, "no").into_response() }))
            .route(
                "/empty",
                get(move || async move { html("<html><body><script>x</script></body></html>".to_owned()) }),
            )
            .route("/away", get(|| async { Redirect::temporary("http://169.254.169.254/latest/meta-data/") }))
            .with_state(Arc::clone(&visits));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, visits }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An application that may reach this site and nothing else.
    async fn application(&self) -> Application {
        let reach = Reach::Only(vec![self.address]);
        Application::start_with(Differences { reach, ..Differences::default() }).await
    }
}

async fn save(person: &Person, body: Value) -> (StatusCode, Value) {
    let answer = person.post("/api/v1/pages", body).await;
    (answer.status, answer.body["data"].clone())
}

async fn saved(person: &Person, body: Value) -> String {
    let answer = person.post("/api/v1/pages", body).await.expect(StatusCode::CREATED);
    answer["id"].as_str().unwrap().to_owned()
}

async fn settled(person: &Person, id: &str) -> Value {
    let path = format!("/api/v1/pages/{id}");
    let state = async || person.get(&path).await.ok()["state"].clone();
    eventually("the page is read", async || matches!(state().await.as_str(), Some("ready" | "failed"))).await;
    person.get(&path).await.ok()
}

async fn found(person: &Person, query: &str) -> Vec<Value> {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    person.get(&format!("/api/v1/search?q={query}")).await.ok()["items"].as_array().unwrap().clone()
}

async fn listed(person: &Person, query: &str) -> Vec<Value> {
    person.get(&format!("/api/v1/pages{query}")).await.ok()["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_fetched_made_readable_and_found_at_its_heading() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let id =
        saved(&owner, json!({"url": site.url("/roses?utm_source=letter#top"), "tags": ["#Garden"]})).await;
    let page = settled(&owner, &id).await;
    assert_eq!(
        (page["state"].as_str(), page["title"].as_str()),
        (Some("ready"), Some("Old Roses")),
        "{page}"
    );
    assert_eq!(
        (page["site"].as_str(), page["author"].as_str()),
        (Some("Garden Letters"), Some("The Gardener"))
    );
    assert_eq!((page["language"].as_str(), page["tags"].clone()), (Some("en"), json!(["Garden"])));
    assert_eq!(page["url"], site.url("/roses"));
    assert!(page["minutes"].as_u64().unwrap() >= 1 && page["readable"] == true, "{page}");
    let labels: Vec<&str> =
        page["sections"].as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap()).collect();
    assert_eq!(labels.last(), Some(&"Feeding"), "{page}");
    let anchor = page["sections"].as_array().unwrap().last().unwrap()["anchor"].as_str().unwrap();
    let hits = found(&owner, "quinquereme kind:page").await;
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!((hits[0]["kind"].as_str(), hits[0]["place"].as_str()), (Some("page"), Some("Feeding")));
    assert_eq!(hits[0]["url"], format!("/p/{id}#{anchor}"));
    assert_eq!(hits[0]["title"], "Old Roses");
    assert!(found(&owner, "quinquereme kind:file").await.is_empty());
    assert_eq!(page["image"], true, "its picture is kept here: {page}");
    let image = owner.request(Method::GET, &format!("/api/v1/pages/{id}/image")).send().await.unwrap();
    assert!(image.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("image/"));
    let text = owner.request(Method::GET, &format!("/api/v1/pages/{id}/text")).send().await.unwrap();
    let text = text.text().await.unwrap();
    assert!(text.starts_with("---\npage_id: ") && text.contains("title: \"Old Roses\""), "{text}");
    assert!(owner.get("/api/v1/files/use").await.ok()["used"].as_u64().unwrap() > 1000, "it takes up room");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_address_is_the_same_page_read_again() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let id = saved(&owner, json!({"url": site.url("/roses")})).await;
    settled(&owner, &id).await;
    owner.patch(&format!("/api/v1/pages/{id}"), json!({"title": "Mine", "archived": true})).await.ok();
    let (status, again) = save(&owner, json!({"url": site.url("/roses#feeding")})).await;
    assert_eq!((status, again["id"].as_str()), (StatusCode::OK, Some(id.as_str())));
    let page = settled(&owner, &id).await;
    assert_eq!(site.visits.load(Ordering::SeqCst), 2);
    assert_eq!((page["title"].as_str(), page["archived"].as_bool()), (Some("Mine"), Some(false)), "{page}");
    assert!(page["sections"].to_string().contains("Visit 2"), "{page}");
    assert_eq!(found(&owner, "quinquereme").await.len(), 1, "what was there before is found no more");
    owner.post(&format!("/api/v1/pages/{id}/fetch"), json!({})).await.ok();
    assert!(settled(&owner, &id).await["sections"].to_string().contains("Visit 3"));
    assert_eq!(listed(&owner, "").await.len(), 1);
    eventually("no older copy stays", async || {
        let kept = store::parts(&application, &id);
        kept.iter().all(|part| part.starts_with("3/")) && !kept.is_empty()
    })
    .await;
    application.stop().await;
}

/// What lies in the store.
mod store {
    use crate::application::{Application, data_folder};
    use std::path::Path;

    /// What was made of a page, by its path in the page's folder.
    pub fn parts(application: &Application, id: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(&data_folder(application.server_id).join("blobs"), &mut found);
        let parts = found.iter().filter_map(|path| path.split_once(&format!("/pages/{id}/")));
        parts.map(|(_, part)| part.to_owned()).collect()
    }

    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => walk(&entry.path(), found),
                false => found.push(entry.path().to_string_lossy().into_owned()),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_public_are_refused_with_the_reason() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    for url in [
        "http://127.0.0.1:9/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:192.168.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://a.example:25/",
        "http://me:secret@a.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "nothing of the kind",
    ] {
        let refusal = owner.post("/api/v1/pages", json!({ "url": url })).await.refused(400, "INVALID_INPUT");
        assert_eq!(refusal["details"]["field"], "url");
    }
    assert!(listed(&owner, "").await.is_empty());
    let id = saved(&owner, json!({"url": "http://localhost:8099/"})).await;
    let page = settled(&owner, &id).await;
    assert_eq!(page["state"], "failed", "a name is looked up first: {page}");
    assert!(page["reason"].as_str().unwrap().contains("not an address on the public internet"), "{page}");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_says_why_and_is_tried_again() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    for (path, reason) in [
        ("/private", "behind a sign-in"),
        ("/nowhere", "no page at this address"),
        ("/empty", "nothing to read"),
        ("/away", "not an address on the public internet"),
        ("/picture.png", "no page but"),
    ] {
        let id = saved(&owner, json!({"url": site.url(path)})).await;
        let page = settled(&owner, &id).await;
        assert_eq!(page["state"], "failed", "{path}: {page}");
        assert!(page["reason"].as_str().unwrap().contains(reason), "{path}: {page}");
        owner.get(&format!("/api/v1/pages/{id}/archive")).await.refused(404, "NOT_FOUND");
        let again = owner.post(&format!("/api/v1/pages/{id}/fetch"), json!({})).await.ok();
        assert_eq!(again["state"], "waiting");
        assert_eq!(settled(&owner, &id).await["state"], "failed");
    }
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pdf_and_a_text_become_readable_too() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let text = saved(&owner, json!({"url": site.url("/plain.txt")})).await;
    let pdf = saved(&owner, json!({"url": site.url("/letter.pdf")})).await;
    let page = settled(&owner, &text).await;
    assert!(page["sections"].to_string().contains("mulching with bark"), "{page}");
    assert_eq!(
        found(&owner, "mulching bark").await[0]["url"].as_str().unwrap().split('#').next(),
        Some(format!("/p/{text}").as_str())
    );
    let page = settled(&owner, &pdf).await;
    assert_eq!(
        (page["state"].as_str(), page["sections"][0]["label"].as_str()),
        (Some("ready"), Some("Page 1")),
        "{page}"
    );
    let copy = owner.request(Method::GET, &format!("/api/v1/pages/{pdf}/archive")).send().await.unwrap();
    assert_eq!(copy.headers()[header::CONTENT_TYPE], "application/pdf");
    assert!(copy.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    assert!(copy.bytes().await.unwrap().starts_with(b"%PDF"));
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kept_copy_can_run_and_load_nothing() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let id = saved(&owner, json!({"url": site.url("/roses")})).await;
    settled(&owner, &id).await;
    let copy = owner.request(Method::GET, &format!("/api/v1/pages/{id}/archive")).send().await.unwrap();
    let headers = copy.headers().clone();
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("sandbox ") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
    let html = copy.text().await.unwrap();
    assert!(html.contains("pruned late"));
    for sign in ["<script", "onload", "onerror", "javascript:", "<iframe", "<img src=\"http"] {
        assert!(!html.contains(sign), "{sign} in {html}");
    }
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_a_browser_sends_is_kept_as_it_was_seen() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let html = article("Members’ letter", "For members only: the xylograph of the damask.");
    let url = "http://10.0.0.7/members/letter?session=1";
    let id = saved(&owner, json!({"url": url, "html": html})).await;
    let page = settled(&owner, &id).await;
    assert_eq!((page["state"].as_str(), page["sent"].as_bool()), (Some("ready"), Some(true)), "{page}");
    assert_eq!(page["title"], "Members’ letter");
    assert_eq!(found(&owner, "xylograph").await.len(), 1);
    let parts = async || store::parts(&application, &id);
    assert!(parts().await.iter().any(|part| part == "1/archive"), "{:?}", parts().await);
    eventually("what was sent goes once it was read", async || {
        !parts().await.iter().any(|part| part.ends_with("sent.html"))
    })
    .await;
    let (status, same) = save(&owner, json!({ "url": url })).await;
    assert_eq!((status.as_u16(), status.is_client_error()), (400, true), "it is not fetched: {same}");
    owner.post(&format!("/api/v1/pages/{id}/fetch"), json!({})).await.refused(409, "CONFLICT");
    let again = article("Members’ letter", "Corrected: the zincograph of the damask.");
    let (status, _) = save(&owner, json!({"url": url, "html": again})).await;
    assert_eq!(status, StatusCode::OK);
    settled(&owner, &id).await;
    assert_eq!((found(&owner, "zincograph").await.len(), found(&owner, "xylograph").await.len()), (1, 0));
    owner
        .post("/api/v1/pages", json!({"url": "ftp://a.example/", "html": again}))
        .await
        .refused(400, "INVALID_INPUT");
    let large = "x".repeat((10 << 20) + 1);
    owner
        .post("/api/v1/pages", json!({"url": "https://a.example/", "html": large}))
        .await
        .refused(413, "PAYLOAD_TOO_LARGE");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_sent_is_not_fetched_over_while_it_waits() {
    let site = Site::start().await;
    let application = site.application().await;
    let owner = application.set_up().await;
    let wait = "ALTER TABLE jobs ALTER run_at SET DEFAULT now() + interval '1 hour'";
    sqlx::query(wait).execute(&application.owner).await.unwrap();
    let html = article("Members’ letter", "For members only: the xylograph of the damask.");
    let id = saved(&owner, json!({"url": site.url("/roses"), "html": html})).await;
    let (status, same) = save(&owner, json!({"url": site.url("/roses")})).await;
    assert_eq!((status, same["id"].as_str()), (StatusCode::OK, Some(id.as_str())));
    assert_eq!((same["state"].as_str(), same["sent"].as_bool()), (Some("waiting"), Some(true)), "{same}");
    let come = "UPDATE jobs SET run_at = now() WHERE kind = 'fetch_page'";
    sqlx::query(come).execute(&application.owner).await.unwrap();
    sqlx::query("SELECT pg_notify('sidebar', '\"JobQueued\"')").execute(&application.owner).await.unwrap();
    let page = settled(&owner, &id).await;
    assert_eq!((page["state"].as_str(), page["title"].as_str()), (Some("ready"), Some("Members’ letter")));
    assert_eq!(site.visits.load(Ordering::SeqCst), 0);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_save_for_somebody() {
    let application = Application::start().await;
    let mut owner = application.set_up().await;
    let body = json!({"url": "https://a.example/", "html": article("Planted", "x")});
    let csrf = owner.csrf.take();
    owner.post("/api/v1/pages", body.clone()).await.refused(403, "CSRF_FAILED");
    owner.csrf = csrf;
    let form = owner.request(Method::POST, "/api/v1/pages").header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(
        form.body(body.to_string()).send().await.unwrap().status(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let clip = owner.request(Method::GET, "/p/clip").send().await.unwrap();
    assert_eq!(
        clip.headers()["cross-origin-opener-policy"],
        "unsafe-none",
        "it must hear the page that opened it"
    );
    assert!(
        clip.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'")
    );
    let other = owner.request(Method::GET, "/p").send().await.unwrap();
    assert_eq!(other.headers()["cross-origin-opener-policy"], "same-origin");
    assert!(listed(&owner, "").await.is_empty());
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_narrowed_ordered_and_turned_page_by_page() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let html = article(&format!("Letter {number}"), "x");
        ids.push(saved(&owner, json!({"url": format!("https://a.example/{number}"), "html": html})).await);
    }
    for id in &ids {
        settled(&owner, id).await;
    }
    let change = async |at: usize, change: Value| {
        owner.patch(&format!("/api/v1/pages/{}", ids[at]), change).await.ok()
    };
    change(0, json!({"pinned": true, "tags": ["Roses", "roses", " #Old  ones "]})).await;
    change(1, json!({"archived": true})).await;
    let read = change(2, json!({"position": 0.4})).await;
    assert_eq!(read["position"], 0.4);
    let titles = async |query: &str| -> Vec<String> {
        listed(&owner, query).await.iter().map(|page| page["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("").await, ["Letter 0", "Letter 4", "Letter 3", "Letter 2"]);
    assert_eq!(titles("?archived=true").await, ["Letter 1"]);
    assert_eq!(titles("?tag=ROSES").await, ["Letter 0"]);
    assert_eq!(titles("?q=letter%203").await, ["Letter 3"]);
    assert_eq!(listed(&owner, "?tag=roses").await[0]["tags"], json!(["Roses", "Old ones"]));
    let mut turned = Vec::new();
    let mut path = "/api/v1/pages?limit=1".to_owned();
    loop {
        let page = owner.get(&path).await.ok();
        turned.push(page["items"][0]["title"].as_str().unwrap().to_owned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/pages?limit=1&cursor={cursor}");
    }
    assert_eq!(turned, ["Letter 0", "Letter 4", "Letter 3", "Letter 2"]);
    for wrong in [json!({"position": 1.5}), json!({"position": -0.1}), json!({"title": " "})] {
        owner.patch(&format!("/api/v1/pages/{}", ids[0]), wrong).await.refused(400, "INVALID_INPUT");
    }
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_bin_is_not_found_comes_back_and_is_purged_whole() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let body = json!({"url": "https://a.example/x", "html": article("Old Roses", "quinquereme")});
    let id = saved(&owner, body.clone()).await;
    settled(&owner, &id).await;
    owner.delete(&format!("/api/v1/pages/{id}")).await.ok();
    assert!(found(&owner, "quinquereme").await.is_empty() && listed(&owner, "").await.is_empty());
    assert_eq!(listed(&owner, "?deleted=true").await[0]["id"], *id);
    owner.post(&format!("/api/v1/pages/{id}/restore"), json!({})).await.ok();
    assert_eq!(found(&owner, "quinquereme").await.len(), 1);
    owner.delete(&format!("/api/v1/pages/{id}")).await.ok();
    let other = saved(&owner, body).await;
    assert_ne!(other, id);
    owner.post(&format!("/api/v1/pages/{id}/restore"), json!({})).await.refused(409, "CONFLICT");
    settled(&owner, &other).await;
    sqlx::query("UPDATE pages SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL")
        .execute(&application.owner)
        .await
        .unwrap();
    sqlx::query("INSERT INTO jobs (id, kind, payload) VALUES (gen_random_uuid(), 'purge_deleted', '{}')")
        .execute(&application.owner)
        .await
        .unwrap();
    sqlx::query("SELECT pg_notify('sidebar', '\"JobQueued\"')").execute(&application.owner).await.unwrap();
    eventually("it is gone from the store", async || store::parts(&application, &id).is_empty()).await;
    assert!(listed(&owner, "?deleted=true").await.is_empty());
    assert!(!store::parts(&application, &other).is_empty());
    assert_eq!(found(&owner, "quinquereme").await.len(), 1);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_nobody_elses() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    let body = json!({"url": "https://a.example/x", "html": article("Old Roses", "quinquereme")});
    let id = saved(&owner, body.clone()).await;
    settled(&owner, &id).await;
    for path in ["", "/text", "/archive", "/image"] {
        other.get(&format!("/api/v1/pages/{id}{path}")).await.refused(404, "NOT_FOUND");
    }
    other.patch(&format!("/api/v1/pages/{id}"), json!({"title": "mine"})).await.refused(404, "NOT_FOUND");
    other.delete(&format!("/api/v1/pages/{id}")).await.refused(404, "NOT_FOUND");
    for act in ["restore", "fetch"] {
        other.post(&format!("/api/v1/pages/{id}/{act}"), json!({})).await.refused(404, "NOT_FOUND");
    }
    for query in ["quinquereme", "old roses", "kind:page roses"] {
        assert!(found(&other, query).await.is_empty(), "{query}");
    }
    for query in ["", "?q=roses", "?deleted=true", "?archived=true"] {
        assert!(listed(&other, query).await.is_empty(), "{query}");
    }
    let page = other.request(Method::GET, &format!("/p/{id}")).send().await.unwrap();
    let status = page.status();
    assert!(status == StatusCode::NOT_FOUND && !page.text().await.unwrap().contains("quinquereme"));
    let own = saved(&other, body).await;
    assert_ne!(own, id, "the same address is a page of each");
    assert_eq!(owner.get(&format!("/api/v1/pages/{id}")).await.ok()["title"], "Old Roses");
    application.stop().await;
}
