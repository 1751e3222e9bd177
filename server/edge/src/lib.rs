//! Everything HTTP: the API, its streams and its socket, sessions, limits, pages, files. It knows no
//! SQL, no model and no document format: what something means is asked of `domain`.

mod accounts;
mod answers;
mod assets;
mod authentication;
mod bundler;
mod collections;
mod config;
mod context;
mod conversations;
mod cors;
mod disposition;
mod envelope;
mod event_stream;
mod files;
mod folders;
mod gate;
mod headers;
mod health;
mod input;
mod invites;
mod keys;
mod legacy;
mod limits;
mod looking;
mod memories;
mod note_attachments;
mod note_comments;
mod note_files;
mod note_lines;
mod note_runs;
mod note_shares;
mod note_versions;
mod notes;
mod offline;
mod openapi;
mod origin;
mod pages;
mod patience;
mod providers;
mod reference;
mod request_id;
mod saved_pages;
mod search;
mod serve;
mod served_file;
mod shared_links;
mod socket;
mod socket_writer;
mod state;
mod sync_door;
mod telemetry;
mod tickets;
mod upkeep;
mod visitor;

pub use config::{BrowserErrorSink, Config, Error};
pub use limits::Rate;
pub use openapi::openapi;
pub use serve::serve;
pub use visitor::{Cidr, NotACidr};

use any_spawner::Executor;
use app::server::Site;
use authentication::InProcess;
use axum::routing::get;
use axum::{Extension, Router};
use domain::Domain;
use state::Edge;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The whole of what the server answers.
pub fn router(domain: Domain, config: Config, shutdown: CancellationToken) -> Result<Router, Error> {
    // Pages are rendered on this runtime. A second router in one process finds that said already.
    let _ = Executor::init_tokio();
    let names = assets::manifest(&config.site)?;
    let files = assets::routes(&config.site);
    let offline = offline::routes(&config.site, &names)?;
    let edge = Edge::new(domain, config, shutdown);
    let api = openapi::handlers();
    let site = Site {
        router: in_process(api.clone(), &edge),
        assets: names,
        build: edge.build.clone(),
        content_security_policy: headers::page_policy,
    };
    let routes = api
        .merge(openapi::routes())
        .merge(pages::routes(&site))
        .merge(shared_links::routes(&site))
        .merge(invites::pages(&site))
        .merge(files)
        .merge(offline)
        .route("/metrics", get(health::metrics))
        .fallback(move |request| pages::anything_else(site.clone(), request))
        .method_not_allowed_fallback(pages::wrong_method)
        .with_state(Arc::clone(&edge));
    Ok(gate::guard(routes, &edge))
}

/// The API for the server's own pages: the same handlers, without the gate that the page's own
/// request went through already.
fn in_process(api: Router<Arc<Edge>>, edge: &Arc<Edge>) -> Router {
    api.fallback(pages::unknown_api_path)
        .method_not_allowed_fallback(pages::wrong_method)
        .with_state(Arc::clone(edge))
        .layer(Extension(InProcess))
}
