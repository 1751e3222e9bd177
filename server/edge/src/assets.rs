//! The built files of the site: named by their content, so kept for ever; compressed when they were
//! built, so never again here. What is made for a request is compressed on the way out.

use crate::config::Error;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderValue, header};
use std::path::Path;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::services::ServeDir;

/// Below this compression costs more than it saves.
const WORTH_COMPRESSING: u16 = 1024;
/// Brotli and gzip levels past this gain little on text and cost milliseconds.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Reads the names that the build gave its files.
pub fn manifest(site: &Path) -> Result<app::Assets, Error> {
    let file = site.join("manifest.json");
    let text = std::fs::read_to_string(&file)
        .map_err(|cause| Error::Site { file: file.display().to_string(), cause })?;
    app::Assets::parse(&text).map_err(Error::Manifest)
}

/// `/assets/…`
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Path) -> Router<S> {
    let files = ServeDir::new(site.join("assets"))
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    Router::new().nest_service("/assets", files).layer(from_fn(keep))
}

async fn keep(request: Request, next: Next) -> Response {
    let is_hashed = is_hashed(request.uri().path());
    let mut response = next.run(request).await;
    let status = response.status();
    let kept = match is_hashed {
        true if status.is_success() || status == http::StatusCode::NOT_MODIFIED => {
            "public, max-age=31536000, immutable"
        }
        _ => "no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// Whether the name is `name.<hash>.ext`.
fn is_hashed(path: &str) -> bool {
    let mut parts = path.rsplit('/').next().unwrap_or_default().rsplit('.');
    let (_extension, hash) = (parts.next(), parts.next());
    let has_name = parts.next().is_some();
    has_name && hash.is_some_and(|h| h.len() >= 8 && h.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Compresses what is made for a request. Never a stream of events, which must not wait for a
/// compressor, and nothing that is compressed by its nature.
pub fn compression() -> CompressionLayer<impl Predicate> {
    let predicate = SizeAbove::new(WORTH_COMPRESSING)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::const_new("audio/"))
        .and(NotForContentType::const_new("video/"))
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/wasm"));
    CompressionLayer::new().br(true).gzip(true).quality(LEVEL).compress_when(predicate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::StatusCode;
    use tower::ServiceExt;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for hashed in ["/app.0123456789abcdef.js", "/app_bg.QWERTY12.wasm", "/x/main.deadbeef.css"] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in ["/app.js", "/app.min.js", "/deadbeef12.js", "/", "/.deadbeef"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    async fn get(app: &Router, path: &str, encodings: &str) -> (StatusCode, http::HeaderMap, Vec<u8>) {
        let request = Request::builder()
            .uri(path)
            .header(header::ACCEPT_ENCODING, encodings)
            .body(Body::empty())
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn files_are_served_as_they_were_compressed_with_their_type_and_for_ever() {
        let site = std::env::temp_dir().join(format!("edge-assets-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(site.join("assets")).unwrap();
        let name = "app_bg.0123456789abcdef.wasm";
        std::fs::write(site.join("assets").join(name), b"plain").unwrap();
        std::fs::write(site.join("assets").join(format!("{name}.br")), b"brotli").unwrap();
        std::fs::write(site.join("assets").join(format!("{name}.gz")), b"gzip").unwrap();
        std::fs::write(site.join("secret"), b"secret").unwrap();
        let app: Router = routes::<()>(&site).layer(compression());

        let path = format!("/assets/{name}");
        for (encodings, body, encoding) in
            [("br, gzip", "brotli", Some("br")), ("gzip", "gzip", Some("gzip")), ("identity", "plain", None)]
        {
            let (status, headers, bytes) = get(&app, &path, encodings).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(bytes, body.as_bytes());
            assert_eq!(headers.get(header::CONTENT_ENCODING).map(|e| e.to_str().unwrap()), encoding);
            assert_eq!(headers[header::CONTENT_TYPE], "application/wasm");
            assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        }
        let (status, headers, _) = get(&app, "/assets/gone.0123456789abcdef.js", "br").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        for outside in ["/assets/../secret", "/assets/%2e%2e/secret", "/assets/..%2fsecret"] {
            assert_ne!(get(&app, outside, "br").await.2, b"secret", "{outside}");
        }
        std::fs::remove_dir_all(&site).unwrap();
    }
}
