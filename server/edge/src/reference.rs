//! The API's reference as one plain page made from its OpenAPI document: no script, nothing from
//! elsewhere. Every text is escaped, whatever the document holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::LazyLock;

const STYLE: &str = include_str!("reference.css");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The Content-Security-Policy under which the page may have its style and nothing else.
pub fn policy() -> &'static str {
    &POLICY
}

/// The page, for an OpenAPI document.
pub fn page(document: &Value) -> String {
    let title = escape(text(&document["info"]["title"]));
    let mut html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head><body><main><h1>{title} API</h1><p>{}</p>\
         <p>For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>",
        prose(text(&document["info"]["description"]))
    );
    for tag in list(&document["tags"]) {
        section(&mut html, document, tag);
    }
    schemas(&mut html, document);
    html.push_str("</main></body></html>");
    html
}

fn section(html: &mut String, document: &Value, tag: &Value) {
    let name = text(&tag["name"]);
    put(
        html,
        format_args!("<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(name), prose(text(&tag["description"]))),
    );
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            if list(&operation["tags"]).any(|tag| tag == name) {
                operation_details(html, path, method, operation);
            }
        }
    }
}

fn operation_details(html: &mut String, path: &str, method: &str, operation: &Value) {
    put(
        html,
        format_args!(
            "<details id=\"{}\"><summary><span class=\"method\">{}</span> <code>{}</code> <span class=\"what\">{}</span></summary>",
            escape(text(&operation["operationId"])),
            escape(&method.to_uppercase()),
            escape(path),
            prose(text(&operation["summary"])),
        ),
    );
    if let Some(more) = operation["description"].as_str() {
        put(html, format_args!("<p>{}</p>", prose(more)));
    }
    if operation["security"] == serde_json::json!([{}]) {
        html.push_str("<p>Needs no sign-in.</p>");
    }
    parameters(html, operation);
    contents(html, "Takes", &operation["requestBody"]["content"]);
    for (status, response) in entries(&operation["responses"]) {
        put(
            html,
            format_args!("<h3>{}</h3><p>{}</p>", escape(status), prose(text(&response["description"]))),
        );
        contents(html, "", &response["content"]);
    }
    html.push_str("</details>");
}

fn parameters(html: &mut String, operation: &Value) {
    let mut rows = String::new();
    for parameter in list(&operation["parameters"]) {
        put(
            &mut rows,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                shape(&parameter["schema"]),
                prose(text(&parameter["description"])),
            ),
        );
    }
    if !rows.is_empty() {
        put(
            html,
            format_args!(
                "<div class=\"wide\"><table><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr>{rows}</table></div>"
            ),
        );
    }
}

fn contents(html: &mut String, heading: &str, content: &Value) {
    for (kind, body) in entries(content) {
        if !heading.is_empty() {
            put(html, format_args!("<h3>{heading}</h3>"));
        }
        put(html, format_args!("<p><code>{}</code> {}</p>", escape(kind), shape(&body["schema"])));
    }
}

fn schemas(html: &mut String, document: &Value) {
    html.push_str("<h2 id=\"types\">types</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        put(
            html,
            format_args!(
                "<details id=\"type-{0}\"><summary><code>{0}</code> <span class=\"what\">{1}</span></summary><pre>{2}</pre></details>",
                escape(name),
                prose(text(&schema["description"])),
                escape(&serde_json::to_string_pretty(schema).unwrap_or_default()),
            ),
        );
    }
}

/// A schema in a few words: a link to its type, or its kind.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if let Some(options) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return options.iter().map(shape).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", shape(&schema["items"])),
        Value::String(kind) => escape(kind),
        Value::Array(kinds) => kinds.iter().map(|kind| escape(text(kind))).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

/// Text with its `code` marked.
fn prose(source: &str) -> String {
    let mut html = String::new();
    for (index, part) in source.split('`').enumerate() {
        match index % 2 {
            0 => html.push_str(&escape(part)),
            _ => put(&mut html, format_args!("<code>{}</code>", escape(part))),
        }
    }
    html
}

fn put(html: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = html.write_fmt(part);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_type_is_on_the_page() {
        let document = serde_json::to_value(crate::openapi::openapi()).unwrap();
        let page = page(&document);
        for (_, item) in entries(&document["paths"]) {
            for (_, operation) in entries(item) {
                let id = text(&operation["operationId"]);
                assert!(page.contains(&format!("<details id=\"{id}\">")), "{id}");
            }
        }
        for (name, _) in entries(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("id=\"type-{name}\"")), "{name}");
        }
        assert!(!page.contains("<script"));
    }

    #[test]
    fn text_of_the_document_cannot_become_markup() {
        let document = serde_json::json!({"info": {"title": "<script>", "description": "`<img>` & \"x\""}});
        let page = page(&document);
        assert!(page.contains("&lt;script&gt;"));
        assert!(page.contains("<code>&lt;img&gt;</code> &amp; &quot;x&quot;"));
    }
}
