//! The description of the API, made from the handlers, and the addresses where it can be read.

use crate::envelope::Failure;
use crate::reference;
use crate::state::Edge;
use crate::{
    accounts, answers, collections, context, conversations, files, folders, health, invites, keys, memories,
    note_attachments, note_comments, note_files, note_runs, note_shares, note_versions, notes, providers,
    saved_pages, search, socket, sync_door, telemetry, tickets, upkeep,
};
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, header};
use std::sync::{Arc, LazyLock};
use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sideBar",
        description = "Every answer is JSON in an envelope: `{\"success\":true,\"data\":…}` or \
            `{\"success\":false,\"error\":\"for a person\",\"error_code\":\"FOR_A_PROGRAM\",\"details\":{…},\"request_id\":\"…\"}`. \
            A change made with the session cookie needs the header `X-CSRF-Token`; an API key does not."
    ),
    components(schemas(shared::Problem, shared::ErrorCode)),
    tags(
        (name = "accounts", description = "Signing in, sessions, profiles, people."),
        (name = "keys", description = "API keys for programs."),
        (name = "conversations", description = "Conversations and what is kept of them."),
        (name = "answers", description = "Answers as they are written: server-sent events whose ids rise. Resume with Last-Event-ID."),
        (name = "models", description = "Models and the providers behind them."),
        (name = "notes", description = "Markdown notes that people and models write at once; their folders, links and files."),
        (name = "sharing", description = "Who else may do what with notes and folders; invitations to this server."),
        (name = "search", description = "Search over everything one may see."),
        (name = "socket", description = "Live notices for an open browser."),
        (name = "files", description = "Files that somebody keeps, and what was read in them."),
        (name = "pages", description = "Web pages that somebody keeps to read."),
        (name = "memories", description = "What is to be kept in mind, by people and by programs."),
        (name = "context", description = "What models are given beside the words of a conversation."),
        (name = "collections", description = "Named sets of files, notes and pages."),
        (name = "telemetry", description = "What browsers measure of themselves."),
        (name = "health", description = "Whether the server works."),
    )
)]
struct Description;

/// Every route of the API with its description.
pub fn api() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(accounts::routes())
        .merge(keys::routes())
        .merge(conversations::routes())
        .merge(answers::routes())
        .merge(providers::routes())
        .merge(note_shares::routes())
        .merge(note_comments::routes())
        .merge(note_versions::routes())
        .merge(note_runs::routes())
        .merge(tickets::routes())
        .merge(invites::routes())
        .merge(search::routes())
        .merge(files::routes())
        .merge(upkeep::routes())
        .merge(saved_pages::routes())
        .merge(memories::routes())
        .merge(context::routes())
        .merge(collections::routes())
        .merge(socket::routes())
        .merge(sync_door::routes())
        .merge(folders::routes())
        .merge(notes::routes())
        .merge(note_attachments::routes())
        .merge(note_files::routes())
        .merge(telemetry::routes())
        .merge(health::routes())
}

/// The API's routes.
pub fn handlers() -> Router<Arc<Edge>> {
    api().split_for_parts().0
}

/// The description alone, completed.
pub fn openapi() -> OpenApi {
    let mut document = api().into_openapi();
    add_security(&mut document);
    add_failures(&mut document);
    document
}

fn add_security(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, scheme) in [
        ("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("sidebar_session")))),
        ("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("api_key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")))),
    ] {
        components.add_security_scheme(name, scheme);
    }
    let none: [&str; 0] = [];
    document.security =
        Some(["session", "bearer", "api_key"].map(|name| SecurityRequirement::new(name, none)).to_vec());
}

/// Any operation may be refused or fail, always in the same shape.
fn add_failures(document: &mut OpenApi) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let failure = ResponseBuilder::new()
        .description("Refused or failed; `error` says why and what to do, `error_code` says it to a program.")
        .content("application/json", problem)
        .build();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(failure.clone()));
        }
    }
}

/// What is answered, made when it is first asked for: few servers ever are, and it is large.
static DOCUMENT: Made = LazyLock::new(|| Ok(serde_json::to_vec(&openapi())?.into()));
static REFERENCE: Made = LazyLock::new(|| Ok(reference::page(&serde_json::to_value(openapi())?).into()));

type Made = LazyLock<Result<Bytes, serde_json::Error>>;

/// Where the description can be read, by programs and by people.
pub fn routes() -> Router<Arc<Edge>> {
    Router::new()
        .route("/api/v1/openapi.json", get(async || document_answer()))
        .route("/api/v1/reference", get(async || reference_answer()))
}

fn made(what: &'static Made) -> Result<Bytes, Failure> {
    what.as_ref().cloned().map_err(|error| {
        tracing::error!(%error, "the API could not be described");
        Failure::internal()
    })
}

fn document_answer() -> Result<Response, Failure> {
    let json = made(&DOCUMENT)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response())
}

fn reference_answer() -> Result<Response, Failure> {
    let policy = HeaderValue::try_from(reference::policy()).map_err(|_| Failure::internal())?;
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(made(&REFERENCE)?)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::HashSet;

    fn document() -> Value {
        serde_json::to_value(openapi()).unwrap()
    }

    fn references<'a>(value: &'a Value, into: &mut HashSet<&'a str>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(target)) => {
                            into.insert(target);
                        }
                        _ => references(value, into),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, into)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut targets = HashSet::new();
        references(&document, &mut targets);
        assert!(targets.len() > 20);
        for target in targets {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_summary_and_says_how_it_fails() {
        let document = document();
        let mut names = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} twice");
                assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{method} {path}");
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
                for parameter in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                    let parameter = parameter.trim_end_matches('}');
                    let listed = operation["parameters"].as_array().unwrap();
                    assert!(
                        listed
                            .iter()
                            .any(|p| p["name"] == parameter && p["in"] == "path" && p["required"] == true),
                        "{method} {path} does not describe {parameter}"
                    );
                }
            }
        }
        assert!(names.len() >= 40, "{}", names.len());
    }

    #[test]
    fn a_key_of_a_provider_is_in_no_answer() {
        let document = document();
        let provider = document["components"]["schemas"]["Provider"].to_string();
        assert!(!provider.contains("\"api_key\""));
    }
}
