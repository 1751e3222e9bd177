//! Who looks at a note: a session or a key, a cookie that says which shared link was opened, or both
//! at once. The cookie grants nothing by itself; what the share allows is in its row.

use crate::authentication::{changes, cookie, cookie_named, identify, shows_credential};
use crate::envelope::Failure;
use crate::limits::{Limited, Who};
use crate::origin::Absent;
use crate::state::Edge;
use crate::visitor::Source;
use axum::extract::FromRequestParts;
use domain::Viewer;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use shared::ErrorCode;
use std::sync::Arc;
use std::time::Duration;

const SHARE_COOKIE: &str = "sidebar_share";
/// A visitor opens the link again after this long without a reason to ask; the share may end sooner.
const SHARE_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The person or visitor of a request.
pub struct Looking(pub Viewer);

impl FromRequestParts<Arc<Edge>> for Looking {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge>) -> Result<Self, Failure> {
        let share = cookie_named(&parts.headers, SHARE_COOKIE).and_then(|proof| edge.domain.visiting(proof));
        if shows_credential(&parts.headers) {
            match identify(parts, edge).await {
                Ok(known) => return Ok(Self(Viewer { person: Some(known.caller), share })),
                // A session that ended does not take the link away.
                Err(failure) if share.is_some() && failure.code() == ErrorCode::Unauthenticated => {}
                Err(failure) => return Err(failure),
            }
        }
        if share.is_none() {
            return Err(Failure::unauthenticated());
        }
        let source = parts.extensions.get::<Source>().copied().unwrap_or(Source::UNKNOWN);
        edge.limits.check(Limited::Request, Who::address(source.address))?;
        // The cookie is never sent along by another site's form; where there is an Origin, it is ours.
        if changes(&parts.method) {
            edge.hosts.check_origin(&parts.headers, Absent::Accept)?;
        }
        Ok(Self(Viewer { person: None, share }))
    }
}

/// The `Set-Cookie` of who came by a link.
pub fn share_cookie(proof: &str, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    cookie(SHARE_COOKIE, proof, SHARE_LIFETIME, headers)
}
