//! What every request passes on its way in and out, in one place and in order: named and logged,
//! secured, compressed, checked for its host, kept from running too long or bringing others down.

use crate::envelope::Failure;
use crate::state::Edge;
use crate::visitor::Source;
use crate::{assets, cors, headers, origin, patience, request_id};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use shared::ErrorCode;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

/// Puts the gate around the routes; the first layer is the outermost.
pub fn guard(routes: Router, edge: &Arc<Edge>) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(from_fn(request_id::record))
            .layer(from_fn_with_state(Arc::clone(edge), headers::secure))
            .layer(assets::compression())
            .layer(from_fn_with_state(Arc::clone(edge), origin::check_host))
            .layer(from_fn_with_state(Arc::clone(edge), cors::allow))
            .layer(from_fn_with_state(Arc::clone(edge), find_source))
            .layer(CatchPanicLayer::custom(after_panic))
            .layer(from_fn(patience::end_in_time)),
    )
}

/// Notes where the request comes from, and refuses it while the server stops.
async fn find_source(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    if edge.shutdown.is_cancelled() {
        let stopping =
            Failure::new(ErrorCode::ShuttingDown, "The server is restarting. Try again in a moment.");
        return stopping.with_retry_after(Duration::from_secs(2)).into_response();
    }
    let source = Source::of(&request, &edge.trusted_proxies);
    request.extensions_mut().insert(source);
    next.run(request).await
}

/// The panic itself was reported by the panic hook, with its place.
fn after_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    metrics::counter!("sidebar_panics_total").increment(1);
    Failure::internal().into_response()
}
