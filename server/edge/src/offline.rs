//! What notes need of us beside the API: the service worker, the page it shows without network, and
//! the frame in which diagrams are drawn. All of it is the same for everybody.

use crate::config::Error;
use crate::headers;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;

/// What the service worker may ask for: our own files.
const WORKER_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; connect-src 'self'");

/// The worker answers for the whole site, wherever its file is.
const SCOPE: HeaderName = HeaderName::from_static("service-worker-allowed");

/// The three documents.
struct Documents {
    worker: String,
    stylesheet: String,
    script: String,
}

impl Documents {
    /// Out of the built files of the site.
    fn read(site: &Path, assets: &app::Assets) -> Result<Self, Error> {
        let read = |file: &Path| {
            std::fs::read_to_string(file)
                .map_err(|cause| Error::Site { file: file.display().to_string(), cause })
        };
        let kept = read(&site.join("offline.json"))?;
        let address = |name: &str| assets.get(name).unwrap_or_default().to_owned();
        let worker = read(&site.join(address("worker.js").trim_start_matches('/')))?;
        let mut version = Sha256::new();
        version.update(&kept);
        version.update(&worker);
        let name = hex(&version.finalize()[..8]);
        Ok(Self {
            worker: format!("const KEPT = {{ name: \"sidebar-{name}\", assets: {kept} }};\n{worker}"),
            stylesheet: address("main.css"),
            script: address("offline.js"),
        })
    }

    /// The editor alone. Its script reads what to show from the address and the local store.
    fn page(&self, nonce: &str) -> String {
        format!(
            "<!DOCTYPE html><html lang=\"en\" data-theme=\"system\"><head><meta charset=\"utf-8\">\
             <title>Offline · sideBar</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, interactive-widget=resizes-content\">\
             <meta name=\"robots\" content=\"noindex\"><link rel=\"stylesheet\" href=\"{}\"></head>\
             <body class=\"offline\"><div id=\"offline\"></div>\
             <script type=\"module\" nonce=\"{nonce}\" src=\"{}\"></script></body></html>",
            self.stylesheet, self.script
        )
    }
}

/// `/worker.js`, `/offline` and `/frame/diagram`.
pub fn routes<S: Clone + Send + Sync + 'static>(
    site: &Path,
    assets: &app::Assets,
) -> Result<Router<S>, Error> {
    // A site without a browser half has nothing to keep.
    if assets.get("worker.js").is_none() {
        return Ok(Router::new());
    }
    let documents = Arc::new(Documents::read(site, assets)?);
    let ours = Arc::clone(&documents);
    Ok(Router::new()
        .route("/worker.js", get(move || async move { worker(&ours) }))
        .route("/offline", get(move || async move { offline(&documents) }))
        .route("/frame/diagram", get(diagram)))
}

fn worker(documents: &Documents) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
    let scope = (SCOPE, HeaderValue::from_static("/"));
    let policy = (header::CONTENT_SECURITY_POLICY, WORKER_POLICY);
    ([kind, scope, policy, not_kept()], documents.worker.clone()).into_response()
}

fn offline(documents: &Documents) -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    html(documents.page(&nonce), &headers::page_policy(&nonce))
}

/// A document without an origin that may load nothing. The page that holds it hands it the library and
/// the diagram, and gets a picture back.
async fn diagram() -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let policy = format!(
        "sandbox allow-scripts; default-src 'none'; script-src 'nonce-{nonce}' blob:; \
         style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    );
    let script = include_str!("diagram.js");
    html(
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Diagram</title></head>\
             <body><script nonce=\"{nonce}\">{script}</script></body></html>"
        ),
        &policy,
    )
}

fn html(body: String, policy: &str) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // Of ASCII only, as both policies are.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    ([kind, (header::CONTENT_SECURITY_POLICY, policy), not_kept()], body).into_response()
}

fn not_kept() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::Request;
    use tower::ServiceExt as _;

    fn site() -> std::path::PathBuf {
        let site = std::env::temp_dir().join(format!("edge-offline-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(site.join("assets")).unwrap();
        std::fs::write(site.join("assets/worker.AAAAAAAA.js"), "// the worker").unwrap();
        std::fs::write(site.join("offline.json"), "[\"/assets/editor.BBBBBBBB.js\"]").unwrap();
        site
    }

    async fn get(app: &Router, path: &str) -> (http::HeaderMap, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.status, http::StatusCode::OK);
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_worker_knows_what_to_keep_and_the_page_has_its_nonce() {
        let site = site();
        let assets = app::Assets::parse(
            r#"{"worker.js": "/assets/worker.AAAAAAAA.js", "offline.js": "/assets/offline.CCCCCCCC.js",
                "main.css": "/assets/main.DDDDDDDD.css"}"#,
        )
        .unwrap();
        let app: Router = routes::<()>(&site, &assets).unwrap();

        let (headers, worker) = get(&app, "/worker.js").await;
        assert!(worker.starts_with("const KEPT = { name: \"sidebar-"), "{worker}");
        assert!(worker.contains("/assets/editor.BBBBBBBB.js") && worker.ends_with("// the worker"));
        assert_eq!(headers["service-worker-allowed"], "/");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");

        let (headers, page) = get(&app, "/offline").await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        let nonce = page.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(policy.contains(&format!("'nonce-{nonce}'")), "{policy}");
        assert!(page.contains("/assets/offline.CCCCCCCC.js") && page.contains("/assets/main.DDDDDDDD.css"));

        let (headers, _) = get(&app, "/frame/diagram").await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("sandbox allow-scripts; default-src 'none'"), "{policy}");
        std::fs::remove_dir_all(&site).unwrap();
    }
}
